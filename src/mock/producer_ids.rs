//! Owns who may call itself which producer: ids that only grow, and the epoch of each
//! transactional id. Answers InitProducerId and FindCoordinator.

use std::collections::BTreeMap;

use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{
    BrokerId, FindCoordinatorRequest, FindCoordinatorResponse, InitProducerIdRequest,
    InitProducerIdResponse, ProducerId,
};
use kafka_protocol::protocol::StrBytes;

use crate::error::ErrorCode;
use crate::protocol::RequestHeader;

use super::answer::{read, wire, Answer, Call};
use super::cluster::Cluster;

/// The ids that were given out.
#[derive(Debug)]
pub(super) struct ProducerIds {
    next: i64,
    /// The epoch of the next producer without a transactional id.
    next_epoch: i16,
    transactional: BTreeMap<String, (i64, i16)>,
}

impl Default for ProducerIds {
    fn default() -> Self {
        ProducerIds { next: 1000, next_epoch: 0, transactional: BTreeMap::new() }
    }
}

impl ProducerIds {
    fn fresh(&mut self) -> (i64, i16) {
        let id = self.next;
        self.next += 1;
        (id, 0)
    }

    /// The identity for a transactional id: the same producer id, the next epoch, and a new id when
    /// epochs run out. A caller that names the identity it has (KIP-360) must still be the newest.
    fn of_transactional(&mut self, name: &str, held: (i64, i16)) -> Result<(i64, i16), ErrorCode> {
        let identity = match self.transactional.get(name).copied() {
            Some(newest) if held.0 >= 0 && held != newest => {
                return Err(ErrorCode::PRODUCER_FENCED);
            }
            Some((id, epoch)) if epoch < i16::MAX - 1 => (id, epoch + 1),
            _ => self.fresh(),
        };
        self.transactional.insert(name.to_owned(), identity);
        Ok(identity)
    }
}

impl Cluster {
    /// The epoch that the next idempotent producer begins with (0 unless told), for tests of what
    /// happens near the last one. Real brokers begin with 0.
    pub fn set_next_epoch(&mut self, epoch: i16) {
        self.producer_ids.next_epoch = epoch;
    }

    pub(super) fn init_producer_id(
        &mut self,
        call: &Call,
        request: &RequestHeader,
    ) -> Option<Answer> {
        let asked: InitProducerIdRequest = read(request)?;
        let identity = match (call.error, &asked.transactional_id) {
            (Some(code), _) => Err(code),
            (None, Some(name)) if name.is_empty() => Err(ErrorCode::INVALID_REQUEST),
            (None, None) => {
                let epoch = std::mem::take(&mut self.producer_ids.next_epoch);
                Ok((self.producer_ids.fresh().0, epoch))
            }
            (None, Some(_)) if asked.transaction_timeout_ms <= 0 => {
                Err(ErrorCode::INVALID_TRANSACTION_TIMEOUT)
            }
            (None, Some(name)) => {
                let held = (asked.producer_id.0, asked.producer_epoch);
                self.producer_ids.of_transactional(name, held)
            }
        };
        let (id, epoch) = identity.unwrap_or((-1, -1));
        let response = InitProducerIdResponse::default()
            .with_throttle_time_ms(call.throttle_ms)
            .with_error_code(identity.err().map_or(0, wire))
            .with_producer_id(ProducerId(id))
            .with_producer_epoch(epoch);
        Answer::of(request, &response)
    }

    pub(super) fn find_coordinator(
        &mut self,
        call: &Call,
        request: &RequestHeader,
    ) -> Option<Answer> {
        let asked: FindCoordinatorRequest = read(request)?;
        let mut response = FindCoordinatorResponse::default();
        if request.version >= 1 {
            response.throttle_time_ms = call.throttle_ms;
        }
        if request.version >= 4 {
            let keys = asked.coordinator_keys.into_iter();
            response.coordinators = keys.map(|key| self.coordinator_row(call, key)).collect();
        } else {
            let row = self.coordinator_row(call, asked.key);
            response.error_code = row.error_code;
            response.error_message = row.error_message.filter(|_| request.version >= 1);
            response.node_id = row.node_id;
            response.host = row.host;
            response.port = row.port;
        }
        Answer::of(request, &response)
    }

    fn coordinator_row(&self, call: &Call, key: StrBytes) -> Coordinator {
        let row = Coordinator::default().with_node_id(BrokerId(-1)).with_port(-1);
        let live = self.live_brokers().count();
        let index = key_hash(&key) % live.max(1) as u64;
        match (call.error, self.live_brokers().nth(index as usize)) {
            (None, Some(broker)) => row
                .with_node_id(BrokerId(broker.id))
                .with_host(StrBytes::from_string(broker.host.clone()))
                .with_port(i32::from(broker.port)),
            (error, _) => {
                let code = error.unwrap_or(ErrorCode::COORDINATOR_NOT_AVAILABLE);
                row.with_error_code(wire(code))
                    .with_error_message(Some(StrBytes::from_static_str(code.description())))
            }
        }
        .with_key(key)
    }
}

/// FNV-1a: the same key has the same coordinator as long as the same brokers are up.
fn key_hash(key: &str) -> u64 {
    key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_and_epochs_grow_per_transactional_id() {
        let mut ids = ProducerIds::default();
        let first = ids.fresh();
        assert_eq!(ids.fresh(), (first.0 + 1, 0));
        assert_eq!(ids.of_transactional("a", (-1, -1)), Ok((first.0 + 2, 0)));
        assert_eq!(ids.of_transactional("b", (-1, -1)), Ok((first.0 + 3, 0)));
        assert_eq!(ids.of_transactional("a", (-1, -1)), Ok((first.0 + 2, 1)));
        assert_eq!(ids.of_transactional("a", (first.0 + 2, 1)), Ok((first.0 + 2, 2)));
        let fenced = ids.of_transactional("a", (first.0 + 2, 1));
        assert_eq!(fenced, Err(ErrorCode::PRODUCER_FENCED));
        ids.transactional.insert("a".into(), (first.0 + 2, i16::MAX - 1));
        assert_eq!(ids.of_transactional("a", (-1, -1)), Ok((first.0 + 4, 0)));
    }
}
