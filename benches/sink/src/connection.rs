//! One connection: a blocking reader that copies no more than headers, and the loop of requests and answers.

use std::io::{ErrorKind, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{self, Sender};
use std::sync::Arc;
use std::time::Instant;

use crate::answers::{answer, is_flexible, PRODUCE};
use crate::counters::{Shared, Topic};
use crate::wire::Reader;

/// How much is read at once where records are not.
const HEAD_BYTES: usize = 16 << 10;
/// How much is read at once where they are.
const BULK_BYTES: usize = 1 << 20;
/// The most that a piece parsed at once takes: a topic's name is the longest field.
const PIECE_BYTES: usize = 2048;
const FRAME_BYTES_MAX: i32 = 1 << 30;

/// What a request led to.
pub enum Outcome {
    Answer(Vec<u8>),
    NoAnswer,
}

/// A stream being read.
pub struct Connection<'a> {
    pub shared: &'a Shared,
    fd: RawFd,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The topic of the last request: mostly that of the next.
    pub last_topic: Option<Arc<Topic>>,
    /// Memory of the last answer.
    pub spare: Vec<u8>,
}

impl<'a> Connection<'a> {
    fn new(shared: &'a Shared, stream: &TcpStream) -> Connection<'a> {
        Connection {
            shared,
            fd: stream.as_raw_fd(),
            buffer: vec![0; HEAD_BYTES],
            start: 0,
            end: 0,
            last_topic: None,
            spare: Vec::new(),
        }
    }

    /// `recv`, again after a signal; `None` at the end of the stream. With MSG_TRUNC the bytes are dropped.
    fn receive(&mut self, at: usize, count: usize, flags: i32) -> Option<usize> {
        loop {
            let to = self.buffer[at..].as_mut_ptr().cast();
            // SAFETY: `to` has room for `count` bytes (see the callers), except with MSG_TRUNC, which on TCP drops
            // the bytes and never touches the buffer (tcp(7)).
            let got = unsafe { libc::recv(self.fd, to, count, flags) };
            if got > 0 {
                return Some(got as usize);
            }
            let interrupted = std::io::Error::last_os_error().kind() == ErrorKind::Interrupted;
            if got == 0 || !interrupted {
                return None;
            }
        }
    }

    /// Makes at least `count` bytes stand in the buffer and lends them; `None` at the end of the stream.
    pub fn peek(&mut self, count: usize) -> Option<&[u8]> {
        if self.end - self.start < count {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            let discards = self.shared.settings.discard && !self.shared.settings.verify;
            let wanted = count.max(if discards { HEAD_BYTES } else { BULK_BYTES });
            if self.buffer.len() < wanted {
                self.buffer.resize(wanted, 0);
            }
            while self.end < count {
                self.end += self.receive(self.end, wanted - self.end, 0)?;
            }
        }
        Some(&self.buffer[self.start..self.start + count])
    }

    /// Throws `count` bytes of the stream away.
    pub fn skip(&mut self, count: usize) -> Option<()> {
        let buffered = (self.end - self.start).min(count);
        self.start += buffered;
        let mut left = count - buffered;
        let discards = self.shared.settings.discard && !self.shared.settings.verify;
        while left > 0 {
            if discards {
                left -= self.receive(0, left, libc::MSG_TRUNC | libc::MSG_WAITALL)?;
            } else {
                let step = left.min(BULK_BYTES);
                self.peek(step)?;
                self.start += step;
                left -= step;
            }
        }
        Some(())
    }

    /// Parses a small piece at the front of what is `left` of the frame, and takes it off.
    pub fn parse<T>(
        &mut self,
        left: &mut usize,
        bytes_max: usize,
        read: impl FnOnce(&mut Reader<'_>) -> Option<T>,
    ) -> Option<T> {
        self.peek(bytes_max.min(*left))?;
        let end = self.end.min(self.start + *left);
        let mut reader = Reader::new(&self.buffer[self.start..end]);
        let value = read(&mut reader)?;
        let used = reader.at;
        self.start += used;
        *left -= used;
        Some(value)
    }

    /// As [`Connection::parse`], for what holds a string or an unknown number of small fields.
    pub fn parse_piece<T>(
        &mut self,
        left: &mut usize,
        read: impl FnOnce(&mut Reader<'_>) -> Option<T>,
    ) -> Option<T> {
        self.parse(left, PIECE_BYTES, read)
    }

    /// Reads one request; `None` to close.
    fn request(&mut self) -> Option<Outcome> {
        let mut length_left = 4;
        let size = self.parse(&mut length_left, 4, |reader| reader.i32())?;
        let outcome =
            if (10..=FRAME_BYTES_MAX).contains(&size) { self.body(size as usize) } else { None };
        if outcome.is_none() {
            self.shared.count.protocol_errors.fetch_add(1, Relaxed);
        }
        outcome
    }

    fn body(&mut self, size: usize) -> Option<Outcome> {
        let mut left = size;
        let (api, version, correlation) =
            self.parse(&mut left, 8, |reader| Some((reader.i16()?, reader.i16()?, reader.i32()?)))?;
        let flexible = is_flexible(api, version);
        self.parse_piece(&mut left, |reader| {
            reader.string(false)?;
            reader.tags(flexible)
        })?;
        if api == PRODUCE {
            return self.produce(version, correlation, left, size + 4);
        }
        let body = self.peek(left)?.to_vec();
        self.start += left;
        answer(self.shared, api, version, correlation, &body).map(Outcome::Answer)
    }
}

/// Sends each answer when it is due, in order, from a thread of its own.
fn delayed(shared: Arc<Shared>, mut stream: TcpStream) -> Sender<(Instant, Vec<u8>)> {
    let (sender, answers) = mpsc::channel::<(Instant, Vec<u8>)>();
    std::thread::spawn(move || {
        for (due, bytes) in answers {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            shared.let_go();
            if stream.write_all(&bytes).is_err() {
                return;
            }
        }
    });
    sender
}

/// Serves a connection until it ends.
pub fn serve(shared: Arc<Shared>, stream: TcpStream) {
    shared.count.connections.fetch_add(1, Relaxed);
    // Only latency suffers where this is refused.
    let _ = stream.set_nodelay(true);
    let latency = shared.settings.latency;
    let later = (!latency.is_zero()).then(|| stream.try_clone().ok()).flatten();
    let later = later.map(|stream| delayed(shared.clone(), stream));
    let mut connection = Connection::new(&shared, &stream);
    while let Some(outcome) = connection.request() {
        let Outcome::Answer(bytes) = outcome else { continue };
        let sent = match &later {
            Some(later) => {
                shared.hold();
                later.send((Instant::now() + latency, bytes)).is_ok()
            }
            None => {
                let sent = (&stream).write_all(&bytes).is_ok();
                connection.spare = bytes;
                sent
            }
        };
        if !sent {
            break;
        }
    }
    // It may be closed already.
    let _ = stream.shutdown(Shutdown::Both);
}
