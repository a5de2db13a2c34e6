//! Owns the parsed value of one setting and the parser from text. It never knows which other
//! settings are set, and never puts a secret into a message.

use std::fmt;

use super::table::{Kind, Row, Status};
use super::BootstrapServer;
use crate::error::{Error, ErrorCode, Result};

/// The longest text that fits a Kafka string.
const MAX_TEXT_BYTES: usize = i16::MAX as usize;

/// A text that no message, log line or debug output shows.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from being shown.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// What a setting is set to.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    /// A number setting without a number.
    Unset,
    Bool(bool),
    Int(i64),
    Float(f64),
    Word(&'static str),
    Text(String),
    Secret(Secret),
    List(Vec<String>),
    Servers(Vec<BootstrapServer>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Unset => Ok(()),
            Value::Bool(value) => value.fmt(f),
            Value::Int(value) => value.fmt(f),
            Value::Float(value) => value.fmt(f),
            Value::Word(word) => f.write_str(word),
            Value::Text(text) => f.write_str(text),
            Value::Secret(secret) => write!(f, "{secret:?}"),
            Value::List(items) => f.write_str(&items.join(",")),
            Value::Servers(servers) => {
                let servers: Vec<String> = servers.iter().map(ToString::to_string).collect();
                f.write_str(&servers.join(","))
            }
        }
    }
}

/// The value that `text` gives to a setting, as far as one setting alone can be judged.
/// `key` is the spelling that messages name.
pub(super) fn check(row: &Row, key: &str, text: &str) -> Result<Value> {
    match row.status {
        Status::Hook(instead) if !text.trim().is_empty() => Err(Error::new(
            ErrorCode::CONFIG,
            format!("`{key}` names code, which a setting cannot hold: {instead}"),
        )),
        Status::Planned => planned(row, key, text),
        _ => parse(row, key, text),
    }
}

/// Only the values that leave a planned feature alone are accepted.
fn planned(row: &Row, key: &str, text: &str) -> Result<Value> {
    let value = parse(row, key, text)?;
    let defaults = [Some(row.default), row.librdkafka_default];
    for default in defaults.into_iter().flatten() {
        if parse(row, key, default)? == value {
            return Ok(value);
        }
    }
    let shown = match value {
        Value::Secret(_) => String::new(),
        value => format!(" to `{}`", shorten(&value.to_string())),
    };
    let only = match row.default {
        "" => "leave it unset".to_owned(),
        default => format!("only `{default}` works"),
    };
    Err(Error::new(
        ErrorCode::UNSUPPORTED,
        format!("`{key}` cannot be set{shown}: not built into this version of ottla; {only}"),
    ))
}

/// The value that `text` means for this row.
pub(super) fn parse(row: &Row, key: &str, text: &str) -> Result<Value> {
    let trimmed = text.trim();
    let value = match row.kind {
        Kind::Int(..) | Kind::Float(..) if trimmed.is_empty() && row.default.is_empty() => {
            Some(Value::Unset)
        }
        Kind::Bool => parse_bool(trimmed).map(Value::Bool),
        Kind::Int(min, max) => {
            let number = trimmed.parse().ok();
            number.filter(|number| (min..=max).contains(number)).map(Value::Int)
        }
        Kind::Float(min, max) => {
            let number = trimmed.parse().ok();
            number.filter(|number| (min..=max).contains(number)).map(Value::Float)
        }
        Kind::Words(words) => {
            words.iter().find(|word| word.eq_ignore_ascii_case(trimmed)).map(|w| Value::Word(w))
        }
        Kind::Text => (trimmed.len() <= MAX_TEXT_BYTES).then(|| Value::Text(trimmed.to_owned())),
        Kind::Secret => Some(Value::Secret(Secret::new(text))),
        Kind::List => Some(Value::List(items(trimmed).map(str::to_owned).collect())),
        Kind::Servers => Some(Value::Servers(BootstrapServer::parse_list(key, trimmed)?)),
    };
    value.ok_or_else(|| {
        let message = match row.kind {
            Kind::Text => format!("`{key}` is longer than {MAX_TEXT_BYTES} bytes"),
            kind => format!("`{key}` must be {kind}, not `{}`", shorten(text)),
        };
        Error::new(ErrorCode::CONFIG, message)
    })
}

/// The spellings of Java (true, false) and of librdkafka (also t, 1, f, 0).
fn parse_bool(text: &str) -> Option<bool> {
    let is = |words: [&str; 3]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(["true", "t", "1"]) {
        Some(true)
    } else if is(["false", "f", "0"]) {
        Some(false)
    } else {
        None
    }
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// The beginning of a value, enough to recognise it in a message.
pub(super) fn shorten(text: &str) -> String {
    const SHOWN: usize = 100;
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
