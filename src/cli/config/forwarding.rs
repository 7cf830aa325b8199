//! `[forwarding]`: where audit records are sent besides the syslog receivers, which clients manage by the API.

use super::check::{Problem, check_range};
use crate::bounded_file;
use crate::forward::{JsonFileSettings, Otlp, OtlpError};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// `[forwarding]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForwardingSettings {
    /// A file for records as lines of JSON.
    pub file: Option<PathBuf>,
    /// The size at which the file is full, in MiB.
    pub max_mib: u64,
    /// The number of full files to keep.
    pub keep: u32,
    /// The URL of an OpenTelemetry collector.
    pub otlp_url: Option<String>,
    /// A file with headers for the collector.
    pub otlp_headers_file: Option<PathBuf>,
}

/// The reason why the collector cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CollectorProblem {
    #[error("forwarding.otlp_url: {0}")]
    Url(OtlpError),
    #[error("forwarding.otlp_headers_file: `{}`: {source}", path.display())]
    Headers { path: PathBuf, source: OtlpError },
    #[error("forwarding.otlp_headers_file: `{}` cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("forwarding.otlp_headers_file: is given without forwarding.otlp_url")]
    NoUrl,
}

impl Default for ForwardingSettings {
    fn default() -> Self {
        Self { file: None, max_mib: 100, keep: 10, otlp_url: None, otlp_headers_file: None }
    }
}

impl ForwardingSettings {
    /// The file, if there is to be one.
    pub fn json_file(&self) -> Option<JsonFileSettings> {
        let path = self.file.clone()?;
        Some(JsonFileSettings { path, max_bytes: self.max_mib.saturating_mul(1024 * 1024), keep: self.keep })
    }

    /// The collector, if there is to be one.
    ///
    /// # Errors
    /// When its URL is invalid, or the file with its headers is.
    pub fn collector(&self) -> Result<Option<Otlp>, CollectorProblem> {
        let headers = self.otlp_headers_file.as_deref();
        let Some(url) = &self.otlp_url else {
            return if headers.is_some() { Err(CollectorProblem::NoUrl) } else { Ok(None) };
        };
        Otlp::new(url, "").map_err(CollectorProblem::Url)?;
        let text = headers.map(read).transpose()?.unwrap_or_default();
        let path = || headers.unwrap_or(Path::new("")).to_owned();
        Otlp::new(url, &text).map(Some).map_err(|source| CollectorProblem::Headers { path: path(), source })
    }
}

/// Reads a file of which a part is secret.
fn read(path: &Path) -> Result<Zeroizing<String>, CollectorProblem> {
    let unreadable = |source| CollectorProblem::Unreadable { path: path.to_owned(), source };
    bounded_file::read_text(path, bounded_file::SECRET_MAX).map_err(unreadable)
}

pub(super) fn check(settings: &ForwardingSettings, found: &mut Vec<Problem>) {
    let paths = [("forwarding.file", &settings.file), ("forwarding.otlp_headers_file", &settings.otlp_headers_file)];
    for (key, path) in paths {
        if let Some(path) = path.as_ref().filter(|path| path.is_relative()) {
            found.push(Problem::Relative { key, path: path.clone() });
        }
    }
    found.extend(check_range("forwarding.max_mib", settings.max_mib, 1, 1024 * 1024));
    found.extend(check_range("forwarding.keep", settings.keep.into(), 0, 10_000));
    found.extend(settings.collector().err().map(Problem::Collector));
}
