//! Every refusal of the API: a status and an exact body.

use std::fmt;

use serde_json::json;

use crate::Error;

/// A request that is refused: the HTTP status, and the body to the byte.
///
/// # Example
///
/// ```
/// use taskstore::wire::system_task_api::Refusal;
///
/// let refusal = Refusal::method_not_allowed("POST");
/// assert_eq!((refusal.status(), refusal.body()), (405, r#"{"detail":"Method \"POST\" not allowed."}"#));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: u16,
    body: String,
}

impl Refusal {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body: JSON, or empty.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// 404 for a uuid that no listed row has.
    #[must_use]
    pub fn no_such_row() -> Self {
        Self::detail(404, "No SystemTask matches the given query.")
    }

    /// 404 for what is no uuid, for an unknown path and for a missing trailing slash.
    #[must_use]
    pub fn not_found() -> Self {
        Self::detail(404, "Not found.")
    }

    /// 404 for a page that there is not, whatever was wrong with its number.
    #[must_use]
    pub fn invalid_page() -> Self {
        Self::detail(404, "Invalid page.")
    }

    /// 403 without credentials.
    #[must_use]
    pub fn not_authenticated() -> Self {
        Self::detail(403, "Authentication credentials were not provided.")
    }

    /// 403 for a bearer token that is unknown or has expired.
    #[must_use]
    pub fn invalid_token() -> Self {
        Self::detail(403, "Token invalid/expired")
    }

    /// 403 for any other scheme than `Bearer`.
    #[must_use]
    pub fn unsupported_authentication() -> Self {
        Self::detail(403, "Unsupported authentication type")
    }

    /// 403 for a user without the right.
    #[must_use]
    pub fn permission_denied() -> Self {
        Self::detail(403, "You do not have permission to perform this action.")
    }

    /// 403 for a page of another site that asks through its reader's browser.
    #[must_use]
    pub fn foreign_origin() -> Self {
        Self::detail(403, "Requests of this origin are not answered.")
    }

    /// 405.
    #[must_use]
    pub fn method_not_allowed(method: &str) -> Self {
        Self::detail(405, &format!("Method \"{method}\" not allowed."))
    }

    /// 406 for a request that does not accept JSON.
    #[must_use]
    pub fn not_acceptable() -> Self {
        Self::detail(406, "Could not satisfy the request Accept header.")
    }

    /// 421 for a `Host` that is not one of the server's names.
    #[must_use]
    pub fn foreign_host() -> Self {
        Self::detail(421, "Requests to this host are not answered.")
    }

    /// 503 while the store or the server is busy; try again.
    #[must_use]
    pub fn busy() -> Self {
        Self::detail(503, "The store is busy. Try again.")
    }

    /// 500, in general words.
    #[must_use]
    pub fn internal() -> Self {
        Self::detail(500, "Internal error.")
    }

    /// 500 with an empty body, for a run of what the application has registered nothing for.
    #[must_use]
    pub fn nothing_to_run() -> Self {
        Self { status: 500, body: String::new() }
    }

    /// What is answered to an error of the store: of one that does not concern the request only that it happened.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        match error {
            Error::NoSuchSystemTask { .. } => Self::no_such_row(),
            Error::OutOfRange { field: "page", .. } => Self::invalid_page(),
            Error::Busy { .. } => Self::busy(),
            _ => Self::internal(),
        }
    }

    /// 400 for filters: each field's name with its problem, in the order of the fields.
    pub(super) fn invalid_filters(problems: &[(&'static str, String)]) -> Self {
        // Joined by hand, since serde_json's own map would sort the fields.
        let fields = problems.iter().map(|(field, problem)| format!("{}:{}", json!(field), json!([problem])));
        Self { status: 400, body: format!("{{{}}}", fields.collect::<Vec<_>>().join(",")) }
    }

    /// 400 for a search, which has no field's name.
    pub(super) fn invalid_search(problem: &str) -> Self {
        Self { status: 400, body: json!([problem]).to_string() }
    }

    fn detail(status: u16, detail: &str) -> Self {
        Self { status, body: json!({ "detail": detail }).to_string() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused with status {}: {}", self.status, self.body)
    }
}

impl std::error::Error for Refusal {}
