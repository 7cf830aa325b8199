//! What can be wrong with a log, and why something was not written. Messages say what to do.

use super::record::RecordHash;
use super::store::StoreError;
use crate::domain::refusal::Refusal;
use std::io;
use std::path::PathBuf;

/// Why a log cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process has it open.
    #[error(
        "{} is in use: another process has it open; stop that one first, or give this one a data directory of its own",
        .0.display()
    )]
    InUse(PathBuf),
    /// The operating system refused something.
    #[error("cannot {doing} {}: {source}", .path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The store does not open.
    #[error("the log in {} does not open: {source}; {}", .path.display(), remedy(.source, *.known))]
    Unopenable {
        path: PathBuf,
        /// So many records were known to be in it.
        known: u64,
        source: StoreError,
    },
    /// A record is not what it was when it was written.
    #[error(
        "record {seq} of the log is broken: {fault}; restore the data directory from a backup (`claviger verify` checks one)"
    )]
    Corrupt {
        /// The number of the first broken record.
        seq: u64,
        /// What is wrong with it.
        fault: Fault,
    },
    /// Fewer records than were durable.
    #[error(
        "the log has lost its end: {known} records were written and {found} are there; restore the data directory from \
         a backup (`claviger verify` checks one)"
    )]
    Shorter {
        /// So many were durable, at least.
        known: u64,
        found: u64,
    },
    /// Another log than the one that was written here.
    #[error(
        "record {seq} of the log has the hash {found}, and with {known} it was written: it was changed, or the log and \
         the file `head` beside it do not belong together; restore the whole data directory from one backup"
    )]
    Foreign {
        seq: u64,
        /// What was noted when it was written.
        known: RecordHash,
        found: RecordHash,
    },
    /// No log where one was expected.
    #[error("there is no log in {}", .0.display())]
    NoLog(PathBuf),
    /// The note of how far the log goes is missing or says nothing.
    #[error(
        "{} is missing or unreadable, and without it nobody can tell whether the log is complete: restore the whole data \
         directory from one backup", .0.display()
    )]
    HeadUnknown(PathBuf),
    /// The log is of a format that is not read any more.
    #[error(
        "the log in {} was written by a version of Claviger before 1.0 (record version 1), which this one cannot read: \
         begin with an empty data directory", .0.display()
    )]
    EarlierFormat(PathBuf),
    /// The thread that reads has ended: the ledger was closed, or the thread failed, which is a defect of the program.
    #[error("the log is not read any more: it was closed")]
    ReaderGone,
}

fn remedy(source: &StoreError, known: u64) -> &'static str {
    match known {
        // Nothing is damaged, and a backup would be older than what is there.
        _ if is_full(source) => "make room on its disk and start again, nothing is lost",
        _ if is_denied(source) => "give its files back to the owner of the data directory (chown), nothing is lost",
        // The first record is noted before it is acknowledged, so there is nothing to lose.
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

/// What is wrong with a record.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is not there, and later ones are.
    #[error("it is missing, the next one there is {0}")]
    Missing(u64),
    /// A part of it is not there.
    #[error("part {0} of it is missing")]
    PartMissing(u32),
    /// The row that it lies in is not as it was written.
    #[error("its row {0}")]
    Row(&'static str),
    /// It is written in a layout that this program does not know.
    #[error("its version is {0}, which this program does not know; a later one wrote it, or it was damaged")]
    Version(u8),
    /// Its bytes are not a record.
    #[error("it cannot be decoded ({0})")]
    Undecodable(String),
    /// It says that it is another one.
    #[error("it says that it is record {0}")]
    Number(u64),
    /// It is not the one that the next one was written after.
    #[error("it was changed after it was written: its hash is {found}, and the next record says {expected}")]
    Changed {
        /// What the next record says.
        expected: RecordHash,
        found: RecordHash,
    },
    /// It does not name the one before, although the next one names it.
    #[error("it does not continue the record before it")]
    Detached,
    /// It is not later than the one before.
    #[error("it is not later than the record before it")]
    Time,
    /// It cannot be read.
    #[error("it cannot be read ({0})")]
    Unreadable(#[from] StoreError),
}

/// Why something was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The rules stand against it.
    #[error(transparent)]
    Refused(Refusal),
    /// Nothing is written any more.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// An event is larger than a record may be.
    #[error("the change is too large to be recorded")]
    TooLarge,
    /// The decision itself failed, which is a defect of the program. Nothing was recorded.
    #[error("the change could not be decided on: a defect of the program, see its log")]
    Defect,
}

/// Nothing is written until the program is started again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Stopped {
    /// Something could not be made durable. Whether what was being written will be there after a restart is not known.
    #[error("the log stopped: a write could not be made durable; start again when the disk is sound, see the log")]
    Failed,
    #[error("the log is closed")]
    Closed,
}
