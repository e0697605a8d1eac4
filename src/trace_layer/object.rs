//! A JSON object that is written member by member and takes no more than so many bytes.

use super::value::{Value, json_text};

/// The member that says how many have found no room.
const LEFT_OUT: &str = "fields_left_out";

/// What that member takes, with the brace that ends the object.
const LEFT_OUT_BYTES: usize = 48;

/// A character takes no more than this in a JSON text, but for the quotes: `\u001f` for one byte.
const ESCAPED_BYTES_MAX: usize = 6;

pub(super) struct Object {
    /// Without the brace that ends it; empty without members.
    json: String,
    bytes_max: usize,
    left_out: u64,
}

impl Object {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { json: String::new(), bytes_max: bytes_max.saturating_sub(LEFT_OUT_BYTES), left_out: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.json.is_empty() && self.left_out == 0
    }

    /// A text that is too long is cut; what finds no room even so is left out, and counted.
    pub(super) fn add(&mut self, name: &str, value: &Value<'_>) {
        let name = json_text(name);
        let room = self.bytes_max.saturating_sub(self.json.len() + name.len() + 2);
        let mut value_json = value.to_json(room);
        if value_json.len() > room {
            value_json = value.to_json(room.saturating_sub(2) / ESCAPED_BYTES_MAX);
        }
        if value_json.len() > room {
            self.left_out += 1;
            return;
        }
        self.json.push(if self.json.is_empty() { '{' } else { ',' });
        self.json.push_str(&name);
        self.json.push(':');
        self.json.push_str(&value_json);
    }

    pub(super) fn into_text(mut self) -> String {
        if self.left_out > 0 {
            self.json.push(if self.json.is_empty() { '{' } else { ',' });
            self.json.push_str(&format!("{}:{}", json_text(LEFT_OUT), self.left_out));
        }
        if !self.json.is_empty() {
            self.json.push('}');
        }
        self.json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_all_of_whose_members_were_left_out_says_so() {
        let mut object = Object::new(LEFT_OUT_BYTES);
        assert!(object.is_empty());
        object.add("name", &Value::Text("text"));
        assert!(!object.is_empty());
        assert_eq!(object.into_text(), format!("{{{}:1}}", json_text(LEFT_OUT)));
        let mut object = Object::new(100);
        object.add("name", &Value::Text("text"));
        assert!(!object.is_empty());
        assert_eq!(object.into_text(), r#"{"name":"text"}"#);
    }

    #[test]
    fn an_object_of_any_values_is_json_within_its_bytes() {
        let long = "\u{1}é\"".repeat(500);
        for bytes_max in [48, 49, 60, 100, 200, 1_000, 100_000] {
            let mut object = Object::new(bytes_max);
            object.add("first", &Value::Signed(-1));
            object.add("long \"name\"", &Value::Text(&long));
            object.add("last", &Value::Float(f64::NAN));
            let json = object.into_text();
            assert!(json.len() <= bytes_max, "{} of {bytes_max}", json.len());
            let _: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&json).unwrap();
        }
        assert_eq!(Object::new(0).into_text(), "");
    }
}
