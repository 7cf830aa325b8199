//! Request bodies for KMSs, and their conversion to typed values.

use super::action_names;
use crate::domain::acl::{AclChange, Principal};
use crate::domain::action::Action;
use crate::domain::id::UserId;
use crate::domain::kms::{AssumedRole, RoleRequest};
use crate::domain::name::{GroupName, KmsName};
use crate::domain::place::{AccountId, ExternalId, Region, RoleArn};
use crate::domain::refusal::{Bounds, KmsRefusal, Refusal};
use crate::http::body::{excerpt, optional, read_as, read_known_name, read_name, required};
use crate::service::failure::{invalid, no_entries, out_of_range};
use crate::service::kms::{Addition, KmsPatchRequest};
use serde::Deserialize;
use utoipa::ToSchema;

/// A connection, and a role to assume with it.
#[derive(Deserialize, ToSchema)]
#[schema(as = AccountRequest)]
pub struct AccountBody {
    /// The name or id of the connection.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = String, required = true, example = "test_aws-connection")]
    connection: Option<String>,
    /// The ARN of the role to assume.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "arn:aws:iam::789012123456:role/test-assume-role-ac")]
    assume_role_arn: Option<String>,
    /// The external id that the role requires; only with `assume_role_arn`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "test-ext-id")]
    assume_role_external_id: Option<String>,
    /// Also check which of the required IAM permissions are missing.
    #[serde(default, deserialize_with = "optional")]
    validate: Option<bool>,
}

/// A KMS to add.
#[derive(Deserialize, ToSchema)]
#[schema(as = AddKmsRequest)]
pub struct AddBody {
    /// The AWS account.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = String, required = true)]
    account_id: Option<String>,
    /// The name or id of the connection.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = String, required = true)]
    connection: Option<String>,
    /// The unique name of the KMS.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = String, required = true)]
    name: Option<String>,
    /// The regions to manage.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Vec<String>, required = true)]
    regions: Option<Vec<String>>,
    /// The ARN of the role to assume.
    #[serde(default, deserialize_with = "optional")]
    assume_role_arn: Option<String>,
    /// The external id that the role requires; only with `assume_role_arn`.
    #[serde(default, deserialize_with = "optional")]
    assume_role_external_id: Option<String>,
}

/// A change of a KMS: of its connection, its regions or its role, one at a time.
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateKmsRequest)]
pub struct UpdateBody {
    /// The name or id of the new connection.
    #[serde(default, deserialize_with = "optional")]
    connection: Option<String>,
    /// The new list of regions.
    #[serde(default, deserialize_with = "optional")]
    regions: Option<Vec<String>>,
    /// The ARN of the new role.
    #[serde(default, deserialize_with = "optional")]
    assume_role_arn: Option<String>,
    /// The external id that the role requires; only with `assume_role_arn`.
    #[serde(default, deserialize_with = "optional")]
    assume_role_external_id: Option<String>,
    /// Remove regions even if keys are managed there. Claviger forgets these keys; AWS keeps them.
    #[serde(default, deserialize_with = "optional")]
    force: Option<bool>,
}

/// Permissions to grant and revoke: one entry, or a list of entries in `acls`.
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateAclsRequest)]
pub struct AclsBody {
    /// Several entries; either all take effect or none.
    #[serde(default, deserialize_with = "optional")]
    acls: Option<Vec<AclBody>>,
    /// The user of a single entry (`local|<uuid>`); not together with `group`.
    #[serde(default, deserialize_with = "optional")]
    user_id: Option<String>,
    /// The name of the group of a single entry; not together with `user_id`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "CCKM Users")]
    group: Option<String>,
    /// The actions of a single entry.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = json!(["view", "keycreate"]))]
    actions: Option<Vec<String>>,
    /// Whether a single entry grants (true) or revokes (false) the actions.
    #[serde(default, deserialize_with = "optional")]
    permit: Option<bool>,
}

/// Permissions to grant to, or revoke from, one user or one group.
#[derive(Deserialize, ToSchema)]
#[schema(as = AclRequest)]
pub(super) struct AclBody {
    /// The user (`local|<uuid>`); not together with `group`.
    #[serde(default, deserialize_with = "optional")]
    user_id: Option<String>,
    /// The name of the group; not together with `user_id`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "CCKM Users")]
    group: Option<String>,
    /// The actions.
    #[serde(default, deserialize_with = "optional")]
    #[schema(schema_with = action_names)]
    actions: Option<Vec<String>>,
    /// Whether to grant (true) or revoke (false) the actions.
    #[serde(default, deserialize_with = "optional")]
    permit: Option<bool>,
}

impl AccountBody {
    /// The connection, and the role to assume with it.
    pub fn connection_and_role(self) -> Result<(String, Option<AssumedRole>), Refusal> {
        let connection = required("connection", self.connection)?;
        Ok((connection, assumed_role(self.assume_role_arn, self.assume_role_external_id)?))
    }

    /// Whether to check the IAM permissions too.
    pub fn validates(&self) -> bool {
        self.validate.unwrap_or(false)
    }
}

impl AddBody {
    /// The KMS to add.
    pub fn new_kms(self) -> Result<Addition, Refusal> {
        Ok(Addition {
            name: read_name("name", &required("name", self.name)?, KmsName::parse)?,
            account: read_as("account_id", &required("account_id", self.account_id)?, AccountId::parse)?,
            connection: required("connection", self.connection)?,
            role: assumed_role(self.assume_role_arn, self.assume_role_external_id)?,
            regions: regions(required("regions", self.regions)?)?,
        })
    }
}

impl UpdateBody {
    pub fn patch(self) -> Result<KmsPatchRequest, Refusal> {
        Ok(KmsPatchRequest {
            connection: self.connection,
            regions: self.regions.map(regions).transpose()?,
            role: RoleRequest {
                arn: self.assume_role_arn.map(|text| read_as("assume_role_arn", &text, RoleArn::parse)).transpose()?,
                external_id: self.assume_role_external_id.map(|text| read_external_id(&text)).transpose()?,
            },
            forget_keys: self.force.unwrap_or(false),
        })
    }
}

impl AclsBody {
    /// The permissions to grant and revoke.
    pub fn changes(self) -> Result<Vec<AclChange>, Refusal> {
        let Self { acls, user_id, group, actions, permit } = self;
        let one = AclBody { user_id, group, actions, permit };
        match acls {
            Some(_) if one.is_given() => {
                Err(invalid("acls", "can not be given together with user_id, group, actions or permit"))
            }
            Some(list) if list.is_empty() => Err(no_entries("acls")),
            Some(list) => list.into_iter().map(AclBody::change).collect(),
            None => Ok(vec![one.change()?]),
        }
    }
}

impl AclBody {
    fn is_given(&self) -> bool {
        self.user_id.is_some() || self.group.is_some() || self.actions.is_some() || self.permit.is_some()
    }

    fn change(self) -> Result<AclChange, Refusal> {
        let principal = match (self.user_id, self.group) {
            (Some(user), None) => Principal::User(read_as("user_id", &user, UserId::parse_subject)?),
            (None, Some(group)) => Principal::Group(read_known_name("group", &group, GroupName::parse)?),
            (Some(_), Some(_)) => return Err(invalid("user_id", "and group exclude each other; give one of them")),
            (None, None) => return Err(invalid("user_id", "or group must be given")),
        };
        let names = required("actions", self.actions)?;
        if names.is_empty() {
            return Err(out_of_range("actions", Bounds::least(1), "must have at least one action"));
        }
        let actions = names.iter().map(|name| action(name)).collect::<Result<Vec<_>, _>>()?;
        Ok(AclChange { principal, actions, permit: required("permit", self.permit)? })
    }
}

fn action(name: &str) -> Result<Action, Refusal> {
    Action::parse(name).ok_or_else(|| {
        let known = Action::ALL.iter().map(|action| action.name()).collect::<Vec<_>>().join(", ");
        invalid("actions", format!("`{}` is not an action; the actions are {known}", excerpt(name)))
    })
}

/// Reads a role to assume.
pub(in crate::http) fn assumed_role(
    arn: Option<String>,
    external_id: Option<String>,
) -> Result<Option<AssumedRole>, Refusal> {
    match (arn, external_id) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(KmsRefusal::ExternalIdAlone.into()),
        (Some(arn), id) => Ok(Some(AssumedRole {
            arn: read_as("assume_role_arn", &arn, RoleArn::parse)?,
            external_id: id.map(|text| read_external_id(&text)).transpose()?,
        })),
    }
}

fn read_external_id(text: &str) -> Result<ExternalId, Refusal> {
    read_as("assume_role_external_id", text, ExternalId::parse)
}

fn regions(names: Vec<String>) -> Result<Vec<Region>, Refusal> {
    names.iter().map(|name| read_as("regions", name, Region::parse)).collect()
}
