//! The whole API as one list.

use super::error::Problem;
use super::{connections, groups, health, history, kms, password_policy, tokens, users};
use actix_web::guard::{GuardContext, fn_guard};
use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, Route};
use std::future::ready;

/// Adds every route.
pub fn all(config: &mut ServiceConfig) {
    for (path, routes) in api() {
        config.service(resource(&format!("/api/v1{path}"), routes));
    }
    config.service(resource("/healthz", vec![get().to(health::alive)]));
    config.service(resource("/readyz", vec![get().to(health::ready)]));
    config.service(resource("/metrics", vec![get().to(health::metrics)]));
    config.default_service(web::to(no_route));
}

/// Every method and path of the API, without what all paths begin with: so that a test can walk them all.
pub fn listing() -> Vec<(Method, &'static str)> {
    let mut all: Vec<_> =
        api().into_iter().flat_map(|(path, routes)| routes.into_iter().map(move |one| (one.method, path))).collect();
    all.dedup();
    all
}

fn api() -> Vec<(&'static str, Vec<Served>)> {
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
        ("/cckm/aws/accounts", vec![post().to(kms::accounts)]),
        ("/cckm/aws/get-all-regions", vec![post().to(kms::all_regions)]),
        ("/cckm/aws/actions", vec![get().to(kms::actions)]),
        ("/cckm/aws/kms", vec![post().to(kms::add), get().to(kms::list)]),
        (
            "/cckm/aws/kms/{id}",
            vec![
                get().when(|context| past(context.head().uri.query())).to(kms::get_at),
                get().to(kms::get),
                patch().to(kms::amend),
                delete().to(kms::delete),
            ],
        ),
        ("/cckm/aws/kms/{id}/history", vec![get().to(history::of_kms)]),
        ("/cckm/aws/kms/{id}/update-acls", vec![post().to(kms::update_acls)]),
        ("/cckm/aws/kms/{id}/archive", vec![post().to(kms::archive)]),
        ("/cckm/aws/kms/{id}/recover", vec![post().to(kms::recover)]),
    ]
}

fn resource(path: &str, routes: Vec<Served>) -> Resource {
    let mut methods: Vec<_> = routes.iter().map(|served| served.method.to_string()).collect();
    methods.dedup();
    let allowed = methods.join(", ");
    let routes = routes.into_iter().map(|served| served.route);
    let no_method = move |request: HttpRequest| ready(no_method(&request, &allowed));
    routes.fold(web::resource(path), Resource::route).default_service(web::to(no_method))
}

/// A route, and the method that it is for, which a route does not tell.
struct Served {
    method: Method,
    route: Route,
}

fn get() -> Served {
    Served { method: Method::GET, route: web::get() }
}

fn post() -> Served {
    Served { method: Method::POST, route: web::post() }
}

fn patch() -> Served {
    Served { method: Method::PATCH, route: web::patch() }
}

fn delete() -> Served {
    Served { method: Method::DELETE, route: web::delete() }
}

impl Served {
    fn when(self, condition: impl Fn(&GuardContext) -> bool + 'static) -> Self {
        Self { route: self.route.guard(fn_guard(condition)), ..self }
    }

    fn to<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self { route: self.route.to(handler), ..self }
    }
}

/// Is the past asked for (`at`), not the present?
fn past(query: Option<&str>) -> bool {
    query.is_some_and(|query| super::paging::members(query).iter().any(|(name, at)| name == "at" && !at.is_empty()))
}

async fn no_route(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::NoRoute(request.path().chars().take(200).collect()))
}

fn no_method(request: &HttpRequest, allowed: &str) -> Result<HttpResponse, Problem> {
    let method = request.method().as_str().chars().take(20).collect();
    Err(Problem::NoMethod { method, allowed: allowed.to_owned() })
}
