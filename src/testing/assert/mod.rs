//! Assertions that show, where they fail, all that there is.

mod entries;
mod nothing_running;
mod picture;
mod run;
mod task;

pub use nothing_running::assert_nothing_running;
pub use run::{ExpectedRun, assert_run};
pub use task::{ExpectedTask, assert_task};

/// Asserts what a task has become, in words; [`testing::assert_task`](fn@crate::testing::assert_task) is the function behind it.
///
/// The words, in any number and order, with commas between them or without:
///
/// | | |
/// | --- | --- |
/// | `in progress`, `finished`, `failed`, `interrupted` | what happened |
/// | `with "quota"` | its last message is at level error and has this in it, as the reason of a failure or an interruption has |
/// | `within "5m"` | it has ended, and took no longer: a text or a `Duration` |
/// | `dismissed`, `dismissed by "bob"`, `not dismissed` | |
/// | `messages ["one", "two"]` | these are all its messages, word by word |
/// | `messages in order ["on", "w"]` | these are parts of some of its messages, in this order; others may be between |
///
/// A value is one token, such as a text or a name, or an expression in brackets: `with (format!("{user} has"))`.
///
/// # Panics
///
/// If it is not so, with the whole task and, line by line, what was expected instead. Also if the store cannot be read or has
/// no such task.
///
/// # Example
///
/// ```
/// use taskstore::testing::assert_task;
/// use taskstore::{Level, NewTask, TaskStore};
///
/// let store = TaskStore::open_in_memory()?;
/// let id = store.start_detached(NewTask::new("Copy"))?;
/// assert_task!(store, id, in progress);
/// store.message(id, Level::Info, "copied 3 files")?;
/// store.fail(id, "quota exceeded")?;
/// assert_task!(store, id, failed with "quota", within "5m", not dismissed);
/// assert_task!(store, id, messages ["copied 3 files", "quota exceeded"]);
/// # Ok::<(), taskstore::Error>(())
/// ```
///
/// A failure shows what the task has behind `<`, and what was expected behind `>`:
///
/// ```
/// # use taskstore::testing::{ManualClock, assert_task, given, options};
/// # let clock = ManualClock::at("2026-11-21T12:00:00Z".parse()?);
/// # let store = options(&clock).open_temporary()?;
/// # let id = given(&store).task("Copy").by("ann").started("-2h").warn("-1h", "slow").finished("-5m").write()?;
/// # let failure = std::panic::catch_unwind(std::panic::AssertUnwindSafe(||
/// assert_task!(store, id, failed with "quota")
/// # )).unwrap_err();
/// # assert_eq!(failure.downcast_ref::<String>().unwrap().trim_end(), r#"
/// # task 1 is not as expected ("<" is what it has, ">" what it should have):
/// #     task 1 "Copy" by "ann"
/// # <   finished
/// # >   failed
/// #     started 2026-11-21T10:00:00Z
/// #     ended 2026-11-21T11:55:00Z, after 1h55m
/// # <   message 1 2026-11-21T11:00:00Z warn "slow"
/// # >   last message at level error, with "quota" in it
/// # "#.trim());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```text
/// task 1 is not as expected ("<" is what it has, ">" what it should have):
///     task 1 "Copy" by "ann"
/// <   finished
/// >   failed
///     started 2026-11-21T10:00:00Z
///     ended 2026-11-21T11:55:00Z, after 1h55m
/// <   message 1 2026-11-21T11:00:00Z warn "slow"
/// >   last message at level error, with "quota" in it
/// ```
#[macro_export]
macro_rules! assert_task {
    ($store:expr, $id:expr, $($expected:tt)+) => {
        $crate::testing::assert_task(
            &$store,
            $id,
            &$crate::__taskstore_expected!(($crate::testing::ExpectedTask::new()) $($expected)+),
        )
    };
}

/// Asserts what a run of a system task has become, in words; [`testing::assert_run`](fn@crate::testing::assert_run) is the function
/// behind it.
///
/// The words, in any number and order, with commas between them or without:
///
/// | | |
/// | --- | --- |
/// | `in progress`, `interrupted` | |
/// | `successful`, `warning`, `error`, `unknown` | it has ended with this status, and was not interrupted |
/// | `with "quota"` | its last event has this in it |
/// | `within "5m"` | it has ended, and took no longer: a text or a `Duration` |
/// | `expired`, `not expired` | by the store's clock |
/// | `events ["one", "two"]` | these are all its events, word by word |
/// | `events in order ["on", "w"]` | these are parts of some of its events, in this order; others may be between |
///
/// A value is one token, such as a text or a name, or an expression in brackets.
///
/// # Panics
///
/// If it is not so, as [`assert_task!`](crate::assert_task) does.
///
/// # Example
///
/// ```
/// use taskstore::TaskStore;
/// use taskstore::testing::assert_run;
///
/// let store = TaskStore::open_in_memory()?;
/// let run = store.system_tasks().start("fetch_mail", None)?;
/// let id = run.id();
/// run.info("3 messages", ())?;
/// assert_run!(store, id, in progress);
/// drop(run);
/// assert_run!(store, id, interrupted with "without finish", not expired, events in order ["3"]);
/// # Ok::<(), taskstore::Error>(())
/// ```
#[macro_export]
macro_rules! assert_run {
    ($store:expr, $run:expr, $($expected:tt)+) => {
        $crate::testing::assert_run(
            &$store,
            $run,
            &$crate::__taskstore_expected!(($crate::testing::ExpectedRun::new()) $($expected)+),
        )
    };
}

/// Each word is a method of what is expected.
#[doc(hidden)]
#[macro_export]
macro_rules! __taskstore_expected {
    (($expected:expr)) => { $expected };
    (($expected:expr) , $($rest:tt)*) => { $crate::__taskstore_expected!(($expected) $($rest)*) };
    (($expected:expr) in progress $($rest:tt)*) => {
        $crate::__taskstore_expected!(($expected.in_progress()) $($rest)*)
    };
    (($expected:expr) not dismissed $($rest:tt)*) => {
        $crate::__taskstore_expected!(($expected.not_dismissed()) $($rest)*)
    };
    (($expected:expr) not expired $($rest:tt)*) => {
        $crate::__taskstore_expected!(($expected.not_expired()) $($rest)*)
    };
    (($expected:expr) dismissed by $value:tt $($rest:tt)*) => {
        $crate::__taskstore_expected!(($expected.dismissed_by($value)) $($rest)*)
    };
    // The type of the texts that are not there cannot be told from `[]`.
    (($expected:expr) messages in order [] $($rest:tt)*) => {
        $crate::__taskstore_expected!(($expected.messages_in_order([""; 0])) $($rest)*)
    };
    (($expected:expr) messages [] $($rest:tt)*) => {
        $crate::__taskstore_expected!(($expected.messages([""; 0])) $($rest)*)
    };
    (($expected:expr) messages in order $value:tt $($rest:tt)*) => {
        $crate::__taskstore_expected!(($expected.messages_in_order($value)) $($rest)*)
    };
    (($expected:expr) events in order [] $($rest:tt)*) => {
        $crate::__taskstore_expected!(($expected.events_in_order([""; 0])) $($rest)*)
    };
    (($expected:expr) events [] $($rest:tt)*) => {
        $crate::__taskstore_expected!(($expected.events([""; 0])) $($rest)*)
    };
    (($expected:expr) events in order $value:tt $($rest:tt)*) => {
        $crate::__taskstore_expected!(($expected.events_in_order($value)) $($rest)*)
    };
    (($expected:expr) messages $value:tt $($rest:tt)*) => {
        $crate::__taskstore_expected!(($expected.messages($value)) $($rest)*)
    };
    (($expected:expr) events $value:tt $($rest:tt)*) => {
        $crate::__taskstore_expected!(($expected.events($value)) $($rest)*)
    };
    (($expected:expr) with $value:tt $($rest:tt)*) => {
        $crate::__taskstore_expected!(($expected.with($value)) $($rest)*)
    };
    (($expected:expr) within $value:tt $($rest:tt)*) => {
        $crate::__taskstore_expected!(($expected.within($value)) $($rest)*)
    };
    (($expected:expr) $word:ident $($rest:tt)*) => {
        $crate::__taskstore_expected!(($expected.$word()) $($rest)*)
    };
}
