//! Files in which bits have flipped: no panic, no hang, errors by name; and how much of it `check` reports.

mod flips;
mod look;
mod original;
mod random;
mod tally;
mod texts;
