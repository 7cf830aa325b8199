//! The whole API as one list.

use super::error::Problem;
use super::{connections, groups, health, history, kms, password_policy, source_keys, tokens, users};
use actix_web::guard::fn_guard;
use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig, delete, get, patch, post};
use actix_web::{HttpRequest, HttpResponse, Resource, Route};

/// Adds every route.
pub fn all(config: &mut ServiceConfig) {
    for (path, routes) in api() {
        config.service(resource(&format!("/api/v1{path}"), routes));
    }
    config.service(
        web::resource("/api/v1/cckm/aws/kms/{id}")
            .route(get().guard(fn_guard(|context| past(context.head().uri.query()))).to(kms::get_at))
            .route(get().to(kms::get))
            .route(patch().to(kms::amend))
            .route(delete().to(kms::delete))
            .default_service(web::to(no_method)),
    );
    config.service(resource("/healthz", vec![get().to(health::alive)]));
    config.service(resource("/readyz", vec![get().to(health::ready)]));
    config.service(resource("/metrics", vec![get().to(health::metrics)]));
    config.default_service(web::to(no_route));
}

fn api() -> Vec<(&'static str, Vec<Route>)> {
    vec![
        ("/auth/tokens", vec![post().to(tokens::issue), get().to(tokens::list)]),
        ("/auth/tokens/{id}", vec![get().to(tokens::get), delete().to(tokens::revoke_by_id)]),
        ("/auth/revoke", vec![post().to(tokens::revoke)]),
        ("/auth/changepw", vec![patch().to(tokens::change_password)]),
        ("/auth/self/user", vec![get().to(users::own)]),
        ("/usermgmt/users", vec![post().to(users::create), get().to(users::list)]),
        ("/usermgmt/users/{id}", vec![get().to(users::get), patch().to(users::amend), delete().to(users::remove)]),
        ("/usermgmt/groups", vec![post().to(groups::create), get().to(groups::list)]),
        (
            "/usermgmt/groups/{name}",
            vec![get().to(groups::get), patch().to(groups::describe), delete().to(groups::remove)],
        ),
        (
            "/usermgmt/groups/{name}/users/{user_id}",
            vec![post().to(groups::add_member), delete().to(groups::remove_member)],
        ),
        ("/usermgmt/pwdpolicies/global", vec![get().to(password_policy::get), patch().to(password_policy::amend)]),
        ("/connectionmgmt/services/aws/connections", vec![post().to(connections::create), get().to(connections::list)]),
        ("/connectionmgmt/services/aws/connection-test", vec![post().to(connections::try_out)]),
        (
            "/connectionmgmt/services/aws/connections/{id}",
            vec![get().to(connections::get), patch().to(connections::amend), delete().to(connections::delete)],
        ),
        ("/connectionmgmt/services/aws/connections/{id}/test", vec![post().to(connections::test)]),
        ("/vault/keys2", vec![post().to(source_keys::create), get().to(source_keys::list)]),
        (
            "/vault/keys2/{id}",
            vec![get().to(source_keys::get), patch().to(source_keys::amend), delete().to(source_keys::delete)],
        ),
        ("/vault/keys2/{id}/export", vec![post().to(source_keys::export)]),
        ("/cckm/aws/accounts", vec![post().to(kms::accounts)]),
        ("/cckm/aws/get-all-regions", vec![post().to(kms::all_regions)]),
        ("/cckm/aws/actions", vec![get().to(kms::actions)]),
        ("/cckm/aws/kms", vec![post().to(kms::add), get().to(kms::list)]),
        ("/cckm/aws/kms/{id}/history", vec![get().to(history::of_kms)]),
        ("/cckm/aws/kms/{id}/update-acls", vec![post().to(kms::update_acls)]),
        ("/cckm/aws/kms/{id}/archive", vec![post().to(kms::archive)]),
        ("/cckm/aws/kms/{id}/recover", vec![post().to(kms::recover)]),
    ]
}

fn resource(path: &str, routes: Vec<Route>) -> Resource {
    routes.into_iter().fold(web::resource(path), Resource::route).default_service(web::to(no_method))
}

/// Is the past asked for (`at`), not the present?
fn past(query: Option<&str>) -> bool {
    query.is_some_and(|query| super::paging::members(query).iter().any(|(name, at)| name == "at" && !at.is_empty()))
}

async fn no_route(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::NoRoute(request.path().chars().take(200).collect()))
}

async fn no_method(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let method: &Method = request.method();
    Err(Problem::NoMethod(method.as_str().chars().take(20).collect()))
}
