//! Tests of the desk: who may call what, and when, and what is told.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

struct Bench {
    desk: Desk,
    admits: Arc<AtomicBool>,
}

fn bench() -> Bench {
    let admits = Arc::new(AtomicBool::new(true));
    let told = admits.clone();
    let desk = Desk::new(Box::new(move |inside| told.store(inside, Ordering::SeqCst)));
    Bench { desk, admits }
}

impl Bench {
    fn admits(&self) -> bool {
        self.admits.load(Ordering::SeqCst)
    }

    /// A call that the sender answers at once with `outcome` after `step`.
    fn call(&self, ask: Ask, step: Option<Step>, outcome: Result<()>) -> Result<()> {
        let (call, new) = self.desk.ask(ask)?;
        assert!(new);
        step.map_or(Ok(()), |step| self.desk.advance(step))?;
        self.desk.finish(&call, outcome);
        self.desk.wait(&call, Duration::ZERO).unwrap()
    }

    fn ready(&self) {
        self.call(Ask::Initialize, Some(Step::Initialized), Ok(())).unwrap();
    }
}

fn fault() -> Error {
    ErrorCode::INVALID_RECORD.into()
}

#[test]
fn records_are_admitted_inside_of_a_transaction_only() {
    let bench = bench();
    assert!(!bench.admits());
    bench.ready();
    assert!(!bench.admits());
    bench.desk.begin().unwrap();
    assert!(bench.admits());
    let (call, _) = bench.desk.ask(Ask::Commit).unwrap();
    assert!(!bench.admits());
    bench.desk.advance(Step::End).unwrap();
    bench.desk.finish(&call, Ok(()));
    assert!(!bench.admits());
}

#[test]
fn a_call_whose_time_ran_out_is_taken_up_by_the_same_call_only() {
    for (ask, others, step) in [
        (Ask::Commit, [Ask::Abort, Ask::Initialize], Step::End),
        (Ask::Abort, [Ask::Commit, Ask::Initialize], Step::End),
    ] {
        for finished in [false, true] {
            let bench = bench();
            bench.ready();
            bench.desk.begin().unwrap();
            let (first, _) = bench.desk.ask(ask.clone()).unwrap();
            assert!(bench.desk.wait(&first, Duration::ZERO).is_none());
            if finished {
                bench.desk.advance(step).unwrap();
                bench.desk.finish(&first, Ok(()));
            }
            for other in &others {
                let error = bench.desk.ask(other.clone()).unwrap_err();
                assert_eq!(error.code(), ErrorCode::STATE);
                assert!(error.message().contains(ask.name()), "{error}");
            }
            assert!(bench.desk.begin().unwrap_err().message().contains(ask.name()));
            let (again, new) = bench.desk.ask(ask.clone()).unwrap();
            assert!(!new && Arc::ptr_eq(&first, &again));
            if !finished {
                bench.desk.advance(step).unwrap();
                bench.desk.finish(&first, Ok(()));
            }
            assert_eq!(bench.desk.wait(&again, Duration::ZERO), Some(Ok(())));
            bench.desk.begin().unwrap();
        }
    }
}

#[test]
fn two_threads_that_make_the_same_call_get_the_same_outcome() {
    let bench = bench();
    bench.ready();
    bench.desk.begin().unwrap();
    let (one, _) = bench.desk.ask(Ask::Commit).unwrap();
    let (other, new) = bench.desk.ask(Ask::Commit).unwrap();
    assert!(!new);
    bench.desk.fail(&fault());
    for call in [one, other] {
        let error = bench.desk.wait(&call, Duration::ZERO).unwrap().unwrap_err();
        assert!(error.is_abortable());
    }
    bench.desk.ask(Ask::Abort).unwrap();
}

#[test]
fn the_first_failure_counts_until_the_abort() {
    let bench = bench();
    bench.ready();
    bench.desk.begin().unwrap();
    assert!(bench.desk.fail(&fault()));
    assert!(!bench.desk.fail(&ErrorCode::EXPIRED.into()));
    assert!(!bench.admits());
    for error in [
        bench.desk.begin().unwrap_err(),
        bench.desk.ask(Ask::Commit).unwrap_err(),
        bench.desk.why_no_records(),
    ] {
        assert_eq!(error.code(), ErrorCode::INVALID_RECORD);
        assert!(error.is_abortable() && error.message().contains("must be aborted"), "{error}");
    }
    bench.call(Ask::Abort, Some(Step::End), Ok(())).unwrap();
    assert_eq!(bench.desk.begin(), Ok(()));
    // Outside of a transaction there is nothing to fail.
    bench.call(Ask::Commit, Some(Step::End), Ok(())).unwrap();
    assert!(!bench.desk.fail(&fault()) && bench.desk.state() == State::Ready);
}

#[test]
fn an_abort_takes_the_place_of_offsets() {
    let bench = bench();
    bench.ready();
    bench.desk.begin().unwrap();
    let group = crate::txn::GroupMetadata::new("g", -1, "", None).unwrap();
    let offsets = |offset| {
        let given = [crate::txn::GroupOffset::new("t", 0, offset)];
        Ask::SendOffsets(GroupOffsets::new(&group, &given).unwrap())
    };
    let (call, _) = bench.desk.ask(offsets(1)).unwrap();
    assert!(bench.desk.ask(offsets(2)).is_err(), "other arguments");
    assert!(bench.desk.ask(Ask::Commit).is_err());
    assert!(bench.admits(), "records may be sent meanwhile");
    bench.desk.ask(Ask::Abort).unwrap();
    let error = bench.desk.wait(&call, Duration::ZERO).unwrap().unwrap_err();
    assert_eq!(error.code(), ErrorCode::ABORTED);
}

/// Whoever waits for offsets hears of the abort that takes their place, and what comes of them is not taken
/// for what comes of the abort.
#[test]
fn offsets_that_gave_way_wake_who_waits_and_end_no_other_call() {
    let bench = bench();
    bench.ready();
    bench.desk.begin().unwrap();
    let group = crate::txn::GroupMetadata::new("g", -1, "", None).unwrap();
    let given = [crate::txn::GroupOffset::new("t", 0, 1)];
    let ask = Ask::SendOffsets(GroupOffsets::new(&group, &given).unwrap());
    let (offsets, _) = bench.desk.ask(ask).unwrap();
    let begun = std::time::Instant::now();
    let (told, abort) = std::thread::scope(|scope| {
        let waits = scope.spawn(|| bench.desk.wait(&offsets, Duration::from_secs(30)));
        std::thread::sleep(Duration::from_millis(50));
        let (abort, _) = bench.desk.ask(Ask::Abort).unwrap();
        (waits.join().unwrap(), abort)
    });
    assert_eq!(told.unwrap().unwrap_err().code(), ErrorCode::ABORTED);
    assert!(begun.elapsed() < Duration::from_secs(20));
    bench.desk.finish(&offsets, Ok(()));
    assert!(abort.is_open());
}

#[test]
fn a_close_aborts_what_is_open_and_ends_offsets_as_closed() {
    let bench = bench();
    assert!(!bench.desk.close());
    bench.ready();
    assert!(!bench.desk.close());
    bench.desk.begin().unwrap();
    let group = crate::txn::GroupMetadata::new("g", -1, "", None).unwrap();
    let given = [crate::txn::GroupOffset::new("t", 0, 1)];
    let ask = Ask::SendOffsets(GroupOffsets::new(&group, &given).unwrap());
    let (offsets, _) = bench.desk.ask(ask).unwrap();
    assert!(bench.desk.close());
    let told = bench.desk.wait(&offsets, Duration::ZERO).unwrap().unwrap_err();
    assert_eq!(told.code(), ErrorCode::CLOSED);
    assert!(bench.desk.state() == State::Aborting && !bench.admits());
    // An abort, or a commit, that is under way goes on.
    assert!(!bench.desk.close());
    bench.desk.advance(Step::End).unwrap();
    bench.desk.begin().unwrap();
    let (commit, _) = bench.desk.ask(Ask::Commit).unwrap();
    assert!(!bench.desk.close() && commit.is_open());
    bench.desk.fail(&fault());
    assert!(bench.desk.close());
}

/// `TIMED_OUT` of a call says "call again": nothing that failed goes by that name.
#[test]
fn no_failure_is_told_as_a_call_whose_time_ran_out() {
    let bench = bench();
    bench.ready();
    bench.desk.begin().unwrap();
    let (commit, _) = bench.desk.ask(Ask::Commit).unwrap();
    bench.desk.fail(&ErrorCode::TIMED_OUT.into());
    let told = bench.desk.wait(&commit, Duration::ZERO).unwrap().unwrap_err();
    assert!(told.code() == ErrorCode::REQUEST_TIMED_OUT && told.is_abortable());
    bench.desk.die(&ErrorCode::TIMED_OUT.into());
    let told = bench.desk.begin().unwrap_err();
    assert!(told.code() == ErrorCode::REQUEST_TIMED_OUT && told.is_fatal());
}

/// A wrong step of an application is refused and changes nothing; one of the sender ends the producer.
#[test]
fn a_wrong_step_is_the_applications_to_mend_or_ends_the_producer() {
    let bench = bench();
    assert_eq!(bench.desk.ask(Ask::Commit).unwrap_err().code(), ErrorCode::STATE);
    assert_eq!(bench.desk.begin().unwrap_err().code(), ErrorCode::STATE);
    bench.ready();
    let error = bench.desk.advance(Step::End).unwrap_err();
    assert!(error.is_fatal());
    bench.desk.die(&error);
    bench.desk.die(&fault());
    for error in [bench.desk.begin().unwrap_err(), bench.desk.ask(Ask::Abort).unwrap_err()] {
        assert!(error.is_fatal() && error.code() == ErrorCode::STATE, "the first one: {error}");
    }
}

#[test]
fn a_close_tells_who_waits_and_whoever_comes() {
    let bench = bench();
    let (call, _) = bench.desk.ask(Ask::Initialize).unwrap();
    bench.desk.end(&ErrorCode::CLOSED.into());
    let told = bench.desk.wait(&call, Duration::from_secs(10)).unwrap().unwrap_err();
    assert_eq!(told.code(), ErrorCode::CLOSED);
    assert_eq!(bench.desk.begin().unwrap_err().code(), ErrorCode::CLOSED);
    assert_eq!(bench.desk.ask(Ask::Commit).unwrap_err().code(), ErrorCode::CLOSED);
    assert!(!bench.admits());
}
