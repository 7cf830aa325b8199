//! A record: one event with who, when and why, and the bytes that it is kept as. The bytes of a version never change;
//! a new layout is a new version beside the old ones. `tests/golden/` holds records of every version.

use super::error::Fault;
use super::upcast;
use crate::domain::event::{Actor, Event, Stream};
use crate::domain::id::EventId;
use crate::domain::time::Time;
use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The version that is written today. It is the first byte of a record.
const VERSION: u8 = 1;

/// What all versions begin with: the version and the hash of the record before.
const BEGINNING: usize = 1 + 32;

/// The longest record, in bytes. Far above what a request may bring; a length over it can only be damage.
pub(super) const RECORD_MAX: usize = 4 * 1024 * 1024;

/// What the codec may count while it reads one. It counts what values take in memory (eight bytes for a number or a length
/// that takes one byte here), so this is more than eight times as much.
const CLAIMED_MAX: usize = 16 * RECORD_MAX;

/// The SHA-256 of a record as it is stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct RecordHash(pub [u8; 32]);

impl RecordHash {
    /// The hash of a record's bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
        Self(hash)
    }
}

impl fmt::Display for RecordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RecordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One record of the log. Its stream is that of its event.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// The layout that it was written in.
    pub version: u8,
    /// Its number, from 1, without gaps.
    pub seq: u64,
    pub event_id: EventId,
    /// When it was written; later than the one before.
    pub time: Time,
    pub actor: Actor,
    pub request_id: String,
    pub event: Event,
    /// The hash of the record before; zeroes in the first one.
    pub previous: RecordHash,
    /// The hash of this one.
    pub hash: RecordHash,
}

/// Version 1, without the first two members: those are read without the codec, which is slow with a hash, see
/// [`version_of`] and [`previous_of`].
#[derive(Deserialize)]
struct V1<'a> {
    seq: u64,
    event_id: EventId,
    time: Time,
    actor: Actor,
    request_id: &'a str,
    event: Event,
}

/// The whole of it to write from, without copying.
#[derive(Serialize)]
struct V1Ref<'a> {
    version: u8,
    previous: RecordHash,
    seq: u64,
    event_id: EventId,
    time: Time,
    actor: &'a Actor,
    request_id: &'a str,
    event: &'a Event,
}

/// All that the state is made from: reading only this is what makes replay fast.
pub(super) struct Happening {
    pub seq: u64,
    pub time: Time,
    pub event: Event,
}

/// A record that is about to be written: a [`Record`] before it has its place in the chain.
pub(super) struct Draft<'a> {
    pub seq: u64,
    pub event_id: EventId,
    pub time: Time,
    pub actor: &'a Actor,
    pub request_id: &'a str,
    pub event: &'a Event,
    pub previous: RecordHash,
}

impl Draft<'_> {
    /// The bytes to keep; none when there are more of them than a record may have.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let Draft { seq, event_id, time, actor, request_id, event, previous } = *self;
        let layout = V1Ref { version: VERSION, previous, seq, event_id, time, actor, request_id, event };
        let bytes = bincode::serde::encode_to_vec(layout, bincode::config::standard()).ok()?;
        (bytes.len() <= RECORD_MAX).then_some(bytes)
    }
}

impl Record {
    /// Reads a record of any version.
    ///
    /// # Errors
    /// When it was written by a later version of the program, or is not a record.
    pub fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        Self::decode_hashed(bytes, RecordHash::of(bytes))
    }

    /// The same for whoever has hashed the bytes already.
    pub(super) fn decode_hashed(bytes: &[u8], hash: RecordHash) -> Result<Self, Fault> {
        match version_of(bytes)? {
            1 => Ok(V1::read(bytes)?.into_record(previous_of(bytes)?, hash)),
            version => Err(Fault::Version(version)),
        }
    }

    /// To whose history it belongs.
    pub fn stream(&self) -> Stream {
        self.event.stream()
    }
}

impl Happening {
    /// Reads what happened from a record of any version.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        match version_of(bytes)? {
            1 => V1::read(bytes).map(V1::into_happening),
            version => Err(Fault::Version(version)),
        }
    }
}

impl<'a> V1<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        if bytes.len() > RECORD_MAX {
            return Err(Fault::Undecodable(format!(
                "it has {} bytes, and no record has more than {RECORD_MAX}",
                bytes.len()
            )));
        }
        let config = bincode::config::standard().with_limit::<CLAIMED_MAX>();
        let rest = bytes.get(BEGINNING..).unwrap_or_default();
        let (v1, length): (Self, usize) = bincode::serde::borrow_decode_from_slice(rest, config)
            .map_err(|error| Fault::Undecodable(error.to_string()))?;
        match rest.len() - length {
            0 => Ok(v1),
            more => Err(Fault::Undecodable(format!("{more} bytes follow its end"))),
        }
    }

    fn into_record(self, previous: RecordHash, hash: RecordHash) -> Record {
        let V1 { seq, event_id, time, actor, request_id, event } = self;
        let (request_id, event) = (request_id.to_owned(), upcast::to_present(event));
        Record { version: 1, seq, event_id, time, actor, request_id, event, previous, hash }
    }

    fn into_happening(self) -> Happening {
        Happening { seq: self.seq, time: self.time, event: upcast::to_present(self.event) }
    }
}

/// In which version a record was written.
fn version_of(bytes: &[u8]) -> Result<u8, Fault> {
    bytes.first().copied().ok_or_else(|| Fault::Undecodable("it is empty".to_owned()))
}

/// What a record says of the one before, read without the rest of it: all versions begin alike.
pub(super) fn previous_of(bytes: &[u8]) -> Result<RecordHash, Fault> {
    version_of(bytes)?;
    match bytes.get(1..BEGINNING).map(<[u8; 32]>::try_from) {
        Some(Ok(previous)) => Ok(RecordHash(previous)),
        _ => Err(Fault::Undecodable("it ends too early".to_owned())),
    }
}
