//! The server: listener, TLS, limits and graceful shutdown.

use super::body::BodyLimit;
use super::health::MetricsAccess;
use super::metrics::Metrics;
use super::openapi::Document;
use super::{routes, system, trace};
use crate::listener::{Connections, Timeouts};
use crate::service::Services;
use actix_web::dev::ServerHandle;
use actix_web::middleware::{NormalizePath, from_fn};
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use std::future::Future;
use std::net::{SocketAddr, TcpListener};

/// The options of the server.
pub struct ServerOptions {
    pub listener: TcpListener,
    pub tls: rustls::ServerConfig,
    pub workers: usize,
    /// The largest body, in bytes.
    pub body_limit: usize,
    pub timeouts: Timeouts,
    /// The time that accepted requests have after the start of a shutdown.
    pub shutdown_seconds: u64,
    /// The largest number of open connections, over all workers.
    pub max_connections: usize,
    pub metrics: MetricsAccess,
}

pub struct Server {
    /// The address of the listener, with the actual port if the settings say port 0.
    pub address: SocketAddr,
    /// Stops the server.
    pub handle: ServerHandle,
}

/// Starts the server; the future completes when the server has stopped.
///
/// # Errors
/// An I/O error of the listener.
pub fn start(
    services: Services,
    options: ServerOptions,
) -> std::io::Result<(Server, impl Future<Output = std::io::Result<()>> + use<>)> {
    let address = options.listener.local_addr()?;
    let (services, metrics) = (Data::new(services), Data::new(Metrics::new(options.metrics)));
    let document = Data::new(Document::of(&routes::endpoint_groups())?);
    let limit = BodyLimit { bytes: options.body_limit, time: options.timeouts.body };
    let Timeouts { head, idle, answer, .. } = options.timeouts;
    let connections = Connections::with_timeout(answer + idle + head);
    tokio::spawn(connections.clone().watch());
    // actix applies the limit to each worker separately.
    let max_per_worker = options.max_connections.div_ceil(options.workers.max(1));
    system::started();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(services.clone())
            .app_data(metrics.clone())
            .app_data(document.clone())
            .app_data(limit)
            .app_data(options.metrics)
            .wrap(from_fn(trace::trace_request))
            .wrap(NormalizePath::trim())
            .configure(routes::configure)
    })
    .workers(options.workers)
    .tls_handshake_timeout(options.timeouts.handshake)
    .client_request_timeout(options.timeouts.head)
    .keep_alive(options.timeouts.idle)
    .client_disconnect_timeout(options.timeouts.disconnect)
    .max_connections(max_per_worker)
    // Clients that stall their handshakes must not block the handshakes of others.
    .max_connection_rate(max_per_worker)
    .on_connect(move |stream, data| connections.register(stream, data))
    .shutdown_timeout(options.shutdown_seconds)
    .disable_signals()
    .listen_rustls_0_23(options.listener, options.tls)?
    .run();
    Ok((Server { address, handle: server.handle() }, server))
}
