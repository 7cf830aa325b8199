//! Refusals of a KMS: the message, the kind and the reason of each.

use super::super::name::{ConnectionName, KeyStoreName, KmsName};
use super::super::place::{AccountId, Partition, Region, RoleArn};
use super::super::refusal::reason::{listed, reasons};

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum KmsRefusal {
    #[error("AWS KMS {0} does not exist")]
    Unknown(String),
    #[error("name: there is a KMS named `{0}` already; choose another name")]
    NameTaken(KmsName),
    #[error("regions: `{region}` of account {account} is managed by the KMS `{by}` already")]
    RegionTaken { region: Region, account: AccountId, by: KmsName },
    #[error("regions: `{0}` is given twice")]
    RegionDuplicated(Region),
    #[error("regions: at least one region is needed")]
    RegionsEmpty,
    #[error("regions: `{region}` is not a region of partition `{partition}`")]
    RegionElsewhere { region: Region, partition: Partition },
    #[error("regions: `{region}` is not enabled in account {account}; enabled are {}", listed(.enabled))]
    RegionNotEnabled { region: Region, account: AccountId, enabled: Vec<Region> },
    #[error("account_id: the credentials belong to account {actual}, not to {claimed}")]
    AccountMismatch { claimed: AccountId, actual: AccountId },
    #[error("{member}: leads to account {actual}, and the KMS is of account {account}")]
    LedElsewhere { member: &'static str, account: AccountId, actual: AccountId },
    #[error(
        "the connection or the role of KMS `{0}` was changed by another request meanwhile; look at it and try again"
    )]
    Changed(KmsName),
    #[error("assume_role_external_id: can be given only together with assume_role_arn")]
    ExternalIdAlone,
    #[error("assume_role_arn: `{}` is not in partition `{partition}`", .role.as_arn())]
    RoleElsewhere { role: RoleArn, partition: Partition },
    #[error("connection: `{connection}` is not a connection to partition `{partition}`")]
    ConnectionElsewhere { connection: ConnectionName, partition: Partition },
    #[error("only one of connection, regions and assume_role_arn can be changed at a time")]
    SeveralChanges,
    #[error("AWS KMS `{0}` is archived: it can be viewed, recovered or deleted")]
    Archived(KmsName),
    #[error("AWS KMS `{0}` is not archived")]
    NotArchived(KmsName),
    #[error("region: `{region}` is not managed by AWS KMS `{kms}`; managed are {}", listed(.managed))]
    RegionNotManaged { region: Region, kms: KmsName, managed: Vec<Region> },
    #[error("custom key store `{store}` of AWS KMS `{kms}` is served here; delete the store first")]
    HasKeyStore { kms: KmsName, store: KeyStoreName },
    #[error("operations on keys or key stores of AWS KMS `{0}` are under way; try again in a moment")]
    Busy(KmsName),
}

reasons! { KmsRefusal =>
    Unknown: Unknown, "kms_unknown", "There is no such KMS, or none that the caller may see.";
    NameTaken: Taken of "name", "kms_name_taken", "A KMS has the name already.";
    RegionTaken: Taken of "regions", "region_taken", "Another KMS manages the region of this account.";
    RegionDuplicated: Invalid of "regions", "region_duplicated", "A region is given twice.";
    RegionsEmpty: Invalid of "regions", "regions_empty", "No region is given.";
    RegionElsewhere: Invalid of "regions", "region_elsewhere", "The region is not in the partition.";
    RegionNotEnabled: Invalid of "regions", "region_not_enabled", "AWS does not list the region as enabled in the account.";
    AccountMismatch: Invalid of "account_id", "account_mismatch", "The credentials belong to another account than the one given.";
    LedElsewhere: Invalid, "kms_led_elsewhere", "The new connection or role of a KMS leads to another account.";
    Changed: Conflict, "kms_changed", "The connection or the role of the KMS was changed by another request meanwhile.";
    ExternalIdAlone: Invalid of "assume_role_external_id", "external_id_alone", "An external id is given without a role to assume with it.";
    RoleElsewhere: Invalid of "assume_role_arn", "role_elsewhere", "The role is not in the partition.";
    ConnectionElsewhere: Invalid of "connection", "connection_elsewhere", "The connection is not in the partition.";
    SeveralChanges: Contradictory, "several_changes", "More than one of the connection, the regions and the role would change.";
    Archived: Conflict, "kms_archived", "The KMS is archived.";
    NotArchived: Conflict, "kms_not_archived", "The KMS is not archived.";
    RegionNotManaged: Invalid of "region", "region_not_managed", "The KMS does not manage the region.";
    HasKeyStore: InUse, "kms_has_key_store", "A custom key store of the KMS, or of the region, is served here.";
    Busy: Busy, "kms_busy", "Operations on keys or key stores of the KMS are under way.";
}
