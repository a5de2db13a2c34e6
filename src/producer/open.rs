//! Puts the parts of a producer together. The only place that names a real clock, a real network and a
//! real thread; the simulator calls `assemble` with its own.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use once_cell::sync::OnceCell;

use crate::accumulator::batch::BatchLimits;
use crate::accumulator::encode::Encoding;
use crate::accumulator::inbox::Wake;
use crate::accumulator::sticky::StickySettings;
use crate::accumulator::{Accumulator, AccumulatorSettings};
use crate::backoff::ExponentialBackoff;
use crate::client::network::Network;
use crate::client::{Client, ClientSettings};
use crate::config::{self, BatchingSettings, BootstrapServer, ProducerConfig, NEVER_MS};
use crate::delivery::future::Futures;
use crate::delivery::{Delivery, Door};
use crate::driver::{thread, Driver};
use crate::encoder::EncoderThreads;
use crate::error::{Error, ErrorCode, Result};
use crate::log::{Level, Log};
use crate::metadata::{Metadata, MetadataSettings};
use crate::metrics::ProducerMetrics;
use crate::mock::MockCluster;
use crate::net::mio_sockets::{MioSockets, SocketSettings};
use crate::net::selector::{Selector, SelectorSettings};
use crate::partitioner::Partitioner;
use crate::producer::builder::Hooks;
use crate::producer::fork::ForkGuard;
use crate::producer::intercept::Interceptors;
use crate::producer::{Producer, Shared};
use crate::record::compress::Compression;
use crate::record::Codec;
use crate::sender::{Acknowledgements, Sender, SenderParts, SenderSettings};
use crate::time::{Clock, SystemClock};
use crate::txn::desk::Desk;
use crate::txn::identity::Idempotence;
use crate::txn::transaction::TransactionSettings;

/// What a producer stands on: the machine's, or a simulated one.
pub struct World<N: Network> {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The way to brokers.
    pub network: N,
    /// Wakes whoever runs the driver.
    pub wake: Box<dyn Wake>,
    /// Makes what compresses batches.
    pub encoding: Box<dyn FnOnce(Arc<Accumulator>) -> Box<dyn Encoding>>,
    /// Where all chance begins.
    pub seed: u64,
}

/// A producer and the driver that somebody must run.
pub struct Assembled<N: Network> {
    /// The application's side.
    pub producer: Producer,
    /// The sender's side.
    pub driver: Driver<N>,
}

/// Puts a producer together without starting anything but, for a callback, its dispatcher thread.
///
/// # Errors
/// `STATE` when the dispatcher thread cannot be started.
pub fn assemble<N: Network>(
    config: ProducerConfig,
    hooks: Hooks,
    world: World<N>,
    mock: Option<MockCluster>,
) -> Result<Assembled<N>> {
    let (door, futures) = door(hooks.door);
    let log = Arc::new(Log::new(hooks.log, hooks.events, &config.logging));
    config.warnings.iter().for_each(|warning| log.line(Level::Warning, warning));
    let delivery = Delivery::open(door, &config.identity.client_id)?;
    let settings = accumulator_settings(&config, world.seed);
    let accumulator = Accumulator::new(settings, delivery.clone(), world.wake);
    let metadata = Arc::new(metadata_of(&config, mock.as_ref(), world.seed)?);
    let metrics = Arc::new(ProducerMetrics::new());
    let partitioner = Arc::new(Partitioner::new(
        config.partitioner.strategy,
        config.partitioner.ignore_keys,
        hooks.partitioner,
    ));
    let interceptors = Arc::new(Interceptors::new(hooks.interceptors));
    let acknowledgements: Option<Arc<dyn Acknowledgements>> = match interceptors.is_empty() {
        true => None,
        false => Some(interceptors.clone()),
    };
    let client =
        Client::new(client_settings(&config), metadata.clone(), world.network, world.seed ^ 1);
    let fault = Arc::new(OnceCell::new());
    let desk = Arc::new(desk(&config, &accumulator));
    let parts = SenderParts {
        accumulator: accumulator.clone(),
        client,
        metadata: metadata.clone(),
        delivery: delivery.clone(),
        partitioner: partitioner.clone(),
        acknowledgements,
        encoding: (world.encoding)(accumulator.clone()),
        metrics: metrics.clone(),
        log: log.clone(),
        fault: fault.clone(),
        desk: desk.clone(),
    };
    let mut settings = sender_settings(&config);
    // A future that nobody completes would be waited for without end.
    settings.report_only_errors &= futures.is_none();
    let sender = Sender::new(settings, parts, world.seed ^ 2);
    let driver = Driver::new(sender, world.clock.clone(), metrics.clone());
    let shared = Shared {
        config,
        accumulator,
        metadata,
        delivery,
        partitioner,
        interceptors,
        metrics,
        clock: world.clock,
        log,
        futures,
        fork: ForkGuard::new(),
        fault,
        sender_thread: Mutex::new(None),
        sender_thread_id: OnceCell::new(),
        desk,
        close_begun: AtomicBool::new(false),
        mock,
    };
    Ok(Assembled { producer: Producer { shared: Arc::new(shared) }, driver })
}

/// Where transactions are asked for; with them, records are taken only inside of one.
fn desk(config: &ProducerConfig, accumulator: &Arc<Accumulator>) -> Desk {
    if config.identity.transactional_id.is_none() {
        return Desk::new(Box::new(|_| {}));
    }
    let accumulator = accumulator.clone();
    Desk::new(Box::new(move |inside| accumulator.admission.set_inside(inside)))
}

/// How reports leave; through futures if nobody said otherwise.
fn door(chosen: Option<Door>) -> (Door, Option<Arc<Futures>>) {
    if let Some(door) = chosen {
        return (door, None);
    }
    let futures = Futures::new();
    let complete = futures.clone();
    (Door::Inline(Box::new(move |report| complete.complete(report))), Some(futures))
}

/// A producer on this machine's clock and network.
pub(super) fn open(config: ProducerConfig, hooks: Hooks) -> Result<Producer> {
    let mock = match config.bootstrap.mock_num_brokers {
        0 => None,
        brokers => Some(MockCluster::start(brokers as usize)?),
    };
    let (network, wake) = network(&config)?;
    let seed = fastrand::u64(..);
    let name = config.identity.client_id.clone();
    let threads = name.clone();
    let world = World {
        clock: Arc::new(SystemClock::new()),
        network,
        wake,
        encoding: Box::new(move |accumulator| Box::new(EncoderThreads::new(accumulator, &threads))),
        seed,
    };
    let Assembled { producer, driver } = assemble(config, hooks, world, mock)?;
    let shared = &producer.shared;
    let (fault, accumulator) = (shared.fault.clone(), shared.accumulator.clone());
    let log = shared.log.clone();
    let delivery = shared.delivery.clone();
    let desk = shared.desk.clone();
    let ended = move |error: Option<Error>| {
        if let Some(error) = error {
            log.error(Level::Error, &error);
            // Set once: only one thread runs the sender.
            let _ = fault.set(error);
        }
        accumulator.admission.close();
        desk.end(&Error::new(ErrorCode::CLOSED, "the producer is closed"));
        accumulator.pool.close();
        accumulator.bulletin.post(|news| news.closed = true);
        // Nothing more will be reported: also a dispatcher that nobody waits for ends.
        delivery.end();
    };
    let started = thread::start(driver, &name, ended)?;
    let mut slot = shared.sender_thread.lock().unwrap_or_else(PoisonError::into_inner);
    // Before any record can be sent, and so before any callback can ask.
    let _ = shared.sender_thread_id.set(started.thread().id());
    *slot = Some(started);
    drop(slot);
    Ok(producer)
}

/// This machine's network, as `config` wants it, and what wakes its poll from another thread.
pub(super) fn network(config: &ProducerConfig) -> Result<(Selector<MioSockets>, Box<dyn Wake>)> {
    let sockets = MioSockets::new(SocketSettings {
        send_buffer_bytes: config.connection.send_buffer_bytes,
        receive_buffer_bytes: config.connection.receive_buffer_bytes,
    });
    let sockets = sockets.map_err(|cause| {
        Error::new(ErrorCode::STATE, format!("cannot watch sockets on this system: {cause}"))
    })?;
    let handle = sockets.waker();
    let network = Selector::new(sockets, selector_settings(config));
    Ok((network, Box::new(move || handle.wake())))
}

fn accumulator_settings(config: &ProducerConfig, seed: u64) -> AccumulatorSettings {
    let records_max = match config.batching.batch_num_messages {
        0 => u32::MAX,
        most => most,
    };
    let limits = BatchLimits {
        batch_size_bytes: config.batching.batch_size_bytes,
        batch_records_max: records_max,
        timed: config.delivery.report_timestamps,
    };
    let partitioner = &config.partitioner;
    let sticky = StickySettings {
        batch_size_bytes: config.batching.batch_size_bytes,
        adaptive: partitioner.adaptive,
        rack_aware: partitioner.rack_aware,
    };
    AccumulatorSettings {
        limits,
        compression: compression_of(config.batching.compression, config.batching.compression_level),
        topic_compression: topic_compression(&config.batching),
        sticky,
        linger: Duration::from_micros(config.batching.linger_us),
        buffer_memory_bytes: config.memory.buffer_memory_bytes,
        records_max: match config.memory.max_messages {
            0 => None,
            most => Some(i64::from(most)),
        },
        seed,
    }
}

fn topic_compression(batching: &BatchingSettings) -> HashMap<String, Compression> {
    let topics = batching.topic_compression.iter();
    topics.map(|(topic, codec, level)| (topic.clone(), compression_of(*codec, *level))).collect()
}

fn compression_of(codec: config::Compression, level: Option<i32>) -> Compression {
    let codec = match codec {
        config::Compression::None => return Compression::NONE,
        config::Compression::Gzip => Codec::Gzip,
        config::Compression::Snappy => Codec::Snappy,
        config::Compression::Lz4 => Codec::Lz4,
        config::Compression::Zstd => Codec::Zstd,
    };
    match level {
        Some(level) => Compression::with_level(codec, level),
        None => Compression::new(codec),
    }
}

pub(super) fn metadata_of(
    config: &ProducerConfig,
    mock: Option<&MockCluster>,
    seed: u64,
) -> Result<Metadata> {
    let settings = MetadataSettings {
        max_age_ms: config.metadata.max_age_ms,
        max_idle_ms: config.metadata.max_idle_ms,
        retry_backoff_ms: config.retry.backoff_ms,
        retry_backoff_max_ms: config.retry.backoff_max_ms,
        allow_auto_topic_creation: config.metadata.allow_auto_create_topics,
    };
    let servers = match mock {
        Some(mock) => BootstrapServer::parse_list("the mock cluster", &mock.bootstrap_servers())?,
        None => config.bootstrap.servers.clone(),
    };
    Ok(Metadata::new(settings, servers, seed ^ 3))
}

pub(super) fn client_settings(config: &ProducerConfig) -> ClientSettings {
    let connection = &config.connection;
    ClientSettings {
        client_id: config.identity.client_id.clone(),
        request_timeout_ms: clamp_ms(connection.request_timeout_ms),
        max_in_flight: connection.max_in_flight,
        reconnect_backoff_ms: connection.reconnect_backoff_ms,
        reconnect_backoff_max_ms: connection.reconnect_backoff_max_ms,
        setup_timeout_ms: connection.setup_timeout_ms,
        setup_timeout_max_ms: connection.setup_timeout_max_ms,
        rebootstrap: config.metadata.rebootstrap,
        rebootstrap_trigger_ms: config.metadata.rebootstrap_trigger_ms,
    }
}

fn sender_settings(config: &ProducerConfig) -> SenderSettings {
    let delivery = &config.delivery;
    SenderSettings {
        client_id: config.identity.client_id.clone(),
        client_rack: config.identity.client_rack.clone(),
        acks: delivery.acks,
        ack_timeout_ms: delivery.ack_timeout_ms,
        request_timeout_ms: clamp_ms(config.connection.request_timeout_ms),
        delivery_timeout: match delivery.delivery_timeout_ms {
            NEVER_MS => Duration::MAX,
            ms => Duration::from_millis(ms),
        },
        max_request_size_bytes: config.batching.max_request_size_bytes,
        guarantee_order: config.connection.max_in_flight == 1,
        retries_max: config.retry.retries,
        retry_backoff: ExponentialBackoff::new(
            config.retry.backoff_ms,
            config.retry.backoff_max_ms,
        ),
        linger: Duration::from_micros(config.batching.linger_us),
        report_only_errors: delivery.report_only_errors,
        availability_timeout: Duration::from_millis(config.partitioner.availability_timeout_ms),
        transactions: transaction_settings(config),
        idempotence: match (
            config.identity.idempotence && config.identity.transactional_id.is_none(),
            config.identity.idempotence_demanded,
        ) {
            (false, _) => Idempotence::Off,
            (true, false) => Idempotence::ByDefault,
            (true, true) => Idempotence::Demanded,
        },
    }
}

fn transaction_settings(config: &ProducerConfig) -> Option<TransactionSettings> {
    let transactional_id = config.identity.transactional_id.clone()?;
    let timeout_ms = config.identity.transaction_timeout_ms;
    let backoff = ExponentialBackoff::new(config.retry.backoff_ms, config.retry.backoff_max_ms);
    Some(TransactionSettings { transactional_id, timeout_ms, backoff })
}

fn selector_settings(config: &ProducerConfig) -> SelectorSettings {
    SelectorSettings {
        receive_message_max_bytes: config.connection.max_response_bytes,
        connections_max_idle_ms: i64::try_from(config.connection.max_idle_ms).unwrap_or(-1),
        ..SelectorSettings::default()
    }
}

pub(super) fn clamp_ms(ms: u64) -> u32 {
    u32::try_from(ms).unwrap_or(u32::MAX)
}
