//! What there is, line by line, and what should be there instead.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::testing::Span;

/// Lines of what there is. Where one is not as expected, it says so.
#[derive(Debug)]
pub(super) struct Picture {
    /// What it is of: `task 7`.
    subject: String,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    mark: Mark,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// It may stay.
    AsExpected,
    /// It is there and should not be.
    Found,
    /// It should be there.
    Expected,
}

/// So many lines that are as expected, one behind the other, are shown; of more the first and the last.
const ALIKE_MAX: usize = 40;

/// A longer text is cut.
const TEXT_CHARS_MAX: usize = 200;

impl Picture {
    /// `title` says what it is.
    pub(super) fn new(subject: String, title: String) -> Self {
        let mut picture = Self { subject, lines: Vec::new() };
        picture.line(title, None);
        picture
    }

    /// A line, and what it should be if it is wrong.
    pub(super) fn line(&mut self, found: impl Into<String>, expected: Option<String>) {
        let mark = if expected.is_some() { Mark::Found } else { Mark::AsExpected };
        self.push(mark, found.into());
        if let Some(expected) = expected {
            self.push(Mark::Expected, expected);
        }
    }

    /// A line that is there and should not be.
    pub(super) fn too_much(&mut self, found: impl Into<String>) {
        self.push(Mark::Found, found.into());
    }

    /// A line that is not there and should be.
    pub(super) fn missing(&mut self, expected: impl Into<String>) {
        self.push(Mark::Expected, expected.into());
    }

    fn push(&mut self, mark: Mark, text: String) {
        self.lines.push(Line { mark, text: format!("  {text}") });
    }

    /// Panics with all of it if a line is wrong.
    #[track_caller]
    pub(super) fn assert_as_expected(&self) {
        if self.lines.iter().any(|line| line.mark != Mark::AsExpected) {
            panic!("{self}");
        }
    }
}

impl fmt::Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not as expected (\"<\" is what it has, \">\" what it should have):", self.subject)?;
        for alike in self.lines.chunk_by(|line, next| line.mark == next.mark) {
            let mark = match alike.first().map(|line| line.mark) {
                Some(Mark::Found) => '<',
                Some(Mark::Expected) => '>',
                Some(Mark::AsExpected) | None => ' ',
            };
            let omitted = alike.len().checked_sub(ALIKE_MAX).filter(|omitted| *omitted > 0);
            for (index, line) in alike.iter().enumerate() {
                match omitted {
                    Some(omitted) if index == ALIKE_MAX / 2 => write!(f, "\n{mark}   … {omitted} more …")?,
                    Some(omitted) if (ALIKE_MAX / 2..ALIKE_MAX / 2 + omitted).contains(&index) => {}
                    _ => write!(f, "\n{mark} {}", line.text)?,
                }
            }
        }
        Ok(())
    }
}

/// A text in quotes, on one line.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

/// `2026-11-21T12:00:00Z`, with as many digits as it takes.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// `ended 2026-11-21T12:00:00Z, after 5m`
pub(super) fn ended(at: DateTime<Utc>, took: Span) -> String {
    format!("ended {}, after {took}", time(at))
}
