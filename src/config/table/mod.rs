//! Owns the table of settings: one row each, from which the parser, the checks, the help text and
//! the published reference are made. It never holds a value that somebody set.
//!
//! The rows stand in `producing.rs`, `connecting.rs`, `security.rs` and `observing.rs`, by subject.

mod connecting;
mod observing;
mod producing;
mod security;

use std::fmt;

/// The rows, grouped by subject; each group has a heading.
pub static GROUPS: &[(&str, &[Row])] = &[
    ("Cluster, identity and metadata", connecting::CLUSTER),
    ("Batching, memory and partitioning", producing::BATCHING),
    ("Delivery, retries and transactions", producing::DELIVERY),
    ("Connections", connecting::CONNECTIONS),
    ("Security protocol and TLS", security::TLS),
    ("SASL", security::SASL),
    ("SASL/OAUTHBEARER", security::OAUTHBEARER),
    ("Metrics, logs and events", observing::OBSERVING),
    ("Code given through the API", observing::HOOKS),
];

/// What a setting's text may be.
#[derive(Copy, Clone, PartialEq, Debug)]
pub enum Kind {
    /// `true`, `t`, `1` or `false`, `f`, `0`, in any case.
    Bool,
    /// A whole number in this range.
    Int(i64, i64),
    /// A number in this range, with or without a fraction.
    Float(f64, f64),
    /// One of these words, in any case.
    Words(&'static [&'static str]),
    /// Any text of at most 32767 bytes (what a Kafka string can hold).
    Text,
    /// A text that is never shown.
    Secret,
    /// Texts with commas between them.
    List,
    /// `host:port` entries with commas between them.
    Servers,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Bool => f.write_str("true or false"),
            Kind::Int(min, max) if *max == i64::MAX => write!(f, "a whole number from {min} up"),
            Kind::Int(min, max) => write!(f, "a whole number from {min} to {max}"),
            Kind::Float(min, max) => write!(f, "a number from {min} to {max}"),
            Kind::Words(words) => write!(f, "one of {}", words.join(", ")),
            Kind::Text => f.write_str("a text"),
            Kind::Secret => f.write_str("a secret text"),
            Kind::List => f.write_str("a list with commas"),
            Kind::Servers => f.write_str("a list of host:port with commas"),
        }
    }
}

/// What happens when a setting is set.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Status {
    /// It does what it says.
    Built,
    /// Known, but not built yet: only a default is accepted, anything else is an error that says so.
    Planned,
    /// Accepted with one warning, because ottla has no use for it; the text says why.
    Ignored(&'static str),
    /// It names code in another language; the text says what to do instead.
    Hook(&'static str),
}

/// One setting.
#[derive(Clone, Debug)]
pub struct Row {
    /// The name: Java's where Java has one, else librdkafka's, else ottla's own.
    pub name: &'static str,
    /// Other spellings that mean the same setting.
    pub aliases: &'static [&'static str],
    /// What the text may be.
    pub kind: Kind,
    /// The default as text; empty: not set.
    pub default: &'static str,
    /// The default under `compat=librdkafka`, where it is another one.
    pub librdkafka_default: Option<&'static str>,
    /// What the name means under `compat=librdkafka`, where that is something else.
    pub librdkafka_meaning: Option<&'static str>,
    /// One or two sentences.
    pub doc: &'static str,
    /// The version of ottla whose table first had the row.
    pub since: &'static str,
    /// What happens when it is set.
    pub status: Status,
}

impl Row {
    const fn new(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Row {
        Row {
            name,
            aliases: &[],
            kind,
            default,
            librdkafka_default: None,
            librdkafka_meaning: None,
            doc,
            since: "0.1",
            status: Status::Built,
        }
    }

    const fn alias(mut self, aliases: &'static [&'static str]) -> Row {
        self.aliases = aliases;
        self
    }

    const fn librdkafka(mut self, default: &'static str) -> Row {
        self.librdkafka_default = Some(default);
        self
    }

    const fn librdkafka_means(mut self, meaning: &'static str) -> Row {
        self.librdkafka_meaning = Some(meaning);
        self
    }

    const fn planned(mut self) -> Row {
        self.status = Status::Planned;
        self
    }

    const fn ignored(mut self, why: &'static str) -> Row {
        self.status = Status::Ignored(why);
        self
    }

    const fn hook(name: &'static str, instead: &'static str) -> Row {
        let mut row = Row::new(name, Kind::Text, "", instead);
        row.status = Status::Hook(instead);
        row
    }

    /// The default under this profile.
    pub fn default_for(&self, compat: super::Compat) -> &'static str {
        match compat {
            super::Compat::Java => self.default,
            super::Compat::Librdkafka => self.librdkafka_default.unwrap_or(self.default),
        }
    }

    /// Every spelling, the name first.
    pub fn spellings(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// All rows, group by group.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    GROUPS.iter().flat_map(|(_, rows)| rows.iter())
}

/// The row with this spelling, and the spelling as the table holds it.
pub fn find(key: &str) -> Option<(&'static Row, &'static str)> {
    rows().find_map(|row| row.spellings().find(|s| *s == key).map(|spelling| (row, spelling)))
}

/// The spelling nearest to an unknown key, if one is near enough to be a slip.
pub fn nearest(key: &str) -> Option<&'static str> {
    // No slip is longer than this, and the distance costs the product of both lengths.
    if key.len() > 100 {
        return None;
    }
    let allowed = (key.chars().count() / 3).clamp(2, 5);
    rows()
        .flat_map(Row::spellings)
        .map(|spelling| (edit_distance(key, spelling), spelling))
        .min()
        .filter(|(distance, _)| *distance <= allowed)
        .map(|(_, spelling)| spelling)
}

/// Levenshtein's distance, with one row of the matrix.
pub(super) fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut costs: Vec<usize> = (0..=b.len()).collect();
    for (i, a_char) in a.chars().enumerate() {
        let mut diagonal = costs[0];
        costs[0] = i + 1;
        for (j, b_char) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(a_char != *b_char);
            diagonal = costs[j + 1];
            costs[j + 1] = substitute.min(costs[j] + 1).min(diagonal + 1);
        }
    }
    costs[b.len()]
}
