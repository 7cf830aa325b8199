//! `/healthz`, `/readyz`, `/metrics`: for those who watch over the service. They need no token, unless the settings ask
//! for one for the figures.

use super::answer::Json;
use super::describe::{Described, Description};
use super::error::Problem;
use super::guard::Authorized;
use super::metrics::Metrics;
use crate::service::Services;
use crate::service::access::{Administer, RequiredRight};
use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use std::future::{self, Ready};
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

/// Who may read `/metrics`; set when the server starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsAccess {
    /// Nobody: the path answers as one that is not served.
    Closed,
    Open,
    /// Members of `admin`.
    ForAdmins,
}

/// The guard of `/metrics`.
pub struct MetricsReader;

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
pub async fn metrics(_who: MetricsReader, services: Data<Services>, metrics: Data<Metrics>) -> MetricsText {
    MetricsText(metrics.text(&services))
}

impl FromRequest for MetricsReader {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        future::ready(match request.app_data::<MetricsAccess>().unwrap_or(&MetricsAccess::Closed) {
            MetricsAccess::Closed => Err(Problem::NoRoute(request.path().to_owned())),
            MetricsAccess::Open => Ok(Self),
            MetricsAccess::ForAdmins => {
                Authorized::<Administer>::from_request(request, payload).into_inner().map(|_| Self)
            }
        })
    }
}

impl Described for MetricsReader {
    fn describe(to: &mut Description) {
        to.guard = Some(RequiredRight::AsConfigured);
    }
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
