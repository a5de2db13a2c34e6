//! CRC-32C (Castagnoli), the checksum of v2 batches. Owns the choice of implementation, so that
//! nothing else names it; never decides which bytes are covered.

/// The checksum of `bytes`.
#[inline]
pub fn checksum(bytes: &[u8]) -> u32 {
    ::crc32c::crc32c(bytes)
}

/// The checksum of what `crc` covers, followed by `bytes`.
#[inline]
pub fn append(crc: u32, bytes: &[u8]) -> u32 {
    ::crc32c::crc32c_append(crc, bytes)
}

/// The checksum of what `first` covers followed by the `second_len` bytes that `second` covers,
/// without reading either: a batch header changes per attempt, its payload is read only once.
#[inline]
pub fn combine(first: u32, second: u32, second_len: usize) -> u32 {
    ::crc32c::crc32c_combine(first, second, second_len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_vectors() {
        // RFC 3720, appendix B.4, and the check value of the CRC catalogue.
        assert_eq!(checksum(&[0; 32]), 0x8a91_36aa);
        assert_eq!(checksum(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(checksum(&(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
        assert_eq!(checksum(&(0..32).rev().collect::<Vec<u8>>()), 0x113f_db5c);
        assert_eq!(checksum(b"123456789"), 0xe306_9283);
        assert_eq!(checksum(b""), 0);
    }

    #[test]
    fn lengths_beyond_any_test_buffer_combine() {
        // Appending a megabyte of zeros 64 times equals combining with 64 MiB of them at once.
        let (first, mega) = (checksum(b"head"), checksum(&vec![0; 1 << 20]));
        let mut all = mega;
        let mut stepwise = combine(first, mega, 1 << 20);
        for _ in 1..64 {
            all = combine(all, mega, 1 << 20);
            stepwise = combine(stepwise, mega, 1 << 20);
        }
        assert_eq!(combine(first, all, 64 << 20), stepwise);
    }

    proptest! {
        #[test]
        fn parts_give_the_checksum_of_the_whole(
            bytes in proptest::collection::vec(any::<u8>(), 0..3000),
            cut in any::<proptest::sample::Index>(),
        ) {
            let (first, second) = bytes.split_at(cut.index(bytes.len() + 1));
            let whole = checksum(&bytes);
            prop_assert_eq!(append(checksum(first), second), whole);
            prop_assert_eq!(combine(checksum(first), checksum(second), second.len()), whole);
        }
    }
}
