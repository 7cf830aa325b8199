//! KMSs, and the accounts behind them, as clients see them.

use super::action_names;
use crate::domain::acl::{AclEntry, Principal};
use crate::domain::action::{API_TABLE, Action};
use crate::domain::kms::{AssumedRole, Kms};
use crate::domain::name::KmsName;
use crate::domain::place::{AccountId, Region};
use crate::http::envelope::{self, Envelope};
use crate::service::kms::{self, AccountSeen, KmsSeen};
use serde::Serialize;
use utoipa::ToSchema;

/// An account, as a connection (and a role) leads to it.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub struct AccountView {
    /// The AWS account.
    #[schema(example = "123456789012")]
    account_id: String,
    /// The regions that are enabled there.
    regions: Vec<String>,
    /// As asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    assume_role_arn: Option<String>,
    /// As asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    assume_role_external_id: Option<String>,
    /// Permissions of the prerequisites that are missing; only if `validate` was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    missing_permissions: Option<Vec<String>>,
}

/// The regions of a connection's account.
#[derive(Serialize, ToSchema)]
#[schema(as = Regions)]
pub struct RegionsView {
    /// The regions that are enabled there.
    regions: Vec<String>,
}

/// A KMS.
#[derive(Serialize, ToSchema)]
#[schema(as = Kms)]
pub struct KmsView {
    #[serde(flatten)]
    envelope: Envelope,
    /// Its name here.
    #[serde(serialize_with = "envelope::text")]
    #[schema(value_type = String, example = "kms")]
    name: KmsName,
    /// The AWS account.
    #[serde(serialize_with = "envelope::text")]
    #[schema(value_type = String, example = "123456789012")]
    account_id: AccountId,
    /// As whom AWS knows the connection there.
    #[schema(example = "arn:aws:iam::123456789012:user/user1")]
    arn: String,
    /// Who may do what; absent while nobody but administrators may do anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    acls: Vec<AclView>,
    /// The role that is assumed for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    assume_role_arn: Option<String>,
    /// The external id that the role asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    assume_role_external_id: Option<String>,
    /// The name of its connection.
    #[schema(example = "aws")]
    connection: String,
    /// Its regions.
    #[serde(serialize_with = "envelope::regions")]
    #[schema(value_type = Vec<String>, example = json!(["ap-south-1", "us-east-1"]))]
    regions: Vec<Region>,
    /// Its partition.
    #[schema(example = "aws")]
    cloud_name: &'static str,
    // This and `status` are always there, but the answers on the vendor's page do not have them.
    /// Always false: KMSs are added by hand.
    #[schema(required = false)]
    auto_added: bool,
    /// `active` or `archived`.
    #[schema(example = "active", required = false)]
    status: &'static str,
}

/// What one user or one group may do.
#[derive(Serialize, ToSchema)]
#[schema(as = Acl)]
pub(super) struct AclView {
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_id: Option<String>,
    /// The group.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    group: Option<String>,
    /// Which actions.
    #[schema(schema_with = action_names)]
    actions: Vec<&'static str>,
}

/// One row of the table "APIs and Action Mapping".
#[derive(Serialize, ToSchema)]
#[schema(as = ApiActions)]
pub struct ActionView {
    /// The API.
    api: &'static str,
    /// Any one of these permits it.
    #[schema(schema_with = action_names)]
    actions: Vec<&'static str>,
    /// What is permitted.
    description: &'static str,
}

impl AccountView {
    /// An account, seen with a role or without.
    pub fn of(seen: AccountSeen, role: Option<AssumedRole>) -> Self {
        Self {
            account_id: seen.probe.account.to_string(),
            regions: texts(&seen.probe.enabled),
            assume_role_arn: role.as_ref().map(|role| role.arn.as_arn().to_string()),
            assume_role_external_id: role.and_then(|role| Some(role.external_id?.as_str().to_owned())),
            missing_permissions: seen.missing_permissions,
        }
    }
}

impl RegionsView {
    /// The regions of an account.
    pub fn of(seen: &AccountSeen) -> Self {
        Self { regions: texts(&seen.probe.enabled) }
    }
}

fn texts(regions: &[Region]) -> Vec<String> {
    regions.iter().map(Region::to_string).collect()
}

impl KmsView {
    /// A KMS as its viewer may see it.
    pub fn of(seen: KmsSeen) -> Self {
        let kms: &Kms = &seen.kms;
        let acls = match seen.entries_of.holder() {
            None => kms.acl.entries().iter().map(AclView::of).collect(),
            Some((user, groups)) => kms.acl.applying_to(user, groups).map(AclView::of).collect(),
        };
        let role = kms.role.as_ref();
        Self {
            envelope: Envelope::new(kms.id, "cckm:kms", &kms.name, kms.created, kms.updated),
            name: kms.name.clone(),
            account_id: kms.account,
            arn: kms.arn.to_string(),
            acls,
            assume_role_arn: role.map(|role| role.arn.as_arn().to_string()),
            assume_role_external_id: role.and_then(|role| Some(role.external_id.as_ref()?.as_str().to_owned())),
            connection: seen.connection,
            regions: kms.regions.clone(),
            cloud_name: kms.cloud.as_str(),
            auto_added: false,
            status: kms::status(kms),
        }
    }
}

impl AclView {
    fn of(entry: &AclEntry) -> Self {
        let (user_id, group) = match &entry.principal {
            Principal::User(id) => (Some(id.subject()), None),
            Principal::Group(name) => (None, Some(name.to_string())),
        };
        Self { user_id, group, actions: entry.actions.iter().map(Action::name).collect() }
    }
}

impl ActionView {
    pub fn table() -> impl ExactSizeIterator<Item = Self> {
        API_TABLE.iter().map(|row| Self {
            api: row.api,
            actions: row.actions.iter().map(|action| action.name()).collect(),
            description: row.description,
        })
    }
}
