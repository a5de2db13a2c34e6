//! Delimiters as they are typed: `\n`, `\r`, `\t`, `\0`, `\\` and `\xNN` stand for one byte each.

/// The bytes that `text` stands for. The error says what is wrong with it.
pub fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let Some((&letter, tail)) = rest.split_first() else {
            return Err(
                "a single \\ at the end stands for nothing; write \\\\ for itself".to_owned()
            );
        };
        rest = tail;
        bytes.push(match letter {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'0' => 0,
            b'\\' => b'\\',
            b'x' => {
                let digits = rest.get(..2).and_then(|two| std::str::from_utf8(two).ok());
                let byte = digits.and_then(hex_byte).ok_or("\\x needs two hexadecimal digits")?;
                rest = &rest[2..];
                byte
            }
            _ => return Err("only \\n, \\r, \\t, \\0, \\\\ and \\xNN are known".to_owned()),
        });
    }
    Ok(bytes)
}

/// Two hexadecimal digits; `from_str_radix` alone would also take a sign.
fn hex_byte(two: &str) -> Option<u8> {
    let all_digits = two.bytes().all(|byte| byte.is_ascii_hexdigit());
    u8::from_str_radix(two, 16).ok().filter(|_| all_digits)
}

/// As [`unescape`], for a delimiter: it cannot be empty.
pub fn delimiter(text: &str) -> Result<Vec<u8>, String> {
    match unescape(text)? {
        bytes if bytes.is_empty() => Err("a delimiter has at least one byte".to_owned()),
        bytes => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_bytes() {
        for (text, bytes) in [
            ("abc", &b"abc"[..]),
            ("\\n", b"\n"),
            ("\\r\\n", b"\r\n"),
            ("\\t|\\0", b"\t|\0"),
            ("\\x00\\xfF", &[0, 255]),
            ("\\\\n", b"\\n"),
            ("ü", "ü".as_bytes()),
            ("", b""),
        ] {
            assert_eq!(unescape(text).unwrap(), bytes, "{text}");
        }
    }

    #[test]
    fn what_is_no_escape_is_refused() {
        for text in ["\\", "a\\", "\\q", "\\x", "\\x1", "\\xg0", "\\x+1", "\\xü"] {
            assert!(unescape(text).is_err(), "{text}");
        }
        assert!(delimiter("").is_err());
        assert_eq!(delimiter("::").unwrap(), b"::");
    }
}
