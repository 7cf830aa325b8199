//! Listeners, TLS, limits, graceful stop.

use super::body::BodyLimit;
use super::health::MetricsAccess;
use super::metrics::Metrics;
use super::openapi::Document;
use super::tcp::Connections;
use super::{routes, trace};
use crate::service::Services;
use actix_web::dev::ServerHandle;
use actix_web::middleware::{NormalizePath, from_fn};
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

/// What a server needs besides the services.
pub struct ServerOptions {
    pub listener: TcpListener,
    pub tls: rustls::ServerConfig,
    pub workers: usize,
    /// The largest body that is taken, in bytes.
    pub body_limit: usize,
    /// How long a client may take.
    pub timeouts: Timeouts,
    /// How long accepted requests may take after the stop was asked for.
    pub shutdown_seconds: u64,
    /// Connections at once, of all workers together.
    pub max_connections: usize,
    pub metrics: MetricsAccess,
}

/// How long the server waits for a client.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub handshake: Duration,
    /// For the head of a request.
    pub head: Duration,
    pub body: Duration,
    /// For the next request on a connection that is kept.
    pub idle: Duration,
    /// For an answer to be read.
    pub answer: Duration,
    /// For the client's side of a connection to be closed.
    pub disconnect: Duration,
}

pub struct Server {
    /// Where it listens in truth.
    pub address: SocketAddr,
    /// By which it is stopped.
    pub handle: ServerHandle,
}

/// Starts the server; the future is done when it has stopped.
///
/// # Errors
/// When the listener cannot be used.
pub fn start(
    services: Services,
    options: ServerOptions,
) -> std::io::Result<(Server, impl Future<Output = std::io::Result<()>> + use<>)> {
    let address = options.listener.local_addr()?;
    let (services, metrics) = (Data::new(services), Data::new(Metrics::new(options.metrics)));
    let document = Data::new(Document::of(&routes::endpoint_groups())?);
    let limit = BodyLimit { bytes: options.body_limit, time: options.timeouts.body };
    let Timeouts { head, idle, answer, .. } = options.timeouts;
    let connections = Connections::allowed(answer + idle + head);
    tokio::spawn(connections.clone().watch());
    // actix counts for each worker by itself.
    let of_worker = options.max_connections.div_ceil(options.workers.max(1));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(services.clone())
            .app_data(metrics.clone())
            .app_data(document.clone())
            .app_data(limit)
            .app_data(options.metrics)
            .wrap(from_fn(trace::around))
            .wrap(NormalizePath::trim())
            .configure(routes::configure)
    })
    .workers(options.workers)
    .tls_handshake_timeout(options.timeouts.handshake)
    .client_request_timeout(options.timeouts.head)
    .keep_alive(options.timeouts.idle)
    .client_disconnect_timeout(options.timeouts.disconnect)
    .max_connections(of_worker)
    // Those that are silent in their handshakes must not keep others from theirs.
    .max_connection_rate(of_worker)
    .on_connect(move |stream, data| connections.enter(stream, data))
    .shutdown_timeout(options.shutdown_seconds)
    .disable_signals()
    .listen_rustls_0_23(options.listener, options.tls)?
    .run();
    Ok((Server { address, handle: server.handle() }, server))
}
