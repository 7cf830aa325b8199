//! The seal of the log: a MAC over the number and the hash of its last record, under a key of the keyring. It is a row
//! of the store, replaced in the same batch as each commit, so it is exact after any crash and needs no further sync.
//!
//! The hash chain alone shows damage, not intent: who can write the files can rewrite the records with all hashes, and
//! the file `head`. The seal cannot be made without the master key. It does not show that an entire data directory was
//! replaced with an older copy of itself.

use super::error::LedgerError;
use super::head::HeadMark;
use super::record::RecordHash;
use aws_lc_rs::hmac;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The first byte of the row, of no other kind of row.
const KIND: u8 = 0xC4;
const MAC_BYTES: usize = 32;
const ROW_BYTES: usize = 1 + 8 + 32 + MAC_BYTES;

/// What the keyring says about the key of the seal.
pub enum SealKey {
    /// The master key is not available: the seal is neither checked nor written, and nothing can be recorded in a
    /// sealed log.
    Unavailable,
    /// The keyring belongs to a sealed log, and the key of the seal is gone.
    Lost,
    Key {
        key: Zeroizing<[u8; 32]>,
        /// Whether a log without a seal is refused. Logs of earlier versions have none until their first start.
        required: bool,
        /// Whether the keyring has keys of an installation. A new keyring says nothing about a log that exists.
        is_of_installation: bool,
    },
}

/// Asks the keyring for the key. It is called when the log is opened.
pub type SealSource = Arc<dyn Fn() -> SealKey + Send + Sync>;

/// How a seal does not fit its log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SealFault {
    #[error("its seal is missing")]
    Missing,
    #[error("its seal was not made with the key of this keyring")]
    Mac,
    #[error("the key of its seal is missing from the keyring")]
    KeyLost,
    #[error("its last record is number {found}, and record {sealed} was sealed")]
    Number { sealed: u64, found: u64 },
    #[error("record {seq} has the hash {found}, and was sealed with {sealed}")]
    Hash { seq: u64, sealed: RecordHash, found: RecordHash },
}

/// Makes and opens seals.
pub(super) struct Sealer(hmac::Key);

impl Sealer {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The seal of a log that ends with this record.
    pub(super) fn seal(&self, end: HeadMark) -> Vec<u8> {
        let mut row = Vec::with_capacity(ROW_BYTES);
        row.push(KIND);
        row.extend_from_slice(&end.seq.to_be_bytes());
        row.extend_from_slice(&end.hash.0);
        let mac = hmac::sign(&self.0, &row);
        row.extend_from_slice(mac.as_ref());
        row
    }

    /// The record that was sealed; `None` if this key did not make the seal.
    pub(super) fn open(&self, row: &[u8]) -> Option<HeadMark> {
        let (sealed, mac) = row.split_at_checked(ROW_BYTES - MAC_BYTES)?;
        hmac::verify(&self.0, sealed, mac).ok()?;
        let (seq, hash) = sealed.strip_prefix(&[KIND])?.split_first_chunk()?;
        Some(HeadMark { seq: u64::from_be_bytes(*seq), hash: RecordHash(hash.try_into().ok()?) })
    }
}

/// Rejects a log that does not end with the sealed record.
pub(super) fn check(sealed: HeadMark, end: HeadMark) -> Result<(), LedgerError> {
    if end.seq < sealed.seq {
        return Err(LedgerError::Shorter { known: sealed.seq, found: end.seq });
    }
    if end.seq > sealed.seq {
        return Err(LedgerError::Rewritten(SealFault::Number { sealed: sealed.seq, found: end.seq }));
    }
    match end.hash == sealed.hash {
        true => Ok(()),
        false => Err(LedgerError::Rewritten(SealFault::Hash { seq: end.seq, sealed: sealed.hash, found: end.hash })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_makes_a_seal() {
        let (sealer, end) = (Sealer::new(&[1; 32]), HeadMark { seq: 7, hash: RecordHash([3; 32]) });
        let row = sealer.seal(end);
        assert_eq!(sealer.open(&row), Some(end));
        assert_eq!(Sealer::new(&[2; 32]).open(&row), None);
        for at in 0..row.len() {
            let mut changed = row.clone();
            changed[at] ^= 1;
            assert_eq!(sealer.open(&changed), None, "byte {at}");
            assert_eq!(sealer.open(&row[..at]), None, "{at} bytes");
        }
    }
}
