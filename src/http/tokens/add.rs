//! A new token, and its line in the file.

use std::fmt::Write as _;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use super::file::{self, Tokens};
use crate::http::authenticator::{Rights, User};
use crate::{Error, Result};

/// By which people, and programs that look for secrets in the wrong places, know a token.
const PREFIX: &str = "taskstore_";

/// What a new file begins with.
const HEADING: &str = "# Bearer tokens of taskstore, a line each: SHA-256 of the token, rights, user.\n\
                       # Delete a line, and its token is refused.\n";

pub(super) fn add(path: &Path, user: &User) -> Result<String> {
    file::check_name(&user.name)?;
    if user.rights == Rights::NONE {
        return Err(Error::Invalid { field: "rights", problem: "must not be empty" });
    }
    let failed = |source| Error::Io { action: "add a token", source: file::naming(path, source) };
    let token = format!("{PREFIX}{}", hex(&random::<32>().map_err(failed)?));
    let line = format!("{} {} {}\n", hex(&file::hash(token.as_bytes())), user.rights, user.name);
    append(path, &line).map_err(failed)?;
    Ok(token)
}

/// Has a file with one line more take the place of the old one, so that nobody ever sees a part of the line, nor a crash
/// leaves one.
fn append(path: &Path, line: &str) -> io::Result<()> {
    let mut old = locked(path)?;
    let metadata = old.metadata()?;
    let mut text = file::contents(&mut old, &metadata)?;
    // In a file with a bad line the new token would not be taken.
    Tokens::parse(&text)?;
    match text.last() {
        None => text.extend_from_slice(HEADING.as_bytes()),
        Some(b'\n') => {}
        Some(_) => text.push(b'\n'),
    }
    text.extend_from_slice(line.as_bytes());
    file::must_be_short(&text)?;
    replace(&path.canonicalize()?, &metadata, &text)
}

/// The file at this path, made if there is none, locked against everybody else who adds to it until it is closed.
fn locked(path: &Path) -> io::Result<File> {
    loop {
        let mut options = fs::OpenOptions::new();
        // Not through SQLite, since it is no file of a store.
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        file.lock()?;
        // Whoever had the lock before has put another file in the place of this one.
        let (locked, found) = (file.metadata()?, fs::metadata(path));
        match found {
            Ok(found) if (found.dev(), found.ino()) == (locked.dev(), locked.ino()) => return Ok(file),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
}

/// Puts a new file in the place of another, with its mode and owner: root adds a token for a server that is not root.
fn replace(path: &Path, old: &Metadata, text: &[u8]) -> io::Result<()> {
    let directory = path.parent().expect("the canonical path of a file has a directory");
    let new_path = directory.join(format!(".taskstore_tokens_{}", hex(&random::<8>()?)));
    let write = || {
        let mut new = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new_path)?;
        let metadata = new.metadata()?;
        if (metadata.uid(), metadata.gid()) != (old.uid(), old.gid()) {
            fchown(&new, Some(old.uid()), Some(old.gid()))?;
        }
        new.set_permissions(Permissions::from_mode(old.mode() & 0o7777))?;
        new.write_all(text)?;
        new.sync_all()?;
        fs::rename(&new_path, path)
    };
    write().inspect_err(|_| {
        // What is wrong already is told; a file that stays holds no token.
        let _ = fs::remove_file(&new_path);
    })?;
    fs::OpenOptions::new().read(true).open(directory)?.sync_all()
}

fn random<const BYTES: usize>() -> io::Result<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all that is written to it");
        text
    })
}
