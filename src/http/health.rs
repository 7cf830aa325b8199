//! `/healthz`, `/readyz` and `/metrics`, for monitoring. They need no token, unless the settings require one for
//! `/metrics`.

use super::answer::Json;
use super::describe::{Described, Description};
use super::error::Problem;
use super::guard::Authorized;
use super::metrics::Metrics;
use super::prometheus;
use crate::service::Services;
use crate::service::access::{Administer, RequiredRight};
use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use std::future::{self, Ready};
use std::net::IpAddr;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, Type};

/// The status of the service.
#[derive(Serialize, ToSchema)]
#[schema(as = Status)]
pub struct StatusView {
    /// `ok`, `ready`, or what is wrong and how to fix it.
    #[schema(example = "ready")]
    pub(super) status: &'static str,
}

/// 200 if the service accepts changes, otherwise 503.
pub struct Readiness(bool);

/// Metrics in the text format of OpenMetrics.
pub struct MetricsText(String);

/// The access to `/metrics`; set when the server starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsAccess {
    /// Nobody can read it: the path answers 404.
    Closed,
    /// Programs on this machine can read it without a token, and members of `admin` from elsewhere.
    Loopback,
    /// Everybody can read it, without a token.
    Open,
    /// Members of `admin` can read it.
    ForAdmins,
}

/// The guard of `/metrics`.
pub struct MetricsReader {
    /// Whether the reader has shown a token. Only then what grows with the log is shown, as `Metrics::new` says.
    has_token: bool,
}

/// The guard of the vendor's path for the metrics: the token that its clients enable, or that of a member of `admin`.
pub struct TokenReader;

const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /healthz`: answers as long as the program runs.
pub async fn liveness() -> Json<StatusView> {
    Json(StatusView { status: "ok" })
}

/// `GET /readyz`: answers whether the service accepts changes.
pub async fn readiness(services: Data<Services>) -> Readiness {
    Readiness(services.is_accepting())
}

/// `GET /metrics`: the metrics in the text format of OpenMetrics.
pub async fn metrics(reader: MetricsReader, services: Data<Services>, metrics: Data<Metrics>) -> MetricsText {
    MetricsText(metrics.encode(&services, reader.has_token).await)
}

/// `GET /v1/system/metrics/prometheus`: the same as `/metrics`.
pub async fn metrics_by_token(_reader: TokenReader, services: Data<Services>, metrics: Data<Metrics>) -> MetricsText {
    MetricsText(metrics.encode(&services, true).await)
}

impl FromRequest for MetricsReader {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let by_token = |payload| TokenReader::from_request(request, payload).into_inner();
        let is_local = || request.peer_addr().is_some_and(|peer| is_here(peer.ip()));
        future::ready(match request.app_data::<MetricsAccess>().unwrap_or(&MetricsAccess::Closed) {
            MetricsAccess::Closed => Err(Problem::NoRoute(request.path().to_owned())),
            MetricsAccess::Open => Ok(Self { has_token: by_token(payload).is_ok() }),
            MetricsAccess::Loopback if is_local() => Ok(Self { has_token: by_token(payload).is_ok() }),
            MetricsAccess::Loopback | MetricsAccess::ForAdmins => by_token(payload).map(|_| Self { has_token: true }),
        })
    }
}

impl FromRequest for TokenReader {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        future::ready(match prometheus::has_token(request) {
            true => Ok(Self),
            false => Authorized::<Administer>::from_request(request, payload).into_inner().map(|_| Self),
        })
    }
}

impl Described for TokenReader {
    fn describe(to: &mut Description) {
        to.guard = Some(RequiredRight::AsConfigured);
    }
}

/// Whether an address is of this machine. A listener on `::` sees IPv4 addresses as IPv6 ones.
fn is_here(peer: IpAddr) -> bool {
    peer.to_canonical().is_loopback()
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

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn another_machine_needs_a_token_for_the_metrics() {
        let asked = |peer: &str, access: MetricsAccess| {
            let request = TestRequest::default().peer_addr(peer.parse().expect("an address")).app_data(access);
            MetricsReader::from_request(&request.to_http_request(), &mut Payload::None).into_inner().is_ok()
        };
        assert!(asked("127.0.0.1:9", MetricsAccess::Loopback) && !asked("192.0.2.1:9", MetricsAccess::Loopback));
        assert!(!asked("127.0.0.1:9", MetricsAccess::ForAdmins) && asked("192.0.2.1:9", MetricsAccess::Open));
    }

    #[test]
    fn only_addresses_of_this_machine_are_here() {
        let here = |peer: &str| is_here(peer.parse().expect("an address"));
        assert!(["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"].into_iter().all(here));
        assert!(!["192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1", "2001:db8::1"].into_iter().any(here));
    }
}
