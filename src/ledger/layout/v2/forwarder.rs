//! Forwarders.

use super::primitives::Text;
use crate::domain::forwarder as live;

layout! {
    enum ForwarderEvent<'a> of live::ForwarderEvent {
        Created { settings: ForwarderSettings<'a> },
        Updated { settings: ForwarderSettings<'a> },
        Deleted,
    }
}

layout! {
    struct ForwarderSettings<'a> of live::ForwarderSettings {
        host: Text<'a>,
        port: u16,
        transport: Transport,
        format: MessageFormat,
        ca_certificates: Text<'a>,
    }
}

layout! {
    enum Transport of live::Transport {
        #[serde(rename = "udp")]
        Udp,
        #[serde(rename = "tcp")]
        Tcp,
        #[serde(rename = "tls")]
        Tls,
    }
}

layout! {
    enum MessageFormat of live::MessageFormat {
        #[serde(rename = "rfc5424")]
        Rfc5424,
        #[serde(rename = "plain_message")]
        PlainMessage,
        #[serde(rename = "cef")]
        Cef,
        #[serde(rename = "leef")]
        Leef,
    }
}
