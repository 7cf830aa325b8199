//! The request's id and span, its line in the log, and its count in the metrics.

use super::metrics::Metrics;
use crate::domain::user::User;
use crate::service::caller::RequestId;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, web::Data};
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

/// The header that carries the id, both ways.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Wraps every request.
///
/// # Errors
/// Those of the handler.
pub async fn around(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let begun = Instant::now();
    let sent = request.headers().get(&X_REQUEST_ID).and_then(|value| value.to_str().ok());
    let id = sent.and_then(RequestId::sane).unwrap_or_else(|| RequestId::from(Uuid::new_v4().to_string().as_str()));
    request.extensions_mut().insert(id.clone());
    let metrics = request.app_data::<Data<Metrics>>().cloned();
    let span = tracing::info_span!(
        "request",
        request_id = id.as_str(),
        method = request.method().as_str(),
        path = request.path()
    );
    let mut response = next.call(request).instrument(span.clone()).await?;
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    span.in_scope(|| note(&response, begun));
    if let Some(metrics) = metrics {
        metrics.count(response.request(), response.status().as_u16(), begun.elapsed());
    }
    Ok(response)
}

/// Changes and failures are for the operator to read; good reads only for the curious.
fn note(response: &ServiceResponse<impl MessageBody>, begun: Instant) {
    let status = response.status();
    let quiet = response.request().method().is_safe() && status.is_success();
    if quiet && !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    let extensions = response.request().extensions();
    let user = extensions.get::<Arc<User>>().map_or("", |user| user.name.as_str());
    let duration_ms = begun.elapsed().as_millis() as u64;
    if quiet {
        tracing::debug!(user, status = status.as_u16(), duration_ms, "answered");
    } else {
        tracing::info!(user, status = status.as_u16(), duration_ms, "answered");
    }
}

/// The id of a request.
pub fn request_id(request: &HttpRequest) -> RequestId {
    request.extensions().get::<RequestId>().cloned().unwrap_or_else(|| RequestId::from("none"))
}
