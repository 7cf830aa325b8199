//! A snapshot of the state beside the log, so that a start need not replay the entire log. It is a cache: the log is
//! authoritative, and deleting the file `snapshot` loses nothing. `verify` never reads it.
//!
//! A snapshot is used only if its MAC, under a key from the keyring, is correct, and if its last record is in the log
//! with the hash that the snapshot has for it. Otherwise the file is deleted and the log is replayed. So an attacker
//! gains nothing by editing it: the MAC requires the master key.
//!
//! `file` is the format on disk, `keeper` the thread that writes it.

mod file;
mod keeper;

pub(super) use file::{PartWriter, SnapshotFile};
pub(super) use keeper::Keeper;

#[cfg(test)]
use super::chain::Chain;
use super::chain::ChainReader;
use super::error::LedgerError;
use super::head::HeadMark;
use super::layout::{Impossible, state as content};
use super::replay::{self, Replayed};
use super::store::Store;
use super::{Shared, spawn};
use aws_lc_rs::hmac;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

/// Returns the key for the MAC of snapshots. It is called when a snapshot is read or written. It returns `None` if the
/// master key is not available; then snapshots are neither used nor written.
pub type SnapshotKey = Arc<dyn Fn() -> Option<[u8; 32]> + Send + Sync>;

/// The least records that get a snapshot. Fewer are replayed in a fraction of a second, which also checks them all.
pub(super) const MIN_RECORDS: u64 = 20_000;

/// The path and the key of a data directory's snapshot.
#[derive(Clone)]
pub(super) struct Place {
    path: PathBuf,
    key: SnapshotKey,
}

impl Place {
    pub(super) fn new(data: &Path, key: SnapshotKey) -> Self {
        Self { path: data.join("snapshot"), key }
    }

    fn mac_key(&self) -> Option<hmac::Key> {
        (self.key)().map(|key| hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    /// Returns the state of the snapshot, if there is a valid one.
    pub(super) fn load(&self, store: &dyn Store, known: HeadMark) -> Option<Replayed> {
        if !self.path.exists() {
            return None;
        }
        let Some(key) = self.mac_key() else {
            tracing::info!("the snapshot is not used: the master key is not available");
            return None;
        };
        match self.read(&key, store, known) {
            Ok(replayed) => Some(replayed),
            Err(error) => {
                tracing::warn!(%error, path = %self.path.display(), "the snapshot is discarded; the log is replayed");
                let _ = std::fs::remove_file(&self.path); // If this fails, the next start discards it again.
                None
            }
        }
    }

    /// Opens the snapshot and checks its MAC.
    #[cfg(test)]
    pub(super) fn open(&self) -> Result<SnapshotFile, SnapshotError> {
        SnapshotFile::open(&self.path, &self.mac_key().ok_or(SnapshotError::NoKey)?)
    }

    /// Writes a snapshot that has these parts.
    #[cfg(test)]
    pub(super) fn write_parts(&self, chain: Chain, parts: &[(u16, Vec<u8>)]) -> Result<(), SnapshotError> {
        let key = self.mac_key().ok_or(SnapshotError::NoKey)?;
        let fill = |writer: &mut PartWriter| parts.iter().try_for_each(|(kind, bytes)| writer.push(*kind, bytes));
        Ok(file::write(&self.path, &key, chain, fill)?)
    }

    fn read(&self, key: &hmac::Key, store: &dyn Store, known: HeadMark) -> Result<Replayed, SnapshotError> {
        let file = SnapshotFile::open(&self.path, key)?;
        let chain = file.chain;
        if chain.seq > store.head() {
            return Err(SnapshotError::Ahead { snapshot: chain.seq, log: store.head() });
        }
        let snapshot_end = HeadMark { seq: chain.seq, hash: chain.hash };
        for mark in [snapshot_end, known] {
            if (1..=chain.seq).contains(&mark.seq) {
                check_mark(store, mark).map_err(SnapshotError::Record)?;
            }
        }
        let (state, history) = content::read(&file)?;
        Ok(Replayed { state, history, chain })
    }

    /// Writes a snapshot, which replaces the existing one.
    pub(super) fn write(&self, replayed: &Replayed) -> Result<(), SnapshotError> {
        let key = self.mac_key().ok_or(SnapshotError::NoKey)?;
        file::write(&self.path, &key, replayed.chain, |parts| {
            content::write(&replayed.state, &replayed.history, parts)
        })?;
        Ok(())
    }
}

/// Rebuilds the state from the snapshot and the records after it, or from the entire log. Also returns the last record
/// of the snapshot, with number 0 if none was used.
///
/// # Errors
/// The first fault in the log.
pub(super) fn replay(
    place: Option<&Place>,
    store: &dyn Store,
    known: HeadMark,
) -> Result<(Replayed, HeadMark), LedgerError> {
    if let Some(start) = place.and_then(|place| place.load(store, known)) {
        let snapshot_end = HeadMark { seq: start.chain.seq, hash: start.chain.hash };
        match replay::replay(store, start, store.head(), known) {
            Ok(replayed) => return Ok((replayed, snapshot_end)),
            Err(error) => tracing::warn!(%error, "the log does not continue the snapshot; all of it is replayed"),
        }
    }
    let replayed = replay::replay(store, Replayed::nothing(), store.head(), known)?;
    Ok((replayed, HeadMark::default()))
}

/// Checks the records up to a snapshot, which the start has not read, in the background. If they are broken, the ledger
/// accepts no more changes. The thread ends early when the ledger is closed.
pub(super) fn check_earlier_records(
    store: Arc<dyn Store>,
    shared: Arc<Shared>,
    snapshot_end: HeadMark,
) -> Result<Option<JoinHandle<()>>, LedgerError> {
    if snapshot_end.seq == 0 {
        return Ok(None);
    }
    let check = move || {
        lower_priority();
        for batch in ChainReader::whole(&*store, snapshot_end.seq) {
            let checked = batch.and_then(|batch| batch.iter().try_for_each(|linked| snapshot_end.check(&linked)));
            if let Err(error) = checked {
                shared.accepting.store(false, Ordering::Release);
                tracing::error!(%error, "the log is broken: the ledger accepts no more changes");
            }
            if !shared.accepting.load(Ordering::Acquire) {
                return;
            }
        }
        tracing::info!(records = snapshot_end.seq, "the records before the snapshot are intact");
    };
    spawn("ledger-check", check).map(Some)
}

/// Sets the lowest priority. On Linux this applies to the calling thread only.
fn lower_priority() {
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::debug!(%error, "a thread of the ledger keeps the default priority");
    }
}

/// Checks that the log has the record of this mark.
fn check_mark(store: &dyn Store, mark: HeadMark) -> Result<(), LedgerError> {
    for batch in ChainReader::middle(store, mark.seq, mark.seq) {
        batch?.iter().try_for_each(|linked| mark.check(&linked))?;
    }
    Ok(())
}

impl From<Impossible> for SnapshotError {
    fn from(impossible: Impossible) -> Self {
        Self::Content(impossible.to_string())
    }
}

/// The reason why a snapshot is not used, or could not be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum SnapshotError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("it is not a snapshot, or has another version")]
    Form,
    #[error("its MAC is wrong: it was changed, or written with another master key or by another program version")]
    Mac,
    #[error("its part {0} was changed")]
    Part(usize),
    #[error("its last record is number {snapshot}, and the log ends with {log}")]
    Ahead { snapshot: u64, log: u64 },
    #[error("its last record: {0}")]
    Record(LedgerError),
    #[error("its content cannot be decoded: {0}")]
    Content(String),
    #[error("the master key is not available")]
    NoKey,
}
