//! Replaces the master key.
//!
//! All data keys are sealed anew in one staged file, and then the new key is put in the place of the old one. Only
//! afterwards the files of the keyring are replaced by those of the staged file, that of the check first. Until the
//! check is replaced, the old key opens the keyring and the staged file is dropped; the new key opens the staged file,
//! and the replacement is completed. So whichever key is in its place after a crash opens everything.
//!
//! The staged file is sealed by the new key as a whole: nobody without it can have files replaced.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::directory::{Directory, sync_ancestor, write_atomically};
use super::master::{MasterKeySource, parse};
use super::sealing::Key;
use super::{CHECK_CONTEXT, CHECK_FILE, Files, KeyringError, Owner, check_master_key, key_context, passphrase};

/// The staged file.
pub(super) const STAGED: &str = "rekey";
/// A file that says that the master key was replaced, until the log says so too.
pub(super) const REPLACED: &str = "rekeyed";
const CONTEXT: [&[u8]; 1] = [b"staged keyring"];

/// A new master key.
pub enum NewMasterKey {
    /// 32 bytes, raw or as base64.
    Key(Zeroizing<Vec<u8>>),
    /// A passphrase of at least 12 characters.
    Passphrase(Zeroizing<String>),
}

impl std::fmt::Debug for NewMasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Key(_) => "Key(…)",
            Self::Passphrase(_) => "Passphrase(…)",
        })
    }
}

/// The staged file: how to derive the new key from its passphrase, and the files of the keyring, sealed by that key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Staged {
    derivation: Option<String>,
    files: String,
}

/// The files of a keyring by name, in base64.
type Replacements = BTreeMap<String, String>;

/// Called before and after each step, with its name; a test stops there.
pub(super) type AtStep<'a> = &'a mut dyn FnMut(&str);

/// Opens a keyring: returns its master key. A replacement of the master key that was interrupted is completed if the
/// new key is given, and dropped if the old one is.
pub(super) fn open(directory: &Directory, source: &MasterKeySource) -> Result<Key, KeyringError> {
    let damaged = || KeyringError::Damaged { path: directory.path_of(STAGED), what: "it is no replacement" };
    if let Some(content) = directory.read_whole(STAGED)? {
        let staged: Staged = serde_json::from_slice(&content).map_err(|_| damaged())?;
        if let Some(new) = source.key_by(staged.derivation.as_deref())?
            && let Some(files) = unsealed(&staged, &new)
        {
            finish(directory, &files, staged.derivation.as_deref(), &mut |_| {})?;
            check_master_key(&new, directory)?;
            return Ok(new);
        }
    }
    let master = source.key(directory)?;
    check_master_key(&master, directory)?;
    // It was the old key: the replacement has not begun.
    directory.retire(STAGED)?;
    Ok(master)
}

/// Replaces the master key, and puts the new one into the file that has the old one, if it is in a file.
///
/// # Errors
/// When the new key is unfit, a data key is damaged, or the disk fails. Unless the keyring says that the replacement is
/// unfinished, nothing has changed.
pub(super) fn replace(
    open: &mut Files,
    new: &NewMasterKey,
    install: Option<&Path>,
    at: AtStep<'_>,
) -> Result<(), KeyringError> {
    if open.is_unfinished() {
        return Err(KeyringError::UnfinishedRekey);
    }
    let Read { key, derivation, content } = read(new)?;
    at("begin");
    let files = sealed_anew(open, &key)?;
    let text = Zeroizing::new(serde_json::to_vec(&files).map_err(|_| KeyringError::Provider("encode the keyring"))?);
    let sealed = key.seal(&CONTEXT, &text).map_err(|_| KeyringError::Provider("seal the keyring"))?;
    let staged = Staged { derivation: derivation.clone(), files: STANDARD.encode(sealed) };
    let bytes = serde_json::to_vec(&staged).map_err(|_| KeyringError::Provider("encode the keyring"))?;
    open.directory.write(STAGED, &bytes)?;
    at("staged");
    if let Some(path) = install {
        if let Err(error) = write_atomically(path, &content) {
            // The old key is still in its place.
            open.directory.retire(STAGED)?;
            return Err(error);
        }
        if let Err(error) = sync_ancestor(path) {
            // After a power cut, either of them may be there.
            open.begin_unfinished(key);
            return Err(error);
        }
    }
    at("installed");
    open.begin_unfinished(key);
    finish(&open.directory, &files, derivation.as_deref(), at)?;
    open.end_unfinished();
    Ok(())
}

/// Replaces the files of the keyring by the staged ones. It can be done again after a crash.
fn finish(
    directory: &Directory,
    files: &Replacements,
    derivation: Option<&str>,
    at: AtStep<'_>,
) -> Result<(), KeyringError> {
    let damaged = || KeyringError::Damaged { path: directory.path_of(STAGED), what: "it is no replacement" };
    let decoded = |text: &String| STANDARD.decode(text).map_err(|_| damaged());
    // From here on, the old key is refused.
    directory.write(CHECK_FILE, &decoded(files.get(CHECK_FILE).ok_or_else(damaged)?)?)?;
    at("check replaced");
    for (name, content) in files.iter().filter(|(name, _)| Owner::parse(name).is_some()) {
        directory.write(name, &decoded(content)?)?;
        at(name);
    }
    match derivation {
        Some(text) => directory.write(passphrase::FILE, text.as_bytes())?,
        None => directory.wipe(passphrase::FILE)?,
    }
    at("derivation replaced");
    directory.write(REPLACED, b"")?;
    at("noted");
    directory.retire(STAGED)?;
    at("end");
    Ok(())
}

/// The check and all data keys, sealed by the new key.
fn sealed_anew(open: &Files, new: &Key) -> Result<Replacements, KeyringError> {
    let failed = |_| KeyringError::Provider("seal a data key");
    let directory = &open.directory;
    let check = directory.read(CHECK_FILE)?.and_then(|sealed| open.master.open(&CHECK_CONTEXT, &sealed).ok());
    let path = || directory.path_of(CHECK_FILE);
    let check = check.ok_or_else(|| KeyringError::Damaged { path: path(), what: "the master key does not open it" })?;
    let mut files = Replacements::new();
    files.insert(CHECK_FILE.to_owned(), STANDARD.encode(new.seal(&CHECK_CONTEXT, &check).map_err(failed)?));
    for name in directory.names()?.into_iter().filter(|name| Owner::parse(name).is_some()) {
        let Some(sealed) = directory.read(&name)?.filter(|sealed| sealed.iter().any(|byte| *byte != 0)) else {
            continue;
        };
        let damaged = |_| KeyringError::Damaged { path: directory.path_of(&name), what: "it holds no data key" };
        let data_key = open.master.open(&key_context(&name), &sealed).map_err(damaged)?;
        let sealed = new.seal(&key_context(&name), &data_key).map_err(failed)?;
        files.insert(name, STANDARD.encode(sealed));
    }
    Ok(files)
}

fn unsealed(staged: &Staged, key: &Key) -> Option<Replacements> {
    let text = key.open(&CONTEXT, &STANDARD.decode(&staged.files).ok()?).ok()?;
    serde_json::from_slice(&text).ok()
}

/// A new key that was read.
struct Read {
    key: Key,
    /// How it is derived, if it is a passphrase.
    derivation: Option<String>,
    /// The content of its file.
    content: Zeroizing<Vec<u8>>,
}

fn read(new: &NewMasterKey) -> Result<Read, KeyringError> {
    match new {
        NewMasterKey::Key(content) => {
            let key = parse(content, &PathBuf::from("the new master key"))?;
            let mut content = Zeroizing::new(STANDARD.encode(key.as_bytes()).into_bytes());
            content.push(b'\n');
            Ok(Read { key, derivation: None, content })
        }
        NewMasterKey::Passphrase(text) => {
            let (key, derivation) = passphrase::new_key(text)?;
            let content = Zeroizing::new(format!("{}\n", text.as_str()).into_bytes());
            Ok(Read { key, derivation: Some(derivation), content })
        }
    }
}
