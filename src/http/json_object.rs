//! JSON objects that clients attach to resources, such as `labels` and `meta`.

use crate::domain::name::JsonText;
use crate::domain::patch::text_too_long;
use crate::domain::refusal::Refusal;
use crate::service::failure::invalid;
use serde_json::Value;

/// Reads a JSON object that a client attaches to a resource, such as `labels` or `meta`.
pub fn read_object(member: &'static str, value: Option<Value>) -> Result<Option<JsonText>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    if !value.is_object() {
        return Err(invalid(member, "must be a JSON object"));
    }
    JsonText::of(&value).map(Some).map_err(|length| text_too_long(member, length))
}

/// The JSON object that a client has attached; an empty object if there is none.
pub fn object_or_empty(attached: Option<&JsonText>) -> Value {
    attached.map_or_else(|| Value::Object(Default::default()), JsonText::value)
}
