//! An export put into a store.

mod id_set;
mod importer;
mod lines;
pub(crate) mod members;

use std::io::BufRead;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::export::{LINE_BYTES, LastIds};
use crate::limits::Limits;
use crate::sqlite::EngineError;
use crate::{Error, Result, TaskStore};
use importer::Importer;
use lines::Lines;

/// What [`TaskStore::import`] has added, and what was there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImportReport {
    /// Configurations that were added, also deleted ones.
    pub configurations: u64,
    /// Tasks that were added.
    pub tasks: u64,
    /// Their messages.
    pub messages: u64,
    /// System tasks that were added.
    pub system_tasks: u64,
    /// Runs that were added.
    pub runs: u64,
    /// Their events.
    pub events: u64,
    /// Tasks that were left out, since the store has one of their key.
    pub known_tasks: u64,
    /// System tasks that the store had: the runs were added to those.
    pub known_system_tasks: u64,
    /// Runs that were left out, since their system task has one of their key.
    pub known_runs: u64,
    /// What was added to the ids: the last ones that the store had given. Where it never had any, which is 0, the ids are
    /// those of the export.
    pub ids_raised_by: LastIds,
}

/// What is wrong with a line of an import.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportProblem {
    /// The first line is not that of an export.
    #[error("it is not the first line of an export")]
    NotAnExport,

    /// The export was written by a newer version of this crate.
    #[error("the export has version {found}, but this program knows versions up to {newest}; use a newer one")]
    TooNew {
        /// The export's version.
        found: u64,
        /// The newest version that this crate reads.
        newest: u32,
    },

    /// The export ends here, without its last line, or in the midst of it.
    #[error("the export was cut here: it has no end")]
    Cut,

    /// There is something behind the last line of the export.
    #[error("it stands behind the end of the export")]
    BehindEnd,

    /// The line is longer than any that a store with these [`Limits`](crate::Limits) has written. It was not read to its
    /// end.
    #[error("it is longer than {bytes_max} bytes")]
    LineTooLong {
        /// The limit.
        bytes_max: usize,
    },

    /// The line is not JSON, or has a member, a kind or a value that an export does not have.
    #[error("{text}, at byte {column}")]
    Unreadable {
        /// What is wrong.
        text: String,
        /// Where in the line, from 1; 0 if that is not known.
        column: usize,
    },

    /// A member has a value that cannot be stored.
    #[error(transparent)]
    Invalid(Box<Error>),

    /// An id, a key, a uuid, or the name and uid of a system task stands twice in the export.
    #[error("{what} {value} was there before")]
    Duplicate {
        /// What it is.
        what: &'static str,
        /// The value.
        value: String,
    },

    /// The line refers to something that is in no line before it; for the shown run of a system task, in none at all.
    #[error("there is no {what} {value} in the export")]
    Missing {
        /// What is missing.
        what: &'static str,
        /// Its id or uuid.
        value: String,
    },

    /// The line says how much there is of something, and there is more or less. At the end of the export it may be a line
    /// that was lost.
    #[error("it says that there are {said} {what}, and there are {found}")]
    Count {
        /// What was counted.
        what: &'static str,
        /// What the line says.
        said: u64,
        /// What there is.
        found: u64,
    },

    /// The uuid of a new system task is that of another one of the store.
    #[error("the uuid {uuid} of {name:?} belongs to another system task of the store")]
    UuidTaken {
        /// The uuid.
        uuid: Uuid,
        /// The name of the one that was to be imported.
        name: String,
    },

    /// The schema refuses the row.
    #[error("a rule of the schema refuses it")]
    Refused {
        /// What SQLite said.
        source: EngineError,
    },
}

impl TaskStore {
    /// Adds what an [export](Self::export) holds, all of it or nothing: in one transaction, for which other writers wait,
    /// and by whose size the `-wal` grows until it is merged. It is read on the way, so give it a file rather than what
    /// comes slowly. Memory holds one line, which is at most some times the longest text of the [limits](crate::Limits) and
    /// a MiB, besides the configurations, the system tasks and where ids have gaps.
    ///
    /// Everything is as it was, to the nanosecond: times, ends, dismissals, progress, levels, keys, durations, expiry. In a
    /// store that never held anything the ids are the same, too, and none is given again that the exported store has ever
    /// given; in another, [so much](ImportReport::ids_raised_by) is added to each. There
    ///
    /// - configurations are added beside those of the same name, but for those none of whose tasks are new: a store that
    ///   has held configurations or tasks does without them;
    /// - a task whose key the store has is left out, and so is a run whose key its system task has;
    /// - a system task of the same name and uid is the same one: it keeps its uuid, and shows which run finished last. What
    ///   it does not tell itself (a description, a registration) is taken over.
    ///
    /// So what has keys can be imported again. What is in progress stays so until somebody ends it by its id.
    ///
    /// Line ends may be CRLF, a byte order mark is overlooked, and members that are `null` may be left out. To watch how far
    /// it is, or to end it, give it a reader of your own: where that fails, nothing was imported.
    ///
    /// # Errors
    ///
    /// [`ImportRefused`](Error::ImportRefused) with the line and what is wrong with it, [`Io`](Error::Io) if `reader` fails,
    /// and the [errors of writing](TaskStore#errors-of-writing). A call of the store by `reader` is
    /// [`InsideBatch`](Error::InsideBatch).
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{Error, NewTask, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// let id = store.start_detached(NewTask::new("Copy").key("copy of monday"))?;
    /// let mut lines = Vec::new();
    /// store.export(&mut lines)?;
    ///
    /// let other = TaskStore::open_in_memory()?;
    /// assert_eq!(other.import(lines.as_slice())?.tasks, 1);
    /// assert_eq!(other.import(lines.as_slice())?.known_tasks, 1);
    ///
    /// let half = &lines[..lines.len() / 2];
    /// assert!(matches!(other.import(half), Err(Error::ImportRefused { .. })));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn import(&self, reader: impl BufRead) -> Result<ImportReport> {
        let limits = &self.context().limits;
        self.database().batch(|write| {
            let mut lines = Lines::new(reader, line_bytes_max(limits));
            let mut importer = Importer::new(limits, write)?;
            while let Some(found) = lines.next().map_err(|source| Error::Io { action: "read the import", source })? {
                importer.take(found)?;
            }
            importer.finish()
        })
    }
}

/// No line of a store with these limits is longer: an entry behind a full line, each byte in the longest escape, or the head
/// of a line and one entry.
fn line_bytes_max(limits: &Limits) -> usize {
    const ESCAPED: usize = 6;
    const NAMES: usize = 12;
    const REST: usize = 64 << 10;
    let longest = |bytes: usize| bytes.min(Limits::TEXT_BYTES_MAX);
    let texts =
        [limits.title_bytes_max, limits.text_bytes_max, limits.description_bytes_max, limits.attributes_bytes_max]
            .map(longest);
    let names = limits.name_bytes_max.saturating_mul(NAMES);
    let all = texts.into_iter().fold(names, usize::saturating_add);
    all.saturating_mul(ESCAPED).saturating_add(LINE_BYTES + REST)
}
