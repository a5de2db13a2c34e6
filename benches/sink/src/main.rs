//! kafka-sink: a discarding Kafka broker for measuring producers.
//!
//! It answers ApiVersions, Metadata, Produce, InitProducerId and FindCoordinator, stores nothing, and
//! counts what arrives. One blocking thread per connection; the records themselves are thrown away
//! inside the kernel (`recv(MSG_TRUNC)`), so that only the headers of requests and batches are ever
//! copied to user space. With `--verify` every byte is read and the CRC-32C of each batch is checked.
//! This file owns the command line, the listeners and the control port.

mod answers;
mod connection;
mod counters;
mod produce;
mod wire;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use crate::counters::{Settings, Shared};

const USAGE: &str = "kafka-sink [--port 19092] [--control PORT] [--brokers 1] [--partitions 8] \
[--latency-us 0] [--verify] [--no-discard] [--produce-max 12] [--max-seconds 0]
  --port         first broker's port on 127.0.0.1 (broker i listens on port+i; 0 = any)
  --control      port for the line commands: stats, reset, quit (0 = any; without it: none)
  --partitions   partitions of every topic (any topic name exists)
  --latency-us   hold every Produce answer this long
  --verify       read every byte, check CRC-32C and lengths
  --no-discard   copy the records to user space instead of MSG_TRUNC (no checks)
  --produce-max  highest Produce version advertised (12, or 13 = topic ids)
  --max-seconds  stop by itself after this long (0 = never)
It prints 'READY <port> <control port>' once it listens, and its counters as JSON on SIGTERM, SIGINT or quit.";

struct Options {
    settings: Settings,
    port: u16,
    control: Option<u16>,
    brokers: u16,
    seconds_max: u32,
}

fn usage_exit(code: i32) -> ! {
    eprintln!("{USAGE}");
    std::process::exit(code)
}

fn parse(mut words: impl Iterator<Item = String>) -> Options {
    let mut options = Options {
        settings: Settings::default(),
        port: 19092,
        control: None,
        brokers: 1,
        seconds_max: 0,
    };
    while let Some(word) = words.next() {
        let mut number = || {
            words.next().and_then(|text| text.parse::<u32>().ok()).unwrap_or_else(|| usage_exit(2))
        };
        let settings = &mut options.settings;
        match word.as_str() {
            "--port" => options.port = number() as u16,
            "--control" => options.control = Some(number() as u16),
            "--brokers" => options.brokers = number().max(1) as u16,
            "--partitions" => settings.partitions = number().max(1) as usize,
            "--latency-us" => settings.latency = Duration::from_micros(number().into()),
            "--produce-max" => settings.produce_max = number().clamp(3, 13) as i16,
            "--max-seconds" => options.seconds_max = number(),
            "--verify" => settings.verify = true,
            "--no-discard" => settings.discard = false,
            "--help" => usage_exit(0),
            _ => usage_exit(2),
        }
    }
    options
}

fn listen(port: u16) -> TcpListener {
    TcpListener::bind(("127.0.0.1", port)).unwrap_or_else(|error| {
        eprintln!("cannot listen on 127.0.0.1:{port}: {error}");
        std::process::exit(1)
    })
}

fn port_of(listener: &TcpListener) -> u16 {
    listener.local_addr().map_or(0, |address| address.port())
}

/// Serves each connection on a thread of its own.
fn accept(listener: TcpListener, shared: &Arc<Shared>, serve: fn(Arc<Shared>, TcpStream)) {
    let shared = shared.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let shared = shared.clone();
            std::thread::spawn(move || serve(shared, stream));
        }
    });
}

fn control(shared: Arc<Shared>, stream: TcpStream) {
    let Ok(mut answers) = stream.try_clone() else { return };
    for line in BufReader::new(stream.take(1 << 20)).lines() {
        let Ok(line) = line else { return };
        let answer = match line.trim() {
            "stats" => shared.json(),
            "reset" => {
                shared.reset();
                "ok".into()
            }
            "quit" => {
                println!("{}", shared.json());
                std::process::exit(0);
            }
            _ => "unknown command; one of: stats, reset, quit".into(),
        };
        if writeln!(answers, "{answer}").is_err() {
            return;
        }
    }
}

/// Keeps the signals that end the program for `wait_for_end`; threads made later inherit that.
fn hold_signals(seconds_max: u32) -> libc::sigset_t {
    // SAFETY: plain libc calls on a signal set of our own.
    unsafe {
        let mut signals: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut signals);
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGALRM] {
            libc::sigaddset(&mut signals, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &signals, std::ptr::null_mut());
        libc::alarm(seconds_max);
        signals
    }
}

fn wait_for_end(signals: &libc::sigset_t) {
    let mut signal = 0;
    // SAFETY: waits for a signal of the set blocked above.
    unsafe { libc::sigwait(signals, &mut signal) };
}

fn main() {
    let options = parse(std::env::args().skip(1));
    let signals = hold_signals(options.seconds_max);
    let port = |index| if options.port == 0 { 0 } else { options.port + index };
    let listeners: Vec<TcpListener> =
        (0..options.brokers).map(|index| listen(port(index))).collect();
    let ports: Vec<u16> = listeners.iter().map(port_of).collect();
    let first = ports[0];
    let shared = Arc::new(Shared::new(options.settings, ports));
    let control_port = options.control.map_or(0, |port| {
        let listener = listen(port);
        let port = port_of(&listener);
        accept(listener, &shared, control);
        port
    });
    for listener in listeners {
        accept(listener, &shared, connection::serve);
    }
    println!("READY {first} {control_port}");
    // Whoever waits for that line may be behind a pipe.
    let _ = std::io::stdout().flush();
    wait_for_end(&signals);
    println!("{}", shared.json());
}
