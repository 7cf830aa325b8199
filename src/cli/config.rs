//! The settings: a TOML file, over it the environment, under both the defaults.
//!
//! `config/claviger.toml` documents every key with its default; the program reads that text too, to learn which
//! variables there are and of what type. A mistake is never passed over: unknown keys and variables are refused, and
//! all that cannot be read is named at once, as is all that cannot be meant. No message and no `Debug` text shows a
//! password.

pub mod certificate;
mod check;
mod reading;
mod sections;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

pub use crate::aws::settings::AwsSettings;
pub use check::Problem;
pub use sections::{
    LogFormat, LogSettings, LoginSettings, MasterKeyKind, MasterKeySettings, MetricsSettings, PasswordSettings,
    ServerSettings, StorageSettings, TlsSettings, TokenSettings,
};

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How the API is served.
    pub server: ServerSettings,
    pub tls: TlsSettings,
    pub storage: StorageSettings,
    /// What seals the secrets in it.
    pub master_key: MasterKeySettings,
    pub passwords: PasswordSettings,
    /// How long tokens are good.
    pub tokens: TokenSettings,
    /// What is asked of those who sign in.
    pub login: LoginSettings,
    pub aws: AwsSettings,
    /// What is logged, and how.
    pub log: LogSettings,
    /// Figures for a monitoring system.
    pub metrics: MetricsSettings,
    /// The first password of `admin`, from the environment only.
    #[serde(skip)]
    pub admin_password: Option<AdminPassword>,
    /// A line for each setting of the file that the environment overrides, and for each that is given by a former name.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

/// The first password of `admin`, as `CLAVIGER_ADMIN_PASSWORD` gave it. Shown by nothing, wiped when dropped.
#[derive(Clone, PartialEq)]
pub struct AdminPassword(Zeroizing<String>);

impl AdminPassword {
    /// The password itself, for hashing it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for AdminPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AdminPassword(…)")
    }
}

/// Why there are no settings: every mistake that was found, one a line.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError(Vec<Mistake>);

impl ConfigError {
    /// The mistakes, in the order of the file, those of the environment last.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.0
    }
}

/// One thing that is wrong with the file or the environment.
#[derive(Debug, thiserror::Error)]
pub enum Mistake {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// The file is not TOML.
    #[error("{}:{line}: {what}", path.display())]
    Syntax {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        what: String,
    },
    /// A setting that does not exist, or a value of another type or form.
    #[error("{origin}: {key}: {what}")]
    Setting {
        origin: Origin,
        /// The key, with its section.
        key: String,
        /// What the reader said, with the value and what would be right.
        what: String,
    },
    /// A variable that is no setting.
    #[error("environment: {name}: there is no such setting{}", expected.as_deref().unwrap_or_default())]
    UnknownVariable {
        name: String,
        /// What could have been meant.
        expected: Option<String>,
    },
    /// A variable that is not UTF-8 text.
    #[error("environment: {}: UTF-8 text is expected", .0.display())]
    NotText(OsString),
}

/// Where a setting was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In a file, at a line counted from 1.
    File { path: PathBuf, line: usize },
    /// In a variable of the environment.
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
    /// Reads the settings: the defaults, over them the file, over both the variables that begin with `CLAVIGER_`.
    ///
    /// An empty text counts as no setting: the default holds.
    ///
    /// # Errors
    /// When the file cannot be read, or anything in it or in the environment is no setting.
    pub fn load(path: Option<&Path>, env: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        reading::read(path, env).map_err(ConfigError)
    }

    /// Reads the settings with this process's own environment.
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

    /// Names all that would keep the program from working with these settings, as far as that shows before it starts:
    /// values out of range, files that are missing, unreadable or open to others, a certificate that does not belong
    /// to its key. Empty if all is well.
    pub fn check(&self) -> Vec<Problem> {
        check::problems(self)
    }
}

#[cfg(test)]
mod tests;
