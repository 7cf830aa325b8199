//! The server of the proxy, with workers of its own, so that nothing that the main server waits for delays a call of AWS.

use super::answer::{Answer, BODY_LIMIT};
use super::error::Refusal;
use super::proxy::Proxy;
use crate::listener::{self, Connection, Listening, Server};
use crate::sigv4::Request;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_LENGTH};
use actix_web::web::{self, BytesMut, Data, Payload};
use actix_web::{App, HttpRequest, HttpResponse};
use chrono::Utc;
use futures_util::StreamExt as _;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider};
use rustls::server::ResolvesServerCert;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// About the length of the head of an answer, in bytes.
const HEAD: u64 = 128;

/// The largest body that is read to its end, and dropped beyond the limit: a client that is still sending does not read
/// an answer, and loses it when the connection ends.
const DISCARD_LIMIT: usize = 4 * BODY_LIMIT;

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
    listening: Listening,
) -> std::io::Result<(Server, impl Future<Output = std::io::Result<()>> + use<>)> {
    let (counted, body) = (proxy.clone(), Data::new(BodyTimeout(listening.timeouts.body)));
    let proxy = Data::new(proxy);
    let app = move || App::new().app_data(proxy.clone()).app_data(body.clone()).default_service(web::to(respond));
    listener::serve(listening, app, move |data| {
        data.insert(counted.connected());
    })
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
    let connection = request.conn_data::<Connection>();
    let _requested = connection.map(Connection::request);
    if let Some(connection) = connection {
        connection.until_writable().await;
    }
    let (serving, receiving) = (connection.map(Connection::serving), connection.map(Connection::receiving));
    let received = tokio::time::timeout(timeout.0, receive(&request, payload)).await.unwrap_or(Received::Incomplete);
    drop(receiving);
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
    if let Some(connection) = connection {
        connection.answered(answer.body.len() as u64 + HEAD);
    }
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
