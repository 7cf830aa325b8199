//! `/healthz`, `/readyz`, `/metrics`: for those who watch over the service. They need no token.

use super::describe::{Described, Description};
use super::metrics::Metrics;
use crate::service::Services;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, Type};

/// How the service is.
#[derive(Serialize, ToSchema)]
#[schema(as = Status)]
pub struct StatusView {
    /// In a word, or with a remedy.
    #[schema(example = "ready")]
    status: &'static str,
}

/// 200 or 503, for those who ask by status only.
pub struct Readiness(bool);

/// The text form that Prometheus reads.
pub struct MetricsText(String);

const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /healthz`: is the program there at all?
pub async fn alive() -> Json<StatusView> {
    Json(StatusView { status: "ok" })
}

/// `GET /readyz`: does it take changes?
pub async fn ready(services: Data<Services>) -> Readiness {
    Readiness(services.is_accepting())
}

/// `GET /metrics`: in the text form that Prometheus reads.
pub async fn metrics(services: Data<Services>, metrics: Data<Metrics>) -> MetricsText {
    MetricsText(metrics.text(&services))
}

impl Responder for Readiness {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let (code, status) = match self.0 {
            true => (StatusCode::OK, "ready"),
            false => (StatusCode::SERVICE_UNAVAILABLE, "the event log has stopped; restart the service"),
        };
        HttpResponse::build(code).json(StatusView { status })
    }
}

impl Described for Readiness {
    fn describe(to: &mut Description) {
        to.answers_json::<StatusView>(200);
        to.answers_json::<StatusView>(503);
    }
}

impl Responder for MetricsText {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().content_type(METRICS_TYPE).body(self.0)
    }
}

impl Described for MetricsText {
    fn describe(to: &mut Description) {
        to.answers_with(200, METRICS_TYPE, Object::with_type(Type::String));
    }
}
