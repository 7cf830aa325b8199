//! A signed checkpoint: one line of JSON with the number and the hash of a record, which anybody can check who has the
//! public key. It is small enough to be kept elsewhere by the thousand.

use super::super::material::encoding::pem;
use crate::domain::time::Time;
use crate::keyring::{Keyring, KeyringError, Owner};
use crate::ledger::{HeadMark, RecordHash};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// The owner of the data key from which the signing key is derived. A keyring is that of one installation.
pub(in crate::service) fn owner() -> Owner {
    Owner::new("checkpoint", Uuid::nil())
}

/// The purpose for which the seed of the signing key is derived.
const SEED: &str = "ed25519 seed of checkpoints";
/// The version of the format.
const FORMAT: u32 = 1;
/// The beginning of a public key of Ed25519 in DER (SubjectPublicKeyInfo); the 32 bytes of the key follow.
const DER_BEGINNING: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A record that the log had at a time, signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The version of the format.
    pub claviger_checkpoint: u32,
    /// The id of the installation.
    pub installation: String,
    /// The number of the record.
    pub number: u64,
    /// The SHA-256 of the record, in hexadecimal.
    pub hash: String,
    /// The time at which the checkpoint was made.
    pub time: String,
    /// The SHA-256 of the public key in DER, in hexadecimal.
    pub key: String,
    /// The signature in base64, by Ed25519 over [`Checkpoint::signed_text`].
    pub signature: String,
}

/// Why a checkpoint cannot be believed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("it is not a checkpoint: {0}")]
    NotOne(String),
    #[error("its format is {0}, which this version does not know; a later version of Claviger made it")]
    Format(u32),
    #[error("it was signed with the key {found}, and the key to check it with is {known}")]
    OtherKey { found: String, known: String },
    #[error("its signature does not fit: it was changed, or is not of this key")]
    Signature,
    #[error("the key is not a public key of Ed25519 in PEM")]
    NoKey,
}

impl Checkpoint {
    /// Reads a line.
    ///
    /// # Errors
    /// When it is not a checkpoint, or of a later version.
    pub fn parse(line: &str) -> Result<Self, CheckpointError> {
        #[derive(Deserialize)]
        struct Version {
            claviger_checkpoint: u32,
        }
        let not_one = |error: serde_json::Error| CheckpointError::NotOne(error.to_string());
        let Version { claviger_checkpoint: format } = serde_json::from_str(line).map_err(not_one)?;
        match format {
            FORMAT => serde_json::from_str(line).map_err(not_one),
            _ => Err(CheckpointError::Format(format)),
        }
    }

    /// The checkpoint as a line, without its end.
    pub fn to_line(&self) -> String {
        // Texts and numbers can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The time at which it was made, in nanoseconds since 1970; 0 if it is no time.
    pub(in crate::service) fn nanos(&self) -> i64 {
        DateTime::parse_from_rfc3339(&self.time).map_or(0, |time| Time::of(time.to_utc()).nanos())
    }

    /// The text that is signed.
    fn signed_text(&self) -> String {
        let Self { claviger_checkpoint, installation, number, hash, time, .. } = self;
        format!("claviger checkpoint {claviger_checkpoint}\n{installation}\n{number}\n{hash}\n{time}\n")
    }

    /// Checks the signature, and returns the record.
    ///
    /// # Errors
    /// When the signature is not of this key, or anything was changed.
    pub fn check(&self, key: &PublicKey) -> Result<HeadMark, CheckpointError> {
        let known = key.fingerprint();
        if self.key != known {
            return Err(CheckpointError::OtherKey { found: self.key.clone(), known });
        }
        // The members are lines of what is signed, so none may hold the end of a line.
        let is_plain = |text: &String| text.bytes().all(|byte| byte.is_ascii_graphic());
        if ![&self.installation, &self.hash, &self.time].into_iter().all(is_plain) {
            return Err(CheckpointError::Signature);
        }
        let signature = STANDARD.decode(&self.signature).map_err(|_| CheckpointError::Signature)?;
        UnparsedPublicKey::new(&ED25519, key.0)
            .verify(self.signed_text().as_bytes(), &signature)
            .map_err(|_| CheckpointError::Signature)?;
        let hash = RecordHash::parse(&self.hash).ok_or_else(|| CheckpointError::NotOne("its hash is none".into()))?;
        Ok(HeadMark { seq: self.number, hash })
    }
}

/// The key with which checkpoints are checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads a public key in PEM.
    ///
    /// # Errors
    /// When it is none of Ed25519.
    pub fn from_pem(text: &[u8]) -> Result<Self, CheckpointError> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(text).map_err(|_| CheckpointError::NoKey)?;
        let key = der.strip_prefix(&DER_BEGINNING).and_then(|key| key.try_into().ok());
        key.map(Self).ok_or(CheckpointError::NoKey)
    }

    pub fn pem(&self) -> String {
        pem("PUBLIC KEY", &self.der()).to_string()
    }

    /// The SHA-256 of the key in DER, in hexadecimal.
    pub fn fingerprint(&self) -> String {
        RecordHash::of(&self.der()).to_string()
    }

    fn der(&self) -> Vec<u8> {
        [DER_BEGINNING.as_slice(), &self.0].concat()
    }
}

/// Signs checkpoints.
pub(super) struct Signer {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public.fingerprint())
    }
}

impl Signer {
    /// The key of a keyring, which is made if it does not exist.
    pub(super) fn of(keyring: &Keyring) -> Result<Self, KeyringError> {
        let seed = keyring.owner_key(&owner(), SEED)?;
        let rejected = |_| KeyringError::Provider("make the key of checkpoints");
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map_err(rejected)?;
        let public = pair.public_key().as_ref().try_into();
        let public = PublicKey(public.map_err(|_| KeyringError::Provider("make the key of checkpoints"))?);
        Ok(Self { pair, public })
    }

    pub(super) fn public(&self) -> PublicKey {
        self.public
    }

    pub(super) fn sign(&self, installation: String, end: HeadMark, time: Time) -> Checkpoint {
        let mut checkpoint = Checkpoint {
            claviger_checkpoint: FORMAT,
            installation,
            number: end.seq,
            hash: end.hash.to_string(),
            time: time.to_string(),
            key: self.public.fingerprint(),
            signature: String::new(),
        };
        checkpoint.signature = STANDARD.encode(self.pair.sign(checkpoint.signed_text().as_bytes()));
        checkpoint
    }
}

/// The public key of a keyring; `None` if it has no key of checkpoints. Nothing is made.
///
/// # Errors
/// When the keyring cannot be read.
pub fn existing_key(keyring: &Keyring) -> Result<Option<PublicKey>, KeyringError> {
    let exists = keyring.owners()?.contains(&owner());
    exists.then(|| Signer::of(keyring).map(|signer| signer.public)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(keyring: &Keyring) -> (Signer, Checkpoint) {
        let signer = Signer::of(keyring).expect("a key");
        let end = HeadMark { seq: 7, hash: RecordHash::of(b"seven") };
        let checkpoint = signer.sign(Uuid::from_u128(1).to_string(), end, Time::from_nanos(1));
        (signer, checkpoint)
    }

    #[test]
    fn a_checkpoint_is_believed_as_it_was_signed_and_not_otherwise() {
        let keyring = Keyring::for_tests();
        assert_eq!(existing_key(&keyring).expect("readable"), None);
        let (signer, checkpoint) = made(&keyring);
        let line = checkpoint.to_line();
        assert_eq!(Checkpoint::parse(&line).as_ref(), Ok(&checkpoint));
        let key = PublicKey::from_pem(signer.public().pem().as_bytes()).expect("its own PEM");
        assert_eq!(existing_key(&keyring).expect("readable"), Some(key));
        assert_eq!(checkpoint.check(&key), Ok(HeadMark { seq: 7, hash: RecordHash::of(b"seven") }));
        for at in 0..line.len() {
            let mut changed = line.clone().into_bytes();
            changed[at] ^= 1;
            let believed = std::str::from_utf8(&changed).ok().and_then(|line| Checkpoint::parse(line).ok());
            // Base64 has bits that mean nothing; the decoder refuses them.
            let believed = believed.and_then(|checkpoint| checkpoint.check(&key).ok());
            assert_eq!(believed, None, "byte {at} of {line}");
        }
    }

    #[test]
    fn what_is_no_checkpoint_of_this_key_is_refused_with_the_reason() {
        let (signer, checkpoint) = made(&Keyring::for_tests());
        let (other, _) = made(&Keyring::for_tests());
        assert!(matches!(checkpoint.check(&other.public()), Err(CheckpointError::OtherKey { .. })));
        for line in ["", "{}", "[]", r#"{"claviger_checkpoint":1}"#, r#"{"claviger_checkpoint":"1"}"#] {
            assert!(matches!(Checkpoint::parse(line), Err(CheckpointError::NotOne(_))), "{line}");
        }
        assert_eq!(Checkpoint::parse(r#"{"claviger_checkpoint":2,"more":[]}"#), Err(CheckpointError::Format(2)));
        // The end of one line may not become the beginning of the next.
        let moved = Checkpoint { hash: format!("{}\n{}", checkpoint.number, checkpoint.hash), ..checkpoint };
        assert_eq!(moved.check(&signer.public()), Err(CheckpointError::Signature));
        for pem in ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
            assert_eq!(PublicKey::from_pem(pem.as_bytes()), Err(CheckpointError::NoKey));
        }
    }
}
