//! Reads the rows of a report.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::StoreError;
use super::frame::{HEAD, Head, Kind};

/// The size of a read.
const BUFFER: usize = 256 * 1024;

/// The rows of a report. They are read one by one; memory holds one of them.
#[derive(Debug)]
pub struct RowReader {
    file: BufReader<File>,
    /// The place of the next frame.
    at: u64,
    payload: Vec<u8>,
}

/// A frame that was read.
pub(super) enum Next {
    Row,
    Checkpoint,
    /// The end of the file, or a frame that is cut or damaged.
    End {
        is_whole: bool,
    },
}

impl RowReader {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { file: BufReader::with_capacity(BUFFER, File::open(path)?), at: 0, payload: Vec::new() })
    }

    /// Reads the next row, and the place from which [`RowReader::row_at`] reads it again. `None` after the last one.
    ///
    /// # Errors
    /// When the disk fails, or the file is damaged.
    #[allow(clippy::should_implement_trait)] // a row borrows the reader
    pub fn next(&mut self) -> Result<Option<(u64, &[u8])>, StoreError> {
        loop {
            let at = self.at;
            match self.frame()? {
                Next::Row => return Ok(Some((at, &self.payload))),
                Next::Checkpoint => {}
                Next::End { is_whole: true } => return Ok(None),
                Next::End { is_whole: false } => return Err(StoreError::Damaged),
            }
        }
    }

    /// Reads the row at a place, and nothing around it. [`RowReader::next`] goes on where it was.
    ///
    /// # Errors
    /// When the disk fails, or there is no row.
    pub fn row_at(&mut self, at: u64) -> Result<&[u8], StoreError> {
        let damaged = |error: io::Error| match error.kind() == io::ErrorKind::UnexpectedEof {
            true => StoreError::Damaged,
            false => error.into(),
        };
        let file = self.file.get_ref();
        let mut head = [0; HEAD];
        file.read_exact_at(&mut head, at).map_err(damaged)?;
        let head = Head::read(&head).filter(|head| head.kind == Kind::Row).ok_or(StoreError::Damaged)?;
        self.payload.resize(head.length, 0);
        file.read_exact_at(&mut self.payload, at.saturating_add(HEAD as u64)).map_err(damaged)?;
        if head.fits(&self.payload) { Ok(&self.payload) } else { Err(StoreError::Damaged) }
    }

    /// The place of the next frame.
    pub(super) fn place(&self) -> u64 {
        self.at
    }

    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }

    pub(super) fn frame(&mut self) -> Result<Next, StoreError> {
        let mut head = [0; HEAD];
        let read = fill(&mut self.file, &mut head)?;
        if read < HEAD {
            return Ok(Next::End { is_whole: read == 0 });
        }
        let Some(head) = Head::read(&head) else { return Ok(Next::End { is_whole: false }) };
        self.payload.resize(head.length, 0);
        if fill(&mut self.file, &mut self.payload)? < head.length || !head.fits(&self.payload) {
            return Ok(Next::End { is_whole: false });
        }
        self.at += (HEAD + head.length) as u64;
        Ok(match head.kind {
            Kind::Row => Next::Row,
            Kind::Checkpoint => Next::Checkpoint,
        })
    }
}

/// Reads until a buffer is full or the file ends; returns the number of bytes.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
