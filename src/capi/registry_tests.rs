//! Handles: what is alive is found, whatever is not is refused, and nothing is freed under a call.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use super::*;

struct Opaque;

struct Thing(Arc<AtomicUsize>, u64);

impl Drop for Thing {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Kind for Thing {
    type Opaque = Opaque;
    const NUMBER: usize = 14;
}

struct Other;

impl Kind for Other {
    type Opaque = Opaque;
    const NUMBER: usize = 15;
}

fn thing(number: u64) -> (*mut Opaque, Arc<AtomicUsize>) {
    let drops = Arc::new(AtomicUsize::new(0));
    (insert(Thing(drops.clone(), number)).unwrap(), drops)
}

#[test]
fn a_freed_handle_is_refused_even_when_its_slot_is_used_again() {
    let (old, drops) = thing(1);
    assert_eq!(enter::<Thing>(old).unwrap().value.1, 1);
    assert!(retire::<Thing>(old));
    assert_eq!(drops.load(Ordering::SeqCst), 1);
    assert!(!retire::<Thing>(old));
    for number in 0..if cfg!(miri) { 20 } else { 1000 } {
        let (new, _) = thing(number);
        assert_ne!(new, old);
        assert!(enter::<Thing>(old).is_none());
        assert_eq!(enter::<Thing>(new).unwrap().value.1, number);
        assert!(retire::<Thing>(new));
    }
    assert_eq!(drops.load(Ordering::SeqCst), 1);
}

#[test]
fn whatever_is_no_handle_is_refused() {
    let (handle, _) = thing(1);
    let other = insert(Other).unwrap();
    let on_the_stack = 0u64;
    for wrong in
        [0, 1, 2, usize::MAX, !1, 0xdead_beef, handle.addr() + 1, handle.addr() ^ (1 << 40)]
    {
        assert!(enter::<Thing>(ptr::without_provenance(wrong)).is_none(), "{wrong:#x}");
        assert!(!retire::<Thing>(ptr::without_provenance(wrong)), "{wrong:#x}");
    }
    assert!(enter::<Thing>(ptr::from_ref(&on_the_stack).cast()).is_none());
    assert!(enter::<Thing>(other).is_none());
    assert!(enter::<Other>(handle).is_none());
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..if cfg!(miri) { 200 } else { 100_000 } {
        let number = random.usize(..) | 1;
        if number != handle.addr() {
            assert!(enter::<Thing>(ptr::without_provenance(number)).is_none(), "{number:#x}");
        }
    }
    assert!(retire::<Thing>(handle) && retire::<Other>(other));
}

#[test]
fn many_handles_live_side_by_side() {
    // More than a chunk of slots.
    let many = if cfg!(miri) { 40 } else { 5000 };
    let handles: Vec<_> = (0..many).map(thing).collect();
    for (number, (handle, _)) in handles.iter().enumerate() {
        assert_eq!(enter::<Thing>(*handle).unwrap().value.1, number as u64);
    }
    assert!(live_handles() >= many as usize);
    for (handle, drops) in handles {
        assert!(retire::<Thing>(handle));
        assert_eq!(drops.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn freeing_waits_for_calls_and_happens_once() {
    for round in 0..if cfg!(miri) { 6 } else { 200 } {
        let (handle, drops) = thing(round);
        let address = handle.addr();
        let entered = AtomicUsize::new(0);
        let freed: usize = std::thread::scope(|scope| {
            let work = || {
                let handle = ptr::without_provenance::<Opaque>(address);
                while let Some(visit) = enter::<Thing>(handle) {
                    assert_eq!(drops.load(Ordering::SeqCst), 0, "freed under a call");
                    assert_eq!(visit.value.1, round);
                    entered.fetch_add(1, Ordering::SeqCst);
                }
            };
            let free = || {
                while entered.load(Ordering::SeqCst) < 10 {
                    std::thread::yield_now();
                }
                usize::from(retire::<Thing>(ptr::without_provenance(address)))
            };
            scope.spawn(work);
            scope.spawn(work);
            let (first, second) = (scope.spawn(free), scope.spawn(free));
            first.join().unwrap() + second.join().unwrap()
        });
        assert_eq!((freed, drops.load(Ordering::SeqCst)), (1, 1));
    }
}
