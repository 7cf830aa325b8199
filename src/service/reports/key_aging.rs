//! The report of key ages: a row for each key of the KMS that AWS has. It comes from the state; who created a key comes
//! from the log.

use super::log_reading::LogReader;
use super::place::{Place, alias};
use super::row::{Cell, Row};
use crate::domain::event::Event;
use crate::domain::id::KeyId;
use crate::domain::key::aggregate::Key;
use crate::domain::key::event::{KeyEvent, LOCAL};
use crate::domain::time::Time;
use crate::ledger::Ledger;
use crate::service::failure::Failure;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

const DAY_SECONDS: i64 = 86_400;

/// Who created each key here, by the key.
pub(super) type Owners = HashMap<KeyId, Arc<str>>;

/// Reads from the log who created the keys of a KMS. A key that was found at AWS has no owner here.
///
/// # Errors
/// When the log cannot be read.
pub(super) async fn owners(ledger: &Ledger, place: &Place) -> Result<Owners, Failure> {
    let keys = || place.published.state.keys_of_kms(place.id());
    let (mut owners, mut names) = (Owners::new(), HashMap::<String, Arc<str>>::new());
    // The keys of which the log has not told yet how they came to be here.
    let mut open: HashSet<KeyId> = keys().map(|key| key.id).collect();
    let times = || keys().map(|key| key.created);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return Ok(owners) };
    // The intent precedes the entry.
    let mut reader = LogReader::between(ledger, first.plus_seconds(-DAY_SECONDS), last.plus_seconds(1)).await?;
    loop {
        let records = reader.next().await?;
        if records.is_empty() || open.is_empty() {
            return Ok(owners);
        }
        for record in &records {
            let Event::Key(id, event) = &record.event else { continue };
            if let KeyEvent::Found { .. }
            | KeyEvent::HyokCreated { .. }
            | KeyEvent::OperationDone { .. }
            | KeyEvent::OperationReconciled { .. } = event
            {
                open.remove(id);
            }
            let creates = match event {
                KeyEvent::OperationRequested { kms, wanted, .. } => *kms == place.id() && wanted.creates_a_key(),
                KeyEvent::HyokCreated { kms, .. } => *kms == place.id(),
                _ => false,
            };
            if creates && place.published.state.keys.get(id).is_some() {
                let name = record.actor.to_string();
                let name = names.entry(name.clone()).or_insert_with(|| name.into()).clone();
                owners.entry(*id).or_insert(name);
            }
        }
    }
}

/// The row of a key at a time; `None` if AWS does not have the key.
pub(super) fn row(place: &Place, owners: &Owners, key: &Key, now: Time) -> Option<Row> {
    if place.published.state.is_gone(key) {
        return None;
    }
    let metadata = &key.metadata;
    let hyok = key.hyok.as_deref();
    let is_unlinked = key.is_unlinked();
    let at_aws = |text: String| if is_unlinked { String::new() } else { text };
    let key_source = match hyok {
        Some(hyok) => hyok.source_key_tier.clone(),
        None if key.current_import().is_some() => LOCAL.to_owned(),
        None => String::new(),
    };
    let created = metadata.created_at.unwrap_or(key.created);
    let days_since = |time: Time| now.seconds().saturating_sub(time.seconds()).div_euclid(DAY_SECONDS);
    let ends = [metadata.deletion_date, metadata.valid_to].into_iter().flatten().min();
    let rotation_status = match key.last_rotation.as_ref() {
        None => String::new(),
        Some(Ok(())) => "SUCCESSFUL".to_owned(),
        Some(Err(reason)) => format!("FAILED: {reason}"),
    };
    let cells = vec![
        Cell::text(at_aws(metadata.arn.to_string())),
        Cell::text(at_aws(metadata.arn.id().as_str().to_owned())),
        alias(Some(key)),
        Cell::text(key_source),
        Cell::text(metadata.origin.as_str()),
        Cell::text(metadata.state.as_str()),
        Cell::text(metadata.account().to_string()),
        Cell::text(key.region.as_str()),
        Cell::text(metadata.arn.partition().as_str()),
        Cell::time(Some(created)),
        Cell::Number(days_since(created).max(0)),
        Cell::time(key.rotated_at),
        Cell::time(key.rotation.as_ref().and_then(|rotation| rotation.next)),
        Cell::text(rotation_status),
        Cell::time(metadata.valid_to),
        Cell::time(metadata.deletion_date),
        // The days that have begun count, as in AWS's console.
        ends.map_or(Cell::Absent, |end| Cell::Number(-days_since(end))),
        Cell::text(metadata.custom_key_store_id.as_deref().unwrap_or_default()),
        Cell::text(owners.get(&key.id).map(|owner| owner.to_string()).unwrap_or_default()),
    ];
    Some(Row::new(place.id(), Some(key.id), cells))
}
