//! Bytes from a broken or hostile peer: every length cut, every position overwritten with counts
//! and lengths that nobody can hold. Decoding must end in a value or an error, without a panic,
//! and must never allocate more than a small multiple of what came in. Also: how often writing a
//! large produce request allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Debug;

use bytes::Bytes;
use kafka_protocol::messages::ApiKey;
use kafka_protocol::protocol::{Decodable, Encodable};
use ottla::protocol::produce::{
    self, NodeEndpoint, PartitionResponse, ProduceRequest, ProduceResponse, ProduceWriter, TopicRef,
};
use ottla::protocol::{
    decode_api_versions_response, decode_request, decode_response, request_header,
    response_correlation_id, strip_response_header,
};
use uuid::Uuid;

#[path = "../src/protocol/samples.rs"]
mod samples;

/// The system's allocator, with a count of what the current thread holds.
struct Counting;

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
    static TIMES: Cell<usize> = const { Cell::new(0) };
}

/// Counts `bytes` more; false when that is so much that a decoder must have believed a lie. It is
/// refused before the system may hand out address space that nothing backs.
fn grown(bytes: usize) -> bool {
    let live = LIVE.get().saturating_add(bytes);
    PEAK.set(PEAK.get().max(live));
    TIMES.set(TIMES.get() + 1);
    LIVE.set(live);
    live < 1 << 30
}

// SAFETY: every call goes to the system's allocator with the arguments given, or gives null, which
// the contract allows; the counters are constant-initialised thread locals without a destructor,
// so that touching them allocates nothing.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if grown(layout.size()) {
            System.alloc(layout)
        } else {
            std::ptr::null_mut()
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get().saturating_sub(layout.size()));
        System.dealloc(pointer, layout)
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LIVE.set(LIVE.get().saturating_sub(layout.size()));
        if grown(size) {
            System.realloc(pointer, layout, size)
        } else {
            std::ptr::null_mut()
        }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `work` gives, the most bytes it held at once, and how often it allocated.
fn measured<T>(work: impl FnOnce() -> T) -> (T, usize, usize) {
    let before = LIVE.get();
    let times = TIMES.get();
    PEAK.set(before);
    let value = work();
    (value, PEAK.get() - before, TIMES.get() - times)
}

/// The most bytes that decoding may hold for each byte that came in. A tagged field takes two bytes
/// on the wire and, in the map the crate keeps it in, some seventy in memory; nothing is worse.
const PER_BYTE: usize = 48;
/// What an error and its message may take; with RUST_BACKTRACE set, the crate's own errors keep the
/// addresses of the stack too.
const FLAT: usize = 16 * 1024;

/// Counts and lengths that are lies, and a few that may turn out true.
const LIES: &[&[u8]] = &[
    &[0x7f, 0xff, 0xff, 0xff],
    &[0x80, 0x00, 0x00, 0x00],
    &[0xff, 0xff, 0xff, 0xff],
    &[0xff, 0xff, 0xff, 0xfe],
    &[0x00, 0x10, 0x00, 0x00],
    &[0x7f, 0xff],
    &[0x80, 0x00],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0xff, 0xff, 0x07],
    &[0xff, 0xff, 0xff, 0xff, 0xff],
    &[0x80, 0x80, 0x80, 0x80, 0x70],
    &[0x80, 0x80, 0x80, 0x80, 0x01],
    &[0xff, 0x7f],
    &[0xff],
    &[0x7f],
    &[0x02],
    &[0x01],
    &[0x00],
];

/// Gives `decode` everything that can be made of `valid`.
fn attack<T>(name: &str, valid: &[u8], decode: impl Fn(Bytes) -> ottla::error::Result<T>) {
    let one = |bytes: Bytes, how: &dyn Debug| {
        let length = bytes.len();
        let (result, peak, _) = measured(|| decode(bytes).is_ok());
        let allowed = PER_BYTE * length + FLAT;
        assert!(peak <= allowed, "{name} {how:?}: {peak} bytes held for {length} (ok: {result})");
        result
    };
    assert!(one(Bytes::copy_from_slice(valid), &"as it is"), "{name}: the sample is refused");
    for length in 0..valid.len() {
        let cut = one(Bytes::copy_from_slice(&valid[..length]), &("cut", length));
        assert!(!cut, "{name} cut at {length} is believed");
    }
    for at in 0..valid.len() {
        for lie in LIES {
            // In place, and instead of the one byte that a small varint takes.
            let mut over = valid.to_vec();
            let end = (at + lie.len()).min(over.len());
            over[at..end].copy_from_slice(&lie[..end - at]);
            one(Bytes::from(over), &("over", at, lie));
            let spliced = [&valid[..at], lie, &valid[at + 1..]].concat();
            one(Bytes::from(spliced), &("spliced", at, lie));
        }
    }
}

struct Attack {
    responses: bool,
}

impl samples::Visit for Attack {
    fn visit<M>(&mut self, key: ApiKey, version: i16, message: M)
    where
        M: Encodable + Decodable + PartialEq + Debug,
    {
        let mut valid = Vec::new();
        message.encode(&mut valid, version).expect("the sample fits its version");
        let name = format!("{key:?} v{version}");
        let decode: fn(ApiKey, i16, Bytes) -> ottla::error::Result<M> =
            if self.responses { decode_response } else { decode_request };
        let back = decode(key, version, Bytes::copy_from_slice(&valid)).expect("a valid message");
        assert_eq!(back, message, "{name}");
        attack(&name, &valid, |bytes| decode(key, version, bytes));
        if self.responses && key == ApiKey::ApiVersions {
            attack(&name, &valid, |bytes| decode_api_versions_response(version, bytes));
        }
    }
}

#[test]
fn control_responses() {
    samples::responses(&mut Attack { responses: true });
}

#[test]
fn control_requests() {
    samples::requests(&mut Attack { responses: false });
}

fn produce_response(version: i16) -> ProduceResponse {
    let topic = |name: &str, id: u128| {
        if version >= 13 {
            TopicRef::Id(Uuid::from_u128(id))
        } else {
            TopicRef::Name(name.into())
        }
    };
    let partition = |topic: &TopicRef, partition: i32| PartitionResponse {
        topic: topic.clone(),
        partition,
        error_code: 87,
        base_offset: 100,
        log_append_time_ms: 200,
        log_start_offset: 3,
        record_errors: vec![(0, Some("bad".into())), (2, None)],
        error_message: Some("one or more records are bad".into()),
        current_leader: Some((2, 9)),
    };
    let (one, two) = (topic("orders", 1), topic("returns", 2));
    let endpoint = |node_id| NodeEndpoint {
        node_id,
        host: "broker.example".into(),
        port: 9092,
        rack: Some("r1".into()),
    };
    ProduceResponse {
        throttle_time_ms: 7,
        partitions: vec![partition(&one, 0), partition(&one, 1), partition(&two, 0)],
        node_endpoints: vec![endpoint(1), endpoint(2)],
    }
}

#[test]
fn produce_responses() {
    for version in 0..=13 {
        let frame = produce::encode_response(version, 1, &produce_response(version)).unwrap();
        let body = strip_response_header(ApiKey::Produce, version, frame.slice(4..)).unwrap();
        attack(&format!("Produce v{version}"), &body, |bytes| {
            produce::decode_response(version, &bytes)
        });
    }
}

fn produce_request(version: i16) -> Bytes {
    let request = ProduceRequest {
        version,
        correlation_id: 1,
        client_id: "client",
        transactional_id: (version >= 3).then_some("transactional"),
        acks: -1,
        timeout_ms: 30_000,
    };
    let mut writer = ProduceWriter::new(&request, 2);
    for topic in ["orders", "returns"] {
        writer.begin_topic(topic, Uuid::max(), 2);
        for partition in 0..2 {
            writer.begin_partition(partition, 7);
            writer.records(b"records");
            writer.end_partition();
        }
        writer.end_topic();
    }
    match writer.finish().unwrap().pop() {
        Some(produce::Piece::Head(bytes)) => bytes.slice(4..),
        piece => panic!("one piece, not {piece:?}"),
    }
}

#[test]
fn produce_requests() {
    for version in 0..=13 {
        let body = request_header(&produce_request(version)).unwrap().body;
        attack(&format!("Produce v{version}"), &body, |bytes| {
            produce::decode_request(version, bytes)
        });
    }
}

#[test]
fn headers() {
    for version in [0, 9] {
        let frame = produce_request(version);
        let header = frame.len() - request_header(&frame).unwrap().body.len();
        attack("request header", &frame[..header], |bytes| request_header(&bytes));
        let tagged = [0, 0, 0, 1, 2, 0, 1, 9, 5, 0];
        let header = if version >= 9 { &tagged[..] } else { &tagged[..4] };
        attack("response header", header, |bytes| {
            response_correlation_id(&bytes)?;
            strip_response_header(ApiKey::Produce, version, bytes)
        });
    }
}

#[test]
fn random_bytes() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..20_000 {
        let length = random.usize(..64);
        let bytes: Bytes = std::iter::repeat_with(|| random.u8(..)).take(length).collect();
        let version = random.i16(-1..15);
        let (_, peak, _) = measured(|| {
            use kafka_protocol::messages::{FetchRequest, MetadataRequest, MetadataResponse};
            let _ = produce::decode_response(version, &bytes);
            let _ = produce::decode_request(version, bytes.clone());
            let _ = request_header(&bytes);
            let _ = decode_response::<MetadataResponse>(ApiKey::Metadata, version, bytes.clone());
            let _ = decode_request::<MetadataRequest>(ApiKey::Metadata, version, bytes.clone());
            let _ = decode_request::<FetchRequest>(ApiKey::Fetch, version, bytes.clone());
        });
        assert!(peak <= PER_BYTE * length + FLAT, "v{version} {bytes:?}: {peak} bytes held");
    }
}

/// A long message whose counts are all true: the worst that the promise has to cover.
#[test]
fn many_small_elements() {
    let check = |name: &str, length: usize, peak: usize| {
        assert!(peak <= PER_BYTE * length, "{name}: {peak} bytes held for {length}");
    };
    // FindCoordinator v4: empty keys of one byte each.
    let mut bytes = vec![0, 0x81, 0x80, 0x04];
    bytes.resize(bytes.len() + 0x1_0000, 1);
    bytes.push(0);
    let length = bytes.len();
    let bytes = Bytes::from(bytes);
    let (result, peak, _) = measured(|| {
        use kafka_protocol::messages::FindCoordinatorRequest;
        decode_request::<FindCoordinatorRequest>(ApiKey::FindCoordinator, 4, bytes)
    });
    assert_eq!(result.unwrap().coordinator_keys.len(), 0x1_0000);
    check("empty strings", length, peak);

    // EndTxn v3: tagged fields that nobody knows, as short as distinct ones can be.
    let mut bytes = vec![0; 6];
    bytes.extend([0x80, 0x80, 0x01]);
    for tag in 0..0x4000u16 {
        if tag < 0x80 {
            bytes.push(tag as u8);
        } else {
            bytes.extend([tag as u8 | 0x80, (tag >> 7) as u8]);
        }
        bytes.push(0);
    }
    let length = bytes.len();
    let bytes = Bytes::from(bytes);
    let (result, peak, _) = measured(|| {
        use kafka_protocol::messages::EndTxnResponse;
        decode_response::<EndTxnResponse>(ApiKey::EndTxn, 3, bytes)
    });
    assert_eq!(result.unwrap().unknown_tagged_fields.len(), 0x4000);
    check("tagged fields", length, peak);

    // Produce v9: partitions of answers without anything in them.
    let mut response = produce_response(9);
    response.partitions[0].record_errors.clear();
    response.partitions[0].error_message = None;
    response.partitions = vec![response.partitions[0].clone(); 10_000];
    let frame = produce::encode_response(9, 0, &response).unwrap();
    let (result, peak, times) = measured(|| produce::decode_response(9, &frame[9..]));
    assert_eq!(result.unwrap().partitions.len(), 10_000);
    check("partitions", frame.len(), peak);
    assert!(times < 10, "{times} allocations to read 10,000 answers of one topic");
}

#[test]
fn ten_thousand_partitions_are_written_without_allocating_for_each() {
    let request = ProduceRequest {
        version: 13,
        correlation_id: 1,
        client_id: "client",
        transactional_id: None,
        acks: -1,
        timeout_ms: 30_000,
    };
    let write = |capacity| {
        let mut writer = ProduceWriter::with_capacity(&request, 1, capacity);
        writer.begin_topic("orders", Uuid::max(), 10_000);
        for partition in 0..10_000 {
            writer.batch(partition, &[0; 61], 5000);
            writer.records_elsewhere();
            writer.end_partition();
        }
        writer.end_topic();
        writer.finish().unwrap().len()
    };
    let (pieces, _, times) = measured(|| write(512));
    assert_eq!(pieces, 20_001);
    assert!(times < 40, "{times} allocations");
    let (_, _, foretold) = measured(|| write(10_000 * (61 + 10) + 100));
    assert!(foretold < times - 5, "{foretold} allocations although the size was known");
}
