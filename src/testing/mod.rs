//! What tests need, of an application and of programs that play one; with the feature `testing`.
//!
//! - [`ManualClock`] stands still until a test moves it, and [`options`] opens stores in which nothing is left to chance.
//! - [`given`] writes a past into a store: what began, what it said, and how it ended, each at its time.
//! - [`assert_task!`](crate::assert_task), [`assert_run!`](crate::assert_run) and [`assert_nothing_running`] say what is to be
//!   there, and where it is not, show all that there is.
//! - [`Faults`] has commits fail on demand: a busy file, a full disk, an unknown outcome, a crash.
//! - [`Simulation`] is a living system: a seeded stream of tasks and runs, in virtual time.
//!
//! # Example
//!
//! ```
//! use taskstore::Progress;
//! use taskstore::testing::{ManualClock, assert_nothing_running, assert_task, given, options};
//!
//! let clock = ManualClock::at("2026-11-21T12:00:00Z".parse()?);
//! let store = options(&clock).open_temporary()?;
//! let given = given(&store);
//! let deploy = given.task("Deploy").by("alice").started("-2h").message("-1h", "copying").failed_with("-5m", "no space left");
//! let deploy = deploy.dismissed_by("bob").write()?;
//! let copy = given.task("Copy").started("-90s").progress("-1s", Progress::new(3).of(10)).write()?;
//!
//! assert_task!(store, deploy, failed with "no space", dismissed by "bob");
//! assert_task!(store, copy, in progress);
//! store.finish(copy)?;
//! assert_nothing_running(&store);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod assert;
mod clock;
mod faults;
mod given;
mod ids;
mod simulation;
mod span;

pub use assert::{ExpectedRun, ExpectedTask, assert_nothing_running, assert_run, assert_task};
pub use clock::ManualClock;
pub use faults::{Fault, Faults};
pub use given::{Given, GivenError, GivenRegistration, GivenRun, GivenSystemTask, GivenTask, Moment, given, stage};
pub use ids::{options, sequential_uuids};
pub use simulation::Simulation;
pub use span::Span;

#[doc(inline)]
pub use crate::{assert_run, assert_task};
