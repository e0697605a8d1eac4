//! The command line program: people and scripts record tasks with it, and read them.

mod arguments;
mod configuration;
mod database;
mod export;
mod failure;
mod list;
mod prune;
mod run;
mod serve;
mod show;
mod stats;
mod system_task;
mod terminal;
mod token;
mod user;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Verb};
use failure::Failure;

/// What a usage error exits with, as clap has it.
const USAGE_ERROR: u8 = 2;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Help and the version are no errors, and go to stdout.
        Err(asked) if !asked.use_stderr() => asked.exit(),
        Err(error) => return usage_error(&error),
    };
    match perform(arguments) {
        Ok(code) => code,
        // Whoever read our output has seen enough, as `head` has.
        Err(failure) if failure.is_closed_output() => ExitCode::SUCCESS,
        Err(Failure::Usage(error)) => usage_error(&error),
        Err(failure) => {
            terminal::complain(&failure.line());
            ExitCode::FAILURE
        }
    }
}

fn usage_error(error: &clap::Error) -> ExitCode {
    // The text repeats what was typed, which may have come from anywhere.
    terminal::complain(&terminal::text::harmless_lines(error.to_string().trim_end(), ""));
    ExitCode::from(USAGE_ERROR)
}

fn perform(Arguments { db, verb }: Arguments) -> Result<ExitCode, Failure> {
    match verb {
        Verb::Configuration(verb) => configuration::perform(&db, verb)?,
        Verb::Start(start) => verbs::start(&db, start)?,
        Verb::Message(message) => verbs::message(&db, message)?,
        Verb::Progress(progress) => verbs::progress(&db, progress)?,
        Verb::Finish { id } => verbs::finish(&db, id)?,
        Verb::Fail { id, reason } => verbs::fail(&db, id, reason)?,
        Verb::Dismiss { ids, by } => verbs::dismiss(&db, &ids, by)?,
        Verb::Restore { ids } => verbs::restore(&db, &ids)?,
        Verb::List(list) => list::list(&db, list)?,
        Verb::Export(filter) => export::export(&db, filter)?,
        Verb::Show(show) => show::show(&db, show)?,
        Verb::Prune(arguments) => return prune::prune(&db, &arguments),
        Verb::Stats(arguments) => stats::stats(&db, &arguments)?,
        Verb::Run(run) => return run::run(&db, run),
        Verb::Serve(arguments) => serve::serve(&db, arguments)?,
        Verb::Token(verb) => token::perform(verb)?,
        Verb::SystemTask(verb) => return system_task::perform(&db, verb),
    }
    Ok(ExitCode::SUCCESS)
}
