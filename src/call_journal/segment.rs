//! The files of the journal. A record is its length (2 bytes), a CRC-32 of the rest (4), the time (8), the request id of
//! AWS (16), who asked (1 and its text), and our request id (1 and its text). All numbers are little-endian.
//!
//! A segment is written by one run of the program. Its name has the time of its first record. After a crash its end may
//! be torn: reading ends at the first record that is cut or damaged.
//!
//! An empty file says from when on the calls of a kind are here: what was answered before may have been deleted.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

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

    const fn prefix(self) -> &'static str {
        match self {
            Self::Change => "changes-",
            Self::Read => "reads-",
        }
    }
}

/// A segment in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// The time of the first record, in milliseconds since 1970.
    pub(super) first_ms: i64,
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    /// The time of the last write, in milliseconds since 1970. Segments can overlap where the clock was set.
    pub(super) written_ms: i64,
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
/// The length and the checksum.
const HEAD: usize = 6;
/// The time and the request id.
const FIXED: usize = 24;
/// The longest text, in bytes.
const TEXT_MAX: usize = 128;

pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Creates a segment, and syncs the directory, so that a power cut does not lose the file.
pub(super) fn create(directory: &Path, kind: Kind, first_ms: i64) -> io::Result<File> {
    let mut at = first_ms;
    loop {
        let path = directory.join(format!("{}{at:015}{SUFFIX}", kind.prefix()));
        match OpenOptions::new().append(true).create_new(true).mode(0o600).open(path) {
            Ok(file) => {
                File::open(directory)?.sync_all()?;
                return Ok(file);
            }
            // Two segments begin in one millisecond, or the clock was set back.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => at += 1,
            Err(error) => return Err(error),
        }
    }
}

/// The segments of a kind, the oldest first.
pub(super) fn list(directory: &Path, kind: Kind) -> io::Result<Vec<Segment>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(first_ms) = name.to_str().and_then(|name| number(name, kind, SUFFIX)) else { continue };
        match entry.metadata() {
            Ok(metadata) => {
                let written_ms = metadata.modified().map_or(i64::MAX, milliseconds);
                found.push(Segment { first_ms, path: entry.path(), bytes: metadata.len(), written_ms });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    found.sort_by_key(|segment| segment.first_ms);
    Ok(found)
}

/// The time from which on the calls of a kind are here; `None` if that was never noted.
pub(super) fn start(directory: &Path, kind: Kind) -> io::Result<Option<i64>> {
    Ok(starts(directory, kind)?.into_iter().map(|(at_ms, _)| at_ms).max())
}

/// Notes that what was answered before a time may be missing.
pub(super) fn note_start(directory: &Path, kind: Kind, at_ms: i64) -> io::Result<()> {
    let earlier = starts(directory, kind)?;
    let at_ms = at_ms.max(0);
    let path = directory.join(format!("{}{at_ms:015}{START}", kind.prefix()));
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
        if let Some(at_ms) = entry.file_name().to_str().and_then(|name| number(name, kind, START)) {
            found.push((at_ms, entry.path()));
        }
    }
    Ok(found)
}

/// The time in the name of a file.
fn number(name: &str, kind: Kind, suffix: &str) -> Option<i64> {
    name.strip_prefix(kind.prefix())?.strip_suffix(suffix)?.parse().ok()
}

/// A time in milliseconds since 1970.
pub(super) fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Appends the record of a call to a buffer.
pub(super) fn write(call: &Call, to: &mut Vec<u8>) {
    let start = to.len();
    to.extend_from_slice(&[0; HEAD]);
    to.extend_from_slice(&call.at_ms.to_le_bytes());
    to.extend_from_slice(&key_of(&call.request_id).to_le_bytes());
    for text in [&call.asked.by, &call.asked.request_id] {
        let text = &text[..text.floor_char_boundary(TEXT_MAX)];
        to.push(u8::try_from(text.len()).unwrap_or_default());
        to.extend_from_slice(text.as_bytes());
    }
    let body = start + HEAD;
    let length = u16::try_from(to.len() - body).unwrap_or_default();
    let checksum = crc32fast::hash(&to[body..]);
    to[start..start + 2].copy_from_slice(&length.to_le_bytes());
    to[start + 2..body].copy_from_slice(&checksum.to_le_bytes());
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
    let (length, bytes) = bytes.split_first_chunk()?;
    let (checksum, bytes) = bytes.split_first_chunk()?;
    let (body, rest) = bytes.split_at_checked(u16::from_le_bytes(*length).into())?;
    if crc32fast::hash(body) != u32::from_le_bytes(*checksum) || body.len() < FIXED {
        return None;
    }
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
