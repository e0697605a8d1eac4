//! `taskstore show`.

use std::process::Stdio;

use taskstore::wire::task_api::{DismissedMember, write_task};
use taskstore::{Error, Level, NewTask, TaskId};

use super::{Place, wait_until};

/// What stands behind a name in the heading.
fn value<'a>(shown: &'a str, name: &str) -> &'a str {
    let line = shown.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {shown}"));
    line[name.len()..].trim()
}

/// The messages, without their times.
fn messages(shown: &str) -> Vec<&str> {
    let (_, messages) = shown.split_once("\n\n").unwrap_or_default();
    messages.lines().map(|line| line.get(25..).unwrap_or(line)).collect()
}

#[test]
fn a_new_task_has_little_to_show() {
    let place = Place::new();
    place.ok(&["start", "--title", "Copy", "--performed-by", ""]);
    let shown = place.ok(&["show", "1"]);
    let names = ["Task:", "Title:", "State:", "Performed by:", "Configuration:", "Finished:", "Messages:"];
    assert_eq!(names.map(|name| value(&shown, name)), ["1", "Copy", "in progress", "-", "-", "-", "0"]);
    let started = place.task(1).started.format("%Y-%m-%d %H:%M:%S UTC (").to_string();
    assert!(value(&shown, "Started:").starts_with(&started), "{shown}");
    assert!(value(&shown, "Duration:").ends_with(" ms") || value(&shown, "Duration:").ends_with(" s"), "{shown}");
    assert_eq!(messages(&shown), [""; 0]);
}

#[test]
fn an_ended_task_shows_all_there_is() {
    let place = Place::new();
    place.ok(&["configuration", "add", "prod"]);
    place.ok(&["start", "--title", "Copy", "--performed-by", "ann", "--configuration", "1"]);
    place.ok(&["progress", "1", "3", "10", "--phase", "copying"]);
    place.ok(&["message", "1", "first\nsecond\tline"]);
    place.ok(&["message", "1", "careful", "--level", "warn"]);
    place.ok(&["fail", "1", "disk gone"]);
    place.ok(&["dismiss", "1", "--by", "bob"]);
    let shown = place.ok(&["show", "1"]);
    assert_eq!(value(&shown, "State:"), "failed");
    assert!(value(&shown, "Dismissed:").starts_with("by bob, 20"), "{shown}");
    assert_eq!(value(&shown, "Performed by:"), "ann");
    assert_eq!(value(&shown, "Configuration:"), "prod (id 1)");
    assert_eq!(value(&shown, "Progress:"), "3 of 10, copying");
    assert!(value(&shown, "Finished:").contains("UTC ("), "{shown}");
    let expected = ["info   first", "       second    line", "warn   careful", "error  disk gone"];
    assert_eq!(messages(&shown), expected);
    let time = place.messages(1)[0].time.format("%Y-%m-%d %H:%M:%S%.3f").to_string();
    assert!(shown.contains(&format!("\n{time}  info   first\n")), "{shown}");

    place.ok(&["configuration", "delete", "1"]);
    assert_eq!(value(&place.ok(&["show", "1"]), "Configuration:"), "prod (deleted)");
}

#[test]
fn a_task_with_many_messages_shows_them_all_in_order() {
    let place = Place::new();
    place.ok(&["start", "--title", "t"]);
    let id = TaskId::try_from(1).unwrap();
    let said = place.store().batch(|batch| (0..500).try_for_each(|n| batch.message(id, Level::Info, format!("m{n}"))));
    said.map_err(|error: Error| error).unwrap();
    let expected: Vec<_> = (0..500).map(|n| format!("info   m{n}")).collect();
    assert_eq!(messages(&place.ok(&["show", "1"])), expected);
}

#[test]
fn a_tail_is_the_last_messages_in_their_order() {
    let place = Place::new();
    place.ok(&["start", "--title", "t"]);
    assert_eq!(messages(&place.ok(&["show", "1", "--tail", "2"])), [""; 0]);
    for text in ["one", "two", "three"] {
        place.ok(&["message", "1", text]);
    }
    let tail = |count| place.ok(&["show", "1", "--tail", count]);
    assert_eq!(messages(&tail("2")), ["info   two", "info   three"]);
    assert_eq!(messages(&tail("0")), [""; 0]);
    for all in ["3", "18446744073709551615"] {
        assert_eq!(messages(&tail(all)), ["info   one", "info   two", "info   three"]);
    }
}

#[test]
fn follow_goes_on_from_a_tail() {
    let place = Place::new();
    let store = place.store();
    for (tail, expected) in
        [("1", &["info   two", "info   new", "error  at last"][..]), ("0", &["info   new", "error  at last"])]
    {
        let id = store.start_detached(NewTask::new("t")).unwrap();
        for text in ["one", "two"] {
            store.message(id, Level::Info, text).unwrap();
        }
        let following = place.start(&["show", &id.to_string(), "--follow", "--tail", tail]);
        following.wait_for("Messages:      2\n");
        store.message(id, Level::Info, "new").unwrap();
        following.wait_for("info   new\n");
        store.fail(id, "at last").unwrap();
        let shown = following.end().text();
        assert_eq!(messages(&shown)[..expected.len()], *expected, "{shown}");
        assert_eq!(shown.matches("\n\n").count(), 1, "{shown}");
    }
}

#[test]
fn an_unknown_task_is_refused_by_name() {
    let place = Place::new();
    place.store();
    for arguments in [&["show", "7"][..], &["show", "7", "--json"], &["show", "7", "--follow", "--json"]] {
        assert_eq!(place.refused(arguments), "taskstore: task 7 does not exist\n");
    }
}

#[test]
fn json_is_what_the_task_api_answers() {
    let place = Place::new();
    place.ok(&["start", "--title", "\x1b[2J"]);
    place.ok(&["message", "1", "two\nlines"]);
    let mut body = Vec::new();
    write_task(&place.store(), TaskId::try_from(1).unwrap(), DismissedMember::HiddenBy, &mut body).unwrap();
    assert_eq!(place.ok(&["show", "1", "--json"]), String::from_utf8(body).unwrap() + "\n");
}

#[test]
fn follow_prints_messages_as_they_come_until_the_task_ends() {
    let place = Place::new();
    let store = place.store();
    let id = store.start_detached(NewTask::new("t")).unwrap();
    store.message(id, Level::Info, "before").unwrap();
    let mut following = place.start(&["show", "1", "--follow"]);
    following.wait_for("info   before\n");
    store.message(id, Level::Info, "meanwhile").unwrap();
    following.wait_for("info   meanwhile\n");
    assert!(following.child.try_wait().unwrap().is_none());
    store.fail(id, "at last").unwrap();

    let ended = following.end();
    assert_eq!((ended.code, ended.error.as_str()), (Some(0), ""));
    let text = ended.text();
    assert_eq!(messages(&text)[..3], ["info   before", "info   meanwhile", "error  at last"]);
    assert!(text.lines().last().unwrap().starts_with("failed after "), "{text}");
}

#[test]
fn follow_of_an_ended_task_is_like_show() {
    let place = Place::new();
    place.ok(&["start", "--title", "t"]);
    place.ok(&["fail", "1", "reason"]);
    assert_eq!(messages(&place.ok(&["show", "1", "--follow"])), ["error  reason"]);
}

#[test]
fn follow_with_json_waits_for_the_end() {
    let place = Place::new();
    let store = place.store();
    let id = store.start_detached(NewTask::new("t")).unwrap();
    let following = place.start(&["show", "1", "--follow", "--json"]);
    store.message(id, Level::Info, "said").unwrap();
    store.finish(id).unwrap();
    let ended = following.end();
    assert_eq!(ended.text(), place.ok(&["show", "1", "--json"]));
    assert!(ended.text().contains("\"state\":\"End\""), "{}", ended.text());
}

#[test]
fn follow_ends_quietly_when_its_reader_goes_though_the_task_is_silent() {
    let place = Place::new();
    place.ok(&["start", "--title", "t"]);
    for arguments in [&["show", "1", "--follow"][..], &["show", "1", "--follow", "--json"]] {
        let mut command = place.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        wait_until("the follower to end", || child.try_wait().unwrap().is_some());
        let ended = child.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), ended.stderr), (Some(0), vec![]));
    }
}

#[test]
fn follow_prints_what_another_process_says() {
    let place = Place::new();
    place.ok(&["start", "--title", "t"]);
    let following = place.start(&["show", "1", "--follow"]);
    following.wait_for("Messages:      0\n");
    for text in ["one", "two"] {
        place.ok(&["message", "1", text]);
        following.wait_for(&format!("info   {text}\n"));
    }
    place.ok(&["finish", "1"]);
    let ended = following.end();
    assert_eq!((ended.code, ended.error.as_str()), (Some(0), ""));
    assert_eq!(messages(&ended.text())[..2], ["info   one", "info   two"]);
}

/// Also where others never pause.
#[test]
fn follow_misses_nothing_of_a_task_that_says_much() {
    let place = Place::new();
    let store = place.store();
    let (id, other) =
        (store.start_detached(NewTask::new("t")).unwrap(), store.start_detached(NewTask::new("other")).unwrap());
    let following = place.start(&["show", "1", "--follow"]);
    following.wait_for("Messages:      0\n");
    for number in 0..300 {
        store.message(id, Level::Info, format!("m{number}")).unwrap();
        store.message(other, Level::Info, "something else").unwrap();
    }
    store.finish(id).unwrap();
    let expected: Vec<_> = (0..300).map(|number| format!("info   m{number}")).collect();
    assert_eq!(messages(&following.end().text())[..300], expected);
}
