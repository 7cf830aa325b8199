//! Who used a key, in answers.

use crate::service::key_access::{LastCall, PrincipalUse, UsedBy};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Who used a key, by CloudTrail.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyUsedBy)]
pub(super) struct UsedByView {
    /// The log group that was read.
    log_group: String,
    /// Its region.
    log_group_region: String,
    /// The beginning of the time whose events were read; later than asked for if not `complete`.
    from: String,
    /// The end of that time.
    until: String,
    /// Whether all days that were asked for were read.
    complete: bool,
    /// The number of events that were read, also of other keys.
    events_read: u64,
    /// The messages that are no events of CloudTrail.
    skipped: u64,
    /// The principals, the one with the newest use first.
    principals: Vec<PrincipalUseView>,
}

/// The use of a key by one principal.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyUseByPrincipal)]
struct PrincipalUseView {
    /// The ARN of a user, or of the role of a session; the name of a service.
    principal: String,
    /// CloudTrail's type of the identity.
    #[schema(example = "AssumedRole")]
    identity_type: String,
    /// The account of the principal.
    account: String,
    /// The calls of cryptographic operations.
    calls: u64,
    /// Those of them that failed.
    failures: u64,
    /// The calls by operation.
    operations: BTreeMap<String, u64>,
    /// The time of the last call that succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_used_at: Option<String>,
    /// Its operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_used_operation: Option<String>,
    /// The id of its event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_used_event_id: Option<String>,
    /// The address it came from, or the name of a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_source_ip: Option<String>,
    /// The ARN of the session of the role.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_session: Option<String>,
}

impl UsedByView {
    pub(super) fn of(used_by: UsedBy) -> Self {
        Self {
            log_group: used_by.log_group,
            log_group_region: used_by.region.as_str().to_owned(),
            from: used_by.from.to_string(),
            until: used_by.until.to_string(),
            complete: used_by.complete,
            events_read: used_by.events_read,
            skipped: used_by.skipped,
            principals: used_by.principals.into_iter().map(PrincipalUseView::of).collect(),
        }
    }
}

impl PrincipalUseView {
    fn of(used: PrincipalUse) -> Self {
        let last = used.last.as_ref();
        let of_last = |of: fn(&LastCall) -> &String| last.map(of).filter(|text| !text.is_empty()).cloned();
        Self {
            last_used_at: last.map(|last| last.at.to_string()),
            last_used_operation: of_last(|last| &last.operation),
            last_used_event_id: of_last(|last| &last.event_id),
            last_source_ip: of_last(|last| &last.source_ip),
            last_session: of_last(|last| &last.session),
            principal: used.principal,
            identity_type: used.kind,
            account: used.account,
            calls: used.calls,
            failures: used.failures,
            operations: used.operations,
        }
    }
}
