//! The middleware that gives each request its id and span, logs it and counts it in the metrics.

use super::error::{Problem, cause};
use super::guard::TriedName;
use super::metrics::Metrics;
use crate::domain::user::User;
use crate::listener::{Answering, Connection};
use crate::service::Services;
use crate::service::audit::Refused;
use crate::service::caller::RequestId;
use crate::service::own_calls;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Uri;
use actix_web::http::header::{
    CACHE_CONTROL, HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

/// The span of a request, made by one of tracing's macros: the level of a span must be known at compile time.
macro_rules! span_of {
    ($level:ident, $request:expr, $id:expr) => {
        tracing::$level!(
            "request",
            request_id = $id.as_str(),
            method = start_of($request.method().as_str(), METHOD_MAX),
            path = start_of($request.path(), PATH_MAX)
        )
    };
}

/// The largest part of a method in the log, in bytes.
const METHOD_MAX: usize = 20;
/// The largest part of a path in the log, in bytes: clients without a token must not be able to fill the log.
const PATH_MAX: usize = 200;

fn start_of(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// The header with the id of the request, in requests and answers.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The middleware around every request.
///
/// # Errors
/// The error of the wrapped service.
pub async fn trace_request(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let _requested = request.conn_data::<Connection>().map(Connection::request);
    let mut serving = None;
    if let Some(connection) = request.conn_data::<Connection>() {
        connection.until_writable().await;
        serving = connection.serving();
        if serving.is_none() {
            // The connection was closed to make room for others just before this request came: nobody reads the answer.
            return Ok(request.into_response(HttpResponse::ServiceUnavailable().finish()));
        }
    }
    if !request.method().is_safe() {
        leave_read_buffer(&mut request);
    }
    let started = Instant::now();
    let sent = request.headers().get(&X_REQUEST_ID).and_then(|value| value.to_str().ok());
    let id = sent.and_then(RequestId::sane).unwrap_or_else(new_id);
    request.extensions_mut().insert(id.clone());
    // The span adds the request's id to all lines that the request logs, at every level of the log. A read logs nothing
    // before its end, and a span would be a considerable part of its cost, so it has one only at level debug.
    let span =
        if request.method().is_safe() { span_of!(debug_span, request, id) } else { span_of!(error_span, request, id) };
    let mut response = own_calls::of_request(next.call(request)).instrument(span.clone()).await?;
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    protect(&mut response);
    note_attempt(&response, &id);
    if is_logged(&response) {
        let span = if span.is_disabled() { span_of!(error_span, response.request(), id) } else { span };
        span.in_scope(|| log(&response, started));
    }
    if let Some(metrics) = response.request().app_data::<Data<Metrics>>() {
        metrics.observe(response.request(), response.status().as_u16(), started.elapsed());
    }
    let response = until_sent(response);
    drop(serving);
    Ok(response)
}

/// Whether answers tell browsers to use HTTPS only for this host.
#[derive(Clone, Copy, Debug)]
pub struct HttpsOnly(pub bool);

/// Adds the headers that every answer has. What says nothing about caches is not stored: answers of the API are for their
/// reader only.
fn protect(response: &mut ServiceResponse<impl MessageBody>) {
    let https_only = response.request().app_data::<HttpsOnly>().is_some_and(|https_only| https_only.0);
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if https_only {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// Copies the head of a request out of the buffer in which it was read together with its body. actix keeps the head for
/// a later request, and would keep the body, which may have secrets, with it.
fn leave_read_buffer(request: &mut ServiceRequest) {
    let head = request.head_mut();
    head.headers.retain(|_, value| {
        if let Ok(copy) = HeaderValue::from_bytes(value.as_bytes()) {
            *value = copy;
        }
        true
    });
    if let Ok(copy) = head.uri.to_string().parse::<Uri>() {
        head.uri = copy.clone();
        request.match_info_mut().get_mut().update(&copy);
    }
}

/// Counts the bytes of the answer, and keeps the connection from counting as idle until a long body is sent.
fn until_sent(response: ServiceResponse<impl MessageBody + 'static>) -> ServiceResponse<BoxBody> {
    let length = match response.response().body().size() {
        BodySize::None => 0,
        BodySize::Sized(length) => length,
        BodySize::Stream => u64::MAX,
    };
    let connection = response.request().conn_data::<Connection>();
    if let Some(connection) = connection {
        connection.answered(length.saturating_add(HEAD));
    }
    let answering = connection.filter(|_| length > SHORT_BODY).map(Connection::answering);
    match answering {
        None => response.map_into_boxed_body(),
        Some(answering) => {
            response.map_body(|_, body| BoxBody::new(SentBody { body: body.boxed(), _answering: answering }))
        }
    }
}

/// About the length of the head of an answer, in bytes.
const HEAD: u64 = 256;

/// The longest body that is written at once, in bytes.
const SHORT_BODY: u64 = 64 * 1024;

struct SentBody {
    body: BoxBody,
    _answering: Answering,
}

impl MessageBody for SentBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(context)
    }
}

/// A new request id: a random number, incremented for each request. A random number for each would cost more than the
/// rest of this middleware.
fn new_id() -> RequestId {
    static FIRST: LazyLock<u128> = LazyLock::new(|| Uuid::new_v4().as_u128());
    static MADE: AtomicU64 = AtomicU64::new(0);
    let next = FIRST.wrapping_add(MADE.fetch_add(1, Ordering::Relaxed).into());
    let id = uuid::Builder::from_random_bytes(next.to_be_bytes()).into_uuid();
    RequestId::from(&*id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
}

fn is_quiet(response: &ServiceResponse<impl MessageBody>) -> bool {
    response.request().method().is_safe() && response.status().is_success()
}

/// Changes and failures are always logged, successful reads only at level debug.
fn is_logged(response: &ServiceResponse<impl MessageBody>) -> bool {
    !is_quiet(response) || tracing::enabled!(tracing::Level::DEBUG)
}

fn log(response: &ServiceResponse<impl MessageBody>, started: Instant) {
    let status = response.status();
    if let Some(problem) = response.response().error().and_then(|error| error.as_error::<Problem>())
        && cause(problem).row.status >= 500
    {
        tracing::error!(error = problem as &dyn std::error::Error, status = status.as_u16(), "request failed");
    }
    let extensions = response.request().extensions();
    let user = extensions.get::<Arc<User>>().map_or("", |user| user.name.as_str());
    let duration_ms = started.elapsed().as_millis() as u64;
    if is_quiet(response) {
        tracing::debug!(user, status = status.as_u16(), duration_ms, "answered");
    } else {
        tracing::info!(user, status = status.as_u16(), duration_ms, "answered");
    }
}

/// Records a request that was refused in the log of failed attempts.
fn note_attempt(response: &ServiceResponse<impl MessageBody>, id: &RequestId) {
    let status = response.status();
    if !status.is_client_error() {
        return;
    }
    let request = response.request();
    let Some(services) = request.app_data::<Data<Services>>() else { return };
    let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
    if matches!(problem, Some(Problem::NoSessionCookie)) {
        // A page asked at its start whether there is a session: nobody attempted anything.
        return;
    }
    let extensions = request.extensions();
    services.audit.attempts.note(&Refused {
        status: status.as_u16(),
        reason: problem.map_or("other", |problem| cause(problem).reason),
        method: request.method().as_str(),
        path: request.path(),
        is_change: !request.method().is_safe(),
        source: request.peer_addr().map(|peer| peer.ip().to_string()).unwrap_or_default(),
        request_id: id.as_str(),
        user: extensions.get::<Arc<User>>().map(AsRef::as_ref),
        tried_name: extensions.get::<TriedName>().map(|name| name.0.as_str()),
    });
}

/// The id of a request.
pub fn request_id(request: &HttpRequest) -> RequestId {
    request.extensions().get::<RequestId>().cloned().unwrap_or_else(|| RequestId::from("none"))
}
