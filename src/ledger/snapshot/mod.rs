//! A snapshot of the state beside the log, so that a start need not replay all of it. It is a cache: the log is the
//! truth, and deleting the file `snapshot` loses nothing. `verify` never looks at it.
//!
//! It is believed only if its MAC is right, under a key that the keyring gives, and if the record that it rests on is in
//! the log with the hash that it names. On any doubt the file is thrown away and the log is replayed. So nobody gains
//! anything by editing it: without the master key no MAC can be made.
//!
//! `file` is its form on disk, `keeper` the thread that writes it.

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

/// Gives the key for the MAC of snapshots: asked for when there is a snapshot to read, and when one is written. None when
/// the master key cannot be had; then snapshots are neither used nor written.
pub type SnapshotKey = Arc<dyn Fn() -> Option<[u8; 32]> + Send + Sync>;

/// So many records are replayed in a fraction of a second: a snapshot of fewer is not worth its file, and to replay them
/// checks them all.
pub(super) const WORTHWHILE: u64 = 20_000;

/// Where the snapshot of a data directory is, and under which key.
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

    /// The state that the snapshot has, if there is one and there is no doubt about it.
    pub(super) fn load(&self, store: &dyn Store, known: HeadMark) -> Option<Replayed> {
        if !self.path.exists() {
            return None;
        }
        let Some(key) = self.mac_key() else {
            tracing::info!("the snapshot is not used: the master key is not there yet");
            return None;
        };
        match self.read(&key, store, known) {
            Ok(replayed) => Some(replayed),
            Err(doubt) => {
                tracing::warn!(%doubt, path = %self.path.display(), "the snapshot is thrown away; the log is replayed");
                let _ = std::fs::remove_file(&self.path); // Should it stay, the next start doubts it again.
                None
            }
        }
    }

    /// The snapshot, if it is genuine.
    #[cfg(test)]
    pub(super) fn open(&self) -> Result<SnapshotFile, Doubt> {
        SnapshotFile::open(&self.path, &self.mac_key().ok_or(Doubt::NoKey)?)
    }

    /// Writes a snapshot that has these parts.
    #[cfg(test)]
    pub(super) fn write_parts(&self, chain: Chain, parts: &[(u16, Vec<u8>)]) -> Result<(), Doubt> {
        let key = self.mac_key().ok_or(Doubt::NoKey)?;
        let fill = |writer: &mut PartWriter| parts.iter().try_for_each(|(kind, bytes)| writer.push(*kind, bytes));
        Ok(file::write(&self.path, &key, chain, fill)?)
    }

    fn read(&self, key: &hmac::Key, store: &dyn Store, known: HeadMark) -> Result<Replayed, Doubt> {
        let file = SnapshotFile::open(&self.path, key)?;
        let chain = file.chain;
        if chain.seq > store.head() {
            return Err(Doubt::Ahead { snapshot: chain.seq, log: store.head() });
        }
        let rests_on = HeadMark { seq: chain.seq, hash: chain.hash };
        for mark in [rests_on, known] {
            if (1..=chain.seq).contains(&mark.seq) {
                check_mark(store, mark).map_err(Doubt::Record)?;
            }
        }
        let (state, history) = content::read(&file)?;
        Ok(Replayed { state, history, chain })
    }

    /// Writes a snapshot in the place of the one that is there.
    pub(super) fn write(&self, replayed: &Replayed) -> Result<(), Doubt> {
        let key = self.mac_key().ok_or(Doubt::NoKey)?;
        file::write(&self.path, &key, replayed.chain, |parts| {
            content::write(&replayed.state, &replayed.history, parts)
        })?;
        Ok(())
    }
}

/// The state by the snapshot and the log after it, or by the whole log. Returns the record that the snapshot rests on,
/// too; number 0 if none was used.
///
/// # Errors
/// The first thing wrong with the log.
pub(super) fn replay(
    place: Option<&Place>,
    store: &dyn Store,
    known: HeadMark,
) -> Result<(Replayed, HeadMark), LedgerError> {
    if let Some(start) = place.and_then(|place| place.load(store, known)) {
        let rested_on = HeadMark { seq: start.chain.seq, hash: start.chain.hash };
        match replay::replay(store, start, store.head(), known) {
            Ok(replayed) => return Ok((replayed, rested_on)),
            Err(error) => tracing::warn!(%error, "the log does not go on from the snapshot; all of it is replayed"),
        }
    }
    let replayed = replay::replay(store, Replayed::nothing(), store.head(), known)?;
    Ok((replayed, HeadMark::default()))
}

/// Checks the records that a snapshot stood for, which the start has not read, while others work already. A log that is
/// broken there is not written to any more. Ends early when the ledger does.
pub(super) fn check_rest(
    store: Arc<dyn Store>,
    shared: Arc<Shared>,
    rested_on: HeadMark,
) -> Result<Option<JoinHandle<()>>, LedgerError> {
    if rested_on.seq == 0 {
        return Ok(None);
    }
    let check = move || {
        lower_priority();
        for batch in ChainReader::whole(&*store, rested_on.seq) {
            let checked = batch.and_then(|batch| batch.iter().try_for_each(|linked| rested_on.check(&linked)));
            if let Err(error) = checked {
                shared.accepting.store(false, Ordering::Release);
                tracing::error!(%error, "the log is broken: nothing is written any more");
            }
            if !shared.accepting.load(Ordering::Acquire) {
                return;
            }
        }
        tracing::info!(records = rested_on.seq, "the records before the snapshot are whole");
    };
    spawn("ledger-check", check).map(Some)
}

/// Gives way to all other threads. Linux takes it of the calling thread alone.
fn lower_priority() {
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::debug!(%error, "a thread of the ledger goes on at the usual priority");
    }
}

/// Refuses a record that is not the one of this mark.
fn check_mark(store: &dyn Store, mark: HeadMark) -> Result<(), LedgerError> {
    for batch in ChainReader::middle(store, mark.seq, mark.seq) {
        batch?.iter().try_for_each(|linked| mark.check(&linked))?;
    }
    Ok(())
}

impl From<Impossible> for Doubt {
    fn from(impossible: Impossible) -> Self {
        Self::Content(impossible.to_string())
    }
}

/// Why a snapshot is not believed, or could not be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Doubt {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("it is not a snapshot, or one of another version")]
    Form,
    #[error("its MAC is wrong: it was changed, or made under another master key or by another version of the program")]
    Mac,
    #[error("part {0} of it was changed")]
    Part(usize),
    #[error("it rests on record {snapshot}, and the log ends with {log}")]
    Ahead { snapshot: u64, log: u64 },
    #[error("the record that it rests on: {0}")]
    Record(LedgerError),
    #[error("its content is not a state: {0}")]
    Content(String),
    #[error("the master key is not there")]
    NoKey,
}
