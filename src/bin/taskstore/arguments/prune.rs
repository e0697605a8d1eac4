//! What can be typed behind `prune` and `stats`.

use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory};
use taskstore::{Dismissed, Outcomes, Retention, RetentionRule};

use super::filter::{DISMISSED, one_of};
use super::size::{SIZE, size};
use super::{Arguments, count_from, filter};
use crate::failure::Failure;

#[derive(Args, Debug)]
pub struct PruneArguments {
    /// Those that ended so long ago: a number with s, m, h, d or w; any age by default.
    #[arg(long, value_name = "TIME", value_parser = filter::longer_than, allow_hyphen_values = true)]
    older_than: Option<Duration>,

    /// Those beyond the newest N of each configuration, whatever their age, or with --older-than those that are both; none
    /// is kept by default.
    #[arg(long, value_name = "N", value_parser = count_from::<0>, allow_negative_numbers = true)]
    keep: Option<u64>,

    /// After that, as long as the file is larger, the oldest, also those that --older-than and --keep leave: a number with
    /// KiB, MiB or GiB; of any size by default.
    #[arg(long, value_name = "SIZE", value_parser = bytes, allow_hyphen_values = true)]
    max_size: Option<u64>,

    /// Of these outcomes only, one or several with commas; whatever the outcome by default.
    #[arg(long, value_delimiter = ',', value_parser = one_of(&ENDS))]
    outcome: Vec<Outcomes>,

    /// Whether dismissed ones are left alone, included, or the only ones.
    #[arg(long, default_value = "included", value_parser = one_of(&DISMISSED))]
    dismissed: Dismissed,

    /// Also the runs of system tasks that have expired, as `system-task clean` does.
    #[arg(long)]
    expired_runs: bool,

    /// Delete nothing, and say what would go.
    #[arg(long)]
    pub dry_run: bool,
}

const ENDS: [(&str, Outcomes); 3] =
    [("finished", Outcomes::FINISHED), ("failed", Outcomes::FAILED), ("interrupted", Outcomes::INTERRUPTED)];

impl PruneArguments {
    /// What they ask for; refused if that is nothing.
    pub fn retention(&self) -> Result<Retention, Failure> {
        let outcomes = self.outcome.iter().copied().reduce(|all, one| all | one).unwrap_or(Outcomes::ANY);
        let of_these = RetentionRule::new().outcomes(outcomes).dismissed(self.dismissed);
        let mut retention = Retention::new().expired_runs(self.expired_runs);
        if self.older_than.is_some() || self.keep.is_some() {
            let mut rule = of_these;
            (rule.older_than, rule.keep) = (self.older_than, self.keep);
            retention = retention.rule(rule);
        }
        if let Some(bytes) = self.max_size {
            retention = retention.rule(of_these.file_bytes_max(bytes));
        }
        if retention == Retention::new() {
            return Err(nothing_asked());
        }
        Ok(retention)
    }
}

fn nothing_asked() -> Failure {
    let problem = "say what is to go: --older-than, --keep, --max-size or --expired-runs";
    Failure::Usage(Arguments::command().error(ErrorKind::MissingRequiredArgument, problem))
}

fn bytes(text: &str) -> Result<u64, String> {
    size(text).ok_or_else(|| format!("must be {SIZE}"))
}

#[derive(Args, Debug)]
pub struct StatsArguments {
    /// Print them as one object of JSON; text for people by default.
    #[arg(long)]
    pub json: bool,
}
