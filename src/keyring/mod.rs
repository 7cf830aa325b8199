//! Sealing of secrets, so that the event log can hold them.
//!
//! Every owner of secrets (a connection, a user) has a random data key of its own, in a file of its own, sealed by the
//! master key. Secrets are sealed by their owner's data key and stored by others, in the log. Deleting the data key
//! makes all of them unreadable for ever, whatever the log, its copies and its backups keep; so a data key must never
//! be in the log. Services are the only users. Nothing here may show a key or a plaintext in an error or a `Debug`
//! text, nor use anything else of ours.

mod cache;
mod directory;
mod failure;
mod master;
mod owner;
mod passphrase;
mod sealing;

pub use failure::KeyringError;
pub use master::MasterKeySource;
pub use owner::Owner;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use cache::Cache;
use directory::Directory;
use sealing::Key;

/// Sealed by the master key when the keyring is made; opening it tells whether a master key is the right one.
const CHECK_FILE: &str = "master.check";
const CHECK_TEXT: &[u8] = b"the master key is the right one";

/// The open keyring; cheap to clone, safe to share. One at a time may be open on a directory.
#[derive(Clone)]
pub struct Keyring {
    shared: Arc<Shared>,
}

struct Shared {
    master: Key,
    cache: Mutex<Cache>,
    /// Held while a data key is read, made or removed, which waits for the disk; a cached key needs the cache only.
    directory: Mutex<Directory>,
    #[cfg(test)]
    _temporary: Option<tempfile::TempDir>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring")
    }
}

impl Keyring {
    /// Opens the keyring in a directory, making both if there is none.
    ///
    /// # Errors
    /// When the directory cannot be used or is in use, or when the master key is missing, malformed, open to others or
    /// not the one that the keyring was made with.
    pub fn open(dir: &Path, master: MasterKeySource) -> Result<Self, KeyringError> {
        let directory = Directory::open(dir)?;
        let master = master.key(&directory)?;
        prove(&master, &directory)?;
        Ok(Self::of(master, directory))
    }

    /// Seals a secret of an owner for a purpose. The owner's data key is made, durably, when it has none.
    ///
    /// # Errors
    /// When the disk fails, or the owner's data key is damaged.
    pub fn seal(&self, owner: &Owner, purpose: &'static str, plaintext: &[u8]) -> Result<Vec<u8>, KeyringError> {
        let key = self.shared.key_or_new(owner)?;
        key.seal(&context(&owner.to_string(), purpose), plaintext).map_err(|_| KeyringError::Provider("seal a secret"))
    }

    /// Opens what was sealed for the same owner and purpose.
    ///
    /// # Errors
    /// When the owner was shredded, when the bytes are not what was sealed for that owner and purpose, or when the
    /// disk fails.
    pub fn open_sealed(
        &self,
        owner: &Owner,
        purpose: &'static str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        let key = self.shared.key(owner)?.ok_or_else(|| KeyringError::Shredded(owner.clone()))?;
        key.open(&context(&owner.to_string(), purpose), sealed)
            .map_err(|_| KeyringError::Unreadable { owner: owner.clone(), purpose })
    }

    /// A key of its own for a purpose that is no secret's, such as a MAC over a cache. The same master key gives the same
    /// one, and nobody can tell the master key from it.
    pub fn derived_key(&self, purpose: &'static str) -> Zeroizing<[u8; 32]> {
        self.shared.master.derived(purpose)
    }

    /// Deletes the owner's data key: all that was sealed for it is unreadable for ever. An owner without a key is no
    /// error.
    ///
    /// # Errors
    /// When the disk fails; the key may then still be there, and shredding is to be tried again.
    pub fn shred(&self, owner: &Owner) -> Result<(), KeyringError> {
        let directory = self.shared.directory();
        self.shared.cache().remove(owner);
        directory.wipe(&owner.to_string())
    }

    /// All owners that have a data key, in no order: for shredding those whose owner is no more.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn owners(&self) -> Result<Vec<Owner>, KeyringError> {
        Ok(self.shared.directory().names()?.iter().filter_map(|name| Owner::parse(name)).collect())
    }

    /// A keyring with a master key and a directory of its own, which goes with the last clone.
    #[cfg(test)]
    pub fn for_tests() -> Self {
        let temporary = tempfile::tempdir().expect("tests have a temporary directory");
        let directory = Directory::open(&temporary.path().join("keyring")).expect("a new directory opens");
        let master = Key::random().expect("the system has random bytes");
        prove(&master, &directory).expect("a new keyring takes any master key");
        let mut keyring = Self::of(master, directory);
        Arc::get_mut(&mut keyring.shared).expect("it has no clone yet")._temporary = Some(temporary);
        keyring
    }

    fn of(master: Key, directory: Directory) -> Self {
        let shared = Shared {
            master,
            cache: Mutex::default(),
            directory: Mutex::new(directory),
            #[cfg(test)]
            _temporary: None,
        };
        Self { shared: Arc::new(shared) }
    }
}

impl Shared {
    fn key(&self, owner: &Owner) -> Result<Option<Arc<Key>>, KeyringError> {
        if let Some(key) = self.cache().get(owner) {
            return Ok(Some(key));
        }
        self.find(owner, &self.directory())
    }

    fn key_or_new(&self, owner: &Owner) -> Result<Arc<Key>, KeyringError> {
        if let Some(key) = self.cache().get(owner) {
            return Ok(key);
        }
        let directory = self.directory();
        match self.find(owner, &directory)? {
            Some(key) => Ok(key),
            None => self.make(owner, &directory),
        }
    }

    /// Looks again, now with the directory in hand: whoever held it before may have made or removed the key.
    fn find(&self, owner: &Owner, directory: &Directory) -> Result<Option<Arc<Key>>, KeyringError> {
        if let Some(key) = self.cache().get(owner) {
            return Ok(Some(key));
        }
        let name = owner.to_string();
        // All zeros: shredding was cut short after the key was gone and before the file was.
        let Some(sealed) = directory.read(&name)?.filter(|sealed| sealed.iter().any(|byte| *byte != 0)) else {
            return Ok(None);
        };
        let damaged = || KeyringError::Damaged { path: directory.path_of(&name), what: "it holds no data key" };
        let opened = self.master.open(&key_context(&name), &sealed).map_err(|_| damaged())?;
        let key = Arc::new(Key::from_slice(&opened).ok_or_else(damaged)?);
        self.cache().insert(owner.clone(), Arc::clone(&key));
        Ok(Some(key))
    }

    fn make(&self, owner: &Owner, directory: &Directory) -> Result<Arc<Key>, KeyringError> {
        let failed = |_| KeyringError::Provider("make a data key");
        let name = owner.to_string();
        let key = Arc::new(Key::random().map_err(failed)?);
        let sealed = self.master.seal(&key_context(&name), key.as_bytes()).map_err(failed)?;
        // Durable before anything is sealed by it: a secret in the log whose key is lost would be lost too.
        directory.write(&name, &sealed)?;
        self.cache().insert(owner.clone(), Arc::clone(&key));
        Ok(key)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        // A panic leaves both as they were before or after one whole change.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks the master key against the directory, or binds a new directory to it.
fn prove(master: &Key, directory: &Directory) -> Result<(), KeyringError> {
    let context: [&[u8]; 1] = [b"check"];
    match directory.read(CHECK_FILE)? {
        Some(sealed) => match master.open(&context, &sealed) {
            Ok(text) if *text == CHECK_TEXT => Ok(()),
            _ => Err(KeyringError::WrongMasterKey(directory.path().to_owned())),
        },
        None if directory.names()?.iter().any(|name| Owner::parse(name).is_some()) => Err(KeyringError::Damaged {
            path: directory.path_of(CHECK_FILE),
            what: "it is missing, though there are data keys",
        }),
        None => {
            let sealed = master.seal(&context, CHECK_TEXT).map_err(|_| KeyringError::Provider("seal"))?;
            directory.write(CHECK_FILE, &sealed)
        }
    }
}

/// What a secret is sealed for, as a text of its own kind: no data key could be taken for a secret, or the reverse.
fn context<'a>(owner: &'a str, purpose: &'a str) -> [&'a [u8]; 3] {
    [b"secret", owner.as_bytes(), purpose.as_bytes()]
}

/// What a data key is sealed for.
fn key_context(owner: &str) -> [&[u8]; 2] {
    [b"data key", owner.as_bytes()]
}

#[cfg(test)]
mod tests;
