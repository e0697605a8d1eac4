//! What the indexes of times cost those who write: the raw side with other indexes than the library's.

use taskstore::Durability::{self, Full, Normal};

use crate::measure::{Measured, Run};
use crate::raw::task::Tasks;

/// The list by time would sort everything.
pub const NONE: &str = "DROP INDEX task_ended;";
/// Every message moves its task in it.
pub const OF_ALL: &str = "DROP INDEX task_ended; CREATE INDEX task_updated ON task (dismissed, updated_ns);";

/// The time of a thousand lifecycles in one transaction with the library's index to that with another.
pub fn batch(run: &Run, other: &str) -> Measured {
    let (ours, other) = (Tasks::open(Normal), Tasks::changed(Normal, other));
    run.compare(|| run.cpu(|| ours.batch(1_000)), || run.cpu(|| other.batch(1_000)))
}

/// The same of lifecycles of five verbs.
pub fn verbs(run: &Run, durability: Durability, other: &str) -> Measured {
    let (ours, other) = (Tasks::open(durability), Tasks::changed(durability, other));
    let time = |tasks: &Tasks| match durability {
        // Here the disk counts, too.
        Full => 1.0 / run.rate(|| tasks.lifecycle(|| ())),
        Normal => run.cpu(|| tasks.lifecycle(|| ())),
    };
    run.compare(|| time(&ours), || time(&other))
}
