//! The member `aws_param` of a key: its state at AWS, under AWS's names in CamelCase. It borrows from the key, since it
//! is most of what a list of keys writes.

use crate::domain::id::ScheduleId;
use crate::domain::key::aggregate::Key;
use crate::domain::key::aws_enums::Origin;
use crate::domain::key::event::RotationJob;
use crate::domain::key::metadata::MultiRegion;
use crate::domain::key::name::{AliasName, KeyArn};
use crate::domain::key::tag::Tag;
use crate::domain::place::AccountId;
use crate::domain::time::Time;
use crate::http::text::Text;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// The members in the order of their names; those without a value are left out.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AwsParamView<'a> {
    #[serde(rename = "AWSAccountId")]
    aws_account_id: Text<AccountId>,
    #[serde(skip_serializing_if = "<[_]>::is_empty", serialize_with = "aliases")]
    alias: &'a [AliasName],
    #[serde(serialize_with = "or_empty")]
    arn: Option<&'a KeyArn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud_hsm_cluster_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_date: Option<Text<Time>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_key_material_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_key_store_id: Option<&'a str>,
    customer_master_key_spec: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_date: Option<Text<Time>>,
    description: &'a str,
    enabled: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    encryption_algorithms: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_model: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    key_agreement_algorithms: &'a [String],
    #[serde(rename = "KeyID")]
    key_id: &'a str,
    /// The same under AWS's own name, which some clients read.
    #[serde(rename = "KeyId")]
    aws_key_id: &'a str,
    key_manager: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_rotation_enabled: Option<bool>,
    key_spec: &'a str,
    key_state: &'a str,
    key_usage: &'a str,
    /// The algorithm of an HMAC key, which has only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    mac_algorithm_spec: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    mac_algorithms: &'a [String],
    multi_region: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_region_configuration: Option<Family<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_rotation_date: Option<Text<Time>>,
    origin: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_deletion_window_in_days: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a RawValue>,
    /// The policy and the tags of the newest replica of a primary key.
    #[serde(skip_serializing_if = "Option::is_none")]
    replica_policy: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "is_none_shown", serialize_with = "tags")]
    replica_tags: &'a [Tag],
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_period_in_days: Option<u16>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    signing_algorithms: &'a [String],
    #[serde(skip_serializing_if = "is_none_shown", serialize_with = "tags")]
    tags: &'a [Tag],
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<Text<Time>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xks_key_configuration: Option<XksKey<'a>>,
}

/// The member `labels` of a key: the schedule that rotates it, with the options of the rotation.
#[derive(Serialize)]
pub(super) struct LabelsView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_rotate_disable_encrypt: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_rotate_disable_encrypt_on_all_accounts: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_rotate_key_source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disable_encrypt_for_all_accounts_on_auto_rotate: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disable_encrypt_on_auto_rotate: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_config_id: Option<Text<ScheduleId>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Family<'a> {
    multi_region_key_type: &'a str,
    primary_key: Member<'a>,
    #[serde(serialize_with = "replicas")]
    replica_keys: &'a [KeyArn],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Member<'a> {
    arn: Text<&'a KeyArn>,
    region: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagView<'a> {
    tag_key: &'a str,
    tag_value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct XksKey<'a> {
    id: &'a str,
}

impl<'a> AwsParamView<'a> {
    pub(super) fn of(key: &'a Key, replica: Option<&'a Key>) -> Self {
        let (metadata, rotation) = (&key.metadata, key.rotation.as_ref());
        let policy = |key: &'a Key| key.policy.as_ref().and_then(|policy| serde_json::from_str(policy.as_str()).ok());
        // AWS has given an unlinked key nothing yet: its members are there, and empty.
        let known = !key.is_unlinked();
        let of_aws = |text: &'a str| if known { text } else { "" };
        let unread = (metadata.origin == Origin::AwsKms).then_some(false);
        Self {
            aws_account_id: Text(metadata.account()),
            alias: &key.aliases,
            arn: known.then_some(&metadata.arn),
            cloud_hsm_cluster_id: metadata.cloud_hsm_cluster_id.as_deref(),
            creation_date: metadata.created_at.map(Text),
            current_key_material_id: metadata.current_material.as_ref().map(|id| id.as_str()),
            custom_key_store_id: metadata.custom_key_store_id.as_deref().or((!known).then_some("")),
            customer_master_key_spec: metadata.spec.as_str(),
            deletion_date: metadata.deletion_date.map(Text),
            description: key.description(),
            enabled: metadata.enabled,
            encryption_algorithms: &metadata.algorithms.encryption,
            expiration_model: metadata.expiration_model.as_ref().map(|model| model.as_str()),
            key_agreement_algorithms: &metadata.algorithms.key_agreement,
            key_id: of_aws(metadata.key_id().as_str()),
            aws_key_id: of_aws(metadata.key_id().as_str()),
            key_manager: metadata.manager.as_str(),
            key_rotation_enabled: rotation.map(|rotation| rotation.enabled).or(unread),
            key_spec: metadata.spec.as_str(),
            key_state: metadata.state.as_str(),
            key_usage: metadata.usage.as_str(),
            mac_algorithm_spec: metadata.algorithms.mac.first().map(String::as_str),
            mac_algorithms: &metadata.algorithms.mac,
            multi_region: metadata.multi_region.is_some(),
            multi_region_configuration: metadata.multi_region.as_deref().map(Family::of),
            next_rotation_date: rotation.and_then(|rotation| rotation.next).map(Text),
            origin: metadata.origin.as_str(),
            pending_deletion_window_in_days: metadata.pending_window.map(|window| window.days()),
            policy: policy(key),
            replica_policy: replica.and_then(policy),
            replica_tags: replica.map_or(&[], |replica| &replica.tags),
            rotation_period_in_days: rotation.and_then(|rotation| rotation.period).map(|period| period.days()),
            signing_algorithms: &metadata.algorithms.signing,
            tags: &key.tags,
            valid_to: metadata.valid_to.map(Text),
            xks_key_configuration: metadata.xks_key_id.as_deref().or((!known).then_some("")).map(|id| XksKey { id }),
        }
    }
}

impl<'a> LabelsView<'a> {
    pub(super) fn of(job: Option<&'a RotationJob>) -> Self {
        let flag = |is_set: fn(&RotationJob) -> bool| job.map(|job| if is_set(job) { "true" } else { "false" });
        let set = |is_set: fn(&RotationJob) -> bool| flag(is_set).filter(|flag| *flag == "true");
        Self {
            auto_rotate_disable_encrypt: set(|job| job.disable_encrypt),
            auto_rotate_disable_encrypt_on_all_accounts: set(|job| job.disable_encrypt_on_all_accounts),
            auto_rotate_key_source: job.map(|job| job.key_source.as_str()),
            disable_encrypt_for_all_accounts_on_auto_rotate: flag(|job| job.disable_encrypt_on_all_accounts),
            disable_encrypt_on_auto_rotate: flag(|job| job.disable_encrypt),
            job_config_id: job.map(|job| Text(job.schedule)),
        }
    }
}

impl<'a> Family<'a> {
    fn of(family: &'a MultiRegion) -> Self {
        Self {
            multi_region_key_type: family.kind.as_str(),
            primary_key: Member::of(&family.primary),
            replica_keys: &family.replicas,
        }
    }
}

impl<'a> Member<'a> {
    fn of(arn: &'a KeyArn) -> Self {
        Self { arn: Text(arn), region: arn.region().as_str() }
    }
}

fn or_empty<S: Serializer>(arn: &Option<&KeyArn>, to: S) -> Result<S::Ok, S::Error> {
    match arn {
        Some(arn) => to.collect_str(arn),
        None => to.serialize_str(""),
    }
}

fn aliases<S: Serializer>(aliases: &&[AliasName], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(aliases.iter().map(AliasName::as_str))
}

fn replicas<S: Serializer>(replicas: &&[KeyArn], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(replicas.iter().map(Member::of))
}

fn is_none_shown(tags: &&[Tag]) -> bool {
    !tags.iter().any(Tag::is_shown)
}

fn tags<S: Serializer>(tags: &&[Tag], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(
        tags.iter().filter(|tag| tag.is_shown()).map(|tag| TagView { tag_key: &tag.key, tag_value: &tag.value }),
    )
}
