//! Two sides in turns.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::system_task::Filled;

/// What a goal's measurement gives.
pub enum Measured {
    /// A figure for each turn.
    Turns(Vec<f64>),
    Skipped(String),
}

/// How much is measured, and what several goals read.
pub struct Run {
    turns: usize,
    /// How long each side works in a turn, so that a run takes as long on a slow disk as on a quick one.
    pub turn: Duration,
    /// The most rows that a store is filled with.
    pub rows_max: usize,
    /// Stores of system tasks by size, each filled when it is first asked for.
    system_tasks: RefCell<HashMap<usize, Rc<Filled>>>,
}

impl Run {
    pub fn full() -> Self {
        Self::new(31, Duration::from_millis(150), usize::MAX)
    }

    pub fn quick() -> Self {
        Self::new(9, Duration::from_millis(60), usize::MAX)
    }

    /// Everything once: what it measures means nothing, and is not shown.
    pub fn once() -> Self {
        Self::new(1, Duration::ZERO, 100)
    }

    fn new(turns: usize, turn: Duration, rows_max: usize) -> Self {
        Self { turns, turn, rows_max, system_tasks: RefCell::default() }
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
        turn(0);
        Measured::Turns((0..self.turns).map(turn).collect())
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

    /// A store of so many system tasks, which all who ask share.
    pub fn system_tasks(&self, count: usize) -> Rc<Filled> {
        let count = count.min(self.rows_max);
        Rc::clone(self.system_tasks.borrow_mut().entry(count).or_insert_with(|| Rc::new(Filled::with(count))))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "median (least, most) of {} turns of {:?} a side", self.turns, self.turn)
    }
}
