//! The task API: `POST /task/list` and `POST /task/show`, and beside them `/task/dismiss`, `/task/restore` and
//! `/task/dismiss_all` in the same style.
//!
//! The published page is Dbvisit's "List tasks". Where it is silent: newest first; `show_hidden` shows dismissed
//! tasks *also*; times have always nine fraction digits; an interrupted task is `Failed`, and its last message says
//! why; a dismissed one is `Dismissed` whatever its outcome.
//!
//! Answers are read as other servers of this family write them, too: `null` for an empty list or for an absent member, and
//! `dismissed_by` for `hidden_by`.
//!
//! # Example
//!
//! ```
//! use taskstore::wire::task_api::{DismissedMember, ListRequest, write_list};
//! use taskstore::{NewTask, TaskStore};
//!
//! let store = TaskStore::open_in_memory()?;
//! store.start_detached(NewTask::new("Create standby").performed_by("ann"))?;
//!
//! let request = ListRequest::parse(br#"{"params":{"show_hidden":true}}"#)?;
//! let mut answer = Vec::new();
//! write_list(&store, request, DismissedMember::HiddenBy, &mut answer)?;
//! assert!(answer.starts_with(br#"{"result":{"tasks":[{"configuration_id":0,"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod refusal;
mod request;
#[cfg(feature = "http")]
mod schema;
mod stream;

pub use answer::{Answer, DismissedCount, Failure, Message, Task, TaskList};
pub use refusal::Refusal;
pub use request::{DismissAllRequest, ListRequest, TaskRequest};
pub use stream::{DismissedMember, write_dismissed_count, write_list, write_task, write_task_list};
