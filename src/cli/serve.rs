//! `claviger serve` and `claviger check-config`.

use super::appliance::{Appliance, FIRST_PASSWORD, StartError};
use super::config::{Config, ConfigError};
use super::logging;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct ServeArguments {
    /// The configuration; every key is documented in config/claviger.toml [default: none, only the environment]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration cannot be meant.
    #[error("the configuration is not usable; `claviger check-config` says the same:\n{0}")]
    Unusable(String),
    #[error(transparent)]
    Logging(#[from] logging::LoggingError),
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Serves until it is told to stop.
///
/// # Errors
/// What does not start, and why.
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
    let appliance = Appliance::start(config).await?;
    // At every start: the first one may have failed after the password was made.
    if file.exists() {
        tracing::warn!(file = %file.display(), "the first password of `admin` is in this file; change it and delete the file");
    }
    Ok(appliance.run().await?)
}

/// Says what is wrong with the configuration: all that cannot be read, or else all that cannot be meant.
///
/// # Errors
/// When it cannot be read at all.
pub fn check(arguments: &ServeArguments) -> Result<ExitCode, ServeError> {
    let config = Config::load_here(arguments.config.as_deref())?;
    let problems = problems(&config);
    config.warnings.iter().chain(&problems).for_each(|line| eprintln!("{line}"));
    if problems.is_empty() {
        // If nobody reads it, the exit code says the same.
        let _ = writeln!(std::io::stdout(), "the configuration is good");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// All that is wrong with a configuration, each with its remedy.
pub fn problems(config: &Config) -> Vec<String> {
    config.check().iter().map(|problem| super::with_causes(problem)).collect()
}
