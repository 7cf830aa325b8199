//! The outer form of a ciphertext: CMS encrypted data (RFC 5652, RFC 5084) with AES-GCM.

use aws_lc_rs::aead::NONCE_LEN;

use super::der::{self, Reader, SEQUENCE};

const OCTETS: u8 = 0x04;
/// Tags of the context: the content of CMS, and the encrypted content.
const CONTENT: u8 = 0xa0;
const ENCRYPTED: u8 = 0x80;
const VERSION: [u8; 3] = [2, 1, 0];
const TAG_LENGTH: [u8; 3] = [2, 1, 16];
const ENCRYPTED_DATA: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 6];
const DATA: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
const AES_256_GCM: [u8; 11] = [6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2e];

pub(super) fn write(nonce: &[u8; NONCE_LEN], sealed: &[u8]) -> Vec<u8> {
    let parameters = der::write(SEQUENCE, &[&der::write(OCTETS, &[nonce]), &TAG_LENGTH]);
    let algorithm = der::write(SEQUENCE, &[&AES_256_GCM, &parameters]);
    let content = der::write(SEQUENCE, &[&DATA, &algorithm, &der::write(ENCRYPTED, &[sealed])]);
    let encrypted = der::write(SEQUENCE, &[&VERSION, &content]);
    der::write(SEQUENCE, &[&ENCRYPTED_DATA, &der::write(CONTENT, &[&encrypted])])
}

/// The nonce, and the ciphertext with its tag; `None` for anything that [`write`] does not write.
pub(super) fn read(envelope: &[u8]) -> Option<([u8; NONCE_LEN], &[u8])> {
    let mut outer = Reader::new(Reader::new(envelope).take(SEQUENCE)?);
    outer.skip(&ENCRYPTED_DATA)?;
    let mut encrypted = Reader::new(Reader::new(outer.take(CONTENT)?).take(SEQUENCE)?);
    encrypted.skip(&VERSION)?;
    let mut content = Reader::new(encrypted.take(SEQUENCE)?);
    content.skip(&DATA)?;
    let mut algorithm = Reader::new(content.take(SEQUENCE)?);
    algorithm.skip(&AES_256_GCM)?;
    let nonce = Reader::new(algorithm.take(SEQUENCE)?).take(OCTETS)?.try_into().ok()?;
    let sealed = content.take(ENCRYPTED)?;
    (write(&nonce, sealed) == envelope).then_some((nonce, sealed))
}
