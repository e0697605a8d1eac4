//! What the assertions say where they fail, word by word.

use std::panic::{AssertUnwindSafe, catch_unwind};

use taskstore::testing::{
    ExpectedRun, ExpectedTask, GivenTask, ManualClock, assert_nothing_running, assert_run, assert_task, given, options,
    stage,
};
use taskstore::{LogEvent, LogLevel, Progress, RunId, RunOptions, SystemTaskStatus, TaskId, TaskStore};

use super::{store_at_noon, time};
use crate::support::task_id;

/// With what text it fails.
#[track_caller]
fn failure(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("it did not fail");
    *panic.downcast::<String>().unwrap()
}

/// A failure of this subject with these lines.
#[track_caller]
fn assert_fails(assertion: impl FnOnce(), subject: &str, lines: &[&str]) {
    let head = format!(r#"{subject} is not as expected ("<" is what it has, ">" what it should have):"#);
    assert_eq!(failure(assertion), [&[head.as_str()], lines].concat().join("\n"));
}

fn started(store: &TaskStore) -> GivenTask<'_, stage::InProgress> {
    given(store).task("Copy").by("ann").started("-2h")
}

/// A task that has failed.
fn failed(store: &TaskStore) -> TaskId {
    let told = started(store).message("-1h", "one").warn("-59m", "two").message("-58m", "three");
    told.failed_with("-5m", "quota exceeded").write().unwrap()
}

#[test]
fn what_is_as_expected_passes_in_every_word() {
    let (store, _) = store_at_noon();
    let id = failed(&store);
    let user = "bob";
    assert_task!(store, id, failed);
    assert_task!(&store, id, failed with "quota");
    assert_task!(store, id, failed, with "", within "1h55m", not dismissed,);
    assert_task!(store, id, failed within (std::time::Duration::from_secs(6_900)) with (format!("{} exceeded", "quota")));
    assert_task!(store, id, messages ["one", "two", "three", "quota exceeded"]);
    assert_task!(store, id, messages in order ["one", "three"]);
    assert_task!(store, id, messages in order ["w", "e", "quota"] failed);
    assert_task!(store, id, messages in order [""; 0]);
    assert_task!(store, id, messages in order [], failed);
    let silent = started(&store).write().unwrap();
    assert_task!(store, silent, messages [], in progress);
    let run = given(&store).system_task("s").run().started("-1h").write().unwrap().id();
    assert_run!(store, run, events [] in progress);
    assert_run!(store, run, events in order []);
    store.dismiss(id, user).unwrap();
    assert_task!(store, id, dismissed, failed);
    assert_task!(store, id, dismissed by user);
    assert_task(&store, id, &ExpectedTask::new());
}

#[test]
fn another_outcome_is_shown_beside_the_expected_one() {
    let (store, _) = store_at_noon();
    let id = failed(&store);
    let rest = [
        "    started 2026-11-21T10:00:00Z",
        "    ended 2026-11-21T11:55:00Z, after 1h55m",
        r#"    message 1 2026-11-21T11:00:00Z info "one""#,
        r#"    message 2 2026-11-21T11:01:00Z warn "two""#,
        r#"    message 3 2026-11-21T11:02:00Z info "three""#,
        r#"    message 4 2026-11-21T11:55:00Z error "quota exceeded""#,
    ];
    for (expected, word) in [
        (ExpectedTask::new().finished(), "finished"),
        (ExpectedTask::new().interrupted(), "interrupted"),
        (ExpectedTask::new().in_progress(), "in progress"),
    ] {
        let lines = [r#"    task 1 "Copy" by "ann""#, "<   failed", &format!(">   {word}")];
        assert_fails(|| assert_task(&store, id, &expected), "task 1", &[lines.as_slice(), &rest].concat());
    }
}

#[test]
fn a_failure_shows_the_whole_task() {
    let (store, _) = store_at_noon();
    let production = store.configurations().add("production").unwrap();
    let told = given(&store).task("a\nb").configuration(production).key("k").started("2026-11-21T09:59:59.5Z");
    let told = told.debug("-1h", "two\nlines").progress("-1m", Progress::new(3).of(10).phase("copying"));
    let id = told.interrupted("-1s").dismissed("now", "bob").write().unwrap();
    assert_fails(
        || assert_task!(store, id, finished within "1h59m", not dismissed, with "panicked"),
        "task 1",
        &[
            r#"    task 1 "a\nb" of configuration "production" with key "k""#,
            "<   interrupted",
            ">   finished",
            "    started 2026-11-21T09:59:59.500Z",
            "<   ended 2026-11-21T11:59:59Z, after 1h59m59s500ms",
            ">   ended within 1h59m",
            r#"<   dismissed 2026-11-21T12:00:00Z by "bob""#,
            ">   not dismissed",
            r#"    progress 3 of 10, "copying""#,
            r#"    message 1 2026-11-21T11:00:00Z debug "two\nlines""#,
            r#"<   message 2 2026-11-21T11:59:59Z error "ended without finish or fail""#,
            r#">   last message at level error, with "panicked" in it"#,
        ],
    );
}

#[test]
fn what_is_not_there_is_expected_in_its_place() {
    let (store, _) = store_at_noon();
    let id = given(&store).task("t").started("-2h").write().unwrap();
    assert_fails(
        || assert_task!(store, id, failed with "quota", within "5m", dismissed by "bob"),
        "task 1",
        &[
            r#"    task 1 "t""#,
            "<   in progress",
            ">   failed",
            "    started 2026-11-21T10:00:00Z",
            ">   ended within 5m",
            r#">   dismissed by "bob""#,
            r#">   last message at level error, with "quota" in it"#,
        ],
    );
    store.finish(id).unwrap();
    store.dismiss(id, "ann").unwrap();
    let lines = |expected: &'static str| {
        [
            r#"    task 1 "t""#,
            "    finished",
            "    started 2026-11-21T10:00:00Z",
            "    ended 2026-11-21T12:00:00Z, after 2h",
            r#"<   dismissed 2026-11-21T12:00:00Z by "ann""#,
            expected,
        ]
    };
    assert_fails(|| assert_task!(store, id, dismissed by "bob"), "task 1", &lines(r#">   dismissed by "bob""#));
    assert_fails(|| assert_task!(store, id, not dismissed), "task 1", &lines(">   not dismissed"));
}

#[test]
fn a_reason_is_an_error_and_the_last_message() {
    let (store, _) = store_at_noon();
    let told = || given(&store).task("t").started("-2h").error("-1h", "quota");
    let last = told().message("-1h", "more").failed("-1h").write().unwrap();
    assert!(failure(|| assert_task!(store, last, failed with "quota")).contains("<   message 2"));
    let warned = given(&store).task("t").started("-2h").warn("-1h", "quota").failed("-1h").write().unwrap();
    assert!(failure(|| assert_task!(store, warned, failed with "quota")).contains("<   message 1"));
    assert_task!(store, told().failed("-1h").write().unwrap(), failed with "quota");
}

#[test]
fn messages_as_a_whole_are_compared_line_by_line() {
    let (store, _) = store_at_noon();
    let id = failed(&store);
    let head = [
        r#"    task 1 "Copy" by "ann""#,
        "    failed",
        "    started 2026-11-21T10:00:00Z",
        "    ended 2026-11-21T11:55:00Z, after 1h55m",
    ];
    let message = |mark: &str, number: usize| {
        let messages = [
            r#"message 1 2026-11-21T11:00:00Z info "one""#,
            r#"message 2 2026-11-21T11:01:00Z warn "two""#,
            r#"message 3 2026-11-21T11:02:00Z info "three""#,
            r#"message 4 2026-11-21T11:55:00Z error "quota exceeded""#,
        ];
        format!("{mark}   {}", messages[number - 1])
    };
    let expected = |text: &str| format!(">   message {text:?}");
    let fails = |texts: &[&str], lines: &[String]| {
        let lines: Vec<_> = head.into_iter().chain(lines.iter().map(String::as_str)).collect();
        assert_fails(|| assert_task(&store, id, &ExpectedTask::new().messages(texts.to_vec())), "task 1", &lines);
    };
    fails(&[], &[1, 2, 3, 4].map(|number| message("<", number)));
    fails(&["one", "three", "quota exceeded"], &[message(" ", 1), message("<", 2), message(" ", 3), message(" ", 4)]);
    fails(
        &["zero", "one", "two", "three", "quota exceeded", "five"],
        &[expected("zero"), message(" ", 1), message(" ", 2), message(" ", 3), message(" ", 4), expected("five")],
    );
    fails(
        &["one", "TWO", "three", "quota"],
        &[message(" ", 1), message("<", 2), expected("TWO"), message(" ", 3), message("<", 4), expected("quota")],
    );
    // In another order.
    fails(
        &["two", "one", "three", "quota exceeded"],
        &[message("<", 1), message(" ", 2), expected("one"), message(" ", 3), message(" ", 4)],
    );
}

#[test]
fn of_messages_in_order_the_first_that_is_not_there_is_named() {
    let (store, _) = store_at_noon();
    let id = failed(&store);
    assert_fails(
        || assert_task!(store, id, messages in order ["two", "one", "quota"]),
        "task 1",
        &[
            r#"    task 1 "Copy" by "ann""#,
            "    failed",
            "    started 2026-11-21T10:00:00Z",
            "    ended 2026-11-21T11:55:00Z, after 1h55m",
            r#"    message 1 2026-11-21T11:00:00Z info "one""#,
            r#"    message 2 2026-11-21T11:01:00Z warn "two""#,
            r#"    message 3 2026-11-21T11:02:00Z info "three""#,
            r#"    message 4 2026-11-21T11:55:00Z error "quota exceeded""#,
            r#">   message with "one" in it, behind those before"#,
            r#">   message with "quota" in it, behind those before"#,
        ],
    );
    // One message is not two.
    assert!(failure(|| assert_task!(store, id, messages in order ["one", "on"])).contains("\n>"));
}

#[test]
fn of_many_messages_the_first_and_the_last_are_shown_and_a_long_text_is_cut() {
    let (store, _) = store_at_noon();
    let told = (1..=1_000).fold(started(&store), |told, number| told.message("-1h", format!("line {number}")));
    let id = told.message("-1h", "é".repeat(1_000)).write().unwrap();
    let text = failure(|| assert_task!(store, id, finished));
    assert!(text.lines().count() < 60, "{text}");
    assert!(text.contains("\n    … 962 more …\n"), "{text}");
    assert!(text.contains(&format!("\"{}\"…", "é".repeat(200))), "{text}");
}

#[test]
fn a_run_is_shown_whole_too() {
    let clock = ManualClock::at(time("2026-11-21T12:00:00Z"));
    let store = options(&clock).open_temporary().unwrap();
    let started = given(&store).system_task("ldap_sync").uid("eu").run().started("-1d");
    let event = LogEvent::new(LogLevel::Debug, "bound").attributes(serde_json::json!({"ms": 9})).unwrap();
    let told = started.event("-1d", event).status("-23h30m", SystemTaskStatus::Warning, ["2 users have no mail"]);
    let id = told.finished("-23h").expires("-1h").write().unwrap().id();
    assert_run!(store, id, warning, expired, within "1h", with "mail");
    assert_run!(store, id, events ["bound", "2 users have no mail"], events in order ["b", "2"]);
    assert_fails(
        || assert_run!(store, id, successful, not expired, within "59m", with "bound"),
        "run 1",
        &[
            r#"    run 1 of system task "ldap_sync:eu""#,
            "<   warning",
            ">   successful",
            "    started 2026-11-20T12:00:00Z",
            "<   ended 2026-11-20T13:00:00Z, after 1h",
            ">   ended within 59m",
            "<   expires 2026-11-21T11:00:00Z",
            ">   not expired by 2026-11-21T12:00:00Z",
            r#"    event 1 2026-11-20T12:00:00Z debug "bound" {"ms":9}"#,
            r#"<   event 2 2026-11-20T12:30:00Z info "2 users have no mail""#,
            r#">   last event, with "bound" in it"#,
        ],
    );
    let never = RunOptions::new().never_expires();
    let id = given(&store).system_task("s").run_with(never).started("-1h").interrupted("-1h").write().unwrap().id();
    for (expected, word) in [(ExpectedRun::new().error(), "error"), (ExpectedRun::new().in_progress(), "in progress")] {
        assert_fails(
            || assert_run(&store, id, &expected.expired()),
            "run 2",
            &[
                r#"    run 2 of system task "s""#,
                "<   interrupted",
                &format!(">   {word}"),
                "    started 2026-11-21T11:00:00Z",
                "    ended 2026-11-21T11:00:00Z, after 0s",
                ">   expired by 2026-11-21T12:00:00Z",
                r#"    event 1 2026-11-21T11:00:00Z error "ended without finish""#,
            ],
        );
    }
}

#[test]
fn a_run_of_more_events_than_a_page_is_read_whole() {
    let (store, _) = store_at_noon();
    let started = given(&store).system_task("s").run().started("-1h");
    let texts: Vec<_> = (1..=2_500).map(|number| number.to_string()).collect();
    let told = texts.iter().fold(started, |told, text| told.log("-1h", LogLevel::Info, text));
    let run = told.finished("-1h").write().unwrap();
    assert_run!(store, run.id(), events texts);
}

#[test]
fn nothing_running_names_what_does() {
    let (store, _) = store_at_noon();
    assert_nothing_running(&store);
    given(&store).task("Copy").by("ann").started("-2h").message("-1h", "one").write().unwrap();
    let text = failure(|| assert_nothing_running(&store));
    let expected = "1 task and 0 runs are in progress; nothing should be:
  task 1 \"Copy\" by \"ann\", since 2026-11-21T10:00:00Z, with 1 messages";
    assert_eq!(text, expected);

    for _ in 0..30 {
        given(&store).task("Copy").started("-1h").write().unwrap();
        given(&store).system_task("s").uid("u").run().started("-1h").write().unwrap();
    }
    let text = failure(|| assert_nothing_running(&store));
    assert!(text.starts_with("31 tasks and 30 runs are in progress; nothing should be:\n  task 1 "), "{text}");
    assert!(text.contains("\n  run 20 of system task \"s:u\", since 2026-11-21T11:00:00Z, with 0 events\n"), "{text}");
    assert!(text.ends_with("\n  and 21 more"), "{text}");
}

#[test]
fn what_cannot_be_read_is_said_to_be() {
    let (store, _) = store_at_noon();
    assert_eq!(failure(|| assert_task!(store, task_id(7), finished)), "task 7 cannot be read: task 7 does not exist");
    let run = RunId::try_from(7).unwrap();
    assert_eq!(failure(|| assert_run!(store, run, error)), "run 7 cannot be read: run 7 does not exist");
    store.close().unwrap();
    assert_eq!(failure(|| assert_nothing_running(&store)), "what is in progress cannot be read: the store is closed");
}

#[test]
fn a_failure_is_told_of_the_line_that_asserts() {
    use std::cell::Cell;
    use std::panic;

    thread_local!(static LINE: Cell<(bool, u32)> = const { Cell::new((false, 0)) });
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let location = panic.location().unwrap();
        LINE.set((location.file().ends_with("testing/assertions.rs"), location.line()));
        before(panic);
    }));
    let (store, _) = store_at_noon();
    let id = started(&store).write().unwrap();
    let run = given(&store).system_task("s").run().started("-1h").write().unwrap().id();
    failure(|| assert_task!(store, id, finished));
    assert_eq!(LINE.get(), (true, line!() - 1));
    failure(|| assert_run!(store, run, successful));
    assert_eq!(LINE.get(), (true, line!() - 1));
    failure(|| assert_nothing_running(&store));
    assert_eq!(LINE.get(), (true, line!() - 1));
    let text = failure(|| assert_task!(store, id, within "soon"));
    assert_eq!(LINE.get(), (true, line!() - 1));
    assert_eq!(text, r#"span must be like "5m" or "1d12h""#);
}
