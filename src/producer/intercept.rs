//! The application's interceptors: they may change a record before it is sent and see every report before
//! the application does. Their panics are contained; Java: `ProducerInterceptors`.

use std::fmt;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::delivery::Report;
use crate::record::{Header, Record};
use crate::sender::Acknowledgements;

/// A record that an interceptor may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedRecord {
    /// Milliseconds since 1970, or -1 for now.
    pub timestamp_ms: i64,
    /// Key, or `None` for null.
    pub key: Option<Vec<u8>>,
    /// Value, or `None` for null.
    pub value: Option<Vec<u8>>,
    /// Headers in order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl OwnedRecord {
    /// A copy of `record`.
    pub fn of(record: &Record<'_>) -> OwnedRecord {
        let own = |header: &Header<'_>| (header.key.to_string(), header.value.map(<[u8]>::to_vec));
        OwnedRecord {
            timestamp_ms: record.timestamp_ms,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: record.headers.iter().map(own).collect(),
        }
    }

    /// Gives `use_it` this record.
    pub fn with_record<T>(&self, use_it: impl FnOnce(&Record<'_>) -> T) -> T {
        let headers: Vec<Header<'_>> = self
            .headers
            .iter()
            .map(|(key, value)| Header { key, value: value.as_deref() })
            .collect();
        use_it(&Record {
            timestamp_ms: self.timestamp_ms,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: &headers,
        })
    }
}

/// Sees records on their way out and home. Called from the threads that send and from the sender thread;
/// must be quick and must not call the producer.
pub trait Interceptor: Send + Sync {
    /// May change the record before it is validated and partitioned.
    fn on_send(&self, topic: &str, record: &mut OwnedRecord) {
        let _ = (topic, record);
    }

    /// The records of `report` have ended.
    fn on_acknowledgement(&self, report: &Report) {
        let _ = report;
    }
}

/// All interceptors of a producer, in order.
#[derive(Default)]
pub struct Interceptors {
    chain: Vec<Box<dyn Interceptor>>,
    panics: AtomicU64,
}

impl Interceptors {
    /// A chain.
    pub fn new(chain: Vec<Box<dyn Interceptor>>) -> Interceptors {
        Interceptors { chain, panics: AtomicU64::new(0) }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.chain.is_empty()
    }

    /// Calls that panicked, ever.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Passes a record through the chain. One that panics is skipped: the next gets the record as it was.
    pub fn on_send(&self, topic: &str, record: &Record<'_>) -> OwnedRecord {
        let mut current = OwnedRecord::of(record);
        for interceptor in &self.chain {
            let mut changed = current.clone();
            let call = AssertUnwindSafe(|| {
                interceptor.on_send(topic, &mut changed);
                changed
            });
            match catch_unwind(call) {
                Ok(changed) => current = changed,
                Err(_) => {
                    self.panics.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        current
    }
}

impl Acknowledgements for Interceptors {
    fn on_acknowledgement(&self, report: &Report) {
        for interceptor in &self.chain {
            let call = AssertUnwindSafe(|| interceptor.on_acknowledgement(report));
            if catch_unwind(call).is_err() {
                self.panics.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl fmt::Debug for Interceptors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interceptors({})", self.chain.len())
    }
}
