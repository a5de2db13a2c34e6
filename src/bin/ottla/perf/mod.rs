//! `ottla perf`: how many records per second, at what latency, for how much processor time.
//!
//! `load.rs` makes the records, `pace.rs` says when the next one is due, `tally.rs` counts what comes back,
//! `progress.rs` shows it meanwhile, `result.rs` in the end.

mod load;
mod pace;
mod progress;
mod result;
mod tally;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use ottla::error::{Error, ErrorCode};
use ottla::producer::{Producer, ProducerBuilder, TopicId, Wait};
use ottla::record::{Record, NO_TIMESTAMP};

use crate::connect::{print_or_map, Connect};
use crate::exit::{Failure, Outcome, DONE, RECORDS_FAILED};
use crate::interrupt::Interrupt;
use crate::output::{print, say, Voice};
use crate::system;
use load::{Draw, Keys, Load, Payloads};
use pace::Pace;
use progress::Progress;
use result::Summary;
use tally::{Tally, Token, NOT_SAMPLED};

/// How long a flush may wait before Ctrl-C is looked at again.
const SLICE: Duration = Duration::from_millis(250);

/// How long records may still take after Ctrl-C.
const GRACE: Duration = Duration::from_secs(5);

/// Up to this many records, or this rate, every record's latency is taken unless --latency-sample
/// says otherwise.
const ALL_SAMPLED_RECORDS: u64 = 1_000_000;
const ALL_SAMPLED_RATE: f64 = 200_000.0;
/// Above, one in this many: reading the clock would show in the result.
const SAMPLED_ONE_IN: u64 = 10;

const EXAMPLES: &str = "\
Examples:
  As fast as it goes:
    ottla perf -b localhost:9092 --topic bench --num-records 5000000 --record-size 100
  Latency at a steady rate, with warm-up, as JSON:
    ottla perf -b localhost:9092 --topic bench --num-records 100000 --record-size 1000 \\
      --throughput 10000 --warmup-records 20000 -X acks=all -X linger.ms=0 --json
  From four threads, with a thousand keys:
    ottla perf -b localhost:9092 --topic bench --num-records 5000000 --threads 4 --keys 1000
  Without any broker, on an embedded cluster that keeps nothing:
    ottla perf -X test.mock.num.brokers=3 --topic bench --num-records 1000000

What is measured: only acknowledged records count. Latency runs from just before the call that \
sends (so it includes waiting for memory) to the report. mb_per_sec is values only, in units of \
1024 × 1024 bytes, as in Kafka's own tool. Seconds run from the first send to the last report, \
after warm-up. cpu_seconds are user and system time of this process in that time; with -X \
test.mock.num.brokers they include the embedded brokers.

Defaults are Java's. `ottla settings` lists all settings. Exit codes: as for `ottla produce`.";

/// Measure throughput and latency
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Perf {
    #[command(flatten)]
    connect: Connect,

    /// The topic
    #[arg(short = 't', long)]
    topic: String,

    /// How many records to send
    #[arg(short = 'n', long, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    num_records: u64,

    /// Bytes of each value: random letters, other ones for each record
    #[arg(short = 's', long, default_value = "100", conflicts_with = "payload_file")]
    #[arg(value_parser = size)]
    record_size: usize,

    /// Take the values from this file, one on each line, over and over
    #[arg(long, value_name = "FILE")]
    payload_file: Option<PathBuf>,

    /// What the values in the payload file end with; \n \r \t \0 \\ \xNN are understood
    #[arg(long, value_name = "DELIMITER", default_value = "\\n", allow_hyphen_values = true)]
    payload_delimiter: String,

    /// Records per second, all threads together; -1 sets no limit
    #[arg(long, default_value = "-1", allow_negative_numbers = true, value_parser = rate)]
    throughput: f64,

    /// Keys: none, random, or a number of different ones
    #[arg(long, default_value = "none", value_name = "none|random|N")]
    keys: Keys,

    /// The partition; -1 lets the partitioner choose
    #[arg(short = 'p', long, default_value = "-1", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(i32).range(-1..))]
    partition: i32,

    /// Threads that send, through one producer
    #[arg(long, default_value = "1", value_parser = clap::value_parser!(u64).range(1..=1024))]
    threads: u64,

    /// Send these first, unmeasured
    #[arg(long, default_value = "0", value_name = "N")]
    warmup_records: u64,

    /// Take the latency of one record in N [default: every one up to 1000000 records or 200000 a
    /// second, else 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    latency_sample: Option<u64>,

    /// Compress batches: none, gzip, snappy, lz4 or zstd
    #[arg(short = 'z', long, value_name = "CODEC")]
    compression: Option<String>,

    /// Print the result as one JSON object on standard output
    #[arg(long)]
    json: bool,

    /// Also print the producer's metrics in the end
    #[arg(long)]
    print_metrics: bool,

    /// No progress
    #[arg(short = 'q', long)]
    quiet: bool,
}

/// Runs the command.
pub fn run(args: &Perf, interrupt: &Interrupt) -> Outcome {
    let mut flags = Vec::new();
    if let Some(codec) = &args.compression {
        flags.push(("compression.type", codec.as_str(), "-z"));
    }
    let Some(map) = print_or_map(args.connect.settings(&[], &flags)?)? else { return Ok(DONE) };
    let payloads = args.payloads()?;
    let tally = Arc::new(Tally::new(payloads.sizes()));
    let reports = tally.clone();
    let voice = Voice::new(args.quiet);
    let log = voice.clone();
    let builder = ProducerBuilder::from_config(map)
        .on_delivery(move |all| reports.reported(all))
        .on_log(move |level, line| log.line(level, line));
    let producer = builder.build().map_err(|error| Failure::starting(&error))?;
    if let Some(mock) = producer.mock_cluster() {
        mock.discard();
    }
    let (topic, _) = args.connect.ready_topic(&producer, &args.topic, args.partition)?;
    voice.started();
    interrupt.be_gentle();
    let bench = Bench { args, producer: &producer, topic, payloads: &payloads, tally, interrupt };
    bench.run()
}

/// Bytes of a value: no more than Kafka's format can hold.
fn size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(size) if size <= i32::MAX as usize => Ok(size),
        _ => Err(format!("a size is a number of bytes, at most {}", i32::MAX)),
    }
}

/// Records per second: from one in a quarter of an hour on, or -1.
fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate == -1.0 || (0.001..=1e12).contains(&rate) => Ok(rate),
        _ => Err("a rate is a number of records per second, at least 0.001, or -1".to_owned()),
    }
}

impl Perf {
    fn payloads(&self) -> Result<Payloads, Failure> {
        match &self.payload_file {
            None => Ok(Payloads::letters(self.record_size)),
            Some(path) => Payloads::from_file(path, &self.payload_delimiter),
        }
    }

    fn latency_sample(&self) -> u64 {
        let few = self.num_records <= ALL_SAMPLED_RECORDS;
        let slow = self.throughput > 0.0 && self.throughput <= ALL_SAMPLED_RATE;
        let usual = if few || slow { 1 } else { SAMPLED_ONE_IN };
        self.latency_sample.unwrap_or(usual)
    }
}

/// A producer under load.
struct Bench<'a> {
    args: &'a Perf,
    producer: &'a Producer,
    topic: TopicId,
    payloads: &'a Payloads,
    tally: Arc<Tally>,
    interrupt: &'a Interrupt,
}

impl Bench<'_> {
    fn run(&self) -> Outcome {
        if self.args.warmup_records > 0 {
            self.send_all(self.args.warmup_records);
            self.wait_for_reports();
            self.tally.reset();
        }
        let cpu_before = system::usage();
        let begun = Instant::now();
        let progress = Progress::start(&self.tally, self.args.num_records, self.args.quiet);
        self.send_all(self.args.num_records);
        self.wait_for_reports();
        let took = begun.elapsed();
        let cpu_after = system::usage();
        progress.end();
        // What is left after Ctrl-C fails now and is counted; otherwise nothing is left.
        if let Err(error) = self.producer.close(Duration::ZERO) {
            say(&format!("ottla: {error}"));
        }
        let cpu = cpu_before.zip(cpu_after).map(|(before, after)| after.cpu - before.cpu);
        let summary = Summary {
            topic: &self.args.topic,
            threads: self.args.threads,
            latency_sample: self.args.latency_sample(),
            took,
            cpu,
            max_resident_bytes: cpu_after.map(|usage| usage.max_resident_bytes),
            counts: self.tally.counts(),
            latency_us: self.tally.latency_us(),
        };
        print(&if self.args.json { summary.json() } else { summary.text() })?;
        if self.args.print_metrics {
            self.print_metrics()?;
        }
        if self.interrupt.exit_code().is_some() {
            let (sent, asked) = (summary.records(), self.args.num_records);
            say(&format!("ottla: interrupted after {sent} of {asked} records"));
        }
        for (code, (count, message)) in self.tally.failures() {
            say(&format!("ottla: {count} records failed, {code}: {message}"));
        }
        Ok(match self.interrupt.exit_code() {
            Some(code) => code,
            None if summary.counts.failed > 0 => RECORDS_FAILED,
            None => DONE,
        })
    }

    /// Sends `count` records from all threads.
    fn send_all(&self, count: u64) {
        let threads = self.args.threads;
        let begun = Instant::now();
        thread::scope(|scope| {
            for thread in 0..threads {
                let share = count / threads + u64::from(thread < count % threads);
                let pace = Pace::new(self.args.throughput, threads, thread, begun);
                let load = Load::new(self.payloads, self.args.keys);
                scope.spawn(move || self.send_share(share, pace, load));
            }
        });
    }

    fn send_share(&self, count: u64, mut pace: Pace, mut load: Load<'_>) {
        let sample = self.args.latency_sample();
        // The first record is always taken, so that a short run has a latency, too.
        let mut until_sampled = 1;
        for _ in 0..count {
            pace.wait(self.interrupt);
            if self.interrupt.is_asked() {
                return;
            }
            let Draw { payload, value, key } = load.draw();
            until_sampled -= 1;
            let sent_at = match until_sampled {
                0 => {
                    until_sampled = sample;
                    self.tally.now()
                }
                _ => NOT_SAMPLED,
            };
            let record =
                Record { timestamp_ms: NO_TIMESTAMP, key, value: Some(value), headers: &[] };
            if let Err(error) = self.send(&record, Token { payload, sent_at }.pack()) {
                self.tally.refused(&error);
                if error.is_fatal() || error.code() == ErrorCode::CLOSED {
                    return;
                }
            }
        }
    }

    /// Sends as `send.wait` and `max.block.ms` say, in slices, so that Ctrl-C is seen while it waits.
    #[inline]
    fn send(&self, record: &Record<'_>, token: u64) -> Result<(), Error> {
        let (producer, partition) = (self.producer, self.args.partition);
        let (limit, slice) = match producer.default_wait() {
            Wait::Never => (Duration::ZERO, Wait::Never),
            Wait::UpTo(limit) => (limit, Wait::UpTo(limit.min(SLICE))),
        };
        let mut begun = None;
        loop {
            let sent = producer.send_token(self.topic, partition, record, token, slice);
            let Err(error) = sent else { return Ok(()) };
            let full = matches!(error.code(), ErrorCode::TIMED_OUT | ErrorCode::QUEUE_FULL);
            // The first slice is over already.
            let waited = begun.get_or_insert_with(Instant::now).elapsed() + SLICE;
            if !full || waited >= limit || self.interrupt.is_asked() {
                return Err(error);
            }
        }
    }

    /// Waits until every record is reported; after a signal only for a while.
    fn wait_for_reports(&self) {
        let mut asked_at = None;
        while let Err(error) = self.producer.flush(SLICE) {
            let asked = self.interrupt.is_asked();
            let late = asked && asked_at.get_or_insert_with(Instant::now).elapsed() > GRACE;
            if late || error.code() != ErrorCode::TIMED_OUT {
                return;
            }
        }
    }

    fn print_metrics(&self) -> Result<(), Failure> {
        let lines: Vec<String> = self
            .producer
            .metrics()
            .iter()
            .map(|(name, value)| format!("{name} = {value}\n"))
            .collect();
        print(&lines.concat())
    }
}
