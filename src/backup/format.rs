//! The frames of a backup. Each has a kind, a length and its content. The header comes first, then the records in their
//! order, then the files, each in pieces, and the trailer last. A reader accepts no other order, and nothing after the
//! trailer, so a backup that was cut off or changed is recognised even where the encryption would not show it.

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};

/// The first bytes of every backup. A program that reads only earlier formats stops here.
const MAGIC: &[u8] = b"claviger-backup 1\n";

const HEADER: u8 = 1;
const RECORD: u8 = 2;
/// The beginning of a file: its name.
const FILE: u8 = 3;
/// A piece of the content of the file that began last.
const PIECE: u8 = 4;
const TRAILER: u8 = 5;

/// The longest content of a frame that a reader accepts, in bytes.
const FRAME_MAX: u32 = 64 * 1024 * 1024;
/// The longest piece of a file that a writer makes, in bytes.
const PIECE_MAX: usize = 64 * 1024;
/// The longest name of a file, in bytes.
const NAME_MAX: usize = 1024;

/// What a backup says about itself at its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the program that made it.
    pub version: String,
    /// The id of the installation; empty if there is none yet.
    pub installation: String,
    /// The number of records.
    pub records: u64,
    /// When it was made, RFC 3339.
    pub made: String,
    /// Whether the master key is in it.
    pub has_master_key: bool,
}

/// The counts at the end of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    pub records: u64,
    /// The hash of the last record, in hexadecimal.
    pub head_hash: String,
    pub files: u64,
    /// SHA-256 of everything before the trailer and of the hash of the last record, in hexadecimal.
    pub sha256: String,
}

#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    #[error("the backup could not be read or written: {0}")]
    Io(#[from] io::Error),
    #[error("this is no backup of a format that this version reads")]
    NotABackup,
    #[error("the backup ends too early")]
    CutOff,
    #[error("the backup is damaged: {0}")]
    Damaged(&'static str),
}

/// A piece of a backup, in the order of the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    Record(Vec<u8>),
    /// The beginning of a file; `/` separates the names of directories.
    File(String),
    /// More of the file that began last.
    Piece(Vec<u8>),
    /// The end. The trailer agrees with what was read.
    End(Trailer),
}

/// Writes a backup.
pub struct BackupWriter<W> {
    to: W,
    hash: Context,
    records: u64,
    files: u64,
}

impl<W: Write> BackupWriter<W> {
    pub fn begin(to: W, header: &Header) -> Result<Self, FormatError> {
        let mut writer = Self { to, hash: Context::new(&SHA256), records: 0, files: 0 };
        writer.write(MAGIC)?;
        writer.frame(HEADER, &json(header)?)?;
        Ok(writer)
    }

    pub fn record(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        self.records += 1;
        self.frame(RECORD, bytes)
    }

    /// Writes a file, of which at most `most` bytes are taken.
    pub fn file(&mut self, name: &str, content: impl Read, most: u64) -> Result<(), FormatError> {
        self.files += 1;
        self.frame(FILE, name.as_bytes())?;
        let mut content = content.take(most);
        let mut piece = vec![0; PIECE_MAX];
        loop {
            match content.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(read) => self.frame(PIECE, &piece[..read])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Writes the trailer, and returns it with the output.
    pub fn end(mut self, head_hash: String) -> Result<(W, Trailer), FormatError> {
        let sha256 = checksum(self.hash.clone(), &head_hash);
        let trailer = Trailer { records: self.records, head_hash, files: self.files, sha256 };
        self.frame(TRAILER, &json(&trailer)?)?;
        self.to.flush()?;
        Ok((self.to, trailer))
    }

    fn frame(&mut self, kind: u8, content: &[u8]) -> Result<(), FormatError> {
        let length = u32::try_from(content.len()).ok().filter(|length| *length <= FRAME_MAX);
        let length = length.ok_or(FormatError::Damaged("a part is too long"))?;
        self.write(&[kind])?;
        self.write(&length.to_le_bytes())?;
        self.write(content)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        self.hash.update(bytes);
        Ok(self.to.write_all(bytes)?)
    }
}

/// Reads a backup.
pub struct BackupReader<R> {
    from: R,
    hash: Context,
    header: Header,
    records: u64,
    files: u64,
}

impl<R: Read> BackupReader<R> {
    /// Reads the header.
    pub fn begin(mut from: R) -> Result<Self, FormatError> {
        let mut magic = [0; MAGIC.len()];
        from.read_exact(&mut magic).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => FormatError::NotABackup,
            _ => error.into(),
        })?;
        if magic != *MAGIC {
            return Err(FormatError::NotABackup);
        }
        let mut hash = Context::new(&SHA256);
        hash.update(&magic);
        let header = Header {
            version: String::new(),
            installation: String::new(),
            records: 0,
            made: String::new(),
            has_master_key: false,
        };
        let mut reader = Self { from, hash, header, records: 0, files: 0 };
        let (kind, content) = reader.frame()?;
        if kind != HEADER {
            return Err(FormatError::Damaged("it does not begin with a header"));
        }
        reader.header = serde_json::from_slice(&content).map_err(|_| FormatError::Damaged("its header"))?;
        Ok(reader)
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Reads the next part. After [`Part::End`] nothing may follow, which is checked.
    pub fn next_part(&mut self) -> Result<Part, FormatError> {
        let before = self.hash.clone();
        let (kind, content) = self.frame()?;
        match kind {
            RECORD if self.files == 0 => {
                self.records += 1;
                Ok(Part::Record(content))
            }
            FILE => {
                self.files += 1;
                let name = String::from_utf8(content).ok().filter(|name| is_name(name));
                name.map(Part::File).ok_or(FormatError::Damaged("a file has an impossible name"))
            }
            PIECE if self.files > 0 => Ok(Part::Piece(content)),
            TRAILER => self.check_end(&content, before).map(Part::End),
            _ => Err(FormatError::Damaged("a part is not where it belongs")),
        }
    }

    fn check_end(&mut self, content: &[u8], before: Context) -> Result<Trailer, FormatError> {
        let trailer: Trailer = serde_json::from_slice(content).map_err(|_| FormatError::Damaged("its trailer"))?;
        if trailer.sha256 != checksum(before, &trailer.head_hash) {
            return Err(FormatError::Damaged("its checksum is another one"));
        }
        if (trailer.records, trailer.files) != (self.records, self.files) || self.header.records != self.records {
            return Err(FormatError::Damaged("records or files are missing"));
        }
        // This read also makes the decryption check the end of the stream.
        match self.from.read(&mut [0])? {
            0 => Ok(trailer),
            _ => Err(FormatError::Damaged("something follows its end")),
        }
    }

    /// Returns the kind and the content of the next frame.
    fn frame(&mut self) -> Result<(u8, Vec<u8>), FormatError> {
        let mut head = [0; 5];
        self.read(&mut head)?;
        let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
        if length > FRAME_MAX {
            return Err(FormatError::Damaged("a part is too long"));
        }
        let mut content = Vec::new();
        let read = (&mut self.from).take(length.into()).read_to_end(&mut content).map_err(cut_off)?;
        if read as u64 != u64::from(length) {
            return Err(FormatError::CutOff);
        }
        self.hash.update(&head);
        self.hash.update(&content);
        Ok((head[0], content))
    }

    fn read(&mut self, to: &mut [u8]) -> Result<(), FormatError> {
        self.from.read_exact(to).map_err(cut_off)
    }
}

/// The checksum in the trailer.
fn checksum(mut before: Context, head_hash: &str) -> String {
    before.update(head_hash.as_bytes());
    hex(before.finish().as_ref())
}

fn cut_off(error: io::Error) -> FormatError {
    if error.kind() == io::ErrorKind::UnexpectedEof { FormatError::CutOff } else { error.into() }
}

/// Whether the name of a file stays inside the directory: no empty part, no `..`, no root.
fn is_name(name: &str) -> bool {
    let fits = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\0', '\\']);
    name.len() <= NAME_MAX && name.split('/').all(fits)
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, FormatError> {
    serde_json::to_vec(value).map_err(|error| FormatError::Io(error.into()))
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
