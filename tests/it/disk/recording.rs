//! A life of a store on a simulated disk, with what was acknowledged when.

use taskstore::{Durability, TaskStore};

use super::power_cut::{Syncs, Volume};
use super::random::Random;
use super::script::{Step, script};
use super::simulated::{Disk, Operation};
use super::world::{Shown, World, options};

/// A call: how many operations the disk had seen when it was made, and when it was answered `Ok`.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) made: usize,
    pub(super) answered: usize,
    /// Whether it promises at any durability that all before it is on disk.
    pub(super) flushes: bool,
}

pub(super) struct Recording {
    pub(super) durability: Durability,
    pub(super) log: Vec<Operation>,
    pub(super) calls: Vec<Call>,
    /// What the store showed before the first call, and after each.
    pub(super) shown: Vec<Shown>,
}

impl Recording {
    /// Plays a script of so many steps.
    pub(super) fn of(random: &mut Random, steps: usize, durability: Durability) -> Self {
        let disk = if random.once_in(2) { Disk::new() } else { Disk::without_promises() };
        let mut world = World::new(disk.file(), durability);
        let mut recording = Self { durability, log: Vec::new(), calls: Vec::new(), shown: vec![nothing()] };
        for step in script(random, steps) {
            world.next_step();
            let made = disk.position();
            world.call(&step).unwrap_or_else(|error| panic!("{step:?}: {error:?}"));
            let (name, answered) = (format!("{step:?}"), disk.position());
            recording.calls.push(Call { name, made, answered, flushes: step == Step::Flush });
            recording.show(world.shown().unwrap(), !step.only_looks());
        }
        recording.log = disk.log();
        recording
    }

    /// Notes what the store shows after the last call.
    pub(super) fn show(&mut self, shown: Shown, changed: bool) {
        let before = self.shown.last().unwrap();
        let call = self.calls.last().unwrap();
        assert_eq!(*before != shown, changed, "what {call:?} has changed");
        self.shown.push(shown);
    }

    /// Cuts the power at so many moments, and gives what was wrong then.
    pub(super) fn cut(&self, syncs: Syncs, cuts: usize, random: &mut Random) -> Vec<String> {
        // The making of the file is short, and there is much in it to be cut.
        let making = self.calls[0].answered.max(1);
        let last = |random: &mut Random| if random.once_in(5) { making } else { self.log.len() };
        let mut moments: Vec<_> = (0..cuts)
            .map(|_| {
                let last = last(random);
                random.within(0..last + 1)
            })
            .collect();
        moments.sort_unstable();
        let (mut volume, mut run, mut wrong) = (Volume::new(syncs), 0, Vec::new());
        for moment in moments {
            self.log[run..moment].iter().for_each(|operation| volume.run(operation));
            run = moment;
            if let Err(problem) = self.check(moment, &volume.cut(random), random.once_in(8)) {
                wrong.push(format!("power cut after operation {moment} of {}: {problem}", self.log.len()));
            }
        }
        wrong
    }

    /// Opens what a power cut has left, and compares it with what was acknowledged.
    fn check(&self, moment: usize, files: &[(String, Vec<u8>)], goes_on: bool) -> Result<(), String> {
        let disk = Disk::holding(files);
        let store =
            options(self.durability).open(disk.file()).map_err(|error| format!("cannot be opened: {error:?}"))?;
        let found = store.check().map_err(|error| format!("cannot be checked: {error:?}"))?;
        if !found.is_empty() {
            return Err(format!("damaged: {found:?}"));
        }
        let shown = Shown::by(&store).map_err(|error| format!("cannot be read: {error:?}"))?;
        let answered = self.calls.iter().take_while(|call| call.answered <= moment).count();
        let begun = self.calls.get(answered).is_some_and(|call| call.made < moment);
        let promised = match self.durability {
            Durability::Full => answered,
            Durability::Normal => {
                self.calls[..answered].iter().rposition(|call| call.flushes).map_or(0, |flushed| flushed + 1)
            }
        };
        if !self.shown[promised..=answered + usize::from(begun)].contains(&shown) {
            let is = self.shown.iter().rposition(|other| *other == shown);
            let call = answered.checked_sub(1).map(|last| &self.calls[last].name);
            return Err(format!("{answered} calls were answered, the last {call:?}; it shows those up to {is:?}"));
        }
        if goes_on {
            let id = taskstore::NewTask::new("after the power cut");
            let ended = store.start_detached(id).and_then(|id| store.finish(id)).and_then(|()| store.check());
            if !matches!(&ended, Ok(found) if found.is_empty()) {
                return Err(format!("cannot go on: {ended:?}"));
            }
        }
        Ok(())
    }
}

/// What an empty store shows.
pub(super) fn nothing() -> Shown {
    Shown::by(&TaskStore::open_in_memory().unwrap()).unwrap()
}
