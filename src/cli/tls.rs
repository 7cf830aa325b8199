//! The server's certificate: the operator's, or a self-signed one that the first start creates and that is renewed in
//! time. SIGHUP reloads it.

use super::config::TlsSettings;
use super::config::certificate::{self, CertificateProblem};
use crate::bounded_file;
use arc_swap::ArcSwap;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, UnixTime};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error(transparent)]
    Certificate(#[from] CertificateProblem),
    #[error("a self-signed certificate could not be made")]
    SelfSigned(#[from] rcgen::Error),
    /// The self-signed certificate or its key could not be written.
    #[error("`{}` could not be written", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    /// The self-signed certificate does not fit its own signature: no client that has pinned it would accept it.
    #[error(
        "`{}` has changed since it was made: restore it from a backup, or remove it, and the next start makes a new one",
        .0.display()
    )]
    Changed(PathBuf),
    #[error("TLS could not be set up")]
    Setup(#[from] rustls::Error),
}

/// The certificate in use. Clones share it.
#[derive(Clone, Debug)]
pub struct Certificate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    certificate: PathBuf,
    private_key: PathBuf,
    /// The names of a self-signed certificate; `None` if the certificate is the operator's.
    self_signed: Option<Vec<String>>,
    key: ArcSwap<CertifiedKey>,
}

/// The days for which a self-signed certificate is valid.
const VALID_DAYS: i64 = 365;

/// A self-signed certificate is renewed when it ends in fewer days.
const RENEWED_BEFORE_DAYS: i64 = 30;

impl Certificate {
    /// Loads the operator's certificate, or the self-signed one in the data directory, which is created if it does not
    /// exist.
    ///
    /// # Errors
    /// When it cannot be read, created or written.
    pub fn load(settings: &TlsSettings, data_dir: &Path) -> Result<Self, TlsError> {
        let (certificate, private_key, self_signed) = match (&settings.certificate, &settings.private_key) {
            (Some(certificate), Some(private_key)) => (certificate.clone(), private_key.clone(), None),
            _ => {
                let (certificate, private_key) = (data_dir.join("tls.crt"), data_dir.join("tls.key"));
                if !(certificate.exists() && private_key.exists()) {
                    create_self_signed(&settings.self_signed_names, &certificate, &private_key)?;
                }
                (certificate, private_key, Some(settings.self_signed_names.clone()))
            }
        };
        let read = certificate::read(&certificate, &private_key)?;
        if self_signed.is_some() && !read.cert.first().is_some_and(is_unchanged) {
            return Err(TlsError::Changed(certificate));
        }
        let key = ArcSwap::from_pointee(read);
        let loaded = Self(Arc::new(Inner { certificate, private_key, self_signed, key }));
        // A good certificate that cannot be renewed yet must not prevent the start.
        if let Err(error) = loaded.renew_if_due(Utc::now()) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the self-signed certificate could not be renewed"
            );
        }
        Ok(loaded)
    }

    /// Renews a self-signed certificate that ends within a month, with the same private key. Returns whether it did.
    ///
    /// # Errors
    /// When the new one cannot be made or written.
    pub fn renew_if_due(&self, now: DateTime<Utc>) -> Result<bool, TlsError> {
        let Some(names) = &self.0.self_signed else { return Ok(false) };
        let due = self.chain().first().is_some_and(|own| has_ended(own, now + TimeDelta::days(RENEWED_BEFORE_DAYS)));
        if !due {
            return Ok(false);
        }
        let unreadable = |source| TlsError::Write { path: self.0.private_key.clone(), source };
        let pem = bounded_file::read_text(&self.0.private_key, bounded_file::SECRET_MAX).map_err(unreadable)?;
        let made = self_signed(names, &KeyPair::from_pem(&pem)?, now)?;
        write_atomically(&self.0.certificate, made.as_bytes())?;
        self.reload()?;
        Ok(true)
    }

    /// Reads the files again. If they are invalid, the certificate in use stays.
    ///
    /// # Errors
    /// The problem of the files.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.0.key.store(Arc::new(certificate::read(&self.0.certificate, &self.0.private_key)?));
        Ok(())
    }

    /// The certificate in use, followed by its intermediate certificates.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.0.key.load().cert.clone()
    }

    /// The configuration of the server: TLS 1.2 and 1.3 on aws-lc-rs.
    ///
    /// # Errors
    /// When rustls rejects its own defaults.
    pub fn server_config(&self) -> Result<rustls::ServerConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.clone()));
        Ok(config)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.key.load_full())
    }
}

fn create_self_signed(names: &[String], certificate: &Path, private_key: &Path) -> Result<(), TlsError> {
    let key = KeyPair::generate()?;
    let made = self_signed(names, &key, Utc::now())?;
    // An old certificate is removed first, and the new one is written last: a certificate beside another key would be
    // taken for a pair at the next start.
    match std::fs::remove_file(certificate) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            return Err(TlsError::Write { path: certificate.to_owned(), source });
        }
        _ => {}
    }
    write_atomically(private_key, key.serialize_pem().as_bytes())?;
    write_atomically(certificate, made.as_bytes())
}

/// Makes a self-signed certificate, as PEM. It is valid from the day before, since clocks differ.
fn self_signed(names: &[String], key: &KeyPair, now: DateTime<Utc>) -> Result<String, rcgen::Error> {
    let day = |days: i64| {
        let date = (now + TimeDelta::days(days)).date_naive();
        date_time_ymd(date.year(), date.month() as u8, date.day() as u8)
    };
    let names = if names.is_empty() { names_of_this_machine() } else { names.to_vec() };
    let mut params = CertificateParams::new(names)?;
    (params.not_before, params.not_after) = (day(-1), day(VALID_DAYS));
    Ok(params.self_signed(key)?.pem())
}

/// Whether a self-signed certificate is past its end at a time.
fn has_ended(certificate: &CertificateDer<'_>, at: DateTime<Utc>) -> bool {
    matches!(verify_by_itself(certificate, at), Err(webpki::Error::CertExpired { .. }))
}

/// Whether a self-signed certificate fits its own signature. That its time is over, or not begun, changes nothing.
fn is_unchanged(certificate: &CertificateDer<'_>) -> bool {
    let verified = verify_by_itself(certificate, Utc::now());
    // The signature is looked at after the time.
    let then = match verified {
        Err(webpki::Error::CertExpired { not_after, .. }) => not_after,
        Err(webpki::Error::CertNotValidYet { not_before, .. }) => not_before,
        verified => return verified.is_ok(),
    };
    let then = i64::try_from(then.as_secs()).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    then.is_some_and(|then| verify_by_itself(certificate, then).is_ok())
}

/// Verifies a certificate with itself as the authority.
fn verify_by_itself(certificate: &CertificateDer<'_>, at: DateTime<Utc>) -> Result<(), webpki::Error> {
    let seconds = u64::try_from(at.timestamp()).unwrap_or_default();
    let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let (anchor, own) = (anchor_from_trusted_cert(certificate)?, EndEntityCert::try_from(certificate)?);
    let anchors = [anchor];
    let verified = own.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, &[], at, KeyUsage::server_auth(), None, None);
    verified.map(drop)
}

/// The names of this machine, for a certificate without configured names.
fn names_of_this_machine() -> Vec<String> {
    // The name does not come from /proc, because systemd hides most of it from the service.
    let system = rustix::system::uname();
    let host = system.nodename().to_str().unwrap_or_default();
    let named = rustls_pki_types::DnsName::try_from(host).is_ok() && host != "localhost";
    let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    named.then(|| host.to_owned()).into_iter().chain(local).collect()
}

/// Writes a file atomically: an incomplete file would make every later start fail.
fn write_atomically(path: &Path, pem: &[u8]) -> Result<(), TlsError> {
    let unfinished = path.with_extension("new");
    let options = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).clone();
    let written = options.open(&unfinished).and_then(|mut file| {
        file.write_all(pem)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)
    });
    written.map_err(|source| TlsError::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn a_self_signed_certificate_that_was_changed_is_refused() {
        let directory = TempDir::new().expect("a directory");
        let load = || Certificate::load(&TlsSettings::default(), directory.path());
        let der = load().expect("a new one").chain()[0].to_vec();
        let path = directory.path().join("tls.crt");
        for at in (0..der.len()).step_by(7).chain([der.len() - 1]) {
            let mut changed = der.clone();
            changed[at] ^= 1;
            let pem = pem_of(&changed);
            std::fs::write(&path, pem).expect("written");
            assert!(load().is_err(), "byte {at} of {}", der.len());
        }
        std::fs::write(&path, pem_of(&der)).expect("written");
        load().expect("the one that was made");
    }

    fn pem_of(der: &[u8]) -> String {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }

    #[test]
    fn a_self_signed_certificate_lasts_a_year_and_is_renewed_in_time_with_the_same_key() {
        let directory = TempDir::new().expect("a directory");
        let certificate = Certificate::load(&TlsSettings::default(), directory.path()).expect("made");
        let (first, now) = (certificate.chain(), Utc::now());
        let ends_within = |days: i64| has_ended(&certificate.chain()[0], now + TimeDelta::days(days));
        assert_eq!((ends_within(0), ends_within(364), ends_within(366)), (false, false, true));
        let private_key = std::fs::read(directory.path().join("tls.key")).expect("the key");
        let renew = |days: i64| certificate.renew_if_due(now + TimeDelta::days(days)).expect("renewed");
        assert!(!renew(333));
        assert_eq!(certificate.chain(), first);
        assert!(renew(336) && !renew(336));
        assert_ne!(certificate.chain(), first);
        assert!(!ends_within(336 + 364) && ends_within(336 + 366));
        assert_eq!(std::fs::read(directory.path().join("tls.key")).expect("the key"), private_key);
    }

    #[test]
    fn the_certificate_of_the_operator_is_never_renewed() {
        let directory = TempDir::new().expect("a directory");
        Certificate::load(&TlsSettings::default(), directory.path()).expect("made");
        let path = |name: &str| Some(directory.path().join(name));
        let settings =
            TlsSettings { certificate: path("tls.crt"), private_key: path("tls.key"), ..TlsSettings::default() };
        let certificate = Certificate::load(&settings, Path::new("/nowhere")).expect("loaded");
        assert!(!certificate.renew_if_due(Utc::now() + TimeDelta::days(400)).expect("looked at"));
    }
}
