//! Owns one client connection as a broker sees it, in bytes: frames are cut, handed to the
//! cluster, and the answers kept in order until their time. Never touches a socket or a clock, so
//! the simulator's network and real ones drive it alike.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::time::Time;

use super::cluster::{Cluster, PeerId, Reply};

/// `socket.request.max.bytes`: a frame that claims more closes the connection.
pub const MAX_REQUEST_BYTES: usize = 100 * 1024 * 1024;

/// A client that does not take its answers is not served above this many bytes of them.
const MAX_OUTPUT_BYTES: usize = 64 * 1024 * 1024;

/// Memory is taken in steps while a frame arrives, so that a claim alone costs nothing.
const RESERVE_STEP: usize = 1024 * 1024;

/// A client's connection to one broker.
#[derive(Debug)]
pub struct BrokerConnection {
    broker: i32,
    peer: PeerId,
    incarnation: u64,
    input: BytesMut,
    output: VecDeque<(Time, Bytes)>,
    output_bytes: usize,
    /// No more requests are read; what is to be answered still is.
    closing: bool,
}

impl BrokerConnection {
    /// Accepts a connection; `None` when the broker is down and would refuse it.
    pub fn new(cluster: &Cluster, broker: i32, peer: PeerId) -> Option<BrokerConnection> {
        let incarnation = cluster.incarnation(broker)?;
        Some(BrokerConnection {
            broker,
            peer,
            incarnation,
            input: BytesMut::new(),
            output: VecDeque::new(),
            output_bytes: 0,
            closing: false,
        })
    }

    /// The broker it leads to.
    pub fn broker(&self) -> i32 {
        self.broker
    }

    /// Takes bytes that arrived, in any portions, and serves the requests that they complete, until
    /// the connection is full of answers. After that, and once it is not full any more, the rest
    /// is served by the next call, even with no bytes.
    pub fn feed(&mut self, bytes: &[u8], cluster: &mut Cluster, now: Time) {
        // A broker that has died meanwhile serves nothing of what it got: its next life may be of another
        // release.
        if self.closing || self.is_dropped(cluster) {
            return;
        }
        self.input.extend_from_slice(bytes);
        while !self.is_full() {
            let Some(frame) = self.next_frame() else { break };
            match cluster.handle_request(self.broker, self.peer, frame, now) {
                Reply::None => {}
                Reply::Respond { bytes, not_before } => {
                    let earliest = self.output.back().map_or(Time::ZERO, |last| last.0);
                    self.output_bytes += bytes.len();
                    self.output.push_back((not_before.max(earliest), bytes));
                }
                Reply::CloseConnection => self.closing = true,
            }
        }
    }

    /// The next complete frame without its length.
    fn next_frame(&mut self) -> Option<Bytes> {
        if self.closing {
            return None;
        }
        let length: [u8; 4] = self.input.get(..4)?.try_into().ok()?;
        let Some(length) = usize::try_from(i32::from_be_bytes(length))
            .ok()
            .filter(|length| *length <= MAX_REQUEST_BYTES)
        else {
            self.closing = true;
            return None;
        };
        let missing = (4 + length).saturating_sub(self.input.len());
        if missing > 0 {
            self.input.reserve(missing.min(RESERVE_STEP.max(self.input.len())));
            return None;
        }
        Some(self.input.split_to(4 + length).freeze().slice(4..))
    }

    /// When the next answer may leave; [`Time::NEVER`] when there is none.
    pub fn next_output_at(&self) -> Time {
        self.output.front().map_or(Time::NEVER, |front| front.0)
    }

    /// The next answer, if its time has come: a whole frame.
    pub fn take_output(&mut self, now: Time) -> Option<Bytes> {
        if self.next_output_at() > now {
            return None;
        }
        let (_, bytes) = self.output.pop_front()?;
        self.output_bytes -= bytes.len();
        Some(bytes)
    }

    /// Whether so many answers wait to be taken that nothing more is served: no more bytes should
    /// be fed.
    pub fn is_full(&self) -> bool {
        self.output_bytes >= MAX_OUTPUT_BYTES
    }

    /// Whether a broken request ended the conversation and everything before it has been taken:
    /// the broker closes.
    pub fn is_finished(&self) -> bool {
        self.closing && self.output.is_empty()
    }

    /// Whether the broker went down or dropped its connections: closed at once, answers or not.
    pub fn is_dropped(&self, cluster: &Cluster) -> bool {
        cluster.incarnation(self.broker) != Some(self.incarnation)
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
