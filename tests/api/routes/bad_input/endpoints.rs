//! Every endpoint with a body, and a valid body for it.

use crate::support::appliance::{Appliance, PASSWORD, subject, user_id};
use crate::support::client::{Answer, Client};
use reqwest::Method;
use serde_json::{Value, json};

/// An endpoint with a body.
pub(super) struct Endpoint {
    pub method: Method,
    pub path: String,
    /// A valid body with every member that can be combined with the others.
    pub good: Value,
    /// The mandatory members.
    pub required: &'static [&'static str],
    /// The members that are limited to 255 characters.
    pub names: &'static [&'static str],
    /// Whether the endpoint has `dry_run`.
    pub dry_run: bool,
}

/// An appliance with a resource of each kind.
pub(super) struct Fixture {
    pub appliance: Appliance,
    pub admin: Client,
    pub kms: String,
    pub other_kms: String,
    pub ann: String,
    pub ann_in_path: String,
}

pub(super) fn fixture() -> Fixture {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let ann = appliance.user("ann");
    let (ann, ann_in_path) = (subject(&ann), user_id(&ann));
    admin.post("/v1/usermgmt/groups", json!({"name": "officers"})).expect(201);
    let kms = appliance.kms("first", &["eu-west-1", "eu-west-2"]);
    let other_kms = appliance.kms("second", &["us-east-1"]);
    // No KMS uses this connection, so its account can change.
    let spare = json!({"name": "spare", "access_key_id": "AKIA", "secret_access_key": "none"});
    admin.post("/v1/connectionmgmt/services/aws/connections", spare).expect(201);
    Fixture { appliance, admin, kms, other_kms, ann, ann_in_path }
}

impl Fixture {
    pub(super) fn endpoints(&self) -> Vec<Endpoint> {
        let endpoint = |method, path: &str, required, names, good| Endpoint {
            method,
            path: path.to_owned(),
            good,
            required,
            names,
            dry_run: !path.starts_with("/v1/auth") || path.ends_with("self/user"),
        };
        let role = json!({"assume_role_arn": "arn:aws:iam::789012123456:role/test-assume-role-ac",
            "assume_role_external_id": "test-ext-id"});
        let connection = json!({"name": "third", "description": "d", "access_key_id": "AKIALABUSER1ONLYLAB1",
            "secret_access_key": "lab-only/user1/not+a+secret/of+any+use01", "cloud_name": "aws",
            "aws_region": "eu-west-1", "aws_sts_regional_endpoints": "regional", "is_role_anywhere": false,
            "products": ["cckm"], "labels": {"a": "b"}, "meta": {"c": 1}});
        let connection = with(connection, &role);
        let user = json!({"username": "bob", "password": PASSWORD, "name": "Bob", "nickname": "b", "email": "b@c.d",
            "email_verified": true, "password_change_required": false, "user_metadata": {}, "app_metadata": {},
            "login_flags": {"prevent_ui_login": true}, "failed_logins_count": 0, "connection": "local_account",
            "password_policy": "global", "allowed_auth_methods": ["password"], "enable_cert_auth": false,
            "certificate_subject_dn": "", "is_domain_user": false});
        let own = json!({"name": "Ann", "nickname": "a", "email": "b@c.d", "user_metadata": {"a": 1}});
        let group = json!({"name": "officers", "description": "d", "app_metadata": {}, "client_metadata": {},
            "user_metadata": {}});
        let policy = self.admin.get("/v1/usermgmt/pwdpolicies/global").expect(200);
        let tokens = json!({"grant_type": "password", "username": "ann", "password": PASSWORD,
            "refresh_token": "none", "connection": "local_account", "domain": "root", "auth_domain": "root",
            "auth_domain_path": "/", "labels": ["a"], "refresh_token_lifetime": 5, "cookies": false,
            "refresh_token_revoke_unused_in": 5, "renew_refresh_token": false});
        let kms = json!({"name": "third", "account_id": "789012123456", "connection": "test_aws-connection",
            "regions": ["us-east-2", "us-west-1"]});
        let passwords = json!({"username": "ann", "password": PASSWORD, "new_password": "Another-secret-4"});
        let (post, patch) = (Method::POST, Method::PATCH);
        let connections = "/v1/connectionmgmt/services/aws/connections";
        vec![
            endpoint(post.clone(), "/v1/auth/tokens", &["username", "password"], &[], tokens),
            endpoint(patch.clone(), "/v1/auth/changepw", &["username", "password", "new_password"], &[], passwords),
            endpoint(
                post.clone(),
                "/v1/auth/revoke",
                &["refresh_token"],
                &[],
                json!({"refresh_token": "none", "cookies": false}),
            ),
            endpoint(
                post.clone(),
                "/v1/usermgmt/users",
                &["username", "password"],
                &["username", "name", "nickname", "email"],
                user.clone(),
            ),
            endpoint(
                patch.clone(),
                &format!("/v1/usermgmt/users/{}", self.ann_in_path),
                &[],
                &["username", "name", "nickname", "email"],
                user,
            ),
            endpoint(
                post.clone(),
                "/v1/usermgmt/groups",
                &["name"],
                &["name"],
                with(group.clone(), &json!({"name": "g"})),
            ),
            endpoint(patch.clone(), "/v1/usermgmt/groups/officers", &[], &[], group),
            endpoint(patch.clone(), "/v1/auth/self/user", &[], &["name", "nickname", "email"], own),
            endpoint(
                post.clone(),
                "/v1/usermgmt/pwdpolicies",
                &["policy_name"],
                &["policy_name"],
                with(policy.clone(), &json!({"policy_name": "machines"})),
            ),
            endpoint(patch.clone(), "/v1/usermgmt/pwdpolicies/global", &[], &[], policy),
            endpoint(
                post.clone(),
                connections,
                &["name", "access_key_id", "secret_access_key"],
                &["name"],
                connection.clone(),
            ),
            endpoint(patch.clone(), &format!("{connections}/spare"), &[], &["name"], connection.clone()),
            endpoint(
                post.clone(),
                "/v1/connectionmgmt/services/aws/connection-test",
                &["access_key_id", "secret_access_key"],
                &[],
                without(connection, "name"),
            ),
            endpoint(
                post.clone(),
                "/v1/cckm/aws/accounts",
                &["connection"],
                &[],
                with(json!({"connection": "test_aws-connection", "validate": false}), &role),
            ),
            endpoint(
                post.clone(),
                "/v1/cckm/aws/get-all-regions",
                &["connection"],
                &[],
                json!({"connection": "test_aws-connection"}),
            ),
            endpoint(
                post.clone(),
                "/v1/cckm/aws/kms",
                &["name", "account_id", "connection", "regions"],
                &["name"],
                with(kms, &role),
            ),
            endpoint(
                patch,
                &format!("/v1/cckm/aws/kms/{}", self.kms),
                &[],
                &[],
                json!({"connection": "test_aws-connection", "regions": ["eu-west-3"]}),
            ),
            endpoint(
                post.clone(),
                "/v1/backups",
                &[],
                &["backupKey", "connection"],
                json!({"scope": "system", "description": "d", "backupKey": "", "connection": "", "do_scp": false,
                    "tiedToHSM": false, "retentionCount": 0, "filters": []}),
            ),
            endpoint(
                post.clone(),
                "/v1/cckm/aws/reports",
                &["name", "cloud_watch_params"],
                &["name"],
                json!({"name": "daily", "report_type": "key-report", "start_time": "2026-01-01T00:00:00Z",
                    "end_time": "2026-01-02T00:00:00Z", "cloud_watch_params": [{"kms": "first",
                    "log_group_region": "eu-west-1", "log_group_name": "aws-cloudtrail-logs"}]}),
            ),
            endpoint(
                post,
                &format!("/v1/cckm/aws/kms/{}/update-acls", self.kms),
                &["actions", "permit"],
                &[],
                json!({"group": "officers", "actions": ["view"], "permit": true}),
            ),
        ]
    }
}

impl Endpoint {
    pub(super) fn send(&self, client: &Client, body: &Value, query: &str) -> Answer {
        client.send(self.method.clone(), &format!("{}{query}", self.path), Some(body.to_string().into_bytes()))
    }
}

/// The body with these members added or replaced.
pub(super) fn with(mut body: Value, members: &Value) -> Value {
    for (member, value) in members.as_object().expect("members") {
        body[member] = value.clone();
    }
    body
}

/// The body without this member.
pub(super) fn without(mut body: Value, member: &str) -> Value {
    body.as_object_mut().expect("members").remove(member);
    body
}
