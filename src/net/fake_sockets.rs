//! Scripted sockets for the selector's tests: what each read and write meets is written down
//! beforehand, readiness is raised by hand, and every poll's timeout is noted. No time passes.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::time::Duration;

use crate::client::network::LookupId;
use crate::net::sockets::{Polled, Readiness, SocketToken, Sockets};

/// What one read or write meets. A script that has run out blocks reads and accepts writes whole.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A read gives these bytes, as far as its buffer goes.
    Bytes(Vec<u8>),
    /// A write takes so many bytes at most.
    Accept(usize),
    /// Not now.
    Block,
    /// The end of the stream.
    End,
    /// The call fails.
    Fail(ErrorKind),
}

#[derive(Default)]
pub(super) struct FakeSocket {
    pub(super) reads: VecDeque<Step>,
    pub(super) writes: VecDeque<Step>,
    pub(super) written: Vec<u8>,
    pub(super) read_calls: usize,
    pub(super) write_calls: usize,
}

/// How the next connects go.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Connects {
    AtOnce,
    Later,
    Refused,
    RefusedAtOnce,
}

pub(super) struct FakeSockets {
    pub(super) connects: Connects,
    pub(super) open: BTreeMap<SocketToken, FakeSocket>,
    pub(super) closed: Vec<FakeSocket>,
    pub(super) ready: Vec<Readiness>,
    pub(super) resolved: Vec<(LookupId, Result<Vec<SocketAddr>, String>)>,
    pub(super) timeouts: Vec<Option<Duration>>,
    pub(super) short_read_drains: bool,
    pub(super) poll_fails: bool,
}

impl FakeSockets {
    pub(super) fn new(connects: Connects) -> FakeSockets {
        FakeSockets {
            connects,
            open: BTreeMap::new(),
            closed: Vec::new(),
            ready: Vec::new(),
            resolved: Vec::new(),
            timeouts: Vec::new(),
            short_read_drains: false,
            poll_fails: false,
        }
    }

    pub(super) fn socket(&mut self, token: usize) -> &mut FakeSocket {
        self.open.get_mut(&SocketToken(token)).expect("open socket")
    }

    pub(super) fn raise(&mut self, token: usize, readable: bool, writable: bool) {
        self.ready.push(Readiness { token: SocketToken(token), readable, writable });
    }

    /// Bytes come in, and are announced.
    pub(super) fn arrive(&mut self, token: usize, bytes: &[u8]) {
        self.socket(token).reads.push_back(Step::Bytes(bytes.to_vec()));
        self.raise(token, true, false);
    }
}

impl Sockets for FakeSockets {
    fn connect(&mut self, token: SocketToken, _address: SocketAddr) -> io::Result<bool> {
        if self.connects == Connects::RefusedAtOnce {
            return Err(ErrorKind::ConnectionRefused.into());
        }
        assert!(self.open.insert(token, FakeSocket::default()).is_none(), "token used twice");
        Ok(self.connects == Connects::AtOnce)
    }

    fn finish_connect(&mut self, token: SocketToken) -> io::Result<bool> {
        assert!(self.open.contains_key(&token));
        match self.connects {
            Connects::Refused => Err(ErrorKind::ConnectionRefused.into()),
            _ => Ok(true),
        }
    }

    fn read(&mut self, token: SocketToken, buffer: &mut [u8]) -> io::Result<usize> {
        let socket = self.socket(token.0);
        socket.read_calls += 1;
        match socket.reads.pop_front() {
            None | Some(Step::Block) => Err(ErrorKind::WouldBlock.into()),
            Some(Step::End) => Ok(0),
            Some(Step::Fail(kind)) => Err(kind.into()),
            Some(Step::Bytes(mut bytes)) => {
                let count = bytes.len().min(buffer.len());
                buffer[..count].copy_from_slice(&bytes[..count]);
                if count < bytes.len() {
                    socket.reads.push_front(Step::Bytes(bytes.split_off(count)));
                }
                Ok(count)
            }
            Some(Step::Accept(_)) => panic!("a write's step in a read's script"),
        }
    }

    fn short_read_drains(&self, _token: SocketToken) -> bool {
        self.short_read_drains
    }

    fn write(&mut self, token: SocketToken, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let socket = self.socket(token.0);
        socket.write_calls += 1;
        let mut room = match socket.writes.pop_front() {
            None => usize::MAX,
            Some(Step::Accept(most)) => most,
            Some(Step::Block) => return Err(ErrorKind::WouldBlock.into()),
            Some(Step::Fail(kind)) => return Err(kind.into()),
            Some(_) => panic!("a read's step in a write's script"),
        };
        let before = socket.written.len();
        for buffer in buffers {
            let count = buffer.len().min(room);
            socket.written.extend_from_slice(&buffer[..count]);
            room -= count;
        }
        Ok(socket.written.len() - before)
    }

    fn close(&mut self, token: SocketToken) {
        self.closed.push(self.open.remove(&token).expect("closed once"));
    }

    fn resolve(&mut self, lookup: LookupId, host: &str, port: u16) {
        self.resolved.push((lookup, Err(format!("{host}:{port} is not in the script"))));
    }

    fn poll(&mut self, timeout: Option<Duration>, polled: &mut Polled) -> io::Result<()> {
        self.timeouts.push(timeout);
        if self.poll_fails {
            return Err(io::Error::other("poll is broken"));
        }
        polled.ready.append(&mut self.ready);
        polled.resolved.append(&mut self.resolved);
        Ok(())
    }
}
