//! Records out of a stream of bytes: a thread reads, so that whoever takes the records can be
//! interrupted, and a splitter cuts at the delimiter. Holds a few chunks and one record, however
//! long the stream is.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::thread;

use crate::interrupt::Interrupt;

const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks that the reading thread may be ahead.
const CHUNKS_AHEAD: usize = 4;

enum Piece {
    Bytes(Vec<u8>),
    Failed(io::Error),
    /// Wakes the reader: there was a signal.
    Interrupted,
}

/// What comes next in a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A record; [`Input::record`] has it.
    Record,
    /// A record of this many bytes, longer than the limit; its bytes are gone.
    TooLong(usize),
    /// The stream has ended, or a signal came.
    End,
}

/// The records of one stream.
pub struct Input {
    pieces: Receiver<Piece>,
    splitter: Splitter,
    ended: bool,
}

impl Input {
    /// Reads `source` on a thread of its own. The last record needs no delimiter behind it.
    pub fn new(
        source: impl Read + Send + 'static,
        delimiter: Vec<u8>,
        limit_bytes: usize,
        interrupt: &Interrupt,
    ) -> io::Result<Input> {
        let (sender, pieces) = sync_channel(CHUNKS_AHEAD);
        let signal = sender.clone();
        // When the channel is full there is something to take, and the taker asks the interrupt each time.
        interrupt.on_ask(move || drop(signal.try_send(Piece::Interrupted)));
        thread::Builder::new()
            .name("ottla-input".to_owned())
            .spawn(move || read_all(source, &sender))?;
        let splitter = Splitter::new(delimiter, limit_bytes);
        Ok(Input { pieces, splitter, ended: false })
    }

    /// Goes to the next record.
    pub fn step(&mut self, interrupt: &Interrupt) -> io::Result<Step> {
        loop {
            if interrupt.is_asked() {
                return Ok(Step::End);
            }
            let step = if self.ended { self.splitter.last() } else { self.splitter.next() };
            match step {
                Some(step) => return Ok(step),
                None if self.ended => return Ok(Step::End),
                None => {}
            }
            match self.pieces.recv() {
                Ok(Piece::Bytes(bytes)) if bytes.is_empty() => self.ended = true,
                Ok(Piece::Bytes(bytes)) => self.splitter.push(&bytes),
                Ok(Piece::Failed(cause)) => return Err(cause),
                Ok(Piece::Interrupted) => {}
                Err(_) => self.ended = true,
            }
        }
    }

    /// The record of the last step.
    pub fn record(&self) -> &[u8] {
        &self.splitter.buffer[self.splitter.record.clone()]
    }
}

/// Sends what `source` has, an empty piece at its end.
fn read_all(mut source: impl Read, sender: &SyncSender<Piece>) {
    loop {
        let mut bytes = vec![0; CHUNK_BYTES];
        let piece = match source.read(&mut bytes) {
            Ok(count) => {
                bytes.truncate(count);
                Piece::Bytes(bytes)
            }
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => Piece::Failed(cause),
        };
        let last = !matches!(&piece, Piece::Bytes(bytes) if !bytes.is_empty());
        if sender.send(piece).is_err() || last {
            return;
        }
    }
}

/// Cuts bytes at a delimiter of one byte or more.
struct Splitter {
    delimiter: Vec<u8>,
    limit_bytes: usize,
    buffer: Vec<u8>,
    /// The record that was found last.
    record: Range<usize>,
    /// Where the record that is being looked for begins.
    begin: usize,
    /// No delimiter begins between `begin` and here.
    searched: usize,
    /// Bytes of the record that is being looked for which were thrown away because it is too long.
    dropped_bytes: usize,
}

impl Splitter {
    fn new(delimiter: Vec<u8>, limit_bytes: usize) -> Splitter {
        Splitter {
            delimiter,
            limit_bytes,
            buffer: Vec::new(),
            record: 0..0,
            begin: 0,
            searched: 0,
            dropped_bytes: 0,
        }
    }

    /// Adds bytes behind the others; the last record goes.
    fn push(&mut self, bytes: &[u8]) {
        let too_long = self.dropped_bytes > 0 || self.buffer.len() - self.begin > self.limit_bytes;
        if too_long {
            self.dropped_bytes += self.searched - self.begin;
            self.begin = self.searched;
        }
        self.buffer.drain(..self.begin);
        self.searched -= self.begin;
        (self.begin, self.record) = (0, 0..0);
        self.buffer.extend_from_slice(bytes);
    }

    /// The next record that ends with a delimiter.
    fn next(&mut self) -> Option<Step> {
        let Some(found) = find(&self.buffer[self.searched..], &self.delimiter) else {
            // The delimiter may have begun at the very end.
            let seen = self.buffer.len().saturating_sub(self.delimiter.len() - 1);
            self.searched = seen.max(self.searched);
            return None;
        };
        let end = self.searched + found;
        Some(self.take(end, end + self.delimiter.len()))
    }

    /// After the end of the stream: records that end with a delimiter, then what stands behind the last one,
    /// if anything does.
    fn last(&mut self) -> Option<Step> {
        if let Some(step) = self.next() {
            return Some(step);
        }
        let end = self.buffer.len();
        let some = end > self.begin || self.dropped_bytes > 0;
        some.then(|| self.take(end, end))
    }

    fn take(&mut self, end: usize, next: usize) -> Step {
        let size = end - self.begin + std::mem::take(&mut self.dropped_bytes);
        self.record = self.begin..end;
        (self.begin, self.searched) = (next, next);
        match size > self.limit_bytes {
            true => Step::TooLong(size),
            false => Step::Record,
        }
    }
}

/// Where `needle` first begins in `haystack`.
pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let (first, rest) = needle.split_first()?;
    let mut from = 0;
    while let Some(at) = haystack[from..].iter().position(|byte| byte == first) {
        let after = from + at + 1;
        if haystack[after..].starts_with(rest) {
            return Some(after - 1);
        }
        from = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of `bytes` when they come in pieces of `size`; those too long as their size.
    fn split(bytes: &[u8], delimiter: &[u8], size: usize, limit: usize) -> Vec<String> {
        let mut splitter = Splitter::new(delimiter.to_vec(), limit);
        let mut records = Vec::new();
        let mut keep = |splitter: &Splitter, step| match step {
            Step::Record => {
                let record = &splitter.buffer[splitter.record.clone()];
                records.push(String::from_utf8_lossy(record).into_owned());
            }
            Step::TooLong(size) => records.push(size.to_string()),
            Step::End => unreachable!("only an input ends"),
        };
        for piece in bytes.chunks(size) {
            splitter.push(piece);
            while let Some(step) = splitter.next() {
                keep(&splitter, step);
            }
            let most = limit.saturating_add(size + delimiter.len());
            assert!(splitter.buffer.len() <= most, "memory is bounded");
        }
        while let Some(step) = splitter.last() {
            keep(&splitter, step);
        }
        records
    }

    #[test]
    fn records_end_at_the_delimiter_wherever_the_pieces_end() {
        for size in 1..20 {
            let any = usize::MAX;
            assert_eq!(split(b"one\n\ntwo\nthree", b"\n", size, any), ["one", "", "two", "three"]);
            assert_eq!(split(b"a--b---c--", b"--", size, any), ["a", "b", "-c"]);
            assert_eq!(split(b"aab", b"aab", size, any), [""]);
            assert_eq!(split(b"aaab", b"aab", size, any), ["a"]);
            assert_eq!(split(b"x-", b"--", size, any), ["x-"]);
            assert!(split(b"", b"\n", size, any).is_empty());
        }
    }

    #[test]
    fn a_record_that_is_too_long_is_counted_and_left_out() {
        let text = b"ok\n0123456789\n01234567\nlast";
        for size in 1..30 {
            assert_eq!(split(text, b"\n", size, 8), ["ok", "10", "01234567", "last"], "{size}");
            assert_eq!(split(b"0123456789", b"--", size, 4), ["10"], "{size}");
            assert_eq!(split(b"0123456789--x", b"--", size, 4), ["10", "x"], "{size}");
        }
    }

    #[test]
    fn needles_are_found() {
        assert_eq!(find(b"ababac", b"abac"), Some(2));
        assert_eq!(find(b"ab", b"abc"), None);
        assert_eq!(find(b"", b"a"), None);
    }
}
