//! Chance that follows from a seed, the same on every machine.

use serde::{Deserialize, Serialize};

use super::settings::Settings;
use crate::task::Outcome;

/// Numbers that follow from a seed (splitmix64).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one; 0 below 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    /// Something from `least` to three times that, the lower the more often.
    pub(super) fn about(&mut self, least: u64) -> u64 {
        let (one, other) = (self.below(least.saturating_mul(2)), self.below(least.saturating_mul(2)));
        least.saturating_add(one.min(other))
    }

    /// So often in a hundred.
    pub(super) fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent.into()
    }

    /// The place of one among so many; 0 among none.
    pub(super) fn index(&mut self, len: usize) -> usize {
        let chosen = self.below(u64::try_from(len).unwrap_or(u64::MAX));
        usize::try_from(chosen).unwrap_or(0)
    }

    /// `None` if there is nothing to choose from.
    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.index(from.len()))
    }

    /// How something ends.
    pub(super) fn outcome(&mut self, settings: &Settings) -> Outcome {
        let (chance, fail) = (self.below(100), u64::from(settings.failure_percent));
        match chance {
            chance if chance < fail => Outcome::Failed,
            chance if chance < fail + u64::from(settings.interruption_percent) => Outcome::Interrupted,
            _ => Outcome::Finished,
        }
    }

    /// A text of some; empty if there is none.
    pub(super) fn word(&mut self, from: &[&'static str]) -> &'static str {
        self.pick(from).copied().unwrap_or_default()
    }
}
