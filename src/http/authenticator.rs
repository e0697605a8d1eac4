//! Who is calling, and what they may do.

use std::fmt;
use std::ops::BitOr;
use std::str::FromStr;

use axum::http::request::Parts;

use crate::Error;

/// Tells who sends a request.
///
/// A closure is one. It is called on the async runtime, so it must not block: what takes time (a session in a database) is
/// done by a middleware of the application before, which leaves its answer in the extensions of the request.
///
/// # Example
///
/// ```
/// use axum::http::request::Parts;
/// use taskstore::http::{Options, Rights, Unauthenticated, User};
///
/// #[derive(Clone)]
/// struct Session { user: String, is_operator: bool }
///
/// let options = Options::new(|request: &Parts| {
///     let session = request.extensions.get::<Session>().ok_or(Unauthenticated::NoCredentials)?;
///     let rights = if session.is_operator { Rights::ALL } else { Rights::VIEW };
///     Ok(User::new(&session.user, rights))
/// });
/// ```
pub trait Authenticator: Send + Sync + 'static {
    /// Who sends this request.
    ///
    /// # Errors
    ///
    /// [`Unauthenticated`] if that is nobody known. Somebody known who may do nothing is a user with [`Rights::NONE`].
    fn authenticate(&self, request: &Parts) -> Result<User, Unauthenticated>;
}

impl<F> Authenticator for F
where
    F: Fn(&Parts) -> Result<User, Unauthenticated> + Send + Sync + 'static,
{
    fn authenticate(&self, request: &Parts) -> Result<User, Unauthenticated> {
        self(request)
    }
}

/// Why a request is nobody's. The task API answers 401 to all of them; the system-task API has a text for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unauthenticated {
    /// There are no credentials.
    #[error("no credentials were provided")]
    NoCredentials,
    /// The token is unknown or has expired.
    #[error("the token is unknown or has expired")]
    InvalidToken,
    /// The credentials are of a kind that is not taken, such as a password.
    #[error("the credentials are of a kind that is not taken")]
    UnsupportedScheme,
}

/// Who sends a request. Also in the extensions of the answer, for the application's log, if the store was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// Who dismisses what this user dismisses: at most [`Limits::name_bytes_max`](crate::Limits::name_bytes_max).
    pub name: String,
    /// What the user may do.
    pub rights: Rights,
}

impl User {
    /// A user of this name, with these rights.
    #[must_use]
    pub fn new(name: impl Into<String>, rights: Rights) -> Self {
        Self { name: name.into(), rights }
    }
}

/// A set of rights. Sets are joined with `|`, and written as in `view,dismiss`.
///
/// # Example
///
/// ```
/// use taskstore::http::Rights;
///
/// let rights: Rights = "view,dismiss".parse()?;
/// assert_eq!(rights, Rights::VIEW | Rights::DISMISS);
/// assert!(rights.contains(Rights::VIEW) && !rights.contains(Rights::RUN));
/// # Ok::<(), taskstore::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rights(u8);

impl Rights {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// To see tasks and system tasks.
    pub const VIEW: Self = Self(1);
    /// To dismiss and restore tasks. It takes [`VIEW`](Self::VIEW) too, since the answer shows the task.
    pub const DISMISS: Self = Self(2);
    /// To run system tasks. It takes [`VIEW`](Self::VIEW) too.
    pub const RUN: Self = Self(4);
    /// All of them.
    pub const ALL: Self = Self(7);

    const NAMES: [(Self, &'static str); 3] = [(Self::VIEW, "view"), (Self::DISMISS, "dismiss"), (Self::RUN, "run")];

    /// Whether all of `others` are in the set.
    #[must_use]
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

impl BitOr for Rights {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Self::NAMES.iter().filter(|(right, _)| self.contains(*right)).map(|(_, name)| *name);
        f.pad(&names.collect::<Vec<_>>().join(","))
    }
}

impl FromStr for Rights {
    type Err = Error;

    /// Reads what `Display` writes, in any order.
    ///
    /// # Errors
    ///
    /// [`Invalid`](Error::Invalid) for any other text.
    fn from_str(text: &str) -> crate::Result<Self> {
        let right = |name: &str| Self::NAMES.iter().find(|(_, known)| *known == name).map(|(right, _)| *right);
        let names = text.split(',').filter(|_| !text.is_empty());
        let rights = names.map(right).try_fold(Self::NONE, |all, right| Some(all | right?));
        rights.ok_or(Error::Invalid {
            field: "rights",
            problem: "must be some of view, dismiss and run, with commas between",
        })
    }
}
