//! Which tasks `list` and `export` show.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use taskstore::{ConfigurationFilter, ConfigurationId, Dismissed, Level, Order, Outcomes, TaskFilter, TimeRange};

use super::duration::{DURATION, duration};

#[derive(Args, Debug)]
#[command(next_help_heading = "Which tasks (those that pass all that is asked for)")]
pub struct FilterArguments {
    /// Those of this configuration, or "none", or "deleted" for those whose configuration is gone; all by default.
    #[arg(long, value_name = "ID", value_parser = configuration, allow_hyphen_values = true)]
    configuration: Option<ConfigurationFilter>,

    /// What may have happened to them, one or several with commas; anything by default.
    #[arg(long, value_delimiter = ',', value_parser = one_of(&OUTCOMES))]
    outcome: Vec<Outcomes>,

    /// Whether dismissed ones are hidden, as by default, included, or the only ones.
    #[arg(long, value_parser = one_of(&DISMISSED))]
    dismissed: Option<Dismissed>,

    /// Those that this user has dismissed, whatever --dismissed says; whoever did by default.
    #[arg(long, value_name = "USER", allow_hyphen_values = true)]
    dismissed_by: Option<String>,

    /// Those that this user has started; whoever did by default.
    #[arg(long, value_name = "USER", allow_hyphen_values = true)]
    performed_by: Option<String>,

    /// Those with this in their title, whatever the case; any by default.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    title: Option<String>,

    /// Those with this in a message, whatever the case; any by default.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    message: Option<String>,

    /// Those with this in their title or in a message, whatever the case; any by default.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    text: Option<String>,

    /// Those started then or later: an RFC 3339 time, a date (its midnight, UTC), or 2h for "2 hours ago".
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    started_from: Option<DateTime<Utc>>,

    /// Those started before; the same for the end of every range.
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    started_until: Option<DateTime<Utc>>,

    /// Those last changed then or later.
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    updated_from: Option<DateTime<Utc>>,

    /// Those last changed before.
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    updated_until: Option<DateTime<Utc>>,

    /// Those ended then or later, whatever the outcome.
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    finished_from: Option<DateTime<Utc>>,

    /// Those ended before.
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    finished_until: Option<DateTime<Utc>>,

    /// Those with a message of this level or a higher one; any by default.
    #[arg(long, value_parser = one_of(&LEVELS))]
    level: Option<Level>,

    /// Those in progress that started longer ago: a number with s, m, h, d or w; any by default.
    #[arg(long, value_name = "TIME", value_parser = longer_than, allow_hyphen_values = true)]
    running_longer_than: Option<Duration>,

    /// What comes first: the newest by default. "running" shows those in progress alone, the longest first.
    #[arg(long, value_parser = one_of(&ORDERS))]
    order: Option<Order>,
}

const OUTCOMES: [(&str, Outcomes); 4] = [
    ("in-progress", Outcomes::IN_PROGRESS),
    ("finished", Outcomes::FINISHED),
    ("failed", Outcomes::FAILED),
    ("interrupted", Outcomes::INTERRUPTED),
];
pub(super) const DISMISSED: [(&str, Dismissed); 3] =
    [("hidden", Dismissed::Hidden), ("included", Dismissed::Included), ("only", Dismissed::Only)];
const LEVELS: [(&str, Level); 2] = [(Level::Warn.as_str(), Level::Warn), (Level::Error.as_str(), Level::Error)];
const ORDERS: [(&str, Order); 4] = [
    ("newest", Order::NewestFirst),
    ("oldest", Order::OldestFirst),
    ("updated", Order::RecentlyUpdated),
    ("running", Order::LongestRunning),
];

impl FilterArguments {
    /// Whether anything was asked for.
    pub fn is_given(&self) -> bool {
        let Self { configuration, outcome, dismissed, dismissed_by, performed_by, title, message, text, .. } = self;
        let Self { started_from, started_until, updated_from, updated_until, finished_from, finished_until, .. } = self;
        let texts = [dismissed_by, performed_by, title, message, text];
        let times = [started_from, started_until, updated_from, updated_until, finished_from, finished_until];
        configuration.is_some()
            || !outcome.is_empty()
            || dismissed.is_some()
            || texts.into_iter().any(Option::is_some)
            || times.into_iter().any(Option::is_some)
            || self.level.is_some()
            || self.running_longer_than.is_some()
            || self.order.is_some()
    }

    pub fn filter(self) -> TaskFilter {
        let mut filter = TaskFilter::new();
        filter.dismissed = self.dismissed.unwrap_or_default();
        filter.order = self.order.unwrap_or_default();
        filter.configuration = self.configuration.unwrap_or_default();
        filter.outcomes = self.outcome.into_iter().reduce(|all, one| all | one).unwrap_or(Outcomes::ANY);
        filter.dismissed_by = self.dismissed_by;
        filter.performed_by = self.performed_by;
        filter.title = self.title;
        filter.message = self.message;
        filter.text = self.text;
        filter.started = range(self.started_from, self.started_until);
        filter.updated = range(self.updated_from, self.updated_until);
        filter.finished = range(self.finished_from, self.finished_until);
        filter.level_reached = self.level;
        filter.running_longer_than = self.running_longer_than;
        filter
    }
}

fn range(from: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) -> TimeRange {
    let mut range = TimeRange::ALWAYS;
    (range.from, range.until) = (from, until);
    range
}

/// Reads one of these words, and lists them all in the help.
pub(super) fn one_of<T: Copy + Send + Sync>(words: &'static [(&'static str, T)]) -> impl TypedValueParser<Value = T> {
    let names = PossibleValuesParser::new(words.iter().map(|(name, _)| *name));
    let named = |name: &str| words.iter().find(|(word, _)| *word == name).map(|(_, value)| *value);
    names.try_map(move |name| named(&name).ok_or("is none of these"))
}

fn configuration(text: &str) -> Result<ConfigurationFilter, String> {
    match text {
        "none" => Ok(ConfigurationFilter::None),
        "deleted" => Ok(ConfigurationFilter::Deleted),
        id => {
            let id: Result<ConfigurationId, _> = id.parse();
            id.map(ConfigurationFilter::One).map_err(|_| "must be an id, none, or deleted".to_owned())
        }
    }
}

/// Reads a time, a date, or an age.
pub(super) fn time(text: &str) -> Result<DateTime<Utc>, String> {
    // Only as it is written again: chrono would take a year of two digits, too.
    if let Some(date) = text.parse::<NaiveDate>().ok().filter(|date| date.to_string() == text) {
        return Ok(date.and_time(NaiveTime::MIN).and_utc());
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    let age = duration(text)
        .ok_or_else(|| format!("must be an RFC 3339 time, a date such as 2026-11-21, or an age: {DURATION}"))?;
    // What is longer ago than time can tell is as long ago as it can.
    let time = TimeDelta::from_std(age).ok().and_then(|age| Utc::now().checked_sub_signed(age));
    Ok(time.unwrap_or(DateTime::<Utc>::MIN_UTC))
}

pub(super) fn longer_than(text: &str) -> Result<Duration, String> {
    duration(text).ok_or_else(|| format!("must be {DURATION}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_one_with_any_offset_or_a_date_or_an_age() {
        let read = |text| time(text).map(|time| time.to_rfc3339());
        assert_eq!(read("2026-11-21T14:00:00.5+02:00").as_deref(), Ok("2026-11-21T12:00:00.500+00:00"));
        assert_eq!(read("2026-11-21").as_deref(), Ok("2026-11-21T00:00:00+00:00"));
        let (before, two_hours_ago, after) = (Utc::now(), time("2h").unwrap(), Utc::now());
        assert!((before..=after).contains(&(two_hours_ago + TimeDelta::hours(2))));
        assert_eq!(time("18446744073709551615w"), Ok(DateTime::<Utc>::MIN_UTC));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let texts = [
            "",
            "2026-11-31",
            "2026-11",
            "26-11-21",
            "2026-7-1",
            " 2026-07-01",
            "2026-11-21T12:00:00",
            "12:00",
            "yesterday",
            "-2h",
            "2",
            "2y",
        ];
        for text in texts {
            assert!(time(text).is_err(), "{text:?}");
        }
    }
}
