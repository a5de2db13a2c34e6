//! Kafka's primitive types, read from and written to bytes. Knows no message.

/// Reads a request body; every method gives `None` when the bytes run out.
pub struct Reader<'a> {
    bytes: &'a [u8],
    pub at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub fn i8(&mut self) -> Option<i8> {
        self.array().map(i8::from_be_bytes)
    }

    pub fn i16(&mut self) -> Option<i16> {
        self.array().map(i16::from_be_bytes)
    }

    pub fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub fn unsigned_varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A length where -1 is null: fixed in the old form, an unsigned varint of length + 1 in the flexible one.
    pub fn array_len(&mut self, flexible: bool) -> Option<i64> {
        if flexible {
            Some(self.unsigned_varint()? as i64 - 1)
        } else {
            self.i32().map(i64::from)
        }
    }

    pub fn string(&mut self, flexible: bool) -> Option<Option<&'a str>> {
        let length =
            if flexible { self.unsigned_varint()? as i64 - 1 } else { i64::from(self.i16()?) };
        if length < 0 {
            return Some(None);
        }
        Some(Some(std::str::from_utf8(self.take(length as usize)?).ok()?))
    }

    pub fn tags(&mut self, flexible: bool) -> Option<()> {
        if flexible {
            for _ in 0..self.unsigned_varint()? {
                self.unsigned_varint()?;
                let length = self.unsigned_varint()? as usize;
                self.take(length)?;
            }
        }
        Some(())
    }
}

/// Writes a response with its length in front.
pub struct Writer {
    pub bytes: Vec<u8>,
    flexible: bool,
}

impl Writer {
    /// Begins a response in `bytes`, whose contents are dropped.
    pub fn begin(
        mut bytes: Vec<u8>,
        correlation: i32,
        flexible_header: bool,
        flexible: bool,
    ) -> Writer {
        bytes.clear();
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&correlation.to_be_bytes());
        if flexible_header {
            bytes.push(0);
        }
        Writer { bytes, flexible }
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub fn i8(&mut self, value: i8) {
        self.raw(&value.to_be_bytes());
    }

    pub fn i16(&mut self, value: i16) {
        self.raw(&value.to_be_bytes());
    }

    pub fn i32(&mut self, value: i32) {
        self.raw(&value.to_be_bytes());
    }

    pub fn i64(&mut self, value: i64) {
        self.raw(&value.to_be_bytes());
    }

    fn unsigned_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    pub fn string(&mut self, text: Option<&str>) {
        match (text, self.flexible) {
            (None, true) => self.unsigned_varint(0),
            (None, false) => self.i16(-1),
            (Some(text), true) => {
                self.unsigned_varint(text.len() as u64 + 1);
                self.raw(text.as_bytes());
            }
            (Some(text), false) => {
                self.i16(text.len() as i16);
                self.raw(text.as_bytes());
            }
        }
    }

    pub fn array(&mut self, count: usize) {
        if self.flexible {
            self.unsigned_varint(count as u64 + 1);
        } else {
            self.i32(count as i32);
        }
    }

    pub fn tags(&mut self) {
        if self.flexible {
            self.bytes.push(0);
        }
    }

    /// The response.
    pub fn end(mut self) -> Vec<u8> {
        let length = (self.bytes.len() - 4) as i32;
        self.bytes[..4].copy_from_slice(&length.to_be_bytes());
        self.bytes
    }
}
