//! HTTPS requests to proxies: resolution, connections, signatures, time limit, injected faults.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::CONTENT_TYPE;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::failure::ProxyFailure;
use super::{ProxyAccess, SERVICE, tls};
use crate::lab::call_counts::CallCounts;
use crate::lab::fault::{Fault, FaultAnswer, Faults};
use crate::lab::plan::CustomKeyStoreRules;
use crate::sigv4::{Request as Signed, SecretKey, SigningKey};

/// The largest answer of a proxy that KMS reads, in bytes. No valid answer exceeds it.
const MAX_ANSWER_BYTES: usize = 1 << 18;
/// The connections to a host that are kept while they are idle.
const MAX_IDLE: usize = 64;
const JSON: &str = "application/json";

/// The listener of the lab's XKS proxy, to which every endpoint leads.
#[derive(Debug, Clone)]
pub struct XksListener {
    /// A loopback address.
    pub address: SocketAddr,
    /// The certificate of the listener, or those of the authorities that have issued it.
    pub certificates: Vec<CertificateDer<'static>>,
}

/// An answer of a proxy.
#[derive(Debug)]
pub(super) struct Reply {
    pub status: u16,
    /// Whether the media type is JSON.
    pub is_json: bool,
    pub body: Bytes,
}

type Connection = SendRequest<Full<Bytes>>;

/// The client of all proxies.
pub(in crate::lab) struct XksClient {
    listener: RwLock<Option<Listener>>,
    /// Idle connections by host.
    idle: Mutex<HashMap<String, Vec<Connection>>>,
    timeout: Duration,
    unreachable_hosts: Vec<String>,
    check_host_names: bool,
    faults: Arc<Faults>,
    call_counts: Arc<CallCounts>,
}

#[derive(Clone)]
struct Listener {
    address: SocketAddr,
    tls: TlsConnector,
}

impl std::fmt::Debug for XksClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("XksClient").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl XksClient {
    pub(in crate::lab) fn new(
        rules: &CustomKeyStoreRules,
        faults: Arc<Faults>,
        call_counts: Arc<CallCounts>,
    ) -> XksClient {
        XksClient {
            listener: RwLock::default(),
            idle: Mutex::default(),
            timeout: rules.proxy_timeout,
            unreachable_hosts: rules.unreachable_hosts.clone(),
            check_host_names: rules.check_host_names,
            faults,
            call_counts,
        }
    }

    /// Sets the listener to which every endpoint leads from now on.
    ///
    /// # Errors
    /// When its certificates cannot be used.
    pub(in crate::lab) fn set_listener(&self, listener: &XksListener) -> Result<(), rustls::Error> {
        let config = tls::client_config(&listener.certificates, self.check_host_names)?;
        let listener = Listener { address: listener.address, tls: TlsConnector::from(Arc::new(config)) };
        *self.listener.write().unwrap_or_else(PoisonError::into_inner) = Some(listener);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }

    /// Posts a signed request to a proxy. `call` is the part of the path after that of the store, and `name` the name
    /// of the call in faults and counts.
    ///
    /// # Errors
    /// When no answer comes in time.
    pub(super) async fn post(
        &self,
        access: &ProxyAccess,
        region: &str,
        call: &str,
        name: &str,
        body: &Value,
    ) -> Result<Reply, ProxyFailure> {
        self.call_counts.count(&format!("{SERVICE}:{name}"), region);
        let fault = self.faults.take_of_proxy(name, region);
        let answered = async {
            let reply = match fault.as_ref().and_then(simulated) {
                Some(reply) => reply,
                None => self.exchange(access, region, call, body).await?,
            };
            match fault {
                Some(fault) => apply(&fault, reply).await,
                None => Ok(reply),
            }
        };
        tokio::time::timeout(self.timeout, answered).await.unwrap_or(Err(ProxyFailure::TimedOut))
    }

    async fn exchange(
        &self,
        access: &ProxyAccess,
        region: &str,
        call: &str,
        body: &Value,
    ) -> Result<Reply, ProxyFailure> {
        let host = access.host();
        let path = format!("{}{call}", access.path);
        let body = Bytes::from(body.to_string());
        let headers = signed_headers(access, region, &host, &path, &body)?;
        // A connection that was idle may be closed meanwhile; a new one is tried then.
        if let Some(connection) = self.take_idle(&host) {
            match self.send(connection, &host, &path, &headers, &body).await {
                Err(ProxyFailure::Unreachable) => {}
                reply => return reply,
            }
        }
        let connection = self.connect(&host).await?;
        self.send(connection, &host, &path, &headers, &body).await
    }

    async fn connect(&self, host: &str) -> Result<Connection, ProxyFailure> {
        let listener = self.listener.read().unwrap_or_else(PoisonError::into_inner).clone();
        let listener = listener.filter(|_| !self.unreachable_hosts.iter().any(|unreachable| unreachable == host));
        let listener = listener.ok_or(ProxyFailure::Unreachable)?;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| ProxyFailure::Unreachable)?;
        let socket = TcpStream::connect(listener.address).await.map_err(|_| ProxyFailure::Unreachable)?;
        socket.set_nodelay(true).map_err(|_| ProxyFailure::Unreachable)?;
        let stream = listener.tls.connect(name, socket).await.map_err(|_| ProxyFailure::Tls)?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|_| ProxyFailure::Unreachable)?;
        tokio::spawn(async move {
            // The request that fails with the connection reports it.
            let _ = connection.await;
        });
        Ok(sender)
    }

    async fn send(
        &self,
        mut connection: Connection,
        host: &str,
        path: &str,
        headers: &[(&'static str, String)],
        body: &Bytes,
    ) -> Result<Reply, ProxyFailure> {
        let mut request = hyper::Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(body.clone())).map_err(|_| ProxyFailure::Unreachable)?;
        connection.ready().await.map_err(|_| ProxyFailure::Unreachable)?;
        let answer = connection.send_request(request).await.map_err(|error| match error.is_parse() {
            true => ProxyFailure::Malformed,
            false => ProxyFailure::Unreachable,
        })?;
        let status = answer.status().as_u16();
        let media_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_json = media_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(JSON));
        let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await;
        let body = body.map_err(|_| ProxyFailure::Malformed)?.to_bytes();
        self.keep(host, connection);
        Ok(Reply { status, is_json, body })
    }

    fn take_idle(&self, host: &str) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = idle.get_mut(host)?;
        connections.retain(|connection| !connection.is_closed());
        connections.pop()
    }

    fn keep(&self, host: &str, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = idle.entry(host.to_owned()).or_default();
        if connections.len() < MAX_IDLE && !connection.is_closed() {
            connections.push(connection);
        }
    }
}

/// The header fields of a request, with its signature. The time is that of this machine, as the proxy sees it.
fn signed_headers(
    access: &ProxyAccess,
    region: &str,
    host: &str,
    path: &str,
    body: &[u8],
) -> Result<Vec<(&'static str, String)>, ProxyFailure> {
    let mut headers = vec![("host", host.to_owned()), ("content-type", JSON.to_owned())];
    let signed = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes())).collect();
    let request = Signed { method: "POST", path, query: "", headers: signed, body };
    let key = SigningKey::Secret(SecretKey {
        access_key_id: &access.access_key_id,
        secret_access_key: access.secret_access_key.reveal(),
        session_token: None,
    });
    headers.extend(key.sign(&request, region, SERVICE, Utc::now()).map_err(|_| ProxyFailure::Unreachable)?);
    Ok(headers)
}

/// The answer of a fault in place of the proxy's.
fn simulated(fault: &Fault) -> Option<Reply> {
    let (status, name) = match fault.answer? {
        FaultAnswer::Throttle => (429, "ThrottlingException"),
        FaultAnswer::Internal => (500, "InternalException"),
        FaultAnswer::Unavailable => (503, "DependencyTimeoutException"),
        FaultAnswer::Deny => (403, "AccessDeniedException"),
        FaultAnswer::Drop
        | FaultAnswer::Garbage
        | FaultAnswer::WrongCdiv
        | FaultAnswer::ShortPage
        | FaultAnswer::EmptyPage => return None,
    };
    Some(Reply { status, is_json: true, body: json!({ "errorName": name }).to_string().into() })
}

/// Applies a fault to an answer.
async fn apply(fault: &Fault, reply: Reply) -> Result<Reply, ProxyFailure> {
    tokio::time::sleep(fault.delay()).await;
    match fault.answer {
        Some(FaultAnswer::Drop) => Err(ProxyFailure::Unreachable),
        Some(FaultAnswer::Garbage) => Ok(Reply { body: Bytes::from_static(b"\x00{\"garbage\""), ..reply }),
        Some(FaultAnswer::WrongCdiv) => {
            let mut answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            if let Some(value) = answer.get_mut("ciphertextDataIntegrityValue") {
                // The hash of nothing, of the right form.
                *value = json!("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
            }
            Ok(Reply { body: answer.to_string().into(), ..reply })
        }
        _ => Ok(reply),
    }
}
