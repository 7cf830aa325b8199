//! The listener of the proxy: HTTP/1.1 over TLS, with workers of its own, so that nothing that the main listener waits
//! for delays a call of AWS.

use super::answer::{Answer, BODY_LIMIT};
use super::error::Refusal;
use super::proxy::Proxy;
use crate::listener::{Connection, Connections, Timeouts};
use crate::sigv4::Request;
use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_LENGTH};
use actix_web::web::{self, BytesMut, Data, Payload};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use chrono::Utc;
use futures_util::StreamExt as _;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider};
use rustls::server::ResolvesServerCert;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

/// The largest body that is read to its end, and dropped beyond the limit: a client that is still sending does not read
/// an answer, and loses it when the connection ends.
const DISCARD_LIMIT: usize = 4 * BODY_LIMIT;

/// The options of the server.
pub struct ServerOptions {
    /// A bound listener.
    pub listener: TcpListener,
    /// See [`server_config`].
    pub tls: rustls::ServerConfig,
    pub workers: usize,
    pub timeouts: Timeouts,
    /// The time that accepted calls have after the start of a shutdown.
    pub shutdown_seconds: u64,
    /// The largest number of open connections, over all workers.
    pub max_connections: usize,
}

pub struct Server {
    /// The address of the listener, with the actual port.
    pub address: SocketAddr,
    /// Stops the server.
    pub handle: ServerHandle,
}

/// TLS 1.2 and 1.3 with the cipher suites that AWS KMS has.
///
/// # Errors
/// When rustls rejects its own suites.
pub fn server_config(certificate: Arc<dyn ResolvesServerCert>) -> Result<rustls::ServerConfig, rustls::Error> {
    let cipher_suites = vec![
        cipher_suite::TLS13_AES_256_GCM_SHA384,
        cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ];
    let provider = CryptoProvider { cipher_suites, ..default_provider() };
    let builder = rustls::ServerConfig::builder_with_provider(Arc::new(provider));
    Ok(builder.with_safe_default_protocol_versions()?.with_no_client_auth().with_cert_resolver(certificate))
}

/// Starts the server; the future completes when the server has stopped. The function must be called within a tokio
/// runtime.
///
/// # Errors
/// An I/O error of the listener.
pub fn start(
    proxy: Proxy,
    options: ServerOptions,
) -> std::io::Result<(Server, impl Future<Output = std::io::Result<()>> + use<>)> {
    let address = options.listener.local_addr()?;
    let Timeouts { handshake, head, body, idle, answer, disconnect } = options.timeouts;
    let connections = Connections::with_timeout(answer + idle + head);
    let watcher = tokio::spawn(connections.clone().watch());
    // actix applies the limit to each worker separately.
    let max_per_worker = options.max_connections.div_ceil(options.workers.max(1));
    let counted = proxy.clone();
    let (proxy, body) = (Data::new(proxy), Data::new(BodyTimeout(body)));
    let server = HttpServer::new(move || {
        App::new().app_data(proxy.clone()).app_data(body.clone()).default_service(web::to(respond))
    })
    .workers(options.workers)
    .tls_handshake_timeout(handshake)
    .client_request_timeout(head)
    .keep_alive(idle)
    .client_disconnect_timeout(disconnect)
    .max_connections(max_per_worker)
    // Clients that stall their handshakes must not block the handshakes of others. The limit is one of the process: the
    // last server that starts sets it.
    .max_connection_rate(max_per_worker)
    .on_connect(move |stream, data| {
        connections.register(stream, data);
        data.insert(counted.connected());
    })
    .shutdown_timeout(options.shutdown_seconds)
    .disable_signals()
    .listen_rustls_0_23(options.listener, options.tls)?
    .run();
    let handle = server.handle();
    let stopped = async move {
        let result = server.await;
        watcher.abort();
        result
    };
    Ok((Server { address, handle }, stopped))
}

struct BodyTimeout(Duration);

/// How the reading of a body ended.
enum Received {
    Complete(BytesMut),
    TooLarge,
    /// The body did not arrive in time, or the client has gone.
    Incomplete,
}

async fn respond(
    request: HttpRequest,
    payload: Payload,
    proxy: Data<Proxy>,
    timeout: Data<BodyTimeout>,
) -> HttpResponse {
    let serving = request.conn_data().map(Connection::serving);
    let received = tokio::time::timeout(timeout.0, receive(&request, payload)).await.unwrap_or(Received::Incomplete);
    let (method, path) = (request.method().as_str(), request.path());
    let answer = match received {
        Received::Complete(body) => {
            let query = request.uri().query().unwrap_or_default();
            let header =
                |(name, value): (&actix_web::http::header::HeaderName, &actix_web::http::header::HeaderValue)| {
                    (name.as_str().to_owned(), value.as_bytes().to_vec())
                };
            let headers = request.headers().iter().map(header).collect();
            proxy.answer(&Request { method, path, query, headers, body: &body }, Utc::now())
        }
        Received::TooLarge => proxy.answer_oversized(method, path),
        Received::Incomplete => Answer::closing(&Refusal::validation("the body did not arrive in time")),
    };
    drop(serving);
    rendered(answer)
}

async fn receive(request: &HttpRequest, mut payload: Payload) -> Received {
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > DISCARD_LIMIT as u64) {
        return Received::TooLarge;
    }
    let (mut body, mut length) = (BytesMut::new(), 0);
    while let Some(chunk) = payload.next().await {
        let Ok(chunk) = chunk else { return Received::Incomplete };
        length += chunk.len();
        if length <= BODY_LIMIT {
            body.extend_from_slice(&chunk);
        } else if length > DISCARD_LIMIT {
            break;
        }
    }
    if length > BODY_LIMIT { Received::TooLarge } else { Received::Complete(body) }
}

fn rendered(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.content_type("application/json");
    if answer.allow_post {
        response.insert_header((ALLOW, "POST"));
    }
    if answer.close {
        response.force_close();
    }
    response.body(answer.body)
}
