//! `ottla mock`: the embedded cluster as a service of its own, for tests in any language.

use std::io::{self, Read};
use std::str::FromStr;
use std::sync::mpsc::{channel, Sender};
use std::thread;

use clap::Args;
use ottla::error::{Error, ErrorCode};
use ottla::mock::{served, Fault, MockCluster, Retention, TopicSettings};
use ottla::protocol::ApiKey;

use crate::exit::{Failure, Outcome, DONE};
use crate::interrupt::Interrupt;
use crate::output::{print, say};

const EXAMPLES: &str = "\
Examples:
  Three brokers, until Ctrl-C; the first line printed is their address:
    ottla mock --brokers 3 --topic orders:6:3
  From a test: it ends when its standard input is closed:
    ottla mock --until-eof
  A slow cluster that refuses the first two produce requests, then loses an answer:
    ottla mock --round-trip-ms 20 --fault 'Produce=NOT_LEADER_OR_FOLLOWER*2' \\
      --fault Produce=drop-response

Faults: the name of an error (as in the protocol: NOT_ENOUGH_REPLICAS, …), drop-request (the \
connection closes before any work), drop-response (the work is done, then it closes), silence, \
delay:MS, throttle:MS, garbage, truncated, wrong-correlation, invalid-length. Each meets one \
request of the API, in the order given.";

/// Run an embedded Kafka cluster on loopback and print its address
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Mock {
    /// How many brokers
    #[arg(long, default_value = "1", value_parser = clap::value_parser!(u16).range(1..=1000))]
    brokers: u16,

    /// Create a topic; may be repeated
    #[arg(short = 't', long = "topic", value_name = "NAME[:PARTITIONS[:REPLICATION]]")]
    topics: Vec<NewTopic>,

    /// Partitions of topics that say nothing else
    #[arg(long, default_value = "4", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    partitions: u32,

    /// Unknown topics stay unknown
    #[arg(long)]
    no_auto_create: bool,

    /// How long after their creation by a client topics have no leaders
    #[arg(long, default_value = "0", value_name = "MS")]
    topic_creation_ms: u64,

    /// max.message.bytes of all topics
    #[arg(long, value_name = "BYTES")]
    max_message_bytes: Option<usize>,

    /// min.insync.replicas of all topics
    #[arg(long, value_name = "N")]
    min_insync_replicas: Option<usize>,

    /// Records get the broker's time
    #[arg(long)]
    log_append_time: bool,

    /// Records without a key are refused, as in a compacted topic
    #[arg(long)]
    compacted: bool,

    /// Keep only the newest bytes of each partition; 0 keeps nothing
    #[arg(long, value_name = "BYTES")]
    retain_bytes: Option<u64>,

    /// Hold every answer back
    #[arg(long, value_name = "MS")]
    round_trip_ms: Option<u64>,

    /// Something goes wrong with the next (COUNT) requests of an API; may be repeated
    #[arg(long = "fault", value_name = "API=FAULT[*COUNT]")]
    faults: Vec<OrderedFault>,

    /// Every request about the topic is answered with this error; may be repeated
    #[arg(long = "topic-error", value_name = "TOPIC=ERROR")]
    topic_errors: Vec<TopicError>,

    /// Brokers as old as those of a Kafka release from 0.8 on; above the newest that is known it is that one
    #[arg(long, value_name = "RELEASE")]
    kafka_version: Option<String>,

    /// End when standard input is closed
    #[arg(long)]
    until_eof: bool,

    /// In the end, say what was stored
    #[arg(short = 'v', long)]
    verbose: bool,
}

/// `--topic`.
#[derive(Clone, PartialEq, Eq, Debug)]
struct NewTopic {
    name: String,
    partitions: Option<usize>,
    replication: Option<usize>,
}

impl FromStr for NewTopic {
    type Err = String;

    fn from_str(text: &str) -> Result<NewTopic, String> {
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default().to_owned();
        let mut number = |what: &str| match parts.next() {
            None => Ok(None),
            Some(text) => {
                text.parse().map(Some).map_err(|_| format!("{text:?} is no number of {what}"))
            }
        };
        let (partitions, replication) = (number("partitions")?, number("replicas")?);
        match parts.next() {
            None => Ok(NewTopic { name, partitions, replication }),
            Some(_) => {
                Err("a topic is NAME, NAME:PARTITIONS or NAME:PARTITIONS:REPLICATION".to_owned())
            }
        }
    }
}

/// `--fault`.
#[derive(Clone, PartialEq, Debug)]
struct OrderedFault {
    api: ApiKey,
    fault: Fault,
    count: usize,
}

impl FromStr for OrderedFault {
    type Err = String;

    fn from_str(text: &str) -> Result<OrderedFault, String> {
        let (api, what) = text.split_once('=').ok_or("a fault is API=FAULT or API=FAULT*COUNT")?;
        let (what, count) = what.split_once('*').unwrap_or((what, "1"));
        let count = count.parse().map_err(|_| format!("{count:?} is no count"))?;
        Ok(OrderedFault { api: api_named(api)?, fault: fault_named(what)?, count })
    }
}

/// `--topic-error`.
#[derive(Clone, PartialEq, Eq, Debug)]
struct TopicError {
    topic: String,
    code: ErrorCode,
}

impl FromStr for TopicError {
    type Err = String;

    fn from_str(text: &str) -> Result<TopicError, String> {
        let (topic, code) = text.split_once('=').ok_or("what is wanted is TOPIC=ERROR")?;
        Ok(TopicError { topic: topic.to_owned(), code: error_named(code)? })
    }
}

fn api_named(name: &str) -> Result<ApiKey, String> {
    let named = |api: &ApiKey| format!("{api:?}").eq_ignore_ascii_case(name);
    served().find(named).ok_or_else(|| {
        let all: Vec<String> = served().map(|api| format!("{api:?}")).collect();
        format!("the cluster serves no API {name:?}; it serves {}", all.join(", "))
    })
}

fn error_named(name: &str) -> Result<ErrorCode, String> {
    ErrorCode::known()
        .find(|code| code.value() > 0 && code.name().eq_ignore_ascii_case(name))
        .ok_or_else(|| format!("Kafka knows no error {name:?}"))
}

fn fault_named(name: &str) -> Result<Fault, String> {
    let ms = |text: &str| {
        text.parse::<u32>().map_err(|_| format!("{text:?} is no number of milliseconds"))
    };
    Ok(match name {
        "drop-request" => Fault::DropRequest,
        "drop-response" => Fault::DropResponse,
        "silence" => Fault::Silence,
        "garbage" => Fault::Garbage,
        "truncated" => Fault::Truncated,
        "wrong-correlation" => Fault::WrongCorrelation,
        "invalid-length" => Fault::InvalidLength,
        _ => match name.split_once(':') {
            Some(("delay", text)) => Fault::DelayMs(u64::from(ms(text)?)),
            Some(("throttle", text)) => {
                Fault::ThrottleMs(i32::try_from(ms(text)?).unwrap_or(i32::MAX))
            }
            _ => Fault::Error(error_named(name)?),
        },
    })
}

/// Runs the command.
pub fn run(args: &Mock, interrupt: &Interrupt) -> Outcome {
    let (end, ended) = channel();
    let asked: Sender<()> = end.clone();
    interrupt.on_ask(move || {
        // Fails only when nobody waits any more.
        let _ = asked.send(());
    });
    interrupt.be_gentle();
    let cluster = MockCluster::start(usize::from(args.brokers))
        .map_err(|error| Failure::work(error.message()))?;
    args.arrange(&cluster)?;
    print(&format!("{}\n", cluster.bootstrap_servers()))?;
    if args.until_eof {
        let watch = move || {
            // Whatever comes is of no interest; an error is an end, too.
            let mut source = io::stdin().lock();
            let mut bytes = [0; 1024];
            while source.read(&mut bytes).is_ok_and(|count| count > 0) {}
            let _ = end.send(());
        };
        thread::Builder::new()
            .name("ottla-input".to_owned())
            .spawn(watch)
            .map_err(|cause| Failure::work(format!("cannot start a thread: {cause}")))?;
    }
    // Fails only when there is no sender left, and the interrupt keeps one.
    let _ = ended.recv();
    cluster.close();
    if args.verbose {
        say_stored(&cluster);
    }
    // To be told to end is how this command ends well.
    Ok(DONE)
}

impl Mock {
    fn arrange(&self, cluster: &MockCluster) -> Result<(), Failure> {
        if let Some(release) = &self.kafka_version {
            let done = cluster.set_kafka_version(release);
            done.map_err(|error| Failure::usage(format!("--kafka-version: {error}")))?;
        }
        let usual = TopicSettings::default();
        cluster.set_default_topic_settings(TopicSettings {
            max_message_bytes: self.max_message_bytes.unwrap_or(usual.max_message_bytes),
            min_insync_replicas: self.min_insync_replicas.unwrap_or(usual.min_insync_replicas),
            log_append_time: self.log_append_time,
            compacted: self.compacted,
        });
        let partitions = self.partitions as usize;
        cluster.set_auto_create(!self.no_auto_create, partitions);
        cluster.set_topic_creation_ms(self.topic_creation_ms);
        for topic in &self.topics {
            let replication = topic.replication.unwrap_or(usize::from(self.brokers.min(3)));
            let created = cluster.create_topic(
                &topic.name,
                topic.partitions.unwrap_or(partitions),
                replication,
            );
            created.map_err(|error: Error| {
                Failure::usage(format!("--topic {}: {}: {error}", topic.name, error.code()))
            })?;
        }
        match self.retain_bytes {
            None => {}
            Some(0) => cluster.set_retention(Retention::Nothing),
            Some(bytes) => cluster.set_retention(Retention::NewestBytes(bytes)),
        }
        if let Some(ms) = self.round_trip_ms {
            cluster.set_delay_ms(None, None, ms);
        }
        for OrderedFault { api, fault, count } in &self.faults {
            cluster.push_faults(None, *api, &vec![fault.clone(); *count]);
        }
        for TopicError { topic, code } in &self.topic_errors {
            cluster.set_topic_error(topic, Some(*code));
        }
        Ok(())
    }
}

fn say_stored(cluster: &MockCluster) {
    for topic in cluster.topic_names() {
        let partitions = cluster.partition_count(&topic).unwrap_or(0) as i32;
        let ends = (0..partitions).map(|p| cluster.log_end_offset(&topic, p).unwrap_or(0));
        say(&format!("{topic}: {} records in {partitions} partitions", ends.sum::<i64>()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_as_typed() {
        let topic = |name: &str, partitions, replication| {
            Ok(NewTopic { name: name.to_owned(), partitions, replication })
        };
        assert_eq!("a".parse(), topic("a", None, None));
        assert_eq!("a:6".parse(), topic("a", Some(6), None));
        assert_eq!("a:6:3".parse(), topic("a", Some(6), Some(3)));
        for bad in ["a:", "a:x", "a:1:", "a:1:2:3", "a:-1"] {
            assert!(bad.parse::<NewTopic>().is_err(), "{bad}");
        }
    }

    #[test]
    fn faults_as_typed() {
        let fault = |text: &str| text.parse::<OrderedFault>().map(|f| (f.api, f.fault, f.count));
        let not_leader = Fault::Error(ErrorCode::NOT_LEADER_OR_FOLLOWER);
        assert_eq!(fault("produce=not_leader_or_follower*3"), Ok((ApiKey::Produce, not_leader, 3)));
        assert_eq!(fault("Metadata=silence"), Ok((ApiKey::Metadata, Fault::Silence, 1)));
        assert_eq!(fault("Fetch=delay:50"), Ok((ApiKey::Fetch, Fault::DelayMs(50), 1)));
        assert_eq!(fault("Produce=throttle:9"), Ok((ApiKey::Produce, Fault::ThrottleMs(9), 1)));
        for bad in
            ["Produce", "Produce=x", "Heartbeat=silence", "Produce=silence*x", "Produce=delay:x"]
        {
            assert!(fault(bad).is_err(), "{bad}");
        }
    }
}
