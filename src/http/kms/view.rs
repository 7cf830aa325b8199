//! KMSs and AWS accounts in answers.

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

/// The AWS account to which a connection, and a role if one is given, gives access.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub struct AccountView {
    /// The id of the AWS account.
    #[schema(example = "123456789012")]
    account_id: String,
    /// The regions that are enabled in the account.
    regions: Vec<String>,
    /// The ARN of the role in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    assume_role_arn: Option<String>,
    /// The external id in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    assume_role_external_id: Option<String>,
    /// The required IAM permissions that are missing; only if `validate` was true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    missing_permissions: Option<Vec<String>>,
}

/// The regions of a connection's account.
#[derive(Serialize, ToSchema)]
#[schema(as = Regions)]
pub struct RegionsView {
    /// The regions that are enabled in the account.
    regions: Vec<String>,
}

/// A KMS.
#[derive(Serialize, ToSchema)]
#[schema(as = Kms)]
pub struct KmsView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The name of the KMS.
    #[serde(serialize_with = "envelope::text")]
    #[schema(value_type = String, example = "kms")]
    name: KmsName,
    /// The id of the AWS account.
    #[serde(serialize_with = "envelope::text")]
    #[schema(value_type = String, example = "123456789012")]
    account_id: AccountId,
    /// The ARN of the principal that the KMS acts as in the account.
    #[schema(example = "arn:aws:iam::123456789012:user/user1")]
    arn: String,
    /// The permissions of users and groups; absent if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    acls: Vec<AclView>,
    /// The ARN of the role that the KMS assumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    assume_role_arn: Option<String>,
    /// The external id that the role requires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    assume_role_external_id: Option<String>,
    /// The connection as it was given: its name or its id.
    #[schema(example = "aws")]
    connection: String,
    /// The regions that the KMS manages.
    #[serde(serialize_with = "envelope::regions")]
    #[schema(value_type = Vec<String>, example = json!(["ap-south-1", "us-east-1"]))]
    regions: Vec<Region>,
    /// The AWS partition of the account.
    #[schema(example = "aws")]
    cloud_name: &'static str,
    // `auto_added` and `status` are in every answer, but not required in the schema: the answers on the vendor's page
    // do not have them.
    /// Always false: KMSs are not added automatically.
    #[schema(required = false)]
    auto_added: bool,
    /// The status of the KMS: `ACTIVE` or `ARCHIVED`.
    #[schema(example = "ACTIVE", required = false)]
    status: &'static str,
}

/// The permissions of one user or one group.
#[derive(Serialize, ToSchema)]
#[schema(as = Acl)]
pub(super) struct AclView {
    /// The id of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_id: Option<String>,
    /// The name of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    group: Option<String>,
    /// The permitted actions.
    #[schema(schema_with = action_names)]
    actions: Vec<&'static str>,
}

/// One row of the table "APIs and Action Mapping".
#[derive(Serialize, ToSchema)]
#[schema(as = ApiActions)]
pub struct ActionView {
    /// The name of the API.
    api: &'static str,
    /// The actions, any one of which permits the API.
    #[schema(schema_with = action_names)]
    actions: Vec<&'static str>,
    /// A description of the API.
    description: &'static str,
}

impl AccountView {
    /// The view of an account, and of the role that was assumed.
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
    /// The view of an account's regions.
    pub fn of(seen: &AccountSeen) -> Self {
        Self { regions: texts(&seen.probe.enabled) }
    }
}

fn texts(regions: &[Region]) -> Vec<String> {
    regions.iter().map(Region::to_string).collect()
}

impl KmsView {
    /// The view of a KMS, with the ACL entries that the caller may see. The external id is for administrators of KMSs: AWS
    /// takes it for a secret between two parties.
    pub fn of(seen: KmsSeen) -> Self {
        let kms: &Kms = &seen.kms;
        let acls = match seen.entries_of.holder() {
            None => kms.acl.entries().iter().map(AclView::of).collect(),
            Some((user, groups)) => kms.acl.applying_to(user, groups).map(AclView::of).collect(),
        };
        let role = kms.role.as_ref();
        let external_id =
            role.filter(|_| seen.entries_of.holder().is_none()).and_then(|role| role.external_id.as_ref());
        Self {
            envelope: Envelope::new(kms.id, "cckm:kms", &kms.name, kms.created, kms.updated),
            name: kms.name.clone(),
            account_id: kms.account,
            arn: kms.arn.to_string(),
            acls,
            assume_role_arn: role.map(|role| role.arn.as_arn().to_string()),
            assume_role_external_id: external_id.map(|id| id.as_str().to_owned()),
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
