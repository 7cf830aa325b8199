//! The format and its encryption: what was written is read, and nothing else is accepted.

use super::{BackupReader, BackupWriter, Header, Key, Lock, Part};
use std::io::Read;

fn header(records: u64) -> Header {
    Header {
        version: "1.2.3".to_owned(),
        installation: "an id".to_owned(),
        records,
        made: "2026-01-01T00:00:00Z".to_owned(),
        has_master_key: false,
    }
}

fn backup() -> Vec<u8> {
    let mut writer = BackupWriter::begin(Vec::new(), &header(2)).expect("a header");
    writer.record(b"one").expect("a record");
    writer.record(&[]).expect("a record");
    writer.file("keyring/a", &b"content and more"[..], 7).expect("a file");
    writer.file("empty", &b""[..], 7).expect("a file");
    writer.end("00ff".to_owned()).expect("an end").0
}

fn parts(bytes: &[u8]) -> Result<Vec<Part>, String> {
    let mut reader = BackupReader::begin(bytes).map_err(|error| error.to_string())?;
    let mut parts = Vec::new();
    loop {
        let part = reader.next_part().map_err(|error| error.to_string())?;
        let ended = matches!(part, Part::End(_));
        parts.push(part);
        if ended {
            return Ok(parts);
        }
    }
}

#[test]
fn what_was_written_is_read() {
    let parts = parts(&backup()).expect("it is whole");
    let file = |name: &str| Part::File(name.to_owned());
    let expected =
        [Part::Record(b"one".to_vec()), Part::Record(vec![]), file("keyring/a"), Part::Piece(b"content".to_vec())];
    assert_eq!(parts[..4], expected);
    assert_eq!(parts[4], file("empty"));
    assert!(matches!(&parts[5], Part::End(end) if (end.records, end.files) == (2, 2) && end.head_hash == "00ff"));
}

#[test]
fn a_changed_byte_and_a_missing_end_are_noticed() {
    let whole = backup();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        assert!(parts(&changed).is_err(), "byte {at} was changed");
        assert!(parts(&whole[..at]).is_err(), "cut off at {at}");
    }
    assert!(parts(&[whole, vec![0]].concat()).is_err());
}

#[test]
fn names_do_not_leave_the_directory() {
    for name in ["../x", "/etc/passwd", "a//b", "a/..", ""] {
        let mut writer = BackupWriter::begin(Vec::new(), &header(0)).expect("a header");
        writer.file(name, &b"x"[..], 7).expect("a file");
        let (bytes, _) = writer.end(String::new()).expect("an end");
        assert!(parts(&bytes).is_err_and(|error| error.contains("impossible name")), "{name}");
    }
}

fn sealed(lock: &Lock) -> Vec<u8> {
    let mut stream = lock.seal(Vec::new()).expect("a stream");
    std::io::Write::write_all(&mut stream, &[7; 100_000]).expect("memory");
    stream.finish().expect("an end")
}

fn opened(key: &Key, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    key.open(bytes).ok()?.read_to_end(&mut content).ok()?;
    Some(content)
}

#[test]
fn only_the_right_key_opens_an_unchanged_stream() {
    let identity = age::x25519::Identity::generate();
    let lock = Lock::of_recipients(&[identity.to_public().to_string()]).expect("a recipient");
    let text = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    let key = Key::of_identity_file(&format!("# created: now\n{text}\n")).expect("an identity");
    let bytes = sealed(&lock);
    assert_eq!(opened(&key, &bytes), Some(vec![7; 100_000]));
    let other = age::x25519::Identity::generate().to_string();
    let other = Key::of_identity_file(age::secrecy::ExposeSecret::expose_secret(&other)).expect("an identity");
    assert_eq!(opened(&other, &bytes), None);
    for at in (0..bytes.len()).step_by(997) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        assert_ne!(opened(&key, &changed), Some(vec![7; 100_000]), "byte {at}");
        assert_eq!(opened(&key, &bytes[..at]), None, "cut off at {at}");
    }
}

#[test]
fn a_passphrase_opens_what_it_closed() {
    let bytes = sealed(&Lock::of_passphrase("correct horse\n").expect("a passphrase"));
    let key = Key::of_passphrase("correct horse").expect("a passphrase");
    assert_eq!(opened(&key, &bytes).map(|content| content.len()), Some(100_000));
    assert_eq!(opened(&Key::of_passphrase("wrong horse").expect("a passphrase"), &bytes), None);
    assert!(Key::of_passphrase("\nsecond line").is_err());
    // Eleven characters, twelve, and eleven for a backup that exists.
    assert!(matches!(Lock::of_passphrase("élevencharé\n12th"), Err(super::EncryptionError::ShortPassphrase)));
    assert!(Lock::of_passphrase("twelve-chars").is_ok() && Key::of_passphrase("elevenchars").is_ok());
    assert!(Lock::of_recipients(&[]).is_err() && Lock::of_recipients(&["age1x".to_owned()]).is_err());
}
