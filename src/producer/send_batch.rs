//! Many records in one call. Those in a row that go to the same partition are appended under one lock;
//! whatever is not plain about a record (its topic is not known yet, there is no room, an interceptor) goes
//! the way of a single one.

use std::sync::Arc;

use crate::accumulator::append::Outgoing;
use crate::accumulator::topic::{Topic, TopicId, TopicState};
use crate::delivery::future::DeliveryFuture;
use crate::error::{Error, ErrorCode, Result};
use crate::partitioner::Choice;
use crate::producer::{Producer, Shared, Wait, ANY_PARTITION};
use crate::record::{Record, NO_TIMESTAMP};

/// Records that are looked at together: their time of sending is read once.
const STRETCH: usize = 256;

/// What is told of each record that was not accepted: its index, and why. Says whether to go on.
type Refused<'a> = &'a mut dyn FnMut(usize, Error) -> bool;

impl Producer {
    /// Sends records to a topic, in order, as [`Producer::send`] each of them: for each its future, or why
    /// it was not accepted, which does not hold up the others. Cheaper than single sends when records in a
    /// row go to the same partition.
    pub fn send_batch(
        &self,
        topic: TopicId,
        records: &[Record<'_>],
    ) -> Vec<Result<DeliveryFuture>> {
        let Some(futures) = &self.shared.futures else {
            let refuse = |_: &Record<'_>| Err(reports_by_token());
            return records.iter().map(refuse).collect();
        };
        let promises: Vec<_> = records.iter().map(|_| futures.promise()).collect();
        let partition = ANY_PARTITION;
        let outgoing = records.iter().zip(&promises).map(|(&record, promise)| Outgoing {
            topic,
            partition,
            record,
            token: promise.token(),
        });
        let mut errors: Vec<Option<Error>> = records.iter().map(|_| None).collect();
        let mut outgoing: Vec<_> = outgoing.collect();
        self.shared.accept_all(&mut outgoing, self.default_wait(), &mut |index, error| {
            errors[index] = Some(error);
            true
        });
        let outcome = |(promise, error): (DeliveryFuture, Option<Error>)| match error {
            None => Ok(promise),
            Some(error) => {
                promise.cancel();
                Err(error)
            }
        };
        promises.into_iter().zip(errors).map(outcome).collect()
    }

    /// Sends records in order, as [`Producer::send_token`] each of them. `refused` is told the index of
    /// each that was not accepted, and why; if it says false, those behind are not sent. A timestamp of -1
    /// is replaced by the time of sending. Returns how many were accepted.
    pub fn send_batch_tokens(
        &self,
        records: &mut [Outgoing<'_>],
        wait: Wait,
        refused: &mut dyn FnMut(usize, Error) -> bool,
    ) -> usize {
        if self.shared.futures.is_some() {
            return each(records, refused, |_| Err(reports_by_future())).0;
        }
        self.shared.accept_all(records, wait, refused)
    }
}

#[cold]
fn reports_by_token() -> Error {
    let text =
        "this producer reports by callback or poll: use send_batch_tokens, or build it without";
    Error::new(ErrorCode::STATE, text)
}

#[cold]
fn reports_by_future() -> Error {
    let text =
        "this producer reports through futures: use send_batch, or build it with a callback or poll";
    Error::new(ErrorCode::STATE, text)
}

/// Accepts records one by one. How many were accepted, and whether to go on behind them.
fn each(
    records: &[Outgoing<'_>],
    refused: Refused<'_>,
    accept: impl Fn(&Outgoing<'_>) -> Result<()>,
) -> (usize, bool) {
    let mut accepted = 0;
    for (index, outgoing) in records.iter().enumerate() {
        match accept(outgoing) {
            Ok(()) => accepted += 1,
            Err(error) => {
                if !refused(index, error) {
                    return (accepted, false);
                }
            }
        }
    }
    (accepted, true)
}

/// Records that go the same way.
struct Run<'a> {
    topic: &'a Arc<Topic>,
    choice: Choice,
    count: usize,
}

impl Shared {
    /// As `accept`, record by record, but with one lock for those in a row that go to the same partition.
    fn accept_all(&self, records: &mut [Outgoing<'_>], wait: Wait, refused: Refused<'_>) -> usize {
        let mut accepted = 0;
        for (index, stretch) in records.chunks_mut(STRETCH).enumerate() {
            let first = index * STRETCH;
            let mut refused = |at: usize, error| refused(first + at, error);
            let (count, go_on) = self.accept_stretch(stretch, wait, &mut refused);
            accepted += count;
            if !go_on {
                break;
            }
        }
        accepted
    }

    /// How many were accepted, and whether to go on behind them.
    fn accept_stretch(
        &self,
        records: &mut [Outgoing<'_>],
        wait: Wait,
        refused: Refused<'_>,
    ) -> (usize, bool) {
        if let Err(error) = self.check_taking() {
            return each(records, refused, |_| Err(error.clone()));
        }
        // Interceptors see that a record has no time yet, as with a single send.
        let fills = self.interceptors.is_empty();
        if fills && records.iter().any(|one| one.record.timestamp_ms == NO_TIMESTAMP) {
            let now = self.clock.wall_ms();
            let unset = records.iter_mut().filter(|one| one.record.timestamp_ms == NO_TIMESTAMP);
            unset.for_each(|outgoing| outgoing.record.timestamp_ms = now);
        }
        let (mut accepted, mut at) = (0, 0);
        // The choice for the record at `at`, if it was made already: a partitioner is asked once.
        let mut ahead = None;
        while at < records.len() {
            let rest = &mut records[at..];
            let go_on = match self.run_of(rest, &mut ahead) {
                None => {
                    at += 1;
                    match self.accept(&mut rest[0], wait) {
                        Ok(()) => {
                            accepted += 1;
                            true
                        }
                        Err(error) => refused(at - 1, error),
                    }
                }
                Some(run) => {
                    let mut refused = |index: usize, error| refused(at + index, error);
                    let (count, go_on) =
                        self.accept_run(&run, &rest[..run.count], wait, &mut refused);
                    accepted += count;
                    at += run.count;
                    go_on
                }
            };
            if !go_on {
                return (accepted, false);
            }
        }
        (accepted, true)
    }

    /// The run that `records` begin with; `None` when the first is not plain. `ahead` takes the choice for
    /// the record behind the run.
    fn run_of(&self, records: &[Outgoing<'_>], ahead: &mut Option<Choice>) -> Option<Run<'_>> {
        let first = &records[0];
        let topic = self.accumulator.topics.get(first.topic.0)?;
        let plain = |outgoing: &Outgoing<'_>| self.check_record(outgoing).is_ok();
        let known = topic.state() == TopicState::Known && self.interceptors.is_empty();
        if !known || !plain(first) {
            return None;
        }
        let choice = ahead.take().unwrap_or_else(|| self.choose(topic, first));
        let mut count = 1;
        let one_way = matches!(choice, Choice::Partition(_) | Choice::Sticky);
        while let Some(next) = records.get(count).filter(|_| one_way) {
            if next.topic != first.topic || !plain(next) {
                break;
            }
            let its = self.choose(topic, next);
            if its != choice {
                *ahead = Some(its);
                break;
            }
            count += 1;
        }
        Some(Run { topic, choice, count })
    }

    /// Appends a run. How many were accepted, and whether to go on behind it.
    fn accept_run(
        &self,
        run: &Run<'_>,
        records: &[Outgoing<'_>],
        wait: Wait,
        refused: Refused<'_>,
    ) -> (usize, bool) {
        let &Run { topic, choice, .. } = run;
        if records.len() == 1 || !self.accumulator.count_in(records.len() as i64) {
            return each(records, refused, |outgoing| {
                self.counted(wait, |wait| self.append_to(topic, choice, outgoing, wait))
            });
        }
        let mut accepted = 0;
        let now = || self.clock.now();
        let context = self.accumulator.append_context(&now);
        let mut at = 0;
        while at < records.len() {
            let (count, failure) =
                self.accumulator.append_run(&context, topic, choice, &records[at..]);
            accepted += count;
            at += count;
            let Some(failure) = failure else { break };
            match self.append_slowly(topic, choice, &records[at], wait, failure) {
                Ok(()) => accepted += 1,
                Err(error) => {
                    self.not_accepted();
                    if !refused(at, error) {
                        self.accumulator.count_out((records.len() - at - 1) as i64);
                        return (accepted, false);
                    }
                }
            }
            at += 1;
        }
        (accepted, true)
    }
}
