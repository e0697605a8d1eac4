//! Opening and closing a store, and what the file may do to it.

mod busy;
mod closing;
mod creating;
mod damaged;
mod names;
mod races;
mod read_only;
mod refused;
mod rights;
