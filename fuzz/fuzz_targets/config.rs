//! Configuration from strangers: pairs of any text. Each ends in a value or an error whose text is of a
//! sensible length; building never panics, whatever was accepted before.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ottla::config::ConfigMap;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut map = ConfigMap::new();
    for line in text.lines() {
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        match map.set(key, value) {
            Ok(()) => {
                let _ = map.get(key);
            }
            Err(error) => assert!(error.message().len() < 4096, "{} bytes", error.message().len()),
        }
    }
    let _ = format!("{map:?}");
    if let Err(error) = map.build() {
        assert!(!error.message().is_empty());
    }
});
