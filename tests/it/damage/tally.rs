//! How much of the damage was noticed, and by what.

use std::collections::BTreeMap;
use std::fmt;

use super::look::Seen;
use super::original::Kind;

/// The files that were damaged in one kind of place.
#[derive(Debug, Default)]
pub(super) struct Tally {
    files: usize,
    /// Were not opened.
    refused: usize,
    /// Met an error while they were read or written.
    failing: usize,
    /// Showed something else than before, without an error for it.
    changed: usize,
    /// Of those, `check` reported so many.
    changed_reported: usize,
    /// `check` reported it, or the file was refused.
    reported: usize,
}

impl Tally {
    pub(super) fn add(&mut self, before: &Seen, seen: &Seen) {
        let is_refused = seen.errors.iter().any(|(asked, _)| asked == "open");
        let check_failed = seen.errors.iter().any(|(asked, _)| asked == "check");
        let is_reported = is_refused || check_failed || seen.findings.as_ref().is_some_and(|found| !found.is_empty());
        let is_changed = seen.shown.iter().any(|(asked, answer)| before.shown.get(asked) != Some(answer));
        self.files += 1;
        self.refused += usize::from(is_refused);
        self.failing += usize::from(!is_refused && !seen.errors.is_empty());
        self.changed += usize::from(is_changed);
        self.changed_reported += usize::from(is_changed && is_reported);
        self.reported += usize::from(is_reported);
    }

    /// What is wrong with the answers to damage that nobody can overlook: pages that are of no kind any more.
    pub(super) fn complaints(&self) -> Vec<&'static str> {
        let complaints = [
            (self.files == 0, "nothing was damaged"),
            (self.reported < self.files, "check overlooks a page that is of no kind"),
            (self.refused + self.failing < self.files / 2, "errors are passed over"),
        ];
        complaints.into_iter().filter_map(|(is_so, complaint)| is_so.then_some(complaint)).collect()
    }
}

pub(super) struct Tallies(pub(super) BTreeMap<Kind, Tally>);

impl fmt::Display for Tallies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:9}{:>7}{:>9}{:>9}{:>9}{:>9}{:>22}",
            "bits in", "files", "refused", "failing", "reported", "changed", "of these reported"
        )?;
        for (kind, tally) in &self.0 {
            let Tally { files, refused, failing, changed, changed_reported, reported } = tally;
            let kind = format!("{kind:?}");
            let share =
                (changed_reported * 100).checked_div(*changed).map_or("-".to_owned(), |share| format!("{share} %"));
            write!(
                f,
                "\n{kind:9}{files:7}{refused:9}{failing:9}{reported:9}{changed:9}{changed_reported:15}{share:>7}"
            )?;
        }
        Ok(())
    }
}
