//! Every refusal of the API: a status, and the envelope with a message.

use std::borrow::Cow;

use serde_json::json;

use crate::Error;

/// A request that is refused: the HTTP status, and why in general words: never SQL, never the path of the file.
///
/// # Example
///
/// ```
/// use taskstore::Error;
/// use taskstore::wire::task_api::Refusal;
///
/// let refusal = Refusal::of(&Error::NotFound { what: "task", id: 7 });
/// assert_eq!((refusal.status(), refusal.message()), (400, "task 7 does not exist"));
/// assert_eq!(refusal.body(), r#"{"error":{"message":"task 7 does not exist"},"successful":false}"#);
/// assert_eq!(Refusal::of(&Error::Closed).message(), "internal error");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("refused with status {status}: {message}")]
pub struct Refusal {
    status: u16,
    message: Cow<'static, str>,
}

impl Refusal {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Why, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The body: the envelope with the message.
    #[must_use]
    pub fn body(&self) -> String {
        json!({ "error": { "message": self.message }, "successful": false }).to_string()
    }

    /// 400 for a request that is not of the form it must have.
    pub(super) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, message)
    }

    /// 400 for a body that is not declared to be `application/json`.
    #[must_use]
    pub fn not_json() -> Self {
        Self::bad_request("the body must be application/json")
    }

    /// 400 for a body of more bytes than are taken.
    #[must_use]
    pub fn body_too_long(bytes_max: usize) -> Self {
        Self::bad_request(format!("the body is too long; the limit is {bytes_max} bytes"))
    }

    /// 400 for a body that did not arrive whole, or in time.
    #[must_use]
    pub fn body_incomplete() -> Self {
        Self::bad_request("the body did not arrive whole and in time")
    }

    /// 401 without credentials, or for ones that are not valid.
    #[must_use]
    pub fn not_authenticated() -> Self {
        Self::new(401, "valid credentials are needed")
    }

    /// 403 for a user without the right.
    #[must_use]
    pub fn permission_denied() -> Self {
        Self::new(403, "the user has no right to do this")
    }

    /// 403 for a page of another site that asks through its reader's browser.
    #[must_use]
    pub fn foreign_origin() -> Self {
        Self::new(403, "requests of this origin are not answered")
    }

    /// 404 for an unknown path. An unknown task is 400: the published API knows no 404.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(404, "there is nothing at this path")
    }

    /// 405.
    #[must_use]
    pub fn method_not_allowed(method: &str) -> Self {
        Self::new(405, format!("method {method} is not allowed"))
    }

    /// 421 for a `Host` that is not one of the server's names.
    #[must_use]
    pub fn foreign_host() -> Self {
        Self::new(421, "requests to this host are not answered")
    }

    /// 500, in general words.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(500, "internal error")
    }

    /// 503 while the store or the server is busy; try again.
    #[must_use]
    pub fn busy() -> Self {
        Self::new(503, "the store is busy; try again")
    }

    /// What is answered to an error of the store: what concerns the request word for word, of anything else only that it
    /// failed.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        match error {
            Error::NotFound { .. }
            | Error::NoSuchSystemTask { .. }
            | Error::RunEnded { .. }
            | Error::WrongState { .. }
            | Error::TooLong { .. }
            | Error::OutOfRange { .. }
            | Error::Invalid { .. }
            | Error::InvalidCursor { .. } => Self::bad_request(error.to_string()),
            Error::Busy { .. } => Self::busy(),
            Error::ReadOnly => Self::new(500, "the store is read-only"),
            Error::DiskFull { .. } => Self::new(500, "the disk is full"),
            Error::TimeOutOfRange { .. }
            | Error::Closed
            | Error::InsideBatch
            | Error::Forked { .. }
            | Error::SymbolicLink { .. }
            | Error::FileMoved { .. }
            | Error::NetworkFileSystem { .. }
            | Error::AlreadyExists { .. }
            | Error::Stopped { .. }
            | Error::CannotOpen { .. }
            | Error::NotATaskStore { .. }
            | Error::SchemaTooNew { .. }
            | Error::Damaged { .. }
            | Error::OutOfMemory { .. }
            | Error::SettingRefused { .. }
            | Error::ImportRefused { .. }
            | Error::OutcomeUnknown { .. }
            | Error::NoRuntime
            | Error::Io { .. }
            | Error::Engine { .. } => Self::internal(),
        }
    }

    fn new(status: u16, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into() }
    }
}
