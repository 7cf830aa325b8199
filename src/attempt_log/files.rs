//! The files of the log. The name of a segment has the number of its first attempt. What follows a damaged record in a
//! segment is left out; the next segment is read again.

use super::attempt::Attempt;
use crate::segment_files::{self, Names, Segment};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

const NAMES: Names = Names { prefix: "attempts-", suffix: ".log" };
/// The least bytes of a record.
const RECORD_MIN: u64 = 24;

#[derive(Clone)]
pub(super) struct Files(Arc<Path>);

/// What is in a segment.
pub(super) struct Content {
    pub(super) attempts: Vec<Attempt>,
    /// Whether something follows the last record that can be read.
    pub(super) is_damaged: bool,
}

impl Files {
    pub(super) fn new(directory: &Path) -> Self {
        Self(directory.into())
    }

    pub(super) fn list(&self) -> io::Result<Vec<Segment>> {
        segment_files::list(&self.0, NAMES)
    }

    /// Begins a segment; `first` is the number of its first attempt.
    pub(super) fn create(&self, first: u64) -> io::Result<File> {
        // The newest has this name already if it never got an attempt.
        let newest = self.list()?.pop();
        if let Some(empty) = newest.filter(|newest| newest.bytes == 0 && number_before(newest) + 1 == first) {
            return File::options().append(true).open(empty.path);
        }
        segment_files::create(&self.0, NAMES, i64::try_from(first).unwrap_or(i64::MAX))
    }

    /// A number that no attempt exceeds. After a damaged segment it is an estimate from above, so that no number is
    /// given twice.
    pub(super) fn last_number(&self) -> io::Result<u64> {
        let Some(last) = self.list()?.pop() else { return Ok(0) };
        let (before, content) = (number_before(&last), content(&last.path)?);
        let known = content.attempts.last().map_or(before, |attempt| attempt.number);
        Ok(if content.is_damaged { known.max(before.saturating_add(last.bytes / RECORD_MIN)) } else { known })
    }

    pub(super) fn first(&self) -> io::Result<u64> {
        Ok(self.list()?.first().map_or(0, |segment| number_before(segment).saturating_add(1)))
    }

    pub(super) fn read(&self, from: u64, most: usize) -> io::Result<Vec<Attempt>> {
        let segments = self.list()?;
        let begin = segments.partition_point(|segment| number_before(segment) < from).saturating_sub(1);
        let mut found = Vec::new();
        for segment in &segments[begin..] {
            found.extend(existing(&segment.path)?.into_iter().filter(|attempt| attempt.number >= from));
            if found.len() >= most {
                break;
            }
        }
        found.truncate(most);
        Ok(found)
    }

    pub(super) fn read_many(&self, numbers: &[u64]) -> io::Result<Vec<Attempt>> {
        let (segments, mut found, mut rest) = (self.list()?, Vec::new(), numbers);
        for (at, segment) in segments.iter().enumerate() {
            let end = segments.get(at + 1).map_or(u64::MAX, number_before);
            let wanted;
            (wanted, rest) = rest.split_at(rest.partition_point(|number| *number <= end));
            if !wanted.is_empty() {
                let attempts = existing(&segment.path)?;
                found.extend(attempts.into_iter().filter(|attempt| wanted.binary_search(&attempt.number).is_ok()));
            }
        }
        Ok(found)
    }
}

/// The number before the first attempt of a segment.
fn number_before(segment: &Segment) -> u64 {
    u64::try_from(segment.first.saturating_sub(1)).unwrap_or_default()
}

/// The attempts of a segment; none if it was deleted meanwhile.
fn existing(path: &Path) -> io::Result<Vec<Attempt>> {
    match content(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        content => Ok(content?.attempts),
    }
}

pub(super) fn content(path: &Path) -> io::Result<Content> {
    let bytes = std::fs::read(path)?;
    let (mut attempts, mut rest) = (Vec::new(), bytes.as_slice());
    while let Some((attempt, after)) = Attempt::first(rest) {
        attempts.push(attempt);
        rest = after;
    }
    Ok(Content { attempts, is_damaged: !rest.is_empty() })
}
