//! Records as lines of JSON in a file. When the file is full it becomes `<file>.1`, that one `<file>.2`, and so on. A
//! file that somebody else has moved away is made again.

use super::blocking;
use super::destination::Broken;
use super::item::Item;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A file, and when it is full.
#[derive(Clone, Debug)]
pub struct JsonFileSettings {
    pub path: PathBuf,
    pub max_bytes: u64,
    /// The number of full files to keep.
    pub keep: u32,
}

/// The open file. Cheap to clone.
#[derive(Clone)]
pub struct JsonFile(Arc<Mutex<Open>>);

struct Open {
    settings: JsonFileSettings,
    file: File,
    bytes: u64,
}

impl JsonFile {
    pub(super) async fn open(settings: JsonFileSettings) -> Result<Self, Broken> {
        blocking(move || Open::new(settings)).await.map_err(failed).map(|open| Self(Arc::new(Mutex::new(open))))
    }

    pub(super) async fn send(&self, items: Vec<Item>) -> Result<usize, Broken> {
        let open = self.0.clone();
        blocking(move || open.lock().unwrap_or_else(PoisonError::into_inner).write(&items)).await.map_err(failed)
    }

    /// Waits until the disk has what was written.
    pub(super) async fn sync(&self) -> Result<(), Broken> {
        let open = self.0.clone();
        blocking(move || open.lock().unwrap_or_else(PoisonError::into_inner).file.sync_data()).await.map_err(failed)
    }
}

fn failed(error: io::Error) -> Broken {
    Broken::File(error.to_string())
}

impl Open {
    fn new(settings: JsonFileSettings) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).mode(0o600).open(&settings.path)?;
        if let Some(parent) = settings.path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(parent)?.sync_all()?;
        }
        let mut bytes = file.metadata()?.len();
        // After a crash the last line may be half a line. It is written again, and must not continue that half.
        if bytes > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
                bytes += 1;
            }
        }
        Ok(Self { settings, file, bytes })
    }

    fn write(&mut self, items: &[Item]) -> io::Result<usize> {
        if self.was_moved()? {
            // Its last lines count as received soon.
            self.file.sync_data()?;
            *self = Self::new(self.settings.clone())?;
        }
        let (mut lines, mut written) = (Vec::new(), 0);
        for item in items {
            let bytes = self.bytes + lines.len() as u64;
            // A file has at least one line, however long that is.
            if bytes > 0 && bytes + item.json.len() as u64 + 1 > self.settings.max_bytes {
                self.append(&mut lines)?;
                self.file.sync_data()?;
                rotate(&self.settings.path, self.settings.keep)?;
                *self = Self::new(self.settings.clone())?;
            }
            lines.extend_from_slice(item.json.as_bytes());
            lines.push(b'\n');
            written += item.json.len() + 1;
        }
        self.append(&mut lines)?;
        Ok(written)
    }

    fn append(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        self.file.write_all(lines)?;
        self.bytes += lines.len() as u64;
        lines.clear();
        Ok(())
    }

    fn was_moved(&self) -> io::Result<bool> {
        let own = self.file.metadata()?;
        match fs::metadata(&self.settings.path) {
            Ok(found) => Ok((found.dev(), found.ino()) != (own.dev(), own.ino())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }
}

/// Moves each file one number up; the last one goes.
fn rotate(path: &Path, keep: u32) -> io::Result<()> {
    let numbered = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    if keep == 0 {
        return fs::remove_file(path);
    }
    for number in (1..keep).rev() {
        match fs::rename(numbered(number), numbered(number + 1)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, numbered(1))
}
