//! What `simulate` makes.

use chrono::{DateTime, Utc};
use clap::Args;

use super::count_from;
use super::filter::time;

#[derive(Args, Debug)]
pub struct SimulateArguments {
    /// How many tasks, from 1. Up to 43,200 start at a rate of 20 an hour; more of them, within 90 days.
    #[arg(long, value_name = "N", default_value = "1000", value_parser = count_from::<1>, allow_negative_numbers = true)]
    pub tasks: u64,

    /// What the past follows from.
    #[arg(long, value_name = "S", default_value = "1", allow_negative_numbers = true)]
    pub seed: u64,

    /// When it ends: an RFC 3339 time, a date (its midnight, UTC), or 2h for "2 hours ago"; now by default.
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    pub until: Option<DateTime<Utc>>,

    /// Add to what is in the database, up to now at the latest; one that is not empty is refused by default.
    #[arg(long)]
    pub add: bool,
}
