//! A parser for the XML of AWS's query protocol where rusoto has none: errors, and IAM.
//!
//! The input is untrusted. This module limits its depth, the transport its size.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, Event};

/// The reason why a document cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum XmlFault {
    #[error("not UTF-8")]
    NotText,
    #[error("not well-formed XML: {0}")]
    Malformed(String),
    #[error("XML nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    #[error("XML that ends too early")]
    Truncated,
}

const DEPTH_MAX: usize = 32;

/// An element with its text and its children. Attributes are dropped, because the query protocol uses none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// Parses a document and returns its root.
    pub(super) fn parse(body: &[u8]) -> Result<Self, XmlFault> {
        let text = std::str::from_utf8(body).map_err(|_| XmlFault::NotText)?;
        let mut reader = Reader::from_str(text);
        let mut open: Vec<Element> = Vec::new();
        loop {
            let closed = match reader.read_event().map_err(|error| XmlFault::Malformed(error.to_string()))? {
                Event::Start(_) if open.len() == DEPTH_MAX => return Err(XmlFault::TooDeep),
                Event::Start(tag) => {
                    open.push(Self::named(tag.local_name().as_ref()));
                    continue;
                }
                Event::Empty(tag) => Self::named(tag.local_name().as_ref()),
                Event::End(_) => open.pop().ok_or(XmlFault::Truncated)?,
                Event::Text(part) => {
                    add_text(&mut open, &part.xml10_content());
                    continue;
                }
                Event::CData(part) => {
                    add_text(&mut open, &part.xml10_content());
                    continue;
                }
                Event::GeneralRef(reference) => {
                    add_text(&mut open, &resolve(&reference)?);
                    continue;
                }
                Event::Eof => return Err(XmlFault::Truncated),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => continue,
            };
            match open.last_mut() {
                Some(parent) => parent.children.push(closed),
                None => return Ok(closed),
            }
        }
    }

    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The name, without a namespace.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The text, without leading and trailing whitespace.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    /// The first child with this name.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child with this name.
    pub(super) fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).map(Element::text)
    }

    /// All children with this name.
    pub(super) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

fn add_text(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// Resolves character references and the five predefined entities. Entities that a document defines are an error.
fn resolve(reference: &BytesRef<'_>) -> Result<String, XmlFault> {
    let malformed = |what: String| XmlFault::Malformed(what);
    if let Some(character) = reference.resolve_char_ref().map_err(|error| malformed(error.to_string()))? {
        return Ok(character.to_string());
    }
    let name = reference.xml10_content();
    let known = resolve_xml_entity(&name).ok_or_else(|| malformed(format!("unknown entity `{name}`")))?;
    Ok(known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_elements_text_and_references() {
        let root =
            Element::parse(b"<?xml version='1.0'?><a xmlns='x'><b>1 &lt; 2 &#38; <![CDATA[<3>]]></b><b/><c/></a>");
        let root = root.expect("well-formed");
        assert_eq!(root.name(), "a");
        assert_eq!(root.child_text("b"), Some("1 < 2 & <3>"));
        assert_eq!(root.children("b").count(), 2);
        assert_eq!(root.child("d"), None);
    }

    #[test]
    fn rejects_documents_that_are_not_well_formed() {
        for body in ["", "  ", "<a><b></a>", "<a>", "<a>&custom;</a>", "</a>", "{}", "<a", "<a></a"] {
            assert!(Element::parse(body.as_bytes()).is_err(), "{body}");
        }
        assert_eq!(Element::parse(b"\xff"), Err(XmlFault::NotText));
    }

    #[test]
    fn rejects_great_depth_without_recursion() {
        let deep = "<a>".repeat(100_000);
        assert_eq!(Element::parse(deep.as_bytes()), Err(XmlFault::TooDeep));
    }
}
