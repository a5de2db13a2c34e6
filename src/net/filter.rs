//! The shape of a layer between a channel and its socket: TLS, SASL, a test's disguise. A filter
//! knows only what lies below it, never the channel above, and never waits.

use std::io::{self, IoSlice};

use crate::net::sockets::{SocketToken, Sockets};

/// One layer of a channel. All calls return at once; `WouldBlock` means that the layer below has
/// nothing to give or no room, and that a socket event will say when to call again.
///
/// Because sockets are edge-triggered, a filter must go on (reading or writing) until the layer
/// below says `WouldBlock` or until it has nothing more to do; it must not stop half way.
pub trait Filter: Send {
    /// Does what must be done before the channel's own bytes may pass, as far as it gets now;
    /// `Ok(true)` when that is complete. Called again after every socket event until then. Reads
    /// before it writes, so that the peer's reason for a refusal is seen.
    fn handshake(&mut self, below: &mut Below<'_>) -> io::Result<bool>;

    /// Takes bytes; answers how many were accepted, that is, need not be offered again. Accepted is
    /// not sent: see [`Filter::flushed`]. What a filter holds is bounded; when there is no room for
    /// a single byte the answer is `WouldBlock`.
    fn write(&mut self, below: &mut Below<'_>, buffers: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Moves what is held downwards as far as possible. `Ok` also when some had to stay.
    fn flush(&mut self, below: &mut Below<'_>) -> io::Result<()>;

    /// Whether every byte that `write` accepted has left this filter.
    fn flushed(&self) -> bool;

    /// Whether the filter has bytes to write, its own included (a key update, for example): it may
    /// be `flushed` and still want this.
    fn wants_write(&self) -> bool;

    /// Gives bytes for the channel; `Ok(0)` is the orderly end of the stream.
    fn read(&mut self, below: &mut Below<'_>, buffer: &mut [u8]) -> io::Result<usize>;

    /// Bytes that `read` could give without a socket event.
    fn readable_bytes(&self) -> usize;

    /// Bytes held in all, in both directions; bounded by the filter.
    fn held_bytes(&self) -> usize;

    /// Says good-bye if that is possible without waiting; the socket is closed right after.
    fn close(&mut self, below: &mut Below<'_>);
}

/// What lies below a filter: more filters, and the TCP socket at the bottom.
pub struct Below<'a> {
    filters: &'a mut [Box<dyn Filter>],
    sockets: &'a mut dyn Sockets,
    token: SocketToken,
}

impl<'a> Below<'a> {
    /// A stack: the first filter is the topmost.
    pub fn new(
        filters: &'a mut [Box<dyn Filter>],
        sockets: &'a mut dyn Sockets,
        token: SocketToken,
    ) -> Below<'a> {
        Below { filters, sockets, token }
    }

    /// Writes to the next layer; see [`Filter::write`].
    pub fn write(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.filters.split_first_mut() {
            None => self.sockets.write(self.token, buffers),
            Some((next, rest)) => {
                next.write(&mut Below::new(rest, &mut *self.sockets, self.token), buffers)
            }
        }
    }

    /// Reads from the next layer; see [`Filter::read`].
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.filters.split_first_mut() {
            None => self.sockets.read(self.token, buffer),
            Some((next, rest)) => {
                next.read(&mut Below::new(rest, &mut *self.sockets, self.token), buffer)
            }
        }
    }

    /// Goes on with the handshakes, lowest filter first, since each needs the ones below it; `done`
    /// counts the complete ones. `Ok(true)` when all are.
    pub(super) fn handshake(&mut self, done: &mut usize) -> io::Result<bool> {
        while *done < self.filters.len() {
            let (upper, lower) = self.filters.split_at_mut(self.filters.len() - *done);
            let Some(filter) = upper.last_mut() else { break };
            if !filter.handshake(&mut Below::new(lower, &mut *self.sockets, self.token))? {
                return Ok(false);
            }
            *done += 1;
        }
        Ok(true)
    }

    /// Flushes every layer, topmost first: what one lets go, the next can pass on.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        for index in 0..self.filters.len() {
            let (upper, lower) = self.filters.split_at_mut(index + 1);
            upper[index].flush(&mut Below::new(lower, &mut *self.sockets, self.token))?;
        }
        Ok(())
    }

    /// Closes every layer, topmost first, then the socket.
    pub(super) fn close(&mut self) {
        for index in 0..self.filters.len() {
            let (upper, lower) = self.filters.split_at_mut(index + 1);
            upper[index].close(&mut Below::new(lower, &mut *self.sockets, self.token));
        }
        self.sockets.close(self.token);
    }
}
