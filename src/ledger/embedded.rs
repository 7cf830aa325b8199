//! The store on the local disk: sled, with the measures that make its commits durable. `docs/architecture.md` has the
//! measurements behind these rules.
//!
//! - sled's `flush` waits for neither the disk's cache nor the file's length, so `sync_data` on its file follows it.
//! - sled writes large pages to files under `blobs/`, which it never syncs. No row is longer than 4 KiB (`rows`), so no
//!   page is that large; if such a file exists nevertheless, the store stops.
//! - After a failed sync, neither the file nor the kernel's cached pages of it are trusted.
//! - sled takes an unreadable part for the end of the log, and overwrites what follows. So the file is read to its end
//!   before sled opens it.
//! - sled panics on some damaged files, so every read and open goes through [`catch_panics`].

use super::directory::{Directory, io};
use super::error::{Fault, LedgerError};
use super::head::{HeadFile, HeadMark};
use super::record::RecordHash;
use super::rows::{self, PackedRow, RowKey, RowReader, RowWriter};
use super::seal::{self, SealFault, SealKey, SealSource, Sealer};
use super::store::{AppendError, Batches, Entry, Store, StoreError};
use crate::sled_files;
use sled::{Batch, Db, IVec, Mode, Tree};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The cache size for reading a log once, in bytes.
pub(super) const READING_CACHE_BYTES: u64 = 16 * 1024 * 1024;
/// The time that sled may take to release its file after a store in the same process was closed.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes the content of sled's file durable; tests replace it with one that fails.
type SyncFile = Box<dyn Fn(&File) -> std::io::Result<()> + Send + Sync>;

/// The steps of a commit. Tests examine what a crash after each of them leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CommitStep {
    /// sled has the rows, some of them only in its own memory.
    Applied,
    /// sled has written all rows to the operating system.
    Flushed,
    /// The disk has all rows; the file `head` is not updated yet.
    Synced,
}

#[cfg(test)]
type AfterStep = Box<dyn Fn(CommitStep) + Send + Sync>;

pub(super) struct Embedded {
    // Fields are dropped in this order: the directory is unlocked last.
    tree: Tree,
    db: Db,
    sync: SyncFile,
    file: File,
    blobs: PathBuf,
    end: Mutex<End>,
    sealer: Option<Sealer>,
    /// Whether the store has a seal.
    is_sealed: bool,
    #[cfg(test)]
    after_step: AfterStep,
    directory: Directory,
}

struct End {
    head: u64,
    /// The last row, if the next commit appends to it.
    tail: Option<PackedRow>,
    head_file: HeadFile,
    failed: bool,
}

impl Embedded {
    /// Opens the log in a directory, or creates one. Also returns the last record that the file `head` has.
    pub(super) fn open(directory: Directory, cache_bytes: u64) -> Result<(Self, HeadMark), LedgerError> {
        let path = directory.head();
        let exists = try_exists(&directory.log().join("db"))?;
        let (head_file, known) = match exists || try_exists(&path)? {
            true => HeadFile::open(&path)?,
            false => (HeadFile::create(&path, HeadMark::default())?, HeadMark::default()),
        };
        if known.seq > 0 && !exists {
            return Err(LedgerError::Shorter { known: known.seq, found: 0 });
        }
        let store = Self::open_store(directory, cache_bytes, known, head_file)?;
        if store.head() < known.seq {
            return Err(LedgerError::Shorter { known: known.seq, found: store.head() });
        }
        Ok((store, known))
    }

    fn open_store(
        directory: Directory,
        cache_bytes: u64,
        known: HeadMark,
        head_file: HeadFile,
    ) -> Result<Self, LedgerError> {
        let log = directory.log();
        let file = log.join("db");
        let unopenable = |source| LedgerError::Unopenable { path: log.clone(), known: known.seq, source };
        if file.exists() {
            refuse_unreadable(&file).map_err(|error| match error {
                LedgerError::Io { source, .. } if source.kind() == ErrorKind::PermissionDenied => {
                    unopenable(StoreError::Io(source))
                }
                error => error,
            })?;
        }
        sled_files::remove_unfinished(&log).map_err(|error| unopenable(StoreError::Io(error)))?;
        let db = open_sled(&log, cache_bytes).map_err(unopenable)?;
        let tree = catch_panics(|| db.open_tree("events")).map_err(unopenable)?;
        if row(|| tree.first()).map_err(unopenable)?.is_some_and(|(_, first)| rows::is_of_an_earlier_format(&first)) {
            return Err(LedgerError::EarlierFormat(log));
        }
        let is_sealed = catch_panics(|| tree.contains_key(RowKey::SEAL.to_bytes())).map_err(unopenable)?;
        let last = row(|| tree.last()).map_err(unopenable)?;
        let (head, tail) = last.map_or((0, None), |(key, last)| rows::end_of(key, &last));
        let file = File::options().read(true).write(true).open(&file).map_err(io("open", &file))?;
        let end = Mutex::new(End { head, tail, failed: false, head_file });
        let blobs = log.join("blobs");
        let store = Self {
            tree,
            db,
            sync: Box::new(File::sync_data),
            file,
            blobs,
            end,
            sealer: None,
            is_sealed,
            #[cfg(test)]
            after_step: Box::new(|_| {}),
            directory,
        };
        // The tree and the files around it may be new.
        catch_panics(|| store.db.flush()).map_err(unopenable)?;
        store.refuse_blobs().map_err(unopenable)?;
        store.directory.sync()?;
        Ok(store)
    }

    /// Takes the key of the seal, and returns the record that the seal has. The caller compares it with the end of the
    /// log. Without the key nothing is checked.
    pub(super) fn open_seal(&mut self, source: Option<&SealSource>) -> Result<Option<HeadMark>, LedgerError> {
        let (key, required) = match source.map_or(SealKey::Unavailable, |source| source()) {
            SealKey::Unavailable => return Ok(None),
            SealKey::Lost if self.head() > 0 => return Err(LedgerError::Rewritten(SealFault::KeyLost)),
            // The services refuse a log that was lost, with better advice.
            SealKey::Lost => return Ok(None),
            // The services refuse a keyring that was lost, with better advice.
            SealKey::Key { is_of_installation: false, .. } if self.head() > 0 => return Ok(None),
            SealKey::Key { key, required, .. } => (key, required),
        };
        let sealer = Sealer::new(&key);
        let sealed = match self.seal()? {
            Some(row) => Some(sealer.open(&row).ok_or(LedgerError::Rewritten(SealFault::Mac))?),
            None if required && self.head() > 0 => return Err(LedgerError::Rewritten(SealFault::Missing)),
            None => None,
        };
        if let Some(sealed) = sealed.filter(|sealed| self.head() != sealed.seq) {
            seal::check(sealed, HeadMark { seq: self.head(), ..sealed })?;
        }
        self.sealer = Some(sealer);
        Ok(sealed)
    }

    /// The seal: that of the store, or the one that a restored backup brought.
    pub(super) fn seal(&self) -> Result<Option<Vec<u8>>, LedgerError> {
        let unreadable = |source| LedgerError::Corrupt { seq: 0, fault: Fault::Unreadable(source) };
        if let Some(row) = catch_panics(|| self.tree.get(RowKey::SEAL.to_bytes())).map_err(unreadable)? {
            return Ok(Some(row.to_vec()));
        }
        let path = self.directory.restored_seal();
        match std::fs::read(&path) {
            Ok(seal) => Ok(Some(seal)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io("read", &path)(error)),
        }
    }

    /// The record that the seal in the store has now, if this store seals. No commit is under way meanwhile.
    pub(super) fn sealed_now(&self) -> Result<Option<HeadMark>, LedgerError> {
        let Some(sealer) = &self.sealer else { return Ok(None) };
        let end = self.end();
        match self.seal()? {
            Some(row) => sealer.open(&row).map(Some).ok_or(LedgerError::Rewritten(SealFault::Mac)),
            None if end.head > 0 => Err(LedgerError::Rewritten(SealFault::Missing)),
            None => Ok(None),
        }
    }

    /// Replaces the seal in the store, as somebody does who can write its file.
    #[cfg(test)]
    pub(super) fn set_seal(&self, row: Option<&[u8]>) {
        let seal = RowKey::SEAL.to_bytes();
        match row {
            Some(row) => drop(self.tree.insert(seal, row).expect("written")),
            None => drop(self.tree.remove(seal).expect("removed")),
        }
    }

    /// Whether commits are sealed.
    pub(super) fn seals(&self) -> bool {
        self.sealer.is_some()
    }

    /// Seals a log that has no seal in its store, or another; `end` is its last record.
    pub(super) fn seal_now(&self, end: HeadMark) -> Result<(), LedgerError> {
        let Some(sealer) = &self.sealer else { return Ok(()) };
        let _end = self.end();
        let row = sealer.seal(end);
        let failed = |source| LedgerError::Corrupt { seq: end.seq, fault: Fault::Unreadable(source) };
        let stored = catch_panics(|| self.tree.get(RowKey::SEAL.to_bytes())).map_err(failed)?;
        if stored.is_none_or(|stored| *stored != *row) {
            catch_panics(|| self.tree.insert(RowKey::SEAL.to_bytes(), row)).map_err(failed)?;
            catch_panics(|| self.db.flush()).map_err(failed)?;
            (self.sync)(&self.file).map_err(io("sync", &self.directory.log()))?;
        }
        let path = self.directory.restored_seal();
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(io("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    /// Replaces the function that makes sled's file durable.
    #[cfg(test)]
    pub(super) fn sync_with(&mut self, sync: impl Fn(&File) -> std::io::Result<()> + Send + Sync + 'static) {
        self.sync = Box::new(sync);
    }

    /// Sets a function to run after each step of a commit.
    #[cfg(test)]
    pub(super) fn after_each_step(&mut self, run: impl Fn(CommitStep) + Send + Sync + 'static) {
        self.after_step = Box::new(run);
    }

    #[cfg(test)]
    fn after(&self, step: CommitStep) {
        (self.after_step)(step);
    }

    #[cfg(not(test))]
    fn after(&self, _: CommitStep) {}

    #[cfg(test)]
    pub(super) fn row_count(&self) -> usize {
        self.tree.len()
    }

    fn end(&self) -> std::sync::MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, end: &mut End, entries: &[Entry]) -> Result<(), StoreError> {
        let mut writer = RowWriter::new(end.head + 1, end.tail.take());
        entries.iter().for_each(|entry| writer.push(&entry.bytes));
        let (rows, tail) = writer.finish();
        let hash = entries.last().map(|entry| entry.hash).unwrap_or_default();
        let known = HeadMark { seq: end.head + entries.len() as u64, hash };
        let mut batch = Batch::default();
        match &self.sealer {
            Some(sealer) => batch.insert(&RowKey::SEAL.to_bytes(), sealer.seal(known)),
            None if self.is_sealed => return Err(StoreError::NoSealKey),
            None => {}
        }
        for (key, value) in rows {
            batch.insert(&key.to_bytes(), value);
        }
        catch_panics(|| self.tree.apply_batch(batch))?;
        self.after(CommitStep::Applied);
        catch_panics(|| self.db.flush())?;
        self.after(CommitStep::Flushed);
        (self.sync)(&self.file)?;
        self.after(CommitStep::Synced);
        self.refuse_blobs()?;
        end.head = known.seq;
        end.tail = tail;
        Ok(end.head_file.update(known)?)
    }

    fn refuse_blobs(&self) -> Result<(), StoreError> {
        match std::fs::read_dir(&self.blobs)?.next() {
            Some(_) => Err(StoreError::Blobs(self.blobs.clone())),
            None => Ok(()),
        }
    }
}

impl Store for Embedded {
    fn append(&self, expected: u64, entries: &[Entry]) -> Result<(), AppendError> {
        let mut end = self.end();
        if end.failed {
            return Err(StoreError::FailedBefore.into());
        }
        if end.head != expected {
            return Err(AppendError::Moved(end.head));
        }
        if entries.is_empty() {
            return Ok(());
        }
        let written = self.write(&mut end, entries);
        end.failed = written.is_err();
        if end.failed {
            drop_cached_pages(&self.file);
        }
        Ok(written?)
    }

    fn read(&self, from: u64) -> Batches {
        match self.rows(from) {
            Ok(mut rows) => {
                let rows = std::iter::from_fn(move || row(|| rows.next().transpose()).transpose());
                Box::new(RowReader::new(rows, from))
            }
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }

    fn head(&self) -> u64 {
        self.end().head
    }

    fn seal_of(&self, seq: u64, hash: RecordHash) -> Option<Vec<u8>> {
        Some(self.sealer.as_ref()?.seal(HeadMark { seq, hash }))
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Err(error) = self.end().head_file.sync() {
            tracing::warn!(%error, "the file `head` could not be synced");
        }
    }
}

impl Embedded {
    /// The rows from the one that contains record `from` on.
    fn rows(&self, from: u64) -> Result<sled::Iter, StoreError> {
        let before = catch_panics(|| self.tree.range(..=RowKey::last(from).to_bytes()).next_back().transpose())?;
        let first = match before {
            None => RowKey::first(0),
            Some((key, _)) => match RowKey::parse(&key)? {
                RowKey { seq, part } if part > 0 && seq < from => RowKey::first(seq + 1),
                RowKey { seq, .. } => RowKey::first(seq),
            },
        };
        // Number 0 is the seal.
        Ok(self.tree.range(first.max(RowKey::first(1)).to_bytes()..))
    }
}

fn row(mut rows: impl FnMut() -> sled::Result<Option<(IVec, IVec)>>) -> Result<Option<(RowKey, IVec)>, StoreError> {
    let Some((key, value)) = catch_panics(&mut rows)? else { return Ok(None) };
    Ok(Some((RowKey::parse(&key)?, value)))
}

/// Returns whether a file exists. A file that cannot be examined does not count as missing.
fn try_exists(path: &Path) -> Result<bool, LedgerError> {
    path.try_exists().map_err(io("read", path))
}

/// Rejects a file that cannot be read to its end, or whose last writes have failed.
fn refuse_unreadable(path: &Path) -> Result<(), LedgerError> {
    let file = File::options().read(true).write(true).open(path).map_err(io("open", path))?;
    file.sync_all().inspect_err(|_| drop_cached_pages(&file)).map_err(io("sync", path))?;
    let mut piece = vec![0; 1024 * 1024];
    loop {
        match (&file).read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(io("read", path)(error)),
        }
    }
}

/// Drops the kernel's cached pages of a file. After a failed write they differ from the disk's content, and would be
/// read in its place.
fn drop_cached_pages(file: &File) {
    if let Err(error) = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed) {
        tracing::warn!(%error, "the cached pages of the log could not be dropped; restart the machine");
    }
}

fn open_sled(path: &Path, cache_bytes: u64) -> Result<Db, StoreError> {
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(cache_bytes)
        .mode(Mode::HighThroughput)
        .flush_every_ms(None)
        .print_profile_on_drop(false);
    let deadline = Instant::now() + RELEASE_TIMEOUT;
    loop {
        match catch_panics(|| config.open()) {
            // The directory is locked by this process, so sled's own threads still have the file.
            Err(StoreError::Io(error)) if is_lock(&error) && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            opened => return opened,
        }
    }
}

fn is_lock(error: &std::io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

/// Calls sled and returns its panics as errors: sled panics on some kinds of damage.
fn catch_panics<T>(run: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(error))) => Err(StoreError::Io(error)),
        Ok(Err(error)) => Err(StoreError::Damaged(error.to_string())),
        Err(panic) => {
            let message = panic.downcast_ref::<String>().cloned();
            let message = message.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(StoreError::Damaged(message.unwrap_or_else(|| "sled panicked".to_owned())))
        }
    }
}
