//! Runs the program and keeps what it said. A run that does not end in time fails its test.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{channel, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than any run takes on a machine that others use, too.
pub const SOON: Duration = Duration::from_secs(60);

/// Settings for an embedded cluster inside the program.
pub const EMBEDDED: [&str; 2] = ["-X", "test.mock.num.brokers=2"];

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: Vec<u8>,
    pub err: String,
}

impl Ran {
    /// Standard output as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }

    /// Standard output as one JSON value on each line.
    pub fn json(&self) -> Vec<serde_json::Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The same run, which must have ended with `code`.
    #[track_caller]
    pub fn ended(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{}", self.err);
        self
    }

    /// The same run, which must have said `what` on standard error.
    #[track_caller]
    pub fn said(self, what: &str) -> Ran {
        assert!(self.err.contains(what), "{what:?} is not in: {}", self.err);
        self
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ottla"));
    command.args(args).env_remove("OTTLA_CONFIG");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the program with this standard input.
pub fn ottla(args: &[&str], input: &[u8]) -> Ran {
    ottla_with(&mut command(args), input)
}

/// Runs the program with this variable in its environment.
pub fn ottla_in(variable: (&str, &str), args: &[&str]) -> Ran {
    ottla_with(command(args).env(variable.0, variable.1), b"")
}

fn ottla_with(command: &mut Command, input: &[u8]) -> Ran {
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that ends without reading breaks the pipe: that is its right.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let ran = wait(child);
    writer.join().unwrap();
    ran
}

/// Waits for a program to end by itself.
pub fn wait(mut child: Child) -> Ran {
    let mut stdout = child.stdout.take();
    let mut stderr = child.stderr.take();
    let out = thread::spawn(move || {
        let mut bytes = Vec::new();
        stdout.as_mut().map(|from| from.read_to_end(&mut bytes));
        bytes
    });
    let err = thread::spawn(move || {
        let mut bytes = Vec::new();
        stderr.as_mut().map(|from| from.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > SOON {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("still running; it said: {}", err.join().unwrap());
        }
        thread::sleep(Duration::from_millis(5));
    };
    Ran { code: status.code(), out: out.join().unwrap(), err: err.join().unwrap() }
}

/// A program that runs beside the test, and its first line of output.
pub struct Running {
    pub child: Child,
    pub stdin: Option<ChildStdin>,
    pub first_line: String,
}

impl Running {
    /// Starts it and waits for the first line.
    pub fn start(args: &[&str], input: &[u8]) -> Running {
        let mut child = command(args).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input).unwrap();
        stdin.flush().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let first_line = match lines.recv_timeout(SOON) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("no output"),
            Err(RecvTimeoutError::Disconnected) => panic!("no output: {}", wait(child).err),
        };
        Running { child, stdin: Some(stdin), first_line }
    }

    /// Starts it; `wait` gives its output.
    pub fn spawn(args: &[&str]) -> Running {
        let mut child = command(args).spawn().unwrap();
        let stdin = child.stdin.take();
        Running { child, stdin, first_line: String::new() }
    }

    /// Sends the signal of this name, as `kill` knows it.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        self.stdin = None;
    }

    /// Waits until it ends by itself.
    pub fn wait(mut self) -> Ran {
        let stdin = self.stdin.take();
        let ran = wait(self.child);
        drop(stdin);
        ran
    }
}

/// A free port on which nobody listens (for long).
pub fn dead_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
