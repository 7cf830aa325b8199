//! The file `head` next to the log: the number and the hash of a durable record. A store that opens with fewer records,
//! or with another record of that number, has lost data, and only this file can show it.
//!
//! The file is written after the store's sync, so it never claims a record that is not durable. It is synced itself
//! only at the first commit, at every [`SYNC_EVERY`]th, and at the end. So it is exact after the process ends or is
//! killed. After a power cut it may be behind by up to that many commits (or half a minute, after which the kernel
//! writes it back), and the loss of just those commits would not be noticed. It protects against disks and copies that
//! lose data, not against an attacker who can write both files.
//!
//! Two slots are written in turn, each with a checksum: if one is torn, the other remains.

use super::chain::Linked;
use super::directory::{io, owner_only};
use super::error::LedgerError;
use super::record::RecordHash;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The offsets of the two slots, far enough apart that no disk writes both at once.
const SLOTS: [u64; 2] = [0, 4096];
/// Commits between two syncs of the file.
const SYNC_EVERY: u32 = 64;

/// A record that is known to be durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct HeadMark {
    /// The record's number; 0 if there is none.
    pub seq: u64,
    pub hash: RecordHash,
}

impl HeadMark {
    /// Rejects a record of this number with another hash.
    pub(super) fn check(self, linked: &Linked) -> Result<(), LedgerError> {
        match linked.seq == self.seq && linked.hash != self.hash {
            true => Err(LedgerError::Foreign { seq: self.seq, known: self.hash, found: linked.hash }),
            false => Ok(()),
        }
    }
}

#[derive(Debug)]
pub(super) struct HeadFile {
    file: File,
    next: usize,
    unsynced: u32,
    synced_any: bool,
}

impl HeadFile {
    /// Creates the file atomically, so that an empty file is never seen. The caller syncs the directory.
    pub(super) fn create(path: &Path, known: HeadMark) -> Result<Self, LedgerError> {
        let unfinished = path.with_extension("new");
        let failed = io("make", &unfinished);
        let file = owner_only().create(true).truncate(true).open(&unfinished).map_err(failed)?;
        let mut head = Self { file, next: 0, unsynced: 0, synced_any: false };
        let written = SLOTS.iter().try_for_each(|_| head.write(known)).and_then(|()| head.sync());
        written.map_err(io("write", &unfinished))?;
        std::fs::rename(&unfinished, path).map_err(io("make", path))?;
        head.synced_any = known.seq > 0;
        Ok(head)
    }

    /// Opens the file and reads the later of its two slots.
    pub(super) fn open(path: &Path) -> Result<(Self, HeadMark), LedgerError> {
        let file = owner_only().open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => LedgerError::HeadUnknown(path.to_owned()),
            _ => io("open", path)(error),
        })?;
        let slots = SLOTS.map(|offset| read(&file, offset));
        let (at, known) = match slots {
            [Some(one), Some(other)] if other.seq > one.seq => (1, other),
            [Some(one), _] => (0, one),
            [None, Some(other)] => (1, other),
            [None, None] => return Err(LedgerError::HeadUnknown(path.to_owned())),
        };
        Ok((Self { file, next: 1 - at, unsynced: 0, synced_any: known.seq > 0 }, known))
    }

    /// Writes a durable record to the file.
    pub(super) fn update(&mut self, known: HeadMark) -> std::io::Result<()> {
        self.write(known)?;
        self.unsynced += 1;
        if self.unsynced >= SYNC_EVERY || !self.synced_any { self.sync() } else { Ok(()) }
    }

    pub(super) fn sync(&mut self) -> std::io::Result<()> {
        self.file.sync_data()?;
        self.unsynced = 0;
        self.synced_any = true;
        Ok(())
    }

    fn write(&mut self, known: HeadMark) -> std::io::Result<()> {
        let offset = SLOTS[self.next];
        self.next = 1 - self.next;
        self.file.write_all_at(line(known).as_bytes(), offset)
    }
}

/// The content of a slot: one line of text.
fn line(known: HeadMark) -> String {
    let text = format!("claviger head 1 {:020} {}", known.seq, known.hash);
    format!("{text} {}\n", RecordHash::of(text.as_bytes()))
}

fn read(file: &File, offset: u64) -> Option<HeadMark> {
    let mut bytes = vec![0; line(HeadMark::default()).len()];
    file.read_exact_at(&mut bytes, offset).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let mut words = text.split_whitespace().skip(3);
    let (seq, hash) = (words.next()?.parse().ok()?, parse_hash(words.next()?)?);
    let known = HeadMark { seq, hash };
    (line(known) == text).then_some(known)
}

fn parse_hash(text: &str) -> Option<RecordHash> {
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(RecordHash(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(seq: u64) -> HeadMark {
        HeadMark { seq, hash: RecordHash::of(&seq.to_be_bytes()) }
    }

    #[test]
    fn the_newest_complete_slot_counts() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("head");
        // A first start that was killed left this file.
        std::fs::write(path.with_extension("new"), "claviger he").expect("writes");
        let mut head = HeadFile::create(&path, HeadMark::default()).expect("creates");
        assert_eq!(HeadFile::open(&path).expect("opens").1, HeadMark::default());
        for seq in 1..=5 {
            head.update(known(seq)).expect("updated");
            assert_eq!(HeadFile::open(&path).expect("opens").1, known(seq));
        }
        // The fifth write went to the first slot: if it is torn, the fourth remains.
        head.file.write_all_at(b"claviger he", SLOTS[0] + 20).expect("writes");
        let (mut again, found) = HeadFile::open(&path).expect("opens");
        assert_eq!(found, known(4));
        again.update(known(5)).expect("updated");
        assert_eq!(HeadFile::open(&path).expect("opens").1, known(5));
    }

    #[test]
    fn an_empty_file_is_not_taken_for_an_empty_log() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("head");
        assert!(matches!(HeadFile::open(&path), Err(LedgerError::HeadUnknown(_))));
        std::fs::write(&path, [0; 8192]).expect("writes");
        assert!(matches!(HeadFile::open(&path), Err(LedgerError::HeadUnknown(_))));
    }
}
