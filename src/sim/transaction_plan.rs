//! What a run with transactions is like, drawn from its seed. Never acts.

use fastrand::Rng;

use crate::sim::faults::Trouble;
use crate::sim::options::{chance, pick, Options};

/// A release, and the level of `transaction.version` that its brokers have finalized.
pub type Generation = (&'static str, i16);

/// From new to old: both protocols, and brokers that verify nothing and give no epochs on demand. Brokers are
/// upgraded, never downgraded, but for the level.
const GENERATIONS: [Generation; 5] = [("4.1", 2), ("4.1", 1), ("3.9", 1), ("2.8", 1), ("2.1", 1)];

/// What happens around transactions. Probabilities in parts of a thousand.
#[derive(Clone, Debug)]
pub struct TransactionPlan {
    /// The brokers at first.
    pub generation: Generation,
    /// When, in milliseconds, all brokers are another generation from then on.
    pub changes: Vec<(u64, Generation)>,
    /// `transaction.timeout.ms`.
    pub timeout_ms: u64,
    /// The epoch that the transactional id had before.
    pub epoch_before: Option<i16>,
    /// Steps after which the transaction ends.
    pub ends: u32,
    /// Ends that are aborts.
    pub aborts: u32,
    /// Transactions that commit a group's offsets.
    pub offsets: u32,
    /// How long the application waits in a call.
    pub limit_ms: u64,
    /// How long it does other things, at most, before it makes a call again whose time ran out.
    pub pause_ms: u64,
    /// How long markers take.
    pub marker_delay_ms: u64,
    /// How long a new coordinator reads.
    pub load_ms: u64,
    /// When another producer takes the transactional id.
    pub rival_at_ms: Option<u64>,
}

impl TransactionPlan {
    /// Without chance and without trouble, for scenarios.
    pub fn plain(generation: Generation) -> TransactionPlan {
        TransactionPlan {
            generation,
            changes: Vec::new(),
            timeout_ms: 60_000,
            epoch_before: None,
            ends: 300,
            aborts: 300,
            offsets: 300,
            limit_ms: 1000,
            pause_ms: 100,
            marker_delay_ms: 0,
            load_ms: 0,
            rival_at_ms: None,
        }
    }

    /// Whether all brokers ask whether a partition belongs to the transaction before its first batch.
    pub fn verifies(&self) -> bool {
        !matches!(self.generation.0, "2.1" | "2.8")
    }

    /// Whether a producer that brokers do not know may begin anywhere: since KIP-360, until KIP-890.
    pub fn takes_any_number(&self) -> bool {
        let all = self.changes.iter().map(|change| change.1).chain([self.generation]);
        !self.is_old() && all.into_iter().all(|generation| generation.1 == 1)
    }

    /// Whether some broker gives no epochs on demand (before 2.5).
    pub fn is_old(&self) -> bool {
        self.generation.0 == "2.1"
    }

    /// What the brokers are at last.
    pub fn last_generation(&self) -> Generation {
        self.changes.last().map_or(self.generation, |change| change.1)
    }
}

impl Options {
    /// A fifth of all runs has transactions; from a stream of its own.
    pub(super) fn draw_transactions(&mut self) {
        let rng = &mut Rng::with_seed(self.seed ^ 0x0007_2a45);
        if !chance(rng, 200) {
            return;
        }
        let plan = self.draw_plan(rng);
        self.acks = -1;
        self.retries = self.retries.max(1);
        self.idempotent = true;
        self.speak_as(plan.generation.0);
        // A broker that does not verify and knows nothing of the producer takes what comes in too late.
        let forgets = |kind| matches!(kind, Trouble::Forgetting | Trouble::Recreation);
        let keeps = |kind: Trouble| plan.verifies() || !forgets(kind);
        let calm = self.troubles.is_empty();
        self.troubles.retain(|&(kind, _)| keeps(kind));
        for &kind in Trouble::OF_TRANSACTIONS.iter().filter(|_| !calm) {
            if chance(rng, 400) {
                self.troubles.push((kind, pick(rng, &[50, 200, 1000, 5000])));
            }
        }
        self.transactions = Some(plan);
    }

    fn draw_plan(&mut self, rng: &mut Rng) -> TransactionPlan {
        let at = pick(rng, &[0, 0, 0, 1, 2, 2, 3, 4]);
        let mut plan = TransactionPlan {
            timeout_ms: pick(rng, &[2000, 60_000, 60_000, 300_000]),
            epoch_before: rng.bool().then(|| i16::MAX - rng.i16(1..6)),
            ends: pick(rng, &[1000, 300, 50]),
            aborts: pick(rng, &[0, 200, 500]),
            offsets: pick(rng, &[0, 300, 1000]),
            limit_ms: pick(rng, &[0, 10, 500, 60_000]),
            pause_ms: pick(rng, &[0, 50, 1000]),
            marker_delay_ms: pick(rng, &[0, 0, 20, 300]),
            load_ms: pick(rng, &[0, 0, 200]),
            rival_at_ms: chance(rng, 150).then(|| rng.u64(0..self.safety_ms)),
            ..TransactionPlan::plain(GENERATIONS[at])
        };
        if chance(rng, 300) {
            let to = if at == 0 { 1 } else { rng.usize(..at) };
            let at_ms = rng.u64(0..self.safety_ms);
            plan.changes.push((at_ms, GENERATIONS[to]));
            if GENERATIONS[to].0 != GENERATIONS[at].0 && rng.bool() {
                self.roll_to(GENERATIONS[to].0, at_ms);
            }
        }
        plan
    }

    /// One broker after the other is of another release before all of them are at `at_ms`.
    fn roll_to(&mut self, release: &'static str, at_ms: u64) {
        let step_ms = at_ms / (self.brokers as u64 + 1);
        for broker in 1..=self.brokers as i32 {
            self.ages.push((step_ms * broker as u64, broker, release));
        }
    }

    /// What the first release speaks.
    fn speak_as(&mut self, release: &str) {
        (self.produce_version_max, self.metadata_version_max, self.api_versions_max) = match release
        {
            "2.1" => (7, 7, 2),
            "2.8" => (9, 11, 3),
            "3.9" => (11, 12, 4),
            _ => (13, 13, 4),
        };
    }

    /// The producer's settings for it.
    pub(super) fn transactional_settings(&self) -> Vec<(&'static str, String)> {
        let Some(plan) = &self.transactions else { return Vec::new() };
        vec![
            ("transactional.id", TRANSACTIONAL_ID.to_owned()),
            ("transaction.timeout.ms", plan.timeout_ms.to_string()),
        ]
    }
}

/// The application's.
pub(super) const TRANSACTIONAL_ID: &str = "shipper";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_of_all_runs_has_transactions_of_every_generation() {
        let drawn: Vec<Options> = (0..2000).map(Options::draw).collect();
        let plans: Vec<&TransactionPlan> =
            drawn.iter().filter_map(|options| options.transactions.as_ref()).collect();
        assert!((300..500).contains(&plans.len()), "{}", plans.len());
        for generation in GENERATIONS {
            assert!(plans.iter().any(|plan| plan.generation == generation), "{generation:?}");
        }
        let upgraded = |plan: &&TransactionPlan| {
            plan.generation.1 == 1 && plan.changes.iter().any(|change| change.1 .1 == 2)
        };
        assert!(plans.iter().any(upgraded));
        assert!(plans.iter().any(|plan| plan.rival_at_ms.is_some()));
    }
}
