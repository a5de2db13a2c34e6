//! The table of rules, walked: each function in each place where it may or may not be called.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::{Arc, Mutex};

use super::*;
use crate::capi::callbacks::ottla_callbacks_t;
use crate::capi::config::{ottla_config_free, ottla_config_new, ottla_config_set, ottla_config_t};
use crate::capi::record::ottla_record_t;
use crate::capi::{
    columns, event, events, metadata, metrics, mock, poll, producer, send, transactions,
};

type Handle = *mut ottla_producer_t;

/// Calls the function of a rule so that nothing but its place can be wrong with the call.
#[allow(unsafe_code)]
fn call(rule: &Rule, handle: Handle, topic: u32) -> i32 {
    let none = ptr::null_mut();
    let (mut count, mut tokens, mut fd, mut id) = (0usize, [0u64; 1], 0i32, 0u32);
    let mut record = ottla_record_t::INIT;
    record.topic = topic;
    let name = c"rules";
    // SAFETY: every pointer is NULL where that is allowed, or leads to a local variable of the right type.
    unsafe {
        match rule.name {
            "ottla_producer_topic" => {
                producer::ottla_producer_topic(handle, name.as_ptr(), 5, &mut id, none)
            }
            "ottla_producer_topic_name" => {
                producer::ottla_producer_topic_name(handle, topic, ptr::null_mut(), 0, &mut count)
            }
            "ottla_producer_send" => {
                send::ottla_producer_send(handle, topic, -1, ptr::null(), 0, ptr::null(), 0, -1, 0)
            }
            "ottla_producer_send_record" => send::ottla_producer_send_record(handle, &record, 0),
            "ottla_producer_send_batch" => send::ottla_producer_send_batch(
                handle,
                &record,
                1,
                80,
                0,
                &mut count,
                ptr::null_mut(),
            ),
            "ottla_producer_send_columns" => {
                let columns =
                    columns::ottla_columns_t { topic, count: 1, ..columns::ottla_columns_t::INIT };
                let none = ptr::null_mut();
                columns::ottla_producer_send_columns(handle, &columns, 0, &mut count, none)
            }
            "ottla_producer_next_event" => {
                let mut event = event::ottla_event_t::NONE;
                events::ottla_producer_next_event(handle, &mut event, ptr::null_mut(), 0)
            }
            "ottla_producer_waiting" => {
                let mut words = ptr::null();
                events::ottla_producer_waiting(handle, &mut words)
            }
            "ottla_producer_survey" => {
                let mut out = ptr::null_mut();
                let all = ptr::null();
                let status =
                    metadata::ottla_producer_survey(handle, all, 0, 10_000, &mut out, none);
                assert_eq!(metadata::ottla_metadata_free(out), 0);
                status
            }
            "ottla_producer_poll" => {
                poll::ottla_producer_poll(handle, ptr::null_mut(), 0, 0, &mut count)
            }
            "ottla_producer_poll_runs" => {
                let mut run_count = 0;
                poll::ottla_producer_poll_runs(
                    handle,
                    ptr::null_mut(),
                    0,
                    tokens.as_mut_ptr(),
                    ptr::null_mut(),
                    1,
                    0,
                    &mut run_count,
                    &mut count,
                )
            }
            "ottla_producer_message" => {
                poll::ottla_producer_message(handle, 1, ptr::null_mut(), 0, &mut count)
            }
            "ottla_producer_event_fd" => poll::ottla_producer_event_fd(handle, &mut fd, none),
            "ottla_producer_outstanding" => {
                producer::ottla_producer_outstanding(handle, &mut count)
            }
            "ottla_producer_flush" => producer::ottla_producer_flush(handle, 10_000, none),
            "ottla_producer_init_transactions" => {
                transactions::ottla_producer_init_transactions(handle, 10_000, none)
            }
            "ottla_producer_begin_transaction" => {
                transactions::ottla_producer_begin_transaction(handle, none)
            }
            "ottla_producer_send_offsets_to_transaction" => {
                let mut group = ptr::null_mut();
                let (name, nobody) = (c"group".as_ptr(), ptr::null());
                let made = transactions::ottla_group_metadata_new(
                    name, 5, -1, nobody, 0, nobody, 0, &mut group, none,
                );
                assert_eq!(made, 0);
                let offsets = ptr::null();
                let status = transactions::ottla_producer_send_offsets_to_transaction(
                    handle, offsets, 0, 56, group, 10_000, none,
                );
                assert_eq!(transactions::ottla_group_metadata_free(group), 0);
                status
            }
            "ottla_producer_commit_transaction" => {
                transactions::ottla_producer_commit_transaction(handle, 10_000, none)
            }
            "ottla_producer_abort_transaction" => {
                transactions::ottla_producer_abort_transaction(handle, 10_000, none)
            }
            "ottla_producer_purge" => producer::ottla_producer_purge(handle, 1),
            "ottla_producer_wait_ready" => {
                producer::ottla_producer_wait_ready(handle, 10_000, none)
            }
            "ottla_producer_metadata" => {
                let mut out = ptr::null_mut();
                let status = metadata::ottla_producer_metadata(handle, &mut out, none);
                assert_eq!(metadata::ottla_metadata_free(out), 0);
                status
            }
            "ottla_producer_topic_metadata" => {
                let mut out = ptr::null_mut();
                let status =
                    metadata::ottla_producer_topic_metadata(handle, topic, 10_000, &mut out, none);
                assert_eq!(metadata::ottla_metadata_free(out), 0);
                status
            }
            "ottla_producer_metrics" => {
                let mut out = ptr::null_mut();
                let status = metrics::ottla_producer_metrics(handle, &mut out, none);
                assert_eq!(metrics::ottla_metrics_free(out), 0);
                status
            }
            "ottla_producer_mock_cluster" => {
                let mut out = ptr::null_mut();
                mock::ottla_producer_mock_cluster(handle, &mut out, none)
            }
            "ottla_producer_close" => producer::ottla_producer_close(handle, 10_000, none),
            "ottla_producer_free" => producer::ottla_producer_free(handle),
            other => panic!("no call of {other}"),
        }
    }
}

#[allow(unsafe_code)]
fn new_producer(callbacks: &ottla_callbacks_t) -> Handle {
    let mut config: *mut ottla_config_t = ptr::null_mut();
    let mut handle = ptr::null_mut();
    let (key, value) = ("test.mock.num.brokers", "1");
    // SAFETY: every pointer is NULL where that is allowed, or leads to a local variable of the right type.
    unsafe {
        assert_eq!(ottla_config_new(&mut config), 0);
        let (key, key_len) = (key.as_ptr().cast(), key.len());
        let none = ptr::null_mut();
        let set = ottla_config_set(config, key, key_len, value.as_ptr().cast(), value.len(), none);
        assert_eq!(set, 0);
        assert_eq!(producer::ottla_producer_new(config, callbacks, &mut handle, none), 0);
        assert_eq!(ottla_config_free(config), 0);
    }
    handle
}

/// A log that is not kept: with it a producer has callbacks in which it may not be sent with.
#[allow(unsafe_code)]
unsafe extern "C" fn no_log(_: i32, _: *const c_char, _: usize, _: *mut c_void) {}

/// A producer with a topic that it knows.
fn ready() -> (Handle, u32) {
    let handle =
        new_producer(&ottla_callbacks_t { on_log: Some(no_log), ..ottla_callbacks_t::INIT });
    let mut topic = 0;
    let made = on_producer(handle, TOPIC, |object| {
        let id = object.producer.topic("rules")?;
        topic = id.0;
        object.producer.topic_metadata(id, Duration::from_secs(10)).map(|_| ())
    });
    made.unwrap();
    (handle, topic)
}

/// Statuses that have nothing to do with the place: no such message, nothing to poll, no transactional.id.
fn is_allowed(status: i32) -> bool {
    [0, ErrorCode::ARGUMENT.value(), ErrorCode::STATE.value()].contains(&status)
}

#[test]
fn every_function_is_allowed_while_the_producer_is_open() {
    for rule in RULES {
        let (handle, topic) = ready();
        let status = call(rule, handle, topic);
        assert!(is_allowed(status), "{}: {status}", rule.name);
        call(FREE, handle, topic);
    }
}

#[test]
fn after_close_as_the_table_says() {
    for rule in RULES {
        let (handle, topic) = ready();
        assert_eq!(call(CLOSE, handle, topic), 0);
        let status = call(rule, handle, topic);
        // A poll of a closed producer is allowed, and says that there is nothing more.
        let expected = match rule.after_close && !rule.name.contains("poll") {
            true => is_allowed(status),
            false => status == ErrorCode::CLOSED.value(),
        };
        assert!(expected, "{}: {status}", rule.name);
        call(FREE, handle, topic);
    }
}

#[test]
fn after_a_panic_as_the_table_says() {
    for rule in RULES {
        let (handle, topic) = ready();
        let caught = on_producer(handle, METRICS, |_| panic!("on purpose"));
        assert_eq!(caught.unwrap_err().code(), ErrorCode::PANIC);
        let status = call(rule, handle, topic);
        let refused = status == ErrorCode::PANIC.value();
        assert_eq!(refused, !rule.after_panic, "{}: {status}", rule.name);
        call(FREE, handle, topic);
    }
}

#[test]
fn inside_a_callback_as_the_table_says() {
    let refused = ErrorCode::IN_CALLBACK.value();
    for rule in RULES {
        for which in [Callback::Delivery, Callback::Other] {
            let (handle, topic) = ready();
            let identity = registry::enter::<ProducerObject>(handle).unwrap().value.identity;
            let in_other = |callback: &dyn Fn() -> i32| in_callback_of(u64::MAX, which, callback);
            let inside = || call(rule, handle, topic);
            // A callback of another producer that runs inside does not hide this one.
            let status = in_callback_of(identity, which, || in_other(&inside));
            let expected = !rule.inside.allows(which);
            assert_eq!(status == refused, expected, "{} in {which:?}: {status}", rule.name);
            assert_ne!(in_other(&inside), refused, "{} in {which:?} of another", rule.name);
            call(FREE, handle, topic);
        }
    }
}

#[test]
fn after_free_and_without_a_handle_nothing_is_allowed() {
    let (handle, topic) = ready();
    assert_eq!(call(FREE, handle, topic), 0);
    for rule in RULES {
        assert_eq!(call(rule, handle, topic), ErrorCode::HANDLE.value(), "{}", rule.name);
    }
}

#[test]
fn a_panic_reports_what_was_outstanding() {
    let (handle, topic) = ready();
    for _ in 0..100 {
        assert_eq!(call(SEND, handle, topic), 0);
    }
    assert!(on_producer(handle, METRICS, |_| panic!("on purpose")).is_err());
    let taken = Arc::new(Mutex::new(0));
    let count = taken.clone();
    while *taken.lock().unwrap() < 100 {
        let polled = on_producer(handle, POLL, |object| {
            let take = &mut |report: &crate::delivery::Report, from: usize| report.count() - from;
            *count.lock().unwrap() += object.producer.poll(Duration::from_secs(10), take)?;
            Ok(())
        });
        polled.unwrap();
    }
    assert_eq!(call(FREE, handle, topic), 0);
}

#[test]
fn every_function_of_a_producer_has_a_rule() {
    let symbols = include_str!("../../include/symbols.txt");
    let mut listed: Vec<&str> = symbols
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| name.starts_with("ottla_producer_") && *name != "ottla_producer_new")
        .collect();
    let mut ruled: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    listed.sort_unstable();
    ruled.sort_unstable();
    assert_eq!(listed, ruled);
}

/// What the head of the header says of calls inside callbacks is what the table says.
#[test]
fn the_header_tells_what_callbacks_may_call() {
    let header = include_str!("../../include/ottla.h.in");
    let (_, text) = header.split_once(" *   Callbacks  ").unwrap();
    let (all, rest) = text.split_once("on_delivery").unwrap();
    let (delivery, _) = rest.split_once("Everything else").unwrap();
    let names = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        let names = words.map(|word| word.strip_prefix("ottla_producer").unwrap_or(word));
        let mut names: Vec<String> = names
            .filter(|name| name.starts_with('_'))
            .map(|name| format!("ottla_producer{name}"))
            .collect();
        names.sort_unstable();
        names
    };
    let ruled = |inside: Inside| -> Vec<String> {
        let rules = RULES.iter().filter(|rule| rule.inside == inside);
        let mut names: Vec<String> = rules.map(|rule| rule.name.to_string()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names(all), ruled(Inside::All));
    assert_eq!(names(delivery), ruled(Inside::Delivery));
}

#[test]
fn timeouts_below_zero_have_no_limit() {
    assert_eq!(timeout(0), Duration::ZERO);
    assert_eq!(timeout(1500), Duration::from_millis(1500));
    assert!(timeout(-1) > Duration::from_secs(1_000_000_000));
    assert_eq!(timeout(i64::MAX), timeout(-1));
}
