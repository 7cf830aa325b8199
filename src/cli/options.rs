//! What each part of the service is told of the settings.

use super::config::{CollectorProblem, Config, MetricsSettings};
use crate::attempt_log;
use crate::call_journal::Bounds;
use crate::http::console::Console;
use crate::http::console_info::ConsoleTexts;
use crate::http::health::MetricsAccess;
use crate::http::server::ServerOptions;
use crate::listener::{Listening, Sources, Timeouts};
use crate::report_store;
use crate::service::ReportFiles;
use crate::service::backups::BackupSettings;
use crate::service::forwarding::ForwardingSettings;
use crate::service::passwords::Hashing;
use crate::service::recovery::MasterKeyPlace;
use crate::service::reports::ReportSettings;
use crate::service::tokens::RefreshDefaults;
use crate::webhook::{Sender, SenderError, UrlRules};
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::time::Duration;

pub(super) fn report_files(config: &Config) -> ReportFiles {
    const MIB: u64 = 1024 * 1024;
    let settings = &config.reports;
    ReportFiles {
        directory: config.storage.data_dir.join("reports"),
        bounds: report_store::Bounds {
            report_bytes: settings.report_mib.saturating_mul(MIB),
            all_bytes: settings.all_mib.saturating_mul(MIB),
            reserve_bytes: settings.reserve_mib.saturating_mul(MIB),
        },
        settings: ReportSettings {
            most: settings.max_reports,
            time_limit: Duration::from_secs(settings.time_limit_minutes.saturating_mul(60)),
            at_once: settings.max_concurrent,
        },
    }
}

pub(super) fn backup_settings(config: &Config) -> BackupSettings {
    let data_dir = config.storage.data_dir.clone();
    let settings = &config.backup;
    BackupSettings {
        master_key_file: config.master_key.file(&data_dir),
        directory: settings.directory.clone().unwrap_or_else(|| data_dir.join("backups")),
        recipients: settings.recipients.clone(),
        keep: settings.keep,
        reserve_bytes: settings.reserve_mib.saturating_mul(1024 * 1024),
        data_dir,
    }
}

/// Where the master key is, and what else depends on it.
pub(super) fn master_key_place(config: &Config) -> MasterKeyPlace {
    let data_dir = &config.storage.data_dir;
    MasterKeyPlace {
        file: config.master_key.file(data_dir),
        is_passphrase: config.master_key.is_passphrase(),
        snapshot: data_dir.join("snapshot"),
    }
}

pub(super) fn attempt_bounds(config: &Config) -> attempt_log::Bounds {
    let settings = &config.audit;
    attempt_log::Bounds { bytes: settings.attempts_mib.saturating_mul(1024 * 1024), days: settings.attempts_days }
}

pub(super) fn journal_bounds(config: &Config) -> Bounds {
    const MIB: u64 = 1024 * 1024;
    let settings = &config.call_journal;
    Bounds {
        change_bytes: settings.changes_mib.saturating_mul(MIB),
        read_bytes: settings.reads_mib.saturating_mul(MIB),
        days: settings.days,
    }
}

/// Where audit records are sent.
pub(super) fn forwarding_settings(config: &Config) -> Result<ForwardingSettings, CollectorProblem> {
    Ok(ForwardingSettings {
        directory: config.storage.data_dir.join("forwarding"),
        file: config.forwarding.json_file(),
        collector: config.forwarding.collector()?,
    })
}

/// The sender of webhooks.
pub(super) fn webhook_sender(config: &Config) -> Result<Sender, SenderError> {
    let rules = UrlRules { local_addresses: config.alarms.allow_local_addresses, http: config.alarms.allow_http };
    Sender::new(rules, config.alarms.ca_bundle.as_deref())
}

pub(super) fn hashing(config: &Config) -> Hashing {
    let passwords = &config.passwords;
    Hashing {
        memory_kib: passwords.memory_kib,
        iterations: passwords.iterations,
        parallelism: passwords.parallelism,
        at_once: if passwords.max_concurrent == 0 { (processors() / 2).clamp(1, 4) } else { passwords.max_concurrent },
    }
}

pub(super) fn refresh(config: &Config) -> RefreshDefaults {
    let minutes = |seconds: u64| seconds.div_ceil(60);
    RefreshDefaults {
        lifetime_minutes: minutes(config.tokens.refresh_lifetime_seconds),
        unused_minutes: minutes(config.tokens.refresh_unused_seconds),
    }
}

pub(super) fn server_options(config: &Config, listener: TcpListener, tls: rustls::ServerConfig) -> ServerOptions {
    let server = &config.server;
    ServerOptions {
        listening: Listening {
            listener,
            tls,
            workers: if server.workers == 0 { processors() } else { server.workers },
            timeouts: timeouts(config),
            shutdown_seconds: server.shutdown_timeout_seconds,
            max_connections: server.max_connections,
            // The settings were checked before.
            sources: Some(Sources::at_most(
                server.connections_per_source(),
                server.trusted_networks().unwrap_or_default(),
            )),
        },
        body_limit: server.body_limit_bytes,
        changes_per_second: server.changes_per_second,
        metrics: metrics_access(&config.metrics),
        console: config.console.enabled.then(|| Console::new(config.console.directory.clone())),
        console_texts: ConsoleTexts {
            title: config.console.title.clone(),
            notice: config.console.notice.clone(),
            is_lab: config.is_lab,
        },
        // A browser that was told so once accepts no other certificate than one that it trusts.
        https_only: config.tls.certificate.is_some(),
    }
}

fn metrics_access(settings: &MetricsSettings) -> MetricsAccess {
    match settings {
        MetricsSettings { enabled: false, .. } => MetricsAccess::Closed,
        MetricsSettings { require_token: true, .. } => MetricsAccess::ForAdmins,
        MetricsSettings { open: true, .. } => MetricsAccess::Open,
        MetricsSettings { .. } => MetricsAccess::Loopback,
    }
}

/// The time limits for clients of the API, and for AWS as the client of the XKS proxy.
fn timeouts(config: &Config) -> Timeouts {
    let server = &config.server;
    Timeouts {
        handshake: Duration::from_secs(server.tls_handshake_timeout_seconds),
        head: Duration::from_secs(server.client_request_timeout_seconds),
        body: Duration::from_secs(server.client_body_timeout_seconds),
        idle: Duration::from_secs(server.keep_alive_seconds),
        answer: Duration::from_secs(server.client_answer_timeout_seconds),
        disconnect: Duration::from_secs(server.client_disconnect_timeout_seconds),
    }
}

/// The XKS proxy has the time limits of the API. All of AWS comes to it from a few addresses.
pub(super) fn xks_options(config: &Config, listener: TcpListener, tls: rustls::ServerConfig) -> Listening {
    let server = &config.server;
    Listening {
        listener,
        tls,
        workers: if config.xks.workers == 0 { processors() } else { config.xks.workers },
        timeouts: timeouts(config),
        shutdown_seconds: server.shutdown_timeout_seconds,
        max_connections: config.xks.max_connections,
        sources: None,
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_reads_the_metrics_unless_a_setting_says_otherwise() {
        let access = |change: fn(&mut MetricsSettings)| {
            let mut settings = MetricsSettings::default();
            change(&mut settings);
            metrics_access(&settings)
        };
        assert_eq!(access(|_| ()), MetricsAccess::Loopback);
        assert_eq!(access(|settings| settings.open = true), MetricsAccess::Open);
        assert_eq!(access(|settings| (settings.open, settings.require_token) = (true, true)), MetricsAccess::ForAdmins);
        assert_eq!(access(|settings| (settings.open, settings.enabled) = (true, false)), MetricsAccess::Closed);
    }
}
