//! Password hashing: Argon2id on the blocking pool, with a limit on concurrent hashes.
//!
//! The memory of a hash (19 MiB by default) is made once per permit and used again. Memory that is allocated for each
//! hash, on another thread each time, stays with the allocator: 720 failed logins left 1.6 GB.

use super::failure::Failure;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::rand;
use std::sync::{Arc, Mutex, PoisonError};
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
    /// The memory of the hashes that do not run.
    idle: Arc<Mutex<Vec<Memory>>>,
    /// A hash for sign-ins under unknown names: checking a password against it takes as long as against a real hash.
    nobody: Arc<str>,
}

/// The memory that one hash fills.
type Memory = Vec<Block>;

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
        let mut memory = Memory::new();
        let nobody = phc_of(&argon2, b"nobody", &mut memory).ok_or(FAILED)?;
        Ok(Self {
            argon2: Arc::new(argon2),
            gate: Arc::new(Semaphore::new(hashing.at_once.max(1))),
            idle: Arc::new(Mutex::new(vec![memory])),
            nobody: nobody.into(),
        })
    }

    /// Hashes a password, and returns the PHC string.
    ///
    /// # Errors
    /// [`Failure::Busy`] when too many hashes wait.
    pub async fn hash(&self, password: Zeroizing<String>) -> Result<String, Failure> {
        let argon2 = self.argon2.clone();
        self.in_turn(move |memory| phc_of(&argon2, password.as_bytes(), memory)).await?.ok_or(FAILED)
    }

    /// Checks a password against a PHC string.
    ///
    /// # Errors
    /// [`Failure::Busy`] when too many hashes wait.
    pub async fn check(&self, password: Zeroizing<String>, phc: Zeroizing<Vec<u8>>) -> Result<Checked, Failure> {
        let argon2 = self.argon2.clone();
        self.in_turn(move |memory| {
            let Some(hash) = std::str::from_utf8(&phc).ok().and_then(|text| PasswordHash::new(text).ok()) else {
                return Checked::Wrong;
            };
            match is_of(&hash, password.as_bytes(), memory) {
                Some(true) => Checked::Right { outdated: is_weaker(&hash, argon2.params()) },
                Some(false) | None => Checked::Wrong,
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

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let turn = tokio::time::timeout(TIMEOUT, self.gate.clone().acquire_owned());
        let turn = turn.await.map_err(|_| Failure::Busy)?.map_err(|_| Failure::Busy)?;
        let (idle, blocks) = (self.idle.clone(), self.argon2.params().block_count());
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut memory = idle.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
            let result = work(&mut memory);
            // A hash with earlier parameters may have needed more.
            memory.truncate(blocks);
            memory.shrink_to_fit();
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
            result
        });
        done.await.map_err(|_| Failure::Internal("password hashing was interrupted"))
    }
}

const FAILED: Failure = Failure::Internal("Argon2 failed");

/// Returns the PHC string of the hash of a password with a new salt; `None` if Argon2 or the source of random bytes
/// fails.
fn phc_of(argon2: &Argon2<'_>, password: &[u8], memory: &mut Memory) -> Option<String> {
    let mut salt = [0; Salt::RECOMMENDED_LENGTH];
    rand::fill(&mut salt).ok()?;
    let mut hash = [0; Params::DEFAULT_OUTPUT_LEN];
    fill(argon2, password, &salt, &mut hash, memory)?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params()).ok()?,
        salt: Some(Salt::new(&salt).ok()?),
        hash: Some(Output::new(&hash).ok()?),
    };
    Some(hash.to_string())
}

/// Returns whether this is the hash of a password; `None` if it is no hash that this program makes.
fn is_of(hash: &PasswordHash, password: &[u8], memory: &mut Memory) -> Option<bool> {
    if hash.algorithm != Algorithm::Argon2id.ident() || hash.version != Some(Version::V0x13.into()) {
        return None;
    }
    let (salt, expected) = (hash.salt?, hash.hash?);
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::try_from(hash).ok()?);
    let mut found = vec![0; expected.len()];
    fill(&argon2, password, salt.as_ref(), &mut found, memory)?;
    // The comparison takes the same time wherever they differ.
    Some(Output::new(&found).ok()? == expected)
}

fn fill(argon2: &Argon2<'_>, password: &[u8], salt: &[u8], hash: &mut [u8], memory: &mut Memory) -> Option<()> {
    memory.resize(argon2.params().block_count().max(memory.len()), Block::default());
    argon2.hash_password_into_with_memory(password, salt, hash, memory).ok()
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

    #[tokio::test]
    async fn hashes_share_as_much_memory_as_can_run_at_once() {
        let hasher = hasher(64);
        let larger = self::hasher(256).hash(secret("open sesame")).await.expect("hashed");
        let checks = (0..20).map(|_| hasher.check(secret("open sesame"), Zeroizing::new(larger.clone().into_bytes())));
        for checked in futures_util::future::join_all(checks).await {
            assert!(matches!(checked, Ok(Checked::Right { outdated: false })));
        }
        let idle = hasher.idle.lock().expect("not poisoned");
        assert_eq!(idle.iter().map(Vec::capacity).collect::<Vec<_>>(), [64]);
    }

    #[tokio::test]
    async fn a_text_that_is_no_hash_of_ours_is_wrong() {
        let hasher = hasher(64);
        let phc = hasher.hash(secret("open sesame")).await.expect("hashed");
        for other in [phc.replace("argon2id", "argon2i"), phc.replace("v=19", "v=16"), phc[..40].to_owned(), "x".into()]
        {
            let checked = hasher.check(secret("open sesame"), Zeroizing::new(other.into_bytes())).await;
            assert!(matches!(checked, Ok(Checked::Wrong)));
        }
    }
}
