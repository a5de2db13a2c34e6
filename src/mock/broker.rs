//! Owns what the cluster knows of one broker, and the control of brokers: up, down, addresses,
//! racks, connections. Never serves a request.

use crate::error::{Error, ErrorCode, Result};

use super::cluster::Cluster;

#[derive(Debug)]
pub(super) struct Broker {
    pub(super) id: i32,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) rack: Option<String>,
    pub(super) up: bool,
    /// Grows whenever the broker closes all its connections.
    incarnation: u64,
}

impl Broker {
    pub(super) fn new(id: i32) -> Broker {
        let port = 9091 + id as u16;
        Broker { id, host: "127.0.0.1".into(), port, rack: None, up: true, incarnation: 0 }
    }
}

impl Cluster {
    /// The ids of all brokers, up or down.
    pub fn broker_ids(&self) -> Vec<i32> {
        self.brokers.iter().map(|broker| broker.id).collect()
    }

    /// Whether this broker exists and is up.
    pub fn is_up(&self, broker: i32) -> bool {
        self.broker(broker).is_some_and(|broker| broker.up)
    }

    /// Where clients are told to reach a broker.
    pub fn broker_address(&self, broker: i32) -> Option<(&str, u16)> {
        self.broker(broker).map(|broker| (broker.host.as_str(), broker.port))
    }

    /// Takes a broker away: connections to it close, new ones are refused, Metadata no longer
    /// lists it. Partitions that it leads go to the next live in-sync replica, with the next
    /// leader epoch, or stay without a leader, and so do the groups and transactional ids that it
    /// coordinates. Nothing happens to one that is down.
    pub fn broker_down(&mut self, broker: i32) -> Result<()> {
        let index = self.broker_index(broker)?;
        if !std::mem::replace(&mut self.brokers[index].up, false) {
            return Ok(());
        }
        self.brokers[index].incarnation += 1;
        let brokers = &self.brokers;
        let is_up = |id: i32| brokers.iter().any(|broker| broker.id == id && broker.up);
        let topics = self.topics.values_mut().flat_map(|topic| &mut topic.partitions);
        for partition in topics.chain(self.seats.partitions_mut()) {
            partition.broker_down(broker, is_up);
        }
        Ok(())
    }

    /// Brings a broker back. Its replicas are in sync at once; it leads again only what nobody
    /// leads, everything else only when [`Cluster::set_leader`] says so.
    pub fn broker_up(&mut self, broker: i32) -> Result<()> {
        let index = self.broker_index(broker)?;
        if std::mem::replace(&mut self.brokers[index].up, true) {
            return Ok(());
        }
        let brokers = &self.brokers;
        let is_up = |id: i32| brokers.iter().any(|broker| broker.id == id && broker.up);
        let topics = self.topics.values_mut().flat_map(|topic| &mut topic.partitions);
        for partition in topics.chain(self.seats.partitions_mut()) {
            partition.broker_up(broker, is_up);
        }
        Ok(())
    }

    /// Closes every connection to a broker, which stays up.
    pub fn drop_connections(&mut self, broker: i32) -> Result<()> {
        let index = self.broker_index(broker)?;
        self.brokers[index].incarnation += 1;
        Ok(())
    }

    /// Advertises another address for a broker. (`MockCluster` listens where it began to.)
    pub fn set_broker_address(&mut self, broker: i32, host: &str, port: u16) -> Result<()> {
        let index = self.broker_index(broker)?;
        self.brokers[index].host = host.to_owned();
        self.brokers[index].port = port;
        Ok(())
    }

    /// Puts a broker into a rack (`broker.rack`).
    pub fn set_rack(&mut self, broker: i32, rack: Option<&str>) -> Result<()> {
        let index = self.broker_index(broker)?;
        self.brokers[index].rack = rack.map(str::to_owned);
        Ok(())
    }

    /// Which life of the broker this is; `None` when it is down or unknown. A connection made in
    /// another one is closed.
    pub fn incarnation(&self, broker: i32) -> Option<u64> {
        self.broker(broker).filter(|broker| broker.up).map(|broker| broker.incarnation)
    }

    pub(super) fn broker(&self, id: i32) -> Option<&Broker> {
        self.brokers.iter().find(|broker| broker.id == id)
    }

    pub(super) fn live_brokers(&self) -> impl Iterator<Item = &Broker> {
        self.brokers.iter().filter(|broker| broker.up)
    }

    fn broker_index(&self, id: i32) -> Result<usize> {
        let found = self.brokers.iter().position(|broker| broker.id == id);
        found.ok_or_else(|| Error::new(ErrorCode::ARGUMENT, format!("no broker {id}")))
    }
}
