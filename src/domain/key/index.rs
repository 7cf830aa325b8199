//! The index of keys by search terms: AWS id, alias, template and others.

use super::aggregate::Key;
use super::mark;
use super::name::{AliasName, AwsKeyId};
use super::tag::TEMPLATE_TAG;
use crate::domain::id::{KeyId, KeyStoreId, ScheduleId, SourceKeyId};
use imbl::OrdSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use uuid::Uuid;

/// A term by which keys are found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Term<'a> {
    /// The AWS id, which the keys of a multi-region family share.
    AwsId(&'a AwsKeyId),
    /// An alias, which keys in other accounts and regions may have too.
    Alias(&'a AliasName),
    /// The id of a policy template, from the key's tag.
    Template(&'a str),
    /// The schedule that rotates the key.
    Schedule(ScheduleId),
    /// A source key whose material the key has or had.
    SourceKey(SourceKeyId),
    /// The external key store of a key that this program holds.
    KeyStore(KeyStoreId),
    /// The description has the mark of an operation.
    MarkedDescription,
    /// The key is a replica with imported material.
    ImportedReplica,
}

/// The keys by the hashes of their terms. An entry has 24 bytes; the terms themselves would be several times as large.
/// Two terms may share a hash, so results must be compared with the term.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct KeyIndex {
    entries: OrdSet<(u64, KeyId)>,
}

impl KeyIndex {
    pub(super) fn insert(&mut self, key: &Key) {
        for hash in hashes(key) {
            self.entries.insert((hash, key.id));
        }
    }

    pub(super) fn remove(&mut self, key: &Key) {
        for hash in hashes(key) {
            self.entries.remove(&(hash, key.id));
        }
    }

    /// Updates the entries of a key that changed; `before` are its previous hashes.
    pub(super) fn update(&mut self, before: &[u64], key: &Key) {
        let after = hashes(key);
        if before == after {
            return;
        }
        for hash in before.iter().filter(|hash| !after.contains(hash)) {
            self.entries.remove(&(*hash, key.id));
        }
        for hash in after.iter().filter(|hash| !before.contains(hash)) {
            self.entries.insert((*hash, key.id));
        }
    }

    /// Returns all keys that have a term and, rarely, others with the same hash.
    pub(super) fn candidates<'a>(&'a self, term: &Term<'_>) -> impl Iterator<Item = KeyId> + use<'a> {
        let (hash, least, greatest) = (hash(term), KeyId::new(Uuid::nil()), KeyId::new(Uuid::max()));
        self.entries.range((hash, least)..=(hash, greatest)).map(|(_, id)| *id)
    }
}

pub(super) fn hashes(key: &Key) -> Vec<u64> {
    terms(key).map(|term| hash(&term)).collect()
}

/// Returns the terms by which a key is found.
pub(super) fn terms(key: &Key) -> impl Iterator<Item = Term<'_>> {
    std::iter::once(Term::AwsId(key.aws_id()))
        .chain(key.aliases.iter().map(Term::Alias))
        .chain(key.tag(TEMPLATE_TAG).map(Term::Template))
        .chain(key.rotation_job.as_ref().map(|job| Term::Schedule(job.schedule)))
        .chain(key.materials.iter().map(|material| Term::SourceKey(material.source)))
        .chain(key.hyok.iter().flat_map(|hyok| &hyok.versions).map(|version| Term::SourceKey(version.source)))
        .chain(key.hyok.as_ref().map(|hyok| Term::KeyStore(hyok.store)))
        .chain(mark::of_description(&key.metadata.description).map(|_| Term::MarkedDescription))
        .chain(key.is_imported_replica().then_some(Term::ImportedReplica))
}

fn hash(term: &Term<'_>) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(term)
}
