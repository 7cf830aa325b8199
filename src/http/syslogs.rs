//! `configs/syslogs`: the syslog receivers to which audit records are sent, as the vendor's clients manage them.

use super::answer::{Created, Json, NoContent};
use super::body::{Body, excerpt, one_of, optional, read_as, required};
use super::envelope::Envelope;
use super::error::Problem;
use super::guard::Authorized;
use super::paging::{self, List, Listing};
use crate::domain::forwarder::patch::ForwarderPatch;
use crate::domain::forwarder::{Forwarder, MessageFormat, Transport};
use crate::domain::id::ForwarderId;
use crate::domain::refusal::{Bounds, Refusal};
use crate::service::Services;
use crate::service::access::Administer;
use crate::service::failure::{invalid, out_of_range};
use crate::service::forwarding::ForwarderSeen;
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use utoipa::ToSchema;

/// The most bytes of certificate authorities.
const CA_BYTES_MAX: usize = 64 * 1024;

/// A syslog receiver to add or change. A member that is absent keeps its value.
#[derive(Deserialize, ToSchema)]
#[schema(as = SyslogRequest)]
pub struct SyslogBody {
    /// The name or address of the receiver. Required for a new one. The name need not resolve yet.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "syslog.example.org")]
    host: Option<String>,
    /// `udp`, `tcp` or `tls`. Required for a new receiver.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "tls")]
    transport: Option<String>,
    /// The port; 0 for the default of the transport: 514 (`udp`), 601 (`tcp`) or 6514 (`tls`).
    #[serde(default, deserialize_with = "optional")]
    #[schema(minimum = 0, maximum = 65535)]
    port: Option<i64>,
    /// The certificate authorities that the receiver's certificate must be from, in PEM. Required for `tls`.
    #[serde(default, rename = "caCert", deserialize_with = "optional")]
    ca_certificates: Option<String>,
    /// The same as `caCert`.
    #[serde(default, rename = "ca_cert", deserialize_with = "optional")]
    ca_certificates_alias: Option<String>,
    /// `rfc5424` (the default), `plain_message`, `cef` or `leef`.
    #[serde(default, rename = "messageFormat", deserialize_with = "optional")]
    format: Option<String>,
    /// The same as `messageFormat`.
    #[serde(default, rename = "message_format", deserialize_with = "optional")]
    format_alias: Option<String>,
}

/// A syslog receiver.
#[derive(Serialize, ToSchema)]
#[schema(as = Syslog)]
pub struct SyslogView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The name or address of the receiver.
    host: String,
    /// `udp`, `tcp` or `tls`.
    transport: &'static str,
    /// The port.
    port: u16,
    /// The certificate authorities that the receiver's certificate must be from; empty for none.
    #[serde(rename = "caCert")]
    ca_certificates: String,
    /// `rfc5424`, `plain_message`, `cef` or `leef`.
    #[serde(rename = "messageFormat")]
    format: &'static str,
    /// The number of records that do not count as received yet.
    lag: u64,
    /// The time at which something was last sent, since the start of the program.
    #[schema(required = true)]
    last_sent_at: Option<String>,
    /// The last failure, if nothing has been received since.
    #[schema(required = true)]
    error: Option<String>,
}

/// `POST /v1/configs/syslogs`
pub async fn create(
    auth: Authorized<Administer>,
    body: Body<SyslogBody>,
    services: Data<Services>,
) -> Result<Created<SyslogView>, Problem> {
    let patch = body.0.new_one()?;
    let seen = services.forwarding.create(&auth.permit, &auth.context, patch).await?;
    Ok(Created(SyslogView::of(seen)))
}

/// `GET /v1/configs/syslogs`
pub async fn list(
    auth: Authorized<Administer>,
    listing: Listing<Forwarder>,
    services: Data<Services>,
) -> Result<List<SyslogView>, Problem> {
    let page = services.forwarding.list(&auth.permit, &listing.0).await?;
    let forwarding = services.forwarding.clone();
    paging::answer(page, move |forwarder: &Arc<Forwarder>| SyslogView::of(forwarding.seen(forwarder.clone()))).await
}

/// `GET /v1/configs/syslogs/{id}`
pub async fn get(
    auth: Authorized<Administer>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<SyslogView>, Problem> {
    Ok(Json(SyslogView::of(services.forwarding.get(&auth.permit, syslog_id(&id)?)?)))
}

/// `PATCH /v1/configs/syslogs/{id}`
pub async fn update(
    auth: Authorized<Administer>,
    id: Path<String>,
    body: Body<SyslogBody>,
    services: Data<Services>,
) -> Result<Json<SyslogView>, Problem> {
    let (id, patch) = (syslog_id(&id)?, body.0.patch()?);
    Ok(Json(SyslogView::of(services.forwarding.update(&auth.permit, &auth.context, id, patch).await?)))
}

/// `PATCH /v1/configs/syslogs/{id}/{request}`: the vendor's Terraform provider adds an id of the request to the path of
/// its changes. It says nothing.
pub async fn update_by_request(
    auth: Authorized<Administer>,
    path: Path<(String, String)>,
    body: Body<SyslogBody>,
    services: Data<Services>,
) -> Result<Json<SyslogView>, Problem> {
    let (id, patch) = (syslog_id(&path.0)?, body.0.patch()?);
    Ok(Json(SyslogView::of(services.forwarding.update(&auth.permit, &auth.context, id, patch).await?)))
}

/// `DELETE /v1/configs/syslogs/{id}`
pub async fn delete(
    auth: Authorized<Administer>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<NoContent, Problem> {
    services.forwarding.delete(&auth.permit, &auth.context, syslog_id(&id)?).await?;
    Ok(NoContent)
}

fn syslog_id(text: &str) -> Result<ForwarderId, Refusal> {
    read_as("id", text, ForwarderId::parse)
}

impl SyslogBody {
    fn new_one(self) -> Result<ForwarderPatch, Refusal> {
        required("host", self.host.as_ref())?;
        required("transport", self.transport.as_ref())?;
        self.patch()
    }

    fn patch(self) -> Result<ForwarderPatch, Refusal> {
        let transports = Transport::ALL.map(|transport| (transport.name(), transport));
        let formats = MessageFormat::ALL.map(|format| (format.name(), format));
        let ca_certificates = self.ca_certificates.or(self.ca_certificates_alias);
        if ca_certificates.as_ref().is_some_and(|pem| pem.len() > CA_BYTES_MAX) {
            let problem = format!("must not be longer than {CA_BYTES_MAX} bytes");
            return Err(out_of_range("caCert", Bounds::most(CA_BYTES_MAX as u64), &problem));
        }
        Ok(ForwarderPatch {
            host: self.host.map(|host| read_host(&host)).transpose()?,
            port: self.port.map(read_port).transpose()?,
            transport: self.transport.map(|word| one_of("transport", &word, &transports)).transpose()?,
            format: self
                .format
                .or(self.format_alias)
                .map(|word| one_of("messageFormat", &word, &formats))
                .transpose()?,
            ca_certificates,
        })
    }
}

/// Reads a name of DNS, or an address.
fn read_host(host: &str) -> Result<String, Refusal> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    let is_name = host.len() <= 253 && host.strip_suffix('.').unwrap_or(host).split('.').all(is_label);
    match is_name || host.parse::<IpAddr>().is_ok() {
        true => Ok(host.to_owned()),
        false => Err(invalid("host", format!("`{}` is neither a name of DNS nor an IP address", excerpt(host)))),
    }
}

fn read_port(port: i64) -> Result<u16, Refusal> {
    u16::try_from(port).map_err(|_| out_of_range("port", Bounds::between(0, 65_535), "must be from 0 to 65535"))
}

impl SyslogView {
    fn of(seen: ForwarderSeen) -> Self {
        let (forwarder, status) = (seen.forwarder, seen.status);
        let settings = &forwarder.settings;
        Self {
            envelope: Envelope::new(forwarder.id, "admin:syslogs", forwarder.id, forwarder.created, forwarder.updated),
            host: settings.host.clone(),
            transport: settings.transport.name(),
            port: settings.port,
            ca_certificates: settings.ca_certificates.clone(),
            format: settings.format.name(),
            lag: status.lag,
            last_sent_at: status.last_sent.map(|at| at.to_string()),
            error: status.error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for host in ["syslog.example.org", "a", "a_b.example.", "192.0.2.1", "2001:db8::1", "::1"] {
            assert_eq!(read_host(host), Ok(host.to_owned()));
        }
        for host in ["", ".", "a..b", "a b", "a/b", "https://a", "a:514", "[::1]", "é.example", &"a".repeat(254)] {
            assert!(read_host(host).is_err(), "{host}");
        }
    }
}
