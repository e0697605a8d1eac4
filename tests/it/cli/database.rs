//! Which file is used, and who creates it.

use super::Place;

/// Everything that reads or changes what must be there.
const NEED_A_DATABASE: [&[&str]; 15] = [
    &["check"],
    &["backup", "new"],
    &["list"],
    &["list", "--json"],
    &["show", "1"],
    &["show", "1", "--json", "--follow"],
    &["configuration", "list"],
    &["configuration", "rename", "1", "x"],
    &["configuration", "delete", "1"],
    &["message", "1", "x"],
    &["progress", "1", "1"],
    &["finish", "1"],
    &["dismiss", "1"],
    &["restore", "1"],
    &["serve", "--allow-anonymous-loopback", "--listen", "127.0.0.1:0"],
];

#[test]
fn it_is_the_options_else_the_environments_else_tasks_db_here() {
    let place = Place::new();
    place.ok(&["start", "--title", "here"]);

    let by_environment = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env("TASKSTORE_DB", place.path("environment.db"));
        let ended = super::Started::new(command).end();
        assert_eq!((ended.code, ended.error.as_str()), (Some(0), ""));
        ended.text()
    };
    by_environment(&["start", "--title", "environment"]);
    by_environment(&["--db", "option.db", "start", "--title", "before"]);
    by_environment(&["start", "--title", "behind", "--db", "option.db"]);

    let here = place.ok(&["list"]);
    assert!(here.contains("here") && !here.contains("environment"), "{here}");
    let environment = by_environment(&["list"]);
    assert!(environment.contains("environment") && !environment.contains("before"), "{environment}");
    let option = by_environment(&["list", "--db", "option.db"]);
    assert!(option.contains("before") && option.contains("behind") && !option.contains("environment"), "{option}");
}

#[test]
fn only_what_begins_something_creates_it() {
    let place = Place::new();
    for arguments in NEED_A_DATABASE {
        let refused = place.refused(arguments);
        assert_eq!(refused, "taskstore: tasks.db does not exist; `taskstore start` or `run` creates it\n");
        assert_eq!(place.directory.path().read_dir().unwrap().count(), 0, "{arguments:?}");
    }
    for (name, arguments) in [
        ("start", &["start", "--title", "t"][..]),
        ("run", &["run", "-q", "--title", "t", "--", "true"]),
        ("add", &["configuration", "add", "c"]),
    ] {
        place.ok(&[&["--db", name], arguments].concat());
        assert!(place.path(name).is_file(), "{name}");
    }
}

#[test]
fn a_file_of_something_else_is_refused_and_left_as_it_is() {
    let place = Place::new();
    std::fs::write(place.path("tasks.db"), "a shopping list\n".repeat(99)).unwrap();
    for arguments in NEED_A_DATABASE.into_iter().chain([&["start", "--title", "t"][..]]) {
        let refused = place.refused(arguments);
        assert!(refused.ends_with("tasks.db is not a taskstore file\n"), "{refused}");
    }
    assert_eq!(std::fs::metadata(place.path("tasks.db")).unwrap().len(), 16 * 99);
    assert_eq!(place.directory.path().read_dir().unwrap().count(), 1);
}

#[test]
fn an_error_of_the_system_names_the_file() {
    let place = Place::new();
    let refused = place.refused(&["--db", "no/such/directory.db", "start", "--title", "t"]);
    assert!(refused.starts_with("taskstore: cannot use no/such/directory.db: "), "{refused}");
    assert!(refused.contains("No such file or directory"), "{refused}");
}
