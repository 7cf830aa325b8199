//! From what a key is looked for by (its id at AWS, an alias, a template, …) to the key.

use super::aggregate::Key;
use super::name::{AliasName, AwsKeyId};
use super::tag::TEMPLATE_TAG;
use crate::domain::id::{KeyId, ScheduleId, SourceKeyId};
use imbl::OrdSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use uuid::Uuid;

/// What keys are looked for by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Term<'a> {
    /// Its id at AWS, which the keys of a multi-region family share.
    AwsId(&'a AwsKeyId),
    /// An alias, which keys in other accounts and regions may have too.
    Alias(&'a AliasName),
    /// The id of the policy template that its tag names.
    Template(&'a str),
    /// The schedule that rotates it.
    Schedule(ScheduleId),
    /// A source key whose material it has or had.
    SourceKey(SourceKeyId),
}

/// The keys by the hashes of their terms: 24 bytes an entry, where the terms themselves would be most of the index. Two
/// terms may share a hash, so that what is found is compared with the term.
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

    /// Takes in that a key changed; `before` are its hashes until then.
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

    /// The keys that may have a term.
    pub(super) fn candidates<'a>(&'a self, term: &Term<'_>) -> impl Iterator<Item = KeyId> + use<'a> {
        let (hash, least, greatest) = (hash(term), KeyId::new(Uuid::nil()), KeyId::new(Uuid::max()));
        self.entries.range((hash, least)..=(hash, greatest)).map(|(_, id)| *id)
    }
}

/// The hashes of a key's terms.
pub(super) fn hashes(key: &Key) -> Vec<u64> {
    terms(key).map(|term| hash(&term)).collect()
}

/// What a key can be found by.
pub(super) fn terms(key: &Key) -> impl Iterator<Item = Term<'_>> {
    std::iter::once(Term::AwsId(key.aws_id()))
        .chain(key.aliases.iter().map(Term::Alias))
        .chain(key.tag(TEMPLATE_TAG).map(Term::Template))
        .chain(key.rotation_job.as_ref().map(|job| Term::Schedule(job.schedule)))
        .chain(key.materials.iter().map(|material| Term::SourceKey(material.source)))
}

fn hash(term: &Term<'_>) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(term)
}
