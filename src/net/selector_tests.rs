//! What a selector does on sockets that follow a script: connects, cuts at every byte, errors at
//! every step, filters. Limits (memory, idle time, fairness) are in `selector_limits_tests.rs`.

use std::io::ErrorKind;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::net::fake_sockets::{Connects, FakeSockets, Step};
use crate::net::veil::{veiled, Veil, ANSWER, BYE, HELLO, QUESTION, ROOM};

pub(super) const ID: ConnectionId = ConnectionId(7);
pub(super) const OTHER: ConnectionId = ConnectionId(8);
pub(super) const SOON: Time = Time::from_ms(1000);

/// A selector and what it told, in a form that is easy to compare.
pub(super) struct Rig {
    pub(super) selector: Selector<FakeSockets>,
    pub(super) now: Time,
    pub(super) events: Vec<NetworkEvent>,
}

pub(super) fn address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9092))
}

pub(super) fn wire(body: &[u8]) -> Vec<u8> {
    [&(body.len() as i32).to_be_bytes()[..], body].concat()
}

impl Rig {
    pub(super) fn new(connects: Connects, settings: SelectorSettings) -> Rig {
        Rig::over(Selector::new(FakeSockets::new(connects), settings))
    }

    pub(super) fn over(selector: Selector<FakeSockets>) -> Rig {
        Rig { selector, now: Time::ZERO, events: Vec::new() }
    }

    pub(super) fn connected(settings: SelectorSettings) -> Rig {
        let mut rig = Rig::new(Connects::AtOnce, settings);
        rig.connect(ID).unwrap();
        rig.connect(OTHER).unwrap();
        assert_eq!(rig.poll(), ["connected 7", "connected 8"]);
        rig
    }

    fn veiled() -> Rig {
        let factory: FilterFactory = Box::new(|_, _| vec![Box::new(Veil::default())]);
        let settings = SelectorSettings { connections_max_idle_ms: -1, ..Default::default() };
        let sockets = FakeSockets::new(Connects::AtOnce);
        let mut rig = Rig::over(Selector::with_filters(sockets, settings, factory));
        rig.connect(ID).unwrap();
        rig
    }

    pub(super) fn connect(&mut self, id: ConnectionId) -> Result<(), DisconnectCause> {
        self.selector.connect(id, address(), self.now)
    }

    pub(super) fn sockets(&mut self) -> &mut FakeSockets {
        &mut self.selector.sockets
    }

    pub(super) fn send(&mut self, id: ConnectionId, bytes: &[u8], tag: u64) {
        self.selector.send(id, Frame::from(Bytes::copy_from_slice(bytes)), tag, self.now);
    }

    pub(super) fn poll(&mut self) -> Vec<String> {
        self.events.clear();
        self.selector.poll(SOON, self.now, &mut self.events);
        self.events.iter().map(told).collect()
    }

    pub(super) fn last_timeout(&mut self) -> Option<Duration> {
        *self.sockets().timeouts.last().unwrap()
    }
}

fn told(event: &NetworkEvent) -> String {
    match event {
        NetworkEvent::Connected(id) => format!("connected {}", id.0),
        NetworkEvent::Sent { id, tag } => format!("sent {} #{tag}", id.0),
        NetworkEvent::Received { id, bytes } => {
            format!("received {} {}", id.0, String::from_utf8_lossy(bytes))
        }
        NetworkEvent::Disconnected { id, cause, unsent } => {
            let cause = match cause {
                DisconnectCause::ConnectFailed(_) => "connect failed",
                DisconnectCause::ClosedByPeer => "closed by peer",
                DisconnectCause::Io(_) => "io",
                DisconnectCause::InvalidFrame(_) => "invalid frame",
                DisconnectCause::Idle => "idle",
            };
            format!("disconnected {} {cause} {unsent:?}", id.0)
        }
        NetworkEvent::Resolved { lookup, .. } => format!("resolved {}", lookup.0),
    }
}

#[test]
fn an_immediate_connect_is_reported_by_the_next_poll_which_does_not_wait() {
    let mut rig = Rig::new(Connects::AtOnce, SelectorSettings::default());
    rig.connect(ID).unwrap();
    rig.send(ID, b"early", 1);
    assert_eq!(rig.poll(), ["connected 7", "sent 7 #1"]);
    assert_eq!(rig.last_timeout(), Some(Duration::ZERO));
    assert_eq!(rig.poll(), [""; 0]);
    assert_eq!(rig.last_timeout(), Some(Duration::from_secs(1)));
    assert_eq!(rig.sockets().socket(0).written, b"early");
}

#[test]
fn a_connect_completes_when_the_socket_becomes_writable() {
    let mut rig = Rig::new(Connects::Later, SelectorSettings::default());
    rig.connect(ID).unwrap();
    rig.send(ID, b"early", 1);
    assert_eq!(rig.poll(), [""; 0]);
    assert_eq!(rig.sockets().socket(0).write_calls, 0);
    rig.sockets().raise(0, false, true);
    assert_eq!(rig.poll(), ["connected 7", "sent 7 #1"]);
}

#[test]
fn a_refused_connect_is_reported_once_and_leaves_nothing_behind() {
    let mut rig = Rig::new(Connects::Refused, SelectorSettings::default());
    rig.connect(ID).unwrap();
    rig.send(ID, b"early", 1);
    rig.sockets().raise(0, true, true);
    assert_eq!(rig.poll(), ["disconnected 7 connect failed [1]"]);
    assert_eq!(rig.poll(), [""; 0]);
    assert!(rig.sockets().open.is_empty());
    rig.connect(ID).expect("the id is free again");
    rig.sockets().connects = Connects::RefusedAtOnce;
    rig.connect(OTHER).unwrap_err();
    assert_eq!(rig.poll(), [""; 0], "an error of connect stands for the event");
    assert_eq!(rig.selector.totals().failed_connects, 2);
}

#[test]
fn an_id_in_use_is_an_error_and_harms_nobody() {
    let mut rig = Rig::connected(SelectorSettings::default());
    rig.connect(ID).unwrap_err();
    rig.send(ID, b"x", 1);
    assert_eq!(rig.poll(), ["sent 7 #1"]);
}

#[test]
fn reads_cut_at_every_byte_give_the_same_frames() {
    let stream = [wire(b"one"), wire(b""), wire(b"three")].concat();
    for drains in [false, true] {
        for cut in 1..stream.len() {
            let mut rig = Rig::connected(SelectorSettings::default());
            rig.sockets().short_read_drains = drains;
            rig.sockets().arrive(0, &stream[..cut]);
            let mut all = rig.poll();
            rig.sockets().arrive(0, &stream[cut..]);
            all.extend(rig.poll());
            assert_eq!(all, ["received 7 one", "received 7 ", "received 7 three"], "cut {cut}");
        }
    }
}

#[test]
fn writes_cut_at_every_byte_send_the_same_bytes() {
    for cut in 1..9 {
        let mut rig = Rig::connected(SelectorSettings::default());
        let script = [Step::Accept(cut), Step::Block, Step::Block];
        rig.sockets().socket(0).writes.extend(script);
        rig.send(ID, b"four", 1);
        rig.send(ID, b"bytes", 2);
        let sent: Vec<String> = if cut >= 4 { vec!["sent 7 #1".into()] } else { vec![] };
        assert_eq!(rig.poll(), sent, "cut {cut}");
        assert_eq!(rig.sockets().socket(0).written, b"fourbytes"[..cut]);
        rig.sockets().raise(0, false, true);
        assert_eq!(rig.poll(), [""; 0], "blocked again");
        rig.sockets().raise(0, false, true);
        let rest = if cut >= 4 { vec!["sent 7 #2"] } else { vec!["sent 7 #1", "sent 7 #2"] };
        assert_eq!(rig.poll(), rest, "cut {cut}");
        assert_eq!(rig.sockets().socket(0).written, b"fourbytes");
    }
}

#[test]
fn queued_frames_leave_in_one_write_and_small_responses_come_in_one_read() {
    let mut rig = Rig::connected(SelectorSettings::default());
    rig.sockets().short_read_drains = true;
    for tag in 0..5 {
        rig.send(ID, b"frame", tag);
    }
    assert_eq!(rig.poll().len(), 5);
    assert_eq!(rig.sockets().socket(0).write_calls, 1);
    rig.sockets().arrive(0, &wire(b"a").repeat(3));
    assert_eq!(rig.poll(), ["received 7 a"; 3]);
    assert_eq!(rig.sockets().socket(0).read_calls, 1);
}

#[test]
fn without_the_promise_of_another_event_reads_go_on_until_the_socket_blocks() {
    let mut rig = Rig::connected(SelectorSettings::default());
    rig.sockets().arrive(0, &wire(b"a"));
    rig.sockets().socket(0).reads.push_back(Step::End);
    assert_eq!(rig.poll(), ["received 7 a", "disconnected 7 closed by peer []"]);
}

#[test]
fn a_frame_without_bytes_is_sent_without_a_write() {
    let mut rig = Rig::connected(SelectorSettings::default());
    rig.send(ID, b"", 1);
    assert_eq!(rig.poll(), ["sent 7 #1"]);
    assert_eq!(rig.sockets().socket(0).write_calls, 0);
}

#[test]
fn complete_frames_come_before_the_disconnect_and_partial_ones_not_at_all() {
    let mut rig = Rig::connected(SelectorSettings::default());
    rig.sockets().socket(0).writes.push_back(Step::Accept(2));
    rig.sockets().socket(0).writes.push_back(Step::Block);
    for tag in 1..4 {
        rig.send(ID, b"frame", tag);
    }
    rig.poll();
    rig.sockets().arrive(0, &[wire(b"whole"), vec![0, 0, 0, 9, 1]].concat());
    rig.sockets().socket(0).reads.push_back(Step::End);
    assert_eq!(
        rig.poll(),
        ["received 7 whole", "disconnected 7 closed by peer [1, 2, 3]"],
        "two bytes of frame 1 may have arrived, which is not all of it"
    );
    assert_eq!(rig.poll(), [""; 0]);
    rig.send(ID, b"late", 9);
    assert_eq!(rig.poll(), [""; 0], "the disconnect spoke for it");
}

#[test]
fn a_failing_write_does_not_swallow_what_was_received() {
    let mut rig = Rig::connected(SelectorSettings::default());
    let socket = rig.sockets().socket(0);
    socket.reads.push_back(Step::Bytes([wire(b"answer"), vec![0, 0]].concat()));
    socket.writes.push_back(Step::Fail(ErrorKind::BrokenPipe));
    rig.send(ID, b"frame", 1);
    assert_eq!(rig.poll(), ["received 7 answer", "disconnected 7 io [1]"], "read without an event");

    rig.selector.mute(OTHER);
    let socket = rig.sockets().socket(1);
    socket.reads.push_back(Step::Bytes(wire(b"answer")));
    socket.writes.push_back(Step::Fail(ErrorKind::BrokenPipe));
    rig.send(OTHER, b"frame", 2);
    assert_eq!(rig.poll(), [""; 0], "muted: the answer waits, and with it the disconnect");
    assert_eq!(rig.poll(), [""; 0]);
    assert_eq!(rig.last_timeout(), Some(Duration::from_secs(1)), "without spinning");
    rig.selector.unmute(OTHER);
    assert_eq!(rig.poll(), ["received 8 answer", "disconnected 8 io [2]"]);
}

#[test]
fn an_error_at_any_step_ends_that_connection_once_and_no_other() {
    for at in 0..12 {
        let mut rig = Rig::connected(SelectorSettings::default());
        let socket = rig.sockets().socket(0);
        for step in 0..4 {
            socket.reads.push_back(Step::Bytes(wire(b"xy")[step..=step].to_vec()));
            socket.writes.push_back(Step::Accept(1));
        }
        let fail = Step::Fail(ErrorKind::ConnectionReset);
        match at {
            0..=4 => socket.reads.insert(at, fail),
            5..=9 => socket.writes.insert(at - 5, fail),
            10 => socket.reads.push_front(Step::End),
            _ => socket.reads.push_front(Step::Bytes(vec![0xff; 4])),
        }
        rig.send(ID, b"frame", 1);
        rig.send(OTHER, b"frame", 2);
        let mut told = rig.poll();
        rig.sockets().raise(0, true, false);
        rig.sockets().arrive(1, &wire(b"fine"));
        for _ in 0..3 {
            told.extend(rig.poll());
        }
        let ends = told.iter().filter(|event| event.starts_with("disconnected 7"));
        assert_eq!(ends.count(), 1, "at {at}: {told:?}");
        assert!(told.contains(&"received 8 fine".into()), "at {at}");
        assert!(told.contains(&"sent 8 #2".into()), "at {at}");
        assert_eq!(rig.selector.totals().open, 1);
    }
}

#[test]
fn an_invalid_frame_ends_only_its_connection_after_the_valid_ones() {
    let settings = SelectorSettings { receive_message_max_bytes: 8, ..Default::default() };
    let mut rig = Rig::connected(settings);
    rig.sockets().arrive(0, &[wire(b"12345678"), wire(b"123456789")].concat());
    rig.sockets().arrive(1, &wire(b"x"));
    assert_eq!(
        rig.poll(),
        ["received 7 12345678", "disconnected 7 invalid frame []", "received 8 x"]
    );
}

#[test]
fn closing_is_silent_and_frees_the_slot() {
    let mut rig = Rig::connected(SelectorSettings::default());
    rig.sockets().socket(0).writes.extend([Step::Accept(7), Step::Block]);
    for tag in 1..4 {
        rig.send(ID, b"frame", tag);
    }
    assert_eq!(rig.poll(), ["sent 7 #1"]);
    rig.sockets().raise(0, true, true);
    assert_eq!(rig.selector.close(ID), [2, 3], "the first has left");
    assert_eq!(rig.selector.close(ID), [0; 0]);
    assert_eq!(rig.poll(), [""; 0]);
    rig.connect(ID).unwrap();
    assert_eq!(rig.poll(), ["connected 7"]);
    assert!(rig.sockets().socket(0).written.is_empty(), "the slot is as new");
    rig.connect(ConnectionId(9)).unwrap();
    rig.selector.close(ConnectionId(9));
    assert_eq!(rig.poll(), [""; 0], "closed before the immediate connect was reported");
}

#[test]
fn when_polling_fails_every_connection_ends() {
    let mut rig = Rig::connected(SelectorSettings::default());
    rig.sockets().poll_fails = true;
    assert_eq!(rig.poll(), ["disconnected 7 io []", "disconnected 8 io []"]);
    assert_eq!(rig.poll(), [""; 0]);
}

#[test]
fn look_ups_pass_through() {
    let mut rig = Rig::connected(SelectorSettings::default());
    rig.selector.resolve(LookupId(3), "broker", 9092);
    assert_eq!(rig.poll(), ["resolved 3"]);
}

#[test]
fn traffic_is_counted_as_it_moves() {
    let mut rig = Rig::connected(SelectorSettings::default());
    rig.sockets().socket(0).writes.extend([Step::Accept(3), Step::Block]);
    rig.send(ID, b"frame", 1);
    rig.sockets().arrive(0, &wire(b"abc")[..5]);
    rig.poll();
    let stats = rig.selector.connection_stats(ID).unwrap();
    assert_eq!((stats.bytes_out, stats.frames_out), (3, 0));
    assert_eq!((stats.bytes_in, stats.frames_in), (5, 0));
    rig.sockets().arrive(0, &wire(b"abc")[5..]);
    rig.sockets().raise(0, false, true);
    rig.poll();
    let whole = rig.selector.connection_stats(ID).unwrap();
    assert_eq!((whole.bytes_out, whole.frames_out), (5, 1));
    assert_eq!((whole.bytes_in, whole.frames_in), (7, 1));
    rig.selector.close(ID);
    assert_eq!(rig.selector.connection_stats(ID), None);
    let totals = rig.selector.totals();
    assert_eq!(totals.traffic, whole, "those that are gone included");
    assert_eq!((totals.connects, totals.closes, totals.open), (2, 1, 1));
}

#[test]
fn a_filter_shakes_hands_before_the_connection_counts_as_connected() {
    let mut rig = Rig::veiled();
    rig.send(ID, b"frame", 1);
    assert_eq!(rig.poll(), [""; 0]);
    rig.sockets().arrive(0, &HELLO[..3]);
    assert_eq!(rig.poll(), [""; 0]);
    assert_eq!(rig.last_timeout(), Some(Duration::from_secs(1)), "without spinning");
    // The first response sits in the filter when the handshake ends: no event will announce it.
    let early = [&HELLO[3..], &veiled(&wire(b"early"))].concat();
    rig.sockets().arrive(0, &early);
    assert_eq!(rig.poll(), ["connected 7", "received 7 early", "sent 7 #1"]);
    assert_eq!(rig.sockets().socket(0).written, [HELLO, &veiled(b"frame")].concat());
}

#[test]
fn a_handshake_that_ends_by_writing_does_not_forget_what_it_read() {
    let mut rig = Rig::veiled();
    let early = [HELLO, &veiled(&wire(b"early"))].concat();
    rig.sockets().socket(0).reads.push_back(Step::Bytes(early));
    rig.sockets().socket(0).writes.push_back(Step::Block);
    assert_eq!(rig.poll(), [""; 0]);
    rig.sockets().raise(0, false, true);
    assert_eq!(rig.poll(), ["connected 7", "received 7 early"]);
}

#[test]
fn a_failing_handshake_is_one_disconnect() {
    for (bytes, end, cause) in [
        (&b"hellX"[..], None, "io"),
        (b"he", Some(Step::End), "closed by peer"),
        (b"he", Some(Step::Fail(ErrorKind::ConnectionReset)), "io"),
    ] {
        let mut rig = Rig::veiled();
        rig.send(ID, b"frame", 1);
        rig.sockets().arrive(0, bytes);
        rig.sockets().socket(0).reads.extend(end);
        assert_eq!(rig.poll(), [format!("disconnected 7 {cause} [1]")]);
        assert_eq!(rig.selector.totals().failed_connects, 1);
    }
}

#[test]
fn sent_means_that_the_filter_has_flushed_and_what_it_holds_is_bounded() {
    let mut rig = Rig::veiled();
    rig.sockets().arrive(0, HELLO);
    assert_eq!(rig.poll(), ["connected 7"]);
    rig.sockets().socket(0).writes.extend([Step::Block]);
    rig.send(ID, &[b'x'; ROOM], 1);
    rig.send(ID, &[b'y'; 100], 2);
    assert_eq!(rig.poll(), [""; 0], "the filter accepted frame 1, the socket nothing");
    let stats = rig.selector.connection_stats(ID).unwrap();
    assert_eq!((stats.held_bytes, stats.bytes_out), (ROOM as u64, ROOM as u64));
    rig.sockets().socket(0).writes.extend([Step::Accept(ROOM - 1), Step::Block]);
    rig.sockets().raise(0, false, true);
    assert_eq!(rig.poll(), [""; 0], "one byte is missing");
    assert_eq!(rig.selector.connection_stats(ID).unwrap().held_bytes, 1);
    rig.sockets().raise(0, false, true);
    assert_eq!(rig.poll(), ["sent 7 #1", "sent 7 #2"]);
    let written = rig.sockets().socket(0).written.split_off(HELLO.len());
    assert_eq!(veiled(&written), [vec![b'x'; ROOM], vec![b'y'; 100]].concat());
}

#[test]
fn a_filter_may_write_on_its_own_account() {
    let mut rig = Rig::veiled();
    rig.sockets().arrive(0, HELLO);
    rig.poll();
    rig.sockets().socket(0).writes.push_back(Step::Block);
    rig.sockets().arrive(0, &veiled(&[QUESTION]));
    assert_eq!(rig.poll(), [""; 0]);
    assert_eq!(rig.poll(), [""; 0]);
    assert_eq!(rig.last_timeout(), Some(Duration::from_secs(1)), "blocked: without spinning");
    rig.sockets().raise(0, false, true);
    rig.poll();
    assert_eq!(rig.sockets().socket(0).written, [HELLO, &[ANSWER]].concat());
}

#[test]
fn bytes_that_a_filter_holds_need_no_event_and_do_not_spin_when_muted() {
    let mut rig = Rig::veiled();
    rig.selector.mute(ID);
    rig.sockets().arrive(0, &[HELLO, &veiled(&wire(b"held"))].concat());
    assert_eq!(rig.poll(), ["connected 7"]);
    assert!(rig.selector.connection_stats(ID).unwrap().held_bytes > 0);
    assert_eq!(rig.poll(), [""; 0]);
    assert_eq!(rig.last_timeout(), Some(Duration::from_secs(1)));
    rig.selector.unmute(ID);
    assert_eq!(rig.poll(), ["received 7 held"]);
}

#[test]
fn a_filter_says_good_bye() {
    let mut rig = Rig::veiled();
    rig.sockets().arrive(0, HELLO);
    rig.poll();
    rig.selector.close(ID);
    assert_eq!(rig.poll(), [""; 0]);
    assert_eq!(rig.sockets().closed[0].written, [HELLO, &[BYE]].concat());
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0usize..9, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn any_partial_reads_and_writes_give_the_same_frames(
        veil in any::<bool>(),
        sizes in prop::collection::vec(0usize..60, 1..8),
        read_cuts in cuts(),
        write_cuts in cuts(),
    ) {
        let mut rig = if veil { Rig::veiled() } else { Rig::connected(SelectorSettings::default()) };
        let mut incoming = if veil { HELLO.to_vec() } else { Vec::new() };
        let mut expected = incoming.clone();
        let frames: Vec<Vec<u8>> = sizes.iter().map(|size| vec![b' ' + 1; *size]).collect();
        for (tag, frame) in frames.iter().enumerate() {
            rig.send(ID, &wire(frame), tag as u64);
            let bytes = if veil { veiled(&wire(frame)) } else { wire(frame) };
            incoming.extend_from_slice(&bytes);
            expected.extend_from_slice(&bytes);
        }
        let socket = rig.sockets().socket(0);
        for cut in &write_cuts {
            socket.writes.push_back(if *cut == 0 { Step::Block } else { Step::Accept(*cut) });
        }
        let mut rest = &incoming[..];
        for cut in &read_cuts {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            let step = if now.is_empty() { Step::Block } else { Step::Bytes(now.to_vec()) };
            socket.reads.push_back(step);
            rest = later;
        }
        if !rest.is_empty() {
            socket.reads.push_back(Step::Bytes(rest.to_vec()));
        }
        let (mut sent, mut received) = (Vec::new(), Vec::new());
        for _ in 0..read_cuts.len() + write_cuts.len() + 8 {
            rig.sockets().raise(0, true, true);
            rig.poll();
            for event in rig.events.drain(..) {
                match event {
                    NetworkEvent::Sent { tag, .. } => sent.push(tag as usize),
                    NetworkEvent::Received { bytes, .. } => received.push(bytes.to_vec()),
                    NetworkEvent::Disconnected { .. } => prop_assert!(false, "disconnected"),
                    _ => {}
                }
            }
        }
        prop_assert_eq!(sent, (0..frames.len()).collect::<Vec<_>>());
        prop_assert_eq!(received, frames);
        prop_assert_eq!(&rig.sockets().socket(0).written, &expected);
    }
}
