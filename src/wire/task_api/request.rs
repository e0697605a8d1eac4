//! What a request's body asks for.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::configuration::ConfigurationId;
use crate::task::{Dismissed, TaskFilter, TaskId};
use crate::{Error, Result};

/// A body that is not a request of the task API. Its text is fit for the answer's `error.message`, status 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadRequest {
    message: String,
}

/// The body of `/task/list`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListRequest {
    /// Only tasks of this configuration.
    pub configuration: Option<ConfigurationId>,
    /// Dismissed tasks also.
    pub show_hidden: bool,
}

impl ListRequest {
    /// Reads the body. An empty one, `{}` and `{"params":{}}` mean the defaults; unknown members are ignored;
    /// `configuration_id` absent, `null` or `0` is "all"; `show_dismissed` is taken for `show_hidden`.
    ///
    /// # Errors
    ///
    /// [`BadRequest`] for what is not JSON, for a wrong type, and for a `configuration_id` that is negative or beyond
    /// a 64-bit integer.
    pub fn parse(body: &[u8]) -> Result<Self, BadRequest> {
        let params: ListParams = parse(body)?;
        Ok(Self {
            configuration: params.configuration_id,
            show_hidden: params.show_hidden.unwrap_or(false) || params.show_dismissed.unwrap_or(false),
        })
    }

    /// The list that the request asks for; its page is not heeded.
    pub(super) fn filter(self) -> TaskFilter {
        let dismissed = if self.show_hidden { Dismissed::Included } else { Dismissed::Hidden };
        TaskFilter { configuration: self.configuration, ..TaskFilter::new().dismissed(dismissed) }
    }
}

/// The body of `/task/show`, `/task/dismiss` and `/task/restore`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskRequest {
    task_id: i64,
}

impl TaskRequest {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`BadRequest`] for what is not JSON, for a wrong type, and if `task_id` is missing.
    pub fn parse(body: &[u8]) -> Result<Self, BadRequest> {
        let params: TaskParams = parse(body)?;
        let task_id = params.task_id.ok_or_else(|| BadRequest { message: "params.task_id is missing".to_owned() })?;
        Ok(Self { task_id })
    }

    /// The task that is meant.
    ///
    /// # Errors
    ///
    /// [`NotFound`](Error::NotFound) for an id that no task can have: the API treats it as any unknown one.
    pub fn task(self) -> Result<TaskId> {
        TaskId::try_from(self.task_id).map_err(|_| Error::NotFound { what: "task", id: self.task_id })
    }
}

/// The body of `/task/dismiss_all`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DismissAllRequest {
    /// Only tasks of this configuration.
    pub configuration: Option<ConfigurationId>,
}

impl DismissAllRequest {
    /// Reads the body, as [`ListRequest::parse`] does.
    ///
    /// # Errors
    ///
    /// Those of [`ListRequest::parse`].
    pub fn parse(body: &[u8]) -> Result<Self, BadRequest> {
        parse::<ListParams>(body).map(|params| Self { configuration: params.configuration_id })
    }
}

#[derive(Deserialize)]
struct Body<P> {
    params: Option<P>,
}

#[derive(Default, Deserialize)]
struct ListParams {
    #[serde(default, deserialize_with = "configuration")]
    configuration_id: Option<ConfigurationId>,
    show_hidden: Option<bool>,
    show_dismissed: Option<bool>,
}

#[derive(Default, Deserialize)]
struct TaskParams {
    task_id: Option<i64>,
}

fn parse<P: Default + DeserializeOwned>(body: &[u8]) -> Result<P, BadRequest> {
    if body.trim_ascii().is_empty() {
        return Ok(P::default());
    }
    // A struct of serde's would take `[]` for an object with its members in order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(BadRequest { message: "the body is not a JSON object".to_owned() });
    }
    let body: Body<serde_json::Value> = serde_json::from_slice(body).map_err(|error| bad("the body", &error))?;
    match body.params {
        None => Ok(P::default()),
        Some(params) if params.is_object() => serde_json::from_value(params).map_err(|error| bad("params", &error)),
        Some(_) => Err(BadRequest { message: "params is not a JSON object".to_owned() }),
    }
}

fn bad(what: &str, error: &serde_json::Error) -> BadRequest {
    BadRequest { message: format!("{what} cannot be read: {error}") }
}

/// 0 stands for "no configuration given".
fn configuration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ConfigurationId>, D::Error> {
    match Option::<i64>::deserialize(deserializer)? {
        None | Some(0) => Ok(None),
        Some(id) => ConfigurationId::try_from(id)
            .map(Some)
            .map_err(|_| serde::de::Error::custom(format_args!("configuration_id is {id}; it must not be negative"))),
    }
}
