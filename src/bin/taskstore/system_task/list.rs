//! `taskstore system-task list`.

use std::io::Write;

use chrono::{DateTime, Utc};
use taskstore::wire::system_task_api::{ListRequest, write_list};
use taskstore::{Error, SystemTask, TaskStore};

use super::told;
use crate::arguments::system_task::SystemTaskListArguments;
use crate::failure::Failure;
use crate::terminal::table::Table;
use crate::terminal::text::harmless;
use crate::terminal::{print, stream, time, width};

pub fn list(store: &TaskStore, arguments: &SystemTaskListArguments) -> Result<(), Failure> {
    let request = ListRequest::parse(parameters(arguments)).map_err(|_| no_such_page(&arguments.page))?;
    if arguments.json {
        return stream(|out| {
            write_list(store, &request, &mut *out)?;
            Ok(writeln!(out)?)
        });
    }
    let page = store.system_tasks().list_numbered(&request.filter.limit(arguments.page_size), request.page)?;
    print(|out| {
        if page.items.is_empty() {
            return Ok(writeln!(out, "No system tasks.")?);
        }
        let now = Utc::now();
        let mut table = Table::new(["UUID", "STATUS", "FINISHED", "DURATION", "NAME"], width());
        table.write(out, &page.items.iter().map(|task| row(task, now)).collect::<Vec<_>>())?;
        let place = page.pagination;
        if place.total_pages > 1 {
            let (start, end, count) = (place.start_index, place.end_index, place.count);
            writeln!(out, "{start} to {end} of {count}; page {} of {}", place.current, place.total_pages)?;
        }
        Ok(())
    })
}

/// The query that the arguments stand for: both ways to ask find the same.
fn parameters(arguments: &SystemTaskListArguments) -> Vec<(&'static str, String)> {
    let ordering: Vec<_> = arguments.ordering.iter().map(ToString::to_string).collect();
    [
        ("name", arguments.name.clone()),
        ("uid", arguments.uid.clone()),
        ("status", arguments.status.map(|status| status.to_string())),
        ("search", arguments.search.clone()),
        ("ordering", Some(ordering.join(","))),
        ("page", Some(arguments.page.clone())),
        ("page_size", Some(arguments.page_size.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

/// An argument holds no NUL and a status is checked before: what is left to refuse is the page.
fn no_such_page(page: &str) -> Failure {
    Error::OutOfRange { field: "page", value: page.to_owned(), min: 1, max: i64::MAX }.into()
}

fn row(task: &SystemTask, now: DateTime<Utc>) -> [String; 5] {
    let run = task.shown_run.as_ref();
    let dash = || "-".to_owned();
    [
        task.uuid.to_string(),
        run.map_or(task.status().as_str(), super::state).to_owned(),
        run.and_then(|run| run.finished).map_or_else(dash, |finished| time::relative(finished, now)),
        run.and_then(|run| run.duration).map_or_else(dash, |duration| time::duration(told(duration))),
        harmless(&task.full_name()),
    ]
}
