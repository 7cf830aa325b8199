//! A record: one event with its time, actor and request, and its stored bytes: a version, the hash of the record
//! before, and the rest as bincode encodes it from `layout`. The bytes of a version never change; `tests/golden/` holds
//! records of every version.

use super::error::Fault;
use super::layout::{IntoLive, LayoutOf, v2};
use crate::domain::event::{Actor, Event, Stream};
use crate::domain::id::EventId;
use crate::domain::time::Time;
use aws_lc_rs::digest;
use std::fmt;

/// The version that this program writes. It is the first byte of a record.
pub(super) const VERSION: u8 = 2;

/// The length of the beginning of all versions: the version and the hash of the record before.
const BEGINNING: usize = 1 + 32;

/// The longest record, in bytes. It is far above the size of any request; a longer record can only be damage.
pub(super) const RECORD_MAX: usize = 4 * 1024 * 1024;

/// The initial capacity for an encoded record, in bytes. Most records fit without reallocation.
const TYPICAL_LENGTH: usize = 512;

/// The limit that the codec applies while it decodes a record. It counts the size of values in memory (eight bytes for
/// a number or a length that takes one byte here), so this is more than eight times [`RECORD_MAX`].
const CLAIMED_MAX: usize = 16 * RECORD_MAX;

/// The SHA-256 of a record as it is stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RecordHash(pub [u8; 32]);

impl RecordHash {
    /// The hash of a record's bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
        Self(hash)
    }

    /// Reads a hash in hexadecimal, as it is displayed.
    pub fn parse(text: &str) -> Option<Self> {
        let mut hash = [0; 32];
        for (at, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        let hash = Self(hash);
        (hash.to_string() == text).then_some(hash)
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
    /// The version in which the record was written.
    pub version: u8,
    /// The number of the record, from 1, without gaps.
    pub seq: u64,
    pub event_id: EventId,
    /// The time of writing, later than that of the record before.
    pub time: Time,
    pub actor: Actor,
    pub request_id: String,
    pub event: Event,
    /// The hash of the record before; zeroes in the first record.
    pub previous: RecordHash,
    /// The hash of this record.
    pub hash: RecordHash,
}

/// The parts of a record that the state depends on. Decoding only these makes replay fast.
pub(super) struct RecordedEvent {
    pub seq: u64,
    pub time: Time,
    pub event: Event,
}

/// A record that is about to be written.
pub(super) struct NewRecord<'a> {
    pub seq: u64,
    pub event_id: EventId,
    pub time: Time,
    pub actor: &'a Actor,
    pub request_id: &'a str,
    pub event: &'a Event,
    pub previous: RecordHash,
}

impl NewRecord<'_> {
    /// Returns the bytes to store; `None` if the record would be longer than [`RECORD_MAX`].
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let NewRecord { seq, event_id, time, actor, request_id, event, previous } = self;
        let entry = v2::Entry {
            seq: *seq,
            event_id: LayoutOf::of(event_id),
            time: LayoutOf::of(time),
            actor: LayoutOf::of(*actor),
            request_id: v2::Text::from(*request_id),
            event: LayoutOf::of(*event),
        };
        let mut bytes = Vec::with_capacity(TYPICAL_LENGTH);
        bytes.push(VERSION);
        bytes.extend_from_slice(&previous.0);
        bincode::serde::encode_into_std_write(entry, &mut bytes, bincode::config::standard()).ok()?;
        (bytes.len() <= RECORD_MAX).then_some(bytes)
    }
}

impl Record {
    /// Reads a record of any version.
    ///
    /// # Errors
    /// When a later version of the program wrote the record, or the bytes are not a record.
    pub fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        Self::decode_hashed(bytes, RecordHash::of(bytes))
    }

    /// Reads a record whose hash is already computed.
    pub(super) fn decode_hashed(bytes: &[u8], hash: RecordHash) -> Result<Self, Fault> {
        let previous = previous_of(bytes)?;
        let v2::Entry { seq, event_id, time, actor, request_id, event } = entry_of(bytes)?;
        Ok(Record {
            version: VERSION,
            seq,
            event_id: event_id.into_live()?,
            time: time.into_live()?,
            actor: actor.into_live()?,
            request_id: request_id.into_live()?,
            event: event.into_live()?,
            previous,
            hash,
        })
    }

    /// The stream that the record belongs to.
    pub fn stream(&self) -> Stream {
        self.event.stream()
    }
}

impl RecordedEvent {
    /// Reads the event from a record of any version.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        let v2::Entry { seq, time, event, .. } = entry_of(bytes)?;
        Ok(Self { seq, time: time.into_live()?, event: event.into_live()? })
    }
}

/// Decodes the part after the beginning. A later version gets its own arm here.
pub(super) fn entry_of(bytes: &[u8]) -> Result<v2::Entry<'_>, Fault> {
    match version_of(bytes)? {
        VERSION => {}
        version => return Err(Fault::Version(version)),
    }
    if bytes.len() > RECORD_MAX {
        let problem = format!("it has {} bytes, and no record has more than {RECORD_MAX}", bytes.len());
        return Err(Fault::Undecodable(problem));
    }
    let config = bincode::config::standard().with_limit::<CLAIMED_MAX>();
    let rest = bytes.get(BEGINNING..).unwrap_or_default();
    let (entry, length) = bincode::serde::borrow_decode_from_slice(rest, config)
        .map_err(|error| Fault::Undecodable(error.to_string()))?;
    match rest.len() - length {
        0 => Ok(entry),
        more => Err(Fault::Undecodable(format!("{more} bytes follow its end"))),
    }
}

/// Returns the version of a record.
fn version_of(bytes: &[u8]) -> Result<u8, Fault> {
    bytes.first().copied().ok_or_else(|| Fault::Undecodable("it is empty".to_owned()))
}

/// Returns the hash of the record before, without decoding the rest: all versions begin alike.
pub(super) fn previous_of(bytes: &[u8]) -> Result<RecordHash, Fault> {
    version_of(bytes)?;
    match bytes.get(1..BEGINNING).map(<[u8; 32]>::try_from) {
        Some(Ok(previous)) => Ok(RecordHash(previous)),
        _ => Err(Fault::Undecodable("it ends too early".to_owned())),
    }
}
