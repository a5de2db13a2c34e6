//! How a command ends: the exit codes, and a failure that carries its code and its words to `main`.

use std::fmt;

use ottla::error::{Error, ErrorCode};

/// Everything that was asked for was done.
pub const DONE: u8 = 0;
/// At least one record was not stored (or may not be).
pub const RECORDS_FAILED: u8 = 1;
/// The command line, a file it names or a setting is wrong; nothing was sent.
pub const USAGE: u8 = 2;
/// No broker of the cluster could be reached; nothing was sent.
pub const UNREACHABLE: u8 = 3;

/// Why a command cannot go on.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    message: String,
}

impl Failure {
    /// A failure that the user can mend on the command line.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure { code: USAGE, message: message.into() }
    }

    /// No broker could be reached.
    pub fn unreachable(message: impl Into<String>) -> Failure {
        Failure { code: UNREACHABLE, message: message.into() }
    }

    /// The work began and could not be finished.
    pub fn work(message: impl Into<String>) -> Failure {
        Failure { code: RECORDS_FAILED, message: message.into() }
    }

    /// A library error at a moment when nothing has been sent: wrong settings are the user's to
    /// mend, anything else is not.
    pub fn starting(error: &Error) -> Failure {
        match error.code() {
            ErrorCode::CONFIG | ErrorCode::UNSUPPORTED | ErrorCode::ARGUMENT => {
                Failure::usage(error.message())
            }
            _ => Failure::work(error.message()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// How a command ends when it ends by itself.
pub type Outcome = Result<u8, Failure>;
