//! The files of the journal. A record is a frame (`segment_files`) with the time (8 bytes), the request id of AWS (16),
//! who asked (1 and its text), and our request id (1 and its text). All numbers are little-endian.
//!
//! A segment is written by one run of the program. Its name has the time of its first record.
//!
//! An empty file says from when on the calls of a kind are here: what was answered before may have been deleted.

use crate::segment_files::{self, Names, Segment};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Call;
use super::own_calls::{Asked, key_of};

/// What a call did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Change,
    Read,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Change, Self::Read];

    const fn names(self, suffix: &'static str) -> Names {
        let prefix = match self {
            Self::Change => "changes-",
            Self::Read => "reads-",
        };
        Names { prefix, suffix }
    }
}

/// A record that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) at_ms: i64,
    pub(super) key: u128,
    pub(super) asked: Asked,
}

const SUFFIX: &str = ".calls";
/// The end of the name of the file that has the time from which on calls are here.
const START: &str = ".start";
/// The longest text, in bytes.
const TEXT_MAX: usize = 128;

/// Creates a segment.
pub(super) fn create(directory: &Path, kind: Kind, first_ms: i64) -> io::Result<File> {
    segment_files::create(directory, kind.names(SUFFIX), first_ms)
}

/// The segments of a kind, the oldest first.
pub(super) fn list(directory: &Path, kind: Kind) -> io::Result<Vec<Segment>> {
    segment_files::list(directory, kind.names(SUFFIX))
}

/// The time from which on the calls of a kind are here; `None` if that was never noted.
pub(super) fn start(directory: &Path, kind: Kind) -> io::Result<Option<i64>> {
    Ok(starts(directory, kind)?.into_iter().map(|(at_ms, _)| at_ms).max())
}

/// Notes that what was answered before a time may be missing.
pub(super) fn note_start(directory: &Path, kind: Kind, at_ms: i64) -> io::Result<()> {
    let earlier = starts(directory, kind)?;
    let at_ms = at_ms.max(0);
    let path = directory.join(kind.names(START).of(at_ms));
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    File::open(directory)?.sync_all()?;
    for (_, path) in earlier.into_iter().filter(|(earlier, _)| *earlier < at_ms) {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

fn starts(directory: &Path, kind: Kind) -> io::Result<Vec<(i64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if let Some(at_ms) = entry.file_name().to_str().and_then(|name| kind.names(START).number(name)) {
            found.push((at_ms, entry.path()));
        }
    }
    Ok(found)
}

/// Appends the record of a call to a buffer.
pub(super) fn write(call: &Call, to: &mut Vec<u8>) {
    segment_files::write_frame(to, |to| {
        to.extend_from_slice(&call.at_ms.to_le_bytes());
        to.extend_from_slice(&key_of(&call.request_id).to_le_bytes());
        for text in [&call.asked.by, &call.asked.request_id] {
            let text = &text[..text.floor_char_boundary(TEXT_MAX)];
            to.push(u8::try_from(text.len()).unwrap_or_default());
            to.extend_from_slice(text.as_bytes());
        }
    });
}

/// The records of a segment, up to the first that is cut or damaged, and whether there is such a one.
pub(super) fn read(mut bytes: &[u8]) -> (Vec<Found>, bool) {
    let mut records = Vec::new();
    while let Some((found, rest)) = first(bytes) {
        records.push(found);
        bytes = rest;
    }
    (records, !bytes.is_empty())
}

fn first(bytes: &[u8]) -> Option<(Found, &[u8])> {
    let (body, rest) = segment_files::first_frame(bytes)?;
    let (at_ms, body) = body.split_first_chunk()?;
    let (key, body) = body.split_first_chunk()?;
    let (by, body) = text(body)?;
    let (request_id, _) = text(body)?;
    let asked = Asked { by, request_id };
    Some((Found { at_ms: i64::from_le_bytes(*at_ms), key: u128::from_le_bytes(*key), asked }, rest))
}

fn text(bytes: &[u8]) -> Option<(Arc<str>, &[u8])> {
    let (length, bytes) = bytes.split_first()?;
    let (text, rest) = bytes.split_at_checked((*length).into())?;
    Some((std::str::from_utf8(text).ok()?.into(), rest))
}
