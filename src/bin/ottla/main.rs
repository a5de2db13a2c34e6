//! The command line tool `ottla`: reads the command line and hands over to one of its commands.

mod connect;
mod escapes;
mod exit;
mod input;
mod interrupt;
mod ledger;
mod metadata;
mod mock;
mod output;
mod perf;
mod produce;
mod read_back;
mod settings;
mod system;
mod transaction;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::exit::Outcome;
use crate::interrupt::Interrupt;

/// A Kafka producer on the command line
#[derive(Parser, Debug)]
#[command(name = "ottla", version, arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Produce(produce::Produce),
    Perf(perf::Perf),
    Metadata(metadata::Metadata),
    Mock(mock::Mock),
    Settings(settings::Settings),
}

fn main() -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        // The list does without what a command needs else.
        Err(error)
            if error.kind() == ErrorKind::MissingRequiredArgument
                && connect::asks_for_list(std::env::args_os()) =>
        {
            return ended(connect::list());
        }
        Err(error) => error.exit(),
    };
    let interrupt = Interrupt::listen();
    ended(run(&line.command, &interrupt))
}

fn ended(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            output::say(&format!("ottla: {failure}"));
            ExitCode::from(failure.code)
        }
    }
}

fn run(command: &Command, interrupt: &Interrupt) -> Outcome {
    match command {
        Command::Produce(args) => produce::run(args, interrupt),
        Command::Perf(args) => perf::run(args, interrupt),
        Command::Metadata(args) => metadata::run(args),
        Command::Mock(args) => mock::run(args, interrupt),
        Command::Settings(args) => settings::run(args),
    }
}
