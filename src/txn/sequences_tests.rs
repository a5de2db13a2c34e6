//! The table of a partition's sequence, case by case. What holds whatever the network does is shown by
//! `sender/once_tests.rs`.

use super::*;

const ID: ProducerId = ProducerId { id: 7, epoch: 0 };
const NEWEST: Option<ProducerId> = Some(ID);
const NOW: Time = Time::from_ms(5_000_000);

fn fresh(ordinal: u64) -> First {
    First { ordinal, numbered: false }
}

fn again(ordinal: u64) -> First {
    First { ordinal, numbered: true }
}

fn identity(epoch: i16, base_sequence: i32) -> ProducerIdentity {
    ProducerIdentity { producer_id: 7, producer_epoch: epoch, base_sequence, transactional: false }
}

/// A partition whose broker knows the producer.
fn opened() -> Sequences {
    Sequences { open: true, acknowledged_at: NOW, ..Sequences::default() }
}

/// A partition with batches of ten records in flight, at these ordinals.
fn in_flight(ordinals: &[u64]) -> Sequences {
    let mut sequences = opened();
    for &ordinal in ordinals {
        assert_eq!(sequences.gate(&fresh(ordinal), NEWEST), Gate::Open);
        sequences.take(&fresh(ordinal), 10, NEWEST, NOW).unwrap();
    }
    sequences
}

#[test]
fn nothing_goes_without_an_id_and_numbers_follow_each_other() {
    let mut sequences = Sequences::default();
    assert_eq!(sequences.gate(&fresh(0), None), Gate::WithoutId);
    assert_eq!(sequences.take(&fresh(0), 3, None, NOW), None);
    assert_eq!(sequences.take(&fresh(0), 3, NEWEST, NOW), Some(Taken::Given(identity(0, 0))));
    assert_eq!(sequences.take(&fresh(3), 2, NEWEST, NOW), Some(Taken::Given(identity(0, 3))));
    assert_eq!(sequences.take(&fresh(5), 1, NEWEST, NOW), Some(Taken::Given(identity(0, 5))));
}

#[test]
fn numbers_go_from_the_largest_to_zero() {
    let mut sequences = in_flight(&[]);
    sequences.next = i32::MAX - 1;
    sequences.take(&fresh(0), 2, NEWEST, NOW).unwrap();
    let next = sequences.take(&fresh(2), 5, NEWEST, NOW);
    assert_eq!(next, Some(Taken::Given(identity(0, 0))), "the last of the batch before is MAX");
    sequences.next = i32::MAX - 1;
    sequences.take(&fresh(7), 10, NEWEST, NOW).unwrap();
    assert_eq!(sequences.take(&fresh(17), 1, NEWEST, NOW), Some(Taken::Given(identity(0, 8))));
}

#[test]
fn five_batches_may_be_without_outcome() {
    let mut sequences = in_flight(&[0, 10, 20, 30, 40]);
    assert_eq!(sequences.gate(&fresh(50), NEWEST), Gate::Closed);
    sequences.acknowledge(20, NOW);
    assert_eq!(sequences.gate(&fresh(50), NEWEST), Gate::Open, "whichever is answered first");
}

#[test]
fn a_broker_that_may_not_know_the_producer_gets_one_batch_alone() {
    let mut sequences = Sequences::default();
    sequences.take(&fresh(0), 10, NEWEST, NOW).unwrap();
    assert_eq!(sequences.gate(&fresh(10), NEWEST), Gate::Closed);
    sequences.acknowledge(0, NOW);
    sequences.take(&fresh(10), 10, NEWEST, NOW + REMEMBERED).unwrap();
    assert_eq!(sequences.gate(&fresh(20), NEWEST), Gate::Open);
    sequences.acknowledge(10, NOW);
    let late = NOW + REMEMBERED + Duration::from_nanos(1);
    sequences.take(&fresh(20), 10, NEWEST, late).unwrap();
    assert_eq!(sequences.gate(&fresh(30), NEWEST), Gate::Closed, "it may have been forgotten");
    // A new epoch begins alone too.
    let mut sequences = in_flight(&[0]);
    sequences.give_up(0, true);
    sequences.take(&fresh(10), 10, NEWEST, NOW).unwrap();
    assert_eq!(sequences.gate(&fresh(20), NEWEST), Gate::Closed);
}

#[test]
fn after_an_error_the_lowest_goes_alone_until_all_have_caught_up() {
    let mut sequences = in_flight(&[0, 10, 20]);
    sequences.put_back(0, false);
    assert_eq!(sequences.gate(&again(0), NEWEST), Gate::Open);
    assert_eq!(sequences.take(&again(0), 10, NEWEST, NOW), Some(Taken::Kept));
    assert_eq!(sequences.gate(&fresh(30), NEWEST), Gate::Closed);
    sequences.put_back(10, false);
    sequences.put_back(20, true);
    assert_eq!(sequences.gate(&again(10), NEWEST), Gate::Closed, "0 is older");
    sequences.acknowledge(0, NOW);
    assert_eq!(sequences.gate(&again(10), NEWEST), Gate::Open);
    sequences.take(&again(10), 10, NEWEST, NOW);
    assert_eq!(sequences.gate(&again(20), NEWEST), Gate::Closed);
    sequences.acknowledge(10, NOW);
    sequences.take(&again(20), 10, NEWEST, NOW);
    assert_eq!(sequences.gate(&fresh(30), NEWEST), Gate::Closed, "20 has not caught up");
    sequences.acknowledge(20, NOW);
    assert_eq!(sequences.take(&fresh(30), 1, NEWEST, NOW), Some(Taken::Given(identity(0, 30))));
}

#[test]
fn what_follows_a_lost_batch_begins_anew_once_nothing_of_the_old_epoch_is_under_way() {
    let mut sequences = in_flight(&[0, 10, 20]);
    sequences.give_up(0, true);
    sequences.put_back(10, false);
    assert_eq!(sequences.gate(&again(10), NEWEST), Gate::Closed, "20 has no answer");
    sequences.put_back(20, false);
    assert_eq!(sequences.gate(&again(10), NEWEST), Gate::Open);
    let renewed = sequences.take(&again(10), 10, NEWEST, NOW);
    assert_eq!(renewed, Some(Taken::Renewed(identity(1, 0))));
    // Both are without numbers now, as the queue is told.
    assert_eq!(sequences.take(&fresh(20), 10, NEWEST, NOW), Some(Taken::Given(identity(1, 10))));
}

#[test]
fn a_stored_follower_shows_that_the_lost_batch_is_no_obstacle() {
    let mut sequences = in_flight(&[0, 10]);
    sequences.give_up(0, true);
    sequences.acknowledge(10, NOW);
    assert_eq!(sequences.take(&fresh(20), 1, NEWEST, NOW), Some(Taken::Given(identity(0, 20))));
    // And one behind the gap says nothing of a gap behind itself.
    sequences.take(&fresh(21), 1, NEWEST, NOW).unwrap();
    sequences.give_up(21, true);
    sequences.acknowledge(20, NOW);
    assert_eq!(sequences.take(&fresh(22), 1, NEWEST, NOW), Some(Taken::Renewed(identity(1, 0))));
}

#[test]
fn what_may_be_stored_keeps_its_numbers() {
    let mut sequences = in_flight(&[0, 10, 20]);
    sequences.give_up(0, true);
    sequences.put_back(10, true);
    sequences.put_back(20, false);
    assert_eq!(sequences.gate(&again(10), NEWEST), Gate::Open);
    assert_eq!(sequences.take(&again(10), 10, NEWEST, NOW), Some(Taken::Kept));
    // Refused, and so given up at last: only now the rest may begin anew.
    sequences.refuse(10);
    sequences.give_up(10, true);
    let renewed = sequences.take(&again(20), 10, NEWEST, NOW);
    assert_eq!(renewed, Some(Taken::Renewed(identity(1, 0))));
}

#[test]
fn with_a_doubtful_batch_behind_it_a_cut_off_batch_tries_its_old_numbers() {
    let mut sequences = in_flight(&[0, 10, 20]);
    sequences.give_up(0, true);
    sequences.put_back(10, false);
    sequences.put_back(20, true);
    assert_eq!(sequences.gate(&again(10), NEWEST), Gate::Open);
    assert_eq!(sequences.take(&again(10), 10, NEWEST, NOW), Some(Taken::Kept));
    // Refused: the sender gives up the doubtful one.
    sequences.put_back(10, false);
    sequences.refuse(10);
    sequences.give_up(20, true);
    assert_eq!(sequences.take(&again(10), 10, NEWEST, NOW), Some(Taken::Renewed(identity(1, 0))));
}

#[test]
fn a_refused_batch_and_all_behind_it_begin_anew() {
    let mut sequences = in_flight(&[0, 10]);
    sequences.put_back(0, false);
    sequences.refuse(0);
    assert_eq!(sequences.gate(&again(0), NEWEST), Gate::Closed, "10 has no answer");
    sequences.put_back(10, false);
    assert_eq!(sequences.take(&again(0), 10, NEWEST, NOW), Some(Taken::Renewed(identity(1, 0))));
    assert_eq!(sequences.take(&fresh(10), 10, NEWEST, NOW), Some(Taken::Given(identity(1, 10))));
}

#[test]
fn two_gaps_are_both_remembered() {
    let mut sequences = in_flight(&[0, 10, 20, 30]);
    sequences.give_up(0, true);
    sequences.give_up(20, true);
    sequences.acknowledge(10, NOW);
    sequences.put_back(30, false);
    assert_eq!(sequences.take(&again(30), 1, NEWEST, NOW), Some(Taken::Renewed(identity(1, 0))));
}

#[test]
fn parts_of_a_split_batch_share_its_numbers() {
    let mut sequences = in_flight(&[0, 10, 20]);
    sequences.split(10, [10, 14].into_iter());
    let order: Vec<u64> = sequences.outstanding.iter().map(|batch| batch.ordinal).collect();
    assert_eq!(order, [0, 10, 14, 20]);
    assert_eq!(sequences.gate(&again(10), NEWEST), Gate::Closed);
    sequences.acknowledge(0, NOW);
    assert_eq!(sequences.take(&again(10), 4, NEWEST, NOW), Some(Taken::Kept));
    assert_eq!(sequences.gate(&again(14), NEWEST), Gate::Closed);
    sequences.acknowledge(10, NOW);
    assert_eq!(sequences.gate(&again(14), NEWEST), Gate::Open);
}

#[test]
fn after_the_last_epoch_comes_another_id() {
    let last = ProducerId { id: 7, epoch: i16::MAX };
    let mut sequences = Sequences { holder: Some(last), cut: true, ..Sequences::default() };
    assert_eq!(sequences.gate(&fresh(0), NEWEST), Gate::WithoutId, "the same id");
    assert_eq!(sequences.exhausted(), Some(last));
    let other = Some(ProducerId { id: 8, epoch: 0 });
    assert_eq!(sequences.gate(&fresh(0), other), Gate::Open);
    let Some(Taken::Renewed(identity)) = sequences.take(&fresh(0), 1, other, NOW) else { panic!() };
    assert_eq!((identity.producer_id, identity.producer_epoch, identity.base_sequence), (8, 0, 0));
    // A partition that has an id keeps it, whatever newer one there is.
    let mut other_partition = in_flight(&[0]);
    let kept = other_partition.take(&fresh(10), 1, other, NOW);
    assert_eq!(kept, Some(Taken::Given(self::identity(0, 10))));
}

#[test]
fn a_log_that_knows_nobody_gets_what_has_numbers_and_then_one_batch_alone() {
    let mut sequences = in_flight(&[0, 10]);
    sequences.begin_log();
    assert_eq!(sequences.gate(&fresh(20), NEWEST), Gate::Closed);
    // The old log may have taken it: that says nothing of the new one.
    sequences.acknowledge(0, NOW);
    assert_eq!(sequences.gate(&fresh(20), NEWEST), Gate::Closed);
    sequences.put_back(10, false);
    assert_eq!(sequences.take(&again(10), 10, NEWEST, NOW), Some(Taken::Kept));
    sequences.acknowledge(10, NOW);
    assert_eq!(sequences.take(&fresh(20), 10, NEWEST, NOW), Some(Taken::Given(identity(0, 20))));
    assert_eq!(sequences.gate(&fresh(30), NEWEST), Gate::Closed, "20 goes alone");
    sequences.acknowledge(20, NOW);
    sequences.take(&fresh(30), 10, NEWEST, NOW).unwrap();
    assert_eq!(sequences.gate(&fresh(40), NEWEST), Gate::Open);
}

#[test]
fn where_no_epoch_follows_numbers_go_back_to_the_first_that_is_surely_not_stored() {
    let mut sequences = in_flight(&[0, 10, 20]);
    assert!(sequences.clone().rewind(), "nothing is missing");
    sequences.give_up(20, true);
    assert!(!sequences.rewind(), "others are under way");
    sequences.give_up(10, true);
    sequences.acknowledge(0, NOW);
    assert!(sequences.is_cut(&fresh(30)), "only another epoch would do");
    assert!(sequences.rewind());
    assert_eq!(sequences.take(&fresh(30), 1, NEWEST, NOW), Some(Taken::Given(identity(0, 10))));
    // What may be stored keeps its numbers for ever.
    let mut sequences = in_flight(&[0, 10]);
    sequences.give_up(0, false);
    sequences.give_up(10, true);
    assert!(!sequences.rewind());
    // A follower that is stored shows that nothing is missing.
    let mut sequences = in_flight(&[0, 10]);
    sequences.give_up(0, false);
    sequences.acknowledge(10, NOW);
    assert!(sequences.rewind());
    assert_eq!(sequences.take(&fresh(20), 1, NEWEST, NOW), Some(Taken::Given(identity(0, 20))));
}

#[test]
fn going_back_to_the_first_lost_number_counts_around_the_largest() {
    let mut sequences = in_flight(&[]);
    sequences.next = i32::MAX - 4;
    for ordinal in [0, 10, 20] {
        sequences.take(&fresh(ordinal), 10, NEWEST, NOW).unwrap();
    }
    // The second begins at 5, behind the first in number and before it in order.
    sequences.give_up(10, true);
    sequences.give_up(0, true);
    sequences.give_up(20, true);
    assert!(sequences.rewind());
    let next = sequences.take(&fresh(30), 1, NEWEST, NOW);
    assert_eq!(next, Some(Taken::Given(identity(0, i32::MAX - 4))));
}

#[test]
fn a_producer_that_was_forgotten_goes_back_to_zero() {
    let mut sequences = in_flight(&[]);
    sequences.next = 500;
    sequences.take(&fresh(0), 10, NEWEST, NOW).unwrap();
    sequences.forgotten();
    sequences.give_up(0, true);
    assert!(sequences.rewind());
    assert_eq!(sequences.take(&fresh(10), 1, NEWEST, NOW), Some(Taken::Given(identity(0, 0))));
}

#[test]
fn a_partition_follows_the_epoch_that_is_given_once_nothing_is_under_way() {
    let next = ProducerId { epoch: 1, ..ID };
    let mut sequences = in_flight(&[0]);
    sequences.follow(next);
    assert_eq!(sequences.take(&fresh(10), 1, NEWEST, NOW), Some(Taken::Given(identity(0, 10))));
    sequences.give_up(10, false);
    sequences.give_up(0, true);
    assert!(sequences.is_cut(&fresh(20)));
    sequences.follow(next);
    assert!(!sequences.is_cut(&fresh(20)));
    let taken = sequences.take(&fresh(20), 1, Some(next), NOW);
    assert_eq!(taken, Some(Taken::Given(identity(1, 0))));
    sequences.acknowledge(20, NOW);
    sequences.follow(next);
    let taken = sequences.take(&fresh(21), 1, Some(next), NOW);
    assert_eq!(taken, Some(Taken::Given(identity(1, 1))), "the same epoch goes on");
}
