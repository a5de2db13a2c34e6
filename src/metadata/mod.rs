//! Owns what the producer knows of the cluster: the snapshot that every thread reads, the topics
//! somebody wants, the rules by which an answer changes it, and when the next answer is due.
//! Never sends a request: the client asks [`Metadata`] what is due and hands it what came back.

mod cluster;
mod merge;
mod schedule;
mod shared;

#[cfg(test)]
mod merge_tests;
#[cfg(test)]
mod shared_tests;

pub use cluster::{ClusterSnapshot, Node, NodeId, PartitionMetadata, TopicMetadata};
pub use merge::LeaderHint;
pub use shared::{Metadata, MetadataSettings, UpdateRequest};
