//! How long, in words: `1d12h`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::{Error, Result};

/// A length of time: a [`Duration`], or a text such as `"5m"`, `"1d12h"` or `"1s500ms"`. The units are `w`, `d`, `h`, `m`, `s`, `ms`,
/// `us` and `ns`.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use taskstore::testing::Span;
///
/// assert_eq!("1m30s".parse::<Span>()?, Span::from(Duration::from_secs(90)));
/// assert_eq!(Span::from(Duration::from_secs(90)).to_string(), "1m30s");
/// assert!("soon".parse::<Span>().is_err());
/// # Ok::<(), taskstore::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub(super) Duration);

/// The units with their nanoseconds, the longest first.
const UNITS: [(&str, u128); 8] = [
    ("w", 7 * 24 * 3_600_000_000_000),
    ("d", 24 * 3_600_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl FromStr for Span {
    type Err = Error;

    /// Reads a text of one or more numbers, each with a unit behind it.
    ///
    /// # Errors
    ///
    /// [`Invalid`](Error::Invalid) for any other text, and for more than 584 years.
    fn from_str(text: &str) -> Result<Self> {
        read(text).ok_or(Error::Invalid { field: "span", problem: "must be like \"5m\" or \"1d12h\"" })
    }
}

fn read(text: &str) -> Option<Span> {
    let mut rest = text;
    let mut ns = 0_u128;
    while !rest.is_empty() {
        let (number, behind) = rest.split_at(rest.find(|next: char| !next.is_ascii_digit())?);
        let end = behind.find(|next: char| next.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        let (_, unit_ns) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        ns += u128::from(number.parse::<u64>().ok()?) * unit_ns;
        rest = behind;
    }
    let ns = u64::try_from(ns).ok().filter(|_| !text.is_empty())?;
    Some(Span(Duration::from_nanos(ns)))
}

impl TryFrom<&str> for Span {
    type Error = Error;

    /// As [`str::parse`].
    fn try_from(text: &str) -> Result<Self> {
        text.parse()
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

/// Of the argument of an assertion.
#[track_caller]
pub(super) fn must_tell<S: TryInto<Span, Error: fmt::Display>>(span: S) -> Span {
    match span.try_into() {
        Ok(span) => span,
        Err(error) => panic!("{error}"),
    }
}

impl fmt::Display for Span {
    /// In units from days down to nanoseconds: `1d12h`; `0s` if it is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_nanos();
        if rest == 0 {
            return f.write_str("0s");
        }
        for (name, unit_ns) in UNITS.into_iter().skip(1) {
            let number = rest / unit_ns;
            rest %= unit_ns;
            if number > 0 {
                write!(f, "{number}{name}")?;
            }
        }
        Ok(())
    }
}
