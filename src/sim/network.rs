//! The sockets of the simulated world: connects, reads, writes, look-ups and polls as the real ones do
//! them, edge-triggered, with everything that can go wrong below. Knows no Kafka.

use std::cell::RefCell;
use std::io::{self, ErrorKind, IoSlice};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use crate::client::network::LookupId;
use crate::net::sockets::{Polled, SocketToken, Sockets};
use crate::sim::options::chance;
use crate::sim::trace::hash_of;
use crate::sim::wire::{End, Link, Phase};
use crate::sim::world::{Event, World};

/// Where nobody answers.
const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 255, 255, 1));
/// Brokers listen from this port on, the first being broker 1.
const FIRST_PORT: u16 = 9092;

/// The client's side of the simulated network.
pub(super) struct SimSockets {
    pub(super) world: Rc<RefCell<World>>,
}

impl Sockets for SimSockets {
    fn connect(&mut self, token: SocketToken, address: SocketAddr) -> io::Result<bool> {
        self.world.borrow_mut().connect(token, address)
    }

    fn finish_connect(&mut self, token: SocketToken) -> io::Result<bool> {
        let mut world = self.world.borrow_mut();
        let (_, link) = world.link(token)?;
        match link.phase {
            Phase::Dialing => Ok(false),
            Phase::Open => Ok(true),
            Phase::Refused => Err(ErrorKind::ConnectionRefused.into()),
        }
    }

    fn read(&mut self, token: SocketToken, buffer: &mut [u8]) -> io::Result<usize> {
        self.world.borrow_mut().read(token, buffer)
    }

    fn short_read_drains(&self, _token: SocketToken) -> bool {
        self.world.borrow().network.short_read_drains
    }

    fn write(&mut self, token: SocketToken, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        self.world.borrow_mut().write(token, buffers)
    }

    fn close(&mut self, token: SocketToken) {
        self.world.borrow_mut().close(token);
    }

    fn resolve(&mut self, lookup: LookupId, host: &str, port: u16) {
        self.world.borrow_mut().resolve(lookup, host, port);
    }

    fn poll(&mut self, timeout: Option<Duration>, polled: &mut Polled) -> io::Result<()> {
        self.world.borrow_mut().sleep(timeout, polled);
        Ok(())
    }
}

impl World {
    fn link(&mut self, token: SocketToken) -> io::Result<(u64, &mut Link)> {
        let id = self.sockets.get(&token).copied();
        let found = id.and_then(|id| Some((id, self.links.get_mut(&id)?)));
        found.ok_or_else(|| ErrorKind::NotConnected.into())
    }

    fn connect(&mut self, token: SocketToken, address: SocketAddr) -> io::Result<bool> {
        let id = self.next_link;
        self.next_link += 1;
        let broker = i32::from(address.port()) - i32::from(FIRST_PORT) + 1;
        let known = address.ip() != NOWHERE && (1..=self.options.brokers as i32).contains(&broker);
        let broker = known.then_some(broker);
        self.trace.note(self.now(), "connect", &[id, u64::from(address.port()), token.0 as u64]);
        let fate = self.network_rng.u32(..1000);
        let (refused, unanswered) = (self.network.refused, self.network.unanswered);
        if fate < refused && fate % 2 == 0 {
            return Err(ErrorKind::ConnectionRefused.into());
        }
        if self.sockets.insert(token, id).is_some() {
            self.fail(format!("{token:?} was used for a second connect while it was open"));
        }
        let mut link = Link::new(token, broker, self.network.send_buffer_bytes, self.now());
        if fate < refused {
            link.broker = None;
        }
        let at_once = chance(&mut self.network_rng, self.network.at_once) && fate >= refused;
        self.links.insert(id, link);
        if at_once && known && self.accept(id) {
            return Ok(true);
        }
        let answered = fate < refused || fate >= refused + unanswered;
        // Half of the addresses that lead nowhere are refused, the others never answer.
        if answered && (known || id % 2 == 0) {
            let at = self.arrival();
            self.at(at, Event::Dialed(id));
        }
        Ok(false)
    }

    /// An attempt to connect is answered.
    pub(super) fn dialed(&mut self, id: u64) {
        if self.links.get(&id).is_none_or(|link| link.phase != Phase::Dialing) {
            return;
        }
        let accepted = self.accept(id);
        let Some(link) = self.links.get_mut(&id) else { return };
        if !accepted {
            link.phase = Phase::Refused;
        }
        let token = link.token;
        self.trace.note(self.now(), "dialed", &[id, u64::from(accepted)]);
        match token {
            Some(token) => self.announce(token, false, true),
            None => self.client_gone(id),
        }
    }

    fn read(&mut self, token: SocketToken, buffer: &mut [u8]) -> io::Result<usize> {
        let (now, drains) = (self.now(), self.network.short_read_drains);
        let cap = if drains { usize::MAX } else { self.network.read_bytes };
        let most = buffer.len().min(cap);
        let (id, link) = self.link(token)?;
        if link.phase != Phase::Open {
            return Err(ErrorKind::NotConnected.into());
        }
        if link.inbox.is_empty() {
            return match link.end {
                Some(End::Closed) => Ok(0),
                Some(End::Reset) => Err(ErrorKind::ConnectionReset.into()),
                None => {
                    link.read_armed = true;
                    Err(ErrorKind::WouldBlock.into())
                }
            };
        }
        let count = most.min(link.inbox.len());
        for (to, from) in buffer.iter_mut().zip(link.inbox.drain(..count)) {
            *to = from;
        }
        // Readiness for what comes next is sure only as `short_read_drains` says.
        link.read_armed |= drains && count < buffer.len();
        let known = link.count_read(count, now);
        for append in known {
            self.ledger.appends[append].answered_at = Some(now);
        }
        self.trace.note(now, "read", &[id, count as u64]);
        Ok(count)
    }

    fn write(&mut self, token: SocketToken, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let now = self.now();
        let (id, link) = self.link(token)?;
        if link.phase != Phase::Open {
            return Err(ErrorKind::NotConnected.into());
        }
        if link.end == Some(End::Reset) {
            return Err(ErrorKind::BrokenPipe.into());
        }
        if link.room == 0 {
            link.write_armed = true;
            return Err(ErrorKind::WouldBlock.into());
        }
        let mut bytes: Vec<u8> = Vec::new();
        for buffer in buffers {
            let rest = link.room - bytes.len();
            bytes.extend_from_slice(&buffer[..rest.min(buffer.len())]);
        }
        link.room -= bytes.len();
        let count = bytes.len();
        link.count_written(count, now);
        self.trace.note(now, "write", &[id, count as u64, hash_of(&bytes)]);
        self.travel_out(id, bytes);
        Ok(count)
    }

    fn travel_out(&mut self, id: u64, bytes: Vec<u8>) {
        for portion in bytes.chunks(self.network.portion_bytes) {
            let arrival = self.arrival();
            let Some(link) = self.links.get_mut(&id) else { return };
            link.out_at = link.out_at.max(arrival);
            let at = link.out_at;
            self.at(at, Event::ToBroker(id, portion.to_vec()));
        }
    }

    /// Sends bytes, in portions, from the broker to the client.
    pub(super) fn travel_in(&mut self, id: u64, bytes: &[u8]) {
        for portion in bytes.chunks(self.network.portion_bytes) {
            let arrival = self.arrival();
            let Some(link) = self.links.get_mut(&id) else { return };
            link.in_at = link.in_at.max(arrival);
            let at = link.in_at;
            self.at(at, Event::ToClient(id, portion.to_vec()));
        }
    }

    /// Has the client learn, after all that is on its way, that the connection is over.
    pub(super) fn end_soon(&mut self, id: u64, end: End) {
        let arrival = self.arrival();
        let Some(link) = self.links.get_mut(&id) else { return };
        // What the client closed itself is judged where it closes.
        self.lossy |= link.token.is_some();
        link.in_at = link.in_at.max(arrival);
        let at = link.in_at;
        self.at(at, Event::End(id, end));
    }

    fn close(&mut self, token: SocketToken) {
        self.forget(token);
        let Some(id) = self.sockets.remove(&token) else {
            return self.fail(format!("{token:?} was closed, but it is not open"));
        };
        let now = self.now();
        self.trace.note(now, "close", &[id]);
        let cut = self.hang_up(id);
        self.lossy |= cut;
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.learned.0 == now {
            // It may have found rubbish in front of those answers, and then believes none behind it.
            for &append in &link.learned.1 {
                self.ledger.appends[append].answered_at = None;
            }
        }
    }

    /// The client's end is closed. What is on its way still arrives, and a broker may act on a request that
    /// nobody waits for; but if something was not read, TCP resets the connection: then the answer is true.
    fn hang_up(&mut self, id: u64) -> bool {
        let now = self.now();
        // Brokers that do not verify (KIP-890) would take what comes in behind its transaction's end.
        let plan = self.options.transactions.as_ref();
        let forgets = plan.is_some_and(|plan| !plan.verifies());
        let Some(link) = self.links.get_mut(&id) else { return false };
        link.token = None;
        let cut = !link.inbox.is_empty();
        if cut || forgets {
            link.server = None;
        }
        let at = link.out_at.max(now);
        self.at(at, Event::ClientGone(id));
        cut
    }

    /// The process has closed all its sockets: the rest of what happens on the network.
    pub(super) fn settle(&mut self) {
        self.ended = true;
        let open: Vec<u64> = std::mem::take(&mut self.sockets).into_values().collect();
        for id in open {
            self.hang_up(id);
        }
        self.happen_on_the_network();
    }

    /// The sender's buffer has more room.
    pub(super) fn drained(&mut self, id: u64, count: usize) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.room += count;
        if let (true, Some(token)) = (link.write_armed, link.token) {
            link.write_armed = false;
            self.announce(token, false, true);
        }
    }

    /// Bytes reach the client.
    pub(super) fn reach_client(&mut self, id: u64, bytes: &[u8]) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.silent || link.deaf || link.end == Some(End::Reset) {
            return;
        }
        if link.token.is_none() {
            // To bytes for a closed socket TCP answers with a reset, and drops what it had not sent.
            link.server = None;
            // Closing a connection in the middle, because a request was late, breaks it.
            self.lossy |= !self.ended;
            return;
        }
        link.inbox.extend(bytes);
        if let (true, Some(token)) = (link.read_armed, link.token) {
            link.read_armed = false;
            self.announce(token, true, false);
        }
    }

    /// The client learns that the connection is over.
    pub(super) fn end(&mut self, id: u64, end: End) {
        let loses = chance(&mut self.network_rng, 500);
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.silent || link.end == Some(End::Reset) || link.phase != Phase::Open {
            return;
        }
        link.end = Some(end);
        if end == End::Reset && loses {
            link.inbox.clear();
        }
        let token = link.token;
        self.trace.note(self.now(), "end", &[id, u64::from(end == End::Reset)]);
        if let Some(token) = token {
            self.announce(token, true, true);
        }
    }

    fn resolve(&mut self, lookup: LookupId, host: &str, port: u16) {
        self.trace.note(self.now(), "resolve", &[lookup.0, hash_of(host.as_bytes())]);
        let result = if chance(&mut self.network_rng, self.network.lookup_fails) {
            Err("the simulated resolver knows no such host".to_owned())
        } else {
            let here = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let dead = self.network.dead_address.then(|| SocketAddr::from((NOWHERE, port)));
            Ok(dead.into_iter().chain([here]).collect())
        };
        let at = self.arrival();
        self.at(at, Event::Resolved(lookup, result));
    }
}
