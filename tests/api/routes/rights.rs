//! Every route requires exactly the right of its row: each is called without a token, by users with too few rights, by
//! users with exactly the right, and by members of each group.

use crate::support::appliance::{Appliance, id, subject};
use crate::support::client::{Answer, Client};
use crate::support::visible_state::VisibleState;
use claviger::http::endpoint::Endpoint;
use claviger::http::routes::endpoint_groups;
use claviger::service::access::RequiredRight;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const NEVER: &str = "00000000-0000-4000-8000-000000000000";
/// Every user may call these, and gets 404: the resource in the path does not exist for the caller.
const ABSENT: [&str; 12] = [
    "getDriftEvent",
    "getAlarm",
    "getAuditRecord",
    "getToken",
    "deleteToken",
    "getSchedule",
    "getScheduleHistory",
    "getScheduledJob",
    "getMaterialRotationStatus",
    "getCustomKeyStoreCredential",
    "deleteCustomKeyStoreCredential",
    "diagnoseXksMetadata",
];
const GROUPS: [&str; 5] = ["admin", "CCKM Admins", "CCKM Users", "Connection Admins", "User Admins"];
/// An action that permits no route of KMSs or keys: it shows the KMS, but none of its keys.
const NO_MORE: &str = "reportview";

/// The expected answer.
enum Expected {
    LetIn,
    /// 404: the resource does not exist for the caller.
    Hidden,
    /// 403, with the missing action.
    ActionMissing(&'static str),
    /// 403, with the groups that have the right.
    MembershipMissing(Vec<&'static str>),
}

/// The expected answer for users in no group who have only these actions on the KMS.
fn cases(right: RequiredRight) -> Vec<(Vec<&'static str>, Expected)> {
    use Expected::{ActionMissing, Hidden, LetIn, MembershipMissing};
    let members = || MembershipMissing(right.group_names());
    match right {
        RequiredRight::Nothing | RequiredRight::AsConfigured | RequiredRight::SignedIn => vec![(vec![], LetIn)],
        RequiredRight::ManageKms
        | RequiredRight::ManageConnections
        | RequiredRight::ViewConnections
        | RequiredRight::ManageSourceKeys
        | RequiredRight::ManageUsers
        | RequiredRight::ManageSchedules
        | RequiredRight::ManageAlarms
        | RequiredRight::Administer => vec![(vec![], members()), (vec!["keyupload"], members())],
        RequiredRight::ViewSourceKeys => vec![
            (vec![], members()),
            (vec![NO_MORE], members()),
            (vec!["keyupload"], LetIn),
            (vec!["keymaterialimport"], LetIn),
        ],
        RequiredRight::ViewKms | RequiredRight::ViewTemplate => vec![(vec![], Hidden), (vec![NO_MORE], LetIn)],
        RequiredRight::UpdateKms => vec![(vec![], Hidden), (vec![NO_MORE], members())],
        RequiredRight::OnKms(action) | RequiredRight::OnEveryKms(action) | RequiredRight::OnTemplate(action) => {
            vec![(vec![], Hidden), (vec![NO_MORE], ActionMissing(action.name())), (vec![action.name()], LetIn)]
        }
        RequiredRight::OnSomeKms(action) => vec![
            (vec![], ActionMissing(action.name())),
            (vec![NO_MORE], ActionMissing(action.name())),
            (vec!["viewhyokkey", action.name()], LetIn),
        ],
        RequiredRight::ViewKeyStore => {
            vec![(vec![], Hidden), (vec![NO_MORE], Hidden), (vec!["viewkeystore"], LetIn)]
        }
        RequiredRight::OnKeyStore(action) => vec![
            (vec![], Hidden),
            (vec![NO_MORE], Hidden),
            (vec!["viewkeystore"], ActionMissing(action.name())),
            (vec!["viewkeystore", action.name()], LetIn),
        ],
        RequiredRight::ViewKey => vec![(vec![], Hidden), (vec![NO_MORE], Hidden), (vec!["viewnative"], LetIn)],
        RequiredRight::OnKey(action) | RequiredRight::OnSomeKey(action) => vec![
            (vec![], Hidden),
            (vec![action.name()], Hidden),
            (vec!["viewnative"], ActionMissing(action.name())),
            (vec!["viewnative", action.name()], LetIn),
        ],
        RequiredRight::ViewSyncJob => vec![(vec![], Hidden), (vec![NO_MORE], Hidden), (vec!["keysynchronize"], LetIn)],
        RequiredRight::ViewReport => {
            vec![(vec![], Hidden), (vec!["reportcreate"], Hidden), (vec!["reportview"], LetIn)]
        }
        RequiredRight::OnReport(action) => vec![
            (vec![], Hidden),
            (vec![action.name()], Hidden),
            (vec!["reportview"], ActionMissing(action.name())),
            (vec!["reportview", action.name()], LetIn),
        ],
        RequiredRight::ViewBulkJob => vec![
            (vec![], Hidden),
            (vec!["keybulkoperation"], Hidden),
            (vec!["viewnative"], Hidden),
            (vec!["viewnative", "keybulkoperation"], LetIn),
        ],
    }
}

#[test]
fn every_route_asks_for_the_right_of_its_row() {
    let world = World::new();
    let groups = endpoint_groups();
    let endpoints = groups.iter().filter(|group| group.name != "Service").flat_map(|group| &group.endpoints);
    let rows: Vec<_> = endpoints.map(|endpoint| (endpoint, cases(endpoint.needs))).collect();
    let mut users = BTreeMap::new();
    for (actions, _) in rows.iter().flat_map(|(_, cases)| cases) {
        let name = format!("u{}", users.len());
        users.entry(actions.clone()).or_insert_with(|| world.user(&name, actions));
    }
    let members: Vec<_> = GROUPS.iter().map(|group| (*group, world.appliance.member(group, &[group]))).collect();
    let nobody = world.appliance.nobody();
    let before = VisibleState::of(&world.admin);
    for (endpoint, cases) in &rows {
        // A user without rights can change only their own session and profile.
        let own = ["deleteToken", "revokeOtherTokens", "updateOwnUser", "setOwnPreferences", "previewSchedule"];
        let is_read = endpoint.method.as_str() == "GET" || own.contains(&endpoint.id);
        assert!(endpoint.needs != RequiredRight::SignedIn || is_read, "{}", endpoint.id);
        match endpoint.needs_token() {
            true => drop(world.call(endpoint, &nobody).refused(401, "NCERRUnauthorized")),
            false => assert_ne!(world.call(endpoint, &nobody).status, 401, "{}", endpoint.id),
        }
        for (actions, expected) in cases {
            expected.check(endpoint, world.call(endpoint, &users[actions]), &format!("{actions:?}"));
        }
        for (group, client) in &members {
            let answer = world.call(endpoint, client);
            let has_it = endpoint.needs.groups().is_empty() || endpoint.needs.group_names().contains(group);
            // A member of a group without the right has no action on the KMS either.
            let refused = cases.iter().find(|(actions, _)| actions.is_empty()).map(|(_, expected)| expected);
            match refused {
                Some(refused) if !has_it => refused.check(endpoint, answer, group),
                _ => Expected::LetIn.check(endpoint, answer, group),
            }
        }
    }
    assert_eq!(VisibleState::of(&world.admin), before, "the walk changes nothing");
}

impl Expected {
    #[track_caller]
    fn check(&self, endpoint: &Endpoint, answer: Answer, caller: &str) {
        let shown = format!("{} by {caller}: {} {}", endpoint.id, answer.status, answer.text);
        let reason = answer.body["reason"].as_str().unwrap_or_default().to_owned();
        match self {
            Expected::LetIn => {
                assert!(![401, 403].contains(&answer.status) && answer.status < 500, "{shown}");
                // For a right on a resource, the resource exists. For the rights of groups, it does not.
                let is_of_groups = matches!(cases(endpoint.needs)[0].1, Expected::MembershipMissing(_));
                assert!(answer.status != 404 || is_of_groups || ABSENT.contains(&endpoint.id), "{shown}");
            }
            Expected::Hidden => {
                assert_eq!(answer.status, 404, "{shown}");
                assert!(reason.ends_with("_unknown"), "{shown}");
            }
            Expected::ActionMissing(action) => {
                assert_eq!((answer.status, reason.as_str()), (403, "permission_missing"), "{shown}");
                assert!(shown.contains(&format!("`{action}`")), "{shown}");
            }
            Expected::MembershipMissing(groups) => {
                assert_eq!((answer.status, reason.as_str()), (403, "membership_missing"), "{shown}");
                assert!(groups.iter().all(|group| shown.contains(&format!("`{group}`"))), "{shown}");
            }
        }
    }
}

/// An appliance with a resource of each kind that a path can name.
struct World {
    appliance: Appliance,
    admin: Client,
    kms: String,
    key: String,
    source_key: String,
    hyok_source: String,
    key_store: String,
    virtual_key: String,
    template: String,
    sync_job: String,
    key_store_job: String,
    bulk_job: String,
    report: String,
}

fn key_store_body(name: &str, source: &str) -> Value {
    json!({"name": name, "kms": "first", "region": "eu-west-1",
        "aws_param": {"xks_proxy_uri_endpoint": "https://xks.example.com"},
        "local_hosted_params": {"health_check_key_id": source, "max_credentials": 2}})
}

impl World {
    fn new() -> Self {
        let appliance = Appliance::start();
        let admin = appliance.admin();
        let kms = appliance.kms("first", &["eu-west-1"]);
        let make = |path: &str, body: Value, status: u16| id(&admin.post(path, body).expect(status));
        let key = make("/v1/cckm/aws/keys", json!({"kms": "first", "region": "eu-west-1", "aws_param": {}}), 201);
        let source_key = make("/v1/vault/keys2", json!({}), 201);
        let hyok = json!({"name": "hyok", "algorithm": "AES", "unexportable": true, "undeletable": true});
        let hyok_source = make("/v1/vault/keys2", hyok, 201);
        let key_store = make("/v1/cckm/aws/custom-key-stores", key_store_body("first", &hyok_source), 201);
        let virtual_key = make("/v1/cckm/virtual/keys", json!({"source_key_id": hyok_source}), 201);
        let template = make("/v1/cckm/aws/templates", json!({"name": "first", "kms": "first"}), 201);
        let sync_job = make("/v1/cckm/aws/synchronization-jobs", json!({"kms": ["first"]}), 202);
        let bulk_job = make("/v1/cckm/aws/bulkjob", json!({"keys": [key], "operation": "enablekey"}), 202);
        let aging = json!({"name": "first", "report_type": "key-aging", "cloud_watch_params": [{"kms": "first"}]});
        let report = make("/v1/cckm/aws/reports", aging, 202);
        let store_jobs = "custom-key-stores/synchronization-jobs";
        let key_store_job = make(&format!("/v1/cckm/aws/{store_jobs}"), json!({"kms": ["first"]}), 202);
        let jobs = [
            format!("synchronization-jobs/{sync_job}"),
            format!("bulkjob/{bulk_job}"),
            format!("{store_jobs}/{key_store_job}"),
        ];
        for job in jobs {
            while admin.get(&format!("/v1/cckm/aws/{job}")).expect(200)["overall_status"] == "in_progress" {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Self {
            appliance,
            admin,
            kms,
            key,
            source_key,
            hyok_source,
            key_store,
            virtual_key,
            template,
            sync_job,
            key_store_job,
            bulk_job,
            report,
        }
    }

    /// A user in no group with these actions on the KMS.
    fn user(&self, name: &str, actions: &[&str]) -> Client {
        let user = self.appliance.user(name);
        if !actions.is_empty() {
            // A permit brings the views that its actions need.
            let views = ["viewnative", "viewbyok", "viewhyokkey", "viewcloudhsmkey", "viewkeystore", "reportview"];
            let others: Vec<_> = views.iter().filter(|view| !actions.contains(*view)).collect();
            let entry =
                |actions: Value, permit| json!({"user_id": subject(&user), "actions": actions, "permit": permit});
            let acls = json!({"acls": [entry(json!(actions), true), entry(json!(others), false)]});
            self.admin.post(&format!("/v1/cckm/aws/kms/{}/update-acls", self.kms), acls).expect(200);
        }
        user
    }

    /// Sends a call without effect: a dry run, or a body that is refused after the check of rights.
    fn call(&self, endpoint: &Endpoint, client: &Client) -> Answer {
        let families = [
            ("/xks-proxy-endpoints/", &self.key_store),
            ("/virtual/keys/", &self.virtual_key),
            ("/kms/", &self.kms),
            ("/keys/", &self.key),
            ("/custom-key-stores/synchronization-jobs/", &self.key_store_job),
            ("/custom-key-stores/", &self.key_store),
            ("/keys2/", &self.source_key),
            ("/templates/", &self.template),
            ("/synchronization-jobs/", &self.sync_job),
            ("/bulkjob/", &self.bulk_job),
            ("/reports/", &self.report),
        ];
        let id = families.iter().find(|(family, _)| endpoint.path.contains(family)).map_or(NEVER, |(_, id)| id);
        let path = endpoint.path.trim_start_matches("/api").replace("{id}", id);
        // This group has no rights of its own: only `admin` may add users to the others.
        let path = path
            .replace("{cid}", NEVER)
            .replace("{request}", NEVER)
            .replace("{xks_key_id}", NEVER)
            .replace("{name}", "CCKM%20Users")
            .replace("{user_id}", &format!("local%7C{NEVER}"));
        let names_the_kms_in_its_body = endpoint.needs.is_checked_by_the_use_case() && !endpoint.path.contains("{id}");
        let (query, body) = match names_the_kms_in_its_body {
            true => self.body(endpoint.id),
            false => ("?dry_run=true", json!({})),
        };
        let method = Method::from_bytes(endpoint.method.as_str().as_bytes()).expect("a method");
        client.send(method, &format!("{path}{query}"), Some(body.to_string().into_bytes()))
    }

    /// A query and a body that name the KMS or the key of the right.
    fn body(&self, id: &str) -> (&'static str, Value) {
        // The KMS does not manage this region; these two calls have no dry run.
        let elsewhere = json!({"kms": "first", "region": "eu-west-2"});
        match id {
            "createKey" => ("", elsewhere),
            "uploadKey" => {
                ("", json!({"kms": "first", "region": "eu-west-2", "source_key_identifier": self.source_key}))
            }
            "verifyAlias" => ("", json!({"kms": self.kms, "region": "eu-west-1", "alias": "free"})),
            "listIamUsers" | "listIamRoles" => ("", json!({"kms": "first"})),
            "listLogGroups" => ("", json!({"kms": "first", "region": "eu-west-1"})),
            "synchronizeCustomKeyStores" => ("?dry_run=true", json!({"kms": ["first"]})),
            // The KMS does not manage this region either.
            "getUnusedCloudHsmClusters" => ("", elsewhere),
            "synchronizeKeys" => ("?dry_run=true", json!({"kms": ["first"]})),
            "startBulkJob" => ("?dry_run=true", json!({"keys": [self.key], "operation": "enablekey"})),
            "createCustomKeyStore" => ("?dry_run=true", key_store_body("second", &self.hyok_source)),
            "createHyokKey" => (
                "?dry_run=true",
                json!({"local_hosted_params":
                    {"custom_key_store_id": self.key_store, "source_key_id": self.hyok_source}}),
            ),
            "createReport" => ("?dry_run=true", json!({"name": "r", "cloud_watch_params": [{"kms": "first"}]})),
            "createTemplate" => ("?dry_run=true", json!({"name": "second", "kms": "first"})),
            other => panic!("`{other}` needs a right on what its body names: give it a body here"),
        }
    }
}
