//! Which spans are tasks, and what their fields say.

use tracing_core::field::FieldSet;
use tracing_core::span::{Attributes, Record};

use super::event::name;
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
}

/// Reads the span's fields. A title that has no value yet is the span's name.
pub(super) fn begin(mark: Mark, span: &Attributes<'_>, settings: &Settings, context: &Context) -> Result<Begun> {
    let mut given = Given::new(settings, context.limits.text_bytes_max);
    span.record(&mut Fields(&mut given));
    let error = given.error.take();
    let names_bytes_max = context.limits.name_bytes_max;
    let key = given.key.map(|key| name(&key, names_bytes_max)).filter(|key| !key.is_empty());
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
            let uid = given.uid.map(|uid| name(&uid, names_bytes_max));
            let options = RunOptions { description, key, ..RunOptions::new() };
            let owner = context.owner.clone();
            Start::Run(to_start(context, name(&title, names_bytes_max), uid, options, owner)?)
        }
    };
    Ok(Begun { start, error })
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
            uid: None,
            description: None,
            error: None,
        }
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
        *place = Some(redacted.unwrap_or_else(|| value.to_text(self.text_bytes_max)));
    }
}
