//! Real sockets, through mio: the only file that names it. Never interprets a byte.
//!
//! Time: mio rounds a timeout up to whole milliseconds where the system counts in those (epoll). A
//! poll can thus be late by less than a millisecond but never early, so a caller that polls again
//! until its deadline does not spin.

use std::io::{self, ErrorKind, IoSlice, Read};
use std::net::{IpAddr, SocketAddr, TcpStream as StdTcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

use crate::client::network::LookupId;
use crate::net::sockets::{Polled, Readiness, SocketToken, Sockets};

const WAKE: Token = Token(usize::MAX);
const EVENTS_PER_POLL: usize = 1024;

/// A write to a connection that the peer closed must give an error, not a SIGPIPE that ends
/// somebody else's process: only Rust programs ignore that signal. Apple's sockets have an option for
/// it, which socket2 sets; Windows knows no such thing.
#[cfg(all(unix, not(target_vendor = "apple")))]
const SEND_FLAGS: i32 = libc::MSG_NOSIGNAL;
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
const SEND_FLAGS: i32 = 0;

type Answer = (LookupId, Result<Vec<SocketAddr>, String>);

/// How the sockets are made.
#[derive(Copy, Clone, Debug, Default)]
pub struct SocketSettings {
    /// `send.buffer.bytes`; `None`: the system's.
    pub send_buffer_bytes: Option<usize>,
    /// `receive.buffer.bytes`; `None`: the system's.
    pub receive_buffer_bytes: Option<usize>,
}

/// Ends the poll of another thread.
#[derive(Clone, Debug)]
pub struct WakeHandle {
    wake: Arc<Wake>,
}

#[derive(Debug)]
struct Wake {
    waker: Waker,
    /// A wake-up is on its way that no poll has seen yet: further ones need no system call.
    pending: AtomicBool,
}

impl WakeHandle {
    /// Ends the current poll, or else the next. Whatever the caller wrote before is visible to the
    /// polling thread when that poll returns.
    pub fn wake(&self) {
        if !self.wake.pending.swap(true, Ordering::AcqRel) && self.wake.waker.wake().is_err() {
            self.wake.pending.store(false, Ordering::Release);
        }
    }
}

/// TCP sockets and name look-ups of this machine.
pub struct MioSockets {
    settings: SocketSettings,
    poll: Poll,
    events: Events,
    /// By token.
    streams: Vec<Option<Stream>>,
    wake: WakeHandle,
    answers: Receiver<Answer>,
    answering: Sender<Answer>,
}

struct Stream {
    tcp: TcpStream,
    /// The end of the stream, or an error, was announced: it will not be announced again.
    ending: bool,
}

impl MioSockets {
    /// Sockets with an own poll instance.
    pub fn new(settings: SocketSettings) -> io::Result<MioSockets> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let (answering, answers) = channel();
        Ok(MioSockets {
            settings,
            poll,
            events: Events::with_capacity(EVENTS_PER_POLL),
            streams: Vec::new(),
            wake: WakeHandle { wake: Arc::new(Wake { waker, pending: AtomicBool::new(false) }) },
            answers,
            answering,
        })
    }

    /// What ends a poll from any thread.
    pub fn waker(&self) -> WakeHandle {
        self.wake.clone()
    }

    /// Makes a socket that has its options before it connects: buffer sizes decide the window scale
    /// that the first packet announces.
    fn open(&self, address: SocketAddr) -> io::Result<(Socket, bool)> {
        let domain = Domain::for_address(address);
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        socket.set_keepalive(true)?;
        if let Some(bytes) = self.settings.send_buffer_bytes {
            socket.set_send_buffer_size(bytes)?;
        }
        if let Some(bytes) = self.settings.receive_buffer_bytes {
            socket.set_recv_buffer_size(bytes)?;
        }
        match socket.connect(&SockAddr::from(address)) {
            Ok(()) => Ok((socket, true)),
            Err(error) if is_in_progress(&error) => Ok((socket, false)),
            Err(error) => Err(error),
        }
    }

    fn stream(&mut self, token: SocketToken) -> io::Result<&mut Stream> {
        let stream = self.streams.get_mut(token.0).and_then(Option::as_mut);
        stream.ok_or_else(|| ErrorKind::NotConnected.into())
    }

    fn answer(&self, answer: Answer) {
        // The receiver lives as long as `self`.
        let _ = self.answering.send(answer);
        self.wake.wake();
    }
}

impl Sockets for MioSockets {
    fn connect(&mut self, token: SocketToken, address: SocketAddr) -> io::Result<bool> {
        let (socket, at_once) = self.open(address)?;
        let mut tcp = TcpStream::from_std(StdTcpStream::from(socket));
        let interests = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut tcp, Token(token.0), interests)?;
        if token.0 >= self.streams.len() {
            self.streams.resize_with(token.0 + 1, || None);
        }
        self.streams[token.0] = Some(Stream { tcp, ending: false });
        Ok(at_once)
    }

    fn finish_connect(&mut self, token: SocketToken) -> io::Result<bool> {
        let tcp = &self.stream(token)?.tcp;
        if let Some(error) = tcp.take_error()? {
            return Err(error);
        }
        match tcp.peer_addr() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotConnected || is_in_progress(&error) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn read(&mut self, token: SocketToken, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream(token)?.tcp.read(buffer)
    }

    /// On Linux, epoll reports again whenever bytes or a FIN arrive after the last report, so a read
    /// that found less than it had room for has seen everything reported so far, unless the end
    /// itself was part of that report: then the next read must fetch it. Elsewhere (Windows above
    /// all, where mio arms a socket anew only after `WouldBlock`) the extra read stays.
    fn short_read_drains(&self, token: SocketToken) -> bool {
        let stream = self.streams.get(token.0).and_then(Option::as_ref);
        cfg!(any(target_os = "linux", target_os = "android")) && stream.is_some_and(|s| !s.ending)
    }

    fn write(&mut self, token: SocketToken, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let tcp = &self.stream(token)?.tcp;
        tcp.try_io(|| SockRef::from(tcp).send_vectored_with_flags(buffers, SEND_FLAGS))
    }

    fn close(&mut self, token: SocketToken) {
        if let Some(mut stream) = self.streams.get_mut(token.0).and_then(Option::take) {
            // Dropping closes the descriptor, which deregisters it as well.
            let _ = self.poll.registry().deregister(&mut stream.tcp);
        }
    }

    fn resolve(&mut self, lookup: LookupId, host: &str, port: u16) {
        let literal = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        if let Ok(ip) = literal.parse::<IpAddr>() {
            return self.answer((lookup, Ok(vec![SocketAddr::new(ip, port)])));
        }
        let (host, answering, wake) = (host.to_owned(), self.answering.clone(), self.wake.clone());
        let look_up = move || {
            // A client that is gone does not want the answer any more.
            let _ = answering.send((lookup, addresses_of(&host, port)));
            wake.wake();
        };
        if let Err(error) = thread::Builder::new().name("ottla-dns".to_owned()).spawn(look_up) {
            self.answer((lookup, Err(format!("no thread for a name look-up: {error}"))));
        }
    }

    fn poll(&mut self, timeout: Option<Duration>, polled: &mut Polled) -> io::Result<()> {
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => {}
            // A signal: returning like after a wake-up lets its handler's work be seen at once.
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        }
        for event in &self.events {
            if event.token() == WAKE {
                // Before the caller looks at what it was woken for: a wake-up that comes later ends
                // the next poll; one that came earlier and made no system call is visible now.
                self.wake.wake.pending.swap(false, Ordering::AcqRel);
                continue;
            }
            let ending = event.is_read_closed() || event.is_error();
            if let Some(stream) = self.streams.get_mut(event.token().0).and_then(Option::as_mut) {
                stream.ending |= ending;
            }
            polled.ready.push(Readiness {
                token: SocketToken(event.token().0),
                readable: event.is_readable() || ending,
                writable: event.is_writable() || event.is_write_closed() || event.is_error(),
            });
        }
        polled.resolved.extend(self.answers.try_iter());
        Ok(())
    }
}

fn addresses_of(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    match (host, port).to_socket_addrs() {
        Ok(addresses) => {
            let addresses: Vec<SocketAddr> = addresses.collect();
            if addresses.is_empty() {
                return Err(format!("no addresses for {host}"));
            }
            Ok(addresses)
        }
        Err(error) => Err(format!("cannot resolve {host}: {error}")),
    }
}

fn is_in_progress(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(libc::EINPROGRESS) {
        return true;
    }
    error.kind() == ErrorKind::WouldBlock
}

#[cfg(test)]
#[path = "loopback_tests.rs"]
mod tests;
