//! Line after line, put where it belongs.

mod system_tasks;
mod tasks;

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::id_set::IdSet;
use super::lines::Found;
use super::members::{FirstLine, Line};
use super::{ImportProblem, ImportReport};
use crate::configuration::ConfigurationId;
use crate::export::{ExportReport, LastIds, VERSION};
use crate::limits::Limits;
use crate::sqlite::{self, Write};
use crate::system_task::RunId;
use crate::task::Level;
use crate::{Error, Result};

/// No store comes that far. Beyond `i64::MAX` SQLite gives no id at all, and a file must not lead there.
const ID_MAX: i64 = 1 << 62;

pub(super) struct Importer<'a, 'c> {
    limits: &'a Limits,
    write: &'a Write<'c>,
    /// The line that is looked at.
    line: u64,
    ended: bool,
    /// That every id is raised by.
    before: LastIds,
    /// Up to which no id is given again, also where nothing was added.
    after: LastIds,
    configurations: HashMap<ConfigurationId, Configuration>,
    tasks: IdSet,
    /// Of the store, with the key of a task that was left out.
    known_tasks: IdSet,
    system_tasks: BTreeMap<Uuid, SystemTask>,
    system_task_rows: HashSet<i64>,
    runs: IdSet,
    known_runs: IdSet,
    /// The task or run whose messages or events are coming.
    open: Option<Open>,
    counts: ExportReport,
    report: ImportReport,
}

/// A configuration of the export.
struct Configuration {
    /// Of the store.
    id: ConfigurationId,
    name: String,
    deleted_ns: Option<i64>,
    added: bool,
}

/// A system task of the export.
struct SystemTask {
    line: u64,
    row: i64,
    shown_run: Option<RunId>,
    shown_run_met: bool,
    /// The row of that run and its end.
    finished: Option<(i64, i64)>,
}

/// A task or run, with how many messages or events it is to have.
struct Open {
    kind: Kind,
    line: u64,
    id: i64,
    /// `None` if it is left out.
    row: Option<i64>,
    said: u64,
    found: u64,
    level_said: Option<Level>,
    level_found: Option<Level>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Task,
    Run,
}

impl Kind {
    fn entries(self) -> &'static str {
        match self {
            Self::Task => "messages",
            Self::Run => "events",
        }
    }
}

impl<'a, 'c> Importer<'a, 'c> {
    pub(super) fn new(limits: &'a Limits, write: &'a Write<'c>) -> Result<Self> {
        let before = sqlite::counters::last_ids(&write.read())?;
        Ok(Self {
            limits,
            write,
            line: 0,
            ended: false,
            before,
            after: before,
            configurations: HashMap::new(),
            tasks: IdSet::default(),
            known_tasks: IdSet::default(),
            system_tasks: BTreeMap::new(),
            system_task_rows: HashSet::new(),
            runs: IdSet::default(),
            known_runs: IdSet::default(),
            open: None,
            counts: ExportReport::default(),
            report: ImportReport { ids_raised_by: before, ..ImportReport::default() },
        })
    }

    pub(super) fn take(&mut self, found: Found<'_>) -> Result<()> {
        self.line += 1;
        let (line, whole) = match found {
            Found::Line(line) => (line, true),
            Found::Unended(line) => (line, false),
            Found::TooLong => {
                let bytes_max = super::line_bytes_max(self.limits);
                return Err(self.refusal(ImportProblem::LineTooLong { bytes_max }));
            }
        };
        if self.ended {
            let blank = line.trim_ascii().is_empty();
            return if blank { Ok(()) } else { Err(self.refusal(ImportProblem::BehindEnd)) };
        }
        let line = if self.line == 1 { self.first(line)? } else { line };
        let members = serde_json::from_slice(line).map_err(|error| {
            // The end of a number that was cut behind its sign, point or `e` is told as a wrong number.
            let is_at_end = error.is_eof() || error.column() >= line.len();
            self.refusal(if is_at_end && !whole { ImportProblem::Cut } else { unreadable(&error) })
        })?;
        self.put(members).map_err(|error| match error {
            Error::Damaged { source } if source.is_constraint() => self.refusal(ImportProblem::Refused { source }),
            other => other,
        })
    }

    /// The first line without a byte order mark, if it is of an export that we know.
    fn first<'b>(&self, line: &'b [u8]) -> Result<&'b [u8]> {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let first: FirstLine = serde_json::from_slice(line).map_err(|_| self.refusal(ImportProblem::NotAnExport))?;
        match first.version() {
            found if found > VERSION.into() => Err(self.refusal(ImportProblem::TooNew { found, newest: VERSION })),
            0 => Err(self.refusal(ImportProblem::NotAnExport)),
            _ => Ok(line),
        }
    }

    fn put(&mut self, line: Line<'_>) -> Result<()> {
        match line {
            Line::Messages(more) => {
                self.must_be_open(Kind::Task, more.task_id.get())?;
                return self.messages(&more.messages);
            }
            Line::Events(more) => {
                self.must_be_open(Kind::Run, more.run_id.get())?;
                return self.events(&more.events);
            }
            _ => self.close()?,
        }
        match line {
            Line::TaskstoreExport(header) if self.line == 1 => self.header(&header.last_ids),
            Line::TaskstoreExport(_) => self.refuse(ImportProblem::BehindEnd),
            Line::Configuration(configuration) => self.configuration(&configuration),
            Line::Task(task) => self.task(&task),
            Line::SystemTask(system_task) => self.system_task(&system_task),
            Line::Run(run) => self.run(&run),
            Line::End(said) => self.end(&said),
            // They were taken above.
            Line::Messages(_) | Line::Events(_) => Ok(()),
        }
    }

    fn header(&mut self, last: &LastIds) -> Result<()> {
        let after = |last: i64, before: i64, field| -> Result<i64> {
            let raised = if last == 0 { before } else { self.raised(field, last, before)? };
            // What is added moves the last id on by itself. Were it raised each time, stores that import each other would
            // run out of ids though nothing is new.
            Ok(if before == 0 { raised } else { before })
        };
        self.after = LastIds {
            configuration: after(last.configuration, self.before.configuration, "configuration")?,
            task: after(last.task, self.before.task, "task")?,
            run: after(last.run, self.before.run, "run")?,
        };
        Ok(())
    }

    /// Counts a message or event, which must be the next one, and gives where it belongs.
    fn next_entry(&mut self, seq: u64) -> Result<(Option<i64>, i64)> {
        let Some(open) = &mut self.open else { return Ok((None, 0)) };
        let next = open.found + 1;
        if seq == next
            && let Ok(number) = i64::try_from(seq)
        {
            open.found = next;
            return Ok((open.row, number));
        }
        let problem = "must count the entries from 1 without a gap";
        self.valid(Err(Error::Invalid { field: "seq", problem })).map(|()| (None, 0))
    }

    fn must_be_open(&self, kind: Kind, id: i64) -> Result<()> {
        match &self.open {
            Some(open) if open.kind == kind && open.id == id => Ok(()),
            _ => {
                let (field, problem) = match kind {
                    Kind::Task => ("task_id", "must be that of the task before"),
                    Kind::Run => ("run_id", "must be that of the run before"),
                };
                self.valid(Err(Error::Invalid { field, problem }))
            }
        }
    }

    /// The task or run before is whole.
    fn close(&mut self) -> Result<()> {
        let Some(Open { kind, line, said, found, level_said, level_found, .. }) = self.open.take() else {
            return Ok(());
        };
        let refuse = |source| Err(Error::ImportRefused { line, source });
        if said != found {
            return refuse(ImportProblem::Count { what: kind.entries(), said, found });
        }
        if level_said != level_found {
            let problem = "must be the highest level of the messages, if that is warn or error";
            let invalid = Error::Invalid { field: "level_reached", problem };
            return refuse(ImportProblem::Invalid(Box::new(invalid)));
        }
        Ok(())
    }

    fn end(&mut self, said: &ExportReport) -> Result<()> {
        let found = self.counts;
        for (what, said, found) in [
            ("configurations", said.configurations, found.configurations),
            ("tasks", said.tasks, found.tasks),
            ("messages", said.messages, found.messages),
            ("system tasks", said.system_tasks, found.system_tasks),
            ("runs", said.runs, found.runs),
            ("events", said.events, found.events),
        ] {
            if said != found {
                return self.refuse(ImportProblem::Count { what, said, found });
            }
        }
        self.ended = true;
        Ok(())
    }

    /// All lines were taken.
    pub(super) fn finish(self) -> Result<ImportReport> {
        if self.line == 0 {
            return Err(Error::ImportRefused { line: 1, source: ImportProblem::NotAnExport });
        }
        if !self.ended {
            return Err(self.refusal(ImportProblem::Cut));
        }
        self.show_runs()?;
        sqlite::counters::raise(self.write, &self.after)?;
        Ok(self.report)
    }

    /// The id of the store for one of the export.
    fn raised(&self, field: &'static str, id: i64, by: i64) -> Result<i64> {
        let max = ID_MAX.saturating_sub(by);
        if (1..=max).contains(&id) {
            return Ok(id + by);
        }
        self.valid(Err(Error::OutOfRange { field, value: id.to_string(), min: 1, max })).map(|()| 0)
    }

    /// Only the index of keys can refuse an entry whose number is the next.
    fn refuse_key(&self, what: &'static str, key: Option<&str>, put: Result<()>) -> Result<()> {
        match (put, key) {
            (Err(Error::Damaged { source }), Some(key)) if source.is_constraint() => self.duplicate(what, key),
            (put, _) => put,
        }
    }

    fn valid(&self, checked: Result<()>) -> Result<()> {
        checked.map_err(|error| self.refusal(ImportProblem::Invalid(Box::new(error))))
    }

    fn duplicate(&self, what: &'static str, value: impl ToString) -> Result<()> {
        self.refuse(ImportProblem::Duplicate { what, value: value.to_string() })
    }

    fn missing(&self, what: &'static str, value: impl ToString) -> Result<()> {
        self.refuse(ImportProblem::Missing { what, value: value.to_string() })
    }

    fn refuse(&self, problem: ImportProblem) -> Result<()> {
        Err(self.refusal(problem))
    }

    fn refusal(&self, source: ImportProblem) -> Error {
        Error::ImportRefused { line: self.line, source }
    }
}

/// The text of serde_json without its end, which counts lines of one line.
fn unreadable(error: &serde_json::Error) -> ImportProblem {
    let (text, column) = (error.to_string(), error.column());
    let place = format!(" at line {} column {column}", error.line());
    ImportProblem::Unreadable { text: text.strip_suffix(&place).unwrap_or(&text).to_owned(), column }
}
