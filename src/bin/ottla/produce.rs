//! `ottla produce`: records from standard input or files into a topic. With kcat's flags.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use ottla::error::{Error, ErrorCode};
use ottla::producer::{Producer, ProducerBuilder, TopicId, Wait};
use ottla::record::{Header, Record, NO_TIMESTAMP};

use crate::connect::{print_or_map, Connect};
use crate::escapes;
use crate::exit::{Failure, Outcome, DONE, RECORDS_FAILED};
use crate::input::{find, Input, Step};
use crate::interrupt::Interrupt;
use crate::ledger::{Ledger, LedgerSettings};
use crate::output::{say, Voice};
use crate::read_back;
use crate::transaction::Transactions;

/// How long a call into the library may wait before Ctrl-C is looked at again.
const SLICE: Duration = Duration::from_millis(250);

/// How long records may still take after Ctrl-C.
const GRACE: Duration = Duration::from_secs(5);

/// More than a record may have, so that it is the producer that refuses it, with its reasons.
const ROOM_BEYOND_LIMIT_BYTES: usize = 64 * 1024;

const EXAMPLES: &str = "\
Examples:
  Each line becomes a record:
    ottla produce -b localhost:9092 -t greetings < lines.txt
  Keys stand before a colon; wait for the leader only:
    ottla produce -b localhost:9092 -t orders -K: -X acks=1 < orders.txt
  A file is a record, with a key and a header:
    ottla produce -b localhost:9092 -t images -k cat -H type=png cat.png
  Records end with a NUL byte; print where each was stored:
    find . -print0 | ottla produce -b localhost:9092 -t paths -D '\\0' --report
  All lines or none, in one transaction:
    ottla produce -b localhost:9092 -t orders --transactional-id loader < orders.txt
  Without any broker, on an embedded cluster:
    printf 'a\\nb\\n' | ottla produce -X test.mock.num.brokers=1 -t try --read-back

Exit codes: 0 all records are stored, 1 some are not (or may not be), 2 the command line or a \
setting is wrong, 3 no broker can be reached, 128 + N ended by signal N (130: Ctrl-C).

Ctrl-C ends the input, gives the records on their way five seconds, and names those that remain; a \
second one ends at once.

With a transactional.id readers of committed data (isolation.level=read_committed) see the records only \
when the transaction is committed: at the end of the input, if every record was stored. If one was not, \
or after Ctrl-C, it is aborted, which is told; the exit code is 1 (or the signal's). Another producer with \
the same transactional.id is shut out.

Defaults are librdkafka's, as kcat's are, above all the partitioner: the same key keeps its \
partition. -X compat=java gives Java's. `ottla settings` lists all settings.";

/// Send records from standard input or files
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Produce {
    #[command(flatten)]
    connect: Connect,

    /// The topic
    #[arg(short = 't', long)]
    topic: String,

    /// The partition; -1 lets the partitioner choose
    #[arg(short = 'p', long, default_value = "-1", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(i32).range(-1..))]
    partition: i32,

    /// The key of every record (with -K: of those that have none)
    #[arg(short = 'k', long, allow_hyphen_values = true)]
    key: Option<String>,

    /// What separates key and value in each record; \n \r \t \0 \\ \xNN are understood
    #[arg(short = 'K', long, value_name = "DELIMITER", allow_hyphen_values = true)]
    #[arg(value_parser = delimiter)]
    key_delimiter: Option<Delimiter>,

    /// What records end with; escapes as for -K
    #[arg(short = 'D', long, value_name = "DELIMITER", default_value = "\\n")]
    #[arg(allow_hyphen_values = true, value_parser = delimiter)]
    delimiter: Delimiter,

    /// A header of every record; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    #[arg(value_parser = header)]
    headers: Vec<(String, String)>,

    /// Compress batches: none, gzip, snappy, lz4 or zstd
    #[arg(short = 'z', long, value_name = "CODEC")]
    compression: Option<String>,

    /// Empty keys and values are sent as null, and so are empty records, which are otherwise left out
    #[arg(short = 'Z', long)]
    null: bool,

    /// The one FILE holds many records that end with the delimiter, as standard input does
    #[arg(short = 'l', long)]
    lines: bool,

    /// End after this many records
    #[arg(short = 'c', long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// Send the input as one transaction with this transactional.id, as -X transactional.id=ID does
    #[arg(long, value_name = "ID")]
    transactional_id: Option<String>,

    /// Commit after so many records, and begin another transaction
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    transaction_records: Option<u64>,

    /// Also write each record that was accepted to standard output, with its delimiter
    #[arg(short = 'T', long, conflicts_with_all = ["report", "read_back"])]
    tee: bool,

    /// Print `NUMBER PARTITION OFFSET` for each stored record (numbers count the input from 1)
    #[arg(long)]
    report: bool,

    /// --report and --read-back print JSON, one object on each line
    #[arg(long)]
    json: bool,

    /// In the end print what the topic holds (of transactions what is committed), partition by partition
    /// (-X test.mock.num.brokers only)
    #[arg(long)]
    read_back: bool,

    /// Say what is going on, and a summary in the end even when standard error is no terminal
    #[arg(short = 'v', long)]
    verbose: bool,

    /// Say nothing but what ends the command
    #[arg(short = 'q', long, conflicts_with = "verbose")]
    quiet: bool,

    /// Each file is one record; `-` is standard input. Without files: many records from standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// The bytes of a delimiter, as clap keeps them.
#[derive(Clone, Debug)]
struct Delimiter(Vec<u8>);

fn delimiter(text: &str) -> Result<Delimiter, String> {
    escapes::delimiter(text).map(Delimiter)
}

/// `name=value`; the value may hold more `=`.
fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a header is NAME=VALUE".to_owned()),
    }
}

/// Runs the command.
pub fn run(args: &Produce, interrupt: &Interrupt) -> Outcome {
    args.check()?;
    let mut flags = Vec::new();
    if let Some(codec) = &args.compression {
        flags.push(("compression.type", codec.as_str(), "-z"));
    }
    if let Some(id) = &args.transactional_id {
        flags.push(("transactional.id", id.as_str(), "--transactional-id"));
    }
    let settings = args.connect.settings(&[("compat", "librdkafka")], &flags)?;
    let Some(map) = print_or_map(settings)? else { return Ok(DONE) };
    let ledger = Arc::new(Ledger::new(LedgerSettings {
        topic: args.topic.clone(),
        report: args.report,
        json: args.json,
        quiet: args.quiet,
    }));
    let reports = ledger.clone();
    let voice = Voice::new(args.quiet);
    let log = voice.clone();
    let builder = ProducerBuilder::from_config(map)
        .on_delivery(move |all| reports.reported(all))
        .on_log(move |level, line| log.line(level, line));
    let producer = builder.build().map_err(|error| Failure::starting(&error))?;
    let session = Session::open(args, &producer, &ledger, interrupt)?;
    voice.started();
    session.run()
}

impl Produce {
    /// What the options mean together.
    fn check(&self) -> Result<(), Failure> {
        if self.lines && self.files.len() != 1 {
            return Err(Failure::usage("-l reads the records of one FILE; name exactly one"));
        }
        if self.key_delimiter.is_some() && !self.lines && !self.files.is_empty() {
            let text = "-K divides the records of a stream, but each FILE is one record here; add -l if the \
                        file holds many";
            return Err(Failure::usage(text));
        }
        if self.json && !self.report && !self.read_back {
            return Err(Failure::usage("--json says how --report and --read-back print; add one"));
        }
        let mock = |setting: &String| setting.starts_with("test.mock.num.brokers=");
        if self.read_back && self.connect.file.is_none() && !self.connect.settings.iter().any(mock)
        {
            let text = "--read-back reads the embedded cluster; add -X test.mock.num.brokers=1";
            return Err(Failure::usage(text));
        }
        Ok(())
    }
}

/// A producer at work on one input.
struct Session<'a> {
    args: &'a Produce,
    producer: &'a Producer,
    topic: TopicId,
    headers: Vec<Header<'a>>,
    ledger: &'a Ledger,
    interrupt: &'a Interrupt,
    transactions: Option<Transactions<'a>>,
    begun: Instant,
}

impl<'a> Session<'a> {
    /// Waits until the cluster and the topic are known.
    fn open(
        args: &'a Produce,
        producer: &'a Producer,
        ledger: &'a Ledger,
        interrupt: &'a Interrupt,
    ) -> Result<Session<'a>, Failure> {
        let (topic, cluster) = args.connect.ready_topic(producer, &args.topic, args.partition)?;
        if args.verbose {
            let brokers = cluster.nodes.len();
            let partitions = cluster.topic(&args.topic).map_or(0, |topic| topic.partitions.len());
            say(&format!("ottla: {brokers} brokers; {} has {partitions} partitions", args.topic));
        }
        let header = |(name, value): &'a (String, String)| Header {
            key: name,
            value: Some(value.as_bytes()),
        };
        let headers = args.headers.iter().map(header).collect();
        let each = args.transaction_records;
        let transactions = Transactions::begin(producer, ledger, interrupt, each)?;
        // From here on there is something to lose.
        interrupt.be_gentle();
        let begun = Instant::now();
        Ok(Session { args, producer, topic, headers, ledger, interrupt, transactions, begun })
    }

    fn run(&self) -> Outcome {
        let read = match self.args.files.as_slice() {
            [] => self.send_stream(io::stdin()),
            [file] if self.args.lines && file.as_os_str() == "-" => self.send_stream(io::stdin()),
            [file] if self.args.lines => {
                let shown = file.display();
                let opened = File::open(file)
                    .map_err(|cause| Failure::usage(format!("cannot read {shown}: {cause}")))?;
                self.send_stream(opened)
            }
            files => self.send_files(files),
        };
        let ended = self.transactions.as_ref().map_or(Ok(()), |last| last.end(read.is_ok()));
        self.finish();
        if self.args.read_back {
            if let Some(mock) = self.producer.mock_cluster() {
                let between = &self.args.delimiter.0;
                let keys = self.args.key_delimiter.as_ref().map(|delimiter| &delimiter.0[..]);
                read_back::print(mock, &self.args.topic, keys, between, self.args.json)?;
            }
        }
        self.summarise();
        let outcome = ended.as_ref().and(read.as_ref());
        if let (Err(failure), Some(code)) = (outcome, self.interrupt.exit_code()) {
            say(&format!("ottla: {failure}"));
            return Ok(code);
        }
        if let (Err(first), Err(last)) = (&read, &ended) {
            return Err(Failure::work(format!("{first}; {last}")));
        }
        read.and(ended)?;
        self.ledger.written()?;
        Ok(match self.interrupt.exit_code() {
            Some(code) => code,
            None if self.ledger.failed() > 0 => RECORDS_FAILED,
            None => DONE,
        })
    }

    fn limit_bytes(&self) -> usize {
        let limit = self.producer.config().batching.max_request_size_bytes;
        limit.saturating_add(ROOM_BEYOND_LIMIT_BYTES)
    }

    fn is_done(&self) -> bool {
        self.interrupt.is_asked() || self.args.count.is_some_and(|most| self.ledger.seen() >= most)
    }

    fn send_stream(&self, source: impl io::Read + Send + 'static) -> Result<(), Failure> {
        let unreadable = |cause| Failure::work(format!("cannot read the input: {cause}"));
        let delimiter = self.args.delimiter.0.clone();
        let input = Input::new(source, delimiter, self.limit_bytes(), self.interrupt);
        let mut input = input.map_err(unreadable)?;
        while !self.is_done() {
            match input.step(self.interrupt).map_err(unreadable)? {
                Step::End => break,
                Step::TooLong(size) => self.too_long(size),
                Step::Record => {
                    let (key, value) = self.divide(input.record());
                    if self.send(key, value)? && self.args.tee {
                        self.ledger.tee(input.record(), &self.args.delimiter.0);
                    }
                }
            }
        }
        Ok(())
    }

    /// Cuts a record of a stream into key and value.
    fn divide<'r>(&self, record: &'r [u8]) -> (Option<&'r [u8]>, &'r [u8]) {
        let Some(Delimiter(delimiter)) = &self.args.key_delimiter else { return (None, record) };
        match find(record, delimiter) {
            Some(at) => (Some(&record[..at]), &record[at + delimiter.len()..]),
            None => (None, record),
        }
    }

    fn send_files(&self, files: &[PathBuf]) -> Result<(), Failure> {
        for file in files {
            if self.is_done() {
                break;
            }
            match read_limited(file, self.limit_bytes()) {
                Ok(Ok(value)) => {
                    if self.send(None, &value)? && self.args.tee {
                        self.ledger.tee(&value, &self.args.delimiter.0);
                    }
                }
                Ok(Err(size)) => self.too_long(size),
                Err(cause) => {
                    let number = self.ledger.begin();
                    self.ledger
                        .refused(number, &format!("cannot read {}: {cause}", file.display()));
                }
            }
        }
        Ok(())
    }

    fn too_long(&self, size: usize) {
        let number = self.ledger.begin();
        let limit = self.producer.config().batching.max_request_size_bytes;
        let code = ErrorCode::RECORD_TOO_LARGE;
        let text =
            format!("{code}: the record has {size} bytes, more than max.request.size ({limit})");
        self.ledger.refused(number, &text);
    }

    /// Sends one record, waiting for memory as long as it takes. `false`: it was left out or refused.
    fn send(&self, key: Option<&[u8]>, value: &[u8]) -> Result<bool, Failure> {
        let null = self.args.null;
        if value.is_empty() && key.is_none() && !null {
            self.ledger.left_out();
            return Ok(false);
        }
        let key = key.filter(|key| !(null && key.is_empty()));
        let record = Record {
            timestamp_ms: NO_TIMESTAMP,
            key: key.or(self.args.key.as_ref().map(String::as_bytes)),
            value: (!(null && value.is_empty())).then_some(value),
            headers: &self.headers,
        };
        let number = self.ledger.begin();
        loop {
            let wait = Wait::UpTo(SLICE);
            let sent =
                self.producer.send_token(self.topic, self.args.partition, &record, number, wait);
            let Err(error) = sent else {
                self.transactions.as_ref().map_or(Ok(()), Transactions::sent)?;
                return Ok(true);
            };
            if self.is_worth_waiting(&error) {
                continue;
            }
            self.ledger.refused(number, &format!("{}: {error}", error.code()));
            if error.is_fatal() || error.code() == ErrorCode::CLOSED {
                return Err(Failure::work(format!("the producer has ended: {error}")));
            }
            return Ok(false);
        }
    }

    /// Whether memory may yet come free: records are on their way, and nobody asked to end.
    fn is_worth_waiting(&self, error: &Error) -> bool {
        matches!(error.code(), ErrorCode::TIMED_OUT | ErrorCode::QUEUE_FULL)
            && !self.interrupt.is_asked()
            && self.producer.outstanding_records() > 0
    }

    /// Waits until every record is reported; after a signal only for a while.
    fn finish(&self) {
        let mut asked_at = None;
        while let Err(error) = self.producer.flush(SLICE) {
            if error.code() != ErrorCode::TIMED_OUT {
                break;
            }
            if self.interrupt.is_asked()
                && asked_at.get_or_insert_with(Instant::now).elapsed() > GRACE
            {
                let left = self.producer.outstanding_records();
                say(&format!(
                    "ottla: ended with {left} records on their way; each of them is named below"
                ));
                break;
            }
        }
        // Fails what is left, and ends when its reports were given to the ledger.
        if let Err(error) = self.producer.close(Duration::ZERO) {
            say(&format!("ottla: {error}"));
        }
    }

    fn summarise(&self) {
        let asked = self.args.verbose || std::io::IsTerminal::is_terminal(&io::stderr());
        if asked && !self.args.quiet {
            say(&self.ledger.summary(self.begun.elapsed()));
        }
    }
}

/// A whole file, or its size when that is above the limit.
fn read_limited(path: &PathBuf, limit_bytes: usize) -> io::Result<Result<Vec<u8>, usize>> {
    let mut value = Vec::new();
    let most = limit_bytes as u64 + 1;
    if path.as_os_str() == "-" {
        io::Read::read_to_end(&mut io::Read::take(io::stdin(), most), &mut value)?;
        return Ok(if value.len() > limit_bytes { Err(value.len()) } else { Ok(value) });
    }
    let size = usize::try_from(fs::metadata(path)?.len()).unwrap_or(usize::MAX);
    if size > limit_bytes {
        return Ok(Err(size));
    }
    io::Read::read_to_end(&mut io::Read::take(File::open(path)?, most), &mut value)?;
    Ok(if value.len() > limit_bytes { Err(value.len()) } else { Ok(value) })
}
