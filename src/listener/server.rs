//! HTTP/1.1 over TLS on a listener, with the bounds of [`Connections`]. actix's `HttpServer` can neither refuse a
//! connection before its handshake nor read more slowly, so this is put together from the same parts.

use super::Timeouts;
use super::connections::Connections;
use super::paced::Paced;
use super::sources::Sources;
use actix_http::body::MessageBody;
use actix_http::{HttpService, Protocol, Request, Response};
use actix_server::ServerBuilder;
use actix_service::{IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, apply_fn_factory, map_config};
use actix_tls::accept::rustls_0_23::{Acceptor, TlsStream};
use actix_tls::accept::{TlsError, max_concurrent_tls_connect};
use actix_web::dev::{AppConfig, Extensions, ServerHandle};
use actix_web::rt::net::TcpStream;
use rustix::net::sockopt::set_socket_send_buffer_size;
use std::fmt::Debug;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};

/// The bytes of an answer that wait in the program for the client to take them; a larger piece waits as a whole.
const WRITE_BUFFER: usize = 16 * 1024;

/// The bytes that wait in the kernel, which doubles this for its own needs.
const SEND_BUFFER: usize = 128 * 1024;

/// What a server listens on, and its bounds.
pub struct Listening {
    pub listener: TcpListener,
    pub tls: rustls::ServerConfig,
    pub workers: usize,
    pub timeouts: Timeouts,
    /// The time that accepted requests have after the start of a shutdown.
    pub shutdown_seconds: u64,
    /// The largest number of open connections, over all workers.
    pub max_connections: usize,
    /// The bound on the connections from one source; with it, whoever holds most makes room for others when nearly all
    /// are open.
    pub sources: Option<Sources>,
}

/// A running server.
pub struct Server {
    /// The address of the listener, with the actual port if the settings say port 0.
    pub address: SocketAddr,
    /// Stops the server.
    pub handle: ServerHandle,
}

/// Starts a server; the future completes when it has stopped. `on_connect` adds to the data that the requests of a
/// connection see. The function must be called within a tokio runtime.
///
/// # Errors
/// An I/O error of the listener.
pub fn serve<F, I, S, B>(
    listening: Listening,
    app: F,
    on_connect: impl Fn(&mut Extensions) + Clone + Send + 'static,
) -> std::io::Result<(Server, impl Future<Output = std::io::Result<()>>)>
where
    F: Fn() -> I + Clone + Send + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<actix_web::Error>,
    S::InitError: Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    let Listening { listener, mut tls, workers, timeouts, shutdown_seconds, max_connections, sources } = listening;
    let address = listener.local_addr()?;
    let Timeouts { handshake, head, body: _, idle, answer, disconnect } = timeouts;
    let timeout = answer + idle + head;
    let connections = match sources {
        // Room for a connection of somebody else is made before there is none.
        Some(_) => Connections::with_timeout_and_room(timeout, max_connections - max_connections / 10),
        None => Connections::with_timeout(timeout),
    };
    let watcher = tokio::spawn(connections.clone().watch());
    // Answers that a client does not read fill this buffer of the kernel, for each of its connections.
    set_socket_send_buffer_size(&listener, SEND_BUFFER)?;
    // actix applies the limit to each worker separately.
    let max_per_worker = max_connections.div_ceil(workers.max(1));
    // Clients that stall their handshakes must not block the handshakes of others. The limit is one of the process: the
    // last server that starts sets it.
    max_concurrent_tls_connect(max_per_worker);
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut acceptor = Acceptor::new(tls);
    acceptor.set_handshake_timeout(handshake);
    let builder = ServerBuilder::new()
        .workers(workers)
        .max_concurrent_connections(max_per_worker)
        .shutdown_timeout(shutdown_seconds)
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let server = builder
        .listen("https", listener, move || {
            let (stopping, on_connect) = (stopping.clone(), on_connect.clone());
            let (admitting, registering, sources) = (connections.clone(), connections.clone(), sources.clone());
            let app = app().into_factory().map_err(|error| error.into().error_response());
            let http = HttpService::build()
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                .keep_alive(idle)
                .client_request_timeout(head)
                .client_disconnect_timeout(disconnect)
                .h1_write_buffer_size(WRITE_BUFFER)
                .on_connect_ext(move |stream: &Paced<TlsStream<TcpStream>>, data| {
                    on_connect(data);
                    if let Some(connection) = stream.connection() {
                        data.insert(connection.clone());
                    }
                })
                // Nothing reads the scheme or the host in it.
                .finish(map_config(app, |()| AppConfig::default()));
            let https = acceptor
                .clone()
                .map_init_err(|_| ())
                .map_err(TlsError::into_service_error)
                .and_then(move |stream: TlsStream<TcpStream>| {
                    let (connection, peer) = (registering.register(stream.get_ref().0), stream.get_ref().0.peer_addr());
                    async move { Ok((Paced::new(stream, connection), Protocol::Http1, peer.ok())) }
                })
                .and_then(http.map_err(TlsError::Service).map_init_err(|_| ()));
            apply_fn_factory(https, move |stream: TcpStream, https: &_| {
                let admitted = sources.as_ref().map(|sources| admitting.admit(&stream, sources));
                let served = (!matches!(admitted, Some(None))).then(|| Service::call(https, stream));
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
    let handle = server.handle();
    let stopped = async move {
        let result = server.await;
        watcher.abort();
        result
    };
    Ok((Server { address, handle }, stopped))
}
