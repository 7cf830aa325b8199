//! Validates JSON against a schema in the description of the API, as strictly as a client in a typed language. It
//! supports the keywords of JSON Schema that the description uses, and fails on others.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The errors of a value against a schema; empty if it is valid. Members that the schema does not name are errors.
pub(crate) fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(document, schema, value, "", &mut faults);
    faults
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let object = Object::of(document, schema);
    if !object.types.is_empty() && !object.types.iter().any(|kind| is_a(kind, value)) {
        faults.push(format!("{at}: {value} is not {}", object.types.join(" or ")));
        return;
    }
    if object.words.is_some_and(|words| !words.contains(value)) {
        faults.push(format!("{at}: {value} is not one of the known words"));
    }
    match value {
        Value::Object(members) if object.is_named() => check_members(document, &object, members, at, faults),
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                let schema = object.items.unwrap_or_else(|| panic!("{at}: an array without a schema of its items"));
                check(document, schema, item, &format!("{at}[{number}]"), faults);
            }
        }
        _ => {}
    }
}

fn check_members(document: &Value, object: &Object, members: &Map<String, Value>, at: &str, faults: &mut Vec<String>) {
    for required in object.required.iter().filter(|required| !members.contains_key(**required)) {
        faults.push(format!("{at}: `{required}` is missing"));
    }
    for (member, value) in members {
        match object.properties.iter().find(|(name, _)| *name == member) {
            Some((_, schema)) => check(document, schema, value, &format!("{at}.{member}"), faults),
            None => faults.push(format!("{at}: `{member}` is not in the schema")),
        }
    }
}

/// A schema with its references and its `allOf` resolved.
#[derive(Default)]
struct Object<'a> {
    types: Vec<&'a str>,
    properties: Vec<(&'a String, &'a Value)>,
    required: BTreeSet<&'a str>,
    items: Option<&'a Value>,
    words: Option<&'a Vec<Value>>,
}

impl<'a> Object<'a> {
    fn of(document: &'a Value, schema: &'a Value) -> Self {
        let mut object = Self::default();
        object.add(document, schema);
        object
    }

    fn add(&mut self, document: &'a Value, schema: &'a Value) {
        for (word, value) in schema.as_object().expect("a schema") {
            match word.as_str() {
                "$ref" => self.add(document, referred(document, value)),
                "allOf" => value.as_array().expect("schemas").iter().for_each(|part| self.add(document, part)),
                "type" => self.types = texts(value),
                "properties" => self.properties.extend(value.as_object().expect("properties")),
                "required" => self.required.extend(texts(value)),
                "enum" => self.words = value.as_array(),
                "items" => self.items = Some(value),
                "description" | "example" | "format" | "minimum" | "default" | "writeOnly" | "readOnly" => {}
                // What members must fulfil, alone and together: the tests with schemathesis compare that with the
                // program.
                "anyOf" | "oneOf" | "not" | "pattern" | "maximum" | "minLength" | "maxLength" | "minItems"
                | "maxItems" | "dependentRequired" => {}
                other => panic!("`{other}` is a word that the check does not know yet"),
            }
        }
    }

    /// Whether the schema names its members; otherwise it allows any.
    fn is_named(&self) -> bool {
        !self.properties.is_empty()
    }
}

/// The schema that a `$ref` refers to.
pub(crate) fn referred<'a>(document: &'a Value, reference: &Value) -> &'a Value {
    let pointer = reference.as_str().expect("a reference").trim_start_matches('#');
    document.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not in the document"))
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        text => text.as_str().into_iter().collect(),
    }
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("`{other}` is a type that the check does not know yet"),
    }
}

#[test]
fn a_schema_finds_what_does_not_fit() {
    use serde_json::json;
    let document = json!({"components": {"schemas": {
        "Base": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
        "Thing": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {
            "tags": {"type": ["array", "null"], "items": {"type": "string"}}, "more": {"type": "object"}}}]},
    }}});
    let thing = json!({"$ref": "#/components/schemas/Thing"});
    let found = |value| faults(&document, &thing, &value);
    assert!(found(json!({"id": "a", "tags": ["x"], "more": {"any": 1}})).is_empty());
    assert!(found(json!({"id": "a", "tags": null})).is_empty());
    assert_eq!(found(json!({"tags": [1]})), [": `id` is missing", ".tags[0]: 1 is not string"]);
    assert_eq!(found(json!({"id": null, "other": 1})), [".id: null is not string", ": `other` is not in the schema"]);
}
