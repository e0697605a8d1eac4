//! Access with bearer tokens, which are kept as hashes in a file.

mod add;
mod file;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use self::file::{Stamp, Tokens};
use super::authenticator::{Authenticator, Unauthenticated, User};
use crate::clock::{Clock, SystemClock};
use crate::{Error, Result};

/// How often the file is looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Lets in who has a token of a file: `Authorization: Bearer taskstore_…`.
///
/// The file is text. A line is the SHA-256 of a token, the rights and the user's name, with spaces between; empty lines and
/// those that begin with `#` say nothing:
///
/// ```text
/// # the laptop
/// 0f8c…64 hexadecimal digits…d1 view,dismiss Ann Miller
/// ```
///
/// [`add`](Self::add) makes a token and its line, and so does `taskstore token new`. The file does not hold the token, which
/// is nowhere but with the user. A token is taken back by deleting its line.
///
/// # The file
///
/// It is of at most 1 MiB, and nobody but its owner may read or write it. The path may be a symbolic link. A change holds
/// within about a second: the file is looked at once a second at most, when somebody asks, and read again if it is another
/// one. If it cannot be read then, or has a bad line, nobody is let in until it is mended; [`problem`](Self::problem) tells.
/// This is done on the async runtime, since it is short: the file must be on a disk of this machine.
///
/// It must not be the file of a store.
///
/// # Example
///
/// ```
/// use taskstore::http::{BearerTokens, Options, Rights, User};
///
/// # let directory = tempfile::tempdir()?;
/// let path = directory.path().join("tokens");
/// let token = BearerTokens::add(&path, &User::new("Ann Miller", Rights::VIEW | Rights::DISMISS))?;
/// println!("{token}"); // for Ann, and for nobody else
///
/// let options = Options::new(BearerTokens::open(&path)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct BearerTokens {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    last: Arc<Mutex<Look>>,
}

/// The last look at the file.
struct Look {
    /// When that was, by the monotonic clock.
    at: Duration,
    found: Result<Known, Arc<Error>>,
}

struct Known {
    tokens: Arc<Tokens>,
    /// By what a look knows that the file is still the same. `None` if it is to be read again in any case.
    stamp: Option<Stamp>,
}

impl BearerTokens {
    /// Reads the tokens of a file.
    ///
    /// # Errors
    ///
    /// [`Io`](Error::Io), whose source names the file. Its kind is `NotFound` without a file; `PermissionDenied` if this user
    /// may not read it, or anybody but its owner may read or write it; `InvalidData` if it is too large or a line, which is
    /// named, is not as it must be.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let (path, clock) = (path.into(), SystemClock);
        let at = clock.monotonic();
        let found = Ok(Known::read(&path, &clock)?);
        Ok(Self { path, clock: Arc::new(clock), last: Arc::new(Mutex::new(Look { at, found })) })
    }

    /// By which clock a second has passed since the last look; the machine's by default.
    #[must_use]
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        let at = clock.monotonic();
        let found = Known::read(&self.path, &clock).map_err(Arc::new);
        Self { clock: Arc::new(clock), last: Arc::new(Mutex::new(Look { at, found })), ..self }
    }

    /// Makes a token of 256 random bits for a user, adds its line to the file and gives the token: the only copy there is.
    ///
    /// A file that does not exist is made, for its owner alone. Another takes the place of the old one as a whole, with the
    /// same mode and owner, and it is on disk when the call returns. The call waits while another process adds a token.
    ///
    /// # Errors
    ///
    /// [`Invalid`](Error::Invalid) and [`TooLong`](Error::TooLong) for a user without rights, or whose name is empty, longer
    /// than 256 bytes, has control characters or white space at an end; and those of [`open`](Self::open).
    pub fn add(path: impl AsRef<Path>, user: &User) -> Result<String> {
        add::add(path.as_ref(), user)
    }

    /// Why nobody is let in, if the file could not be used when somebody last asked.
    #[must_use]
    pub fn problem(&self) -> Option<Arc<Error>> {
        self.last().found.as_ref().err().cloned()
    }

    fn tokens(&self) -> Result<Arc<Tokens>, Arc<Error>> {
        let mut last = self.last();
        let now = self.clock.monotonic();
        if now.saturating_sub(last.at) >= LOOK_EVERY {
            last.at = now;
            if !last.found.as_ref().is_ok_and(|known| known.is_current(&self.path)) {
                last.found = Known::read(&self.path, &*self.clock).map_err(Arc::new);
            }
        }
        last.found.as_ref().map(|known| Arc::clone(&known.tokens)).map_err(Arc::clone)
    }

    fn last(&self) -> MutexGuard<'_, Look> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn read(path: &Path, clock: &dyn Clock) -> Result<Self> {
        // Before the file is read, so that no later change is taken for seen.
        let now = clock.now();
        let (tokens, stamp) = Tokens::read(path)?;
        Ok(Self { tokens: Arc::new(tokens), stamp: Some(stamp).filter(|stamp| stamp.is_settled(now)) })
    }

    fn is_current(&self, path: &Path) -> bool {
        self.stamp.is_some() && self.stamp == Stamp::of(path)
    }
}

impl Authenticator for BearerTokens {
    fn authenticate(&self, request: &Parts) -> Result<User, Unauthenticated> {
        let token = presented(request)?;
        let tokens = self.tokens().map_err(|_| Unauthenticated::InvalidToken)?;
        tokens.user(token).cloned().ok_or(Unauthenticated::InvalidToken)
    }
}

/// The token of a request, in whatever form: it is only hashed, and the server limits the size of headers.
fn presented(request: &Parts) -> Result<&[u8], Unauthenticated> {
    let mut headers = request.headers.get_all(AUTHORIZATION).iter();
    let header = headers.next().ok_or(Unauthenticated::NoCredentials)?.as_bytes().trim_ascii();
    if headers.next().is_some() {
        // Which one counts would be a guess, and a proxy may guess otherwise.
        return Err(Unauthenticated::UnsupportedScheme);
    }
    // As published, a header of one word counts as none.
    let end = header.iter().position(|byte| *byte == b' ').ok_or(Unauthenticated::NoCredentials)?;
    let (scheme, token) = header.split_at(end);
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Err(Unauthenticated::UnsupportedScheme);
    }
    Ok(token.trim_ascii())
}

impl fmt::Debug for BearerTokens {
    /// Without the hashes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerTokens").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use chrono::{DateTime, TimeDelta, Utc};

    use super::*;
    use crate::http::Rights;

    #[derive(Debug)]
    struct Stopped(DateTime<Utc>);

    impl Clock for Stopped {
        fn now(&self) -> DateTime<Utc> {
            self.0
        }
    }

    #[test]
    fn a_file_that_has_just_changed_may_change_again_unseen_so_it_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tokens");
        BearerTokens::add(&path, &User::new("ann", Rights::VIEW)).unwrap();
        let changed = DateTime::from_timestamp(fs::metadata(&path).unwrap().ctime(), 0).unwrap();
        for (later_s, is_current) in [(-1, false), (0, false), (1, false), (2, true)] {
            let known = Known::read(&path, &Stopped(changed + TimeDelta::seconds(later_s))).unwrap();
            assert_eq!(known.is_current(&path), is_current, "{later_s} s");
        }
    }
}
