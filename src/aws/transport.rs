//! Sends signed requests: rusoto's dispatch trait on top of reqwest.
//!
//! The transport uses HTTP/1.1 over rustls with timeouts, a connection pool, an optional proxy and an optional CA
//! bundle. rusoto's HTTP and TLS stack is not used. The size of answers is bounded and redirects are not followed. No
//! request is sent twice here; `retry` decides about that.

use crate::bounded_file;
use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Url};
use rusoto_core::proto::xml::util::{Next, XmlParseError, XmlResponse, parse_response};
use rusoto_core::request::{DispatchSignedRequestFuture, HttpResponse};
use rusoto_core::signature::{SignedRequest, SignedRequestPayload};
use rusoto_core::{ByteStream, DispatchSignedRequest, HttpDispatchError, RusotoError};
use serde::de::IgnoredAny;

use super::asker::Asker;
use super::fault::{Fault, Protocol, Redactor, RetryPolicy, sanitize};
use super::operation::{AwsOperation, Service};
use super::settings::AwsSettings;
use super::witness::{AnsweredCall, CallWitness, NoWitness};

/// The reason why the transport cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The CA bundle cannot be read.
    #[error("ca_bundle: `{}` cannot be read: {source}", path.display())]
    CaBundleUnreadable { path: PathBuf, source: std::io::Error },
    /// The CA bundle is not a PEM file of certificates.
    #[error("ca_bundle: `{}` {fault}: a PEM file of certificates is expected", path.display())]
    CaBundleInvalid {
        path: PathBuf,
        /// The fault, as the predicate of a sentence.
        fault: &'static str,
    },
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
}

/// An HTTP answer with any status.
#[derive(Debug)]
pub(super) struct HttpAnswer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl HttpAnswer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The fault that an answer other than a success reports.
    pub(super) fn fault(&self, protocol: Protocol) -> Fault {
        let header = self.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
        Fault::of_error(protocol, self.status, header, &self.body)
    }

    /// The text of the JSON object in the answer. An empty body and `null` count as an empty object.
    pub(super) fn json(&self) -> Result<&[u8], Fault> {
        let body = self.body.trim_ascii();
        if body.is_empty() || body == b"null" {
            return Ok(b"{}");
        }
        let read = serde_json::from_slice::<HashMap<String, IgnoredAny>>(body);
        read.map(|_| body).map_err(|error| Fault::Unintelligible(format!("not a JSON object: {error}")))
    }
}

/// The HTTP client. Clones share the connections.
#[derive(Clone)]
pub(super) struct Transport {
    client: Client,
    redactor: Redactor,
    witness: Arc<dyn CallWitness>,
    /// The call whose attempts it sends, and whether that changes something; `None` if nobody is told of them.
    call: Option<(AwsOperation, bool)>,
}

/// The largest body of an answer. No operation in use exceeds it, but for [`LOG_PAGE_BYTES_MAX`].
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// The largest page of log events: AWS fills it with 1 MiB of events, which JSON escapes, and with members for each.
const LOG_PAGE_BYTES_MAX: usize = 16 << 20;

impl Transport {
    /// Builds the client from settings that have passed `AwsSettings::check`.
    pub(super) fn new(settings: &AwsSettings) -> Result<Self, TransportError> {
        let mut redactor = Redactor::default();
        let proxy = settings.proxy.as_deref().map(|url| proxy(url, &settings.no_proxy, &mut redactor)).transpose()?;
        let builder = || {
            let builder = Client::builder()
                .http1_only()
                .connect_timeout(settings.connect_timeout())
                .read_timeout(settings.read_timeout())
                .pool_idle_timeout(Duration::from_secs(20))
                // An emulator or the lab cloud serves all regions on one host.
                .pool_max_idle_per_host(16 * settings.max_in_flight_per_region as usize)
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .no_proxy()
                .user_agent(concat!("claviger/", env!("CARGO_PKG_VERSION")));
            match &proxy {
                Some(proxy) => builder.proxy(proxy.clone()),
                None => builder,
            }
        };
        let built = match &settings.ca_bundle {
            Some(path) => {
                builder().tls_certs_only(ca_bundle(path)?).build().map_err(|error| match error.is_builder() {
                    true => {
                        TransportError::CaBundleInvalid { path: path.clone(), fault: "holds an invalid certificate" }
                    }
                    false => TransportError::Client(reason(&error)),
                })?
            }
            // A system without CA certificates must still reach the lab cloud, which uses plain HTTP.
            None => builder().build().or_else(|error| {
                tracing::warn!(
                    reason = reason(&error),
                    "no system CA certificates: only http endpoints can be reached"
                );
                builder().tls_certs_only([]).build().map_err(|error| TransportError::Client(reason(&error)))
            })?,
        };
        Ok(Self { client: built, redactor, witness: Arc::new(NoWitness), call: None })
    }

    /// The same transport, which tells of the calls that AWS answers.
    pub(super) fn witnessed_by(self, witness: Arc<dyn CallWitness>) -> Self {
        Self { witness, ..self }
    }

    /// The transport for the attempts of one call.
    pub(super) fn for_call(&self, operation: AwsOperation, policy: RetryPolicy) -> Self {
        let is_change = operation.service == Service::Kms && policy != RetryPolicy::ReadOnly;
        Self { call: Some((operation, is_change)), ..self.clone() }
    }

    const fn answer_bytes_max(&self) -> usize {
        match self.call {
            Some((AwsOperation { service: Service::Logs, .. }, _)) => LOG_PAGE_BYTES_MAX,
            _ => ANSWER_BYTES_MAX,
        }
    }

    /// Sends a signed request once and reads the complete answer.
    pub(super) async fn send(&self, request: SignedRequest) -> Result<HttpAnswer, Fault> {
        self.exchange(request).await.map_err(|fault| fault.redacted(&self.redactor))
    }

    async fn exchange(&self, request: SignedRequest) -> Result<HttpAnswer, Fault> {
        let request = outgoing(request)?;
        let mut response = self.client.execute(request).await.map_err(fault)?;
        if let Some((operation, is_change)) = self.call
            && let Some(id) = response.headers().get("x-amzn-requestid").and_then(|value| value.to_str().ok())
        {
            let (request_id, asker) = (sanitize(id), Asker::current());
            self.witness.answered(AnsweredCall { operation, request_id, is_change, asker }).await;
        }
        let bytes_max = self.answer_bytes_max();
        let too_large = || Fault::Unintelligible(format!("more than {bytes_max} bytes"));
        if response.content_length().is_some_and(|length| length > bytes_max as u64) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(fault)? {
            if body.len() + chunk.len() > bytes_max {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let status = response.status().as_u16();
        Ok(HttpAnswer { status, headers: std::mem::take(response.headers_mut()), body: body.freeze() })
    }
}

fn proxy(url: &str, no_proxy: &[String], redactor: &mut Redactor) -> Result<reqwest::Proxy, TransportError> {
    // The error omits the cause, which may quote the URL with its password.
    let unusable = || TransportError::Client("the proxy's URL cannot be used".to_owned());
    let parsed = Url::parse(url).map_err(|_| unusable())?;
    if let Some(password) = parsed.password() {
        redactor.hide(password);
        redactor.hide(&percent_encoding::percent_decode_str(password).decode_utf8_lossy());
    }
    let excepted = reqwest::NoProxy::from_string(&no_proxy.join(","));
    Ok(reqwest::Proxy::all(parsed).map_err(|_| unusable())?.no_proxy(excepted))
}

fn ca_bundle(path: &Path) -> Result<Vec<reqwest::Certificate>, TransportError> {
    let unreadable = |source| TransportError::CaBundleUnreadable { path: path.to_owned(), source };
    let pem = bounded_file::read(path, bounded_file::SETTINGS_MAX).map_err(unreadable)?;
    let invalid = |fault| TransportError::CaBundleInvalid { path: path.to_owned(), fault };
    let certificates =
        reqwest::Certificate::from_pem_bundle(&pem).map_err(|_| invalid("holds something that is not PEM"))?;
    if certificates.is_empty() { Err(invalid("holds no certificate")) } else { Ok(certificates) }
}

/// Converts a signed request to reqwest's type. Every signed header stays as it was signed.
fn outgoing(signed: SignedRequest) -> Result<reqwest::Request, Fault> {
    let unsendable = |what: &str| Fault::Unsendable(format!("its {what} cannot be put into an HTTP request"));
    let method = Method::from_bytes(signed.method.as_bytes()).map_err(|_| unsendable("method"))?;
    let mut url = format!("{}://{}{}", signed.scheme(), signed.hostname(), signed.canonical_path());
    if !signed.canonical_query_string.is_empty() {
        url.push('?');
        url.push_str(&signed.canonical_query_string);
    }
    let mut request = reqwest::Request::new(method, Url::parse(&url).map_err(|_| unsendable("URL"))?);
    for (name, values) in &signed.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unsendable("headers"))?;
        if name == CONTENT_LENGTH {
            continue; // reqwest sets it from the body
        }
        for value in values {
            let what = if name == AUTHORIZATION { "access key id" } else { name.as_str() };
            let mut value = HeaderValue::from_bytes(value).map_err(|_| unsendable(what))?;
            value.set_sensitive(name == AUTHORIZATION || name == "x-amz-security-token");
            request.headers_mut().append(name.clone(), value);
        }
    }
    *request.body_mut() = match signed.payload {
        None => None,
        Some(SignedRequestPayload::Buffer(bytes)) => Some(bytes.into()),
        Some(SignedRequestPayload::Stream(_)) => return Err(unsendable("stream")),
    };
    Ok(request)
}

fn fault(error: reqwest::Error) -> Fault {
    let error = error.without_url();
    if error.is_connect() && !error.is_timeout() && is_from_tls(&error) {
        Fault::Untrusted(reason(&error))
    } else if error.is_connect() {
        Fault::NotConnected(reason(&error))
    } else if error.is_timeout() {
        Fault::TimedOut
    } else if error.is_builder() {
        Fault::Unsendable(reason(&error))
    } else {
        Fault::ConnectionLost(reason(&error))
    }
}

fn is_from_tls(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return true;
        }
        // `source` of an I/O error skips the error that it wraps, and the connector wraps twice.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref());
        cause = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    false
}

/// The text of an error with its causes, which hold the useful details.
fn reason(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        if !text.ends_with(&part) {
            text = format!("{text}: {part}");
        }
        cause = error.source();
    }
    sanitize(&text)
}

/// The transport for one attempt through one of rusoto's clients.
///
/// rusoto's errors are texts, and its clients parse error answers only in part. The dispatch therefore keeps the
/// [`Fault`] of the attempt, and [`RusotoDispatch::fault_of`] returns it.
#[derive(Clone)]
pub(super) struct RusotoDispatch {
    transport: Transport,
    protocol: Protocol,
    fault: Arc<Mutex<Option<Fault>>>,
}

impl RusotoDispatch {
    pub(super) fn over(transport: &Transport, protocol: Protocol) -> Self {
        Self { transport: transport.clone(), protocol, fault: Arc::default() }
    }

    /// The fault of the attempt, after rusoto's client has failed.
    pub(super) fn fault_of<E>(&self, error: RusotoError<E>) -> Fault {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        fault.unwrap_or_else(|| match error {
            RusotoError::ParseError(reason) => Fault::Unintelligible(sanitize(&reason)),
            _ => Fault::Unintelligible("rusoto cannot read the answer".to_owned()),
        })
    }

    async fn exchange(self, request: SignedRequest) -> Result<HttpResponse, HttpDispatchError> {
        let given_up = |fault: Fault| {
            *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
            HttpDispatchError::new("the attempt failed".to_owned())
        };
        let answer = self.transport.send(request).await.map_err(given_up)?;
        if !answer.is_success() {
            return Err(given_up(answer.fault(self.protocol)));
        }
        let reply =
            || rusoto_response(&answer).ok_or_else(|| given_up(Fault::Unintelligible("an unknown status".to_owned())));
        match self.protocol {
            Protocol::Query => {
                // rusoto's parsers loop forever on a truncated document, so that it must be rejected first.
                let walked = parse_response::<_, std::convert::Infallible>(&mut reply()?, walk).await;
                match walked {
                    Ok(Walked(true)) => reply(),
                    _ => Err(given_up(Fault::Unintelligible("not well-formed XML".to_owned()))),
                }
            }
            // rusoto ignores the body of an operation without a result, so that the page of a proxy would be a success.
            Protocol::Json => match answer.json() {
                Ok(_) => reply(),
                Err(fault) => Err(given_up(fault)),
            },
        }
    }
}

impl DispatchSignedRequest for RusotoDispatch {
    /// The timeout is ignored: `retry` enforces the deadline.
    fn dispatch(&self, request: SignedRequest, _timeout: Option<Duration>) -> DispatchSignedRequestFuture {
        Box::pin(self.clone().exchange(request))
    }
}

/// Whether a document is well-formed and not empty.
#[derive(Default)]
struct Walked(bool);

fn walk(_root: &str, events: &mut XmlResponse<'_>) -> Result<Walked, XmlParseError> {
    let mut seen = false;
    while let Some(event) = events.next() {
        event.map_err(|error| XmlParseError(error.to_string()))?;
        seen = true;
    }
    Ok(Walked(seen))
}

fn rusoto_response(answer: &HttpAnswer) -> Option<HttpResponse> {
    let headers = answer.headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?.to_owned();
        Some((name.as_str().parse().ok()?, value))
    });
    Some(HttpResponse {
        status: answer.status.try_into().ok()?,
        headers: headers.collect(),
        body: ByteStream::from(answer.body.to_vec()),
    })
}

#[cfg(test)]
mod tests;
