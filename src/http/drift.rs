//! Changes of keys that were made at AWS by others.

use super::answer::Json;
use super::envelope::Envelope;
use super::error::Problem;
use super::guard::Authorized;
use super::paging::{self, List, Listing};
use crate::domain::drift::DriftEntry;
use crate::service::Services;
use crate::service::access::SignedIn;
use crate::service::caller::Caller;
use actix_web::web::{Data, Path};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// A change that others made at AWS, as CloudTrail tells it, and what it changed.
#[derive(Serialize, ToSchema)]
#[schema(as = DriftEvent)]
pub struct DriftView {
    #[serde(flatten)]
    envelope: Envelope,
    /// CloudTrail's id of the event.
    event_id: String,
    /// The operation of AWS KMS, such as `PutKeyPolicy`.
    event_name: String,
    /// The time of the event.
    event_time: String,
    /// The name of the KMS, if the KMS still exists.
    #[schema(required = true)]
    kms: Option<String>,
    /// The id of the KMS.
    kms_id: String,
    /// The region of the key.
    region: String,
    /// The id of the key; null if it is not known here.
    #[schema(required = true)]
    key_id: Option<String>,
    /// The ARN of the key; empty if the event is about no key.
    key_arn: String,
    /// The ARN of the caller, or what CloudTrail has instead.
    user_identity: String,
    /// The type of the caller, such as `IAMUser` or `AssumedRole`.
    user_type: String,
    /// The address of the caller.
    source_ip: String,
    /// The program of the caller.
    user_agent: String,
    /// AWS's id of the request.
    request_id: String,
    /// What the event changed.
    changes: Vec<DifferenceView>,
    /// Whether a later event changed the same; its entry has the difference.
    superseded: bool,
    /// What the difference covers, if several events changed the same before Claviger read it; null otherwise.
    #[schema(required = true)]
    note: Option<String>,
}

/// What is different in one aspect of a key, or in a key store.
#[derive(Serialize, ToSchema)]
#[schema(as = DriftChange)]
pub struct DifferenceView {
    /// The aspect: `existence`, `state`, `deletion_date`, `description`, `policy`, `aliases`, `tags`, `rotation`,
    /// `material`, `expiry`, `multi_region` or `key_store`.
    aspect: &'static str,
    /// What was there before and is not any more.
    before: Value,
    /// What is there and was not before.
    after: Value,
}

/// `GET /v1/cckm/aws/drift-events`
pub async fn list(
    auth: Authorized<SignedIn>,
    listing: Listing<DriftEntry>,
    services: Data<Services>,
) -> Result<List<DriftView>, Problem> {
    let (page, caller) = services.drift.list(&auth.permit, &listing.0).await?;
    paging::answer(page, move |entry: &Arc<DriftEntry>| DriftView::of(entry, &caller)).await
}

/// `GET /v1/cckm/aws/drift-events/{id}`
pub async fn get(
    auth: Authorized<SignedIn>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<DriftView>, Problem> {
    let (entry, caller) = services.drift.get(&auth.permit, &id)?;
    Ok(Json(DriftView::of(&entry, &caller)))
}

impl DriftView {
    fn of(entry: &DriftEntry, caller: &Caller) -> Self {
        let (facts, event) = (&entry.facts, &entry.facts.event);
        let value = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
        let changes = facts.changes.iter().map(|change| DifferenceView {
            aspect: change.aspect.name(),
            before: value(&change.before),
            after: value(&change.after),
        });
        Self {
            envelope: Envelope::new(entry.number, "cckm:drift-event", entry.number, entry.found, entry.found),
            event_id: event.id.to_string(),
            event_name: event.name.clone(),
            event_time: event.at.to_string(),
            kms: caller.published.state.kms.get(&entry.kms).map(|kms| kms.name.to_string()),
            kms_id: entry.kms.to_string(),
            region: facts.region.to_string(),
            key_id: facts.key.map(|key| key.to_string()),
            key_arn: facts.key_arn.clone(),
            user_identity: event.by.clone(),
            user_type: event.by_type.clone(),
            source_ip: event.source_ip.clone(),
            user_agent: event.user_agent.clone(),
            request_id: event.request_id.clone(),
            changes: changes.collect(),
            superseded: facts.superseded,
            note: note(entry, caller),
        }
    }
}

/// AWS tells what an event set, and not what was there before. So the difference of several changes between two readings
/// stands at the last one.
fn note(entry: &DriftEntry, caller: &Caller) -> Option<String> {
    if entry.facts.superseded {
        let text =
            "Later events changed the same before it was read again: the entry of the last one has the difference.";
        return Some(text.to_owned());
    }
    match caller.published.state.drift.covered_by(entry) {
        0 => None,
        1 => Some("The difference covers the change of an earlier event too, whose entry is superseded.".to_owned()),
        count => Some(format!(
            "The difference covers the changes of {count} earlier events too, whose entries are superseded."
        )),
    }
}
