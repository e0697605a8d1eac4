//! Messages and events, compared with what was expected of them.

use super::picture::{Picture, quoted};

/// A message or an event.
pub(super) struct Entry {
    pub(super) text: String,
    /// Whether it can be the reason of an end.
    pub(super) is_reason: bool,
    /// As a line shows it.
    pub(super) line: String,
}

/// What was expected of messages or of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ExpectedEntries {
    /// What must be in the last one.
    pub(super) last: Option<String>,
    pub(super) list: Option<List>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum List {
    Whole(Vec<String>),
    InOrder(Vec<String>),
}

/// Above so many comparisons, what differs is shown as it stands.
const COMPARISONS_MAX: usize = 1_000_000;

impl ExpectedEntries {
    /// Adds a line for each entry, and says what should be there. `one` is the word for one, and `last` that for the last.
    pub(super) fn draw(&self, picture: &mut Picture, entries: &[Entry], one: &str, last: &str) {
        match &self.list {
            Some(List::Whole(texts)) => draw_whole(picture, entries, texts, one),
            Some(List::InOrder(parts)) => draw_in_order(picture, entries, parts, one),
            None => {
                let rest = match (&self.last, entries.split_last()) {
                    // The last line is where the last one should be.
                    (Some(_), Some((_, rest))) => rest,
                    _ => entries,
                };
                rest.iter().for_each(|entry| picture.line(&entry.line, None));
            }
        }
        let Some(part) = &self.last else { return };
        let found = entries.last();
        let holds = found.is_some_and(|entry| entry.is_reason && entry.text.contains(part));
        let expected = (!holds).then(|| format!("{last}, with {} in it", quoted(part)));
        match (found, expected) {
            (Some(entry), expected) if self.list.is_none() => picture.line(&entry.line, expected),
            (_, Some(expected)) => picture.missing(expected),
            _ => {}
        }
    }
}

/// The parts are looked for from the first entry on; of the first that is not found, and those behind it, it says so.
fn draw_in_order(picture: &mut Picture, entries: &[Entry], parts: &[String], one: &str) {
    let mut wanted = parts.iter().peekable();
    for entry in entries {
        wanted.next_if(|part| entry.text.contains(part.as_str()));
        picture.line(&entry.line, None);
    }
    wanted.for_each(|part| picture.missing(format!("{one} with {} in it, behind those before", quoted(part))));
}

/// The longest common part stays, and what differs is marked.
fn draw_whole(picture: &mut Picture, entries: &[Entry], texts: &[String], one: &str) {
    let alike = |(entry, text): &(&Entry, &String)| entry.text == **text;
    let before = entries.iter().zip(texts).take_while(alike).count();
    let (head, entries) = entries.split_at(before);
    let texts = texts.get(before..).unwrap_or_default();
    let behind = entries.iter().rev().zip(texts.iter().rev()).take_while(alike).count();
    let (entries, tail) = entries.split_at(entries.len() - behind);
    let texts = texts.get(..texts.len() - behind).unwrap_or_default();

    head.iter().for_each(|entry| picture.line(&entry.line, None));
    draw_difference(picture, entries, texts, one);
    tail.iter().for_each(|entry| picture.line(&entry.line, None));
}

fn draw_difference(picture: &mut Picture, mut entries: &[Entry], mut texts: &[String], one: &str) {
    let lengths = (entries.len().saturating_mul(texts.len()) <= COMPARISONS_MAX).then(|| common(entries, texts));
    let length = |entries: &[Entry], texts: &[String]| {
        let row = lengths.as_ref().and_then(|lengths| lengths.get(entries.len()));
        row.and_then(|row| row.get(texts.len())).copied().unwrap_or(0)
    };
    loop {
        match (entries.split_first(), texts.split_first()) {
            (None, None) => return,
            (Some((entry, entries_left)), Some((text, texts_left))) if entry.text == *text => {
                picture.line(&entry.line, None);
                (entries, texts) = (entries_left, texts_left);
            }
            (Some((entry, left)), None) => {
                picture.too_much(&entry.line);
                entries = left;
            }
            (Some((entry, left)), Some((_, texts_left))) if length(left, texts) >= length(entries, texts_left) => {
                picture.too_much(&entry.line);
                entries = left;
            }
            (_, Some((text, left))) => {
                picture.missing(format!("{one} {}", quoted(text)));
                texts = left;
            }
        }
    }
}

/// How many the last `n` entries and the last `m` texts have in common, in order: at `[n][m]`.
fn common(entries: &[Entry], texts: &[String]) -> Vec<Vec<usize>> {
    let mut lengths = vec![vec![0; texts.len() + 1]];
    for entry in entries.iter().rev() {
        let mut row = vec![0];
        for (text, pair) in texts.iter().rev().zip(lengths.last().map(|row| row.windows(2)).into_iter().flatten()) {
            let (without_both, without_entry) = match pair {
                [without_both, without_entry] => (*without_both, *without_entry),
                _ => (0, 0),
            };
            let without_text = row.last().copied().unwrap_or(0);
            row.push(if entry.text == *text { without_both + 1 } else { without_entry.max(without_text) });
        }
        lengths.push(row);
    }
    lengths
}
