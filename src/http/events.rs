//! The event stream, in the format of server-sent events. A request that does not accept that format by name gets what
//! there is so far, and the answer ends: a reader of all routes must not wait for ever.

use super::answer::Download;
use super::describe::{Described, Description};
use super::error::Problem;
use super::guard::Authorized;
use super::query::members;
use crate::listener::Connection;
use crate::service::Services;
use crate::service::access::SignedIn;
use crate::service::events::{Changed, Piece, Stream};
use crate::service::failure::Failure;
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{Accept, CACHE_CONTROL, Header};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use futures_util::stream;
use serde::Serialize;
use serde_json::json;
use std::fmt::Write;
use std::future::{Ready, ready};
use utoipa::openapi::schema::{Object, Type};

const EVENT_STREAM: &str = "text/event-stream";
const LAST_EVENT_ID: &str = "Last-Event-ID";
/// The milliseconds after which a client comes back when the stream has ended.
const RETRY: u32 = 2000;

/// Where a stream begins.
pub struct Beginning {
    /// The number of the last record that the client knows of; `None` for now.
    after: Option<u64>,
    /// Whether the client wants to be told what comes later.
    follows: bool,
}

impl Beginning {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let given = members(request.query_string());
        let mut values = given.iter().filter(|(name, value)| name == "after" && !value.is_empty());
        let mut after = match (values.next(), values.next()) {
            (None, _) => None,
            (Some((_, value)), None) => Some(number("after", value)?),
            _ => return Err(Problem::query("after", "must be given once")),
        };
        // A client that comes back by itself repeats its first query, with the header in addition.
        if let Some(last) = request.headers().get(LAST_EVENT_ID).filter(|last| !last.is_empty()) {
            after = Some(number(LAST_EVENT_ID, last.to_str().unwrap_or_default())?);
        }
        let accept = Accept::parse(request).unwrap_or_else(|_| Accept::star());
        let follows = accept.iter().any(|range| range.item.essence_str() == EVENT_STREAM);
        Ok(Self { after, follows })
    }
}

fn number(member: &'static str, text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| Problem::query(member, "must be the number of a record, from 0 on"))
}

impl FromRequest for Beginning {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl Described for Beginning {
    fn describe(to: &mut Description) {
        to.may_fail(&[400]);
        let about = "The number of a record: what has changed since is told first. The header `Last-Event-ID` takes \
                     precedence. Without both, the stream begins now.";
        to.queries("after", about, Object::builder().schema_type(Type::Integer).minimum(Some(0i64)).build());
    }
}

/// What a client reads.
pub struct EventStream;

impl Described for EventStream {
    fn describe(to: &mut Description) {
        to.answers_with(200, EVENT_STREAM, event_schema());
    }
}

/// The schema of one event. A description has no form for a sequence of them; tools take this one for each.
fn event_schema() -> Object {
    let member = |kind, about: &str| Object::builder().schema_type(kind).description(Some(about));
    let kinds = Some(["ready", "reset", "change"]);
    let data = "JSON: of `ready` and `reset` the `number` of a record, of `change` what has changed.";
    let retry = "After how many milliseconds to come back when the stream has ended; the first event tells it.";
    Object::builder()
        .description(Some("An event. The answer is a sequence of them, in the format of server-sent events."))
        .property("id", member(Type::String, "The number of a record, for `Last-Event-ID`."))
        .property("event", member(Type::String, "Its kind.").enum_values(kinds))
        .property("data", member(Type::String, data).content_media_type("application/json"))
        .property("retry", member(Type::Integer, retry))
        .required("id")
        .required("event")
        .required("data")
        .build()
}

/// `GET /v1/events`
pub async fn follow(
    auth: Authorized<SignedIn>,
    beginning: Beginning,
    request: HttpRequest,
    services: Data<Services>,
) -> Result<Download<EventStream>, Problem> {
    let mut answer = HttpResponse::Ok();
    // Proxies must not keep what should arrive at once.
    answer
        .content_type(EVENT_STREAM)
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("X-Accel-Buffering", "no"));
    if request.method() == Method::HEAD {
        return Ok(Download::new(answer.finish()));
    }
    let events = services.events.open(&auth.permit, beginning.after, beginning.follows)?;
    let connection = request.conn_data::<Connection>().cloned();
    let pieces = stream::try_unfold((events, connection), |(mut events, connection)| async move {
        let piece = next(&mut events, connection.as_ref()).await?;
        Ok::<_, Failure>(piece.map(|piece| (Bytes::from(text_of(&piece)), (events, connection))))
    });
    Ok(Download::new(answer.streaming(pieces)))
}

/// The next piece. The connection has no timeout while it is waited for; afterwards the client must take the piece in
/// time.
async fn next(events: &mut Stream, connection: Option<&Connection>) -> Result<Option<Piece>, Failure> {
    let _serving = connection.map(Connection::serving);
    events.next().await
}

/// What has changed; `id` is `null` where there is one of the kind only, `many` have changed, or it is a session.
#[derive(Serialize)]
struct ChangedView<'a> {
    kind: &'a str,
    id: Option<&'a str>,
    kms: Option<String>,
    number: u64,
    event: &'a str,
    records: usize,
    many: bool,
}

/// The text of a piece. JSON has no line breaks, which would end a line of the format.
fn text_of(piece: &Piece) -> String {
    let mut text = String::new();
    match piece {
        Piece::Ready { number } => {
            // Writing to a `String` does not fail.
            let _ = writeln!(text, "retry: {RETRY}");
            event(&mut text, "ready", *number, json!({"number": number}).to_string());
        }
        Piece::Reset { number } => {
            let _ = writeln!(text, "retry: {RETRY}");
            event(&mut text, "reset", *number, json!({"number": number}).to_string());
        }
        Piece::Changes { changes, until } => {
            for changed in changes {
                event(&mut text, "change", changed.number, view(changed));
            }
            // An id without data only moves the position.
            let _ = write!(text, "id: {until}\n\n");
        }
        Piece::Heartbeat { number } => {
            let _ = write!(text, ": still here\nid: {number}\n\n");
        }
    }
    text
}

fn event(text: &mut String, name: &str, id: u64, data: String) {
    let _ = write!(text, "id: {id}\nevent: {name}\ndata: {data}\n\n");
}

fn view(changed: &Changed) -> String {
    let Changed { kind, id, kms, number, event, records, many } = changed;
    let kms = kms.map(|kms| kms.to_string());
    let view = ChangedView { kind, id: id.as_deref(), kms, number: *number, event, records: *records, many: *many };
    // Strings and numbers can always be written.
    serde_json::to_string(&view).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_stream_begins_after_the_last_event_of_the_client() {
        let of = |path: &str, last: Option<&str>, accept: &str| {
            let mut request = TestRequest::with_uri(path).append_header(("accept", accept));
            if let Some(last) = last {
                request = request.append_header((LAST_EVENT_ID, last));
            }
            Beginning::of(&request.to_http_request()).map(|beginning| (beginning.after, beginning.follows)).ok()
        };
        assert_eq!(of("/", None, "*/*"), Some((None, false)));
        assert_eq!(of("/?after=7", None, EVENT_STREAM), Some((Some(7), true)));
        assert_eq!(of("/?after=7", Some("9"), "text/event-stream, */*;q=0.1"), Some((Some(9), true)));
        assert_eq!(of("/?after=", Some(""), "application/json"), Some((None, false)));
        for bad in ["/?after=x", "/?after=-1", "/?after=1&after=2"] {
            assert_eq!(of(bad, None, EVENT_STREAM), None, "{bad}");
        }
        assert_eq!(of("/", Some("x"), EVENT_STREAM), None);
    }

    #[test]
    fn pieces_have_the_format_of_server_sent_events() {
        let changed = Changed {
            kind: "key".to_owned(),
            id: Some("a\nb".to_owned()),
            kms: None,
            number: 4,
            event: "OperationDone".into(),
            records: 2,
            many: false,
        };
        let text = text_of(&Piece::Changes { changes: vec![changed], until: 6 });
        let data =
            r#"{"kind":"key","id":"a\nb","kms":null,"number":4,"event":"OperationDone","records":2,"many":false}"#;
        assert_eq!(text, format!("id: 4\nevent: change\ndata: {data}\n\nid: 6\n\n"));
        assert_eq!(text_of(&Piece::Heartbeat { number: 6 }), ": still here\nid: 6\n\n");
        assert!(text_of(&Piece::Reset { number: 6 }).ends_with("id: 6\nevent: reset\ndata: {\"number\":6}\n\n"));
    }
}
