//! A process that writes as fast as it can until it is killed, and what is left of many of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use taskstore::{Dismissed, OpenOptions, Order, TaskFilter, TaskStore};

use super::left::{Left, Totals, read};
use super::script::{Writer, expected_of_killed};
use crate::support::children::{Telling, say};
use crate::support::files::shell;
use crate::support::random::Random;

/// So many processes share a file before the next one is begun, so that reading all of it does not take ever longer.
const LIVES_OF_A_FILE: usize = 500;
/// After so many the whole file is looked through.
const LIVES_BETWEEN_CHECKS: usize = 25;
/// One of so many is killed while it opens the file, which may have a `-wal` of the one before; all others while they write.
const LIVES_FOR_ONE_OPENING: usize = 25;

/// When a process tells of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Manner {
    /// When it was answered.
    Honest,
    /// Before it is made: a broken one, which must be found.
    Hasty,
}

/// In the process: writes until it is killed. The role is the number of the process, that of its threads, and its manner.
pub(super) fn live(role: &str, path: &Path) {
    let [life, threads, manner] = role.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let hasty = manner == format!("{:?}", Manner::Hasty);
    let store = OpenOptions::new().open(path).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..threads.parse().unwrap() {
            let store = &store;
            scope.spawn(move || write(&mut Writer::new(store, name(life, thread)), thread, hasty));
        }
    });
}

fn name(life: &str, thread: usize) -> String {
    format!("{life}.{thread}")
}

fn write(writer: &mut Writer<'_>, thread: usize, hasty: bool) {
    for call in 1.. {
        let told = format!("{thread} {call}");
        if hasty {
            say(&told);
        }
        if let Err(error) = writer.call() {
            // The others would go on, and the test would not see it.
            say(&format!("call {call} of thread {thread} failed: {error:?}"));
            std::process::abort();
        }
        if !hasty {
            say(&told);
        }
    }
}

/// A file that processes are killed on.
pub(super) struct Lives {
    directory: tempfile::TempDir,
    store: Option<TaskStore>,
    /// What is right, by writer.
    left: BTreeMap<String, Left>,
    totals: [Totals; 2],
    newest: i64,
    /// Of writers that nobody has looked at yet: how many calls were answered, and in which process.
    unread: BTreeMap<String, (u64, u32)>,
}

impl Lives {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (left, unread) = (BTreeMap::new(), BTreeMap::new());
        let mut lives = Self { directory, store: None, left, totals: Default::default(), newest: 0, unread };
        lives.open().configurations().add("prod").unwrap();
        lives.store = None;
        lives
    }

    /// A store as the next process would open it, and how long that takes.
    fn open(&mut self) -> &TaskStore {
        let store = OpenOptions::new().open(self.directory.path().join("tasks.db")).unwrap();
        self.store.insert(store)
    }

    /// One process, from its beginning to its end. Tells how many calls it was answered.
    fn live(&mut self, test: &str, life: usize, threads: usize, manner: Manner, random: &mut Random) -> u64 {
        let path = self.directory.path().join("tasks.db");
        let mut child = Telling::start(test, &format!("{life} {threads} {manner:?}"), &path);
        let mut told = Vec::new();
        if life.is_multiple_of(LIVES_FOR_ONE_OPENING) {
            pause(random.below(20_000));
        } else {
            told.push(child.next());
            pause(8_000 + random.below(40_000));
        }
        let process_id = child.pid().as_raw().try_into().unwrap();
        told.extend(child.kill());

        for thread in 0..threads {
            let answers = answers(&told, thread);
            self.unread.insert(name(&life.to_string(), thread), (answers, process_id));
        }
        told.len() as u64
    }

    /// One writer in this process, that nobody kills: it makes so many calls, and somebody else does something to the file.
    pub(super) fn write_and_meddle(&mut self, calls: u64, meddle: &str) {
        let store = self.open();
        let mut writer = Writer::new(store, name("1", 0));
        (0..calls).for_each(|_| writer.call().unwrap());
        self.store = None;
        self.unread.insert(name("1", 0), (calls, std::process::id()));
        shell(&self.directory.path().join("tasks.db")).execute_batch(meddle).unwrap();
    }

    /// Holds what the processes since the last time have left against what they were told.
    pub(super) fn compare(&mut self, whole: bool) -> Result<(), String> {
        let unread = std::mem::take(&mut self.unread);
        let writers: Vec<_> = unread.keys().cloned().collect();
        let after = self.newest;
        let store = self.open();
        let left = read(store, after, &writers);
        let newest = store.list(&TaskFilter::new().dismissed(Dismissed::Included).order(Order::NewestFirst).limit(1));
        let newest = newest.unwrap().items.first().map_or(0, |task| task.id.get());
        for (who, left) in &left {
            let Some(&(answered, process_id)) = unread.get(who) else {
                return Err(format!("{who} was not to write: {left:?}"));
            };
            // The call that it was in has happened, or has not.
            let may_be = [answered, answered + 1].map(|calls| expected_of_killed(who, calls, process_id));
            if !may_be.contains(left) {
                return Err(format!("after {answered} answers {who} has left {left:#?}, not one of {may_be:#?}"));
            }
        }
        for left in left.values() {
            self.totals[0].add(&left.tasks);
            self.totals[1].add(left.tasks.iter().filter(|task| task.title.ends_with('a')));
        }
        self.left.extend(left);
        self.newest = newest;
        let store = self.store.take().unwrap();
        let told = [false, true].map(|of_configuration| Totals::told(&store, of_configuration));
        if told != self.totals {
            return Err(format!("the counts are {told:?}, not {:?}", self.totals));
        }
        if whole {
            self.compare_all(&store)?;
        }
        store.close().unwrap();
        Ok(())
    }

    /// The same for all processes that there were, and for all that the file has inside.
    fn compare_all(&self, store: &TaskStore) -> Result<(), String> {
        let findings = store.check().unwrap();
        if !findings.is_empty() {
            return Err(format!("{findings:?}"));
        }
        let writers: Vec<_> = self.left.keys().cloned().collect();
        let left = read(store, 0, &writers);
        for (who, left) in &left {
            if self.left.get(who) != Some(left) {
                return Err(format!("{who} had left {:#?}, and now there is {left:#?}", self.left.get(who)));
            }
        }
        Ok(())
    }
}

fn pause(microseconds: u64) {
    std::thread::sleep(Duration::from_micros(microseconds));
}

/// How many calls of this thread were answered, which it has told one by one.
fn answers(told: &[String], thread: usize) -> u64 {
    let numbers = told.iter().filter_map(|line| {
        let (who, call) = line.split_once(' ').unwrap();
        let who: usize = who.parse().unwrap_or_else(|_| panic!("{line}"));
        (who == thread).then(|| call.parse::<u64>().unwrap())
    });
    numbers.zip(1..).map(|(call, expected)| assert_eq!(call, expected)).count() as u64
}

/// Kills so many processes, and tells what was wrong first.
pub(super) fn kill_again_and_again(test: &str, threads: usize, manner: Manner, kills: usize) -> Result<(), String> {
    let (mut random, mut lives) = (Random::new(), Lives::new());
    let (mut answers, mut with_answers) = (0, 0);
    let mut comparisons = Vec::new();
    for life in 1..=kills {
        let answered = lives.live(test, life, threads, manner, &mut random);
        answers += answered;
        with_answers += usize::from(answered > 0);
        // Now and then the next one has to get along with what two have left.
        let last = life == kills || life.is_multiple_of(LIVES_OF_A_FILE);
        if last || !random.one_in(4) {
            let started = Instant::now();
            let compared = lives.compare(last || life.is_multiple_of(LIVES_BETWEEN_CHECKS));
            compared.map_err(|wrong| format!("process {life}: {wrong}"))?;
            comparisons.push(started.elapsed());
        }
        if last {
            lives = Lives::new();
        }
    }
    comparisons.sort();
    let slowest = comparisons.last().unwrap();
    println!("{kills} kills, {with_answers} with answers, {answers} answers; the longest look at the file {slowest:?}");
    assert!(with_answers * 100 >= kills * 95, "too few were answered anything: {with_answers} of {kills}");
    Ok(())
}
