//! Writers, and what must be so in a copy of what they write.

use taskstore::{Error, Level, TaskId, TaskStore};

use crate::support::{open, start, texts};

/// Two tasks to which message n is written in one batch, behind all before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair(pub(super) [TaskId; 2]);

impl Pair {
    pub(super) fn start(store: &TaskStore) -> Self {
        Self(["one", "other"].map(|title| start(store, title)))
    }

    /// Writes on, as long as `go_on` says.
    pub(super) fn write(self, store: &TaskStore, mut go_on: impl FnMut() -> bool) {
        for number in self.written(store) + 1.. {
            if !go_on() {
                return;
            }
            let text = number.to_string();
            let written = store.batch(|batch| {
                self.0.iter().try_for_each(|id| batch.message(*id, Level::Info, text.as_str()))?;
                Ok::<_, Error>(())
            });
            written.unwrap();
        }
    }

    /// How much is acknowledged.
    pub(super) fn written(self, store: &TaskStore) -> u64 {
        store.task(self.0[0]).unwrap().message_count
    }
}

/// What is wrong with a copy of a store to which these pairs were written, when so much of each was acknowledged before.
pub(super) fn wrong(copy: &std::path::Path, pairs: &[(Pair, u64)]) -> Vec<String> {
    let copy = open(copy);
    let mut wrong: Vec<String> = match copy.check() {
        Ok(findings) => findings.iter().map(ToString::to_string).collect(),
        Err(error) => return vec![error.to_string()],
    };
    for (pair, acknowledged) in pairs {
        let [one, other] = pair.0.map(|id| copy.task(id).map(|_| texts(&copy, id)));
        let (Ok(one), Ok(other)) = (one, other) else {
            wrong.push(format!("{pair:?} is missing"));
            continue;
        };
        if one != other {
            wrong.push(format!("{pair:?} has {} and {} messages", one.len(), other.len()));
        }
        if !one.iter().enumerate().all(|(index, text)| *text == (index + 1).to_string()) {
            wrong.push(format!("{pair:?} has a gap"));
        }
        if (one.len() as u64) < *acknowledged {
            wrong.push(format!("{pair:?} has {} of {acknowledged} messages", one.len()));
        }
    }
    wrong
}
