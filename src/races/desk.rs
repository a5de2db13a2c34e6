//! Transactions: calls of application threads that meet the sender's steps at the desk.

use std::time::Duration;

use loom::sync::Arc;
use loom::thread;

use super::explore;
use crate::txn::desk::{Ask, Desk};
use crate::txn::state::{State, Step};

fn inside_of_a_transaction() -> Arc<Desk> {
    let desk = Desk::new(Box::new(|_| {}));
    let (call, _) = desk.ask(Ask::Initialize).unwrap();
    desk.advance(Step::Initialized).unwrap();
    desk.finish(&call, Ok(()));
    desk.wait(&call, Duration::ZERO).unwrap().unwrap();
    desk.begin().unwrap();
    Arc::new(desk)
}

/// Caught: `close-looks-twice`.
#[test]
fn a_close_that_meets_a_commit_aborts_or_lets_it_go_on() {
    explore(3, || {
        let desk = inside_of_a_transaction();
        let asking = desk.clone();
        let ask = thread::spawn(move || asking.ask(Ask::Commit).is_ok());
        let closed = desk.close();
        assert_ne!(ask.join().unwrap(), closed, "one of them comes first");
        let expected = if closed { State::Aborting } else { State::Committing };
        assert_eq!(desk.state(), expected);
    });
}
