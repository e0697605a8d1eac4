//! The values of fields, and what they are as text and as JSON.

use std::error::Error;
use std::fmt::{self, Write};

use serde_json::json;
use tracing_core::Field;
use tracing_core::field::Visit;

use crate::task::reason;

/// The value of a field.
pub(super) enum Value<'a> {
    Text(&'a str),
    Debug(&'a dyn fmt::Debug),
    Error(&'a (dyn Error + 'static)),
    Bool(bool),
    Signed(i128),
    Unsigned(u128),
    Float(f64),
}

impl fmt::Display for Value<'_> {
    /// The bare text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Debug(value) => value.fmt(f),
            Self::Error(error) => f.write_str(&reason::of_error(*error)),
            Self::Bool(value) => value.fmt(f),
            Self::Signed(value) => value.fmt(f),
            Self::Unsigned(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
        }
    }
}

impl Value<'_> {
    /// At most so many bytes of the bare text.
    pub(super) fn to_text(&self, bytes_max: usize) -> String {
        let mut text = Cut::new(bytes_max);
        text.push(self);
        text.into_text()
    }

    /// As JSON, with at most so many bytes of a text.
    pub(super) fn to_json(&self, bytes_max: usize) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Signed(value) => value.to_string(),
            Self::Unsigned(value) => value.to_string(),
            Self::Float(value) if value.is_finite() => json!(value).to_string(),
            Self::Text(_) | Self::Debug(_) | Self::Error(_) | Self::Float(_) => json_text(&self.to_text(bytes_max)),
        }
    }
}

pub(super) fn json_text(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

/// What most events fit in, so that they are written into one piece of memory.
const CAPACITY: usize = 64;

/// A text that takes no more than so many bytes, whatever is written to it.
pub(super) struct Cut {
    text: String,
    bytes_max: usize,
}

impl Cut {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { text: String::with_capacity(bytes_max.min(CAPACITY)), bytes_max }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// A `Display` that fails half-way is kept as far as it came.
    pub(super) fn push(&mut self, value: impl fmt::Display) {
        let _ = write!(self, "{value}");
    }

    /// The same in front of all that is there.
    pub(super) fn push_front(&mut self, value: &Value<'_>) {
        let mut text = value.to_text(self.bytes_max);
        text.push(' ');
        self.text.insert_str(0, &text);
        self.text.truncate(self.text.floor_char_boundary(self.bytes_max));
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

impl Write for Cut {
    /// What does not fit is left out without an error: there is code that panics at one.
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = self.bytes_max - self.text.len();
        if part.len() <= room {
            self.text.push_str(part);
        } else {
            self.text.push_str(part.split_at(part.floor_char_boundary(room)).0);
            self.bytes_max = self.text.len();
        }
        Ok(())
    }
}

/// Who takes the fields of a span or an event, one after another.
pub(super) trait Take {
    fn take(&mut self, name: &'static str, value: &Value<'_>);
}

/// Gives the fields to a taker. A raw identifier has its plain name.
pub(super) struct Fields<'a, T>(pub(super) &'a mut T);

impl<T: Take> Fields<'_, T> {
    fn give(&mut self, field: &Field, value: &Value<'_>) {
        let name = field.name();
        self.0.take(name.strip_prefix("r#").unwrap_or(name), value);
    }
}

impl<T: Take> Visit for Fields<'_, T> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.give(field, &Value::Debug(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.give(field, &Value::Text(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.give(field, &Value::Error(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.give(field, &Value::Bool(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.give(field, &Value::Signed(value.into()));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.give(field, &Value::Signed(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.give(field, &Value::Unsigned(value.into()));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.give(field, &Value::Unsigned(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.give(field, &Value::Float(value));
    }
}
