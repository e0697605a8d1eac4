//! The statements of tasks.

mod access;
mod count;
mod import;
mod list;
mod messages;
pub(crate) mod prune;
mod read;
mod search;
mod stream;
mod write;

pub(super) use count::{CountChanges, check as check_counts};
pub(crate) use count::{counts, recount};
pub(crate) use import::{import, import_message, of_key};
pub(crate) use messages::{messages, messages_of, tail};
pub(crate) use read::{get, list};
pub(crate) use stream::{Messages, ProgressRow, ShownMessages, TaskRest, TaskRow, each_task, one_task};
pub(crate) use write::{Said, delete, dismiss, dismiss_all, end, message, progress, restore, set_progress, start};

use crate::Error;
use crate::task::TaskId;

/// The refusal of an id that names no task.
fn not_found(id: TaskId) -> Error {
    Error::NotFound { what: "task", id: id.get() }
}

/// Statements of one lifecycle with how often each runs in it.
#[cfg(test)]
pub(super) fn statements_for_tests() -> Vec<(String, i32)> {
    [
        write::statements_for_tests(),
        read::statements_for_tests(),
        list::statements_for_tests(),
        messages::statements_for_tests(),
    ]
    .concat()
}

/// Statements that read one task, or the messages of a list.
#[cfg(test)]
pub(super) fn reading_statements_for_tests() -> Vec<String> {
    let both = [read::statements_for_tests(), messages::statements_for_tests()].concat().into_iter();
    both.map(|(sql, _)| sql).chain([search::MESSAGES, stream::SHOWN_MESSAGES].map(str::to_owned)).collect()
}

#[cfg(test)]
pub(super) use count::COUNT;
#[cfg(test)]
pub(super) use list::statements_of_test;
#[cfg(test)]
pub(super) use write::message_statements_for_tests;
