//! Who may use a key: `GET /v1/cckm/aws/keys/{id}/access`; and which keys somebody may use: `GET /v1/cckm/aws/access`.

mod used_by;
mod view;

use crate::domain::key::aggregate::Key;
use crate::domain::place::Region;
use crate::http::answer::Json;
use crate::http::describe::{Described, Description};
use crate::http::error::Problem;
use crate::http::guard::{Authorized, OnKey};
use crate::http::paging::{self, Columns, List, Listing};
use crate::http::query::once;
use crate::service::Services;
use crate::service::access::{SignedIn, ViewKey};
use crate::service::key_access::{PrincipalSearch, Subject, UseWindow};
use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use std::future::{Ready, ready};
use std::sync::Arc;
use utoipa::openapi::schema::{Object, Type};
pub use view::{AccessView, UsableKeyView};

/// `?principal=`, and the log group from which CloudTrail is read.
#[derive(Default)]
pub struct AccessQuery {
    principal: Option<(String, Subject)>,
    window: Option<UseWindow>,
}

/// The members of the query for the keys that a principal may use.
pub struct PrincipalColumns;

impl Columns for PrincipalColumns {
    const SORTS: &'static [&'static str] = &[];
    const FILTERS: &'static [&'static str] = &["principal", "kms", "region"];
}

/// `GET /v1/cckm/aws/keys/{id}/access`
pub async fn of_key(
    auth: OnKey<ViewKey>,
    query: AccessQuery,
    services: Data<Services>,
) -> Result<Json<AccessView>, Problem> {
    let (principal, subject) = query.principal.unzip();
    let used_by = match &query.window {
        Some(window) => Some(services.key_access.used_by(&auth.permit, window).await?),
        None => None,
    };
    let seen = services.key_access.of_key(&auth.permit, subject.as_ref()).await?;
    Ok(Json(AccessView::of(seen, principal, used_by)))
}

/// `GET /v1/cckm/aws/access`
pub async fn of_principal(
    auth: Authorized<SignedIn>,
    listing: Listing<PrincipalColumns>,
    services: Data<Services>,
) -> Result<List<UsableKeyView>, Problem> {
    let query = listing.0;
    let given = |member: &str| -> Vec<String> {
        query.filters.iter().filter(|(name, _)| name == member).map(|(_, value)| value.clone()).collect()
    };
    let subject = match given("principal").as_slice() {
        [only] => subject(only)?,
        _ => return Err(Problem::query("principal", "must be given once")),
    };
    let search = PrincipalSearch { subject, kms: given("kms"), regions: given("region") };
    let (page, caller) = services.key_access.of_principal(&auth.permit, &search, &query).await?;
    let key_access = services.key_access.clone();
    let view = move |key: &Arc<Key>| {
        let name = caller.published.state.kms.get(&key.kms).map(|kms| kms.name.to_string());
        UsableKeyView::of(key, name.unwrap_or_default(), &key_access.found(&search, key))
    };
    // Each row evaluates a policy.
    paging::answer_apart(page, view).await
}

impl FromRequest for AccessQuery {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()))
    }
}

fn parse(query: &str) -> Result<AccessQuery, Problem> {
    let [principal, log_group, region, days] = once(query, ["principal", "log_group", "log_group_region", "days"])?;
    let principal = principal.map(|text| Ok::<_, Problem>((text.clone(), subject(&text)?))).transpose()?;
    match (&log_group, &region, &days) {
        (None, None, None) => return Ok(AccessQuery { principal, window: None }),
        (None, Some(_), _) => return Err(Problem::query("log_group_region", "needs a log_group")),
        (None, None, Some(_)) | (Some(_), _, _) => {}
    }
    let is_name =
        |name: &String| name.len() <= 512 && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_/#".contains(c));
    if !log_group.as_ref().is_none_or(is_name) {
        return Err(Problem::query(
            "log_group",
            "must be a log group's name: at most 512 letters, digits, and `.-_/#`",
        ));
    }
    let region = region.map(|text| Region::parse(&text)).transpose();
    let region = region.map_err(|problem| Problem::query("log_group_region", problem.to_string()))?;
    let days = match days.map(|text| text.parse::<u16>()) {
        None => DAYS_DEFAULT,
        Some(Ok(days @ 1..=DAYS_MAX)) => days,
        Some(_) => return Err(Problem::query("days", format!("must be from 1 to {DAYS_MAX}"))),
    };
    Ok(AccessQuery { principal, window: Some(UseWindow { log_group, region, days }) })
}

/// The days of events that are read by default, and at most.
const DAYS_DEFAULT: u16 = 7;
const DAYS_MAX: u16 = 90;

fn subject(text: &str) -> Result<Subject, Problem> {
    let forms = "must be the ARN of a user, a role or a session, an account's id or root, or the name of a service";
    Subject::parse(text).ok_or_else(|| Problem::query("principal", forms))
}

impl Described for AccessQuery {
    fn describe(to: &mut Description) {
        let text = "A principal of which is asked: the ARN of a user, a role or a session, the id or root of an account, \
                    or the name of a service.";
        to.queries("principal", text, Object::with_type(Type::String));
        let text = "A log group with the events of CloudTrail; the answer then says who used the key. With `days` alone, \
                    that of the drift watch of the KMS.";
        to.queries("log_group", text, Object::with_type(Type::String));
        to.queries("log_group_region", "Its region; by default that of the key.", Object::with_type(Type::String));
        let text = format!("The days to read, 1 to {DAYS_MAX}, by default {DAYS_DEFAULT}.");
        to.queries("days", text, Object::with_type(Type::Integer));
        to.may_fail(&[400]);
    }
}
