//! Batches of released Java clients (tests/golden/README.md): ottla reads every one of them, and writes the
//! same bytes where no codec is in between.

use std::collections::BTreeSet;
use std::path::Path;

use ottla::record::compress::{Compression, Encoder};
use ottla::record::{
    assemble, entries, BatchBuilder, BatchSummary, Codec, Entry, Header, Magic, ProducerIdentity,
    Record, TimestampType,
};

const T: i64 = 1_600_000_000_000;
const UNPACKED_BYTES_MAX: usize = 1 << 20;

#[derive(Clone, Debug, PartialEq)]
struct Fields {
    timestamp_ms: i64,
    key: Option<String>,
    value: Option<String>,
    headers: Vec<(&'static str, Option<&'static str>)>,
}

fn fields(timestamp_ms: i64, key: Option<&str>, value: Option<&str>) -> Fields {
    Fields {
        timestamp_ms,
        key: key.map(str::to_owned),
        value: value.map(str::to_owned),
        headers: Vec::new(),
    }
}

/// As tests/golden/Inputs.java.
fn inputs(case: &str) -> Vec<Fields> {
    match case {
        "null" => vec![fields(T, None, None), fields(T, Some("key"), None)],
        "empty" => vec![fields(T, Some(""), Some(""))],
        "headers" => {
            let mut first = fields(T, Some("key"), Some("value"));
            first.headers = vec![("h", Some("v")), ("", None), ("é", Some(""))];
            vec![first, fields(T + 1, None, Some("value"))]
        }
        "big" => {
            let words = |n: u64| {
                (0..60u64).map(move |word| format!("word-{} ", (n * 31 + word * word) % 97))
            };
            (0..40)
                .map(|n| fields(T + n as i64, None, Some(&words(n).collect::<String>())))
                .collect()
        }
        "timestamps" => [0, -64, 65, -70_000, 5_000_000_000]
            .map(|delta| fields(T + delta, None, Some("value")))
            .to_vec(),
        _ => (0..3)
            .map(|n| {
                let key = format!("key-{n}");
                fields(T + n, (case != "plain").then_some(&key), Some(&format!("value-{n}")))
            })
            .collect(),
    }
}

struct Golden {
    codec: Codec,
    case: String,
    bytes: Vec<u8>,
}

fn golden(magic: Magic) -> Vec<Golden> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/v{}.txt", magic as u8));
    let text = std::fs::read_to_string(path).unwrap();
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [codec, case, hex] = words[..] else { panic!("{line}") };
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let codec = match codec {
            "none" => Codec::None,
            "gzip" => Codec::Gzip,
            "snappy" => Codec::Snappy,
            "lz4" => Codec::Lz4,
            _ => Codec::Zstd,
        };
        Golden {
            codec,
            case: case.to_owned(),
            bytes: (0..hex.len()).step_by(2).map(byte).collect(),
        }
    };
    text.lines().filter(|text| !text.starts_with('#')).map(line).collect()
}

/// What a reader has to find, timestamps as the format and the case have them.
fn expected(magic: Magic, case: &str) -> Vec<Fields> {
    let mut expected = inputs(case);
    for record in &mut expected {
        match (magic, case) {
            (Magic::V0, _) => record.timestamp_ms = -1,
            (_, "log-append") => record.timestamp_ms = T + 77,
            _ => {}
        }
    }
    expected
}

#[test]
fn every_batch_of_java_is_read() {
    for magic in [Magic::V0, Magic::V1, Magic::V2] {
        let mut seen = BTreeSet::new();
        for Golden { codec, case, bytes } in golden(magic) {
            if case.starts_with("control") {
                continue;
            }
            let mut found = Vec::new();
            for entry in entries(&bytes) {
                let entry = entry.unwrap();
                entry.verify_crc().unwrap();
                assert_eq!(entry.magic(), magic);
                assert_eq!(entry.codec(), Some(codec));
                for record in entry.unpack(UNPACKED_BYTES_MAX).unwrap().records() {
                    let record = record.unwrap();
                    assert_eq!(record.offset, found.len() as i64, "{magic:?} {codec} {case}");
                    let text = |bytes: Option<&[u8]>| {
                        bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
                    };
                    let headers = record
                        .headers
                        .iter()
                        .map(|h| (h.key.to_owned(), text(h.value)))
                        .collect::<Vec<_>>();
                    found.push((
                        record.timestamp_ms,
                        text(record.key),
                        text(record.value),
                        headers,
                    ));
                }
            }
            let owned = |text: &str| text.to_owned();
            let expected = expected(magic, &case).into_iter().map(|it| {
                let headers = it.headers.iter().map(|&(key, value)| (owned(key), value.map(owned)));
                (it.timestamp_ms, it.key, it.value, headers.collect::<Vec<_>>())
            });
            assert!(found == expected.collect::<Vec<_>>(), "{magic:?} {codec} {case}: {found:?}");
            seen.insert((codec as u8, case));
        }
        let (codecs, cases) = [(4, 5), (4, 7), (5, 9)][magic as usize];
        assert_eq!(seen.len(), codecs * cases, "{magic:?}: the whole matrix is there");
    }
}

fn written(magic: Magic, case: &str) -> Vec<u8> {
    let appended = case == "log-append";
    let kind = if appended { TimestampType::LogAppendTime } else { TimestampType::CreateTime };
    let mut builder = BatchBuilder::new(magic, Codec::None, kind, usize::MAX).unwrap();
    let mut plain = Vec::new();
    for input in inputs(case) {
        let headers = input
            .headers
            .iter()
            .map(|&(key, value)| Header { key, value: value.map(str::as_bytes) });
        let headers: Vec<Header<'_>> = headers.collect();
        let record = Record {
            timestamp_ms: input.timestamp_ms,
            key: input.key.as_deref().map(str::as_bytes),
            value: input.value.as_deref().map(str::as_bytes),
            headers: &headers,
        };
        builder.append_with_offset(builder.count(), &record, &mut plain).unwrap();
    }
    whole(&builder.summary(), &plain, case == "transactional")
}

fn whole(summary: &BatchSummary, plain: &[u8], transactional: bool) -> Vec<u8> {
    let mut identity = ProducerIdentity::NONE;
    if transactional {
        identity = ProducerIdentity {
            producer_id: 4711,
            producer_epoch: 3,
            base_sequence: 7,
            transactional,
        };
    }
    assemble(summary, &identity, plain, Compression::NONE, &mut Encoder::new()).unwrap()
}

#[test]
fn what_is_not_compressed_is_written_byte_for_byte_as_java_does() {
    let mut compared = 0;
    for magic in [Magic::V0, Magic::V1, Magic::V2] {
        for Golden { codec, case, bytes } in golden(magic) {
            // The broker's time is written by brokers alone.
            if codec == Codec::None && case != "log-append" && !case.starts_with("control") {
                assert!(written(magic, &case) == bytes, "{magic:?} {case}");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 5 + 6 + 8);
}

#[test]
fn a_marker_is_written_as_java_does_and_known_as_one() {
    let markers = golden(Magic::V2);
    let markers: Vec<_> = markers.iter().filter(|it| it.case.starts_with("control")).collect();
    assert_eq!(markers.len(), 2);
    for (marker, kind) in markers.iter().zip([1u8, 0]) {
        let Some(Ok(Entry::Batch(batch))) = entries(&marker.bytes).next() else {
            panic!("no batch")
        };
        batch.verify_crc().unwrap();
        let header = batch.header();
        assert!(header.is_control() && header.is_transactional(), "{}", marker.case);
        // Version 0 and the sort; version 0 and the coordinator's epoch.
        let (key, value) = ([0, 0, 0, kind], [0, 0, 0, 0, 0, 9]);
        let record = Record { timestamp_ms: T, key: Some(&key), value: Some(&value), headers: &[] };
        let (mut builder, mut plain) = (BatchBuilder::new_control(), Vec::new());
        builder.append_control(&record, &mut plain).unwrap();
        let identity = ProducerIdentity {
            producer_id: 4711,
            producer_epoch: 3,
            base_sequence: -1,
            transactional: true,
        };
        let mut encoder = Encoder::new();
        let mut written =
            assemble(&builder.summary(), &identity, &plain, Compression::NONE, &mut encoder)
                .unwrap();
        // Partition leader epoch: Java's marker has that of a leader, 0, which the checksum leaves out.
        written[12..16].copy_from_slice(&marker.bytes[12..16]);
        assert!(written == marker.bytes, "{}", marker.case);
    }
}
