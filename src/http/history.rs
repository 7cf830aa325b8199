//! `GET /v1/cckm/aws/kms/{id}/history`: the events of a KMS.

use super::error::Problem;
use super::guard::{Authorized, kms_id};
use super::paging::{Columns, List, Listing};
use crate::domain::time::Time;
use crate::service::Services;
use crate::service::access::SignedIn;
use crate::service::history::Entry;
use actix_web::HttpRequest;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One event of a KMS.
#[derive(Serialize, ToSchema)]
#[schema(as = HistoryEntry)]
pub struct EntryView {
    /// The number of the event in the log.
    #[schema(example = 42)]
    seq: u64,
    /// The time of the event.
    #[serde(serialize_with = "super::envelope::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    time: Time,
    /// The user who caused the event, by the name at that time; or a schedule, or `system`.
    #[schema(example = "admin")]
    actor: String,
    /// The id of the user; absent for schedules and for `system`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_id: Option<String>,
    /// The id of the request that caused the event.
    request_id: String,
    /// The name of the event.
    #[schema(example = "RegionsReplaced")]
    event: String,
    /// The members of the event.
    #[schema(value_type = Object)]
    details: Value,
}

impl Columns for Entry {
    const SORTS: &'static [&'static str] = &["seq", "time"];
    const FILTERS: &'static [&'static str] = &[];
}

/// `GET /v1/cckm/aws/kms/{id}/history`
pub async fn list(
    auth: Authorized<SignedIn>,
    request: HttpRequest,
    listing: Listing<Entry>,
    services: Data<Services>,
) -> Result<List<EntryView>, Problem> {
    let page = services.kms.history(&auth.permit, kms_id(&request)?, &listing.0).await?;
    Ok(List::of(page.skip, page.limit, page.total, page.entries.into_iter().map(view)))
}

fn view(entry: Entry) -> EntryView {
    let user_id = entry.actor.user_id().map(|id| id.subject());
    EntryView {
        seq: entry.seq,
        time: entry.time,
        actor: entry.actor.to_string(),
        user_id,
        request_id: entry.request_id,
        event: entry.event,
        details: entry.details,
    }
}
