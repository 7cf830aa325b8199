//! Certificates for tests.

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SerialNumber, SignatureAlgorithm,
};

/// A certificate authority.
pub struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    pub fn new(name: &str) -> Ca {
        let key = KeyPair::generate().expect("a key");
        Ca(CertifiedIssuer::self_signed(Ca::params(name), key).expect("a certificate"))
    }

    /// An intermediate authority under this one.
    pub fn intermediate(&self, name: &str) -> Ca {
        let key = KeyPair::generate().expect("a key");
        Ca(CertifiedIssuer::signed_by(Ca::params(name), key, &self.0).expect("a certificate"))
    }

    fn params(name: &str) -> CertificateParams {
        let mut params = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A client certificate and its private key, in PEM.
    pub fn issue(&self, name: &str, algorithm: &'static SignatureAlgorithm) -> (String, String) {
        self.issue_with(name, algorithm, |_| {})
    }

    pub fn issue_with(
        &self,
        name: &str,
        algorithm: &'static SignatureAlgorithm,
        change: impl FnOnce(&mut CertificateParams),
    ) -> (String, String) {
        let key = KeyPair::generate_for(algorithm).expect("a key");
        let mut params = named(name);
        params.serial_number = Some(SerialNumber::from_slice(&[0x01, 0x23, 0x45]));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        change(&mut params);
        let made: Certificate = params.signed_by(&key, &self.0).expect("a certificate");
        (made.pem(), key.serialize_pem())
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
