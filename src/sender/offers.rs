//! Which broker is asked what any broker could answer, where not all of them are of an age that can.
//! Never asks.

use crate::client::network::Network;
use crate::metadata::NodeId;
use crate::protocol::ApiKey;
use crate::record::Magic;
use crate::sender::Sender;
use crate::time::Time;

impl<N: Network> Sender<N> {
    /// A broker that is ready and, as far as others can be reached that might, speaks the API from this
    /// version on. Has connections made.
    pub(super) fn any_that_offers(
        &mut self,
        api: ApiKey,
        lowest: i16,
        now: Time,
    ) -> Option<NodeId> {
        let nodes = match self.nodes_that_may_offer(api, lowest) {
            Some(nodes) => nodes,
            None => self.parts.client.least_loaded(now).into_iter().collect(),
        };
        nodes.into_iter().find(|&node| self.parts.client.ready(node, now))
    }

    /// When to look for such a broker again if no event comes before.
    pub(super) fn offered_at(&self, api: ApiKey, lowest: i16, now: Time) -> Time {
        let client = &self.parts.client;
        match self.nodes_that_may_offer(api, lowest) {
            None => client.any_node_at(now),
            Some(nodes) => {
                let delays = nodes.iter().map(|&node| client.poll_delay(node, now));
                delays.min().unwrap_or(Time::NEVER)
            }
        }
    }

    /// Where a broker was heard that is too old: those that are not, or else those of the cluster that may
    /// not be, as far as they are known yet. `None`: any broker may be asked.
    fn nodes_that_may_offer(&self, api: ApiKey, lowest: i16) -> Option<Vec<NodeId>> {
        let client = &self.parts.client;
        let offers = |node: &NodeId| client.usable_version(*node, api).is_some_and(|v| v >= lowest);
        let heard =
            self.magics.keys().copied().filter(|node| client.node_versions(*node).is_some());
        let (offering, others): (Vec<NodeId>, Vec<NodeId>) = heard.partition(offers);
        if others.is_empty() {
            return None;
        }
        if !offering.is_empty() {
            return Some(offering);
        }
        let snapshot = self.parts.metadata.snapshot();
        let known = snapshot.nodes.keys().copied();
        let nodes: Vec<NodeId> = known.filter(|node| !node.is_bootstrap()).collect();
        // What was heard to be modern is only away.
        let unheard = |node: &NodeId| match self.magics.get(node) {
            Some(&magic) => magic == Magic::V2 && client.node_versions(*node).is_none(),
            None => !self.is_mute(node),
        };
        match nodes.iter().copied().filter(unheard).collect::<Vec<NodeId>>() {
            all_heard if all_heard.is_empty() && !nodes.is_empty() => None,
            unheard => Some(unheard),
        }
    }
}
