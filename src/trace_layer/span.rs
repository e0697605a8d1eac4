//! Which spans are tasks, and what their fields say.

use tracing_core::field::FieldSet;
use tracing_core::span::{Attributes, Record};

use super::event::{distinct_name, name};
use super::is_error_field;
use super::settings::Settings;
use super::traced::Start;
use super::value::{Fields, Take, Value};
use crate::Result;
use crate::configuration::ConfigurationId;
use crate::store::Context;
use crate::system_task::RunOptions;
use crate::system_task::operation::to_start;
use crate::task::NewTask;

/// The fields that make a span a task, or a run of a system task.
const TASK: &str = "task.title";
const SYSTEM_TASK: &str = "system_task.name";

const CHARACTER_BYTES_MAX: usize = 4;

/// What a span is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    Task,
    SystemTask,
}

impl Mark {
    /// What a span of these fields is; `None` for one that is nothing of ours.
    pub(super) fn of(fields: &FieldSet) -> Option<Self> {
        fields.iter().find_map(|field| match field.name() {
            TASK => Some(Self::Task),
            SYSTEM_TASK => Some(Self::SystemTask),
            _ => None,
        })
    }
}

/// What a span says of its task.
pub(super) struct Begun {
    pub(super) start: Start,
    pub(super) error: Option<String>,
    /// Why it starts without the key that was given.
    pub(super) no_key: Option<String>,
}

/// Reads the span's fields. A title that has no value yet is the span's name.
pub(super) fn begin(mark: Mark, span: &Attributes<'_>, settings: &Settings, context: &Context) -> Result<Begun> {
    // So much that a name or a key that is too long is seen to be.
    let bytes_max =
        context.limits.text_bytes_max.max(context.limits.name_bytes_max.saturating_add(CHARACTER_BYTES_MAX));
    let mut given = Given::new(settings, bytes_max);
    span.record(&mut Fields(&mut given));
    let error = given.error.take();
    let names_bytes_max = context.limits.name_bytes_max;
    let no_key = given.no_key(mark, names_bytes_max);
    let key = given.key.filter(|key| no_key.is_none() && !key.is_empty());
    let title = given.title.unwrap_or_else(|| span.metadata().name().to_owned());
    let start = match mark {
        Mark::Task => {
            let configuration = given.configuration.as_deref().map(str::parse::<ConfigurationId>);
            let no_configuration = given.configuration.filter(|_| matches!(configuration, Some(Err(_))));
            let task = NewTask {
                title: name(&title, context.limits.title_bytes_max),
                performed_by: name(&given.performed_by.unwrap_or_default(), names_bytes_max),
                configuration: configuration.and_then(Result::ok),
                key,
            };
            Start::Task { task, no_configuration, time_ns: context.now_ns()? }
        }
        Mark::SystemTask => {
            let description = given.description.map(|text| name(&text, context.limits.description_bytes_max));
            let uid = given.uid.map(|uid| distinct_name(&uid, names_bytes_max));
            let options = RunOptions { description, key, ..RunOptions::new() };
            let owner = context.owner.clone();
            Start::Run(to_start(context, distinct_name(&title, names_bytes_max), uid, options, owner)?)
        }
    };
    Ok(Begun { start, error, no_key })
}

/// The error among the values that are recorded for a span, if there is one.
pub(super) fn error_in(values: &Record<'_>, settings: &Settings, text_bytes_max: usize) -> Option<String> {
    let mut given = Given::new(settings, text_bytes_max);
    values.record(&mut Fields(&mut given));
    given.error
}

struct Given<'a> {
    settings: &'a Settings,
    text_bytes_max: usize,
    /// Of a task, or the name of a system task.
    title: Option<String>,
    performed_by: Option<String>,
    configuration: Option<String>,
    key: Option<String>,
    is_key_redacted: bool,
    uid: Option<String>,
    description: Option<String>,
    error: Option<String>,
}

impl<'a> Given<'a> {
    fn new(settings: &'a Settings, text_bytes_max: usize) -> Self {
        Self {
            settings,
            text_bytes_max,
            title: None,
            performed_by: None,
            configuration: None,
            key: None,
            is_key_redacted: false,
            uid: None,
            description: None,
            error: None,
        }
    }

    /// Why the key is none to start with: one that were cut or redacted could be that of other work, which this would add to.
    fn no_key(&self, mark: Mark, bytes_max: usize) -> Option<String> {
        let key = self.key.as_ref()?;
        let field = match mark {
            Mark::Task => "task.key",
            Mark::SystemTask => "system_task.key",
        };
        let why = if self.is_key_redacted {
            "was redacted".to_owned()
        } else if key.len() > bytes_max {
            format!("is longer than {bytes_max} bytes")
        } else if key.contains('\0') {
            "contains NUL".to_owned()
        } else {
            return None;
        };
        Some(format!("{field} {why}: started without a key"))
    }
}

impl Take for Given<'_> {
    fn take(&mut self, name: &'static str, value: &Value<'_>) {
        let place = match name {
            TASK | SYSTEM_TASK => &mut self.title,
            "task.performed_by" => &mut self.performed_by,
            "task.configuration" => &mut self.configuration,
            "task.key" | "system_task.key" => &mut self.key,
            "system_task.uid" => &mut self.uid,
            "system_task.description" => &mut self.description,
            _ if is_error_field(name) => &mut self.error,
            _ => return,
        };
        let redacted = self.settings.redacted(name, value, self.text_bytes_max);
        if matches!(name, "task.key" | "system_task.key") {
            let given = || value.to_text(self.text_bytes_max);
            self.is_key_redacted = redacted.as_ref().is_some_and(|redacted| *redacted != given());
        }
        *place = Some(redacted.unwrap_or_else(|| value.to_text(self.text_bytes_max)));
    }
}
