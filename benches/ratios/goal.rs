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
    /// A figure that is of interest, with nothing aimed at.
    None,
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

    /// Nothing is aimed at.
    pub const fn figure(name: &'static str, measure: fn(&Run) -> Measured) -> Self {
        Self { name, target: Target::None, measure }
    }

    /// Measures, and says how it went.
    pub fn line(&self, run: &Run) -> String {
        let name = run.name_of(self.name);
        let (mut figures, note) = match (self.measure)(run) {
            Measured::Turns(figures) => (figures, String::new()),
            Measured::Noted(figures, note) => (figures, format!("; {note}")),
            Measured::Skipped(why) => return format!("GOAL {name} skipped: {why}"),
        };
        if run.turn.is_zero() {
            return format!("     {name} ran");
        }
        figures.sort_by(f64::total_cmp);
        let (Some(least), Some(most)) = (figures.first(), figures.last()) else {
            return format!("GOAL {name} skipped: it gave no figure");
        };
        let median = figures.get(figures.len() / 2).unwrap_or(most);
        let (target, reached, way) = match self.target {
            Target::AtLeast(target) => (target, *median >= target, ""),
            Target::AtMost(target) => (target, *median <= target, "; less is better"),
            Target::None => return format!("     {name} {median:.3} ({least:.3}, {most:.3}{note})"),
        };
        let verdict = if reached { "ok" } else { "short" };
        format!("GOAL {name} {median:.3} {target:.2} {verdict} ({least:.3}, {most:.3}{way}{note})")
    }
}
