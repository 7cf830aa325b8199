//! Errors of reading and writing the log. The messages say what to do.

use super::record::RecordHash;
use super::seal::SealFault;
use super::store::StoreError;
use crate::domain::refusal::Refusal;
use std::io;
use std::path::PathBuf;

/// The reason why a log cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process has the data directory open.
    #[error(
        "{} is in use: another process has it open; stop that one first, or give this one a data directory of its own",
        .0.display()
    )]
    InUse(PathBuf),
    /// The operating system returned an error.
    #[error("cannot {doing} {}: {source}", .path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    /// The store does not open.
    #[error("the log in {} does not open: {source}; {}", .path.display(), remedy(.source, *.known))]
    Unopenable {
        path: PathBuf,
        /// The number of records that the log is known to have.
        known: u64,
        source: StoreError,
    },
    /// A record differs from the one that was written.
    #[error(
        "record {seq} of the log is broken: {fault}; restore the data directory from a backup (`claviger verify` \
         checks one)"
    )]
    Corrupt {
        /// The number of the first broken record.
        seq: u64,
        fault: Fault,
    },
    /// The log has fewer records than were durable.
    #[error(
        "the log has lost its end: {known} records were written and {found} are there; restore the data directory from \
         a backup (`claviger verify` checks one)"
    )]
    Shorter {
        /// The number of records that were durable, at least.
        known: u64,
        found: u64,
    },
    /// The log is not the one that was written in this data directory.
    #[error(
        "record {seq} of the log has the hash {found}, but was written with {known}: it was changed, or the log and \
         the file `head` beside it do not belong together; restore the entire data directory from one backup"
    )]
    Foreign {
        seq: u64,
        /// The hash that the file `head` has for the record.
        known: RecordHash,
        found: RecordHash,
    },
    /// The log does not fit its seal, which only the master key can make.
    #[error(
        "the log was rewritten, or it and the keyring do not belong together: {0}; restore the entire data directory \
         from one backup"
    )]
    Rewritten(SealFault),
    /// A checkpoint has another record of this number.
    #[error(
        "the log was rewritten: record {seq} has the hash {found}, and a checkpoint of it has {known}; keep the data \
         directory as evidence, and restore a backup that fits the checkpoint"
    )]
    Contradicted { seq: u64, known: RecordHash, found: RecordHash },
    /// A checkpoint has a record after the end of the log.
    #[error(
        "the log was shortened: it ends with record {end}, whose hash is {found}, and a checkpoint has record {seq} \
         with the hash {known}; keep the data directory as evidence, unless an older backup was restored"
    )]
    CutBefore { seq: u64, known: RecordHash, end: u64, found: RecordHash },
    /// There is no log in the directory.
    #[error("there is no log in {}", .0.display())]
    NoLog(PathBuf),
    /// The file `head`, which has the number of the last record, is missing or unreadable.
    #[error(
        "{} is missing or unreadable, and without it the program cannot tell whether the log is complete: restore the \
         entire data directory from one backup", .0.display()
    )]
    HeadUnknown(PathBuf),
    /// The log has a format that is no longer read.
    #[error(
        "the log in {} was written by a version of Claviger before 1.0 (record version 1), which this one cannot read: \
         begin with an empty data directory", .0.display()
    )]
    EarlierFormat(PathBuf),
    /// The reading thread has ended: the ledger was closed, or the thread panicked, which is a bug.
    #[error("the log cannot be read: it was closed")]
    ReaderGone,
}

fn remedy(source: &StoreError, known: u64) -> &'static str {
    match known {
        // Nothing is damaged, and a backup would be older than the data.
        _ if is_full(source) => "make room on its disk and start again, nothing is lost",
        _ if is_denied(source) => "give its files back to the owner of the data directory (chown), nothing is lost",
        // The file `head` has the first record before it is acknowledged, so there is nothing to lose.
        0 => "nothing was recorded in it yet: remove that directory and start again",
        _ => "restore the data directory from a backup (`claviger verify` checks one)",
    }
}

fn is_denied(source: &StoreError) -> bool {
    matches!(source, StoreError::Io(error) if error.kind() == io::ErrorKind::PermissionDenied)
}

fn is_full(source: &StoreError) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(source, StoreError::Io(error) if matches!(error.kind(), StorageFull | QuotaExceeded))
}

/// A fault of a record.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The record is missing, and later ones exist.
    #[error("it is missing; the next existing record is {0}")]
    Missing(u64),
    /// A part of the record is missing.
    #[error("part {0} of it is missing")]
    PartMissing(u32),
    /// The row of the record does not have the format in which it was written.
    #[error("its row {0}")]
    Row(&'static str),
    /// The record has a version that this program does not know.
    #[error("its version is {0}, which this program does not know; a later one wrote it, or it was damaged")]
    Version(u8),
    /// The bytes are not a record.
    #[error("it cannot be decoded ({0})")]
    Undecodable(String),
    /// The record contains another number.
    #[error("it contains the number {0}")]
    Number(u64),
    /// The record's hash is not the one that the next record contains.
    #[error("it was changed after it was written: its hash is {found}, and the next record contains {expected}")]
    Changed {
        /// The hash that the next record contains.
        expected: RecordHash,
        found: RecordHash,
    },
    /// The record does not contain the hash of the one before, although the next one contains its own.
    #[error("it does not continue the record before it")]
    Detached,
    /// The record is not later than the one before.
    #[error("it is not later than the record before it")]
    Time,
    /// The store cannot read the record.
    #[error("it cannot be read ({0})")]
    Unreadable(#[from] StoreError),
}

/// The reason why a change was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The domain's rules refuse the change.
    #[error(transparent)]
    Refused(Refusal),
    /// The ledger accepts no changes.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// An event exceeds the maximum size of a record.
    #[error("the change is too large to be recorded")]
    TooLarge,
    /// The decision panicked, which is a bug. Nothing was recorded.
    #[error("the change failed because of a bug in the program; see its log")]
    Defect,
}

/// The ledger accepts no changes until the program is started again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Stopped {
    /// A write could not be made durable. It is unknown whether its records will exist after a restart.
    #[error("the log stopped: a write could not be made durable; start again when the disk is sound, see the log")]
    Failed,
    #[error("the log is closed")]
    Closed,
}
