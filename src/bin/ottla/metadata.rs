//! `ottla metadata`: the cluster's brokers, topics, partitions and leaders.

use std::sync::Arc;

use clap::Args;
use ottla::error::ErrorCode;
use ottla::metadata::{ClusterSnapshot, NodeId, PartitionMetadata, TopicMetadata};
use ottla::producer::ProducerBuilder;
use serde_json::{json, Value};

use crate::connect::{print_or_map, Connect};
use crate::exit::{Failure, Outcome, DONE, RECORDS_FAILED};
use crate::output::print;

const EXAMPLES: &str = "\
Examples:
    ottla metadata -b localhost:9092
    ottla metadata -b localhost:9092 -t orders -t payments --json

Never creates a topic. Exit codes: 0, 1 a topic that was asked for has an error (it does not \
exist, say), 2 the command line or a setting is wrong, 3 no broker can be reached.";

/// Show brokers, topics, partitions and leaders
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Metadata {
    #[command(flatten)]
    connect: Connect,

    /// Only this topic; may be repeated
    #[arg(short = 't', long = "topic", value_name = "TOPIC")]
    topics: Vec<String>,

    /// Print one JSON object
    #[arg(long, short_alias = 'J')]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Metadata) -> Outcome {
    let Some(map) = print_or_map(args.connect.settings(&[], &[])?)? else { return Ok(DONE) };
    let builder = ProducerBuilder::from_config(map).poll_reports();
    let producer = builder.build().map_err(|error| Failure::starting(&error))?;
    args.connect.wait_ready(&producer)?;
    let names: Vec<&str> = args.topics.iter().map(String::as_str).collect();
    let asked = (!names.is_empty()).then_some(&names[..]);
    let cluster = producer
        .survey(asked, args.connect.metadata_timeout)
        .map_err(|error| Failure::unreachable(format!("no metadata: {error}")))?;
    let topics = sorted(&cluster);
    let text = if args.json { as_json(&cluster, &topics) } else { as_text(&cluster, &topics) };
    print(&text)?;
    let failed = topics.iter().any(|topic| topic.error != ErrorCode::NONE);
    Ok(if failed && asked.is_some() { RECORDS_FAILED } else { DONE })
}

fn sorted(cluster: &ClusterSnapshot) -> Vec<&TopicMetadata> {
    let mut topics: Vec<&TopicMetadata> = cluster.topics.values().map(Arc::as_ref).collect();
    topics.sort_by(|a, b| a.name.cmp(&b.name));
    topics
}

/// Name of an error; `None` where there is none.
fn error_of(code: ErrorCode) -> Option<&'static str> {
    (code != ErrorCode::NONE).then(|| code.name())
}

fn number_of(node: Option<NodeId>) -> Option<i32> {
    node.map(|node| node.0)
}

fn as_json(cluster: &ClusterSnapshot, topics: &[&TopicMetadata]) -> String {
    let broker = |node: &ottla::metadata::Node| {
        let rack = node.rack.as_deref();
        json!({ "id": node.id.0, "host": &*node.host, "port": node.port, "rack": rack })
    };
    let partition = |(index, partition): (usize, &PartitionMetadata)| {
        json!({
            "partition": index,
            "leader": number_of(partition.leader),
            "leader_epoch": partition.leader_epoch,
            "replicas": partition.replicas,
            "in_sync": partition.in_sync,
            "error": error_of(partition.error),
        })
    };
    let topic = |topic: &&TopicMetadata| {
        json!({
            "name": &*topic.name,
            "id": (!topic.id.is_nil()).then(|| topic.id.to_string()),
            "error": error_of(topic.error),
            "partitions": topic.partitions.iter().enumerate().map(partition).collect::<Vec<_>>(),
        })
    };
    let object: Value = json!({
        "cluster_id": cluster.cluster_id.as_deref(),
        "controller": number_of(cluster.controller),
        "brokers": cluster.nodes.values().map(broker).collect::<Vec<_>>(),
        "topics": topics.iter().map(topic).collect::<Vec<_>>(),
    });
    format!("{object}\n")
}

fn as_text(cluster: &ClusterSnapshot, topics: &[&TopicMetadata]) -> String {
    let id = cluster.cluster_id.as_deref().unwrap_or("without id");
    let mut text = format!("cluster {id}\n{}\n", counted(cluster.nodes.len(), "broker"));
    for node in cluster.nodes.values() {
        let controller = if cluster.controller == Some(node.id) { ", controller" } else { "" };
        let rack = node.rack.as_deref().map_or(String::new(), |rack| format!(", rack {rack}"));
        text.push_str(&format!("  {node}{rack}{controller}\n"));
    }
    text.push_str(&format!("{}\n", counted(topics.len(), "topic")));
    for topic in topics {
        let error = error_of(topic.error).map_or(String::new(), |error| format!(": {error}"));
        let count = counted(topic.partitions.len(), "partition");
        text.push_str(&format!("  {} with {count}{error}\n", topic.name));
        for (index, partition) in topic.partitions.iter().enumerate() {
            let leader = number_of(partition.leader).map_or("none".to_owned(), |id| id.to_string());
            let (replicas, in_sync) = (list(&partition.replicas), list(&partition.in_sync));
            let error =
                error_of(partition.error).map_or(String::new(), |error| format!(": {error}"));
            text.push_str(&format!(
                "    {index}: leader {leader}, replicas {replicas}, in sync {in_sync}{error}\n"
            ));
        }
    }
    text
}

/// "1 broker", "2 brokers".
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn list(ids: &[i32]) -> String {
    let ids: Vec<String> = ids.iter().map(i32::to_string).collect();
    ids.join(",")
}
