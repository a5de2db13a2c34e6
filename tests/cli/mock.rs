//! `ottla mock`: a cluster for other processes.

use crate::run::{ottla, Running};

fn produce(cluster: &Running, args: &[&str], input: &[u8]) -> crate::run::Ran {
    ottla(&[&["produce", "-b", &cluster.first_line, "-t", "t"], args].concat(), input)
}

#[test]
fn it_prints_its_address_serves_another_process_and_ends_with_its_input() {
    let args = ["mock", "--brokers", "3", "-t", "t:2:3", "--until-eof", "-v"];
    let mut cluster = Running::start(&args, b"");
    assert_eq!(cluster.first_line.split(',').count(), 3, "{}", cluster.first_line);
    produce(&cluster, &["-p", "1", "--report"], b"a\nb\n").ended(0);
    let ran = produce(&cluster, &["-p", "1", "--report"], b"c\n").ended(0);
    assert_eq!(ran.text(), "1 1 2\n");
    cluster.close_input();
    cluster.wait().ended(0).said("t: 3 records in 2 partitions");
}

#[cfg(unix)]
#[test]
fn it_ends_well_when_it_is_told_to() {
    let cluster = Running::start(&["mock", "--retain-bytes", "0", "-v"], b"");
    produce(&cluster, &[], b"a\n").ended(0);
    cluster.signal("TERM");
    cluster.wait().ended(0).said("t: 1 records in 4 partitions");
}

#[test]
fn faults_are_met_and_survived_or_reported() {
    let args = ["mock", "--until-eof", "-t", "t:1", "--round-trip-ms", "1"];
    let faults = ["--fault", "Produce=NOT_LEADER_OR_FOLLOWER*2", "--fault", "Produce=drop-request"];
    let cluster = Running::start(&[&args[..], &faults].concat(), b"");
    let ran = produce(&cluster, &["--report"], b"a\n").ended(0);
    assert_eq!(ran.text(), "1 0 0\n");
    let refuse = ["--fault", "Produce=TOPIC_AUTHORIZATION_FAILED"];
    let cluster = Running::start(&[&args[..], &refuse].concat(), b"");
    produce(&cluster, &[], b"a\n").ended(1).said("record 1: TOPIC_AUTHORIZATION_FAILED: ");
}

#[test]
fn every_api_can_be_made_to_fail_and_brokers_to_be_old() {
    for api in
        ["InitProducerId", "AddPartitionsToTxn", "AddOffsetsToTxn", "EndTxn", "TxnOffsetCommit"]
    {
        let fault = format!("{api}=COORDINATOR_LOAD_IN_PROGRESS");
        let args =
            ["mock", "--until-eof", "--kafka-version", "2.8", "-t", "t:1", "--fault", &fault];
        let cluster = Running::start(&args, b"");
        produce(&cluster, &["--report"], b"a\n").ended(0);
    }
}

#[test]
fn a_topic_that_is_refused_is_said_before_anything_is_read() {
    let error = ["--topic-error", "t=TOPIC_AUTHORIZATION_FAILED"];
    let cluster = Running::start(&[&["mock", "--until-eof"][..], &error].concat(), b"");
    produce(&cluster, &[], b"a\n").ended(1);
}

#[test]
fn wrong_options_end_with_two() {
    ottla(&["mock", "-t", "a:b"], b"").ended(2).said("no number of partitions");
    ottla(&["mock", "-t", "a:1:2"], b"").ended(2).said("INVALID_REPLICATION_FACTOR");
    ottla(&["mock", "--fault", "Produce=BAD"], b"").ended(2).said("BAD");
    ottla(&["mock", "--brokers", "0"], b"").ended(2);
    // Every API that it serves can go wrong.
    ottla(&["mock", "--fault", "None=drop-request"], b"").ended(2).said("EndTxn");
    ottla(&["mock", "--fault", "EndTxn=silence", "--until-eof"], b"").ended(0);
    ottla(&["mock", "--kafka-version", "0.7"], b"").ended(2).said("no Kafka release");
}
