//! The file: what may be in it, who may read it, and when a change of it holds.

use std::error::Error as _;
use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::time::SystemTime;

use taskstore::Error;
use taskstore::http::{BearerTokens, Rights, User};

use super::{Guarded, SECOND_NS, read, write};
use crate::support::Nanoseconds as _;
use crate::support::files::{mode, set_mode};

fn ann() -> User {
    User::new("ann", Rights::VIEW)
}

/// A line for the token that is called so.
fn line(token: &str, rest: &str) -> String {
    let hashes = [
        ("one", "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"),
        ("two", "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3"),
    ];
    let (_, hash) = hashes.into_iter().find(|(name, _)| *name == token).unwrap();
    format!("{hash} {rest}\n")
}

/// What an error of a file says: its kind, and the text behind the path.
fn refused<T>(path: &Path, answer: Result<T, Error>) -> (ErrorKind, String) {
    let error = answer.map(drop).unwrap_err();
    let text = error.source().unwrap().to_string();
    let Error::Io { source, .. } = error else { panic!("{error:?}") };
    (source.kind(), text.strip_prefix(&format!("{}: ", path.display())).unwrap().to_owned())
}

#[test]
fn a_line_is_a_sha_256_with_rights_and_a_name_however_it_is_spaced() {
    let text = format!(
        "\n  # the laptop\r\n\t{}\r\n \n{}",
        line("one", " \tview   ann"),
        line("two", "view x").to_uppercase()
    );
    let guarded = Guarded::with(&text.replace("VIEW", "view"));
    assert!(guarded.knows("one") && guarded.knows("two") && !guarded.knows("three"));
}

#[test]
fn a_file_without_tokens_lets_nobody_in() {
    for text in ["", "\n", "# nobody"] {
        assert!(!Guarded::with(text).knows("one"));
    }
}

#[test]
fn a_bad_line_is_named_and_not_repeated() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    let missing = "it must be a hash, the rights and the user's name";
    let rights = "rights must be some of view, dismiss and run, with commas between";
    let name = "user must have no control characters, and no white space at its ends";
    let hash = "the hash must be 64 hexadecimal digits";
    for (bad, problem) in [
        ("secret", missing),
        ("secret view", missing),
        ("secret view ann", hash),
        (&line("two", "view ann")[1..], hash),
        (&format!("0{}", line("two", "view ann")), hash),
        (&line("two", "view ann").replace('3', "g"), hash),
        (&line("two", "view"), missing),
        (&line("two", "ann view"), rights),
        (&line("two", "view, dismiss ann"), rights),
        (&line("two", "View ann"), rights),
        (&line("two", "view a\tn"), name),
        (&line("two", "view a\u{1b}n"), name),
        (&line("two", &format!("view {}", "x".repeat(257))), "user is 257 bytes long; the limit is 256"),
        (&line("one", "view ann"), "it has the same token as line 2"),
    ] {
        write(&path, &format!("# secret\n{}{bad}", line("one", "view ann")));
        let text = format!("line 3: {problem}");
        assert_eq!(refused(&path, BearerTokens::open(&path)), (ErrorKind::InvalidData, text.clone()), "{bad}");
        let before = read(&path);
        assert_eq!(refused(&path, BearerTokens::add(&path, &ann())), (ErrorKind::InvalidData, text), "{bad}");
        assert_eq!(read(&path), before);
    }
    fs::write(&path, b"# \xff\n").unwrap();
    assert_eq!(refused(&path, BearerTokens::open(&path)).1, "line 1: it is not UTF-8");
}

#[test]
fn a_file_that_others_may_use_is_refused_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    BearerTokens::add(&path, &ann()).unwrap();
    let before = read(&path);
    for others in [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o666] {
        set_mode(&path, others);
        for answer in [BearerTokens::open(&path).map(drop), BearerTokens::add(&path, &ann()).map(drop)] {
            let text =
                format!("others than its owner may use it (mode {others:o}): give it mode 600, as `chmod 600` does");
            assert_eq!(refused(&path, answer), (ErrorKind::PermissionDenied, text));
        }
        assert_eq!((mode(&path), read(&path)), (others, before.clone()));
    }
    for alone in [0o600, 0o700] {
        set_mode(&path, alone);
        BearerTokens::open(&path).unwrap();
        BearerTokens::add(&path, &ann()).unwrap();
        assert_eq!(mode(&path), alone);
    }
}

#[test]
fn what_is_no_file_and_what_is_not_there_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    assert_eq!(refused(&missing, BearerTokens::open(&missing)).0, ErrorKind::NotFound);
    assert!(!missing.exists());

    let itself = directory.path();
    assert_eq!(refused(itself, BearerTokens::open(itself)), (ErrorKind::InvalidData, "it is not a file".to_owned()));
    refused(itself, BearerTokens::add(itself, &ann()));
}

#[test]
fn a_file_has_a_limit() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    let tail = line("one", "view ann");
    write(&path, &format!("#{}\n{tail}", "x".repeat((1 << 20) - tail.len() - 2)));
    BearerTokens::open(&path).unwrap();
    let too_long = (ErrorKind::InvalidData, "it is longer than 1048576 bytes".to_owned());
    assert_eq!(refused(&path, BearerTokens::add(&path, &ann())), too_long);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    write(&path, &format!("#{}\n{tail}", "x".repeat((1 << 20) - tail.len() - 1)));
    assert_eq!(refused(&path, BearerTokens::open(&path)), too_long);
}

#[test]
fn a_user_must_fit_a_line_and_have_a_right() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    let refused = |user: User| BearerTokens::add(&path, &user).unwrap_err().to_string();
    assert_eq!(refused(User::new("", Rights::VIEW)), "user must not be empty");
    assert_eq!(refused(User::new("ä".repeat(129), Rights::VIEW)), "user is 258 bytes long; the limit is 256");
    for name in ["a\nb", "a\0", "\u{85}a", "\u{1b}[2J", " ann", "ann ", "ann\u{a0}", " "] {
        assert!(refused(User::new(name, Rights::VIEW)).starts_with("user must "), "{name:?}");
    }
    assert_eq!(refused(User::new("ann", Rights::NONE)), "rights must not be empty");
    assert!(!path.exists());
    BearerTokens::add(&path, &User::new("ä".repeat(128), Rights::VIEW)).unwrap();
    BearerTokens::open(&path).unwrap();
}

#[test]
fn a_new_file_holds_hashes_and_no_tokens() {
    let guarded = Guarded::new();
    fs::remove_file(guarded.path()).unwrap();
    let tokens = [0, 1, 2].map(|_| guarded.add("Ann Miller", Rights::VIEW | Rights::RUN));
    let text = read(&guarded.path());
    for token in &tokens {
        assert!(!text.contains(&token["taskstore_".len()..][..16]), "{text}");
        assert!(guarded.knows(token));
    }
    assert_eq!(text.matches(" view,run Ann Miller\n").count(), 3, "{text}");
    assert!(tokens[0] != tokens[1] && tokens[1] != tokens[2]);
    assert_eq!(fs::read_dir(guarded.directory.path()).unwrap().count(), 1);
}

#[test]
fn a_line_is_added_by_putting_a_whole_file_in_the_place_of_the_old_one() {
    let guarded = Guarded::with(line("one", "view ann").trim_end());
    let before = read(&guarded.path());
    let mut old = fs::OpenOptions::new().read(true).open(guarded.path()).unwrap();
    let token = guarded.add("bob", Rights::VIEW);
    assert!(guarded.knows("one") && guarded.knows(&token));
    assert!(read(&guarded.path()).starts_with(&(before.clone() + "\n")));
    // Whoever had opened the old one sees no part of the change.
    let mut seen = String::new();
    old.read_to_string(&mut seen).unwrap();
    assert_eq!(seen, before);
}

#[test]
fn a_symbolic_link_to_the_file_stays_one() {
    let guarded = Guarded::new();
    let link = guarded.directory.path().join("link");
    symlink("tokens", &link).unwrap();
    let token = BearerTokens::add(&link, &ann()).unwrap();
    assert!(link.is_symlink());
    guarded.look();
    assert!(guarded.knows(&token));
    BearerTokens::open(&link).unwrap();
}

#[test]
fn a_file_of_another_user_stays_theirs() {
    let guarded = Guarded::new();
    if fs::metadata(guarded.path()).unwrap().uid() != 0 {
        eprintln!("not tested: only root can have a file of another user");
        return;
    }
    std::os::unix::fs::chown(guarded.path(), Some(65_534), Some(65_533)).unwrap();
    guarded.add("ann", Rights::VIEW);
    let metadata = fs::metadata(guarded.path()).unwrap();
    assert_eq!((metadata.uid(), metadata.gid(), mode(&guarded.path())), (65_534, 65_533, 0o600));
}

#[test]
fn a_change_holds_after_a_second_without_a_new_router() {
    let guarded = Guarded::with(&(line("one", "view ann") + &line("two", "view bob")));
    assert!(guarded.knows("one") && guarded.knows("two"));
    write(&guarded.path(), &line("two", "view bob"));
    guarded.clock.advance_ns(SECOND_NS - 1);
    assert!(guarded.knows("one"), "looked at too often");
    guarded.clock.advance_ns(1);
    assert!(!guarded.knows("one") && guarded.knows("two"));

    let new = guarded.add("ann", Rights::VIEW);
    assert!(guarded.knows(&new) && guarded.knows("two"));
}

#[test]
fn a_change_is_seen_by_the_time_of_the_inode_alone() {
    let guarded = Guarded::with(&line("one", "view ann"));
    let before = fs::metadata(guarded.path()).unwrap();
    // As long as before, in the same inode, and with its own time set back. That of the inode has ticks.
    loop {
        write(&guarded.path(), &line("two", "view ann"));
        let file = fs::OpenOptions::new().write(true).open(guarded.path()).unwrap();
        file.set_modified(before.modified().unwrap()).unwrap();
        let after = fs::metadata(guarded.path()).unwrap();
        assert_eq!(without_inode_time(&after), without_inode_time(&before));
        if inode_time(&after) != inode_time(&before) {
            break;
        }
    }
    guarded.look();
    assert!(guarded.knows("two") && !guarded.knows("one"));
}

fn inode_time(metadata: &fs::Metadata) -> (i64, i64) {
    (metadata.ctime(), metadata.ctime_nsec())
}

fn without_inode_time(metadata: &fs::Metadata) -> (u64, u64, SystemTime) {
    (metadata.ino(), metadata.len(), metadata.modified().unwrap())
}

/// A router that lets ann in lets nobody in once the file is spoilt, and ann again once it is mended.
fn must_be_shut_meanwhile(
    guarded: &Guarded,
    kind: ErrorKind,
    spoil: impl Fn(&Path, &Path),
    mend: impl Fn(&Path, &Path),
) {
    let (path, aside) = (guarded.path(), guarded.directory.path().join("aside"));
    assert!(guarded.knows("one") && guarded.tokens.problem().is_none(), "{kind}");
    spoil(&path, &aside);
    guarded.look();
    assert!(!guarded.knows("one"), "{kind}");
    let problem = guarded.tokens.problem().unwrap();
    assert!(matches!(&*problem, Error::Io { source, .. } if source.kind() == kind), "{problem:?}");
    mend(&path, &aside);
    guarded.look();
    assert!(guarded.knows("one") && guarded.tokens.problem().is_none(), "{kind}");
}

#[test]
fn a_file_that_cannot_be_used_any_more_lets_nobody_in_until_it_can() {
    let text = line("one", "view ann");
    let guarded = Guarded::with(&text);
    let back = |path: &Path, aside: &Path| fs::rename(aside, path).unwrap();
    must_be_shut_meanwhile(&guarded, ErrorKind::NotFound, |path, aside| fs::rename(path, aside).unwrap(), back);
    let (widen, narrow) =
        (|path: &Path, _: &Path| set_mode(path, 0o640), |path: &Path, _: &Path| set_mode(path, 0o600));
    must_be_shut_meanwhile(&guarded, ErrorKind::PermissionDenied, widen, narrow);
    let write_bad = |path: &Path, _: &Path| write(path, &(text.clone() + "nonsense"));
    must_be_shut_meanwhile(&guarded, ErrorKind::InvalidData, write_bad, |path, _| write(path, &text));
    let put_directory = |path: &Path, aside: &Path| {
        fs::rename(path, aside).unwrap();
        fs::create_dir(path).unwrap();
    };
    must_be_shut_meanwhile(&guarded, ErrorKind::InvalidData, put_directory, |path, aside| {
        fs::remove_dir(path).unwrap();
        back(path, aside);
    });
}
