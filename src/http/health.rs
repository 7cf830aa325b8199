//! `/healthz`, `/readyz`, `/metrics`: for those who watch over the service. They need no token, unless the settings ask
//! for one for the figures.

use super::guard::Admitted;
use super::metrics::Metrics;
use crate::service::Services;
use crate::service::access::Administer;
use actix_web::HttpResponse;
use actix_web::web::Data;

/// Who gets the figures of `/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsDoor {
    /// Nobody: there is no such path.
    Closed,
    /// Whoever asks.
    Open,
    /// Whoever shows a token of a member of `admin`.
    ForAdmins,
}

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
    told(&services, &metrics)
}

/// `GET /metrics` where the settings ask for a token.
pub async fn metrics_for_admins(
    _who: Admitted<Administer>,
    services: Data<Services>,
    metrics: Data<Metrics>,
) -> HttpResponse {
    told(&services, &metrics)
}

fn told(services: &Services, metrics: &Metrics) -> HttpResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    HttpResponse::Ok().content_type(kind).body(metrics.text(services))
}
