//! JSON that keeps the order of the members of objects. A name that occurs twice in an object is an error.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn parse(text: &str) -> Result<Json, serde_json::Error> {
        serde_json::from_str(text)
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn object(&self) -> Option<&[(String, Json)]> {
        match self {
            Json::Object(members) => Some(members),
            _ => None,
        }
    }

    /// A text, or a list of texts.
    pub(super) fn texts(&self) -> Option<Vec<&str>> {
        match self {
            Json::Text(one) => Some(vec![one]),
            Json::List(all) => all.iter().map(Json::text).collect(),
            _ => None,
        }
    }

    /// Prints the value in the layout that AWS gives policies.
    pub(super) fn pretty(&self) -> String {
        let mut text = String::new();
        self.print(&mut text, 0);
        text
    }

    fn print(&self, to: &mut String, depth: usize) {
        match self {
            Json::Null => to.push_str("null"),
            Json::Bool(flag) => to.push_str(if *flag { "true" } else { "false" }),
            Json::Number(number) => to.push_str(&number.to_string()),
            Json::Text(text) => to.push_str(&quoted(text)),
            Json::List(all) => {
                to.push('[');
                for (n, item) in all.iter().enumerate() {
                    to.push_str(if n == 0 { " " } else { ", " });
                    item.print(to, depth);
                }
                to.push_str(" ]");
            }
            Json::Object(members) if members.is_empty() => to.push_str("{ }"),
            Json::Object(members) => {
                to.push('{');
                for (n, (name, value)) in members.iter().enumerate() {
                    to.push_str(if n == 0 { "\n" } else { ",\n" });
                    to.extend(std::iter::repeat_n("  ", depth + 1));
                    to.push_str(&quoted(name));
                    to.push_str(" : ");
                    value.print(to, depth + 1);
                }
                to.push('\n');
                to.extend(std::iter::repeat_n("  ", depth));
                to.push('}');
            }
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Json, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Json, E> {
        Ok(Json::Bool(flag))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Json, E> {
        Ok(Number::from_f64(number).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = list.next_element()? {
            all.push(item);
        }
        Ok(Json::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Json>()? {
            if members.iter().any(|(known, _)| *known == name) {
                return Err(de::Error::custom(format!("`{name}` occurs twice")));
            }
            members.push((name, value));
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_occur_once() {
        let text = r#"{"b":[{"x":1},{}],"a":["x","y\n"],"c":true,"d":[]}"#;
        let json = Json::parse(text).expect("JSON");
        let printed = "{\n  \"b\" : [ {\n    \"x\" : 1\n  }, { } ],\n  \"a\" : [ \"x\", \"y\\n\" ],\n  \"c\" : true,\n  \
                       \"d\" : [ ]\n}";
        assert_eq!(json.pretty(), printed);
        assert_eq!(Json::parse(printed).expect("JSON"), json);
        assert!(Json::parse(r#"{"a":1,"a":2}"#).is_err());
    }
}
