//! The answers to every GET, so that a test can compare two appliances.

use crate::support::appliance::{Appliance, id, subject};
use crate::support::client::Client;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

/// What is not compared, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("/v1/auth/", "is about the session"),
    ("/v1/events", "has no end"),
    ("/v1/audit/chain", "is about the end of the log, to which each sign-in adds"),
    ("/v1/system/", "is about the process"),
    ("/metrics", "is about the process"),
    ("/healthz", "is about the process"),
    ("/readyz", "is about the process"),
    ("/v1/cckm/aws/keys/{id}/download-public-key", "asks AWS"),
    ("/v1/cckm/aws/keys/{id}/grants", "asks AWS"),
    ("/v1/cckm/aws/custom-key-stores/{id}/health", "says when the store was checked, which each start does"),
    ("/v1/backups/{id}/download", "a restored appliance does not have the files of backups"),
];

/// The queries without which nothing, or what each sign-in adds, is answered.
const QUERIES: &[(&str, &str)] = &[
    ("/v1/audit/records", "?sort=number&limit=10"),
    ("/v1/audit/records", "?event=LoginRefused"),
    ("/v1/audit/records/download", "?sort=number&limit=10"),
    ("/v1/search", "?q=payroll"),
    ("/v1/cckm/aws/access", "?principal=arn:aws:iam::123456789012:root"),
];

/// The paths for which [`furnish`] makes nothing.
const EMPTY: &[&str] = &["/v1/alarms/{id}", "/v1/cckm/aws/drift-events/{id}"];

/// The members that a sign-in, time, or what is there to be forwarded changes, by the beginning of the path.
const TIMELY: &[(&str, &[&str])] = &[
    ("/", &["last_login", "logins_count", "next_run_at", "next_runs"]),
    ("/v1/cckm/aws/posture", &["at", "trend"]),
    ("/v1/scheduler/coverage", &["at"]),
    ("/v1/configs/syslogs", &["lag", "last_sent_at"]),
    ("/v1/audit/records?", &["total"]),
    ("/v1/usermgmt/users/", &["total"]),
];

/// The answers to every GET of the description of the API, but for those left out: all lists, and every path with the ids of
/// what they list.
pub(crate) fn answers(admin: &Client) -> BTreeMap<String, Value> {
    let paths = read_paths(admin);
    let mut asked = Asked { admin, answers: BTreeMap::new(), instances: BTreeMap::new() };
    paths.iter().for_each(|path| asked.ask(path));
    asked.answers
}

/// The paths for which nothing is there to be answered.
pub(crate) fn unanswered(admin: &Client) -> Vec<String> {
    let mut asked = Asked { admin, answers: BTreeMap::new(), instances: BTreeMap::new() };
    let mut paths = read_paths(admin);
    paths.retain(|path| {
        asked.ask(path);
        !EMPTY.contains(&path.as_str()) && !asked.instances(path).iter().any(|one| asked.answers[one][0] == 200)
    });
    paths.into_iter().collect()
}

fn read_paths(admin: &Client) -> BTreeSet<String> {
    let document = admin.get("/v1/openapi.json").expect(200);
    let paths = document["paths"].as_object().expect("paths");
    let read = paths
        .iter()
        .filter(|(_, operations)| operations.get("get").is_some())
        .map(|(path, _)| path.strip_prefix("/api").unwrap_or(path).to_owned());
    let is_left_out =
        |path: &str| LEFT_OUT.iter().any(|(left, _)| path == *left || (left.ends_with('/') && path.starts_with(left)));
    read.filter(|path| !is_left_out(path)).collect()
}

struct Asked<'a> {
    admin: &'a Client,
    answers: BTreeMap<String, Value>,
    /// The paths that stand for a path with parameters.
    instances: BTreeMap<String, Vec<String>>,
}

impl Asked<'_> {
    fn ask(&mut self, path: &str) {
        for instance in self.instances(path) {
            self.answer(&instance);
        }
    }

    /// A path with the ids of what is listed above it.
    fn instances(&mut self, path: &str) -> Vec<String> {
        if let Some(known) = self.instances.get(path) {
            return known.clone();
        }
        let found = match path.rfind("/{") {
            None => {
                let queries = QUERIES.iter().filter(|(of, _)| *of == path);
                let asked: Vec<String> = queries.map(|(_, query)| format!("{path}{query}")).collect();
                if asked.is_empty() { vec![path.to_owned()] } else { asked }
            }
            Some(at) => {
                let (list, rest) = path.split_at(at);
                let (parameter, after) = rest[2..].split_once('}').expect("its end");
                let lists = self.instances(list);
                let of_list = |list: String| {
                    let ids = self.ids(&list, parameter);
                    let list = list.split('?').next().unwrap_or_default().to_owned();
                    ids.into_iter()
                        .map(move |id| format!("{list}/{}{after}", id.replace('|', "%7C").replace(' ', "%20")))
                };
                lists.into_iter().flat_map(of_list).collect()
            }
        };
        self.instances.insert(path.to_owned(), found.clone());
        found
    }

    /// The ids of what a path lists.
    fn ids(&mut self, list: &str, parameter: &str) -> Vec<String> {
        if let Some(posture) = list.strip_suffix("/findings") {
            let answer = self.answer(posture);
            let rules = answer["findings"].as_array().into_iter().flatten();
            return rules.filter_map(|finding| finding["rule"].as_str().map(str::to_owned)).collect();
        }
        let answer = self.answer(list);
        let rows = answer["resources"].as_array().into_iter().flatten();
        let id = |row: &Value| {
            // Records of the log are asked for by their numbers, which failed attempts do not have.
            let first = if list.starts_with("/v1/audit/records") { "number" } else { parameter };
            [first, "id", "user_id", "policy_name"].into_iter().find_map(|member| match &row[member] {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            })
        };
        rows.filter_map(id).collect()
    }

    /// The body of the answer to a path, which is asked once.
    fn answer(&mut self, path: &str) -> Value {
        if let Some(known) = self.answers.get(path) {
            return known[1].clone();
        }
        // An answer that ends too early has no status.
        let Ok(answer) = self.admin.try_get(path) else {
            self.answers.insert(path.to_owned(), Value::Null);
            return Value::Null;
        };
        let mut body = if answer.body.is_null() { json!(answer.text) } else { answer.body };
        for (_, members) in TIMELY.iter().filter(|(beginning, _)| path.starts_with(beginning)) {
            remove(&mut body, members);
        }
        self.answers.insert(path.to_owned(), json!([answer.status, body.clone()]));
        body
    }
}

/// Removes these members, and the sign-ins from histories.
fn remove(body: &mut Value, members: &[&str]) {
    match body {
        Value::Object(of) => {
            members.iter().for_each(|member| drop(of.remove(*member)));
            of.values_mut().for_each(|value| remove(value, members));
        }
        Value::Array(values) => {
            values.retain(|value| value["event"] != "LoggedIn");
            values.iter_mut().for_each(|value| remove(value, members));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Adds resources of each kind, a failed attempt and a checkpoint.
pub(crate) fn furnish(appliance: &Appliance) {
    let admin = appliance.admin();
    let wrong = json!({"grant_type": "password", "username": "nobody", "password": "not-the-password"});
    appliance.nobody().post("/v1/auth/tokens", wrong).expect(401);
    let kms = appliance.kms("kms", &["eu-west-3"]);
    let made = |path: &str, body: Value| id(&admin.post(path, body).expect(201));
    let key = |aws_param: Value| json!({"kms": "kms", "region": "eu-west-3", "aws_param": aws_param});
    let payroll = made("/v1/cckm/aws/keys", key(json!({"Alias": "payroll"})));
    made("/v1/cckm/aws/keys", key(json!({"Alias": "other", "Description": "b"})));
    let rotated = admin.post(&format!("/v1/cckm/aws/keys/{payroll}/rotate-material"), json!({}));
    assert!(rotated.status < 300, "{}", rotated.text);
    made("/v1/vault/keys2", json!({"name": "source", "algorithm": "aes", "size": 256}));
    let ann = appliance.member("ann", &["CCKM Admins"]);
    let acl = json!({"user_id": subject(&ann), "actions": ["viewnative"], "permit": true});
    admin.post(&format!("/v1/cckm/aws/kms/{kms}/update-acls"), acl).expect(200);
    let params = json!({"name": "weekly", "operation": "cckm_key_rotation", "run_at": "0 9 * * sat",
        "cckm_key_rotation_params": {"cloud_name": "aws"}});
    let weekly = made("/v1/scheduler/job-configs", params);
    let run = id(&admin.post(&format!("/v1/scheduler/job-configs/{weekly}/run-now"), json!({})).expect(201));
    until_ended(&admin, &format!("/v1/scheduler/jobs/{run}"));
    made("/v1/cckm/aws/templates", json!({"name": "template", "kms": "kms", "key_users": ["user1"]}));
    admin.post("/v1/usermgmt/pwdpolicies", json!({"policy_name": "machines"})).expect(201);
    made("/v1/alarms/webhooks", json!({"name": "webhook", "url": "https://alarms.example.org/"}));
    made("/v1/configs/syslogs", json!({"host": "127.0.0.1", "port": 9, "transport": "udp"}));
    furnish_key_store(&admin);
    for (path, body) in [
        ("/v1/cckm/aws/synchronization-jobs", json!({"kms": ["kms"]})),
        ("/v1/cckm/aws/custom-key-stores/synchronization-jobs", json!({"kms": ["kms"]})),
        // It fails, because the settings name no recipient.
        ("/v1/backups", json!({})),
        ("/v1/cckm/aws/bulkjob", json!({"operation": "disablekey", "keys": [payroll]})),
        (
            "/v1/cckm/aws/reports",
            json!({"name": "daily", "report_type": "key-aging", "cloud_watch_params": [{"kms": "kms"}]}),
        ),
    ] {
        let job = id(&admin.post(path, body).expect(202));
        until_ended(&admin, &format!("{path}/{job}"));
    }
    admin.post("/v1/audit/checkpoints", json!({})).expect(201);
}

/// A key store that AWS does not know yet, and a key in it.
fn furnish_key_store(admin: &Client) {
    let made = |path: &str, body: Value| id(&admin.post(path, body).expect(201));
    let hyok = json!({"name": "hyok", "algorithm": "AES", "unexportable": true, "undeletable": true});
    let hyok = made("/v1/vault/keys2", hyok);
    let store = json!({"name": "store", "kms": "kms", "region": "eu-west-3", "linked_state": false,
        "aws_param": {"xks_proxy_uri_endpoint": "https://xks.example.com"},
        "local_hosted_params": {"health_check_key_id": hyok, "max_credentials": 2}});
    let store = made("/v1/cckm/aws/custom-key-stores", store);
    let key = json!({"local_hosted_params": {"custom_key_store_id": store, "source_key_id": hyok}});
    made("/v1/cckm/aws/create-hyok-key", key);
}

fn until_ended(admin: &Client, path: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let is_open = |job: &Value| ["status", "overall_status"].iter().any(|member| job[*member] == "in_progress");
    while is_open(&admin.get(path).expect(200)) {
        assert!(Instant::now() < deadline, "{path} goes on and on");
        thread::sleep(Duration::from_millis(20));
    }
}
