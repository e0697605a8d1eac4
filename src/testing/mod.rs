//! What tests of an application need, and harnesses that play one: the feature `testing`.

mod clock;
mod faults;
mod simulation;

pub use clock::ManualClock;
pub use faults::{Fault, Faults};
pub use simulation::Simulation;
