//! Tests of the batch send: that it does what single sends would do, record by record, with fewer locks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::intercept::{Interceptor, OwnedRecord};
use super::pair_support::{Fate, Pair, ScriptedTopic};
use super::*;
use crate::delivery::Door;
use crate::partitioner::CustomPartitioner;
use crate::record::Record;

/// What a batch was told: how many were accepted, and the refused ones with their reasons.
type Told = (usize, Vec<(usize, ErrorCode, String)>);

/// A record to be, with a field for each thing that can be special about one.
#[derive(Clone, Debug)]
struct Wish {
    topic: TopicId,
    partition: i32,
    timestamp_ms: i64,
    key: Option<Vec<u8>>,
    value: Vec<u8>,
}

impl Wish {
    fn plain(topic: TopicId, partition: i32, value: &str) -> Wish {
        Wish { topic, partition, timestamp_ms: -1, key: None, value: value.into() }
    }

    fn outgoing(&self, token: usize) -> Outgoing<'_> {
        let (timestamp_ms, key) = (self.timestamp_ms, self.key.as_deref());
        let record = Record { timestamp_ms, key, value: Some(&self.value), headers: &[] };
        let (topic, partition) = (self.topic, self.partition);
        Outgoing { topic, partition, record, token: token as u64 }
    }
}

fn in_one_call(pair: &Pair, wishes: &[Wish], goes_on: bool) -> Told {
    let mut refused = Vec::new();
    let mut outgoing: Vec<_> = wishes.iter().enumerate().map(|(n, w)| w.outgoing(n)).collect();
    let tell = &mut |index, error: Error| {
        refused.push((index, error.code(), error.message().to_string()));
        goes_on
    };
    let accepted = pair.producer.send_batch_tokens(&mut outgoing, Wait::Never, tell);
    (accepted, refused)
}

fn one_by_one(pair: &Pair, wishes: &[Wish], goes_on: bool) -> Told {
    let (mut accepted, mut refused) = (0, Vec::new());
    for (index, wish) in wishes.iter().enumerate() {
        let Outgoing { topic, partition, record, token } = wish.outgoing(index);
        match pair.producer.send_token(topic, partition, &record, token, Wait::Never) {
            Ok(()) => accepted += 1,
            Err(error) => {
                refused.push((index, error.code(), error.message().to_string()));
                if !goes_on {
                    break;
                }
            }
        }
    }
    (accepted, refused)
}

/// What lies in each partition of a topic: the sizes of its batches are not looked at, its records are.
fn queued(pair: &Pair, topic: TopicId) -> Vec<usize> {
    let topic = pair.producer.shared.accumulator.topics.get(topic.0).unwrap();
    topic.partitions().iter().map(|partition| partition.queued_records()).collect()
}

/// Everything that ended, by partition in the order of the offsets.
fn all_fates(pair: &mut Pair) -> Vec<Fate> {
    let _ = pair.producer.flush(Duration::ZERO);
    let mut fates = Vec::new();
    for _ in 0..200 {
        pair.run_ms(20);
        pair.answer_all(ErrorCode::NONE);
        fates.extend(pair.fates());
        if pair.producer.outstanding_records() == 0 {
            break;
        }
    }
    fates.sort_by_key(|fate| fate.partition);
    fates
}

/// A partitioner that goes by the first byte of the value and refuses what it does not like; `asked` counts.
fn picky(asked: Arc<AtomicUsize>) -> CustomPartitioner {
    Box::new(move |_, record, count| {
        asked.fetch_add(1, Ordering::Relaxed);
        match record.value.and_then(|value| value.first()) {
            Some(b'!') => -9,
            Some(byte) => (u32::from(*byte) / 8 % count) as i32,
            None => 0,
        }
    })
}

fn ready_with(
    settings: &[(&str, &str)],
    partitioner: Option<CustomPartitioner>,
) -> (Pair, TopicId) {
    let hooks = Hooks { partitioner, ..Hooks::default() };
    let mut pair = Pair::with(settings, hooks);
    let topic = pair.producer.topic("t").unwrap();
    pair.run_ms(1);
    pair.send(topic, 0, 0, "hello");
    assert_eq!(all_fates(&mut pair).len(), 1);
    (pair, topic)
}

#[test]
fn one_call_does_what_single_sends_do() {
    let settings: [&[(&str, &str)]; 6] = [
        &[("batch.size", "600")],
        &[("batch.size", "600"), ("partitioner.adaptive.partitioning.enable", "false")],
        &[("partitioner", "consistent_random"), ("batch.num.messages", "5")],
        &[("buffer.memory", "70000"), ("batch.size", "3000")],
        &[("queue.buffering.max.messages", "100"), ("batch.size", "600")],
        &[("batch.size", "0")],
    ];
    for seed in 0..120 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let settings = settings[seed as usize % settings.len()];
        let custom = rng.u8(0..4) == 0;
        let goes_on = rng.bool();
        let asked: [Arc<AtomicUsize>; 2] = Default::default();
        let mut pairs = [0, 1].map(|which: usize| {
            let own = custom.then(|| picky(asked[which].clone()));
            let (pair, topic) = ready_with(settings, own);
            pair.script.lock().topics.insert(
                "later".into(),
                ScriptedTopic { leaders: vec![1, 2], ..ScriptedTopic::default() },
            );
            let later = pair.producer.topic("later").unwrap();
            (pair, topic, later)
        });
        let (topic, later) = (pairs[0].1, pairs[0].2);
        let wishes: Vec<Wish> = wishes(&mut rng, topic, later);
        let told = in_one_call(&pairs[0].0, &wishes, goes_on);
        let expected = one_by_one(&pairs[1].0, &wishes, goes_on);
        assert_eq!(told, expected, "seed {seed}");
        assert_eq!(queued(&pairs[0].0, topic), queued(&pairs[1].0, topic), "seed {seed}");
        let counts = asked.map(|count| count.load(Ordering::Relaxed));
        // Asked before it is known whether there is room, but never twice.
        let full = told.1.iter().any(|(_, code, _)| *code == ErrorCode::QUEUE_FULL);
        let alike = counts[0] == counts[1] || (full || !goes_on) && counts[0] > counts[1];
        assert!(alike && counts[0] <= wishes.len() + 1, "seed {seed}: {counts:?}");
        let [left, right] = pairs.each_mut().map(|(pair, ..)| all_fates(pair));
        assert_eq!(left, right, "seed {seed}");
        pairs.iter_mut().for_each(|(pair, ..)| pair.check_clean());
    }
}

/// Up to 600 records, mostly in stretches alike, with some that are not to be had.
fn wishes(rng: &mut fastrand::Rng, topic: TopicId, later: TopicId) -> Vec<Wish> {
    let mut wishes = Vec::new();
    for _ in 0..rng.usize(1..40) {
        let mut wish = Wish::plain(topic, rng.i32(-1..4), "");
        match rng.u8(0..24) {
            0 => wish.topic = later,
            1 => wish.topic = TopicId(99),
            2 => wish.partition = -2,
            3 => wish.partition = 4,
            4 => wish.timestamp_ms = -2,
            5 => wish.value = vec![0; 2_000_000],
            _ => {}
        }
        for _ in 0..rng.usize(1..30) {
            let mut wish = wish.clone();
            if wish.value.is_empty() {
                wish.value = (0..rng.usize(1..200)).map(|_| rng.u8(b'!'..b'z')).collect();
            }
            wish.key = (rng.u8(0..3) == 0).then(|| vec![rng.u8(..)]);
            wish.timestamp_ms = wish.timestamp_ms.max(if rng.bool() { -2 } else { 7 });
            if wish.value.len() < 300 && rng.u8(0..50) > 0 && wish.timestamp_ms == -2 {
                wish.timestamp_ms = -1;
            }
            wishes.push(wish);
        }
    }
    wishes
}

#[test]
fn a_partitioner_is_asked_once_for_each_record_and_its_refusal_holds_up_no_other() {
    let asked = Arc::new(AtomicUsize::new(0));
    let (mut pair, topic) = ready_with(&[], Some(picky(asked.clone())));
    let values = ["a", "a", "b", "!", "q", "!", "a", "q", "q"];
    let wishes: Vec<_> = values.iter().map(|value| Wish::plain(topic, -1, value)).collect();
    let (accepted, refused) = in_one_call(&pair, &wishes, true);
    assert_eq!((accepted, asked.load(Ordering::Relaxed)), (7, values.len()));
    let codes: Vec<_> = refused.iter().map(|(index, code, _)| (*index, *code)).collect();
    assert_eq!(codes, [(3, ErrorCode::ARGUMENT), (5, ErrorCode::ARGUMENT)]);
    assert!(refused[0].2.contains("-9"), "{}", refused[0].2);
    assert_eq!(all_fates(&mut pair).len(), 7);
    // Told to stop, it sends nothing behind the first that is refused.
    assert_eq!(in_one_call(&pair, &wishes, false).0, 3);
    assert_eq!(all_fates(&mut pair).len(), 3);
    pair.check_clean();
}

#[test]
fn when_memory_runs_out_inside_a_run_what_is_in_stays_in_and_the_rest_is_told() {
    let settings = [
        ("buffer.memory", "70000"),
        ("batch.size", "70000"),
        ("queue.buffering.max.messages", "100"),
    ];
    let (mut pair, topic) = ready_with(&settings, None);
    let wishes: Vec<_> = (0..100).map(|_| Wish::plain(topic, 1, &"x".repeat(1000))).collect();
    let (accepted, refused) = in_one_call(&pair, &wishes, false);
    assert!((10..70).contains(&accepted), "{accepted}");
    assert_eq!((refused.len(), refused[0].0, refused[0].1), (1, accepted, ErrorCode::QUEUE_FULL));
    // The open batch was sealed so that it can go, and room comes back with its report.
    let fates = all_fates(&mut pair);
    assert_eq!(fates.len(), accepted);
    assert!(fates.iter().enumerate().all(|(n, fate)| fate.token == n as u64));
    pair.check_clean();
    // Nothing of what was not sent counts any more.
    let small: Vec<_> = (0..100).map(|_| Wish::plain(topic, 1, "x")).collect();
    assert_eq!(in_one_call(&pair, &small, false).0, 100);
}

#[test]
fn a_limit_of_records_inside_a_run_is_used_up_to_the_last() {
    let (mut pair, topic) = ready_with(&[("queue.buffering.max.messages", "10")], None);
    let wishes: Vec<_> = (0..25).map(|_| Wish::plain(topic, 1, "x")).collect();
    let (accepted, refused) = in_one_call(&pair, &wishes, true);
    assert_eq!((accepted, refused.len()), (10, 15));
    assert!(refused.iter().all(|(_, code, _)| *code == ErrorCode::QUEUE_FULL));
    assert_eq!(all_fates(&mut pair).len(), 10);
    // Refused ones were counted out: there is room for ten again.
    assert_eq!(in_one_call(&pair, &wishes, false).0, 10);
}

#[test]
fn a_closed_producer_tells_so_for_every_record() {
    let (pair, topic) = ready_with(&[], None);
    pair.producer.begin_close(Duration::ZERO);
    let wishes: Vec<_> = (0..300).map(|_| Wish::plain(topic, 1, "x")).collect();
    let (accepted, refused) = in_one_call(&pair, &wishes, true);
    assert_eq!((accepted, refused.len()), (0, 300));
    assert!(refused.iter().all(|(_, code, _)| *code == ErrorCode::CLOSED));
    assert_eq!(in_one_call(&pair, &wishes, false).1.len(), 1);
}

/// Appends a letter to every value.
struct Stamp;

impl Interceptor for Stamp {
    fn on_send(&self, _: &str, record: &mut OwnedRecord) {
        assert_eq!(record.timestamp_ms, -1, "the time of sending is not the application's");
        record.value.get_or_insert_default().push(b'+');
    }
}

#[test]
fn interceptors_see_each_record_and_futures_come_in_order() {
    let mut hooks = Hooks { door: Some(Door::Poll), ..Hooks::default() };
    hooks.interceptors.push(Box::new(Stamp));
    let mut pair = Pair::with(&[], hooks);
    let topic = pair.producer.topic("t").unwrap();
    pair.run_ms(1);
    let wishes: Vec<_> = ["a", "b"].map(|value| Wish::plain(topic, 0, value)).into();
    assert_eq!(in_one_call(&pair, &wishes, true), (2, vec![]));
    pair.run_ms(10);
    let asked = pair.one_asked();
    assert_eq!(asked.values(), ["a+", "b+"]);

    let producer = Producer::builder().set("test.mock.num.brokers", "1").unwrap().build().unwrap();
    let topic = producer.topic("t").unwrap();
    let wrong = Record { timestamp_ms: -7, ..Record::value(b"x") };
    let records = [Record::keyed(b"k", b"1"), wrong, Record::keyed(b"k", b"2")];
    let mut outcomes = producer.send_batch(topic, &records).into_iter();
    let first = outcomes.next().unwrap().unwrap().wait().unwrap();
    assert_eq!(outcomes.next().unwrap().unwrap_err().code(), ErrorCode::ARGUMENT);
    let second = outcomes.next().unwrap().unwrap().wait().unwrap();
    assert_eq!((first.partition, first.offset + 1), (second.partition, second.offset));
    // Tokens would be the futures' own.
    let mut told = Vec::new();
    let record = Record::value(b"x");
    let mut outgoing = [Outgoing { topic, partition: 0, record, token: 0 }];
    let tell = &mut |index, error: Error| {
        told.push((index, error.code()));
        true
    };
    assert_eq!(producer.send_batch_tokens(&mut outgoing, Wait::Never, tell), 0);
    assert_eq!(told, [(0, ErrorCode::STATE)]);
}

#[test]
fn a_record_without_time_gets_the_time_of_sending_and_the_others_keep_theirs() {
    let seen: Arc<Mutex<Vec<i64>>> = Arc::default();
    let sink = seen.clone();
    let builder = Producer::builder().set("test.mock.num.brokers", "1").unwrap();
    let builder = builder.set("report.timestamps", "true").unwrap();
    let producer = builder
        .on_delivery(move |reports| {
            let times = reports.iter().flat_map(|report| report.timestamps_ms.clone().unwrap());
            sink.lock().unwrap().extend(times);
        })
        .build()
        .unwrap();
    let topic = producer.topic("t").unwrap();
    producer.topic_metadata(topic, Duration::from_secs(20)).unwrap();
    let record = |timestamp_ms| Outgoing {
        topic,
        partition: 0,
        record: Record { timestamp_ms, ..Record::value(b"x") },
        token: 0,
    };
    let mut records = [record(5), record(-1), record(0)];
    let none = &mut |_, error: Error| panic!("{error}");
    assert_eq!(producer.send_batch_tokens(&mut records, Wait::Never, none), 3);
    producer.flush(Duration::from_secs(20)).unwrap();
    let filled = records[1].record.timestamp_ms;
    assert!(filled > 1_600_000_000_000);
    assert_eq!(*seen.lock().unwrap(), [5, filled, 0]);
}
