//! Runs the simulator over many seeds, or one seed with its trace.
//!
//!     ottla-sim --seeds 10000 [--from N]
//!     ottla-sim --seed N [--trace]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use ottla::sim::{run, Options, Outcome};

const USAGE: &str =
    "usage: ottla-sim [--seeds COUNT] [--from SEED] [--seconds LIMIT] [--keep-going]\n\
                     \x20      ottla-sim --seed SEED [--trace]";

#[derive(Debug)]
struct Arguments {
    from: u64,
    seeds: u64,
    seconds: Option<u64>,
    keep_going: bool,
    single: bool,
    trace: bool,
}

fn main() -> ExitCode {
    let arguments = match parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(what) => {
            eprintln!("{what}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if arguments.single {
        return run_one(arguments.from, arguments.trace);
    }
    run_many(&arguments)
}

fn parse(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments {
        from: 0,
        seeds: 1000,
        seconds: None,
        keep_going: false,
        single: false,
        trace: false,
    };
    while let Some(name) = given.next() {
        let mut number = || {
            let text = given.next().ok_or_else(|| format!("{name} needs a number"))?;
            text.parse::<u64>().map_err(|_| format!("{name} needs a number, not `{text}`"))
        };
        match name.as_str() {
            "--seeds" => arguments.seeds = number()?,
            "--from" => arguments.from = number()?,
            "--seconds" => arguments.seconds = Some(number()?),
            "--seed" => {
                arguments.from = number()?;
                arguments.single = true;
            }
            "--keep-going" => arguments.keep_going = true,
            "--trace" => arguments.trace = true,
            _ => return Err(format!("unknown argument `{name}`")),
        }
    }
    Ok(arguments)
}

fn run_one(seed: u64, trace: bool) -> ExitCode {
    let options = Options::draw(seed);
    println!("{options}");
    let outcome = run(options, trace);
    println!("{}", summary(&outcome));
    match outcome.failure {
        None => ExitCode::SUCCESS,
        Some(what) => {
            println!("FAILED: {what}");
            ExitCode::FAILURE
        }
    }
}

fn summary(outcome: &Outcome) -> String {
    format!(
        "seed {}: {} accepted, {} stored, {} appends, {} events, {} turns, {} virtual ms, trace {:016x}",
        outcome.seed,
        outcome.accepted,
        outcome.stored,
        outcome.appends,
        outcome.events,
        outcome.turns,
        outcome.virtual_ms,
        outcome.hash
    )
}

fn run_many(arguments: &Arguments) -> ExitCode {
    let begun = Instant::now();
    let mut told = begun;
    let (mut done, mut failed, mut events, mut accepted, mut stored) = (0u64, 0u64, 0, 0, 0);
    for seed in arguments.from..arguments.from.saturating_add(arguments.seeds) {
        if arguments.seconds.is_some_and(|limit| begun.elapsed() >= Duration::from_secs(limit)) {
            break;
        }
        let outcome = run(Options::draw(seed), false);
        done += 1;
        events += outcome.events;
        accepted += outcome.accepted;
        stored += outcome.stored;
        if let Some(what) = &outcome.failure {
            failed += 1;
            if !arguments.keep_going {
                println!("{}", Options::draw(seed));
            }
            println!("FAILED seed {seed}: {what}");
            println!("again: ottla-sim --seed {seed} --trace");
            if !arguments.keep_going {
                return ExitCode::FAILURE;
            }
        }
        if told.elapsed() >= Duration::from_secs(10) {
            told = Instant::now();
            eprintln!("{done} seeds, {failed} failed, next is {}", seed + 1);
        }
    }
    let seconds = begun.elapsed().as_secs_f64().max(1e-9);
    println!(
        "{done} seeds, {failed} failed; {accepted} records accepted, {stored} stored, {events} events \
         in {seconds:.1} s: {:.0} seeds/s, {:.0} events/s",
        done as f64 / seconds,
        events as f64 / seconds
    );
    if failed > 0 {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
