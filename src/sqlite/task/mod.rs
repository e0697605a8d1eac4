//! The statements of tasks.

mod read;
mod stream;
mod write;

pub(crate) use read::{get, list, messages};
pub(crate) use stream::{MessageRow, TaskRow, each_message, each_task, one_task};
pub(crate) use write::{delete, dismiss, dismiss_all, end, message, progress, restore, start};

use crate::Error;
use crate::task::TaskId;

/// The refusal of an id that names no task.
fn not_found(id: TaskId) -> Error {
    Error::NotFound { what: "task", id: id.get() }
}
