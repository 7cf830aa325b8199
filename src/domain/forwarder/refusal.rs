//! Refusals of forwarders: the message, the kind and the reason of each.

use super::super::refusal::reason::reasons;

/// The maximum number of forwarders.
pub const FORWARDERS_MAX: usize = 64;

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum ForwarderRefusal {
    #[error("syslog receiver `{0}` does not exist")]
    Unknown(String),
    #[error("caCert: must be given for the transport `tls`: the certificate authority of the receiver, as PEM")]
    CaRequired,
    #[error("there are {FORWARDERS_MAX} syslog receivers already, the most that are allowed; delete one first")]
    TooMany,
}

reasons! { ForwarderRefusal =>
    Unknown: Unknown, "syslog_unknown", "There is no such syslog receiver.";
    CaRequired: Invalid of "caCert", "syslog_ca_required", "A syslog receiver with TLS needs a certificate authority.";
    TooMany: Conflict, "syslogs_too_many", "The most syslog receivers that are allowed exist already.";
}
