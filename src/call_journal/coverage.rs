//! The times of which the journal has all our calls. Old calls are deleted, a journal can be lost, and a disk can fail:
//! what is not here then may have been a call of ours all the same.

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::segment::{self, Kind};
use crate::segment_files;

/// From when on the journal has all our calls, and where it has gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    changes: Known,
    reads: Known,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    /// Calls before may be missing.
    from_ms: i64,
    /// The time of the first and of the last call that was not recorded.
    gap: Option<(i64, i64)>,
}

impl Coverage {
    pub(super) fn read(directory: &Path, gaps: &Gaps) -> io::Result<Self> {
        let known = |kind| -> io::Result<Known> {
            // Without the note, it is not known what was deleted.
            let from_ms = segment::start(directory, kind)?.unwrap_or(i64::MAX);
            Ok(Known { from_ms, gap: gaps.of(kind) })
        };
        Ok(Self { changes: known(Kind::Change)?, reads: known(Kind::Read)? })
    }

    /// Whether the journal has all calls of ours that AWS answered between two times, in milliseconds since 1970:
    /// those that changed something, or those that only read.
    pub fn is_complete(&self, is_change: bool, from_ms: i64, to_ms: i64) -> bool {
        let known = if is_change { self.changes } else { self.reads };
        known.from_ms <= from_ms && !known.gap.is_some_and(|(first, last)| first <= to_ms && from_ms <= last)
    }
}

/// Notes where a new journal begins: at the first call ever if the log is new, and otherwise now.
pub(super) fn begin(directory: &Path, known_ms: Option<i64>) -> io::Result<()> {
    for kind in Kind::ALL {
        if segment::start(directory, kind)?.is_none() {
            let from_ms = match (segment::list(directory, kind)?.first(), known_ms) {
                (Some(oldest), _) => oldest.first,
                (None, None) => 0,
                (None, Some(_)) => segment_files::milliseconds(SystemTime::now()),
            };
            segment::note_start(directory, kind, from_ms)?;
        }
    }
    Ok(())
}

/// The times of the calls that this run of the program could not record.
#[derive(Debug, Default)]
pub(super) struct Gaps(Mutex<[Option<(i64, i64)>; Kind::ALL.len()]>);

impl Gaps {
    pub(super) fn note(&self, kind: Kind, first_ms: i64, last_ms: i64) {
        let mut gaps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gap = &mut gaps[kind as usize];
        *gap = Some(gap.map_or((first_ms, last_ms), |(first, last)| (first.min(first_ms), last.max(last_ms))));
    }

    fn of(&self, kind: Kind) -> Option<(i64, i64)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[kind as usize]
    }
}
