//! The query protocol: parameters in a form or a query string, answers in XML. EC2 has a variant of the answers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::xml::Element;
use crate::lab::refusal::Row;
use crate::sigv4::query_pairs as pairs;

/// The parameters of a call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Parses the parameters of a query string and of a form.
    pub(crate) fn read(query: &str, form: &[u8]) -> Parameters {
        let mut all = pairs(query);
        // A form that is not UTF-8 is ignored.
        all.extend(std::str::from_utf8(form).map(pairs).unwrap_or_default());
        Parameters(all)
    }

    /// The first value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The values of `<name>.1`, `<name>.2`, … in the order of the numbers.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let mut numbered: Vec<(u32, &str)> = self
            .0
            .iter()
            .filter_map(|(known, value)| {
                let number = known.strip_prefix(name)?.strip_prefix('.')?.parse().ok()?;
                Some((number, value.as_str()))
            })
            .collect();
        numbered.sort_by_key(|(number, _)| *number);
        numbered.into_iter().map(|(_, value)| value).collect()
    }

    /// The structures `<name>.1.<member>`, `<name>.2.<member>`, … in the order of the numbers.
    pub(crate) fn entries(&self, name: &str) -> Vec<BTreeMap<&str, &str>> {
        let mut numbered: BTreeMap<u32, BTreeMap<&str, &str>> = BTreeMap::new();
        for (known, value) in &self.0 {
            let place = known.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')?.split_once('.'));
            if let Some((number, member)) = place
                && let Ok(number) = number.parse()
            {
                numbered.entry(number).or_default().insert(member, value.as_str());
            }
        }
        numbered.into_values().collect()
    }
}

/// The document of an answer of STS or IAM.
pub(crate) fn answer(namespace: &str, operation: &str, result: Vec<Element>, request_id: &str) -> String {
    Element::new(&format!("{operation}Response"))
        .namespace(namespace)
        .child(Element::new(&format!("{operation}Result")).children(result))
        .child(Element::new("ResponseMetadata").text("RequestId", request_id))
        .document()
}

/// The document of an error of STS or IAM.
pub(crate) fn refusal(namespace: &str, row: &Row, request_id: &str) -> String {
    let blame = if row.status < 500 { "Sender" } else { "Receiver" };
    let error = Element::new("Error").text("Type", blame).text("Code", row.code).text("Message", &row.message);
    Element::new("ErrorResponse").namespace(namespace).child(error).text("RequestId", request_id).document()
}

/// The JSON of an answer of STS, for clients that accept JSON only.
pub(crate) fn json_answer(operation: &str, result: Vec<Element>, request_id: &str) -> String {
    let result = Element::new("Result").children(result).json();
    let body = json!({
        format!("{operation}Response"): {
            format!("{operation}Result"): result,
            "ResponseMetadata": { "RequestId": request_id },
        },
    });
    body.to_string()
}

/// The JSON of an error of STS.
pub(crate) fn json_refusal(row: &Row, request_id: &str) -> String {
    let blame = if row.status < 500 { "Sender" } else { "Receiver" };
    let error = json!({ "Code": row.code, "Message": row.message, "Type": blame });
    let body: Value = json!({ "Error": error, "RequestId": request_id });
    body.to_string()
}

/// The document of an answer of EC2.
pub(crate) fn ec2_answer(namespace: &str, operation: &str, result: Vec<Element>, request_id: &str) -> String {
    Element::new(&format!("{operation}Response"))
        .namespace(namespace)
        .text("requestId", request_id)
        .children(result)
        .document()
}

/// The document of an error of EC2.
pub(crate) fn ec2_refusal(row: &Row, request_id: &str) -> String {
    let error = Element::new("Error").text("Code", row.code).text("Message", &row.message);
    Element::new("Response").child(Element::new("Errors").child(error)).text("RequestID", request_id).document()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn parameters_are_decoded_and_lists_follow_their_numbers() {
        let parameters = Parameters::read("Version=1", b"Action=A%2bB+C&N.member.10=x&N.member.2=%C3%A4&Empty=&Bare");
        assert_eq!(parameters.get("Version"), Some("1"));
        assert_eq!(parameters.get("Action"), Some("A+B C"));
        assert_eq!(parameters.get("Empty"), Some(""));
        assert_eq!(parameters.get("Bare"), Some(""));
        assert_eq!(parameters.get("None"), None);
        assert_eq!(parameters.list("N.member"), ["ä", "x"]);
        assert!(Parameters::read("", b"Action=\xff").get("Action").is_none());
        let parameters = Parameters::read("T.member.2.Key=b&T.member.1.Value=1&T.member.1.Key=a&T.member.x.Key=c", b"");
        let entries = parameters.entries("T.member");
        assert_eq!(entries, [BTreeMap::from([("Key", "a"), ("Value", "1")]), BTreeMap::from([("Key", "b")])]);
    }

    #[test]
    fn answers_in_json_have_numbers_and_lists() {
        let credentials = Element::new("Credentials")
            .text("AccessKeyId", "ASIA")
            .child(Element::time("Expiration", DateTime::from_timestamp(1_700_000_000, 0).expect("a time")));
        let list = Element::new("Names").children([Element::of("member", "a"), Element::of("member", "b")]);
        let body = json_answer("Act", vec![credentials, Element::number("Size", 3), list], "id");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        let result = json!({
            "Credentials": { "AccessKeyId": "ASIA", "Expiration": 1_700_000_000.0 }, "Size": 3, "Names": ["a", "b"],
        });
        assert_eq!(body, json!({ "ActResponse": { "ActResult": result, "ResponseMetadata": { "RequestId": "id" } } }));
    }

    #[test]
    fn both_forms_of_errors() {
        let row = Row { status: 403, code: "AccessDenied", message: "a < b & c".into() };
        assert_eq!(
            refusal("urn:x", &row, "id"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ErrorResponse xmlns=\"urn:x\"><Error><Type>Sender</Type>\
             <Code>AccessDenied</Code><Message>a &lt; b &amp; c</Message></Error><RequestId>id</RequestId>\
             </ErrorResponse>\n"
        );
        assert_eq!(
            ec2_refusal(&row, "id"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>AccessDenied</Code>\
             <Message>a &lt; b &amp; c</Message></Error></Errors><RequestID>id</RequestID></Response>\n"
        );
    }
}
