//! A whole life of a store in which something fails.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use taskstore::{Durability, Error, Result as Answer};

use super::power_cut::{Syncs, Volume};
use super::recording::nothing;
use super::script::{Step, whole_life};
use super::simulated::{Disk, Operation};
use super::world::{Shown, World, options};

/// How soon a store writes again when the trouble is over.
const PATIENCE: Duration = Duration::from_secs(10);

/// What makes calls fail.
pub(super) trait Trouble {
    /// How often it has.
    fn hits(&self) -> u64;

    /// Whether this is what the store is to say of it.
    fn explains(&self, error: &Error) -> bool;

    /// Nothing fails any more.
    fn end(&self);
}

/// How the store's answers are taken: as they are, or as a broken store would give them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claims {
    Honest,
    /// Acknowledged before it was committed, whatever becomes of the commit.
    RefusedIsDone,
    /// "It is not known" passes for "it is not written".
    UnknownIsRefused,
}

/// The steps, and what the store shows before the first and after each if nothing fails.
pub(super) struct Life {
    steps: Vec<Step>,
    shown: Vec<Shown>,
}

impl Life {
    /// Lives it without trouble.
    pub(super) fn healthy(disk: &Disk) -> Self {
        let (steps, mut shown) = (whole_life(), vec![nothing()]);
        // A life of its own, so that these looks at the store are not among the calls that are counted.
        let looked_at = Disk::new();
        for (disk, looks) in [(&looked_at, true), (disk, false)] {
            let mut world = World::new(disk.file(), Durability::Full);
            for step in &steps {
                world.next_step();
                world.call(step).unwrap();
                if looks {
                    shown.push(world.shown().unwrap());
                }
            }
        }
        Self { steps, shown }
    }

    /// Lives it, and says what was wrong.
    pub(super) fn live(
        &self,
        disk: &Disk,
        trouble: &dyn Trouble,
        lasts: bool,
        leaves_reads: bool,
        claims: Claims,
    ) -> Result<(), String> {
        let world = World::new(disk.file(), Durability::Full);
        let mut living = Living { life: self, disk, trouble, lasts, leaves_reads, claims, world };
        let lived = catch_unwind(AssertUnwindSafe(|| living.live()));
        trouble.end();
        lived.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            Err(format!(
                "panic: {}",
                text.or(panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
            ))
        })
    }
}

struct Living<'a> {
    life: &'a Life,
    disk: &'a Disk,
    trouble: &'a dyn Trouble,
    /// Whether the trouble lasts until it is ended.
    lasts: bool,
    /// Whether what is written already can be read while it lasts.
    leaves_reads: bool,
    claims: Claims,
    world: World,
}

/// How a call ended.
enum Ended {
    Done,
    /// It is to be made again.
    Refused,
}

impl Living<'_> {
    fn live(&mut self) -> Result<(), String> {
        let life = self.life;
        for (number, step) in life.steps.iter().enumerate() {
            let problem = |problem| format!("step {number}, {step:?}: {problem}");
            self.world.next_step();
            let hits = self.trouble.hits();
            let mut tries = 0;
            while let Ended::Refused = self.call(number, step).map_err(problem)? {
                tries += 1;
                if tries > 2 {
                    return Err(problem("refused though nothing is wrong any more".to_owned()));
                }
            }
            if self.trouble.hits() > hits {
                self.after_a_power_cut(&life.shown[number + 1]).map_err(problem)?;
            }
        }
        self.trouble.end();
        let store = self.world.store().ok_or("the script ends with an open store")?;
        sound(store)?;
        store.close().map_err(|error| format!("cannot be closed: {error:?}"))?;
        let last = life.shown.last().ok_or("there is a first look")?;
        opened(self.disk, std::slice::from_ref(last))?;
        self.after_a_power_cut(last)
    }

    fn call(&mut self, number: usize, step: &Step) -> Result<Ended, String> {
        let hits = self.trouble.hits();
        let answer = self.world.call(step);
        let hit = self.trouble.hits() > hits;
        let Err(error) = answer else {
            if hit && (!self.lasts || self.leaves_reads) {
                self.expect(number + 1, "after it was answered `Ok`")?;
            }
            return Ok(Ended::Done);
        };
        if !hit {
            return Err(format!("failed where nothing was wrong: {error:?}"));
        }
        if !self.trouble.explains(&error) {
            return Err(format!("does not say what is wrong: {error:?}"));
        }
        let error = match self.claims {
            Claims::Honest => error,
            Claims::RefusedIsDone => {
                self.trouble.end();
                return Ok(Ended::Done);
            }
            Claims::UnknownIsRefused => Error::Closed,
        };
        let unknown = matches!(error, Error::OutcomeUnknown { .. }) || step.goes_by_parts();
        let after_a_kill = self.after_a_kill();
        self.while_it_lasts(number, unknown).map_err(|problem| format!("{error:?}, then {problem}"))?;
        self.trouble.end();
        // At the first opening there may be no file yet, or an empty one, which this makes.
        shows_one_of(&after_a_kill, self.may_be(number, unknown))
            .map_err(|problem| format!("{error:?}, then after a kill: {problem}"))?;
        if self.world.store().is_none() {
            // It could not be opened, so opening it is what is made again.
            return Ok(Ended::Refused);
        }
        self.writes_again().map_err(|problem| format!("{error:?}, then {problem}"))?;
        let shown = self.world.shown().map_err(|again| format!("{error:?}, then cannot be read: {again:?}"))?;
        if unknown && shown == self.life.shown[number + 1] {
            self.world.was_written(step).map_err(|again| format!("{error:?}, then was written, and {again:?}"))?;
            self.expect(number + 1, "after it was found to be written")?;
            return Ok(Ended::Done);
        }
        self.expect(number, &format!("after {error:?}"))?;
        Ok(Ended::Refused)
    }

    /// Calls that may fail, and must not hang or do harm. What is written can be read where only writing fails.
    fn while_it_lasts(&self, number: usize, unknown: bool) -> Result<(), String> {
        if !self.lasts || self.world.store().is_none() {
            return Ok(());
        }
        for _ in 0..2 {
            let _ = self.world.write_the_same();
            let read = self.world.shown();
            if self.leaves_reads {
                let shown = read.map_err(|error| format!("cannot be read meanwhile: {error:?}"))?;
                if !self.may_be(number, unknown).contains(&shown) {
                    return Err("shows something else meanwhile".to_owned());
                }
            }
        }
        Ok(())
    }

    fn writes_again(&self) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            match self.world.write_the_same() {
                Ok(()) => return Ok(()),
                Err(error) if begun.elapsed() > PATIENCE => return Err(format!("is stuck: {error:?}")),
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    fn expect(&self, number: usize, when: &str) -> Result<(), String> {
        let shown = self.world.shown().map_err(|error| format!("cannot be read {when}: {error:?}"))?;
        if shown == self.life.shown[number] {
            return Ok(());
        }
        let is = self.life.shown.iter().rposition(|other| *other == shown);
        Err(format!("{when} it shows what is shown after {is:?} steps instead of {number}"))
    }

    /// What the store may show after a call that was refused, or of which it is not known.
    fn may_be(&self, number: usize, unknown: bool) -> &[Shown] {
        &self.life.shown[number..=number + usize::from(unknown)]
    }

    /// The files if the process were killed now: all that was written is there, synced or not.
    fn after_a_kill(&self) -> Vec<(String, Vec<u8>)> {
        let mut volume = Volume::new(Syncs::Honoured);
        let log = self.disk.log();
        let written = log.iter().filter(|operation| !matches!(operation, Operation::SyncFailed { .. }));
        written.for_each(|operation| volume.run(operation));
        volume.kept()
    }

    /// What a failed sync did not write is gone for good, also where a later sync succeeds.
    fn after_a_power_cut(&self, expected: &Shown) -> Result<(), String> {
        let mut volume = Volume::new(Syncs::Honoured);
        self.disk.log().iter().for_each(|operation| volume.run(operation));
        let files = volume.synced();
        // By another thread, which has memory where this one may still have none.
        let shown = std::thread::scope(|scope| {
            scope.spawn(|| shows_one_of(&files, std::slice::from_ref(expected))).join().unwrap()
        });
        shown.map_err(|problem| format!("after a power cut: {problem}"))
    }
}

/// Opens files anew.
fn shows_one_of(files: &[(String, Vec<u8>)], expected: &[Shown]) -> Result<(), String> {
    let disk = Disk::holding(files);
    opened(&disk, expected)
}

fn opened(disk: &Disk, expected: &[Shown]) -> Result<(), String> {
    let problem = |error| format!("cannot be opened again: {error:?}");
    let store = options(Durability::Full).open(disk.file()).map_err(problem)?;
    sound(&store)?;
    let shown = Shown::by(&store).map_err(problem)?;
    if expected.contains(&shown) { Ok(()) } else { Err("shows something else".to_owned()) }
}

fn sound(store: &taskstore::TaskStore) -> Result<(), String> {
    let found: Answer<_> = store.check();
    if matches!(&found, Ok(found) if found.is_empty()) { Ok(()) } else { Err(format!("not sound: {found:?}")) }
}
