//! Password hashing: Argon2id on the blocking pool, with a limit on concurrent hashes.

use super::failure::Failure;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashing {
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
    /// The maximum number of concurrent hashes.
    pub at_once: usize,
}

/// OWASP's minimum for Argon2id.
impl Default for Hashing {
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1, at_once: 2 }
    }
}

/// Hashes and checks passwords. Cheap to clone.
#[derive(Clone)]
pub struct Hasher {
    argon2: Arc<Argon2<'static>>,
    gate: Arc<Semaphore>,
    /// A hash for sign-ins under unknown names: checking a password against it takes as long as against a real hash.
    nobody: Arc<str>,
}

/// The time that a hash waits to start.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The outcome of a check.
pub enum Checked {
    Right {
        /// The hash was made with weaker parameters than today's.
        outdated: bool,
    },
    Wrong,
}

impl Hasher {
    /// Makes a hasher with these parameters.
    ///
    /// # Errors
    /// When the parameters are out of Argon2's range.
    pub fn new(hashing: Hashing) -> Result<Self, Failure> {
        let params = Params::new(hashing.memory_kib, hashing.iterations, hashing.parallelism, None)
            .map_err(|_| Failure::Internal("the configured Argon2 parameters are out of its range"))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = argon2.hash_password(b"nobody").map_err(|_| Failure::Internal("Argon2 failed"))?.to_string();
        Ok(Self {
            argon2: Arc::new(argon2),
            gate: Arc::new(Semaphore::new(hashing.at_once.max(1))),
            nobody: nobody.into(),
        })
    }

    /// Hashes a password, and returns the PHC string.
    ///
    /// # Errors
    /// [`Failure::Busy`] when too many hashes wait.
    pub async fn hash(&self, password: Zeroizing<String>) -> Result<String, Failure> {
        let argon2 = self.argon2.clone();
        self.in_turn(move || argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string()))
            .await?
            .map_err(|_| Failure::Internal("Argon2 failed"))
    }

    /// Checks a password against a PHC string.
    ///
    /// # Errors
    /// [`Failure::Busy`] when too many hashes wait.
    pub async fn check(&self, password: Zeroizing<String>, phc: Zeroizing<Vec<u8>>) -> Result<Checked, Failure> {
        let argon2 = self.argon2.clone();
        self.in_turn(move || {
            let Some(hash) = std::str::from_utf8(&phc).ok().and_then(|text| PasswordHash::new(text).ok()) else {
                return Checked::Wrong;
            };
            match argon2.verify_password(password.as_bytes(), &hash) {
                Ok(()) => Checked::Right { outdated: is_weaker(&hash, argon2.params()) },
                Err(_) => Checked::Wrong,
            }
        })
        .await
    }

    /// Takes as long as a check, for a user who does not exist.
    ///
    /// # Errors
    /// [`Failure::Busy`] when too many hashes wait.
    pub async fn check_nobody(&self, password: Zeroizing<String>) -> Result<(), Failure> {
        self.check(password, Zeroizing::new(self.nobody.as_bytes().to_vec())).await.map(drop)
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        let turn = tokio::time::timeout(TIMEOUT, self.gate.clone().acquire_owned());
        let turn = turn.await.map_err(|_| Failure::Busy)?.map_err(|_| Failure::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| Failure::Internal("password hashing was interrupted"))
    }
}

fn is_weaker(hash: &PasswordHash, today: &Params) -> bool {
    match Params::try_from(hash) {
        Ok(then) => then.m_cost() < today.m_cost() || then.t_cost() < today.t_cost() || then.p_cost() < today.p_cost(),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher(memory_kib: u32) -> Hasher {
        Hasher::new(Hashing { memory_kib, iterations: 1, parallelism: 1, at_once: 1 }).expect("parameters in range")
    }

    fn secret(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_hash_is_checked_with_its_own_parameters_and_reported_if_they_are_outdated() {
        let phc = hasher(64).hash(secret("open sesame")).await.expect("hashed");
        assert!(phc.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{phc}");
        let phc = || Zeroizing::new(phc.clone().into_bytes());
        let check = async |hasher: Hasher, text| hasher.check(secret(text), phc()).await.expect("checked");
        assert!(matches!(check(hasher(64), "open sesame").await, Checked::Right { outdated: false }));
        assert!(matches!(check(hasher(128), "open sesame").await, Checked::Right { outdated: true }));
        assert!(matches!(check(hasher(64), "open barley").await, Checked::Wrong));
    }
}
