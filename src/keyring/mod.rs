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
mod rekey;
mod sealing;

pub use failure::KeyringError;
pub use master::{MasterKeySource, first_line};
pub use owner::Owner;
pub use rekey::NewMasterKey;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use cache::Cache;
use directory::Directory;
use sealing::Key;

/// A file that the master key sealed when the keyring was created. Opening it shows whether a master key is the right
/// one.
const CHECK_FILE: &str = "master.check";
const CHECK_CONTEXT: [&[u8]; 1] = [b"check"];
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
    cache: Mutex<Cache>,
    /// Locked while a data key is read, created or removed, which waits for the disk. A cached key needs only the
    /// cache.
    files: Mutex<Files>,
    #[cfg(test)]
    _temporary: Option<tempfile::TempDir>,
}

/// The directory, and the key that opens its files.
struct Files {
    directory: Directory,
    master: Key,
    /// The old master key, after its replacement was interrupted. Some files are still sealed by it. No new ones are
    /// made then, since the next start completes the replacement without them.
    old: Option<Key>,
}

impl Files {
    fn is_unfinished(&self) -> bool {
        self.old.is_some()
    }

    fn begin_unfinished(&mut self, new: Key) {
        self.old = Some(std::mem::replace(&mut self.master, new));
    }

    fn end_unfinished(&mut self) {
        self.old = None;
    }

    /// Whether the log of this keyring must have a seal.
    fn expects_sealed_log(&self) -> Result<bool, KeyringError> {
        let damaged = || KeyringError::WrongMasterKey(self.directory.path().to_owned());
        let sealed = self.directory.read(CHECK_FILE)?.ok_or_else(damaged)?;
        Ok(*self.open(&CHECK_CONTEXT, &sealed).ok_or_else(damaged)? == SEALED_LOG_TEXT)
    }

    fn open(&self, context: &[&[u8]], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let old = || self.old.as_ref().and_then(|old| old.open(context, sealed).ok());
        self.master.open(context, sealed).ok().or_else(old)
    }
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
        let master = rekey::open(&directory, &master)?;
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
            self.shared.read_key(&owner, &self.shared.files())?;
        }
        Ok(())
    }

    /// Derives a key for a purpose other than sealing, such as a MAC over a cache. The same master key always gives the
    /// same key, from which the master key cannot be computed.
    pub fn derived_key(&self, purpose: &'static str) -> Zeroizing<[u8; 32]> {
        self.shared.files().master.derived(purpose)
    }

    /// Replaces the master key: all data keys are sealed by the new one. It is put into the file with the old one, if
    /// `install` names that. Secrets can be opened meanwhile if their data key was used recently.
    ///
    /// # Errors
    /// When the new key is unfit, a data key is damaged, or the disk fails. Then the old key is still in use, except
    /// after [`KeyringError::UnfinishedRekey`]: the next start completes the replacement.
    pub fn replace_master_key(&self, new: &NewMasterKey, install: Option<&Path>) -> Result<(), KeyringError> {
        self.replace_at(new, install, &mut |_| {})
    }

    fn replace_at(
        &self,
        new: &NewMasterKey,
        install: Option<&Path>,
        at: rekey::AtStep<'_>,
    ) -> Result<(), KeyringError> {
        let mut files = self.shared.files();
        rekey::replace(&mut files, new, install, at).map_err(|error| {
            if files.is_unfinished() {
                tracing::error!(%error, "the replacement of the master key is not complete");
                return KeyringError::UnfinishedRekey;
            }
            error
        })
    }

    /// Whether the master key was replaced and [`Keyring::note_replacement`] was not called since.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn was_replaced(&self) -> Result<bool, KeyringError> {
        Ok(self.shared.files().directory.read(rekey::REPLACED)?.is_some())
    }

    /// Forgets that the master key was replaced, after the log says so.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn note_replacement(&self) -> Result<(), KeyringError> {
        self.shared.files().directory.wipe(rekey::REPLACED)
    }

    /// Derives a key for a purpose other than sealing from the owner's data key, which is made if it does not exist.
    /// Other than [`Keyring::derived_key`], it does not change with the master key.
    ///
    /// # Errors
    /// When the disk fails, or the data key is damaged.
    pub fn owner_key(&self, owner: &Owner, purpose: &'static str) -> Result<Zeroizing<[u8; 32]>, KeyringError> {
        Ok(self.shared.key_or_new(owner)?.derived(purpose))
    }

    /// Whether the log of this keyring must have a seal.
    ///
    /// # Errors
    /// When the disk fails, or the mark cannot be opened.
    pub fn expects_sealed_log(&self) -> Result<bool, KeyringError> {
        self.shared.files().expects_sealed_log()
    }

    /// Notes durably that the log of this keyring must have a seal from now on.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn expect_sealed_log(&self) -> Result<(), KeyringError> {
        let files = self.shared.files();
        if files.expects_sealed_log()? {
            return Ok(());
        }
        let text = files.master.seal(&CHECK_CONTEXT, SEALED_LOG_TEXT);
        files.directory.write(CHECK_FILE, &text.map_err(|_| KeyringError::Provider("seal"))?)
    }

    /// Deletes the owner's data key, which makes all its sealed secrets permanently unreadable. Succeeds if the owner
    /// has no key.
    ///
    /// # Errors
    /// When the disk fails. The key may then still exist, and the caller should retry.
    pub fn shred(&self, owner: &Owner) -> Result<(), KeyringError> {
        let files = self.shared.files();
        self.shared.cache().remove(owner);
        files.directory.wipe(&owner.to_string())
    }

    /// All owners that have a data key, in no particular order. The services shred those that no longer exist.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn owners(&self) -> Result<Vec<Owner>, KeyringError> {
        Ok(self.shared.files().directory.names()?.iter().filter_map(|name| Owner::parse(name)).collect())
    }

    /// Copies all files of the keyring. Meanwhile no data key is made or deleted, not even while `then` runs.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn copy_with<T>(&self, then: impl FnOnce() -> T) -> Result<(CopiedFiles, T), KeyringError> {
        let files = self.shared.files();
        Ok((files.directory.copy()?, then()))
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
            cache: Mutex::default(),
            files: Mutex::new(Files { directory, master, old: None }),
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

/// Whether the content of the file of a master key, or of its passphrase, opens a copied keyring.
pub fn opens(copied: &CopiedFiles, content: Zeroizing<Vec<u8>>) -> bool {
    let file = |name: &str| copied.iter().find(|(known, _)| known == name).map(|(_, content)| content.as_slice());
    let key = match file(passphrase::FILE) {
        Some(derivation) => first_line(&content).ok().and_then(|text| {
            let derivation = std::str::from_utf8(derivation).ok()?;
            passphrase::derived(&text, derivation)
        }),
        None => master::parse(&content, Path::new("")).ok(),
    };
    key.zip(file(CHECK_FILE)).is_some_and(|(key, check)| key.open(&CHECK_CONTEXT, check).is_ok())
}

impl Shared {
    fn key(&self, owner: &Owner) -> Result<Option<Arc<Key>>, KeyringError> {
        if let Some(key) = self.cache().get(owner) {
            return Ok(Some(key));
        }
        self.load_key(owner, &self.files())
    }

    fn key_or_new(&self, owner: &Owner) -> Result<Arc<Key>, KeyringError> {
        if let Some(key) = self.cache().get(owner) {
            return Ok(key);
        }
        let files = self.files();
        match self.load_key(owner, &files)? {
            Some(key) => Ok(key),
            None => self.create_key(owner, &files),
        }
    }

    /// Looks in the cache again, now with the directory locked: another thread may have created or removed the key.
    fn load_key(&self, owner: &Owner, files: &Files) -> Result<Option<Arc<Key>>, KeyringError> {
        if let Some(key) = self.cache().get(owner) {
            return Ok(Some(key));
        }
        let key = self.read_key(owner, files)?.map(Arc::new);
        if let Some(key) = &key {
            self.cache().insert(owner.clone(), Arc::clone(key));
        }
        Ok(key)
    }

    fn read_key(&self, owner: &Owner, files: &Files) -> Result<Option<Key>, KeyringError> {
        let (name, directory) = (owner.to_string(), &files.directory);
        // A file of zeros is left when shredding is interrupted between overwriting and removing the file.
        let Some(sealed) = directory.read(&name)?.filter(|sealed| sealed.iter().any(|byte| *byte != 0)) else {
            return Ok(None);
        };
        let damaged = || KeyringError::Damaged { path: directory.path_of(&name), what: "it holds no data key" };
        let opened = files.open(&key_context(&name), &sealed).ok_or_else(damaged)?;
        Ok(Some(Key::from_slice(&opened).ok_or_else(damaged)?))
    }

    fn create_key(&self, owner: &Owner, files: &Files) -> Result<Arc<Key>, KeyringError> {
        if files.is_unfinished() {
            return Err(KeyringError::UnfinishedRekey);
        }
        let failed = |_| KeyringError::Provider("make a data key");
        let name = owner.to_string();
        let key = Arc::new(Key::random().map_err(failed)?);
        let sealed = files.master.seal(&key_context(&name), key.as_bytes()).map_err(failed)?;
        // The key is durable before anything is sealed with it: a secret in the log would be lost with its key.
        files.directory.write(&name, &sealed)?;
        self.cache().insert(owner.clone(), Arc::clone(&key));
        Ok(key)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        // A panic cannot leave the cache or the directory in the middle of a change.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks that the master key is the directory's, or binds a new directory to it.
fn check_master_key(master: &Key, directory: &Directory) -> Result<(), KeyringError> {
    match directory.read(CHECK_FILE)? {
        Some(sealed) => match master.open(&CHECK_CONTEXT, &sealed) {
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
            let sealed = master.seal(&CHECK_CONTEXT, SEALED_LOG_TEXT).map_err(|_| KeyringError::Provider("seal"))?;
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
