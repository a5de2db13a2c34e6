//! One producer against the embedded cluster in virtual time, on one thread: brokers answer by themselves,
//! late if they are paused, and a request that has left is carried out whatever becomes of its connection.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use crate::accumulator::encode::InlineEncoding;
use crate::client::network::{
    ConnectionId, DisconnectCause, LookupId, Network, NetworkEvent, NetworkTotals,
};
use crate::config::ConfigMap;
use crate::delivery::Door;
use crate::driver::Driver;
use crate::error::{ErrorCode, Result};
use crate::log::{Level, LogSink};
use crate::mock::{Cluster, Fault, Isolation, PeerId, Reply};
use crate::producer::builder::Hooks;
use crate::producer::{
    assemble, Assembled, GroupMetadata, GroupOffset, Producer, TopicId, Wait, World,
};
use crate::protocol::frame::Frame;
use crate::protocol::{request_header, ApiKey};
use crate::record::Record;
use crate::time::{Clock, Time};

/// A request on its way, or waiting at a broker that is paused.
struct Arrival {
    at: Time,
    connection: ConnectionId,
    broker: i32,
    bytes: Bytes,
}

/// The cluster and the network before it.
pub struct Stage {
    pub now: Time,
    limit: Time,
    pub cluster: Cluster,
    open: BTreeMap<ConnectionId, i32>,
    arrivals: Vec<Arrival>,
    waiting: Vec<(Time, NetworkEvent)>,
    /// When the last answer of a connection comes: later ones come later.
    answered: BTreeMap<ConnectionId, Time>,
    paused_until: BTreeMap<i32, Time>,
    next_connection: u64,
    /// What has left is carried out also when its connection has ended meanwhile, as by a broker that was
    /// paused. Brokers that do not verify (before 3.6, KIP-890) can then commit what was aborted, whoever
    /// the client is.
    late: bool,
    /// API and version of each request, in the order in which brokers got them.
    pub seen: Vec<(ApiKey, i16)>,
    /// Connections end before the next records are written to them.
    pub cuts_produce: bool,
    /// What clients wrote to their logs.
    pub lines: Vec<(Level, String)>,
}

impl Stage {
    /// What is on its way from `of` comes to the broker only after `ms`; so does what is sent meanwhile.
    pub fn pause(&mut self, broker: i32, ms: u64) {
        let until = self.now.plus_ms(ms);
        self.paused_until.insert(broker, until);
        for arrival in self.arrivals.iter_mut().filter(|arrival| arrival.broker == broker) {
            arrival.at = arrival.at.max(until);
        }
    }

    /// The broker's process is gone.
    pub fn down(&mut self, broker: i32) {
        self.cluster.broker_down(broker).unwrap();
        self.drop_connections(broker);
    }

    pub fn drop_connections(&mut self, broker: i32) {
        let ends: Vec<ConnectionId> =
            self.open.iter().filter(|(_, to)| **to == broker).map(|(id, _)| *id).collect();
        ends.into_iter().for_each(|id| self.end(id));
    }

    fn end(&mut self, id: ConnectionId) {
        if self.open.remove(&id).is_some() {
            if !self.late {
                self.arrivals.retain(|arrival| arrival.connection != id);
            }
            let cause = DisconnectCause::ClosedByPeer;
            let event = NetworkEvent::Disconnected { id, cause, unsent: Vec::new() };
            self.waiting.push((self.now, event));
        }
    }

    fn arrive(&mut self, arrival: Arrival) {
        let Arrival { connection, broker, bytes, .. } = arrival;
        if let Ok(header) = request_header(&bytes) {
            self.seen.push((header.key, header.version));
        }
        match self.cluster.handle_request(broker, PeerId(connection.0), bytes, self.now) {
            Reply::None => {}
            Reply::CloseConnection => self.end(connection),
            Reply::Respond { bytes, not_before } => {
                let earlier = self.answered.get(&connection).copied().unwrap_or(Time::ZERO);
                let at = not_before.max(earlier);
                self.answered.insert(connection, at);
                if self.open.contains_key(&connection) {
                    let bytes = bytes.slice(4..);
                    self.waiting.push((at, NetworkEvent::Received { id: connection, bytes }));
                }
            }
        }
    }

    /// What is due next, by itself.
    fn next(&self) -> Time {
        let arrival = self.arrivals.iter().map(|arrival| arrival.at).min().unwrap_or(Time::NEVER);
        let event = self.waiting.iter().map(|&(at, _)| at).min().unwrap_or(Time::NEVER);
        arrival.min(event).min(self.cluster.next_due())
    }

    fn proceed(&mut self, events: &mut Vec<NetworkEvent>) {
        let now = self.now;
        self.cluster.advance(now);
        let all = std::mem::take(&mut self.arrivals);
        for arrival in all {
            match arrival.at <= now {
                true => self.arrive(arrival),
                false => self.arrivals.push(arrival),
            }
        }
        for (at, event) in std::mem::take(&mut self.waiting) {
            match at <= now {
                true => events.push(event),
                false => self.waiting.push((at, event)),
            }
        }
    }
}

/// A client's network on a stage that others may share. Connections have numbers of the whole stage.
struct Link {
    stage: Shared,
    ids: BTreeMap<u64, ConnectionId>,
    back: BTreeMap<ConnectionId, ConnectionId>,
}

#[derive(Clone)]
pub struct Shared(Arc<Mutex<Stage>>);

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for Shared {
    fn now(&self) -> Time {
        self.lock().now
    }
    fn wall_ms(&self) -> i64 {
        1_000_000 + self.lock().now.as_ms() as i64
    }
}

impl Link {
    fn outside(&self, id: ConnectionId) -> ConnectionId {
        self.ids[&id.0]
    }

    /// The event under the client's own number; `None` when it is another client's.
    fn own(&self, event: NetworkEvent) -> std::result::Result<NetworkEvent, NetworkEvent> {
        let inside = |id: &ConnectionId| self.back.get(id).copied();
        Ok(match event {
            NetworkEvent::Connected(id) => match inside(&id) {
                Some(id) => NetworkEvent::Connected(id),
                None => return Err(event),
            },
            NetworkEvent::Sent { id, tag } => match inside(&id) {
                Some(id) => NetworkEvent::Sent { id, tag },
                None => return Err(event),
            },
            NetworkEvent::Received { id, ref bytes } => match inside(&id) {
                Some(id) => NetworkEvent::Received { id, bytes: bytes.clone() },
                None => return Err(event),
            },
            NetworkEvent::Disconnected { id, ref cause, ref unsent } => match inside(&id) {
                Some(id) => {
                    let (cause, unsent) = (cause.clone(), unsent.clone());
                    NetworkEvent::Disconnected { id, cause, unsent }
                }
                None => return Err(event),
            },
            NetworkEvent::Resolved { .. } => return Err(event),
        })
    }
}

impl Network for Link {
    fn totals(&self) -> NetworkTotals {
        NetworkTotals::default()
    }

    fn connect(
        &mut self,
        id: ConnectionId,
        to: SocketAddr,
        now: Time,
    ) -> std::result::Result<(), DisconnectCause> {
        let SocketAddr::V4(to) = to else { panic!("{to}") };
        let broker = i32::from(to.ip().octets()[3]);
        let mut stage = self.stage.0.lock().unwrap_or_else(PoisonError::into_inner);
        let outside = ConnectionId(stage.next_connection);
        stage.next_connection += 1;
        self.ids.insert(id.0, outside);
        self.back.insert(outside, id);
        let event = if stage.cluster.is_up(broker) {
            stage.open.insert(outside, broker);
            NetworkEvent::Connected(outside)
        } else {
            let cause = DisconnectCause::ConnectFailed("connection refused".to_owned());
            NetworkEvent::Disconnected { id: outside, cause, unsent: Vec::new() }
        };
        stage.waiting.push((now, event));
        Ok(())
    }

    fn send(&mut self, id: ConnectionId, frame: Frame, tag: u64, now: Time) {
        let connection = self.outside(id);
        let mut slices = Vec::new();
        frame.remaining(&mut slices, usize::MAX);
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        let mut stage = self.stage.lock();
        let Some(&broker) = stage.open.get(&connection) else { return };
        let bytes = Bytes::from(bytes).slice(4..);
        let produces = request_header(&bytes).is_ok_and(|header| header.key == ApiKey::Produce);
        if produces && stage.cuts_produce {
            stage.open.remove(&connection);
            let cause = DisconnectCause::ClosedByPeer;
            let event = NetworkEvent::Disconnected { id: connection, cause, unsent: vec![tag] };
            return stage.waiting.push((now, event));
        }
        stage.waiting.push((now, NetworkEvent::Sent { id: connection, tag }));
        let paused = stage.paused_until.get(&broker).copied().unwrap_or(Time::ZERO);
        let at = now.plus_ms(1).max(paused);
        stage.arrivals.push(Arrival { at, connection, broker, bytes });
    }

    fn close(&mut self, id: ConnectionId) -> Vec<u64> {
        let outside = self.outside(id);
        let mut stage = self.stage.lock();
        stage.open.remove(&outside);
        if !stage.late {
            stage.arrivals.retain(|arrival| arrival.connection != outside);
        }
        stage.waiting.retain(|(_, event)| match event {
            NetworkEvent::Connected(about)
            | NetworkEvent::Sent { id: about, .. }
            | NetworkEvent::Received { id: about, .. }
            | NetworkEvent::Disconnected { id: about, .. } => *about != outside,
            NetworkEvent::Resolved { .. } => true,
        });
        Vec::new()
    }

    fn resolve(&mut self, _lookup: LookupId, host: &str, _port: u16) {
        panic!("{host} is no address");
    }

    fn poll(&mut self, deadline: Time, now: Time, events: &mut Vec<NetworkEvent>) {
        let mut stage = self.stage.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            stage.now = deadline.min(stage.next()).min(stage.limit).max(now).max(stage.now);
            let mut due = Vec::new();
            stage.proceed(&mut due);
            let time = stage.now;
            for event in due {
                match self.own(event) {
                    Ok(own) => events.push(own),
                    // Another client will ask for it; this one may not wait for that.
                    Err(others) => stage.waiting.push((time.plus_ms(1), others)),
                }
            }
            if !events.is_empty() || stage.now >= deadline.min(stage.limit) {
                return;
            }
        }
    }

    fn next_deadline(&self) -> Time {
        Time::NEVER
    }
}

/// A producer on the stage.
pub struct Rig {
    pub producer: Producer,
    driver: Driver<Link>,
    pub stage: Shared,
    open: bool,
}

/// A stage with three brokers of this age, and topics: `t` of three partitions, `in` of two.
pub fn stage((release, level): (&str, i16), seed: u64) -> Shared {
    let mut cluster = Cluster::new(3, seed);
    cluster.set_kafka_version(release).unwrap();
    cluster.set_transaction_version(Some(level));
    for broker in 1..=3 {
        cluster.set_broker_address(broker, &format!("10.0.0.{broker}"), 9092).unwrap();
    }
    cluster.create_topic("t", 3, 3).unwrap();
    cluster.create_topic("in", 2, 3).unwrap();
    Shared(Arc::new(Mutex::new(Stage {
        now: Time::from_ms(1_000),
        limit: Time::NEVER,
        cluster,
        open: BTreeMap::new(),
        arrivals: Vec::new(),
        waiting: Vec::new(),
        answered: BTreeMap::new(),
        paused_until: BTreeMap::new(),
        next_connection: 0,
        late: !matches!(release, "2.1" | "2.8"),
        seen: Vec::new(),
        cuts_produce: false,
        lines: Vec::new(),
    })))
}

pub const BOOTSTRAP: &str = "10.0.0.1:9092,10.0.0.2:9092,10.0.0.3:9092";

impl Rig {
    pub fn new(stage: &Shared, settings: &[(&str, &str)], seed: u64) -> Rig {
        let defaults =
            [("bootstrap.servers", BOOTSTRAP), ("transactional.id", "shipper"), ("linger.ms", "5")];
        Rig::plain(stage, &[&defaults[..], settings].concat(), seed)
    }

    /// One without transactions.
    pub fn plain(stage: &Shared, settings: &[(&str, &str)], seed: u64) -> Rig {
        let mut config = ConfigMap::new();
        for (name, value) in settings {
            config.set(name, value).unwrap();
        }
        let world = World {
            clock: Arc::new(stage.clone()),
            network: Link { stage: stage.clone(), ids: BTreeMap::new(), back: BTreeMap::new() },
            wake: Box::new(|| {}),
            encoding: Box::new(InlineEncoding::boxed),
            seed,
        };
        let lines = stage.clone();
        let log: LogSink =
            Box::new(move |level, text| lines.lock().lines.push((level, text.to_owned())));
        let hooks = Hooks { door: Some(Door::Poll), log: Some(log), ..Hooks::default() };
        let Assembled { producer, driver } =
            assemble(config.build().unwrap(), hooks, world, None).unwrap();
        Rig { producer, driver, stage: stage.clone(), open: true }
    }

    /// One that is initialized.
    pub fn ready(stage: &Shared, settings: &[(&str, &str)]) -> (Rig, TopicId) {
        let mut rig = Rig::new(stage, settings, 7);
        rig.init().unwrap();
        let topic = rig.producer.topic("t").unwrap();
        (rig, topic)
    }

    /// Whether the next turn comes at once, whatever happens.
    pub fn turns_at_once(&mut self) -> bool {
        let now = self.stage.lock().now;
        self.driver.next_deadline() <= now
    }

    /// Every known partition goes on at this number, as after many records.
    pub fn go_on_at(&mut self, next: i32) {
        self.driver.sender().go_on_at(next);
    }

    /// Takes turns until `ms` have passed, or `done` says so.
    pub fn run_until(&mut self, ms: u64, mut done: impl FnMut(&Producer) -> bool) -> bool {
        let end = self.stage.lock().now.plus_ms(ms);
        let (mut still, mut last) = (0, Time::ZERO);
        loop {
            if done(&self.producer) {
                return true;
            }
            let now = self.stage.lock().now;
            if now >= end && still > 3 {
                return false;
            }
            still = if now == last { still + 1 } else { 0 };
            assert!(still < 1000, "the sender turns without end at {now:?}");
            last = now;
            self.stage.lock().limit = end;
            if self.open {
                self.open = self.driver.turn();
            } else {
                self.stage.lock().now = end;
            }
        }
    }

    pub fn run_ms(&mut self, ms: u64) {
        self.run_until(ms, |_| false);
    }

    /// Makes a call that may wait, as often as it takes.
    pub fn wait(&mut self, ms: u64, call: impl Fn(&Producer) -> Result<()>) -> Result<()> {
        let mut outcome = Ok(());
        self.run_until(ms, |producer| {
            outcome = call(producer);
            !matches!(&outcome, Err(error) if error.code() == ErrorCode::TIMED_OUT)
        });
        outcome
    }

    pub fn init(&mut self) -> Result<()> {
        self.wait(600_000, |producer| producer.init_transactions(Duration::ZERO))
    }

    pub fn commit(&mut self) -> Result<()> {
        self.wait(600_000, |producer| producer.commit_transaction(Duration::ZERO))
    }

    pub fn abort(&mut self) -> Result<()> {
        self.wait(600_000, |producer| producer.abort_transaction(Duration::ZERO))
    }

    pub fn send(&self, topic: TopicId, partition: i32, value: &str) -> Result<()> {
        let record = Record::value(value.as_bytes());
        self.producer.send_token(topic, partition, &record, 1, Wait::Never)
    }

    /// Begins the close; true when it has ended by itself after `ms` at most.
    pub fn close(&mut self, patience_ms: u64, ms: u64) -> bool {
        self.producer.begin_close(Duration::from_millis(patience_ms));
        let end = self.stage.lock().now.plus_ms(ms);
        while self.open && self.stage.lock().now < end {
            self.stage.lock().limit = end;
            self.open = self.driver.turn();
        }
        !self.open
    }

    /// Code and count of what was reported.
    pub fn codes(&self) -> Vec<ErrorCode> {
        let mut codes = Vec::new();
        let take = &mut |report: &crate::delivery::Report, from: usize| {
            codes.extend((from..report.count()).map(|_| report.code));
            report.count() - from
        };
        self.producer.poll(Duration::ZERO, take).unwrap();
        codes
    }
}

/// What a reader of committed data has of each partition of `t`.
pub fn committed(stage: &Shared) -> Vec<Vec<String>> {
    let stage = stage.lock();
    let read = |partition| {
        let records = stage.cluster.records_isolated("t", partition, Isolation::ReadCommitted);
        let text = |value: Option<Vec<u8>>| String::from_utf8(value.unwrap()).unwrap();
        records.unwrap().into_iter().map(|record| text(record.value)).collect()
    };
    (0..3).map(read).collect()
}

pub const V2: (&str, i16) = ("4.1", 2);
pub const V1: (&str, i16) = ("3.9", 1);
/// They verify nothing, and give no epochs on demand.
pub const OLD: (&str, i16) = ("2.1", 1);
pub const ALL: [(&str, i16); 3] = [V2, V1, OLD];

pub fn ready(generation: (&str, i16)) -> (Rig, TopicId) {
    Rig::ready(
        &stage(generation, 7),
        &[("retry.backoff.ms", "100"), ("retry.backoff.max.ms", "100")],
    )
}

pub fn offsets(rig: &mut Rig, offset: i64) -> Result<()> {
    let group = GroupMetadata::new("g", -1, "", None).unwrap();
    let offsets = [GroupOffset::new("in", 0, offset), GroupOffset::new("in", 1, offset)];
    rig.wait(200_000, |producer| {
        producer.send_offsets_to_transaction(&offsets, &group, Duration::ZERO)
    })
}

pub fn all(rig: &Rig) -> Vec<String> {
    committed(&rig.stage).concat()
}

/// The requests since the last look, without those that every client sends.
pub fn seen(rig: &Rig) -> Vec<(ApiKey, i16)> {
    let seen = std::mem::take(&mut rig.stage.lock().seen);
    let usual = |key: &ApiKey| matches!(key, ApiKey::ApiVersions | ApiKey::Metadata);
    seen.into_iter().filter(|(key, _)| !usual(key)).collect()
}

pub fn keys(rig: &Rig) -> Vec<ApiKey> {
    seen(rig).into_iter().map(|(key, _)| key).collect()
}

pub fn transact(rig: &mut Rig, topic: TopicId, value: &str) -> Result<()> {
    rig.producer.begin_transaction()?;
    rig.send(topic, 0, value)?;
    offsets(rig, 1)?;
    rig.commit()
}

pub fn push(stage: &Shared, api: ApiKey, faults: &[Fault]) {
    stage.lock().cluster.push_faults(None, api, faults);
}
