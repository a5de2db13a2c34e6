//! `ottla produce`: every flag, every way in, byte for byte, and every exit code.

use std::io::Write;

use serde_json::{json, Value};

use crate::run::{dead_port, ottla, ottla_in, Ran, Running, EMBEDDED};

/// Runs `ottla produce` on an embedded cluster, one partition, and reads back as JSON.
fn produce(args: &[&str], input: &[u8]) -> Ran {
    let common = ["produce", "-t", "t", "-p", "0", "--read-back", "--json"];
    ottla(&[&common[..], &EMBEDDED, args].concat(), input)
}

/// What one field of the records read back holds.
fn field(ran: &Ran, name: &str) -> Vec<Value> {
    ran.json().into_iter().map(|record| record[name].clone()).collect()
}

fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn path(file: &tempfile::NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}

#[test]
fn each_line_is_a_record_and_empty_ones_are_left_out() {
    let ran = produce(&["-v"], b"one\n\n two \nlast").ended(0);
    assert_eq!(field(&ran, "value"), ["one", " two ", "last"]);
    assert_eq!(field(&ran, "key"), [Value::Null, Value::Null, Value::Null]);
    assert_eq!(field(&ran, "offset"), [0, 1, 2]);
    ran.said("3 records stored").said("1 empty, left out");
}

#[test]
fn nothing_in_is_nothing_out() {
    let ran = produce(&[], b"").ended(0);
    assert_eq!((ran.text(), ran.err.as_str()), ("", ""));
}

#[test]
fn any_bytes_come_through() {
    let all: Vec<u8> = (0..=255).filter(|byte| *byte != b'\n').collect();
    let args = ["produce", "-t", "t", "-p", "0", "--read-back"];
    let ran = ottla(&[&args[..], &EMBEDDED].concat(), &all).ended(0);
    assert_eq!(ran.out, [&all[..], b"\n"].concat());
    let ran = produce(&["-D", "\\xff\\x00"], b"a\nb\xff\x00\xff\x00\xff\xff\x00c").ended(0);
    assert_eq!(field(&ran, "value"), [json!("a\nb"), json!({ "base64": "/w==" }), json!("c")]);
}

#[test]
fn keys_stand_before_their_delimiter() {
    let ran = produce(&["-K:"], b"k:v\n:empty key\nk2:\nno key\na:b:c\n").ended(0);
    assert_eq!(field(&ran, "key"), [json!("k"), json!(""), json!("k2"), Value::Null, json!("a")]);
    assert_eq!(field(&ran, "value"), ["v", "empty key", "", "no key", "b:c"]);
    let ran = produce(&["-K", "=>"], b"k=>v\n").ended(0);
    assert_eq!((field(&ran, "key"), field(&ran, "value")), (vec![json!("k")], vec![json!("v")]));
}

#[test]
fn a_fixed_key_is_for_records_without_one() {
    let ran = produce(&["-K", "\\t", "-k", "fixed"], b"k\tv\nno key\n").ended(0);
    assert_eq!(field(&ran, "key"), ["k", "fixed"]);
}

#[test]
fn with_the_null_flag_empty_is_null() {
    let ran = produce(&["-Z", "-K:"], b":v\nk:\n\n").ended(0);
    assert_eq!(field(&ran, "key"), [Value::Null, json!("k"), Value::Null]);
    assert_eq!(field(&ran, "value"), [json!("v"), Value::Null, Value::Null]);
}

#[test]
fn headers_are_on_every_record_in_order() {
    let ran = produce(&["-H", "a=1", "-H", "b=x=y", "-H", "a="], b"v\nw\n").ended(0);
    let headers = json!([["a", "1"], ["b", "x=y"], ["a", ""]]);
    assert_eq!(field(&ran, "headers"), [headers.clone(), headers]);
    produce(&["-H", "nothing"], b"").ended(2).said("NAME=VALUE");
}

#[test]
fn files_are_one_record_each() {
    let (first, second, empty) = (file(b"a\nb\n"), file(&[0, 0xff]), file(b""));
    let ran = produce(&[path(&first), path(&second), path(&empty), "-"], b"from\nstdin").ended(0);
    let expected = [json!("a\nb\n"), json!({ "base64": "AP8=" }), json!("from\nstdin")];
    assert_eq!(field(&ran, "value"), expected);
}

#[test]
fn a_file_that_cannot_be_read_does_not_stop_the_others() {
    let good = file(b"good");
    let ran = produce(&["/no/such/file", path(&good)], b"").ended(1);
    assert_eq!(field(&ran, "value"), ["good"]);
    ran.said("record 1: cannot read /no/such/file");
}

#[test]
fn lines_come_from_one_file() {
    let lines = file(b"k:one\ntwo");
    let ran = produce(&["-l", "-K:", path(&lines)], b"not read\n").ended(0);
    assert_eq!(field(&ran, "value"), ["one", "two"]);
    produce(&["-l"], b"").ended(2).said("exactly one");
    produce(&["-l", path(&lines), path(&lines)], b"").ended(2).said("exactly one");
    produce(&["-l", "/no/such/file"], b"").ended(2).said("/no/such/file");
    produce(&["-K:", path(&lines)], b"").ended(2).said("add -l");
}

#[test]
fn a_count_ends_it() {
    let ran = produce(&["-c", "2"], b"a\nb\nc\n").ended(0);
    assert_eq!(field(&ran, "value"), ["a", "b"]);
}

#[test]
fn tee_copies_what_was_sent() {
    let args = ["produce", "-t", "t", "-T", "-K:"];
    let ran = ottla(&[&args[..], &EMBEDDED].concat(), b"k:v\n\nw\xff").ended(0);
    assert_eq!(ran.out, b"k:v\nw\xff\n");
}

#[test]
fn the_report_says_where_each_record_is() {
    let args = ["produce", "-t", "t", "-p", "3", "--report"];
    let ran = ottla(&[&args[..], &EMBEDDED].concat(), b"a\nb\n").ended(0);
    assert_eq!(ran.text(), "1 3 0\n2 3 1\n");
    let ran = ottla(&[&args[..], &["--json"], &EMBEDDED].concat(), b"a\n").ended(0);
    assert_eq!(ran.json(), [json!({ "record": 1, "topic": "t", "partition": 3, "offset": 0 })]);
}

#[test]
fn keys_go_where_librdkafka_puts_them_unless_java_is_asked_for() {
    let keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let input: String = keys.map(|key| format!("{key}:v\n")).concat();
    let partitions = |more: &[&str]| {
        let args = ["produce", "-t", "t", "-K:", "--report"];
        let ran = ottla(&[&args[..], &EMBEDDED, more].concat(), input.as_bytes()).ended(0);
        let numbers = |line: &str| -> Vec<u32> {
            line.split(' ').map(|number| number.parse().unwrap()).collect()
        };
        let mut lines: Vec<Vec<u32>> = ran.text().lines().map(numbers).collect();
        lines.sort();
        lines.iter().map(|line| line[1]).collect::<Vec<u32>>()
    };
    assert_eq!(partitions(&[]), keys.map(|key| crc32fast::hash(key.as_bytes()) % 4));
    let java = partitions(&["-X", "compat=java"]);
    assert_eq!(java, partitions(&["-X", "partitioner=murmur2"]));
    assert_ne!(java, partitions(&[]));
}

#[test]
fn a_record_that_is_too_large_fails_alone() {
    let huge = vec![b'x'; 3_000_000];
    let nearly = vec![b'y'; 1_000_100];
    let input = [b"one\n", &huge[..], b"\n", &nearly, b"\nfour\n"].concat();
    let ran = produce(&[], &input).ended(1);
    assert_eq!(field(&ran, "value"), ["one", "four"]);
    ran.said("record 2: RECORD_TOO_LARGE: the record has 3000000 bytes")
        .said("record 3: RECORD_TOO_LARGE");
    let large = file(&huge);
    produce(&[path(&large)], b"").ended(1).said("record 1: RECORD_TOO_LARGE");
}

#[test]
fn many_records_go_through_little_memory() {
    let input: String = (0..50_000).map(|number| format!("{number}\n")).collect();
    let limits =
        ["-X", "buffer.memory=200000", "-X", "batch.size=10000", "-X", "compat=java", "-q"];
    let args = ["produce", "-t", "t", "-p", "0", "--read-back"];
    let ran = ottla(&[&args[..], &EMBEDDED, &limits].concat(), input.as_bytes()).ended(0);
    assert!(ran.text() == input, "the records came back in another order or form");
}

#[test]
fn a_missing_partition_is_said_at_once() {
    let args = ["produce", "-t", "t", "-p", "99"];
    ottla(&[&args[..], &EMBEDDED].concat(), b"v\n").ended(1).said("no partition 99");
    ottla(&["produce", "-t", "t", "-p", "-2"], b"").ended(2);
}

#[test]
fn wrong_options_end_with_two_and_say_why() {
    for (args, why) in [
        (&["produce", "-t", "t"][..], "bootstrap.servers"),
        (&["produce"], "--topic"),
        (&["produce", "-t", "a b", "-b", "localhost:1"], "topic name"),
        (&["produce", "-t", "t", "-b", "localhost:x"], "bootstrap.servers"),
        (&["produce", "-t", "t", "-X", "linger.mss=5"], "did you mean `linger.ms`?"),
        (&["produce", "-t", "t", "-X", "linger.ms"], "NAME=VALUE"),
        (&["produce", "-t", "t", "-X", "acks=maybe"], "-X acks"),
        (&["produce", "-t", "t", "-z", "lz5"], "-z: "),
        (&["produce", "-t", "t", "-D", ""], "at least one byte"),
        (&["produce", "-t", "t", "-K", "\\q"], "\\xNN"),
        (&["produce", "-t", "t", "-F", "/no/such/file"], "/no/such/file"),
        (&["produce", "-t", "t", "-c", "0"], "-c"),
        (&["produce", "-t", "t", "--json"], "--report"),
        (&["produce", "-t", "t", "-b", "localhost:1", "--read-back"], "test.mock.num.brokers"),
        (&["produce", "-t", "t", "-T", "--report"], "--report"),
        (&["produce", "-t", "t", "--no-such-flag"], "--no-such-flag"),
        (&["fly"], "fly"),
    ] {
        ottla(args, b"").ended(2).said(why);
    }
}

#[test]
fn an_unreachable_cluster_ends_with_three_and_says_why() {
    let nobody = format!("127.0.0.1:{}", dead_port());
    ottla(&["produce", "-t", "t", "-b", &nobody], b"v\n").ended(3).said(&nobody);
}

#[test]
fn settings_come_from_a_file_and_flags_win() {
    let good = file(b"# a comment\n\n test.mock.num.brokers = 1 \nclient.id=a=b\nacks=1\n");
    let dump = |args: &[&str]| {
        let ran = ottla(&[&["produce", "-t", "t", "-X", "dump"], args].concat(), b"").ended(0);
        ran.text().to_owned()
    };
    let set = dump(&["-F", path(&good)]);
    assert!(set.contains("client.id = a=b\n") && set.contains("acks = 1\n"), "{set}");
    assert!(set.contains("compat = librdkafka\n"), "{set}");
    let set = dump(&["-F", path(&good), "-X", "request.required.acks=0", "-b", "h:1"]);
    assert!(set.contains("acks = 0\n") && set.contains("bootstrap.servers = h:1\n"), "{set}");
    ottla(&["produce", "-t", "t", "-F", path(&good)], b"v\n").ended(0);
    ottla_in(("OTTLA_CONFIG", path(&good)), &["produce", "-t", "t"]).ended(0);
    let bad = file(b"acks=1\nlinger.mss=1\n");
    ottla(&["produce", "-t", "t", "-F", path(&bad)], b"").ended(2).said(":2: there is no setting");
    let bad = file(b"acks\n");
    ottla(&["produce", "-t", "t", "-F", path(&bad)], b"").ended(2).said(":1: ");
}

#[test]
fn settings_can_be_listed() {
    let ran = ottla(&["produce", "-t", "t", "-X", "list"], b"").ended(0);
    assert!(ran.text().contains("linger.ms"));
}

#[test]
fn quiet_says_nothing_of_failed_records_and_verbose_says_more() {
    let huge = vec![b'x'; 3_000_000];
    let ran = produce(&["-q"], &huge).ended(1);
    assert_eq!(ran.err, "");
    produce(&["-v"], b"v\n").ended(0).said("2 brokers").said("1 records stored");
}

#[cfg(unix)]
#[test]
fn an_interrupt_flushes_what_was_read_and_ends_with_its_number() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let args = ["produce", "-t", "t", "-v", "--report"];
        let running = Running::start(&[&args[..], &EMBEDDED].concat(), b"one\n");
        assert!(running.first_line.starts_with("1 "), "{}", running.first_line);
        running.signal(name);
        running.wait().ended(code).said("1 records stored");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_gives_records_on_their_way_some_time_and_names_those_that_remain() {
    let silent = ["mock", "-t", "t:1:1", "--until-eof", "--fault", "Produce=silence*1000"];
    let cluster = Running::start(&silent, b"");
    let args = ["produce", "-b", &cluster.first_line, "-t", "t", "-T"];
    // The copy of each record shows that it was accepted, once its buffer is written out.
    let input = vec![b'v'; 20_000];
    let running = Running::start(&args, &[&input, &b"\n"[..], &input, &b"\n"[..]].concat());
    running.signal("INT");
    let ran = running.wait().ended(130).said("2 records on their way");
    ran.said("record 1: ABORTED: ").said("record 2: ABORTED: ").said("may be stored all the same");
}
