//! The selector over real sockets on the loopback interface.

use std::io::Write;
use std::net::{Shutdown, TcpListener};
use std::time::Instant;

use bytes::Bytes;

use super::*;
use crate::client::network::{ConnectionId, DisconnectCause, Network, NetworkEvent};
use crate::net::selector::{Selector, SelectorSettings};
use crate::protocol::frame::Frame;
use crate::time::{Clock, SystemClock, Time};

const PATIENCE: Duration = Duration::from_secs(20);

struct Rig {
    selector: Selector<MioSockets>,
    clock: SystemClock,
    events: Vec<NetworkEvent>,
    polls: usize,
}

impl Rig {
    fn new() -> Rig {
        Rig::with(SelectorSettings::default())
    }

    fn with(settings: SelectorSettings) -> Rig {
        let sockets = MioSockets::new(SocketSettings::default()).unwrap();
        let selector = Selector::new(sockets, settings);
        Rig { selector, clock: SystemClock::new(), events: Vec::new(), polls: 0 }
    }

    fn poll_for(&mut self, ms: u64) {
        let now = self.clock.now();
        self.selector.poll(now.plus_ms(ms), now, &mut self.events);
        self.polls += 1;
    }

    fn connect(&mut self, id: u64, address: SocketAddr) {
        self.selector.connect(ConnectionId(id), address, self.clock.now()).unwrap();
    }

    fn send(&mut self, id: u64, body: &[u8], tag: u64) {
        let bytes = [&(body.len() as i32).to_be_bytes()[..], body].concat();
        self.selector.send(ConnectionId(id), Frame::from(Bytes::from(bytes)), tag, Time::ZERO);
    }

    /// Polls until `enough` of all events so far.
    fn until(&mut self, enough: impl Fn(&[NetworkEvent]) -> bool) {
        let start = Instant::now();
        while !enough(&self.events) {
            assert!(start.elapsed() < PATIENCE, "still waiting; so far {:?}", self.events);
            self.poll_for(1000);
        }
    }

    fn connected(address: SocketAddr) -> Rig {
        let mut rig = Rig::new();
        rig.connect(1, address);
        rig.until(|events| !events.is_empty());
        // More may have happened in the same poll.
        let first = rig.events.remove(0);
        assert!(matches!(first, NetworkEvent::Connected(ConnectionId(1))), "{first:?}");
        rig
    }
}

fn count(events: &[NetworkEvent], wanted: fn(&NetworkEvent) -> bool) -> usize {
    events.iter().filter(|event| wanted(event)).count()
}

fn is_received(event: &NetworkEvent) -> bool {
    matches!(event, NetworkEvent::Received { .. })
}

fn is_end(event: &NetworkEvent) -> bool {
    matches!(event, NetworkEvent::Disconnected { .. })
}

/// A server of one thread per connection, which does `serve` and then closes.
fn server(serve: fn(&mut StdTcpStream)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || serve(&mut stream));
        }
    });
    address
}

fn echo(stream: &mut StdTcpStream) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

fn silence(stream: &mut StdTcpStream) {
    let _ = stream.read(&mut [0]);
}

#[test]
fn frames_of_all_sizes_come_back_in_order() {
    let mut rig = Rig::connected(server(echo));
    let sizes = [0, 1, 100, 65_532, 65_536, 8 << 20, 5, 3 << 20];
    for (tag, size) in sizes.iter().enumerate() {
        rig.send(1, &vec![tag as u8; *size], tag as u64);
    }
    rig.until(|events| count(events, is_received) == sizes.len());
    let bodies = rig.events.iter().filter_map(|event| match event {
        NetworkEvent::Received { bytes, .. } => Some(bytes),
        _ => None,
    });
    for (tag, bytes) in bodies.enumerate() {
        assert_eq!(bytes.len(), sizes[tag]);
        assert!(bytes.iter().all(|byte| *byte == tag as u8));
    }
    let sent = rig.events.iter().filter_map(|event| match event {
        NetworkEvent::Sent { tag, .. } => Some(*tag),
        _ => None,
    });
    assert_eq!(sent.collect::<Vec<_>>(), (0..sizes.len() as u64).collect::<Vec<_>>());
    let total: usize = sizes.iter().map(|size| size + 4).sum();
    let stats = rig.selector.connection_stats(ConnectionId(1)).unwrap();
    assert_eq!((stats.bytes_in, stats.bytes_out), (total as u64, total as u64));
}

#[test]
fn many_connections_are_served_by_one_selector() {
    let address = server(echo);
    let mut rig = Rig::new();
    for id in 0..100 {
        rig.connect(id, address);
        rig.send(id, &id.to_be_bytes(), id);
    }
    rig.until(|events| count(events, is_received) == 100);
    for event in &rig.events {
        if let NetworkEvent::Received { id, bytes } = event {
            assert_eq!(bytes[..], id.0.to_be_bytes());
        }
    }
    assert_eq!(count(&rig.events, is_end), 0);
    assert_eq!(rig.selector.totals().connects, 100);
}

#[test]
fn a_refused_connection_is_reported_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut rig = Rig::new();
    rig.connect(1, address);
    rig.send(1, b"frame", 5);
    rig.until(|events| !events.is_empty());
    rig.poll_for(20);
    match &rig.events[..] {
        [NetworkEvent::Disconnected { cause: DisconnectCause::ConnectFailed(_), unsent, .. }] => {
            assert_eq!(unsent, &[5]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_peer_that_closes_in_the_middle_of_a_frame() {
    let mut rig = Rig::connected(server(|stream| {
        stream.write_all(b"\0\0\0\x02hi\0\0\0\x09part").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        silence(stream);
    }));
    rig.until(|events| count(events, is_end) > 0);
    match &rig.events[..] {
        [NetworkEvent::Received { bytes, .. }, NetworkEvent::Disconnected { cause, .. }] => {
            assert_eq!(bytes[..], *b"hi");
            assert_eq!(*cause, DisconnectCause::ClosedByPeer);
        }
        other => panic!("{other:?}"),
    }
    rig.poll_for(20);
    assert_eq!(rig.events.len(), 2);
}

/// The hazard of reading only once per event: bytes and the end of the stream announced together.
#[test]
fn the_end_of_a_stream_that_is_announced_with_its_last_bytes_is_seen() {
    for _ in 0..50 {
        let mut rig = Rig::connected(server(|stream| {
            stream.write_all(b"\0\0\0\x02hi").unwrap();
        }));
        // Both have arrived when the selector looks.
        thread::sleep(Duration::from_millis(2));
        rig.until(|events| count(events, is_end) == 1);
        assert_eq!(count(&rig.events, is_received), 1);
    }
}

#[test]
fn a_reset_by_the_peer_ends_the_connection() {
    let mut rig = Rig::connected(server(|stream| {
        // Not before the client is connected: to it, that would be a failed connect.
        stream.read_exact(&mut [0]).unwrap();
        SockRef::from(&*stream).set_linger(Some(Duration::ZERO)).unwrap();
    }));
    rig.send(1, b"frame", 1);
    rig.until(|events| count(events, is_end) == 1);
    match rig.events.last() {
        Some(NetworkEvent::Disconnected { cause: DisconnectCause::Io(_), unsent, .. }) => {
            assert!(unsent.is_empty(), "the frame was written");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn writing_to_a_connection_that_is_gone_is_an_event() {
    let mut rig = Rig::connected(server(|_| ()));
    thread::sleep(Duration::from_millis(20));
    for tag in 0..50 {
        rig.send(1, &[0; 10_000], tag);
        rig.poll_for(1);
    }
    rig.until(|events| count(events, is_end) > 0);
    rig.poll_for(1);
    assert_eq!(count(&rig.events, is_end), 1);
}

#[test]
fn while_idle_a_poll_sleeps_until_its_deadline() {
    let mut rig = Rig::connected(server(silence));
    rig.poll_for(0);
    rig.poll_for(0);
    // Who stops and continues the process ends a sleep before its time: not every time.
    let sleeps_once = (0..5).any(|_| polls_in(&mut rig, Duration::from_millis(200)) == 1);
    assert!(sleeps_once, "one sleep, not early, not in slices");
    assert!(rig.events.is_empty());
}

fn polls_in(rig: &mut Rig, time: Duration) -> usize {
    let start = Instant::now();
    let mut polls = 0;
    while start.elapsed() < time {
        let left = time.saturating_sub(start.elapsed());
        let now = rig.clock.now();
        rig.selector.poll(now + left, now, &mut rig.events);
        polls += 1;
    }
    polls
}

#[test]
fn a_wake_up_from_another_thread_ends_one_poll() {
    let mut rig = Rig::new();
    let wake = rig.selector.sockets().waker();
    let waker = thread::spawn({
        let wake = wake.clone();
        move || {
            thread::sleep(Duration::from_millis(30));
            wake.wake();
        }
    });
    let start = Instant::now();
    rig.poll_for(20_000);
    assert!(start.elapsed() < Duration::from_secs(10));
    waker.join().unwrap();

    for _ in 0..1000 {
        wake.wake();
    }
    rig.poll_for(20_000);
    assert!(start.elapsed() < Duration::from_secs(10), "a wake-up before the poll counts");
    let sleep = Instant::now();
    rig.poll_for(50);
    assert!(sleep.elapsed() >= Duration::from_millis(50), "a thousand of them count once");
    wake.wake();
    rig.poll_for(20_000);
    assert!(start.elapsed() < Duration::from_secs(10), "and later ones count again");
}

/// Two threads hand values over and wake; a wake-up lost to coalescing would leave one unseen.
#[test]
fn no_wake_up_is_lost() {
    let mut rig = Rig::new();
    let (values, inbox) = channel();
    for _ in 0..2 {
        let (values, wake) = (values.clone(), rig.selector.sockets().waker());
        thread::spawn(move || {
            for value in 0..5000 {
                values.send(value).unwrap();
                wake.wake();
            }
        });
    }
    let (mut seen, start) = (0, Instant::now());
    while seen < 10_000 {
        rig.poll_for(20_000);
        seen += inbox.try_iter().count();
    }
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[test]
fn names_and_addresses_are_resolved() {
    let mut rig = Rig::new();
    rig.selector.resolve(LookupId(1), "127.0.0.9", 9092);
    rig.selector.resolve(LookupId(2), "[::1]", 9093);
    rig.selector.resolve(LookupId(3), "localhost", 9094);
    rig.selector.resolve(LookupId(4), "no such name.invalid", 9095);
    rig.until(|events| events.len() == 4);
    let answer = |wanted| {
        let found = rig.events.iter().find_map(|event| match event {
            NetworkEvent::Resolved { lookup, result } if lookup.0 == wanted => Some(result.clone()),
            _ => None,
        });
        found.unwrap()
    };
    assert_eq!(answer(1).unwrap(), ["127.0.0.9:9092".parse::<SocketAddr>().unwrap()]);
    assert_eq!(answer(2).unwrap(), ["[::1]:9093".parse::<SocketAddr>().unwrap()]);
    let local = answer(3).unwrap();
    assert!(local.iter().all(|address| address.ip().is_loopback() && address.port() == 9094));
    assert!(answer(4).unwrap_err().contains("no such name.invalid"));
}

#[test]
fn sockets_get_their_options_before_they_connect() {
    let settings =
        SocketSettings { send_buffer_bytes: Some(50_000), receive_buffer_bytes: Some(60_000) };
    let mut sockets = MioSockets::new(settings).unwrap();
    sockets.connect(SocketToken(0), server(silence)).unwrap();
    let tcp = &sockets.stream(SocketToken(0)).unwrap().tcp;
    let socket = SockRef::from(tcp);
    assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
    // Linux doubles what it is told.
    assert!((50_000..=100_000).contains(&socket.send_buffer_size().unwrap()));
    assert!((60_000..=120_000).contains(&socket.recv_buffer_size().unwrap()));
}

#[test]
fn an_idle_connection_is_closed_for_real() {
    let settings = SelectorSettings { connections_max_idle_ms: 60, ..Default::default() };
    let mut rig = Rig::with(settings);
    let start = Instant::now();
    rig.connect(1, server(echo));
    rig.until(|events| count(events, is_end) == 1);
    assert!(start.elapsed() >= Duration::from_millis(60));
    assert!(matches!(
        rig.events.last(),
        Some(NetworkEvent::Disconnected { cause: DisconnectCause::Idle, .. })
    ));
    assert!(rig.polls < 10, "exact deadline, no ticks: {} polls", rig.polls);
}
