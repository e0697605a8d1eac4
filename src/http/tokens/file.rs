//! The file of the tokens, as it is read.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::http::authenticator::{Rights, User};
use crate::limits::Limits;
use crate::{Error, Result};

/// Some ten thousand tokens.
pub(super) const FILE_BYTES_MAX: u64 = 1 << 20;

/// What the group and others may do with a file.
const MODE_OF_OTHERS: u32 = 0o077;

/// The clock of a file system has ticks: a file that changes twice within one looks the same after both. None is this long.
const SETTLED_AFTER_S: i64 = 2;

/// A token is 256 random bits, which nobody can guess however fast the hash is: a slow one, as passwords need, would only
/// make each request slow.
pub(super) type Hash = [u8; 32];

pub(super) fn hash(token: &[u8]) -> Hash {
    Sha256::digest(token).into()
}

/// What tells one state of the file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    /// The inode's own time, which nobody can set: it tells of a change of the mode too.
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().as_ref().map(Self::from)
    }

    /// Whether any further change will be seen in the stamp.
    pub(super) fn is_settled(&self, now: DateTime<Utc>) -> bool {
        now.timestamp().saturating_sub(self.changed.0) >= SETTLED_AFTER_S
    }
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// The tokens of a file.
pub(super) struct Tokens(Vec<(Hash, User)>);

impl Tokens {
    pub(super) fn read(path: &Path) -> Result<(Self, Stamp)> {
        let read = || {
            // A pipe would have us wait for whoever writes it.
            must_be_file(&fs::metadata(path)?)?;
            // Not through SQLite, since it is no file of a store.
            let mut file = fs::OpenOptions::new().read(true).open(path)?;
            let metadata = file.metadata()?;
            Ok((Self::parse(&contents(&mut file, &metadata)?)?, Stamp::from(&metadata)))
        };
        read().map_err(|source| Error::Io { action: "read the tokens", source: naming(path, source) })
    }

    /// Whose this token is.
    pub(super) fn user(&self, token: &[u8]) -> Option<&User> {
        let hash = hash(token);
        let mut found = None;
        // All of them, and each in constant time: how long it takes tells nothing of what is in the file.
        for (known, user) in &self.0 {
            if known.as_slice().ct_eq(&hash).into() {
                found = Some(user);
            }
        }
        found
    }

    /// Reads the text of a file, all of it or nothing. An error names the line, and repeats nothing of what is in it.
    pub(super) fn parse(text: &[u8]) -> io::Result<Self> {
        let mut tokens = Vec::new();
        let mut lines = HashMap::new();
        for (number, line) in (1_u32..).zip(text.split(|byte| *byte == b'\n')) {
            let refuse = |problem: String| invalid(format!("line {number}: {problem}"));
            let line = str::from_utf8(line).map_err(|_| refuse("it is not UTF-8".to_owned()))?.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (hash, user) = parse_line(line).map_err(refuse)?;
            if let Some(first) = lines.insert(hash, number) {
                return Err(refuse(format!("it has the same token as line {first}")));
            }
            tokens.push((hash, user));
        }
        Ok(Self(tokens))
    }
}

fn parse_line(line: &str) -> Result<(Hash, User), String> {
    let missing = || "it must be a hash, the rights and the user's name".to_owned();
    let (hash, rest) = line.split_once(char::is_whitespace).ok_or_else(missing)?;
    let (rights, name) = rest.trim_start().split_once(char::is_whitespace).ok_or_else(missing)?;
    let hash = from_hex(hash).ok_or("the hash must be 64 hexadecimal digits")?;
    let rights: Rights = rights.parse().map_err(|error: Error| error.to_string())?;
    let name = name.trim_start();
    check_name(name).map_err(|error| error.to_string())?;
    Ok((hash, User::new(name, rights)))
}

fn from_hex(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if text.len() != 2 * hash.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}

/// The name is the end of a line, and nobody sees a space there.
pub(super) fn check_name(name: &str) -> Result<()> {
    Limits::default().check_given_name("user", name)?;
    if name.chars().any(char::is_control) || name.trim() != name {
        let problem = "must have no control characters, and no white space at its ends";
        return Err(Error::Invalid { field: "user", problem });
    }
    Ok(())
}

/// What is in a file that only its owner can read and write.
pub(super) fn contents(file: &mut File, metadata: &Metadata) -> io::Result<Vec<u8>> {
    must_be_file(metadata)?;
    let mode = metadata.mode() & 0o7777;
    if mode & MODE_OF_OTHERS != 0 {
        let text = format!("others than its owner may use it (mode {mode:o}): give it mode 600, as `chmod 600` does");
        return Err(io::Error::new(ErrorKind::PermissionDenied, text));
    }
    let mut text = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text)?;
    must_be_short(&text)?;
    Ok(text)
}

pub(super) fn must_be_short(text: &[u8]) -> io::Result<()> {
    if u64::try_from(text.len()).is_ok_and(|bytes| bytes <= FILE_BYTES_MAX) {
        return Ok(());
    }
    Err(invalid(format!("it is longer than {FILE_BYTES_MAX} bytes")))
}

fn must_be_file(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() { Ok(()) } else { Err(invalid("it is not a file".to_owned())) }
}

fn invalid(problem: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, problem)
}

/// The error with the path of its file before it.
pub(super) fn naming(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
