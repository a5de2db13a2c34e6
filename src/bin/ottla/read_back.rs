//! Prints what the embedded cluster holds of a topic: plain bytes as kcat's consumer would, or JSON.

use std::io::{self, BufWriter, Write};

use base64::prelude::{Engine, BASE64_STANDARD};
use ottla::mock::{Isolation, MockCluster, OwnedRecord};
use serde_json::{json, Value};

use crate::exit::Failure;
use crate::output::checked;

/// Prints every record of `topic` that a reader of committed data sees, partition by partition, in the order
/// of offsets. Plain, a record is its value with `between` behind it, and its key in front if there is a
/// delimiter for keys.
pub fn print(
    mock: &MockCluster,
    topic: &str,
    key_delimiter: Option<&[u8]>,
    between: &[u8],
    json: bool,
) -> Result<(), Failure> {
    let failed = |error: ottla::error::Error| Failure::work(format!("reading back: {error}"));
    let mut out = BufWriter::new(io::stdout().lock());
    let partitions = mock.partition_count(topic).map_err(failed)?;
    for partition in 0..partitions as i32 {
        let isolation = Isolation::ReadCommitted;
        for record in mock.records_isolated(topic, partition, isolation).map_err(failed)? {
            let written = match json {
                true => writeln!(out, "{}", as_json(topic, partition, &record)),
                false => write_plain(&mut out, &record, key_delimiter, between),
            };
            checked(written)?;
        }
    }
    checked(out.flush())
}

fn write_plain(
    out: &mut impl Write,
    record: &OwnedRecord,
    key_delimiter: Option<&[u8]>,
    between: &[u8],
) -> io::Result<()> {
    if let Some(delimiter) = key_delimiter {
        out.write_all(record.key.as_deref().unwrap_or_default())?;
        out.write_all(delimiter)?;
    }
    out.write_all(record.value.as_deref().unwrap_or_default())?;
    out.write_all(between)
}

fn as_json(topic: &str, partition: i32, record: &OwnedRecord) -> Value {
    let headers: Vec<Value> = record
        .headers
        .iter()
        .map(|(name, value)| json!([name, bytes_as_json(value.as_deref())]))
        .collect();
    json!({
        "topic": topic,
        "partition": partition,
        "offset": record.offset,
        "timestamp_ms": record.timestamp_ms,
        "key": bytes_as_json(record.key.as_deref()),
        "value": bytes_as_json(record.value.as_deref()),
        "headers": headers,
    })
}

/// A string where the bytes are UTF-8, else `{"base64": …}`; `null` for null.
fn bytes_as_json(bytes: Option<&[u8]>) -> Value {
    match bytes.map(|bytes| (std::str::from_utf8(bytes), bytes)) {
        None => Value::Null,
        Some((Ok(text), _)) => Value::from(text),
        Some((Err(_), bytes)) => json!({ "base64": BASE64_STANDARD.encode(bytes) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_base64() {
        assert_eq!(bytes_as_json(None), Value::Null);
        assert_eq!(bytes_as_json(Some(b"")), json!(""));
        assert_eq!(bytes_as_json(Some("ü\n".as_bytes())), json!("ü\n"));
        assert_eq!(bytes_as_json(Some(&[0xff, 0])), json!({ "base64": "/wA=" }));
    }
}
