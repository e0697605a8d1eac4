//! The command line program: people and scripts record tasks with it, and read them.

mod arguments;
mod backup;
mod check;
mod configuration;
mod database;
mod export;
mod failure;
mod import;
mod list;
mod prune;
mod recover;
mod run;
mod serve;
mod show;
mod simulate;
mod stats;
mod system_task;
mod terminal;
mod token;
mod user;
mod verbs;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use signal_hook::consts::SIGXFSZ;
use taskstore::Error;

use arguments::{Arguments, Verb};
use failure::Failure;

/// What a usage error exits with, as clap has it.
const USAGE_ERROR: u8 = 2;

/// What a shell says of a command that Ctrl-C has ended.
const STOPPED: u8 = 130;

fn main() -> ExitCode {
    outlive_the_limit_on_the_size_of_a_file();
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
            match failure {
                Failure::Interrupted { .. } | Failure::Store(Error::Stopped { .. }) => ExitCode::from(STOPPED),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// Without this a write past that limit (`ulimit -f`) kills us, and a command's record with us; so it is an error like that
/// of a full disk. A handler that does nothing serves better than to ignore the signal: what we start would inherit that.
fn outlive_the_limit_on_the_size_of_a_file() {
    for signal in run::signals::heeded([SIGXFSZ]) {
        // Where it cannot be caught, all is as it was.
        let _ = signal_hook::flag::register(signal, Arc::default());
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
        Verb::Import(import) => import::import(&db, &import)?,
        Verb::Show(show) => show::show(&db, show)?,
        Verb::Simulate(arguments) => simulate::simulate(&db, &arguments)?,
        Verb::Check => return check::check(&db),
        Verb::Backup { destination } => backup::backup(&db, &destination)?,
        Verb::Prune(arguments) => return prune::prune(&db, &arguments),
        Verb::Stats(arguments) => stats::stats(&db, &arguments)?,
        Verb::Run(run) => return run::run(&db, run),
        Verb::Serve(arguments) => serve::serve(&db, arguments)?,
        Verb::Recover => recover::recover(&db)?,
        Verb::Token(verb) => token::perform(verb)?,
        Verb::SystemTask(verb) => return system_task::perform(&db, verb),
    }
    Ok(ExitCode::SUCCESS)
}
