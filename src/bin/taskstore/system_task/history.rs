//! `taskstore system-task history`.

use chrono::{DateTime, Utc};
use taskstore::{Run, TaskStore};
use uuid::Uuid;

use super::{state, told};
use crate::failure::Failure;
use crate::terminal::table::Table;
use crate::terminal::{print, time, width};

/// The most rows that are in memory at once.
const PAGE_ROWS: u32 = 500;

pub fn history(store: &TaskStore, uuid: Uuid) -> Result<(), Failure> {
    print(|out| {
        let mut table = Table::new(["RUN", "STATUS", "STARTED", "DURATION", "EVENTS", "EXPIRES"], width());
        let mut after = None;
        loop {
            let page = store.system_tasks().history(uuid, after.as_ref(), PAGE_ROWS)?;
            if page.items.is_empty() && after.is_none() {
                return Ok(writeln!(out, "No runs.")?);
            }
            let now = Utc::now();
            table.write(out, &page.items.iter().map(|run| row(run, now)).collect::<Vec<_>>())?;
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    })
}

fn row(run: &Run, now: DateTime<Utc>) -> [String; 6] {
    let expires = match (run.finished, run.expires) {
        (None, _) => "-".to_owned(),
        (Some(_), None) => "never".to_owned(),
        (Some(_), Some(expires)) => time::relative(expires, now),
    };
    let taken = run.duration.map_or_else(|| now - run.started, told);
    [
        run.id.to_string(),
        state(run).to_owned(),
        time::relative(run.started, now),
        time::duration(taken),
        run.event_count.to_string(),
        expires,
    ]
}
