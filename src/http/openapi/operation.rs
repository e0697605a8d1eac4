//! One operation, and all that it can be answered.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, Parameter};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{
    ContentBuilder, Header, PathItem, Ref, Response, ResponseBuilder, example::ExampleBuilder, header::HeaderBuilder,
};

use crate::http::authenticator::{Rights, Unauthenticated};
use crate::http::refused::{Api, Problem, Refused};

/// An operation, and what it answers.
pub(super) struct Operation {
    pub(super) path: &'static str,
    pub(super) method: HttpMethod,
    pub(super) id: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) rights: Rights,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<RequestBody>,
    /// The status of success, and its response.
    pub(super) success: (StatusCode, Response),
    /// All that it refuses, each with a body that it sends.
    pub(super) refusals: Vec<Refused>,
    /// The name of the schema of a refusal of this status.
    pub(super) refusal_schema: fn(StatusCode) -> &'static str,
}

impl Operation {
    pub(super) fn into_path_item(self) -> (&'static str, PathItem) {
        let (status, success) = self.success;
        let mut bodies = BTreeMap::<u16, Vec<String>>::new();
        for refused in self.refusals {
            bodies.entry(refused.status).or_default().push(refused.body);
        }
        let operation = OperationBuilder::new()
            .operation_id(Some(self.id))
            .tag(self.tag)
            .summary(Some(self.summary))
            .description(Some(format!("It takes the rights `{}`.", self.rights)))
            .parameters(Some(self.parameters))
            .request_body(self.body)
            .response(status.as_str(), success);
        let operation = bodies.into_iter().fold(operation, |operation, (status, bodies)| {
            let status = StatusCode::from_u16(status).expect("a refusal has a status of HTTP");
            operation.response(status.as_str(), refusal(status, &bodies, (self.refusal_schema)(status)))
        });
        (self.path, PathItem::new(self.method, operation))
    }
}

/// What any operation may refuse.
pub(super) fn common(api: Api) -> impl Iterator<Item = Refused> {
    [
        Problem::ForeignHost,
        Problem::ForeignOrigin,
        Problem::WrongMethod(Method::PUT),
        Problem::Unauthenticated(Unauthenticated::NoCredentials),
        Problem::Unauthenticated(Unauthenticated::InvalidToken),
        Problem::Unauthenticated(Unauthenticated::UnsupportedScheme),
        Problem::NotPermitted,
        Problem::Overloaded,
        Problem::Panicked,
    ]
    .into_iter()
    .map(move |problem| api.refuse(problem))
}

/// A response with a body of this schema.
pub(super) fn answered(description: &str, schema: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema)));
    ResponseBuilder::new().description(description).content("application/json", content.build()).build()
}

/// A refusal, with all the bodies it may have as examples.
fn refusal(status: StatusCode, bodies: &[String], schema: &str) -> Response {
    let values = bodies.iter().filter_map(|body| serde_json::from_str::<serde_json::Value>(body).ok());
    let mut values: Vec<_> = values.collect();
    values.dedup();
    let examples = values.into_iter().enumerate().map(|(index, value)| {
        let example = ExampleBuilder::new().value(Some(value)).build();
        ((index + 1).to_string(), example)
    });
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).examples_from_iter(examples);
    // JSON Schema has no word for it: such an answer has no type.
    let or_empty = if bodies.iter().any(String::is_empty) { "; or without a body" } else { "" };
    let reason = status.canonical_reason().unwrap_or_default();
    let mut response =
        ResponseBuilder::new().description(format!("{reason}{or_empty}")).content("application/json", content.build());
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response = response.header("Retry-After", header(Type::Integer, "Try again after so many seconds."));
    }
    if status == StatusCode::UNAUTHORIZED {
        response = response.header("WWW-Authenticate", header(Type::String, "Which credentials are taken."));
    }
    response.build()
}

fn header(of_type: Type, description: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(of_type);
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}
