//! Events of every kind for forwarders.

use super::sample::{Form, uuid};
use crate::domain::event::Event;
use crate::domain::forwarder::{ForwarderEvent, ForwarderSettings, MessageFormat, Transport};
use crate::domain::id::ForwarderId;

pub(super) fn every_kind(form: Form) -> Vec<Event> {
    let settings = |transport: Transport, format| ForwarderSettings {
        host: "syslog.example.org".to_owned(),
        port: transport.default_port(),
        transport,
        format,
        ca_certificates: form.text("-----BEGIN CERTIFICATE-----"),
    };
    let events = [
        ForwarderEvent::Created { settings: settings(Transport::Udp, MessageFormat::Rfc5424) },
        ForwarderEvent::Updated { settings: settings(Transport::Tcp, MessageFormat::PlainMessage) },
        ForwarderEvent::Updated { settings: settings(Transport::Tls, MessageFormat::Cef) },
        ForwarderEvent::Updated { settings: settings(Transport::Tls, MessageFormat::Leef) },
    ];
    let id = |number| ForwarderId::new(uuid(number));
    let deleted = [
        Event::Forwarder(id(0xf01), ForwarderEvent::Created { settings: settings(Transport::Tcp, MessageFormat::Cef) }),
        Event::Forwarder(id(0xf01), ForwarderEvent::Deleted),
    ];
    events.into_iter().map(|event| Event::Forwarder(id(0xf00), event)).chain(deleted).collect()
}
