//! How far each destination got, in one small file each. A file is replaced as a whole, so that it is never half
//! written. A file that is lost or older than it should be only means that records are sent again.

use super::progress::{Position, SOURCES};
use serde_json::{Map, Value};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The names of the sources in a file.
const NAMES: [&str; SOURCES] = ["records", "attempts", "checkpoints"];

const ENDING: &str = "json";

/// The directory of the files. Its calls block.
#[derive(Clone)]
pub struct CursorDirectory(PathBuf);

impl CursorDirectory {
    /// Opens the directory, or makes it, and removes the files of destinations that are no more.
    ///
    /// # Errors
    /// An error of the operating system.
    pub fn open(path: &Path, known: impl Fn(&str) -> bool) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            let name = path.file_stem().and_then(|name| name.to_str());
            if !name.is_some_and(&known) {
                fs::remove_file(&path)?;
            }
        }
        Ok(Self(path.to_owned()))
    }

    /// Returns the position of a destination; `None` if there is no file, or none that can be read.
    ///
    /// # Errors
    /// An error of the operating system.
    pub fn read(&self, name: &str) -> io::Result<Option<Position>> {
        let text = match fs::read_to_string(self.file(name)) {
            Err(error) if [ErrorKind::NotFound, ErrorKind::InvalidData].contains(&error.kind()) => return Ok(None),
            text => text?,
        };
        let Ok(members) = serde_json::from_str::<Map<String, Value>>(&text) else { return Ok(None) };
        let number = |name: &str| members.get(name).and_then(Value::as_u64);
        // A source that the file does not have is younger than the file.
        Ok(number(NAMES[0]).map(|_| NAMES.map(|name| number(name).unwrap_or(0))))
    }

    /// Writes the position of a destination.
    ///
    /// # Errors
    /// An error of the operating system. The file stays as it was.
    pub fn write(&self, name: &str, position: Position) -> io::Result<()> {
        let members: Map<_, _> = NAMES.iter().zip(position).map(|(name, at)| ((*name).to_owned(), at.into())).collect();
        let new = self.0.join(format!("{name}.new"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(Value::Object(members).to_string().as_bytes())?;
        file.sync_data()?;
        fs::rename(&new, self.file(name))?;
        File::open(&self.0)?.sync_all()
    }

    /// Removes the file of a destination.
    ///
    /// # Errors
    /// An error of the operating system.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.file(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.{ENDING}"))
    }
}
