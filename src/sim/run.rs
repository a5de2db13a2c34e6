//! One run from its options to its verdict: puts the real producer onto the simulated world, turns its
//! driver, asks the oracles.

use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;

use crate::accumulator::encode::InlineEncoding;
use crate::config::ProducerConfig;
use crate::driver::Driver;
use crate::error::Error;
use crate::net::selector::{Selector, SelectorSettings};
use crate::producer::{assemble, Assembled};
use crate::sim::network::SimSockets;
use crate::sim::options::Options;
use crate::sim::oracle::{
    atomic, duplicates, exactly_once, memory, numbers, order, progress, progress::Spin, reports,
    schedule, stored, unacknowledged,
};
use crate::sim::world::World;
use crate::time::Time;

type SimDriver = Driver<Selector<SimSockets>>;

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// A hash of everything that happened.
    pub hash: u64,
    /// Notes in the trace.
    pub steps: u64,
    /// Simulated events.
    pub events: u64,
    /// Turns of the sender.
    pub turns: u64,
    /// Records that were accepted.
    pub accepted: usize,
    /// Records that were reported as stored.
    pub stored: usize,
    /// Batches that brokers wrote.
    pub appends: usize,
    /// Producers that partitions were made to forget.
    pub forgotten: usize,
    /// Virtual milliseconds.
    pub virtual_ms: u64,
    /// What was wrong, if anything was.
    pub failure: Option<String>,
}

/// Runs a world; `printed`: its trace goes to standard error.
pub fn run(options: Options, printed: bool) -> Outcome {
    let seed = options.seed;
    let world = Rc::new(RefCell::new(World::new(options, printed)));
    let mut turns = 0;
    let played = catch_unwind(AssertUnwindSafe(|| play(&world, &mut turns)));
    let failure = match played {
        Ok(Ok(())) => None,
        Ok(Err(what)) => Some(what),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
            Some(format!("panic: {}", text.unwrap_or_default()))
        }
    };
    let mut outcome = Outcome {
        seed,
        hash: 0,
        steps: 0,
        events: 0,
        turns,
        accepted: 0,
        stored: 0,
        appends: 0,
        forgotten: 0,
        virtual_ms: 0,
        failure,
    };
    // After a panic in the middle of an event there is nothing to be read.
    if let Ok(world) = world.try_borrow() {
        let fates = world.ledger.sent.iter().filter_map(|sent| sent.fate.as_ref());
        outcome.stored = fates.filter(|fate| fate.code.is_none()).count();
        outcome.hash = world.trace.hash();
        outcome.steps = world.trace.steps();
        outcome.events = world.events;
        outcome.accepted = world.ledger.accepted;
        outcome.appends = world.ledger.appends.len();
        outcome.forgotten = world.forgotten;
        outcome.virtual_ms = world.now().as_ms();
    }
    outcome
}

fn play(world: &Rc<RefCell<World>>, turns: &mut u64) -> Result<(), String> {
    let mut driver =
        begin(world).map_err(|error| format!("the producer does not begin: {error}"))?;
    let mut spin = Spin::default();
    let mut open = true;
    let mut result = Ok(());
    while open && result.is_ok() {
        open = driver.turn();
        *turns += 1;
        result = after_turn(&mut world.borrow_mut(), &mut driver, &mut spin, open);
    }
    let result = result.map_err(|what| {
        let now = world.borrow().now();
        let sender = driver.sender().next_deadline(now).as_ms();
        let client = driver.sender().client().next_deadline(now).as_ms();
        let now = now.as_ms();
        format!(
            "{what}\n  at {now} ms; the sender looks again at {sender}, the client at {client}; \
             {driver:?}"
        )
    });
    // What is in flight keeps its memory as long as there is a socket that may read it.
    drop(driver);
    world.borrow_mut().settle();
    world.borrow_mut().end_call();
    let result = result.and_then(|()| at_end(&mut world.borrow_mut()));
    // The producer's own end must not find a world that is in use.
    let producer = world.borrow_mut().application.producer.take();
    drop(producer);
    result
}

fn begin(world: &Rc<RefCell<World>>) -> Result<SimDriver, Error> {
    let mut state = world.borrow_mut();
    let config = ProducerConfig::from_pairs(state.options.config.iter().cloned())?;
    let idle_ms = i64::try_from(config.connection.max_idle_ms).unwrap_or(-1);
    let settings =
        SelectorSettings { connections_max_idle_ms: idle_ms, ..SelectorSettings::default() };
    let wake = state.wake.clone();
    let below = crate::producer::World {
        clock: state.clock.clone(),
        network: Selector::new(SimSockets { world: world.clone() }, settings),
        wake: Box::new(move || wake.store(true, Relaxed)),
        encoding: Box::new(InlineEncoding::boxed),
        seed: state.options.seed,
    };
    let hooks = state.application.hooks(&state.options);
    let Assembled { producer, mut driver } = assemble(config, hooks, below, None)?;
    driver.sender().start_numbers_at(state.options.begin_number());
    for index in 0..state.options.topics.len() {
        let id = producer.topic(&state.options.topics[index].name)?;
        state.application.topics.push(id);
    }
    state.application.accumulator = Some(driver.sender().accumulator().clone());
    state.application.producer = Some(Rc::new(producer));
    Ok(driver)
}

fn after_turn(
    world: &mut World,
    driver: &mut SimDriver,
    spin: &mut Spin,
    open: bool,
) -> Result<(), String> {
    let now: Time = world.now();
    spin.check(now, world.events + world.trace.steps())?;
    memory::check(world, false)?;
    if open {
        schedule::check(driver, now)?;
    }
    if world.options.workload.polls_eagerly || !open {
        world.take_reports(usize::MAX);
    }
    world.check_flushes();
    world.look_at_call();
    match world.failure.take() {
        Some(what) => Err(what),
        None => Ok(()),
    }
}

fn at_end(world: &mut World) -> Result<(), String> {
    atomic::nothing_waits_for_its_end(world)?;
    world.let_transactions_time_out();
    let logs = stored::logs(world)?;
    reports::at_end(world)?;
    memory::check(world, true)?;
    stored::at_end(world, &logs)?;
    unacknowledged::at_end(world, &logs)?;
    duplicates::at_end(world, &logs)?;
    let heads = numbers::heads(world);
    exactly_once::at_end(world, &logs, &heads)?;
    numbers::at_end(world, &logs, &heads)?;
    atomic::at_end(world)?;
    let again = world.sent_again();
    order::at_end(world, again)?;
    progress::at_end(world)
}
