//! What a panel reads from a store with a million tasks.

mod beside;
mod content;
mod filled;
mod filters;
mod generator;
mod get;
mod goals;
mod indexes;
mod lists;
mod stream;
mod year;

use taskstore::TaskFilter;

use content::Random;
pub use filled::Filled;
pub use goals::GOALS;
pub use stream::is_measured;

/// Which of a store's tasks are dismissed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// None.
    AllVisible,
    /// Nine tenths, here and there: what a panel has after a year.
    MostDismissed,
    /// The newest nine tenths.
    NewestDismissed,
}

impl Kind {
    /// Whether the task is not dismissed before which so many newer ones came.
    fn is_visible(self, age: u64, count: u64) -> bool {
        match self {
            Self::AllVisible => true,
            Self::MostDismissed => Random::of(SHOWN, age).in_thousand(100),
            Self::NewestDismissed => age >= count / 10 * 9,
        }
    }
}

const SHOWN: u64 = 0;

/// A page as a panel shows it.
fn page() -> TaskFilter {
    TaskFilter::new().limit(50)
}
