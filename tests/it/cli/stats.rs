//! `taskstore stats`.

use taskstore::Stats;

use super::Place;

#[test]
fn how_large_it_is_and_what_is_in_it_is_told_to_people_and_programs() {
    let place = Place::new();
    assert!(place.refused(&["stats"]).contains("tasks.db does not exist"));
    place.ok(&["start", "--title", "one"]);
    place.ok(&["start", "--title", "two"]);
    place.ok(&["fail", "2", "because"]);
    place.ok(&["dismiss", "2", "--by", "ann"]);
    place.ok(&["configuration", "add", "prod"]);

    let told = place.ok(&["stats"]);
    let line = |name: &str| told.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap().to_owned();
    assert_eq!(line("tasks:"), "1 in progress, 0 finished, 0 failed, 0 interrupted");
    assert_eq!(line("dismissed:"), "0 finished, 1 failed, 0 interrupted");
    assert!(line("longest running:").starts_with("task 1, started "), "{told}");
    assert_eq!((line("configurations:"), line("system tasks:")), ("1".to_owned(), "0, with 0 runs".to_owned()));
    assert!(line("versions:").starts_with("schema 1, SQLite 3."), "{told}");

    let json: Stats = serde_json::from_str(&place.ok(&["stats", "--json"])).unwrap();
    assert_eq!((json.tasks.in_progress, json.tasks.dismissed_failed, json.configurations), (1, 1, 1));
    assert_eq!(json.file_bytes, Some(place.path("tasks.db").metadata().unwrap().len()));
}
