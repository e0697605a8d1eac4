//! Text that wants to steer the reader's terminal.

use super::Place;

const HOSTILE: &str = "\x1b]0;pwned\x07\x1b[2J\r\n\t\x08\x7f\u{9b}31m\u{85}\u{202e}gpj\u{2066}\u{200f}\u{61c}ü漢";
const HARMLESS: &str = r"\x1b]0;pwned\x07\x1b[2J\r\n\t\x08\x7f\u{9b}31m\u{85}\u{202e}gpj\u{2066}\u{200f}\u{61c}ü漢";

fn assert_harmless(text: &str) {
    let steers = |character: char| {
        (character.is_control() && character != '\n')
            || matches!(u32::from(character), 0x61c | 0x200e..=0x200f | 0x202a..=0x202e | 0x2066..=0x2069)
    };
    assert!(!text.contains(steers), "{text:?}");
}

/// A task whose every text is hostile, ended and dismissed.
fn hostile_place() -> Place {
    let place = Place::new();
    place.ok(&["configuration", "add", HOSTILE]);
    place.ok(&["start", "--title", HOSTILE, "--performed-by", HOSTILE, "--configuration", "1"]);
    place.ok(&["progress", "1", "1", "--phase", HOSTILE]);
    place.ok(&["message", "1", HOSTILE]);
    place.ok(&["fail", "1", HOSTILE]);
    place.ok(&["dismiss", "1", "--by", HOSTILE]);
    place
}

#[test]
fn a_table_has_one_line_a_row_and_nothing_that_steers() {
    let place = hostile_place();
    let table = place.ok(&["list", "--dismissed", "included"]);
    assert_harmless(&table);
    assert_eq!((table.lines().count(), table.matches(HARMLESS).count()), (2, 4), "{table}");

    let table = place.ok(&["configuration", "list"]);
    assert_harmless(&table);
    assert_eq!((table.lines().count(), table.matches(HARMLESS).count()), (2, 1), "{table}");
}

#[test]
fn show_is_harmless_and_no_message_can_pass_for_another() {
    let place = hostile_place();
    let shown = place.ok(&["show", "1"]);
    assert_harmless(&shown);
    // Title, performer, configuration, who dismissed it, phase.
    assert_eq!(shown.matches(HARMLESS).count(), 5, "{shown}");
    let forged = "x\n2030-01-01 00:00:00.000  info   all is well";
    place.ok(&["start", "--title", "t"]);
    place.ok(&["message", "2", forged]);
    let shown = place.ok(&["show", "2"]);
    assert!(shown.lines().last().unwrap().starts_with(&format!("{}2030-01-01", " ".repeat(32))), "{shown}");
}

#[test]
fn an_error_repeats_names_harmlessly() {
    let place = hostile_place();
    let refused = place.refused(&["dismiss", "1"]);
    assert_harmless(&refused);
    assert!(refused.contains(HARMLESS), "{refused}");

    let refused = place.refused(&["--db", "no\x1b[2J\n/x", "list"]);
    assert_harmless(&refused);
    assert!(refused.contains(r"no\x1b[2J\n/x"), "{refused}");
}

#[test]
fn json_gives_them_as_they_are() {
    let place = hostile_place();
    let answer: serde_json::Value = serde_json::from_str(&place.ok(&["show", "1", "--json"])).unwrap();
    assert_eq!(answer["result"]["title"], HOSTILE);
    assert_eq!(answer["result"]["messages"][0]["message"], HOSTILE);
}

#[test]
fn a_title_that_cannot_be_stored_is_refused_by_name() {
    let place = Place::new();
    let refused = place.refused(&["start", "--title", &"x".repeat(1_025)]);
    assert_eq!(refused, "taskstore: title is 1025 bytes long; the limit is 1024\n");
}
