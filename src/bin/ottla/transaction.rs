//! The transactions of `ottla produce`: all records of the input in one, or so many in each. One of which
//! something could not be sent or stored, or that was interrupted, is not committed.

use std::cell::Cell;
use std::time::{Duration, Instant};

use ottla::error::{Error, ErrorCode, Result};
use ottla::producer::Producer;

use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::ledger::Ledger;
use crate::output::say;

/// How long a call into the library may wait before Ctrl-C is looked at again.
const SLICE: Duration = Duration::from_millis(250);

/// How long the end of a transaction may still take after Ctrl-C.
const GRACE: Duration = Duration::from_secs(5);

/// The transactions of a run, one after another; one is always open.
pub struct Transactions<'a> {
    producer: &'a Producer,
    ledger: &'a Ledger,
    interrupt: &'a Interrupt,
    /// After so many records one ends and the next begins.
    records_each: Option<u64>,
    records: Cell<u64>,
    committed: Cell<u64>,
    /// A commit has failed, and what there was to do about it was done.
    is_over: Cell<bool>,
}

impl<'a> Transactions<'a> {
    /// Begins the first one, if there is a `transactional.id`. Nothing has been sent yet.
    pub fn begin(
        producer: &'a Producer,
        ledger: &'a Ledger,
        interrupt: &'a Interrupt,
        records_each: Option<u64>,
    ) -> std::result::Result<Option<Transactions<'a>>, Failure> {
        if producer.config().identity.transactional_id.is_none() {
            return match records_each {
                Some(_) => Err(Failure::usage("--transaction-records needs --transactional-id")),
                None => Ok(None),
            };
        }
        let transactions = Transactions {
            producer,
            ledger,
            interrupt,
            records_each,
            records: Cell::new(0),
            committed: Cell::new(0),
            is_over: Cell::new(false),
        };
        transactions
            .until_done(|wait| producer.init_transactions(wait))
            .and_then(|()| producer.begin_transaction())
            .map_err(|error| Failure::starting(&error))?;
        Ok(Some(transactions))
    }

    /// A record was sent. Commits, and begins the next one, when this one is full.
    pub fn sent(&self) -> std::result::Result<(), Failure> {
        self.records.set(self.records.get() + 1);
        if self.records_each.is_none_or(|most| self.records.get() < most) {
            return Ok(());
        }
        if self.ledger.failed() > 0 {
            return Err(Failure::work("a record failed; nothing more is sent"));
        }
        self.commit()?;
        self.producer.begin_transaction().map_err(|error| Failure::work(error.message()))?;
        self.records.set(0);
        Ok(())
    }

    /// Ends the last one, unless `sent` has failed at that. `whole`: all that belongs to it was sent.
    pub fn end(&self, whole: bool) -> std::result::Result<(), Failure> {
        if self.is_over.get() {
            return Ok(());
        }
        if whole && self.ledger.failed() == 0 && !self.interrupt.is_asked() {
            return self.commit();
        }
        self.abort();
        Err(Failure::work(self.outcome("its transaction was aborted")))
    }

    fn commit(&self) -> std::result::Result<(), Failure> {
        let Err(error) = self.until_done(|wait| self.producer.commit_transaction(wait)) else {
            self.committed.set(self.committed.get() + 1);
            return Ok(());
        };
        self.is_over.set(true);
        if goes_on(&error) {
            return Err(Failure::work(self.outcome("whether the last one is committed is open")));
        }
        if !error.is_fatal() {
            self.abort();
        }
        Err(Failure::work(self.outcome(&format!("its transaction was not committed: {error}"))))
    }

    fn abort(&self) {
        if let Err(error) = self.until_done(|wait| self.producer.abort_transaction(wait)) {
            say(&format!("ottla: the transaction was left to its timeout: {error}"));
        }
    }

    /// What is there to be read, and what is not.
    fn outcome(&self, last: &str) -> String {
        let records = self.records.get();
        match self.committed.get() {
            0 => format!("nothing is committed: {last}"),
            before => format!(
                "{before} transactions are committed, the last {records} records are not: {last}"
            ),
        }
    }

    /// Makes a call until it has an outcome; after Ctrl-C only for a while.
    fn until_done(&self, call: impl Fn(Duration) -> Result<()>) -> Result<()> {
        let mut asked_at = None;
        loop {
            let outcome = call(SLICE);
            let is_over = self.interrupt.is_asked()
                && asked_at.get_or_insert_with(Instant::now).elapsed() > GRACE;
            if is_over || !outcome.as_ref().is_err_and(goes_on) {
                return outcome;
            }
        }
    }
}

/// Whether the same call is to be made again. A record that was not delivered in time makes a commit fail
/// with the same code, which is then for good.
fn goes_on(error: &Error) -> bool {
    error.code() == ErrorCode::TIMED_OUT && !error.is_abortable() && !error.is_fatal()
}
