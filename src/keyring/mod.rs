//! Sealing of secrets, so that the event log can hold them.
//!
//! Every owner of secrets (a connection, a user) has a random data key of its own, in a file of its own, sealed with
//! the master key. Secrets are sealed with their owner's data key; the services, which are the only users of this
//! module, store them in the log. Deleting the data key makes all of them permanently unreadable, in the log, its
//! copies and its backups; so a data key must never be in the log. No error and no `Debug` text may show a key or a
//! plaintext. This module uses no other module of the program.

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

/// A file that the master key sealed when the keyring was created. Opening it shows whether a master key is the right
/// one.
const CHECK_FILE: &str = "master.check";
const CHECK_TEXT: &[u8] = b"the master key is the right one";
/// The text of keyrings whose log must have a seal. It is sealed, so nobody without the master key can take it back.
const SEALED_LOG_TEXT: &[u8] = b"the master key is the right one, and the log is sealed";

/// The names and contents of the files of a keyring.
pub type CopiedFiles = Vec<(String, Vec<u8>)>;

/// An open keyring. It is cheap to clone and safe to share. A directory can be open in one keyring at a time.
#[derive(Clone)]
pub struct Keyring {
    shared: Arc<Shared>,
}

struct Shared {
    master: Key,
    cache: Mutex<Cache>,
    /// Locked while a data key is read, created or removed, which waits for the disk. A cached key needs only the
    /// cache.
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
    /// Opens the keyring in a directory, and creates both if they do not exist.
    ///
    /// # Errors
    /// When the directory cannot be used or is in use, or when the master key is missing, malformed, readable by others
    /// or not the one with which the keyring was created.
    pub fn open(dir: &Path, master: MasterKeySource) -> Result<Self, KeyringError> {
        let directory = Directory::open(dir)?;
        let master = master.key(&directory)?;
        check_master_key(&master, &directory)?;
        Ok(Self::of(master, directory))
    }

    /// Seals a secret of an owner for a purpose. An owner without a data key gets a durable one first.
    ///
    /// # Errors
    /// When the disk fails, or the owner's data key is damaged.
    pub fn seal(&self, owner: &Owner, purpose: &'static str, plaintext: &[u8]) -> Result<Vec<u8>, KeyringError> {
        let key = self.shared.key_or_new(owner)?;
        key.seal(&context(&owner.to_string(), purpose), plaintext).map_err(|_| KeyringError::Provider("seal a secret"))
    }

    /// Opens bytes that were sealed for the same owner and purpose.
    ///
    /// # Errors
    /// When the owner was shredded, when the bytes were not sealed for that owner and purpose, or when the disk fails.
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

    /// Checks that the master key opens every data key.
    ///
    /// # Errors
    /// When the disk fails; the first data key that is damaged.
    pub fn check(&self) -> Result<(), KeyringError> {
        for owner in self.owners()? {
            self.shared.read_key(&owner, &self.shared.directory())?;
        }
        Ok(())
    }

    /// Derives a key for a purpose other than sealing, such as a MAC over a cache. The same master key always gives the
    /// same key, from which the master key cannot be computed.
    pub fn derived_key(&self, purpose: &'static str) -> Zeroizing<[u8; 32]> {
        self.shared.master.derived(purpose)
    }

    /// Derives a key for a MAC from the owner's data key, which is made if it does not exist. Other than
    /// [`Keyring::derived_key`], it does not change with the master key.
    ///
    /// # Errors
    /// When the disk fails, or the data key is damaged.
    pub fn mac_key(&self, owner: &Owner, purpose: &'static str) -> Result<Zeroizing<[u8; 32]>, KeyringError> {
        Ok(self.shared.key_or_new(owner)?.derived(purpose))
    }

    /// Whether the log of this keyring must have a seal.
    ///
    /// # Errors
    /// When the disk fails, or the mark cannot be opened.
    pub fn expects_sealed_log(&self) -> Result<bool, KeyringError> {
        let directory = self.shared.directory();
        let damaged = || KeyringError::WrongMasterKey(directory.path().to_owned());
        let sealed = directory.read(CHECK_FILE)?.ok_or_else(damaged)?;
        let text = self.shared.master.open(&[b"check"], &sealed).map_err(|_| damaged())?;
        Ok(*text == SEALED_LOG_TEXT)
    }

    /// Notes durably that the log of this keyring must have a seal from now on.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn expect_sealed_log(&self) -> Result<(), KeyringError> {
        if self.expects_sealed_log()? {
            return Ok(());
        }
        let text = self.shared.master.seal(&[b"check"], SEALED_LOG_TEXT);
        self.shared.directory().write(CHECK_FILE, &text.map_err(|_| KeyringError::Provider("seal"))?)
    }

    /// Deletes the owner's data key, which makes all its sealed secrets permanently unreadable. Succeeds if the owner
    /// has no key.
    ///
    /// # Errors
    /// When the disk fails. The key may then still exist, and the caller should retry.
    pub fn shred(&self, owner: &Owner) -> Result<(), KeyringError> {
        let directory = self.shared.directory();
        self.shared.cache().remove(owner);
        directory.wipe(&owner.to_string())
    }

    /// All owners that have a data key, in no particular order. The services shred those that no longer exist.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn owners(&self) -> Result<Vec<Owner>, KeyringError> {
        Ok(self.shared.directory().names()?.iter().filter_map(|name| Owner::parse(name)).collect())
    }

    /// Copies all files of the keyring. Meanwhile no data key is made or deleted, not even while `then` runs.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn copy_with<T>(&self, then: impl FnOnce() -> T) -> Result<(CopiedFiles, T), KeyringError> {
        let directory = self.shared.directory();
        Ok((directory.copy()?, then()))
    }

    /// A keyring with its own master key and its own directory, which is deleted with the last clone.
    #[cfg(test)]
    pub fn for_tests() -> Self {
        let temporary = tempfile::tempdir().expect("tests have a temporary directory");
        let directory = Directory::open(&temporary.path().join("keyring")).expect("a new directory opens");
        let master = Key::random().expect("the system has random bytes");
        check_master_key(&master, &directory).expect("a new keyring takes any master key");
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

/// Copies all files of a keyring that no process has open. The files are sealed, so the master key is not needed.
///
/// # Errors
/// When the directory cannot be read or is in use.
pub fn copy_of(dir: &Path) -> Result<CopiedFiles, KeyringError> {
    if dir.is_dir() { Directory::open(dir)?.copy() } else { Ok(Vec::new()) }
}

impl Shared {
    fn key(&self, owner: &Owner) -> Result<Option<Arc<Key>>, KeyringError> {
        if let Some(key) = self.cache().get(owner) {
            return Ok(Some(key));
        }
        self.load_key(owner, &self.directory())
    }

    fn key_or_new(&self, owner: &Owner) -> Result<Arc<Key>, KeyringError> {
        if let Some(key) = self.cache().get(owner) {
            return Ok(key);
        }
        let directory = self.directory();
        match self.load_key(owner, &directory)? {
            Some(key) => Ok(key),
            None => self.create_key(owner, &directory),
        }
    }

    /// Looks in the cache again, now with the directory locked: another thread may have created or removed the key.
    fn load_key(&self, owner: &Owner, directory: &Directory) -> Result<Option<Arc<Key>>, KeyringError> {
        if let Some(key) = self.cache().get(owner) {
            return Ok(Some(key));
        }
        let key = self.read_key(owner, directory)?.map(Arc::new);
        if let Some(key) = &key {
            self.cache().insert(owner.clone(), Arc::clone(key));
        }
        Ok(key)
    }

    fn read_key(&self, owner: &Owner, directory: &Directory) -> Result<Option<Key>, KeyringError> {
        let name = owner.to_string();
        // A file of zeros is left when shredding is interrupted between overwriting and removing the file.
        let Some(sealed) = directory.read(&name)?.filter(|sealed| sealed.iter().any(|byte| *byte != 0)) else {
            return Ok(None);
        };
        let damaged = || KeyringError::Damaged { path: directory.path_of(&name), what: "it holds no data key" };
        let opened = self.master.open(&key_context(&name), &sealed).map_err(|_| damaged())?;
        Ok(Some(Key::from_slice(&opened).ok_or_else(damaged)?))
    }

    fn create_key(&self, owner: &Owner, directory: &Directory) -> Result<Arc<Key>, KeyringError> {
        let failed = |_| KeyringError::Provider("make a data key");
        let name = owner.to_string();
        let key = Arc::new(Key::random().map_err(failed)?);
        let sealed = self.master.seal(&key_context(&name), key.as_bytes()).map_err(failed)?;
        // The key is durable before anything is sealed with it: a secret in the log would be lost with its key.
        directory.write(&name, &sealed)?;
        self.cache().insert(owner.clone(), Arc::clone(&key));
        Ok(key)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        // A panic cannot leave the cache or the directory in the middle of a change.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks that the master key is the directory's, or binds a new directory to it.
fn check_master_key(master: &Key, directory: &Directory) -> Result<(), KeyringError> {
    let context: [&[u8]; 1] = [b"check"];
    match directory.read(CHECK_FILE)? {
        Some(sealed) => match master.open(&context, &sealed) {
            Ok(text) if *text == CHECK_TEXT || *text == SEALED_LOG_TEXT => Ok(()),
            Ok(_) => Err(KeyringError::Damaged {
                path: directory.path_of(CHECK_FILE),
                what: "its text is not known: a later version of Claviger wrote it",
            }),
            Err(_) => Err(KeyringError::WrongMasterKey(directory.path().to_owned())),
        },
        None if directory.names()?.iter().any(|name| Owner::parse(name).is_some()) => Err(KeyringError::Damaged {
            path: directory.path_of(CHECK_FILE),
            what: "it is missing, although there are data keys",
        }),
        None => {
            let sealed = master.seal(&context, SEALED_LOG_TEXT).map_err(|_| KeyringError::Provider("seal"))?;
            directory.write(CHECK_FILE, &sealed)
        }
    }
}

/// The context of a secret. It differs from that of any data key, so that one cannot be opened as the other.
fn context<'a>(owner: &'a str, purpose: &'a str) -> [&'a [u8]; 3] {
    [b"secret", owner.as_bytes(), purpose.as_bytes()]
}

/// The context of a data key.
fn key_context(owner: &str) -> [&[u8]; 2] {
    [b"data key", owner.as_bytes()]
}

#[cfg(test)]
mod tests;
