//! The format of the store's rows, which hold the records. A row has at most [`ROW_MAX`] bytes. Its key is the number
//! of its first record (eight bytes, big-endian, so that rows are sorted by it) and a part (two bytes).
//!
//! - A packed row has part 0: [`PACKED`], the number of its records (two bytes), then each record after its length (two
//!   bytes).
//! - The seal of the log has number 0 (`seal`).
//! - A record too long for a packed row has parts 0, 1, …, each full but the last. Part 0 begins with [`LONG`] and the
//!   record's length (four bytes), the others with [`MORE`].
//!
//! A commit appends to the last row while that row is short (see [`TAIL_MAX`]), which rewrites the row. Otherwise each
//! commit of one record would add a row, and the number of rows determines how long the log takes to read. The store
//! replaces a row atomically, in the same batch as the rest of the commit.
//!
//! The reader checks kinds, counts and lengths here; the chain checks numbers and hashes.

use super::store::{Batch, StoreError};

/// The longest row. It is far below the size at which sled would write a separate file, which it never syncs.
const ROW_MAX: usize = 4096;
/// The next commit does not append to a row of at least this many bytes. A larger value makes fewer rows but rewrites
/// more bytes.
const TAIL_MAX: usize = 1536;

const PACKED: u8 = 0xC1;
const LONG: u8 = 0xC2;
const MORE: u8 = 0xC3;

const PACKED_HEADER: usize = 1 + 2;
const LENGTH: usize = 2;
const LONG_HEADER: usize = 1 + 4;
const MORE_HEADER: usize = 1;
/// The longest record that fits into a packed row.
const PACKED_RECORD_MAX: usize = ROW_MAX - PACKED_HEADER - LENGTH;
const KEY_LENGTH: usize = 8 + 2;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct RowKey {
    /// The number of the row's first record.
    pub seq: u64,
    /// The part of that record, if it is long; 0 otherwise.
    pub part: u16,
}

impl RowKey {
    /// The key of the seal (`seal`), before the first record.
    pub(super) const SEAL: Self = Self { seq: 0, part: 0 };

    pub(super) fn first(seq: u64) -> Self {
        Self { seq, part: 0 }
    }

    pub(super) fn last(seq: u64) -> Self {
        Self { seq, part: u16::MAX }
    }

    pub(super) fn to_bytes(self) -> [u8; KEY_LENGTH] {
        let mut key = [0; KEY_LENGTH];
        key[..8].copy_from_slice(&self.seq.to_be_bytes());
        key[8..].copy_from_slice(&self.part.to_be_bytes());
        key
    }

    pub(super) fn parse(key: &[u8]) -> Result<Self, StoreError> {
        let parsed = key.split_first_chunk().and_then(|(seq, part)| Some((*seq, <[u8; 2]>::try_from(part).ok()?)));
        let (seq, part) = parsed.ok_or_else(|| StoreError::Damaged("a key is not one of ours".to_owned()))?;
        Ok(Self { seq: u64::from_be_bytes(seq), part: u16::from_be_bytes(part) })
    }
}

/// Returns whether the first row of a log has an earlier format, in which each record had its own row, beginning with
/// the record's version.
pub(super) fn is_of_an_earlier_format(row: &[u8]) -> bool {
    matches!(row.first(), Some(1 | 2))
}

/// Returns the number of the last record and the row that the next commit appends to, derived from the last row of the
/// store. The row is not checked here: reading the log does that.
pub(super) fn end_of(key: RowKey, row: &[u8]) -> (u64, Option<PackedRow>) {
    match (key.part, packed_count(row)) {
        (0, Some(count)) => {
            let tail = PackedRow { first: key.seq, count, bytes: row.to_vec() };
            (key.seq.saturating_add(u64::from(count).saturating_sub(1)), tail.short())
        }
        _ => (key.seq, None),
    }
}

fn packed_count(row: &[u8]) -> Option<u16> {
    match row {
        [PACKED, high, low, ..] => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}

/// A row of complete records.
#[derive(Clone, Debug)]
pub(super) struct PackedRow {
    first: u64,
    count: u16,
    bytes: Vec<u8>,
}

impl PackedRow {
    fn new(first: u64) -> Self {
        Self { first, count: 0, bytes: vec![PACKED, 0, 0] }
    }

    fn has_place_for(&self, record: &[u8]) -> bool {
        self.bytes.len() + LENGTH + record.len() <= ROW_MAX
    }

    fn push(&mut self, record: &[u8]) {
        self.count += 1; // The count cannot exceed the number of bytes in a row.
        self.bytes[1..PACKED_HEADER].copy_from_slice(&self.count.to_be_bytes());
        self.bytes.extend_from_slice(&(record.len() as u16).to_be_bytes());
        self.bytes.extend_from_slice(record);
    }

    /// Returns the row if the next commit appends to it.
    fn short(self) -> Option<Self> {
        (self.bytes.len() < TAIL_MAX).then_some(self)
    }
}

/// Arranges the records of a commit in rows.
pub(super) struct RowWriter {
    rows: Vec<(RowKey, Vec<u8>)>,
    open: Option<PackedRow>,
    changed: bool,
    next: u64,
}

impl RowWriter {
    /// Starts with record number `next`; `tail` is the last row, if the commit appends to it.
    pub(super) fn new(next: u64, tail: Option<PackedRow>) -> Self {
        Self { rows: Vec::new(), open: tail, changed: false, next }
    }

    pub(super) fn push(&mut self, record: &[u8]) {
        if record.len() > PACKED_RECORD_MAX {
            self.end_row();
            self.push_long(record);
        } else {
            if self.open.as_ref().is_some_and(|row| !row.has_place_for(record)) {
                self.end_row();
            }
            self.open.get_or_insert_with(|| PackedRow::new(self.next)).push(record);
            self.changed = true;
        }
        self.next += 1;
    }

    /// Returns the rows to write and the row that the next commit appends to.
    pub(super) fn finish(mut self) -> (Vec<(RowKey, Vec<u8>)>, Option<PackedRow>) {
        let tail = self.open.clone().and_then(PackedRow::short);
        self.end_row();
        (self.rows, tail)
    }

    fn end_row(&mut self) {
        if let Some(row) = self.open.take().filter(|_| self.changed) {
            self.rows.push((RowKey::first(row.first), row.bytes));
        }
        self.changed = false;
    }

    fn push_long(&mut self, record: &[u8]) {
        let (first, more) = record.split_at(ROW_MAX - LONG_HEADER);
        let length = (record.len() as u32).to_be_bytes();
        self.rows.push((RowKey::first(self.next), [&[LONG], length.as_slice(), first].concat()));
        for (part, piece) in (1..).zip(more.chunks(ROW_MAX - MORE_HEADER)) {
            self.rows.push((RowKey { seq: self.next, part }, [&[MORE], piece].concat()));
        }
    }
}

/// Reassembles records from rows, in batches that grow: a caller that needs one record does not wait for many.
pub(super) struct RowReader<I> {
    rows: I,
    from: u64,
    /// The number that the next row should have.
    due: u64,
    batch: Batch,
    batch_bytes: usize,
    /// The error to return after the batch that was just returned.
    held: Option<StoreError>,
    done: bool,
}

const FIRST_BATCH_BYTES: usize = 4096;
const BATCH_BYTES: usize = 64 * 1024;

impl<I: Iterator<Item = Result<(RowKey, V), StoreError>>, V: AsRef<[u8]>> RowReader<I> {
    /// Returns records from number `from` on. `rows` begins with the row that contains that record.
    pub(super) fn new(rows: I, from: u64) -> Self {
        Self { rows, from, due: 0, batch: Batch::default(), batch_bytes: FIRST_BATCH_BYTES, held: None, done: false }
    }

    /// Reads rows until the batch is full; false at the end.
    fn fill(&mut self) -> Result<bool, StoreError> {
        while self.batch.bytes() < self.batch_bytes {
            let Some((key, row)) = self.rows.next().transpose()? else { return Ok(false) };
            if key.part != 0 {
                return Err(StoreError::PartMissing { seq: key.seq.max(self.due), part: 0 });
            }
            if key.seq < self.due {
                return Err(bad(key.seq, "lies inside of the row before it"));
            }
            self.due = match row.as_ref().first() {
                Some(&PACKED) => self.unpack(key.seq, row.as_ref())?,
                Some(&LONG) => self.join(key.seq, row.as_ref())?,
                _ => return Err(bad(key.seq, "is of no known kind; a later version of Claviger may have written it")),
            };
        }
        Ok(true)
    }

    fn unpack(&mut self, first: u64, row: &[u8]) -> Result<u64, StoreError> {
        let count = packed_count(row).ok_or_else(|| bad(first, "is cut short"))?;
        if count == 0 {
            return Err(bad(first, "has no record"));
        }
        let (mut rest, mut seq) = (&row[PACKED_HEADER..], first);
        for _ in 0..count {
            let (length, after) = rest.split_first_chunk().ok_or_else(|| bad(seq, "is cut short"))?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (record, after) = after.split_at_checked(length).ok_or_else(|| bad(seq, "is cut short"))?;
            self.take(seq, record);
            (rest, seq) = (after, seq.saturating_add(1));
        }
        match rest.len() {
            0 => Ok(seq),
            _ => Err(bad(seq - 1, "has bytes after its last record")),
        }
    }

    fn join(&mut self, seq: u64, row: &[u8]) -> Result<u64, StoreError> {
        let (header, piece) = row.split_at_checked(LONG_HEADER).ok_or_else(|| bad(seq, "is cut short"))?;
        let length = header.iter().skip(1).fold(0, |length, byte| length << 8 | usize::from(*byte));
        let mut record = piece.to_vec();
        let mut full = row.len() == ROW_MAX;
        for part in 1..=u16::MAX {
            if record.len() >= length || !full {
                break;
            }
            match self.rows.next().transpose()? {
                Some((key, row)) if key == (RowKey { seq, part }) && row.as_ref().first() == Some(&MORE) => {
                    record.extend_from_slice(&row.as_ref()[MORE_HEADER..]);
                    full = row.as_ref().len() == ROW_MAX;
                }
                _ => return Err(StoreError::PartMissing { seq, part: part.into() }),
            }
        }
        match record.len().cmp(&length) {
            std::cmp::Ordering::Equal => self.take(seq, &record),
            std::cmp::Ordering::Less => return Err(bad(seq, "is cut short")),
            std::cmp::Ordering::Greater => return Err(bad(seq, "has bytes after its last record")),
        }
        Ok(seq.saturating_add(1))
    }

    fn take(&mut self, seq: u64, record: &[u8]) {
        if seq >= self.from {
            self.batch.push(seq, record);
        }
    }
}

impl<I: Iterator<Item = Result<(RowKey, V), StoreError>>, V: AsRef<[u8]>> Iterator for RowReader<I> {
    type Item = Result<Batch, StoreError>;

    /// Returns `None` after an error.
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.held.take() {
            return Some(Err(error));
        }
        if self.done {
            return None;
        }
        match self.fill() {
            Ok(more) => self.done = !more,
            Err(error) => (self.done, self.held) = (true, Some(error)),
        }
        self.batch_bytes = (2 * self.batch_bytes).min(BATCH_BYTES);
        let batch = std::mem::replace(&mut self.batch, Batch::with_room_for(self.batch_bytes));
        match batch.is_empty() {
            true => self.next(), // This is the end or an error; neither occurs twice.
            false => Some(Ok(batch)),
        }
    }
}

fn bad(seq: u64, what: &'static str) -> StoreError {
    StoreError::BadRow { seq, what }
}

#[cfg(test)]
mod tests;
