//! The sections of the settings. `config/claviger.toml` documents each key; a test compares the two.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize};

use crate::keyring::MasterKeySource;

/// `[server]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    /// The address and port of the API.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// The number of threads that serve requests; 0 for one per processor.
    pub workers: usize,
    /// The number of connections that are served at a time; further ones wait.
    pub max_connections: usize,
    /// The number of them that one address (of IPv6, one /64) can have; 0 for a quarter.
    pub max_connections_per_source: usize,
    /// Addresses and networks of proxies and load balancers, which can have all connections.
    pub trusted_proxies: Vec<String>,
    /// The changes that one user can make in a second, over ten seconds; 0 for any number.
    pub changes_per_second: u32,
    /// The largest body of a request, in bytes.
    pub body_limit_bytes: usize,
    /// The time for a client to send the head of a request, in seconds.
    pub client_request_timeout_seconds: u64,
    /// The time for a client to send the body of a request, in seconds.
    pub client_body_timeout_seconds: u64,
    /// The time for a client to read an answer, in seconds.
    pub client_answer_timeout_seconds: u64,
    /// The time for a client to close its side of a connection, in seconds.
    pub client_disconnect_timeout_seconds: u64,
    /// The time for a TLS handshake, in seconds.
    pub tls_handshake_timeout_seconds: u64,
    /// The time after which an idle connection is closed, in seconds.
    pub keep_alive_seconds: u64,
    /// The time for accepted requests to complete after SIGTERM, in seconds.
    pub shutdown_timeout_seconds: u64,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 443)),
            workers: 0,
            max_connections: 2_500,
            max_connections_per_source: 0,
            trusted_proxies: Vec::new(),
            changes_per_second: 100,
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

impl ServerSettings {
    /// The number of connections that one source can have.
    pub fn connections_per_source(&self) -> usize {
        match self.max_connections_per_source {
            0 => self.max_connections.div_ceil(4),
            most => most,
        }
    }

    /// The networks of the trusted proxies.
    ///
    /// # Errors
    /// The text that is neither an address nor a network.
    pub fn trusted_networks(&self) -> Result<Vec<IpNet>, String> {
        let network = |text: &String| {
            let address = || text.parse::<IpAddr>().map(IpNet::from);
            text.parse::<IpNet>().or_else(|_| address()).map_err(|_| text.clone())
        };
        self.trusted_proxies.iter().map(network).collect()
    }
}

/// `[tls]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSettings {
    /// A PEM file of the server's certificate and its intermediate certificates. It requires `private_key`.
    pub certificate: Option<PathBuf>,
    /// A PEM file of the certificate's private key. It requires `certificate`.
    pub private_key: Option<PathBuf>,
    /// Host names and addresses of the self-signed certificate, which is used if no other is configured. If empty, they
    /// are this machine's host name, `localhost` and the loopback addresses.
    pub self_signed_names: Vec<String>,
}

/// `[console]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsoleSettings {
    /// Whether the console is served.
    pub enabled: bool,
    /// A directory with the files of the console, in place of those in the program.
    pub directory: Option<PathBuf>,
    /// The name of the installation, before the sign-in too.
    pub title: Option<String>,
    /// A notice before the sign-in.
    pub notice: Option<String>,
}

impl Default for ConsoleSettings {
    fn default() -> Self {
        Self { enabled: true, directory: None, title: None, notice: None }
    }
}

/// `[xks]`: the proxy that AWS KMS calls for keys of external key stores.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct XksSettings {
    /// The address and port of the proxy; `None` for no proxy.
    #[serde(deserialize_with = "maybe_address")]
    pub listen: Option<SocketAddr>,
    /// A PEM file of the proxy's certificate and its intermediate certificates. It requires `private_key`; without
    /// both, the proxy has the certificate of the API.
    pub certificate: Option<PathBuf>,
    /// A PEM file of the certificate's private key. It requires `certificate`.
    pub private_key: Option<PathBuf>,
    /// The number of threads that serve AWS; 0 for one per processor.
    pub workers: usize,
    /// The number of connections that are served at a time; further ones wait.
    pub max_connections: usize,
    /// The largest number of calls per second for one key store; 0 for no limit.
    pub calls_per_second: u32,
}

impl Default for XksSettings {
    fn default() -> Self {
        Self {
            listen: None,
            certificate: None,
            private_key: None,
            workers: 0,
            max_connections: 2_500,
            calls_per_second: 0,
        }
    }
}

impl XksSettings {
    /// The files of the proxy's own certificate, in the form of the API's settings.
    pub fn tls(&self) -> Option<TlsSettings> {
        let (certificate, private_key) = (self.certificate.clone()?, self.private_key.clone()?);
        Some(TlsSettings {
            certificate: Some(certificate),
            private_key: Some(private_key),
            self_signed_names: Vec::new(),
        })
    }
}

/// `[storage]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageSettings {
    /// The directory of the log, the keyring, and other files that the program creates.
    pub data_dir: PathBuf,
    /// The size of the cache for pages of the log, in MiB.
    pub cache_mib: u64,
}

impl Default for StorageSettings {
    fn default() -> Self {
        Self { data_dir: PathBuf::from("/var/lib/claviger"), cache_mib: 64 }
    }
}

impl StorageSettings {
    pub fn keyring_dir(&self) -> PathBuf {
        self.data_dir.join("keyring")
    }
}

/// The kind of source of the master key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MasterKeyKind {
    #[default]
    File,
    Credential,
    PassphraseFile,
    PassphraseCredential,
    /// A passphrase that `claviger unseal` gives; until then the server is sealed.
    Operator,
}

/// `[master_key]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MasterKeySettings {
    pub source: MasterKeyKind,
    /// The file of the key or the passphrase. For a key the default is `master.key` in the data directory.
    pub path: Option<PathBuf>,
    /// The name of the systemd credential.
    pub credential: String,
    /// Whether to create the file, with a random key, for a new data directory.
    pub create: bool,
}

impl Default for MasterKeySettings {
    fn default() -> Self {
        Self { source: MasterKeyKind::File, path: None, credential: "claviger-master-key".to_owned(), create: true }
    }
}

impl MasterKeySettings {
    /// The file with the master key or its passphrase; `None` if it is not in a file.
    pub fn file(&self, data_dir: &Path) -> Option<PathBuf> {
        match self.source {
            MasterKeyKind::File | MasterKeyKind::PassphraseFile => {
                Some(self.path.clone().unwrap_or_else(|| data_dir.join("master.key")))
            }
            MasterKeyKind::Credential | MasterKeyKind::PassphraseCredential | MasterKeyKind::Operator => None,
        }
    }

    /// Whether the master key is derived from a passphrase.
    pub fn is_passphrase(&self) -> bool {
        match self.source {
            MasterKeyKind::File | MasterKeyKind::Credential => false,
            MasterKeyKind::PassphraseFile | MasterKeyKind::PassphraseCredential | MasterKeyKind::Operator => true,
        }
    }

    /// The source from which the keyring takes the master key.
    pub fn source(&self, data_dir: &Path) -> MasterKeySource {
        let path = || self.path.clone().unwrap_or_else(|| data_dir.join("master.key"));
        match self.source {
            MasterKeyKind::File => MasterKeySource::File { path: path(), create: self.create },
            MasterKeyKind::Credential => MasterKeySource::Credential { name: self.credential.clone() },
            MasterKeyKind::PassphraseFile => MasterKeySource::PassphraseFile { path: path() },
            MasterKeyKind::PassphraseCredential => {
                MasterKeySource::PassphraseCredential { name: self.credential.clone() }
            }
            MasterKeyKind::Operator => MasterKeySource::Operator,
        }
    }
}

/// `[passwords]`: Argon2id.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordSettings {
    /// The memory of one hash, in KiB.
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
    /// The number of hashes that are computed at a time; 0 for one per two processors, at most four.
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
    /// The default lifetime of a refresh token, in seconds; 0 for no limit.
    pub refresh_lifetime_seconds: u64,
    /// The default time after which an unused refresh token expires, in seconds; 0 for no limit.
    pub refresh_unused_seconds: u64,
    /// The days after which the key that signs access tokens is replaced; 0 for never.
    pub rotate_key_days: u32,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self { refresh_lifetime_seconds: 30 * 86_400, refresh_unused_seconds: 7 * 86_400, rotate_key_days: 0 }
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

/// `[schedules]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleSettings {
    /// Whether the deletion of a schedule takes its keys off it, unless the client says otherwise.
    pub release_keys_on_delete: bool,
}

/// `[call_journal]`: the request ids of our calls to AWS.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallJournalSettings {
    /// The most that is kept of calls that change something, in MiB.
    pub changes_mib: u64,
    /// The most that is kept of calls that only read, in MiB.
    pub reads_mib: u64,
    /// The time after which calls are forgotten, in days.
    pub days: u32,
}

impl Default for CallJournalSettings {
    fn default() -> Self {
        Self { changes_mib: 256, reads_mib: 256, days: 400 }
    }
}

/// `[audit]`: the log of failed attempts.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditSettings {
    /// The most that is kept of failed attempts, in MiB.
    pub attempts_mib: u64,
    /// The time after which failed attempts are forgotten, in days.
    pub attempts_days: u32,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self { attempts_mib: 64, attempts_days: 400 }
    }
}

/// `[reports]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportSettings {
    /// The largest number of reports.
    pub max_reports: usize,
    /// The largest size of the rows of one report, in MiB.
    pub report_mib: u64,
    /// The largest size of the rows of all reports, in MiB.
    pub all_mib: u64,
    /// The free space of the disk that reports leave to the log, in MiB.
    pub reserve_mib: u64,
    /// The time after which a report that is not finished ends with an error, in minutes.
    pub time_limit_minutes: u64,
    /// The number of reports that are made at a time.
    pub max_concurrent: usize,
}

impl Default for ReportSettings {
    fn default() -> Self {
        Self {
            max_reports: 1_000,
            report_mib: 2_048,
            all_mib: 10_240,
            reserve_mib: 512,
            time_limit_minutes: 360,
            max_concurrent: 2,
        }
    }
}

/// `[backup]`: the backups that schedules make.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackupSettings {
    /// Where they are; without it, `backups` in the data directory.
    pub directory: Option<PathBuf>,
    /// The recipients of age for whom they are encrypted.
    pub recipients: Vec<String>,
    /// The number of backups of one schedule to keep, unless the schedule has its own.
    pub keep: u32,
    /// The free space of the disk that backups leave, in MiB.
    pub reserve_mib: u64,
}

impl Default for BackupSettings {
    fn default() -> Self {
        Self { directory: None, recipients: Vec::new(), keep: 7, reserve_mib: 512 }
    }
}

/// `[checkpoints]`: signed statements about the log.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckpointSettings {
    /// A directory that gets a copy of each.
    pub directory: Option<PathBuf>,
}

/// `[alarms]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlarmSettings {
    /// Whether webhooks may have addresses of this machine and its link.
    pub allow_local_addresses: bool,
    /// Whether webhooks may use `http`, besides `https`.
    pub allow_http: bool,
    /// A PEM file of the certificate authorities that webhooks trust, in place of the system's.
    pub ca_bundle: Option<PathBuf>,
    /// The time between two checks of the connections in use, in seconds; 0 for no checks.
    pub connection_check_seconds: u64,
}

impl Default for AlarmSettings {
    fn default() -> Self {
        Self { allow_local_addresses: false, allow_http: false, ca_bundle: None, connection_check_seconds: 900 }
    }
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// One JSON object per line.
    Json,
    Text,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    pub format: LogFormat,
    /// The lowest level that is logged, for all modules or by module: `info`, or `info,claviger::aws=debug`.
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
    /// Whether other machines than this one can read `/metrics` without a token.
    pub open: bool,
    /// Whether `/metrics` requires a token of everybody.
    pub require_token: bool,
}

impl Default for MetricsSettings {
    fn default() -> Self {
        Self { enabled: true, open: false, require_token: false }
    }
}

/// Deserialises an address that may be absent.
fn maybe_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    #[derive(Deserialize)]
    struct Given(#[serde(deserialize_with = "address")] SocketAddr);

    Option::<Given>::deserialize(deserializer).map(|given| given.map(|Given(address)| address))
}

/// Deserialises an address; serde's own message shows neither the value nor the expected form.
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
