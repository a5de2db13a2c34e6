//! Record sets of unknown origin: reading ends in records or an error, in whatever format and codec.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ottla::record::{batches, entries, RecordStream};

/// Far less than the fuzzer's limit of memory, so that a batch that unpacks to more is an error.
const MOST: usize = 8 << 20;

fuzz_target!(|data: &[u8]| {
    for batch in batches(data) {
        let Ok(batch) = batch else { break };
        let _ = batch.verify_crc();
        let records = batch.records().map_while(Result::ok).count();
        assert!(records <= batch.payload().len(), "a record takes at least one byte");
    }
    for entry in entries(data) {
        let Ok(entry) = entry else { break };
        let _ = entry.verify_crc();
        let Ok(unpacked) = entry.unpack(MOST) else { continue };
        let mut records = 0;
        for record in unpacked.records() {
            let Ok(record) = record else { break };
            let _ = format!("{record:?}");
            records += 1;
        }
        assert!(records <= unpacked.plain().len(), "a record takes at least one byte");
    }
    let mut stream = RecordStream::new(data, 0);
    while let Ok(Some(record)) = stream.read_next() {
        let _ = record.as_record();
    }
});
