//! Checkpoints: signed statements that the log had a record of a number and a hash at a time. Kept where this machine
//! cannot change them, they expose whoever rewrites or shortens the log later, even with the master key.
//!
//! - `signed`: a checkpoint, its signature and its key
//! - `file`: the checkpoints that were made
//! - `verification`: the check of the whole log while the server runs
//! - here: when they are made, and where they go
//!
//! They are not events: each would move the end of the log, which would need another one.

mod file;
mod signed;
mod verification;

pub use file::NAME;
pub(in crate::service) use file::upto;
pub(in crate::service) use signed::owner;
pub use signed::{Checkpoint, CheckpointError, PublicKey, existing_key};
pub use verification::{ChainState, Outcome, Verification};

use super::access::{Administer, Permit};
use super::failure::Failure;
use super::list::{Limit, Query};
use super::recorder::Recorder;
use crate::keyring::Keyring;
use crate::ledger::{HeadMark, RecordHash};
use file::CheckpointFile;
use signed::Signer;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;

/// The time between two checkpoints, if the log has grown.
const EVERY: Duration = Duration::from_secs(3600);
/// The most checkpoints of a page: each is read from the disk.
const PAGE_MAX: usize = 1000;

/// Where checkpoints are kept.
#[derive(Clone, Debug)]
pub struct CheckpointSettings {
    pub data_dir: PathBuf,
    /// A directory that gets a copy of each, as a file of its own.
    pub directory: Option<PathBuf>,
}

/// One page of checkpoints.
pub struct CheckpointPage {
    pub skip: usize,
    pub limit: Limit,
    pub total: usize,
    pub checkpoints: Vec<Checkpoint>,
}

/// The use cases of checkpoints. Cheap to clone.
#[derive(Clone)]
pub struct Checkpoints(Arc<Inner>);

struct Inner {
    recorder: Recorder,
    signer: Signer,
    directory: Option<PathBuf>,
    file: Mutex<CheckpointFile>,
    /// Held while a copy is written, and not with the file: another machine may hold the directory.
    copying: Mutex<()>,
    latest: watch::Sender<Option<Arc<Checkpoint>>>,
    /// How many checkpoints there are.
    count: watch::Sender<u64>,
    verification: Mutex<Option<Verification>>,
}

impl Checkpoints {
    /// Opens the file of checkpoints. The key is made if the keyring has none.
    pub(super) fn open(recorder: Recorder, keyring: &Keyring, settings: CheckpointSettings) -> Result<Self, Failure> {
        let signer = Signer::of(keyring)?;
        let (mut newest, public) = (None, signer.public());
        let file = CheckpointFile::open(&settings.data_dir.join(NAME), |checkpoint| {
            if let Err(error) = checkpoint.check(&public) {
                tracing::error!(number = checkpoint.number, %error, "a checkpoint cannot be believed");
            }
            newest = Some(Arc::new(checkpoint.clone()));
        });
        let file = file.map_err(unreadable("the file of checkpoints cannot be opened"))?;
        let (count, latest) = (watch::Sender::new(file.len() as u64), watch::Sender::new(newest));
        let (file, copying, directory) = (Mutex::new(file), Mutex::default(), settings.directory);
        let verification = Mutex::default();
        Ok(Self(Arc::new(Inner { recorder, signer, directory, file, copying, latest, count, verification })))
    }

    /// Makes a checkpoint every hour, if the log has grown.
    pub(super) fn make_forever(&self, runtime: &Handle) {
        self.make_every(EVERY, runtime);
    }

    fn make_every(&self, pause: Duration, runtime: &Handle) {
        let checkpoints = self.clone();
        runtime.spawn(async move {
            checkpoints.report_contradictions().await;
            loop {
                tokio::time::sleep(pause).await;
                checkpoints.keep_up().await;
            }
        });
    }

    /// Makes a checkpoint of the end of the log, and reports a failure to the program's own log.
    pub async fn keep_up(&self) {
        if let Err(error) = self.make().await {
            tracing::error!(%error, "no checkpoint could be made");
        }
    }

    /// Makes a checkpoint for an administrator; a dry run keeps nothing.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn create(&self, _permit: &Permit<Administer>, dry_run: bool) -> Result<Arc<Checkpoint>, Failure> {
        if dry_run { Ok(Arc::new(self.sign())) } else { self.make().await }
    }

    /// Makes a checkpoint of the end of the log. If the newest is of that record, it is returned instead.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn make(&self) -> Result<Arc<Checkpoint>, Failure> {
        let checkpoints = self.clone();
        let made = tokio::task::spawn_blocking(move || checkpoints.make_now()).await;
        made.map_err(|_| Failure::Internal("no checkpoint could be made"))?
    }

    fn make_now(&self) -> Result<Arc<Checkpoint>, Failure> {
        // Held until it is written: checkpoints are in the order of their numbers.
        let mut file = self.file();
        let checkpoint = Arc::new(self.sign());
        let is_of_same =
            |newest: &&Arc<Checkpoint>| newest.number == checkpoint.number && newest.hash == checkpoint.hash;
        if let Some(newest) = self.latest().as_ref().filter(is_of_same) {
            drop(file);
            self.copy(newest)?;
            return Ok(newest.clone());
        }
        file.append(&checkpoint).map_err(failed("a checkpoint could not be written"))?;
        self.0.latest.send_replace(Some(checkpoint.clone()));
        self.0.count.send_replace(file.len() as u64);
        drop(file);
        self.copy(&checkpoint)?;
        Ok(checkpoint)
    }

    /// Writes a copy into `checkpoints.directory`, unless it has one.
    fn copy(&self, checkpoint: &Checkpoint) -> Result<(), Failure> {
        let Some(directory) = &self.0.directory else { return Ok(()) };
        let _alone = self.0.copying.lock().unwrap_or_else(PoisonError::into_inner);
        let written = write_copy(directory, checkpoint);
        written.map_err(failed("a checkpoint could not be written into `checkpoints.directory`"))
    }

    fn sign(&self) -> Checkpoint {
        let recorder = &self.0.recorder;
        let id = recorder.state().state.installation.as_ref().map(|installation| installation.id.to_string());
        self.0.signer.sign(id.unwrap_or_default(), recorder.ledger().end(), recorder.clock_time())
    }

    /// The newest checkpoint.
    pub fn latest(&self) -> Option<Arc<Checkpoint>> {
        self.0.latest.borrow().clone()
    }

    /// A receiver of the newest checkpoint, notified of each new one.
    pub fn watch(&self) -> watch::Receiver<Option<Arc<Checkpoint>>> {
        self.0.latest.subscribe()
    }

    /// How many there are.
    pub(in crate::service) fn count(&self) -> u64 {
        *self.0.count.borrow()
    }

    /// A receiver of how many there are, notified of each new one.
    pub(in crate::service) fn watch_count(&self) -> watch::Receiver<u64> {
        self.0.count.subscribe()
    }

    /// The checkpoints after the first so many, at most so many, oldest first, and how many have been passed with them;
    /// one that is damaged is left out. It reads a file: call it on a thread that may block.
    pub(in crate::service) fn after(&self, first: u64, most: usize) -> io::Result<(Vec<Checkpoint>, u64)> {
        let file = self.file();
        let (mut found, mut passed) = (Vec::new(), first);
        let begin = usize::try_from(first).unwrap_or(usize::MAX);
        for place in (begin..file.len()).take(most) {
            match file.get(place) {
                Ok(checkpoint) => found.extend(checkpoint),
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    tracing::error!(place, %error, "a checkpoint is left out");
                }
                Err(error) => return Err(error),
            }
            passed += 1;
        }
        Ok((found, passed))
    }

    /// The key with which anybody can check checkpoints.
    pub fn public_key(&self) -> PublicKey {
        self.0.signer.public()
    }

    /// Lists the checkpoints, newest first unless sorted by `number`.
    ///
    /// # Errors
    /// When the disk fails, or a checkpoint is damaged.
    pub async fn list(&self, _permit: &Permit<Administer>, query: &Query) -> Result<CheckpointPage, Failure> {
        let oldest_first = query.sort.first().is_some_and(|(_, descending)| !descending);
        let (skip, limit) = (query.skip, Limit::Rows(query.limit.rows().min(PAGE_MAX)));
        let checkpoints = self.clone();
        let read = tokio::task::spawn_blocking(move || checkpoints.read(skip, limit.rows(), oldest_first)).await;
        let (total, rows) = read.map_err(|_| Failure::Internal("the checkpoints could not be read"))??;
        Ok(CheckpointPage { skip, limit, total, checkpoints: rows })
    }

    fn read(&self, skip: usize, rows: usize, oldest_first: bool) -> Result<(usize, Vec<Checkpoint>), Failure> {
        let file = self.file();
        let total = file.len();
        let places = (skip..total).take(rows).map(|place| if oldest_first { place } else { total - 1 - place });
        let rows: io::Result<Vec<_>> = places.filter_map(|place| file.get(place).transpose()).collect();
        Ok((total, rows.map_err(unreadable("the checkpoints could not be read"))?))
    }

    /// Reports newest checkpoints that contradict the log to the program's own log: it may be the sign of an attack, or
    /// of a backup that was restored.
    async fn report_contradictions(&self) {
        for (HeadMark { seq, hash }, found) in self.contradictions().await {
            let found = found.map_or_else(|| "missing".to_owned(), |hash| hash.to_string());
            tracing::error!(
                number = seq, checkpoint = %hash, %found,
                "a checkpoint contradicts the log: it was rewritten or shortened, or a backup was restored"
            );
        }
    }

    /// Compares the newest checkpoint of the data directory, and that of `checkpoints.directory`, with the log. Returns
    /// those that contradict it, with the hash that the record has.
    async fn contradictions(&self) -> Vec<(HeadMark, Option<RecordHash>)> {
        // Another machine may hold the directory.
        let checkpoints = self.clone();
        let newest = move || {
            let directory = checkpoints.0.directory.as_deref()?;
            newest_copy(directory, &checkpoints.public_key())
        };
        let outside = tokio::task::spawn_blocking(newest).await.ok().flatten();
        let mut contradictions = Vec::new();
        for newest in self.latest().map(|newest| (*newest).clone()).into_iter().chain(outside) {
            // The others were reported when the file was opened.
            let Ok(mark) = newest.check(&self.0.signer.public()) else { continue };
            let Ok(record) = self.0.recorder.ledger().read_one(mark.seq).await else { continue };
            let found = record.map(|record| record.hash);
            if found != Some(mark.hash) {
                contradictions.push((mark, found));
            }
        }
        contradictions
    }

    fn file(&self) -> MutexGuard<'_, CheckpointFile> {
        // A panic cannot leave the file in the middle of a change.
        self.0.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes a checkpoint into a file of its own, which is never changed: the directory may take new files only. If there
/// is a file of its name that was cut off, or that is of another history from before a restore, another name is used.
fn write_copy(directory: &Path, checkpoint: &Checkpoint) -> io::Result<()> {
    for attempt in 1..=COPIES_MAX {
        let suffix = if attempt == 1 { String::new() } else { format!("-{attempt}") };
        let path = directory.join(format!("{COPY}{:020}{suffix}.json", checkpoint.number));
        match OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path) {
            Ok(mut file) => {
                file.write_all((checkpoint.to_line() + "\n").as_bytes())?;
                file.sync_all()?;
                return File::open(directory)?.sync_all();
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let is_of_same = |kept: Checkpoint| (kept.number, &kept.hash) == (checkpoint.number, &checkpoint.hash);
                if read_copy(&path).is_some_and(is_of_same) {
                    return Ok(());
                }
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many files have the name of this checkpoint"))
}

/// The most files of one number.
const COPIES_MAX: u32 = 20;

/// The beginning of the names of copies.
const COPY: &str = "claviger-checkpoint-";

/// The copy with the largest number in a directory that is signed by this key. Other files are passed over.
fn newest_copy(directory: &Path, key: &PublicKey) -> Option<Checkpoint> {
    let names = std::fs::read_dir(directory).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<_> = names.filter(|name| name.starts_with(COPY) && name.ends_with(".json")).collect();
    names.sort_unstable_by(|one, other| other.cmp(one));
    let mut copies = names.iter().filter_map(|name| read_copy(&directory.join(name)));
    copies.find(|copy| copy.check(key).is_ok())
}

fn read_copy(path: &Path) -> Option<Checkpoint> {
    let mut text = String::new();
    File::open(path).ok()?.take(COPY_BYTES_MAX).read_to_string(&mut text).ok()?;
    Checkpoint::parse(text.trim_end()).ok()
}

/// No checkpoint is longer.
const COPY_BYTES_MAX: u64 = 4096;

/// A checkpoint that cannot be read. It may be damaged on a disk that works.
fn unreadable(what: &'static str) -> impl FnOnce(io::Error) -> Failure {
    move |error| {
        tracing::error!(%error, "{what}");
        Failure::Internal(what)
    }
}

/// A checkpoint that cannot be written.
fn failed(what: &'static str) -> impl FnOnce(io::Error) -> Failure {
    move |error| {
        tracing::error!(%error, "{what}");
        Failure::Disk(what)
    }
}

#[cfg(test)]
mod tests;
