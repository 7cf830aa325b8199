//! Reading files that people name in settings and options: never more of them than a bound, so that a wrong name
//! (a device, a backup) does not fill the memory.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use zeroize::Zeroizing;

/// The most bytes of a file with one secret: a key, a passphrase, an identity of age.
pub const SECRET_MAX: u64 = 64 * 1024;
/// The most bytes of a file with settings or certificates. The bundles of certificates that systems have are smaller.
pub const SETTINGS_MAX: u64 = 4 * 1024 * 1024;

/// Reads a file of at most `most` bytes.
///
/// # Errors
/// When it cannot be read, or is larger.
pub fn read(path: &Path, most: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    read_open(File::open(path)?, most)
}

/// Reads an open file of at most `most` bytes.
///
/// # Errors
/// When it cannot be read, or is larger.
pub fn read_open(file: File, most: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut content = Zeroizing::new(Vec::new());
    file.take(most + 1).read_to_end(&mut content)?;
    match content.len() as u64 > most {
        true => Err(io::Error::new(ErrorKind::InvalidData, format!("it is larger than {most} bytes"))),
        false => Ok(content),
    }
}

/// Reads a text of at most `most` bytes.
///
/// # Errors
/// When it cannot be read, is larger, or is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<Zeroizing<String>> {
    let content = read(path, most)?;
    let text = std::str::from_utf8(&content);
    let text = text.map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not text in UTF-8"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_the_bound_only() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("secret");
        std::fs::write(&path, "0123456789").expect("written");
        assert_eq!(**read(&path, 10).expect("readable"), *b"0123456789");
        assert_eq!(read_text(&path, 10).expect("readable").as_str(), "0123456789");
        assert_eq!(read(&path, 9).expect_err("too large").to_string(), "it is larger than 9 bytes");
        // A device has no end, and no length.
        assert!(read(Path::new("/dev/zero"), SETTINGS_MAX).is_err_and(|error| error.to_string().contains("larger")));
        std::fs::write(&path, [0xff; 4]).expect("written");
        assert!(read_text(&path, 10).is_err_and(|error| error.kind() == ErrorKind::InvalidData));
        assert!(read(&home.path().join("none"), 10).is_err_and(|error| error.kind() == ErrorKind::NotFound));
    }
}
