//! Lists: each against a plain vector, page by page, while others write.

mod check;
mod controls;
mod cursors;
mod filters;
mod foreign;
mod levels;
mod meanwhile;
mod model;
mod pages;
mod ranges;
mod recent;
mod refused;
mod search;
mod tails;
mod threads;
mod walks;
mod whole;
mod world;

use proptest::prelude::ProptestConfig;

/// A share of the cases that are usual, or that the environment asks for.
fn one_in(share: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.div_ceil(share), ..usual }
}
