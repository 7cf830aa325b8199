//! The server of the API and of the console.

use super::body::BodyLimit;
use super::change_rate::ChangeRate;
use super::console::Console;
use super::console_info::ConsoleTexts;
use super::health::MetricsAccess;
use super::metrics::Metrics;
use super::openapi::Document;
use super::query_members::QueryMembers;
use super::trace::HttpsOnly;
use super::{origin, routes, sealed, system, trace};
use crate::listener::{self, Listening, Server};
use crate::service::Services;
use actix_web::App;
use actix_web::middleware::{NormalizePath, from_fn};
use actix_web::web::{Data, ServiceConfig};
use std::future::Future;

/// The options of the server.
pub struct ServerOptions {
    pub listening: Listening,
    /// The largest body, in bytes.
    pub body_limit: usize,
    /// The changes that a user can make in a second, over some time; 0 for no bound.
    pub changes_per_second: u32,
    pub metrics: MetricsAccess,
    /// The console; `None` to serve the API alone.
    pub console: Option<Console>,
    /// What the console shows before a sign-in.
    pub console_texts: ConsoleTexts,
    /// Whether browsers are told to use HTTPS only.
    pub https_only: bool,
}

/// Starts the server; the future completes when the server has stopped.
///
/// # Errors
/// An I/O error of the listener.
pub fn start(
    services: Services,
    mut options: ServerOptions,
) -> std::io::Result<(Server, impl Future<Output = std::io::Result<()>> + use<>)> {
    let (services, metrics) = (Data::new(services), Data::new(Metrics::new(options.metrics)));
    let groups = routes::endpoint_groups();
    let (document, query_members) = (Data::new(Document::of(&groups)?), Data::new(QueryMembers::of_all(&groups)));
    let rate = Data::new(ChangeRate::of(options.changes_per_second));
    let limit = BodyLimit { bytes: options.body_limit, time: options.listening.timeouts.body };
    let access = options.metrics;
    let console = options.console.take().map(Data::new);
    let console_texts = Data::new(std::mem::take(&mut options.console_texts));
    system::started();
    serve(options.listening, HttpsOnly(options.https_only), move |config| {
        config
            .app_data(services.clone())
            .app_data(metrics.clone())
            .app_data(document.clone())
            .app_data(query_members.clone())
            .app_data(rate.clone())
            .app_data(limit)
            .app_data(access)
            .app_data(console_texts.clone());
        routes::configure(config, console.as_ref());
    })
}

/// Starts a server that only says that it is sealed, as [`start`].
///
/// # Errors
/// An I/O error of the listener.
pub fn start_sealed(
    mut options: ServerOptions,
) -> std::io::Result<(Server, impl Future<Output = std::io::Result<()>> + use<>)> {
    let console = options.console.take().map(Data::new);
    serve(options.listening, HttpsOnly(options.https_only), move |config| sealed::configure(config, console.as_ref()))
}

fn serve(
    listening: Listening,
    https_only: HttpsOnly,
    configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> std::io::Result<(Server, impl Future<Output = std::io::Result<()>>)> {
    let app = move || {
        App::new()
            .app_data(https_only)
            .wrap(from_fn(origin::refuse_foreign))
            .wrap(from_fn(trace::trace_request))
            .wrap(NormalizePath::trim())
            .configure(configure.clone())
    };
    listener::serve(listening, app, |_| ())
}
