//! The vendor's table "APIs and Action Mapping", row by row: a user with every action except those of the row is
//! refused, and a user with these alone, and the views that they need, has the effect at AWS. Lists show nothing to the
//! first, and what there is to the second.

use super::custom_key_stores_cloudhsm::{PASSWORD, body as cluster_body};
use super::hyok_keys::{Prepared, prepared};
use super::synchronization_jobs::end_of_job;
use crate::support::appliance::{id, subject};
use crate::support::client::{Answer, Client};
use crate::support::lab::LabClient;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

const REGION: &str = "us-east-1";
const KEYS: &str = "/v1/cckm/aws/keys";
const STORES: &str = "/v1/cckm/aws/custom-key-stores";
const JOBS: &str = "/v1/cckm/aws/synchronization-jobs";
const VIEWS: [&str; 6] = ["view", "viewnative", "viewbyok", "viewhyokkey", "viewcloudhsmkey", "viewkeystore"];

/// The rows that were called, by API and actions, in any order.
struct Table {
    prepared: Prepared,
    lab: LabClient,
    /// The actions of the table.
    actions: Vec<String>,
    users: BTreeMap<(bool, Vec<&'static str>), Client>,
    called: Vec<(String, Vec<String>)>,
}

impl Table {
    fn new() -> Self {
        let prepared = prepared();
        let lab = LabClient::of(&prepared.appliance);
        let served = prepared.admin.get("/v1/cckm/aws/actions").expect(200);
        let rows = served["resources"].as_array().expect("rows");
        let mut actions: Vec<_> = rows.iter().flat_map(|row| texts(&row["actions"])).collect();
        actions.sort();
        actions.dedup();
        Self { prepared, lab, actions, users: BTreeMap::new(), called: Vec::new() }
    }

    /// A user with only these actions on the KMS, or with all others.
    fn user(&mut self, only: bool, actions: &[&'static str]) -> Client {
        if let Some(known) = self.users.get(&(only, actions.to_vec())) {
            return known.clone();
        }
        let user = self.prepared.appliance.user(&format!("user-{}", self.users.len()));
        let mut withheld = Vec::new();
        let granted: Vec<String> = match only {
            true => actions.iter().map(|action| (*action).to_owned()).collect(),
            false => {
                withheld.extend(actions.iter().map(|action| (*action).to_owned()));
                // `view` is the old name of two other views.
                let is_view = actions.iter().any(|action| VIEWS[..3].contains(action));
                let others = self.actions.iter().filter(|action| !actions.contains(&action.as_str()));
                others.filter(|action| !(is_view && *action == "view")).cloned().collect()
            }
        };
        let mut acls = vec![json!({"user_id": subject(&user), "actions": granted, "permit": true})];
        if !withheld.is_empty() {
            acls.push(json!({"user_id": subject(&user), "actions": withheld, "permit": false}));
        }
        let path = format!("/v1/cckm/aws/kms/{}/update-acls", self.prepared.kms);
        self.prepared.admin.post(&path, json!({"acls": acls})).expect(200);
        self.users.insert((only, actions.to_vec()), user.clone());
        user
    }

    /// Calls the API of a row as both users, and returns the answer for the one who has the right.
    #[track_caller]
    fn row(&mut self, api: &str, actions: &[&'static str], call: impl Fn(&Client) -> Answer) -> Value {
        let refused = call(&self.user(false, actions));
        assert!([403, 404].contains(&refused.status), "{api}, {actions:?}: {} {}", refused.status, refused.text);
        let answer = call(&self.user(true, actions));
        assert!((200..300).contains(&answer.status), "{api}, {actions:?}: {} {}", answer.status, answer.text);
        self.mark(api, actions);
        answer.body
    }

    /// Asserts that only the user who has the right finds something.
    #[track_caller]
    fn list(&mut self, api: &str, actions: &[&'static str], path: &str) {
        let without = self.user(false, actions).get(path).expect(200);
        assert_eq!(without["total"], 0, "{api}, {actions:?}: {without}");
        let with = self.user(true, actions).get(path).expect(200);
        assert!(with["total"].as_u64().is_some_and(|total| total > 0), "{api}, {actions:?}: {with}");
        self.mark(api, actions);
    }

    fn mark(&mut self, api: &str, actions: &[&str]) {
        self.called.push((api.to_owned(), actions.iter().map(|action| (*action).to_owned()).collect()));
    }

    /// Asserts that every row of the served table was called.
    fn assert_complete(mut self) {
        let served = self.prepared.admin.get("/v1/cckm/aws/actions").expect(200);
        let rows = served["resources"].as_array().expect("rows").iter();
        let mut expected: Vec<_> =
            rows.map(|row| (row["api"].as_str().expect("a name").to_owned(), texts(&row["actions"]))).collect();
        expected.sort();
        self.called.sort();
        assert_eq!(self.called, expected);
    }

    fn key(&self, aws_param: Value) -> Value {
        self.prepared.admin.post(KEYS, json!({"kms": "kms", "region": REGION, "aws_param": aws_param})).expect(201)
    }

    fn source_key(&self) -> String {
        id(&self.prepared.admin.post("/v1/vault/keys2", json!({"algorithm": "aes", "size": 256})).expect(201))
    }

    /// AWS's own description of a key.
    fn described(&self, key: &Value) -> Value {
        let key = json!({"KeyId": key["aws_param"]["KeyID"]});
        self.lab.kms(REGION, "DescribeKey", &key)["KeyMetadata"].take()
    }

    fn store(&self, id: &str) -> Value {
        self.prepared.admin.get(&format!("{STORES}/{id}")).expect(200)
    }

    #[track_caller]
    fn until(&self, store: &str, state: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.store(store)["aws_param"]["connection_state"] != state {
            assert!(Instant::now() < deadline, "not {state}: {}", self.store(store));
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
}

fn post(key: &Value, what: &str, body: Value) -> impl Fn(&Client) -> Answer {
    let path = format!("{KEYS}/{}/{what}", id(key));
    move |client| client.post(&path, body.clone())
}

fn post_store(store: &str, what: &str) -> impl Fn(&Client) -> Answer {
    let path = format!("{STORES}/{store}/{what}");
    move |client| client.send(Method::POST, &path, None)
}

#[test]
fn every_row_of_the_vendors_table_has_its_effect_with_its_right_and_none_without() {
    let mut table = Table::new();
    keys(&mut table);
    material(&mut table);
    views(&mut table);
    synchronization(&mut table);
    hyok_keys(&mut table);
    key_stores(&mut table);
    cluster_keys(&mut table);
    reports(&mut table);
    table.assert_complete();
}

fn keys(table: &mut Table) {
    let body = json!({"kms": "kms", "region": REGION, "aws_param": {"Alias": "row", "Description": "d"}});
    let key = table.row("Create", &["keycreate"], |client| client.post(KEYS, body.clone()));
    assert_eq!(table.described(&key)["KeyState"], "Enabled");

    let policy = json!({"policy": {"Version": "2012-10-17", "Statement": [{"Sid": "row", "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}]}});
    table.row("Update key policy", &["keyupdate"], post(&key, "policy", policy));
    let aws_id = json!({"KeyId": key["aws_param"]["KeyID"]});
    let policy = table.lab.kms(REGION, "GetKeyPolicy", &aws_id);
    assert!(policy["Policy"].as_str().is_some_and(|text| text.contains("\"row\"")), "{policy}");

    let description = json!({"description": "of the row"});
    table.row("Update key description", &["keyupdate"], post(&key, "update-description", description));
    assert_eq!(table.described(&key)["Description"], "of the row");
    table.row("Disable key", &["keyupdate"], post(&key, "disable", json!({})));
    assert_eq!(table.described(&key)["KeyState"], "Disabled");
    table.row("Enable key", &["keyupdate"], post(&key, "enable", json!({})));
    assert_eq!(table.described(&key)["KeyState"], "Enabled");

    let has_tag = |table: &Table| {
        let tags = table.lab.kms(REGION, "ListResourceTags", &aws_id);
        tags["Tags"].as_array().expect("tags").contains(&json!({"TagKey": "row", "TagValue": "1"}))
    };
    let tags = json!({"tags": [{"tag_key": "row", "tag_value": "1"}]});
    table.row("Add tags", &["keyupdate"], post(&key, "add-tags", tags));
    assert!(has_tag(table));
    table.row("Remove tags", &["keyupdate"], post(&key, "remove-tags", json!({"tags": ["row"]})));
    assert!(!has_tag(table));

    let has_alias = |table: &Table| {
        let aliases = table.lab.kms(REGION, "ListAliases", &aws_id);
        aliases["Aliases"].as_array().expect("aliases").iter().any(|alias| alias["AliasName"] == "alias/second")
    };
    table.row("Add alias", &["keyupdate"], post(&key, "add-alias", json!({"alias": "second"})));
    assert!(has_alias(table));
    table.row("Delete alias", &["keyupdate"], post(&key, "delete-alias", json!({"alias": "second"})));
    assert!(!has_alias(table));

    let rotates = |table: &Table| table.lab.kms(REGION, "GetKeyRotationStatus", &aws_id)["KeyRotationEnabled"].clone();
    table.row("Enable key rotation", &["keyupdate"], post(&key, "enable-auto-rotation", json!({})));
    assert_eq!(rotates(table), true);
    table.row("Disable key rotation", &["keyupdate"], post(&key, "disable-auto-rotation", json!({})));
    assert_eq!(rotates(table), false);

    let new = table.row("Rotate", &["keyrotate"], post(&key, "rotate", json!({})));
    assert_eq!(new["aws_param"]["Alias"], json!(["alias/row"]));
    assert_ne!(table.described(&new)["KeyId"], table.described(&key)["KeyId"]);
    table.row("Schedule Deletion", &["keydelete"], post(&key, "schedule-deletion", json!({"days": 7})));
    assert_eq!(table.described(&key)["KeyState"], "PendingDeletion");
    table.row("Cancel delete", &["keycanceldelete"], post(&key, "cancel-deletion", json!({})));
    assert_eq!(table.described(&key)["KeyState"], "Disabled");

    let bulk = json!({"keys": [id(&key)], "operation": "schedulekeydeletion"});
    let refused = table.user(false, &["keybulkoperation"]).post("/v1/cckm/aws/bulkjob", bulk.clone());
    assert_eq!(refused.status, 403, "{}", refused.text);
    // A bulk job needs the right of each call too.
    let both = table.user(true, &["keybulkoperation", "keydelete"]);
    let job = both.post("/v1/cckm/aws/bulkjob", bulk).expect(202);
    let job = end_of_job(&both, &format!("/v1/cckm/aws/bulkjob/{}", id(&job)));
    assert_eq!(job["overall_status"], "completed", "{job}");
    assert_eq!(table.described(&key)["KeyState"], "PendingDeletion");
    table.mark("Bulk job", &["keybulkoperation"]);
}

fn material(table: &mut Table) {
    let key = table.key(json!({"Origin": "EXTERNAL"}));
    let source = json!({"source_key_identifier": table.source_key()});
    table.row("Import", &["keymaterialimport"], post(&key, "import-material", source));
    assert_eq!(table.described(&key)["KeyState"], "Enabled");
    table.row("Delete key material", &["keymaterialdelete"], post(&key, "delete-material", json!({})));
    assert_eq!(table.described(&key)["KeyState"], "PendingImport");
    let body = json!({"kms": "kms", "region": REGION, "source_key_identifier": table.source_key()});
    let upload = |client: &Client| client.post("/v1/cckm/aws/upload-key", body.clone());
    let key = table.row("Upload", &["keyupload"], upload);
    assert_eq!(
        (&table.described(&key)["Origin"], &table.described(&key)["KeyState"]),
        (&json!("EXTERNAL"), &json!("Enabled"))
    );
}

fn views(table: &mut Table) {
    let native = table.key(json!({}));
    table.list("List", &["viewnative"], &format!("{KEYS}?origin=AWS_KMS"));
    table.list("List", &["viewbyok"], &format!("{KEYS}?origin=EXTERNAL"));
    let path = format!("{KEYS}/{}", id(&native));
    let get = |client: &Client| client.get(&path);
    table.row("Get (AWS Keys)", &["view"], get);
    // Each of the two views shows its keys only.
    assert_eq!(table.user(true, &["viewbyok"]).get(&path).status, 404);
    assert_eq!(table.user(true, &["viewnative"]).get(&path).status, 200);
    table.row("Get (AWS Keys)", &["viewnative", "viewbyok"], get);
    // Any action on a KMS shows the KMS itself; who has none does not see it.
    let (nobody, kms) = (table.prepared.appliance.user("nobody"), format!("/v1/cckm/aws/kms/{}", table.prepared.kms));
    assert_eq!(nobody.get("/v1/cckm/aws/kms").expect(200)["total"], 0);
    nobody.get(&kms).expect(404);
    for view in ["viewnative", "viewbyok"] {
        let viewer = table.user(true, &[view]);
        assert_eq!(viewer.get("/v1/cckm/aws/kms").expect(200)["total"], 1);
        assert_eq!(viewer.get(&kms).expect(200)["id"], json!(table.prepared.kms));
    }
    table.mark("List AWS KMS", &["viewnative", "viewbyok"]);
    table.mark("Get (AWS Kms)", &["viewnative", "viewbyok"]);
}

fn synchronization(table: &mut Table) {
    let by_hand = table.lab.kms(REGION, "CreateKey", &json!({"Description": "by hand"}))["KeyMetadata"].take();
    let start = |client: &Client| client.post(JOBS, json!({"kms": ["kms"]}));
    let job = table.row("Synchronize", &["keysynchronize"], start);
    let job = end_of_job(&table.prepared.admin, &format!("{JOBS}/{}", id(&job)));
    assert_eq!(job["overall_status"], "completed", "{job}");
    let found = table.prepared.admin.get(&format!("{KEYS}?keyid={}", by_hand["KeyId"].as_str().expect("an id")));
    assert_eq!(found.expect(200)["total"], 1);
    table.lab.set_faults(&json!([{"service": "kms", "operation": "ListKeys", "delay_ms": 20_000}]));
    let job = start(&table.prepared.admin).expect(202);
    let path = format!("{JOBS}/{}", id(&job));
    table.row("Cancel", &["keysynchronize"], |client| client.post(&format!("{path}/cancel"), json!({})));
    assert_eq!(end_of_job(&table.prepared.admin, &path)["abort"], true);
    table.lab.set_faults(&json!([]));
}

fn hyok_keys(table: &mut Table) {
    let local = json!({"custom_key_store_id": table.prepared.store, "source_key_id": table.prepared.source});
    let body = json!({"local_hosted_params": local});
    let create = |client: &Client| client.post("/v1/cckm/aws/create-hyok-key", body.clone());
    let key = table.row("Create (HYOK Key)", &["hyokkeycreate"], create);
    table.list("List (HYOK Key)", &["viewhyokkey"], &format!("{KEYS}?origin=EXTERNAL_KEY_STORE"));
    for what in ["block", "unblock"] {
        let path = format!("{KEYS}/{}/{what}", id(&key));
        let call = |client: &Client| client.send(Method::POST, &path, None);
        let without = call(&table.user(false, &["hyokkeyblockunblock"]));
        assert_eq!(without.status, 403, "{}", without.text);
        let with = call(&table.user(true, &["hyokkeyblockunblock"])).expect(200);
        assert_eq!(with["blocked"], what == "block");
    }
    table.mark("Block/Unblock (HYOK Key)", &["hyokkeyblockunblock"]);
    table.row("Delete (HYOK Key)", &["hyokkeydelete"], |client| client.delete(&format!("{KEYS}/{}", id(&key))));
    table.prepared.admin.get(&format!("{KEYS}/{}", id(&key))).expect(404);
}

fn key_stores(table: &mut Table) {
    let (store, source) = (table.prepared.store.clone(), table.prepared.source.clone());
    let body = json!({"name": "second", "kms": "kms", "region": REGION,
        "aws_param": {"xks_proxy_uri_endpoint": "https://second.example.com"},
        "local_hosted_params": {"health_check_key_id": source, "max_credentials": 2}});
    let second = table.row("Create (Custom Key Store)", &["keystoreadd"], |client| client.post(STORES, body.clone()));
    let second = id(&second);
    table.list("List (Custom Key Store)", &["viewkeystore"], STORES);
    let rename = |client: &Client| client.patch(&format!("{STORES}/{second}"), json!({"name": "renamed"}));
    table.row("Update (Custom Key Store)", &["keystoreupdate"], rename);
    assert_eq!(table.store(&second)["name"], "renamed");
    let delete = |client: &Client| client.delete(&format!("{STORES}/{second}"));
    table.row("Delete (Custom Key Store)", &["keystoredelete"], delete);
    table.prepared.admin.get(&format!("{STORES}/{second}")).expect(404);

    table.row("Link (Custom Key Store)", &["keystorelink"], post_store(&store, "link"));
    let at_aws = table.lab.kms(REGION, "DescribeCustomKeyStores", &json!({}));
    assert_eq!(at_aws["CustomKeyStores"][0]["CustomKeyStoreName"], "xks");
    table.row("Connect (Custom Key Store)", &["keystoreconnect"], post_store(&store, "connect"));
    table.until(&store, "CONNECTED");

    let local = json!({"custom_key_store_id": store, "source_key_id": source});
    let key = table.prepared.admin.post("/v1/cckm/aws/create-hyok-key", json!({"local_hosted_params": local}));
    let key = table.row("Link (HYOK Key)", &["hyokkeylink"], post(&key.expect(201), "link", json!({})));
    assert_eq!(table.described(&key)["Origin"], "EXTERNAL_KEY_STORE");
    let encrypt = json!({"KeyId": key["aws_param"]["KeyID"], "Plaintext": "aGVsbG8="});
    let encrypts = |table: &Table| table.lab.try_kms(REGION, "Encrypt", &encrypt).0 == 200;
    assert!(encrypts(table));
    table.row("Block (Custom Key Store)", &["keystoreblock"], post_store(&store, "block"));
    assert!(!encrypts(table), "a blocked store serves nothing");
    table.row("Unblock (Custom Key Store)", &["keystoreunblock"], post_store(&store, "unblock"));
    assert!(encrypts(table));
    table.row("Disconnect (Custom Key Store)", &["keystoredisconnect"], post_store(&store, "disconnect"));
    table.until(&store, "DISCONNECTED");
}

fn cluster_keys(table: &mut Table) {
    let admin = table.prepared.admin.clone();
    let store = id(&admin.post(STORES, cluster_body("hsm", PASSWORD)).expect(201));
    admin.post(&format!("{STORES}/{store}/connect"), json!({"key_store_password": PASSWORD})).expect(200);
    table.until(&store, "CONNECTED");
    let create = |client: &Client| client.post(&format!("{STORES}/{store}/create-aws-key"), json!({}));
    let key = table.row("Create (CloudHSM Key)", &["cloudhsmkeycreate"], create);
    assert_eq!(table.described(&key)["Origin"], "AWS_CLOUDHSM");
    table.list("List (CloudHSM Key)", &["viewcloudhsmkey"], &format!("{KEYS}?origin=AWS_CLOUDHSM"));
    let deletion = post(&key, "schedule-deletion", json!({"days": 7}));
    table.row("Delete (CloudHSM Key)", &["cloudhsmkeydelete"], deletion);
    assert_eq!(table.described(&key)["KeyState"], "PendingDeletion");
}

fn reports(table: &mut Table) {
    const REPORTS: &str = "/v1/cckm/aws/reports";
    let admin = table.prepared.admin.clone();
    let body = json!({"name": "row", "report_type": "key-aging", "cloud_watch_params": [{"kms": "kms"}]});
    let report = table.row("Create Report", &["reportcreate"], |client| client.post(REPORTS, body.clone()));
    let path = format!("{REPORTS}/{}", id(&report));
    let deadline = Instant::now() + Duration::from_secs(20);
    while admin.get(&path).expect(200)["overall_status"] == "in_progress" {
        assert!(Instant::now() < deadline, "the report does not end");
        thread::sleep(Duration::from_millis(20));
    }
    let contents = table.row("View Report", &["reportview"], |client| client.get(&format!("{path}/contents")));
    assert_eq!(contents["total"], 0, "the rows are of keys that need another view");
    table.row("Download Report", &["reportdownload"], |client| client.get(&format!("{path}/download")));
    table.row("Delete Report", &["reportdelete"], |client| client.delete(&path));
    admin.get(&path).refused(404, "NCERRResourceNotFound");
}
