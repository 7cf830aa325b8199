//! Reads a certificate and its private key from PEM files, for the server and for the check of the configuration.

use crate::bounded_file;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

/// The reason why files are not a certificate and its key. No variant contains anything of the key.
#[derive(Debug, thiserror::Error)]
pub enum CertificateProblem {
    #[error("`{}` cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// Every user of the machine may access the private key.
    #[error("`{}` is open to all (mode {mode:04o}): run `chmod o= {}`", path.display(), path.display())]
    OpenToAll { path: PathBuf, mode: u32 },
    #[error("`{}` holds no certificate: PEM with `BEGIN CERTIFICATE` is expected", .0.display())]
    NoCertificate(PathBuf),
    #[error("`{}` holds no private key: PEM with `BEGIN PRIVATE KEY`, not encrypted, is expected", .0.display())]
    NoKey(PathBuf),
    #[error("the certificate `{}` was not made for the key `{}`: give the key that it was made with",
        certificate.display(), private_key.display())]
    Mismatch { certificate: PathBuf, private_key: PathBuf },
    #[error("`{}` and `{}` cannot be used together: {source}", certificate.display(), private_key.display())]
    Unusable { certificate: PathBuf, private_key: PathBuf, source: rustls::Error },
}

/// Reads a certificate (with its intermediate certificates) and its private key, and checks that they match.
///
/// # Errors
/// When a file is unreadable or has no certificate or key, when the two do not match, or when every user may access the
/// key.
pub fn read(certificate: &Path, private_key: &Path) -> Result<CertifiedKey, CertificateProblem> {
    let chain = read_chain(certificate)?;
    let key = read_key(private_key)?;
    CertifiedKey::from_der(chain, key, &rustls::crypto::aws_lc_rs::default_provider()).map_err(|source| {
        let (certificate, private_key) = (certificate.to_owned(), private_key.to_owned());
        match source {
            rustls::Error::InconsistentKeys(_) => CertificateProblem::Mismatch { certificate, private_key },
            source => CertificateProblem::Unusable { certificate, private_key, source },
        }
    })
}

/// Checks that a file contains certificates, for example of authorities.
///
/// # Errors
/// When the file is unreadable or contains no certificate.
pub fn check_bundle(path: &Path) -> Result<(), CertificateProblem> {
    read_chain(path).map(drop)
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateProblem> {
    let (content, _) = read_whole(path)?;
    let chain = CertificateDer::pem_slice_iter(&content).collect::<Result<Vec<_>, _>>();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(CertificateProblem::NoCertificate(path.to_owned())),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateProblem> {
    let (content, mode) = read_whole(path)?;
    // A group may read the key: distributions share keys with services that way (`ssl-cert`).
    if mode & 0o007 != 0 {
        return Err(CertificateProblem::OpenToAll { path: path.to_owned(), mode });
    }
    // The parser's message may quote the file.
    PrivateKeyDer::from_pem_slice(&content).map_err(|_| CertificateProblem::NoKey(path.to_owned()))
}

fn read_whole(path: &Path) -> Result<(Zeroizing<Vec<u8>>, u32), CertificateProblem> {
    let unreadable = |source| CertificateProblem::Unreadable { path: path.to_owned(), source };
    // Opening a named pipe would block until it has a writer.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(unreadable(std::io::Error::other("it is not a file")));
    }
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
    let content = bounded_file::read_open(file, bounded_file::SETTINGS_MAX).map_err(unreadable)?;
    Ok((content, mode))
}
