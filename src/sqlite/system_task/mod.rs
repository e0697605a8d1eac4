//! The statements of system tasks.

mod clean;
mod export;
mod import;
mod key;
mod list;
mod read;
mod stream;
#[cfg(feature = "testing")]
mod testing;
mod write;

pub(crate) use clean::{clean_expired, count_expired, expired_bytes};
pub(crate) use export::{ExportedEvents, IdentityRow, RunRow, each_run, each_system_task};
pub(crate) use import::{
    add, finished, import_event, import_run, merge, run_of_key, show, shown_finished, uuid_exists,
};
pub(crate) use list::{list, list_numbered};
pub(crate) use read::{events, find, get, history};
pub(crate) use stream::{EventRow, SystemTaskRow, each_event, each_on_page, one_system_task, page};
#[cfg(feature = "testing")]
pub(crate) use testing::{NamedRun, clean_run, in_progress, named_run, show_unless_last, shown};
#[cfg(test)]
pub(super) use write::statements_for_tests;
pub(crate) use write::{Event, RunEnd, RunStart, end, log, log_one, register, start};
