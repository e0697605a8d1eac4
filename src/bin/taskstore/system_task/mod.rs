//! `taskstore system-task list`, `show`, `history` and `clean`.

mod history;
mod list;
mod show;

use std::path::Path;

use taskstore::{CleanReport, Run};

use crate::arguments::system_task::SystemTaskVerb;
use crate::database;
use crate::failure::Failure;
use crate::terminal::print;

pub fn perform(db: &Path, verb: SystemTaskVerb) -> Result<(), Failure> {
    match verb {
        // What runs a command ends as the command does: `main` sees to that.
        SystemTaskVerb::Run(_) => Ok(()),
        SystemTaskVerb::List(arguments) => list::list(&database::open_to_read(db)?, &arguments),
        SystemTaskVerb::Show { uuid, json } => show::show(&database::open_to_read(db)?, uuid, json),
        SystemTaskVerb::History { uuid } => history::history(&database::open_to_read(db)?, uuid),
        SystemTaskVerb::Clean => clean(db),
    }
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
