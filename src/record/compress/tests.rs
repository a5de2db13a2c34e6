//! Every codec there and back, at every level, in any portions; and against bytes nobody compressed.

use std::io::Read;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// Those that are built in: under Miri, which runs no C, that is not zstd.
fn codecs() -> impl Iterator<Item = Codec> {
    let all = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];
    all.into_iter().filter(|codec| codec.is_built())
}

const MOST: usize = 64 << 20;

fn every_level() -> Vec<Compression> {
    let gzip = (0..=9).map(|level| Compression::with_level(Codec::Gzip, level));
    let lz4 = (1..=17).map(|level| Compression::with_level(Codec::Lz4, level));
    // The highest ones take their time.
    let zstd = [-131_072, -100, -1, 1, 2, 3, 5, 9, 12, 15];
    let zstd = zstd.map(|level| Compression::with_level(Codec::Zstd, level));
    let plain = [Compression::NONE, Compression::new(Codec::Snappy)];
    plain.into_iter().chain(gzip).chain(lz4).chain(zstd).collect()
}

fn fits() -> impl Iterator<Item = (Compression, Magic)> {
    let magics = [Magic::V0, Magic::V1, Magic::V2];
    let all = every_level().into_iter().flat_map(move |c| magics.map(|magic| (c, magic)));
    all.filter(|(compression, magic)| {
        let codec = compression.codec();
        codec.is_built() && codec.fits(*magic)
    })
}

/// Records as programs send them: words that come again, numbers that do not.
fn lines(count: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut bytes = Vec::new();
    for n in 0..count {
        let (user, amount) = (random.u32(0..100_000), random.u32(0..10_000));
        bytes.extend_from_slice(
            format!("{{\"id\":{n},\"user\":\"u{user:06}\",\"amount\":{amount},\"ok\":true}}\n")
                .as_bytes(),
        );
    }
    bytes
}

fn noise(bytes: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(11);
    (0..bytes).map(|_| random.u8(..)).collect()
}

fn in_portions(
    encoder: &mut Encoder,
    compression: Compression,
    magic: Magic,
    plain: &[u8],
    portion: usize,
) -> Vec<u8> {
    let mut out = Vec::new();
    encoder.begin(compression, magic, plain.len(), &mut out).unwrap();
    for part in plain.chunks(portion) {
        encoder.write(part, &mut out).unwrap();
    }
    encoder.finish(&mut out).unwrap();
    out
}

#[test]
fn every_level_and_format_there_and_back_within_its_bound() {
    let inputs = [vec![], b"a".to_vec(), lines(1200), noise(66_000), vec![0; 140_000]];
    let mut encoder = Encoder::new();
    for (compression, magic) in fits() {
        for plain in &inputs {
            for portion in [1000, 1 << 20] {
                let packed = in_portions(&mut encoder, compression, magic, plain, portion);
                let bound = plain.len() + compression.growth_max(plain.len());
                assert!(
                    packed.len() <= bound,
                    "{compression:?}: {} of {}",
                    packed.len(),
                    plain.len()
                );
                let back = decompress(compression.codec(), magic, &packed, MOST).unwrap();
                assert!(back == *plain, "{compression:?} {magic:?} in {portion}s");
            }
        }
    }
}

#[test]
fn what_comes_again_is_packed_and_harder_levels_pack_tighter() {
    let plain = lines(5000);
    let mut encoder = Encoder::new();
    let mut size = |codec, level| {
        let compression = Compression::with_level(codec, level);
        encoder.compress(compression, Magic::V2, &plain).unwrap().len()
    };
    let levels = [(Codec::Gzip, 1, 9), (Codec::Lz4, 9, 12), (Codec::Zstd, -1, 15)];
    for (codec, weak, strong) in levels.into_iter().filter(|level| level.0.is_built()) {
        let (weak, strong) = (size(codec, weak), size(codec, strong));
        assert!(strong < weak && weak < plain.len() / 2, "{codec}: {weak}, {strong}");
    }
    assert!(size(Codec::Lz4, 3) > size(Codec::Lz4, 8), "lz4's levels differ");
    assert_eq!(size(Codec::Lz4, 12), size(Codec::Lz4, 17));
    assert!(size(Codec::Snappy, 0) < plain.len() / 2);
}

#[test]
fn portions_do_not_show() {
    let plain = lines(4000);
    let mut encoder = Encoder::new();
    // gzip and zstd look as far ahead as there is input, so they are not among these.
    for codec in [Codec::Snappy, Codec::Lz4] {
        let whole = encoder.compress(Compression::new(codec), Magic::V2, &plain).unwrap();
        for portion in [777, 16_384, 65_536] {
            let parts =
                in_portions(&mut encoder, Compression::new(codec), Magic::V2, &plain, portion);
            assert!(parts == whole, "{codec} in {portion}s");
        }
    }
}

#[test]
fn a_batch_given_up_leaves_nothing_behind() {
    let mut encoder = Encoder::new();
    for codec in codecs() {
        let compression = Compression::new(codec);
        let alone = Encoder::new().compress(compression, Magic::V2, b"second").unwrap();
        let mut out = Vec::new();
        encoder.begin(compression, Magic::V2, 100_000, &mut out).unwrap();
        encoder.write(&noise(50_000), &mut out).unwrap();
        assert_eq!(encoder.compress(compression, Magic::V2, b"second").unwrap(), alone, "{codec}");
        assert!(encoder.finish(&mut out).is_err(), "nothing is begun any more");
        assert!(encoder.write(b"x", &mut out).is_err());
    }
}

#[test]
fn zstd_needs_the_newest_format() {
    for magic in [Magic::V0, Magic::V1] {
        let refused = Encoder::new().compress(Compression::new(Codec::Zstd), magic, b"x");
        assert_eq!(refused.unwrap_err().code(), ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
        let refused = decompress(Codec::Zstd, magic, b"x", MOST);
        assert_eq!(refused.unwrap_err().code(), ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
    }
}

/// Level 3 has smaller tables here than in the library; what one batch sets must not reach the next.
#[cfg(feature = "zstd")]
#[test]
fn zstd_with_smaller_tables_packs_as_tightly() {
    let mut theirs = zstd_safe::CCtx::create();
    let mut encoder = Encoder::new();
    let sources = include_bytes!("tests.rs").repeat(2);
    let (large, small) = ([lines(12_000), sources].concat(), lines(1000));
    for (level, plain, most) in
        [(3, &large, 1.02), (3, &small, 1.0), (4, &large, 1.0), (3, &large, 1.02)]
    {
        let compression = Compression::with_level(Codec::Zstd, level);
        let ours = encoder.compress(compression, Magic::V2, plain).unwrap().len();
        let mut out = Vec::with_capacity(plain.len());
        theirs.compress(&mut out, plain, level).unwrap();
        // Portions end blocks elsewhere, by some bytes.
        assert!(ours as f64 <= out.len() as f64 * most + 64.0, "{level}: {ours}, {}", out.len());
    }
}

#[test]
fn levels_are_brought_into_their_range() {
    let level = |codec, level| Compression::with_level(codec, level).level();
    assert_eq!((level(Codec::Gzip, -5), level(Codec::Gzip, 99)), (0, 9));
    assert_eq!((level(Codec::Lz4, 0), level(Codec::Lz4, 99)), (1, 17));
    assert_eq!((level(Codec::Zstd, i32::MIN), level(Codec::Zstd, 99)), (-131_072, 22));
    assert_eq!((level(Codec::Snappy, 4), level(Codec::None, 4)), (0, 0));
}

#[test]
fn what_decompresses_to_more_than_the_limit_is_refused() {
    let plain = vec![7; 1 << 20];
    for codec in codecs() {
        let packed = Encoder::new().compress(Compression::new(codec), Magic::V2, &plain).unwrap();
        let refused = decompress(codec, Magic::V2, &packed, plain.len() - 1).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::RECORD_TOO_LARGE, "{codec}");
        assert!(decompress(codec, Magic::V2, &packed, plain.len()).unwrap() == plain);
    }
}

#[test]
fn what_is_cut_off_is_an_error() {
    let plain = lines(1500);
    for codec in codecs().filter(|codec| *codec != Codec::None) {
        let packed = Encoder::new().compress(Compression::new(codec), Magic::V2, &plain).unwrap();
        for cut in [0, 1, 5, 10, 17, packed.len() / 2, packed.len() - 1] {
            let found = decompress(codec, Magic::V2, &packed[..cut], MOST);
            // Snappy's framing has no end: cut between two blocks, it is only shorter.
            let shorter = codec == Codec::Snappy && cut == 16;
            assert!(found.is_err() || shorter, "{codec} cut at {cut}");
        }
    }
}

#[test]
fn parts_one_after_the_other_are_read_as_one() {
    // As gzip, lz4 and zstd define it for members and frames.
    for codec in codecs().filter(|codec| !matches!(codec, Codec::None | Codec::Snappy)) {
        let pack =
            |bytes| Encoder::new().compress(Compression::new(codec), Magic::V2, bytes).unwrap();
        let both = [pack(b"one "), pack(b"two")].concat();
        assert_eq!(decompress(codec, Magic::V2, &both, MOST).unwrap(), b"one two", "{codec}");
    }
}

#[test]
fn frames_of_others() {
    let bytes = |hex: &str| -> Vec<u8> {
        let digits: String = hex.split_whitespace().collect();
        (0..digits.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap())
            .collect()
    };
    // By hand: a frame whose header tells the size, with checksums of its block and of its content.
    let sized =
        bytes("04224d18 7c40 0500000000000000 6a 05000080 68656c6c6f 4b6f48bc 00000000 f3fb0e00");
    let flags = sized[4];
    let checksum = (twox_hash::XxHash32::oneshot(0, &sized[4..14]) >> 8) as u8;
    let block = twox_hash::XxHash32::oneshot(0, b"hello").to_le_bytes();
    assert_eq!(flags >> 6, 1);
    let mut sized = sized;
    sized[14] = checksum;
    let block_at = sized.len() - 12;
    sized[block_at..block_at + 4].copy_from_slice(&block);
    assert_eq!(decompress(Codec::Lz4, Magic::V1, &sized, MOST).unwrap(), b"hello");
    sized[block_at] ^= 1;
    assert!(decompress(Codec::Lz4, Magic::V1, &sized, MOST).is_err(), "a block's checksum");
    // Blocks that depend on each other.
    let mut linked = bytes("04224d18 4040 00 01000080 61 00000000");
    linked[6] = (twox_hash::XxHash32::oneshot(0, &linked[4..6]) >> 8) as u8;
    assert!(decompress(Codec::Lz4, Magic::V1, &linked, MOST).is_err());
    // Snappy without framing: five bytes, a literal of all of them.
    assert_eq!(
        decompress(Codec::Snappy, Magic::V1, &bytes("05 10 68656c6c6f"), MOST).unwrap(),
        b"hello"
    );
}

#[test]
fn lz4_of_the_oldest_format_has_its_own_checksum() {
    let pack =
        |magic| Encoder::new().compress(Compression::new(Codec::Lz4), magic, b"hello").unwrap();
    let (old, new) = (pack(Magic::V0), pack(Magic::V1));
    assert_eq!(new, pack(Magic::V2));
    // The specification's, for independent blocks of 64 KiB; and what old clients wrote in its place.
    assert_eq!(new[..7], [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
    assert_ne!(old[6], new[6]);
    assert_eq!((&old[..6], &old[7..]), (&new[..6], &new[7..]));
    // v0 takes both, the others only the right one.
    for packed in [&old, &new] {
        assert_eq!(decompress(Codec::Lz4, Magic::V0, packed, MOST).unwrap(), b"hello");
    }
    assert!(decompress(Codec::Lz4, Magic::V1, &old, MOST).is_err());
}

#[test]
fn claims_cost_nothing() {
    // Lengths of gigabytes in a few bytes.
    let snappy =
        [b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".as_slice(), &[0x7f, 0xff, 0xff, 0xff, 1]].concat();
    assert!(decompress(Codec::Snappy, Magic::V2, &snappy, MOST).is_err());
    let unframed = [0xff, 0xff, 0xff, 0xff, 0x0f, 0x00];
    assert!(decompress(Codec::Snappy, Magic::V2, &unframed, MOST).is_err());
}

fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
    let words = vec(prop_oneof![Just(b"alpha ".to_vec()), vec(any::<u8>(), 0..9)], 0..2000);
    words.prop_map(|words| words.concat())
}

fn some_compression() -> impl Strategy<Value = Compression> {
    let built = |compression: &Compression| compression.codec().is_built();
    any::<Index>().prop_map(move |index| {
        *index.get(&every_level().into_iter().filter(built).collect::<Vec<_>>())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_there_and_back(
        plain in some_bytes(),
        compression in some_compression(),
        portion in 1usize..5000,
    ) {
        let packed = in_portions(&mut Encoder::new(), compression, Magic::V2, &plain, portion);
        prop_assert!(packed.len() <= plain.len() + compression.growth_max(plain.len()));
        let back = decompress(compression.codec(), Magic::V2, &packed, MOST).unwrap();
        prop_assert!(back == plain);
    }

    #[test]
    fn the_output_may_be_taken_in_any_portions(plain in some_bytes(), portion in 1usize..300) {
        for codec in codecs() {
            let packed = Encoder::new().compress(Compression::new(codec), Magic::V2, &plain).unwrap();
            let mut reader = Decoder::new(codec, Magic::V2, &packed[..]).unwrap();
            let (mut back, mut part) = (Vec::new(), vec![0; portion]);
            loop {
                let count = reader.read(&mut part).unwrap();
                if count == 0 { break; }
                back.extend_from_slice(&part[..count]);
            }
            prop_assert!(back == plain, "{codec}");
        }
    }

    #[test]
    fn flipped_bits_and_rubbish_never_panic(
        plain in some_bytes(),
        flips in vec((any::<Index>(), 0u8..8), 1..4),
        rubbish in vec(any::<u8>(), 0..200),
    ) {
        for codec in codecs() {
            let mut packed = Encoder::new().compress(Compression::new(codec), Magic::V2, &plain).unwrap();
            for (at, bit) in &flips {
                if !packed.is_empty() {
                    let at = at.index(packed.len());
                    packed[at] ^= 1 << bit;
                }
            }
            let _ = decompress(codec, Magic::V2, &packed, MOST);
            let _ = decompress(codec, Magic::V2, &rubbish, MOST);
        }
    }
}
