//! Chance that a test can have again, and how often it tries its luck.

use std::env;
use std::hash::{BuildHasher, RandomState};

const SEED: &str = "TASKSTORE_TEST_SEED";
const ROUNDS: &str = "TASKSTORE_TEST_ROUNDS";

/// How many rounds to play: so many, unless the environment asks for another number.
pub(crate) fn rounds(quick: usize) -> usize {
    env::var(ROUNDS).map_or(quick, |rounds| rounds.parse().unwrap())
}

/// Numbers that follow from a seed (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// From the seed of the environment, or a new one. It is printed, which a test shows when it fails.
    pub(crate) fn new() -> Self {
        let seed = env::var(SEED).map_or_else(|_| RandomState::new().hash_one(()), |seed| seed.parse().unwrap());
        println!("{SEED}={seed}");
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one, which is not 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A place in what has so many, at least one.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        (self.next() % length as u64) as usize
    }

    /// Whether one chance in so many came true.
    pub(crate) fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}
