//! Files of records that are only appended: what the journals beside the log share. A journal is a directory of
//! segments; the name of each has the number, or the time, of its first record. A record is a frame: its length (2
//! bytes), a CRC-32 of the rest (4), and the rest. After a crash the end of a segment may be torn: reading ends at the
//! first frame that is cut or damaged.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The length and the checksum before the rest of a frame.
const HEAD: usize = 6;

/// The names of the segments of one kind: a beginning, the number in fifteen digits, and an end.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    pub prefix: &'static str,
    pub suffix: &'static str,
}

/// A segment in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The number in the name.
    pub first: i64,
    pub path: PathBuf,
    pub bytes: u64,
    /// The time of the last write, in milliseconds since 1970.
    pub written_ms: i64,
}

impl Names {
    pub fn of(self, first: i64) -> String {
        format!("{}{first:015}{}", self.prefix, self.suffix)
    }

    /// The number in the name of a file.
    pub fn number(self, name: &str) -> Option<i64> {
        name.strip_prefix(self.prefix)?.strip_suffix(self.suffix)?.parse().ok()
    }
}

/// Makes a directory that only its owner can read.
///
/// # Errors
/// That of the operating system.
pub fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Creates a segment, and syncs the directory, so that a power cut does not lose the file. If there is one with this
/// number, the new one gets the next number.
///
/// # Errors
/// That of the operating system.
pub fn create(directory: &Path, names: Names, first: i64) -> io::Result<File> {
    let mut first = first;
    loop {
        let path = directory.join(names.of(first));
        match OpenOptions::new().append(true).create_new(true).mode(0o600).open(path) {
            Ok(file) => {
                File::open(directory)?.sync_all()?;
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => first += 1,
            Err(error) => return Err(error),
        }
    }
}

/// The segments of a kind, the one with the lowest number first.
///
/// # Errors
/// That of the operating system.
pub fn list(directory: &Path, names: Names) -> io::Result<Vec<Segment>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let Some(first) = entry.file_name().to_str().and_then(|name| names.number(name)) else { continue };
        match entry.metadata() {
            Ok(metadata) => {
                let written_ms = metadata.modified().map_or(i64::MAX, milliseconds);
                found.push(Segment { first, path: entry.path(), bytes: metadata.len(), written_ms });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    found.sort_by_key(|segment| segment.first);
    Ok(found)
}

/// A time in milliseconds since 1970.
pub fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Appends a frame, whose rest `body` appends: 65 535 bytes at most.
pub fn write_frame(to: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = to.len();
    to.extend_from_slice(&[0; HEAD]);
    let rest = start + HEAD;
    body(to);
    let length = u16::try_from(to.len() - rest).unwrap_or_default();
    let checksum = crc32fast::hash(&to[rest..]);
    to[start..start + 2].copy_from_slice(&length.to_le_bytes());
    to[start + 2..rest].copy_from_slice(&checksum.to_le_bytes());
}

/// The rest of the first frame, and what follows the frame; `None` if it is cut or damaged.
pub fn first_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, bytes) = bytes.split_first_chunk()?;
    let (checksum, bytes) = bytes.split_first_chunk()?;
    let (body, rest) = bytes.split_at_checked(u16::from_le_bytes(*length).into())?;
    (crc32fast::hash(body) == u32::from_le_bytes(*checksum)).then_some((body, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_is_cut_or_changed_is_not_read() {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, |to| to.extend_from_slice(b"one"));
        write_frame(&mut bytes, |to| to.extend_from_slice(b"two"));
        let (one, rest) = first_frame(&bytes).expect("a frame");
        let (two, rest) = first_frame(rest).expect("a frame");
        assert_eq!((one, two, rest), (&b"one"[..], &b"two"[..], &b""[..]));
        assert_eq!(first_frame(&bytes[..8]), None);
        bytes[7] ^= 1;
        assert_eq!(first_frame(&bytes), None);
    }
}
