//! The running service: log, keyring, AWS clients, services and server, which are started together and stopped in
//! order.

use super::config::{CollectorProblem, Config};
use super::control;
use super::first_password::{check_admin_password, initial_password};
use super::notify;
use super::options;
use super::process;
use super::sealed::Unsealed;
use super::tls::{Certificate, TlsError};
use crate::attempt_log::AttemptLog;
use crate::aws::rusoto::{AwsSetupError, RusotoAws};
use crate::call_journal::{CallJournal, JournalError};
use crate::domain::name::{NameError, UserName};
use crate::domain::password::PasswordProblem;
use crate::domain::time::Time;
use crate::http::server;
use crate::keyring::{Keyring, KeyringError};
use crate::ledger::{Ledger, LedgerError, LedgerOptions, SealKey, SealSource, SnapshotKey};
use crate::listener::Server;
use crate::service::backups::Backups;
use crate::service::checkpoints::CheckpointSettings;
use crate::service::failure::Failure;
use crate::service::log_seal;
use crate::service::own_calls::JournalWitness;
use crate::service::recovery::Offline;
use crate::service::{FirstAdmin, Parts, Services};
use crate::webhook::SenderError;
use crate::xks;
use chrono::Utc;
use std::fs::DirBuilder;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

/// The reason why the appliance does not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the data directory `{}` cannot be made", path.display())]
    DataDir { path: PathBuf, source: std::io::Error },
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    CallJournal(#[from] JournalError),
    #[error("the log of failed attempts: {0}")]
    AttemptLog(std::io::Error),
    #[error(transparent)]
    Aws(#[from] AwsSetupError),
    #[error(transparent)]
    Webhooks(#[from] SenderError),
    #[error(transparent)]
    Forwarding(#[from] CollectorProblem),
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The configured password of the first administrator violates the default password policy.
    #[error("CLAVIGER_ADMIN_PASSWORD {0}; nothing was begun, so give a better one and start again")]
    WeakPassword(PasswordProblem),
    /// The generated password of the first administrator cannot be written to its file.
    #[error("the first password could not be written to `{}`", path.display())]
    FirstPassword { path: PathBuf, source: std::io::Error },
    /// The socket for the commands that read the log cannot be created.
    #[error("the control socket in the data directory cannot be made")]
    Control(#[source] std::io::Error),
    #[error(transparent)]
    Service(#[from] Failure),
    #[error("the first administrator's name {0}")]
    Name(#[from] NameError),
    #[error("the handlers of signals cannot be installed")]
    Signals(#[source] std::io::Error),
    #[error("the server ended by itself")]
    Server(#[source] std::io::Error),
}

pub struct Appliance {
    pub address: SocketAddr,
    /// The use cases, for the caller of [`Appliance::start`].
    pub services: Services,
    /// The first administrator's password, if this start created the log.
    pub first_password: Option<Zeroizing<String>>,
    server: Server,
    serving: JoinHandle<std::io::Result<()>>,
    control: JoinHandle<()>,
    certificate: Certificate,
    xks: Option<XksListener>,
    signals: Signals,
    config: Config,
}

/// The listener of the XKS proxy.
struct XksListener {
    server: Server,
    serving: JoinHandle<std::io::Result<()>>,
    /// The proxy's own certificate, if it has one.
    certificate: Option<Certificate>,
}

/// The handled signals. Without a handler, each of them ends the process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen(hangup: Signal) -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())?, hangup })
    }
}

impl Appliance {
    /// Starts all parts.
    ///
    /// # Errors
    /// The first part that does not start, and the reason.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        Self::start_unsealed(config, None).await
    }

    /// Starts all parts, as [`Appliance::start`], after an operator has unsealed the server.
    ///
    /// # Errors
    /// The first part that does not start, and the reason.
    pub async fn start_unsealed(config: Config, unsealed: Option<Unsealed>) -> Result<Self, StartError> {
        let _starting = notify::starting();
        process::protect_memory();
        process::raise_file_limit();
        let data_dir = &config.storage.data_dir;
        make_data_dir(data_dir)?;
        // SIGHUP is handled from the beginning: without a handler it ends the process, and systemd counts that as
        // success.
        let hangup = signal(SignalKind::hangup()).map_err(StartError::Signals)?;
        let (keyring, listener) = match unsealed {
            Some(unsealed) => (Some(unsealed.keyring), Some(unsealed.listener)),
            None => (None, None),
        };
        let keyring = Arc::new(Mutex::new(keyring));
        let ledger = Ledger::open(data_dir, ledger_options(&config, &keyring))?;
        let name = UserName::parse("admin")?;
        if ledger.state().state.installation.is_none() {
            check_admin_password(&config)?;
        }
        // Everything that can fail comes before the services, which begin due work as soon as they start.
        let certificate = Certificate::load(&config.tls, data_dir)?;
        let address = config.server.listen;
        let listen = |source| StartError::Listen { address, source };
        let listener = listener.map_or_else(|| TcpListener::bind(address).map_err(listen), Ok)?;
        let xks_certificate = config.xks.tls().map(|settings| Certificate::load(&settings, data_dir)).transpose()?;
        let xks_listener = config.xks.listen.map(bind).transpose()?;
        let started = control::Started::default();
        let control = control::serve(data_dir, ledger.clone(), started.clone()).map_err(StartError::Control)?;
        let keyring = open_keyring(&config, &keyring)?;
        log_seal::require(&ledger, &keyring)?;
        let made = Backups::new(ledger.clone(), keyring.clone(), options::backup_settings(&config));
        let _ = started.backups.set(made.clone());
        let _ = started.master_key.set((keyring.clone(), options::master_key_place(&config)));
        let must_change = config.login.require_first_password_change;
        let log = ledger.state();
        let logged_ms = (log.head > 0).then(|| log.time.nanos().div_euclid(1_000_000));
        let call_journal = CallJournal::open(&data_dir.join("aws-calls"), options::journal_bounds(&config), logged_ms)?;
        let attempt_log = AttemptLog::open(&data_dir.join("attempts"), options::attempt_bounds(&config))
            .map_err(StartError::AttemptLog)?;
        let aws = RusotoAws::witnessed(&config.aws, Arc::new(JournalWitness(call_journal.clone())))?;
        let parts = Parts {
            ledger,
            keyring,
            attempt_log,
            call_journal,
            report_files: options::report_files(&config),
            backups: made,
            forwarding: options::forwarding_settings(&config)?,
            checkpoints: CheckpointSettings {
                data_dir: data_dir.clone(),
                directory: config.checkpoints.directory.clone(),
            },
            aws: Arc::new(aws.clone()),
            aws_kms: Arc::new(aws),
            clock: Arc::new(|| Time::of(chrono::Utc::now())),
            hashing: options::hashing(&config),
            refresh: options::refresh(&config),
            limits: config.limits,
            release_keys_on_delete: config.schedules.release_keys_on_delete,
            consistency_wait_seconds: config.aws.consistency_wait_seconds.into(),
            xks_listens: config.xks.listen.is_some(),
            xks_calls_per_second: config.xks.calls_per_second,
            token_key_days: NonZeroU32::new(config.tokens.rotate_key_days),
            webhooks: options::webhook_sender(&config)?,
            connection_checks: Some(config.alarms.connection_check_seconds)
                .filter(|seconds| *seconds > 0)
                .map(Duration::from_secs),
        };
        let mut first_password = None;
        let first = || {
            let password = initial_password(&config)?;
            first_password = Some(password.clone());
            Ok::<_, StartError>(FirstAdmin { name, password, must_change })
        };
        let services = Services::start(parts, first).await?;
        let _ = started.services.set(services.clone());
        // Signals are handled before the first connection: a client that sees the server may send it a signal.
        let signals = Signals::listen(hangup).map_err(StartError::Signals)?;
        let settings = options::server_options(&config, listener, certificate.server_config()?);
        let (server, running) = server::start(services.clone(), settings).map_err(listen)?;
        let serving = tokio::spawn(running);
        let address = server.address;
        let xks = xks_listener.map(|listener| {
            let address = listener.local_addr().unwrap_or(address);
            let resolver = Arc::new(xks_certificate.clone().unwrap_or_else(|| certificate.clone()));
            let settings =
                options::xks_options(&config, listener, xks::server_config(resolver).map_err(TlsError::Setup)?);
            let (server, running) =
                xks::start(services.proxy(), settings).map_err(|source| StartError::Listen { address, source })?;
            Ok::<_, StartError>(XksListener { server, serving: tokio::spawn(running), certificate: xks_certificate })
        });
        let xks = xks.transpose()?;
        Ok(Self { address, services, first_password, server, serving, control, certificate, xks, signals, config })
    }

    /// Serves until SIGTERM or SIGINT. Then it stops accepting connections, answers the accepted requests, and closes
    /// the log. SIGHUP reloads the certificate.
    ///
    /// # Errors
    /// When the server ends by itself.
    pub async fn run(mut self) -> Result<(), StartError> {
        self.services.begin_work();
        let watch = notify::watch();
        notify::ready(&format!("serving on {}", self.address));
        tracing::info!(address = %self.address, "ready");
        let mut renewal = tokio::time::interval(RENEWAL_EVERY);
        loop {
            tokio::select! {
                _ = self.signals.terminate.recv() => break,
                _ = self.signals.interrupt.recv() => break,
                _ = self.signals.hangup.recv() => self.reload(),
                _ = renewal.tick() => self.renew_certificates(),
                ended = &mut self.serving => {
                    let ended = ended.map_err(std::io::Error::other).and_then(|ended| ended);
                    return ended.map_err(StartError::Server);
                }
            }
        }
        notify::stopping();
        tracing::info!("stopping");
        // Otherwise the server would wait for them.
        self.services.events.close();
        if let Some(xks) = self.xks.take() {
            xks.server.handle.stop(true).await;
            let _ = xks.serving.await;
        }
        self.server.handle.stop(true).await;
        // The server has stopped in any case; its result changes nothing.
        let _ = self.serving.await;
        self.control.abort();
        if let Some(watch) = watch {
            watch.abort();
        }
        let attempts = self.services.audit.attempts.log().clone();
        // What is counted together is written; if that fails, those few are not in the log.
        let _ = tokio::task::spawn_blocking(move || attempts.settle()).await;
        // The directory of copies may be of another machine, which does not answer.
        if tokio::time::timeout(LAST_CHECKPOINT_WITHIN, self.services.checkpoints.keep_up()).await.is_err() {
            tracing::error!("the last checkpoint is not complete");
        }
        self.services.ledger().clone().close().await;
        tracing::info!("stopped");
        Ok(())
    }

    /// The certificate of the XKS proxy: its own, or that of the API.
    pub fn xks_certificate(&self) -> &Certificate {
        self.xks.as_ref().and_then(|xks| xks.certificate.as_ref()).unwrap_or(&self.certificate)
    }

    /// The address of the XKS proxy, if it is served.
    pub fn xks_address(&self) -> Option<SocketAddr> {
        self.xks.as_ref().map(|xks| xks.server.address)
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    fn renew_certificates(&self) {
        let own = self.xks.iter().filter_map(|xks| xks.certificate.as_ref());
        for certificate in own.chain([&self.certificate]) {
            match certificate.renew_if_due(Utc::now()) {
                Ok(false) => {}
                Ok(true) => tracing::info!("the self-signed certificate was renewed"),
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the self-signed certificate could not be renewed"
                ),
            }
        }
    }

    fn reload(&self) {
        notify::reloading();
        let own = self.xks.iter().filter_map(|xks| xks.certificate.as_ref());
        match own.chain([&self.certificate]).try_for_each(Certificate::reload) {
            Ok(()) => tracing::info!("the certificate was read again"),
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "the certificate could not be read again; the one in use stays"
            ),
        }
        notify::ready(&format!("serving on {}", self.address));
    }
}

pub(super) fn make_data_dir(path: &Path) -> Result<(), StartError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| StartError::DataDir { path: path.to_owned(), source })
}

/// The time between two looks at the end of a self-signed certificate.
const LAST_CHECKPOINT_WITHIN: Duration = Duration::from_secs(10);

const RENEWAL_EVERY: Duration = Duration::from_secs(12 * 3600);

fn ledger_options(config: &Config, keyring: &Arc<Mutex<Option<Keyring>>>) -> LedgerOptions {
    let cache_bytes = config.storage.cache_mib.saturating_mul(1024 * 1024);
    let snapshot_key = Some(snapshot_key(config.clone(), keyring.clone()));
    LedgerOptions {
        cache_bytes,
        snapshot_key,
        seal: Some(seal_source(config.clone(), keyring.clone())),
        ..LedgerOptions::default()
    }
}

/// Returns the key of the state's snapshots. If there is a snapshot, this opens the keyring while the ledger is opened.
/// An error is not reported here, but when [`Appliance::start`] opens the keyring.
fn snapshot_key(config: Config, keyring: Arc<Mutex<Option<Keyring>>>) -> SnapshotKey {
    Arc::new(move || {
        let keyring = open_keyring(&config, &keyring).ok()?;
        Some(*keyring.derived_key("snapshot of the state"))
    })
}

/// Asks the keyring for the key of the log's seal, as [`snapshot_key`].
fn seal_source(config: Config, keyring: Arc<Mutex<Option<Keyring>>>) -> SealSource {
    Arc::new(move || open_keyring(&config, &keyring).map_or(SealKey::Unavailable, |keyring| log_seal::key(&keyring)))
}

/// Opens the keyring, unless it is open already.
fn open_keyring(config: &Config, open: &Mutex<Option<Keyring>>) -> Result<Keyring, KeyringError> {
    let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(keyring) = &*open {
        return Ok(keyring.clone());
    }
    let keyring = Keyring::open(&config.storage.keyring_dir(), config.master_key.source(&config.storage.data_dir))?;
    Ok(open.insert(keyring).clone())
}

/// Opens the log and the keyring of a data directory that no server has open, for changes by a command.
///
/// # Errors
/// When there is none, when a server has it open, or when the log and the keyring do not belong together.
pub(super) fn offline(config: &Config) -> Result<Offline, StartError> {
    process::protect_memory();
    let keyring = Arc::new(Mutex::new(None));
    let ledger = Ledger::open(&config.storage.data_dir, ledger_options(config, &keyring))?;
    let keyring = open_keyring(config, &keyring)?;
    log_seal::require(&ledger, &keyring)?;
    let clock = Arc::new(|| Time::of(Utc::now()));
    Ok(Offline::new(ledger, keyring, clock, config.limits, options::hashing(config))?)
}

fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|source| StartError::Listen { address, source })
}
