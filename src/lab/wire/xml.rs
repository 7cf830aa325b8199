//! XML documents of answers.

use chrono::{DateTime, SecondsFormat, Utc};
use quick_xml::escape::escape;
use serde_json::{Map, Value};

/// An element with children or a text.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    name: String,
    namespace: Option<String>,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Text(String),
    Number(i64),
    Time(DateTime<Utc>),
    Children(Vec<Element>),
}

impl Element {
    pub(crate) fn new(name: &str) -> Element {
        Element { name: name.to_owned(), namespace: None, content: Content::Children(Vec::new()) }
    }

    /// An element with a text.
    pub(crate) fn of(name: &str, text: &str) -> Element {
        Element { name: name.to_owned(), namespace: None, content: Content::Text(text.to_owned()) }
    }

    /// An element with a number.
    pub(crate) fn number(name: &str, number: i64) -> Element {
        Element { name: name.to_owned(), namespace: None, content: Content::Number(number) }
    }

    /// An element with a time.
    pub(crate) fn time(name: &str, time: DateTime<Utc>) -> Element {
        Element { name: name.to_owned(), namespace: None, content: Content::Time(time) }
    }

    /// Sets the namespace of the element and its descendants.
    pub(crate) fn namespace(mut self, namespace: &str) -> Element {
        self.namespace = Some(namespace.to_owned());
        self
    }

    /// Adds a child. The child replaces a text.
    pub(crate) fn child(self, child: Element) -> Element {
        self.children([child])
    }

    /// Adds a child with a text.
    pub(crate) fn text(self, name: &str, text: &str) -> Element {
        self.child(Element::of(name, text))
    }

    /// Adds a child with a text, unless the text is `None`.
    pub(crate) fn optional(self, name: &str, text: Option<&str>) -> Element {
        self.children(text.map(|text| Element::of(name, text)))
    }

    pub(crate) fn children(mut self, more: impl IntoIterator<Item = Element>) -> Element {
        match &mut self.content {
            Content::Children(children) => children.extend(more),
            Content::Text(_) | Content::Number(_) | Content::Time(_) => {
                self.content = Content::Children(more.into_iter().collect())
            }
        }
        self
    }

    /// The document with this element as its root.
    pub(crate) fn document(&self) -> String {
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut text);
        text.push('\n');
        text
    }

    /// The content in AWS's JSON: lists have elements `member`, and times are seconds since 1970.
    pub(crate) fn json(&self) -> Value {
        match &self.content {
            Content::Text(text) => Value::from(text.as_str()),
            Content::Number(number) => Value::from(*number),
            Content::Time(time) => Value::from(time.timestamp() as f64),
            Content::Children(children) if children.iter().any(|child| child.name == "member") => {
                children.iter().map(Element::json).collect()
            }
            Content::Children(children) => {
                let members = children.iter().map(|child| (child.name.clone(), child.json()));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }

    fn write(&self, to: &mut String) {
        to.push('<');
        to.push_str(&self.name);
        if let Some(namespace) = &self.namespace {
            to.push_str(&format!(" xmlns=\"{}\"", escape(namespace)));
        }
        to.push('>');
        match &self.content {
            Content::Text(text) => to.push_str(&escape(printable(text))),
            Content::Number(number) => to.push_str(&number.to_string()),
            Content::Time(time) => to.push_str(&time.to_rfc3339_opts(SecondsFormat::Secs, true)),
            Content::Children(children) => children.iter().for_each(|child| child.write(to)),
        }
        to.push_str(&format!("</{}>", self.name));
    }
}

/// Replaces characters that XML 1.0 cannot represent. Error messages quote texts of clients, which may have any.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => c,
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
            _ => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_are_escaped_and_invalid_ones_are_replaced() {
        let document = Element::new("A").namespace("urn:a").text("B", "<&\u{1}>").child(Element::new("C")).document();
        assert!(document.ends_with("<A xmlns=\"urn:a\"><B>&lt;&amp;\u{fffd}&gt;</B><C></C></A>\n"), "{document}");
    }
}
