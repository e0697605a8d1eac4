//! Configurations, and tasks with their messages.

use super::super::members::{ConfigurationMembers, MessageMembers, TaskMembers};
use super::{Configuration, Importer, Kind, Open};
use crate::configuration::ConfigurationId;
use crate::export::LastIds;
use crate::task::Level;
use crate::{Error, Result, sqlite};

impl Importer<'_, '_> {
    pub(super) fn configuration(&mut self, members: &ConfigurationMembers<'_>) -> Result<()> {
        self.valid(members.check(self.limits))?;
        let row = self.raised("id", members.id.get(), self.before.configuration)?;
        let id = ConfigurationId::of_row(row);
        let (name, deleted_ns) = (members.name.to_string(), members.deleted.map(|time| time.0));
        if self.configurations.insert(members.id, Configuration { id, name, deleted_ns, added: false }).is_some() {
            return self.duplicate("configuration", members.id);
        }
        self.counts.configurations += 1;
        // Elsewhere its tasks may all be known, and then it was added with them.
        let LastIds { configuration, task, .. } = self.before;
        if configuration == 0 && task == 0 { self.add_configuration(members.id) } else { Ok(()) }
    }

    /// Adds a configuration of the export, unless it was.
    fn add_configuration(&mut self, id: ConfigurationId) -> Result<()> {
        if let Some(Configuration { id, name, deleted_ns, added }) = self.configurations.get_mut(&id)
            && !*added
        {
            sqlite::configuration::import(self.write, id.get(), name, *deleted_ns)?;
            *added = true;
            self.report.configurations += 1;
        }
        Ok(())
    }

    pub(super) fn task(&mut self, members: &TaskMembers<'_>) -> Result<()> {
        self.valid(members.check(self.limits))?;
        let id = members.id.get();
        let row = self.raised("id", id, self.before.task)?;
        if !self.tasks.insert(id) {
            return self.duplicate("task", id);
        }
        let configuration = self.configuration_of(members)?;
        let known = match &members.key {
            Some(key) => sqlite::task::of_key(self.write, key)?,
            None => None,
        };
        if let Some(known) = known {
            // Only what was there before may be known.
            if known > self.before.task || !self.known_tasks.insert(known) {
                return self.duplicate("task key", members.key.as_deref().unwrap_or_default());
            }
            self.report.known_tasks += 1;
        } else {
            members.configuration().map_or(Ok(()), |id| self.add_configuration(id))?;
            sqlite::task::import(self.write, row, configuration, members)?;
            self.report.tasks += 1;
        }
        self.counts.tasks += 1;
        self.open = Some(Open {
            kind: Kind::Task,
            line: self.line,
            id,
            row: known.is_none().then_some(row),
            said: members.message_count,
            found: 0,
            level_said: members.level_reached,
            level_found: None,
        });
        self.messages(&members.messages)
    }

    /// The configuration of a task, which must be as the task says.
    fn configuration_of(&self, members: &TaskMembers<'_>) -> Result<Option<ConfigurationId>> {
        let invalid = |field, problem| self.valid(Err(Error::Invalid { field, problem })).map(|()| None);
        let (field, deleted) = match members.deleted_configuration_id {
            Some(_) => ("deleted_configuration_id", true),
            None => ("configuration_id", false),
        };
        let Some(id) = members.configuration() else {
            let none = members.configuration_name.is_empty();
            return if none {
                Ok(None)
            } else {
                invalid("configuration_name", "must be empty without a configuration")
            };
        };
        let Some(configuration) = self.configurations.get(&id) else {
            return self.missing("configuration", id).map(|()| None);
        };
        if configuration.deleted_ns.is_some() != deleted {
            return invalid(field, "must tell whether the configuration was deleted");
        }
        if configuration.name != members.configuration_name {
            return invalid("configuration_name", "must be the name of the configuration");
        }
        Ok(Some(configuration.id))
    }

    pub(super) fn messages(&mut self, messages: &[MessageMembers<'_>]) -> Result<()> {
        for message in messages {
            self.valid(message.check(self.limits))?;
            let (row, seq) = self.next_entry(message.seq)?;
            if let (Some(open), Level::Warn | Level::Error) = (&mut self.open, message.level) {
                open.level_found = open.level_found.max(Some(message.level));
            }
            self.counts.messages += 1;
            if let Some(row) = row {
                let put = sqlite::task::import_message(self.write, row, seq, message);
                self.refuse_key("message key", message.key.as_deref(), put)?;
                self.report.messages += 1;
            }
        }
        Ok(())
    }
}
