//! The options that every command with a cluster shares, and the settings they make. A later place
//! wins over an earlier one: file, `-b` and the like, `-X`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use ottla::config::{reference, table, ConfigMap};
use ottla::error::ErrorCode;
use ottla::metadata::ClusterSnapshot;
use ottla::producer::{Producer, TopicId};

use crate::exit::{Failure, Outcome, DONE};
use crate::output;

/// Which cluster, and how to talk to it.
#[derive(Args, Clone, Debug)]
pub struct Connect {
    /// Brokers to ask first, with commas between them; not needed with -X test.mock.num.brokers=N
    #[arg(short = 'b', long, visible_alias = "bootstrap-server", value_name = "HOST:PORT,…")]
    #[arg(help_heading = "Cluster")]
    pub brokers: Option<String>,

    /// Set any producer setting, in Java's or librdkafka's spelling; may be repeated. `-X list`
    /// lists them, `-X dump` shows what is set
    #[arg(short = 'X', long = "setting", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    #[arg(help_heading = "Cluster")]
    pub settings: Vec<String>,

    /// Read settings from a file with a name=value on each line [default: the file that OTTLA_CONFIG names]
    #[arg(short = 'F', long = "config", value_name = "FILE", help_heading = "Cluster")]
    pub file: Option<PathBuf>,

    /// How long to wait for the first answer of a broker, in seconds
    #[arg(
        short = 'm',
        long,
        value_name = "SECONDS",
        default_value = "10",
        help_heading = "Cluster"
    )]
    #[arg(value_parser = seconds)]
    pub metadata_timeout: Duration,
}

/// A duration in seconds, as typed.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "a number of seconds is wanted".to_owned())?;
    Duration::try_from_secs_f64(number).map_err(|_| "no usable number of seconds".to_owned())
}

/// One setting and who said so.
struct Entry {
    /// Entries of a later place take the place of those for the same setting from an earlier one.
    place: usize,
    origin: String,
    name: String,
    value: String,
}

/// What came of the options.
pub enum Settings {
    /// The settings to run with.
    Map(ConfigMap),
    /// `-X list` or `-X dump`: this is to be printed, and nothing else done.
    Print(String),
}

/// Whether `-X list` is on a command line that lacks something else.
pub fn asks_for_list(arguments: impl Iterator<Item = OsString>) -> bool {
    let mut flag_before = false;
    for argument in arguments {
        // What is no text is no such word, but may be the name of a file.
        let argument = argument.to_string_lossy();
        let together = matches!(&*argument, "-Xlist" | "-X=list" | "--setting=list");
        if together || (flag_before && argument == "list") {
            return true;
        }
        if argument == "--" {
            return false;
        }
        flag_before = matches!(&*argument, "-X" | "--setting");
    }
    false
}

/// Prints the settings, a line each.
pub fn list() -> Outcome {
    output::print(&reference::help())?;
    Ok(DONE)
}

impl Connect {
    /// All settings together: `defaults`, the file, `flags` (name, value, and the flag that said so), `-X`.
    pub fn settings(
        &self,
        defaults: &[(&str, &str)],
        flags: &[(&str, &str, &str)],
    ) -> Result<Settings, Failure> {
        let mut entries = Entries::default();
        for (name, value) in defaults {
            entries.add(0, "the default", name, value);
        }
        let from_environment = || std::env::var_os("OTTLA_CONFIG").map(PathBuf::from);
        if let Some(path) = self.file.clone().or_else(from_environment) {
            entries.add_file(&path)?;
        }
        if let Some(brokers) = &self.brokers {
            entries.add(2, "-b", "bootstrap.servers", brokers);
        }
        for (name, value, flag) in flags {
            entries.add(2, flag, name, value);
        }
        for setting in &self.settings {
            match (setting.split_once('='), setting.as_str()) {
                (Some((name, value)), _) => entries.add(3, &format!("-X {name}"), name, value),
                (None, "list") => return Ok(Settings::Print(reference::help())),
                (None, "dump") => {}
                (None, other) => {
                    let text = format!("-X {other}: a setting is NAME=VALUE (or list, or dump)");
                    return Err(Failure::usage(text));
                }
            }
        }
        let map = entries.into_map()?;
        if self.settings.iter().any(|setting| setting == "dump") {
            return Ok(Settings::Print(dump(&map)));
        }
        Ok(Settings::Map(map))
    }

    /// Waits until a broker has answered.
    pub fn wait_ready(&self, producer: &Producer) -> Result<(), Failure> {
        producer.wait_ready(self.metadata_timeout).map_err(|error| match error.code() {
            ErrorCode::UNSUPPORTED_VERSION | ErrorCode::CLOSED => Failure::work(error.message()),
            _ => Failure::unreachable(format!("the cluster cannot be reached: {error}")),
        })
    }

    /// Waits until a broker has answered and the topic is known, and sees to it that it has the
    /// partition (-1: any).
    pub fn ready_topic(
        &self,
        producer: &Producer,
        name: &str,
        partition: i32,
    ) -> Result<(TopicId, Arc<ClusterSnapshot>), Failure> {
        let topic = producer.topic(name).map_err(|error| Failure::starting(&error))?;
        self.wait_ready(producer)?;
        let cluster = producer
            .topic_metadata(topic, self.metadata_timeout)
            .map_err(|error| Failure::work(error.message()))?;
        let partitions = cluster.topic(name).map_or(0, |topic| topic.partitions.len());
        if usize::try_from(partition).is_ok_and(|partition| partition >= partitions) {
            let text =
                format!("topic {name} has {partitions} partitions, and no partition {partition}");
            return Err(Failure::work(text));
        }
        Ok((topic, cluster))
    }
}

#[derive(Default)]
struct Entries {
    all: Vec<Entry>,
}

impl Entries {
    fn add(&mut self, place: usize, origin: &str, name: &str, value: &str) {
        let name = plain_name(name.trim());
        if let Some((row, _)) = table::find(name) {
            let same = |entry: &Entry| row.spellings().any(|spelling| spelling == entry.name);
            self.all.retain(|entry| entry.place >= place || !same(entry));
        }
        let (origin, name, value) = (origin.to_owned(), name.to_owned(), value.to_owned());
        self.all.push(Entry { place, origin, name, value });
    }

    fn add_file(&mut self, path: &Path) -> Result<(), Failure> {
        let shown = path.display();
        let text = fs::read_to_string(path).map_err(|cause| {
            Failure::usage(format!("cannot read settings from {shown}: {cause}"))
        })?;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((name, value)) = line.split_once('=') else {
                let text = format!("{shown}:{number}: a setting is name=value, not `{line}`");
                return Err(Failure::usage(text));
            };
            self.add(1, &format!("{shown}:{number}"), name, value.trim());
        }
        Ok(())
    }

    fn into_map(self) -> Result<ConfigMap, Failure> {
        let mut map = ConfigMap::new();
        for entry in self.all {
            map.set(&entry.name, &entry.value)
                .map_err(|error| Failure::usage(format!("{}: {error}", entry.origin)))?;
        }
        Ok(map)
    }
}

/// kcat marks librdkafka's topic settings with `topic.`; here all settings are of one kind.
fn plain_name(name: &str) -> &str {
    match name.strip_prefix("topic.") {
        Some(plain) if table::find(name).is_none() && table::find(plain).is_some() => plain,
        _ => name,
    }
}

/// Every setting that can be set, as it is set now.
fn dump(map: &ConfigMap) -> String {
    let can_be_set = |row: &&table::Row| !matches!(row.status, table::Status::Hook(_));
    let mut lines: Vec<String> = table::rows()
        .filter(can_be_set)
        .filter_map(|row| Some(format!("{} = {}\n", row.name, map.get(row.name).ok()?)))
        .collect();
    lines.sort();
    lines.concat()
}

/// Starts a producer's builder from options, or says that there is something to print instead.
pub fn print_or_map(settings: Settings) -> Result<Option<ConfigMap>, Failure> {
    match settings {
        Settings::Map(map) => Ok(Some(map)),
        Settings::Print(text) => {
            output::print(&text)?;
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_asked_for_anywhere() {
        let asks = |line: &str| asks_for_list(line.split(' ').map(OsString::from));
        assert!(asks("ottla produce -X list") && asks("ottla perf -Xlist -t x"));
        assert!(asks("ottla produce -t t -X acks=1 --setting list"));
        assert!(!asks("ottla produce -t list") && !asks("ottla produce -X acks=1 list"));
        assert!(!asks("ottla produce -t t -- -X list"), "files");
    }

    fn map(entries: &[(usize, &str, &str)]) -> Result<ConfigMap, Failure> {
        let mut all = Entries::default();
        for (place, name, value) in entries {
            all.add(*place, "here", name, value);
        }
        all.into_map()
    }

    #[test]
    fn a_later_place_wins_under_any_spelling() {
        let map = map(&[
            (1, "metadata.broker.list", "a:1"),
            (1, "linger.ms", "7"),
            (2, "bootstrap.servers", "b:1"),
            (3, "queue.buffering.max.ms", "9"),
        ])
        .unwrap();
        assert_eq!(map.get("bootstrap.servers").unwrap(), "b:1");
        assert_eq!(map.get("linger.ms").unwrap(), "9");
        assert!(map.build().is_ok(), "no setting is left under two names");
    }

    #[test]
    fn topic_settings_may_be_marked_as_such() {
        let map = map(&[(3, "topic.acks", "1"), (3, "topic.metadata.refresh.interval.ms", "5")]);
        let map = map.unwrap();
        assert_eq!(map.get("acks").unwrap(), "1");
        assert_eq!(map.get("topic.metadata.refresh.interval.ms").unwrap(), "5");
    }

    #[test]
    fn errors_say_where_the_setting_stands() {
        let failure = map(&[(1, "linger.mss", "5")]).unwrap_err();
        assert_eq!(failure.code, crate::exit::USAGE);
        let text = failure.to_string();
        assert!(text.starts_with("here: ") && text.contains("`linger.ms`"), "{text}");
    }

    #[test]
    fn seconds_are_numbers() {
        assert_eq!(seconds("0.25").unwrap(), Duration::from_millis(250));
        for bad in ["", "x", "-1", "inf", "nan"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
