//! Configurations, and tasks with their messages.

use super::super::members::{ConfigurationMembers, MessageMembers, TaskMembers};
use super::{Configuration, Importer, Kind, Open};
use crate::configuration::ConfigurationId;
use crate::task::Level;
use crate::{Error, Result, sqlite};

impl Importer<'_, '_> {
    pub(super) fn configuration(&mut self, members: &ConfigurationMembers<'_>) -> Result<()> {
        self.valid(members.check(self.limits))?;
        let row = self.raised("id", members.id.get(), self.before.configuration)?;
        let id = ConfigurationId::of_row(row);
        let (name, deleted) = (members.name.to_string(), members.deleted.is_some());
        if self.configurations.insert(members.id, Configuration { id, name, deleted }).is_some() {
            return self.duplicate("configuration", members.id);
        }
        sqlite::configuration::import(self.write, row, &members.name, members.deleted.map(|time| time.0))?;
        self.counts.configurations += 1;
        self.report.configurations += 1;
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
        let Some(id) = members.deleted_configuration_id.or(members.configuration_id) else {
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
        if configuration.deleted != deleted {
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
