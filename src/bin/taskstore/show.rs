//! `taskstore show`.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use taskstore::wire::task_api::{DismissedMember, write_task};
use taskstore::{ChangeToken, Message, Outcome, Progress, Task, TaskId, TaskStore};

use crate::arguments::ShowArguments;
use crate::database::{self, Recovery};
use crate::failure::Failure;
use crate::terminal::text::{harmless, harmless_lines, or_dash};
use crate::terminal::{print, stream, time};

/// The most messages that are in memory at once; each may be 1 MiB.
const PAGE_ROWS: u32 = 64;
/// How long `--follow` waits for news until it looks whether anybody still reads what it prints.
const WAIT: Duration = Duration::from_millis(200);
/// How long it leaves the store alone after each news: others may write without a pause.
const PAUSE_MS: u16 = 20;

pub fn show(db: &Path, arguments: ShowArguments) -> Result<(), Failure> {
    let store = database::open_to_read(db)?;
    let id = arguments.id;
    match (arguments.json, arguments.follow) {
        (false, follow) => show_to_people(&store, Recovery::new(&store, db), id, follow, arguments.tail),
        (true, false) => show_as_json(&store, id),
        (true, true) => {
            let mut recovery = Recovery::new(&store, db);
            let mut token = store.change_token()?;
            while store.task(id)?.outcome.is_none() {
                token = wait_for_news(&store, &mut recovery, token)?;
            }
            show_as_json(&store, id)
        }
    }
}

fn show_as_json(store: &TaskStore, id: TaskId) -> Result<(), Failure> {
    stream(|out| {
        write_task(store, id, DismissedMember::HiddenBy, &mut *out)?;
        Ok(writeln!(out)?)
    })
}

fn show_to_people(
    store: &TaskStore,
    mut recovery: Recovery<'_>,
    id: TaskId,
    follow: bool,
    tail: Option<u64>,
) -> Result<(), Failure> {
    print(|out| {
        // Before all reading, so that nothing comes unseen between that and the wait.
        let mut token = follow.then(|| store.change_token()).transpose()?;
        let mut task = store.task(id)?;
        let was_in_progress = task.outcome.is_none();
        write_heading(out, &task, Utc::now())?;
        // The count is also the number of the last one.
        let first = tail.map_or(0, |tail| task.message_count.saturating_sub(tail));
        let mut seen = write_messages(store, &task, first, first, out)?;
        while task.outcome.is_none()
            && let Some(before) = token
        {
            out.flush()?;
            token = Some(wait_for_news(store, &mut recovery, before)?);
            // The task first: one that has ended says nothing more, so that its last message is not missed.
            task = store.task(id)?;
            seen = write_messages(store, &task, first, seen, out)?;
        }
        if follow && was_in_progress {
            writeln!(out, "{} after {}", outcome(&task), time::duration(taken(&task, Utc::now())))?;
        }
        Ok(())
    })
}

/// Waits until there may be news since `seen`, or fails if our output is closed: a silent task would keep us for ever.
fn wait_for_news(store: &TaskStore, recovery: &mut Recovery<'_>, seen: ChangeToken) -> Result<ChangeToken, Failure> {
    loop {
        pause_while_output_is_open()?;
        // Whoever was to end the task may have ended.
        recovery.look();
        if let Some(token) = store.wait_for_change(seen, WAIT)? {
            return Ok(token);
        }
    }
}

fn pause_while_output_is_open() -> Result<(), Failure> {
    let stdout = io::stdout();
    // No event is asked for, so that only the errors of the output end the pause early.
    let mut output = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
    match poll(&mut output, PollTimeout::from(PAUSE_MS)) {
        Ok(1..) => Err(Failure::Output { source: io::ErrorKind::BrokenPipe.into() }),
        _ => Ok(()),
    }
}

fn write_heading(out: &mut dyn Write, task: &Task, now: DateTime<Utc>) -> io::Result<()> {
    let when = |then| format!("{} ({})", time::absolute(then), time::relative(then, now));
    let mut line = |name: &str, text: &str| writeln!(out, "{name:<15}{text}");
    line("Task:", &task.id.to_string())?;
    line("Title:", &harmless(&task.title))?;
    line("State:", outcome(task))?;
    if let (Some(user), Some(then)) = (&task.dismissed_by, task.dismissed) {
        line("Dismissed:", &format!("by {}, {}", harmless(user), when(then)))?;
    }
    line("Performed by:", &or_dash(harmless(&task.performed_by)))?;
    line("Configuration:", &configuration(task))?;
    line("Started:", &when(task.started))?;
    line("Finished:", &task.finished.map_or_else(|| "-".to_owned(), when))?;
    line("Duration:", &time::duration(taken(task, now)))?;
    if let Some(made) = &task.progress {
        line("Progress:", &progress(made))?;
    }
    line("Messages:", &task.message_count.to_string())
}

/// What happened, whether the task was dismissed afterwards or not.
pub fn outcome(task: &Task) -> &'static str {
    match task.outcome {
        None => "in progress",
        Some(Outcome::Finished) => "finished",
        Some(Outcome::Failed) => "failed",
        Some(Outcome::Interrupted) => "interrupted",
    }
}

fn configuration(task: &Task) -> String {
    match task.configuration_id {
        Some(id) => format!("{} (id {id})", harmless(&task.configuration_name)),
        None if task.configuration_name.is_empty() => "-".to_owned(),
        None => format!("{} (deleted)", harmless(&task.configuration_name)),
    }
}

/// How long the task took, or has taken until now.
fn taken(task: &Task, now: DateTime<Utc>) -> chrono::TimeDelta {
    task.finished.unwrap_or(now) - task.started
}

fn progress(Progress { done, total, phase, .. }: &Progress) -> String {
    let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
    let phase = phase.as_ref().map(|phase| format!(", {}", harmless(phase))).unwrap_or_default();
    format!("{done}{of}{phase}")
}

/// Writes the messages behind `seen`, with an empty line before those behind `first`, and gives the last one's number.
fn write_messages(
    store: &TaskStore,
    task: &Task,
    first: u64,
    mut seen: u64,
    out: &mut dyn Write,
) -> Result<u64, Failure> {
    // What is said meanwhile is not in the heading, and a task that talks on would keep us for ever.
    while seen < task.message_count {
        let left = u32::try_from(task.message_count - seen).unwrap_or(PAGE_ROWS);
        let messages = store.messages(task.id, seen, left.min(PAGE_ROWS))?;
        let Some(last) = messages.last() else { break };
        if seen == first {
            writeln!(out)?;
        }
        seen = last.seq;
        messages.iter().try_for_each(|message| write_message(out, message))?;
    }
    Ok(seen)
}

/// The lines of a longer text stand below its first one.
fn write_message(out: &mut dyn Write, message: &Message) -> io::Result<()> {
    let head = format!("{}  {:<5}  ", time::to_the_millisecond(message.time), message.level);
    let indent = " ".repeat(head.len());
    writeln!(out, "{head}{}", harmless_lines(&message.text, &indent))
}

#[cfg(test)]
mod tests {
    use taskstore::{Level, NewTask};

    use super::*;

    #[test]
    fn messages_are_shown_as_far_as_the_heading_counts_them() {
        let store = TaskStore::open_in_memory().unwrap();
        let id = store.start_detached(NewTask::new("talks")).unwrap();
        let say = |count: u32| (0..count).for_each(|_| store.message(id, Level::Info, "x").unwrap());
        say(PAGE_ROWS + 6);
        let task = store.task(id).unwrap();
        say(3);
        let mut out = Vec::new();
        let seen = write_messages(&store, &task, 60, 60, &mut out).unwrap();
        assert_eq!((seen, String::from_utf8(out).unwrap().lines().count()), (70, 1 + 10));
    }
}
