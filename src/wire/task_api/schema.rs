//! What the document of the API says of members whose Rust type is wider than the wire.

use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, Object, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::answer::wire_state;
use crate::task::Outcome;

/// The states that there are.
pub(super) struct TaskState;

impl PartialSchema for TaskState {
    fn schema() -> RefOr<Schema> {
        let ended = [Outcome::Finished, Outcome::Failed].map(|outcome| wire_state(Some(outcome), false));
        let states = [wire_state(None, false)].into_iter().chain(ended).chain([wire_state(None, true)]);
        text().description(Some("What a task is.")).enum_values(Some(states)).into()
    }
}

impl ToSchema for TaskState {}

/// A time, or `""`.
pub(super) struct TimeOrEmpty;

impl PartialSchema for TimeOrEmpty {
    fn schema() -> RefOr<Schema> {
        AnyOfBuilder::new()
            .description(Some("A time, or an empty text for none."))
            .item(text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))))
            .item(text().enum_values(Some([""])))
            .into()
    }
}

impl ToSchema for TimeOrEmpty {}

fn text() -> ObjectBuilder {
    Object::builder().schema_type(Type::String)
}
