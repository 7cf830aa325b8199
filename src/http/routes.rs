//! The list of all endpoints, each with its handler, its name and a summary. The server serves the list, and
//! `/api/v1/openapi.json` describes it.

mod alarms;
mod jobs;
mod key_stores;
mod keys;
mod kms;
mod posture;
mod reports;
mod users;

use super::console::{self, Console};
use super::endpoint::{Endpoint, EndpointGroup, delete, get, post};
use super::error::Problem;
use super::{backups, console_info, events, health, openapi, prometheus, search, system};
use crate::service::access::RequiredRight::{Administer, AsConfigured, Nothing, SignedIn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource};
use std::future::ready;

pub fn configure(config: &mut ServiceConfig, console: Option<&Data<Console>>) {
    let mut paths: Vec<(String, Vec<Endpoint>)> = Vec::new();
    for endpoint in endpoint_groups().into_iter().flat_map(|group| group.endpoints) {
        // All methods of a path are one resource, so that any other method is rejected with 405.
        match paths.iter_mut().find(|(path, _)| *path == endpoint.path) {
            Some((_, endpoints)) => endpoints.push(endpoint),
            None => paths.push((endpoint.path.clone(), vec![endpoint])),
        }
    }
    for (path, endpoints) in paths {
        let allowed = endpoints.iter().map(|endpoint| endpoint.method.as_str()).collect::<Vec<_>>().join(", ");
        let no_method = move |request: HttpRequest| ready(no_method(&request, &allowed));
        let routes = endpoints.into_iter().flat_map(Endpoint::routes);
        config.service(routes.fold(web::resource(path), Resource::route).default_service(web::to(no_method)));
    }
    match console {
        Some(console) => console::configure(config, console, unknown),
        None => {
            config.default_service(web::to(no_route));
        }
    }
}

/// Every endpoint. If two paths match the same request, the first one serves it.
pub fn endpoint_groups() -> Vec<EndpointGroup> {
    vec![
        group("KMS", "AWS accounts and their managed regions.", kms::kms()),
        group("Keys", "AWS keys and the operations on them.", keys::keys()),
        group("Posture and access", "How the keys stand, and who may use them.", posture::posture()),
        group("Jobs on key stores", "Synchronisations of custom key stores.", key_stores::synchronisation()),
        group(
            "Custom key stores",
            "Where AWS KMS asks this manager, another proxy or CloudHSM for the keys.",
            key_stores::key_stores(),
        ),
        group("HYOK keys", "Keys whose material AWS never has.", key_stores::hyok_keys()),
        group(
            "Virtual keys",
            "HYOK keys as keys of this manager, and ids for HYOK keys to be.",
            key_stores::virtual_keys(),
        ),
        group("Source keys", "Key material that can be imported into AWS keys.", keys::source_keys()),
        group("Jobs", "Work on many keys that continues after the call.", jobs::jobs()),
        group("Policy templates", "Key policies that many keys share.", keys::policy_templates()),
        group("Reports", "What happened to keys, by CloudTrail and by the log.", reports::reports()),
        group("Schedules", "Rotations and synchronisations at scheduled times.", jobs::scheduler()),
        group("Drift", "Changes of keys that were made at AWS by others.", alarms::drift_events()),
        group("Alarms", "What somebody should look at, and the webhooks that are told.", alarms::alarms()),
        group("Connections", "Credentials for AWS.", kms::connections()),
        group("Tokens", "Sign-in, sign-out, and the user's own password.", users::tokens()),
        group("Users and groups", "Users, groups and the password policy.", users::users_and_groups()),
        group("Audit", "What was changed, and by whom.", users::audit()),
        group("Backups", "Encrypted copies of everything.", backups()),
        group("Search", "One search over everything.", search()),
        group("System", "The product and its nodes.", system()),
        EndpointGroup { name: "Service", about: "Monitoring, and the description of the API.", endpoints: service() },
    ]
}

fn group(name: &'static str, about: &'static str, endpoints: Vec<Endpoint>) -> EndpointGroup {
    let endpoints = endpoints.into_iter().map(|endpoint| endpoint.under("/api/v1")).collect();
    EndpointGroup { name, about, endpoints }
}

fn system() -> Vec<Endpoint> {
    let metrics = |call: &str| format!("/system/metrics/prometheus/{call}");
    vec![
        get("/system/info", system::info, "getSystemInfo", "Get the product's version and uptime").needs(SignedIn),
        get("/console", console_info::get, "getConsoleInfo", "Get what the console shows before a sign-in")
            .needs(Nothing),
        get("/events", events::follow, "followEvents", "Follow what changes, as server-sent events")
            .needs(SignedIn)
            .refuses(&[429]),
        get("/cluster", system::cluster, "getCluster", "Get the nodes of the installation").needs(SignedIn),
        get(&metrics("status"), prometheus::status, "getPrometheusStatus", "Get the token with which metrics are read")
            .needs(Administer),
        post(&metrics("enable"), prometheus::enable, "enablePrometheus", "Let a token read the metrics")
            .needs(Administer),
        post(&metrics("disable"), prometheus::disable, "disablePrometheus", "Remove the token that reads the metrics")
            .needs(Administer),
        post(&metrics("renew-token"), prometheus::renew, "renewPrometheusToken", "Replace the token of the metrics")
            .needs(Administer),
    ]
}

fn search() -> Vec<Endpoint> {
    vec![get("/search", search::find, "search", "Search everything that the caller may see").needs(SignedIn)]
}

fn backups() -> Vec<Endpoint> {
    let (all, one) = ("/backups", "/backups/{id}");
    vec![
        post(all, backups::create, "createBackup", "Make a backup").needs(Administer).refuses(&[409]),
        get(all, backups::list, "listBackups", "List the backups").needs(Administer),
        get(one, backups::get, "getBackup", "Get a backup").needs(Administer).refuses(&[404]),
        get("/backups/{id}/download", backups::download, "downloadBackup", "Download the encrypted file of a backup")
            .needs(Administer)
            .refuses(&[404, 409]),
        delete(one, backups::delete, "deleteBackup", "Delete a backup and its file")
            .needs(Administer)
            .refuses(&[404, 409]),
    ]
}

fn service() -> Vec<Endpoint> {
    vec![
        get("/api/v1/openapi.json", openapi::serve, "getOpenapi", "Get the description of the API: this document")
            .needs(Nothing),
        get("/healthz", health::liveness, "getLiveness", "Check that the program runs").needs(Nothing),
        get("/readyz", health::readiness, "getReadiness", "Check that the service accepts changes").needs(Nothing),
        get("/metrics", health::metrics, "getMetrics", "Get metrics for Prometheus").needs(AsConfigured),
        get(
            "/api/v1/system/metrics/prometheus",
            health::metrics_by_token,
            "getMetricsByToken",
            "Get metrics for Prometheus, with its token",
        )
        .needs(AsConfigured),
    ]
}

async fn no_route(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(unknown(&request))
}

/// The error of a path at which nothing is served.
fn unknown(request: &HttpRequest) -> Problem {
    Problem::NoRoute(request.path().chars().take(200).collect())
}

fn no_method(request: &HttpRequest, allowed: &str) -> Result<HttpResponse, Problem> {
    let method = request.method().as_str().chars().take(20).collect();
    Err(Problem::NoMethod { method, allowed: allowed.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_guard_of_each_handler_asks_for_the_right_of_its_row() {
        for endpoint in endpoint_groups().iter().flat_map(|group| &group.endpoints) {
            let (guard, row) = (endpoint.guard(), endpoint.needs);
            let is_left_to_the_use_case = guard == SignedIn && row.is_checked_by_the_use_case();
            let id = endpoint.id;
            assert!(guard == row || is_left_to_the_use_case, "{id}: {row:?} in the row, {guard:?} asked for");
        }
    }

    #[test]
    fn no_member_of_a_query_is_described_twice() {
        for endpoint in endpoint_groups().iter().flat_map(|group| &group.endpoints) {
            let members: Vec<_> = endpoint.description().query.iter().map(|member| member.name).collect();
            let distinct: BTreeSet<_> = members.iter().collect();
            assert_eq!(distinct.len(), members.len(), "{}: {members:?}", endpoint.id);
        }
    }

    #[test]
    fn the_documentation_shows_the_right_of_every_row() {
        let groups = endpoint_groups();
        let rows = groups.iter().flat_map(|group| &group.endpoints);
        let rows: BTreeSet<_> =
            rows.map(|endpoint| format!("{} {} | {}", endpoint.method, endpoint.path, endpoint.needs.name())).collect();
        let text = std::fs::read_to_string("docs/api.md").expect("the documentation");
        let shown: BTreeSet<_> = text.lines().flat_map(documented).collect();
        let missing: Vec<_> = rows.difference(&shown).collect();
        let wrong: Vec<_> = shown.difference(&rows).collect();
        assert!(missing.is_empty() && wrong.is_empty(), "missing in docs/api.md: {missing:#?}, wrong: {wrong:#?}");
    }

    /// Reads the routes and their right from a line such as "| `POST …/{id}/enable`, `/disable` | keyupdate | …".
    fn documented(line: &str) -> Vec<String> {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, routes, right, ..] = cells[..] else { return Vec::new() };
        let mut routes = routes.split('`').skip(1).step_by(2);
        let first = routes.next().and_then(|route| route.split_once(' '));
        let Some((method @ ("GET" | "POST" | "PUT" | "PATCH" | "DELETE"), path)) = first else { return Vec::new() };
        let path = path.replace("…/", "cckm/aws/keys/").replace("{id or name}", "{id}");
        let path = if path.starts_with('/') { path } else { format!("/api/v1/{path}") };
        let others = routes.map(|end| path.rsplit_once('/').map_or("", |(start, _)| start).to_owned() + end);
        std::iter::once(path.clone()).chain(others).map(|path| format!("{method} {path} | {right}")).collect()
    }
}
