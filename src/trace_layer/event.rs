//! An event made into a message of a task, or into a log event of a run.

use std::borrow::Cow;

use tracing_core::Event;

use super::object::Object;
use super::settings::Settings;
use super::traced::{Kind, TracedEvent};
use super::value::{Cut, Fields, Take, Value};
use super::{is_error_field, level_of};
use crate::limits::Limits;
use crate::task::reason;

/// The name of the field that a logging macro gives its text.
const MESSAGE: &str = "message";

/// What `tracing-log` gives the records of the `log` crate: where they come from, instead of a target of their own.
const LOG: &str = "log.";
const LOG_TARGET: &str = "log.target";

/// What is read of an event.
pub(super) struct Read {
    /// `None` if it says nothing, but of the task's outcome.
    pub(super) event: Option<TracedEvent>,
    /// What it says of the task's outcome.
    pub(super) error: Option<String>,
}

/// Reads an event that is said inside a task, or a run; `is_outcome` if it is what [`is_outcome`](super::is_outcome) tells.
pub(super) fn read(
    event: &Event<'_>,
    is_outcome: bool,
    kind: &Kind,
    time_ns: i64,
    settings: &Settings,
    limits: &Limits,
) -> Read {
    let mut reader = Reader {
        settings,
        limits,
        text: Cut::new(limits.text_bytes_max.min(Limits::TEXT_BYTES_MAX)),
        attributes: matches!(kind, Kind::Run { .. }).then(|| Object::new(limits.attributes_bytes_max)),
        target: Cow::Borrowed(event.metadata().target()),
        is_outcome,
        error: None,
    };
    event.record(&mut Fields(&mut reader));
    let Reader { text, attributes, target, error, .. } = reader;
    let says_nothing = text.is_empty() && attributes.as_ref().is_none_or(Object::is_empty) && error.is_some();
    let text = match kind {
        Kind::Task if settings.targets => {
            let mut whole = Cut::new(limits.text_bytes_max.min(Limits::TEXT_BYTES_MAX));
            whole.push(format_args!("{target}: {}", text.into_text()));
            whole.into_text()
        }
        _ => text.into_text(),
    };
    let event = TracedEvent {
        time_ns,
        level: level_of(*event.metadata().level()),
        logger: if attributes.is_some() { logger(target, limits) } else { Cow::Borrowed("") },
        text,
        attributes: attributes.map(Object::into_text).unwrap_or_default(),
    };
    Read { event: (!says_nothing).then_some(event), error }
}

fn logger(target: Cow<'static, str>, limits: &Limits) -> Cow<'static, str> {
    if target.len() <= limits.name_bytes_max && !target.contains('\0') {
        return target;
    }
    Cow::Owned(name(&target, limits.name_bytes_max))
}

/// A name that the store takes: without NUL, and not too long.
pub(super) fn name(text: &str, bytes_max: usize) -> String {
    reason::cut(text.replace('\0', "\u{fffd}"), bytes_max)
}

/// A name that tells what it names from the rest: the end of one that the store does not take as it is becomes a hash of the
/// whole.
pub(super) fn distinct_name(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max && !text.contains('\0') {
        return text.to_owned();
    }
    let hash = format!("{:016x}", hash(text.as_bytes()));
    let Some(room) = bytes_max.checked_sub(MARK.len() + hash.len()) else { return name(&hash, bytes_max) };
    name(text, room) + MARK + &hash
}

/// Stands before the hash.
const MARK: &str = "…";

/// FNV-1a: the same in every process and every version.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

struct Reader<'a> {
    settings: &'a Settings,
    limits: &'a Limits,
    text: Cut,
    /// For a run.
    attributes: Option<Object>,
    target: Cow<'static, str>,
    /// Whether its only field is the error.
    is_outcome: bool,
    error: Option<String>,
}

impl Take for Reader<'_> {
    fn take(&mut self, name: &'static str, given: &Value<'_>) {
        if name.starts_with(LOG) {
            if name == LOG_TARGET {
                self.target = Cow::Owned(given.to_text(self.limits.text_bytes_max));
            }
            return;
        }
        let redacted = self.settings.redacted(name, given, self.limits.text_bytes_max);
        let redacted = redacted.as_deref().map(Value::Text);
        let value = redacted.as_ref().unwrap_or(given);
        if self.is_outcome || is_error_field(name) {
            self.error = Some(value.to_text(self.limits.text_bytes_max));
        } else if name == MESSAGE {
            if self.text.is_empty() { self.text.push(value) } else { self.text.push_front(value) }
        } else if let Some(attributes) = &mut self.attributes {
            attributes.add(name, value);
        } else {
            self.text.push(if self.text.is_empty() { "" } else { " " });
            self.text.push(name);
            // As `fmt` shows it.
            match value {
                Value::Text(text) if redacted.is_none() => self.text.push(format_args!("={text:?}")),
                _ => self.text.push(format_args!("={value}")),
            }
        }
    }
}
