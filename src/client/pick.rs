//! Owns the choice of a broker for requests that any broker can answer.
//! Java: `NetworkClient.leastLoadedNode`. Never connects.

use std::collections::BTreeMap;

use crate::metadata::{ClusterSnapshot, NodeId};
use crate::time::Time;

use super::node::{Peer, Phase};

/// The best that can be done for such a request.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Pick {
    /// Send it there: ready, with the fewest requests in flight.
    Send(NodeId),
    /// Wait: an attempt to connect is under way.
    Wait,
    /// Wait: the connected brokers have all the requests that they may have.
    Busy,
    /// Connect there: of those that may be tried, the one whose last attempt is the oldest.
    Connect(NodeId),
    /// Every broker has failed and has to be left alone for a while.
    Unreachable,
}

/// Chooses among the snapshot's brokers. The search begins at a random one, so that the clients of a
/// cluster spread. A broker that is ready now wins; then an attempt under way; then one that may be
/// tried, even when another is connected but busy: it may be stuck. Throttled ones are left alone.
pub(super) fn pick(
    cluster: &ClusterSnapshot,
    peers: &BTreeMap<NodeId, Peer>,
    max_in_flight: usize,
    random: &mut fastrand::Rng,
    now: Time,
) -> Pick {
    let count = cluster.nodes.len();
    if count == 0 {
        return Pick::Unreachable;
    }
    let start = random.usize(..count);
    let mut ready: Option<(usize, NodeId)> = None;
    let mut oldest: Option<(Time, NodeId)> = None;
    let (mut under_way, mut busy) = (false, false);
    for &id in cluster.nodes.keys().cycle().skip(start).take(count) {
        let Some(peer) = peers.get(&id) else {
            if oldest.is_none_or(|(attempt, _)| attempt > Time::ZERO) {
                oldest = Some((Time::ZERO, id));
            }
            continue;
        };
        let over = peer.until() <= now;
        match peer.phase() {
            Phase::Ready | Phase::Throttled if peer.can_send(max_in_flight) => {
                let load = peer.in_flight.count();
                if ready.is_none_or(|(least, _)| load < least) {
                    ready = Some((load, id));
                }
            }
            Phase::Ready | Phase::Throttled => busy = true,
            Phase::Resolving | Phase::Connecting | Phase::CheckingVersions => under_way = true,
            Phase::BackingOff if !over => {}
            Phase::Disconnected | Phase::BackingOff => {
                if oldest.is_none_or(|(attempt, _)| attempt > peer.last_attempt) {
                    oldest = Some((peer.last_attempt, id));
                }
            }
        }
    }
    match (ready, oldest) {
        (Some((_, id)), _) => Pick::Send(id),
        _ if under_way => Pick::Wait,
        (None, Some((_, id))) => Pick::Connect(id),
        (None, None) if busy => Pick::Busy,
        (None, None) => Pick::Unreachable,
    }
}

/// When [`pick`] will have something else to say than to wait, as far as time alone decides that.
pub(super) fn retry_at(
    cluster: &ClusterSnapshot,
    peers: &BTreeMap<NodeId, Peer>,
    max_in_flight: usize,
    now: Time,
) -> Time {
    let mut next = Time::NEVER;
    let mut under_way = false;
    for id in cluster.nodes.keys() {
        let Some(peer) = peers.get(id) else {
            next = now;
            continue;
        };
        match peer.phase() {
            Phase::Ready if peer.can_send(max_in_flight) => return now,
            Phase::Ready => {}
            Phase::Throttled | Phase::BackingOff => next = next.min(peer.until().max(now)),
            Phase::Disconnected => next = now,
            Phase::Resolving | Phase::Connecting | Phase::CheckingVersions => under_way = true,
        }
    }
    // An attempt that is under way ends by an event or by its own deadline; nobody else is tried
    // before.
    if under_way {
        Time::NEVER
    } else {
        next
    }
}
