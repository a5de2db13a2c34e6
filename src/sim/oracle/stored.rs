//! The brokers' logs and the reports agree: what was reported stored is there, at its offset, byte for
//! byte; what was reported not stored is not; and nothing is there that nobody sent (KAFKA-19012).

use std::collections::{BTreeMap, BTreeSet};

use crate::delivery::Persistence;
use crate::mock::OwnedRecord;
use crate::sim::ledger::{Content, Ledger, Sent};
use crate::sim::world::World;

/// Which log: topic, life of the topic, partition.
pub(in crate::sim) type Place = (usize, usize, i32);

/// All logs.
pub(in crate::sim) type Logs = BTreeMap<Place, Vec<OwnedRecord>>;

/// Reads every log, those of deleted topics included.
pub(in crate::sim) fn logs(world: &World) -> Result<Logs, String> {
    let mut logs = world.old_logs.clone();
    for (index, topic) in world.options.topics.iter().enumerate() {
        let count = world.cluster.partition_count(&topic.name).unwrap_or(0);
        for partition in 0..count as i32 {
            let records = world.cluster.records(&topic.name, partition);
            let records =
                records.map_err(|error| format!("{} {partition}: {error}", topic.name))?;
            logs.insert((index, world.ledger.life(index), partition), records);
        }
    }
    if world.options.loses_headers() {
        headers_are_whole(world, &logs)?;
        logs.values_mut().flatten().for_each(|record| record.headers.clear());
    }
    Ok(logs)
}

/// Where brokers may be too old for headers, a record has all of its own, or none.
fn headers_are_whole(world: &World, logs: &Logs) -> Result<(), String> {
    let unique = world.ledger.sent.iter().filter(|sent| sent.unique);
    let sent: BTreeMap<(usize, &Content), &Sent> =
        unique.map(|sent| ((sent.topic, &sent.content), sent)).collect();
    for (&(topic, ..), records) in logs {
        for record in records.iter().filter(|record| !record.headers.is_empty()) {
            let content = Content { headers: Vec::new(), ..content_of(record) };
            let headers = sent.get(&(topic, &content)).map(|sent| &sent.headers);
            if headers.is_some_and(|headers| *headers != record.headers) {
                return Err(format!("other headers than {headers:?} are in a log: {record:?}"));
            }
        }
    }
    Ok(())
}

/// The record at an offset; markers have offsets, too.
pub(in crate::sim) fn at_offset(log: &[OwnedRecord], offset: i64) -> Option<&OwnedRecord> {
    let place = log.binary_search_by_key(&offset, |record| record.offset);
    log.get(place.ok()?)
}

/// A log record's content.
pub(in crate::sim) fn content_of(record: &OwnedRecord) -> Content {
    Content {
        key: record.key.clone(),
        value: record.value.clone(),
        headers: record.headers.clone(),
    }
}

/// Once everything has ended.
pub(in crate::sim) fn at_end(world: &World, logs: &Logs) -> Result<(), String> {
    nothing_unknown(world, logs)?;
    let in_logs: BTreeSet<(usize, Content)> = logs
        .iter()
        .flat_map(|(&(topic, _, _), records)| records.iter().map(move |r| (topic, content_of(r))))
        .collect();
    for (index, sent) in world.ledger.sent.iter().enumerate() {
        let Some(fate) = &sent.fate else { continue };
        let token = Ledger::token_of(index);
        if fate.persistence == Persistence::Persisted && fate.offset >= 0 {
            found(world, sent, logs).map_err(|what| format!("{token}: {what}: {fate:?}"))?;
        }
        let there = sent.unique && in_logs.contains(&(sent.topic, sent.content.clone()));
        if fate.persistence == Persistence::NotPersisted && there {
            return Err(format!("{token} is in a log and was reported as surely not: {fate:?}"));
        }
    }
    Ok(())
}

fn nothing_unknown(world: &World, logs: &Logs) -> Result<(), String> {
    let mut sent: BTreeMap<(usize, &Content), Vec<&Sent>> = BTreeMap::new();
    for record in world.ledger.sent.iter().filter(|sent| sent.accepted) {
        sent.entry((record.topic, &record.content)).or_default().push(record);
    }
    for (&(topic, _, partition), records) in logs {
        for record in records {
            let content = content_of(record);
            let place =
                || format!("topic {topic}, partition {partition}, offset {}", record.offset);
            let Some(candidates) = sent.get(&(topic, &content)) else {
                return Err(format!("nobody sent what is in {}: {content:?}", place()));
            };
            let fits = |sent: &&&Sent| sent.partition < 0 || sent.partition == partition;
            if candidates.iter().find(fits).is_none() {
                return Err(format!("{} holds a record that was sent elsewhere", place()));
            }
        }
    }
    Ok(())
}

fn found(world: &World, sent: &Sent, logs: &Logs) -> Result<(), String> {
    let Some(fate) = &sent.fate else { return Ok(()) };
    let lives = 0..=world.ledger.life(sent.topic);
    let at_offset = lives
        .filter_map(|life| logs.get(&(sent.topic, life, fate.partition)))
        .filter_map(|records| at_offset(records, fate.offset));
    let like_it: Vec<&OwnedRecord> =
        at_offset.filter(|record| content_of(record) == sent.content).collect();
    let Some(first) = like_it.first() else {
        return Err("another record, or none, is at its offset".to_owned());
    };
    if !world.options.keeps_times() {
        return Ok(());
    }
    let stamped = fate.log_append_time_ms >= 0;
    if !stamped && world.options.topics[sent.topic].log_append_time && world.sent_again() {
        // A broker tells a repeated batch its largest time, which of the two kinds it may be (Kafka's
        // `UnifiedLog.append`); where both are the same, the client takes it for the batch's own.
        return Ok(());
    }
    let expected_ms = if stamped { fate.log_append_time_ms } else { sent.timestamp_ms };
    if like_it.iter().all(|record| record.timestamp_ms != expected_ms) {
        return Err(format!("its time is {} in the log, not {expected_ms}", first.timestamp_ms));
    }
    let told = ("report.timestamps", "true".to_owned());
    let told = stamped || world.options.config.contains(&told);
    if fate.timestamp_ms != if told { expected_ms } else { -1 } {
        return Err("its time is wrong in the report".to_owned());
    }
    Ok(())
}
