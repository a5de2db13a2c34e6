//! A request on its way out: byte runs that are written one after the other without being copied
//! together. Owns a share of each payload until the frame is dropped; never changes a byte.

use std::fmt;
use std::io::IoSlice;
use std::sync::Arc;

use bytes::Bytes;

/// Immutable bytes in several pieces: the sealed payload of a batch.
pub trait Pieces: Send + Sync {
    /// Number of pieces.
    fn count(&self) -> usize;
    /// The `index`-th piece; never empty.
    fn piece(&self, index: usize) -> &[u8];
    /// Total bytes.
    fn bytes(&self) -> usize;
}

/// A run of bytes of a frame.
#[derive(Clone)]
pub enum Segment {
    /// Bytes written for this attempt: request head, batch headers, small payloads.
    Head(Bytes),
    /// A sealed payload, shared with the batch it belongs to.
    Payload(Arc<dyn Pieces>),
}

impl Segment {
    fn count(&self) -> usize {
        match self {
            Segment::Head(_) => 1,
            Segment::Payload(payload) => payload.count(),
        }
    }

    fn piece(&self, index: usize) -> &[u8] {
        match self {
            Segment::Head(bytes) => bytes,
            Segment::Payload(payload) => payload.piece(index),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Segment::Head(bytes) => bytes.len(),
            Segment::Payload(payload) => payload.bytes(),
        }
    }
}

/// A length-prefixed request and how much of it has been written.
pub struct Frame {
    segments: Vec<Segment>,
    bytes: usize,
    written: usize,
    /// Where writing goes on: segment, piece in it, byte in that.
    at: (usize, usize, usize),
}

impl Frame {
    /// A frame of these segments; the first begins with the 4-byte length.
    pub fn new(segments: Vec<Segment>) -> Frame {
        let bytes = segments.iter().map(Segment::bytes).sum();
        Frame { segments, bytes, written: 0, at: (0, 0, 0) }
    }

    /// Total bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes already written.
    pub fn written(&self) -> usize {
        self.written
    }

    /// Whether the last byte has been written.
    pub fn is_done(&self) -> bool {
        self.written == self.bytes
    }

    /// Appends the next unwritten pieces to `slices`, at most `most` of them.
    pub fn remaining<'a>(&'a self, slices: &mut Vec<IoSlice<'a>>, most: usize) {
        let (first_segment, mut piece, mut skip) = self.at;
        for segment in &self.segments[first_segment.min(self.segments.len())..] {
            while piece < segment.count() {
                if slices.len() >= most {
                    return;
                }
                let run = &segment.piece(piece)[skip..];
                if !run.is_empty() {
                    slices.push(IoSlice::new(run));
                }
                skip = 0;
                piece += 1;
            }
            piece = 0;
        }
    }

    /// Notes that `count` more bytes were accepted by the layer below.
    pub fn advance(&mut self, mut count: usize) {
        debug_assert!(self.written + count <= self.bytes);
        self.written += count;
        let (mut segment, mut piece, mut skip) = self.at;
        while count > 0 && segment < self.segments.len() {
            let here = &self.segments[segment];
            if piece == here.count() {
                segment += 1;
                piece = 0;
                continue;
            }
            let left = here.piece(piece).len() - skip;
            if count < left {
                skip += count;
                count = 0;
            } else {
                count -= left;
                piece += 1;
                skip = 0;
            }
        }
        self.at = (segment, piece, skip);
    }
}

impl From<Bytes> for Frame {
    fn from(bytes: Bytes) -> Frame {
        Frame::new(vec![Segment::Head(bytes)])
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the bytes: they are the user's.
        write!(f, "Frame({} of {} bytes written)", self.written, self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Three;
    impl Pieces for Three {
        fn count(&self) -> usize {
            3
        }
        fn piece(&self, index: usize) -> &[u8] {
            [&b"abc"[..], b"d", b"ef"][index]
        }
        fn bytes(&self) -> usize {
            6
        }
    }

    #[test]
    fn every_split_of_the_writes_gives_the_same_bytes() {
        for step in 1..12 {
            let head = Segment::Head(Bytes::from_static(b"1234"));
            let tail = Segment::Head(Bytes::from_static(b"z"));
            let mut frame = Frame::new(vec![head, Segment::Payload(Arc::new(Three)), tail]);
            let mut out = Vec::new();
            while !frame.is_done() {
                let mut slices = Vec::new();
                frame.remaining(&mut slices, 2);
                let flat: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
                let take = step.min(flat.len());
                out.extend_from_slice(&flat[..take]);
                frame.advance(take);
            }
            assert_eq!(out, b"1234abcdefz", "step {step}");
        }
    }
}
