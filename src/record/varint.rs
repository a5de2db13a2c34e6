//! Zig-zag varints: their size, writing them into a stack array, reading them from hostile bytes.
//! Never touches a heap or a batch.

/// Spreads the sign so that numbers near zero are short: 0, -1, 1, -2 become 0, 1, 2, 3.
#[inline]
const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

#[inline]
const fn unzigzag(raw: u64) -> i64 {
    (raw >> 1) as i64 ^ -((raw & 1) as i64)
}

/// Bytes of `raw` at seven bits each. `(9 b + 73) / 64` is `b / 7 + 1` for every `b` below 64.
#[inline]
const fn size_of_raw(raw: u64) -> usize {
    let highest_bit = 63 - (raw | 1).leading_zeros() as usize;
    (highest_bit * 9 + 73) / 64
}

/// Bytes that `value` takes as a varint, 1 to 5.
#[inline]
pub const fn size_of_varint(value: i32) -> usize {
    size_of_raw(zigzag(value as i64))
}

/// Bytes that `value` takes as a varlong, 1 to 10.
#[inline]
pub const fn size_of_varlong(value: i64) -> usize {
    size_of_raw(zigzag(value))
}

/// Room in a [`VarintBuffer`].
pub const VARINT_BUFFER_BYTES: usize = 48;

/// Varints on their way into a sink, gathered on the stack so that one put takes several.
#[derive(Debug)]
pub struct VarintBuffer {
    bytes: [u8; VARINT_BUFFER_BYTES],
    len: usize,
}

impl VarintBuffer {
    /// Empty.
    #[inline]
    pub const fn new() -> VarintBuffer {
        VarintBuffer { bytes: [0; VARINT_BUFFER_BYTES], len: 0 }
    }

    /// What has been written since it was last cleared.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Forgets what was written.
    #[inline]
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Adds one plain byte.
    #[inline]
    pub fn push_byte(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    /// Adds a varint.
    #[inline]
    pub fn push_varint(&mut self, value: i32) {
        self.push_raw(zigzag(i64::from(value)));
    }

    /// Adds a varlong.
    #[inline]
    pub fn push_varlong(&mut self, value: i64) {
        self.push_raw(zigzag(value));
    }

    #[inline]
    fn push_raw(&mut self, raw: u64) {
        if raw < 0x80 {
            self.push_byte(raw as u8);
        } else if raw < 1 << 56 {
            self.push_word(raw);
        } else {
            self.push_longest(raw);
        }
    }

    /// Adds 2 to 8 bytes with one store: no loop, no branch to mispredict. The store is always 8
    /// bytes wide; what it writes beyond the varint is overwritten by the next push.
    #[inline]
    fn push_word(&mut self, raw: u64) {
        // 56 bits as 28 + 28, each half as 14 + 14, each quarter as 7 + 7: one group per byte.
        let x = (raw & 0x0000_0000_0fff_ffff) | ((raw & 0x00ff_ffff_f000_0000) << 4);
        let x = (x & 0x0000_3fff_0000_3fff) | ((x & 0x0fff_c000_0fff_c000) << 2);
        let x = (x & 0x007f_007f_007f_007f) | ((x & 0x3f80_3f80_3f80_3f80) << 1);
        let size = size_of_raw(raw);
        // Every byte but the last says that more follow.
        let continues = 0x8080_8080_8080_8080 & ((1 << (8 * (size - 1))) - 1);
        self.bytes[self.len..self.len + 8].copy_from_slice(&(x | continues).to_le_bytes());
        self.len += size;
    }

    /// Adds 9 or 10 bytes: timestamps a billion years apart.
    #[cold]
    fn push_longest(&mut self, mut raw: u64) {
        while raw >= 0x80 {
            self.push_byte(raw as u8 | 0x80);
            raw >>= 7;
        }
        self.push_byte(raw as u8);
    }
}

impl Default for VarintBuffer {
    fn default() -> Self {
        VarintBuffer::new()
    }
}

/// Takes a varint off the front of `bytes`. `None` when it is cut off, longer than 5 bytes or
/// wider than 32 bits. Padding within 5 bytes is accepted, as brokers do.
pub fn read_varint(bytes: &mut &[u8]) -> Option<i32> {
    // The guard in front leaves 32 bits, whose zig-zag value fits.
    read_raw(bytes, 5).filter(|&raw| raw <= u64::from(u32::MAX)).map(|raw| unzigzag(raw) as i32)
}

/// Takes a varlong off the front of `bytes`. `None` when it is cut off, longer than 10 bytes or
/// wider than 64 bits.
pub fn read_varlong(bytes: &mut &[u8]) -> Option<i64> {
    read_raw(bytes, 10).map(unzigzag)
}

#[inline]
fn read_raw(bytes: &mut &[u8], most: usize) -> Option<u64> {
    let mut raw = 0;
    for (index, &byte) in bytes.iter().take(most).enumerate() {
        let group = u64::from(byte & 0x7f);
        let shifted = group << (7 * index);
        if shifted >> (7 * index) != group {
            return None;
        }
        raw |= shifted;
        if byte < 0x80 {
            *bytes = &bytes[index + 1..];
            return Some(raw);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn varint(value: i32) -> Vec<u8> {
        let mut buffer = VarintBuffer::new();
        buffer.push_varint(value);
        buffer.as_slice().to_vec()
    }

    fn varlong(value: i64) -> Vec<u8> {
        let mut buffer = VarintBuffer::new();
        buffer.push_varlong(value);
        buffer.as_slice().to_vec()
    }

    #[test]
    fn varints_by_hand() {
        let table: [(i32, &[u8]); 12] = [
            (0, &[0x00]),
            (-1, &[0x01]),
            (1, &[0x02]),
            (63, &[0x7e]),
            (-64, &[0x7f]),
            (64, &[0x80, 0x01]),
            (-65, &[0x81, 0x01]),
            (8191, &[0xfe, 0x7f]),
            (-8193, &[0x81, 0x80, 0x01]),
            (1_048_575, &[0xfe, 0xff, 0x7f]),
            (i32::MAX, &[0xfe, 0xff, 0xff, 0xff, 0x0f]),
            (i32::MIN, &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        ];
        for (value, bytes) in table {
            assert_eq!(varint(value), bytes, "{value}");
            assert_eq!(read_varint(&mut &bytes[..]), Some(value));
        }
    }

    #[test]
    fn varlongs_by_hand() {
        let longest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(varlong(i64::MIN), longest);
        assert_eq!(read_varlong(&mut &longest[..]), Some(i64::MIN));
        assert_eq!(varlong(17_179_869_183), [0xfe, 0xff, 0xff, 0xff, 0x7f]);
        assert_eq!(varlong(-17_179_869_185), [0x81, 0x80, 0x80, 0x80, 0x80, 0x01]);
    }

    #[test]
    fn every_length_round_trips_at_its_edges() {
        for bit in 0..63 {
            for value in [(1i64 << bit) - 1, 1 << bit, -(1 << bit), -(1 << bit) - 1] {
                let bytes = varlong(value);
                assert_eq!(bytes.len(), size_of_varlong(value), "{value}");
                assert_eq!(read_varlong(&mut &bytes[..]), Some(value));
            }
        }
    }

    #[test]
    fn overlong_overflowing_and_cut_off_are_refused() {
        assert_eq!(read_varint(&mut &[][..]), None);
        assert_eq!(read_varint(&mut &[0x80][..]), None);
        assert_eq!(read_varint(&mut &[0xff, 0xff, 0xff, 0xff, 0x10][..]), None);
        assert_eq!(read_varint(&mut &[0x80, 0x80, 0x80, 0x80, 0x80, 0x00][..]), None);
        let mut eleven = [0x80; 11];
        eleven[10] = 0;
        assert_eq!(read_varlong(&mut &eleven[..]), None);
        let mut wide = [0xff; 10];
        wide[9] = 0x02;
        assert_eq!(read_varlong(&mut &wide[..]), None);
    }

    #[test]
    fn padding_is_accepted_and_consumed() {
        let mut bytes = &[0x82, 0x80, 0x00, 0x07][..];
        assert_eq!(read_varint(&mut bytes), Some(1));
        assert_eq!(bytes, [0x07]);
    }

    #[test]
    fn a_failed_read_takes_nothing() {
        let mut bytes = &[0x80, 0x80][..];
        assert_eq!(read_varlong(&mut bytes), None);
        assert_eq!(bytes, [0x80, 0x80]);
    }

    proptest! {
        #[test]
        fn varint_round_trip(value: i32) {
            let bytes = varint(value);
            prop_assert_eq!(bytes.len(), size_of_varint(value));
            let mut rest = &bytes[..];
            prop_assert_eq!(read_varint(&mut rest), Some(value));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn varlong_round_trip(value: i64, shift in 0u32..64) {
            let value = value >> shift;
            let bytes = varlong(value);
            prop_assert_eq!(bytes.len(), size_of_varlong(value));
            let mut rest = &bytes[..];
            prop_assert_eq!(read_varlong(&mut rest), Some(value));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn neighbours_in_a_buffer_do_not_disturb_each_other(a: i32, b: i64, c: i32, shift in 0u32..64) {
            let mut buffer = VarintBuffer::new();
            buffer.push_varint(a);
            buffer.push_varlong(b >> shift);
            buffer.push_byte(0xa5);
            buffer.push_varint(c);
            let mut rest = buffer.as_slice();
            prop_assert_eq!(read_varint(&mut rest), Some(a));
            prop_assert_eq!(read_varlong(&mut rest), Some(b >> shift));
            prop_assert_eq!(rest[0], 0xa5);
            rest = &rest[1..];
            prop_assert_eq!(read_varint(&mut rest), Some(c));
            prop_assert!(rest.is_empty());
        }
    }
}
