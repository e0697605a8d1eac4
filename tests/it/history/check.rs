//! The checker: is what the processes were answered one history?
//!
//! The numbers of the messages give the order of the commits. What is left to check is that the order is the whole of
//! what was acknowledged, and that it agrees with time: of two calls of which one was answered before the other began,
//! the first has its place before the second. The place of a read is behind the last message that it saw.

use std::collections::{HashMap, HashSet};

use super::event::Event;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Violation {
    /// The numbers of the messages do not count from 1: the next after this is missing.
    Hole { after: u64 },
    /// A message that nobody wrote.
    FromNowhere(String),
    /// A message that is there twice.
    Doubled(String),
    /// A write that was acknowledged and is not there.
    Lost(String),
    /// A read saw this many messages, or this as the last of them, and in the end it is not so.
    Vanished { seen: u64, last: Option<String> },
    /// The first write was acknowledged before the second was called, and stands behind it.
    Reordered { first: String, second: String },
    /// A read did not see what was acknowledged before it was called.
    Stale { missed: String, seen: u64 },
    /// A read saw what was called after it had been answered.
    FromTheFuture { seen: u64, text: String },
    /// A read saw less than another that was answered before it was called.
    Backwards { before: u64, after: u64 },
}

/// A call with a place in the order of commits.
#[derive(Clone, Copy)]
struct Placed<'a> {
    called: u64,
    /// `u64::MAX` if it was never answered.
    returned: u64,
    /// Twice the number of a message; for a read twice the number of the last message seen, and one.
    place: u64,
    what: What<'a>,
}

#[derive(Clone, Copy)]
enum What<'a> {
    Write(&'a str),
    Read(u64),
}

/// All that is wrong. `order` are the numbers and texts of the messages in the end; each text is written once at most.
pub(super) fn violations(order: &[(u64, String)], events: &[Event]) -> Vec<Violation> {
    let mut found = Vec::new();
    let numbers: HashMap<&str, u64> = order.iter().map(|(seq, text)| (text.as_str(), *seq)).collect();
    for ((seq, text), expected) in order.iter().zip(1..) {
        if *seq != expected {
            found.push(Violation::Hole { after: expected - 1 });
            // All numbers behind a hole are wrong.
            return found;
        }
        if numbers[text.as_str()] != *seq {
            found.push(Violation::Doubled(text.clone()));
        }
    }
    found.extend(not_written(order, events));
    found.extend(not_there(order, &numbers, events));
    found.extend(against_time(placed(&numbers, events)));
    found
}

fn not_written(order: &[(u64, String)], events: &[Event]) -> Vec<Violation> {
    let called: HashSet<&str> = events
        .iter()
        .filter_map(|event| if let Event::Called { text, .. } = event { Some(text.as_str()) } else { None })
        .collect();
    let unknown = order.iter().filter(|(_, text)| !called.contains(text.as_str()));
    unknown.map(|(_, text)| Violation::FromNowhere(text.clone())).collect()
}

fn not_there(order: &[(u64, String)], numbers: &HashMap<&str, u64>, events: &[Event]) -> Vec<Violation> {
    let wrong = events.iter().filter_map(|event| match event {
        Event::Acknowledged { text, .. } if !numbers.contains_key(text.as_str()) => Some(Violation::Lost(text.clone())),
        Event::Read { seen, last, .. } if *seen > 0 => {
            let stored = usize::try_from(seen - 1).ok().and_then(|place| order.get(place)).map(|(_, text)| text);
            let same = stored.is_some() && (last.is_none() || last.as_ref() == stored);
            (!same).then(|| Violation::Vanished { seen: *seen, last: last.clone() })
        }
        _ => None,
    });
    wrong.collect()
}

/// The reads, and the writes that are there.
fn placed<'a>(numbers: &HashMap<&str, u64>, events: &'a [Event]) -> Vec<Placed<'a>> {
    let answered: HashMap<&str, u64> = events
        .iter()
        .filter_map(
            |event| if let Event::Acknowledged { at, text } = event { Some((text.as_str(), *at)) } else { None },
        )
        .collect();
    let placed = events.iter().filter_map(|event| match event {
        Event::Called { at, text } => Some(Placed {
            called: *at,
            returned: answered.get(text.as_str()).copied().unwrap_or(u64::MAX),
            place: numbers.get(text.as_str())? * 2,
            what: What::Write(text),
        }),
        Event::Acknowledged { .. } => None,
        Event::Read { called, returned, seen, .. } => {
            Some(Placed { called: *called, returned: *returned, place: seen * 2 + 1, what: What::Read(*seen) })
        }
    });
    placed.collect()
}

/// Goes through the calls by time, and compares each with the furthest place of those answered before.
fn against_time(mut by_call: Vec<Placed<'_>>) -> Vec<Violation> {
    let mut by_return = by_call.clone();
    by_call.sort_by_key(|call| call.called);
    by_return.sort_by_key(|call| call.returned);
    let mut answered = by_return.into_iter().peekable();
    let mut furthest: Option<Placed<'_>> = None;
    let mut found = Vec::new();
    for call in by_call {
        while let Some(before) = answered.next_if(|before| before.returned < call.called) {
            furthest = furthest.filter(|furthest| furthest.place >= before.place).or(Some(before));
        }
        if let Some(furthest) = furthest.filter(|furthest| furthest.place > call.place) {
            found.push(out_of_order(furthest.what, call.what));
        }
    }
    found
}

fn out_of_order(first: What<'_>, second: What<'_>) -> Violation {
    match (first, second) {
        (What::Write(first), What::Write(second)) => {
            Violation::Reordered { first: first.to_owned(), second: second.to_owned() }
        }
        (What::Write(missed), What::Read(seen)) => Violation::Stale { missed: missed.to_owned(), seen },
        (What::Read(seen), What::Write(text)) => Violation::FromTheFuture { seen, text: text.to_owned() },
        (What::Read(before), What::Read(after)) => Violation::Backwards { before, after },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(called: u64, returned: u64, text: &str) -> [Event; 2] {
        [
            Event::Called { at: called, text: text.to_owned() },
            Event::Acknowledged { at: returned, text: text.to_owned() },
        ]
    }

    fn read(called: u64, returned: u64, seen: u64) -> [Event; 1] {
        [Event::Read { called, returned, seen, last: None }]
    }

    fn check(order: &[&str], events: &[&[Event]]) -> Vec<Violation> {
        let order: Vec<_> = (1..).zip(order.iter().map(|&text| text.to_owned())).collect();
        violations(&order, &events.concat())
    }

    /// Two writes one after the other, and a read behind each.
    fn events() -> [Vec<Event>; 4] {
        [write(1, 2, "a").into(), read(3, 4, 1).into(), write(5, 6, "b").into(), read(7, 8, 2).into()]
    }

    #[test]
    fn a_history_in_the_order_of_time_is_right() {
        let [a, one, b, two] = events();
        assert_eq!(check(&["a", "b"], &[&two, &b, &one, &a]), []);
        assert_eq!(check(&[], &[]), []);
    }

    #[test]
    fn calls_that_overlap_may_have_either_order() {
        let (a, b) = (write(1, 4, "a"), write(2, 3, "b"));
        assert_eq!(check(&["a", "b"], &[&a, &b]), []);
        assert_eq!(check(&["b", "a"], &[&a, &b]), []);
        for seen in [0, 1, 2] {
            assert_eq!(check(&["b", "a"], &[&a, &b, &read(2, 3, seen)]), []);
        }
    }

    #[test]
    fn a_write_that_was_never_answered_may_be_there_or_not() {
        let called = [Event::Called { at: 3, text: "b".to_owned() }];
        let a = write(1, 2, "a");
        assert_eq!(check(&["a"], &[&a, &called]), []);
        assert_eq!(check(&["a", "b"], &[&a, &called]), []);
        // But not before it was called.
        let reordered = Violation::Reordered { first: "a".to_owned(), second: "b".to_owned() };
        assert_eq!(check(&["b", "a"], &[&a, &called]), [reordered]);
    }

    #[test]
    fn a_lost_write_is_found() {
        let [a, _, b, _] = events();
        assert_eq!(check(&["b"], &[&a, &b]), [Violation::Lost("a".to_owned())]);
    }

    #[test]
    fn a_doubled_write_is_found() {
        let [a, ..] = events();
        assert_eq!(check(&["a", "a"], &[&a]), [Violation::Doubled("a".to_owned())]);
    }

    #[test]
    fn a_write_of_nobody_is_found() {
        let [a, ..] = events();
        assert_eq!(check(&["a", "x"], &[&a]), [Violation::FromNowhere("x".to_owned())]);
    }

    #[test]
    fn a_reordered_write_is_found() {
        let [a, _, b, _] = events();
        let reordered = Violation::Reordered { first: "a".to_owned(), second: "b".to_owned() };
        assert_eq!(check(&["b", "a"], &[&a, &b]), [reordered]);
    }

    #[test]
    fn a_stale_read_is_found() {
        let [a, _, b, _] = events();
        let stale = Violation::Stale { missed: "b".to_owned(), seen: 1 };
        assert_eq!(check(&["a", "b"], &[&a, &b, &read(7, 8, 1)]), [stale]);
    }

    #[test]
    fn a_read_from_the_future_is_found() {
        let [a, _, b, _] = events();
        let future = Violation::FromTheFuture { seen: 2, text: "b".to_owned() };
        assert_eq!(check(&["a", "b"], &[&a, &read(3, 4, 2), &b]), [future]);
    }

    #[test]
    fn reads_that_go_backwards_are_found() {
        // Both overlap the write, so that either could be right alone.
        let backwards = Violation::Backwards { before: 1, after: 0 };
        assert_eq!(check(&["a"], &[&write(1, 9, "a"), &read(2, 3, 1), &read(4, 5, 0)]), [backwards]);
    }

    #[test]
    fn a_read_of_what_is_not_there_in_the_end_is_found() {
        let [a, ..] = events();
        assert_eq!(check(&["a"], &[&a, &read(3, 4, 2)]), [Violation::Vanished { seen: 2, last: None }]);
        let last = Some("x".to_owned());
        let other = [Event::Read { called: 3, returned: 4, seen: 1, last: last.clone() }];
        assert_eq!(check(&["a"], &[&a, &other]), [Violation::Vanished { seen: 1, last }]);
    }

    #[test]
    fn a_hole_is_found() {
        let [a, _, b, _] = events();
        let order = [(1, "a".to_owned()), (3, "b".to_owned())];
        assert_eq!(violations(&order, &[a, b].concat()), [Violation::Hole { after: 1 }]);
    }
}
