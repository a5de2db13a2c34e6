//! What an application thread does: checks a record, passes it through the interceptors, learns its topic,
//! picks a partition and appends. This is the Rust face; the C face calls it too. Never touches the network.

mod block;
mod builder;
mod close;
pub mod fork;
mod information;
pub mod intercept;
mod open;
#[cfg(test)]
mod embedded_support;
#[cfg(test)]
mod exactly_once_tests;
#[cfg(test)]
mod face_tests;
#[cfg(test)]
mod mixed_cluster_tests;
#[cfg(test)]
mod old_broker_tests;
#[cfg(test)]
mod pair_asked;
#[cfg(test)]
mod pair_end_tests;
#[cfg(test)]
mod pair_once_tests;
#[cfg(test)]
mod pair_support;
#[cfg(test)]
mod pair_tests;
#[cfg(test)]
mod pair_topic_tests;
#[cfg(test)]
mod pair_unacknowledged_tests;
mod send;
mod send_batch;
#[cfg(test)]
mod send_batch_tests;
mod survey;
#[cfg(test)]
mod transaction_case_tests;
#[cfg(test)]
mod transaction_end_tests;
#[cfg(test)]
mod transaction_error_tests;
#[cfg(test)]
mod transaction_tests;
mod transactions;

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, ThreadId};

use once_cell::sync::OnceCell;

pub use builder::{Hooks, ProducerBuilder};
pub use close::Purge;
pub use open::{assemble, Assembled, World};
pub use send::{Wait, ANY_PARTITION};

pub use crate::txn::{GroupMetadata, GroupOffset};

pub use crate::accumulator::append::Outgoing;
pub use crate::accumulator::topic::TopicId;
use crate::accumulator::Accumulator;
use crate::config::ProducerConfig;
use crate::delivery::future::Futures;
use crate::delivery::Delivery;
use crate::error::{Error, ErrorCode, Result};
use crate::log::Log;
use crate::metadata::Metadata;
use crate::metrics::ProducerMetrics;
use crate::mock::MockCluster;
use crate::partitioner::Partitioner;
use crate::producer::fork::ForkGuard;
use crate::producer::intercept::Interceptors;
use crate::time::Clock;
use crate::txn::desk::Desk;

/// A Kafka producer. Safe to share between threads; every method takes `&self`.
///
/// Records are accepted by [`send`](Producer::send) and its relatives and reported exactly once: through the
/// future that `send` returns, to the function given to [`ProducerBuilder::on_delivery`], or by
/// [`poll`](Producer::poll) — one of the three, chosen when it is built. Dropping the producer closes it
/// and waits up to `delivery.timeout.ms`, but never longer than two minutes, for records on their way; what
/// is left then is reported as failed. To wait longer or shorter, call [`close`](Producer::close) before.
pub struct Producer {
    shared: Arc<Shared>,
}

/// What all handles and threads of one producer share.
pub(crate) struct Shared {
    config: ProducerConfig,
    accumulator: Arc<Accumulator>,
    metadata: Arc<Metadata>,
    delivery: Arc<Delivery>,
    partitioner: Arc<Partitioner>,
    interceptors: Arc<Interceptors>,
    metrics: Arc<ProducerMetrics>,
    clock: Arc<dyn Clock>,
    log: Arc<Log>,
    futures: Option<Arc<Futures>>,
    fork: ForkGuard,
    /// Set once, when a fault ended the producer.
    fault: Arc<OnceCell<Error>>,
    /// Held while somebody waits for the thread's end, so that every `close` returns after it.
    sender_thread: Mutex<Option<JoinHandle<()>>>,
    sender_thread_id: OnceCell<ThreadId>,
    /// Where calls about transactions are placed.
    desk: Arc<Desk>,
    close_begun: AtomicBool,
    /// The embedded cluster, when `test.mock.num.brokers` asks for one.
    mock: Option<MockCluster>,
}

impl Producer {
    /// A builder with every setting at its default.
    pub fn builder() -> ProducerBuilder {
        ProducerBuilder::default()
    }

    /// The settings it runs with.
    pub fn config(&self) -> &ProducerConfig {
        &self.shared.config
    }

    /// The embedded cluster it runs on, if `test.mock.num.brokers` is set.
    pub fn mock_cluster(&self) -> Option<&MockCluster> {
        self.shared.mock.as_ref()
    }
}

impl Shared {
    /// Refuses calls in a forked child, after a fault, and after close.
    fn check_open(&self) -> Result<()> {
        if self.fork.is_child() || self.accumulator.is_closed() {
            return Err(self.why_not_open());
        }
        Ok(())
    }

    /// As `check_open`, for records: with transactions, refuses them outside of one.
    #[inline]
    fn check_taking(&self) -> Result<()> {
        if self.fork.is_child() || self.accumulator.admission.seems_refused() {
            return Err(self.why_not_taken());
        }
        Ok(())
    }

    #[cold]
    fn why_not_taken(&self) -> Error {
        let closed = self.fork.is_child() || self.accumulator.is_closed();
        match closed {
            true => self.why_not_open(),
            false => self.desk.why_no_records(),
        }
    }

    #[cold]
    fn why_not_open(&self) -> Error {
        if self.fork.is_child() {
            let text = "this producer belongs to the parent process: its threads do not exist after fork(); \
                        make a new producer in the child";
            return Error::new(ErrorCode::FORKED, text);
        }
        match self.fault.get() {
            Some(fault) => fault.clone(),
            None => Error::new(ErrorCode::CLOSED, "the producer is closed"),
        }
    }

    /// Whether this thread must not wait for the producer: it is running a callback of it.
    fn in_callback(&self) -> bool {
        let on_sender = self.sender_thread_id.get() == Some(&std::thread::current().id());
        on_sender || self.delivery.on_dispatcher()
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Producer({})", self.shared.config.identity.client_id)
    }
}
