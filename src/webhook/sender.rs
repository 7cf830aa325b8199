//! One attempt to deliver. Every attempt has a connection of its own. The program resolves the name itself, and the
//! connection goes to the addresses that it has checked, so a name that resolves differently a moment later reaches
//! nothing else. Redirects are not followed, and proxy variables of the environment are ignored.

use super::address::{UrlProblem, UrlRules, check_url, is_local};
use super::signature::Secret;
use crate::bounded_file;
use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The time limits of one attempt: for the connection, and in all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(10);

/// The reason why the sender cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    #[error("alarms.ca_bundle: `{}` cannot be read: {source}", path.display())]
    CaBundleUnreadable { path: PathBuf, source: std::io::Error },
    #[error("alarms.ca_bundle: `{}`: a PEM file of certificates is expected", path.display())]
    CaBundleInvalid { path: PathBuf },
    #[error("the HTTP client for webhooks cannot be set up: {0}")]
    Client(String),
}

/// The reason why an attempt failed. No text contains the URL, the secret or the body of an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    #[error("url: {0}")]
    Url(#[from] UrlProblem),
    #[error(
        "the name resolves to an address of this machine or its link, which alarms.allow_local_addresses does not allow"
    )]
    LocalAddress,
    #[error("the name cannot be resolved")]
    Unresolved,
    #[error("it was answered with {0}, a redirect, which is not followed")]
    Redirect(u16),
    #[error("it was answered with {code}; a status from 200 to 299 is expected")]
    Status {
        code: u16,
        /// The time after which the receiver wants the next attempt.
        retry_after: Option<Duration>,
    },
    #[error("there was no answer within {} seconds", TIMEOUT.as_secs())]
    TimedOut,
    #[error("no connection: {0}")]
    NotConnected(String),
    #[error("the connection broke: {0}")]
    Broken(String),
}

impl DeliveryError {
    /// Whether the receiver refuses this delivery, and may accept others. The other errors concern all deliveries.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Status { code, .. } if (400..500).contains(code) && ![408, 425, 429].contains(code))
    }

    /// The time after which the receiver wants the next attempt, if it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::Url(_)
            | Self::LocalAddress
            | Self::Unresolved
            | Self::Redirect(_)
            | Self::TimedOut
            | Self::NotConnected(_)
            | Self::Broken(_) => None,
        }
    }
}

/// A request to deliver.
pub struct Attempt<'a> {
    pub url: &'a str,
    /// The secrets that sign it.
    pub secrets: &'a [Secret],
    /// The id of the delivery, which is the same in every attempt.
    pub id: &'a str,
    /// The time of the attempt, in seconds since 1970.
    pub seconds: i64,
    /// A JSON text.
    pub body: Vec<u8>,
}

/// Sends deliveries. Cheap to clone.
#[derive(Clone)]
pub struct Sender {
    client: Client,
    rules: UrlRules,
}

impl Sender {
    /// Builds the client. It trusts the system's certificate authorities, or those of a PEM file.
    ///
    /// # Errors
    /// [`SenderError`].
    pub fn new(rules: UrlRules, ca_bundle: Option<&Path>) -> Result<Self, SenderError> {
        let builder = || {
            Client::builder()
                .http1_only()
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(TIMEOUT)
                .pool_max_idle_per_host(0)
                .redirect(Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .no_proxy()
                .dns_resolver(Arc::new(CheckedNames { local_addresses: rules.local_addresses }))
                .user_agent(concat!("claviger/", env!("CARGO_PKG_VERSION")))
        };
        let client = match ca_bundle {
            Some(path) => builder().tls_certs_only(certificates(path)?).build(),
            // A system without certificate authorities must still start; https receivers then fail.
            None => builder().build().or_else(|_| builder().tls_certs_only([]).build()),
        };
        Ok(Self { client: client.map_err(|error| SenderError::Client(reason(&error)))?, rules })
    }

    pub fn rules(&self) -> UrlRules {
        self.rules
    }

    /// Makes one attempt, and returns the status of the answer. The body of the answer is not read.
    ///
    /// # Errors
    /// [`DeliveryError`] for any answer other than a success.
    pub async fn send(&self, attempt: Attempt<'_>) -> Result<u16, DeliveryError> {
        let url = check_url(attempt.url, self.rules)?;
        let signatures = attempt.secrets.iter().map(|key| key.signature(attempt.id, attempt.seconds, &attempt.body));
        let signature = signatures.collect::<Vec<_>>().join(" ");
        let request = self.client.post(url).header("content-type", "application/json");
        let request = request
            .header("webhook-id", attempt.id)
            .header("webhook-timestamp", attempt.seconds)
            .header("webhook-signature", signature);
        let response = request.body(attempt.body).send().await.map_err(failure)?;
        match response.status() {
            status if status.is_success() => Ok(status.as_u16()),
            status if status.is_redirection() => Err(DeliveryError::Redirect(status.as_u16())),
            status => {
                let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                let retry_after = header.and_then(|text| wait_in(text, attempt.seconds));
                Err(DeliveryError::Status { code: status.as_u16(), retry_after })
            }
        }
    }
}

/// Reads the value of `Retry-After`: seconds, or a date.
pub(super) fn wait_in(text: &str, now: i64) -> Option<Duration> {
    let date = || chrono::DateTime::parse_from_rfc2822(text).ok().map(|date| date.timestamp().saturating_sub(now));
    let seconds = text.parse::<u32>().ok().map(i64::from).or_else(date)?;
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// Resolves names, and refuses those with a local address.
struct CheckedNames {
    local_addresses: bool,
}

/// The failures of [`CheckedNames`], which reqwest wraps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum NameProblem {
    #[error("a local address")]
    Local,
    #[error("not resolved")]
    Unresolved,
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let allows_local = self.local_addresses;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| NameProblem::Unresolved)?;
            let found: Vec<SocketAddr> = found.collect();
            if found.is_empty() {
                return Err(NameProblem::Unresolved.into());
            }
            // One local address among others is refused too: nobody has an honest reason for such a name.
            if !allows_local && found.iter().any(|address| is_local(address.ip())) {
                return Err(NameProblem::Local.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, SenderError> {
    let unreadable = |source| SenderError::CaBundleUnreadable { path: path.to_owned(), source };
    let pem = bounded_file::read(path, bounded_file::SETTINGS_MAX).map_err(unreadable)?;
    let invalid = || SenderError::CaBundleInvalid { path: path.to_owned() };
    let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|_| invalid())?;
    if found.is_empty() { Err(invalid()) } else { Ok(found) }
}

fn failure(error: reqwest::Error) -> DeliveryError {
    let error = error.without_url();
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(inner) = cause {
        match inner.downcast_ref::<NameProblem>() {
            Some(NameProblem::Local) => return DeliveryError::LocalAddress,
            Some(NameProblem::Unresolved) => return DeliveryError::Unresolved,
            None => cause = inner.source(),
        }
    }
    if error.is_timeout() {
        DeliveryError::TimedOut
    } else if error.is_connect() {
        DeliveryError::NotConnected(reason(&error))
    } else {
        DeliveryError::Broken(reason(&error))
    }
}

/// The text of an error with its causes, of at most 300 characters.
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
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}
