//! `taskstore prune`.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

use taskstore::{CleanReport, Dismissed, Outcomes, PruneReport, PruneStop, Retention};

use crate::STOPPED;
use crate::arguments::prune::PruneArguments;
use crate::database;
use crate::failure::Failure;
use crate::terminal::bar::Bar;
use crate::terminal::size::size;
use crate::terminal::{complain, interrupt, print};

pub fn prune(db: &Path, arguments: &PruneArguments) -> Result<ExitCode, Failure> {
    let retention = arguments.retention()?;
    if arguments.dry_run {
        let report = database::open_to_look(db)?.prune_dry_run(&retention)?;
        let bytes = format!("the file would be about {} smaller", size(report.bytes));
        tell("would delete", &report, &retention, &bytes)?;
        return Ok(ExitCode::SUCCESS);
    }
    let report = perform(db, &retention)?;
    tell("deleted", &report, &retention, &format!("the file is {} smaller", size(report.bytes)))?;
    let (why, code) = match report.stopped {
        None => return Ok(ExitCode::SUCCESS),
        Some(PruneStop::ReaderHeld) => (
            "somebody has been reading the file for long, so that no more can be written; try again later",
            ExitCode::FAILURE,
        ),
        Some(_) => ("another call goes on", ExitCode::from(STOPPED)),
    };
    complain(&format!("taskstore: stopped before all was done: {why}"));
    Ok(code)
}

fn perform(db: &Path, retention: &Retention) -> Result<PruneReport, Failure> {
    let store = database::open_existing(db)?;
    let interrupt = interrupt::watch()?;
    let bar = Bar::new("pruning");
    let report = store.prune_with(retention, |progress| {
        bar.set(progress.done, progress.total);
        if interrupt.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish();
    Ok(report?)
}

fn tell(deleted: &str, report: &PruneReport, retention: &Retention, bytes: &str) -> Result<(), Failure> {
    let of = |outcomes| report.tasks.of(outcomes, Dismissed::Included);
    let [finished, failed, interrupted] = [Outcomes::FINISHED, Outcomes::FAILED, Outcomes::INTERRUPTED].map(of);
    let (tasks, messages) = (finished + failed + interrupted, report.messages);
    let outcomes = format!("{finished} finished, {failed} failed, {interrupted} interrupted");
    print(|out| {
        if !retention.rules.is_empty() {
            writeln!(out, "{deleted} {tasks} tasks with {messages} messages: {outcomes}")?;
        }
        if retention.expired_runs {
            let CleanReport { runs, events, .. } = report.expired_runs;
            writeln!(out, "{deleted} {runs} expired runs with {events} events")?;
        }
        Ok(writeln!(out, "{bytes}")?)
    })
}
