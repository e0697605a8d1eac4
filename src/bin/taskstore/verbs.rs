//! The verbs that write: quiet when they succeed, but for the id of what is new.

use std::path::Path;

use taskstore::{NewTask, Progress, TaskId};

use crate::arguments::{MessageArguments, ProgressArguments, StartArguments, TaskArguments};
use crate::database;
use crate::failure::Failure;
use crate::terminal::print;
use crate::user::login_user;

pub fn start(db: &Path, StartArguments { task, key }: StartArguments) -> Result<(), Failure> {
    let mut task = new_task(task);
    task.key = key;
    let id = database::open_or_create(db)?.start_detached(task)?;
    print(|out| Ok(writeln!(out, "{id}")?))
}

/// The task that the options of `start` and `run` describe.
pub fn new_task(arguments: TaskArguments) -> NewTask {
    let user = arguments.performed_by.unwrap_or_else(login_user);
    let task = NewTask::new(arguments.title).performed_by(user);
    match arguments.configuration {
        Some(id) => task.configuration(id),
        None => task,
    }
}

pub fn message(db: &Path, MessageArguments { id, text, level, key }: MessageArguments) -> Result<(), Failure> {
    let store = database::open_existing(db)?;
    let recorded = match key {
        Some(key) => store.message_once(id, key, level, text),
        None => store.message(id, level, text),
    };
    Ok(recorded?)
}

pub fn progress(db: &Path, arguments: ProgressArguments) -> Result<(), Failure> {
    let mut progress = Progress::new(arguments.done);
    progress.total = arguments.total;
    progress.phase = arguments.phase;
    Ok(database::open_existing(db)?.progress(arguments.id, &progress)?)
}

pub fn finish(db: &Path, id: TaskId) -> Result<(), Failure> {
    Ok(database::open_existing(db)?.finish(id)?)
}

pub fn fail(db: &Path, id: TaskId, reason: Option<String>) -> Result<(), Failure> {
    Ok(database::open_existing(db)?.fail(id, reason.unwrap_or_default())?)
}

pub fn dismiss(db: &Path, ids: &[TaskId], by: Option<String>) -> Result<(), Failure> {
    let by = by.unwrap_or_else(login_user);
    let store = database::open_existing(db)?;
    Ok(store.batch(|batch| ids.iter().try_for_each(|id| batch.dismiss(*id, by.as_str())))?)
}

pub fn restore(db: &Path, ids: &[TaskId]) -> Result<(), Failure> {
    let store = database::open_existing(db)?;
    Ok(store.batch(|batch| ids.iter().try_for_each(|id| batch.restore(*id)))?)
}
