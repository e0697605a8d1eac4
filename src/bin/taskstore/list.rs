//! `taskstore list`.

use std::io::{self, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use taskstore::wire::task_api::{DismissedMember, write_task_list};
use taskstore::{Dismissed, Order, Outcome, Task, TaskFilter, TaskStore};

use crate::arguments::ListArguments;
use crate::database;
use crate::failure::Failure;
use crate::show::outcome;
use crate::terminal::table::Table;
use crate::terminal::text::{harmless, or_dash};
use crate::terminal::{must_be_read, print, stream, time, width};

/// The most rows that are in memory at once.
const PAGE_ROWS: u64 = 500;

pub fn list(db: &Path, arguments: ListArguments) -> Result<(), Failure> {
    let store = database::open_to_read(db)?;
    let ListArguments { filter, limit, json } = arguments;
    let filter = filter.filter();
    if json { list_as_json(&store, &filter) } else { print(|out| write_table(&store, filter, limit, out)) }
}

fn list_as_json(store: &TaskStore, filter: &TaskFilter) -> Result<(), Failure> {
    stream(|out| {
        write_task_list(store, filter, DismissedMember::HiddenBy, &mut *out)?;
        Ok(writeln!(out)?)
    })
}

/// Page by page, also where one is short or empty because the time for looking for a text was over.
fn write_table(store: &TaskStore, mut filter: TaskFilter, limit: u64, out: &mut dyn Write) -> Result<(), Failure> {
    let mut table = Table::new(["ID", "STATE", "STARTED", "BY", "CONFIGURATION", "TITLE"], width());
    let mut left = limit;
    while left > 0 {
        filter.limit = u32::try_from(left.min(PAGE_ROWS)).unwrap_or(1);
        let page = store.list(&filter)?;
        if !page.items.is_empty() {
            let now = Utc::now();
            table.write(out, &page.items.iter().map(|task| row(task, now)).collect::<Vec<_>>())?;
            left = left.saturating_sub(u64::try_from(page.items.len()).unwrap_or(PAGE_ROWS));
        }
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            break;
        }
        // What was found so far is shown while the search goes on.
        out.flush()?;
        must_be_read()?;
    }
    match left {
        0 if filter.cursor.is_some() => Ok(writeln!(out, "The first {limit}; --limit shows more.")?),
        _ if left == limit => Ok(say_that_it_is_empty(out, &filter)?),
        _ => Ok(()),
    }
}

fn say_that_it_is_empty(out: &mut dyn Write, filter: &TaskFilter) -> io::Result<()> {
    let ended = [Outcome::Finished, Outcome::Failed, Outcome::Interrupted];
    let may_have_ended = ended.into_iter().any(|outcome| filter.outcomes.contains(Some(outcome)))
        && filter.order != Order::LongestRunning
        && filter.running_longer_than.is_none();
    if may_have_ended && filter.dismissed == Dismissed::Hidden && filter.dismissed_by.is_none() {
        writeln!(out, "No tasks; --dismissed included shows dismissed ones also.")
    } else {
        writeln!(out, "No tasks.")
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

/// What happened, and who has put it away: told apart by words, never by a colour.
fn state(task: &Task) -> String {
    match &task.dismissed_by {
        Some(user) => format!("{}, dismissed by {}", outcome(task), harmless(user)),
        None => outcome(task).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use taskstore::NewTask;

    use super::*;

    /// The titles in the table of a search that has time for no more than one task a page.
    fn found(store: &TaskStore, text: &str, limit: u64) -> Vec<String> {
        let filter = TaskFilter::new().text(text).search_time_max(Duration::ZERO);
        let mut out = Vec::new();
        write_table(store, filter, limit, &mut out).unwrap();
        let table = String::from_utf8(out).unwrap();
        table.lines().map(|line| line.rsplit("  ").next().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_search_is_complete_though_its_pages_are_short_or_empty() {
        let store = TaskStore::open_in_memory().unwrap();
        for title in ["apple", "pear", "pear", "apple tree", "pear", "Apple pie", "plum"] {
            store.start_detached(NewTask::new(title)).unwrap();
        }
        assert_eq!(found(&store, "apple", 50), ["TITLE", "Apple pie", "apple tree", "apple"]);
        let more = "The first 2; --limit shows more.";
        assert_eq!(found(&store, "apple", 2), ["TITLE", "Apple pie", "apple tree", more]);
        assert_eq!(found(&store, "cherry", 50), ["No tasks; --dismissed included shows dismissed ones also."]);
    }
}
