//! The file `checkpoints.jsonl` of the data directory: the checkpoints that were made, one a line, oldest first. It is
//! only ever appended to. In memory is the place of each line, so a page reads no more than its own lines.

use super::signed::Checkpoint;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// The name of the file.
pub const NAME: &str = "checkpoints.jsonl";
/// The longest line, in bytes; a longer one can only be damage.
const LINE_MAX: u64 = 4096;

pub(super) struct CheckpointFile {
    file: File,
    /// Where each line begins.
    begins: Vec<u64>,
    /// The end of the last line.
    end: u64,
}

impl CheckpointFile {
    /// Opens the file, or makes it; `seen` gets every checkpoint. An unfinished last line, which a crash leaves, is
    /// removed. Lines that are no checkpoints are left out, and reported.
    pub(super) fn open(path: &Path, mut seen: impl FnMut(&Checkpoint)) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        if let Some(directory) = path.parent() {
            File::open(directory)?.sync_all()?;
        }
        let (mut begins, mut end, mut line) = (Vec::new(), 0, Vec::new());
        let mut reader = BufReader::new(&file);
        loop {
            line.clear();
            let length = (&mut reader).take(LINE_MAX).read_until(b'\n', &mut line)? as u64;
            let is_whole = line.ends_with(b"\n");
            if length == 0 {
                break;
            }
            if !is_whole && length < LINE_MAX {
                tracing::warn!(path = %path.display(), at = end, "an unfinished checkpoint is removed");
                break;
            }
            match parse(&line) {
                Some(checkpoint) => {
                    begins.push(end);
                    seen(&checkpoint);
                }
                None => tracing::error!(path = %path.display(), at = end, "a checkpoint is damaged"),
            }
            end += length;
        }
        file.set_len(end)?;
        Ok(Self { file, begins, end })
    }

    /// Appends a checkpoint durably.
    pub(super) fn append(&mut self, checkpoint: &Checkpoint) -> io::Result<()> {
        let line = checkpoint.to_line() + "\n";
        let written = self.file.write_all_at(line.as_bytes(), self.end).and_then(|()| self.file.sync_data());
        // What is there of an unfinished line would be the beginning of the next.
        written.inspect_err(|_| drop(self.file.set_len(self.end)))?;
        self.begins.push(self.end);
        self.end += line.len() as u64;
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.begins.len()
    }

    /// The checkpoint at this place, counted from the oldest.
    pub(super) fn get(&self, place: usize) -> io::Result<Option<Checkpoint>> {
        let Some(begin) = self.begins.get(place) else { return Ok(None) };
        let end = self.end.min(begin + LINE_MAX);
        let mut bytes = vec![0; usize::try_from(end - begin).unwrap_or_default()];
        self.file.read_exact_at(&mut bytes, *begin)?;
        let line = bytes.split_inclusive(|byte| *byte == b'\n').next().and_then(parse);
        line.map(Some).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a checkpoint is damaged"))
    }
}

/// The lines of a file with checkpoints of records up to this number, for a backup that ends there.
pub(in crate::service) fn upto(path: &Path, number: u64) -> io::Result<Vec<u8>> {
    let text = std::fs::read(path)?;
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let wanted = lines.filter(|line| parse(line).is_some_and(|checkpoint| checkpoint.number <= number));
    Ok(wanted.flatten().copied().collect())
}

fn parse(line: &[u8]) -> Option<Checkpoint> {
    Checkpoint::parse(std::str::from_utf8(line).ok()?.strip_suffix('\n')?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::signed::Signer;
    use super::*;
    use crate::domain::time::Time;
    use crate::keyring::Keyring;
    use crate::ledger::{HeadMark, RecordHash};

    fn checkpoint(signer: &Signer, number: u64) -> Checkpoint {
        let end = HeadMark { seq: number, hash: RecordHash::of(&number.to_be_bytes()) };
        signer.sign("an-installation".to_owned(), end, Time::from_nanos(1))
    }

    #[test]
    fn checkpoints_stay_and_an_unfinished_one_is_removed() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join(NAME);
        let signer = Signer::of(&Keyring::for_tests()).expect("a key");
        let mut file = CheckpointFile::open(&path, |_| panic!("it is new")).expect("made");
        for number in 1..=3 {
            file.append(&checkpoint(&signer, number)).expect("appended");
        }
        let whole = std::fs::read(&path).expect("readable");
        let unfinished = checkpoint(&signer, 4).to_line();
        for torn in [&unfinished.as_bytes()[..40], unfinished.as_bytes(), &[0; 100]] {
            std::fs::write(&path, [whole.as_slice(), torn].concat()).expect("written");
            let mut seen = Vec::new();
            let mut file = CheckpointFile::open(&path, |one| seen.push(one.number)).expect("opens");
            assert_eq!((seen, file.len()), (vec![1, 2, 3], 3));
            file.append(&checkpoint(&signer, 5)).expect("appended");
            assert_eq!(file.get(3).expect("readable"), Some(checkpoint(&signer, 5)));
            assert_eq!(file.get(1).expect("readable"), Some(checkpoint(&signer, 2)));
            assert_eq!(file.get(4).expect("readable"), None);
        }
        assert_eq!(upto(&path, 3).expect("readable"), whole);
        std::fs::write(&path, [b"{}\n", whole.as_slice()].concat()).expect("written");
        assert_eq!(CheckpointFile::open(&path, drop_it).expect("opens").len(), 3);
    }

    fn drop_it(_: &Checkpoint) {}
}
