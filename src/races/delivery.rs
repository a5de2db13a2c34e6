//! The queue of reports: polled, handed to a callback, closed.

use std::sync::Arc;
use std::time::Duration;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::{explore, report, FOREVER};
use crate::delivery::{Delivery, Door};

fn deliver_one(delivery: &Arc<Delivery>, token: u64) {
    delivery.deliver([report(delivery, token)]);
}

/// Caught: `deliver-without-notice`, `returned-without-notice`, `end-behind-notice`.
#[test]
fn every_report_is_polled_once_and_a_close_ends_the_wait() {
    explore(2, || {
        let delivery = Delivery::open(Door::Poll, "model").unwrap();
        let polled = Arc::new(AtomicUsize::new(0));
        let pollers: Vec<_> = (0..2)
            .map(|_| {
                let (delivery, polled) = (delivery.clone(), polled.clone());
                // One record at a time.
                thread::spawn(move || {
                    let mut left = 1;
                    delivery.poll(FOREVER, &mut |report, from| {
                        let count = (report.count() - from).min(left);
                        left -= count;
                        polled.fetch_add(count, Ordering::Relaxed);
                        count
                    });
                })
            })
            .collect();
        deliver_one(&delivery, 1);
        deliver_one(&delivery, 2);
        for poller in pollers {
            poller.join().unwrap();
        }
        assert_eq!(polled.load(Ordering::Relaxed), 2);
        assert_eq!(delivery.waiting_records(), 0);
        let late = delivery.clone();
        let late = thread::spawn(move || late.poll(FOREVER, &mut |_, _| 0));
        delivery.close();
        assert_eq!(late.join().unwrap(), 0);
        assert_eq!(delivery.outstanding().count(), 0);
    });
}

/// Caught: `second-close-returns`, `dispatcher-ends-early`.
#[test]
fn each_of_several_closes_returns_after_the_last_callback() {
    explore(2, || {
        let seen = Arc::new(AtomicUsize::new(0));
        let sink = seen.clone();
        let door = Door::Callback(Box::new(move |reports| {
            sink.fetch_add(reports.len(), Ordering::Relaxed);
        }));
        let delivery = Delivery::open(door, "model").unwrap();
        deliver_one(&delivery, 1);
        let (closing, also) = (delivery.clone(), seen.clone());
        let other = thread::spawn(move || {
            closing.close();
            assert_eq!(also.load(Ordering::Relaxed), 1);
        });
        delivery.close();
        assert_eq!(seen.load(Ordering::Relaxed), 1);
        other.join().unwrap();
        assert_eq!(delivery.outstanding().count(), 0);
    });
}

fn is_readable(fd: i32) -> bool {
    let mut poll = mio::Poll::new().unwrap();
    let mut events = mio::Events::with_capacity(1);
    let mut source = mio::unix::SourceFd(&fd);
    poll.registry().register(&mut source, mio::Token(0), mio::Interest::READABLE).unwrap();
    poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
    !events.is_empty()
}

/// Caught: `descriptor-made-unaware`, `lowered-behind-lock`.
#[test]
fn the_descriptor_is_readable_while_reports_wait() {
    explore(3, || {
        let delivery = Delivery::open(Door::Poll, "model").unwrap();
        let (delivering, polling) = (delivery.clone(), delivery.clone());
        let deliver = thread::spawn(move || deliver_one(&delivering, 1));
        let poll = thread::spawn(move || {
            polling.poll(Duration::ZERO, &mut |report, _| report.count());
        });
        let fd = delivery.wake_fd().unwrap();
        deliver.join().unwrap();
        poll.join().unwrap();
        assert!(delivery.waiting_records() == 0 || is_readable(fd));
        delivery.poll(Duration::ZERO, &mut |report, _| report.count());
        assert!(!is_readable(fd), "nothing waits");
    });
}
