//! The list of keys: its filters and sort orders.

use super::tag_filter;
use crate::domain::id::KeyId;
use crate::domain::key::aggregate::Key;
use crate::domain::key::collection::KeyCollection;
use crate::domain::key::index::Term;
use crate::domain::key::name::{AliasName, AwsKeyId, KeyArn};
use crate::domain::key::renewal::Rotator;
use crate::domain::name::KmsName;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::template::TEMPLATE_TAG;
use crate::service::access;
use crate::service::caller::Caller;
use crate::service::kms::shown_connection;
use crate::service::list::{Candidates, Field, Listed};
use std::borrow::Cow;
use std::fmt::Write;
use uuid::fmt::Hyphenated;

impl Listed for Key {
    type Rows = KeyCollection;
    const SORTS: &'static [&'static str] = &[
        "id",
        "kms",
        "kms_id",
        "region",
        "alias",
        "arn",
        "keyid",
        "keystate",
        "keyusage",
        "key_spec",
        "origin",
        "description",
        "enabled",
        "gone",
        "createdAt",
        "updatedAt",
        "synced_at",
        // The other names of members, under which clients sort too.
        "blocked",
        "cloud_name",
        "connection",
        "CreationDate",
        "CustomKeyStoreID",
        "key_id",
        "multi_region_key_type",
        "ValidTo",
        "material_since",
        "rotated_by",
        "next_rotation_at",
        "valid_to",
    ];
    const FILTERS: &'static [&'static str] = &[
        "id",
        "kms",
        "kms_id",
        "region",
        "account_id",
        "keymanager",
        "CustomerMasterKeySpec",
        "key_material_origin",
        "blocked",
        "rotation_job_enabled",
        "cckm_policy_template_id",
        "keyid",
        "alias",
        "arn",
        "enabled",
        "keystate",
        "keyusage",
        "origin",
        "key_spec",
        "multi_region",
        "multi_region_key_type",
        "key_source",
        "cloud_name",
        "gone",
        "description",
        "tags",
        "job_config_id",
        "rotation_status",
        "custom_key_store_id",
        "custom_key_store_name",
        "linked_state",
        "rotated_by",
        "material_since_after",
        "material_since_before",
        "next_rotation_at_after",
        "next_rotation_at_before",
        "valid_to_after",
        "valid_to_before",
    ];
    const WORDS: &'static [(&'static str, &'static [&'static str])] = &[("rotated_by", Rotator::NAMES)];
    const TIMES: &'static [&'static str] = &["material_since", "next_rotation_at", "valid_to"];
    const SEARCHES: &'static [&'static str] = &["alias", "id", "keyid", "arn", "description", "tags"];
    const IDENTITIES: &'static [&'static str] = &["id", "keyid", "arn", "alias", "kms_id", "kms"];
    const SEES: Option<fn(&Caller, &Self) -> bool> =
        Some(|caller, key| access::sees_key(&caller.user, &caller.published.state, key));

    fn rows(state: &State) -> &Self::Rows {
        &state.keys
    }

    fn identified<'a>(state: &'a State, member: &str, value: &str) -> Candidates<'a, Self> {
        let keys = &state.keys;
        match member {
            "id" => Box::new(KeyId::parse(value).into_iter()),
            "keyid" => Box::new(AwsKeyId::parse(value).into_iter().flat_map(|id| keys.candidates(Term::AwsId(&id)))),
            "arn" => Box::new(KeyArn::parse(value).into_iter().flat_map(|arn| keys.candidates(Term::AwsId(arn.id())))),
            "alias" => {
                let names = [AliasName::parse(value), AliasName::parse(&format!("alias/{value}"))];
                Box::new(names.into_iter().flatten().flat_map(|alias| keys.candidates(Term::Alias(&alias))))
            }
            // `kms_id` or `kms`.
            _ => {
                let called = state.kms_by_id_or_name(value).ok();
                let named = KmsName::parse(value).ok().and_then(|name| state.kms_named(&name));
                let kms = called.into_iter().chain(named).map(|kms| kms.id);
                Box::new(kms.flat_map(|kms| state.keys_of_kms(kms).map(|key| key.id)))
            }
        }
    }

    fn expand<'a>(member: &str, value: &'a str, _: &Caller) -> Result<Vec<Vec<Cow<'a, str>>>, Refusal> {
        Ok(vec![if member == "tags" { tag_filter::expand(value)? } else { vec![Cow::Borrowed(value)] }])
    }

    /// Without a copy of each text: a search looks into those of every key.
    fn tell_texts(&self, _: &Caller, tell: &mut dyn FnMut(&str)) {
        self.aliases.iter().for_each(|alias| {
            // The text without the prefix first: it is the whole name for a client.
            tell(alias.short());
            tell(alias.as_str());
        });
        let mut id = [0; Hyphenated::LENGTH];
        tell(self.id.uuid().hyphenated().encode_lower(&mut id));
        tell(self.metadata.key_id().as_str());
        tell(self.description());
        // One buffer, longer than most ARNs, for all that must be put together.
        let mut text = String::with_capacity(128);
        // Writing to a `String` does not fail.
        let _ = write!(text, "{}", self.metadata.arn);
        tell(&text);
        for tag in self.tags.iter().filter(|tag| tag.is_shown()) {
            tell(&tag.key);
            tell(&tag.value);
            text.clear();
            text.extend([tag.key.as_str(), ":", tag.value.as_str()]);
            tell(&text);
        }
    }

    fn field(&self, member: &str, caller: &Caller) -> Field {
        let state = &caller.published.state;
        let text = |text: &str| Field::Text(text.to_owned());
        let some = |value: Option<String>| value.map_or(Field::Absent, Field::Text);
        let metadata = &self.metadata;
        match member {
            "id" => Field::Text(self.id.to_string()),
            "kms" => Field::Texts(kms_names(self, state)),
            "kms_id" => Field::Text(self.kms.to_string()),
            "region" => text(self.region.as_str()),
            "account_id" => Field::Text(metadata.account().to_string()),
            "cloud_name" => text(metadata.arn.partition().as_str()),
            "keymanager" => text(metadata.manager.as_str()),
            "CustomerMasterKeySpec" | "key_spec" => text(metadata.spec.as_str()),
            "key_material_origin" => text(self.material_origin().name()),
            "key_source" => text(if self.materials.is_empty() && self.hyok.is_none() { "" } else { "local" }),
            "blocked" => Field::Flag(self.hyok.as_ref().is_some_and(|hyok| hyok.blocked)),
            "linked_state" => Field::Flag(!self.is_unlinked()),
            "rotation_job_enabled" => Field::Flag(self.rotation_job.is_some()),
            "job_config_id" => some(self.rotation_job.as_ref().map(|job| job.schedule.to_string())),
            "rotation_status" => some(self.last_rotation.as_ref().map(|last| match last {
                Ok(()) => "SUCCESSFUL".to_owned(),
                Err(_) => "FAILED".to_owned(),
            })),
            "cckm_policy_template_id" => some(self.tag(TEMPLATE_TAG).map(str::to_owned)),
            "keyid" | "key_id" => text(metadata.key_id().as_str()),
            "connection" => some(state.kms.get(&self.kms).map(|kms| shown_connection(kms, state))),
            "CreationDate" => metadata.created_at.map_or(Field::Absent, Field::Moment),
            "material_since" => Field::Moment(self.material_since()),
            "rotated_by" => text(state.next_renewal(self).by.name()),
            "next_rotation_at" => state.next_renewal(self).at.map_or(Field::Absent, Field::Moment),
            "ValidTo" | "valid_to" => metadata.valid_to.map_or(Field::Absent, Field::Moment),
            "alias" => Field::Texts(self.aliases.iter().flat_map(both_forms).collect()),
            "arn" => Field::Text(metadata.arn.to_string()),
            "enabled" => Field::Flag(metadata.enabled),
            "keystate" => text(metadata.state.as_str()),
            "keyusage" => text(metadata.usage.as_str()),
            "origin" => text(metadata.origin.as_str()),
            "multi_region" => Field::Flag(metadata.multi_region.is_some()),
            "multi_region_key_type" => some(metadata.multi_region.as_ref().map(|family| family.kind.to_string())),
            "gone" => Field::Flag(state.is_gone(self)),
            "description" => text(self.description()),
            "tags" => Field::Texts(self.tags.iter().filter(|tag| tag.is_shown()).flat_map(tag_filter::texts).collect()),
            "custom_key_store_id" => {
                let ours = self.hyok.as_ref().map(|hyok| hyok.store.to_string());
                Field::Texts(ours.into_iter().chain(metadata.custom_key_store_id.clone()).collect())
            }
            "custom_key_store_name" => {
                let ours = self.hyok.as_ref().and_then(|hyok| state.key_stores.get(&hyok.store));
                some(ours.map(|store| store.name.to_string()))
            }
            "CustomKeyStoreID" => some(metadata.custom_key_store_id.clone()),
            "createdAt" => Field::Moment(self.created),
            "updatedAt" => Field::Moment(self.updated),
            "synced_at" => Field::Moment(self.synced),
            _ => Field::Absent,
        }
    }
}

/// An alias with and without its prefix. Clients filter by either.
fn both_forms(alias: &AliasName) -> [String; 2] {
    [alias.as_str().to_owned(), alias.short().to_owned()]
}

/// The name and the id of a key's KMS. Clients filter by either.
fn kms_names(key: &Key, state: &State) -> Vec<String> {
    let name = state.kms.get(&key.kms).map(|kms| kms.name.to_string());
    name.into_iter().chain([key.kms.to_string()]).collect()
}
