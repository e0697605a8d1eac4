//! What can be typed behind `system-task`.

use std::ffi::OsString;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use taskstore::{RunOptions, SortKey, SystemTaskStatus};
use uuid::Uuid;

use super::duration::{DURATION, duration};

#[derive(Debug, Subcommand)]
pub enum SystemTaskVerb {
    /// Run a command as a run of a system task: its output becomes log events, its end the run's status.
    ///
    /// Each line of the command's standard output becomes an event at level info, each line of its standard error one at
    /// level warning; the logger is the command's name. Status 0 is successful, anything else an error with the exit in
    /// the attributes of the last event. The uuid of the system task is printed on standard error.
    ///
    /// What `taskstore run --help` says of output, signals and the exit holds here too.
    Run(SystemTaskRunArguments),

    /// List system tasks by the last run of each that finished, in the order of their names.
    List(SystemTaskListArguments),

    /// Show one system task and the log of its last run that finished.
    Show {
        /// The system task.
        uuid: Uuid,

        /// Print the object of the system-task API; text for people by default.
        #[arg(long)]
        json: bool,
    },

    /// List the runs of a system task, newest first, those in progress also.
    History {
        /// The system task.
        uuid: Uuid,
    },

    /// Delete the runs that have expired.
    Clean,
}

#[derive(Args, Debug)]
pub struct SystemTaskRunArguments {
    /// What the system task is called: at most 256 bytes.
    #[arg(long, allow_hyphen_values = true)]
    pub name: String,

    /// What tells it from others of its name; none by default.
    #[arg(long, allow_hyphen_values = true)]
    pub uid: Option<String>,

    /// What it is for; left as it is by default.
    #[arg(long, allow_hyphen_values = true)]
    pub description: Option<String>,

    /// How long the run is kept after its end: a number with s, m, h, d or w, or "never".
    #[arg(long, value_name = "TIME", default_value = "6h", value_parser = expiry)]
    pub expires_after: Expiry,

    /// Show the run only if it was not successful; the history keeps it anyway.
    #[arg(long)]
    pub only_on_failure: bool,

    /// With status 0, end with status warning if there was any event at level warning.
    #[arg(long)]
    pub warn_on_stderr: bool,

    /// Print nothing of our own about a run that started and ended; by default two lines on standard error.
    #[arg(long, short)]
    pub quiet: bool,

    /// The command and its arguments, behind `--`.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

impl SystemTaskRunArguments {
    pub fn options(&self) -> RunOptions {
        let mut options = RunOptions::new();
        options.description.clone_from(&self.description);
        options.expires_after = self.expires_after.0;
        options.only_on_failure = self.only_on_failure;
        options
    }
}

#[derive(Args, Debug)]
pub struct SystemTaskListArguments {
    /// Only those of this status.
    #[arg(long, value_parser = status())]
    pub status: Option<SystemTaskStatus>,

    /// Only those of exactly this name.
    #[arg(long, allow_hyphen_values = true)]
    pub name: Option<String>,

    /// Only those of exactly this uid.
    #[arg(long, allow_hyphen_values = true)]
    pub uid: Option<String>,

    /// Only those in whose name, description, uid or status all these terms are found; "two words" in quotes are one.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub search: Option<String>,

    /// What to order by: members of the object, with `-` for descending; name and uid by default.
    #[arg(long, value_name = "F,-F", value_delimiter = ',', allow_hyphen_values = true)]
    pub ordering: Vec<SortKey>,

    /// Which page, from 1, or "last".
    #[arg(long, value_name = "N", default_value = "1")]
    pub page: String,

    /// How many a page has.
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..))]
    pub page_size: u32,

    /// Print the page of the system-task API; a table by default.
    #[arg(long)]
    pub json: bool,
}

/// How long a run is kept; `None` for ever.
#[derive(Clone, Copy, Debug)]
pub struct Expiry(Option<Duration>);

fn expiry(text: &str) -> Result<Expiry, String> {
    if text == "never" {
        return Ok(Expiry(None));
    }
    duration(text).map(|after| Expiry(Some(after))).ok_or_else(|| format!("must be {DURATION}, or \"never\""))
}

/// Reads a status, and lists them all in the help.
fn status() -> impl TypedValueParser<Value = SystemTaskStatus> {
    PossibleValuesParser::new(SystemTaskStatus::ALL.map(SystemTaskStatus::as_str))
        .try_map(|name| name.parse::<SystemTaskStatus>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_a_number_with_a_unit_or_never() {
        let seconds = |text| expiry(text).map(|Expiry(after)| after.map(|after| after.as_secs()));
        assert_eq!(["6h", "2 min", "never"].map(seconds), [Ok(Some(21_600)), Ok(Some(120)), Ok(None)]);
        let problem = "must be a number with s, m, h, d or w behind it, or \"never\"";
        assert_eq!(["6", "never "].map(seconds), [(); 2].map(|()| Err(problem.to_owned())));
    }
}
