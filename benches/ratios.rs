//! Ratios to hand-written rusqlite.
fn main() {}
