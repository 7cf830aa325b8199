//! The IAM permissions that AWS must give the credentials of a connection: the one table of them, the least policy for
//! what someone wants to use, and what is missing of it.

use super::access::{ManageKms, Permit};
use super::connections;
use super::failure::Failure;
use super::kms::KmsAccounts;
use crate::domain::kms::AssumedRole;
use serde::Serialize;
use utoipa::ToSchema;

/// What someone wants to use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Capability {
    /// Keys whose material AWS generates.
    Keys,
    /// Keys with imported material.
    Byok,
    /// External key stores, and the HYOK keys in them.
    KeyStores,
    /// CloudHSM key stores, and the keys in them.
    CloudHsm,
    Reports,
}

impl Capability {
    pub const ALL: [Self; 5] = [Self::Keys, Self::Byok, Self::KeyStores, Self::CloudHsm, Self::Reports];

    /// The word that clients use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Byok => "byok",
            Self::KeyStores => "keystores",
            Self::CloudHsm => "cloudhsm",
            Self::Reports => "reports",
        }
    }

    /// Returns the capability of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// An action of IAM that a capability needs.
#[derive(Clone, Copy, Debug)]
pub struct Needed {
    pub action: &'static str,
    /// The capabilities that need it; none if only the vendor's documentation lists it.
    pub by: &'static [Capability],
    /// Whether the vendor's documentation lists it as a prerequisite of managing regions and keys.
    documented: bool,
    /// Whether everything else works without it.
    pub optional: bool,
    /// The service for which IAM may create its role; the action needs that condition.
    pub for_service: Option<&'static str>,
    /// What the program does with it.
    pub purpose: &'static str,
}

use Capability::{Byok, CloudHsm, KeyStores, Keys, Reports};

const ALL_KEYS: &[Capability] = &[Keys, Byok, KeyStores, CloudHsm];
const AWS_KEYS: &[Capability] = &[Keys, Byok];
const STORES: &[Capability] = &[KeyStores, CloudHsm];
const CLOUD_HSM: &[Capability] = &[CloudHsm];

const fn documented(action: &'static str, by: &'static [Capability], purpose: &'static str) -> Needed {
    Needed { action, by, documented: true, optional: false, for_service: None, purpose }
}

const fn more(action: &'static str, by: &'static [Capability], purpose: &'static str) -> Needed {
    Needed { documented: false, ..documented(action, by, purpose) }
}

const fn optional(action: &'static str, by: &'static [Capability], purpose: &'static str) -> Needed {
    Needed { optional: true, ..more(action, by, purpose) }
}

const fn service_role(service: &'static str, by: &'static [Capability], purpose: &'static str) -> Needed {
    Needed { for_service: Some(service), ..more("iam:CreateServiceLinkedRole", by, purpose) }
}

pub(super) const DESCRIBE_REGIONS: &str = "ec2:DescribeRegions";

/// The permissions: which action is needed for what.
pub const NEEDED: &[Needed] = &[
    documented(DESCRIBE_REGIONS, &Capability::ALL, "list the regions of an account"),
    documented("kms:CancelKeyDeletion", ALL_KEYS, "cancel the deletion of a key"),
    more("kms:ConnectCustomKeyStore", STORES, "connect a key store"),
    documented("kms:CreateAlias", ALL_KEYS, "add an alias"),
    more("kms:CreateCustomKeyStore", STORES, "make a key store, or link one"),
    documented("kms:CreateKey", ALL_KEYS, "create, replace and replicate keys"),
    more("kms:DeleteAlias", ALL_KEYS, "remove an alias"),
    more("kms:DeleteCustomKeyStore", STORES, "delete a key store"),
    documented("kms:DeleteImportedKeyMaterial", &[Byok], "delete imported material"),
    more("kms:DescribeCustomKeyStores", STORES, "read key stores"),
    documented("kms:DescribeKey", ALL_KEYS, "read a key"),
    documented("kms:DisableKey", ALL_KEYS, "disable a key"),
    documented("kms:DisableKeyRotation", AWS_KEYS, "end the rotation of a key by AWS"),
    more("kms:DisconnectCustomKeyStore", STORES, "disconnect a key store"),
    documented("kms:EnableKey", ALL_KEYS, "enable a key"),
    documented("kms:EnableKeyRotation", AWS_KEYS, "have AWS rotate a key"),
    optional("kms:GetKeyLastUsage", ALL_KEYS, "read when a key was last used; without it that is not known"),
    documented("kms:GetKeyPolicy", ALL_KEYS, "read the policy of a key"),
    more("kms:GetKeyRotationStatus", AWS_KEYS, "read whether AWS rotates a key"),
    documented("kms:GetParametersForImport", &[Byok], "get the public key that wraps material"),
    more("kms:GetPublicKey", AWS_KEYS, "show the public key of an asymmetric key"),
    documented("kms:ImportKeyMaterial", &[Byok], "import material"),
    documented("kms:ListAliases", ALL_KEYS, "read the aliases of keys"),
    optional("kms:ListGrants", ALL_KEYS, "show the grants of a key"),
    documented("kms:ListKeyPolicies", &[], "not called; the vendor's documentation lists it"),
    more("kms:ListKeyRotations", AWS_KEYS, "read the rotations and materials of a key"),
    documented("kms:ListKeys", ALL_KEYS, "find the keys of a region"),
    more("kms:ListResourceTags", ALL_KEYS, "read the tags of a key"),
    documented("kms:PutKeyPolicy", ALL_KEYS, "change the policy of a key"),
    more("kms:ReplicateKey", AWS_KEYS, "replicate a multi-region key"),
    more("kms:RotateKeyOnDemand", AWS_KEYS, "rotate the material of a key"),
    documented("kms:ScheduleKeyDeletion", ALL_KEYS, "schedule the deletion of a key"),
    documented("kms:TagResource", ALL_KEYS, "tag a key; new keys get a tag that identifies them after a crash"),
    documented("kms:UntagResource", ALL_KEYS, "remove a tag"),
    documented("kms:UpdateAlias", ALL_KEYS, "give the alias of a key to another one"),
    more("kms:UpdateCustomKeyStore", STORES, "change a key store, or its credential"),
    documented("kms:UpdateKeyDescription", ALL_KEYS, "change the description of a key"),
    more("kms:UpdatePrimaryRegion", AWS_KEYS, "move the primary key of a multi-region key"),
    more("cloudhsm:DescribeClusters", CLOUD_HSM, "find clusters, and count their HSMs"),
    more("iam:ListRoles", ALL_KEYS, "list the roles of the account, to choose administrators and users of a key"),
    more("iam:ListUsers", ALL_KEYS, "list the users of the account, to choose administrators and users of a key"),
    more("logs:DescribeLogGroups", &[Reports], "list the log groups"),
    more("logs:FilterLogEvents", &[Reports], "read CloudTrail's events"),
    service_role("mrk.kms.amazonaws.com", AWS_KEYS, "let AWS KMS create its role for multi-region keys"),
    service_role("cks.kms.amazonaws.com", CLOUD_HSM, "let AWS KMS create its role for CloudHSM clusters"),
];

/// The permissions that the vendor's documentation requires for managing regions and keys.
pub fn documented_actions() -> Vec<&'static str> {
    NEEDED.iter().filter(|needed| needed.documented).map(|needed| needed.action).collect()
}

/// Returns the rows of the table that any of the capabilities needs.
pub fn needed_by(wanted: &[Capability]) -> impl Iterator<Item = &'static Needed> {
    NEEDED.iter().filter(|needed| needed.by.iter().any(|by| wanted.contains(by)))
}

/// Returns the actions that any of the capabilities needs and that IAM can be asked about: those without a condition.
pub(super) fn comparable_actions(wanted: &[Capability]) -> Vec<&'static str> {
    needed_by(wanted).filter(|needed| needed.for_service.is_none()).map(|needed| needed.action).collect()
}

/// A policy of IAM.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(as = IamPolicy)]
pub struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

/// A statement of a policy.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(as = IamStatement)]
struct Statement {
    sid: &'static str,
    effect: &'static str,
    action: Vec<&'static str>,
    resource: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    condition: Option<serde_json::Value>,
}

/// Returns the least policy for these capabilities.
pub fn policy(wanted: &[Capability]) -> Policy {
    let statement = |sid, action, resource, condition| Statement { sid, effect: "Allow", action, resource, condition };
    let plain = comparable_actions(wanted);
    let services: Vec<&str> = needed_by(wanted).filter_map(|needed| needed.for_service).collect();
    let service_roles = (!services.is_empty()).then(|| {
        let condition = serde_json::json!({"StringEquals": {"iam:AWSServiceName": services}});
        statement("ServiceRoles", vec!["iam:CreateServiceLinkedRole"], "*", Some(condition))
    });
    let statements = [statement("Claviger", plain, "*", None)].into_iter().chain(service_roles);
    Policy { version: "2012-10-17", statement: statements.collect() }
}

/// Whose permissions are compared with the table.
pub enum Whose {
    /// The KMS of this name or id, with its connection and its role.
    Kms(String),
    /// The connection of this name or id, and a role.
    Connection(String, Option<AssumedRole>),
}

impl KmsAccounts {
    /// Returns the actions of the policy for these capabilities that AWS does not allow. Actions with a condition are
    /// not compared.
    ///
    /// # Errors
    /// When the KMS or the connection is unknown, or AWS refuses; the credentials need iam:SimulatePrincipalPolicy.
    pub async fn missing(
        &self,
        permit: &Permit<ManageKms>,
        wanted: &[Capability],
        whose: &Whose,
    ) -> Result<Vec<String>, Failure> {
        let state = &permit.caller().published.state;
        let access = match whose {
            Whose::Kms(kms) => {
                let kms = state.kms_by_id_or_name(kms).map_err(|refusal| refusal.of("kms"))?;
                self.cloud.access_to(state, kms).await?
            }
            Whose::Connection(connection, role) => {
                let connection = connections::find(state, connection).map_err(|failure| failure.of("connection"))?;
                self.cloud.access(&connection, role.as_ref())?
            }
        };
        Ok(self.cloud.aws.missing_permissions(&access, &comparable_actions(wanted)).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_actions_are_those_of_the_vendors_page() {
        let wanted = "ec2:DescribeRegions kms:CancelKeyDeletion kms:CreateAlias kms:CreateKey \
                      kms:DeleteImportedKeyMaterial kms:DescribeKey kms:DisableKey kms:DisableKeyRotation kms:EnableKey \
                      kms:EnableKeyRotation kms:GetKeyPolicy kms:GetParametersForImport kms:ImportKeyMaterial \
                      kms:ListAliases kms:ListKeyPolicies kms:ListKeys kms:PutKeyPolicy kms:ScheduleKeyDeletion \
                      kms:TagResource kms:UntagResource kms:UpdateAlias kms:UpdateKeyDescription";
        assert_eq!(documented_actions().join(" "), wanted);
    }

    #[test]
    fn every_call_to_kms_is_in_the_table_and_the_table_has_nothing_else_of_kms() {
        let called: Vec<String> = crate::aws::kms::calls::operations().map(|operation| operation.to_string()).collect();
        let of_kms = NEEDED.iter().filter(|needed| needed.action.starts_with("kms:") && !needed.by.is_empty());
        assert_eq!(of_kms.map(|needed| needed.action).collect::<Vec<_>>(), called);
    }

    #[test]
    fn a_policy_has_the_actions_of_its_capabilities_only() {
        let text = |wanted: &[Capability]| serde_json::to_string(&policy(wanted)).expect("JSON");
        let reports = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Claviger","Effect":"Allow","Action":["ec2:DescribeRegions","logs:DescribeLogGroups","logs:FilterLogEvents"],"Resource":"*"}]}"#;
        assert_eq!(text(&[Reports]), reports);
        assert!(!text(&[Keys]).contains("ImportKeyMaterial") && text(&[Byok]).contains("ImportKeyMaterial"));
        // AWS's limit for a managed policy.
        assert!(text(&Capability::ALL).len() < 6_144);
    }
}
