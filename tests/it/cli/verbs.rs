//! The verbs that write.

use taskstore::{Level, Outcome, TaskState};

use super::{Place, login_user};

#[test]
fn start_prints_the_id_alone_and_leaves_the_task_in_progress() {
    let place = Place::new();
    place.ok(&["configuration", "add", "prod"]);
    assert_eq!(place.ok(&["start", "--title", "one"]), "1\n");
    let options = ["start", "--title", "-two", "--performed-by", "-ann", "--configuration", "1"];
    assert_eq!(place.ok(&options), "2\n");

    let (one, two) = (place.task(1), place.task(2));
    assert_eq!((one.title.as_str(), one.performed_by, one.configuration_id), ("one", login_user(), None));
    assert_eq!((two.title.as_str(), two.performed_by.as_str()), ("-two", "-ann"));
    assert_eq!((two.configuration_name.as_str(), two.state()), ("prod", TaskState::InProgress));
}

#[test]
fn a_start_on_a_configuration_that_does_not_exist_is_refused() {
    let place = Place::new();
    let refused = place.refused(&["start", "--title", "t", "--configuration", "5"]);
    assert_eq!(refused, "taskstore: configuration 5 does not exist\n");
}

#[test]
fn messages_take_any_text_and_any_level() {
    let place = Place::new();
    place.ok(&["start", "--title", "t"]);
    let texts = ["plain", "", "-x", "--level", "--", "many\nlines\n", "\t\u{1b}\u{202e}ü"];
    for text in texts {
        assert_eq!(place.ok(&["message", "1", "--", text]), "");
    }
    place.ok(&["message", "1", "-hyphens are fine"]);
    let found: Vec<_> = place.messages(1).into_iter().map(|message| message.text).collect();
    assert_eq!(found, [&texts[..], &["-hyphens are fine"]].concat());

    for level in Level::ALL {
        place.ok(&["message", "1", "--level", level.as_str(), "x"]);
    }
    let levels: Vec<_> = place.messages(1).into_iter().map(|message| message.level).collect();
    assert_eq!(levels, [&[Level::Info; 8][..], &Level::ALL].concat());
}

#[test]
fn progress_replaces_what_was_recorded_before() {
    let place = Place::new();
    place.ok(&["start", "--title", "t"]);
    assert_eq!(place.ok(&["progress", "1", "3", "10", "--phase", "copying"]), "");
    let progress = place.task(1).progress.unwrap();
    assert_eq!((progress.done, progress.total, progress.phase.as_deref()), (3, Some(10), Some("copying")));

    place.ok(&["progress", "1", "4"]);
    let progress = place.task(1).progress.unwrap();
    assert_eq!((progress.done, progress.total, progress.phase), (4, None, None));

    let refused = place.refused(&["progress", "1", "9223372036854775808"]);
    assert!(refused.contains("must be a whole number from 0 to 9223372036854775807"), "{refused}");
}

#[test]
fn finish_and_fail_end_a_task_once() {
    let place = Place::new();
    for _ in 0..4 {
        place.ok(&["start", "--title", "t"]);
    }
    assert_eq!(place.ok(&["finish", "1"]), "");
    assert_eq!(place.ok(&["fail", "2"]), "");
    assert_eq!(place.ok(&["fail", "3", "no space"]), "");
    assert_eq!(place.ok(&["fail", "4", "-1 rows"]), "");
    let outcomes = [1, 2, 3, 4].map(|id| place.task(id).outcome);
    assert_eq!(outcomes, [Outcome::Finished, Outcome::Failed, Outcome::Failed, Outcome::Failed].map(Some));
    assert_eq!([place.said(1), place.said(2)], [Vec::<String>::new(), vec![]]);
    assert_eq!([place.said(3), place.said(4)], [["error no space"], ["error -1 rows"]]);

    let refused = place.refused(&["finish", "3"]);
    assert_eq!(refused, "taskstore: cannot finish task 3: it is failed; it must be in progress\n");
    assert_eq!(place.refused(&["fail", "9"]), "taskstore: task 9 does not exist\n");
}

#[test]
fn dismiss_takes_all_or_none_and_names_the_one_that_is_wrong() {
    let place = Place::new();
    for _ in 0..3 {
        place.ok(&["start", "--title", "t"]);
    }
    place.ok(&["finish", "1"]);
    place.ok(&["finish", "2"]);
    let refused = place.refused(&["dismiss", "1", "2", "3"]);
    assert!(refused.starts_with("taskstore: cannot dismiss task 3: it is in progress"), "{refused}");
    assert_eq!(place.refused(&["dismiss", "1", "9", "2"]), "taskstore: task 9 does not exist\n");
    assert_eq!([place.task(1).state(), place.task(2).state()], [TaskState::Finished; 2]);

    assert_eq!(place.ok(&["dismiss", "1", "2"]), "");
    assert_eq!([place.task(1).dismissed_by, place.task(2).dismissed_by], [Some(login_user()), Some(login_user())]);
}

#[test]
fn dismiss_takes_a_name() {
    let place = Place::new();
    place.ok(&["start", "--title", "t"]);
    place.ok(&["finish", "1"]);
    assert_eq!(place.refused(&["dismiss", "1", "--by", ""]), "taskstore: dismissed_by must not be empty\n");
    place.ok(&["dismiss", "1", "--by", "ann"]);
    assert_eq!(place.task(1).dismissed_by.as_deref(), Some("ann"));
}

#[test]
fn restore_takes_all_or_none() {
    let place = Place::new();
    for _ in 0..3 {
        place.ok(&["start", "--title", "t"]);
    }
    place.ok(&["finish", "1"]);
    place.ok(&["fail", "2"]);
    place.ok(&["dismiss", "1", "2"]);
    let refused = place.refused(&["restore", "1", "2", "3"]);
    assert!(refused.starts_with("taskstore: cannot restore task 3: "), "{refused}");
    assert_eq!(place.task(1).state(), TaskState::Dismissed);

    assert_eq!(place.ok(&["restore", "1", "2"]), "");
    assert_eq!([place.task(1).state(), place.task(2).state()], [TaskState::Finished, TaskState::Failed]);
}

#[test]
fn start_and_message_with_a_key_can_be_repeated() {
    let place = Place::new();
    for title in ["first", "again"] {
        assert_eq!(place.ok(&["start", "--title", title, "--key", "-k"]), "1\n");
        assert_eq!(place.ok(&["message", "1", title, "--key", "-k"]), "");
    }
    assert_eq!(place.ok(&["start", "--title", "other"]), "2\n");
    place.ok(&["finish", "1"]);
    assert_eq!(place.ok(&["start", "--title", "late", "--key", "-k"]), "1\n");
    assert_eq!(place.ok(&["message", "1", "late", "--key", "-k"]), "");
    assert_eq!((place.task(1).title.as_str(), place.said(1)), ("first", vec!["info first".to_owned()]));

    assert_eq!(place.refused(&["start", "--title", "t", "--key", ""]), "taskstore: key must not be empty\n");
    assert_eq!(place.refused(&["message", "2", "t", "--key", ""]), "taskstore: key must not be empty\n");
}
