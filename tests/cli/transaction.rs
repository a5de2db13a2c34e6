//! `ottla produce` in transactions: what readers of committed data see, and the exit codes.

use crate::run::{ottla, Ran, Running, EMBEDDED};

/// Runs `ottla produce` in transactions on an embedded cluster, one partition, and reads back.
fn produce(args: &[&str], input: &[u8]) -> Ran {
    let common = ["produce", "-t", "t", "-p", "0", "--read-back", "--transactional-id", "loader"];
    ottla(&[&common[..], &EMBEDDED, args].concat(), input)
}

#[test]
fn the_input_is_one_transaction() {
    assert_eq!(produce(&[], b"a\nb\nc\n").ended(0).text(), "a\nb\nc\n");
    assert_eq!(produce(&[], b"").ended(0).text(), "");
    // As kcat has it: by the setting alone.
    let args = ["produce", "-t", "t", "-p", "0", "--read-back", "-X", "transactional.id=loader"];
    let huge = [b"a\n", &vec![b'x'; 3_000_000][..]].concat();
    let ran = ottla(&[&args[..], &EMBEDDED].concat(), &huge).ended(1);
    assert_eq!(ran.text(), "");
}

#[test]
fn one_record_that_fails_leaves_nothing() {
    let huge = [b"one\n", &vec![b'x'; 3_000_000][..], b"\nthree\n"].concat();
    let ran = produce(&[], &huge).ended(1).said("record 2: RECORD_TOO_LARGE");
    assert_eq!(ran.said("nothing is committed: its transaction was aborted").text(), "");
    let ran = produce(&["/no/such/file"], b"").ended(1).said("cannot read /no/such/file");
    assert_eq!(ran.said("nothing is committed").text(), "");
}

#[test]
fn a_transaction_may_hold_so_many_records() {
    let input: String = (0..1000).map(|number| format!("{number}\n")).collect();
    let ran = produce(&["--transaction-records", "300"], input.as_bytes()).ended(0);
    assert_eq!(ran.text(), input);
    // Those before it stay.
    let huge = [b"one\ntwo\nthree\n", &vec![b'x'; 3_000_000][..], b"\nfive\n"].concat();
    let ran = produce(&["--transaction-records", "2"], &huge).ended(1);
    let ran = ran.said("1 transactions are committed, the last 2 records are not");
    assert_eq!(ran.text(), "one\ntwo\n");
}

#[test]
fn what_the_broker_refuses_is_not_committed() {
    let faulty =
        ["mock", "-t", "t:1:1", "--until-eof", "--fault", "Produce=TOPIC_AUTHORIZATION_FAILED"];
    let cluster = Running::start(&faulty, b"");
    let args = ["produce", "-b", &cluster.first_line, "-t", "t", "--transactional-id", "loader"];
    let ran = ottla(&args, b"a\n").ended(1).said("record 1: TOPIC_AUTHORIZATION_FAILED");
    ran.said("nothing is committed: its transaction was not committed");
    ottla(&args, b"a\n").ended(0);
}

#[test]
fn a_commit_that_failed_is_told_once() {
    let faults = ["--fault", "EndTxn=TRANSACTION_ABORTABLE"];
    let cluster =
        Running::start(&[&["mock", "-t", "t:1:1", "--until-eof"], &faults[..]].concat(), b"");
    let args = ["produce", "-b", &cluster.first_line, "-t", "t", "--transactional-id", "loader"];
    let ran = ottla(&[&args[..], &["--transaction-records", "1"]].concat(), b"a\nb\n").ended(1);
    let ran = ran.said("nothing is committed: its transaction was not committed");
    assert!(!ran.err.contains("its timeout"), "{}", ran.err);
}

#[test]
fn a_record_that_was_too_late_is_no_reason_to_wait() {
    let faults = ["--fault", "Produce=delay:60000*2"];
    let cluster =
        Running::start(&[&["mock", "-t", "t:1:1", "--until-eof"], &faults[..]].concat(), b"");
    let args = ["produce", "-b", &cluster.first_line, "-t", "t", "--transactional-id", "loader"];
    let impatient = ["compat=java", "retries=1", "request.timeout.ms=300"].map(|one| ["-X", one]);
    let ran = ottla(&[&args[..], &impatient.concat()].concat(), b"a\n").ended(1);
    ran.said("nothing is committed: its transaction was not committed");
}

#[test]
fn a_transaction_needs_an_id_and_idempotence() {
    let args = ["produce", "-t", "t", "--transaction-records", "5"];
    ottla(&[&args[..], &EMBEDDED].concat(), b"a\n").ended(2).said("needs --transactional-id");
    produce(&["-X", "acks=1"], b"a\n").ended(2).said("transactional.id");
    produce(&["--transaction-records", "0"], b"").ended(2).said("--transaction-records");
}

#[cfg(unix)]
#[test]
fn an_interrupt_aborts() {
    let cluster = Running::start(&["mock", "-t", "t:1:1", "--until-eof"], b"");
    let args = ["produce", "-b", &cluster.first_line, "-t", "t", "--report"];
    let running =
        Running::start(&[&args[..], &["--transactional-id", "loader"]].concat(), b"one\n");
    assert!(running.first_line.starts_with("1 "), "{}", running.first_line);
    running.signal("INT");
    running.wait().ended(130).said("nothing is committed: its transaction was aborted");
}
