//! ottla: a Kafka producer.
//!
//! ```no_run
//! use ottla::{Producer, Record};
//!
//! let producer = Producer::builder().set("bootstrap.servers", "localhost:9092")?.build()?;
//! let topic = producer.topic("greetings")?;
//! let stored = producer.send(topic, &Record::keyed(b"key", b"value"))?.wait()?;
//! println!("partition {} offset {}", stored.partition, stored.offset);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Begin with [`Producer`]. To test without a cluster, set `test.mock.num.brokers` or use
//! [`mock::MockCluster`].
//!
//! The modules stand in the order in which a record meets them; ARCHITECTURE.md walks one record
//! through them with file names. Those hidden from this documentation are not part of the public
//! interface.

// The road of a record, outward.
pub mod capi;
pub mod producer;
#[doc(hidden)]
pub mod accumulator;
#[doc(hidden)]
pub mod driver;
#[doc(hidden)]
pub mod encoder;
#[doc(hidden)]
pub mod sender;
#[doc(hidden)]
pub mod txn;
#[doc(hidden)]
pub mod client;
#[doc(hidden)]
pub mod protocol;
#[doc(hidden)]
pub mod net;
// The way home.
pub mod delivery;

// What the road stands on.
#[doc(hidden)]
pub mod backoff;
pub mod config;
pub mod error;
pub mod log;
pub mod metadata;
pub mod metrics;
pub mod partitioner;
pub mod record;
#[doc(hidden)]
pub mod sync;
pub mod time;

// A broker to test against, and the seeded world that proves the core.
pub mod mock;
#[cfg(any(test, feature = "sim"))]
#[doc(hidden)]
pub mod sim;
#[cfg(all(test, loom))]
mod races;

pub use error::{Error, ErrorCode, Result};
pub use producer::{GroupMetadata, GroupOffset, Producer, ProducerBuilder};
pub use record::{Header, Record};
