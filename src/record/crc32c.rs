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
///
/// Bytes that follow multiply what stands before them by x^8 each, so this is one multiplication
/// per bit set in the length. (`crc32c_combine` squares matrices instead: 10 us for a batch, more
/// than reading it again.)
pub fn combine(first: u32, second: u32, second_len: usize) -> u32 {
    let mut shifted = first;
    let mut left = second_len;
    while left > 0 {
        shifted = multiply(SHIFTS[left.trailing_zeros() as usize], shifted);
        left &= left - 1;
    }
    shifted ^ second
}

/// Castagnoli's polynomial, bit 31 being x^0 as in every number here.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// x^(8 * 2^k): what 2^k bytes multiply by.
const SHIFTS: [u32; usize::BITS as usize] = {
    let mut shifts = [0; usize::BITS as usize];
    shifts[0] = 1 << (31 - 8);
    let mut k = 1;
    while k < shifts.len() {
        shifts[k] = multiply(shifts[k - 1], shifts[k - 1]);
        k += 1;
    }
    shifts
};

/// The product of two polynomials over GF(2), modulo the polynomial.
const fn multiply(a: u32, b: u32) -> u32 {
    let mut product = 0;
    let mut shifted_b = b;
    let mut power = 0;
    while power < 32 {
        // Masks in place of branches: the bits of a checksum cannot be predicted.
        let coefficient = (a >> (31 - power)) & 1;
        product ^= shifted_b & coefficient.wrapping_neg();
        shifted_b = (shifted_b >> 1) ^ (POLYNOMIAL & (shifted_b & 1).wrapping_neg());
        power += 1;
    }
    product
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

        #[test]
        fn any_length_combines_as_in_the_crate(first: u32, second: u32, len: u32) {
            let len = len as usize;
            let expected = ::crc32c::crc32c_combine(first, second, len);
            prop_assert_eq!(combine(first, second, len), expected);
        }
    }
}
