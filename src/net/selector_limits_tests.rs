//! What bounds a selector: muting, memory for responses, fairness, idle time.

use std::io::ErrorKind;
use std::iter::repeat_n;

use super::tests::{wire, Rig, ID, OTHER};
use super::*;
use crate::net::fake_sockets::Step;

const SECOND: Option<Duration> = Some(Duration::from_secs(1));
const NOTHING: [&str; 0] = [];
const BIG: usize = 64 * 1024;

fn budgeted(limit: usize) -> (Rig, ReceiveBudget) {
    let budget = ReceiveBudget::new(limit);
    let settings = SelectorSettings {
        receive_budget: Some(budget.clone()),
        connections_max_idle_ms: -1,
        ..SelectorSettings::default()
    };
    (Rig::connected(settings), budget)
}

fn received(rig: &mut Rig) -> Vec<NetworkEvent> {
    rig.poll();
    std::mem::take(&mut rig.events)
}

#[test]
fn a_muted_channel_remembers_that_it_is_readable() {
    let mut rig = Rig::connected(SelectorSettings::default());
    rig.selector.mute(ID);
    rig.sockets().arrive(0, &wire(b"once"));
    assert_eq!(rig.poll(), NOTHING);
    assert_eq!(rig.poll(), NOTHING);
    assert_eq!(rig.last_timeout(), SECOND, "muted: without spinning");
    assert_eq!(rig.sockets().socket(0).read_calls, 0);
    rig.selector.unmute(ID);
    assert_eq!(rig.poll(), ["received 7 once"], "the socket will not say it twice");
}

#[test]
fn a_muted_channel_still_writes() {
    let mut rig = Rig::connected(SelectorSettings::default());
    rig.selector.mute(ID);
    rig.send(ID, b"frame", 1);
    assert_eq!(rig.poll(), ["sent 7 #1"]);
}

#[test]
fn a_channel_muted_for_memory_remembers_that_it_is_readable() {
    let (mut rig, budget) = budgeted(10);
    rig.sockets().arrive(0, &[wire(b"12345678"), wire(b"second"), wire(b"3")].concat());
    rig.sockets().socket(0).reads.push_back(Step::Bytes(wire(b"later")));
    let first = received(&mut rig);
    assert_eq!((first.len(), budget.used()), (1, 8));
    let reads = rig.sockets().socket(0).read_calls;
    assert_eq!(rig.poll(), NOTHING);
    assert_eq!(rig.last_timeout(), SECOND, "starved: without spinning");
    assert_eq!(rig.sockets().socket(0).read_calls, reads, "and without reading");
    drop(first);
    assert_eq!(rig.poll(), ["received 7 second", "received 7 3"]);
    rig.events.clear();
    assert_eq!(rig.poll(), ["received 7 later"], "read without another event");
    rig.events.clear();
    assert_eq!(budget.used(), 0);
}

#[test]
fn a_frame_that_was_begun_is_finished_and_a_large_one_gets_its_turn() {
    let (mut rig, _budget) = budgeted(10);
    rig.sockets().arrive(0, &wire(b"12345678")[..6]);
    assert_eq!(rig.poll(), NOTHING);
    rig.sockets().arrive(1, &wire(b"1234567890 above the limit"));
    assert_eq!(rig.poll(), NOTHING, "must wait until nothing else is counted");
    rig.sockets().arrive(0, &[&wire(b"12345678")[6..], &wire(b"x")[..]].concat());
    let held = received(&mut rig);
    assert_eq!(held.len(), 1, "finished; the small one behind it does not overtake");
    drop(held);
    assert_eq!(rig.poll(), ["received 8 1234567890 above the limit"]);
    rig.events.clear();
    assert_eq!(rig.poll(), ["received 7 x"]);
}

#[test]
fn an_explicit_mute_wins_over_the_one_for_memory_and_leaves_the_queue() {
    let (mut rig, _budget) = budgeted(4);
    rig.sockets().arrive(0, &[wire(b"1234"), wire(b"abcd")].concat());
    let held = received(&mut rig);
    rig.selector.mute(ID);
    drop(held);
    rig.sockets().arrive(1, &wire(b"other"));
    assert_eq!(rig.poll(), ["received 8 other"], "the muted channel is not waited for");
    rig.events.clear();
    rig.selector.unmute(ID);
    assert_eq!(rig.poll(), ["received 7 abcd"]);
}

#[test]
fn a_disconnect_waits_behind_frames_that_wait_for_memory() {
    let (mut rig, _budget) = budgeted(4);
    rig.sockets().arrive(0, &[wire(b"1234"), wire(b"abcd")].concat());
    rig.sockets().socket(0).reads.push_back(Step::End);
    let held = received(&mut rig);
    assert_eq!(held.len(), 1);
    drop(held);
    assert_eq!(rig.poll(), ["received 7 abcd", "disconnected 7 closed by peer []"]);
}

#[test]
fn a_failed_write_is_reported_once_the_frame_before_it_got_its_memory() {
    let (mut rig, _budget) = budgeted(4);
    rig.sockets().short_read_drains = true;
    rig.sockets().arrive(1, &wire(b"1234"));
    let held = received(&mut rig);
    let socket = rig.sockets().socket(0);
    socket.reads.push_back(Step::Bytes(wire(b"abcd")[..4].to_vec()));
    socket.writes.push_back(Step::Fail(ErrorKind::BrokenPipe));
    rig.send(ID, b"frame", 1);
    assert_eq!(rig.poll(), NOTHING, "the frame that has begun may be there in full");
    drop(held);
    assert_eq!(rig.poll(), ["disconnected 7 io [1]"], "no event will come for it");
}

#[test]
fn a_starved_channel_that_is_closed_frees_the_line_and_the_memory() {
    let (mut rig, budget) = budgeted(4);
    rig.sockets().arrive(0, &[wire(b"1234"), wire(b"abcd")].concat());
    let held = received(&mut rig);
    rig.sockets().arrive(1, &wire(b"ab")[..5]);
    rig.poll();
    rig.selector.close(ID);
    drop(held);
    rig.sockets().arrive(1, &wire(b"ab")[5..]);
    assert_eq!(rig.poll(), ["received 8 ab"]);
    rig.events.clear();
    rig.sockets().arrive(1, &wire(b"ab")[..5]);
    rig.poll();
    rig.selector.close(OTHER);
    assert_eq!(budget.used(), 0, "a partial frame's memory too");
}

#[test]
fn a_flood_of_responses_leaves_others_their_turn_and_goes_on_without_an_event() {
    let mut rig = Rig::connected(SelectorSettings::default());
    let body = vec![0; BIG - 4];
    let flood = repeat_n(wire(&body), 40).map(Step::Bytes);
    rig.sockets().socket(0).reads.extend(flood);
    rig.sockets().raise(0, true, false);
    rig.sockets().arrive(1, &wire(b"me too"));
    let told = rig.poll();
    assert_eq!(told.len(), 17, "16 of the flood");
    assert_eq!(told[16], "received 8 me too");
    let mut total = 16;
    for _ in 0..5 {
        total += rig.poll().len();
        if total < 40 {
            assert_eq!(rig.last_timeout(), Some(Duration::ZERO), "more is known to be there");
        }
    }
    assert_eq!(total, 40);
    assert_eq!(rig.last_timeout(), SECOND);
}

#[test]
fn a_flood_of_requests_leaves_others_their_turn_and_goes_on_without_an_event() {
    let mut rig = Rig::connected(SelectorSettings::default());
    rig.sockets().socket(0).writes.extend(repeat_n(Step::Accept(BIG), 100));
    for tag in 0..40 {
        rig.send(ID, &[0; BIG], tag);
    }
    rig.send(OTHER, b"me too", 99);
    let told = rig.poll();
    assert_eq!(told[told.len() - 1], "sent 7 #31", "a second round in the same poll");
    assert_eq!(told[16], "sent 8 #99");
    assert_eq!(rig.poll().len(), 8);
    assert_eq!(rig.sockets().socket(0).written.len(), 40 * BIG);
    rig.poll();
    assert_eq!(rig.last_timeout(), SECOND);
}

fn expiring() -> Rig {
    let settings = SelectorSettings { connections_max_idle_ms: 500, ..Default::default() };
    Rig::connected(settings)
}

#[test]
fn idle_connections_expire_exactly_one_per_poll_without_any_event() {
    let mut rig = expiring();
    assert_eq!(rig.poll(), NOTHING);
    assert_eq!(rig.selector.next_deadline(), Time::from_ms(500));
    assert_eq!(
        rig.last_timeout(),
        Some(Duration::from_millis(500)),
        "before the caller's deadline"
    );
    rig.now = Time::from_nanos(499_999_999);
    assert_eq!(rig.poll(), NOTHING);
    rig.now = Time::from_ms(500);
    assert_eq!(rig.poll(), ["disconnected 7 idle []"]);
    assert_eq!(rig.poll(), ["disconnected 8 idle []"]);
    assert_eq!(rig.selector.next_deadline(), Time::NEVER);
}

#[test]
fn traffic_counts_from_the_end_of_the_poll_that_brought_it() {
    let mut rig = expiring();
    rig.poll();
    rig.now = Time::from_ms(100);
    rig.sockets().arrive(0, &wire(b"x"));
    assert_eq!(rig.poll(), ["received 7 x"]);
    // That poll may have slept until now.
    rig.now = Time::from_ms(450);
    assert_eq!(rig.poll(), NOTHING);
    rig.now = Time::from_ms(500);
    assert_eq!(rig.poll(), ["disconnected 8 idle []"]);
    assert_eq!(rig.selector.next_deadline(), Time::from_ms(950));
    rig.now = Time::from_ms(900);
    rig.send(ID, b"frame", 1);
    rig.poll();
    rig.poll();
    assert_eq!(rig.selector.next_deadline(), Time::from_ms(1400));
}

#[test]
fn traffic_in_the_poll_that_would_expire_a_connection_saves_it() {
    let mut rig = expiring();
    rig.poll();
    rig.selector.close(OTHER);
    rig.now = Time::from_ms(500);
    rig.sockets().arrive(0, &wire(b"x"));
    assert_eq!(rig.poll(), ["received 7 x"]);
}

#[test]
fn a_negative_idle_time_disables_expiry() {
    let settings = SelectorSettings { connections_max_idle_ms: -1, ..Default::default() };
    let mut rig = Rig::connected(settings);
    rig.now = Time::from_nanos(u64::MAX - 1);
    assert_eq!(rig.poll(), NOTHING);
    assert_eq!(rig.selector.next_deadline(), Time::NEVER);
}

#[test]
fn a_connection_with_frames_that_wait_for_memory_does_not_expire() {
    let budget = ReceiveBudget::new(4);
    let settings = SelectorSettings {
        connections_max_idle_ms: 500,
        receive_budget: Some(budget),
        ..Default::default()
    };
    let mut rig = Rig::connected(settings);
    rig.selector.close(OTHER);
    rig.sockets().arrive(0, &[wire(b"1234"), wire(b"abcd")].concat());
    let held = received(&mut rig);
    rig.now = Time::from_ms(400);
    rig.poll();
    rig.now = Time::from_ms(2000);
    assert_eq!(rig.poll(), NOTHING);
    drop(held);
    assert_eq!(rig.poll(), ["received 7 abcd"]);
}
