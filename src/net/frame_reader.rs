//! Cuts the received byte stream into frames: a 4-byte big-endian length, then as many bytes.
//! Never reads from a socket, and never allocates more than the bytes that arrived justify.

use bytes::Bytes;

use crate::net::receive_budget::{Memory, Reservation};

const LENGTH_BYTES: usize = 4;

/// The frame being received on one channel.
#[derive(Debug)]
pub struct FrameReader {
    max_bytes: usize,
    length: [u8; LENGTH_BYTES],
    /// How much of `length` is there.
    length_bytes: usize,
    /// Body bytes that came in earlier reads.
    body: Vec<u8>,
    /// Present from the moment the body may be taken in.
    reservation: Option<Reservation>,
}

/// The stream cannot be cut any further: a length that is negative or above the limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidFrame {
    /// What the peer sent.
    pub length: i32,
    /// The limit (`receive.message.max.bytes`).
    pub max_bytes: usize,
}

impl std::fmt::Display for InvalidFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let InvalidFrame { length, max_bytes } = self;
        if *length < 0 {
            return write!(f, "frame with the negative length {length}");
        }
        write!(f, "frame of {length} bytes is larger than the limit of {max_bytes} bytes")
    }
}

impl FrameReader {
    /// A reader that refuses frames above `max_bytes`.
    pub fn new(max_bytes: usize) -> FrameReader {
        FrameReader {
            max_bytes,
            length: [0; LENGTH_BYTES],
            length_bytes: 0,
            body: Vec::new(),
            reservation: None,
        }
    }

    /// Takes bytes in and gives every frame they complete to `sink`, in order. Answers how many
    /// bytes were taken: all, or fewer when a frame must wait for memory (`is_starved`).
    pub fn feed(
        &mut self,
        input: &[u8],
        memory: Memory<'_>,
        sink: &mut impl FnMut(Bytes),
    ) -> Result<usize, InvalidFrame> {
        let mut rest = input;
        loop {
            let wanted = (LENGTH_BYTES - self.length_bytes).min(rest.len());
            self.length[self.length_bytes..][..wanted].copy_from_slice(&rest[..wanted]);
            self.length_bytes += wanted;
            rest = &rest[wanted..];
            if self.length_bytes < LENGTH_BYTES {
                return Ok(input.len());
            }
            let expected = self.expected()?;
            if !self.admit(memory) {
                return Ok(input.len() - rest.len());
            }
            let (now, later) = rest.split_at((expected - self.body.len()).min(rest.len()));
            rest = later;
            self.take(now, expected);
            if self.body.len() < expected {
                return Ok(input.len());
            }
            if let Some(reservation) = self.reservation.take() {
                sink(reservation.attach(std::mem::take(&mut self.body)));
            }
            self.length_bytes = 0;
        }
    }

    /// Whether the length of a frame is known and its body waits for memory.
    pub fn is_starved(&self) -> bool {
        self.length_bytes == LENGTH_BYTES && self.reservation.is_none()
    }

    /// Asks for the memory of the frame that waits, if one does; answers whether it may go on.
    pub fn admit(&mut self, memory: Memory<'_>) -> bool {
        if self.is_starved() {
            let expected = self.expected().unwrap_or(0);
            self.reservation = memory.reserve(expected);
        }
        !self.is_starved()
    }

    fn expected(&self) -> Result<usize, InvalidFrame> {
        let length = i32::from_be_bytes(self.length);
        match usize::try_from(length) {
            Ok(bytes) if bytes <= self.max_bytes => Ok(bytes),
            _ => Err(InvalidFrame { length, max_bytes: self.max_bytes }),
        }
    }

    /// Grows the body by doubling, but never past what the frame needs: an absurd length costs
    /// nothing until its bytes come, and a frame that comes whole costs exactly its size.
    fn take(&mut self, bytes: &[u8], expected: usize) {
        let needed = self.body.len() + bytes.len();
        if needed > self.body.capacity() {
            let target = needed.max(self.body.capacity() * 2).min(expected);
            self.body.reserve_exact(target - self.body.len());
        }
        self.body.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::net::receive_budget::ReceiveBudget;

    const FREE: Memory<'static> = Memory { budget: None, others_wait: false };

    fn wire(frames: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        for frame in frames {
            out.extend_from_slice(&(frame.len() as i32).to_be_bytes());
            out.extend_from_slice(frame);
        }
        out
    }

    proptest! {
        #[test]
        fn any_cut_of_the_stream_gives_the_same_frames(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8),
            cuts in prop::collection::vec(1usize..23, 1..12),
        ) {
            let stream = wire(&frames);
            let mut reader = FrameReader::new(64);
            let mut got: Vec<Vec<u8>> = Vec::new();
            let (mut at, mut turn) = (0, 0);
            while at < stream.len() {
                let end = (at + cuts[turn % cuts.len()]).min(stream.len());
                let taken = reader
                    .feed(&stream[at..end], FREE, &mut |bytes| got.push(bytes.to_vec()))
                    .unwrap();
                prop_assert_eq!(taken, end - at);
                (at, turn) = (end, turn + 1);
            }
            prop_assert_eq!(got, frames);
        }
    }

    #[test]
    fn lengths_that_are_negative_or_too_large_end_the_stream() {
        for (length, valid) in [(0, true), (64, true), (65, false), (-1, false), (i32::MIN, false)]
        {
            let mut reader = FrameReader::new(64);
            let fed = reader.feed(&i32::to_be_bytes(length), FREE, &mut |_| ());
            assert_eq!(fed.is_ok(), valid, "{length}");
        }
        let mut reader = FrameReader::new(64);
        let error = reader.feed(&[0, 0, 1, 0], FREE, &mut |_| ()).unwrap_err();
        assert_eq!(error.to_string(), "frame of 256 bytes is larger than the limit of 64 bytes");
    }

    #[test]
    fn an_absurd_length_allocates_only_as_bytes_arrive() {
        let mut reader = FrameReader::new(i32::MAX as usize);
        reader.feed(&i32::MAX.to_be_bytes(), FREE, &mut |_| ()).unwrap();
        assert_eq!(reader.body.capacity(), 0);
        reader.feed(&[7; 100], FREE, &mut |_| ()).unwrap();
        assert!(reader.body.capacity() <= 200);
    }

    #[test]
    fn a_frame_that_waits_for_memory_leaves_its_bytes() {
        let budget = ReceiveBudget::new(4);
        let memory = Memory { budget: Some(&budget), others_wait: false };
        let mut reader = FrameReader::new(64);
        let mut got = Vec::new();
        let stream = wire(&[vec![1; 3], vec![2; 3]]);
        let taken = reader.feed(&stream, memory, &mut |bytes| got.push(bytes)).unwrap();
        assert_eq!((taken, got.len(), reader.is_starved()), (11, 1, true));
        assert_eq!(reader.feed(&stream[11..], memory, &mut |bytes| got.push(bytes)).unwrap(), 0);
        let first = got.remove(0);
        assert_eq!(first[..], [1; 3]);
        drop(first);
        assert_eq!(reader.feed(&stream[11..], memory, &mut |bytes| got.push(bytes)).unwrap(), 3);
        assert_eq!(got[0][..], [2; 3]);
    }
}
