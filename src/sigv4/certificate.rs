//! X.509 certificates with their chains, as requests to IAM Roles Anywhere carry them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use thiserror::Error;
use webpki::aws_lc_rs::{ECDSA_P256_SHA256, ECDSA_P384_SHA256, ECDSA_P521_SHA256, RSA_PKCS1_2048_8192_SHA256};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::{Algorithm, Request};

/// The header fields of a certificate and of the other certificates of its chain, in base 64.
pub(super) const CERTIFICATE_HEADER: &str = "x-amz-x509";
pub(super) const CHAIN_HEADER: &str = "x-amz-x509-chain";

/// The reason why a text or a header field has no usable certificate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateError {
    #[error("is not a certificate in PEM (`-----BEGIN CERTIFICATE-----`)")]
    NotPem,
    #[error("is not an X.509 certificate of version 3: {0}")]
    Malformed(String),
}

/// The reason why a certificate is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Untrusted {
    #[error("the certificate is not valid at this time")]
    Untimely,
    #[error("no chain leads to the trust anchor: {0}")]
    NoPath(String),
}

/// A certificate, followed by the intermediate certificates of its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    own: CertificateDer<'static>,
    intermediates: Vec<CertificateDer<'static>>,
}

impl Certificate {
    /// Parses a certificate in PEM. Further certificates of the text are its chain.
    ///
    /// # Errors
    /// When the text has no certificate, or one that cannot be parsed.
    pub fn from_pem(text: &str) -> Result<Certificate, CertificateError> {
        let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
        Certificate::of(all.map_err(|_| CertificateError::NotPem)?)
    }

    /// Reads the certificate of a signed request; `None` if the request has none.
    pub(super) fn of_request(request: &Request<'_>) -> Option<Result<Certificate, CertificateError>> {
        let own = request.header(CERTIFICATE_HEADER)?;
        let chain = request.header(CHAIN_HEADER).into_iter().flat_map(|list| list.split(','));
        let decoded = std::iter::once(own).chain(chain).map(|text| STANDARD.decode(text.trim()));
        let all: Result<Vec<_>, _> = decoded.map(|der| der.map(CertificateDer::from)).collect();
        Some(all.map_err(|error| CertificateError::Malformed(error.to_string())).and_then(Certificate::of))
    }

    fn of(all: Vec<CertificateDer<'static>>) -> Result<Certificate, CertificateError> {
        for der in &all {
            EndEntityCert::try_from(der).map_err(|error| CertificateError::Malformed(format!("{error:?}")))?;
        }
        let mut all = all.into_iter();
        let own = all.next().ok_or(CertificateError::NotPem)?;
        Ok(Certificate { own, intermediates: all.collect() })
    }

    /// The serial number in decimal, as signatures name it.
    pub fn serial_number(&self) -> String {
        decimal(&self.serial())
    }

    /// The serial number in hexadecimal, as IAM Roles Anywhere names sessions.
    pub fn serial_number_in_hex(&self) -> String {
        super::hex(&self.serial())
    }

    fn serial(&self) -> Vec<u8> {
        let serial = EndEntityCert::try_from(&self.own).map(|cert| cert.serial().to_vec()).unwrap_or_default();
        let zeros = serial.iter().take_while(|byte| **byte == 0).count();
        serial[zeros.min(serial.len().saturating_sub(1))..].to_vec()
    }

    /// The common name of the subject.
    pub fn common_name(&self) -> Option<String> {
        let certificate = EndEntityCert::try_from(&self.own).ok()?;
        common_name(certificate.subject())
    }

    /// Whether the private key of the certificate has made a signature.
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let schemes: &[&dyn SignatureVerificationAlgorithm] = match algorithm {
            Algorithm::Rsa => &[RSA_PKCS1_2048_8192_SHA256],
            Algorithm::Ecdsa => &[ECDSA_P256_SHA256, ECDSA_P384_SHA256, ECDSA_P521_SHA256],
            Algorithm::Secret => &[],
        };
        let Ok(certificate) = EndEntityCert::try_from(&self.own) else { return false };
        schemes.iter().any(|scheme| certificate.verify_signature(*scheme, message, signature).is_ok())
    }

    /// Checks that a chain leads from the certificate to a trust anchor, and that all its certificates are valid.
    ///
    /// # Errors
    /// The reason why the certificate is not trusted.
    pub fn check_path(&self, anchor: &Certificate, now: DateTime<Utc>) -> Result<(), Untrusted> {
        let no_path = |error: webpki::Error| match error {
            webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. } => Untrusted::Untimely,
            other => Untrusted::NoPath(format!("{other:?}")),
        };
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let anchors = [anchor_from_trusted_cert(&anchor.own).map_err(no_path)?];
        let certificate = EndEntityCert::try_from(&self.own).map_err(no_path)?;
        let usage = KeyUsage::client_auth();
        certificate
            .verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, &self.intermediates, time, usage, None, None)
            .map(drop)
            .map_err(no_path)
    }

    /// The values of the header fields that carry the certificate and its chain.
    pub(super) fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![(CERTIFICATE_HEADER, STANDARD.encode(&self.own))];
        if !self.intermediates.is_empty() {
            let chain: Vec<String> = self.intermediates.iter().map(|der| STANDARD.encode(der)).collect();
            headers.push((CHAIN_HEADER, chain.join(",")));
        }
        headers
    }
}

/// The decimal digits of a big-endian number.
fn decimal(bytes: &[u8]) -> String {
    let mut digits = vec![0_u8];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            let value = u32::from(*digit) * 256 + carry;
            *digit = (value % 10) as u8;
            carry = value / 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

/// The common name in the DER of a name, without the outer tag.
fn common_name(mut name: &[u8]) -> Option<String> {
    const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
    while let Some((set, rest)) = element(name) {
        let (attribute, _) = element(set)?;
        let (oid, value) = element(attribute)?;
        if oid == COMMON_NAME {
            return String::from_utf8(element(value)?.0.to_vec()).ok();
        }
        name = rest;
    }
    None
}

/// The content of the first element of some DER, and the bytes after it. Names have no element of 64 KiB.
fn element(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, content) = match der {
        [_, length @ 0..=0x7f, rest @ ..] => (usize::from(*length), rest),
        [_, 0x81, length, rest @ ..] => (usize::from(*length), rest),
        [_, 0x82, high, low, rest @ ..] => (usize::from(*high) << 8 | usize::from(*low), rest),
        _ => return None,
    };
    content.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_decimal() {
        for (bytes, digits) in [
            (&[0_u8][..], "0"),
            (&[255], "255"),
            (&[1, 0], "256"),
            (&[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "9223372036854775807"),
            (&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "340282366920938463463374607431768211456"),
        ] {
            assert_eq!(decimal(bytes), digits);
        }
    }

    #[test]
    fn the_common_name_of_a_subject_is_found() {
        let attribute = |oid: u8, value: &[u8]| {
            let mut bytes = vec![0x31, value.len() as u8 + 9, 0x30, value.len() as u8 + 7, 6, 3, 0x55, 4, oid, 0x0c];
            bytes.push(value.len() as u8);
            bytes.extend(value);
            bytes
        };
        let name = [attribute(10, b"Example"), attribute(3, b"client-1")].concat();
        assert_eq!(common_name(&name).as_deref(), Some("client-1"));
        assert_eq!(common_name(&attribute(10, b"Example")), None);
        assert_eq!(common_name(&name[..20]), None, "a truncated name");
    }

    #[test]
    fn a_text_without_a_certificate_is_refused() {
        for text in ["", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            assert_eq!(Certificate::from_pem(text), Err(CertificateError::NotPem), "{text}");
        }
        let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(Certificate::from_pem(garbled), Err(CertificateError::Malformed(_))));
    }
}
