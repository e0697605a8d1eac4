//! What is aimed at, and whether it was reached.

use crate::measure::{Measured, Run};

/// One line of the output.
pub struct Goal {
    pub name: &'static str,
    target: Target,
    measure: fn(&Run) -> Measured,
}

enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    /// More is better.
    pub const fn at_least(name: &'static str, target: f64, measure: fn(&Run) -> Measured) -> Self {
        Self { name, target: Target::AtLeast(target), measure }
    }

    /// Less is better.
    pub const fn at_most(name: &'static str, target: f64, measure: fn(&Run) -> Measured) -> Self {
        Self { name, target: Target::AtMost(target), measure }
    }

    /// Measures, and says how it went.
    pub fn line(&self, run: &Run) -> String {
        let mut figures = match (self.measure)(run) {
            Measured::Turns(figures) => figures,
            Measured::Skipped(why) => return format!("GOAL {} skipped: {why}", self.name),
        };
        if run.turn.is_zero() {
            return format!("     {} ran", self.name);
        }
        figures.sort_by(f64::total_cmp);
        let (Some(least), Some(most)) = (figures.first(), figures.last()) else {
            return format!("GOAL {} skipped: it gave no figure", self.name);
        };
        let median = figures.get(figures.len() / 2).unwrap_or(most);
        let (target, reached, way) = match self.target {
            Target::AtLeast(target) => (target, *median >= target, ""),
            Target::AtMost(target) => (target, *median <= target, "; less is better"),
        };
        let verdict = if reached { "ok" } else { "short" };
        format!("GOAL {} {median:.3} {target:.2} {verdict} ({least:.3}, {most:.3}{way})", self.name)
    }
}
