//! `taskstore system-task`.

use taskstore::wire::system_task_api::{ListRequest, RetrieveRequest, write_list, write_system_task};
use taskstore::{SystemTask, SystemTaskFilter, SystemTaskStatus, TaskStore};
use uuid::Uuid;

use super::{Ended, Place};

/// Runs a shell script as the system task "backup", quietly.
fn run(place: &Place, options: &[&str], script: &str) -> Ended {
    let command = ["--", "sh", "-c", script];
    place.call(&[&["system-task", "run", "-q", "--name", "backup"], options, &command].concat())
}

fn listed(store: &TaskStore) -> Vec<SystemTask> {
    store.system_tasks().list(&SystemTaskFilter::new()).unwrap().items
}

fn only(place: &Place) -> SystemTask {
    let mut all = listed(&place.store());
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// Level, logger, text and attributes of each event of the shown run.
fn said(place: &Place, task: &SystemTask) -> Vec<String> {
    let run = task.shown_run.as_ref().unwrap();
    let events = place.store().system_tasks().events(run.id, 0, 1_000).unwrap();
    let told = events
        .iter()
        .map(|event| format!("{} {} {} {}", event.level, event.logger, event.event, event.attributes.as_str()));
    told.collect()
}

#[test]
fn lines_become_events_at_info_and_warning_with_the_commands_name_as_logger() {
    let place = Place::new();
    let script = "echo one; echo two >&2; echo three";
    let ended = place.call(&["system-task", "run", "-q", "--name", "backup", "--", "/bin/sh", "-c", script]);
    assert_eq!((ended.code, ended.text().as_str(), ended.error.as_str()), (Some(0), "one\nthree\n", "two\n"));
    let task = only(&place);
    assert_eq!((task.name.as_str(), task.uid.as_deref()), ("backup", None));
    assert_eq!(task.status(), SystemTaskStatus::Successful);
    let mut said = said(&place, &task);
    // The two outputs are two pipes: only within one is there an order.
    said.sort();
    assert_eq!(said, ["info sh one {}", "info sh three {}", "warning sh two {}"]);
}

#[test]
fn any_other_exit_is_an_error_with_the_exit_in_the_attributes() {
    for (script, code, signal, event) in [
        ("exit 3", Some(3), None, r#"error sh exited with status 3 {"exit_status":3}"#),
        ("kill -9 $$", None, Some(9), r#"error sh killed by signal 9 (SIGKILL) {"signal":9,"signal_name":"SIGKILL"}"#),
    ] {
        let place = Place::new();
        let ended = run(&place, &[], script);
        assert_eq!((ended.code, ended.signal), (code, signal));
        let task = only(&place);
        assert_eq!(task.status(), SystemTaskStatus::Error);
        assert!(!task.shown_run.as_ref().unwrap().interrupted);
        assert_eq!(said(&place, &task), [event]);
    }
}

#[test]
fn a_command_that_cannot_start_is_an_error() {
    let place = Place::new();
    let ended = place.call(&["system-task", "run", "--name", "backup", "--", "./nowhere"]);
    assert_eq!(ended.code, Some(127));
    let task = only(&place);
    let event = r#"error nowhere could not start: No such file or directory {"exit_status":127}"#;
    assert_eq!(said(&place, &task), [event]);
}

#[test]
fn the_uuid_is_printed_on_standard_error_and_stays_the_same() {
    let place = Place::new();
    let uuid_of = |ended: &Ended| {
        let line = ended.error.lines().next().unwrap().to_owned();
        line.strip_prefix("taskstore: system task ").unwrap().strip_suffix(" started").unwrap().parse::<Uuid>().unwrap()
    };
    let arguments = ["system-task", "run", "--name", "backup", "--uid", "prod", "--", "true"];
    let (first, second) = (place.call(&arguments), place.call(&arguments));
    assert_eq!(uuid_of(&first), only(&place).uuid);
    assert_eq!(uuid_of(&second), uuid_of(&first));
    assert_eq!(only(&place).full_name(), "backup:prod");
    let history = place.store().system_tasks().history(uuid_of(&first), None, 10).unwrap();
    assert_eq!(history.items.len(), 2);
}

#[test]
fn warnings_make_a_warning_only_if_they_are_to() {
    let place = Place::new();
    run(&place, &[], "echo oh >&2");
    assert_eq!(only(&place).status(), SystemTaskStatus::Successful);
    run(&place, &["--warn-on-stderr"], "echo fine");
    assert_eq!(only(&place).status(), SystemTaskStatus::Successful);
    run(&place, &["--warn-on-stderr"], "echo oh >&2");
    assert_eq!(only(&place).status(), SystemTaskStatus::Warning);
    run(&place, &["--warn-on-stderr"], "echo oh >&2; exit 1");
    assert_eq!(only(&place).status(), SystemTaskStatus::Error);
}

#[test]
fn options_reach_the_run() {
    let place = Place::new();
    let kept = |place: &Place| {
        let run = only(place).shown_run.unwrap();
        run.expires.map(|expires| (expires - run.finished.unwrap()).num_seconds())
    };
    run(&place, &["--description", "Nightly"], "true");
    assert_eq!((only(&place).description.as_str(), kept(&place)), ("Nightly", Some(21_600)));
    run(&place, &["--expires-after", "2d"], "true");
    assert_eq!((only(&place).description.as_str(), kept(&place)), ("Nightly", Some(172_800)));
    run(&place, &["--expires-after", "never"], "true");
    assert_eq!(kept(&place), None);
    run(&place, &["--only-on-failure"], "true");
    assert_eq!(listed(&place.store()).len(), 0);
    run(&place, &["--only-on-failure"], "exit 1");
    assert_eq!(only(&place).status(), SystemTaskStatus::Error);
}

#[test]
fn json_is_what_the_system_task_api_answers() {
    let place = Place::new();
    for (name, status) in [("a", "0"), ("b", "1"), ("c", "0")] {
        let script = format!("echo ünï; exit {status}");
        place.call(&["system-task", "run", "-q", "--name", name, "--", "sh", "-c", &script]);
    }
    let body = |parameters: &[(&str, &str)]| {
        let mut body = Vec::new();
        let request = ListRequest::parse(parameters.iter().copied()).unwrap();
        write_list(&place.store(), &request, &mut body).unwrap();
        String::from_utf8(body).unwrap() + "\n"
    };
    let list = |options: &[&str]| place.ok(&[&["system-task", "list", "--json"], options].concat());
    assert_eq!(list(&[]), body(&[]));
    assert_eq!(list(&["--ordering", "-name,uid"]), body(&[("ordering", "-name,uid")]));
    assert_ne!(list(&["--ordering", "-name"]), list(&[]));
    assert_eq!(list(&["--status", "error"]), body(&[("status", "error")]));
    assert_eq!(list(&["--name", "c"]), body(&[("name", "c")]));
    assert_eq!(list(&["--search", "ERR b"]), body(&[("search", "ERR b")]));
    assert_eq!(list(&["--page-size", "2", "--page", "2"]), body(&[("page_size", "2"), ("page", "2")]));
    assert_eq!(list(&["--page-size", "2", "--page", "last"]), body(&[("page_size", "2"), ("page", "2")]));
    assert!(list(&["--uid", "nobody"]).contains(r#""results":[]"#));

    let uuid = listed(&place.store())[1].uuid;
    let mut object = Vec::new();
    write_system_task(&place.store(), &RetrieveRequest::new(uuid), &mut object).unwrap();
    let object = String::from_utf8(object).unwrap();
    assert_eq!(place.ok(&["system-task", "show", &uuid.to_string(), "--json"]), object.clone() + "\n");
    let members = [
        "uuid",
        "name",
        "full_name",
        "uid",
        "description",
        "start_timestamp",
        "finish_timestamp",
        "duration",
        "status",
        "messages",
        "expires",
        "expiring",
    ];
    let places: Vec<_> = members.map(|member| object.find(&format!("\"{member}\":")).unwrap()).into();
    assert!(places.is_sorted(), "{object}");
}

#[test]
fn a_person_sees_tables_and_the_log() {
    let place = Place::new();
    run(&place, &["--uid", "\u{1b}[2J", "--description", "evil\u{202e}"], "echo out; exit 2");
    let uuid = only(&place).uuid.to_string();
    let table = place.ok(&["system-task", "list"]);
    assert!(table.starts_with("UUID  ") && table.contains(&uuid) && table.contains(r"backup:\x1b[2J"), "{table}");
    let shown = place.ok(&["system-task", "show", &uuid]);
    for expected in
        ["Status:        error\n", r"evil\u{202e}", "sh: out\n", "exited with status 2\n", r#"{"exit_status":2}"#]
    {
        assert!(shown.contains(expected), "no {expected:?} in {shown}");
    }
    assert_eq!(shown.matches("\n\n").count(), 1, "the log stands apart: {shown}");
    let column = |text: &str| shown.lines().find_map(|line| line.find(text)).unwrap();
    assert_eq!(
        column("sh: exited with"),
        column(r#"{"exit_status":2}"#),
        "attributes stand below their event: {shown}"
    );
    let history = place.ok(&["system-task", "history", &uuid]);
    assert_eq!(history.lines().count(), 2);
    assert!(history.starts_with("RUN  STATUS"), "{history}");
    assert!(!format!("{table}{shown}{history}").contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn a_run_in_progress_is_in_the_history_alone() {
    let place = Place::new();
    let mut started =
        place.start(&["system-task", "run", "-q", "--name", "backup", "--", "sh", "-c", "echo up; read x"]);
    started.wait_for("up");
    assert_eq!(place.ok(&["system-task", "list"]), "No system tasks.\n");
    let uuid = {
        // Starting another finds the same system task.
        let other = place.store().system_tasks().start("backup", None).unwrap();
        let uuid = other.uuid();
        other.finish().unwrap();
        uuid.to_string()
    };
    let history = place.ok(&["system-task", "history", &uuid]);
    assert_eq!(history.lines().filter(|line| line.contains("in progress")).count(), 1, "{history}");
    started.type_in(b"\n");
    assert_eq!(started.end().code, Some(0));
    assert!(!place.ok(&["system-task", "history", &uuid]).contains("in progress"));
}

#[test]
fn clean_deletes_what_has_expired_and_says_so() {
    let place = Place::new();
    run(&place, &["--expires-after", "0s"], "echo one; echo two");
    place.call(&["system-task", "run", "-q", "--name", "kept", "--", "true"]);
    let told = place.ok(&["system-task", "clean"]);
    assert!(told.starts_with("deleted 1 runs with 2 events, and 1 system tasks"), "{told}");
    assert_eq!(only(&place).name, "kept");
}

#[test]
fn what_there_is_not_is_refused_in_one_line() {
    let place = Place::new();
    let nil = Uuid::nil().to_string();
    assert!(place.refused(&["system-task", "list"]).contains("does not exist"));
    assert!(!place.path("tasks.db").exists());
    place.call(&["system-task", "run", "-q", "--name", "a", "--", "true"]);
    for arguments in [["system-task", "show", &nil], ["system-task", "history", &nil]] {
        assert_eq!(place.refused(&arguments), format!("taskstore: system task {nil} does not exist\n"));
    }
    assert!(place.refused(&["system-task", "list", "--page", "2"]).contains("page is \"2\""));
    assert!(place.refused(&["system-task", "list", "--page", "x"]).contains("page is \"x\""));
    for usage in [
        &["system-task", "list", "--ordering", "full_name"][..],
        &["system-task", "list", "--status", "ok"],
        &["system-task", "run", "--name", "a", "--expires-after", "soon", "--", "true"],
        &["system-task", "run", "--name", "a"],
        &["system-task", "show", "7"],
    ] {
        assert_eq!(place.call(usage).code, Some(2), "{usage:?}");
    }
    assert!(place.refused(&["system-task", "run", "--name", "", "--", "true"]).contains("name must not be empty"));
}
