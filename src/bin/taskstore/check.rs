//! `taskstore check`.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

use crate::database;
use crate::failure::Failure;
use crate::terminal::bar::Bar;
use crate::terminal::print;
use crate::terminal::text::harmless;

/// It only reads, so Ctrl-C may end it anywhere.
pub fn check(db: &Path) -> Result<ExitCode, Failure> {
    let store = database::open_to_look(db)?;
    let mut bar = Bar::new("");
    let findings = store.check_with(|progress| {
        // The steps differ too much in length for one line to tell all.
        std::mem::replace(&mut bar, Bar::new(progress.step)).finish();
        bar.set(count(progress.done), count(progress.total));
        ControlFlow::Continue(())
    })?;
    bar.finish();
    print(|out| {
        if findings.is_empty() {
            writeln!(out, "ok")?;
        }
        Ok(findings.iter().try_for_each(|finding| writeln!(out, "{}", harmless(&finding.to_string())))?)
    })?;
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn count(steps: usize) -> u64 {
    u64::try_from(steps).unwrap_or(u64::MAX)
}
