//! What a sealed server answers: that it runs, and that it is sealed. It has no services and reads no body. The pages of
//! the console are served, so that a browser shows the answer in them.

use super::console::{self, Console};
use super::error::Problem;
use super::health::{StatusView, liveness};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

pub(super) fn configure(config: &mut ServiceConfig, console: Option<&Data<Console>>) {
    config.route("/healthz", web::get().to(liveness));
    config.route("/readyz", web::get().to(readiness));
    match console {
        Some(console) => console::configure(config, console, |_: &HttpRequest| Problem::Sealed),
        None => {
            config.default_service(web::to(sealed));
        }
    }
}

async fn readiness() -> HttpResponse {
    HttpResponse::ServiceUnavailable().json(StatusView { status: "sealed" })
}

async fn sealed() -> Result<HttpResponse, Problem> {
    Err(Problem::Sealed)
}
