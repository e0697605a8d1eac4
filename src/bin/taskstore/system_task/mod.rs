//! `taskstore system-task`: `list`, `show`, `history`, `clean`, and `run` by way of the module that runs commands.

mod history;
mod list;
mod show;

use std::path::Path;
use std::process::ExitCode;

use taskstore::{CleanReport, Run};

use crate::arguments::system_task::SystemTaskVerb;
use crate::failure::Failure;
use crate::terminal::print;
use crate::{database, run};

pub fn perform(db: &Path, verb: SystemTaskVerb) -> Result<ExitCode, Failure> {
    match verb {
        SystemTaskVerb::Run(arguments) => return run::run_system_task(db, arguments),
        SystemTaskVerb::List(arguments) => list::list(&database::open_to_read(db)?, &arguments)?,
        SystemTaskVerb::Show { uuid, json } => show::show(&database::open_to_read(db)?, uuid, json)?,
        SystemTaskVerb::History { uuid } => history::history(&database::open_to_read(db)?, uuid)?,
        SystemTaskVerb::Clean => clean(db)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn clean(db: &Path) -> Result<(), Failure> {
    let CleanReport { runs, events, system_tasks, .. } = database::open_existing(db)?.clean_expired()?;
    print(|out| {
        let kept = "; what has not expired is kept";
        Ok(writeln!(
            out,
            "deleted {runs} runs with {events} events, and {system_tasks} system tasks without runs{kept}"
        )?)
    })
}

/// How a run went, or that it is not over.
fn state(run: &Run) -> &'static str {
    match (run.finished, run.interrupted, run.status) {
        (None, ..) => "in progress",
        (Some(_), true, _) => "interrupted",
        (Some(_), false, Some(status)) => status.as_str(),
        (Some(_), false, None) => "unknown",
    }
}

/// Rust's duration as the one that times are told in.
fn told(duration: std::time::Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(duration).unwrap_or(chrono::TimeDelta::MAX)
}
