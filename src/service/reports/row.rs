//! A row of a report: its cells, and whose key it is about, which decides who may view it.

use crate::domain::id::{KeyId, KmsId};
use crate::domain::report::ReportKind;
use crate::domain::time::Time;
use crate::service::failure::Failure;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// A cell. The order of the variants is their order in a sort.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Cell {
    Absent,
    Flag(bool),
    Number(i64),
    Text(String),
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn time(time: Option<Time>) -> Self {
        Self::Text(time.map(|time| time.to_string()).unwrap_or_default())
    }

    pub(super) fn count(count: u64) -> Self {
        Self::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => Ok(()),
            Self::Flag(flag) => flag.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    kms: Uuid,
    key: Option<Uuid>,
    /// In the order of the columns of the report's kind.
    pub cells: Vec<Cell>,
}

impl Row {
    /// `key` is the key that the row is about, if it is known here.
    pub(super) fn new(kms: KmsId, key: Option<KeyId>, cells: Vec<Cell>) -> Self {
        Self { kms: kms.uuid(), key: key.map(|key| key.uuid()), cells }
    }

    pub(super) fn kms(&self) -> KmsId {
        KmsId::new(self.kms)
    }

    pub(super) fn key(&self) -> Option<KeyId> {
        self.key.map(KeyId::new)
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, Failure> {
        let encoded = bincode::serde::encode_to_vec(self, bincode::config::standard());
        encoded.map_err(|_| Failure::Internal("a row of a report could not be encoded"))
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        bincode::serde::decode_from_slice(bytes, bincode::config::standard()).ok().map(|(row, _)| row)
    }
}

/// The columns of a kind of report, which are the members of its rows.
pub const fn columns(kind: ReportKind) -> &'static [&'static str] {
    match kind {
        ReportKind::KeyActivity => &[
            "event_time",
            "event_name",
            "origin",
            "key_arn",
            "key_id",
            "alias",
            "aws_account_id",
            "region",
            "cloud_name",
            "user_type",
            "user_identity",
            "manager_user",
            "source_ip",
            "user_agent",
            "invoked_by",
            "error_code",
            "error_message",
            "read_only",
            "request_id",
            "event_id",
            "custom_key_store_id",
            "xks_key_id",
            "xks_result",
        ],
        ReportKind::ServiceUsage => &[
            "service",
            "key_arn",
            "key_id",
            "alias",
            "operation",
            "user_identity",
            "aws_account_id",
            "region",
            "cloud_name",
            "calls",
            "failures",
            "first_used",
            "last_used",
        ],
        ReportKind::KeyAging => &[
            "key_arn",
            "key_id",
            "alias",
            "key_source",
            "origin",
            "key_state",
            "aws_account_id",
            "region",
            "cloud_name",
            "creation_date",
            "age_days",
            "rotated_at",
            "next_rotation",
            "rotation_status",
            "valid_to",
            "deletion_date",
            "days_left",
            "custom_key_store_id",
            "owner",
        ],
        ReportKind::Reconciliation => &[
            "kind",
            "key_arn",
            "alias",
            "what",
            "here",
            "in_aws",
            "event_time",
            "user_identity",
            "request_id",
            "aws_account_id",
            "region",
            "cloud_name",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::super::key_activity::Ids;
    use super::*;

    #[test]
    fn a_row_is_the_same_after_it_was_stored() {
        let cells = vec![Cell::Absent, Cell::Flag(true), Cell::Number(-3), Cell::text("=1+2\n\u{fc}")];
        let row = Row::new(KmsId::new(Uuid::from_u128(1)), Some(KeyId::new(Uuid::from_u128(2))), cells);
        assert_eq!(Row::decode(&row.encode().expect("encoded")), Some(row.clone()));
        assert_eq!(Row::decode(&row.encode().expect("encoded")[..5]), None);
    }

    #[test]
    fn the_ids_of_an_event_are_in_their_columns() {
        let names = columns(ReportKind::KeyActivity);
        let cells = names.iter().map(|name| Cell::text(*name)).collect();
        let row = Row::new(KmsId::new(Uuid::from_u128(1)), None, cells);
        assert_eq!(
            super::super::key_activity::ids(&row),
            Ids { request: "request_id", event: "event_id", key: "key_arn" }
        );
    }

    /// `contents` and the CSV have a filter by each of these.
    #[test]
    fn every_kind_has_the_columns_of_the_filters() {
        for kind in ReportKind::ALL {
            for filter in ["key_arn", "region", "aws_account_id", "cloud_name"] {
                assert!(columns(kind).contains(&filter), "{kind:?} {filter}");
            }
        }
    }
}
