//! Tests of the cluster served over TCP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{FetchRequest, MetadataRequest, MetadataResponse, TopicName};

use super::*;
use crate::mock::testing::{batch, produce_frame, CORRELATION_ID};
use crate::mock::Fault;
use crate::protocol::produce::decode_response;
use crate::protocol::{self, encode_request, strip_response_header, ApiKey, StrBytes};

/// A blocking client of one broker.
struct Client(TcpStream);

impl Client {
    fn connect(mock: &MockCluster, broker: i32) -> Client {
        let (host, port) = mock.read(|cluster| {
            let (host, port) = cluster.broker_address(broker).unwrap();
            (host.to_owned(), port)
        });
        let stream = TcpStream::connect((host, port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Client(stream)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// One answer without its length; an error when the connection ends.
    fn read(&mut self) -> std::io::Result<Bytes> {
        let mut length = [0; 4];
        self.0.read_exact(&mut length)?;
        let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }

    fn metadata(&mut self) -> MetadataResponse {
        self.write(&metadata_frame());
        let body = strip_response_header(ApiKey::Metadata, 9, self.read().unwrap()).unwrap();
        protocol::decode_response(ApiKey::Metadata, 9, body).unwrap()
    }

    fn produce(&mut self, version: i16, partition: i32, records: &[u8]) -> (i16, i64) {
        let id = uuid::Uuid::nil();
        self.write(&produce_frame("t", id, version, -1, partition, records));
        let bytes = self.read().unwrap();
        let body = strip_response_header(ApiKey::Produce, version, bytes).unwrap();
        let response = decode_response(version, &body).unwrap();
        (response.partitions[0].error_code, response.partitions[0].base_offset)
    }
}

fn metadata_frame() -> Bytes {
    let request = MetadataRequest::default();
    encode_request(ApiKey::Metadata, 9, CORRELATION_ID, "x", &request).unwrap()
}

#[test]
fn clients_find_the_brokers_and_produce() {
    let mock = MockCluster::start(3).unwrap();
    assert_eq!(mock.bootstrap_servers().split(',').count(), 3);
    mock.create_topic("t", 3, 3).unwrap();
    let mut client = Client::connect(&mock, 2);
    let metadata = client.metadata();
    let advertised: Vec<String> = metadata
        .brokers
        .iter()
        .map(|broker| format!("{}:{}", &*broker.host, broker.port))
        .collect();
    assert_eq!(advertised.join(","), mock.bootstrap_servers());
    assert_eq!(client.produce(9, 1, &batch(&[(None, "1"), (None, "2")])), (0, 0));
    assert_eq!(client.produce(9, 1, &batch(&[(None, "3")])), (0, 2));
    assert_eq!(client.produce(9, 0, &batch(&[(None, "3")])), (6, -1));
    assert_eq!(mock.records("t", 1).unwrap().len(), 3);
    assert_eq!(mock.request_count(Some(2), ApiKey::Produce), 3);
}

#[test]
fn large_requests_and_many_at_once_get_through() {
    let mock = MockCluster::start(1).unwrap();
    mock.create_topic("t", 1, 1).unwrap();
    mock.set_max_message_bytes("t", 16 << 20).unwrap();
    let value = "x".repeat(5 << 20);
    let mut client = Client::connect(&mock, 1);
    assert_eq!(client.produce(9, 0, &batch(&[(None, &value)])), (0, 0));
    let frame = produce_frame("t", uuid::Uuid::nil(), 9, -1, 0, &batch(&[(None, "1")]));
    let many = frame.repeat(500);
    client.write(&many);
    for _ in 0..500 {
        client.read().unwrap();
    }
    assert_eq!(mock.log_end_offset("t", 0).unwrap(), 501);
}

#[test]
fn delays_are_kept_and_order_too() {
    let mock = MockCluster::start(1).unwrap();
    mock.push_faults(None, ApiKey::Metadata, &[Fault::DelayMs(120)]);
    let mut client = Client::connect(&mock, 1);
    let began = Instant::now();
    client.metadata();
    assert!(began.elapsed() >= Duration::from_millis(119), "{:?}", began.elapsed());
}

#[test]
fn a_broker_that_is_down_refuses_and_comes_back_on_its_port() {
    let mock = MockCluster::start(2).unwrap();
    let address = mock.addresses[0];
    let mut client = Client::connect(&mock, 1);
    client.metadata();
    mock.broker_down(1).unwrap();
    assert!(client.read().is_err(), "the connection must close");
    let began = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(10), "the port stays open");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(Client::connect(&mock, 2).metadata().brokers.len(), 1);
    mock.broker_up(1).unwrap();
    let stream = loop {
        if let Ok(stream) = TcpStream::connect(address) {
            break stream;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "the port stays closed");
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(Client(stream).metadata().brokers.len(), 2);
}

#[test]
fn connections_close_on_order_and_on_nonsense() {
    let mock = MockCluster::start(1).unwrap();
    mock.drop_connection_on_next(ApiKey::Metadata);
    let mut client = Client::connect(&mock, 1);
    client.write(&metadata_frame());
    assert!(client.read().is_err());
    let mut client = Client::connect(&mock, 1);
    client.metadata();
    mock.drop_connections(1).unwrap();
    assert!(client.read().is_err());
    let mut client = Client::connect(&mock, 1);
    client.write(b"GET / HTTP/1.1\r\n\r\n");
    assert!(client.read().is_err());
    Client::connect(&mock, 1).metadata();
}

#[test]
fn who_reads_late_gets_everything() {
    let mock = MockCluster::start(1).unwrap();
    mock.create_topic("t", 1, 1).unwrap();
    mock.set_max_message_bytes("t", 16 << 20).unwrap();
    let mut client = Client::connect(&mock, 1);
    let value = "x".repeat(10 << 20);
    assert_eq!(client.produce(9, 0, &batch(&[(None, &value)])), (0, 0));
    let partition =
        FetchPartition::default().with_current_leader_epoch(-1).with_partition_max_bytes(i32::MAX);
    let topic = FetchTopic::default()
        .with_topic(TopicName(StrBytes::from_static_str("t")))
        .with_partitions(vec![partition]);
    let request = FetchRequest::default().with_max_bytes(i32::MAX).with_topics(vec![topic]);
    let fetch = encode_request(ApiKey::Fetch, 11, CORRELATION_ID, "x", &request).unwrap();
    client.write(&fetch.repeat(20));
    while mock.request_count(None, ApiKey::Fetch) == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(mock.request_count(None, ApiKey::Fetch) < 20, "served without bounds");
    for _ in 0..20 {
        assert!(client.read().unwrap().len() > value.len());
    }
}

#[test]
fn close_ends_everything_but_the_logs() {
    let mock = MockCluster::start(1).unwrap();
    mock.create_topic("t", 1, 1).unwrap();
    let mut client = Client::connect(&mock, 1);
    assert_eq!(client.produce(9, 0, &batch(&[(None, "1")])), (0, 0));
    let address = mock.addresses[0];
    mock.close();
    mock.close();
    assert!(client.read().is_err());
    assert!(TcpStream::connect(address).is_err());
    assert_eq!(mock.records("t", 0).unwrap().len(), 1);
}

#[test]
fn an_idle_cluster_does_not_wake_up() {
    let mock = MockCluster::start(3).unwrap();
    let mut client = Client::connect(&mock, 1);
    client.metadata();
    // Not necessarily at once: on a busy machine it may still be at what was before.
    let sleeps = (0..20).any(|_| {
        let before = mock.turns();
        std::thread::sleep(Duration::from_millis(150));
        mock.turns() == before
    });
    assert!(sleeps);
}
