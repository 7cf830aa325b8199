//! What a sealed server answers: that it runs, and that it is sealed. It has no services and reads no body.

use super::error::Problem;
use super::health::{StatusView, liveness};
use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};

pub(super) fn configure(config: &mut ServiceConfig) {
    config.route("/healthz", web::get().to(liveness));
    config.route("/readyz", web::get().to(readiness));
    config.default_service(web::to(sealed));
}

async fn readiness() -> HttpResponse {
    HttpResponse::ServiceUnavailable().json(StatusView { status: "sealed" })
}

async fn sealed() -> Result<HttpResponse, Problem> {
    Err(Problem::Sealed)
}
