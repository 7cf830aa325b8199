//! Refusals of a connection: the message, the kind and the reason of each.

use super::super::name::{ConnectionName, KmsName};
use super::super::place::AccountId;
use super::super::refusal::reason::{listed, reasons};

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum ConnectionRefusal {
    #[error("connection `{connection}` leads to account {actual}, but the KMS `{kms}` over it is of account {account}")]
    LeadsElsewhere { connection: ConnectionName, kms: KmsName, account: AccountId, actual: AccountId },
    #[error("connection `{0}` does not exist")]
    Unknown(String),
    #[error("name: there is a connection named `{0}` already; choose another name")]
    NameTaken(ConnectionName),
    #[error("connection `{connection}` is used by {}", listed(.by))]
    InUse { connection: ConnectionName, by: Vec<KmsName> },
    #[error("cloud_name: connection `{connection}` is used by {} and stays in its cloud", listed(.by))]
    CloudFixed { connection: ConnectionName, by: Vec<KmsName> },
}

reasons! { ConnectionRefusal =>
    LeadsElsewhere: Conflict, "connection_leads_elsewhere", "The connection would lead to another account than that of a KMS over it.";
    Unknown: Unknown, "connection_unknown", "There is no such connection.";
    NameTaken: Taken of "name", "connection_name_taken", "A connection has the name already.";
    InUse: InUse, "connection_in_use", "KMSs use the connection.";
    CloudFixed: InUse of "cloud_name", "connection_cloud_fixed", "KMSs use the connection, so it stays in its partition.";
}
