//! Two sides in turns.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use crate::{panel, system_task};

/// What a goal's measurement gives.
pub enum Measured {
    /// A figure for each turn.
    Turns(Vec<f64>),
    /// The same, and what is to be said of it.
    Noted(Vec<f64>, String),
    Skipped(String),
}

impl Measured {
    pub fn note(self, note: impl Into<String>) -> Self {
        match self {
            Self::Turns(figures) => Self::Noted(figures, note.into()),
            other => other,
        }
    }
}

/// A comparison takes no longer, but for its first three turns: whoever needs seconds for one piece of work has fewer
/// turns.
const COMPARISON_MAX: Duration = Duration::from_secs(15);

/// How much is measured, and what several goals read.
pub struct Run {
    turns: usize,
    /// How long each side works in a turn, so that a run takes as long on a slow disk as on a quick one.
    pub turn: Duration,
    /// The most rows that a store is filled with.
    pub rows_max: usize,
    /// How many tasks the largest stores of a panel have, and how that is written.
    large: (usize, &'static str),
    /// Stores of system tasks by size, each filled when it is first asked for.
    system_tasks: RefCell<HashMap<usize, Rc<system_task::Filled>>>,
    /// Those of a panel in the same way.
    panels: RefCell<HashMap<(panel::Kind, usize), Rc<panel::Filled>>>,
}

impl Run {
    pub fn full() -> Self {
        Self::new(31, Duration::from_millis(150), usize::MAX, (1_000_000, "1M"))
    }

    pub fn quick() -> Self {
        Self::new(9, Duration::from_millis(60), usize::MAX, (100_000, "100k"))
    }

    /// Everything once: what it measures means nothing, and is not shown.
    pub fn once() -> Self {
        Self::new(1, Duration::ZERO, 100, (100, "100"))
    }

    fn new(turns: usize, turn: Duration, rows_max: usize, large: (usize, &'static str)) -> Self {
        Self { turns, turn, rows_max, large, system_tasks: RefCell::default(), panels: RefCell::default() }
    }

    /// How many tasks stand for a million.
    pub fn large(&self) -> usize {
        self.large.0
    }

    /// The name of a goal, which says how many they were.
    pub fn name_of(&self, goal: &str) -> String {
        goal.replace("1M", self.large.1)
    }

    /// The ratio of two rates, turn by turn, after one that does not count; who goes first changes.
    pub fn compare(&self, ours: impl Fn() -> f64, opponent: impl Fn() -> f64) -> Measured {
        let turn = |turn: usize| {
            if turn.is_multiple_of(2) {
                let ours = ours();
                ours / opponent()
            } else {
                let opponent = opponent();
                ours() / opponent
            }
        };
        let started = Instant::now();
        turn(0);
        let has_time = |number: &usize| *number < 3 || started.elapsed() < COMPARISON_MAX;
        Measured::Turns((0..self.turns).take_while(has_time).map(turn).collect())
    }

    /// How often a second this can be done, by doing it for one turn.
    pub fn rate<T>(&self, mut work: impl FnMut() -> T) -> f64 {
        let started = Instant::now();
        let mut done = 0_u32;
        loop {
            drop(work());
            done += 1;
            let elapsed = started.elapsed();
            if elapsed >= self.turn {
                return f64::from(done) / elapsed.as_secs_f64();
            }
        }
    }

    /// How many seconds of the processor this takes, by doing it for one turn: what needs one thread and no disk is
    /// measured so, since others that use the machine disturb it less.
    pub fn cpu<T>(&self, mut work: impl FnMut() -> T) -> f64 {
        let cpu = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("Linux has this clock"));
        let (started, cpu_before, mut done) = (Instant::now(), cpu(), 0_u32);
        loop {
            drop(work());
            done += 1;
            if started.elapsed() >= self.turn {
                return (cpu() - cpu_before).as_secs_f64() / f64::from(done);
            }
        }
    }

    /// A store of so many system tasks, which all who ask share.
    pub fn system_tasks(&self, count: usize) -> Rc<system_task::Filled> {
        let count = count.min(self.rows_max);
        let mut filled = self.system_tasks.borrow_mut();
        Rc::clone(filled.entry(count).or_insert_with(|| Rc::new(system_task::Filled::with(count))))
    }

    /// A store of so many tasks, which all who ask share.
    pub fn panel(&self, kind: panel::Kind, count: usize) -> Rc<panel::Filled> {
        let count = count.min(self.rows_max);
        let mut filled = self.panels.borrow_mut();
        Rc::clone(filled.entry((kind, count)).or_insert_with(|| Rc::new(panel::Filled::with(kind, count))))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { turns, turn, large: (_, large), .. } = self;
        write!(
            f,
            "median (least, most) of {turns} turns of {turn:?} a side; the largest stores of a panel have {large} tasks"
        )
    }
}
