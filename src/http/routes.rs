//! The whole API as one list: each endpoint with its handler, its name and its purpose. The server serves the list, and
//! `/api/v1/openapi.json` describes it.

use super::endpoint::{Endpoint, Family, delete, get, patch, post};
use super::error::Problem;
use super::{
    bulk_jobs, connections, examples, groups, health, history, iam, keys, kms, openapi, password_policy, schedules,
    source_keys, sync_jobs, templates, tokens, users,
};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource};
use std::future::ready;

pub fn all(config: &mut ServiceConfig) {
    let mut paths: Vec<(String, Vec<Endpoint>)> = Vec::new();
    for endpoint in families().into_iter().flat_map(|family| family.endpoints) {
        // All methods of a path are one resource, so that any other method gets a 405.
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
    config.default_service(web::to(no_route));
}

/// Every endpoint there is. Where two paths could match the same request, the first one does.
pub fn families() -> Vec<Family> {
    vec![
        family("KMS", "AWS accounts, and their regions under management.", kms()),
        family("Keys", "AWS keys, and all that is done to them.", keys()),
        family("Source keys", "Material that can be imported into AWS keys.", source_keys()),
        family("Jobs", "Work on many keys that goes on after the call.", jobs()),
        family("Policy templates", "One policy for many keys.", policy_templates()),
        family("Schedules", "Work that is done by itself when it is due.", scheduler()),
        family("Connections", "Credentials for AWS.", connections()),
        family("Tokens", "Signing in and out, and the own password.", tokens()),
        family("Users and groups", "Who may sign in, and what they belong to.", users_and_groups()),
        Family { name: "Service", about: "For those who watch over the service.", endpoints: service() },
    ]
}

fn family(name: &'static str, about: &'static str, endpoints: Vec<Endpoint>) -> Family {
    let endpoints = endpoints.into_iter().map(|endpoint| endpoint.under("/api/v1")).collect();
    Family { name, about, endpoints }
}

fn kms() -> Vec<Endpoint> {
    vec![
        post("/cckm/aws/accounts", kms::accounts, "getAccount", "Show the account that a connection leads to")
            .read_only()
            .refuses(&[404, 502, 504])
            .examples(examples::accounts),
        post("/cckm/aws/get-all-regions", kms::all_regions, "listRegions", "Show the regions that are enabled there")
            .read_only()
            .refuses(&[404, 502, 504]),
        post("/cckm/aws/get-iam-users", iam::users, "listIamUsers", "List the users of a KMS's account")
            .read_only()
            .refuses(&[404, 409, 502, 504]),
        post("/cckm/aws/get-iam-roles", iam::roles, "listIamRoles", "List the roles of a KMS's account")
            .read_only()
            .refuses(&[404, 409, 502, 504]),
        get("/cckm/aws/actions", kms::actions, "listActions", "List the APIs and the actions that permit them"),
        post("/cckm/aws/kms", kms::add, "addKms", "Add a KMS")
            .refuses(&[404, 409, 502, 504])
            .examples(examples::add_kms),
        get("/cckm/aws/kms", kms::list, "listKms", "List the KMSs that the caller may see")
            .examples(examples::list_kms),
        get("/cckm/aws/kms/{id}", kms::get, "getKms", "Show a KMS")
            .or_with("at", "date-time", "The KMS as it was at this moment, also one that is deleted now.", kms::get_at)
            .examples(examples::get_kms),
        patch(
            "/cckm/aws/kms/{id}",
            kms::update,
            "updateKms",
            "Change the connection, the regions or the role of a KMS",
        )
        .refuses(&[409, 502, 504])
        .examples(examples::update_kms),
        delete("/cckm/aws/kms/{id}", kms::delete, "deleteKms", "Delete a KMS; AWS itself is not touched")
            .refuses(&[409]),
        get("/cckm/aws/kms/{id}/history", history::of_kms, "getKmsHistory", "List who did what to a KMS, and when"),
        post("/cckm/aws/kms/{id}/update-acls", kms::update_acls, "updateKmsAcls", "Give and take permissions")
            .refuses(&[409])
            .examples(examples::update_acls),
        post("/cckm/aws/kms/{id}/archive", kms::archive, "archiveKms", "Put a KMS away").refuses(&[409]),
        post("/cckm/aws/kms/{id}/recover", kms::recover, "recoverKms", "Bring an archived KMS back").refuses(&[409]),
    ]
}

fn policy_templates() -> Vec<Endpoint> {
    let (all, one) = ("/cckm/aws/templates", "/cckm/aws/templates/{id}");
    vec![
        post(all, templates::create, "createTemplate", "Make a policy template").refuses(&[404, 409]),
        get(all, templates::list, "listTemplates", "List the policy templates that the caller may see"),
        get(one, templates::get, "getTemplate", "Show a policy template"),
        patch(
            one,
            templates::update,
            "updateTemplate",
            "Change a template's policy, and push it to the keys that have it",
        ),
        delete(one, templates::delete, "deleteTemplate", "Delete a policy template that no key has").refuses(&[409]),
    ]
}

fn scheduler() -> Vec<Endpoint> {
    let (all, one) = ("/scheduler/job-configs", "/scheduler/job-configs/{id}");
    vec![
        post(all, schedules::create, "createSchedule", "Make a schedule").refuses(&[404, 409]),
        get(all, schedules::list, "listSchedules", "List the schedules"),
        get(one, schedules::get, "getSchedule", "Show a schedule"),
        patch(one, schedules::update, "updateSchedule", "Change what a schedule does, or when"),
        delete(one, schedules::delete, "deleteSchedule", "Delete a schedule that no key is under; with `force`, any")
            .refuses(&[409]),
        post("/scheduler/job-configs/{id}/run-now", schedules::run_now, "runSchedule", "Begin a run of a schedule now")
            .refuses(&[409]),
        get("/scheduler/jobs", schedules::runs, "listScheduledJobs", "List the runs of schedules"),
        get("/scheduler/jobs/{id}", schedules::run, "getScheduledJob", "Show a run of a schedule"),
    ]
}

fn keys() -> Vec<Endpoint> {
    use keys::{change, creation, material, reading, rotation_job};
    let one = |path: &str| format!("/cckm/aws/keys/{{id}}{path}");
    let asks = |endpoint: Endpoint| endpoint.refuses(&[409, 502, 504]);
    vec![
        asks(post("/cckm/aws/keys", creation::create, "createKey", "Make a key at AWS")).no_dry_run().refuses(MAKES),
        get("/cckm/aws/keys", reading::list, "listKeys", "List the keys that the caller may see"),
        get(&one(""), reading::get, "getKey", "Show a key"),
        delete(&one(""), reading::forget, "deleteKey", "Forget a key that AWS does not have any more").refuses(&[409]),
        asks(post(&one("/enable"), change::enable, "enableKey", "Take a key into use")),
        asks(post(&one("/disable"), change::disable, "disableKey", "Take a key out of use")),
        asks(post(
            &one("/update-description"),
            change::update_description,
            "updateKeyDescription",
            "Describe a key anew",
        )),
        asks(post(&one("/policy"), change::policy, "updateKeyPolicy", "Give a key another policy")),
        asks(post(&one("/add-tags"), change::add_tags, "addKeyTags", "Add tags to a key")),
        asks(post(&one("/remove-tags"), change::remove_tags, "removeKeyTags", "Remove tags from a key")),
        asks(post(&one("/add-alias"), change::add_alias, "addKeyAlias", "Give a key an alias, or move it there")),
        asks(post(&one("/delete-alias"), change::delete_alias, "deleteKeyAlias", "Take an alias away from a key")),
        asks(post(
            &one("/enable-auto-rotation"),
            change::enable_auto_rotation,
            "enableKeyAutoRotation",
            "Let AWS rotate a key by itself",
        )),
        asks(post(
            &one("/disable-auto-rotation"),
            change::disable_auto_rotation,
            "disableKeyAutoRotation",
            "Let AWS rotate a key no more",
        )),
        asks(post(
            &one("/rotate-material"),
            change::rotate_material,
            "rotateKeyMaterial",
            "Rotate a key's material now",
        )),
        asks(post(&one("/rotate"), creation::rotate, "rotateKey", "Replace a key by a new one")).no_dry_run(),
        get(&one("/rotations"), reading::rotations, "listKeyRotations", "List a key's materials")
            .refuses(&[409, 502, 504]),
        asks(post(
            &one("/import-material"),
            material::import_material,
            "importKeyMaterial",
            "Import a source key's material",
        )),
        asks(post(
            &one("/delete-material"),
            material::delete_material,
            "deleteKeyMaterial",
            "Delete imported material",
        )),
        asks(post(
            &one("/schedule-deletion"),
            change::schedule_deletion,
            "scheduleKeyDeletion",
            "Let AWS delete a key after a while",
        )),
        asks(post(&one("/cancel-deletion"), change::cancel_deletion, "cancelKeyDeletion", "Keep a key after all")),
        asks(post(&one("/replicate-key"), creation::replicate, "replicateKey", "Make a replica of a multi-region key"))
            .no_dry_run(),
        asks(post(
            &one("/update-primary-region"),
            change::update_primary_region,
            "updateKeyPrimaryRegion",
            "Make a replica the primary key",
        )),
        post(
            &one("/enable-rotation-job"),
            rotation_job::enable,
            "enableKeyRotationJob",
            "Put a key under a schedule that rotates it",
        )
        .refuses(&[409]),
        post(
            &one("/disable-rotation-job"),
            rotation_job::disable,
            "disableKeyRotationJob",
            "Take a key off the schedule that rotates it",
        )
        .refuses(&[409]),
        asks(post(
            &one("/get-key-rotation-status"),
            reading::rotation_status,
            "getKeyRotationStatus",
            "Show whether AWS rotates a key",
        ))
        .read_only(),
        get(&one("/download-public-key"), reading::public_key, "downloadPublicKey", "Download a key's public half")
            .refuses(&[409, 502, 504]),
        asks(post(&one("/refresh"), reading::refresh, "refreshKey", "Read a key from AWS again")),
        asks(post("/cckm/aws/upload-key", creation::upload, "uploadKey", "Make a key with a source key's material"))
            .no_dry_run()
            .refuses(MAKES),
        post("/cckm/aws/alias/verify", reading::verify_alias, "verifyAlias", "Say whether an alias is free")
            .read_only()
            .refuses(&[404, 409, 502, 504]),
    ]
}

fn source_keys() -> Vec<Endpoint> {
    let (all, one) = ("/vault/keys2", "/vault/keys2/{id}");
    vec![
        post(all, source_keys::create, "createSourceKey", "Make a source key, or bring one").refuses(&[409]),
        get(all, source_keys::list, "listSourceKeys", "List the source keys"),
        get(one, source_keys::get, "getSourceKey", "Show a source key; never its material"),
        patch(one, source_keys::update, "updateSourceKey", "Describe a source key anew").refuses(&[409]),
        delete(one, source_keys::delete, "deleteSourceKey", "Delete a source key and its material").refuses(&[409]),
        post("/vault/keys2/{id}/export", source_keys::export, "exportSourceKey", "Export a source key's material")
            .refuses(&[409]),
    ]
}

/// What stands against making a key.
const MAKES: &[u16] = &[404, 409, 502, 504];

fn jobs() -> Vec<Endpoint> {
    let (syncs, bulks) = ("/cckm/aws/synchronization-jobs", "/cckm/aws/bulkjob");
    let (sync, bulk) = ("/cckm/aws/synchronization-jobs/{id}", "/cckm/aws/bulkjob/{id}");
    let (cancel_sync, cancel_bulk) = (format!("{sync}/cancel"), format!("{bulk}/cancel"));
    vec![
        post(syncs, sync_jobs::start, "synchronizeKeys", "Bring what is known of keys in line with AWS")
            .refuses(&[404, 409]),
        get(syncs, sync_jobs::list, "listSynchronizationJobs", "List the synchronisation jobs that the caller may see"),
        get(sync, sync_jobs::get, "getSynchronizationJob", "Show a synchronisation job, and how far it is"),
        post(&cancel_sync, sync_jobs::cancel, "cancelSynchronizationJob", "Let a synchronisation job stop at once")
            .refuses(&[409]),
        post(bulks, bulk_jobs::start, "startBulkJob", "Do the same to many keys").refuses(&[403, 404]),
        get(bulks, bulk_jobs::list, "listBulkJobs", "List the bulk jobs that the caller may see"),
        get(bulk, bulk_jobs::get, "getBulkJob", "Show a bulk job, and how far it is"),
        post(&cancel_bulk, bulk_jobs::cancel, "cancelBulkJob", "Let a bulk job stop before its next key")
            .refuses(&[409]),
    ]
}

fn connections() -> Vec<Endpoint> {
    let all = "/connectionmgmt/services/aws/connections";
    let one = "/connectionmgmt/services/aws/connections/{id}";
    let test = "/connectionmgmt/services/aws/connections/{id}/test";
    let try_out = "/connectionmgmt/services/aws/connection-test";
    vec![
        post(all, connections::create, "createConnection", "Make a connection").refuses(&[409]),
        get(all, connections::list, "listConnections", "List the connections"),
        get(one, connections::get, "getConnection", "Show a connection"),
        patch(one, connections::update, "updateConnection", "Change a connection").refuses(&[409, 502, 504]),
        delete(one, connections::delete, "deleteConnection", "Delete a connection that no KMS uses").refuses(&[409]),
        post(test, connections::test, "testConnection", "Ask AWS whether a connection works, and note the answer"),
        post(try_out, connections::try_out, "tryConnection", "Ask AWS whether a connection would work").read_only(),
    ]
}

fn tokens() -> Vec<Endpoint> {
    vec![
        post("/auth/tokens", tokens::issue, "createToken", "Sign in, or carry on with a refresh token")
            .no_dry_run()
            .refuses(&[401, 429]),
        get("/auth/tokens", tokens::list, "listTokens", "List refresh tokens: the own ones; an administrator's, all"),
        get("/auth/tokens/{id}", tokens::get, "getToken", "Show a refresh token"),
        delete("/auth/tokens/{id}", tokens::revoke_by_id, "deleteToken", "Revoke a refresh token, and end its session"),
        post("/auth/revoke", tokens::revoke, "revokeToken", "Revoke a refresh token that one holds"),
        patch("/auth/changepw", tokens::change_password, "changePassword", "Change the own password")
            .no_dry_run()
            .refuses(&[401, 422, 429]),
        get("/auth/self/user", users::own, "getOwnUser", "Show who one is"),
    ]
}

fn users_and_groups() -> Vec<Endpoint> {
    let member = "/usermgmt/groups/{name}/users/{user_id}";
    let policy = "/usermgmt/pwdpolicies/global";
    vec![
        post("/usermgmt/users", users::create, "createUser", "Make a user").refuses(&[409, 422, 429]),
        get("/usermgmt/users", users::list, "listUsers", "List the users"),
        get("/usermgmt/users/{id}", users::get, "getUser", "Show a user"),
        patch("/usermgmt/users/{id}", users::update, "updateUser", "Change a user").refuses(&[409, 422, 429]),
        delete("/usermgmt/users/{id}", users::remove, "deleteUser", "Remove a user").refuses(&[409]),
        post("/usermgmt/groups", groups::create, "createGroup", "Make a group").refuses(&[409]),
        get("/usermgmt/groups", groups::list, "listGroups", "List the groups"),
        get("/usermgmt/groups/{name}", groups::get, "getGroup", "Show a group"),
        patch("/usermgmt/groups/{name}", groups::describe, "updateGroup", "Describe a group anew"),
        delete("/usermgmt/groups/{name}", groups::remove, "deleteGroup", "Remove a group").refuses(&[409]),
        post(member, groups::add_member, "addGroupMember", "Put a user into a group"),
        delete(member, groups::remove_member, "removeGroupMember", "Take a user out of a group").refuses(&[409]),
        get(policy, password_policy::get, "getPasswordPolicy", "Show the password policy"),
        patch(policy, password_policy::update, "updatePasswordPolicy", "Change the password policy"),
    ]
}

fn service() -> Vec<Endpoint> {
    vec![
        get("/api/v1/openapi.json", openapi::serve, "getOpenapi", "Describe the API: this document"),
        get("/healthz", health::alive, "getLiveness", "Say whether the program is there"),
        get("/readyz", health::ready, "getReadiness", "Say whether it takes changes"),
        get("/metrics", health::metrics, "getMetrics", "Show counts and times, for Prometheus"),
    ]
}

async fn no_route(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::NoRoute(request.path().chars().take(200).collect()))
}

fn no_method(request: &HttpRequest, allowed: &str) -> Result<HttpResponse, Problem> {
    let method = request.method().as_str().chars().take(20).collect();
    Err(Problem::NoMethod { method, allowed: allowed.to_owned() })
}
