//! One connection: a stack of filters over a socket, the frames that wait to be written, and the
//! frame being received (Java's `KafkaChannel`). Never looks at other connections.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};

use crate::client::network::{ConnectionId, DisconnectCause, NetworkEvent};
use crate::net::filter::{Below, Filter};
use crate::net::frame_reader::{FrameReader, InvalidFrame};
use crate::net::receive_budget::Memory;
use crate::net::sockets::{Readiness, SocketToken, Sockets};
use crate::protocol::frame::Frame;

/// Most pieces of one gathering write: IOV_MAX of every system we know of but a few old ones, where
/// the standard library and the system make a short write of it.
const MAX_SLICES: usize = 1024;
/// How much one channel may write, or read, before others get their turn.
const BYTES_PER_TURN: usize = 1 << 20;
/// The read buffer that all channels share: many small responses in one system call.
const READ_BUFFER_BYTES: usize = 64 * 1024;

/// Traffic of one connection, or of all. Bytes are those of frames, before encryption.
#[derive(Copy, Clone, Default, PartialEq, Eq, Debug)]
pub struct ConnectionStats {
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes handed to the operating system or to a filter.
    pub bytes_out: u64,
    /// Complete frames received.
    pub frames_in: u64,
    /// Complete frames of which the last byte left this process.
    pub frames_out: u64,
    /// Bytes that filters hold now.
    pub held_bytes: u64,
}

/// What the channels of a selector share while each has its turn: reused, so that a turn costs no
/// allocation.
pub(super) struct Workspace {
    buffer: Vec<u8>,
    slices: Vec<IoSlice<'static>>,
}

impl Workspace {
    pub(super) fn new() -> Workspace {
        Workspace { buffer: vec![0; READ_BUFFER_BYTES], slices: Vec::new() }
    }
}

/// What a channel needs for a turn.
pub(super) struct Turn<'a> {
    pub(super) sockets: &'a mut dyn Sockets,
    pub(super) workspace: &'a mut Workspace,
    pub(super) memory: Memory<'a>,
    pub(super) events: &'a mut Vec<NetworkEvent>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum State {
    Connecting,
    Handshaking,
    Ready,
}

struct Outgoing {
    frame: Frame,
    tag: u64,
}

/// One connection. `readable` and `writable` remember what the edge-triggered sockets told once:
/// they are cleared only by `WouldBlock` (or a read known to have drained the socket), so
/// a channel that stops early, for fairness, for memory or because it is muted, goes on later.
pub(super) struct Channel {
    pub(super) id: ConnectionId,
    /// Whether the selector has put the channel on its list of those with work.
    pub(super) queued: bool,
    token: SocketToken,
    state: State,
    filters: Vec<Box<dyn Filter>>,
    handshakes_done: usize,
    readable: bool,
    writable: bool,
    muted: bool,
    /// Writing failed: what was received before is still handed out, then this is reported.
    closing: Option<DisconnectCause>,
    outgoing: VecDeque<Outgoing>,
    /// How many frames at the front of `outgoing` the filters accepted in full.
    accepted: usize,
    reader: FrameReader,
    /// Bytes read that wait, with the frame they belong to, for memory.
    leftover: Vec<u8>,
    stats: ConnectionStats,
}

impl Channel {
    pub(super) fn new(
        id: ConnectionId,
        token: SocketToken,
        filters: Vec<Box<dyn Filter>>,
        receive_message_max_bytes: usize,
    ) -> Channel {
        Channel {
            id,
            queued: false,
            token,
            state: State::Connecting,
            filters,
            handshakes_done: 0,
            readable: false,
            writable: false,
            muted: false,
            closing: None,
            outgoing: VecDeque::new(),
            accepted: 0,
            reader: FrameReader::new(receive_message_max_bytes),
            leftover: Vec::new(),
            stats: ConnectionStats::default(),
        }
    }

    /// The socket was connected at once; no event will say so.
    pub(super) fn connected_at_once(&mut self) {
        self.state = State::Handshaking;
        self.writable = true;
    }

    pub(super) fn is_established(&self) -> bool {
        self.state == State::Ready
    }

    pub(super) fn note(&mut self, readiness: Readiness) {
        self.readable |= readiness.readable;
        self.writable |= readiness.writable;
    }

    pub(super) fn set_muted(&mut self, muted: bool) {
        self.muted = muted;
    }

    pub(super) fn is_muted(&self) -> bool {
        self.muted
    }

    /// Whether a frame waits for memory, and the channel is not read until it gets some.
    pub(super) fn is_starved(&self) -> bool {
        self.reader.is_starved()
    }

    /// Asks for that memory.
    pub(super) fn admit(&mut self, memory: Memory<'_>) -> bool {
        self.reader.admit(memory)
    }

    /// Whether frames may have been received that were not handed out.
    pub(super) fn holds_received(&self) -> bool {
        self.closing.is_some() || self.is_starved() || !self.leftover.is_empty()
    }

    pub(super) fn push(&mut self, frame: Frame, tag: u64) {
        self.outgoing.push_back(Outgoing { frame, tag });
    }

    /// The tags of the frames of which the last byte was not taken over: no peer can have the whole.
    pub(super) fn unsent(&self) -> Vec<u64> {
        self.outgoing.iter().skip(self.accepted).map(|outgoing| outgoing.tag).collect()
    }

    pub(super) fn stats(&self) -> ConnectionStats {
        let held: usize = self.filters.iter().map(|filter| filter.held_bytes()).sum();
        ConnectionStats { held_bytes: held as u64, ..self.stats }
    }

    pub(super) fn close(&mut self, sockets: &mut dyn Sockets) {
        if self.is_established() && self.closing.is_none() {
            self.below(sockets).close();
        } else {
            sockets.close(self.token);
        }
    }

    /// Whether a turn could achieve anything now. False as soon as the socket must speak first, so
    /// that a selector that goes by it never spins.
    pub(super) fn has_work(&self) -> bool {
        match self.state {
            State::Connecting => self.writable,
            State::Handshaking => self.readable || self.writable,
            State::Ready => self.can_read() || self.can_write(),
        }
    }

    fn can_read(&self) -> bool {
        !self.muted && !self.is_starved() && (self.readable || !self.leftover.is_empty())
    }

    fn can_write(&self) -> bool {
        let wanted = !self.outgoing.is_empty() || self.filters.iter().any(|f| f.wants_write());
        self.writable && self.closing.is_none() && wanted
    }

    /// Does what is possible now; an answer means that the connection is over.
    pub(super) fn turn(&mut self, turn: &mut Turn<'_>) -> Option<DisconnectCause> {
        if self.state == State::Connecting {
            match turn.sockets.finish_connect(self.token) {
                Ok(true) => self.state = State::Handshaking,
                Ok(false) => {
                    self.writable = false;
                    return None;
                }
                Err(error) => return Some(DisconnectCause::ConnectFailed(error.to_string())),
            }
        }
        if self.state == State::Handshaking {
            match self.handshake(turn) {
                Ok(true) => turn.events.push(NetworkEvent::Connected(self.id)),
                Ok(false) => return None,
                Err(error) => return Some(cause_of(&error)),
            }
        }
        if let Some(end) = self.read_if_possible(turn) {
            return Some(end);
        }
        if self.can_write() {
            if let Err(error) = self.write(turn) {
                // The peer may have answered, and said why, before it went away: read that first.
                self.closing = Some(cause_of(&error));
                self.readable = true;
                return self.read_if_possible(turn);
            }
        }
        None
    }

    fn handshake(&mut self, turn: &mut Turn<'_>) -> io::Result<bool> {
        let mut done = self.handshakes_done;
        let complete = self.below(turn.sockets).handshake(&mut done);
        self.handshakes_done = done;
        if complete? {
            self.state = State::Ready;
            self.writable = true;
            // The last read of a handshake may have brought the first bytes of a response along.
            self.readable |= !self.filters.is_empty();
            return Ok(true);
        }
        // The filters went on until WouldBlock: only an event can change anything.
        self.readable = false;
        self.writable = false;
        Ok(false)
    }

    fn read_if_possible(&mut self, turn: &mut Turn<'_>) -> Option<DisconnectCause> {
        if self.can_read() {
            if let Some(end) = self.read(turn) {
                return Some(self.closing.take().unwrap_or(end));
            }
        }
        if self.readable || self.is_starved() || !self.leftover.is_empty() {
            return None;
        }
        self.closing.take()
    }

    fn read(&mut self, turn: &mut Turn<'_>) -> Option<DisconnectCause> {
        if !self.leftover.is_empty() {
            let leftover = std::mem::take(&mut self.leftover);
            if let Err(invalid) = self.feed(&leftover, turn) {
                return Some(DisconnectCause::InvalidFrame(invalid.to_string()));
            }
        }
        let mut buffer = std::mem::take(&mut turn.workspace.buffer);
        let end = self.read_socket(&mut buffer, turn);
        turn.workspace.buffer = buffer;
        end
    }

    fn read_socket(&mut self, buffer: &mut [u8], turn: &mut Turn<'_>) -> Option<DisconnectCause> {
        let mut total = 0;
        while self.readable && !self.is_starved() && total < BYTES_PER_TURN {
            match self.below(turn.sockets).read(buffer) {
                Ok(0) => return Some(DisconnectCause::ClosedByPeer),
                Ok(count) => {
                    total += count;
                    self.stats.bytes_in += count as u64;
                    if let Err(invalid) = self.feed(&buffer[..count], turn) {
                        return Some(DisconnectCause::InvalidFrame(invalid.to_string()));
                    }
                    // A starved channel must come back here, so it keeps its readiness.
                    let short = self.filters.is_empty() && count < buffer.len();
                    if short && !self.is_starved() && turn.sockets.short_read_drains(self.token) {
                        self.readable = false;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Some(cause_of(&error)),
            }
        }
        None
    }

    /// Hands out the frames that `input` completes and keeps what must wait for memory.
    fn feed(&mut self, input: &[u8], turn: &mut Turn<'_>) -> Result<(), InvalidFrame> {
        let (id, stats, events) = (self.id, &mut self.stats, &mut *turn.events);
        let taken = self.reader.feed(input, turn.memory, &mut |bytes| {
            stats.frames_in += 1;
            events.push(NetworkEvent::Received { id, bytes });
        })?;
        self.leftover.extend_from_slice(&input[taken..]);
        Ok(())
    }

    /// Writes until the socket is full, nothing is left or the turn is over. Nothing new goes into
    /// a filter that still holds accepted bytes: that bounds what filters hold, and "flushed"
    /// then means that every accepted frame left the process.
    fn write(&mut self, turn: &mut Turn<'_>) -> io::Result<()> {
        let mut total = 0;
        loop {
            self.below(turn.sockets).flush()?;
            if self.filters.iter().any(|filter| !filter.flushed()) {
                self.writable = false;
                break;
            }
            self.report_sent(turn.events);
            if self.outgoing.is_empty() {
                // Whatever a filter still wants to write on its own account is blocked below.
                self.writable &= !self.filters.iter().any(|filter| filter.wants_write());
                break;
            }
            if total >= BYTES_PER_TURN {
                break;
            }
            match self.write_once(turn) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => {
                    total += count;
                    self.stats.bytes_out += count as u64;
                    self.advance(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.writable = false;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        // Writing can make a filter read on its own account and find bytes for us.
        self.readable |= self.filters.iter().any(|filter| filter.readable_bytes() > 0);
        Ok(())
    }

    /// One gathering write over as many queued frames as one turn may write.
    fn write_once(&mut self, turn: &mut Turn<'_>) -> io::Result<usize> {
        let mut slices = recycle(std::mem::take(&mut turn.workspace.slices));
        let mut offered = 0;
        for Outgoing { frame, .. } in &self.outgoing {
            frame.remaining(&mut slices, MAX_SLICES);
            offered += frame.bytes() - frame.written();
            if slices.len() >= MAX_SLICES || offered >= BYTES_PER_TURN {
                break;
            }
        }
        let written = Below::new(&mut self.filters, &mut *turn.sockets, self.token).write(&slices);
        turn.workspace.slices = recycle(slices);
        written
    }

    fn advance(&mut self, mut count: usize) {
        while let Some(Outgoing { frame, .. }) = self.outgoing.get_mut(self.accepted) {
            let here = count.min(frame.bytes() - frame.written());
            frame.advance(here);
            count -= here;
            if !frame.is_done() {
                break;
            }
            self.accepted += 1;
        }
        debug_assert_eq!(count, 0, "a layer accepted more bytes than it was offered");
    }

    /// The layers below hold nothing: whatever was accepted has left.
    fn report_sent(&mut self, events: &mut Vec<NetworkEvent>) {
        // A frame without bytes is complete before anything is written.
        self.advance(0);
        for Outgoing { tag, .. } in self.outgoing.drain(..self.accepted) {
            self.stats.frames_out += 1;
            events.push(NetworkEvent::Sent { id: self.id, tag });
        }
        self.accepted = 0;
    }

    fn below<'a>(&'a mut self, sockets: &'a mut dyn Sockets) -> Below<'a> {
        Below::new(&mut self.filters, sockets, self.token)
    }
}

fn cause_of(error: &io::Error) -> DisconnectCause {
    match error.kind() {
        ErrorKind::UnexpectedEof => DisconnectCause::ClosedByPeer,
        _ => DisconnectCause::Io(error.to_string()),
    }
}

/// Empties the vector and gives it another lifetime; collecting into the same shape keeps
/// the allocation.
fn recycle<'to>(mut slices: Vec<IoSlice<'_>>) -> Vec<IoSlice<'to>> {
    slices.clear();
    slices.into_iter().map(|_| IoSlice::new(&[])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recycled_vector_keeps_its_allocation() {
        let mut slices = Vec::with_capacity(100);
        slices.push(IoSlice::new(b"x"));
        let at = slices.as_ptr() as usize;
        let again = recycle(slices);
        assert_eq!((again.len(), again.capacity(), again.as_ptr() as usize), (0, 100, at));
    }
}
