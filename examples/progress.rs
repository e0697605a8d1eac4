//! A desktop-style program: work in a thread of its own, a progress bar in another, and the store in between:
//! `cargo run --example progress`.
//!
//! The thread that works records what it does, and knows nothing of any bar. The one that draws reads the store, so a window
//! that is opened later shows the same; one of another program too, where the bar moves once a second.

use std::error::Error;
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use taskstore::{NewTask, Outcome, Progress, RunningTask, Task, TaskId, TaskStore};

/// How often the bar moves. A commit wakes it sooner; progress, most of which is kept in memory, is not a commit.
const FRAME: Duration = Duration::from_millis(40);

/// What a step of the work takes. Here it is only waited for.
const STEP: Duration = Duration::from_millis(2);

fn main() -> Result<(), Box<dyn Error>> {
    // A real program names its file: TaskStore::open("tasks.db")?
    let store = TaskStore::open_temporary()?;

    let copied = in_background(&store, "Copy the photographs", copy, |_| false)?;
    assert_eq!((copied.outcome, copied.progress.map(|last| last.done)), (Some(Outcome::Finished), Some(200)));

    let failed = in_background(&store, "Publish the album", publish, |_| false)?;
    // How far it had come is kept, too.
    assert_eq!((failed.outcome, failed.progress.map(|last| last.done)), (Some(Outcome::Failed), Some(30)));

    // The user sees that this will take long, and presses a key.
    let cancelled = in_background(&store, "Find duplicates", find_duplicates, |done| done >= 100)?;
    let said = store.tail(cancelled.id, 1)?;
    assert_eq!(cancelled.outcome, Some(Outcome::Failed));
    assert_eq!(said.last().map(|last| last.text.as_str()), Some("cancelled by ann"));

    store.close()?;
    Ok(())
}

fn copy(task: RunningTask, _: &AtomicBool) -> taskstore::Result<()> {
    for photograph in 1..=200 {
        thread::sleep(STEP);
        task.progress(&Progress::new(photograph).of(200).phase("copying"))?;
    }
    task.info("copied 200 photographs")?;
    Ok(task.finish()?)
}

fn publish(task: RunningTask, _: &AtomicBool) -> taskstore::Result<()> {
    task.progress(&Progress::new(30).of(200).phase("sending"))?;
    task.warn("the server is slow")?;
    Ok(task.fail("the server has hung up")?)
}

/// Asks before each step whether it is still wanted, and says how it ended.
fn find_duplicates(task: RunningTask, is_cancelled: &AtomicBool) -> taskstore::Result<()> {
    for photograph in 1..=20_000 {
        if is_cancelled.load(SeqCst) {
            return Ok(task.fail("cancelled by ann")?);
        }
        thread::sleep(STEP);
        task.progress(&Progress::new(photograph).of(20_000).phase("comparing"))?;
    }
    Ok(task.finish()?)
}

/// Starts a task, does its work in a thread, and shows it until it has ended. `is_enough` is the user, who sees how much is
/// done, and may end it.
fn in_background(
    store: &TaskStore,
    title: &str,
    work: impl FnOnce(RunningTask, &AtomicBool) -> taskstore::Result<()> + Send,
    is_enough: impl Fn(u64) -> bool,
) -> Result<Task, Box<dyn Error>> {
    let task = store.start(NewTask::new(title).performed_by("ann"))?;
    let (id, is_cancelled) = (task.id(), AtomicBool::new(false));
    thread::scope(|scope| {
        let worker = scope.spawn(|| work(task, &is_cancelled));
        let ended = show(store, id, |done| is_cancelled.store(is_enough(done), SeqCst));
        worker.join().expect("the work does not panic")?;
        Ok(ended?)
    })
}

/// Draws a bar until the task has ended, and gives it as it is then.
fn show(store: &TaskStore, id: TaskId, mut drawn: impl FnMut(u64)) -> taskstore::Result<Task> {
    let target = if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg}").expect("the template is valid");
    let bar = ProgressBar::with_draw_target(None, target).with_style(style);

    // Before the first reading, so that no change between the two is missed.
    let mut token = store.change_token()?;
    loop {
        let task = store.task(id)?;
        bar.set_prefix(task.title.clone());
        if let Some(progress) = &task.progress {
            bar.set_length(progress.total.unwrap_or(progress.done));
            bar.set_position(progress.done);
            bar.set_message(progress.phase.clone().unwrap_or_default());
            drawn(progress.done);
        }
        if task.outcome.is_some() {
            bar.abandon_with_message(task.state().to_string());
            let last = store.tail(id, 1)?;
            println!("{}: {}, {}", task.title, task.state(), last.first().map_or("", |last| &last.text));
            return Ok(task);
        }
        token = store.wait_for_change(token, FRAME)?.unwrap_or(token);
    }
}
