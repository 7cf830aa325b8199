//! `…/history`: the events of a resource; and the member `at` of queries.

use super::error::Problem;
use super::guard::Authorized;
use super::paging::{Columns, List, Listing};
use super::query::members;
use super::{groups, source_keys, users};
use crate::domain::id::{ConnectionId, KeyId, KmsId, ScheduleId, SourceKeyId, TemplateId, UserId};
use crate::domain::name::GroupName;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::service::Services;
use crate::service::connections;
use crate::service::failure::invalid;
use crate::service::history::{Entry, HasPast};
use actix_web::HttpRequest;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One event of a resource.
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
    /// The resource of the event. The history of a user also has the memberships, which are events of groups.
    #[schema(example = "kms/0b90f8de-8617-498d-ad63-ca18eb717ae7")]
    resource: String,
    /// The name of the event.
    #[schema(example = "RegionsReplaced")]
    event: String,
    /// The members of the event, as far as the caller may see them. Secrets are `[sealed]`.
    #[schema(value_type = Object)]
    details: Value,
}

impl Columns for Entry {
    const SORTS: &'static [&'static str] = &["seq", "time"];
    const FILTERS: &'static [&'static str] = &[];
}

/// The id of a resource that a path names.
pub trait InPath: HasPast + Sized + 'static {
    /// # Errors
    /// [`Problem`] if the path has no such id, or a name that no resource has.
    fn of(request: &HttpRequest, state: &State) -> Result<Self, Problem>;
}

macro_rules! by_id {
    ($($id:ident)*) => {
        $(impl InPath for $id {
            fn of(request: &HttpRequest, _: &State) -> Result<Self, Problem> {
                let text = request.match_info().get("id").unwrap_or_default();
                Ok($id::parse(text).map_err(|problem| invalid("id", problem))?)
            }
        })*
    };
}

by_id! { KmsId KeyId TemplateId ScheduleId }

impl InPath for UserId {
    fn of(request: &HttpRequest, _: &State) -> Result<Self, Problem> {
        Ok(users::user_id(&decoded(request, "id"))?)
    }
}

impl InPath for GroupName {
    fn of(request: &HttpRequest, _: &State) -> Result<Self, Problem> {
        Ok(groups::group_name(&decoded(request, "name"))?)
    }
}

/// A deleted connection is known by its id only.
impl InPath for ConnectionId {
    fn of(request: &HttpRequest, state: &State) -> Result<Self, Problem> {
        let text = decoded(request, "id");
        match (connections::find(state, &text), Self::parse(&text)) {
            (Ok(connection), _) => Ok(connection.id),
            (Err(_), Ok(id)) => Ok(id),
            (Err(unknown), Err(_)) => Err(unknown.into()),
        }
    }
}

/// A deleted source key is known by its id only.
impl InPath for SourceKeyId {
    fn of(request: &HttpRequest, state: &State) -> Result<Self, Problem> {
        let text = decoded(request, "id");
        match (source_keys::addressed(state, &text, request), Self::parse(&text)) {
            (Ok(key), _) => Ok(key.id),
            (Err(_), Ok(id)) if state.source_keys.get(&id).is_none() => Ok(id),
            (Err(problem), _) => Err(problem),
        }
    }
}

/// A parameter of the path, as the extractor of paths decodes it.
fn decoded(request: &HttpRequest, name: &str) -> String {
    let text = request.match_info().get(name).unwrap_or_default();
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// `GET …/history`
pub async fn list<I: InPath>(
    auth: Authorized<I::Right>,
    request: HttpRequest,
    listing: Listing<Entry>,
    services: Data<Services>,
) -> Result<List<EntryView>, Problem> {
    let id = I::of(&request, &auth.permit.caller().published.state)?;
    let page = services.histories.page(&auth.permit, &id, &listing.0).await?;
    List::of(&listing.0, page.limit, page.total, page.entries.into_iter().map(view))
}

/// The time in the member `at` of the query.
///
/// # Errors
/// [`Problem`] if it is not a time.
pub fn at(request: &HttpRequest) -> Result<Time, Problem> {
    let value = members(request.query_string()).into_iter().rfind(|(name, _)| name == "at").map(|(_, value)| value);
    let problem = || Problem::query("at", "must be a time in the format of RFC 3339, such as 2020-11-05T05:29:17Z");
    let time = chrono::DateTime::parse_from_rfc3339(&value.ok_or_else(problem)?).map_err(|_| problem())?;
    Ok(Time::of(time.to_utc()))
}

fn view(entry: Entry) -> EntryView {
    let user_id = entry.actor.user_id().map(|id| id.subject());
    EntryView {
        seq: entry.seq,
        time: entry.time,
        actor: entry.actor.to_string(),
        user_id,
        request_id: entry.request_id,
        resource: entry.resource,
        event: entry.event,
        details: entry.details,
    }
}
