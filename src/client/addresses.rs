//! Owns the addresses that a broker's name stands for and which of them is tried next (KIP-302,
//! KIP-602). Never resolves: it is given what a look-up brought.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The addresses of one host and port.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    host: Option<(Arc<str>, u16)>,
    /// Not tried yet; the next one is last.
    untried: Vec<SocketAddr>,
    last_tried: Option<SocketAddr>,
}

impl Addresses {
    /// From now on these are the addresses of this host; a change forgets the others.
    pub fn set_host(&mut self, host: &Arc<str>, port: u16) {
        let same =
            self.host.as_ref().is_some_and(|(old, old_port)| (old, *old_port) == (host, port));
        if !same {
            *self = Addresses { host: Some((Arc::clone(host), port)), ..Addresses::default() };
        }
    }

    /// The address that the host is, if it is no name.
    pub fn literal(&self) -> Option<SocketAddr> {
        let (host, port) = self.host.as_ref()?;
        Some(SocketAddr::new(host.parse::<IpAddr>().ok()?, *port))
    }

    /// What a look-up brought. An address that was just tried goes to the end.
    pub fn fill(&mut self, mut found: Vec<SocketAddr>) {
        found.reverse();
        if let Some(tried) = self.last_tried.and_then(|last| found.iter().position(|&a| a == last))
        {
            found[..=tried].rotate_right(1);
        }
        self.untried = found;
    }

    /// The next address to try; `None` when a new look-up is needed.
    pub fn next(&mut self) -> Option<SocketAddr> {
        let next = self.untried.pop()?;
        self.last_tried = Some(next);
        Some(next)
    }

    /// Whether there is an address left to try.
    pub fn has_next(&self) -> bool {
        !self.untried.is_empty()
    }

    /// An established connection was lost: what the name stands for may have changed.
    pub fn forget_untried(&mut self) {
        self.untried.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 9092))
    }

    fn of(host: &str) -> Addresses {
        let mut addresses = Addresses::default();
        addresses.set_host(&host.into(), 9092);
        addresses
    }

    #[test]
    fn multiple_ips_are_tried_in_turn() {
        let mut addresses = of("kafka");
        addresses.fill(vec![address(1), address(2)]);
        assert_eq!(addresses.next(), Some(address(1)));
        assert!(addresses.has_next());
        assert_eq!(addresses.next(), Some(address(2)));
        assert!(!addresses.has_next());
        assert_eq!(addresses.next(), None, "a new look-up is needed");
    }

    #[test]
    fn skip_last_attempted_ip_after_a_new_look_up() {
        let mut addresses = of("kafka");
        addresses.fill(vec![address(1), address(2), address(3)]);
        addresses.next();
        addresses.next();
        addresses.forget_untried();
        assert_eq!(addresses.next(), None);
        addresses.fill(vec![address(1), address(2), address(3)]);
        let order: Vec<_> = std::iter::from_fn(|| addresses.next()).collect();
        assert_eq!(order, [address(1), address(3), address(2)]);
        addresses.fill(vec![address(2)]);
        assert_eq!(addresses.next(), Some(address(2)), "the only one there is");
    }

    #[test]
    fn a_host_change_forgets_the_addresses() {
        let mut addresses = of("kafka");
        addresses.fill(vec![address(1), address(2)]);
        addresses.set_host(&"kafka".into(), 9092);
        assert!(addresses.has_next());
        addresses.set_host(&"kafka".into(), 9093);
        assert!(!addresses.has_next());
    }

    #[test]
    fn literal_addresses_need_no_look_up() {
        assert_eq!(of("10.0.0.7").literal(), Some(address(7)));
        assert_eq!(of("::1").literal(), Some("[::1]:9092".parse().unwrap()));
        assert_eq!(of("kafka").literal(), None);
    }
}
