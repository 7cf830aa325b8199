//! The query protocol: parameters in a form or a query string, answers in XML. EC2 has a variant of the answers.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::xml::Element;
use crate::lab::refusal::Row;

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
}

/// The decoded parameters of a query string or form. `+` is a space.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let decoded = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    raw_pairs(text).map(|(name, value)| (decoded(name), decoded(value))).collect()
}

/// The decoded parameters as bytes, for signatures: bytes that are not UTF-8 stay unchanged.
pub(crate) fn raw_pairs(text: &str) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> + '_ {
    text.split('&').filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> Vec<u8> {
    let spaced = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    percent_decode(spaced.as_bytes()).collect()
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
