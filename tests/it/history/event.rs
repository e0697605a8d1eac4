//! What a process tells of its calls, a line each.

use std::fmt;

use nix::time::{ClockId, clock_gettime};

/// Times are those of [`now_ns`]. Texts have no space in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A process is about to write a message.
    Called { at: u64, text: String },
    /// The store has acknowledged it.
    Acknowledged { at: u64, text: String },
    /// A process has read that the task has `seen` messages and, if it asked, the text of the last.
    Read { called: u64, returned: u64, seen: u64, last: Option<String> },
}

/// A clock that all processes of the machine share, and that never goes back.
pub(super) fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap();
    u64::try_from(now.tv_sec()).unwrap() * 1_000_000_000 + u64::try_from(now.tv_nsec()).unwrap()
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Called { at, text } => write!(f, "called {at} {text}"),
            Self::Acknowledged { at, text } => write!(f, "acknowledged {at} {text}"),
            Self::Read { called, returned, seen, last } => {
                write!(f, "read {called} {returned} {seen} {}", last.as_deref().unwrap_or_default())
            }
        }
    }
}

impl Event {
    /// The inverse of `to_string`.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let kind = words.next()?;
        let mut number = || words.next()?.parse().ok();
        match kind {
            "called" => Some(Self::Called { at: number()?, text: words.next()?.to_owned() }),
            "acknowledged" => Some(Self::Acknowledged { at: number()?, text: words.next()?.to_owned() }),
            "read" => {
                let (called, returned, seen) = (number()?, number()?, number()?);
                let last = words.next().filter(|last| !last.is_empty()).map(str::to_owned);
                Some(Self::Read { called, returned, seen, last })
            }
            _ => None,
        }
    }
}

#[test]
fn an_event_is_parsed_as_it_was_told() {
    let events = [
        Event::Called { at: 1, text: "a.1".to_owned() },
        Event::Acknowledged { at: 2, text: "a.1".to_owned() },
        Event::Read { called: 3, returned: 4, seen: 1, last: Some("a.1".to_owned()) },
        Event::Read { called: 5, returned: 6, seen: 0, last: None },
    ];
    for event in events {
        assert_eq!(Event::parse(&event.to_string()), Some(event));
    }
    assert_eq!(Event::parse("something else"), None);
}
