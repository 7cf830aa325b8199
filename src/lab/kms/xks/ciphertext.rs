//! The form of a ciphertext of a KMS key in an external key store.
//!
//! AWS does not publish its form. That of the lab:
//!
//! | bytes | content |
//! |---|---|
//! | 5 | `01 02 02 00 58` |
//! | 32 | id of the key material of KMS |
//! | 1 | `01` |
//! | 16 | random |
//! | 1, then as many | length of the `ciphertextMetadata` of the proxy, 0 if it has none; the metadata |
//! | 1, then as many | length of the initialization vector; the vector |
//! | 16 | authentication tag |
//! | rest | ciphertext of the proxy |
//!
//! The proxy has encrypted what KMS had encrypted before: a ciphertext of the form in `crypto.rs`, with the same
//! encryption context. The proxy's additional authenticated data is the first 54 bytes, then the encryption context as
//! there.

use std::collections::BTreeMap;

use super::super::crypto;
use super::calls::Encrypted;
use crate::lab::refusal::Refusal;

const MAGIC: [u8; 5] = [1, 2, 2, 0, 0x58];
const TAG: usize = 16;

/// The beginning of a new ciphertext, with random bytes.
///
/// # Errors
/// [`Refusal::Internal`] if the system provides no randomness.
pub(super) fn header(material_id: &str) -> Result<Vec<u8>, Refusal> {
    let material = crypto::bytes_of(material_id).ok_or(Refusal::Internal)?;
    Ok([&MAGIC[..], &material, &[1], &crypto::random(16)?].concat())
}

/// The additional authenticated data of a ciphertext with a header.
pub(super) fn authenticated(header: &[u8], context: &BTreeMap<String, String>) -> Vec<u8> {
    crypto::authenticated(header, context)
}

/// The ciphertext with a header and what the proxy has answered.
pub(super) fn write(header: &[u8], encrypted: &Encrypted) -> Result<Vec<u8>, Refusal> {
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).map_err(|_| Refusal::Internal);
    let (metadata, vector) = (&encrypted.metadata[..], &encrypted.initialization_vector[..]);
    Ok([
        header,
        &[length(metadata)?],
        metadata,
        &[length(vector)?],
        vector,
        &encrypted.authentication_tag,
        &encrypted.ciphertext,
    ]
    .concat())
}

/// A parsed ciphertext.
#[derive(Debug)]
pub(in crate::lab::kms) struct ExternalBlob {
    pub material_id: String,
    pub(super) header: Vec<u8>,
    pub(super) encrypted: Encrypted,
}

impl ExternalBlob {
    pub(in crate::lab::kms) fn read(bytes: &[u8]) -> Option<ExternalBlob> {
        let (header, rest) = bytes.split_at_checked(crypto::HEADER)?;
        let material = header.strip_prefix(&MAGIC)?.get(..crypto::MATERIAL_ID)?;
        let material_id = material.iter().map(|byte| format!("{byte:02x}")).collect();
        let (metadata, rest) = counted(rest)?;
        let (vector, rest) = counted(rest)?;
        let (tag, ciphertext) = rest.split_at_checked(TAG)?;
        if ciphertext.is_empty() || vector.is_empty() {
            return None;
        }
        let encrypted = Encrypted {
            metadata: metadata.to_vec(),
            initialization_vector: vector.to_vec(),
            authentication_tag: tag.to_vec(),
            ciphertext: ciphertext.to_vec(),
        };
        Some(ExternalBlob { material_id, header: header.to_vec(), encrypted })
    }
}

/// Splits off bytes that their number precedes.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ciphertext_is_read_as_it_was_written() {
        let material = "0a".repeat(32);
        for metadata in [Vec::new(), vec![1, 0, 0, 0, 2]] {
            let encrypted = Encrypted {
                metadata,
                initialization_vector: vec![7; 12],
                authentication_tag: vec![8; 16],
                ciphertext: vec![9; 30],
            };
            let header = header(&material).expect("a header");
            let written = write(&header, &encrypted).expect("a ciphertext");
            let read = ExternalBlob::read(&written).expect("a ciphertext");
            assert_eq!((read.material_id, read.header, read.encrypted), (material.clone(), header, encrypted));
            assert!(crypto::Blob::read(&written).is_none());
        }
        let ordinary = crypto::seal(&material, &[7; 32], &BTreeMap::new(), b"text").expect("a ciphertext");
        assert!(ExternalBlob::read(&ordinary).is_none());
        assert!(ExternalBlob::read(&[&MAGIC[..], &[0; 60]].concat()).is_none());
    }
}
