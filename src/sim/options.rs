//! Draws what a run is like from its seed: a swarm, in which each run has some kinds of trouble and not
//! others, so that rare combinations come up. Never acts.

use std::fmt;

use fastrand::Rng;

use crate::sim::faults::Trouble;
use crate::sim::transaction_plan::TransactionPlan;

/// A topic of the simulated cluster.
#[derive(Clone, Debug)]
pub struct TopicPlan {
    /// Its name.
    pub name: String,
    /// Its partitions at first.
    pub partitions: usize,
    /// When it is created, after the start; `None`: it comes into being when somebody asks for it, if
    /// brokers create topics, or never.
    pub created_at_ms: Option<u64>,
    /// The broker stamps records.
    pub log_append_time: bool,
    /// `max.message.bytes`.
    pub max_message_bytes: usize,
}

/// How the simulated network behaves before it is healed. Probabilities in parts of a thousand.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// Shortest way of a portion of bytes, in microseconds.
    pub delay_min_us: u64,
    /// Longest way.
    pub delay_max_us: u64,
    /// Bytes that a socket takes before it blocks.
    pub send_buffer_bytes: usize,
    /// Longest portion that travels as one.
    pub portion_bytes: usize,
    /// Most bytes that one read gives, when short reads mean nothing.
    pub read_bytes: usize,
    /// A read that does not fill its buffer means that there is no more.
    pub short_read_drains: bool,
    /// Connects that are refused.
    pub refused: u32,
    /// Connects that are never answered.
    pub unanswered: u32,
    /// Connects that succeed before the call returns.
    pub at_once: u32,
    /// Look-ups that fail.
    pub lookup_fails: u32,
    /// Brokers and bootstrap servers are named, not numbered.
    pub names: bool,
    /// The first address of a name leads nowhere.
    pub dead_address: bool,
    /// Polls may come back this many microseconds late.
    pub oversleep_us: u64,
    /// Polls that come back early for no reason.
    pub spurious: u32,
}

/// What the application does.
#[derive(Clone, Debug)]
pub struct WorkloadPlan {
    /// Records to send before everything is healed.
    pub records: usize,
    /// Most records in one go.
    pub burst_max: usize,
    /// Largest value.
    pub value_max_bytes: usize,
    /// In parts of a thousand: steps whose records are sent in one call.
    pub batches: u32,
    /// In parts of a thousand: steps that flush.
    pub flushes: u32,
    /// In parts of a thousand: steps that purge.
    pub purges: u32,
    /// Records have headers also where brokers may be too old for them.
    pub headers_to_old: bool,
    /// In parts of a thousand: records to an explicit partition.
    pub explicit: u32,
    /// In parts of a thousand: records with a key.
    pub keyed: u32,
    /// Reports are taken at once after each turn, not some at a time now and then.
    pub polls_eagerly: bool,
    /// An interceptor changes records and counts acknowledgements.
    pub intercepts: bool,
    /// The application's own partitioner, which refuses some records.
    pub partitions_itself: bool,
    /// So long the application sends nothing, when half of its records are sent.
    pub silence_ms: u64,
    /// Close comes in the middle of the trouble, with this patience.
    pub closes_early: Option<u64>,
}

/// Everything that a seed decides.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seed.
    pub seed: u64,
    /// Number of brokers.
    pub brokers: usize,
    /// Copies of each partition.
    pub replication: usize,
    /// Topics.
    pub topics: Vec<TopicPlan>,
    /// Brokers create topics that are asked for.
    pub auto_create: bool,
    /// How long a new topic has no leaders.
    pub topic_creation_ms: u64,
    /// Newest version of Produce.
    pub produce_version_max: i16,
    /// Newest version of Metadata.
    pub metadata_version_max: i16,
    /// Newest version of ApiVersions.
    pub api_versions_max: i16,
    /// The producer's settings.
    pub config: Vec<(&'static str, String)>,
    /// The network.
    pub network: NetworkPlan,
    /// Kinds of trouble with the mean time between two of each, in milliseconds.
    pub troubles: Vec<(Trouble, u64)>,
    /// When, in milliseconds, which broker is as old as which release from then on: rolling upgrades and
    /// downgrades. Empty in most runs.
    pub ages: Vec<(u64, i32, &'static str)>,
    /// Transactions, if there are any.
    pub transactions: Option<TransactionPlan>,
    /// The application.
    pub workload: WorkloadPlan,
    /// How long the safety phase lasts.
    pub safety_ms: u64,
    /// `delivery.timeout.ms`.
    pub delivery_timeout_ms: u64,
    /// `request.timeout.ms`.
    pub request_timeout_ms: u64,
    /// `max.in.flight.requests.per.connection`.
    pub max_in_flight: usize,
    /// `retries`.
    pub retries: u32,
    /// `acks`.
    pub acks: i16,
    /// `enable.idempotence`, where the other settings allow it.
    pub idempotent: bool,
    /// The epoch of the first producer id that a coordinator gives.
    pub first_epoch: i16,
    /// The first number of each partition, as after many records.
    pub first_number: i32,
    /// `buffer.memory`.
    pub buffer_memory_bytes: usize,
}

impl Options {
    /// The options of a seed.
    pub fn draw(seed: u64) -> Options {
        let mut rng = Rng::with_seed(seed ^ 0x5eed_0f0f);
        let rng = &mut rng;
        let brokers = rng.usize(1..=4);
        let linger_ms = pick(rng, &[0, 0, 1, 5, 100, 1000]);
        let request_timeout_ms = pick(rng, &[200, 1000, 5000, 30_000]);
        let timeout_ms = pick(rng, &[1000, 5000, 20_000, 120_000]);
        let mut options = Options {
            seed,
            brokers,
            replication: rng.usize(1..=brokers),
            topics: Vec::new(),
            auto_create: rng.bool(),
            topic_creation_ms: pick(rng, &[0, 0, 50, 2000]),
            produce_version_max: pick(rng, &[13, 13, 13, 12, 11, 9, 8, 7, 5, 3]),
            metadata_version_max: pick(rng, &[13, 13, 12, 10, 9, 7, 4, 1]),
            api_versions_max: pick(rng, &[4, 4, 3, 2, 0]),
            config: Vec::new(),
            network: network(rng),
            troubles: troubles(rng),
            ages: Vec::new(),
            transactions: None,
            workload: workload(rng),
            safety_ms: pick(rng, &[500, 5000, 20_000]),
            delivery_timeout_ms: timeout_ms.max(linger_ms + request_timeout_ms),
            request_timeout_ms,
            max_in_flight: rng.usize(1..=5),
            retries: pick(rng, &[0, 1, 3, i32::MAX as u32, i32::MAX as u32]),
            acks: pick(rng, &[-1, -1, -1, 1, 1, 0]),
            idempotent: false,
            first_epoch: 0,
            first_number: 0,
            buffer_memory_bytes: pick(rng, &[64 << 10, 256 << 10, 1 << 20, 32 << 20]),
        };
        options.limit_work();
        // Two thirds of what may be.
        options.idempotent = options.acks == -1 && options.retries > 0 && chance(rng, 667);
        options.first_epoch = pick(rng, &[0, 0, i16::MAX - 2, i16::MAX - 1]);
        options.first_number = pick(rng, &[0, 0, i32::MAX - 20, i32::MAX - 1]);
        options.draw_transactions();
        options.draw_silence(rng);
        options.topics = topics(rng);
        options.config = config(rng, &options, linger_ms);
        options.draw_compression();
        options.draw_ages();
        options.keep_quiet_in_silence();
        // From a stream of its own, too.
        let rng = &mut Rng::with_seed(seed ^ 0x000b_a7c4);
        options.workload.batches = pick(rng, &[0, 0, 300, 1000]);
        options
    }

    /// Thousands of runs tell more than a few long ones: what has to travel in tiny portions is little.
    fn limit_work(&mut self) {
        let portion = self.network.portion_bytes.min(self.network.send_buffer_bytes);
        let affordable = 20_000 * portion / self.workload.value_max_bytes;
        self.workload.records = self.workload.records.min(affordable.max(10));
    }

    /// Ten minutes and more in which the application sends nothing are cheap where little happens meanwhile.
    fn draw_silence(&mut self, rng: &mut Rng) {
        let cheap = self.network.portion_bytes.min(self.network.send_buffer_bytes) >= 1000;
        if self.idempotent && cheap && chance(rng, 100) {
            self.workload.silence_ms = pick(rng, &[610_000, 700_000]);
            for (_, mean_ms) in &mut self.troubles {
                *mean_ms = (*mean_ms).max(1000);
            }
        }
    }

    /// What happens all the time anyway would happen too often for thousands of runs.
    fn keep_quiet_in_silence(&mut self) {
        if self.workload.silence_ms > 0 {
            for (name, value) in &mut self.config {
                match *name {
                    "metadata.max.age.ms" => *value = "300000".to_owned(),
                    "connections.max.idle.ms" => *value = "540000".to_owned(),
                    _ => {}
                }
            }
        }
    }

    /// From a stream of its own, so that what a seed gave before there were codecs stays what it was.
    fn draw_compression(&mut self) {
        /// Brokers that speak no newer Produce do not take zstd.
        const ZSTD_SINCE: i16 = 7;
        let rng = &mut Rng::with_seed(self.seed ^ 0x000c_0dec);
        let (codec, level) = pick(
            rng,
            &[
                ("none", "-1"),
                ("none", "-1"),
                ("gzip", "1"),
                ("gzip", "-1"),
                ("snappy", "-1"),
                ("lz4", "-1"),
                ("lz4", "5"),
                ("zstd", "-1"),
            ],
        );
        if codec != "zstd" || self.produce_version_max >= ZSTD_SINCE {
            self.config.push(("compression.type", codec.to_owned()));
            self.config.push(("compression.level", level.to_owned()));
        }
    }

    /// Whether requests name topics by id, so that no broker takes what was meant for a topic's earlier life.
    pub fn names_topics_by_id(&self) -> bool {
        let alike = self.ages.is_empty()
            && self.transactions.as_ref().is_none_or(|plan| plan.changes.is_empty());
        self.produce_version_max >= 13 && self.metadata_version_max >= 10 && alike
    }

    /// From a stream of its own, too.
    fn draw_ages(&mut self) {
        const RELEASES: [&str; 6] = ["0.8", "0.9", "0.10", "0.11", "2.8", "4.1"];
        let rng = &mut Rng::with_seed(self.seed ^ 0x0000_a9e5);
        let zstd =
            self.config.iter().any(|(name, value)| *name == "compression.type" && value == "zstd");
        if zstd || self.transactions.is_some() || !chance(rng, 150) {
            return;
        }
        let every_ms = pick(rng, &[50, 300, 2000]);
        let known = rng.usize(1..=RELEASES.len());
        let mut at_ms = 0;
        for broker in 1..=self.brokers as i32 {
            self.ages.push((0, broker, RELEASES[rng.usize(..known)]));
        }
        while at_ms < self.safety_ms {
            at_ms += rng.u64(1..=2 * every_ms);
            let broker = rng.i32(1..=self.brokers as i32);
            self.ages.push((at_ms, broker, RELEASES[rng.usize(..RELEASES.len())]));
        }
        self.workload.intercepts = false;
        self.workload.headers_to_old = rng.bool();
        // By default it gives way to old brokers; what was asked for by name is an error then.
        let asked = pick(rng, &[None, Some(false), Some(self.idempotent)]);
        self.idempotent = asked == Some(true);
        self.config.retain(|(name, _)| *name != "enable.idempotence");
        if let Some(asked) = asked {
            self.config.push(("enable.idempotence", asked.to_string()));
        }
    }

    /// Whether some message format of the brokers has no record headers.
    pub fn loses_headers(&self) -> bool {
        let old = |release: &str| matches!(release, "0.8" | "0.9" | "0.10");
        self.ages.iter().any(|(_, _, release)| old(release))
    }

    /// The first number of each partition, as far as brokers take another than 0 from whom they do not know.
    pub fn begin_number(&self) -> i32 {
        match &self.transactions {
            Some(plan) if !plan.takes_any_number() => 0,
            _ => self.first_number,
        }
    }

    /// Whether the producer may fail for good because a broker knows no idempotence (before 0.11).
    pub fn may_lack_idempotence(&self) -> bool {
        self.idempotent && self.loses_headers()
    }

    /// Whether every message format of the brokers has record timestamps (v0 has none).
    pub fn keeps_times(&self) -> bool {
        self.ages.iter().all(|(_, _, release)| !matches!(*release, "0.8" | "0.9"))
    }

    /// Whether nothing can go wrong but what the application asks for.
    pub fn is_calm(&self) -> bool {
        let network = &self.network;
        let lossless = network.refused == 0 && network.unanswered == 0 && network.lookup_fails == 0;
        // Without acks a broker says that something is wrong with a record by closing the connection.
        let plan = self.transactions.as_ref();
        let alone = plan.is_none_or(|plan| plan.changes.is_empty() && plan.rival_at_ms.is_none());
        self.troubles.is_empty() && self.ages.is_empty() && lossless && alone && self.acks != 0
    }
}

/// One of several.
pub(super) fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

/// True in so many of a thousand cases.
pub(super) fn chance(rng: &mut Rng, per_mille: u32) -> bool {
    rng.u32(..1000) < per_mille
}

fn network(rng: &mut Rng) -> NetworkPlan {
    let delay_min_us = pick(rng, &[10, 200, 2000, 50_000]);
    NetworkPlan {
        delay_min_us,
        delay_max_us: delay_min_us * pick(rng, &[1, 2, 20]),
        send_buffer_bytes: pick(rng, &[64, 1000, 16 << 10, 256 << 10]),
        portion_bytes: pick(rng, &[7, 200, 1460, 1 << 20]),
        read_bytes: pick(rng, &[16, 100, 1 << 20, 1 << 20]),
        short_read_drains: rng.bool(),
        refused: pick(rng, &[0, 0, 50, 400]),
        unanswered: pick(rng, &[0, 0, 50, 300]),
        at_once: pick(rng, &[0, 300]),
        lookup_fails: pick(rng, &[0, 0, 300]),
        names: rng.bool(),
        dead_address: chance(rng, 250),
        oversleep_us: pick(rng, &[0, 0, 999]),
        spurious: pick(rng, &[0, 0, 20]),
    }
}

fn troubles(rng: &mut Rng) -> Vec<(Trouble, u64)> {
    // A fifth of all runs has none: whatever fails there fails for no reason.
    if chance(rng, 200) {
        return Vec::new();
    }
    let density = pick(rng, &[100, 250, 500]);
    let mut chosen = Vec::new();
    for &kind in Trouble::ALL.iter() {
        if chance(rng, density) {
            chosen.push((kind, pick(rng, &[20, 100, 500, 2000, 5000])));
        }
    }
    chosen
}

fn workload(rng: &mut Rng) -> WorkloadPlan {
    WorkloadPlan {
        records: pick(rng, &[1, 20, 200, 200, 1000]),
        burst_max: pick(rng, &[1, 5, 100]),
        value_max_bytes: pick(rng, &[20, 200, 2000, 40_000]),
        batches: 0,
        flushes: pick(rng, &[0, 5, 50]),
        purges: pick(rng, &[0, 0, 0, 20]),
        headers_to_old: false,
        explicit: pick(rng, &[0, 100, 1000]),
        keyed: pick(rng, &[0, 300, 1000]),
        polls_eagerly: chance(rng, 700),
        intercepts: chance(rng, 300),
        partitions_itself: chance(rng, 200),
        silence_ms: 0,
        closes_early: chance(rng, 150).then(|| pick(rng, &[0, 10, 1000])),
    }
}

fn topics(rng: &mut Rng) -> Vec<TopicPlan> {
    let plan = |index| TopicPlan {
        name: format!("topic-{index}"),
        partitions: pick(rng, &[1, 2, 3, 8]),
        created_at_ms: pick(rng, &[Some(0), Some(0), Some(0), Some(300), Some(3000), None]),
        log_append_time: chance(rng, 200),
        max_message_bytes: pick(rng, &[1 << 20, 1 << 20, 1 << 20, 5000, 500]),
    };
    let count = 4;
    let plans: Vec<TopicPlan> = (0..count).map(plan).collect();
    plans.into_iter().take(rng.usize(1..=count)).collect()
}

fn config(rng: &mut Rng, options: &Options, linger_ms: u64) -> Vec<(&'static str, String)> {
    let batch_size = pick(rng, &[0, 100, 1000, 16_384, 16_384, 60_000]);
    let server = if options.network.names { "bootstrap" } else { "127.0.0.1" };
    let servers: Vec<String> =
        (1..=options.brokers).map(|broker| format!("{server}:{}", 9091 + broker)).collect();
    // Without a pause, a topic that never comes is asked for as fast as the network goes.
    let hasty = options.delivery_timeout_ms <= 5000 && options.workload.silence_ms == 0;
    let briefest_ms = if hasty { 0 } else { 20 };
    // And without one a client with one request in flight has no time for anything else, as in Java.
    let briefest_ms = briefest_ms.max(u64::from(options.transactions.is_some()));
    let backoff_ms = pick(rng, &[0, 1, 100, 100]).max(briefest_ms);
    let acks = options.acks.to_string();
    let mut settings = vec![
        ("bootstrap.servers", servers.join(",")),
        // The default counts the producers of the process.
        ("client.id", format!("producer-{}", options.seed + 1)),
        ("acks", acks),
        ("enable.idempotence", options.idempotent.to_string()),
        ("linger.ms", linger_ms.to_string()),
        ("batch.size", batch_size.to_string()),
        ("batch.num.messages", pick(rng, &["0", "0", "1", "10"]).to_owned()),
        ("buffer.memory", options.buffer_memory_bytes.to_string()),
        ("queue.buffering.max.messages", pick(rng, &["0", "0", "50"]).to_owned()),
        ("max.in.flight.requests.per.connection", options.max_in_flight.to_string()),
        ("retries", options.retries.to_string()),
        ("retry.backoff.ms", backoff_ms.to_string()),
        ("retry.backoff.max.ms", (backoff_ms * pick(rng, &[1, 10])).to_string()),
        ("delivery.timeout.ms", options.delivery_timeout_ms.to_string()),
        ("request.timeout.ms", options.request_timeout_ms.to_string()),
        ("max.request.size", pick(rng, &["1048576", "1048576", "50000", "1000"]).to_owned()),
        ("connections.max.idle.ms", pick(rng, &["540000", "540000", "500"]).to_owned()),
        ("reconnect.backoff.ms", pick(rng, &["50", "10", "0"]).to_owned()),
        ("reconnect.backoff.max.ms", "1000".to_owned()),
        ("socket.connection.setup.timeout.ms", pick(rng, &["10000", "300"]).to_owned()),
        ("socket.connection.setup.timeout.max.ms", "30000".to_owned()),
        ("metadata.max.age.ms", pick(rng, &["300000", "1000", "100"]).to_owned()),
        ("metadata.recovery.rebootstrap.trigger.ms", pick(rng, &["300000", "2000"]).to_owned()),
        ("report.timestamps", rng.bool().to_string()),
    ];
    settings.extend(options.transactional_settings());
    let strategies = ["default", "default", "default", "consistent_random", "random", "murmur2"];
    settings.push(("partitioner", pick(rng, &strategies).to_owned()));
    if chance(rng, 200) {
        settings.push(("client.rack", "rack-1".to_owned()));
        settings.push(("partitioner.rack.aware", "true".to_owned()));
    }
    settings
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}", self.seed)?;
        writeln!(
            f,
            "  cluster: {} brokers, replication {}, auto-create {}, topics take {} ms, \
             Produce to v{}, Metadata to v{}, ApiVersions to v{}",
            self.brokers,
            self.replication,
            self.auto_create,
            self.topic_creation_ms,
            self.produce_version_max,
            self.metadata_version_max,
            self.api_versions_max
        )?;
        for topic in &self.topics {
            writeln!(f, "  {topic:?}")?;
        }
        let settings: Vec<String> = self.config.iter().map(|(k, v)| format!("{k}={v}")).collect();
        writeln!(f, "  producer: {}", settings.join(" "))?;
        writeln!(f, "  {:?}", self.network)?;
        writeln!(f, "  {:?}", self.workload)?;
        writeln!(f, "  ages: {:?}", self.ages)?;
        writeln!(f, "  {:?}", self.transactions)?;
        write!(f, "  trouble for {} ms: {:?}", self.safety_ms, self.troubles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_gives_settings_that_a_producer_takes() {
        for seed in 0..500 {
            let options = Options::draw(seed);
            let built = crate::config::ProducerConfig::from_pairs(options.config.iter().cloned());
            assert!(built.is_ok(), "{options}: {built:?}");
        }
    }

    #[test]
    fn some_runs_are_calm_and_each_trouble_comes_up() {
        let drawn: Vec<Options> = (0..300).map(Options::draw).collect();
        assert!(drawn.iter().any(Options::is_calm));
        let aged = |release| drawn.iter().any(|o| o.ages.iter().any(|age| age.2 == release));
        assert!(["0.8", "0.9", "0.10", "4.1"].into_iter().all(aged));
        for kind in Trouble::ALL {
            assert!(drawn.iter().any(|o| o.troubles.iter().any(|t| t.0 == *kind)), "{kind:?}");
        }
    }
}
