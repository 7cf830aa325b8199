//! The answers to every GET, so that a test can compare two appliances.

use crate::support::appliance::Appliance;
use crate::support::client::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The answers to every GET of the description of the API: all lists, and every path with the id of what they list.
pub(crate) fn answers(admin: &Client) -> BTreeMap<String, Value> {
    // What asks AWS, changes with time, or describes the process and the session.
    const LEFT_OUT: &[&str] = &[
        "/v1/auth/",
        "/v1/events",
        "/metrics",
        "/healthz",
        "/readyz",
        "/openapi",
        "/rotations",
        "/download-public-key",
        "/access",
        "/posture",
        "/coverage",
        "/refused-calls",
        "/log-groups",
        "/logs",
        "/version",
        "/system/",
        "/permissions",
        "/used-by",
        "/xks",
        "/audit/",
        "/backups",
    ];
    let document = admin.get("/v1/openapi.json").expect(200);
    let paths = document["paths"].as_object().expect("paths");
    let read = paths.iter().filter(|(_, operations)| operations.get("get").is_some()).map(|(path, _)| path.clone());
    let read: Vec<String> = read.filter(|path| !LEFT_OUT.iter().any(|part| path.contains(part))).collect();
    let mut answers = BTreeMap::new();
    let mut ask = |path: String| {
        // An answer that ends too early has no status.
        let Ok(answer) = admin.try_get(&path) else {
            answers.insert(path, Value::Null);
            return Value::Null;
        };
        let body = if answer.body.is_null() { json!(answer.text) } else { timeless(answer.body) };
        let shown = body.clone();
        answers.insert(path, json!([answer.status, body]));
        shown
    };
    for path in read.iter().filter(|path| !path.contains('{')) {
        let list = ask(path.clone());
        let of_one =
            read.iter().filter(|one| one.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with("/{")));
        for one in of_one.filter(|one| one.matches('{').count() == 1) {
            let (before, rest) = one.split_once('{').expect("a parameter");
            let after = rest.split_once('}').expect("its end").1;
            let parameter = &rest[..rest.len() - after.len() - 1];
            let rows = list["resources"].as_array().into_iter().flatten();
            for id in rows.filter_map(|row| row[parameter].as_str()) {
                ask(format!("{before}{}{after}", id.replace('|', "%7C").replace(' ', "%20")));
            }
        }
    }
    answers
}

/// Without what a sign-in changes.
fn timeless(mut body: Value) -> Value {
    match &mut body {
        Value::Object(members) => {
            for member in ["last_login", "logins_count", "next_run_at", "next_runs"] {
                members.remove(member);
            }
            members.values_mut().for_each(|value| *value = timeless(value.take()));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| *value = timeless(value.take())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    body
}

/// Adds resources of most kinds.
pub(crate) fn furnish(appliance: &Appliance) {
    let admin = appliance.admin();
    appliance.kms("kms", &["eu-west-3"]);
    let key = |body: Value| admin.post("/v1/cckm/aws/keys", body).expect(201);
    key(json!({"kms": "kms", "region": "eu-west-3", "aws_param": {"Alias": "payroll"}}));
    key(json!({"kms": "kms", "region": "eu-west-3", "aws_param": {"Alias": "other", "Description": "b"}}));
    admin.post("/v1/vault/keys2", json!({"name": "source", "algorithm": "aes", "size": 256})).expect(201);
    appliance.member("ann", &["CCKM Admins"]);
    let schedule = json!({"name": "weekly", "operation": "cckm_key_rotation", "run_at": "0 9 * * sat",
        "cckm_key_rotation_params": {"cloud_name": "aws"}});
    admin.post("/v1/scheduler/job-configs", schedule).expect(201);
}
