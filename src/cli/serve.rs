//! `claviger serve` and `claviger check-config`.

use super::appliance::{Appliance, StartError};
use super::config::{Config, ConfigError};
use super::first_password::FIRST_PASSWORD;
use super::logging;
use super::sealed::{self, Start};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct ServeArguments {
    /// The configuration file; config/claviger.toml documents every key [default: none, only the environment]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration can be read, but has problems, one per line.
    #[error("the configuration is not usable; `claviger check-config` says the same:\n{0}")]
    Unusable(String),
    #[error(transparent)]
    Logging(#[from] logging::LoggingError),
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Serves until a signal stops it.
///
/// # Errors
/// The reason why the service does not start.
pub async fn run(arguments: ServeArguments) -> Result<(), ServeError> {
    let config = Config::load_here(arguments.config.as_deref())?;
    let problems = problems(&config);
    if !problems.is_empty() {
        return Err(ServeError::Unusable(problems.join("\n")));
    }
    logging::start(&config.log)?;
    config.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    tracing::info!("the master key comes from {}", config.master_key.source(&config.storage.data_dir));
    let file = config.storage.data_dir.join(FIRST_PASSWORD);
    let unsealed = match sealed::wait(&config).await? {
        Start::Plain => None,
        Start::Unsealed(unsealed) => Some(*unsealed),
        Start::Stopped => return Ok(()),
    };
    let by = unsealed.as_ref().map(|unsealed| (unsealed.uid, unsealed.failures));
    let appliance = Appliance::start_unsealed(config, unsealed).await?;
    if let Some((uid, failures)) = by {
        appliance.services.note_unsealed(uid, failures).await.map_err(StartError::from)?;
    }
    // This is logged at every start: the first one may have failed after it wrote the password.
    if file.exists() {
        let advice = "the first password of `admin` is in this file; change it and delete the file";
        tracing::warn!(file = %file.display(), "{advice}");
    }
    Ok(appliance.run().await?)
}

/// Prints the problems of a configuration that can be read.
///
/// # Errors
/// Every mistake of a configuration that cannot be read.
pub fn check(arguments: &ServeArguments) -> Result<ExitCode, ServeError> {
    let config = Config::load_here(arguments.config.as_deref())?;
    let problems = problems(&config);
    config.warnings.iter().chain(&problems).for_each(|line| eprintln!("{line}"));
    if problems.is_empty() {
        // If the output is closed, the exit code has the same meaning.
        let _ = writeln!(std::io::stdout(), "the configuration is good");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// Returns all problems of a configuration, each with its remedy.
pub fn problems(config: &Config) -> Vec<String> {
    config.check().iter().map(|problem| super::with_causes(problem)).collect()
}
