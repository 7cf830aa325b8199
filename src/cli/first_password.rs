//! The password of the first administrator: from the environment, or generated and kept in a file.

use super::appliance::StartError;
use super::config::Config;
use crate::domain::password::PasswordPolicy;
use crate::service::failure::Failure;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// The file in the data directory with the password that was generated at the first start.
pub(super) const FIRST_PASSWORD: &str = "first-admin-password";

/// Checks the password from the environment, if there is one.
pub(super) fn check_admin_password(config: &Config) -> Result<(), StartError> {
    let Some(given) = &config.admin_password else { return Ok(()) };
    PasswordPolicy::default().check_password(given.expose()).map_err(StartError::WeakPassword)
}

/// Returns the password from the environment, or generates one. It must be called only before the first event of a new
/// log: it replaces or removes the file, which may have the only copy of a password in use.
pub(super) fn initial_password(config: &Config) -> Result<Zeroizing<String>, StartError> {
    let data_dir = &config.storage.data_dir;
    let Some(given) = &config.admin_password else { return write_first_password(random_password()?, data_dir) };
    let path = data_dir.join(FIRST_PASSWORD);
    match std::fs::remove_file(&path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(StartError::FirstPassword { path, source }),
        _ => Ok(Zeroizing::new(given.expose().to_owned())),
    }
}

/// Writes the password to its file. This precedes the first event, so that a crash in between does not leave an
/// administrator with an unknown password.
fn write_first_password(password: Zeroizing<String>, data_dir: &Path) -> Result<Zeroizing<String>, StartError> {
    let path = data_dir.join(FIRST_PASSWORD);
    let mut options = OpenOptions::new();
    let written = options.write(true).create(true).truncate(true).mode(0o600).open(&path).and_then(|mut file| {
        file.write_all(password.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        File::open(data_dir)?.sync_all()
    });
    written.map_err(|source| StartError::FirstPassword { path, source })?;
    Ok(password)
}

/// Generates a password of at least 100 bits, with characters of all four classes.
fn random_password() -> Result<Zeroizing<String>, StartError> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0u8; 20];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Failure::Internal("the system gives no random numbers"))?;
    let letters: String = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    Ok(Zeroizing::new(format!("Cv-{}-{}-{}-{}7", &letters[..5], &letters[5..10], &letters[10..15], &letters[15..])))
}
