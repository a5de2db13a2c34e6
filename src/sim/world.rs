//! Virtual time and everything that happens in it: the one heap of events, the order in which they happen,
//! and the sender's sleep, in which all of them happen. Never reads a real clock.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;

use crate::client::network::LookupId;
use crate::mock::Cluster;
use crate::net::sockets::{Polled, Readiness, SocketToken};
use crate::sim::faults::Mend;
use crate::sim::ledger::Ledger;
use crate::sim::options::{chance, NetworkPlan, Options};
use crate::sim::oracle::numbers::Heads;
use crate::sim::oracle::stored::Logs;
use crate::sim::trace::Trace;
use crate::sim::wire::{End, Link};
use crate::sim::workload::Application;
use crate::time::{Clock, Time};

/// Milliseconds since 1970 at the origin of time.
pub(super) const WALL_ORIGIN_MS: i64 = 1_700_000_000_000;

/// Virtual time.
#[derive(Debug)]
pub(super) struct SimClock {
    nanos: AtomicU64,
}

impl Clock for SimClock {
    fn now(&self) -> Time {
        Time::from_nanos(self.nanos.load(Relaxed))
    }

    fn wall_ms(&self) -> i64 {
        WALL_ORIGIN_MS + self.now().as_ms() as i64
    }
}

/// Something that happens at a time.
#[derive(Debug)]
pub(super) enum Event {
    /// An attempt to connect is answered.
    Dialed(u64),
    /// Bytes reach the broker.
    ToBroker(u64, Vec<u8>),
    /// The sender's buffer has so much more room.
    Drained(u64, usize),
    /// The broker may have something to say.
    BrokerOutput(u64),
    /// Bytes reach the client.
    ToClient(u64, Vec<u8>),
    /// The client learns that the connection is over.
    End(u64, End),
    /// The broker learns that the client closed.
    ClientGone(u64),
    /// A look-up ends.
    Resolved(LookupId, Result<Vec<SocketAddr>, String>),
    /// The application does something.
    Step,
    /// The topic of the plan with this index is made.
    CreateTopic(usize),
    /// The trouble with this index in the options strikes.
    Trouble(usize),
    /// The broker's age in the options with this index begins.
    Age(usize),
    /// The end of a trouble that lasts.
    Mend(Mend),
    /// The end of the safety phase.
    Heal,
    /// All brokers are another generation: the change with this index in the plan.
    Generation(usize),
    /// Another producer wants the transactional id.
    Rival,
    /// The application makes a call again whose time ran out.
    CallAgain,
    /// Records that must get through.
    Probe,
    /// The application closes the producer with so much patience, in milliseconds.
    Close(u64),
    /// By now everything must have ended.
    Overdue,
}

#[derive(Debug)]
struct Scheduled {
    at: Time,
    sequence: u64,
    event: Event,
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Scheduled) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Scheduled) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Scheduled) -> Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

/// The world. See the head of the file.
pub(super) struct World {
    pub(super) options: Options,
    /// How the network behaves now.
    pub(super) network: NetworkPlan,
    pub(super) clock: Arc<SimClock>,
    pub(super) wake: Arc<AtomicBool>,
    heap: BinaryHeap<Reverse<Scheduled>>,
    sequence: u64,
    pub(super) network_rng: Rng,
    pub(super) trouble_rng: Rng,
    pub(super) links: BTreeMap<u64, Link>,
    pub(super) sockets: BTreeMap<SocketToken, u64>,
    pub(super) next_link: u64,
    ready: BTreeMap<SocketToken, (bool, bool)>,
    resolved: Vec<(LookupId, Result<Vec<SocketAddr>, String>)>,
    pub(super) cluster: Cluster,
    pub(super) ledger: Ledger,
    pub(super) application: Application,
    pub(super) trace: Trace,
    pub(super) failure: Option<String>,
    pub(super) healed: bool,
    /// Bytes that the client had written may be lost.
    pub(super) lossy: bool,
    /// The process has closed all its sockets.
    pub(super) ended: bool,
    /// Topics and partitions whose brokers were made to forget the producer.
    pub(super) forgetful: BTreeSet<(usize, i32)>,
    /// How many producers were forgotten.
    pub(super) forgotten: usize,
    pub(super) events: u64,
    /// Logs of topics that were deleted.
    pub(super) old_logs: Logs,
    pub(super) old_heads: Heads,
}

impl World {
    /// A world at its beginning.
    pub(super) fn new(options: Options, printed: bool) -> World {
        let seed = options.seed;
        let cluster = Cluster::new(options.brokers, seed ^ 11);
        let mut world = World {
            network: options.network.clone(),
            clock: Arc::new(SimClock { nanos: AtomicU64::new(1_000_000_000) }),
            wake: Arc::new(AtomicBool::new(false)),
            heap: BinaryHeap::new(),
            sequence: 0,
            network_rng: Rng::with_seed(seed ^ 12),
            trouble_rng: Rng::with_seed(seed ^ 13),
            links: BTreeMap::new(),
            sockets: BTreeMap::new(),
            next_link: 0,
            ready: BTreeMap::new(),
            resolved: Vec::new(),
            cluster,
            ledger: Ledger::default(),
            application: Application::new(&options),
            trace: Trace::new(printed),
            failure: None,
            healed: false,
            lossy: false,
            ended: false,
            forgetful: BTreeSet::new(),
            forgotten: 0,
            events: 0,
            old_logs: Logs::new(),
            old_heads: Heads::new(),
            options,
        };
        world.set_up_cluster();
        world.set_up_transactions();
        world.schedule_all();
        world
    }

    fn schedule_all(&mut self) {
        for index in 0..self.options.topics.len() {
            if let Some(ms) = self.options.topics[index].created_at_ms {
                self.after_ms(ms, Event::CreateTopic(index));
            }
        }
        for index in 0..self.options.troubles.len() {
            self.schedule_trouble(index);
        }
        for index in 0..self.options.ages.len() {
            self.after_ms(self.options.ages[index].0, Event::Age(index));
        }
        self.after_ms(0, Event::Step);
        let safety_ms = self.options.safety_ms + self.options.workload.silence_ms;
        match self.options.workload.closes_early {
            Some(patience_ms) => {
                let at_ms = self.trouble_rng.u64(1..safety_ms);
                self.after_ms(at_ms, Event::Close(patience_ms));
            }
            None => self.after_ms(safety_ms, Event::Heal),
        }
    }

    pub(super) fn now(&self) -> Time {
        self.clock.now()
    }

    /// Notes that something is not as it must be; the first counts.
    pub(super) fn fail(&mut self, what: String) {
        self.failure.get_or_insert(what);
    }

    pub(super) fn check(&mut self, result: Result<(), String>) {
        if let Err(what) = result {
            self.fail(what);
        }
    }

    pub(super) fn at(&mut self, at: Time, event: Event) {
        self.sequence += 1;
        self.heap.push(Reverse(Scheduled { at, sequence: self.sequence, event }));
    }

    pub(super) fn after_ms(&mut self, ms: u64, event: Event) {
        self.at(self.now().plus_ms(ms), event);
    }

    /// A way of one portion through the network, from now on.
    pub(super) fn arrival(&mut self) -> Time {
        let delay = self.network_rng.u64(self.network.delay_min_us..=self.network.delay_max_us);
        self.now() + Duration::from_micros(delay)
    }

    /// Tells the client that its socket is ready; several tellings before a poll are one.
    pub(super) fn announce(&mut self, token: SocketToken, readable: bool, writable: bool) {
        let entry = self.ready.entry(token).or_default();
        entry.0 |= readable;
        entry.1 |= writable;
    }

    /// What was announced of a socket that is gone is of no use.
    pub(super) fn forget(&mut self, token: SocketToken) {
        self.ready.remove(&token);
    }

    /// The sender sleeps: until `timeout`, a wake-up, or news from the network. Everything happens here.
    pub(super) fn sleep(&mut self, timeout: Option<Duration>, polled: &mut Polled) {
        let now = self.now();
        let mut until = timeout.map_or(Time::NEVER, |timeout| now + timeout);
        if until > now && until < Time::NEVER && self.network.oversleep_us > 0 {
            let late = self.network_rng.u64(0..=self.network.oversleep_us);
            until = until + Duration::from_micros(late);
        }
        let roused = until > now && chance(&mut self.network_rng, self.network.spurious);
        while !roused && !self.is_roused() {
            match self.heap.peek() {
                Some(Reverse(next)) if next.at <= until => self.happen(),
                _ if until == Time::NEVER => {
                    self.fail("the sender sleeps and nothing will ever wake it".to_owned());
                }
                _ => {
                    self.clock.nanos.store(until.as_nanos(), Relaxed);
                    break;
                }
            }
        }
        for (token, (readable, writable)) in std::mem::take(&mut self.ready) {
            polled.ready.push(Readiness { token, readable, writable });
        }
        polled.resolved.append(&mut self.resolved);
    }

    fn is_roused(&self) -> bool {
        self.wake.swap(false, Relaxed)
            || !self.ready.is_empty()
            || !self.resolved.is_empty()
            || self.failure.is_some()
    }

    /// What is on its way through the network happens, and nothing else any more.
    pub(super) fn happen_on_the_network(&mut self) {
        while let Some(Reverse(next)) = self.heap.peek() {
            match next.event {
                Event::ToBroker(..) | Event::ToClient(..) | Event::BrokerOutput(_) => self.happen(),
                _ => drop(self.heap.pop()),
            }
        }
    }

    /// The next event happens.
    fn happen(&mut self) {
        let Some(Reverse(Scheduled { at, event, .. })) = self.heap.pop() else { return };
        if at > self.now() {
            self.clock.nanos.store(at.as_nanos(), Relaxed);
        }
        self.events += 1;
        match event {
            Event::Dialed(link) => self.dialed(link),
            Event::ToBroker(link, bytes) => self.reach_broker(link, &bytes),
            Event::Drained(link, count) => self.drained(link, count),
            Event::BrokerOutput(link) => self.broker_output(link),
            Event::ToClient(link, bytes) => self.reach_client(link, &bytes),
            Event::End(link, end) => self.end(link, end),
            Event::ClientGone(link) => self.client_gone(link),
            Event::Resolved(lookup, result) => self.resolved.push((lookup, result)),
            Event::Step => self.application_step(),
            Event::CreateTopic(index) => self.create_topic(index),
            Event::Trouble(index) => self.strike(index),
            Event::Age(index) => self.age(index),
            Event::Mend(mend) => self.mend(mend),
            Event::Heal => self.heal(),
            Event::Generation(index) => self.change_generation(index),
            Event::Rival => self.rival(),
            Event::CallAgain => self.look_at_call(),
            Event::Probe => self.probe(),
            Event::Close(patience_ms) => self.close_producer(patience_ms),
            Event::Overdue => {
                let left: Vec<usize> = self.ledger.open().map(|(index, _)| index).take(5).collect();
                let open = self.ledger.open().count();
                self.fail(format!(
                    "overdue: the producer has not ended; {open} records are not reported, \
                     the first are {left:?}"
                ));
            }
        }
    }
}
