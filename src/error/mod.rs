//! Owns the error type of every module and the numbering of error codes: 0 is fine, above 0 is the
//! broker's code, -1 a broker's unknown failure, -101 and below are ottla's own. It never acts on
//! an error.
//!
//! `kafka.rs` and `local.rs` hold the codes, one row each; `table.rs` turns rows into constants.

mod kafka;
mod local;
mod table;

use std::borrow::Cow;
use std::fmt;

use table::{Families, Row};

/// The result type of ottla.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, as a number that never changes its meaning.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(pub(crate) i32);

impl ErrorCode {
    /// The code in a broker's response. Numbers that no broker sends (below -1) become
    /// [`ErrorCode::UNKNOWN_SERVER_ERROR`], so that they cannot pass for one of ottla's own.
    pub const fn from_broker(code: i16) -> ErrorCode {
        if code < -1 {
            ErrorCode::UNKNOWN_SERVER_ERROR
        } else {
            ErrorCode(code as i32)
        }
    }

    /// The code with this number; any number is allowed (one that crossed the C ABI, say).
    pub const fn from_value(value: i32) -> ErrorCode {
        ErrorCode(value)
    }

    /// The number.
    pub const fn value(self) -> i32 {
        self.0
    }

    /// Whether this is [`ErrorCode::NONE`].
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// The name, as in Kafka's protocol; `UNKNOWN` for a number in neither table.
    pub fn name(self) -> &'static str {
        self.row().map_or("UNKNOWN", |row| row.name)
    }

    /// One sentence that says what the code means.
    pub fn description(self) -> &'static str {
        self.row().map_or("An error code that this version of ottla does not know.", |row| {
            row.description
        })
    }

    /// The same attempt may succeed later.
    pub fn is_retriable(self) -> bool {
        self.families().has(Families::RETRIABLE)
    }

    /// Retriable, and the metadata must be refreshed.
    pub fn refreshes_metadata(self) -> bool {
        self.families().has(Families::REFRESH_METADATA)
    }

    /// Retriable, and the coordinator must be looked up again.
    pub fn refreshes_coordinator(self) -> bool {
        self.families().has(Families::REFRESH_COORDINATOR)
    }

    /// The transaction must be aborted; the producer can go on.
    pub fn is_abortable(self) -> bool {
        self.families().has(Families::ABORTABLE)
    }

    /// An idempotent or transactional producer must be closed.
    pub fn is_fatal(self) -> bool {
        self.families().has(Families::FATAL)
    }

    /// A setting or a permission must be changed first.
    pub fn is_invalid_configuration(self) -> bool {
        self.families().has(Families::INVALID_CONFIGURATION)
    }

    /// The application can recover by starting again with a new producer.
    pub fn is_application_recoverable(self) -> bool {
        self.families().has(Families::APPLICATION_RECOVERABLE)
    }

    /// Every code that has a name, ascending.
    pub fn known() -> impl Iterator<Item = ErrorCode> {
        local::ROWS.iter().rev().chain(kafka::ROWS).map(|row| ErrorCode(row.value))
    }

    fn families(self) -> Families {
        self.row().map_or(Families::PLAIN, |row| row.families)
    }

    /// Both tables are dense (a test keeps them so): the number gives the index.
    fn row(self) -> Option<&'static Row> {
        let (rows, index) = if self.0 >= -1 {
            (kafka::ROWS, i64::from(self.0) + 1)
        } else {
            (local::ROWS, -101 - i64::from(self.0))
        };
        rows.get(usize::try_from(index).ok()?)
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.0)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<ErrorCode> for Error {
    /// An error whose message is the description of the code.
    fn from(code: ErrorCode) -> Error {
        Error::new(code, code.description())
    }
}

/// An error: a code, a message for people, and what can be done about it.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    code: ErrorCode,
    families: Families,
    message: Cow<'static, str>,
}

impl Error {
    /// An error with the families that its code has.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Error {
        Error { code, families: code.families(), message: message.into() }
    }

    /// The code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The message; it never holds a secret.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same call may succeed later.
    pub fn is_retriable(&self) -> bool {
        self.families.has(Families::RETRIABLE)
    }

    /// The transaction must be aborted; the producer can go on.
    pub fn is_abortable(&self) -> bool {
        self.families.has(Families::ABORTABLE)
    }

    /// The producer must be closed.
    pub fn is_fatal(&self) -> bool {
        self.families.has(Families::FATAL)
    }

    /// The error as a transaction sees it once retries are used up: abort, then go on (KIP-1050).
    /// A fatal error stays fatal.
    #[must_use]
    pub fn into_abortable(mut self) -> Error {
        if !self.is_fatal() {
            let dropped = Families::REFRESH_METADATA.and(Families::REFRESH_COORDINATOR);
            self.families = self.families.without(dropped).and(Families::ABORTABLE);
        }
        self
    }

    /// The error of a call that has changed nothing and may be made again.
    #[must_use]
    pub fn into_repeatable(mut self) -> Error {
        let dropped = Families::FATAL.and(Families::ABORTABLE);
        self.families = self.families.without(dropped).and(Families::RETRIABLE);
        self
    }

    /// The error as one that ends the producer.
    #[must_use]
    pub fn into_fatal(mut self) -> Error {
        let dropped =
            Families::REFRESH_METADATA.and(Families::REFRESH_COORDINATOR).and(Families::ABORTABLE);
        self.families = self.families.without(dropped).and(Families::FATAL);
        self
    }

    /// The same error, with what was being done put in front: `context: message`.
    #[must_use]
    pub fn context(mut self, context: &str) -> Error {
        self.message = Cow::Owned(format!("{context}: {}", self.message));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
