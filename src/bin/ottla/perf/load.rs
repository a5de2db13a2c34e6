//! The records of a measurement: values and keys, drawn without allocation and without waiting.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use crate::escapes;
use crate::exit::Failure;
use crate::input::find;

use super::tally::{Sizes, PAYLOADS_MAX};

/// Random letters beyond one value, so that each record gets other ones.
const EXTRA_LETTERS: usize = 64 * 1024;

/// `--keys`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Keys {
    /// Null.
    None,
    /// Any of 2^64.
    Random,
    /// Any of this many.
    Of(u64),
}

impl FromStr for Keys {
    type Err = String;

    fn from_str(text: &str) -> Result<Keys, String> {
        match text {
            "none" => Ok(Keys::None),
            "random" => Ok(Keys::Random),
            number => match number.parse() {
                Ok(count) if count > 0 => Ok(Keys::Of(count)),
                _ => Err("keys are none, random, or how many different ones there are".to_owned()),
            },
        }
    }
}

/// Where values come from.
#[derive(Debug)]
pub enum Payloads {
    /// Windows of one size in random letters.
    Letters {
        /// The letters.
        pool: Vec<u8>,
        /// The size of a value.
        size: usize,
    },
    /// The values of a file, in turn.
    Listed(Vec<Vec<u8>>),
}

impl Payloads {
    /// Random letters, which compress a little, as text does.
    pub fn letters(size: usize) -> Payloads {
        let mut random = fastrand::Rng::new();
        let pool = (0..size.saturating_add(EXTRA_LETTERS)).map(|_| random.u8(b'A'..=b'Z'));
        Payloads::Letters { pool: pool.collect(), size }
    }

    /// The values of a file.
    pub fn from_file(path: &Path, delimiter: &str) -> Result<Payloads, Failure> {
        let shown = path.display();
        let delimiter = escapes::delimiter(delimiter)
            .map_err(|what| Failure::usage(format!("--payload-delimiter: {what}")))?;
        let bytes = fs::read(path).map_err(|cause| {
            Failure::usage(format!("cannot read payloads from {shown}: {cause}"))
        })?;
        let mut values = Vec::new();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let end = find(rest, &delimiter).unwrap_or(rest.len());
            if end > 0 {
                values.push(rest[..end].to_vec());
            }
            rest = rest.get(end + delimiter.len()..).unwrap_or_default();
        }
        match values.len() {
            0 => Err(Failure::usage(format!("{shown} holds no payload"))),
            count if count > PAYLOADS_MAX => Err(Failure::usage(format!(
                "{shown} holds {count} payloads, more than {PAYLOADS_MAX}"
            ))),
            _ => Ok(Payloads::Listed(values)),
        }
    }

    /// The size of each value by its number.
    pub fn sizes(&self) -> Sizes {
        match self {
            Payloads::Letters { size, .. } => Sizes::Same(*size as u64),
            Payloads::Listed(values) => {
                Sizes::Each(values.iter().map(|value| value.len() as u64).collect())
            }
        }
    }
}

/// What one record is to hold.
pub struct Draw<'a> {
    /// The number of the value, for its size.
    pub payload: usize,
    /// The value.
    pub value: &'a [u8],
    /// The key.
    pub key: Option<&'a [u8]>,
}

/// One thread's source of records.
pub struct Load<'a> {
    payloads: &'a Payloads,
    keys: Keys,
    random: fastrand::Rng,
    next: usize,
    key: [u8; 16],
}

impl<'a> Load<'a> {
    /// A source that begins at a random place.
    pub fn new(payloads: &'a Payloads, keys: Keys) -> Load<'a> {
        let mut random = fastrand::Rng::new();
        let next = match payloads {
            Payloads::Letters { .. } => random.usize(..EXTRA_LETTERS),
            Payloads::Listed(values) => random.usize(..values.len()),
        };
        Load { payloads, keys, random, next, key: [0; 16] }
    }

    /// The next record.
    #[inline]
    pub fn draw(&mut self) -> Draw<'_> {
        let key = match self.keys {
            Keys::None => None,
            Keys::Random => Some(self.random.u64(..)),
            Keys::Of(count) => Some(self.random.u64(..count)),
        };
        if let Some(number) = key {
            write_hex(&mut self.key, number);
        }
        let at = self.next;
        let (payload, value) = match self.payloads {
            Payloads::Letters { pool, size } => {
                self.next = (at + 61) % EXTRA_LETTERS;
                (0, &pool[at..at + size])
            }
            Payloads::Listed(values) => {
                self.next = if at + 1 == values.len() { 0 } else { at + 1 };
                (at, &values[at][..])
            }
        };
        Draw { payload, value, key: key.map(|_| &self.key[..]) }
    }
}

fn write_hex(out: &mut [u8; 16], number: u64) {
    for (index, digit) in out.iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(number >> (60 - 4 * index)) as usize & 15];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn keys_are_as_many_as_asked_for() {
        let payloads = Payloads::letters(8);
        let drawn = |keys, count| {
            let mut load = Load::new(&payloads, keys);
            let draws = (0..count).map(|_| load.draw().key.map(<[u8]>::to_vec));
            draws.collect::<HashSet<_>>()
        };
        assert_eq!(drawn(Keys::None, 10), HashSet::from([None]));
        assert_eq!(drawn(Keys::Of(7), 1000).len(), 7);
        assert_eq!(drawn(Keys::Random, 1000).len(), 1000);
        assert!(drawn(Keys::Of(1), 1).contains(&Some(b"0000000000000000".to_vec())));
    }

    #[test]
    fn hexadecimal_digits_have_the_highest_first() {
        let mut out = [0; 16];
        write_hex(&mut out, 0x0123_4567_89ab_cdef);
        assert_eq!(&out, b"0123456789abcdef");
    }

    #[test]
    fn values_have_the_size_and_differ() {
        let payloads = Payloads::letters(100);
        let mut load = Load::new(&payloads, Keys::None);
        let first = load.draw().value.to_vec();
        let second = load.draw().value.to_vec();
        assert_eq!((first.len(), second.len()), (100, 100));
        assert_ne!(first, second);
        for _ in 0..5000 {
            assert_eq!(load.draw().value.len(), 100);
        }
    }

    #[test]
    fn what_is_no_kind_of_keys_is_refused() {
        for bad in ["", "0", "-1", "all"] {
            assert!(bad.parse::<Keys>().is_err(), "{bad}");
        }
        assert_eq!("5".parse::<Keys>().unwrap(), Keys::Of(5));
    }
}
