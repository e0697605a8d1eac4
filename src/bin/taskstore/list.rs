//! `taskstore list`.

use std::io::{self, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use taskstore::wire::task_api::{DismissedMember, ListRequest, write_list};
use taskstore::{ConfigurationFilter, Dismissed, Task, TaskFilter, TaskStore};

use crate::arguments::ListArguments;
use crate::database;
use crate::failure::Failure;
use crate::terminal::table::Table;
use crate::terminal::text::{harmless, or_dash};
use crate::terminal::{print, time, width};

/// The most rows that are in memory at once.
const PAGE_ROWS: u64 = 500;

pub fn list(db: &Path, arguments: ListArguments) -> Result<(), Failure> {
    let store = database::open_to_read(db)?;
    if arguments.json { list_as_json(&store, &arguments) } else { list_for_people(&store, &arguments) }
}

fn list_as_json(store: &TaskStore, arguments: &ListArguments) -> Result<(), Failure> {
    let request = ListRequest { configuration: arguments.configuration, show_hidden: arguments.show_hidden };
    print(|out| {
        write_list(store, request, DismissedMember::HiddenBy, &mut *out)?;
        Ok(writeln!(out)?)
    })
}

fn list_for_people(store: &TaskStore, arguments: &ListArguments) -> Result<(), Failure> {
    let dismissed = if arguments.show_hidden { Dismissed::Included } else { Dismissed::Hidden };
    let mut filter = TaskFilter::new().dismissed(dismissed);
    filter.configuration = arguments.configuration.map_or(ConfigurationFilter::Any, ConfigurationFilter::One);
    print(|out| {
        let mut table = Table::new(["ID", "STATE", "STARTED", "BY", "CONFIGURATION", "TITLE"], width());
        let mut left = arguments.limit;
        let mut nothing_yet = true;
        while left > 0 {
            let rows = left.min(PAGE_ROWS);
            filter.limit = u32::try_from(rows).unwrap_or(1);
            left -= rows;
            let page = store.list(&filter)?;
            if page.items.is_empty() && nothing_yet {
                return Ok(say_that_it_is_empty(out, arguments.show_hidden)?);
            }
            nothing_yet = false;
            let now = Utc::now();
            table.write(out, &page.items.iter().map(|task| row(task, now)).collect::<Vec<_>>())?;
            match page.next {
                Some(next) => filter.cursor = Some(next),
                None => break,
            }
        }
        Ok(())
    })
}

fn say_that_it_is_empty(out: &mut dyn Write, show_hidden: bool) -> io::Result<()> {
    if show_hidden {
        writeln!(out, "No tasks.")
    } else {
        writeln!(out, "No tasks; --show-hidden shows dismissed ones also.")
    }
}

fn row(task: &Task, now: DateTime<Utc>) -> [String; 6] {
    [
        task.id.to_string(),
        state(task),
        time::relative(task.started, now),
        or_dash(harmless(&task.performed_by)),
        or_dash(harmless(&task.configuration_name)),
        harmless(&task.title),
    ]
}

/// States are told apart by their words, never by a colour.
fn state(task: &Task) -> String {
    match &task.dismissed_by {
        Some(user) => format!("{} by {}", task.state(), harmless(user)),
        None => task.state().to_string(),
    }
}
