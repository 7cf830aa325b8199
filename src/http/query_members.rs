//! The members that the queries of changes can have, by endpoint.

use super::endpoint::EndpointGroup;
use actix_web::HttpRequest;
use actix_web::http::Method;
use std::collections::HashMap;

/// The member that every change reads; where there is no dry run, the handler says so.
const EVERYWHERE: &[&str] = &["dry_run"];

pub struct QueryMembers(HashMap<(Method, String), Vec<&'static str>>);

impl QueryMembers {
    pub fn of_all(groups: &[EndpointGroup]) -> Self {
        let changes = groups.iter().flat_map(|group| &group.endpoints).filter(|endpoint| !endpoint.method.is_safe());
        let members = changes.map(|endpoint| {
            let own = endpoint.description().query.into_iter().map(|member| member.name);
            let all = EVERYWHERE.iter().copied().chain(own.filter(|name| !EVERYWHERE.contains(name)));
            ((endpoint.method.clone(), endpoint.path.clone()), all.collect())
        });
        Self(members.collect())
    }

    /// Returns the members of the endpoint that serves a request.
    pub fn of(&self, request: &HttpRequest) -> &[&'static str] {
        let served = request.match_pattern().and_then(|path| self.0.get(&(request.method().clone(), path)));
        served.map_or(EVERYWHERE, Vec::as_slice)
    }
}
