//! Where a source key is used: the AWS keys that have its material, the HYOK keys and virtual keys whose versions it is,
//! and the key stores that check their health with it.

use super::SourceKeys;
use crate::domain::id::SourceKeyId;
use crate::domain::key::aggregate::{ImportedMaterial, Key};
use crate::domain::key::index::Term;
use crate::domain::key::virtual_key::VirtualKey;
use crate::domain::key_store::KeyStore;
use crate::domain::source_key::SourceKey;
use crate::service::access::{self, Permit, ViewSourceKeys};
use crate::service::failure::Failure;
use crate::service::list::{Field, Query, Words, arrange, check_words, pool};
use std::sync::Arc;

/// The members to filter by.
pub const FILTERS: &[&str] = &["kind", "kms", "region", "source_key_id"];
pub const WORDS: Words = &[("kind", &["material", "hyok_version", "virtual_key", "health_check"])];

/// A use of a version of a source key.
pub struct SourceKeyUse {
    pub source: SourceKeyId,
    /// The number of the version of the source key.
    pub version: u32,
    pub what: UsedAs,
}

/// What a source key is used as.
pub enum UsedAs {
    /// The material of an AWS key. The Boolean tells whether it is the current one.
    Material { key: Arc<Key>, kms: String, material: ImportedMaterial, current: bool },
    /// A version of a HYOK key: its number, from 1 on, and whether it encrypts now.
    HyokVersion { key: Arc<Key>, kms: String, number: usize, current: bool },
    /// A virtual key without a HYOK key.
    VirtualKey(VirtualKey),
    /// The health check key of a key store.
    HealthCheck { store: Arc<KeyStore>, kms: String },
}

impl SourceKeyUse {
    /// The kind, which is one of [`WORDS`].
    pub fn kind(&self) -> &'static str {
        match self.what {
            UsedAs::Material { .. } => "material",
            UsedAs::HyokVersion { .. } => "hyok_version",
            UsedAs::VirtualKey(_) => "virtual_key",
            UsedAs::HealthCheck { .. } => "health_check",
        }
    }

    /// The value of a member of [`FILTERS`].
    fn field(&self, member: &str) -> Field {
        let place = match &self.what {
            UsedAs::Material { key, kms, .. } | UsedAs::HyokVersion { key, kms, .. } => {
                Some((kms, key.kms, &key.region))
            }
            UsedAs::HealthCheck { store, kms } => Some((kms, store.kms, &store.region)),
            UsedAs::VirtualKey(_) => None,
        };
        match (member, place) {
            ("kind", _) => Field::Text(self.kind().to_owned()),
            ("kms", Some((name, id, _))) => Field::Texts(vec![name.clone(), id.to_string()]),
            ("region", Some((_, _, region))) => Field::Text(region.to_string()),
            ("kms" | "region", None) => Field::Absent,
            _ => Field::Text(self.source.to_string()),
        }
    }
}

impl SourceKeys {
    /// Lists where the versions of a source key are used, as far as the caller may view it and it matches the query: the
    /// newest version first.
    ///
    /// # Errors
    /// When a filter has an invalid value, or the program stops.
    pub async fn uses(
        &self,
        permit: &Permit<ViewSourceKeys>,
        key: &SourceKey,
        query: &Query,
    ) -> Result<Vec<SourceKeyUse>, Failure> {
        check_words(query, WORDS)?;
        let (caller, name, query) = (permit.caller().clone(), key.made.name.clone(), query.clone());
        pool::run(move || {
            let (user, state) = (&caller.user, &caller.published.state);
            let kms_name = |id| state.kms.get(&id).map(|kms| kms.name.to_string()).unwrap_or_default();
            let mut versions: Vec<_> = state.source_keys.all_named(&name).cloned().collect();
            versions.sort_by_key(|version| std::cmp::Reverse(version.version));
            let mut uses = Vec::new();
            for version in versions {
                let mut add = |what| uses.push(SourceKeyUse { source: version.id, version: version.version, what });
                let keys = state.keys.find(Term::SourceKey(version.id)).into_iter();
                for key in keys.filter(|key| access::sees_key(user, state, key)) {
                    let current = key.current_import();
                    for material in key.materials.iter().filter(|material| material.source == version.id) {
                        let current = current == Some(material);
                        let (key, material) = (key.clone(), material.clone());
                        add(UsedAs::Material { kms: kms_name(key.kms), key, material, current });
                    }
                    let held = key.hyok.iter().flat_map(|hyok| &hyok.versions);
                    let count = key.hyok.as_ref().map_or(0, |hyok| hyok.versions.len());
                    for (number, _) in (1..).zip(held).filter(|(_, held)| held.source == version.id) {
                        let (key, current) = (key.clone(), number == count);
                        add(UsedAs::HyokVersion { kms: kms_name(key.kms), key, number, current });
                    }
                }
                if access::administers_kms(user) {
                    let made = state.keys.virtual_keys().iter().filter(|made| made.source == version.id);
                    made.for_each(|made| add(UsedAs::VirtualKey(made.as_ref().clone())));
                }
                let checks = |store: &&Arc<KeyStore>| {
                    store.local.as_ref().is_some_and(|local| local.settings.health_check_key == version.id)
                };
                let stores = state.key_stores.iter().filter(checks);
                for store in stores.filter(|store| access::sees_key_store(user, state, store)) {
                    add(UsedAs::HealthCheck { kms: kms_name(store.kms), store: store.clone() });
                }
            }
            arrange(&mut uses, &query, WORDS, SourceKeyUse::field);
            uses
        })
        .await
    }
}
