//! LZ4 blocks that took longer to find: for each position the candidates are followed through chains,
//! the longer the higher the level, and a match is taken only if none that begins one byte later is
//! longer. Safe code; what comes out any LZ4 decoder reads. Never sees a frame.

use lz4_flex::block::get_maximum_output_size;

/// No match is shorter.
const MATCH_MIN: usize = 4;
/// The format's rules for the end of a block: its last bytes are literals, and no match begins in the
/// last twelve.
const LAST_LITERALS: usize = 5;
const MATCH_END_MARGIN: usize = 12;
/// Matches reach back no further.
const DISTANCE_MAX: usize = 65_535;
const HASH_BITS: u32 = 15;
/// No block that is compressed here is longer.
const BLOCK_MAX: usize = 64 << 10;
/// A length field of a token that says that more bytes follow.
const LENGTH_ESCAPE: usize = 15;

/// The search's memory, which is used again: the last position of each hash, and the position before
/// of the same hash.
pub(super) struct HighCompressor {
    heads: Vec<u32>,
    before: Vec<u16>,
}

impl Default for HighCompressor {
    fn default() -> Self {
        HighCompressor { heads: vec![0; 1 << HASH_BITS], before: vec![0; BLOCK_MAX] }
    }
}

#[derive(Copy, Clone, Default)]
struct Match {
    from: usize,
    length: usize,
}

impl HighCompressor {
    /// Compresses a block of at most 64 KiB into `packed`, which has room for whatever comes of it;
    /// returns the bytes written. `level` is lz4's, 1 to 17; from 12 on all are the same.
    pub(super) fn compress(&mut self, plain: &[u8], level: i32, packed: &mut [u8]) -> usize {
        debug_assert!(plain.len() <= BLOCK_MAX);
        debug_assert!(packed.len() >= get_maximum_output_size(plain.len()));
        self.heads.fill(0);
        let attempts = 1 << level.clamp(1, 12);
        let mut out = Output { bytes: packed, len: 0 };
        let (mut at, mut anchor, mut hashed) = (0, 0, 0);
        let last_start = plain.len().saturating_sub(MATCH_END_MARGIN);
        while at < last_start {
            let mut found = self.find(plain, at, &mut hashed, attempts);
            if found.length < MATCH_MIN {
                at += 1;
                continue;
            }
            while at + 1 < last_start {
                let next = self.find(plain, at + 1, &mut hashed, attempts);
                if next.length <= found.length {
                    break;
                }
                at += 1;
                found = next;
            }
            // A match found late may begin earlier.
            while at > anchor && found.from > 0 && plain[at - 1] == plain[found.from - 1] {
                at -= 1;
                found.from -= 1;
                found.length += 1;
            }
            out.put_sequence(&plain[anchor..at], at - found.from, found.length);
            at += found.length;
            anchor = at;
        }
        out.put_last(&plain[anchor..]);
        out.len
    }

    /// The longest match for what begins at `at`, among the nearest `attempts` candidates.
    fn find(&mut self, plain: &[u8], at: usize, hashed: &mut usize, attempts: u32) -> Match {
        while *hashed < at {
            self.remember(plain, *hashed);
            *hashed += 1;
        }
        let end = plain.len() - LAST_LITERALS;
        let mut best = Match::default();
        let mut candidate = self.heads[hash(plain, at)] as usize;
        for _ in 0..attempts {
            // Positions are kept plus one: 0 is none.
            let Some(from) = candidate.checked_sub(1) else { break };
            if at - from > DISTANCE_MAX {
                break;
            }
            // Only a match that goes on behind the best one's end can be longer.
            let promising = plain.get(from + best.length) == plain.get(at + best.length);
            if promising && at + best.length < end {
                let length = common(&plain[from..], &plain[at..end]);
                if length > best.length {
                    best = Match { from, length };
                }
            }
            let step = usize::from(self.before[from]);
            if step == 0 {
                break;
            }
            candidate = from + 1 - step;
        }
        best
    }

    fn remember(&mut self, plain: &[u8], at: usize) {
        let head = &mut self.heads[hash(plain, at)];
        let step = if *head == 0 { 0 } else { at + 1 - *head as usize };
        self.before[at] = u16::try_from(step).unwrap_or(0);
        *head = at as u32 + 1;
    }
}

fn hash(plain: &[u8], at: usize) -> usize {
    let bytes = [plain[at], plain[at + 1], plain[at + 2], plain[at + 3]];
    (u32::from_le_bytes(bytes).wrapping_mul(2_654_435_761) >> (32 - HASH_BITS)) as usize
}

/// How many bytes both begin with.
fn common(one: &[u8], other: &[u8]) -> usize {
    let words = one.chunks_exact(8).zip(other.chunks_exact(8));
    let mut length = 0;
    for (a, b) in words {
        let differing = word(a) ^ word(b);
        if differing != 0 {
            return length + differing.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let rest = one[length..].iter().zip(&other[length..]);
    length + rest.take_while(|(a, b)| a == b).count()
}

fn word(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

struct Output<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl Output<'_> {
    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// What of a length does not fit into the token.
    fn put_length(&mut self, length: usize) {
        let Some(mut rest) = length.checked_sub(LENGTH_ESCAPE) else { return };
        while rest >= 255 {
            self.push(255);
            rest -= 255;
        }
        self.push(rest as u8);
    }

    fn put_sequence(&mut self, literals: &[u8], distance: usize, length: usize) {
        let match_field = length - MATCH_MIN;
        let token = literals.len().min(LENGTH_ESCAPE) << 4 | match_field.min(LENGTH_ESCAPE);
        self.push(token as u8);
        self.put_length(literals.len());
        self.put(literals);
        self.put(&(distance as u16).to_le_bytes());
        self.put_length(match_field);
    }

    fn put_last(&mut self, literals: &[u8]) {
        self.push((literals.len().min(LENGTH_ESCAPE) << 4) as u8);
        self.put_length(literals.len());
        self.put(literals);
    }
}
