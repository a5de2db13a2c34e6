//! Builds the options of a run by hand, for cases that keep their point whatever seeds draw. Never draws.

use crate::sim::options::{NetworkPlan, Options, TopicPlan, WorkloadPlan};

impl Options {
    /// One broker, one topic of two partitions that is there from the start, a quick network, patient
    /// settings, 100 small records, and nothing that goes wrong, but for what `change` changes. The seed
    /// only decides the chance that is left.
    pub fn scenario(seed: u64, change: impl FnOnce(&mut Options)) -> Options {
        let mut options = Options {
            seed,
            brokers: 1,
            replication: 1,
            topics: vec![TopicPlan {
                name: "topic-0".to_owned(),
                partitions: 2,
                created_at_ms: Some(0),
                log_append_time: false,
                max_message_bytes: 1 << 20,
            }],
            auto_create: false,
            topic_creation_ms: 0,
            produce_version_max: 13,
            metadata_version_max: 13,
            api_versions_max: 4,
            config: Vec::new(),
            network: quick_network(),
            troubles: Vec::new(),
            ages: Vec::new(),
            transactions: None,
            workload: small_workload(),
            safety_ms: 2000,
            delivery_timeout_ms: 120_000,
            request_timeout_ms: 5000,
            max_in_flight: 5,
            retries: i32::MAX as u32,
            acks: -1,
            idempotent: false,
            first_epoch: 0,
            first_number: 0,
            buffer_memory_bytes: 32 << 20,
        };
        change(&mut options);
        options.idempotent |= options.transactions.is_some();
        options.state_settings();
        options
    }

    /// The producer's settings say what the fields say, unless `config` names them already.
    fn state_settings(&mut self) {
        let server = if self.network.names { "bootstrap" } else { "127.0.0.1" };
        let servers: Vec<String> =
            (1..=self.brokers).map(|broker| format!("{server}:{}", 9091 + broker)).collect();
        let stated = [
            ("bootstrap.servers", servers.join(",")),
            ("client.id", "scenario".to_owned()),
            ("enable.idempotence", self.idempotent.to_string()),
            ("acks", self.acks.to_string()),
            ("linger.ms", "5".to_owned()),
            ("retries", self.retries.to_string()),
            ("buffer.memory", self.buffer_memory_bytes.to_string()),
            ("delivery.timeout.ms", self.delivery_timeout_ms.to_string()),
            ("request.timeout.ms", self.request_timeout_ms.to_string()),
            ("max.in.flight.requests.per.connection", self.max_in_flight.to_string()),
        ];
        for (name, value) in stated.into_iter().chain(self.transactional_settings()) {
            if !self.config.iter().any(|&(named, _)| named == name) {
                self.config.push((name, value));
            }
        }
    }
}

fn quick_network() -> NetworkPlan {
    NetworkPlan {
        delay_min_us: 100,
        delay_max_us: 300,
        send_buffer_bytes: 256 << 10,
        portion_bytes: 1 << 20,
        read_bytes: 1 << 20,
        short_read_drains: true,
        refused: 0,
        unanswered: 0,
        at_once: 0,
        lookup_fails: 0,
        names: false,
        dead_address: false,
        oversleep_us: 0,
        spurious: 0,
    }
}

fn small_workload() -> WorkloadPlan {
    WorkloadPlan {
        records: 100,
        burst_max: 5,
        value_max_bytes: 200,
        batches: 0,
        flushes: 0,
        purges: 0,
        headers_to_old: false,
        explicit: 0,
        keyed: 0,
        polls_eagerly: true,
        intercepts: false,
        partitions_itself: false,
        silence_ms: 0,
        closes_early: None,
    }
}
