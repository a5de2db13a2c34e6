//! Records of any shape, in any format and codec: what is written is read, and no checksum or length is off.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ottla::record::compress::{Compression, Encoder};
use ottla::record::{assemble_records, entries, Codec, Header, Magic, Record, NO_TIMESTAMP};

/// Cuts the fuzzer's bytes into what a record is made of.
struct Cutter<'a>(&'a [u8]);

impl<'a> Cutter<'a> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    fn field(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.byte());
        if length == 255 {
            return None;
        }
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        Some(taken)
    }

    fn timestamp(&mut self) -> i64 {
        match self.byte() {
            0 => NO_TIMESTAMP,
            1 => i64::MAX,
            near => 1_600_000_000_000 + i64::from(near),
        }
    }
}

type Fields<'a> = (i64, Option<&'a [u8]>, Option<&'a [u8]>, Vec<Header<'a>>);

fuzz_target!(|data: &[u8]| {
    let mut cutter = Cutter(data);
    let magic = Magic::from_id(cutter.byte() % 3).unwrap();
    let codec = Codec::from_id(cutter.byte() % 5).unwrap();
    let compression = Compression::with_level(codec, i32::from(cutter.byte() as i8));
    let mut all: Vec<Fields<'_>> = Vec::new();
    while !cutter.0.is_empty() && all.len() < 200 {
        let (timestamp_ms, key, value) = (cutter.timestamp(), cutter.field(), cutter.field());
        let count = if magic == Magic::V2 { cutter.byte() % 4 } else { 0 };
        let headers = (0..count)
            .map(|_| {
                let key = std::str::from_utf8(cutter.field().unwrap_or_default()).unwrap_or("?");
                Header { key, value: cutter.field() }
            })
            .collect();
        all.push((timestamp_ms, key, value, headers));
    }
    // There is no batch of nothing; and a codec that is not told a size prepares for the largest.
    if all.is_empty() {
        return;
    }
    let records: Vec<Record<'_>> = all
        .iter()
        .map(|(timestamp_ms, key, value, headers)| Record {
            timestamp_ms: *timestamp_ms,
            key: *key,
            value: *value,
            headers,
        })
        .collect();
    let built = assemble_records(magic, compression, records.iter().copied(), &mut Encoder::new());
    let bytes = match built {
        Ok(bytes) => bytes,
        Err(_) => {
            assert!(!codec.fits(magic));
            return;
        }
    };
    let mut back = records.iter();
    for entry in entries(&bytes) {
        let entry = entry.unwrap();
        entry.verify_crc().unwrap();
        let unpacked = entry.unpack(1 << 24).unwrap();
        for record in unpacked.records() {
            let (record, sent) = (record.unwrap(), back.next().unwrap());
            let timestamp_ms = if magic == Magic::V0 { NO_TIMESTAMP } else { sent.timestamp_ms };
            assert_eq!(record.as_record(), Record { timestamp_ms, ..*sent });
        }
    }
    assert!(back.next().is_none());
});
