//! Requests that ask the same: those that come before the store is called for the first of them share its answer.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use tokio::sync::oneshot;

/// What is asked for: two that are equal have the same answer, whoever asks.
pub(super) type Question = Vec<u8>;

/// Who waits for the answer to each question of which the call has not begun. What is read then is never older than the
/// request of anybody who shares it.
#[derive(Default)]
pub(super) struct Shared(Mutex<Waiting>);

type Waiting = HashMap<Question, Vec<oneshot::Sender<Bytes>>>;

/// Whether one is the first who asks.
pub(super) enum Turn {
    First(First),
    /// Without an answer, one has to ask oneself.
    Later(oneshot::Receiver<Bytes>),
}

/// Who calls the store for all who ask the same.
pub(super) struct First {
    shared: Arc<Shared>,
    question: Option<Question>,
}

impl Shared {
    pub(super) fn ask(self: &Arc<Self>, question: Question) -> Turn {
        match self.waiting(|waiting| match waiting.entry(question.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(Vec::new());
                None
            }
            Entry::Occupied(mut entry) => {
                let (sender, answer) = oneshot::channel();
                entry.get_mut().push(sender);
                Some(answer)
            }
        }) {
            Some(answer) => Turn::Later(answer),
            None => Turn::First(First { shared: Arc::clone(self), question: Some(question) }),
        }
    }

    fn waiting<T>(&self, look: impl FnOnce(&mut Waiting) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl First {
    /// Those who wait for the answer. Who comes later is the first again.
    pub(super) fn begin(mut self) -> Vec<oneshot::Sender<Bytes>> {
        self.leave()
    }

    fn leave(&mut self) -> Vec<oneshot::Sender<Bytes>> {
        let question = self.question.take();
        question.and_then(|question| self.shared.waiting(|waiting| waiting.remove(&question))).unwrap_or_default()
    }
}

impl Drop for First {
    /// Of a call that is never made: the others have to ask themselves.
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(shared: &Arc<Shared>, question: &str) -> Turn {
        shared.ask(question.as_bytes().to_vec())
    }

    #[test]
    fn who_asks_the_same_before_the_call_begins_shares_and_who_comes_later_is_first_again() {
        let shared = Arc::<Shared>::default();
        let Turn::First(first) = ask(&shared, "a") else { panic!("nobody asked before") };
        let Turn::Later(mut answer) = ask(&shared, "a") else { panic!("it was asked before") };
        assert!(matches!(ask(&shared, "b"), Turn::First(_)));
        let others = first.begin();
        let Turn::First(again) = ask(&shared, "a") else { panic!("the call before has begun") };
        for other in others {
            other.send(Bytes::from_static(b"read")).unwrap();
        }
        assert_eq!(answer.try_recv().unwrap(), "read");
        assert_eq!(again.begin().len(), 0);
        assert!(shared.waiting(|waiting| waiting.is_empty()));
    }

    #[test]
    fn of_a_call_that_is_not_made_the_others_are_told_and_nothing_stays() {
        let shared = Arc::<Shared>::default();
        let Turn::First(first) = ask(&shared, "a") else { panic!("nobody asked before") };
        let Turn::Later(mut answer) = ask(&shared, "a") else { panic!("it was asked before") };
        drop(first);
        assert!(answer.try_recv().is_err());
        assert!(matches!(ask(&shared, "a"), Turn::First(_)));
        assert!(shared.waiting(|waiting| waiting.is_empty()));
    }
}
