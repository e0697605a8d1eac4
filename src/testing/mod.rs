//! What tests of an application need, and harnesses that play one: the feature `testing`.

mod clock;

pub use clock::ManualClock;
