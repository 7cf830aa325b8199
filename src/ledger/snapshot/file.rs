//! The format of a snapshot on disk:
//!
//! `claviger snapshot\n` | version of the parts (1 byte) | parts | table | MAC (32 bytes) | table length (4 bytes)
//!
//! The table has the number, hash and time of the snapshot's last record, and the kind, length and SHA-256 of each
//! part. The MAC covers the beginning, the program's version and the table, and thereby the parts. Parts are read,
//! checked and decoded in parallel. Numbers are big-endian.

use super::super::chain::Chain;
use super::super::directory::owner_only;
use super::super::layout::state::VERSION;
use super::super::record::RecordHash;
use super::SnapshotError;
use crate::domain::time::Time;
use aws_lc_rs::hmac;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The beginning of the file; its last byte is the version of the parts.
const BEGINNING: [u8; 19] = {
    let mut beginning = *b"claviger snapshot\n?";
    beginning[18] = VERSION;
    beginning
};
const MAC_LENGTH: usize = 32;
const TABLE_HEADER: usize = 8 + 32 + 8;
const TABLE_ROW: usize = 2 + 8 + 32;
/// The longest table, in bytes. A longer one can only be damage.
const TABLE_MAX: usize = 1024 * 1024;

/// A snapshot whose table has been authenticated. Its parts are checked as they are read.
pub(in crate::ledger) struct SnapshotFile {
    file: File,
    pub chain: Chain,
    parts: Vec<PartRow>,
}

#[derive(Clone, Copy)]
struct PartRow {
    kind: u16,
    begin: u64,
    length: u64,
    hash: RecordHash,
}

impl SnapshotFile {
    pub(super) fn open(path: &Path, key: &hmac::Key) -> Result<Self, SnapshotError> {
        let file = File::open(path)?;
        let end = file.metadata()?.len();
        let tail = |back: u64, length: usize| {
            let mut bytes = vec![0; length];
            let at = end.checked_sub(back).ok_or(SnapshotError::Form)?;
            file.read_exact_at(&mut bytes, at)?;
            Ok::<_, SnapshotError>(bytes)
        };
        let mut beginning = [0; BEGINNING.len()];
        file.read_exact_at(&mut beginning, 0)?;
        if beginning != BEGINNING {
            return Err(SnapshotError::Form);
        }
        let length = u32::from_be_bytes(tail(4, 4)?.try_into().map_err(|_| SnapshotError::Form)?) as usize;
        if !(TABLE_HEADER..=TABLE_MAX).contains(&length) || !(length - TABLE_HEADER).is_multiple_of(TABLE_ROW) {
            return Err(SnapshotError::Form);
        }
        let signed = tail((4 + MAC_LENGTH + length) as u64, length + MAC_LENGTH)?;
        let (table, mac) = signed.split_at(length);
        hmac::verify(key, &signed_bytes(table), mac).map_err(|_| SnapshotError::Mac)?;
        let (chain, parts) = parse_table(table).ok_or(SnapshotError::Form)?;
        Ok(Self { file, chain, parts })
    }

    pub(in crate::ledger) fn len(&self) -> usize {
        self.parts.len()
    }

    /// Reads part `n` and checks its hash; returns its kind and its bytes.
    pub(in crate::ledger) fn part(&self, n: usize) -> Result<(u16, Vec<u8>), SnapshotError> {
        let part = self.parts.get(n).ok_or(SnapshotError::Part(n))?;
        let mut bytes = vec![0; usize::try_from(part.length).map_err(|_| SnapshotError::Part(n))?];
        self.file.read_exact_at(&mut bytes, part.begin)?;
        if RecordHash::of(&bytes) != part.hash {
            return Err(SnapshotError::Part(n));
        }
        Ok((part.kind, bytes))
    }
}

/// The bytes that the MAC covers. They include the program's version: layouts may differ from one version to the next,
/// and replaying the log once after an update is cheap.
fn signed_bytes(table: &[u8]) -> Vec<u8> {
    [BEGINNING.as_slice(), env!("CARGO_PKG_VERSION").as_bytes(), table].concat()
}

fn parse_table(table: &[u8]) -> Option<(Chain, Vec<PartRow>)> {
    let (header, rows) = table.split_at_checked(TABLE_HEADER)?;
    let chain = Chain {
        seq: u64::from_be_bytes(header[..8].try_into().ok()?),
        hash: RecordHash(header[8..40].try_into().ok()?),
        time: Time::from_nanos(i64::from_be_bytes(header[40..].try_into().ok()?)),
    };
    let mut begin = BEGINNING.len() as u64;
    let mut parts = Vec::new();
    for row in rows.chunks_exact(TABLE_ROW) {
        let length = u64::from_be_bytes(row[2..10].try_into().ok()?);
        let kind = u16::from_be_bytes(row[..2].try_into().ok()?);
        parts.push(PartRow { kind, begin, length, hash: RecordHash(row[10..].try_into().ok()?) });
        begin = begin.checked_add(length)?;
    }
    Some((chain, parts))
}

/// Writes the parts of a snapshot, and collects their table.
pub(in crate::ledger) struct PartWriter {
    file: BufWriter<File>,
    table: Vec<u8>,
}

impl PartWriter {
    pub(in crate::ledger) fn push(&mut self, kind: u16, bytes: &[u8]) -> io::Result<()> {
        self.table.extend_from_slice(&kind.to_be_bytes());
        self.table.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.table.extend_from_slice(&RecordHash::of(bytes).0);
        self.file.write_all(bytes)
    }
}

/// Writes a snapshot to a temporary file, syncs it, and renames it over the existing one.
pub(super) fn write(
    path: &Path,
    key: &hmac::Key,
    chain: Chain,
    fill: impl FnOnce(&mut PartWriter) -> io::Result<()>,
) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    let file = owner_only().create(true).truncate(true).open(&unfinished)?;
    let table = [&chain.seq.to_be_bytes(), chain.hash.0.as_slice(), &chain.time.nanos().to_be_bytes()].concat();
    let mut parts = PartWriter { file: BufWriter::with_capacity(1 << 20, file), table };
    parts.file.write_all(&BEGINNING)?;
    fill(&mut parts)?;
    let PartWriter { mut file, table } = parts;
    let mac = hmac::sign(key, &signed_bytes(&table));
    file.write_all(&table)?;
    file.write_all(mac.as_ref())?;
    file.write_all(&(table.len() as u32).to_be_bytes())?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}
