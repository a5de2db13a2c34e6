//! Standard output and error: what is printed for programs goes to the one, what is said to people to the
//! other. A reader that went away (`| head`) is no failure.

use std::io::{self, Write};

use ottla::config::ProducerConfig;

use crate::exit::Failure;

/// Prints all of `text` to standard output.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    checked(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// What writing to standard output came to.
pub fn checked(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::work(format!("cannot write to standard output: {cause}")))
        }
        _ => Ok(()),
    }
}

/// Says something to people; nobody is there to tell when that fails.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Says what the configuration has to say.
pub fn say_warnings(config: &ProducerConfig) {
    for warning in &config.warnings {
        say(&format!("ottla: warning: {warning}"));
    }
}
