//! What a request's body asks for.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::configuration::ConfigurationId;
use crate::task::{Dismissed, TaskFilter, TaskId};
use crate::{Error, Result};

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
    /// [`Refusal`], status 400, for what is not JSON, for a wrong type, and for a `configuration_id` that is negative or beyond
    /// a 64-bit integer.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let params = params(body)?;
        Ok(Self {
            configuration: configuration(&params)?,
            show_hidden: boolean(&params, "show_hidden")? | boolean(&params, "show_dismissed")?,
        })
    }

    /// The list that the request asks for; its page is not heeded.
    pub(super) fn filter(self) -> TaskFilter {
        let dismissed = if self.show_hidden { Dismissed::Included } else { Dismissed::Hidden };
        let filter = TaskFilter::new().dismissed(dismissed);
        match self.configuration {
            Some(id) => filter.configuration(id),
            None => filter,
        }
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
    /// [`Refusal`], status 400, for what is not JSON, for a wrong type, and if `task_id` is missing.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let task_id = integer(&params(body)?, "task_id")?;
        task_id.map(|task_id| Self { task_id }).ok_or_else(|| Refusal::bad_request("params.task_id is missing"))
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
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        Ok(Self { configuration: configuration(&params(body)?)? })
    }
}

type Params = Map<String, Value>;

/// The members of `params`. An absent body and absent `params` have none; of a repeated member the last wins.
fn params(body: &[u8]) -> Result<Params, Refusal> {
    if body.trim_ascii().is_empty() {
        return Ok(Params::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(mut members)) => match members.remove("params") {
            None | Some(Value::Null) => Ok(Params::new()),
            Some(Value::Object(params)) => Ok(params),
            Some(_) => Err(Refusal::bad_request("params must be a JSON object")),
        },
        Ok(_) => Err(Refusal::bad_request("the body must be a JSON object")),
        Err(error) => Err(Refusal::bad_request(format!("the body is not JSON: {error}"))),
    }
}

fn integer(params: &Params, name: &str) -> Result<Option<i64>, Refusal> {
    match params.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_i64()
            .map(Some)
            .ok_or_else(|| Refusal::bad_request(format!("params.{name} must be a 64-bit integer"))),
    }
}

fn boolean(params: &Params, name: &str) -> Result<bool, Refusal> {
    match params.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(value) => {
            value.as_bool().ok_or_else(|| Refusal::bad_request(format!("params.{name} must be true or false")))
        }
    }
}

/// 0 stands for "no configuration given".
fn configuration(params: &Params) -> Result<Option<ConfigurationId>, Refusal> {
    match integer(params, "configuration_id")? {
        None | Some(0) => Ok(None),
        Some(id) => {
            let refusal = |_| Refusal::bad_request(format!("params.configuration_id is {id}; it must not be negative"));
            ConfigurationId::try_from(id).map(Some).map_err(refusal)
        }
    }
}
