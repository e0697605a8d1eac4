//! How long, in words: `1d12h`.

use std::fmt;
use std::time::Duration;

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
/// assert_eq!(Span::parse("1m30s"), Some(Span::from(Duration::from_secs(90))));
/// assert_eq!(Span::from(Duration::from_secs(90)).to_string(), "1m30s");
/// assert_eq!(Span::parse("soon"), None);
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

impl Span {
    /// The span that a text tells, if it tells one of at most 584 years.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut ns = 0_u128;
        while !rest.is_empty() {
            let (number, behind) = rest.split_at(rest.find(|next: char| !next.is_ascii_digit())?);
            let end = behind.find(|next: char| next.is_ascii_digit()).unwrap_or(behind.len());
            let (unit, behind) = behind.split_at(end);
            let (_, unit_ns) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
            ns += u128::from(number.parse::<u64>().ok()?).checked_mul(unit_ns)?;
            rest = behind;
        }
        let ns = u64::try_from(ns).ok().filter(|_| !text.is_empty())?;
        Some(Self(Duration::from_nanos(ns)))
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl From<&str> for Span {
    /// # Panics
    ///
    /// If the text tells no span: [`Span::parse`] is the one that does not.
    #[track_caller]
    fn from(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|| panic!("{text:?} is no span of time, such as \"5m\" or \"1d12h\""))
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
