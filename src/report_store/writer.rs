//! Writes the rows of a report.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;

use uuid::Uuid;

use super::frame::{self, Kind};
use super::reader::{Next, RowReader};
use super::{ReportStore, StoreError};

/// The end of a report's file.
#[derive(Debug)]
pub struct RowWriter {
    store: ReportStore,
    report: Uuid,
    file: File,
    bytes: u64,
}

impl RowWriter {
    /// Opens a file behind its last whole checkpoint, and cuts off what follows.
    pub(super) fn open(store: ReportStore, report: Uuid) -> Result<(Self, Option<Vec<u8>>), StoreError> {
        let undeleted = store.undeleted(report)?;
        let path = store.path(report);
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        let (mut good, mut checkpoint) = (0, None);
        let mut reader = RowReader::open(&path)?;
        loop {
            match reader.frame()? {
                Next::Row => {}
                Next::Checkpoint => (good, checkpoint) = (reader.place(), Some(reader.payload().to_vec())),
                Next::End { .. } => break,
            }
        }
        let length = file.metadata()?.len();
        file.set_len(good)?;
        file.seek(SeekFrom::Start(good))?;
        store.take_back(length.saturating_sub(good));
        File::open(&store.directory)?.sync_all()?;
        drop(undeleted);
        Ok((Self { store, report, file, bytes: good }, checkpoint))
    }

    /// Appends rows, and the checkpoint that says that they are there.
    ///
    /// # Errors
    /// When there is no room, or the disk fails. The rows of this call are not there then.
    pub fn append<R: AsRef<[u8]>>(&mut self, rows: &[R], checkpoint: &[u8]) -> Result<(), StoreError> {
        let bytes = frames(rows, checkpoint);
        let more = bytes.len() as u64;
        let _undeleted = self.store.undeleted(self.report)?;
        self.store.take(self.bytes, more)?;
        if let Err(error) = self.file.write_all(&bytes) {
            // Whatever part was written is cut off.
            let _ = self.file.set_len(self.bytes).and_then(|()| self.file.seek(SeekFrom::Start(self.bytes)));
            self.store.take_back(more);
            return Err(error.into());
        }
        self.bytes += more;
        Ok(())
    }

    /// Replaces all rows at once.
    ///
    /// # Errors
    /// When there is no room, or the disk fails. The earlier rows are there then.
    pub fn replace<R: AsRef<[u8]>>(&mut self, rows: &[R], checkpoint: &[u8]) -> Result<(), StoreError> {
        let bytes = frames(rows, checkpoint);
        let (new, more) = (self.store.new_path(self.report), bytes.len() as u64);
        let _undeleted = self.store.undeleted(self.report)?;
        self.store.take(0, more)?;
        let write = || -> io::Result<File> {
            let mut options = OpenOptions::new();
            let mut file = options.read(true).write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            file.write_all(&bytes)?;
            file.sync_data()?;
            std::fs::rename(&new, self.store.path(self.report))?;
            File::open(&self.store.directory)?.sync_all()?;
            Ok(file)
        };
        match write() {
            Ok(file) => {
                self.store.take_back(self.bytes);
                (self.file, self.bytes) = (file, more);
                Ok(())
            }
            Err(error) => {
                let _ = std::fs::remove_file(&new);
                self.store.take_back(more);
                Err(error.into())
            }
        }
    }

    /// Makes the rows durable.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn sync(&self) -> Result<(), StoreError> {
        Ok(self.file.sync_data()?)
    }
}

fn frames<R: AsRef<[u8]>>(rows: &[R], checkpoint: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    rows.iter().for_each(|row| frame::write(Kind::Row, row.as_ref(), &mut bytes));
    frame::write(Kind::Checkpoint, checkpoint, &mut bytes);
    bytes
}
