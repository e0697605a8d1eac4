//! Why a task failed, as text.

use std::any::Any;
use std::error::Error;

/// The error's text and the texts of its sources, joined by `: `. A source whose text the one before it
/// already ends with is left out.
pub(crate) fn of_error(error: &(dyn Error + 'static)) -> String {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !reason.ends_with(&text) {
            reason.push_str(": ");
            reason.push_str(&text);
        }
        source = cause.source();
    }
    reason
}

/// What a panic said, as far as it said it in text.
pub(crate) fn of_panic(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.map_or_else(|| "panicked".to_owned(), |text| format!("panicked: {text}"))
}

/// `text` cut to at most `bytes_max` bytes: a reason that is too long must not keep a task from ending.
pub(crate) fn cut(mut text: String, bytes_max: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes_max));
    text
}
