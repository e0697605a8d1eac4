//! The schemas of answers, from the types that describe them.

use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::system_task::Pagination;
use crate::wire::task_api::DismissedMember;
use crate::wire::{system_task_api, task_api};

pub(super) const TASKS: &str = "TaskListAnswer";
pub(super) const TASK: &str = "TaskAnswer";
pub(super) const DISMISSED: &str = "DismissedCountAnswer";
pub(super) const FAILURE: &str = "FailureAnswer";
pub(super) const SYSTEM_TASKS: &str = "PaginatedSystemTaskList";
/// The type's own name.
pub(super) const SYSTEM_TASK: &str = "SystemTask";
pub(super) const DETAIL: &str = "GenericError";
pub(super) const BAD_FILTER: &str = "ValidationError";

type Named = (String, RefOr<Schema>);

/// All that the document refers to.
pub(super) fn all(member: DismissedMember) -> Vec<Named> {
    let mut schemas = vec![
        success::<task_api::TaskList>(TASKS),
        success::<task_api::Task>(TASK),
        success::<task_api::DismissedCount>(DISMISSED),
        envelope::<task_api::DismissedCount>(FAILURE, "error", "result", false),
        (SYSTEM_TASKS.to_owned(), system_task_api::SystemTaskList::<system_task_api::SystemTask>::schema()),
        (DETAIL.to_owned(), detail().into()),
        (BAD_FILTER.to_owned(), bad_filter().into()),
    ];
    add::<task_api::Failure>(&mut schemas);
    add::<task_api::TaskList>(&mut schemas);
    add::<task_api::DismissedCount>(&mut schemas);
    add::<system_task_api::SystemTask>(&mut schemas);
    add::<Pagination>(&mut schemas);
    for (_, schema) in &mut schemas {
        if let RefOr::T(Schema::Object(object)) = schema {
            rename_dismissed(object, member);
            close(object);
        }
    }
    schemas
}

/// A type, and all that it refers to.
fn add<T: ToSchema>(schemas: &mut Vec<Named>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

/// The envelope of a result.
fn success<T: ToSchema>(name: &str) -> Named {
    envelope::<T>(name, "result", "error", true)
}

/// What an answer is of which is known whether it is one of success.
fn envelope<T: ToSchema>(name: &str, present: &str, absent: &str, successful: bool) -> Named {
    let mut schema = task_api::Answer::<T>::schema();
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        object.properties.shift_remove(absent);
        object.required.push(present.to_owned());
        if let Some(RefOr::T(Schema::Object(flag))) = object.properties.get_mut("successful") {
            flag.enum_values = Some(vec![successful.into()]);
        }
    }
    (name.to_owned(), schema)
}

/// The published pages differ in the name of one member of a task.
fn rename_dismissed(object: &mut Object, member: DismissedMember) {
    let rename = |name: String| if name == "hidden_by" { "dismissed_by".to_owned() } else { name };
    if member == DismissedMember::DismissedBy {
        let properties = std::mem::take(&mut object.properties);
        object.properties = properties.into_iter().map(|(name, schema)| (rename(name), schema)).collect();
        object.required = std::mem::take(&mut object.required).into_iter().map(rename).collect();
    }
}

/// There are clients that refuse a member they do not know, so the document promises that there is none. What has no
/// members of its own, as the attributes of an event, is not closed.
fn close(object: &mut Object) {
    if !object.properties.is_empty() {
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    }
}

fn detail() -> Object {
    let text = ObjectBuilder::new().schema_type(Type::String).description(Some("Why, for people."));
    ObjectBuilder::new().schema_type(Type::Object).property("detail", text).required("detail").build()
}

/// A list of texts for each field of the query, or the list alone for a search, which the published API does not name.
fn bad_filter() -> Schema {
    let texts = || ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::String));
    let by_field = ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(texts()));
    OneOfBuilder::new()
        .description(Some("What is wrong with each parameter; for `search` without its name."))
        .item(by_field)
        .item(texts())
        .into()
}
