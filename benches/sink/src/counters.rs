//! What all connections share: settings, the topics that were asked for, and the counters. Knows nothing of bytes.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// What the command line says of the brokers.
pub struct Settings {
    /// Partitions of every topic.
    pub partitions: usize,
    /// How long a Produce answer is held.
    pub latency: Duration,
    /// Read and check every byte.
    pub verify: bool,
    /// Throw records away in the kernel.
    pub discard: bool,
    /// Highest Produce version.
    pub produce_max: i16,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            partitions: 8,
            latency: Duration::ZERO,
            verify: false,
            discard: true,
            produce_max: 12,
        }
    }
}

/// One partition.
#[derive(Default)]
pub struct Partition {
    pub batches: AtomicU64,
    pub records: AtomicU64,
    pub bytes: AtomicU64,
    pub next_offset: AtomicU64,
}

/// One topic.
pub struct Topic {
    pub name: String,
    pub id: [u8; 16],
    pub partitions: Vec<Partition>,
}

/// The plain counters, named as in the JSON.
macro_rules! counters {
    ($($name:ident),+ $(,)?) => {
        /// What has arrived.
        #[derive(Default)]
        pub struct Counters { $(pub $name: AtomicU64,)+ }

        impl Counters {
            fn each(&self) -> impl Iterator<Item = (&'static str, &AtomicU64)> {
                [$((stringify!($name), &self.$name)),+].into_iter()
            }
        }
    };
}

counters! {
    connections, req_api_versions, req_metadata, req_produce, req_init_pid, req_find_coordinator,
    req_other, batches, records, record_bytes, request_bytes, codec_none, codec_gzip, codec_snappy, codec_lz4,
    codec_zstd, codec_unknown, idempotent_batches, produce_version_max, bad_magic, crc_errors, length_errors,
    delta_errors, seq_errors, seq_duplicates, protocol_errors,
}

/// Answers that are being held, over time: how many requests a client keeps in flight.
#[derive(Default)]
pub struct Held {
    count: u32,
    changed: Option<Instant>,
    /// Sum over time of the answers that were held.
    answer_s: f64,
    /// Time in which at least one was.
    busy_s: f64,
}

impl Held {
    fn change(&mut self, count: u32, now: Instant) {
        let lasted = self.changed.map_or(0.0, |since| (now - since).as_secs_f64());
        if self.count > 0 {
            self.answer_s += lasted * f64::from(self.count);
            self.busy_s += lasted;
        }
        self.count = count;
        self.changed = Some(now);
    }

    /// How many were held on average while there were any.
    fn average(&self) -> f64 {
        if self.busy_s > 0.0 {
            self.answer_s / self.busy_s
        } else {
            0.0
        }
    }
}

/// Producer id, topic, partition.
pub type SequenceKey = (i64, [u8; 16], i32);
/// Epoch and the sequence that must come next.
pub type Sequence = (i16, i32);

/// What all connections share.
pub struct Shared {
    pub settings: Settings,
    pub count: Counters,
    pub ports: Vec<u16>,
    pub next_producer_id: AtomicU64,
    topics: RwLock<HashMap<String, Arc<Topic>>>,
    ids: RwLock<HashMap<[u8; 16], Arc<Topic>>>,
    sequences: Mutex<HashMap<SequenceKey, Sequence>>,
    held: Mutex<Held>,
    started: Instant,
}

impl Shared {
    pub fn new(settings: Settings, ports: Vec<u16>) -> Shared {
        Shared {
            settings,
            count: Counters::default(),
            ports,
            next_producer_id: AtomicU64::new(1000),
            topics: RwLock::default(),
            ids: RwLock::default(),
            sequences: Mutex::default(),
            held: Mutex::default(),
            started: Instant::now(),
        }
    }

    /// The topic of this name; made if it is new.
    pub fn topic(&self, name: &str) -> Arc<Topic> {
        if let Some(topic) = self.topics.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return topic.clone();
        }
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        let made = topics.entry(name.to_string()).or_insert_with(|| {
            let partitions = (0..self.settings.partitions).map(|_| Partition::default()).collect();
            Arc::new(Topic { name: name.to_string(), id: id_of(name), partitions })
        });
        self.ids.write().unwrap_or_else(PoisonError::into_inner).insert(made.id, made.clone());
        made.clone()
    }

    pub fn topic_by_id(&self, id: &[u8; 16]) -> Option<Arc<Topic>> {
        self.ids.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// All topics by name.
    pub fn topics(&self) -> Vec<Arc<Topic>> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = topics.values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    pub fn sequences(&self) -> MutexGuard<'_, HashMap<SequenceKey, Sequence>> {
        self.sequences.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer begins to be held.
    pub fn hold(&self) {
        let mut held = self.held();
        let count = held.count + 1;
        held.change(count, Instant::now());
    }

    /// An answer was let go.
    pub fn let_go(&self) {
        let mut held = self.held();
        let count = held.count.saturating_sub(1);
        held.change(count, Instant::now());
    }

    pub fn reset(&self) {
        *self.held() = Held::default();
        self.count.each().for_each(|(_, counter)| counter.store(0, Relaxed));
        for topic in self.topics() {
            for partition in &topic.partitions {
                partition.batches.store(0, Relaxed);
                partition.records.store(0, Relaxed);
                partition.bytes.store(0, Relaxed);
            }
        }
    }

    /// All counters, and those of each partition, as one line of JSON.
    pub fn json(&self) -> String {
        let (user, system) = cpu_seconds();
        let mut text = format!(
            "{{\"sink\":\"kafka-sink\",\"wall_s\":{:.6},\"cpu_user_s\":{user:.6},\"cpu_sys_s\":{system:.6}",
            self.started.elapsed().as_secs_f64()
        );
        for (name, counter) in self.count.each() {
            // Writing to a String cannot fail.
            let _ = write!(text, ",\"{name}\":{}", counter.load(Relaxed));
        }
        // Writing to a String cannot fail.
        let _ = write!(text, ",\"held_average\":{:.3}", self.held().average());
        text.push_str(",\"topics\":{");
        for (index, topic) in self.topics().iter().enumerate() {
            let column = |of: fn(&Partition) -> &AtomicU64| {
                let numbers = topic.partitions.iter().map(|p| of(p).load(Relaxed).to_string());
                numbers.collect::<Vec<_>>().join(",")
            };
            let _ = write!(
                text,
                "{}\"{}\":{{\"records\":[{}],\"batches\":[{}],\"bytes\":[{}]}}",
                if index > 0 { "," } else { "" },
                topic.name.replace(['"', '\\'], "?"),
                column(|p| &p.records),
                column(|p| &p.batches),
                column(|p| &p.bytes),
            );
        }
        text.push_str("}}");
        text
    }
}

/// A stable id, never zero: FNV-1a of the name, and that number mixed once more.
fn id_of(name: &str) -> [u8; 16] {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    let mixed = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut id = [0; 16];
    id[..8].copy_from_slice(&hash.to_be_bytes());
    id[8..].copy_from_slice(&mixed.to_be_bytes());
    id
}

/// User and system time of this process.
fn cpu_seconds() -> (f64, f64) {
    // SAFETY: getrusage fills the plain struct that it is given.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    (seconds(usage.ru_utime), seconds(usage.ru_stime))
}
