#!/usr/bin/env python3
"""Shows that the models of src/races can fail: plants one fault after the other into a copy of the sources
and runs the model that has to catch it.

    tests/sanitize/faults.py [--list] [FAULT...]

A fault is a piece of text of one file and what stands there instead; where the sources no longer have the text
exactly once, the fault has to be written anew. Ends with an error unless every fault was caught.
"""
import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COPY = os.path.join(ROOT, "build", "faults")
# Not that of step loom: cargo tells packages apart by their place in a workspace, which is the same for both, and
# would take what was built with the last fault for the step's.
TARGET = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "faults")
# A fault that makes threads turn without end must not be waited for.
LIMIT_SECONDS = 600


@dataclass
class Fault:
    name: str
    model: str
    path: str
    right: str
    wrong: str


FAULTS = [
    # One partition's queue.
    Fault("drain-two-locks", "drain::a_record_is_drained", "accumulator/partition.rs", """
        let mut queue = self.lock();
        // An open batch that can go never enters the queue, so partitions that are never behind keep none.
        let first = match queue.sealed.pop_front() {
""", """
        let first = self.lock().sealed.pop_front();
        let mut queue = self.lock();
        let first = match first {
"""),
    Fault("put-back-behind", "drain::a_batch_that_is_put_back", "accumulator/partition.rs", """
        queue.sealed.insert(at, batch);
""", """
        let _ = at;
        queue.sealed.push_back(batch);
"""),
    # A run of records of one call.
    Fault("run-drained-by-two-locks", "runs::a_run_is_drained", "accumulator/partition.rs", """
        let mut queue = self.lock();
        // An open batch that can go never enters the queue, so partitions that are never behind keep none.
        let first = match queue.sealed.pop_front() {
""", """
        let first = self.lock().sealed.pop_front();
        let mut queue = self.lock();
        let first = match first {
"""),
    Fault("full-run-without-notice", "runs::the_sender_is_told", "accumulator/append.rs", """
            self.tell_sender(found, done.opened, done.sealed);
            match done.stopped {
""", """
            self.tell_sender(found, done.opened, false);
            match done.stopped {
"""),
    Fault("run-closed-before-lock", "runs::nothing_of_a_run", "accumulator/partition.rs", """
        let mut queue = self.lock();
        // Once for the whole run: whoever closes looks at every queue afterwards, and waits for this lock.
        if context.admission.is_refused() {
""", """
        let refused = context.admission.is_refused();
        let mut queue = self.lock();
        if refused {
"""),
    # Close against everything that takes records in.
    Fault("closed-before-lock", "close::nothing_is_appended", "accumulator/partition.rs", """
        let mut queue = self.lock();
        // What was parked before the close may still come in.
        if context.admission.is_refused() && !taker.is_sender() {
""", """
        let closed = context.admission.is_refused();
        let mut queue = self.lock();
        if closed && !taker.is_sender() {
"""),
    Fault("park-closed-before-lock", "close::nothing_is_parked", "accumulator/parked.rs", """
        let mut parked = topic.gate.lock();
        // Both are asked under the lock: the sender opens the gate under it, and close sets its flag before
        // it empties the gates.
        if topic.state() == TopicState::Known {
            return Parking::Open;
        }
        if self.admission.is_refused() {
            return Parking::Closed;
        }
""", """
        if self.admission.is_refused() {
            return Parking::Closed;
        }
        let mut parked = topic.gate.lock();
        if topic.state() == TopicState::Known {
            return Parking::Open;
        }
"""),
    Fault("topics-without-lock", "close::no_topic_is_registered", "accumulator/topic.rs", """
        let names = self.lock_names();
        let count = self.table.len();
        drop(names);
""", """
        let count = self.table.len();
"""),
    # The gate of a topic.
    Fault("park-state-before-lock", "gate::records_pass", "accumulator/parked.rs", """
        let mut parked = topic.gate.lock();
        // Both are asked under the lock: the sender opens the gate under it, and close sets its flag before
        // it empties the gates.
        if topic.state() == TopicState::Known {
            return Parking::Open;
        }
""", """
        if topic.state() == TopicState::Known {
            return Parking::Open;
        }
        let mut parked = topic.gate.lock();
"""),
    Fault("opened-behind-lock", "gate::records_pass", "accumulator/parked.rs", """
            topic.set_state(TopicState::Known);
            drop(parked);
""", """
            drop(parked);
            topic.set_state(TopicState::Known);
"""),
    Fault("opened-with-the-last", "gate::records_pass", "accumulator/parked.rs", """
        if first.is_none() {
""", """
        if parked.is_empty() {
"""),
    Fault("opened-behind-news", "gate::whoever_waits", "accumulator/parked.rs", """
            topic.set_state(TopicState::Known);
            drop(parked);
            self.bulletin.post(|_| {});
""", """
            self.bulletin.post(|_| {});
            topic.set_state(TopicState::Known);
            drop(parked);
"""),
    # The sender's inbox.
    Fault("send-without-fence", "inbox::", "accumulator/inbox.rs", """
        fence(Ordering::SeqCst);
        let alarm""", """
        let alarm"""),
    Fault("sleep-without-fence", "inbox::", "accumulator/inbox.rs", """
        fence(Ordering::SeqCst);
        if self""", """
        if self"""),
    Fault("weak-fences", "inbox::", "accumulator/inbox.rs", """
        fence(Ordering::SeqCst);
        if self""", """
        fence(Ordering::AcqRel);
        if self"""),
    Fault("look-before-alarm", "inbox::", "accumulator/inbox.rs", """
        self.sleeping_until.store(alarm.as_nanos().max(1), Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.commands.is_empty() {
            return true;
        }
""", """
        if self.commands.is_empty() {
            self.sleeping_until.store(alarm.as_nanos().max(1), Ordering::Relaxed);
            fence(Ordering::SeqCst);
            return true;
        }
"""),
    # Flushes.
    Fault("linger-through-flush", "flush::a_flush_ends", "accumulator/append.rs", """
                self.pool.waiting_threads() > 0
                    || self.delivery.outstanding().epoch() != opened.epoch
""", """
                self.pool.waiting_threads() > 0
"""),
    Fault("deadline-before-command", "flush::a_flush_ends", "accumulator/append.rs", """
            self.inbox.send_by(Command::Opened(partition.slot), by);
""", """
            self.inbox.send(Command::Opened(partition.slot), by());
"""),
    Fault("ticket-without-notice", "flush::a_flush_sees", "delivery/outstanding.rs", """
            self.home.changed.notify_all();
""", """
"""),
    Fault("epochs-forgotten", "flush::a_flush_sees", "delivery/outstanding.rs", """
        while state.counts.len() > 1 && state.counts[0] == 0 {
""", """
        while state.counts.len() > 1 {
"""),
    # The pool.
    Fault("credit-without-notice", "pool::memory_comes", "accumulator/pool.rs", """
                first.woken.notify_one();
""", """
"""),
    Fault("line-not-served", "pool::memory_comes", "accumulator/pool.rs", """
                self.credit(&mut state, 0);
                Ok(Ticket""", """
                Ok(Ticket"""),
    Fault("callers-pass-the-line", "pool::memory_comes", "accumulator/pool.rs", """
                if state.lent + bytes > limit || !state.waiters.is_empty() || state.closed {
""", """
                if state.lent + bytes > limit || state.closed {
"""),
    Fault("last-come-first-served", "pool::who_came_first", "accumulator/pool.rs", """
        state.waiters.push_back(""", """
        state.waiters.push_front("""),
    Fault("close-without-notice", "pool::a_close_wakes", "accumulator/pool.rs", """
            waiter.woken.notify_one();
""", """
            let _ = waiter;
"""),
    Fault("closed-behind-notice", "pool::a_close_wakes", "accumulator/pool.rs", """
        let mut state = self.lock();
        state.closed = true;
        for waiter in &state.waiters {
            waiter.woken.notify_one();
        }
""", """
        for waiter in &self.lock().waiters {
            waiter.woken.notify_one();
        }
        self.lock().closed = true;
"""),
    Fault("closed-asked-once", "pool::a_close_wakes", "accumulator/pool.rs", """
        let mut state = self.lock();
        let failure = loop {
            if state.closed {
                break Some(WaitFailure::Closed);
            }
""", """
        let closed = self.lock().closed;
        let mut state = self.lock();
        let failure = loop {
            if closed {
                break Some(WaitFailure::Closed);
            }
"""),
    Fault("sender-forgotten", "pool::a_sender_that_went_without", "accumulator/pool.rs", """
                    state.sender_waits = true;
""", """
"""),
    Fault("sender-noted-late", "pool::a_sender_that_went_without", "accumulator/pool.rs", """
                    state.sender_waits = true;
""", """
                    drop(state);
                    self.lock().sender_waits = true;
"""),
    Fault("pressure-before-line", "pool::a_lingering_batch", "accumulator/append.rs", """
        self.pool.wait(bytes, limit, || self.inbox.send(Command::Pressure, Time::ZERO))
""", """
        self.inbox.send(Command::Pressure, Time::ZERO);
        self.pool.wait(bytes, limit, || {})
"""),
    Fault("linger-through-pressure", "pool::a_lingering_batch", "accumulator/append.rs", """
                self.pool.waiting_threads() > 0
                    || self.delivery""", """
                self.delivery"""),
    # Counted records.
    Fault("counted-in-on-trial", "records::a_record_that_finds_no_room", "accumulator/mod.rs", """
        self.records.fetch_update(Ordering::Relaxed, Ordering::Relaxed, counted).is_ok()
""", """
        let _ = counted;
        let fits = self.records.fetch_add(count, Ordering::Relaxed) + count <= most;
        if !fits {
            self.records.fetch_sub(count, Ordering::Relaxed);
        }
        fits
"""),
    Fault("close-looks-twice", "desk::a_close_that_meets_a_commit", "txn/desk.rs", """
        let mut board = self.lock();
        let Some(next) = board.state.after(Step::Abort) else { return false };
        let text""", """
        let Some(next) = self.lock().state.after(Step::Abort) else { return false };
        let mut board = self.lock();
        let text"""),
    Fault("count-out-without-fence", "records::a_record_that_finds_no_room", "accumulator/mod.rs", """
            fence(Ordering::SeqCst);
            if self""", """
            if self"""),
    Fault("count-in-without-fence", "records::a_record_that_finds_no_room", "accumulator/mod.rs", """
        fence(Ordering::SeqCst);
        let mut news""", """
        let mut news"""),
    Fault("waiter-counted-late", "records::a_record_that_finds_no_room", "accumulator/mod.rs", """
        self.records_waiters.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let mut news = self.bulletin.read();
        let counted = loop {
            if self.count_in(count) {
                break true;
            }
""", """
        let mut news = self.bulletin.read();
        let counted = loop {
            if self.count_in(count) {
                self.records_waiters.fetch_add(1, Ordering::Relaxed);
                break true;
            }
            self.records_waiters.fetch_add(1, Ordering::Relaxed);
            fence(Ordering::SeqCst);
"""),
    Fault("news-behind-notice", "records::a_close_ends", "accumulator/bulletin.rs", """
        change(&mut self.read());
        self.changed.notify_all();
""", """
        self.changed.notify_all();
        change(&mut self.read());
"""),
    # Reports.
    Fault("deliver-without-notice", "delivery::every_report", "delivery/queue.rs", """
        if was_empty {
            self.tell(&state);
        }
""", """
        let _ = was_empty;
"""),
    Fault("returned-without-notice", "delivery::every_report", "delivery/queue.rs", """
            state.reports.push_front(report);
            self.home.tell(&state);
""", """
            state.reports.push_front(report);
"""),
    Fault("end-behind-notice", "delivery::every_report", "delivery/queue.rs", """
        self.lock().closed = true;
        self.arrived.notify_all();
""", """
        self.arrived.notify_all();
        self.lock().closed = true;
"""),
    Fault("second-close-returns", "delivery::each_of_several", "delivery/queue.rs", """
        let mut slot = self.lock_thread();
        if let Some(thread) = slot.take() {
""", """
        let thread = self.lock_thread().take();
        if let Some(thread) = thread {
"""),
    Fault("dispatcher-ends-early", "delivery::each_of_several", "delivery/queue.rs", """
            if batch.is_empty() && state.closed {
""", """
            if state.closed {
"""),
    Fault("descriptor-made-unaware", "delivery::the_descriptor", "delivery/queue.rs", """
        if !state.reports.is_empty() {
            fd.raise();
        }
        Ok""", """
        Ok"""),
    Fault("raised-before-queued", "delivery::the_descriptor", "delivery/queue.rs", """
        let mut state = self.lock();
        let was_empty = state.reports.is_empty();
""", """
        if let Some(fd) = &self.lock().fd {
            fd.raise();
        }
        let mut state = self.lock();
        let was_empty = false;
"""),
    Fault("lowered-behind-lock", "delivery::the_descriptor", "delivery/queue.rs", """
        if state.reports.is_empty() {
            self.waiting""", """
        let empty = state.reports.is_empty();
        drop(state);
        let state = self.lock();
        if empty {
            self.waiting"""),
    # Futures.
    Fault("woken-before-done", "futures::who_waits", "delivery/future.rs", """
                *slot = Slot::Done(result());
                drop(shard);
                if let Some(waker) = waker {
                    waker.wake();
                }
""", """
                *slot = Slot::Waiting(None);
                drop(shard);
                if let Some(waker) = waker {
                    waker.wake();
                }
                self.shard(at).slots[index] = Slot::Done(result());
"""),
    Fault("waker-behind-look", "futures::who_waits", "delivery/future.rs", """
            before => {
                shard.slots[index] = Slot::Waiting(Some(waker));
                drop(shard);
""", """
            before => {
                shard.slots[index] = Slot::Waiting(None);
                drop(shard);
                let mut shard = futures.shard(at);
                if let Slot::Waiting(place) = &mut shard.slots[index] {
                    *place = Some(waker);
                }
                drop(shard);
"""),
    Fault("first-waker-kept", "futures::who_waits", "delivery/future.rs", """
                shard.slots[index] = Slot::Waiting(Some(waker));
                drop(shard);
                // Dropping a waker can drop a task and with it other futures: not under the lock.
                drop(before);
                Poll::Pending
""", """
                let first = if let Slot::Waiting(first) = before { first } else { None };
                shard.slots[index] = Slot::Waiting(first.or(Some(waker)));
                Poll::Pending
"""),
    Fault("dropped-in-two-steps", "futures::the_slot", "delivery/future.rs", """
        let done = matches!(shard.slots[index], Slot::Done(_));
        let after""", """
        let done = matches!(shard.slots[index], Slot::Done(_));
        drop(shard);
        let mut shard = self.futures.shard(at);
        let after"""),
]


def edited(fault):
    """The file's text with the fault in it, or None."""
    with open(os.path.join(ROOT, "src", fault.path)) as file:
        text = file.read()
    right, wrong = fault.right.removeprefix("\n"), fault.wrong.removeprefix("\n")
    return text.replace(right, wrong) if text.count(right) == 1 else None


def copy_sources():
    files = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                           check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")
    shutil.rmtree(COPY, ignore_errors=True)
    for path in filter(None, files):
        source, place = os.path.join(ROOT, path), os.path.join(COPY, path)
        if os.path.isfile(source):
            os.makedirs(os.path.dirname(place), exist_ok=True)
            shutil.copy(source, place)


def cargo(arguments):
    environment = dict(os.environ, RUSTFLAGS="--cfg loom", CARGO_TARGET_DIR=TARGET, CARGO_TERM_COLOR="never",
                       RUST_BACKTRACE="0")
    try:
        run = subprocess.run(["cargo", "test", "--quiet", "--lib", *arguments], cwd=COPY, env=environment,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired as late:
        return 0, (late.stdout or b"").decode(errors="replace") + "\nno end"
    return run.returncode, run.stdout.decode(errors="replace")


def plant(fault):
    """What became of the fault."""
    text = edited(fault)
    if text is None:
        return "NO PLACE", f"src/{fault.path} does not have the text exactly once"
    place = os.path.join(COPY, "src", fault.path)
    with open(place) as file:
        before = file.read()
    with open(place, "w") as file:
        file.write(text)
    try:
        code, built = cargo(["--no-run"])
        if code != 0:
            return "NO BUILD", built
        code, told = cargo([f"races::{fault.model}"])
    finally:
        with open(place, "w") as file:
            file.write(before)
    if code != 0 and "Model exceeded" not in told:
        # A panic among the unwinding threads of a model ends the process; the first says what was wrong.
        lines = told.splitlines()
        said = [at for at, line in enumerate(lines) if "panicked at" in line]
        return "caught", lines[said[0] + 1].strip() if said else ""
    return "MISSED", told


def main():
    arguments = argparse.ArgumentParser(description=__doc__,
                                        formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--list", action="store_true", help="the faults and who catches them")
    arguments.add_argument("fault", nargs="*")
    chosen = arguments.parse_args()
    if chosen.list:
        print("\n".join(f"{fault.name:<26} {fault.path:<26} {fault.model}" for fault in FAULTS))
        return 0
    names = [fault.name for fault in FAULTS]
    unknown = set(chosen.fault) - set(names)
    if unknown or len(set(names)) != len(names):
        arguments.error(f"no such fault: {' '.join(sorted(unknown))}" if unknown else "a name stands twice")
    copy_sources()
    missed = 0
    for fault in FAULTS:
        if chosen.fault and fault.name not in chosen.fault:
            continue
        outcome, told = plant(fault)
        missed += outcome != "caught"
        why = told[:60] if outcome == "caught" else ""
        print(f"{outcome:<9} {fault.name:<26} {fault.model:<40} {why}".rstrip(), flush=True)
        if outcome != "caught":
            print("\n".join("     | " + line for line in told.splitlines()[-30:]), flush=True)
    print(f"{len(chosen.fault or FAULTS) - missed} passed, {missed} failed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
