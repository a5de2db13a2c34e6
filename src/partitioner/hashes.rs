//! The hashes that lay a key to a partition, bit for bit those of the clients they are named after:
//! the same key must keep its partition when a program moves over. Never takes the modulo nor knows
//! how many partitions there are.

/// The seed that Kafka's clients share.
const MURMUR2_SEED: u32 = 0x9747_b28c;
const MURMUR2_MULTIPLIER: u32 = 0x5bd1_e995;

const FNV_OFFSET_BASIS: u32 = 0x811c_9dc5;
const FNV_PRIME: u32 = 0x0100_0193;

/// Java's `Utils.toPositive(Utils.murmur2(key))` and librdkafka's `murmur2`: below 2^31, the sign
/// bit masked away rather than negated.
pub fn murmur2(key: &[u8]) -> u32 {
    murmur2_signed(key) as u32 & 0x7fff_ffff
}

/// Java's `Utils.murmur2`: MurmurHash2 of 32 bits over little-endian words.
pub fn murmur2_signed(key: &[u8]) -> i32 {
    // Keys longer than 4 GiB do not exist in Kafka; the length is an i32 there.
    let mut hash = MURMUR2_SEED ^ key.len() as u32;
    let words = key.chunks_exact(4);
    let tail = words.remainder();
    for word in words {
        let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
        let mut mixed = word.wrapping_mul(MURMUR2_MULTIPLIER);
        mixed ^= mixed >> 24;
        mixed = mixed.wrapping_mul(MURMUR2_MULTIPLIER);
        hash = hash.wrapping_mul(MURMUR2_MULTIPLIER) ^ mixed;
    }
    if !tail.is_empty() {
        let rest = tail.iter().rev().fold(0, |rest, &byte| (rest << 8) | u32::from(byte));
        hash = (hash ^ rest).wrapping_mul(MURMUR2_MULTIPLIER);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(MURMUR2_MULTIPLIER);
    (hash ^ (hash >> 15)) as i32
}

/// The CRC-32 of zlib, which librdkafka's `consistent` and `consistent_random` use; 0 for an empty
/// key.
pub fn crc32(key: &[u8]) -> u32 {
    crc32fast::hash(key)
}

/// librdkafka's `fnv1a`, which follows Sarama's hash partitioner: 32-bit FNV-1a read as a signed
/// number, then its absolute value. Of 2^31, which has none in 32 bits, the bits stay.
pub fn fnv1a(key: &[u8]) -> u32 {
    let hash = key
        .iter()
        .fold(FNV_OFFSET_BASIS, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(FNV_PRIME));
    (hash as i32).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur2_of_java() {
        // Kafka's own vectors; the last four end in 0 to 3 bytes behind the words.
        let table = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
            ("string-f-24-chars-length", 124_730_809),
            ("string-fo-25-chars-length", 1_269_511_650),
            ("string-foo-26-chars-length", 119_165_628),
            ("string-last-27-chars-length", 1_089_971_754),
        ];
        for (key, hash) in table {
            assert_eq!(murmur2_signed(key.as_bytes()), hash, "{key}");
        }
    }

    #[test]
    fn murmur2_loses_its_sign_by_mask() {
        let table = [
            ("kafka", 1_348_980_580),
            ("amqp", 767_747_138),
            ("giberish123456789", 257_239_820),
            ("rule", 473_888_304),
            ("necklace", 1_631_936_446),
            ("agony", 989_421_259),
            ("", 0x106e_08d9),
            ("23456", 0x058d_780f),
            ("this is another string with more length to it perhaps", 0x4f77_03da),
            ("hejsan", 0x5ec1_9395),
        ];
        for (key, hash) in table {
            assert_eq!(murmur2(key.as_bytes()), hash, "{key}");
        }
        assert_eq!(murmur2(b"21"), (-973_932_308i32 as u32) & 0x7fff_ffff);
    }

    #[test]
    fn crc32_of_librdkafka() {
        let table = [
            ("", 0),
            ("23456", 0xb1b4_51d7),
            ("this is another string with more length to it perhaps", 0xb015_0df7),
            ("hejsan", 0xd077_037e),
            ("123456789", 0xcbf4_3926),
        ];
        for (key, hash) in table {
            assert_eq!(crc32(key.as_bytes()), hash, "{key}");
        }
    }

    #[test]
    fn fnv1a_of_librdkafka() {
        let table = [
            ("kafka", 0x0d33_c4e1),
            ("giberish123456789", 0x77a5_8295),
            ("1234", 0x023b_dd03),
            ("234", 0x2dea_3cd2),
            ("34", 0x740f_a83e),
            ("4", 0x310c_a263),
            ("PreAmbleWillBeRemoved,ThePrePartThatIs", 0x65cb_d69c),
            ("reAmbleWillBeRemoved,ThePrePartThatIs", 0x6e49_c79a),
            ("eAmbleWillBeRemoved,ThePrePartThatIs", 0x69ee_d356),
            ("AmbleWillBeRemoved,ThePrePartThatIs", 0x6abc_c023),
            ("", 0x7ee3_623b),
            ("23456", 0x27e6_f469),
            ("this is another string with more length to it perhaps", 0x155e_3e5f),
            ("hejsan", 0x17b1_e27a),
        ];
        for (key, hash) in table {
            assert_eq!(fnv1a(key.as_bytes()), hash, "{key}");
        }
    }
}
