//! Whether a file is as it should be.

use std::fmt;
use std::ops::ControlFlow;

use uuid::Uuid;

use crate::configuration::ConfigurationId;
use crate::system_task::RunId;
use crate::task::{Level, TaskCounts, TaskId};
use crate::{Result, TaskStore, sqlite};

/// Something that [`TaskStore::check`] has found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The file is damaged, or a row breaks a rule of `schema.sql`. Copy what can be read, or go back to a backup.
    Damage {
        /// What SQLite says, for a developer.
        text: String,
    },
    /// A row refers to one that is not there.
    Reference {
        /// The row's table.
        table: String,
        /// The row, where it has a number.
        row: Option<i64>,
        /// The table that it refers to.
        refers_to: String,
    },
    /// The kept counts of a configuration's tasks, or of the tasks of none, are not those of a full count: another
    /// program has changed tasks. [`TaskStore::recount`] mends it.
    TaskCounts {
        /// The configuration; `None` for the tasks of none.
        configuration: Option<ConfigurationId>,
        /// What [`TaskStore::counts`] builds on.
        kept: TaskCounts,
        /// What there is.
        counted: TaskCounts,
    },
    /// The messages of a task, or the events of a run, are not numbered from 1 to their count: another program has
    /// added or deleted some.
    Numbering {
        /// `"task"` or `"run"`.
        what: &'static str,
        /// Its id.
        id: i64,
        /// How many it says that it has, which is also the number of the last.
        kept: i64,
        /// How many there are.
        counted: i64,
    },
    /// A task does not tell the highest level of its messages: another program has added, changed or deleted some.
    LevelReached {
        /// The task.
        task: TaskId,
        /// What it says: [`Task::level_reached`](crate::Task::level_reached).
        kept: Option<Level>,
        /// What its messages say.
        found: Option<Level>,
    },
    /// A system task shows a run that it must not show: one of another system task, one in progress, or a successful one
    /// that is [shown on failure only](crate::RunOptions::only_on_failure). Another program has changed it.
    ShownRun {
        /// The system task.
        system_task: Uuid,
        /// The run.
        run: RunId,
    },
    /// A run that has ended expires before its end, or not as long after it as it was to be kept: another program has
    /// changed it. Clean-up goes by the wrong time.
    Expiry {
        /// The run.
        run: RunId,
    },
    /// The highest id of a table is not known to SQLite as one that was given: ids of deleted rows may be given again.
    Ids {
        /// The table.
        table: String,
    },
    /// A table or an index is missing, or is not defined as in `schema.sql`: what that promises of every row may not be
    /// kept, and a query may be slow.
    Definition {
        /// Its name.
        name: String,
    },
}

/// How far [`TaskStore::check_with`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckProgress {
    /// What is looked at next, in a few words; empty at the end.
    pub step: &'static str,
    /// How many steps are done. They differ in length: the first reads the whole file.
    pub done: usize,
    /// How many steps there are.
    pub total: usize,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damage { text } => write!(f, "damage: {text}"),
            Self::Reference { table, row: Some(row), refers_to } => {
                write!(f, "row {row} of {table} refers to a {refers_to} that is not there")
            }
            Self::Reference { table, row: None, refers_to } => {
                write!(f, "a row of {table} refers to a {refers_to} that is not there")
            }
            Self::TaskCounts { configuration: Some(id), .. } => {
                write!(f, "the counts of the tasks of configuration {id} are wrong; a recount mends them")
            }
            Self::TaskCounts { configuration: None, .. } => {
                f.write_str("the counts of the tasks without a configuration are wrong; a recount mends them")
            }
            Self::Numbering { what, id, kept, counted } => {
                write!(f, "{what} {id} says that it has {kept} entries, and has {counted}, or their numbers have a gap")
            }
            Self::ShownRun { system_task, run } => {
                write!(f, "system task {system_task} shows run {run}, which is not one that it may show")
            }
            Self::Expiry { run } => write!(f, "run {run} does not expire when it should"),
            Self::Ids { table } => write!(f, "ids of deleted rows of {table} may be given again"),
            Self::Definition { name } => write!(f, "{name} is missing or is not defined as it should be"),
            Self::LevelReached { task, kept, found } => {
                let name = |level: &Option<Level>| level.map_or("no warning", Level::as_str);
                write!(f, "task {task} says that its messages reach {}, and they reach {}", name(kept), name(found))
            }
        }
    }
}

impl TaskStore {
    /// Looks for damage and for what breaks the rules of the store, on one snapshot: every page and index, the definition
    /// of every table, every constraint and reference, the kept [counts](Self::counts) against a full count, the numbers of
    /// messages and events, the level that the messages of each task reach, what system tasks show and when their runs
    /// expire. Nothing is found in a sound file. At most a hundred findings of a kind are given.
    ///
    /// It reads the whole file, some seconds a gigabyte, and holds up nobody (in memory, everybody). It changes nothing.
    /// No checksum is stored: a text or a number that the disk has changed into another one that could stand there is
    /// not found.
    ///
    /// # Errors
    ///
    /// The [errors of reading](TaskStore#errors-of-reading), except that damage is a finding.
    ///
    /// # Example
    ///
    /// ```
    /// let store = taskstore::TaskStore::open_in_memory()?;
    /// assert_eq!(store.check()?, []);
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn check(&self) -> Result<Vec<Finding>> {
        self.check_with(|_| ControlFlow::Continue(()))
    }

    /// The same, telling `progress` before each step how far it is, and at the end. A `Break` stops it there.
    ///
    /// # Errors
    ///
    /// Those of [`check`](Self::check), and [`Stopped`](crate::Error::Stopped) after a `Break`.
    ///
    /// # Example
    ///
    /// ```
    /// use std::ops::ControlFlow;
    ///
    /// let store = taskstore::TaskStore::open_in_memory()?;
    /// let findings = store.check_with(|progress| {
    ///     println!("{} of {}: {}", progress.done, progress.total, progress.step);
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!(findings, []);
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn check_with(&self, mut progress: impl FnMut(CheckProgress) -> ControlFlow<()>) -> Result<Vec<Finding>> {
        self.database().check(|read| sqlite::check(read, &mut progress))
    }

    /// Counts all tasks anew, in one transaction that reads all of them: after another program has changed tasks, which
    /// [`check`](Self::check) finds. The store's own verbs keep the counts right.
    ///
    /// # Errors
    ///
    /// The [errors of writing](TaskStore#errors-of-writing).
    ///
    /// # Example
    ///
    /// ```
    /// let store = taskstore::TaskStore::open_in_memory()?;
    /// store.recount()?;
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn recount(&self) -> Result<()> {
        self.database().write(sqlite::task::recount)
    }
}
