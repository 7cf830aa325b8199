//! The report of key activity: a row for each event on a key. With a log group, the events are CloudTrail's, joined with
//! what our proxy reported, and the calls of the proxy that CloudTrail does not have follow. Without one, they are the
//! operations and the calls of the proxy in our own log.

use super::own_calls::{Caller, OwnCallsByTime};
use super::place::Place;
use super::proxy_calls::{self, ProxyCalls};
use super::row::{Cell, Row};
use crate::aws::cloudtrail::TrailEvent;
use crate::domain::event::Event;
use crate::domain::id::{KeyId, KeyStoreId, OperationId};
use crate::domain::key::aggregate::Key;
use crate::domain::key::event::KeyEvent;
use crate::domain::key::name::KeyArn;
use crate::domain::key::operation::Operation;
use crate::domain::key_store::{event::KeyStoreEvent, event::ProxyCall};
use crate::domain::time::Time;
use crate::ledger::Record;
use crate::service::failure::Failure;
use std::collections::HashMap;

/// The operations for which AWS asks the proxy of the key.
const PROXIED: &[&str] = &[
    "Encrypt",
    "Decrypt",
    "ReEncrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
];
/// The places of some columns.
const KEY_ARN: usize = 3;
const REQUEST_ID: usize = 18;
const EVENT_ID: usize = 19;

/// The rows of the events of a page.
///
/// # Errors
/// When the journal of our calls cannot be read.
pub(super) fn rows(
    place: &Place,
    own: &mut OwnCallsByTime,
    proxy: &mut ProxyCalls,
    events: &[TrailEvent],
) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for event in events {
        let keys = place.keys_of(event);
        if keys.is_empty() {
            continue;
        }
        let (origin, asked) = match own.find(event)? {
            Caller::Us(asked) => ("cckm", asked.by.to_string()),
            Caller::Others => ("native", String::new()),
            Caller::Unknown => ("unknown", String::new()),
        };
        let is_alone = keys.len() == 1;
        for named in keys {
            let joined = proxy.join(&event.request_id, &named.arn).map(str::to_owned);
            // An event names one store, but a ReEncrypt has two keys.
            let [store, xks_key] = match named.key.as_deref() {
                Some(key) if !is_alone => [&key.metadata.custom_key_store_id, &key.metadata.xks_key_id]
                    .map(|id| id.as_deref().unwrap_or_default()),
                None if !is_alone && joined.is_none() => ["", ""],
                Some(_) | None => [event.custom_key_store_id.as_str(), event.xks_key_id.as_str()],
            };
            let result = match joined {
                Some(result) => result,
                None if xks_key.is_empty() || !PROXIED.contains(&event.name.as_str()) => String::new(),
                None => proxy.absence(event.time).to_owned(),
            };
            let [key_arn, key_id, alias] = named.cells();
            let [account, region, cloud] = named.place_cells();
            let identity = &event.identity;
            let cells = vec![
                Cell::text(event.time.to_string()),
                Cell::text(event.name.as_str()),
                Cell::text(origin),
                key_arn,
                key_id,
                alias,
                account,
                region,
                cloud,
                Cell::text(identity.kind.as_str()),
                Cell::text(identity.name()),
                Cell::text(asked.as_str()),
                Cell::text(event.source_ip.as_str()),
                Cell::text(event.user_agent.as_str()),
                Cell::text(identity.invoked_by.as_str()),
                Cell::text(event.error_code.as_str()),
                Cell::text(event.error_message.as_str()),
                event.read_only.map_or(Cell::Absent, Cell::Flag),
                Cell::text(event.request_id.as_str()),
                Cell::text(event.event_id.as_str()),
                Cell::text(store),
                Cell::text(xks_key),
                Cell::text(result),
            ];
            rows.push(Row::new(place.id(), named.key.map(|key| key.id), cells));
        }
    }
    Ok(rows)
}

/// What identifies the event of a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ids<'a> {
    pub(super) request: &'a str,
    /// Empty if the row is not CloudTrail's.
    pub(super) event: &'a str,
    pub(super) key: &'a str,
}

/// The ids of a row.
pub(super) fn ids(row: &Row) -> Ids<'_> {
    let text = |at: usize| match row.cells.get(at) {
        Some(Cell::Text(text)) => text.as_str(),
        Some(Cell::Absent | Cell::Flag(_) | Cell::Number(_)) | None => "",
    };
    Ids { request: text(REQUEST_ID), event: text(EVENT_ID), key: text(KEY_ARN) }
}

/// What is known here of the operations that a reading of the log has seen requested.
#[derive(Default)]
pub(super) struct OwnOperations(HashMap<OperationId, &'static str>);

impl OwnOperations {
    /// The row of a record of our log: the outcome of an operation on a key of the KMS. Requests are noted.
    pub(super) fn row(&mut self, place: &Place, (start, end): (Time, Time), record: &Record) -> Option<Row> {
        let Event::Key(id, event) = &record.event else { return None };
        let (operation, reason) = match event {
            KeyEvent::OperationRequested { operation, wanted, .. } => {
                self.0.insert(*operation, aws_name(wanted));
                return None;
            }
            KeyEvent::OperationDone { operation, .. } | KeyEvent::OperationReconciled { operation, .. } => {
                (operation, "")
            }
            KeyEvent::OperationFailed { operation, reason } => (operation, reason.as_str()),
            KeyEvent::Found { .. }
            | KeyEvent::Observed { .. }
            | KeyEvent::Vanished
            | KeyEvent::RotationJobSet { .. }
            | KeyEvent::Forgotten
            | KeyEvent::Unmanaged { .. }
            | KeyEvent::Replaced { .. }
            | KeyEvent::AliasMoved { .. }
            | KeyEvent::MaterialNotRotated { .. }
            | KeyEvent::HyokCreated { .. }
            | KeyEvent::HyokBlocked
            | KeyEvent::HyokUnblocked
            | KeyEvent::HyokRotated { .. }
            | KeyEvent::CallerRulesSet { .. }
            | KeyEvent::EncryptionsCounted { .. }
            | KeyEvent::HyokLinked { .. }
            | KeyEvent::VirtualKeyMade { .. }
            | KeyEvent::VirtualKeyDeletable { .. }
            | KeyEvent::VirtualKeyDeleted => return None,
        };
        let name = self.0.remove(operation).unwrap_or("Operation");
        let key = place.published.state.keys.get(id).filter(|key| key.kms == place.id())?;
        if !(start..end).contains(&record.time) {
            return None;
        }
        let own = Own {
            error_code: if reason.is_empty() { "" } else { "OperationFailed" },
            error_message: reason,
            ..Own::of_record(key, record, name)
        };
        Some(own.row(place))
    }
}

/// The row of a change of an HYOK key that AWS is not told of, so that CloudTrail cannot have it. AWS may not know the key
/// at all.
pub(super) fn local_row(place: &Place, (start, end): (Time, Time), record: &Record) -> Option<Row> {
    let Event::Key(id, event) = &record.event else { return None };
    let name = local_name(event)?;
    let key = place.published.state.keys.get(id).filter(|key| key.kms == place.id())?;
    if !(start..end).contains(&record.time) {
        return None;
    }
    let own = Own::of_record(key, record, name);
    Some(own.row(place))
}

/// The name of a change of an HYOK key here.
#[allow(clippy::wildcard_enum_match_arm)] // all others are at AWS, or what was read there
const fn local_name(event: &KeyEvent) -> Option<&'static str> {
    match event {
        KeyEvent::HyokCreated { .. } => Some("CreateHyokKey"),
        KeyEvent::HyokBlocked => Some("BlockHyokKey"),
        KeyEvent::HyokUnblocked => Some("UnblockHyokKey"),
        KeyEvent::HyokRotated { .. } => Some("RotateHyokKey"),
        KeyEvent::CallerRulesSet { .. } => Some("SetHyokKeyCallerRules"),
        _ => None,
    }
}

/// The rows of the calls of our proxy that CloudTrail does not have. `proxy` is `None` if there is no CloudTrail.
pub(super) fn proxy_rows(
    place: &Place,
    (start, end): (Time, Time),
    proxy: Option<&ProxyCalls>,
    record: &Record,
) -> Vec<Row> {
    let Event::KeyStore(store, KeyStoreEvent::CallsReported { calls, .. }) = &record.event else { return Vec::new() };
    let is_wanted = |call: &&ProxyCall| {
        (start..end).contains(&call.at)
            && proxy_calls::is_of(place, *store, call)
            && !proxy.is_some_and(|proxy| proxy.is_in_cloudtrail(place, call))
    };
    calls.iter().filter(is_wanted).filter_map(|call| proxy_row(place, *store, call)).collect()
}

fn proxy_row(place: &Place, store: KeyStoreId, call: &ProxyCall) -> Option<Row> {
    let key = proxy_calls::key(place, call);
    let arn = proxy_calls::arn_at(place, call)?;
    let store = place.published.state.key_stores.get(&store).and_then(|store| store.at_aws.as_ref());
    let own = Own {
        time: call.at,
        name: call.kms_operation.as_deref().unwrap_or(&call.operation),
        origin: "xks",
        key,
        user_identity: call.principal.as_deref().unwrap_or_default(),
        invoked_by: call.via_service.as_deref().unwrap_or_default(),
        error_code: call.error.as_deref().unwrap_or_default(),
        error_message: &call.message,
        request_id: call.kms_request_id.as_deref().unwrap_or_default(),
        custom_key_store_id: store.map(|store| store.id.as_str()).unwrap_or_default(),
        xks_key_id: call.xks_key_id.as_deref().unwrap_or_default(),
        xks_result: proxy_calls::result(call),
        ..Own::of(arn)
    };
    Some(own.row(place))
}

/// An event that our own log has.
struct Own<'a> {
    time: Time,
    name: &'a str,
    origin: &'a str,
    arn: KeyArn,
    key: Option<KeyId>,
    user_identity: &'a str,
    manager_user: String,
    invoked_by: &'a str,
    error_code: &'a str,
    error_message: &'a str,
    request_id: &'a str,
    custom_key_store_id: &'a str,
    xks_key_id: &'a str,
    xks_result: &'a str,
    /// Whether the key has no ARN at AWS.
    is_unlinked: bool,
}

impl<'a> Own<'a> {
    /// What was done here with a key, by a record of our log.
    fn of_record(key: &'a Key, record: &'a Record, name: &'a str) -> Self {
        Self {
            time: record.time,
            name,
            origin: "cckm",
            key: Some(key.id),
            manager_user: record.actor.to_string(),
            request_id: &record.request_id,
            custom_key_store_id: key.metadata.custom_key_store_id.as_deref().unwrap_or_default(),
            xks_key_id: key.metadata.xks_key_id.as_deref().unwrap_or_default(),
            is_unlinked: key.is_unlinked(),
            ..Self::of(key.metadata.arn.clone())
        }
    }

    fn of(arn: KeyArn) -> Self {
        Self {
            time: Time::from_nanos(0),
            name: "",
            origin: "",
            arn,
            key: None,
            user_identity: "",
            manager_user: String::new(),
            invoked_by: "",
            error_code: "",
            error_message: "",
            request_id: "",
            custom_key_store_id: "",
            xks_key_id: "",
            xks_result: "",
            is_unlinked: false,
        }
    }

    fn row(self, place: &Place) -> Row {
        let named = place.named(self.arn);
        let [mut key_arn, mut key_id, alias] = named.cells();
        if self.is_unlinked {
            [key_arn, key_id] = [Cell::text(""), Cell::text("")];
        }
        // AWS asks for an unlinked key by the id that it has here.
        let held = self.key.filter(|_| self.is_unlinked).map(|key| key.to_string());
        let [account, region, cloud] = named.place_cells();
        let cells = vec![
            Cell::text(self.time.to_string()),
            Cell::text(self.name),
            Cell::text(self.origin),
            key_arn,
            key_id,
            alias,
            account,
            region,
            cloud,
            Cell::text(""),
            Cell::text(self.user_identity),
            Cell::text(self.manager_user),
            Cell::text(""),
            Cell::text(""),
            Cell::text(self.invoked_by),
            Cell::text(self.error_code),
            Cell::text(self.error_message),
            // Operations change something; a call of a proxy only uses a key.
            Cell::Flag(self.origin == "xks"),
            Cell::text(self.request_id),
            Cell::text(""),
            Cell::text(self.custom_key_store_id),
            Cell::text(held.as_deref().unwrap_or(self.xks_key_id)),
            Cell::text(self.xks_result),
        ];
        Row::new(place.id(), self.key.or(named.key.map(|key| key.id)), cells)
    }
}

/// AWS's name of the call that an operation consists of, or begins with.
pub(super) const fn aws_name(operation: &Operation) -> &'static str {
    match operation {
        Operation::Create(_)
        | Operation::Upload { .. }
        | Operation::Rotate { .. }
        | Operation::CreateInStore { .. }
        | Operation::Link { .. } => "CreateKey",
        Operation::Replicate { .. } => "ReplicateKey",
        Operation::Enable => "EnableKey",
        Operation::Disable => "DisableKey",
        Operation::Describe { .. } => "UpdateKeyDescription",
        Operation::PutPolicy { .. } => "PutKeyPolicy",
        Operation::Tag { .. } => "TagResource",
        Operation::Untag { .. } => "UntagResource",
        Operation::AddAlias { .. } => "CreateAlias",
        Operation::DeleteAlias { .. } => "DeleteAlias",
        Operation::EnableRotation { .. } => "EnableKeyRotation",
        Operation::DisableRotation => "DisableKeyRotation",
        Operation::RotateMaterial => "RotateKeyOnDemand",
        Operation::ImportMaterial(_) => "ImportKeyMaterial",
        Operation::DeleteMaterial { .. } => "DeleteImportedKeyMaterial",
        Operation::ScheduleDeletion { .. } => "ScheduleKeyDeletion",
        Operation::CancelDeletion => "CancelKeyDeletion",
        Operation::MovePrimary { .. } => "UpdatePrimaryRegion",
    }
}
