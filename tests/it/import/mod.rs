//! A whole store as lines, and those lines made into a store again.

mod cut;
mod hostile;
mod killed;
mod lines;
mod memory;
mod merging;
mod refusals;
mod round_trip;
mod world;

use taskstore::{Error, ImportProblem, Result, TaskStore};

use crate::support::{options, temporary};

fn exported(store: &TaskStore) -> String {
    let mut lines = Vec::new();
    store.export(&mut lines).unwrap();
    String::from_utf8(lines).unwrap()
}

/// A store of nothing else.
fn imported(lines: &str) -> TaskStore {
    let store = temporary();
    store.import(lines.as_bytes()).unwrap();
    store
}

/// Refused with what is wrong and where.
fn refusal(imported: Result<impl std::fmt::Debug>) -> (u64, ImportProblem) {
    match imported {
        Err(Error::ImportRefused { line, source }) => (line, source),
        other => panic!("not refused: {other:?}"),
    }
}

/// A store with this as its only limit for texts, so that lines that are too long are short.
fn with_texts_up_to(text_bytes_max: usize) -> TaskStore {
    let limits = taskstore::Limits { text_bytes_max, ..taskstore::Limits::default() };
    options().limits(limits).open_temporary().unwrap()
}
