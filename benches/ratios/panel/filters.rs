//! Pages by each filter, to the page without one.

use std::time::Duration;

use taskstore::{Configuration, ConfigurationFilter, TaskFilter};

use super::{Filled, Kind, page};
use crate::measure::{Measured, Run};

/// A page of tasks by this filter to one without any, in a store of which most is dismissed.
pub fn to_unfiltered(run: &Run, filter: impl Fn(&Filled, TaskFilter) -> TaskFilter) -> Measured {
    let filled = run.panel(Kind::MostDismissed, run.large());
    let filter = filter(&filled, page());
    let list = |filter: &TaskFilter| filled.store.list(filter).expect("lists");
    let (rows, seconds) = (list(&filter).items.len(), run.cpu(|| list(&filter)));
    let compared = run.compare(|| run.cpu(|| list(&filter)), || run.cpu(|| list(&page())));
    compared.note(format!("{rows} tasks in {:.3} ms", 1e3 * seconds))
}

/// The same for a text, for which it looks until the page is full or all is seen.
pub fn text_to_unfiltered(run: &Run, filter: impl Fn(TaskFilter) -> TaskFilter) -> Measured {
    to_unfiltered(run, |_, page| filter(page).search_time_max(Duration::MAX))
}

/// The page from the middle on of what the filter gives.
pub fn middle_to_unfiltered(run: &Run, filter: impl Fn(TaskFilter) -> TaskFilter) -> Measured {
    to_unfiltered(run, |filled, page| filled.middle(&filter(page)))
}

/// The configuration with the fewest tasks that has some.
pub fn smallest(filled: &Filled) -> ConfigurationFilter {
    let mut all: Vec<Configuration> = filled.store.configurations().list().expect("lists");
    all.pop().map_or(ConfigurationFilter::None, |last| last.id.into())
}
