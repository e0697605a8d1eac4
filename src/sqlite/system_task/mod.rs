//! The statements of system tasks.

mod clean;
mod key;
mod list;
mod read;
mod stream;
mod write;

pub(crate) use clean::{clean_expired, count_expired, expired_bytes};
pub(crate) use list::{list, list_numbered};
pub(crate) use read::{events, find, get, history};
pub(crate) use stream::{EventRow, SystemTaskRow, each_event, each_on_page, one_system_task, page};
#[cfg(test)]
pub(super) use write::statements_for_tests;
pub(crate) use write::{Event, RunEnd, RunStart, end, log, log_one, register, start};
