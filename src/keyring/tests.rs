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
    // Each case makes a keyring on the disk and syncs it.
    #![proptest_config(ProptestConfig::with_cases(32))]
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
    let new = |text: &str| {
        let place = TestDirectory::new();
        Keyring::open(&place.keyring(), MasterKeySource::Passphrase(text.to_owned().into())).map(drop)
    };
    assert!(matches!(new("elevenchars"), Err(KeyringError::UnfitPassphrase(_))));
    assert!(new("twelve-chars").is_ok());
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

impl TestDirectory {
    /// A copy of everything as it is now, as a kill would leave it.
    fn image(&self) -> Self {
        let image = Self::new();
        fs::create_dir(image.keyring()).expect("made");
        for entry in fs::read_dir(self.keyring()).expect("listed") {
            let entry = entry.expect("an entry");
            fs::copy(entry.path(), image.keyring().join(entry.file_name())).expect("copied");
        }
        fs::copy(self.master(), image.master()).expect("copied");
        image
    }

    fn open_by_passphrase(&self) -> Result<Keyring, KeyringError> {
        Keyring::open(&self.keyring(), MasterKeySource::PassphraseFile { path: self.master() })
    }
}

const OWNERS: std::ops::Range<u128> = 1..6;

/// Seals a secret of each owner.
fn sealed_secrets(keyring: &Keyring) -> Vec<Vec<u8>> {
    OWNERS.map(|n| keyring.seal(&owner(n), "secret", b"open sesame").expect("sealed")).collect()
}

/// Checks that all secrets open, that a new one can be sealed, and that nothing of a replacement is left.
fn all_opens(keyring: &Keyring, sealed: &[Vec<u8>], when: &str) {
    for (n, sealed) in OWNERS.zip(sealed) {
        let opened = keyring.open_sealed(&owner(n), "secret", sealed);
        assert_eq!(*opened.unwrap_or_else(|error| panic!("{when}: {error}")), b"open sesame");
    }
    keyring.seal(&owner(99), "secret", b"new").expect("sealed");
    let names = keyring.shared.files().directory.names().expect("listed");
    assert!(!names.iter().any(|name| name == rekey::STAGED || name.starts_with(".unfinished")), "{when}: {names:?}");
}

fn new_key() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(vec![0xa5; 32])
}

#[test]
fn a_kill_at_each_step_of_a_rekey_opens_with_the_key_in_its_place() {
    let place = TestDirectory::new();
    let keyring = place.open();
    let sealed = sealed_secrets(&keyring);
    keyring.expect_sealed_log().expect("noted");
    let (mac, old) = (keyring.owner_key(&owner(1), "mac").expect("a key"), fs::read(place.master()).expect("read"));
    let mut images = Vec::new();
    let mut at = |step: &str| images.push((step.to_owned(), place.image()));
    keyring.replace_at(&NewMasterKey::Key(new_key()), Some(&place.master()), &mut at).expect("replaced");
    all_opens(&keyring, &sealed, "in the process that replaced it");
    assert!(keyring.was_replaced().expect("read"));
    drop(keyring);
    assert!(images.len() > OWNERS.count() + 5, "{}", images.len());
    for (step, image) in images {
        let is_new = fs::read(image.master()).expect("read") != old;
        assert_eq!(is_new, !["begin", "staged"].contains(&&*step), "{step}");
        let keyring = image.open();
        all_opens(&keyring, &sealed, &step);
        assert_eq!(keyring.was_replaced().expect("read"), is_new, "{step}");
        assert!(keyring.expects_sealed_log().expect("read"), "{step}");
        assert_eq!(keyring.owner_key(&owner(1), "mac").expect("a key"), mac, "{step}");
        drop(keyring);
        // And once more, as nothing is left to do.
        all_opens(&image.open(), &sealed, &step);
    }
}

/// A key that is not in a file: either one opens what a kill leaves until the replacement begins, then only the new
/// one.
#[test]
fn a_kill_at_each_step_of_a_rekey_by_passphrase_opens_with_one_of_the_two() {
    let place = TestDirectory::new();
    place.put_master(b"correct horse battery\n", 0o600);
    let keyring = place.open_by_passphrase().expect("it opens");
    let sealed = sealed_secrets(&keyring);
    let mut images = Vec::new();
    let mut at = |step: &str| images.push((step.to_owned(), place.image()));
    let new = NewMasterKey::Passphrase("staple of another stable".to_owned().into());
    keyring.replace_at(&new, None, &mut at).expect("replaced");
    drop(keyring);
    for (step, image) in images {
        let with = |text: &str| {
            let copy = image.image();
            copy.put_master(text.as_bytes(), 0o600);
            copy.open_by_passphrase()
                .map(|keyring| all_opens(&keyring, &sealed, &step))
                .map_err(|error| error.to_string())
        };
        let (old, new) = (with("correct horse battery"), with("staple of another stable"));
        let begun = !["begin", "staged", "installed"].contains(&&*step);
        assert_eq!(old.is_ok(), !begun, "{step}: {old:?}");
        assert_eq!(new.is_ok(), step != "begin", "{step}: {new:?}");
        assert!(with("neither of the two of them").is_err(), "{step}");
    }
}

#[test]
fn a_key_becomes_a_passphrase_and_a_passphrase_a_key() {
    let place = TestDirectory::new();
    let keyring = place.open();
    let sealed = sealed_secrets(&keyring);
    let passphrase = NewMasterKey::Passphrase("correct horse battery".to_owned().into());
    keyring.replace_master_key(&passphrase, Some(&place.master())).expect("replaced");
    drop(keyring);
    let keyring = place.open_by_passphrase().expect("it opens");
    all_opens(&keyring, &sealed, "as a passphrase");
    keyring.replace_master_key(&NewMasterKey::Key(new_key()), Some(&place.master())).expect("replaced");
    drop(keyring);
    assert_eq!(mode(&place.master()), 0o600);
    all_opens(&place.open(), &sealed, "as a key");
    assert!(!place.keyring().join("passphrase.json").exists());
}

#[test]
fn an_unfit_new_master_key_changes_nothing() {
    let place = TestDirectory::new();
    let keyring = place.open();
    let sealed = sealed_secrets(&keyring);
    let before = fs::read(place.master()).expect("read");
    for unfit in
        [NewMasterKey::Key(Zeroizing::new(b"short".to_vec())), NewMasterKey::Passphrase("short".to_owned().into())]
    {
        assert!(keyring.replace_master_key(&unfit, Some(&place.master())).is_err());
    }
    // A damaged data key would be lost: its replacement is refused.
    let whole = fs::read(place.file_of(&owner(3))).expect("read");
    fs::write(place.file_of(&owner(3)), b"damaged").expect("written");
    let error = keyring.replace_master_key(&NewMasterKey::Key(new_key()), Some(&place.master())).expect_err("refused");
    assert!(matches!(error, KeyringError::Damaged { .. }), "{error}");
    fs::write(place.file_of(&owner(3)), whole).expect("written");
    // A file that cannot be replaced.
    let nowhere = place.master().join("no such directory");
    assert!(keyring.replace_master_key(&NewMasterKey::Key(new_key()), Some(&nowhere)).is_err());
    assert_eq!(fs::read(place.master()).expect("read"), before);
    drop(keyring);
    all_opens(&place.open(), &sealed, "afterwards");
}

#[test]
fn nothing_shows_a_secret() {
    let place = TestDirectory::new();
    let keyring = place.open();
    assert_eq!(format!("{keyring:?}"), "Keyring");
    let source = MasterKeySource::Passphrase("correct horse".to_owned().into());
    assert!(!format!("{source:?}").contains("horse"));
    assert!(!format!("{:?}", NewMasterKey::Passphrase("correct horse".to_owned().into())).contains("horse"));
}
