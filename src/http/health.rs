//! `/healthz`, `/readyz`, `/metrics`: for those who watch over the service. They need no token.

use super::metrics::Metrics;
use crate::service::Services;
use actix_web::HttpResponse;
use actix_web::web::Data;

/// `GET /healthz`: is the program there at all?
pub async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "ok"}))
}

/// `GET /readyz`: does it take changes?
pub async fn ready(services: Data<Services>) -> HttpResponse {
    match services.is_accepting() {
        true => HttpResponse::Ok().json(serde_json::json!({"status": "ready"})),
        false => HttpResponse::ServiceUnavailable()
            .json(serde_json::json!({"status": "the event log has stopped; restart the service"})),
    }
}

/// `GET /metrics`: in the text form that Prometheus reads.
pub async fn metrics(services: Data<Services>, metrics: Data<Metrics>) -> HttpResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    HttpResponse::Ok().content_type(kind).body(metrics.text(&services))
}
