//! What a task is expected to be.

use std::fmt::{Display, Write};

use super::entries::{Entry, ExpectedEntries, List};
use super::picture::{Picture, ended, quoted, time};
use crate::TaskStore;
use crate::task::{Level, Message, Outcome, Task, TaskId};
use crate::testing::span::{self, Span};

/// What a task is expected to be: nothing, at first. [`assert_task!`](crate::assert_task) makes one from words.
///
/// # Example
///
/// ```
/// use taskstore::testing::{ExpectedTask, assert_task};
/// use taskstore::{NewTask, TaskStore};
///
/// let store = TaskStore::open_in_memory()?;
/// let failed = ExpectedTask::new().failed().with("quota");
/// for user in ["ann", "bob"] {
///     let id = store.start_detached(NewTask::new("Copy"))?;
///     store.fail(id, format!("{user}'s quota is used up"))?;
///     assert_task(&store, id, &failed);
/// }
/// # Ok::<(), taskstore::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "nothing is asserted before `assert_task`"]
pub struct ExpectedTask {
    /// `Some(None)` for in progress.
    outcome: Option<Option<Outcome>>,
    within: Option<Span>,
    dismissal: Option<Dismissal>,
    messages: ExpectedEntries,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Dismissal {
    None,
    Any,
    By(String),
}

impl ExpectedTask {
    /// Any task.
    pub fn new() -> Self {
        Self::default()
    }

    /// It has not ended.
    pub fn in_progress(self) -> Self {
        Self { outcome: Some(None), ..self }
    }

    /// It has finished.
    pub fn finished(self) -> Self {
        Self { outcome: Some(Some(Outcome::Finished)), ..self }
    }

    /// It has failed.
    pub fn failed(self) -> Self {
        Self { outcome: Some(Some(Outcome::Failed)), ..self }
    }

    /// It was interrupted.
    pub fn interrupted(self) -> Self {
        Self { outcome: Some(Some(Outcome::Interrupted)), ..self }
    }

    /// Its last message is at level error and has this in it: the reason of its failure or interruption.
    pub fn with(mut self, reason: impl Into<String>) -> Self {
        self.messages.last = Some(reason.into());
        self
    }

    /// It has ended, and from its start to its end it took no longer.
    ///
    /// # Panics
    ///
    /// If it is a text that tells no [`Span`].
    #[track_caller]
    pub fn within(self, span: impl TryInto<Span, Error: Display>) -> Self {
        Self { within: Some(span::must_tell(span)), ..self }
    }

    /// Somebody has dismissed it.
    pub fn dismissed(self) -> Self {
        Self { dismissal: Some(Dismissal::Any), ..self }
    }

    /// This user has dismissed it.
    pub fn dismissed_by(self, user: impl Into<String>) -> Self {
        Self { dismissal: Some(Dismissal::By(user.into())), ..self }
    }

    /// Nobody has dismissed it.
    pub fn not_dismissed(self) -> Self {
        Self { dismissal: Some(Dismissal::None), ..self }
    }

    /// These are the texts of all its messages.
    pub fn messages(mut self, texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.messages.list = Some(List::Whole(texts.into_iter().map(Into::into).collect()));
        self
    }

    /// Each of these is in one of its messages, in this order; there may be others between.
    pub fn messages_in_order(mut self, parts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.messages.list = Some(List::InOrder(parts.into_iter().map(Into::into).collect()));
        self
    }

    fn draw(&self, task: &Task, messages: &[Message]) -> Picture {
        let mut picture = Picture::new(format!("task {}", task.id), title(task));
        let expected = self.outcome.filter(|expected| *expected != task.outcome);
        picture.line(word(task.outcome), expected.map(|expected| word(expected).to_owned()));
        picture.line(format!("started {}", time(task.started)), None);
        self.draw_end(&mut picture, task);
        self.draw_dismissal(&mut picture, task);
        if let Some(progress) = &task.progress {
            let total = progress.total.map(|total| format!(" of {total}")).unwrap_or_default();
            let phase = progress.phase.as_deref().map(|phase| format!(", {}", quoted(phase))).unwrap_or_default();
            picture.line(format!("progress {}{total}{phase}", progress.done), None);
        }
        let entries: Vec<_> = messages.iter().map(entry).collect();
        self.messages.draw(&mut picture, &entries, "message", "last message at level error");
        picture
    }

    fn draw_end(&self, picture: &mut Picture, task: &Task) {
        let expected = |span: &Span| format!("ended within {span}");
        match task.finished {
            Some(at) => {
                let took = Span((at - task.started).to_std().unwrap_or_default());
                picture.line(ended(at, took), self.within.filter(|within| took > *within).as_ref().map(expected));
            }
            None => self.within.iter().for_each(|within| picture.missing(expected(within))),
        }
    }

    fn draw_dismissal(&self, picture: &mut Picture, task: &Task) {
        let by = task.dismissed_by.as_deref();
        let expected = match (&self.dismissal, by) {
            (Some(Dismissal::None), Some(_)) => Some("not dismissed".to_owned()),
            (Some(Dismissal::Any), None) => Some("dismissed".to_owned()),
            (Some(Dismissal::By(user)), by) if by != Some(user) => Some(format!("dismissed by {user:?}")),
            _ => None,
        };
        match (task.dismissed, expected) {
            (Some(at), expected) => {
                picture.line(format!("dismissed {} by {}", time(at), quoted(by.unwrap_or_default())), expected);
            }
            (None, Some(expected)) => picture.missing(expected),
            (None, None) => {}
        }
    }
}

/// Asserts that a task is as expected. [`assert_task!`](crate::assert_task) says it in words, and shows what a failure looks
/// like.
///
/// # Panics
///
/// If it is not, with the whole task and, line by line, what was expected instead. Also if the store cannot be read, or has no
/// such task.
#[track_caller]
pub fn assert_task(store: &TaskStore, id: TaskId, expected: &ExpectedTask) {
    match store.task_with_messages(id) {
        Ok(found) => expected.draw(&found.task, &found.messages).assert_as_expected(),
        Err(error) => panic!("task {id} cannot be read: {error}"),
    }
}

/// `task 7 "Copy" by "ann"`
pub(super) fn title(task: &Task) -> String {
    let mut title = format!("task {} {}", task.id, quoted(&task.title));
    for (word, value) in [("by", &task.performed_by), ("of configuration", &task.configuration_name)]
        .into_iter()
        .chain(task.key.as_ref().map(|key| ("with key", key)))
    {
        if !value.is_empty() {
            let _ = write!(title, " {word} {}", quoted(value));
        }
    }
    title
}

fn word(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        None => "in progress",
        Some(Outcome::Finished) => "finished",
        Some(Outcome::Failed) => "failed",
        Some(Outcome::Interrupted) => "interrupted",
    }
}

fn entry(message: &Message) -> Entry {
    let Message { seq, level, text, .. } = message;
    let line = format!("message {seq} {} {level} {}", time(message.time), quoted(text));
    Entry { text: text.clone(), is_reason: *level == Level::Error, line }
}
