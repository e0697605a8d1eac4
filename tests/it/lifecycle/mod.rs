//! The life of a task: what may happen to it, and what may not.

mod guard;
mod run;
mod transitions;
