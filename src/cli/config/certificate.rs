//! A certificate and its private key, from PEM files. What is read here is what the server presents.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

/// Why two files are no certificate with its key. No variant holds anything of the key.
#[derive(Debug, thiserror::Error)]
pub enum CertificateProblem {
    /// A file cannot be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// Anybody on the machine may read the private key.
    #[error("`{}` is open to all (mode {mode:04o}): run `chmod o= {}`", path.display(), path.display())]
    OpenToAll { path: PathBuf, mode: u32 },
    /// There is no certificate in the file.
    #[error("`{}` holds no certificate: PEM with `BEGIN CERTIFICATE` is expected", .0.display())]
    NoCertificate(PathBuf),
    /// There is no private key in the file.
    #[error("`{}` holds no private key: PEM with `BEGIN PRIVATE KEY`, not encrypted, is expected", .0.display())]
    NoKey(PathBuf),
    /// The two do not belong together.
    #[error("the certificate `{}` was not made for the key `{}`: give the key that it was made with",
        certificate.display(), private_key.display())]
    Mismatch { certificate: PathBuf, private_key: PathBuf },
    /// One of them is of a kind that cannot be used.
    #[error("`{}` and `{}` cannot be used together: {source}", certificate.display(), private_key.display())]
    Unusable { certificate: PathBuf, private_key: PathBuf, source: rustls::Error },
}

/// Reads a certificate (with those that lead to its root) and its private key, and proves that they belong together.
///
/// # Errors
/// When a file is unreadable, holds neither, or when the two do not fit; when all may read the key.
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

/// Proves that a file holds certificates, of authorities for example.
///
/// # Errors
/// When it is unreadable or holds none.
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
    // A group may read it: that is how distributions share keys with services (`ssl-cert`).
    if mode & 0o007 != 0 {
        return Err(CertificateProblem::OpenToAll { path: path.to_owned(), mode });
    }
    // The parser's own message may quote the file.
    PrivateKeyDer::from_pem_slice(&content).map_err(|_| CertificateProblem::NoKey(path.to_owned()))
}

/// No certificate chain is larger.
const FILE_MAX: u64 = 1024 * 1024;

fn read_whole(path: &Path) -> Result<(Zeroizing<Vec<u8>>, u32), CertificateProblem> {
    let unreadable = |source| CertificateProblem::Unreadable { path: path.to_owned(), source };
    // To open a named pipe would wait for its writer.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(unreadable(std::io::Error::other("it is no file")));
    }
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
    let mut content = Zeroizing::new(Vec::new());
    file.take(FILE_MAX).read_to_end(&mut content).map_err(unreadable)?;
    Ok((content, mode))
}
