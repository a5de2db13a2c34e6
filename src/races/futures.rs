//! Futures: whoever waits is woken, and a slot is given back once.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use loom::thread;

use super::{explore, report};
use crate::delivery::future::Futures;
use crate::delivery::{Delivery, Door};
use crate::error::ErrorCode;

/// The same future may have been polled before, by another task.
///
/// Caught: `woken-before-done`, `waker-behind-look`, `first-waker-kept`.
#[test]
fn who_waits_for_a_future_is_woken_by_its_report() {
    explore(3, || {
        let (futures, home) = (Futures::new(), Delivery::open(Door::Poll, "model").unwrap());
        let mut future = futures.promise();
        let report = report(&home, future.token());
        let complete = thread::spawn(move || futures.complete(&report));
        let polled = Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
        let result =
            if let std::task::Poll::Ready(result) = polled { result } else { future.wait() };
        assert_eq!(result.unwrap_err().error.code(), ErrorCode::ABORTED);
        complete.join().unwrap();
    });
}

/// Caught: `dropped-in-two-steps`.
#[test]
fn the_slot_of_a_dropped_future_is_used_again_by_one() {
    explore(3, || {
        let (futures, home) = (Futures::new(), Delivery::open(Door::Poll, "model").unwrap());
        let future = futures.promise();
        let (token, completing) = (future.token(), futures.clone());
        let report = report(&home, token);
        let complete = thread::spawn(move || completing.complete(&report));
        drop(future);
        complete.join().unwrap();
        // Twice through all shards.
        let next: Vec<_> = (0..32).map(|_| futures.promise()).collect();
        assert_eq!(next.iter().filter(|future| future.token() == token).count(), 1);
        next.into_iter().for_each(|future| future.cancel());
    });
}
