//! A change of a forwarder. A member that is `None` stays as it is.

use super::{ForwarderSettings, MessageFormat, Transport};

#[derive(Clone, Debug, Default)]
pub struct ForwarderPatch {
    pub host: Option<String>,
    /// 0 for the default port of the transport.
    pub port: Option<u16>,
    pub transport: Option<Transport>,
    pub format: Option<MessageFormat>,
    pub ca_certificates: Option<String>,
}

impl ForwarderSettings {
    /// Returns the settings after the patch. The default port follows the transport.
    #[must_use]
    pub fn patched(self, patch: ForwarderPatch) -> Self {
        let transport = patch.transport.unwrap_or(self.transport);
        let had_default = self.port == self.transport.default_port();
        let port = match patch.port {
            Some(0) => transport.default_port(),
            Some(port) => port,
            None if had_default => transport.default_port(),
            None => self.port,
        };
        Self {
            host: patch.host.unwrap_or(self.host),
            port,
            transport,
            format: patch.format.unwrap_or(self.format),
            ca_certificates: patch.ca_certificates.unwrap_or(self.ca_certificates),
        }
    }
}
