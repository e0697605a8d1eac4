//! Requests that ask the same: those that come before the store is called for the first of them share its answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::refused::Problem;

/// What is asked for: two that are equal have the same answer, whoever asks.
pub(super) type Question = Vec<u8>;

/// Who waits for the answer to each question of which the call has not begun. What is read then is never older than the
/// request of anybody who shares it.
#[derive(Default)]
pub(super) struct Shared(Mutex<HashMap<Question, Waiting>>);

#[derive(Default)]
struct Waiting {
    others: Others,
    has_begun: Arc<AtomicBool>,
}

/// Those who share the answer of the first.
pub(super) type Others = Vec<oneshot::Sender<Bytes>>;

/// Whether one is the first who asks.
pub(super) enum Turn {
    First(First),
    Later(Later),
}

/// Who calls the store for all who ask the same.
pub(super) struct First {
    shared: Arc<Shared>,
    question: Option<Question>,
}

/// Who waits for the first.
pub(super) struct Later {
    answer: oneshot::Receiver<Bytes>,
    has_begun: Arc<AtomicBool>,
}

impl Shared {
    pub(super) fn ask(self: &Arc<Self>, question: Question) -> Turn {
        let mut waiting = self.lock();
        if let Some(Waiting { others, has_begun }) = waiting.get_mut(&question) {
            let (sender, answer) = oneshot::channel();
            others.retain(|other| !other.is_closed());
            others.push(sender);
            return Turn::Later(Later { answer, has_begun: Arc::clone(has_begun) });
        }
        waiting.insert(question.clone(), Waiting::default());
        Turn::First(First { shared: Arc::clone(self), question: Some(question) })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Question, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl First {
    /// Whether others wait for the answer.
    pub(super) fn has_others(&self) -> bool {
        let is_waited_for = |waiting: &Waiting| waiting.others.iter().any(|other| !other.is_closed());
        self.question.as_ref().is_some_and(|question| self.shared.lock().get(question).is_some_and(is_waited_for))
    }

    /// Those who wait for the answer. Who comes later is the first again.
    pub(super) fn begin(mut self) -> Others {
        let Some(Waiting { others, has_begun }) = self.leave() else { return Others::new() };
        has_begun.store(true, Ordering::Relaxed);
        others
    }

    fn leave(&mut self) -> Option<Waiting> {
        let question = self.question.take()?;
        self.shared.lock().remove(&question)
    }
}

impl Drop for First {
    /// Of a call that is never made: the others have to ask themselves.
    fn drop(&mut self) {
        drop(self.leave());
    }
}

impl Later {
    /// The answer; `None` if one has to ask oneself, since it was refused or is too long to be shared.
    pub(super) async fn answer(mut self, begin_by: Instant) -> Result<Option<Bytes>, Problem> {
        let answer = match timeout_at(begin_by, &mut self.answer).await {
            Ok(answer) => answer,
            Err(_) if !self.has_begun() => return Err(Problem::Overloaded),
            Err(_) => self.answer.await,
        };
        Ok(answer.ok())
    }

    /// Whether the store is being called.
    fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
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
        let Turn::Later(mut later) = ask(&shared, "a") else { panic!("it was asked before") };
        assert!(matches!(ask(&shared, "b"), Turn::First(_)));
        assert!(first.has_others() && !later.has_begun());
        let others = first.begin();
        assert!(later.has_begun());
        let Turn::First(again) = ask(&shared, "a") else { panic!("the call before has begun") };
        for other in others {
            other.send(Bytes::from_static(b"read")).unwrap();
        }
        assert_eq!(later.answer.try_recv().unwrap(), "read");
        assert_eq!(again.begin().len(), 0);
        assert!(shared.lock().is_empty());
    }

    #[test]
    fn of_a_call_that_is_not_made_the_others_are_told_and_nothing_stays() {
        let shared = Arc::<Shared>::default();
        let Turn::First(first) = ask(&shared, "a") else { panic!("nobody asked before") };
        let Turn::Later(gone) = ask(&shared, "a") else { panic!("it was asked before") };
        drop(gone);
        assert!(!first.has_others());
        let Turn::Later(mut later) = ask(&shared, "a") else { panic!("it was asked before") };
        assert_eq!(shared.lock().values().map(|waiting| waiting.others.len()).sum::<usize>(), 1);
        drop(first);
        assert!(later.answer.try_recv().is_err() && !later.has_begun());
        assert!(matches!(ask(&shared, "a"), Turn::First(_)));
        assert!(shared.lock().is_empty());
    }
}
