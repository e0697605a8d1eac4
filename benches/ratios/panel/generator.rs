//! Tasks as they come in a year, written through the library in the order of time: dozens run at once.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use taskstore::{Batch, ConfigurationId, NewTask, Progress, Result, TaskId, TaskStore};

use super::Kind;
use super::content::{CONFIGURATIONS, Content, DELETED, Ending, Random, TIDYING};
use super::year::{BEGINNING_NS, Hand, YEAR_NS};

const STEPS_OF_A_BATCH: usize = 2_000;

/// Fills an empty store whose clock is `hand`.
pub fn fill(store: &TaskStore, hand: &Hand, kind: Kind, count: usize) {
    hand.set(BEGINNING_NS);
    let names = ["prod", "Prüfung", "archive", "db"].iter().cycle().zip(0..CONFIGURATIONS);
    let add = |(name, number)| store.configurations().add(format!("{name} {number}"));
    let configurations: Vec<_> = names.map(add).collect::<Result<_>>().expect("adds configurations");
    let mut filling = Filling::new(hand, kind, u64::try_from(count).expect("a count"), configurations);
    while !filling.to_come.is_empty() {
        let interrupted = store.batch(|batch| filling.batch(batch)).expect("writes");
        if let Some(key) = interrupted {
            // The task's second guard, which nobody ends.
            drop(store.start(NewTask::new("").key(key)).expect("is started already"));
        }
    }
    for place in DELETED {
        store.configurations().delete(filling.configuration(place)).expect("deletes");
    }
}

/// What a task does next, and when; of several at one instant the older task comes first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Next {
    at_ns: i64,
    number: u64,
    step: Step,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Start,
    /// The next message, or the end if all is said.
    GoOn,
    Dismiss,
}

struct Task {
    id: TaskId,
    content: Content,
    is_visible: bool,
    said: usize,
}

struct Filling<'a> {
    hand: &'a Hand,
    kind: Kind,
    count: u64,
    configurations: Vec<ConfigurationId>,
    /// Those that are not dismissed, and how many of them have not started yet.
    visible: u64,
    visible_left: u64,
    to_come: BinaryHeap<Reverse<Next>>,
    tasks: HashMap<u64, Task>,
    times: Random,
}

impl<'a> Filling<'a> {
    fn new(hand: &'a Hand, kind: Kind, count: u64, configurations: Vec<ConfigurationId>) -> Self {
        let visible = (0..count).map(|age| u64::from(kind.is_visible(age, count))).sum();
        let mut filling = Self {
            hand,
            kind,
            count,
            configurations,
            visible,
            visible_left: visible,
            to_come: BinaryHeap::new(),
            tasks: HashMap::new(),
            times: Random::of(TIMES, 0),
        };
        filling.add(BEGINNING_NS, 0, Step::Start);
        filling
    }

    fn configuration(&self, place: u64) -> ConfigurationId {
        *self.configurations.get(usize::try_from(place).expect("is small")).expect("is one of them")
    }

    fn add(&mut self, at_ns: i64, number: u64, step: Step) {
        self.to_come.push(Reverse(Next { at_ns, number, step }));
    }

    /// Some steps in one transaction, up to a task that is to be interrupted, whose key is given.
    fn batch(&mut self, batch: &Batch<'_>) -> Result<Option<String>> {
        for _ in 0..STEPS_OF_A_BATCH {
            let Some(Reverse(Next { at_ns, number, step })) = self.to_come.pop() else { break };
            self.hand.set(at_ns);
            match step {
                Step::Start => self.start(batch, at_ns, number)?,
                Step::GoOn => {
                    let interrupted = self.go_on(batch, at_ns, number)?;
                    if interrupted.is_some() {
                        return Ok(interrupted);
                    }
                }
                Step::Dismiss => {
                    let task = self.tasks.remove(&number).expect("has ended");
                    batch.dismiss(task.id, self.times.pick(&TIDYING))?;
                }
            }
        }
        Ok(None)
    }

    fn start(&mut self, batch: &Batch<'_>, at_ns: i64, number: u64) -> Result<()> {
        let content = self.content(number);
        let mut task = NewTask::new(content.title.as_str()).performed_by(content.performed_by);
        task.configuration = content.configuration.map(|place| self.configuration(place));
        task.key.clone_from(&content.key);
        let is_visible = self.kind.is_visible(self.count - 1 - number, self.count);
        let task = Task { id: batch.start_detached(task)?, content, is_visible, said: 0 };
        self.add(at_ns + task.pause_ns(), number, Step::GoOn);
        self.tasks.insert(number, task);
        if number + 1 < self.count {
            let gap_ns = self.gap_ns();
            self.add(at_ns + gap_ns, number + 1, Step::Start);
        }
        Ok(())
    }

    /// Visible tasks are the same in all stores, counted from the newest, so that their first pages are.
    fn content(&mut self, number: u64) -> Content {
        if !self.kind.is_visible(self.count - 1 - number, self.count) {
            return Content::of(&mut Random::of(DISMISSED, number), false);
        }
        self.visible_left -= 1;
        let age = self.visible_left;
        // Half of the newest are in progress, and a few that have got stuck.
        let is_new = age < NEW.min(self.visible / 4) && age.is_multiple_of(2);
        let is_stuck = self.visible > 20 * STUCK && age % (self.visible / STUCK) == 71;
        Content::of(&mut Random::of(VISIBLE, age), is_new || is_stuck)
    }

    /// Half of the tasks come at once with the one before, the others when somebody thinks of something to do.
    fn gap_ns(&mut self) -> i64 {
        let mean_ns = YEAR_NS / i64::try_from(self.count).expect("a count");
        let bound_ns = if self.times.in_thousand(500) { mean_ns / 100 } else { 4 * mean_ns };
        i64::try_from(self.times.below(bound_ns.unsigned_abs())).expect("is below an i64")
    }

    fn go_on(&mut self, batch: &Batch<'_>, at_ns: i64, number: u64) -> Result<Option<String>> {
        let task = self.tasks.get_mut(&number).expect("is in progress");
        if let Some((level, text)) = task.content.messages.get(task.said) {
            batch.message(task.id, *level, text.as_str())?;
            if task.content.shows_progress && task.said == 0 {
                batch.progress(task.id, &Progress::new(1).of(10).phase("copying"))?;
            }
            task.said += 1;
            let next_ns = at_ns + task.pause_ns();
            self.add(next_ns, number, Step::GoOn);
            return Ok(None);
        }
        let mut interrupted = None;
        match &task.content.ending {
            Ending::Finished => batch.finish(task.id)?,
            Ending::Failed(reason) => batch.fail(task.id, reason.as_str())?,
            Ending::Interrupted => interrupted.clone_from(&task.content.key),
            Ending::None => return Ok(None),
        }
        if task.is_visible {
            self.tasks.remove(&number);
        } else {
            // Somebody looks at it within some hours.
            let looked_at_ns = at_ns + 1_000_000 * i64::try_from(self.times.below(20_000_000)).expect("is small");
            self.add(looked_at_ns, number, Step::Dismiss);
        }
        Ok(interrupted)
    }
}

impl Task {
    /// The time to the next message, or to the end.
    fn pause_ns(&self) -> i64 {
        self.content.duration_ns / (1 + i64::try_from(self.content.messages.len()).expect("are few"))
    }
}

const VISIBLE: u64 = 1;
const DISMISSED: u64 = 2;
const TIMES: u64 = 3;
/// Of so many new ones half are in progress.
const NEW: u64 = 48;
const STUCK: u64 = 12;
