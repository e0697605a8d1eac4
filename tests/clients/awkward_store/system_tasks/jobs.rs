//! Each is awkward in one way.

use std::time::Duration;

use serde_json::value::RawValue;
use taskstore::{LogEvent, LogLevel, SystemTaskStatus};

use super::Job;

/// Texts that a client, an address or a terminal may trip over.
const TEXTS: [&str; 12] = [
    "",
    " ",
    "two words",
    "Ærøskøbing 日本語 🦀",
    "e\u{301} is not é",
    "line one\r\nline two\n\ttab",
    "\"quoted\" 'too' \\ / \u{2028} \u{7f}",
    "\0 \u{1} \u{1b}[2J",
    "<script>alert(1)</script> &amp;",
    "null",
    "2026-11-21T12:00:00Z",
    "\u{feff}\u{202e}gnp\u{10ffff}",
];

/// Attributes, as JSON. Deep ones are apart.
const ATTRIBUTES: [&str; 8] = [
    r#"{}"#,
    r#"{"":""}"#,
    r#"{"z":1,"a":[null,true,false,[],{},[[]]],"m":{"timestamp":null,"log_level":""}}"#,
    r#"{"int":9223372036854775807,"negative":-9223372036854775808,"unsigned":18446744073709551615}"#,
    r#"{"beyond":123456789012345678901234567890}"#,
    r#"{"float":1.0,"small":5e-324,"large":1.7976931348623157e308,"exact":0.1,"zero":-0.0}"#,
    r#"{"event":"not the event","attributes":{"attributes":{}},"uuid":"5c1f4de29a534f0e8a356a1de51f8ed2"}"#,
    r#"{"日本語":"🦀","escaped":"\u0000\n\"\\\/","__class__":"x","self":1}"#,
];

pub(super) fn all() -> Vec<Job> {
    let mut jobs = vec![levels(), attributes(), texts(), many_events()];
    jobs.extend(uids());
    jobs.extend(names());
    jobs.extend(statuses());
    jobs.extend(descriptions());
    jobs.extend(times());
    jobs.extend(expiries());
    // More than a page of them.
    jobs.extend((0..130).map(|user| Job::new("fetch_mail").uid(&format!("user-{user:03}"))));
    jobs
}

fn levels() -> Job {
    let event = |level: LogLevel| LogEvent::new(level, format!("at {level}")).logger("structlog.stdlib");
    Job { events: LogLevel::ALL.map(event).to_vec(), ..Job::new("levels") }
}

fn attributes() -> Job {
    let deep = format!(r#"{{"deep":{}1{}}}"#, "[".repeat(100), "]".repeat(100));
    let long = format!(r#"{{"long":"{}"}}"#, "x".repeat(200 << 10));
    let json = ATTRIBUTES.map(str::to_owned).into_iter().chain([deep, long]);
    let event = |json| LogEvent::new(LogLevel::Info, "e").attributes(RawValue::from_string(json).unwrap()).unwrap();
    Job { events: json.map(event).collect(), ..Job::new("attributes") }
}

fn texts() -> Job {
    let long = "long ".repeat(200 << 10);
    let events = TEXTS.into_iter().chain([long.as_str()]).map(|text| LogEvent::new(LogLevel::Info, text));
    let loggers = TEXTS.into_iter().filter(|text| !text.contains('\0'));
    let logged = loggers.map(|logger| LogEvent::new(LogLevel::Info, "by").logger(logger));
    Job { events: events.chain(logged).collect(), ..Job::new("texts") }
}

fn many_events() -> Job {
    let events = (1..=10_000).map(|number| LogEvent::new(LogLevel::Debug, format!("fetched message {number}")));
    Job { events: events.collect(), ..Job::new("many_events") }
}

fn uids() -> Vec<Job> {
    let texts = TEXTS.into_iter().filter(|text| !text.contains('\0'));
    let uids = texts.chain(["source:users:7", ":", "::a::", "0", "None"]).map(|uid| Job::new("uids").uid(uid));
    uids.chain([Job::new("uids")]).collect()
}

fn names() -> Vec<Job> {
    let names = TEXTS.into_iter().filter(|text| !text.is_empty() && !text.contains('\0')).map(Job::new);
    let hard = ["a&b=c+d%20e#f?g;h", "a/b/../c", "100%_", "Fetch Mail", "fetch mail", "a,b", ":", "a:b"].map(Job::new);
    names.chain(hard).chain([Job::new("ß".repeat(128))]).collect()
}

fn statuses() -> Vec<Job> {
    SystemTaskStatus::ALL.map(|status| Job { status: Some(status), ..Job::new(format!("ended_{status}")) }).to_vec()
}

fn descriptions() -> Vec<Job> {
    let long = "d".repeat(16 << 10);
    let descriptions = TEXTS.into_iter().filter(|text| !text.contains('\0')).chain([long.as_str()]);
    let job = |(number, description): (usize, &str)| Job {
        description: description.to_owned(),
        ..Job::new(format!("description_{number}"))
    };
    descriptions.enumerate().map(job).collect()
}

fn times() -> Vec<Job> {
    let events = vec![LogEvent::new(LogLevel::Info, "tick"), LogEvent::new(LogLevel::Info, "tock")];
    let job = |name: &str, began, step_ns| Job { began, step_ns, events: events.clone(), ..Job::new(name) };
    vec![
        job("whole_seconds", "2026-11-21T12:00:00Z", 1_000_000_000),
        job("no_microseconds", "2026-11-21T12:00:00.000000999Z", 0),
        job("cut_not_rounded", "2026-11-21T23:59:59.999999999Z", 0),
        job("into_the_next_year", "2026-12-31T23:59:59.999999Z", 1_000),
        job("trailing_zeros", "2026-11-21T12:00:00.100000Z", 100_000_000),
        job("a_nanosecond", "2026-11-21T12:00:00.000001Z", 1),
        job("before_the_epoch", "1969-12-31T23:59:59.999999999Z", 1),
        job("long_ago", "1700-01-01T00:00:00Z", 86_400_000_000_000),
        job("leap_day", "2028-02-29T12:00:00.000001Z", 31_536_000_000_000_000),
    ]
}

fn expiries() -> Vec<Job> {
    let job = |name: &str, after| Job { expires_after: Some(after), ..Job::new(name) };
    vec![
        job("expires_later", Duration::from_secs(6 * 60 * 60)),
        job("expires_at_its_end", Duration::ZERO),
        job("expires_far_away", Duration::from_secs(200 * 365 * 86_400)),
        Job { began: "2001-01-01T00:00:00Z", ..job("expired_long_ago", Duration::from_secs(1)) },
    ]
}
