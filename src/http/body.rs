//! JSON request bodies, read as leniently as the contract says: any content type is accepted, unknown members are
//! ignored, and an empty string (or `null`) for an optional member is the same as no member. Error messages begin with
//! the name of the member.

mod strict;

use self::strict::Strict;
use super::describe::{Described, Description};
use super::error::Problem;
use super::query::quoted;
use crate::domain::name::{NameError, refuse_invisible};
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;
use crate::listener::Connection;
use crate::service::failure::invalid;
use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_ENCODING;
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, Unexpected, Visitor};
use serde_json::Value;
use std::fmt::{self, Display};
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;
use utoipa::ToSchema;
use utoipa::openapi::Required;
use zeroize::Zeroizing;

/// The limits for request bodies; set when the server starts.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimit {
    /// The largest body, in bytes.
    pub bytes: usize,
    /// The time in which the client must send the body.
    pub time: Duration,
}

impl Default for BodyLimit {
    fn default() -> Self {
        Self { bytes: 1024 * 1024, time: Duration::from_secs(30) }
    }
}

/// The JSON object in the body of a request.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = request.app_data::<BodyLimit>().copied().unwrap_or_default();
        let body = read(request, payload.take(), limit);
        Box::pin(async move { Ok(Self(parse(&body.await?)?)) })
    }
}

impl<T: ToSchema + DeserializeOwned> Described for Body<T> {
    fn describe(to: &mut Description) {
        to.takes_json::<T>(Required::True);
        to.reads_body = Some(|body| parse::<T>(body).is_ok());
        to.may_fail(&[400, 408, 413, 415]);
    }
}

/// The JSON object in the body of a request that needs no token. Anybody can send many of these at once, so the body
/// must be short.
pub struct ShortBody<T>(pub T);

/// The largest [`ShortBody`], in bytes.
const SHORT_BODY_MAX: usize = 64 * 1024;

impl<T: DeserializeOwned> FromRequest for ShortBody<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = request.app_data::<BodyLimit>().copied().unwrap_or_default();
        let limit = BodyLimit { bytes: limit.bytes.min(SHORT_BODY_MAX), ..limit };
        let body = read(request, payload.take(), limit);
        Box::pin(async move { Ok(Self(parse(&body.await?)?)) })
    }
}

impl<T: ToSchema + DeserializeOwned> Described for ShortBody<T> {
    fn describe(to: &mut Description) {
        Body::<T>::describe(to);
    }
}

/// The JSON object in the body of a request, if there is one; without a body all members are absent.
pub struct BodyOrNone<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest for BodyOrNone<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = request.app_data::<BodyLimit>().copied().unwrap_or_default();
        let body = read(request, payload.take(), limit);
        Box::pin(async move {
            let body = body.await?;
            Ok(Self(if body.trim_ascii().is_empty() { T::default() } else { parse(&body)? }))
        })
    }
}

impl<T: ToSchema + DeserializeOwned> Described for BodyOrNone<T> {
    fn describe(to: &mut Description) {
        to.takes_json::<T>(Required::False);
        to.reads_body = Some(|body| parse::<T>(body).is_ok());
        to.may_fail(&[400, 408, 413, 415]);
    }
}

/// The `Content-Encoding` of the body; `None` if the body is not encoded.
fn encoding_of(request: &HttpRequest) -> Option<String> {
    let encoding = request.headers().get(CONTENT_ENCODING)?.to_str().unwrap_or("?");
    (!encoding.eq_ignore_ascii_case("identity")).then(|| encoding.chars().take(40).collect())
}

/// Most bodies are shorter.
const FIRST_CAPACITY: usize = 4096;

/// Reads the body of a request. While it is awaited, the connection is read.
fn read(request: &HttpRequest, payload: Payload, limit: BodyLimit) -> impl Future<Output = Read> + 'static {
    let (encoding, receiving) = (encoding_of(request), request.conn_data::<Connection>().map(Connection::receiving));
    async move {
        let _receiving = receiving;
        match encoding {
            Some(encoding) => Err(Problem::BodyEncoded(encoding)),
            None => receive(payload, limit).await,
        }
    }
}

type Read = Result<Zeroizing<Vec<u8>>, Problem>;

async fn receive(mut payload: Payload, limit: BodyLimit) -> Read {
    let body = async {
        let mut body = Zeroizing::new(Vec::with_capacity(FIRST_CAPACITY));
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Problem::BodyCutOff)?;
            let length = body.len() + chunk.len();
            if length > limit.bytes {
                return Err(Problem::BodyTooLarge(limit.bytes));
            }
            if length > body.capacity() {
                // `Vec` would leave its former memory, with the secrets in it, behind.
                let mut larger = Zeroizing::new(Vec::with_capacity(length.max(2 * body.capacity())));
                larger.extend_from_slice(&body);
                body = larger;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    tokio::time::timeout(limit.time, body).await.unwrap_or(Err(Problem::BodyTooSlow(limit.time.as_secs())))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(body).map_err(|_| Problem::body("the body is not UTF-8"))?;
    if !text.trim_start().starts_with('{') {
        return Err(Problem::body("the body must be a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, inner) = (error.path().to_string(), error.into_inner());
        let is_syntax = !inner.is_data();
        match path.as_str() {
            _ if is_syntax => Problem::body(format!("the body is not JSON: {inner}")),
            "." | "?" => in_flattened(&without_value(&inner.to_string())),
            member => Problem::Body { member: Some(member.to_owned()), problem: without_value(&inner.to_string()) },
        }
    })?;
    json.end().map_err(|error| Problem::body(format!("the body is not JSON: {error}")))?;
    Ok(parsed)
}

/// The problem of a member of a struct that is flattened into the body: its message begins with its name.
fn in_flattened(message: &str) -> Problem {
    let is_name = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match message.split_once(": ").filter(|(member, _)| is_name(member)) {
        Some((member, problem)) => Problem::Body { member: Some(member.to_owned()), problem: problem.to_owned() },
        None => Problem::body(message),
    }
}

/// serde's message without ` at line 1 column 2`, since the message names the member, and without the value, since it
/// may be a secret.
fn without_value(message: &str) -> String {
    let message = message.rfind(" at line ").map_or(message, |at| &message[..at]);
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let kinds = ["invalid type: ", "invalid value: "];
    let Some(at) = kinds.iter().find_map(|kind| Some(found.find(kind)? + kind.len())) else {
        return message.to_owned();
    };
    let expected = match expected {
        "i64" => "a whole number",
        "u16" | "u32" | "u64" | "usize" => "a whole number from 0 on",
        expected => expected,
    };
    let kind = found[at..].find(['`', '"']).map_or(found, |value| found[..at + value].trim_end());
    format!("{kind}, expected {expected}")
}

/// Reads an optional member: absent, `null` and `""` all give `None`.
pub fn optional<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        value => {
            serde_path_to_error::deserialize(Strict(value)).map(Some).map_err(|error| match error.path().to_string() {
                path if path == "." => D::Error::custom(error.into_inner()),
                path => D::Error::custom(format!("{path}: {}", error.into_inner())),
            })
        }
    }
}

/// Reads an optional secret like [`optional`], but straight into memory that is zeroed when it is dropped.
pub fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Zeroizing<String>>, D::Error> {
    from.deserialize_option(SecretVisitor)
}

struct SecretVisitor;

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = Option<Zeroizing<String>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text).filter(|text| !text.is_empty()).map(|text| Zeroizing::new(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        self.visit_str(&Zeroizing::new(text))
    }
}

/// Reads an optional object like [`optional`], without a copy of it in between: it has secrets.
pub fn optional_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    from.deserialize_any(ObjectVisitor(PhantomData))
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        match text {
            "" => Ok(None),
            text => Err(E::invalid_type(Unexpected::Str(text), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }
}

/// Makes a reader like [`optional`] for each member of a struct that is flattened into other bodies. serde does not
/// know the path of such a member, so the reader adds the member's name to errors.
macro_rules! flattened {
    ($($member:ident),* $(,)?) => {$(
        pub(super) fn $member<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
        where
            D: serde::Deserializer<'de>,
            T: serde::de::DeserializeOwned,
        {
            let named = |error| serde::de::Error::custom(format_args!("{}: {error}", stringify!($member)));
            $crate::http::body::optional(from).map_err(named)
        }
    )*};
}

pub(crate) use flattened;

/// Reads a text that can be emptied: absent and `null` give `None`, `""` gives the empty text.
pub fn clearable<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(from)
}

/// The value of a mandatory member.
///
/// # Errors
/// [`Refusal`] if the member is absent.
pub fn required<T>(member: &'static str, value: Option<T>) -> Result<T, Refusal> {
    value.ok_or_else(|| invalid(member, "must be given, and not be empty"))
}

/// Reads a member with the parser of its type.
///
/// # Errors
/// The parser's error, with the name of the member.
pub fn read_as<T, E: Display>(
    member: &'static str,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, Refusal> {
    parse(text).map_err(|problem| invalid(member, problem))
}

/// Reads a member that gives something a name.
///
/// # Errors
/// The problem of the name, with the name of the member.
pub fn read_name<T>(
    member: &'static str,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, NameError>,
) -> Result<T, Refusal> {
    let refused = |problem: NameError| Refusal::name(&problem, member);
    refuse_invisible(text).map_err(refused)?;
    parse(text).map_err(refused)
}

/// Reads a member that names something that exists. It may be older than a rule for names.
///
/// # Errors
/// The problem of the name, with the name of the member.
pub fn read_known_name<T>(
    member: &'static str,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, NameError>,
) -> Result<T, Refusal> {
    parse(text).map_err(|problem| Refusal::name(&problem, member))
}

/// Reads a member whose value must be one of `words`.
pub fn one_of<T: Clone>(member: &'static str, text: &str, words: &[(&str, T)]) -> Result<T, Refusal> {
    let valid = || quoted(&words.iter().map(|(word, _)| *word).collect::<Vec<_>>());
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| value.clone());
    found.ok_or_else(|| invalid(member, format!("`{}` is not one of {}", excerpt(text), valid())))
}

/// Go's zero time: clients in Go send it for a time that their user did not give.
const GO_ZERO_SECONDS: i64 = -62_135_596_800;

/// Reads a time in the format of RFC 3339; `None` for Go's zero time, `0001-01-01T00:00:00Z`, which means "not given".
///
/// # Errors
/// [`Refusal`] if the text has another format, or the time cannot be kept exactly.
pub fn read_time(member: &'static str, text: &str) -> Result<Option<Time>, Refusal> {
    let problem = "must be a time in the format of RFC 3339, such as 2030-11-05T05:29:17Z";
    let time = chrono::DateTime::parse_from_rfc3339(text).map_err(|_| invalid(member, problem))?.to_utc();
    if time.timestamp() == GO_ZERO_SECONDS && time.timestamp_subsec_nanos() == 0 {
        return Ok(None);
    }
    let exactly = Time::exactly(time).ok_or_else(|| invalid(member, "must be in the years 1678 to 2261"))?;
    Ok(Some(exactly))
}

/// The first 80 characters of a text from a client, for use in an error message.
pub fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Debug, PartialEq)]
    struct Example {
        #[serde(default, deserialize_with = "optional")]
        name: Option<String>,
        #[serde(default, deserialize_with = "optional")]
        regions: Option<Vec<String>>,
        #[serde(default, deserialize_with = "optional")]
        days: Option<i64>,
    }

    fn parsed(body: &[u8]) -> Result<Example, String> {
        parse::<Example>(body).map_err(|problem| problem.to_string())
    }

    #[test]
    fn empty_null_and_absent_are_the_same() {
        let nothing = Ok(Example { name: None, regions: None, days: None });
        assert_eq!(parsed(b"{}"), nothing);
        assert_eq!(parsed(br#" {"name": "", "regions": null, "other": 7}"#), nothing);
    }

    #[test]
    fn errors_name_the_member_and_hide_its_value() {
        assert_eq!(parsed(br#"{"name": 7}"#), Err("name: invalid type: integer, expected a string".to_owned()));
        let regions = parsed(br#"{"regions": ["a", {}]}"#);
        assert_eq!(regions, Err("regions: [1]: invalid type: map, expected a string".to_owned()));
        let days = parsed(br#"{"days": 7.5}"#);
        assert_eq!(days, Err("days: invalid type: floating point, expected a whole number".to_owned()));
        let secrets =
            [r#"{"name": 918273}"#, r#"{"name": -9.182e73}"#, r#"{"name": true}"#, r#"{"regions": "918273"}"#];
        for body in secrets {
            let message = parsed(body.as_bytes()).expect_err("the type is wrong");
            assert!(!message.contains("918") && !message.contains("9.18"), "{message}");
            assert!(message.contains(", expected a s"), "{message}");
        }
        assert_eq!(parsed(b"\xff{}"), Err("the body is not UTF-8".to_owned()));
        assert_eq!(parsed(b"[]"), Err("the body must be a JSON object".to_owned()));
        assert!(parsed(br#"{"name": "a"} x"#).is_err_and(|text| text.starts_with("the body is not JSON")));
        assert!(parsed(br#"{"name": "#).is_err_and(|text| text.starts_with("the body is not JSON")));
    }

    #[test]
    fn a_list_is_not_an_object() {
        #[derive(Deserialize, Debug)]
        struct Outer {
            #[serde(default, deserialize_with = "optional")]
            inner: Option<Example>,
            #[serde(default, deserialize_with = "optional")]
            rows: Option<Vec<Example>>,
        }
        let read = |body: &str| parse::<Outer>(body.as_bytes()).map_err(|problem| problem.to_string());
        let refused = |body: &str| read(body).expect_err("a list stands for an object");
        assert_eq!(refused(r#"{"inner": ["a", null, 7]}"#), "inner: invalid type: sequence, expected an object");
        assert_eq!(refused(r#"{"rows": [["a", null, 7]]}"#), "rows: [0]: invalid type: sequence, expected an object");
        let read = read(r#"{"inner": {"regions": ["b"], "days": 7}, "rows": [{"name": "a"}, {"name": ""}]}"#);
        let Outer { inner, rows } = read.unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(inner, Some(Example { name: None, regions: Some(vec!["b".to_owned()]), days: Some(7) }));
        let names = rows.into_iter().flatten().map(|row| row.name);
        assert_eq!(names.collect::<Vec<_>>(), [Some("a".to_owned()), None]);
    }

    #[actix_web::test]
    async fn an_encoded_body_is_rejected() {
        let sent = |encoding: &'static str| {
            let request = actix_web::test::TestRequest::post().insert_header((CONTENT_ENCODING, encoding));
            let (request, mut payload) = request.set_payload("{}").to_http_parts();
            async move { Body::<Example>::from_request(&request, &mut payload).await.map(|body| body.0) }
        };
        assert!(matches!(sent("gzip").await, Err(Problem::BodyEncoded(encoding)) if encoding == "gzip"));
        assert_eq!(sent("Identity").await.ok(), Some(Example { name: None, regions: None, days: None }));
    }
}
