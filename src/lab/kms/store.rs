//! The database of the lab's keys: a sled database with a JSON record for each key, alias and custom key store.
//!
//! Key material is stored in plaintext, because keys of the lab are for tests only.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::sync::Mutex;

use super::super::refusal::Refusal;
use crate::sled_files;

const CLOCK: &str = "ahead_seconds";
const PASSWORDS: &str = "kmsuser-passwords";

/// The database; `None` if the lab stores nothing.
#[derive(Debug)]
pub(super) struct Store(Option<Trees>);

#[derive(Debug)]
struct Trees {
    database: sled::Db,
    /// The number of writes, and the number of writes that are on the disk.
    written: AtomicU64,
    flushed: AtomicU64,
    flushing: Mutex<()>,
    keys: sled::Tree,
    aliases: sled::Tree,
    lab: sled::Tree,
    custom_key_stores: sled::Tree,
    events: sled::Tree,
}

#[derive(Debug, Error)]
pub enum StoreError {
    #[error("cannot use {}", path.display())]
    Unusable { path: PathBuf, source: sled::Error },
    #[error("{} is in use: another process has it open; stop that one first", .0.display())]
    InUse(PathBuf),
    #[error("cannot read the keys")]
    Unreadable(#[from] sled::Error),
    #[error("the record `{0}` is damaged")]
    Damaged(String),
}

/// The number of attempts to open a locked database, and the pause between them.
const OPEN_ATTEMPTS: u32 = 40;
const OPEN_PAUSE: Duration = Duration::from_millis(50);

/// sled reports a lock only in the text of the error.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("lock"))
}

impl Store {
    /// Opens or creates the database in a directory; without a directory nothing is stored.
    ///
    /// # Errors
    /// [`StoreError`] if the directory cannot be used, or another process has opened it.
    pub(super) fn open(directory: Option<&Path>) -> Result<Store, StoreError> {
        let Some(path) = directory else { return Ok(Store(None)) };
        let open = || {
            // The parent can be the appliance's data directory, which only its user may read.
            DirBuilder::new().recursive(true).mode(0o700).create(path)?;
            let database = sled::Config::new().path(path).cache_capacity(64 << 20).open()?;
            let tree = |name: &str| database.open_tree(name);
            let (keys, aliases, lab) = (tree("keys")?, tree("aliases")?, tree("lab")?);
            let (custom_key_stores, events) = (tree("custom_key_stores")?, tree("cloudtrail")?);
            let (written, flushed, flushing) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::new(()));
            Ok(Store(Some(Trees {
                database,
                written,
                flushed,
                flushing,
                keys,
                aliases,
                lab,
                custom_key_stores,
                events,
            })))
        };
        let mut opened = open();
        // A lab that has just stopped releases its lock with a delay.
        for _ in 0..OPEN_ATTEMPTS {
            match &opened {
                Err(error) if is_locked(error) => std::thread::sleep(OPEN_PAUSE),
                _ => break,
            }
            opened = open();
        }
        // The lock was free, so no other process has the database open.
        if matches!(opened, Err(sled::Error::Corruption { .. })) {
            let unusable = |error: std::io::Error| StoreError::Unusable { path: path.to_owned(), source: error.into() };
            sled_files::remove_unfinished(path).map_err(unusable)?;
            opened = open();
        }
        opened.map_err(|source| match is_locked(&source) {
            true => StoreError::InUse(path.to_owned()),
            false => StoreError::Unusable { path: path.to_owned(), source },
        })
    }

    /// Reads all keys.
    ///
    /// # Errors
    /// [`StoreError`] if the database or a record cannot be read.
    pub(super) fn keys<T: DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        self.0.as_ref().map_or_else(|| Ok(Vec::new()), |trees| all(&trees.keys))
    }

    /// Reads all aliases.
    ///
    /// # Errors
    /// [`StoreError`] if the database or a record cannot be read.
    pub(super) fn aliases<T: DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        self.0.as_ref().map_or_else(|| Ok(Vec::new()), |trees| all(&trees.aliases))
    }

    /// Reads all custom key stores.
    ///
    /// # Errors
    /// [`StoreError`] if the database or a record cannot be read.
    pub(super) fn custom_key_stores<T: DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        self.0.as_ref().map_or_else(|| Ok(Vec::new()), |trees| all(&trees.custom_key_stores))
    }

    /// The tree of the events of CloudTrail.
    pub(super) fn events(&self) -> Option<sled::Tree> {
        self.0.as_ref().map(|trees| trees.events.clone())
    }

    /// Reads the passwords of `kmsuser` that differ from the plan.
    ///
    /// # Errors
    /// [`StoreError`] if the database or the record cannot be read.
    pub(super) fn kmsuser_passwords<T: DeserializeOwned + Default>(&self) -> Result<T, StoreError> {
        let Some(trees) = &self.0 else { return Ok(T::default()) };
        trees.lab.get(PASSWORDS)?.map_or_else(|| Ok(T::default()), |bytes| read(PASSWORDS.as_bytes(), &bytes))
    }

    /// Reads the offset of the clock, in seconds.
    ///
    /// # Errors
    /// [`StoreError`] if the database or the record cannot be read.
    pub(super) fn clock(&self) -> Result<u32, StoreError> {
        let Some(trees) = &self.0 else { return Ok(0) };
        trees.lab.get(CLOCK)?.map_or(Ok(0), |bytes| read(CLOCK.as_bytes(), &bytes))
    }

    /// Reads one of the lab's own secrets, such as a wrapping key.
    pub(super) fn lab_secret(&self, name: &str) -> Result<Option<Vec<u8>>, Refusal> {
        let Some(trees) = &self.0 else { return Ok(None) };
        trees.lab.get(name).map(|found| found.map(|bytes| bytes.to_vec())).map_err(|_| Refusal::Internal)
    }

    /// Stores one of the lab's own secrets.
    pub(super) fn save_lab_secret(&self, name: &str, bytes: &[u8]) -> Result<(), Refusal> {
        self.write(|trees| trees.lab.insert(name, bytes).map(drop))
    }

    /// Stores the offset of the clock.
    pub(super) fn save_clock(&self, seconds: u32) -> Result<(), Refusal> {
        self.write(|trees| trees.lab.insert(CLOCK, seconds.to_string().as_bytes()).map(drop))
    }

    pub(super) fn save_kmsuser_passwords(&self, passwords: &impl Serialize) -> Result<(), Refusal> {
        self.write(|trees| trees.lab.insert(PASSWORDS, json(passwords)).map(drop))
    }

    pub(super) fn save_custom_key_store(&self, id: &str, store: &impl Serialize) -> Result<(), Refusal> {
        self.write(|trees| trees.custom_key_stores.insert(id, json(store)).map(drop))
    }

    pub(super) fn remove_custom_key_store(&self, id: &str) -> Result<(), Refusal> {
        self.write(|trees| trees.custom_key_stores.remove(id).map(drop))
    }

    pub(super) fn save_key(&self, id: &str, key: &impl Serialize) -> Result<(), Refusal> {
        self.write(|trees| trees.keys.insert(id, json(key)).map(drop))
    }

    pub(super) fn remove_key(&self, id: &str) -> Result<(), Refusal> {
        self.write(|trees| trees.keys.remove(id).map(drop))
    }

    /// Stores an alias under its ARN.
    pub(super) fn save_alias(&self, arn: &str, alias: &impl Serialize) -> Result<(), Refusal> {
        self.write(|trees| trees.aliases.insert(arn, json(alias)).map(drop))
    }

    pub(super) fn remove_alias(&self, arn: &str) -> Result<(), Refusal> {
        self.write(|trees| trees.aliases.remove(arn).map(drop))
    }

    /// Waits until all writes so far are on the disk. Concurrent callers share a flush.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if the disk fails.
    pub(super) async fn flush(&self) -> Result<(), Refusal> {
        let Some(trees) = &self.0 else { return Ok(()) };
        let wanted = trees.written.load(Ordering::Acquire);
        if trees.flushed.load(Ordering::Acquire) >= wanted {
            return Ok(());
        }
        let _guard = trees.flushing.lock().await;
        if trees.flushed.load(Ordering::Acquire) >= wanted {
            return Ok(());
        }
        let written = trees.written.load(Ordering::Acquire);
        let database = trees.database.clone();
        // sled's `flush_async` is not used: a hang was observed.
        let flushed = tokio::task::spawn_blocking(move || database.flush()).await;
        flushed.map_err(|_| Refusal::Internal)?.map_err(|error| failed(&error))?;
        trees.flushed.store(written, Ordering::Release);
        Ok(())
    }

    fn write(&self, write: impl FnOnce(&Trees) -> sled::Result<()>) -> Result<(), Refusal> {
        let Some(trees) = &self.0 else { return Ok(()) };
        write(trees).map_err(|error| failed(&error))?;
        trees.written.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }
}

fn failed(error: &sled::Error) -> Refusal {
    tracing::error!(%error, "the lab cloud cannot write");
    Refusal::Internal
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // The serialization of maps with text keys, texts, numbers and times cannot fail.
    serde_json::to_vec(value).unwrap_or_default()
}

fn all<T: DeserializeOwned>(tree: &sled::Tree) -> Result<Vec<T>, StoreError> {
    tree.iter().map(|entry| entry.map_err(StoreError::from).and_then(|(name, bytes)| read(&name, &bytes))).collect()
}

fn read<T: DeserializeOwned>(name: &[u8], bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|_| StoreError::Damaged(String::from_utf8_lossy(name).into_owned()))
}
