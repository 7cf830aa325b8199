//! Forwarders: the syslog receivers to which audit records are sent. How far each one has got is not in the log.

pub mod decide;
pub mod patch;
pub mod refusal;

use super::id::ForwarderId;
use super::table::Table;
use super::time::Time;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forwarder {
    pub id: ForwarderId,
    pub settings: ForwarderSettings,
    pub created: Time,
    /// When it was last changed.
    pub updated: Time,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ForwarderSettings {
    /// A name or an address.
    pub host: String,
    pub port: u16,
    pub transport: Transport,
    pub format: MessageFormat,
    /// The certificate authorities that the receiver's certificate must be from, as PEM; empty for none.
    pub ca_certificates: String,
}

/// How messages travel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// The form of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageFormat {
    Rfc5424,
    PlainMessage,
    Cef,
    Leef,
}

impl Transport {
    pub const ALL: [Self; 3] = [Self::Udp, Self::Tcp, Self::Tls];
    pub const NAMES: &'static [&'static str] = &["udp", "tcp", "tls"];

    /// The name that clients use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    /// The port of receivers that name none.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Udp => 514,
            Self::Tcp => 601,
            Self::Tls => 6514,
        }
    }
}

impl MessageFormat {
    pub const ALL: [Self; 4] = [Self::Rfc5424, Self::PlainMessage, Self::Cef, Self::Leef];

    /// The name that clients use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rfc5424 => "rfc5424",
            Self::PlainMessage => "plain_message",
            Self::Cef => "cef",
            Self::Leef => "leef",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ForwarderEvent {
    Created {
        settings: ForwarderSettings,
    },
    Updated {
        /// The complete new settings.
        settings: ForwarderSettings,
    },
    Deleted,
}

#[derive(Clone, Debug)]
pub enum ForwarderCommand {
    Create { id: ForwarderId, settings: ForwarderSettings },
    Update { id: ForwarderId, patch: patch::ForwarderPatch },
    Delete { id: ForwarderId },
}

impl Table<ForwarderId, Forwarder> {
    pub(super) fn apply(&mut self, at: Time, id: ForwarderId, event: &ForwarderEvent) {
        match event {
            ForwarderEvent::Created { settings } => {
                self.insert(id, Forwarder { id, settings: settings.clone(), created: at, updated: at });
            }
            ForwarderEvent::Updated { settings } => self.change(&id, |forwarder| {
                forwarder.settings = settings.clone();
                forwarder.updated = at;
            }),
            ForwarderEvent::Deleted => drop(self.remove(&id)),
        }
    }
}

#[cfg(test)]
mod tests;
