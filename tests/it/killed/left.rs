//! What the writers have left in the file.

use std::collections::BTreeMap;

use taskstore::{Dismissed, Outcome, Outcomes, SystemTaskStatus, TaskFilter, TaskStore};

use crate::support::{configuration_id, texts};

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Left {
    /// In the order of their ids.
    pub(super) tasks: Vec<LeftTask>,
    /// In the order of their ids.
    pub(super) runs: Vec<LeftRun>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LeftTask {
    pub(super) title: String,
    pub(super) outcome: Option<Outcome>,
    pub(super) dismissed_by: Option<String>,
    pub(super) messages: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LeftRun {
    pub(super) status: Option<SystemTaskStatus>,
    pub(super) finished: bool,
    pub(super) events: Vec<String>,
}

impl LeftTask {
    pub(super) fn new(title: String) -> Self {
        Self { title, ..Self::default() }
    }
}

impl Left {
    pub(super) fn has(&self, title: &str) -> bool {
        self.tasks.iter().any(|task| task.title == title)
    }

    pub(super) fn task(&mut self, title: &str) -> &mut LeftTask {
        self.tasks.iter_mut().rev().find(|task| task.title == title).unwrap()
    }

    pub(super) fn last_run(&mut self) -> &mut LeftRun {
        self.runs.last_mut().unwrap()
    }
}

/// What these writers have left, by their names; and under the names that they give, the tasks of all others, if their id
/// is greater than `after`.
pub(super) fn read(store: &TaskStore, after: i64, writers: &[String]) -> BTreeMap<String, Left> {
    let mut left: BTreeMap<_, _> =
        writers.iter().map(|who| (who.clone(), Left { runs: runs(store, who), tasks: Vec::new() })).collect();
    let mut filter = TaskFilter::new().dismissed(Dismissed::Included).limit(1_000);
    let mut tasks = Vec::new();
    loop {
        let page = store.list(&filter).unwrap();
        tasks.extend(page.items.into_iter().take_while(|task| task.id.get() > after));
        match page.next {
            Some(next) if tasks.len().is_multiple_of(1_000) => filter = filter.cursor(next),
            _ => break,
        }
    }
    for task in tasks.into_iter().rev() {
        let messages = texts(store, task.id);
        assert_eq!(task.message_count, messages.len() as u64, "{task:?}");
        left.entry(task.performed_by).or_default().tasks.push(LeftTask {
            title: task.title,
            outcome: task.outcome,
            dismissed_by: task.dismissed_by,
            messages,
        });
    }
    left
}

fn runs(store: &TaskStore, who: &str) -> Vec<LeftRun> {
    let system_tasks = store.system_tasks();
    let Some(uuid) = system_tasks.find(who, None).unwrap() else { return Vec::new() };
    let page = system_tasks.history(uuid, None, 1_000).unwrap();
    assert_eq!(page.next, None);
    let runs = page.items.into_iter().rev().map(|run| {
        let events = system_tasks.events(run.id, 0, 1_000).unwrap();
        assert_eq!(run.event_count, events.len() as u64, "{run:?}");
        let events = events.into_iter().map(|event| event.event).collect();
        LeftRun { status: run.status, finished: run.finished.is_some(), events }
    });
    runs.collect()
}

/// How many tasks there are: by outcome, and by whether they are dismissed.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Totals([[u64; 2]; 4]);

const OUTCOMES: [(Option<Outcome>, Outcomes); 4] = [
    (None, Outcomes::IN_PROGRESS),
    (Some(Outcome::Finished), Outcomes::FINISHED),
    (Some(Outcome::Failed), Outcomes::FAILED),
    (Some(Outcome::Interrupted), Outcomes::INTERRUPTED),
];

impl Totals {
    pub(super) fn add<'a>(&mut self, tasks: impl IntoIterator<Item = &'a LeftTask>) {
        for task in tasks {
            let place = OUTCOMES.iter().position(|(outcome, _)| *outcome == task.outcome).unwrap();
            self.0[place][usize::from(task.dismissed_by.is_some())] += 1;
        }
    }

    /// What the store says, of all tasks or of those of the configuration.
    pub(super) fn told(store: &TaskStore, of_configuration: bool) -> Self {
        let counts = store.counts(of_configuration.then(|| configuration_id(1))).unwrap();
        Self(
            OUTCOMES.map(|(_, outcomes)| {
                [Dismissed::Hidden, Dismissed::Only].map(|dismissed| counts.of(outcomes, dismissed))
            }),
        )
    }
}
