//! XML documents of answers.

use quick_xml::escape::escape;

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
            Content::Text(_) => self.content = Content::Children(more.into_iter().collect()),
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

    fn write(&self, to: &mut String) {
        to.push('<');
        to.push_str(&self.name);
        if let Some(namespace) = &self.namespace {
            to.push_str(&format!(" xmlns=\"{}\"", escape(namespace)));
        }
        to.push('>');
        match &self.content {
            Content::Text(text) => to.push_str(&escape(printable(text))),
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
