//! The operations of the system-task API.

use axum::http::StatusCode;
use utoipa::openapi::path::{HttpMethod, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{Required, ResponseBuilder};

use super::operation::{Operation, answered, common};
use super::schemas::{BAD_FILTER, DETAIL, SYSTEM_TASK, SYSTEM_TASKS};
use crate::http::authenticator::Rights;
use crate::http::refused::{Api, Refused};
use crate::system_task::{SortField, SystemTaskStatus};
use crate::wire::system_task_api::{ListRequest, PAGE_SIZE, Refusal};

const TAG: &str = "events";

pub(super) fn operations(page_size_max: Option<u64>) -> [Operation; 3] {
    let run_refusals = [Refusal::nothing_to_run()].into_iter().chain(not_found());
    [
        Operation {
            path: "/api/v3/events/system_tasks/",
            id: "events_system_tasks_list",
            summary: "Lists system tasks, each with the last run that finished.",
            parameters: filters().into_iter().chain(paging(page_size_max)).collect(),
            ..operation(answered("The page", SYSTEM_TASKS), [Refusal::invalid_page()])
        },
        Operation {
            path: "/api/v3/events/system_tasks/{uuid}/",
            id: "events_system_tasks_retrieve",
            summary: "Shows a system task with the last run that finished.",
            parameters: of_row(),
            ..operation(answered("The system task", SYSTEM_TASK), not_found())
        },
        Operation {
            path: "/api/v3/events/system_tasks/{uuid}/run/",
            method: HttpMethod::Post,
            id: "events_system_tasks_run_create",
            summary: "Asks for a run of a system task, and does not wait for it.",
            rights: Rights::VIEW | Rights::RUN,
            parameters: of_row(),
            success: (StatusCode::NO_CONTENT, ResponseBuilder::new().description("Accepted").build()),
            ..operation(ResponseBuilder::new().build(), run_refusals)
        },
    ]
}

fn operation(answer: utoipa::openapi::Response, refused: impl IntoIterator<Item = Refusal>) -> Operation {
    let bad_filters = [("status", "bogus"), ("name", "\0"), ("search", "\0")];
    let bad_filters = bad_filters.into_iter().filter_map(|parameter| ListRequest::parse([parameter]).err());
    let refused = refused.into_iter().chain(bad_filters).chain([Refusal::not_acceptable()]);
    Operation {
        path: "",
        method: HttpMethod::Get,
        id: "",
        tag: TAG,
        summary: "",
        rights: Rights::VIEW,
        parameters: Vec::new(),
        body: None,
        success: (StatusCode::OK, answer),
        refusals: refused.map(Refused::from).chain(common(Api::SystemTask)).collect(),
        refusal_schema: |status| if status == StatusCode::BAD_REQUEST { BAD_FILTER } else { DETAIL },
    }
}

fn not_found() -> [Refusal; 2] {
    [Refusal::not_found(), Refusal::no_such_row()]
}

/// The path's parameter, and the filters, which hold where one row is asked for, too.
fn of_row() -> Vec<Parameter> {
    let format = SchemaFormat::KnownFormat(KnownFormat::Uuid);
    let uuid = ParameterBuilder::new()
        .name("uuid")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(text().format(Some(format))));
    [uuid.build()].into_iter().chain(filters()).collect()
}

fn filters() -> [Parameter; 4] {
    let statuses = SystemTaskStatus::ALL.map(SystemTaskStatus::as_str).into_iter().chain([""]);
    [
        query("name", "Exactly this name. Empty: any.", without_nul()),
        query("uid", "Exactly this uid. Empty: any.", without_nul()),
        query("status", "Exactly this status. Empty: any.", text().enum_values(Some(statuses))),
        query(
            "search",
            "Terms that must all be found, each in the name, the description, the uid or the status, whatever the case. \
             Terms are split at blanks and commas; a quoted one is a phrase.",
            without_nul(),
        ),
    ]
}

fn paging(page_size_max: Option<u64>) -> [Parameter; 3] {
    let fields = SortField::ALL.map(|field| format!("`{}`", field.as_str())).join(", ");
    let ordering =
        format!("Fields, with commas between, each with `-` before it if it descends: {fields}. Others are ignored.");
    let most = page_size_max.map(|rows| format!(" At most {rows}: a larger one counts as that.")).unwrap_or_default();
    let size = format!("The rows of a page. What is no positive whole number counts as the default.{most}");
    let size_default = page_size_max.map_or(PAGE_SIZE, |max| PAGE_SIZE.min(max));
    [
        query("ordering", &ordering, text()),
        query("page", "A number, counted from 1, or `last`.", lenient_number().default(Some(1.into()))),
        query("page_size", &size, lenient_number().default(Some(size_default.into()))),
    ]
}

fn query(name: &str, description: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn without_nul() -> ObjectBuilder {
    text().pattern(Some("^[^\\u0000]*$"))
}

/// Numbers are read from whatever text there is.
fn lenient_number() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Integer, Type::String]))
}
