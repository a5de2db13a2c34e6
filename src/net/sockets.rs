//! The sockets below the selector, in bytes: real ones (`mio_sockets.rs`) or the simulator's.
//! Edge-triggered: readiness is reported when it begins, so whoever stops before `WouldBlock` must
//! remember that there may be more.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::time::Duration;

use crate::client::network::LookupId;

/// Names a socket below the selector; the selector chooses it and never uses one twice at a time.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct SocketToken(pub usize);

/// Readiness that began since the last poll.
#[derive(Copy, Clone, Debug)]
pub struct Readiness {
    /// The socket.
    pub token: SocketToken,
    /// Reading may give bytes, the end of the stream, or an error.
    pub readable: bool,
    /// Writing, or finishing a connect, may succeed or fail.
    pub writable: bool,
}

/// What a poll brings; polls append, the caller clears.
#[derive(Debug, Default)]
pub struct Polled {
    /// Sockets that became ready.
    pub ready: Vec<Readiness>,
    /// Look-ups that ended.
    pub resolved: Vec<(LookupId, Result<Vec<SocketAddr>, String>)>,
}

/// Non-blocking stream sockets.
pub trait Sockets {
    /// Begins a connect. `Ok(true)`: connected at once, and no writability will be reported for it.
    fn connect(&mut self, token: SocketToken, address: SocketAddr) -> io::Result<bool>;
    /// After writability was reported on a connecting socket: `Ok(true)` connected, `Ok(false)` not yet.
    fn finish_connect(&mut self, token: SocketToken) -> io::Result<bool>;
    /// Reads; `Ok(0)` is the end of the stream, `WouldBlock` means wait for readiness.
    fn read(&mut self, token: SocketToken, buffer: &mut [u8]) -> io::Result<usize>;
    /// Whether, after a read that did not fill its buffer, readiness is sure to be reported for whatever
    /// comes next (bytes, the end of the stream, an error), so that reading on to `WouldBlock` would be
    /// a wasted call.
    fn short_read_drains(&self, _token: SocketToken) -> bool {
        false
    }
    /// Writes from several buffers; `WouldBlock` means wait for readiness.
    fn write(&mut self, token: SocketToken, buffers: &[IoSlice<'_>]) -> io::Result<usize>;
    /// Closes; the token may be used again.
    fn close(&mut self, token: SocketToken);
    /// Looks a host up off this thread; the answer comes from `poll`.
    fn resolve(&mut self, lookup: LookupId, host: &str, port: u16);
    /// Waits for readiness, an answer, or a wake-up, at most `timeout` (`None`: without limit).
    fn poll(&mut self, timeout: Option<Duration>, polled: &mut Polled) -> io::Result<()>;
}
