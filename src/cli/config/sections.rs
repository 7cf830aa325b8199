//! The sections of the settings. `config/claviger.toml` says what each key means to its reader; a test compares the
//! two.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize};

use crate::keyring::MasterKeySource;

/// `[server]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    /// Where the API is served.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// Threads that serve requests; 0: as many as there are processors.
    pub workers: usize,
    /// Connections that are served at a time; more wait.
    pub max_connections: usize,
    /// The largest body of a request, in bytes.
    pub body_limit_bytes: usize,
    /// How long a client may take to send the head of a request, in seconds.
    pub client_request_timeout_seconds: u64,
    /// How long a client may take to send the body of a request, in seconds.
    pub client_body_timeout_seconds: u64,
    /// How long a client may take to read an answer, beyond which it may ask again or be idle.
    pub client_answer_timeout_seconds: u64,
    /// How long a client may take to close its side of a connection, in seconds.
    pub client_disconnect_timeout_seconds: u64,
    /// How long a TLS handshake may take, in seconds.
    pub tls_handshake_timeout_seconds: u64,
    /// How long an idle connection is kept, in seconds.
    pub keep_alive_seconds: u64,
    /// How long accepted requests may take to end after SIGTERM, in seconds.
    pub shutdown_timeout_seconds: u64,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 443)),
            workers: 0,
            max_connections: 2_500,
            body_limit_bytes: 1024 * 1024,
            client_request_timeout_seconds: 10,
            client_body_timeout_seconds: 30,
            client_answer_timeout_seconds: 60,
            client_disconnect_timeout_seconds: 2,
            tls_handshake_timeout_seconds: 5,
            keep_alive_seconds: 75,
            shutdown_timeout_seconds: 10,
        }
    }
}

/// `[tls]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSettings {
    /// A PEM file of the server's certificate and those that lead to its root; with `private_key`, or neither.
    pub certificate: Option<PathBuf>,
    /// A PEM file of the certificate's private key.
    pub private_key: Option<PathBuf>,
    /// Host names and addresses for the certificate that is made where none is configured; empty: this machine's
    /// host name, `localhost` and the loopback addresses.
    pub self_signed_names: Vec<String>,
}

/// `[storage]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageSettings {
    /// The directory of the log, the keyring, and what the program makes for itself.
    pub data_dir: PathBuf,
    /// Memory for pages of the log, in MiB.
    pub cache_mib: u64,
}

impl Default for StorageSettings {
    fn default() -> Self {
        Self { data_dir: PathBuf::from("/var/lib/claviger"), cache_mib: 64 }
    }
}

impl StorageSettings {
    /// The directory of the keyring.
    pub fn keyring_dir(&self) -> PathBuf {
        self.data_dir.join("keyring")
    }
}

/// What kind of place the master key comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MasterKeyKind {
    #[default]
    File,
    Credential,
    /// A passphrase in a file.
    PassphraseFile,
    /// A passphrase in a credential of systemd.
    PassphraseCredential,
}

/// `[master_key]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MasterKeySettings {
    /// What kind of place it comes from.
    pub source: MasterKeyKind,
    /// The file of the key or the passphrase; for a key it may be absent: `master.key` in the data directory.
    pub path: Option<PathBuf>,
    /// The name of the credential.
    pub credential: String,
    /// Whether the file is made, with a random key, for a new data directory.
    pub create: bool,
}

impl Default for MasterKeySettings {
    fn default() -> Self {
        Self { source: MasterKeyKind::File, path: None, credential: "claviger-master-key".to_owned(), create: true }
    }
}

impl MasterKeySettings {
    /// Where the keyring is to take the master key from.
    pub fn source(&self, data_dir: &Path) -> MasterKeySource {
        let path = || self.path.clone().unwrap_or_else(|| data_dir.join("master.key"));
        match self.source {
            MasterKeyKind::File => MasterKeySource::File { path: path(), create: self.create },
            MasterKeyKind::Credential => MasterKeySource::Credential { name: self.credential.clone() },
            MasterKeyKind::PassphraseFile => MasterKeySource::PassphraseFile { path: path() },
            MasterKeyKind::PassphraseCredential => {
                MasterKeySource::PassphraseCredential { name: self.credential.clone() }
            }
        }
    }
}

/// `[passwords]`: Argon2id.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordSettings {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
    /// Hashes that are computed at a time; 0: as many as there are processors.
    pub max_concurrent: usize,
}

impl Default for PasswordSettings {
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1, max_concurrent: 0 }
    }
}

/// `[tokens]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenSettings {
    /// How long a refresh token is good if the client does not say, in seconds; 0: for ever.
    pub refresh_lifetime_seconds: u64,
    /// How long a refresh token may go unused if the client does not say, in seconds; 0: for ever.
    pub refresh_unused_seconds: u64,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self { refresh_lifetime_seconds: 30 * 86_400, refresh_unused_seconds: 7 * 86_400 }
    }
}

/// `[login]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoginSettings {
    /// Whether `admin` must change the first password before anything else.
    pub require_first_password_change: bool,
}

impl Default for LoginSettings {
    fn default() -> Self {
        Self { require_first_password_change: true }
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    Text,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    pub format: LogFormat,
    /// From which level on, for all or by module: `info`, or `info,claviger::aws=debug`.
    pub level: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: LogFormat::Auto, level: "info".to_owned() }
    }
}

/// `[metrics]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsSettings {
    /// Whether `/metrics` is served.
    pub enabled: bool,
    /// Whether it asks for a token.
    pub require_token: bool,
}

impl Default for MetricsSettings {
    fn default() -> Self {
        Self { enabled: true, require_token: false }
    }
}

/// serde's own message for an address names neither the value nor what would be right.
fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    struct Address;

    impl Visitor<'_> for Address {
        type Value = SocketAddr;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an address and a port such as \"0.0.0.0:443\" or \"[::]:443\"")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<SocketAddr, E> {
            text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
        }
    }

    deserializer.deserialize_str(Address)
}
