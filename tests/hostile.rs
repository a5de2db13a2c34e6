//! Brokers that are broken, lying or mute, at the socket: whatever comes back, every record is either
//! delivered after the peer mends its ways or fails with an error that says why; nothing crashes, hangs
//! or keeps memory.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ottla::delivery::Persistence;
use ottla::error::ErrorCode;
use ottla::mock::Fault;
use ottla::producer::{Producer, ProducerBuilder, Wait};
use ottla::protocol::ApiKey;
use ottla::record::Record;

const SOON: Duration = Duration::from_secs(30);
const RECORDS: u64 = 20;

fn settings(builder: ProducerBuilder, delivery_timeout_ms: u64) -> ProducerBuilder {
    let settings = [
        ("request.timeout.ms", "250".to_string()),
        ("delivery.timeout.ms", delivery_timeout_ms.to_string()),
        ("linger.ms", "0".to_string()),
        ("retry.backoff.ms", "5".to_string()),
        ("retry.backoff.max.ms", "50".to_string()),
        ("reconnect.backoff.ms", "5".to_string()),
        ("reconnect.backoff.max.ms", "50".to_string()),
        ("socket.connection.setup.timeout.ms", "300".to_string()),
        ("buffer.memory", "1048576".to_string()),
    ];
    settings.iter().fold(builder, |builder, (name, value)| builder.set(name, value).unwrap())
}

fn assert_whole(producer: &Producer) {
    assert_eq!(producer.outstanding_records(), 0);
    let metrics = producer.metrics();
    assert_eq!(metrics.get("buffer-available-bytes"), metrics.get("buffer-total-bytes"));
}

/// Sends records and counts their reports by code.
struct Outcome {
    producer: Producer,
    codes: Vec<(ErrorCode, String)>,
    sent: u64,
}

impl Outcome {
    fn of(producer: Producer, partition: i32) -> Outcome {
        let topic = producer.topic("hostile").unwrap();
        for token in 0..RECORDS {
            let value = token.to_le_bytes();
            producer
                .send_token(topic, partition, &Record::value(&value), token, Wait::Never)
                .unwrap();
            // Not all in one request: each meets another answer.
            std::thread::sleep(Duration::from_millis(2));
        }
        Outcome { producer, codes: Vec::new(), sent: RECORDS }
    }

    /// Waits until all are reported; each exactly once.
    fn settle(mut self) -> Vec<(ErrorCode, String)> {
        let begun = Instant::now();
        let mut seen = Vec::new();
        while (seen.len() as u64) < self.sent {
            assert!(begun.elapsed() < SOON, "{} of {} records reported", seen.len(), self.sent);
            let codes = &mut self.codes;
            let polled = self.producer.poll(Duration::from_millis(50), &mut |report, from| {
                seen.extend_from_slice(&report.tokens[from..]);
                let text = report.message.as_deref().unwrap_or_default().to_string();
                let failed = report.code != ErrorCode::NONE;
                assert_eq!(
                    failed,
                    !text.is_empty(),
                    "an error without words, or words without one"
                );
                assert_eq!(failed, report.persistence != Persistence::Persisted);
                // Sent and never understood: the records can be in the log.
                let unread = report.code == ErrorCode::PROTOCOL;
                assert!(!unread || report.persistence == Persistence::PossiblyPersisted);
                codes.push((report.code, text));
                report.count() - from
            });
            polled.unwrap();
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..self.sent).collect::<Vec<u64>>());
        assert_whole(&self.producer);
        let begun = Instant::now();
        self.producer.close(SOON).unwrap();
        assert!(begun.elapsed() < SOON / 2, "close took {:?}", begun.elapsed());
        self.codes
    }
}

/// The embedded cluster, which misbehaves a few times and then works: all is delivered, except that a produce
/// response that cannot be read ends its records. Returns how many that were.
fn recovers_from(api: ApiKey, faults: &[Fault]) -> usize {
    let builder = Producer::builder().set("test.mock.num.brokers", "2").unwrap().poll_reports();
    let producer = settings(builder, 20_000).build().unwrap();
    producer.mock_cluster().unwrap().push_faults(None, api, faults);
    let mut outcomes = Outcome::of(producer, 0).settle();
    outcomes.retain(|(code, _)| *code != ErrorCode::NONE);
    for (code, text) in &outcomes {
        assert_eq!(*code, ErrorCode::PROTOCOL, "{api:?} {faults:?}: {text}");
    }
    outcomes.len()
}

fn spoiled() -> Vec<Fault> {
    let each = [
        Fault::Garbage,
        Fault::Truncated,
        Fault::WrongCorrelation,
        Fault::InvalidLength,
        Fault::DropRequest,
        Fault::DropResponse,
    ];
    [each.clone(), each].concat()
}

#[test]
fn spoiled_answers_to_version_requests() {
    assert_eq!(recovers_from(ApiKey::ApiVersions, &spoiled()), 0);
}

#[test]
fn spoiled_answers_to_metadata_requests() {
    assert_eq!(recovers_from(ApiKey::Metadata, &spoiled()), 0);
}

#[test]
fn spoiled_answers_to_produce_requests() {
    // Those whose body cannot be read; the others are asked for again.
    let unreadable = recovers_from(ApiKey::Produce, &spoiled());
    assert!(unreadable > 0, "garbage was believed");
}

#[test]
fn silence_for_a_while() {
    for api in [ApiKey::Produce, ApiKey::Metadata, ApiKey::ApiVersions] {
        assert_eq!(recovers_from(api, &[Fault::Silence, Fault::Silence]), 0);
    }
}

#[test]
fn brokers_that_speak_other_versions() {
    for (api, min, max) in [
        (ApiKey::Metadata, 100, 120),
        (ApiKey::Produce, 100, 120),
        (ApiKey::Metadata, 5, 2),
        (ApiKey::Produce, -3, -1),
    ] {
        let builder = Producer::builder().set("test.mock.num.brokers", "1").unwrap().poll_reports();
        let producer = settings(builder, 1500).build().unwrap();
        producer.mock_cluster().unwrap().set_api_versions(api, min, max);
        for (code, text) in Outcome::of(producer, 0).settle() {
            assert_ne!(code, ErrorCode::NONE, "{api:?} {min}..{max}");
            assert_ne!(code, ErrorCode::PANIC, "{api:?} {min}..{max}: {text}");
        }
    }
}

/// What a peer of our own does with each connection.
type Misdeed = fn(&mut TcpStream, &AtomicBool) -> std::io::Result<()>;

/// A TCP server that does one thing to everybody.
struct Peer {
    port: u16,
    over: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Peer {
    fn start(misdeed: Misdeed) -> Peer {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (over, connections) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (stop, count) = (over.clone(), connections.clone());
        let thread = std::thread::spawn(move || {
            std::thread::scope(|scope| {
                for stream in listener.incoming() {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let Ok(mut stream) = stream else { continue };
                    count.fetch_add(1, Ordering::Relaxed);
                    let _ = stream.set_read_timeout(Some(Duration::from_millis(100)));
                    let _ = stream.set_write_timeout(Some(Duration::from_millis(100)));
                    let stop = &stop;
                    // The end of a connection is the client's right.
                    scope.spawn(move || drop(misdeed(&mut stream, stop)));
                }
            });
        });
        Peer { port, over, connections, thread: Some(thread) }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// Reads one request: its API, version and correlation id.
fn read_request(stream: &mut TcpStream, over: &AtomicBool) -> std::io::Result<(i16, i16, [u8; 4])> {
    let mut length = [0; 4];
    loop {
        match stream.read_exact(&mut length) {
            Ok(()) => break,
            Err(error) if over.load(Ordering::Relaxed) => return Err(error),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut frame)?;
    let number = |at: usize| i16::from_be_bytes([frame[at], frame[at + 1]]);
    Ok((number(0), number(2), [frame[4], frame[5], frame[6], frame[7]]))
}

/// Answers each request with this frame body, behind a right correlation id.
fn answer_all(stream: &mut TcpStream, over: &AtomicBool, body: &[u8]) -> std::io::Result<()> {
    loop {
        let (_, _, correlation_id) = read_request(stream, over)?;
        let length = (4 + body.len()) as u32;
        let frame = [&length.to_be_bytes()[..], &correlation_id, body].concat();
        stream.write_all(&frame)?;
    }
}

/// Answers ApiVersions as a real broker would, and everything else with this body.
fn answer_after_versions(
    stream: &mut TcpStream,
    over: &AtomicBool,
    body: &[u8],
) -> std::io::Result<()> {
    loop {
        let (api, version, correlation_id) = read_request(stream, over)?;
        let mut answer = correlation_id.to_vec();
        if api == 18 {
            // Version 0, whatever was asked: UNSUPPORTED_VERSION and Produce 3-9, Metadata 1-8.
            let code: i16 = if version > 0 { 35 } else { 0 };
            answer.extend(code.to_be_bytes());
            answer.extend(3u32.to_be_bytes());
            for number in [0i16, 3, 9, 3, 1, 8, 18, 0, 0] {
                answer.extend(number.to_be_bytes());
            }
        } else {
            answer.extend(body);
        }
        stream.write_all(&(answer.len() as u32).to_be_bytes())?;
        stream.write_all(&answer)?;
    }
}

fn idle_until_over(over: &AtomicBool) -> std::io::Result<()> {
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Nothing useful ever comes from this peer: the records fail in their time, with a reason.
fn fails_against(misdeed: Misdeed) {
    let peer = Peer::start(misdeed);
    let servers = format!("127.0.0.1:{}", peer.port);
    let builder = Producer::builder().set("bootstrap.servers", &servers).unwrap().poll_reports();
    let producer = settings(builder, 1000).build().unwrap();
    for (code, text) in Outcome::of(producer, 0).settle() {
        let expected = [ErrorCode::EXPIRED, ErrorCode::TIMED_OUT];
        assert!(expected.contains(&code), "{code:?}: {text}");
    }
    let connections = peer.connections.load(Ordering::Relaxed);
    assert!((1..400).contains(&connections), "{connections} connections in about a second");
}

#[test]
fn a_peer_that_closes_at_once() {
    fails_against(|_, _| Ok(()));
}

#[test]
fn a_peer_that_never_says_a_word() {
    fails_against(|_, over| idle_until_over(over));
}

#[test]
fn a_peer_that_reads_and_never_answers() {
    fails_against(|stream, over| loop {
        read_request(stream, over)?;
    });
}

#[test]
fn a_peer_that_speaks_another_protocol() {
    fails_against(|stream, _| {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    });
}

#[test]
fn a_peer_with_absurd_frame_lengths() {
    fails_against(|stream, over| {
        read_request(stream, over)?;
        stream.write_all(&i32::MAX.to_be_bytes())?;
        idle_until_over(over)
    });
    fails_against(|stream, over| {
        read_request(stream, over)?;
        stream.write_all(&(-5i32).to_be_bytes())
    });
    fails_against(|stream, over| {
        read_request(stream, over)?;
        stream.write_all(&[0, 0, 0, 0])
    });
}

#[test]
fn a_peer_that_stops_in_the_middle_of_a_frame() {
    fails_against(|stream, over| {
        let (_, _, correlation_id) = read_request(stream, over)?;
        stream.write_all(&100_000u32.to_be_bytes())?;
        stream.write_all(&correlation_id)?;
        idle_until_over(over)
    });
}

#[test]
fn a_peer_that_answers_what_nobody_asked() {
    fails_against(|stream, over| {
        while !over.load(Ordering::Relaxed) {
            stream.write_all(&[0, 0, 0, 8, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3, 4])?;
        }
        Ok(())
    });
}

#[test]
fn a_peer_with_absurd_counts() {
    // UNSUPPORTED_VERSION with two thousand million ranges; then the same where versions are fine.
    fails_against(|stream, over| answer_all(stream, over, &[0, 35, 0x7f, 0xff, 0xff, 0xff]));
    fails_against(|stream, over| answer_all(stream, over, &[0, 0, 0x7f, 0xff, 0xff, 0xff]));
    fails_against(|stream, over| answer_after_versions(stream, over, &[0x7f; 64]));
    fails_against(|stream, over| answer_after_versions(stream, over, &[0xff; 64]));
    fails_against(|stream, over| answer_after_versions(stream, over, &[]));
}

#[test]
fn a_peer_that_dribbles_one_byte_at_a_time() {
    fails_against(|stream, over| {
        let (_, _, correlation_id) = read_request(stream, over)?;
        let frame = [&64u32.to_be_bytes()[..], &correlation_id, &[0; 60]].concat();
        for byte in frame {
            stream.write_all(&[byte])?;
            std::thread::sleep(Duration::from_millis(20));
        }
        idle_until_over(over)
    });
}
