//! One search over all kinds of resources.

use super::answer::Json;
use super::describe::{Described, Description};
use super::error::Problem;
use super::guard::Authorized;
use super::paging::search;
use super::query::once;
use crate::domain::refusal::Bounds;
use crate::domain::state::State;
use crate::service::access::SignedIn;
use crate::service::list::Needle;
use crate::service::search::{self as service, Hit, Hits, Kind};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use std::future::{Ready, ready};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, Type};

/// What a search found.
#[derive(Serialize, ToSchema)]
#[schema(as = SearchResults)]
pub struct HitsView {
    /// The best hits: first those that are the text, then those that begin with it, then those that have it inside.
    resources: Vec<HitView>,
    /// Whether there are more.
    more: bool,
}

/// A resource that was found.
#[derive(Serialize, ToSchema)]
#[schema(as = SearchHit)]
struct HitView {
    /// `kms`, `key`, `custom_key_store`, `source_key`, `policy_template`, `schedule`, `report`, `connection`,
    /// `webhook`, `user` or `group`.
    #[schema(example = "key")]
    kind: &'static str,
    /// The id of the resource; of a group its name.
    id: String,
    /// Its name; of a key an alias, its description, or its id at AWS.
    name: String,
    /// The name of the KMS that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    kms: Option<String>,
    /// The path at which the API has it.
    #[schema(example = "/api/v1/cckm/aws/keys/0b90f8de-8617-498d-ad63-ca18eb717ae7")]
    address: String,
}

/// `?q=&limit=`
pub struct SearchQuery {
    /// `None` if nothing is searched for.
    needle: Option<Needle>,
    limit: usize,
}

const LIMIT_DEFAULT: usize = 20;
const LIMIT_MAX: usize = 100;

/// `GET /v1/search`
pub async fn find(auth: Authorized<SignedIn>, query: SearchQuery) -> Result<Json<HitsView>, Problem> {
    let Some(needle) = query.needle else { return Ok(Json(HitsView { resources: Vec::new(), more: false })) };
    let Hits { hits, more } = service::search(&auth.permit, needle, query.limit).await?;
    let state = &auth.permit.caller().published.state;
    Ok(Json(HitsView { resources: hits.into_iter().map(|hit| HitView::of(hit, state)).collect(), more }))
}

impl HitView {
    fn of(hit: Hit, state: &State) -> Self {
        let kms = hit.kms.and_then(|kms| Some(state.kms.get(&kms)?.name.to_string()));
        let (kind, list) = kind_and_list(hit.kind);
        let address = format!("/api/v1/{list}/{}", utf8_percent_encode(&hit.id, RESERVED));
        Self { kind, id: hit.id, name: hit.name, kms, address }
    }
}

/// What is encoded in a part of a path: a group has any characters in its name.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The name of a kind, and the path of the list of its resources.
const fn kind_and_list(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Kms => ("kms", "cckm/aws/kms"),
        Kind::Key => ("key", "cckm/aws/keys"),
        Kind::KeyStore => ("custom_key_store", "cckm/aws/custom-key-stores"),
        Kind::SourceKey => ("source_key", "vault/keys2"),
        Kind::Template => ("policy_template", "cckm/aws/templates"),
        Kind::Schedule => ("schedule", "scheduler/job-configs"),
        Kind::Report => ("report", "cckm/aws/reports"),
        Kind::Connection => ("connection", "connectionmgmt/services/aws/connections"),
        Kind::Webhook => ("webhook", "alarms/webhooks"),
        Kind::User => ("user", "usermgmt/users"),
        Kind::Group => ("group", "usermgmt/groups"),
    }
}

impl FromRequest for SearchQuery {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()))
    }
}

fn parse(query: &str) -> Result<SearchQuery, Problem> {
    let [text, most] = once(query, ["q", "limit"])?;
    let needle = text.map(|text| search("q", &text)).transpose()?.flatten();
    Ok(SearchQuery { needle, limit: most.map_or(Ok(LIMIT_DEFAULT), |most| limit(&most))? })
}

fn limit(value: &str) -> Result<usize, Problem> {
    value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit)).ok_or_else(|| Problem::Query {
        member: "limit".into(),
        problem: format!("must be a whole number from 1 to {LIMIT_MAX}"),
        limit: Some(Bounds::between(1, LIMIT_MAX as u64)),
    })
}

impl Described for SearchQuery {
    fn describe(to: &mut Description) {
        let text = "A text that the resources have in their name, id, or another member that the search of their list \
                    looks into; nothing is found without one.";
        to.queries("q", text, Object::builder().schema_type(Type::String).max_length(Some(255)));
        let number = Object::builder().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(LIMIT_MAX));
        to.queries("limit", "The largest number of hits.", number.default(Some(LIMIT_DEFAULT.into())));
        to.may_fail(&[400]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_in_addresses() {
        let hit = Hit { kind: Kind::Group, id: "CCKM Admins/ö".to_owned(), name: String::new(), kms: None };
        assert_eq!(HitView::of(hit, &State::default()).address, "/api/v1/usermgmt/groups/CCKM%20Admins%2F%C3%B6");
    }
}
