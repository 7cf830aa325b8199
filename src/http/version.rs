//! Versions of resources: `ETag` in the answer with one resource, and `If-Match` on its changes. The version is the
//! time of the last change, so that it is also in lists and in the answers to changes.

use super::error::Problem;
use super::history::InPath;
use super::query::is_given;
use crate::domain::event::Stream;
use crate::domain::id::{
    ConnectionId, ForwarderId, KeyId, KmsId, ScheduleId, SourceKeyId, TemplateId, UserId, WebhookId,
};
use crate::domain::name::GroupName;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::domain::version::Expected;
use crate::service::Services;
use crate::service::access::seen_key_store;
use crate::service::expectation::Expectation;
use crate::service::failure::{Failure, invalid};
use actix_web::http::header::{ETAG, HeaderValue, IF_MATCH};
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use std::sync::Arc;

/// Finds the resource that a path names.
type Named = fn(&HttpRequest, &State) -> Result<Stream, Problem>;

/// The paths of resources with a version. All changes below such a path are changes of the resource.
const VERSIONED: &[(&str, Named)] = &[
    ("/api/v1/cckm/aws/keys/{id}", of::<KeyId>),
    ("/api/v1/cckm/aws/kms/{id}", of::<KmsId>),
    ("/api/v1/cckm/aws/custom-key-stores/{id}", key_store),
    ("/api/v1/cckm/aws/templates/{id}", of::<TemplateId>),
    ("/api/v1/scheduler/job-configs/{id}", of::<ScheduleId>),
    ("/api/v1/connectionmgmt/services/aws/connections/{id}", of::<ConnectionId>),
    ("/api/v1/vault/keys2/{id}", of::<SourceKeyId>),
    ("/api/v1/usermgmt/users/{id}", of::<UserId>),
    ("/api/v1/usermgmt/groups/{name}", of::<GroupName>),
    ("/api/v1/alarms/webhooks/{id}", |request, _| Ok(Stream::Webhook(parsed(request, WebhookId::parse)?))),
    ("/api/v1/configs/syslogs/{id}", |request, _| Ok(Stream::Forwarder(parsed(request, ForwarderId::parse)?))),
];

fn of<I: InPath>(request: &HttpRequest, state: &State) -> Result<Stream, Problem> {
    Ok(I::of(request, state)?.stream())
}

fn parsed<T, E: std::fmt::Display>(request: &HttpRequest, parse: fn(&str) -> Result<T, E>) -> Result<T, Problem> {
    let text = request.match_info().get("id").unwrap_or_default();
    Ok(parse(text).map_err(|problem| invalid("id", problem))?)
}

/// The store of this id or name among those that the caller may view, as the call itself finds it.
fn key_store(request: &HttpRequest, state: &State) -> Result<Stream, Problem> {
    const NO_USER: Problem = Problem::Failure(Failure::Internal("a version is asked for before the caller is known"));
    let extensions = request.extensions();
    let user = extensions.get::<Arc<User>>().ok_or(NO_USER)?;
    let text = request.match_info().query("id");
    let store = seen_key_store(user, state, text, request.method().is_safe()).map_err(Failure::from)?;
    Ok(Stream::KeyStore(store.id))
}

/// The resource of a path pattern, if it has a version, and whether the pattern is that of the resource itself.
fn versioned(pattern: &str) -> Option<(Named, bool)> {
    let found = VERSIONED.iter().filter_map(|(path, named)| Some((pattern.strip_prefix(path)?, named)));
    let mut found = found.filter(|(rest, _)| rest.is_empty() || rest.starts_with('/'));
    found.next().map(|(rest, named)| (*named, rest.is_empty()))
}

/// Whether changes at this path take `If-Match`.
pub fn is_versioned(path: &str) -> bool {
    versioned(path).is_some()
}

/// Whether the answer of a `GET` of this path has an `ETag`.
pub fn has_etag(path: &str) -> bool {
    versioned(path).is_some_and(|(_, itself)| itself)
}

/// The version of the resource that a request reads.
struct Version(Time);

/// Notes the version of the resource that a request reads, in the state that is going to be shown.
pub fn note(request: &HttpRequest, state: &State) {
    if !request.method().is_safe() || is_given(Some(request.query_string()), "at") {
        return;
    }
    let named = request.match_pattern().and_then(|pattern| versioned(&pattern)).filter(|(_, itself)| *itself);
    let resource = named.and_then(|(named, _)| named(request, state).ok());
    if let Some(version) = resource.and_then(|resource| state.version(&resource)) {
        request.extensions_mut().insert(Version(version));
    }
}

/// Adds the version that was noted to the answer.
pub fn tag(request: &HttpRequest, mut answer: HttpResponse) -> HttpResponse {
    if let Some(Version(version)) = request.extensions().get::<Version>()
        && let Ok(value) = HeaderValue::from_str(&format!("\"{version}\""))
    {
        answer.headers_mut().insert(ETAG, value);
    }
    answer
}

/// The version that a change expects; `None` if it names none.
///
/// # Errors
/// [`Problem`] if `If-Match` cannot be read, the path has no version, or the resource has another version.
pub fn expected(request: &HttpRequest) -> Result<Option<Expectation>, Problem> {
    if request.method().is_safe() || !request.headers().contains_key(IF_MATCH) {
        return Ok(None);
    }
    let pattern = request.match_pattern();
    let Some((named, _)) = pattern.and_then(|pattern| versioned(&pattern)) else {
        return Err(Problem::query("If-Match", "this call changes no resource that has a version"));
    };
    let mut versions = Vec::new();
    for value in request.headers().get_all(IF_MATCH) {
        let text = std::str::from_utf8(value.as_bytes()).map_err(|_| malformed())?.trim();
        if text == "*" {
            return Ok(None);
        }
        for tag in text.split(',') {
            versions.extend(version(tag.trim())?);
        }
    }
    let services = request.app_data::<Data<Services>>().ok_or(Problem::Failure(Failure::Internal("no services")))?;
    let state = &services.state().state;
    let expected = Expectation::of(Expected { resource: named(request, state)?, versions });
    // It is checked once more when the change is recorded.
    expected.check(state)?;
    Ok(Some(expected))
}

/// The version in an entity tag; `None` for one that no version of ours has.
fn version(tag: &str) -> Result<Option<Time>, Problem> {
    // A weak tag never matches.
    let is_weak = tag.starts_with("W/");
    let text = tag.strip_prefix("W/").unwrap_or(tag);
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).ok_or_else(malformed)?;
    let time = chrono::DateTime::parse_from_rfc3339(text).ok().filter(|_| !is_weak);
    Ok(time.map(|time| Time::of(time.to_utc())))
}

fn malformed() -> Problem {
    Problem::query(
        "If-Match",
        "must be an ETag, such as \"2020-11-05T05:29:17.200168Z\" with its quotes, several with commas, or *",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::routes::endpoint_groups;

    #[test]
    fn every_path_with_a_version_is_served() {
        let served: Vec<String> =
            endpoint_groups().into_iter().flat_map(|group| group.endpoints).map(|endpoint| endpoint.path).collect();
        for (path, _) in VERSIONED {
            assert!(served.iter().any(|served| served == path), "{path}");
            assert!(has_etag(path) && is_versioned(&format!("{path}/more")) && !has_etag(&format!("{path}/more")));
        }
        assert!(!is_versioned("/api/v1/cckm/aws/kms") && !is_versioned("/api/v1/cckm/aws/keys/{id}x"));
    }

    #[test]
    fn tags_are_read_as_they_are_written() {
        let at = Time::from_nanos(1_604_554_157_200_168_001);
        assert_eq!(version(&format!("\"{at}\"")).expect("a tag"), Some(at));
        assert_eq!(version("\"x\"").expect("a tag"), None);
        assert_eq!(version(&format!("W/\"{at}\"")).expect("a tag"), None);
        for bad in ["", "x", "\"", "\"x", "W/x"] {
            assert!(version(bad).is_err(), "{bad}");
        }
    }
}
