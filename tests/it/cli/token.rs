//! `taskstore token`.

use std::ffi::OsStr;
use std::fs;
use std::process::Command;

use axum::http::Request;
use taskstore::http::{Authenticator, BearerTokens, Rights, User};

use super::{Place, Started};
use crate::support::files::{bytes, mode, set_mode};

const NEW: [&str; 7] = ["token", "new", "Ann Miller", "--rights", "view,dismiss", "--token-file", "tokens"];

fn text(place: &Place) -> String {
    String::from_utf8(bytes(&place.path("tokens")).unwrap()).unwrap()
}

/// Whom the file lets in by this token, if it can be read as it is.
fn user(place: &Place, token: &str) -> Option<User> {
    let request = Request::builder().header("authorization", format!("Bearer {token}")).body(()).unwrap();
    let tokens = BearerTokens::open(place.path("tokens")).unwrap();
    tokens.authenticate(&request.into_parts().0).ok()
}

#[test]
fn a_new_token_is_printed_alone_and_is_not_in_the_file() {
    let place = Place::new();
    let printed = place.ok(&NEW);
    let token = printed.strip_suffix('\n').unwrap();
    let digits = token.strip_prefix("taskstore_").unwrap();
    assert!(digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{printed:?}");
    assert!(!text(&place).contains(digits), "{}", text(&place));
    assert_eq!(user(&place, token), Some(User::new("Ann Miller", Rights::VIEW | Rights::DISMISS)));
    assert_ne!(place.ok(&NEW), printed);
    // Neither a database nor anything else.
    assert_eq!(place.directory.path().read_dir().unwrap().count(), 1);
}

#[test]
fn a_token_that_nobody_reads_is_not_made() {
    let place = Place::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = place.command(&NEW).stdout(writer).output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), vec![]));
    assert!(!place.path("tokens").exists());
}

#[test]
fn the_file_may_be_named_in_the_environment() {
    let place = Place::new();
    let mut command = place.command(&["token", "new", "-ann", "--rights", "run"]);
    command.env("TASKSTORE_TOKEN_FILE", "tokens");
    let ended = Started::new(command).end();
    assert_eq!((ended.code, ended.error.as_str()), (Some(0), ""));
    assert_eq!(user(&place, ended.text().trim_end()), Some(User::new("-ann", Rights::RUN)));
}

#[test]
fn the_file_is_its_owners_alone_whatever_the_umask() {
    let place = Place::new();
    for umask in ["000", "022", "077"] {
        let program = place.command(&NEW);
        let mut command = Command::new("sh");
        let script = format!("umask {umask} && >control_{umask} && exec \"$@\"");
        command.args([OsStr::new("-c"), script.as_ref(), OsStr::new("sh"), program.get_program()]);
        command.args(program.get_args()).current_dir(place.directory.path());
        let ended = Started::new(command).end();
        assert_eq!((ended.code, ended.error.as_str()), (Some(0), ""));
        assert_eq!(mode(&place.path("tokens")), 0o600, "{umask}");
        fs::remove_file(place.path("tokens")).unwrap();
    }
    assert_eq!(mode(&place.path("control_000")), 0o666);
}

#[test]
fn processes_that_add_at_once_lose_no_token_and_show_whole_files_only() {
    let place = Place::new();
    let first = place.ok(&NEW);
    let added = std::thread::scope(|scope| {
        let adders = [1, 2].map(|_| scope.spawn(|| (0..20).map(|_| place.ok(&NEW)).collect::<Vec<_>>()));
        while !adders.iter().all(|adder| adder.is_finished()) {
            assert!(user(&place, first.trim_end()).is_some());
        }
        adders.map(|adder| adder.join().unwrap()).concat()
    });
    assert_eq!((added.len(), text(&place).lines().filter(|line| !line.starts_with('#')).count()), (40, 41));
    for token in &added {
        assert!(user(&place, token.trim_end()).is_some(), "{token}");
    }
    assert_eq!(place.directory.path().read_dir().unwrap().count(), 1);
}

#[test]
fn what_cannot_be_added_is_told_in_one_line_and_changes_nothing() {
    let place = Place::new();
    assert_eq!(
        place.refused(&["token", "new", "", "--rights", "view", "--token-file", "t"]),
        "taskstore: user must not be empty\n"
    );
    let long = "x".repeat(257);
    let refused = place.refused(&["token", "new", &long, "--rights", "view", "--token-file", "t"]);
    assert_eq!(refused, "taskstore: user is 257 bytes long; the limit is 256\n");
    assert_eq!(place.directory.path().read_dir().unwrap().count(), 0);

    place.ok(&NEW);
    let before = text(&place);
    set_mode(&place.path("tokens"), 0o644);
    let told = "others than its owner may use it (mode 644): give it mode 600, as `chmod 600` does";
    assert_eq!(place.refused(&NEW), format!("taskstore: could not add a token: tokens: {told}\n"));
    assert_eq!((mode(&place.path("tokens")), text(&place)), (0o644, before.clone()));
    set_mode(&place.path("tokens"), 0o600);

    fs::write(place.path("tokens"), format!("{before}taskstore_secret\n")).unwrap();
    let told = "line 4: it must be a hash, the rights and the user's name";
    assert_eq!(place.refused(&NEW), format!("taskstore: could not add a token: tokens: {told}\n"));
    let refused = place.refused(&[&NEW[..6], &["missing/tokens"]].concat());
    assert!(refused.starts_with("taskstore: could not add a token: missing/tokens: No such file"), "{refused}");
}

#[test]
fn what_is_typed_wrongly_makes_no_token() {
    let place = Place::new();
    let wrong: [&[&str]; 7] = [
        &["token"],
        &["token", "new"],
        &NEW[..3],
        &NEW[..5],
        &["token", "new", "ann", "--token-file", "tokens"],
        &["token", "new", "ann", "--rights", "", "--token-file", "tokens"],
        &["token", "new", "ann", "--rights", "view,fly", "--token-file", "tokens"],
    ];
    for arguments in wrong {
        let ended = place.call(arguments);
        assert_eq!((ended.code, ended.text().as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.error.contains("Usage: ") || ended.error.contains("--help"), "{}", ended.error);
    }
    assert_eq!(place.directory.path().read_dir().unwrap().count(), 0);
}
