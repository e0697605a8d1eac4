//! The document as a client reads it, and what it says of an answer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::{Answer, Served};

/// The OpenAPI document of a router.
pub(super) struct Document(pub(super) Value);

/// An operation by its id, and a status it is answered with.
pub(super) type Answered = (String, u16);

impl Document {
    pub(super) fn of(served: &Served, path: &str) -> Self {
        let answer = served.get(path);
        assert_eq!(answer.status, 200, "{answer:?}");
        Self(serde_json::from_str(&answer.body).unwrap())
    }

    /// The path, the method and the operation of all that there are.
    pub(super) fn operations(&self) -> Vec<(&String, &String, &Value)> {
        let paths = self.0["paths"].as_object().unwrap().iter();
        paths
            .flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(verb, op)| (path, verb, op)))
            .collect()
    }

    /// The path, the method and the operation of this id.
    pub(super) fn operation(&self, id: &str) -> (&String, &String, &Value) {
        self.operations().into_iter().find(|(_, _, operation)| operation["operationId"] == id).unwrap()
    }

    /// All that the document promises.
    pub(super) fn promised(&self) -> BTreeSet<Answered> {
        let operations = self.operations().into_iter();
        let statuses = operations.flat_map(|(_, _, operation)| {
            let statuses = operation["responses"].as_object().unwrap().keys();
            statuses.map(|status| (operation["operationId"].as_str().unwrap().to_owned(), status.parse().unwrap()))
        });
        statuses.collect()
    }

    /// Why an operation's answer is not one that the document promises.
    pub(super) fn problem(&self, operation_id: &str, answer: &Answer) -> Option<String> {
        let (_, _, operation) = self.operation(operation_id);
        let response = operation["responses"].get(answer.status.to_string());
        let Some(response) = response else {
            return Some(format!("no status {}", answer.status));
        };
        for (header, _) in response["headers"].as_object().into_iter().flatten() {
            if !answer.headers.contains_key(header) {
                return Some(format!("no header {header}"));
            }
        }
        let Some(content_type) = answer.headers.get("content-type") else {
            let may_be_empty = response["description"].as_str().unwrap().ends_with("or without a body");
            let is_empty = answer.body.is_empty() && (may_be_empty || response.get("content").is_none());
            return (!is_empty).then(|| "no type".to_owned());
        };
        let Some(content) = response["content"].get(content_type.to_str().unwrap()) else {
            return Some(format!("not of type {content_type:?}"));
        };
        let body = serde_json::from_str(&answer.body).map_err(|error| error.to_string());
        body.and_then(|body| self.validate(&content["schema"], &body)).err()
    }

    /// Whether a value is what one of the document's schemas says.
    pub(super) fn validate(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let mut schema = schema.clone();
        schema["components"] = self.0["components"].clone();
        let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
        validator.validate(value).map_err(|error| format!("{error} at {}", error.instance_path()))
    }

    /// The schema of this name.
    pub(super) fn validate_as(&self, name: &str, body: &str) -> Result<(), String> {
        let body = serde_json::from_str(body).map_err(|error| error.to_string())?;
        self.validate(&json!({ "$ref": format!("#/components/schemas/{name}") }), &body)
    }
}
