//! The system-task API: `GET /api/v3/events/system_tasks/` and `GET /api/v3/events/system_tasks/{uuid}/`, as authentik
//! published them from 2024.6 to 2025.6.
//!
//! The last finished run of a system task is what is shown. Beyond the published behaviour: the uuid is always the last
//! sort key, so that pages neither repeat nor miss a row; a registered task that never ran has a message of level info.
//!
//! # Example
//!
//! ```
//! use taskstore::TaskStore;
//! use taskstore::wire::system_task_api::{ListRequest, write_list};
//!
//! let store = TaskStore::open_in_memory()?;
//! store.system_tasks().start("fetch_mail", None)?.finish()?;
//!
//! let request = ListRequest::parse([("status", "successful"), ("page_size", "20")])?;
//! let mut answer = Vec::new();
//! write_list(&store, &request, &mut answer)?;
//! assert!(answer.starts_with(br#"{"pagination":{"next":0,"previous":0,"count":1,"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod refusal;
mod request;
mod stream;

pub use answer::{LogEvent, SystemTask, SystemTaskList};
pub use refusal::Refusal;
#[cfg(feature = "http")]
pub(crate) use request::PAGE_SIZE;
pub use request::{ListRequest, RetrieveRequest, parse_uuid};
pub use stream::{write_list, write_system_task};
