//! `taskstore configuration`.

use super::Place;

#[test]
fn add_prints_the_id_alone_and_list_shows_what_is_there() {
    let place = Place::new();
    assert_eq!(place.ok(&["configuration", "add", "prod"]), "1\n");
    assert_eq!(place.ok(&["configuration", "add", "-test-"]), "2\n");
    assert_eq!(place.ok(&["configuration", "list"]), "ID  NAME\n1   prod\n2   -test-\n");
}

#[test]
fn a_list_of_nothing_says_so() {
    let place = Place::new();
    place.store();
    assert_eq!(place.ok(&["configuration", "list"]), "No configurations.\n");
}

#[test]
fn rename_and_delete_are_quiet_and_done() {
    let place = Place::new();
    place.ok(&["configuration", "add", "prod"]);
    place.ok(&["configuration", "add", "test"]);
    assert_eq!(place.ok(&["configuration", "rename", "1", "production"]), "");
    assert_eq!(place.ok(&["configuration", "delete", "2"]), "");
    assert_eq!(place.ok(&["configuration", "list"]), "ID  NAME\n1   production\n");
}

#[test]
fn what_does_not_exist_is_refused_by_name() {
    let place = Place::new();
    place.ok(&["configuration", "add", "prod"]);
    for arguments in [&["configuration", "rename", "7", "x"][..], &["configuration", "delete", "7"]] {
        assert_eq!(place.refused(arguments), "taskstore: configuration 7 does not exist\n");
    }
    let refused = place.refused(&["configuration", "add", ""]);
    assert_eq!(refused, "taskstore: configuration_name must not be empty\n");
}
