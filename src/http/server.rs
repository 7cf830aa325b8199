//! The server: listener, TLS, limits and graceful shutdown.

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
use crate::listener::{Connections, Sources, Timeouts};
use crate::service::Services;
use actix_http::{HttpService, TlsAcceptorConfig};
use actix_server::ServerBuilder;
use actix_service::{IntoServiceFactory, Service, ServiceFactoryExt, apply_fn_factory, map_config};
use actix_tls::accept::max_concurrent_tls_connect;
use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::App;
use actix_web::dev::{AppConfig, ServerHandle};
use actix_web::middleware::{NormalizePath, from_fn};
use actix_web::rt::net::TcpStream;
use actix_web::web::{Data, ServiceConfig};
use rustix::net::sockopt::set_socket_send_buffer_size;
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
    /// The bound on the connections from one source.
    pub sources: Sources,
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

pub struct Server {
    /// The address of the listener, with the actual port if the settings say port 0.
    pub address: SocketAddr,
    /// Stops the server.
    pub handle: ServerHandle,
}

/// The bytes of an answer that wait in the program for the client to take them; a larger piece waits as a whole.
const WRITE_BUFFER: usize = 16 * 1024;

/// The bytes that wait in the kernel, which doubles this for its own needs.
const SEND_BUFFER: usize = 128 * 1024;

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
    let limit = BodyLimit { bytes: options.body_limit, time: options.timeouts.body };
    let access = options.metrics;
    let console = options.console.take().map(Data::new);
    let console_texts = Data::new(std::mem::take(&mut options.console_texts));
    system::started();
    serve(options, move |config| {
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
    serve(options, move |config| sealed::configure(config, console.as_ref()))
}

fn serve(
    options: ServerOptions,
    configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> std::io::Result<(Server, impl Future<Output = std::io::Result<()>>)> {
    let address = options.listener.local_addr()?;
    let Timeouts { handshake, head, body: _, idle, answer, disconnect } = options.timeouts;
    // Room for a connection of somebody else is made before there is none.
    let crowded = options.max_connections - options.max_connections / 10;
    let connections = Connections::with_timeout_and_room(answer + idle + head, crowded);
    tokio::spawn(connections.clone().watch());
    // Answers that a client does not read fill this buffer of the kernel, for each of its connections.
    set_socket_send_buffer_size(&options.listener, SEND_BUFFER)?;
    // actix applies the limit to each worker separately.
    let max_per_worker = options.max_connections.div_ceil(options.workers.max(1));
    // Clients that stall their handshakes must not block the handshakes of others.
    max_concurrent_tls_connect(max_per_worker);
    let https_only = HttpsOnly(options.https_only);
    let app = move || {
        App::new()
            .app_data(https_only)
            .wrap(from_fn(origin::refuse_foreign))
            .wrap(from_fn(trace::trace_request))
            .wrap(NormalizePath::trim())
            .configure(configure.clone())
    };
    let builder = ServerBuilder::new()
        .workers(options.workers)
        .max_concurrent_connections(max_per_worker)
        .shutdown_timeout(options.shutdown_seconds)
        .disable_signals();
    let (stopping, sources, tls) = (builder.graceful_shutdown_signal(), options.sources, options.tls);
    // `HttpServer` cannot refuse a connection before its handshake, so this is put together from the same parts.
    let server = builder
        .listen("api", options.listener, move || {
            let (stopping, connections, sources) = (stopping.clone(), connections.clone(), sources.clone());
            let admitting = connections.clone();
            let app = app().into_factory().map_err(|error: actix_web::Error| error.error_response());
            let http = HttpService::build()
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                .keep_alive(idle)
                .client_request_timeout(head)
                .client_disconnect_timeout(disconnect)
                .h1_write_buffer_size(WRITE_BUFFER)
                .on_connect_ext(move |stream: &TlsStream<TcpStream>, data| connections.register(stream, data))
                // Nothing reads the scheme or the host in it.
                .finish(map_config(app, |()| AppConfig::default()))
                .rustls_0_23_with_config(tls.clone(), TlsAcceptorConfig::default().handshake_timeout(handshake));
            apply_fn_factory(http, move |stream: TcpStream, http: &_| {
                let admitted = admitting.admit(&stream, &sources);
                let served = admitted.is_some().then(|| Service::call(http, stream));
                async move {
                    let _admitted = admitted;
                    match served {
                        Some(served) => served.await,
                        // The connection is closed.
                        None => Ok(()),
                    }
                }
            })
        })?
        .run();
    Ok((Server { address, handle: server.handle() }, server))
}
