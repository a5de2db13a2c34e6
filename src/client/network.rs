//! The network as the client sees it: whole frames and connection events. Implemented by
//! `net::Selector` over real sockets and, over simulated ones, in the simulator.
//! Never decides anything: retry, timeouts and versions belong to the client.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::protocol::frame::Frame;
use crate::time::Time;

/// Names one connection attempt; never used twice by a client.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct ConnectionId(pub u64);

/// Names one host name look-up.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Hash)]
pub struct LookupId(pub u64);

/// What happened on the network since the last poll.
#[derive(Debug)]
pub enum NetworkEvent {
    /// The connection is established and every filter (TLS, SASL) let it through.
    Connected(ConnectionId),
    /// The last byte of the frame that was sent with `tag` left this process.
    Sent {
        /// The connection.
        id: ConnectionId,
        /// The tag given to `send`.
        tag: u64,
    },
    /// One complete response, without its 4-byte length.
    Received {
        /// The connection.
        id: ConnectionId,
        /// Correlation id and all that follows.
        bytes: Bytes,
    },
    /// The connection is gone (also: could not be established). Reported exactly once, and after
    /// every complete frame that had been received before. Never reported after `close`.
    Disconnected {
        /// The connection.
        id: ConnectionId,
        /// Why, for people.
        cause: DisconnectCause,
        /// The tags of frames of which the last byte had not left: no broker can have acted on them.
        unsent: Vec<u64>,
    },
    /// A look-up ended.
    Resolved {
        /// The look-up.
        lookup: LookupId,
        /// The addresses in the resolver's order, or why there are none.
        result: Result<Vec<SocketAddr>, String>,
    },
}

/// Why a connection ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DisconnectCause {
    /// The peer could not be reached.
    ConnectFailed(String),
    /// The peer closed the connection.
    ClosedByPeer,
    /// Reading or writing failed.
    Io(String),
    /// The peer sent a frame whose length is negative or above the limit.
    InvalidFrame(String),
    /// No traffic for `connections.max.idle.ms`: normal, not worth a warning.
    Idle,
}

/// The traffic of all connections, past and present.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkTotals {
    /// Bytes read.
    pub bytes_in: u64,
    /// Bytes written.
    pub bytes_out: u64,
    /// Frames read.
    pub frames_in: u64,
    /// Frames written.
    pub frames_out: u64,
    /// Connections made.
    pub connects: u64,
    /// Attempts to connect that failed.
    pub failed_connects: u64,
    /// Connections closed, by either side.
    pub closes: u64,
    /// Connections that are open.
    pub open: u64,
}

/// Frames in, frames out.
pub trait Network {
    /// The traffic so far; zeros where nobody counts.
    fn totals(&self) -> NetworkTotals {
        NetworkTotals::default()
    }

    /// Starts a connection; the outcome comes as an event. An error means that not even an attempt
    /// could be made (no descriptors, for example): it stands for `Disconnected`.
    fn connect(
        &mut self,
        id: ConnectionId,
        address: SocketAddr,
        now: Time,
    ) -> Result<(), DisconnectCause>;

    /// Queues a frame behind the ones already queued on that connection. If the connection is gone, the
    /// coming (or just reported) `Disconnected` event speaks for the frame.
    fn send(&mut self, id: ConnectionId, frame: Frame, tag: u64, now: Time);

    /// Closes and forgets; no further event names this connection. Gives the tags of frames of which the
    /// last byte had not left.
    fn close(&mut self, id: ConnectionId) -> Vec<u64>;

    /// Starts a look-up off this thread.
    fn resolve(&mut self, lookup: LookupId, host: &str, port: u16);

    /// Waits until `deadline`, an event, or a wake-up from another thread, whichever comes first, and
    /// appends what happened. Returns at once when `deadline <= now`.
    fn poll(&mut self, deadline: Time, now: Time, events: &mut Vec<NetworkEvent>);

    /// The next time at which `poll` would do something by itself (idle expiry).
    fn next_deadline(&self) -> Time;
}
