//! System tasks, and runs with their events.

use super::super::ImportProblem;
use super::super::members::{EventMembers, RunMembers, SystemTaskMembers};
use super::{Importer, Kind, Open, SystemTask};
use crate::{Error, Result, sqlite};

impl Importer<'_, '_> {
    pub(super) fn system_task(&mut self, members: &SystemTaskMembers<'_>) -> Result<()> {
        self.valid(members.check(self.limits))?;
        if self.system_tasks.contains_key(&members.uuid) {
            return self.duplicate("uuid", members.uuid);
        }
        let found = sqlite::system_task::find(&self.write.read(), &members.name, members.uid.as_deref())?;
        let row = match found {
            Some((row, _)) => {
                if self.system_task_rows.contains(&row) {
                    let name = crate::system_task::full_name(&members.name, members.uid.as_deref());
                    return self.duplicate("system task", name);
                }
                sqlite::system_task::merge(self.write, row, members)?;
                self.report.known_system_tasks += 1;
                row
            }
            None if sqlite::system_task::uuid_exists(self.write, members.uuid)? => {
                let name = members.name.to_string();
                return self.refuse(ImportProblem::UuidTaken { uuid: members.uuid, name });
            }
            None => {
                self.report.system_tasks += 1;
                sqlite::system_task::add(self.write, members)?
            }
        };
        self.counts.system_tasks += 1;
        self.system_task_rows.insert(row);
        let shown_run = members.shown_run;
        let system_task = SystemTask { line: self.line, row, shown_run, shown_run_met: false, finished: None };
        self.system_tasks.insert(members.uuid, system_task);
        Ok(())
    }

    pub(super) fn run(&mut self, members: &RunMembers<'_>) -> Result<()> {
        self.valid(members.check(self.limits))?;
        let id = members.id.get();
        let row = self.raised("id", id, self.before.run)?;
        if !self.runs.insert(id) {
            return self.duplicate("run", id);
        }
        let Some(system_task) = self.system_tasks.get_mut(&members.system_task) else {
            return self.missing("system task", members.system_task);
        };
        let (system_task_row, is_shown) = (system_task.row, system_task.shown_run == Some(members.id));
        let known = match &members.key {
            Some(key) => sqlite::system_task::run_of_key(self.write, system_task_row, key)?,
            None => None,
        };
        let finished = match known {
            Some(known) => sqlite::system_task::finished(self.write, known)?,
            None => members.finished.map(|time| time.0),
        };
        if is_shown {
            system_task.shown_run_met = members.finished.is_some();
            system_task.finished = finished.map(|finished| (known.unwrap_or(row), finished));
        }
        if is_shown && members.hidden() {
            let problem = "must be false for a successful run that is the shown_run of its system task";
            return self.valid(Err(Error::Invalid { field: "only_on_failure", problem }));
        }
        if let Some(known) = known {
            if known > self.before.run || !self.known_runs.insert(known) {
                return self.duplicate("run key", members.key.as_deref().unwrap_or_default());
            }
            self.report.known_runs += 1;
        } else {
            sqlite::system_task::import_run(self.write, row, system_task_row, members)?;
            self.report.runs += 1;
        }
        self.counts.runs += 1;
        self.open = Some(Open {
            kind: Kind::Run,
            line: self.line,
            id,
            row: known.is_none().then_some(row),
            said: members.event_count,
            found: 0,
            level_said: None,
            level_found: None,
        });
        self.events(&members.events)
    }

    pub(super) fn events(&mut self, events: &[EventMembers<'_>]) -> Result<()> {
        for event in events {
            self.valid(event.check(self.limits))?;
            let (row, seq) = self.next_entry(event.seq)?;
            self.counts.events += 1;
            if let Some(row) = row {
                let put = sqlite::system_task::import_event(self.write, row, seq, event);
                self.refuse_key("event key", event.key.as_deref(), put)?;
                self.report.events += 1;
            }
        }
        Ok(())
    }

    /// Where the shown run of a system task finished last, that is shown from now on.
    pub(super) fn show_runs(&self) -> Result<()> {
        for system_task in self.system_tasks.values() {
            let SystemTask { line, row, shown_run, shown_run_met, finished } = system_task;
            if let Some(run) = shown_run
                && !shown_run_met
            {
                let source =
                    ImportProblem::Missing { what: "finished run of the system task with id", value: run.to_string() };
                return Err(Error::ImportRefused { line: *line, source });
            }
            if let Some((run, finished)) = finished
                && sqlite::system_task::shown_finished(self.write, *row)?.is_none_or(|shown| shown < *finished)
            {
                sqlite::system_task::show(self.write, *row, *run)?;
            }
        }
        Ok(())
    }
}
