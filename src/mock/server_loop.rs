//! Owns the sockets of the served cluster and the thread's turn: accept, read, write, sleep until
//! something is due. Besides `net`, the only place that names mio. Never judges a byte.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;

use bytes::{Buf, Bytes};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token, Waker};

use crate::time::{Clock, Time};

use super::cluster::PeerId;
use super::connection::BrokerConnection;
use super::server::Shared;

const WAKE: Token = Token(0);

/// One read of a socket; fits into the second-level cache.
const READ_BYTES: usize = 256 * 1024;
/// What one connection may read before others have their turn.
const TURN_BYTES: usize = 4 * READ_BYTES;
/// When a port or a descriptor is missing, it is asked for again after this time.
const RETRY_MS: u64 = 20;

/// The port of one broker.
struct Listener {
    broker: i32,
    address: SocketAddr,
    /// `None` while the broker is down: the system refuses connections then.
    socket: Option<TcpListener>,
    /// When to bind or accept again although no event will tell.
    retry_at: Time,
}

/// One accepted connection.
struct Peer {
    stream: TcpStream,
    connection: BrokerConnection,
    /// What is being written.
    writing: Bytes,
    /// Readiness comes once and is remembered until a call would block.
    readable: bool,
    writable: bool,
    /// Requests that have been read wait for room among the answers.
    held_back: bool,
}

/// The thread's state. Listener `n` has token `n + 1`, peers have the tokens behind them.
pub(super) struct ServerLoop {
    poll: Poll,
    listeners: Vec<Listener>,
    peers: BTreeMap<usize, Peer>,
    next_peer: usize,
    scratch: Vec<u8>,
}

impl ServerLoop {
    pub(super) fn new() -> io::Result<(ServerLoop, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let server = ServerLoop {
            poll,
            listeners: Vec::new(),
            peers: BTreeMap::new(),
            next_peer: 1,
            scratch: vec![0; READ_BYTES],
        };
        Ok((server, waker))
    }

    /// Takes a free port for a broker. Only before `run`.
    pub(super) fn listen(&mut self, broker: i32) -> io::Result<SocketAddr> {
        let mut socket = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = socket.local_addr()?;
        let token = Token(self.listeners.len() + 1);
        self.poll.registry().register(&mut socket, token, Interest::READABLE)?;
        let socket = Some(socket);
        self.listeners.push(Listener { broker, address, socket, retry_at: Time::NEVER });
        self.next_peer = token.0 + 1;
        Ok(address)
    }

    /// Serves until `closing` is set and the waker called.
    pub(super) fn run(mut self, shared: &Shared) {
        let mut events = Events::with_capacity(256);
        while !shared.closing.load(Ordering::Acquire) {
            let timeout = self.next_deadline().until(shared.clock.now());
            if let Err(error) = self.poll.poll(&mut events, timeout) {
                if error.kind() == ErrorKind::Interrupted {
                    continue;
                }
                return;
            }
            shared.turns.fetch_add(1, Ordering::Relaxed);
            let now = shared.clock.now();
            for event in &events {
                let Token(token) = event.token();
                if let Some(peer) = self.peers.get_mut(&token) {
                    peer.readable |= event.is_readable() || event.is_read_closed();
                    peer.writable |= event.is_writable() || event.is_write_closed();
                } else if let Some(at) =
                    token.checked_sub(1).filter(|at| *at < self.listeners.len())
                {
                    self.listeners[at].retry_at = now;
                }
            }
            self.follow_brokers(shared, now);
            self.accept(shared, now);
            let scratch = &mut self.scratch;
            self.peers.retain(|_, peer| peer.turn(shared, scratch, now));
        }
    }

    /// Opens and closes ports as brokers come and go.
    fn follow_brokers(&mut self, shared: &Shared, now: Time) {
        let cluster = shared.cluster();
        for (index, listener) in self.listeners.iter_mut().enumerate() {
            if !cluster.is_up(listener.broker) {
                listener.socket = None;
                listener.retry_at = Time::NEVER;
            } else if listener.socket.is_none() {
                let token = Token(index + 1);
                listener.socket = bind(self.poll.registry(), token, listener.address).ok();
                listener.retry_at = match listener.socket {
                    Some(_) => Time::NEVER,
                    None => now.plus_ms(RETRY_MS),
                };
            }
        }
    }

    fn accept(&mut self, shared: &Shared, now: Time) {
        for listener in &mut self.listeners {
            let Some(socket) = listener.socket.as_ref().filter(|_| listener.retry_at <= now) else {
                continue;
            };
            listener.retry_at = Time::NEVER;
            loop {
                match socket.accept() {
                    Ok((stream, _)) => {
                        let token = self.next_peer;
                        self.next_peer += 1;
                        let registry = self.poll.registry();
                        let peer = Peer::new(registry, token, stream, listener.broker, shared);
                        self.peers.extend(peer.map(|peer| (token, peer)));
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    // A connection that was gone before it was accepted.
                    Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(_) => {
                        listener.retry_at = now.plus_ms(RETRY_MS);
                        break;
                    }
                }
            }
        }
    }

    fn next_deadline(&self) -> Time {
        let retries = self.listeners.iter().map(|listener| listener.retry_at);
        let peers = self.peers.values().map(Peer::next_turn_at);
        retries.chain(peers).min().unwrap_or(Time::NEVER)
    }
}

fn bind(registry: &Registry, token: Token, address: SocketAddr) -> io::Result<TcpListener> {
    let mut socket = TcpListener::bind(address)?;
    registry.register(&mut socket, token, Interest::READABLE)?;
    Ok(socket)
}

impl Peer {
    /// `None` when the connection cannot be served; dropping the stream closes it.
    fn new(
        registry: &Registry,
        token: usize,
        mut stream: TcpStream,
        broker: i32,
        shared: &Shared,
    ) -> Option<Peer> {
        let connection = BrokerConnection::new(&shared.cluster(), broker, PeerId(token as u64))?;
        stream.set_nodelay(true).ok()?;
        registry
            .register(&mut stream, Token(token), Interest::READABLE | Interest::WRITABLE)
            .ok()?;
        let writing = Bytes::new();
        Some(Peer { stream, connection, writing, readable: true, writable: true, held_back: false })
    }

    /// Reads, serves and writes what can be now; `false` when the connection is over.
    fn turn(&mut self, shared: &Shared, scratch: &mut [u8], now: Time) -> bool {
        let alive = self.read(shared, scratch, now).and_then(|()| self.write(now));
        let cluster = shared.cluster();
        let over = self.connection.is_dropped(&cluster)
            || self.connection.is_finished() && self.writing.is_empty();
        alive.is_ok() && !over
    }

    /// An error means that the client is gone.
    fn read(&mut self, shared: &Shared, scratch: &mut [u8], now: Time) -> io::Result<()> {
        let mut read = 0;
        if self.held_back && self.may_read() {
            self.connection.feed(&[], &mut shared.cluster(), now);
            self.held_back = self.connection.is_full();
        }
        while self.readable && self.may_read() && read < TURN_BYTES {
            match self.stream.read(scratch) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    self.connection.feed(&scratch[..count], &mut shared.cluster(), now);
                    self.held_back |= self.connection.is_full();
                    read += count;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn write(&mut self, now: Time) -> io::Result<()> {
        while self.writable {
            if self.writing.is_empty() {
                match self.connection.take_output(now) {
                    Some(bytes) => self.writing = bytes,
                    None => break,
                }
            }
            match self.stream.write(&self.writing) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.writing.advance(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn may_read(&self) -> bool {
        (self.readable || self.held_back) && !self.connection.is_full()
    }

    /// When this peer wants a turn although no event will tell.
    fn next_turn_at(&self) -> Time {
        if self.may_read() {
            Time::ZERO
        } else if self.writable {
            self.connection.next_output_at()
        } else {
            Time::NEVER
        }
    }
}
