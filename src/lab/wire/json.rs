//! The JSON 1.1 protocol: the operation in `X-Amz-Target`, JSON in requests and answers.

use serde_json::{Value, json};

use crate::lab::refusal::Row;

/// The media type of requests and answers.
pub(crate) const MEDIA_TYPE: &str = "application/x-amz-json-1.1";

/// The service's prefix and the operation that an `X-Amz-Target` names, such as (`TrentService`, `CreateKey`).
pub(crate) fn target(header: &str) -> Option<(&str, &str)> {
    header.rsplit_once('.').filter(|(service, operation)| !service.is_empty() && !operation.is_empty())
}

/// The body of an answer; empty for `null`.
pub(crate) fn answer(result: &Value) -> String {
    if result.is_null() { String::new() } else { result.to_string() }
}

/// The body of an error. Without a message AWS omits the member.
pub(crate) fn refusal(row: &Row) -> String {
    if row.message.is_empty() {
        json!({ "__type": row.code }).to_string()
    } else {
        json!({ "__type": row.code, "message": row.message }).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_name_service_and_operation() {
        assert_eq!(target("TrentService.CreateKey"), Some(("TrentService", "CreateKey")));
        assert_eq!(target("CreateKey"), None);
        assert_eq!(target("TrentService."), None);
    }

    #[test]
    fn an_error_without_a_message_has_only_a_type() {
        let row = |message: &str| Row { status: 400, code: "UnknownOperationException", message: message.into() };
        assert_eq!(refusal(&row("")), r#"{"__type":"UnknownOperationException"}"#);
        assert_eq!(refusal(&row("x")), r#"{"__type":"UnknownOperationException","message":"x"}"#);
    }
}
