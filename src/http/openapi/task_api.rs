//! The operations of the task API.

use axum::http::StatusCode;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, Required};

use super::operation::{Operation, answered, common};
use super::schemas::{DISMISSED, FAILURE, TASK, TASKS};
use crate::Error;
use crate::http::authenticator::Rights;
use crate::http::refused::{Api, Refused};
use crate::wire::task_api::{ListRequest, Refusal, TaskRequest};

const TAG: &str = "task";

pub(super) fn operations() -> [Operation; 5] {
    let of_configuration = || ObjectBuilder::new().property("configuration_id", configuration_id());
    let of_list = of_configuration()
        .property("show_hidden", boolean("Dismissed tasks also."))
        .property("show_dismissed", boolean("The same as `show_hidden`."));
    let dismisses = Rights::VIEW | Rights::DISMISS;
    [
        Operation {
            path: "/task/list",
            id: "task_list",
            summary: "Lists tasks, the newest first.",
            ..on_list(of_list, TASKS, Rights::VIEW)
        },
        Operation { path: "/task/show", id: "task_show", summary: "Shows a task.", ..on_task(Rights::VIEW) },
        Operation {
            path: "/task/dismiss",
            id: "task_dismiss",
            summary: "Dismisses a task that has ended, as the user who asks.",
            ..on_task(dismisses)
        },
        Operation {
            path: "/task/restore",
            id: "task_restore",
            summary: "Takes back that a task was dismissed.",
            ..on_task(dismisses)
        },
        Operation {
            path: "/task/dismiss_all",
            id: "task_dismiss_all",
            summary: "Dismisses every task that has ended, as the user who asks.",
            ..on_list(of_configuration(), DISMISSED, dismisses)
        },
    ]
}

/// What concerns the tasks of one configuration, or all tasks.
fn on_list(params: ObjectBuilder, result: &str, rights: Rights) -> Operation {
    let params = params.schema_type(nullable(Type::Object)).description(Some("Absent: all defaults."));
    let refused = [&b"["[..], b"[]", br#"{"params":{"configuration_id":-1}}"#].map(ListRequest::parse);
    operation(
        ObjectBuilder::new().property("params", params),
        Required::False,
        (result, rights),
        refused.into_iter().filter_map(Result::err),
    )
}

/// What concerns one task.
fn on_task(rights: Rights) -> Operation {
    let id =
        int64(ObjectBuilder::new().schema_type(Type::Integer), i64::MIN).description(Some("Which task.")).examples([1]);
    let params = ObjectBuilder::new().schema_type(Type::Object).property("task_id", id).required("task_id");
    let unknown = Refusal::of(&Error::NotFound { what: "task", id: 7 });
    operation(
        ObjectBuilder::new().property("params", params).required("params"),
        Required::True,
        (TASK, rights),
        TaskRequest::parse(b"").err().into_iter().chain([unknown]),
    )
}

fn operation(
    body: ObjectBuilder,
    body_is: Required,
    (result, rights): (&str, Rights),
    refused: impl Iterator<Item = Refusal>,
) -> Operation {
    let content = ContentBuilder::new().schema(Some(body.schema_type(Type::Object))).build();
    let refused = refused.chain([Refusal::not_json()]).map(Refused::from);
    Operation {
        path: "",
        method: HttpMethod::Post,
        id: "",
        tag: TAG,
        summary: "",
        rights,
        parameters: Vec::new(),
        body: Some(RequestBodyBuilder::new().required(Some(body_is)).content("application/json", content).build()),
        success: (StatusCode::OK, answered("The result", result)),
        refusals: refused.chain(common(Api::Task)).collect(),
        refusal_schema: |_| FAILURE,
    }
}

fn configuration_id() -> ObjectBuilder {
    int64(ObjectBuilder::new().schema_type(nullable(Type::Integer)), 0)
        .description(Some("Only tasks of this configuration; 0 for all."))
}

fn boolean(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(nullable(Type::Boolean)).description(Some(description))
}

fn int64(schema: ObjectBuilder, minimum: i64) -> ObjectBuilder {
    let format = SchemaFormat::KnownFormat(KnownFormat::Int64);
    schema.format(Some(format)).minimum(Some(minimum)).maximum(Some(i64::MAX))
}

fn nullable(of_type: Type) -> SchemaType {
    SchemaType::from_iter([of_type, Type::Null])
}
