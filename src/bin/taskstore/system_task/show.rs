//! `taskstore system-task show`.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use taskstore::wire::system_task_api::{RetrieveRequest, write_system_task};
use taskstore::{LoggedEvent, Run, SystemTask, TaskStore};
use uuid::Uuid;

use super::{state, told};
use crate::failure::Failure;
use crate::terminal::text::{harmless, harmless_lines, or_dash};
use crate::terminal::{print, stream, time};

/// The most events that are in memory at once; each may be 1 MiB.
const PAGE_ROWS: u32 = 64;

pub fn show(store: &TaskStore, uuid: Uuid, json: bool) -> Result<(), Failure> {
    if json {
        return stream(|out| {
            write_system_task(store, &RetrieveRequest::new(uuid), &mut *out)?;
            Ok(writeln!(out)?)
        });
    }
    let task = store.system_tasks().retrieve(uuid)?;
    print(|out| {
        write_heading(out, &task, Utc::now())?;
        task.shown_run.as_ref().map_or(Ok(()), |run| write_events(store, run, out))
    })
}

fn write_heading(out: &mut dyn Write, task: &SystemTask, now: DateTime<Utc>) -> io::Result<()> {
    let when = |then| format!("{} ({})", time::absolute(then), time::relative(then, now));
    let mut line = |name: &str, text: &str| writeln!(out, "{name:<15}{text}");
    line("System task:", &harmless(&task.full_name()))?;
    line("UUID:", &task.uuid.to_string())?;
    line("Description:", &or_dash(harmless(&task.description)))?;
    line("Status:", task.shown_run.as_ref().map_or(task.status().as_str(), state))?;
    if let Some(registered) = task.registered {
        line("Registered:", &when(registered))?;
    }
    let Some(run) = &task.shown_run else { return Ok(()) };
    line("Run:", &run.id.to_string())?;
    line("Started:", &when(run.started))?;
    line("Finished:", &run.finished.map_or_else(|| "-".to_owned(), when))?;
    line("Duration:", &run.duration.map_or_else(|| "-".to_owned(), |taken| time::duration(told(taken))))?;
    line("Expires:", &run.expires.map_or_else(|| "never".to_owned(), when))?;
    line("Events:", &run.event_count.to_string())
}

fn write_events(store: &TaskStore, run: &Run, out: &mut dyn Write) -> Result<(), Failure> {
    let mut seen = 0;
    loop {
        let events = store.system_tasks().events(run.id, seen, PAGE_ROWS)?;
        let Some(last) = events.last() else { return Ok(()) };
        if seen == 0 {
            writeln!(out)?;
        }
        seen = last.seq;
        events.iter().try_for_each(|event| write_event(out, event))?;
    }
}

/// The lines of a longer text, and the attributes, stand below its first one.
fn write_event(out: &mut dyn Write, event: &LoggedEvent) -> io::Result<()> {
    let logger = harmless(&event.logger);
    let head = format!("{}  {:<9}  {logger}: ", time::to_the_millisecond(event.time), event.level);
    let indent = " ".repeat(time::to_the_millisecond(event.time).len() + 13);
    writeln!(out, "{head}{}", harmless_lines(&event.event, &indent))?;
    if event.attributes.as_str() == "{}" {
        return Ok(());
    }
    writeln!(out, "{indent}{}", harmless(event.attributes.as_str()))
}
