//! Which tasks the rules take, as of one call.

use std::collections::HashMap;
use std::time::Duration;

use crate::configuration::ConfigurationId;
use crate::retention::RetentionRule;
use crate::task::{Dismissed, Outcome, TaskId};

/// What a rule looks at of an ended task.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) id: TaskId,
    pub(crate) configuration: Option<ConfigurationId>,
    pub(crate) outcome: Outcome,
    pub(crate) dismissed: bool,
    pub(crate) finished_ns: i64,
}

/// A rule with its conditions as of one instant.
#[derive(Debug)]
pub(super) struct Dated {
    rule: RetentionRule,
    /// Only those that ended then or before.
    ended_until_ns: i64,
    /// Of each configuration how many tasks were counted, and the last of them; only those before it go.
    newest: HashMap<Option<ConfigurationId>, (u64, TaskId)>,
}

impl Dated {
    fn new(rule: RetentionRule, now_ns: i64) -> Self {
        let age = rule.older_than.map(nanoseconds);
        let ended_until_ns = age.map_or(i64::MAX, |age| now_ns.saturating_sub(age));
        Self { rule, ended_until_ns, newest: HashMap::new() }
    }

    /// Takes the next older task into account, if it is among the newest of its configuration.
    fn count(&mut self, task: &Ended) {
        if !self.is_of(task) {
            return;
        }
        let kept = self.kept();
        let (counted, oldest) = self.newest.entry(task.configuration).or_insert((0, task.id));
        if *counted < kept {
            (*counted, *oldest) = (*counted + 1, task.id);
        }
    }

    fn kept(&self) -> u64 {
        self.rule.keep.unwrap_or(0)
    }

    fn is_of(&self, task: &Ended) -> bool {
        let shown = match self.rule.dismissed {
            Dismissed::Hidden => !task.dismissed,
            Dismissed::Included => true,
            Dismissed::Only => task.dismissed,
        };
        shown && self.rule.outcomes.contains(Some(task.outcome))
    }

    fn takes(&self, task: &Ended) -> bool {
        // One that ended after they were counted, and whose configuration had none, is newer than all.
        let is_beyond = || match self.newest.get(&task.configuration) {
            Some((counted, oldest)) => *counted == self.kept() && task.id < *oldest,
            None => false,
        };
        self.is_of(task) && task.finished_ns <= self.ended_until_ns && (self.kept() == 0 || is_beyond())
    }
}

/// One walk through the tasks: of all the rules that look at tasks alone, or of one that looks at the file.
#[derive(Debug)]
pub(crate) struct Phase {
    rules: Vec<Dated>,
    /// It ends when the file is no larger.
    pub(crate) file_bytes_max: Option<u64>,
}

impl Phase {
    /// The walks that the rules need, in their order.
    pub(super) fn of(rules: &[RetentionRule], now_ns: i64) -> Vec<Self> {
        let dated = |rule: &RetentionRule| Dated::new(*rule, now_ns);
        let (bounded, plain): (Vec<_>, Vec<_>) = rules.iter().partition(|rule| rule.file_bytes_max.is_some());
        let plain = Self { rules: plain.into_iter().map(dated).collect(), file_bytes_max: None };
        let bounded =
            bounded.into_iter().map(|rule| Self { rules: vec![dated(rule)], file_bytes_max: rule.file_bytes_max });
        std::iter::once(plain).filter(|plain| !plain.rules.is_empty()).chain(bounded).collect()
    }

    /// Whether the newest tasks have to be counted before.
    pub(super) fn keeps(&self) -> bool {
        self.rules.iter().any(|rule| rule.kept() > 0)
    }

    /// Is to be shown all tasks, the newest first.
    pub(super) fn count(&mut self, task: &Ended) {
        self.rules.iter_mut().filter(|rule| rule.kept() > 0).for_each(|rule| rule.count(task));
    }

    pub(crate) fn takes(&self, task: &Ended) -> bool {
        self.rules.iter().any(|rule| rule.takes(task))
    }

    /// Which tasks have to be looked at.
    pub(super) fn shown(&self) -> Dismissed {
        joined(self.rules.iter().map(|rule| rule.rule.dismissed))
    }
}

/// Those that any of these shows.
pub(super) fn joined(shown: impl Iterator<Item = Dismissed>) -> Dismissed {
    shown.reduce(|all, one| if all == one { all } else { Dismissed::Included }).unwrap_or(Dismissed::Included)
}

/// What is longer than time can tell is as long as it can.
fn nanoseconds(age: Duration) -> i64 {
    i64::try_from(age.as_nanos()).unwrap_or(i64::MAX)
}
