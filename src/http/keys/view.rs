//! A key in answers: the envelope, Claviger's members, and AWS's members under AWS's names in CamelCase.

use super::aws_param::{AwsParamView, LabelsView};
use super::hyok::HyokView;
use crate::domain::id::{KeyId, KmsId, SourceKeyId};
use crate::domain::key::aggregate::Key;
use crate::domain::key::policy::PolicyPrincipals;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::place::AccountId;
use crate::domain::time::Time;
use crate::http::envelope::Envelope;
use crate::http::key_stores::CallerRulesView;
use crate::http::text::Text;
use crate::service::keys::KeySeen;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

/// A key with what the caller may see of it.
pub struct KeyView(KeySeen);

/// An AWS key.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
struct Members<'a> {
    #[serde(flatten)]
    envelope: Envelope,
    /// The name of the KMS that manages the key.
    kms: &'a str,
    /// The id of that KMS.
    #[schema(value_type = String)]
    kms_id: Text<KmsId>,
    /// The AWS account of the key.
    #[schema(value_type = String)]
    account_id: Text<AccountId>,
    /// The AWS partition of the key.
    cloud_name: &'static str,
    /// The region of the key.
    #[schema(example = "eu-west-3")]
    region: &'a str,
    /// `local` if the key has the material of a source key; otherwise empty.
    key_source: &'a str,
    /// The same under the name in requests.
    source_key_tier: &'a str,
    /// The origin of the key's material: `native` (AWS), `cckm` (a source key) or `unknown`.
    key_material_origin: &'static str,
    /// The type of the key: `symmetric` or `asymmetric`.
    key_type: &'static str,
    /// The id of the source key, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    local_key_id: Option<Text<SourceKeyId>>,
    /// The name of the source key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    local_key_name: Option<&'a str>,
    /// Whether the XKS proxy refuses all requests for the key.
    blocked: bool,
    /// Whether AWS knows the key; only for keys in custom key stores.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    linked_state: Option<bool>,
    /// The id of the custom key store that has the key; AWS's id if the store is not known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    custom_key_store_id: Option<Cow<'a, str>>,
    /// What only this manager knows of a HYOK key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    local_hosted_params: Option<HyokView>,
    /// The callers that a HYOK key serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    caller_rules: Option<CallerRulesView>,
    /// The date on which AWS deletes the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    deletion_date: Option<Text<Time>>,
    /// Whether AWS has deleted the key.
    gone: bool,
    /// The time at which the key was last read from AWS.
    #[schema(value_type = String, format = DateTime)]
    synced_at: Text<Time>,
    /// The time from which the key has had its present material, as far as it is known here: a rotation by AWS is seen
    /// when the key is read the next time. A client asks `rotations` for what AWS knows.
    #[schema(value_type = String, format = DateTime)]
    material_since: Text<Time>,
    /// Who is going to renew the material next: `schedule`, `aws` (its automatic rotation) or `none`.
    rotated_by: &'static str,
    /// The time of that renewal. Absent if nobody renews it, or the time is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    next_rotation_at: Option<Text<Time>>,
    /// The time at which the imported material expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    valid_to: Option<Text<Time>>,
    /// The time at which Claviger replaced the key or rotated its material.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    rotated_at: Option<Text<Time>>,
    /// The id of the key that replaced this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    rotated_to: Option<Text<KeyId>>,
    /// The id of the key that this one replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    rotated_from: Option<Text<KeyId>>,
    /// The result of the last rotation by Claviger: `SUCCESSFUL`, or `FAILED:` and the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    rotation_status: Option<Cow<'a, str>>,
    /// The time from which AWS has recorded the use of the key. Absent while that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    usage_tracked_since: Option<Text<Time>>,
    /// The time of the last successful cryptographic operation since then, as read by a synchronisation or a refresh;
    /// exact to a day. Absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    last_used_at: Option<Text<Time>>,
    /// That operation, such as `Decrypt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_used_operation: Option<&'a str>,
    /// The id of its event in CloudTrail.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_used_event_id: Option<&'a str>,
    /// The policy of the newest replica, as text; empty for a key that is no primary key with a replica in its KMS.
    replica_policy: &'a str,
    /// IAM users who administer the key, according to its policy.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    key_admins: &'a [String],
    /// IAM roles that administer the key.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    key_admins_roles: &'a [String],
    /// IAM users who use the key.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    key_users: &'a [String],
    /// IAM roles that use the key.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    key_users_roles: &'a [String],
    /// Other AWS accounts that use the key.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    external_accounts: &'a [String],
    /// The schedule that rotates the key, with the options of the rotation.
    #[schema(value_type = Object)]
    labels: LabelsView<'a>,
    /// The state of the key at AWS, under AWS's names.
    #[schema(value_type = Object)]
    aws_param: AwsParamView<'a>,
}

impl KeyView {
    pub fn of(seen: KeySeen) -> Self {
        Self(seen)
    }
}

impl Serialize for KeyView {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Members::of(&self.0).serialize(to)
    }
}

impl PartialSchema for KeyView {
    fn schema() -> RefOr<Schema> {
        Members::schema()
    }
}

impl ToSchema for KeyView {
    fn name() -> Cow<'static, str> {
        Members::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Members::schemas(schemas);
    }
}

impl<'a> Members<'a> {
    fn of(seen: &'a KeySeen) -> Self {
        let key: &Key = &seen.key;
        let hyok = key.hyok.as_deref();
        let in_store = hyok.is_some() || key.metadata.custom_key_store_id.is_some();
        let tier = match (hyok, seen.source) {
            (Some(hyok), _) => &hyok.source_key_tier,
            (None, Some(_)) => "local",
            (None, None) => "",
        };
        let aws_store = key.metadata.custom_key_store_id.as_deref().map(Cow::Borrowed);
        let store = hyok.map(|hyok| hyok.store).or(seen.store).map(|store| Cow::Owned(store.to_string()));
        let replica_policy = seen.replica.as_ref().and_then(|replica| replica.policy.as_ref());
        let used = key.last_use.as_ref().and_then(|known| known.last.as_ref());
        let named = |kind: fn(&PolicyPrincipals) -> &[String]| seen.principals.as_ref().map_or(&[][..], kind);
        Self {
            envelope: Envelope::new(key.id, "cckm:aws-key", key.id, key.created, key.updated),
            kms: &seen.kms,
            kms_id: Text(key.kms),
            account_id: Text(key.metadata.account()),
            cloud_name: key.metadata.arn.partition().as_str(),
            region: key.region.as_str(),
            key_source: tier,
            source_key_tier: tier,
            key_material_origin: key.material_origin().name(),
            key_type: key_type(key),
            local_key_id: seen.source.map(Text),
            local_key_name: seen.source_name.as_deref(),
            blocked: hyok.is_some_and(|hyok| hyok.blocked),
            linked_state: in_store.then(|| !key.is_unlinked()),
            custom_key_store_id: store.or(aws_store),
            local_hosted_params: hyok.map(|hyok| HyokView::of(seen, hyok)),
            caller_rules: hyok.map(|hyok| CallerRulesView::of(&hyok.caller_rules)),
            deletion_date: key.metadata.deletion_date.map(Text),
            gone: seen.gone,
            synced_at: Text(key.synced),
            material_since: Text(key.material_since()),
            rotated_by: seen.renewal.by.name(),
            next_rotation_at: seen.renewal.at.map(Text),
            valid_to: key.metadata.valid_to.map(Text),
            rotated_at: key.rotated_at.map(Text),
            rotated_to: key.rotated_to.map(Text),
            rotated_from: key.rotated_from.map(Text),
            rotation_status: rotation_status(key),
            usage_tracked_since: key.last_use.as_ref().map(|known| Text(known.tracked_since)),
            last_used_at: used.map(|used| Text(used.at)),
            last_used_operation: used.map(|used| used.operation.as_str()),
            last_used_event_id: used.map(|used| used.event_id.as_str()).filter(|id| !id.is_empty()),
            replica_policy: replica_policy.map_or("", PolicyText::as_str),
            key_admins: named(|principals| &principals.admins),
            key_admins_roles: named(|principals| &principals.admin_roles),
            key_users: named(|principals| &principals.users),
            key_users_roles: named(|principals| &principals.user_roles),
            external_accounts: named(|principals| &principals.accounts),
            labels: LabelsView::of(key.rotation_job.as_ref()),
            aws_param: AwsParamView::of(key, seen.replica.as_deref()),
        }
    }
}

fn key_type(key: &Key) -> &'static str {
    if key.metadata.spec.is_asymmetric() { "asymmetric" } else { "symmetric" }
}

fn rotation_status(key: &Key) -> Option<Cow<'_, str>> {
    Some(match key.last_rotation.as_ref()? {
        Ok(()) => "SUCCESSFUL".into(),
        Err(reason) => format!("FAILED: {reason}").into(),
    })
}
