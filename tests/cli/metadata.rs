//! `ottla metadata`: what a cluster of another process shows.

use serde_json::json;

use crate::run::{dead_port, ottla, Running};

fn cluster() -> Running {
    Running::start(&["mock", "--brokers", "2", "-t", "b:1:1", "-t", "a:3:2", "--until-eof"], b"")
}

#[test]
fn all_brokers_and_topics_with_their_leaders() {
    let cluster = cluster();
    let ran = ottla(&["metadata", "-b", &cluster.first_line, "--json"], b"").ended(0);
    let shown = &ran.json()[0];
    let addresses: Vec<String> = shown["brokers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|broker| format!("{}:{}", broker["host"].as_str().unwrap(), broker["port"]))
        .collect();
    assert_eq!(addresses.join(","), cluster.first_line);
    let topics = shown["topics"].as_array().unwrap();
    let names: Vec<_> = topics.iter().map(|topic| topic["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "b"]);
    let partitions = topics[0]["partitions"].as_array().unwrap();
    let leaders: Vec<_> = partitions.iter().map(|p| p["leader"].as_i64().unwrap()).collect();
    assert_eq!(leaders, [1, 2, 1]);
    assert_eq!(partitions[1]["replicas"], json!([2, 1]));
    assert_eq!(partitions[1]["in_sync"], json!([2, 1]));
    let ran = ottla(&["metadata", "-b", &cluster.first_line], b"").ended(0);
    for line in ["2 brokers", "  a with 3 partitions", "    1: leader 2, replicas 2,1, in sync 2,1"]
    {
        assert!(ran.text().lines().any(|shown| shown == line), "{line:?} in {}", ran.text());
    }
}

#[test]
fn only_the_topics_asked_for_and_none_is_created() {
    let cluster = cluster();
    let args = ["metadata", "-b", &cluster.first_line, "--json"];
    let names = |more: &[&str], code| {
        let ran = ottla(&[&args[..], more].concat(), b"").ended(code);
        let shown = &ran.json()[0];
        let topics = shown["topics"].as_array().unwrap().iter();
        topics.map(|t| (t["name"].to_string(), t["error"].to_string())).collect::<Vec<_>>()
    };
    let pair = |name: &str, error: &str| (format!("\"{name}\""), error.to_owned());
    assert_eq!(names(&["-t", "b"], 0), [pair("b", "null")]);
    let missing = pair("missing", "\"UNKNOWN_TOPIC_OR_PARTITION\"");
    assert_eq!(names(&["-t", "missing", "-t", "b"], 1), [pair("b", "null"), missing]);
    assert_eq!(names(&[], 0), [pair("a", "null"), pair("b", "null")]);
    assert_eq!(names(&["-t", "a b"], 1), [pair("a b", "\"INVALID_TOPIC_EXCEPTION\"")]);
}

#[test]
fn an_unreachable_cluster_ends_with_three() {
    let nobody = format!("127.0.0.1:{}", dead_port());
    ottla(&["metadata", "-b", &nobody], b"").ended(3).said(&nobody);
    ottla(&["metadata"], b"").ended(2).said("bootstrap.servers");
}
