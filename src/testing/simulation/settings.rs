//! What kind of system is simulated.

use serde::{Deserialize, Serialize};

use super::words::{CONFIGURATIONS, USERS};
use crate::Result;
use crate::limits::Limits;

const HOUR_NS: u64 = 3_600_000_000_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) tasks_per_hour: u32,
    pub(super) failure_percent: u32,
    pub(super) interruption_percent: u32,
    pub(super) users: Vec<String>,
    /// Instead of those that the kinds of tasks have.
    pub(super) titles: Vec<String>,
    pub(super) configurations: Vec<String>,
    pub(super) system_tasks: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tasks_per_hour: 20,
            failure_percent: 8,
            interruption_percent: 2,
            users: USERS.map(str::to_owned).into(),
            titles: Vec::new(),
            configurations: CONFIGURATIONS.map(str::to_owned).into(),
            system_tasks: true,
        }
    }
}

impl Settings {
    /// Before anything of them is planned, what the store would refuse.
    pub(super) fn check(&self, limits: &Limits) -> Result<()> {
        self.users.iter().try_for_each(|user| limits.check_name("performed_by", user))?;
        self.titles.iter().try_for_each(|title| limits.check_title(title))?;
        self.configurations.iter().try_for_each(|name| limits.check_given_name("configuration_name", name))
    }

    /// The time in which one task starts, in nanoseconds. Without tasks it is how often that is asked again.
    pub(super) fn task_every(&self) -> u64 {
        HOUR_NS / u64::from(self.tasks_per_hour.max(1))
    }
}
