//! The file `head` next to the log: the number and the hash of a durable record. A store that opens with fewer records,
//! or with another record of that number, has lost data, and only this file can show it.
//!
//! The file is written after the store's sync, so it never claims a record that is not durable. It is synced itself
//! only at the first commit, at every [`SYNC_EVERY`]th, and at the end. So it is exact after the process ends or is
//! killed. After a power cut it may be behind by up to that many commits (or half a minute, after which the kernel
//! writes it back), and the loss of just those commits would not be noticed. It protects against disks and copies that
//! lose data, not against an attacker who can write both files.
//!
//! There are three slots, each with a checksum. One has what was synced last, and is left alone until the next sync;
//! the others are written in turn. So a power cut that tears both writes leaves that one.

use super::chain::Linked;
use super::directory::{io, owner_only};
use super::error::LedgerError;
use super::record::RecordHash;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The offsets of the slots, far enough apart that no disk writes two at once. Earlier versions used the first two.
const SLOTS: [u64; 3] = [0, 4096, 8192];
/// Commits between two syncs of the file.
const SYNC_EVERY: u32 = 64;

/// A record that is known to be durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HeadMark {
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
    /// The slot that the disk has.
    durable: usize,
    /// The slot that was written last.
    written: usize,
    unsynced: u32,
    synced_any: bool,
}

impl HeadFile {
    /// Creates the file atomically, so that an empty file is never seen. The caller syncs the directory.
    pub(super) fn create(path: &Path, known: HeadMark) -> Result<Self, LedgerError> {
        let unfinished = path.with_extension("new");
        let failed = io("make", &unfinished);
        let file = owner_only().create(true).truncate(true).open(&unfinished).map_err(failed)?;
        let mut head = Self { file, durable: 0, written: 0, unsynced: 0, synced_any: false };
        let line = line(known);
        let written = SLOTS.iter().try_for_each(|slot| head.file.write_all_at(line.as_bytes(), *slot));
        let written = written.and_then(|()| head.sync());
        written.map_err(io("write", &unfinished))?;
        std::fs::rename(&unfinished, path).map_err(io("make", path))?;
        head.synced_any = known.seq > 0;
        Ok(head)
    }

    /// Opens the file and reads the newest of its slots.
    pub(super) fn open(path: &Path) -> Result<(Self, HeadMark), LedgerError> {
        let file = owner_only().open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => LedgerError::HeadUnknown(path.to_owned()),
            _ => io("open", path)(error),
        })?;
        let slots = SLOTS.iter().enumerate().filter_map(|(slot, offset)| Some((read(&file, *offset)?, slot)));
        let newest = slots.max_by_key(|(known, _)| known.seq);
        let (known, slot) = newest.ok_or_else(|| LedgerError::HeadUnknown(path.to_owned()))?;
        // After a kill the slot may be in the page cache only.
        file.sync_data().map_err(io("sync", path))?;
        Ok((Self { file, durable: slot, written: slot, unsynced: 0, synced_any: known.seq > 0 }, known))
    }

    /// Writes a durable record to the file.
    pub(super) fn update(&mut self, known: HeadMark) -> std::io::Result<()> {
        self.write(known)?;
        self.unsynced += 1;
        if self.unsynced >= SYNC_EVERY || !self.synced_any { self.sync() } else { Ok(()) }
    }

    pub(super) fn sync(&mut self) -> std::io::Result<()> {
        self.file.sync_data()?;
        self.durable = self.written;
        self.unsynced = 0;
        self.synced_any = true;
        Ok(())
    }

    fn write(&mut self, known: HeadMark) -> std::io::Result<()> {
        let free = (0..SLOTS.len()).find(|slot| ![self.durable, self.written].contains(slot));
        self.written = free.unwrap_or_default();
        self.file.write_all_at(line(known).as_bytes(), SLOTS[self.written])
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
    let (seq, hash) = (words.next()?.parse().ok()?, RecordHash::parse(words.next()?)?);
    let known = HeadMark { seq, hash };
    (line(known) == text).then_some(known)
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
        // The first of these was synced; whatever happens to the later ones, it remains.
        for torn in SLOTS.iter().enumerate().filter(|(slot, _)| *slot != head.durable) {
            head.file.write_all_at(b"claviger he", torn.1 + 20).expect("writes");
        }
        let (mut again, found) = HeadFile::open(&path).expect("opens");
        assert_eq!(found, known(1));
        again.update(known(5)).expect("updated");
        assert_eq!(HeadFile::open(&path).expect("opens").1, known(5));
    }

    /// The writes between two syncs may all be torn by one power cut.
    #[test]
    fn what_was_synced_last_is_not_written_to_until_the_next_sync() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("head");
        let mut head = HeadFile::create(&path, HeadMark::default()).expect("creates");
        let mut durable = HeadMark::default();
        for seq in 1..=3 * u64::from(SYNC_EVERY) {
            let slot = SLOTS[head.durable];
            assert_eq!(read(&head.file, slot), Some(durable));
            head.update(known(seq)).expect("updated");
            assert!(head.unsynced == 0 || read(&head.file, slot) == Some(durable), "{seq}");
            if head.unsynced == 0 {
                durable = known(seq);
            }
        }
    }

    /// A file of an earlier version has two slots.
    #[test]
    fn a_file_with_two_slots_is_read_and_goes_on() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("head");
        let mut content = vec![0; 4096];
        content.extend_from_slice(line(known(8)).as_bytes());
        content[..line(known(7)).len()].copy_from_slice(line(known(7)).as_bytes());
        std::fs::write(&path, content).expect("writes");
        let (mut head, found) = HeadFile::open(&path).expect("opens");
        assert_eq!(found, known(8));
        (9..=12).for_each(|seq| head.update(known(seq)).expect("updated"));
        assert_eq!(HeadFile::open(&path).expect("opens").1, known(12));
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
