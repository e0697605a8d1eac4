//! Sets of outcomes.

use std::ops::BitOr;

use super::Outcome;

/// A set of outcomes, with "none yet" as one of them. Sets are joined with `|`.
///
/// # Example
///
/// ```
/// use taskstore::{Outcome, Outcomes};
///
/// let bad = Outcomes::FAILED | Outcomes::INTERRUPTED;
/// assert!(bad.contains(Some(Outcome::Failed)) && !bad.contains(None));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Outcomes(u8);

impl Outcomes {
    /// In progress.
    pub const IN_PROGRESS: Self = Self::bit(None);
    /// Finished.
    pub const FINISHED: Self = Self::bit(Some(Outcome::Finished));
    /// Failed.
    pub const FAILED: Self = Self::bit(Some(Outcome::Failed));
    /// Interrupted.
    pub const INTERRUPTED: Self = Self::bit(Some(Outcome::Interrupted));
    /// Whatever happened. The default of a filter.
    pub const ANY: Self = Self(0b1111);

    const fn bit(outcome: Option<Outcome>) -> Self {
        Self(1 << Outcome::code(outcome))
    }

    /// Whether a task with this outcome is in the set.
    #[must_use]
    pub const fn contains(self, outcome: Option<Outcome>) -> bool {
        self.0 & Self::bit(outcome).0 != 0
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether nothing is in the set but these.
    pub(crate) const fn are_within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// The set of these bits.
    #[cfg(test)]
    pub(crate) const fn of_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The set as the query takes it: bit n stands for the outcome that is stored as n.
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }
}

impl BitOr for Outcomes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}
