//! Files that sled 0.34.7 leaves behind if its process is killed while it opens a database, and that keep the database
//! from being opened ever again.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

/// How sled names a snapshot that it has not written to its end. It renames it afterwards, but would read it before all
/// others: its name comes last.
const UNFINISHED: [&str; 2] = ["snap.", ".generating"];

/// Removes unfinished files of sled. Nothing is lost: a snapshot only saves reading the log, and without the file `db`
/// there is no record yet. No other process may have the database open.
///
/// # Errors
/// When the directory cannot be read, or a file not be removed.
pub fn remove_unfinished(directory: &Path) -> io::Result<()> {
    let entries = match directory.read_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    // sled writes `conf` in two parts, and creates `db` afterwards.
    let is_new = !directory.join("db").try_exists()?;
    for entry in entries {
        let entry = entry?;
        if is_unfinished(&entry.file_name()) || is_new && entry.file_name() == "conf" {
            tracing::warn!(file = %entry.path().display(), "removed what an interrupted start has left");
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn is_unfinished(name: &OsStr) -> bool {
    let [start, end] = UNFINISHED;
    name.to_str().is_some_and(|name| name.starts_with(start) && name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::sleep;
    use std::time::Duration;

    /// Opens a database, whose former owner may need a moment to release its lock.
    fn open(path: &Path) -> sled::Result<sled::Db> {
        let config = sled::Config::new().path(path).flush_every_ms(None);
        let tries = (0..200).map(|_| config.open());
        let mut ended = tries.inspect(|opened| {
            if matches!(opened, Err(sled::Error::Io(_))) {
                sleep(Duration::from_millis(10));
            }
        });
        ended.find(|opened| !matches!(opened, Err(sled::Error::Io(_)))).expect("it is released")
    }

    /// If sled opens a database with such a file by itself, this module is not needed any more.
    #[test]
    fn sled_opens_no_database_with_an_unfinished_snapshot_until_it_is_removed() {
        let home = tempfile::tempdir().expect("a directory");
        for unfinished in ["", "twelve bytes and some more"] {
            open(home.path()).expect("opens").insert("a", "b").expect("inserted");
            let path = home.path().join("snap.FFFFFFFFFFFFFFFF.generating");
            std::fs::write(&path, unfinished).expect("written");
            assert!(matches!(open(home.path()), Err(sled::Error::Corruption { .. })));
            remove_unfinished(home.path()).expect("removed");
            assert!(!path.exists());
            assert_eq!(open(home.path()).expect("opens").get("a").expect("readable").as_deref(), Some(b"b".as_slice()));
        }
    }

    #[test]
    fn a_database_without_records_is_begun_again() {
        let home = tempfile::tempdir().expect("a directory");
        // Its checksum, which sled writes next, is missing.
        let begun = "segment_size: 524288\nuse_compression: false\nversion: 0.34\n";
        std::fs::write(home.path().join("conf"), begun).expect("written");
        assert!(matches!(open(home.path()), Err(sled::Error::Corruption { .. })));
        remove_unfinished(home.path()).expect("removed");
        open(home.path()).expect("opens");
        remove_unfinished(home.path()).expect("nothing to remove");
        assert!(home.path().join("conf").exists());
        remove_unfinished(&home.path().join("none")).expect("nothing to remove");
    }
}
