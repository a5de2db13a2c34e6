//! What the application sent and what it was told: the model that the oracles compare with the brokers'
//! logs. Never judges.

use std::collections::BTreeMap;

use crate::delivery::{Persistence, Report};
use crate::error::ErrorCode;
use crate::producer::GroupOffset;
use crate::time::Time;

/// Tokens begin here, so that an index or a zero that is taken for a token shows.
const FIRST_TOKEN: u64 = 1 << 40;

/// A record's headers.
pub(super) type Headers = Vec<(String, Option<Vec<u8>>)>;

/// What makes a record what it is, but for its time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Content {
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) headers: Headers,
}

/// A record that the application gave to `send`.
#[derive(Debug)]
pub(super) struct Sent {
    /// Index of the topic among the options' topics.
    pub(super) topic: usize,
    /// The partition asked for, or -1.
    pub(super) partition: i32,
    /// The record as the log should have it (after interceptors).
    /// Without its headers where brokers may lose them.
    pub(super) content: Content,
    pub(super) headers: Headers,
    /// Its time as the log should have it.
    pub(super) timestamp_ms: i64,
    pub(super) at: Time,
    pub(super) accepted: bool,
    /// No other record of the run has the same content.
    pub(super) unique: bool,
    /// Sent after everything was healed.
    pub(super) probe: bool,
    /// The transaction that it belongs to.
    pub(super) transaction: Option<usize>,
    pub(super) fate: Option<Fate>,
}

/// What was reported.
#[derive(Clone, Debug)]
pub(super) struct Fate {
    pub(super) code: ErrorCode,
    pub(super) message: Option<String>,
    pub(super) persistence: Persistence,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) log_append_time_ms: i64,
    pub(super) timestamp_ms: i64,
    pub(super) at: Time,
}

/// A batch that a broker wrote into a log.
#[derive(Debug)]
pub(super) struct Append {
    pub(super) topic: usize,
    /// Which life of the topic.
    pub(super) life: usize,
    pub(super) partition: i32,
    /// The leader that wrote it.
    pub(super) broker: i32,
    pub(super) base_offset: i64,
    pub(super) count: i64,
    /// When the client wrote the first byte of the request.
    pub(super) asked_at: Time,
    /// When the client had read the whole answer that says so.
    pub(super) answered_at: Option<Time>,
}

/// A transaction as the application saw it.
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    pub(super) begun_at: Time,
    /// Group, partition and offset of what it was to commit besides records.
    pub(super) offsets: Vec<(String, i32, i64)>,
    /// The application called commit.
    pub(super) commit_asked: bool,
    /// Commit was answered without an error.
    pub(super) committed: bool,
    /// So was abort.
    pub(super) aborted: bool,
}

impl Transaction {
    /// One that holds nothing yet.
    pub(super) fn begun(begun_at: Time) -> Transaction {
        let (commit_asked, committed, aborted) = (false, false, false);
        Transaction { begun_at, offsets: Vec::new(), commit_asked, committed, aborted }
    }
}

/// The ledger. See the head of the file.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) sent: Vec<Sent>,
    pub(super) appends: Vec<Append>,
    /// In the order in which they were begun.
    pub(super) transactions: Vec<Transaction>,
    /// Flushes that have begun: epoch and number of records sent before.
    pub(super) flushes: Vec<(u64, usize)>,
    /// Of each topic, how often it was deleted and made again.
    pub(super) lives: BTreeMap<usize, usize>,
    pub(super) reported: usize,
    pub(super) accepted: usize,
}

impl Ledger {
    /// The token of the record that is sent next.
    pub(super) fn next_token(&self) -> u64 {
        FIRST_TOKEN + self.sent.len() as u64
    }

    /// The place of a token's record.
    pub(super) fn index_of(&self, token: u64) -> Option<usize> {
        let index = usize::try_from(token.checked_sub(FIRST_TOKEN)?).ok()?;
        (index < self.sent.len()).then_some(index)
    }

    /// The token of a record.
    pub(super) fn token_of(index: usize) -> u64 {
        FIRST_TOKEN + index as u64
    }

    /// Which life of the topic this is.
    pub(super) fn life(&self, topic: usize) -> usize {
        self.lives.get(&topic).copied().unwrap_or(0)
    }

    /// What `report` says of its `index`-th record.
    pub(super) fn fate_in(report: &Report, index: usize, at: Time) -> Fate {
        Fate {
            code: report.code,
            message: report.message.as_ref().map(ToString::to_string),
            persistence: report.persistence,
            partition: report.partition,
            offset: report.offset(index),
            log_append_time_ms: report.log_append_time_ms,
            timestamp_ms: report.timestamp_ms(index),
            at,
        }
    }

    /// The transaction that is open, sends offsets.
    pub(super) fn note_offsets(&mut self, group: &str, offsets: &[GroupOffset]) {
        if let Some(open) = self.transactions.last_mut() {
            let sent = offsets.iter().map(|at| (group.to_owned(), at.partition, at.offset));
            open.offsets.extend(sent);
        }
    }

    /// Whether the last transaction has what had to get through, and was committed.
    pub(super) fn has_probed(&self) -> bool {
        let committed = self.transactions.last().is_some_and(|last| last.committed);
        committed && self.sent.iter().any(|sent| sent.probe)
    }

    /// Records accepted and not reported.
    pub(super) fn open(&self) -> impl Iterator<Item = (usize, &Sent)> {
        let all = self.sent.iter().enumerate();
        all.filter(|(_, sent)| sent.accepted && sent.fate.is_none())
    }
}
