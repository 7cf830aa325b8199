//! A certificate with its private key, which signs requests to IAM Roles Anywhere.

use std::fmt;

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P521_SHA256_ASN1_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use thiserror::Error;

use super::Algorithm;
use super::certificate::{Certificate, CertificateError};

/// The reason why a certificate and a private key cannot sign together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdentityError {
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("is not an unencrypted private key in PEM (PKCS#8, PKCS#1 or SEC1)")]
    KeyNotPem,
    /// AWS's X.509 signatures use SHA-256. The cryptographic library has no ECDSA on P-384 with SHA-256.
    #[error("must be an RSA key of 2048 to 8192 bits, or an EC key on P-256 or P-521")]
    KeyUnsupported,
    #[error("is not the private key of the certificate")]
    KeyOfAnother,
}

/// A certificate and its private key.
pub struct Identity {
    certificate: Certificate,
    key: PrivateKey,
}

enum PrivateKey {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl Identity {
    /// Parses a certificate, with its chain if the text has more certificates, and its private key.
    ///
    /// # Errors
    /// When one of the texts cannot be parsed, the kind of the key is not supported, or the key is not that of the
    /// certificate.
    pub fn from_pem(certificate: &str, private_key: &str) -> Result<Identity, IdentityError> {
        let certificate = Certificate::from_pem(certificate)?;
        let key = PrivateKeyDer::from_pem_slice(private_key.as_bytes()).map_err(|_| IdentityError::KeyNotPem)?;
        let identity = Identity { certificate, key: PrivateKey::of(&key).ok_or(IdentityError::KeyUnsupported)? };
        const PROBE: &[u8] = b"a message that proves that the key is that of the certificate";
        let signature = identity.sign(PROBE).map_err(|_| IdentityError::KeyUnsupported)?;
        match identity.certificate.verifies(identity.algorithm(), PROBE, &signature) {
            true => Ok(identity),
            false => Err(IdentityError::KeyOfAnother),
        }
    }

    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match self.key {
            PrivateKey::Rsa(_) => Algorithm::Rsa,
            PrivateKey::Ecdsa(_) => Algorithm::Ecdsa,
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match &self.key {
            PrivateKey::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                Ok(signature)
            }
            PrivateKey::Ecdsa(key) => Ok(key.sign(&random, message)?.as_ref().to_vec()),
        }
    }
}

impl PrivateKey {
    fn of(key: &PrivateKeyDer<'_>) -> Option<PrivateKey> {
        let rsa = match key {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).ok(),
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok(),
            _ => None,
        };
        let curves = [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P521_SHA256_ASN1_SIGNING];
        let ecdsa = || curves.iter().find_map(|curve| EcdsaKeyPair::from_private_key_der(curve, key.secret_der()).ok());
        rsa.map(PrivateKey::Rsa).or_else(|| ecdsa().map(PrivateKey::Ecdsa))
    }
}
