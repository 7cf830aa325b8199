//! The settings: defaults, overridden by a TOML file, overridden by the environment.
//!
//! `config/claviger.toml` documents every key with its default; the program derives the environment variables and their
//! types from that text. Unknown keys and variables are rejected. All mistakes of reading are reported together, and so
//! are all problems that [`Config::check`] finds. No message and no `Debug` text shows a password.

pub mod certificate;
mod check;
mod forwarding;
mod reading;
mod sections;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

pub use crate::aws::settings::AwsSettings;
pub use crate::service::limits::Limits;
pub use check::Problem;
pub use forwarding::{CollectorProblem, ForwardingSettings};
pub use sections::{
    AlarmSettings, AuditSettings, BackupSettings, CallJournalSettings, CheckpointSettings, ConsoleSettings, LogFormat,
    LogSettings, LoginSettings, MasterKeyKind, MasterKeySettings, MetricsSettings, PasswordSettings, ReportSettings,
    ScheduleSettings, ServerSettings, StorageSettings, TlsSettings, TokenSettings, XksSettings,
};

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub server: ServerSettings,
    pub tls: TlsSettings,
    pub console: ConsoleSettings,
    pub xks: XksSettings,
    pub storage: StorageSettings,
    pub master_key: MasterKeySettings,
    pub passwords: PasswordSettings,
    /// The lifetimes of tokens.
    pub tokens: TokenSettings,
    pub login: LoginSettings,
    pub schedules: ScheduleSettings,
    pub limits: Limits,
    pub alarms: AlarmSettings,
    pub aws: AwsSettings,
    pub call_journal: CallJournalSettings,
    pub audit: AuditSettings,
    pub reports: ReportSettings,
    pub backup: BackupSettings,
    /// Where audit records are sent.
    pub forwarding: ForwardingSettings,
    pub checkpoints: CheckpointSettings,
    pub log: LogSettings,
    /// Metrics for a monitoring system.
    pub metrics: MetricsSettings,
    /// The first password of `admin`, from the environment only.
    #[serde(skip)]
    pub admin_password: Option<AdminPassword>,
    /// Whether AWS is the lab's.
    #[serde(skip)]
    pub is_lab: bool,
    /// A line for each setting of the file that the environment overrides, and for each that uses a former name.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

/// The first password of `admin`, from `CLAVIGER_ADMIN_PASSWORD`. `Debug` does not show it, and it is wiped when
/// dropped.
#[derive(Clone, PartialEq)]
pub struct AdminPassword(Zeroizing<String>);

impl AdminPassword {
    /// The password itself, for hashing.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for AdminPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AdminPassword(…)")
    }
}

/// The mistakes that keep the settings from being read, one per line.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError(Vec<Mistake>);

impl ConfigError {
    /// The mistakes, in the order of the file, followed by those of the environment.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.0
    }
}

/// A mistake in the file or the environment.
#[derive(Debug, thiserror::Error)]
pub enum Mistake {
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// The file is not TOML.
    #[error("{}:{line}: {what}", path.display())]
    Syntax {
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        what: String,
    },
    /// A setting does not exist, or its value has a wrong type or form.
    #[error("{origin}: {key}: {what}")]
    Setting {
        origin: Origin,
        /// The key, with its section.
        key: String,
        /// The message of the reader, with the value and the expected form.
        what: String,
    },
    /// A variable does not name a setting.
    #[error("environment: {name}: there is no such setting{}", expected.as_deref().unwrap_or_default())]
    UnknownVariable {
        name: String,
        /// The variables of the same section.
        expected: Option<String>,
    },
    #[error("environment: {}: UTF-8 text is expected", .0.display())]
    NotText(OsString),
}

/// The origin of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file, at a line counted from 1.
    File { path: PathBuf, line: usize },
    /// An environment variable.
    Variable(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "environment: {name}"),
        }
    }
}

impl Config {
    /// Reads the settings: defaults, overridden by the file, overridden by variables that begin with `CLAVIGER_`.
    ///
    /// An empty text counts as no setting, so the default applies.
    ///
    /// # Errors
    /// When the file cannot be read, or it or the environment has an invalid or unknown setting.
    pub fn load(path: Option<&Path>, env: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        reading::read(path, env).map_err(ConfigError)
    }

    /// Reads the settings with the environment of this process.
    ///
    /// # Errors
    /// As [`Config::load`], and when a variable is not UTF-8 text.
    pub fn load_here(path: Option<&Path>) -> Result<Self, ConfigError> {
        let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with(reading::PREFIX));
        let (texts, others): (Vec<_>, Vec<_>) = ours
            .map(|(name, value)| match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => Ok((name, value)),
                (Ok(name), Err(_)) => Err(Mistake::NotText(name.into())),
                (Err(name), _) => Err(Mistake::NotText(name)),
            })
            .partition(Result::is_ok);
        match others.into_iter().filter_map(Result::err).collect::<Vec<_>>() {
            mistakes if mistakes.is_empty() => Self::load(path, texts.into_iter().filter_map(Result::ok)),
            mistakes => Err(ConfigError(mistakes)),
        }
    }

    /// Returns the problems that can be found before the program starts: values out of range, files that are missing,
    /// unreadable or accessible to others, a certificate that does not match its key. Empty if there are none.
    pub fn check(&self) -> Vec<Problem> {
        check::problems(self)
    }
}

#[cfg(test)]
mod tests;
