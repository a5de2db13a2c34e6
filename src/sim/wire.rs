//! One simulated TCP connection: the client's end, the broker's end, and how far the bytes between them
//! have come. Never decides when something happens.

use std::collections::VecDeque;

use crate::mock::BrokerConnection;
use crate::net::sockets::SocketToken;
use crate::time::Time;

/// How far the making of a connection has come.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Nobody has answered yet.
    Dialing,
    /// Established.
    Open,
    /// Refused.
    Refused,
}

/// How the client learns that a connection is over.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// The peer closed after its last byte.
    Closed,
    /// The peer knows nothing of the connection.
    Reset,
}

/// A request that the broker took and has not answered.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) correlation_id: i32,
    pub(super) api: i16,
    pub(super) version: i16,
    /// What it wrote, by index in the ledger.
    pub(super) appends: Vec<usize>,
}

/// An answer on its way to the client.
#[derive(Debug)]
pub(super) struct Answer {
    /// The client has it whole when it has read so many bytes.
    pub(super) ends_at: u64,
    /// Appends that it rightly calls written.
    pub(super) appends: Vec<usize>,
}

/// One connection. See the head of the file.
#[derive(Debug)]
pub(super) struct Link {
    /// `None` once the client has closed its end.
    pub(super) token: Option<SocketToken>,
    /// The broker that the address belongs to, if any.
    pub(super) broker: Option<i32>,
    pub(super) phase: Phase,
    /// Bytes that a read may give.
    pub(super) inbox: VecDeque<u8>,
    pub(super) end: Option<End>,
    /// The client saw `WouldBlock` and is to be told when that changes.
    pub(super) read_armed: bool,
    pub(super) write_armed: bool,
    /// Bytes that a write may take.
    pub(super) room: usize,
    pub(super) read_bytes: u64,
    /// Where each write of the client ended in its stream, and when it was.
    pub(super) writes: VecDeque<(u64, Time)>,
    written_bytes: u64,
    served_bytes: u64,
    /// When the last portion arrives, each way: portions do not overtake each other.
    pub(super) out_at: Time,
    pub(super) in_at: Time,
    /// Nothing arrives any more, either way, and nobody says so.
    pub(super) silent: bool,
    /// What the broker says is lost on the way, and nobody says so.
    pub(super) deaf: bool,
    /// The broker's end; `None`: not there (any more).
    pub(super) server: Option<BrokerConnection>,
    /// The beginning of a request.
    pub(super) frames: Vec<u8>,
    pub(super) waiting: VecDeque<Waiting>,
    pub(super) answers: VecDeque<Answer>,
    pub(super) answered_bytes: u64,
    /// When the client last read, and the appends that it learned of then.
    pub(super) learned: (Time, Vec<usize>),
    /// When the broker's output is looked at next.
    pub(super) output_at: Time,
}

impl Link {
    /// A connection that nobody has answered yet.
    pub(super) fn new(token: SocketToken, broker: Option<i32>, room: usize, now: Time) -> Link {
        Link {
            token: Some(token),
            broker,
            phase: Phase::Dialing,
            inbox: VecDeque::new(),
            end: None,
            read_armed: true,
            write_armed: false,
            room,
            read_bytes: 0,
            writes: VecDeque::new(),
            written_bytes: 0,
            served_bytes: 0,
            out_at: now,
            in_at: now,
            silent: false,
            deaf: false,
            server: None,
            frames: Vec::new(),
            waiting: VecDeque::new(),
            answers: VecDeque::new(),
            answered_bytes: 0,
            learned: (now, Vec::new()),
            output_at: Time::NEVER,
        }
    }

    /// Counts bytes as read; gives the appends of which the client now knows.
    pub(super) fn count_read(&mut self, count: usize, now: Time) -> Vec<usize> {
        self.read_bytes += count as u64;
        let mut known = Vec::new();
        while self.answers.front().is_some_and(|answer| answer.ends_at <= self.read_bytes) {
            known.extend(self.answers.pop_front().into_iter().flat_map(|answer| answer.appends));
        }
        if self.learned.0 < now {
            self.learned = (now, Vec::new());
        }
        self.learned.1.extend_from_slice(&known);
        known
    }

    /// Notes that the client wrote.
    pub(super) fn count_written(&mut self, count: usize, now: Time) {
        self.written_bytes += count as u64;
        self.writes.push_back((self.written_bytes, now));
    }

    /// The next whole request, its length included, and when its first byte was written.
    pub(super) fn next_frame(&mut self) -> Option<(Vec<u8>, Time)> {
        let length: [u8; 4] = self.frames.get(..4)?.try_into().ok()?;
        let end = 4 + usize::try_from(i32::from_be_bytes(length)).ok()?;
        if self.frames.len() < end {
            return None;
        }
        while self.writes.front().is_some_and(|&(end, _)| end <= self.served_bytes) {
            self.writes.pop_front();
        }
        self.served_bytes += end as u64;
        let written_at = self.writes.front().map_or(Time::ZERO, |&(_, at)| at);
        Some((self.frames.drain(..end).collect(), written_at))
    }
}
