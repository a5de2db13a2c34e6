//! Owns the answer to FindCoordinator.

use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};
use kafka_protocol::protocol::StrBytes;

use crate::error::ErrorCode;
use crate::protocol::RequestHeader;

use super::super::answer::{read, wire, Answer, Call};
use super::super::cluster::Cluster;
use super::seats::CoordinatorKind;

impl Cluster {
    pub(in crate::mock) fn find_coordinator(
        &mut self,
        call: &Call,
        request: &RequestHeader,
    ) -> Option<Answer> {
        let asked: FindCoordinatorRequest = read(request)?;
        let kind = match asked.key_type {
            0 => Ok(CoordinatorKind::Group),
            1 => Ok(CoordinatorKind::Transaction),
            _ => Err(ErrorCode::INVALID_REQUEST),
        };
        let kind = call.error.map_or(kind, Err);
        let mut response = FindCoordinatorResponse::default();
        if request.version >= 1 {
            response.throttle_time_ms = call.throttle_ms;
        }
        if request.version >= 4 {
            let keys = asked.coordinator_keys.into_iter();
            response.coordinators = keys.map(|key| self.coordinator_row(kind, key)).collect();
        } else {
            let row = self.coordinator_row(kind, asked.key);
            response.error_code = row.error_code;
            response.error_message = row.error_message.filter(|_| request.version >= 1);
            response.node_id = row.node_id;
            response.host = row.host;
            response.port = row.port;
        }
        Answer::of(request, &response)
    }

    fn coordinator_row(
        &self,
        kind: Result<CoordinatorKind, ErrorCode>,
        key: StrBytes,
    ) -> Coordinator {
        let row = Coordinator::default().with_node_id(BrokerId(-1)).with_port(-1);
        let found = kind.and_then(|kind| {
            let id = self.coordinator(kind, &key);
            id.and_then(|id| self.broker(id)).ok_or(ErrorCode::COORDINATOR_NOT_AVAILABLE)
        });
        match found {
            Ok(broker) => row
                .with_node_id(BrokerId(broker.id))
                .with_host(StrBytes::from_string(broker.host.clone()))
                .with_port(i32::from(broker.port)),
            Err(code) => row
                .with_error_code(wire(code))
                .with_error_message(Some(StrBytes::from_static_str(code.description()))),
        }
        .with_key(key)
    }
}
