//! How a producer is put together by an application: settings by name, and the hooks that have no name.

use std::fmt;

use crate::config::ConfigMap;
use crate::delivery::{Door, Report};
use crate::error::Result;
use crate::log::{Event, EventSink, Level, LogSink};
use crate::partitioner::CustomPartitioner;
use crate::producer::intercept::Interceptor;
use crate::producer::open::open;
use crate::producer::Producer;
use crate::record::Record;

/// Settings and hooks of a producer to be.
///
/// ```no_run
/// use ottla::producer::Producer;
/// use ottla::record::Record;
///
/// let producer = Producer::builder().set("bootstrap.servers", "localhost:9092")?.build()?;
/// let topic = producer.topic("greetings")?;
/// let stored = producer.send(topic, &Record::value(b"hello"))?.wait();
/// # Ok::<(), ottla::error::Error>(())
/// ```
#[derive(Default)]
pub struct ProducerBuilder {
    config: ConfigMap,
    pub(super) hooks: Hooks,
}

/// What cannot be said in a string.
#[derive(Default)]
pub struct Hooks {
    /// How reports leave; `None`: through futures.
    pub door: Option<Door>,
    /// Interceptors in order.
    pub interceptors: Vec<Box<dyn Interceptor>>,
    /// Takes lines for people.
    pub log: Option<LogSink>,
    /// Takes events for programs.
    pub events: Option<EventSink>,
    /// The application's partitioner.
    pub partitioner: Option<CustomPartitioner>,
}

impl ProducerBuilder {
    /// Starts from a configuration.
    pub fn from_config(config: ConfigMap) -> ProducerBuilder {
        ProducerBuilder { config, hooks: Hooks::default() }
    }

    /// Sets one setting by its name in Kafka's or librdkafka's spelling.
    ///
    /// # Errors
    /// `CONFIG` for an unknown name (with the nearest known one) or a value out of range; `UNSUPPORTED` for
    /// what is known but not built yet.
    pub fn set(mut self, name: &str, value: &str) -> Result<ProducerBuilder> {
        self.config.set(name, value)?;
        Ok(self)
    }

    /// Reports go to this function on a thread of the library, several at a time. It may send
    /// (without waiting) but neither flush nor close.
    pub fn on_delivery(
        mut self,
        callback: impl FnMut(&[Report]) + Send + 'static,
    ) -> ProducerBuilder {
        self.hooks.door = Some(Door::Callback(Box::new(callback)));
        self
    }

    /// Reports wait until [`Producer::poll`] takes them.
    pub fn poll_reports(mut self) -> ProducerBuilder {
        self.hooks.door = Some(Door::Poll);
        self
    }

    /// Adds an interceptor behind those already there.
    pub fn interceptor(mut self, interceptor: impl Interceptor + 'static) -> ProducerBuilder {
        self.hooks.interceptors.push(Box::new(interceptor));
        self
    }

    /// Lines for people go to this function on threads of the library, which wait for it: warnings about
    /// settings, lost brokers, faults. It must not call the producer.
    pub fn on_log(mut self, sink: impl Fn(Level, &str) + Send + Sync + 'static) -> ProducerBuilder {
        self.hooks.log = Some(Box::new(sink));
        self
    }

    /// Events go to this function as lines do: lines too, errors with their code, throttling.
    pub fn on_event(
        mut self,
        sink: impl Fn(&Event<'_>) + Send + Sync + 'static,
    ) -> ProducerBuilder {
        self.hooks.events = Some(Box::new(sink));
        self
    }

    /// Partitions records by this function: topic, record, number of partitions; a number outside 0..count
    /// refuses the record. Called on the thread that sends or, for records that waited for their
    /// topic, on the sender thread.
    pub fn partitioner(
        mut self,
        partitioner: impl Fn(&str, &Record<'_>, u32) -> i32 + Send + Sync + 'static,
    ) -> ProducerBuilder {
        self.hooks.partitioner = Some(Box::new(partitioner));
        self
    }

    /// Checks the settings against each other and starts the producer. Connecting happens in the
    /// background; see [`Producer::wait_ready`].
    ///
    /// # Errors
    /// `CONFIG` or `UNSUPPORTED` for settings; `STATE` when the system gives no thread or descriptor.
    pub fn build(self) -> Result<Producer> {
        open(self.config.build()?, self.hooks)
    }
}

impl fmt::Debug for ProducerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The configuration hides its secrets itself.
        write!(f, "ProducerBuilder({:?})", self.config)
    }
}
