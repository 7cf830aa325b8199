//! Finds settings with which the program cannot work, before it starts.

use std::fs;
use std::path::{Path, PathBuf};

use tracing_subscriber::EnvFilter;
use uuid::Uuid;

use super::certificate::{self, CertificateProblem};
use super::forwarding::{self, CollectorProblem};
use super::sections::{
    BackupSettings, ConsoleSettings, LogSettings, MasterKeyKind, PasswordSettings, ReportSettings, ServerSettings,
    StorageSettings, TlsSettings, XksSettings,
};
use super::{Config, Limits, MasterKeySettings};
use crate::aws::settings::SettingsMistake;
use crate::backup::Lock;
use crate::cli::control;
use crate::keyring::KeyringError;

/// A problem of the settings, with its key and its remedy.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("{key}: `{value}` is out of range: {least} to {most} is expected")]
    OutOfRange {
        /// The key, with its section.
        key: &'static str,
        value: u64,
        least: u64,
        most: u64,
    },
    /// A certificate is given without its key, or a key without its certificate.
    #[error("tls.{given}: `{}` is given without tls.{missing}: both or neither is expected", path.display())]
    HalfPair {
        /// The setting that is given.
        given: &'static str,
        path: PathBuf,
        /// The setting that is missing.
        missing: &'static str,
    },
    #[error("tls: {0}")]
    Certificate(#[from] CertificateProblem),
    /// The same two problems of the XKS proxy's certificate.
    #[error("xks.{given}: `{}` is given without xks.{missing}: both or neither is expected", path.display())]
    HalfXksPair { given: &'static str, path: PathBuf, missing: &'static str },
    #[error("xks: {0}")]
    XksCertificate(CertificateProblem),
    /// A name cannot be part of a certificate.
    #[error("tls.self_signed_names: `{0}` is neither a host name nor an address")]
    HostName(String),
    #[error("server.trusted_proxies: `{0}` is neither an address nor a network such as `10.0.0.0/8`")]
    TrustedProxy(String),
    #[error("backup.recipients: `{0}` is not a recipient of age (`age1…`)")]
    Recipient(String),
    #[error("storage.data_dir: `{}`: {source}", path.display())]
    DataDir {
        /// The directory, or the nearest existing one above it.
        path: PathBuf,
        source: std::io::Error,
    },
    /// A path is relative, so it would depend on the working directory.
    #[error("{key}: `{}` is relative: a path that begins with `/` is expected", path.display())]
    Relative {
        /// The key, with its section.
        key: &'static str,
        path: PathBuf,
    },
    #[error("{key}: has {length} characters: at most {most} are possible")]
    TooLong { key: &'static str, length: usize, most: usize },
    /// The path is too long for the address of the control socket.
    #[error(
        "storage.data_dir: `{}` is too long: with `/control.sock` after it, at most {SOCKET_MAX} bytes are possible",
        path.display()
    )]
    LongPath { path: PathBuf },
    #[error("master_key.path: is needed with source = \"passphrase_file\"")]
    NoPassphraseFile,
    #[error("master_key: {0}")]
    MasterKey(#[from] KeyringError),
    /// The memory is too little for the number of lanes.
    #[error(
        "passwords.memory_kib: `{memory_kib}` is too little for parallelism = {parallelism}: 8 KiB each are needed"
    )]
    TooManyLanes { memory_kib: u32, parallelism: u32 },
    #[error("aws.{0}")]
    Aws(SettingsMistake),
    #[error("alarms.ca_bundle: {0}")]
    AlarmCaBundle(CertificateProblem),
    #[error(transparent)]
    Collector(CollectorProblem),
    #[error("aws.ca_bundle: {0}")]
    CaBundle(CertificateProblem),
    #[error(
        "log.level: `{0}` is neither a level (error, warn, info, debug, trace) nor a list such as \
             `info,claviger::aws=debug`"
    )]
    Level(String),
}

/// All problems, in the order of the sections.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let mut found = Vec::new();
    server(&config.server, &mut found);
    limits(&config.limits, &mut found);
    tls(&config.tls, &mut found);
    console(&config.console, &mut found);
    xks(&config.xks, &mut found);
    storage(&config.storage, &mut found);
    master_key(&config.master_key, &config.storage.data_dir, &mut found);
    passwords(&config.passwords, &mut found);
    for (key, value) in [
        ("tokens.refresh_lifetime_seconds", config.tokens.refresh_lifetime_seconds),
        ("tokens.refresh_unused_seconds", config.tokens.refresh_unused_seconds),
    ] {
        found.extend(check_range(key, value, 0, 10 * 366 * 86_400));
    }
    found.extend(check_range("tokens.rotate_key_days", config.tokens.rotate_key_days.into(), 0, 3660));
    found.extend(check_range("call_journal.changes_mib", config.call_journal.changes_mib, 16, 1024 * 1024));
    found.extend(check_range("call_journal.reads_mib", config.call_journal.reads_mib, 16, 1024 * 1024));
    found.extend(check_range("audit.attempts_mib", config.audit.attempts_mib, 1, 1024 * 1024));
    found.extend(check_range("audit.attempts_days", config.audit.attempts_days.into(), 1, 3660));
    found.extend(check_range("call_journal.days", config.call_journal.days.into(), 1, 3660));
    if let Some(path) = &config.alarms.ca_bundle {
        found.extend(certificate::check_bundle(path).err().map(Problem::AlarmCaBundle));
    }
    found.extend(check_range("alarms.connection_check_seconds", config.alarms.connection_check_seconds, 0, 86_400));
    found.extend(config.aws.check().into_iter().map(Problem::Aws));
    found.extend(
        config.aws.ca_bundle.as_deref().and_then(|path| certificate::check_bundle(path).err()).map(Problem::CaBundle),
    );
    reports(&config.reports, &mut found);
    backup(&config.backup, &mut found);
    forwarding::check(&config.forwarding, &mut found);
    if let Some(path) = config.checkpoints.directory.as_ref().filter(|path| path.is_relative()) {
        found.push(Problem::Relative { key: "checkpoints.directory", path: path.clone() });
    }
    log(&config.log, &mut found);
    found
}

fn server(settings: &ServerSettings, found: &mut Vec<Problem>) {
    let number = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    for (key, value, least, most) in [
        ("server.workers", number(settings.workers), 0, 1024),
        ("server.max_connections", number(settings.max_connections), 16, 1_000_000),
        ("server.max_connections_per_source", number(settings.max_connections_per_source), 0, 1_000_000),
        ("server.changes_per_second", settings.changes_per_second.into(), 0, 1_000_000),
        ("server.body_limit_bytes", number(settings.body_limit_bytes), 64 * 1024, 64 * 1024 * 1024),
        ("server.client_request_timeout_seconds", settings.client_request_timeout_seconds, 1, 300),
        ("server.client_body_timeout_seconds", settings.client_body_timeout_seconds, 1, 3600),
        ("server.client_disconnect_timeout_seconds", settings.client_disconnect_timeout_seconds, 1, 60),
        ("server.tls_handshake_timeout_seconds", settings.tls_handshake_timeout_seconds, 1, 60),
        ("server.client_answer_timeout_seconds", settings.client_answer_timeout_seconds, 1, 3600),
        ("server.keep_alive_seconds", settings.keep_alive_seconds, 1, 3600),
        ("server.shutdown_timeout_seconds", settings.shutdown_timeout_seconds, 1, 10),
    ] {
        found.extend(check_range(key, value, least, most));
    }
    found.extend(settings.trusted_networks().err().map(Problem::TrustedProxy));
}

fn console(settings: &ConsoleSettings, found: &mut Vec<Problem>) {
    for (key, text, most) in [("console.title", &settings.title, 100), ("console.notice", &settings.notice, 2000)] {
        let length = text.as_ref().map_or(0, |text| text.chars().count());
        if length > most {
            found.push(Problem::TooLong { key, length, most });
        }
    }
    if let Some(path) = settings.directory.as_ref().filter(|path| path.is_relative()) {
        found.push(Problem::Relative { key: "console.directory", path: path.clone() });
    }
}

fn limits(settings: &Limits, found: &mut Vec<Problem>) {
    for (key, value) in [
        ("limits.users", settings.users),
        ("limits.groups", settings.groups),
        ("limits.connections", settings.connections),
        ("limits.kms", settings.kms),
        ("limits.key_stores", settings.key_stores),
        ("limits.password_policies", settings.password_policies),
        ("limits.templates", settings.templates),
        ("limits.source_keys", settings.source_keys),
        ("limits.schedules", settings.schedules),
        ("limits.open_jobs", settings.open_jobs),
        ("limits.sessions_per_user", settings.sessions_per_user),
    ] {
        found.extend(check_range(key, u64::try_from(value).unwrap_or(u64::MAX), 1, 10_000_000));
    }
}

fn tls(settings: &TlsSettings, found: &mut Vec<Problem>) {
    match (&settings.certificate, &settings.private_key) {
        (Some(certificate), Some(key)) => {
            found.extend(certificate::read(certificate, key).err().map(Problem::Certificate));
        }
        (Some(path), None) => {
            found.push(Problem::HalfPair { given: "certificate", path: path.clone(), missing: "private_key" });
        }
        (None, Some(path)) => {
            found.push(Problem::HalfPair { given: "private_key", path: path.clone(), missing: "certificate" });
        }
        (None, None) => {}
    }
    let invalid = |name: &&String| rustls_pki_types::ServerName::try_from(name.as_str()).is_err();
    found.extend(settings.self_signed_names.iter().filter(invalid).cloned().map(Problem::HostName));
}

fn xks(settings: &XksSettings, found: &mut Vec<Problem>) {
    let number = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    for (key, value, least, most) in [
        ("xks.workers", number(settings.workers), 0, 1024),
        ("xks.max_connections", number(settings.max_connections), 16, 1_000_000),
        ("xks.calls_per_second", settings.calls_per_second.into(), 0, 1_000_000),
    ] {
        found.extend(check_range(key, value, least, most));
    }
    match (&settings.certificate, &settings.private_key) {
        (Some(certificate), Some(key)) => {
            found.extend(certificate::read(certificate, key).err().map(Problem::XksCertificate));
        }
        (Some(path), None) => {
            found.push(Problem::HalfXksPair { given: "certificate", path: path.clone(), missing: "private_key" });
        }
        (None, Some(path)) => {
            found.push(Problem::HalfXksPair { given: "private_key", path: path.clone(), missing: "certificate" });
        }
        (None, None) => {}
    }
}

/// The longest path in a socket address of the kernel, without the terminating zero.
const SOCKET_MAX: usize = 107;

fn storage(settings: &StorageSettings, found: &mut Vec<Problem>) {
    found.extend(check_range("storage.cache_mib", settings.cache_mib, 8, 1024 * 1024));
    let path = &settings.data_dir;
    if path.is_relative() {
        found.push(Problem::Relative { key: "storage.data_dir", path: path.clone() });
    }
    if control::path(path).as_os_str().len() > SOCKET_MAX {
        found.push(Problem::LongPath { path: path.clone() });
    }
    if let Err((path, source)) = usable(path) {
        found.push(Problem::DataDir { path, source });
    }
}

/// Checks that a file can be created in the directory, or in the nearest existing one above it, and removes that file.
fn usable(path: &Path) -> Result<(), (PathBuf, std::io::Error)> {
    let failed = |source| (path.to_owned(), source);
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            let trial = path.join(format!(".trial-{}", Uuid::new_v4()));
            fs::write(&trial, b"").and_then(|()| fs::remove_file(&trial)).map_err(failed)
        }
        Ok(_) => Err(failed(std::io::ErrorKind::NotADirectory.into())),
        // The start creates the directory, in the nearest existing one above it.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => usable(parent),
            _ => usable(Path::new(".")),
        },
        Err(error) => Err(failed(error)),
    }
}

fn master_key(settings: &MasterKeySettings, data_dir: &Path, found: &mut Vec<Problem>) {
    if settings.source == MasterKeyKind::PassphraseFile && settings.path.is_none() {
        found.push(Problem::NoPassphraseFile);
        return;
    }
    match settings.source(data_dir).check() {
        // When an operator runs the check, there are no credentials of the service.
        Ok(()) | Err(KeyringError::NoCredentials(_)) => {}
        Err(error) => found.push(Problem::MasterKey(error)),
    }
}

fn passwords(settings: &PasswordSettings, found: &mut Vec<Problem>) {
    let PasswordSettings { memory_kib, iterations, parallelism, max_concurrent } = *settings;
    found.extend(check_range("passwords.memory_kib", memory_kib.into(), 1024, 4 * 1024 * 1024));
    found.extend(check_range("passwords.iterations", iterations.into(), 1, 1000));
    found.extend(check_range("passwords.parallelism", parallelism.into(), 1, 64));
    found.extend(check_range("passwords.max_concurrent", max_concurrent.try_into().unwrap_or(u64::MAX), 0, 1024));
    if memory_kib < parallelism.saturating_mul(8) {
        found.push(Problem::TooManyLanes { memory_kib, parallelism });
    }
}

fn reports(settings: &ReportSettings, found: &mut Vec<Problem>) {
    let number = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    for (key, value, least, most) in [
        ("reports.max_reports", number(settings.max_reports), 1, 100_000),
        ("reports.report_mib", settings.report_mib, 1, 1024 * 1024),
        ("reports.all_mib", settings.all_mib, 1, 16 * 1024 * 1024),
        ("reports.reserve_mib", settings.reserve_mib, 0, 16 * 1024 * 1024),
        ("reports.time_limit_minutes", settings.time_limit_minutes, 1, 7 * 24 * 60),
        ("reports.max_concurrent", number(settings.max_concurrent), 1, 16),
    ] {
        found.extend(check_range(key, value, least, most));
    }
}

fn backup(settings: &BackupSettings, found: &mut Vec<Problem>) {
    if let Some(path) = settings.directory.as_ref().filter(|path| path.is_relative()) {
        found.push(Problem::Relative { key: "backup.directory", path: path.clone() });
    }
    let wrong = settings.recipients.iter().filter(|text| Lock::of_recipients(&[(*text).clone()]).is_err());
    found.extend(wrong.map(|text| Problem::Recipient(text.clone())));
    found.extend(check_range("backup.keep", settings.keep.into(), 1, 10_000));
    found.extend(check_range("backup.reserve_mib", settings.reserve_mib, 0, 16 * 1024 * 1024));
}

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

fn log(settings: &LogSettings, found: &mut Vec<Problem>) {
    // `EnvFilter` takes any bare word for a module's name; here it is a mistyped level.
    let is_level = |text: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(text));
    let part = |part: &str| is_level(part.rsplit_once('=').map_or(part, |(_, level)| level));
    if !settings.level.split(',').all(part) || EnvFilter::try_new(&settings.level).is_err() {
        found.push(Problem::Level(settings.level.clone()));
    }
}

pub(super) fn check_range(key: &'static str, value: u64, least: u64, most: u64) -> Option<Problem> {
    (!(least..=most).contains(&value)).then_some(Problem::OutOfRange { key, value, least, most })
}
