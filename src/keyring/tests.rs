use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;
use uuid::Uuid;

/// A directory for a keyring and its master key, which tests open as a restarted process would.
struct TestDirectory(TempDir);

impl TestDirectory {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    fn keyring(&self) -> PathBuf {
        self.0.path().join("keyring")
    }

    fn master(&self) -> PathBuf {
        self.0.path().join("master.key")
    }

    fn try_open(&self) -> Result<Keyring, KeyringError> {
        Keyring::open(&self.keyring(), MasterKeySource::File { path: self.master(), create: true })
    }

    fn open(&self) -> Keyring {
        self.try_open().expect("it opens")
    }

    fn file_of(&self, owner: &Owner) -> PathBuf {
        self.keyring().join(owner.to_string())
    }

    fn put_master(&self, content: &[u8], mode: u32) {
        fs::write(self.master(), content).expect("written");
        fs::set_permissions(self.master(), fs::Permissions::from_mode(mode)).expect("restricted");
    }
}

fn owner(n: u128) -> Owner {
    Owner::new("connection", Uuid::from_u128(n))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
}

proptest! {
    #[test]
    fn secrets_open_for_their_owner_and_purpose_only(secret: Vec<u8>, mine: u128, yours: u128) {
        let keyring = Keyring::for_tests();
        let sealed = keyring.seal(&owner(mine), "secret access key", &secret).expect("sealed");
        prop_assert_eq!(&*keyring.open_sealed(&owner(mine), "secret access key", &sealed).expect("opened"), &secret);
        prop_assert!(keyring.open_sealed(&owner(mine), "private key", &sealed).is_err());
        if mine != yours {
            keyring.seal(&owner(yours), "secret access key", b"").expect("sealed");
            prop_assert!(keyring.open_sealed(&owner(yours), "secret access key", &sealed).is_err());
        }
        let same_id = Owner::new("user", Uuid::from_u128(mine));
        keyring.seal(&same_id, "secret access key", b"").expect("sealed");
        prop_assert!(keyring.open_sealed(&same_id, "secret access key", &sealed).is_err());
    }
}

#[test]
fn secrets_open_after_a_restart() {
    let place = TestDirectory::new();
    let sealed = place.open().seal(&owner(1), "secret", b"open sesame").expect("sealed");
    let keyring = place.open();
    assert_eq!(*keyring.open_sealed(&owner(1), "secret", &sealed).expect("opened"), b"open sesame");
    assert_eq!(keyring.owners().expect("listed"), [owner(1)]);
}

#[test]
fn shredded_secrets_stay_unreadable_even_for_a_new_owner_with_the_same_id() {
    let place = TestDirectory::new();
    let keyring = place.open();
    let sealed = keyring.seal(&owner(1), "secret", b"open sesame").expect("sealed");
    keyring.shred(&owner(1)).expect("shredded");
    assert!(matches!(keyring.open_sealed(&owner(1), "secret", &sealed), Err(KeyringError::Shredded(_))));
    assert!(!place.file_of(&owner(1)).exists());
    assert_eq!(keyring.owners().expect("listed"), []);

    keyring.seal(&owner(1), "secret", b"again").expect("sealed");
    assert!(matches!(keyring.open_sealed(&owner(1), "secret", &sealed), Err(KeyringError::Unreadable { .. })));
    keyring.shred(&owner(2)).expect("an owner without a key is no error");
}

#[test]
fn a_shredding_that_was_cut_short_counts() {
    let place = TestDirectory::new();
    let sealed = place.open().seal(&owner(1), "secret", b"open sesame").expect("sealed");
    let length = fs::read(place.file_of(&owner(1))).expect("read").len();
    fs::write(place.file_of(&owner(1)), vec![0; length]).expect("overwritten");
    let keyring = place.open();
    assert!(matches!(keyring.open_sealed(&owner(1), "secret", &sealed), Err(KeyringError::Shredded(_))));
    assert_eq!(keyring.owners().expect("listed"), [owner(1)], "it is still to be removed");
    keyring.shred(&owner(1)).expect("shredded");
    assert!(!place.file_of(&owner(1)).exists());
}

#[test]
fn two_threads_at_once_make_one_key() {
    for round in 0..20 {
        let keyring = Keyring::for_tests();
        let barrier = std::sync::Barrier::new(8);
        let sealed: Vec<_> = std::thread::scope(|scope| {
            let seal = || {
                barrier.wait();
                keyring.seal(&owner(round), "secret", b"open sesame").expect("sealed")
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(seal)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        for text in sealed {
            assert_eq!(*keyring.open_sealed(&owner(round), "secret", &text).expect("opened"), b"open sesame");
        }
    }
}

#[test]
fn another_master_key_is_refused() {
    let place = TestDirectory::new();
    let sealed = place.open().seal(&owner(1), "secret", b"open sesame").expect("sealed");
    let right = fs::read(place.master()).expect("read");
    place.put_master(&[0xa5; 32], 0o600);
    assert!(matches!(place.try_open(), Err(KeyringError::WrongMasterKey(_))));
    place.put_master(&right, 0o400);
    assert_eq!(*place.open().open_sealed(&owner(1), "secret", &sealed).expect("opened"), b"open sesame");
}

#[test]
fn a_lost_master_key_is_not_replaced_by_a_new_one() {
    let place = TestDirectory::new();
    drop(place.open());
    fs::remove_file(place.master()).expect("removed");
    let error = place.try_open().expect_err("refused").to_string();
    assert!(error.contains("backup"), "{error}");
    assert!(!place.master().exists());
}

#[test]
fn a_lost_check_file_is_damage() {
    let place = TestDirectory::new();
    place.open().seal(&owner(1), "secret", b"").expect("sealed");
    fs::remove_file(place.keyring().join(CHECK_FILE)).expect("removed");
    assert!(matches!(place.try_open(), Err(KeyringError::Damaged { .. })));
}

#[test]
fn nobody_else_may_read_what_it_writes() {
    let place = TestDirectory::new();
    let keyring = place.open();
    keyring.seal(&owner(1), "secret", b"").expect("sealed");
    assert_eq!(mode(&place.master()), 0o600);
    assert_eq!(mode(&place.keyring()), 0o700);
    for entry in fs::read_dir(place.keyring()).expect("listed") {
        let path = entry.expect("listed").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_master_key_that_others_may_read_is_refused() {
    let place = TestDirectory::new();
    for open in [0o640, 0o604, 0o644, 0o660, 0o601] {
        place.put_master(&[0xa5; 32], open);
        let error = place.try_open().expect_err("refused").to_string();
        assert!(error.contains("chmod 600") && error.contains(&format!("{open:04o}")), "{error}");
    }
}

#[test]
fn a_master_key_is_32_bytes_raw_or_as_base64() {
    let raw = [0xa5; 32];
    let base64 = "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=";
    let place = TestDirectory::new();
    place.put_master(&raw, 0o600);
    drop(place.open());
    for same in [base64.to_owned(), format!("{base64}\n"), format!("  {base64}\r\n")] {
        place.put_master(same.as_bytes(), 0o600);
        drop(place.open());
    }
    let long = vec![0xa5; 9000];
    for other in [&b""[..], b"\n", b"correct horse battery staple 1234", &raw[..31], &long, &[b'k'; 32]] {
        place.put_master(other, 0o600);
        assert!(matches!(place.try_open(), Err(KeyringError::NotAMasterKey(_))), "{other:?}");
    }
}

#[test]
fn a_passphrase_opens_what_it_made() {
    let place = TestDirectory::new();
    let open = |text: &str| Keyring::open(&place.keyring(), MasterKeySource::Passphrase(text.to_owned().into()));
    let sealed = open("correct horse").expect("it opens").seal(&owner(1), "secret", b"open sesame").expect("sealed");
    let keyring = open("correct horse").expect("it opens");
    assert_eq!(*keyring.open_sealed(&owner(1), "secret", &sealed).expect("opened"), b"open sesame");
    drop(keyring);

    assert!(matches!(open("correct house"), Err(KeyringError::WrongMasterKey(_))));
    assert!(matches!(open(" "), Err(KeyringError::UnfitPassphrase(_))));
    place.put_master(b"correct horse\nsecond line\n", 0o600);
    let from_file = MasterKeySource::PassphraseFile { path: place.master() };
    drop(Keyring::open(&place.keyring(), from_file).expect("the first line is the passphrase"));

    fs::write(place.keyring().join("passphrase.json"), "{}").expect("written");
    assert!(matches!(open("correct horse"), Err(KeyringError::Damaged { .. })));
    fs::remove_file(place.keyring().join("passphrase.json")).expect("removed");
    assert!(matches!(open("correct horse"), Err(KeyringError::Damaged { .. })));
}

#[test]
fn one_keyring_at_a_time() {
    let place = TestDirectory::new();
    let first = place.open();
    assert!(matches!(place.try_open(), Err(KeyringError::InUse(_))));
    let clone = first.clone();
    drop(first);
    assert!(matches!(place.try_open(), Err(KeyringError::InUse(_))));
    drop(clone);
    place.open();
}

#[test]
fn what_a_crash_left_is_removed_and_foreign_files_are_not() {
    let place = TestDirectory::new();
    drop(place.open());
    let unfinished = place.keyring().join(format!(".unfinished-{}", Uuid::new_v4()));
    let foreign = place.keyring().join("README");
    fs::write(&unfinished, b"half a ke").expect("written");
    fs::write(&foreign, b"do not touch").expect("written");
    let keyring = place.open();
    assert!(!unfinished.exists());
    assert!(foreign.exists());
    assert_eq!(keyring.owners().expect("listed"), []);
}

#[test]
fn a_failed_write_leaves_no_file_behind() {
    let place = TestDirectory::new();
    let directory = Directory::open(&place.keyring()).expect("it opens");
    fs::create_dir(directory.path_of("taken")).expect("made");
    assert!(directory.write("taken", b"content").is_err());
    let mut names = directory.names().expect("listed");
    names.sort_unstable();
    assert_eq!(names, ["keyring.lock", "taken"]);
}

#[test]
fn a_damaged_data_key_is_named_and_not_replaced() {
    let place = TestDirectory::new();
    place.open().seal(&owner(1), "secret", b"open sesame").expect("sealed");
    let mut content = fs::read(place.file_of(&owner(1))).expect("read");
    content[20] ^= 1;
    fs::write(place.file_of(&owner(1)), &content).expect("written");
    let keyring = place.open();
    let error = keyring.seal(&owner(1), "secret", b"").expect_err("refused").to_string();
    assert!(error.contains(&owner(1).to_string()), "{error}");
    assert_eq!(fs::read(place.file_of(&owner(1))).expect("read"), content);
}

#[test]
fn a_data_key_cannot_be_given_to_another_owner() {
    let place = TestDirectory::new();
    place.open().seal(&owner(1), "secret", b"open sesame").expect("sealed");
    fs::copy(place.file_of(&owner(1)), place.file_of(&owner(2))).expect("copied");
    assert!(matches!(place.open().seal(&owner(2), "secret", b""), Err(KeyringError::Damaged { .. })));
}

#[test]
fn nothing_shows_a_secret() {
    let place = TestDirectory::new();
    let keyring = place.open();
    assert_eq!(format!("{keyring:?}"), "Keyring");
    let source = MasterKeySource::Passphrase("correct horse".to_owned().into());
    assert!(!format!("{source:?}").contains("horse"));
}
