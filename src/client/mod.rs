//! Owns what the producer knows of brokers as peers: connections, versions, requests in flight.
pub mod network;
