//! Derives the master key from a passphrase with Argon2id. The salt and the costs are stored in the keyring's
//! directory.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::directory::Directory;
use super::sealing::Key;
use super::{CHECK_FILE, KeyringError};

/// The file with the salt and the costs. It is not secret, but the key cannot be derived without it.
pub(super) const FILE: &str = "passphrase.json";
const SALT_LEN: usize = 16;

/// The least characters of the passphrase of a new keyring. Those that exist open with theirs.
const CHARACTERS_MIN: usize = 12;

/// The parameters of the derivation.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Derivation {
    algorithm: String,
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
    salt: String,
}

/// The second recommended option of RFC 9106, for machines that cannot spare 2 GiB at start.
const MEMORY_KIB: u32 = 64 * 1024;
const ITERATIONS: u32 = 3;
const PARALLELISM: u32 = 4;
/// An altered file must not make the start use up the machine's memory.
const MEMORY_KIB_MAX: u32 = 4 * 1024 * 1024;
const ITERATIONS_MAX: u32 = 1024;

/// Derives the master key of a directory, and creates the salt if the keyring is new.
pub(super) fn key(passphrase: &str, directory: &Directory) -> Result<Key, KeyringError> {
    check(passphrase)?;
    let damaged = |what| KeyringError::Damaged { path: directory.path_of(FILE), what };
    let derivation = match directory.read(FILE)? {
        Some(content) => {
            serde_json::from_slice(&content).map_err(|_| damaged("it does not say how to derive a key"))?
        }
        None if directory.read(CHECK_FILE)?.is_some() => {
            return Err(damaged("it is missing, or the keyring was made with a key instead of a passphrase"));
        }
        None => {
            check_new(passphrase)?;
            let derivation = Derivation::new()?;
            directory.write(FILE, derivation.text()?.as_bytes())?;
            derivation
        }
    };
    derivation.derive(passphrase).ok_or_else(|| damaged("it does not say how to derive a key"))
}

/// Rejects an empty passphrase.
pub(super) fn check(passphrase: &str) -> Result<(), KeyringError> {
    if passphrase.trim().is_empty() { Err(KeyringError::UnfitPassphrase("empty")) } else { Ok(()) }
}

/// Rejects a passphrase that is too short for a new master key.
fn check_new(passphrase: &str) -> Result<(), KeyringError> {
    check(passphrase)?;
    match passphrase.chars().count() < CHARACTERS_MIN {
        true => Err(KeyringError::UnfitPassphrase("shorter than 12 characters")),
        false => Ok(()),
    }
}

/// A new master key from a passphrase, and the text that says how it is derived.
pub(super) fn new_key(passphrase: &str) -> Result<(Key, String), KeyringError> {
    check_new(passphrase)?;
    let derivation = Derivation::new()?;
    let key = derivation.derive(passphrase).ok_or(KeyringError::Provider("derive a key"))?;
    Ok((key, derivation.text()?))
}

/// Derives a key as such a text says; `None` if it does not say how.
pub(super) fn derived(passphrase: &str, derivation: &str) -> Option<Key> {
    serde_json::from_str::<Derivation>(derivation).ok()?.derive(passphrase)
}

impl Derivation {
    /// With a new salt.
    fn new() -> Result<Self, KeyringError> {
        let mut salt = [0; SALT_LEN];
        aws_lc_rs::rand::fill(&mut salt).map_err(|_| KeyringError::Provider("make a salt"))?;
        Ok(Self {
            algorithm: "argon2id".to_owned(),
            memory_kib: MEMORY_KIB,
            iterations: ITERATIONS,
            parallelism: PARALLELISM,
            salt: STANDARD.encode(salt),
        })
    }

    fn text(&self) -> Result<String, KeyringError> {
        serde_json::to_string_pretty(self).map_err(|_| KeyringError::Provider("encode a salt"))
    }

    fn derive(&self, passphrase: &str) -> Option<Key> {
        let bounded = self.memory_kib <= MEMORY_KIB_MAX && self.iterations <= ITERATIONS_MAX;
        if self.algorithm != "argon2id" || !bounded {
            return None;
        }
        let salt = STANDARD.decode(&self.salt).ok().filter(|salt| salt.len() >= SALT_LEN)?;
        let params = Params::new(self.memory_kib, self.iterations, self.parallelism, None).ok()?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Key::filled_by(|key| argon2.hash_password_into(passphrase.as_bytes(), &salt, key)).ok()
    }
}
