//! A filter for tests that has what makes TLS hard: a handshake, bytes that look different below,
//! small buffers in both directions, and something to say on its own account. Hides nothing.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};

use crate::net::filter::{Below, Filter};

/// What each side says first.
pub(super) const HELLO: &[u8] = b"hello";
/// What it says before the connection is closed.
pub(super) const BYE: u8 = 0xee;
/// From one veil to the other, like a key update: never seen by the channel, but answered.
pub(super) const QUESTION: u8 = b'?';
/// The answer on the wire.
pub(super) const ANSWER: u8 = b'!';
/// The most it holds in each direction.
pub(super) const ROOM: usize = 16;
const KEY: u8 = 0x5a;

#[derive(Default)]
pub(super) struct Veil {
    greeted: bool,
    heard: Vec<u8>,
    /// What it says itself; goes first.
    own: VecDeque<u8>,
    out: VecDeque<u8>,
    plain: VecDeque<u8>,
}

/// What the other side's bytes look like on the wire.
pub(super) fn veiled(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ KEY).collect()
}

impl Veil {
    fn fill(&mut self, below: &mut Below<'_>) -> io::Result<bool> {
        let mut raw = [0; ROOM];
        let count = below.read(&mut raw)?;
        self.plain.extend(raw[..count].iter().map(|byte| byte ^ KEY));
        Ok(count > 0)
    }
}

impl Filter for Veil {
    fn handshake(&mut self, below: &mut Below<'_>) -> io::Result<bool> {
        while self.heard.len() < HELLO.len() {
            let mut raw = [0; ROOM];
            match below.read(&mut raw) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.heard.extend_from_slice(&raw[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if !self.greeted {
            self.greeted = true;
            self.own.extend(HELLO);
        }
        self.flush(below)?;
        if self.heard.len() < HELLO.len() || self.wants_write() {
            return Ok(false);
        }
        let early = self.heard.split_off(HELLO.len());
        if self.heard != HELLO {
            return Err(io::Error::other("the other side is not veiled"));
        }
        self.plain.extend(veiled(&early));
        Ok(true)
    }

    fn write(&mut self, _below: &mut Below<'_>, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let room = ROOM - self.out.len();
        let bytes = buffers.iter().flat_map(|buffer| buffer.iter()).take(room);
        let before = self.out.len();
        self.out.extend(bytes.map(|byte| byte ^ KEY));
        match self.out.len() - before {
            0 => Err(ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }

    fn flush(&mut self, below: &mut Below<'_>) -> io::Result<()> {
        while self.wants_write() {
            let queue = if self.own.is_empty() { &mut self.out } else { &mut self.own };
            match below.write(&[IoSlice::new(queue.make_contiguous())]) {
                Ok(count) => drop(queue.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn flushed(&self) -> bool {
        self.out.is_empty()
    }

    fn wants_write(&self) -> bool {
        !self.out.is_empty() || !self.own.is_empty()
    }

    fn read(&mut self, below: &mut Below<'_>, buffer: &mut [u8]) -> io::Result<usize> {
        if self.plain.is_empty() && !self.fill(below)? {
            return Ok(0);
        }
        if self.plain.contains(&QUESTION) {
            self.plain.retain(|byte| *byte != QUESTION);
            self.own.push_back(ANSWER);
        }
        let count = self.plain.len().min(buffer.len());
        if count == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        for (to, from) in buffer.iter_mut().zip(self.plain.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }

    fn readable_bytes(&self) -> usize {
        self.plain.len()
    }

    fn held_bytes(&self) -> usize {
        self.own.len() + self.out.len() + self.plain.len()
    }

    fn close(&mut self, below: &mut Below<'_>) {
        let _ = below.write(&[IoSlice::new(&[BYE])]);
    }
}
