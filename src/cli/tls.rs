//! The server's certificate: the operator's, or a self-signed one that the first start creates. SIGHUP reloads it.

use super::config::TlsSettings;
use super::config::certificate::{self, CertificateProblem};
use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error(transparent)]
    Certificate(#[from] CertificateProblem),
    #[error("a self-signed certificate could not be made")]
    SelfSigned(#[from] rcgen::Error),
    /// The self-signed certificate or its key could not be written.
    #[error("`{}` could not be written", path.display())]
    Write { path: PathBuf, source: std::io::Error },
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
    key: ArcSwap<CertifiedKey>,
}

impl Certificate {
    /// Loads the operator's certificate, or the self-signed one in the data directory, which is created if it does not
    /// exist.
    ///
    /// # Errors
    /// When it cannot be read, created or written.
    pub fn load(settings: &TlsSettings, data_dir: &Path) -> Result<Self, TlsError> {
        let (certificate, private_key) = match (&settings.certificate, &settings.private_key) {
            (Some(certificate), Some(private_key)) => (certificate.clone(), private_key.clone()),
            _ => {
                let (certificate, private_key) = (data_dir.join("tls.crt"), data_dir.join("tls.key"));
                if !(certificate.exists() && private_key.exists()) {
                    create_self_signed(&settings.self_signed_names, &certificate, &private_key)?;
                }
                (certificate, private_key)
            }
        };
        let key = ArcSwap::from_pointee(certificate::read(&certificate, &private_key)?);
        Ok(Self(Arc::new(Inner { certificate, private_key, key })))
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
    let names = if names.is_empty() { names_of_this_machine() } else { names.to_vec() };
    let made = rcgen::generate_simple_self_signed(names)?;
    // An old certificate is removed first, and the new one is written last: a certificate beside another key would be
    // taken for a pair at the next start.
    match std::fs::remove_file(certificate) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            return Err(TlsError::Write { path: certificate.to_owned(), source });
        }
        _ => {}
    }
    write_atomically(private_key, made.signing_key.serialize_pem().as_bytes())?;
    write_atomically(certificate, made.cert.pem().as_bytes())
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
