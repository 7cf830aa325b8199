//! `/v1/scheduler`: schedules, their keys, and their runs, with the lab's KMS.

use crate::support::appliance::{Appliance, id, subject};
use crate::support::client::Client;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const SCHEDULES: &str = "/v1/scheduler/job-configs";
const RUNS: &str = "/v1/scheduler/jobs";
const KEYS: &str = "/v1/cckm/aws/keys";
const NONE: &str = "00000000-0000-4000-8000-000000000000";

fn at(schedule: &Value) -> String {
    format!("{SCHEDULES}/{}", id(schedule))
}

fn rotation(name: &str, params: Value) -> Value {
    json!({"name": name, "operation": "cckm_key_rotation", "run_at": "0 9 * * sat", "run_on": "any",
        "cckm_key_rotation_params": params})
}

fn key(admin: &Client, alias: &str) -> Value {
    let body = json!({"kms": "kms", "region": "eu-west-3", "aws_param": {"Alias": alias}});
    admin.post(KEYS, body).expect(201)
}

fn put_under(admin: &Client, key: &Value, body: Value) -> Value {
    admin.post(&format!("{KEYS}/{}/enable-rotation-job", id(key)), body).expect(200)
}

/// Starts a run of a schedule, and returns the run once it has ended.
fn run(admin: &Client, schedule: &Value) -> Value {
    let begun = admin.post(&format!("{}/run-now", at(schedule)), json!({})).expect(201);
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let run = admin.get(&format!("{RUNS}/{}", id(&begun))).expect(200);
        if run["overall_status"] != "in_progress" {
            return run;
        }
        assert!(Instant::now() < deadline, "it does not end: {run}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_schedule_is_made_shown_changed_and_deleted() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let mut body = rotation(
        "weekly",
        json!({"cloud_name": "aws", "expire_in": "30d", "expiration": "90d",
        "rotation_after": "6d", "aws_param": {"retain_alias": true, "rotate_material": false}}),
    );
    body["start_date"] = json!("2026-01-01T14:24:00Z");
    body["end_date"] = json!("2050-12-07T14:24:00Z");
    let schedule = admin.post(SCHEDULES, body.clone()).expect(201);
    for member in ["name", "operation", "run_at", "run_on", "start_date", "end_date", "cckm_key_rotation_params"] {
        assert_eq!(schedule[member], body[member], "{member}");
    }
    assert_eq!(schedule["job_config_params"], body["cckm_key_rotation_params"]);
    assert_eq!((&schedule["disabled"], &schedule["keys_count"]), (&json!(false), &json!(0)));
    assert!(schedule["next_run_at"].as_str().is_some_and(|at| at.ends_with("T09:00:00Z")), "{schedule}");
    assert_eq!(admin.get(&at(&schedule)).expect(200), schedule);

    let body_elsewhere = json!({"run_on": "node-2", "run_at": "0 9 ? * sat"});
    let elsewhere = admin.patch(&at(&schedule), body_elsewhere).expect(200);
    assert_eq!((&elsewhere["run_on"], &elsewhere["run_at"]), (&json!("node-2"), &json!("0 9 ? * sat")));
    assert_eq!(elsewhere["next_run_at"], schedule["next_run_at"]);
    let back = json!({"run_on": "any", "run_at": "0 9 * * sat"});
    assert_eq!(admin.patch(&at(&schedule), back).expect(200)["run_on"], "any");
    admin.patch(&at(&schedule), json!({"run_on": "x".repeat(256)})).refused(400, "NCERRInvalidParamValue");

    // An absent member keeps its value; an empty text removes it.
    let change = json!({"run_at": "*/5 * * * *", "end_date": "", "disabled": true, "description": "often",
        "cckm_key_rotation_params": {"cloud_name": "aws", "expire_in": "", "aws_param": {"rotate_material": true}}});
    let changed = admin.patch(&at(&schedule), change).expect(200);
    let params = json!({"cloud_name": "aws", "expiration": "90d", "rotation_after": "6d",
        "aws_param": {"retain_alias": true, "rotate_material": true}});
    assert_eq!((&changed["run_at"], &changed["job_config_params"]), (&json!("*/5 * * * *"), &params));
    assert_eq!((changed.get("end_date"), changed.get("next_run_at")), (None, None));
    assert_eq!((&changed["start_date"], &changed["description"]), (&body["start_date"], &json!("often")));

    // Clients in Go send their zero time for a time that their user did not give.
    let zero = "0001-01-01T00:00:00Z";
    let unchanged = admin.patch(&at(&schedule), json!({"start_date": zero, "end_date": zero})).expect(200);
    assert_eq!(unchanged, changed);
    let mut body = rotation("of-go", json!({"cloud_name": "aws"}));
    (body["start_date"], body["end_date"]) = (json!(zero), json!(zero));
    let of_go = admin.post(SCHEDULES, body).expect(201);
    assert_eq!((of_go.get("start_date"), of_go.get("end_date")), (None, None));
    assert!(of_go["next_run_at"].is_string(), "{of_go}");
    admin.delete(&at(&of_go)).expect(204);

    let kms = appliance.kms("kms", &["eu-west-3"]);
    let sync = json!({"name": "sync", "operation": "cckm_synchronization", "run_at": "0 1 * * *",
        "cckm_synchronization_params": {"cloud_name": "aws", "kms": ["kms"]}});
    let sync = admin.post(SCHEDULES, sync).expect(201);
    assert_eq!(sync["cckm_synchronization_params"], json!({"cloud_name": "aws", "kms": [kms]}));
    let found = |query: &str| admin.get(&format!("{SCHEDULES}?{query}")).expect(200)["total"].clone();
    assert_eq!(
        (found(""), found("operation=cckm_synchronization"), found("name=week*")),
        (json!(2), json!(1), json!(1))
    );
    assert_eq!(admin.delete(&at(&schedule)).status, 204);
    admin.get(&at(&schedule)).refused(404, "NCERRResourceNotFound");
}

#[test]
fn keys_under_a_schedule_are_rotated_and_each_run_is_an_entry() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.kms("kms", &["eu-west-3"]);
    let schedule = admin.post(SCHEDULES, rotation("weekly", json!({"cloud_name": "aws"}))).expect(201);
    let old = key(&admin, "payroll");
    let job = json!({"job_config_id": id(&schedule), "auto_rotate_disable_encrypt": true});
    let under = put_under(&admin, &old, job);
    assert_eq!(
        under["labels"],
        json!({"job_config_id": id(&schedule), "auto_rotate_key_source": "native",
        "disable_encrypt_on_auto_rotate": "true", "disable_encrypt_for_all_accounts_on_auto_rotate": "false",
        "auto_rotate_disable_encrypt": "true"})
    );
    let found = |query: &str| admin.get(&format!("{KEYS}?{query}")).expect(200);
    assert_eq!(found(&format!("job_config_id={}", id(&schedule)))["resources"], json!([under]));
    assert_eq!(found("rotation_job_enabled=false")["total"], 0);
    assert_eq!(admin.get(&at(&schedule)).expect(200)["keys_count"], 1);

    let ended = run(&admin, &schedule);
    assert_eq!((&ended["overall_status"], &ended["cause"]), (&json!("completed"), &json!("asked")), "{ended}");
    assert_eq!((&ended["name"], &ended["job_config_id"]), (&json!("weekly"), &json!(id(&schedule))));
    let new = ended["results"][0]["rotated_to"].as_str().expect("a new key").to_owned();
    assert_eq!(ended["results"], json!([{"key_id": id(&old), "status": "Success", "rotated_to": new}]));
    let new = admin.get(&format!("{KEYS}/{new}")).expect(200);
    assert_eq!((&new["rotated_from"], &new["aws_param"]["Alias"]), (&json!(id(&old)), &json!(["alias/payroll"])));
    assert_eq!(new["labels"]["job_config_id"], json!(id(&schedule)));
    let old = admin.get(&format!("{KEYS}/{}", id(&old))).expect(200);
    assert_eq!((&old["labels"], &old["rotation_status"]), (&json!({}), &json!("SUCCESSFUL")));

    let material = json!({"cckm_key_rotation_params": {"aws_param": {"rotate_material": true}}});
    admin.patch(&at(&schedule), material).expect(200);
    let ended = run(&admin, &schedule);
    assert_eq!(ended["results"], json!([{"key_id": id(&new), "status": "Success"}]));
    let rotated = admin.get(&format!("{KEYS}/{}", id(&new))).expect(200);
    assert_ne!(rotated["aws_param"]["CurrentKeyMaterialId"], new["aws_param"]["CurrentKeyMaterialId"]);
    let runs = admin.get(&format!("{RUNS}?job_config_id={}&sort=-createdAt", id(&schedule))).expect(200);
    assert_eq!((&runs["total"], &runs["resources"][0]), (&json!(2), &ended));

    let refused = admin.delete(&at(&schedule)).refused(409, "NCERRConflict");
    assert!(refused.contains("1 keys") && refused.contains("force"), "{refused}");
    assert_eq!(admin.delete(&format!("{}?force=true", at(&schedule))).status, 204);
    assert_eq!(admin.get(&format!("{KEYS}/{}", id(&new))).expect(200)["labels"], json!({}));
    assert_eq!(admin.get(&format!("{RUNS}/{}", id(&ended))).expect(200), ended, "runs are remembered");
}

/// Terraform deletes a schedule that leaves a plan before it changes the keys that name it.
#[test]
fn a_setting_lets_clients_delete_a_schedule_that_has_keys() {
    let appliance = Appliance::start_with(&[("CLAVIGER_SCHEDULES_RELEASE_KEYS_ON_DELETE", "true")]);
    let admin = appliance.admin();
    appliance.kms("kms", &["eu-west-3"]);
    let schedule = admin.post(SCHEDULES, rotation("weekly", json!({"cloud_name": "aws"}))).expect(201);
    let key = put_under(&admin, &key(&admin, "payroll"), json!({"job_config_id": id(&schedule)}));
    admin.delete(&format!("{}?force=false", at(&schedule))).refused(409, "NCERRConflict");
    assert_eq!(admin.delete(&at(&schedule)).status, 204);
    assert_eq!(admin.get(&format!("{KEYS}/{}", id(&key))).expect(200)["labels"], json!({}));
}

#[test]
fn a_key_with_the_source_local_gets_material_from_here_that_ends() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.kms("kms", &["eu-west-3"]);
    let params = json!({"cloud_name": "aws", "expiration": "90d"});
    let schedule = admin.post(SCHEDULES, rotation("weekly", params)).expect(201);
    let old = key(&admin, "payroll");
    let under =
        put_under(&admin, &old, json!({"job_config_id": id(&schedule), "auto_rotate_key_source": "ciphertrust"}));
    assert_eq!(
        under["labels"],
        json!({"job_config_id": id(&schedule), "auto_rotate_key_source": "ciphertrust",
        "disable_encrypt_on_auto_rotate": "false", "disable_encrypt_for_all_accounts_on_auto_rotate": "false"})
    );
    let ended = run(&admin, &schedule);
    assert_eq!(ended["overall_status"], "completed", "{ended}");
    let new = ended["results"][0]["rotated_to"].as_str().expect("a new key");
    let new = admin.get(&format!("{KEYS}/{new}")).expect(200);
    assert_eq!((&new["key_source"], &new["aws_param"]["Origin"]), (&json!("local"), &json!("EXTERNAL")));
    assert_eq!(new["aws_param"]["KeyState"], "Enabled");
    assert!(new["aws_param"]["ValidTo"].is_string(), "{new}");
    admin.get(&format!("/v1/vault/keys2/{}", new["local_key_id"].as_str().expect("a source key"))).expect(200);
}

#[test]
fn a_user_with_keyrotate_may_assign_a_key_to_a_schedule() {
    let appliance = Appliance::start();
    let (admin, ann) = (appliance.admin(), appliance.user("ann"));
    let kms = appliance.kms("kms", &["eu-west-3"]);
    let schedule = admin.post(SCHEDULES, rotation("weekly", json!({"cloud_name": "aws"}))).expect(201);
    let key = key(&admin, "payroll");
    let enable = format!("{KEYS}/{}/enable-rotation-job", id(&key));
    let body = json!({"job_config_id": id(&schedule)});
    ann.post(&enable, body.clone()).refused(404, "NCERRResourceNotFound");
    let permit = |actions: Value| {
        let acl = json!({"user_id": subject(&ann), "actions": actions, "permit": true});
        admin.post(&format!("/v1/cckm/aws/kms/{kms}/update-acls"), acl).expect(200)
    };
    permit(json!(["viewnative"]));
    assert!(ann.post(&enable, body.clone()).refused(403, "NCERRInsufficientPermissions").contains("keyrotate"));
    permit(json!(["keyrotate"]));
    ann.post(&enable, body).expect(200);
    assert_eq!(ann.get(&at(&schedule)).expect(200)["keys_count"], 1);
    ann.post(&format!("{}/run-now", at(&schedule)), json!({})).refused(403, "NCERRInsufficientPermissions");
    ann.delete(&at(&schedule)).refused(403, "NCERRInsufficientPermissions");
    let of_kms = json!({"name": "nightly", "operation": "cckm_synchronization", "run_at": "0 3 * * *",
        "cckm_synchronization_params": {"cloud_name": "aws", "kms": ["kms"]}});
    let of_kms = admin.post(SCHEDULES, of_kms).expect(201);
    for (who, shown) in [(&admin, json!([kms])), (&ann, json!([kms])), (&appliance.user("bob"), json!([]))] {
        let one = who.get(&at(&of_kms)).expect(200);
        let listed = who.get(&format!("{SCHEDULES}?name=nightly")).expect(200)["resources"][0].clone();
        for seen in [one, listed] {
            assert_eq!(seen["cckm_synchronization_params"]["kms"], shown);
        }
    }
    // The error of a failed run names KMSs and has AWS's message.
    let put_away = |what: &str| admin.post(&format!("/v1/cckm/aws/kms/{kms}/{what}"), json!({})).expect(200);
    put_away("archive");
    let failed = run(&admin, &of_kms);
    put_away("recover");
    let shown = |who: &Client| who.get(&format!("{RUNS}/{}", id(&failed))).expect(200)["error"].clone();
    assert!(shown(&admin).as_str().is_some_and(|error| error.contains("archived")), "{failed}");
    assert_eq!(shown(&appliance.user("cid")), "some of the work failed");
    let ended = run(&admin, &schedule);
    // Another user sees the run, but not its keys.
    let bob = appliance.user("bob");
    assert_eq!(bob.get(&format!("{RUNS}/{}", id(&ended))).expect(200)["results"], json!([]));
    assert_eq!(ann.get(&format!("{RUNS}/{}", id(&ended))).expect(200)["results"], ended["results"]);
    let disable = format!("{KEYS}/{}/disable-rotation-job", ended["results"][0]["rotated_to"].as_str().expect("a key"));
    assert_eq!(ann.post(&disable, json!({})).expect(200)["labels"], json!({}));
}

#[test]
fn invalid_requests_name_the_member_and_change_nothing() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.kms("kms", &["eu-west-3"]);
    let schedule = admin.post(SCHEDULES, rotation("weekly", json!({"cloud_name": "aws"}))).expect(201);
    let sync = |params: Value| {
        json!({"name": "b", "operation": "cckm_synchronization", "run_at": "* * * * *",
            "cckm_synchronization_params": params})
    };
    let with = |member: &str, value: Value| {
        let mut body = rotation("b", json!({}));
        body[member] = value;
        body
    };
    for (body, member) in [
        (with("name", json!("")), "name"),
        (with("operation", json!(null)), "operation"),
        (with("operation", json!("database_restore")), "operation"),
        (with("database_backup_params", json!({})), "database_backup_params"),
        (with("run_at", json!("")), "run_at"),
        (with("run_at", json!("every day")), "run_at"),
        (with("run_at", json!("60 * * * *")), "run_at"),
        (with("run_at", json!("0 0 30 2 *")), "run_at"),
        (with("disabled", json!("yes")), "disabled"),
        (with("start_date", json!("tomorrow")), "start_date"),
        (with("start_date", json!("1600-01-01T00:00:00Z")), "start_date"),
        (with("end_date", json!("9999-12-31T23:59:59Z")), "end_date"),
        (with("end_date", json!("2026-13-01T00:00:00Z")), "end_date"),
        (with("cckm_synchronization_params", json!({"synchronize_all": true})), "cckm_synchronization_params"),
        (rotation("b", json!({"cloud_name": "gcp"})), "cloud_name"),
        (rotation("b", json!({"expire_in": "30"})), "expire_in"),
        (rotation("b", json!({"expire_in": "0d"})), "expire_in"),
        (rotation("b", json!({"expiration": "366d"})), "expiration"),
        (rotation("b", json!({"rotation_after": "1w"})), "rotation_after"),
        (sync(json!({})), "cckm_synchronization_params.kms"),
        (sync(json!({"kms": []})), "cckm_synchronization_params.kms"),
        (sync(json!({"kms": ["kms"], "synchronize_all": true})), "kms"),
    ] {
        let answer = admin.post(SCHEDULES, body.clone());
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
        assert!(answer.body["message"].as_str().is_some_and(|text| text.starts_with(member)), "{}", answer.text);
    }
    let mut backwards = with("start_date", json!("2027-01-01T00:00:00Z"));
    backwards["end_date"] = json!("2026-01-01T00:00:00Z");
    assert!(admin.post(SCHEDULES, backwards).refused(400, "NCERRInvalidParamValue").starts_with("end_date"));
    admin.post(SCHEDULES, rotation("weekly", json!({}))).refused(409, "NCERRConflict");
    admin.post(SCHEDULES, sync(json!({"kms": ["none"]}))).refused(404, "NCERRResourceNotFound");
    admin.patch(&at(&schedule), json!({"name": "other"})).refused(400, "NCERRInvalidParamValue");
    admin.patch(&at(&schedule), json!({"operation": "cckm_synchronization"})).refused(400, "NCERRInvalidParamValue");
    admin.get(&format!("{SCHEDULES}/{NONE}")).refused(404, "NCERRResourceNotFound");
    admin.get(&format!("{SCHEDULES}/x")).refused(400, "NCERRInvalidParamValue");
    admin.get(&format!("{RUNS}/{NONE}")).refused(404, "NCERRResourceNotFound");
    admin.delete(&format!("{}?force=maybe", at(&schedule))).refused(400, "NCERRInvalidParamValue");
    assert_eq!(admin.get(SCHEDULES).expect(200)["total"], 1);
    assert_eq!(admin.get(&at(&schedule)).expect(200), schedule);

    let key = key(&admin, "payroll");
    let other = admin.post(SCHEDULES, sync(json!({"synchronize_all": true}))).expect(201);
    for (body, status, member) in [
        (json!({}), 400, "job_config_id"),
        (json!({"job_config_id": "x"}), 400, "job_config_id"),
        (json!({"job_config_id": NONE}), 404, "schedule"),
        (json!({"job_config_id": id(&other)}), 400, "job_config_id"),
        (json!({"job_config_id": id(&schedule), "auto_rotate_key_source": "dsm"}), 400, "auto_rotate_key_source"),
        (
            json!({"job_config_id": id(&schedule), "auto_rotate_disable_encrypt": true,
                "auto_rotate_disable_encrypt_on_all_accounts": true}),
            400,
            "auto_rotate_disable_encrypt",
        ),
    ] {
        let answer = admin.post(&format!("{KEYS}/{}/enable-rotation-job", id(&key)), body.clone());
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        assert!(answer.body["message"].as_str().is_some_and(|text| text.starts_with(member)), "{}", answer.text);
    }
    assert_eq!(admin.get(&format!("{KEYS}/{}", id(&key))).expect(200)["labels"], json!({}));
}

fn backup(name: &str, params: Value) -> Value {
    json!({"name": name, "operation": "database_backup", "run_at": "*/15 * * * *", "run_on": "any",
        "start_date": "0001-01-01T00:00:00Z", "end_date": "0001-01-01T00:00:00Z",
        "cckm_key_rotation_params": null, "cckm_synchronization_params": null,
        "cckm_xks_credential_rotation_params": null, "database_backup_params": params})
}

/// The body and the answers are those of the vendor's Terraform provider.
#[test]
fn a_backup_schedule_keeps_what_it_cannot_serve_and_its_run_says_why() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let params = json!({"tiedToHSM": false, "description": "sample", "scope": "system", "filters": null,
        "backupKey": "d370535b-a035-4251-9780-e608f713be77", "retentionCount": 0, "do_scp": false,
        "connection": "f9a81705-2b73-4a9c-9ab3-d78502ff11f1"});
    let schedule = admin.post(SCHEDULES, backup("TestScheduler", params.clone())).expect(201);
    let mut shown = params;
    shown["filters"] = json!([]);
    assert_eq!((&schedule["job_config_params"], &schedule["database_backup_params"]), (&shown, &shown));
    let listed = admin.get(&format!("{SCHEDULES}/?name=TestScheduler&skip=0&limit=-1")).expect(200);
    assert_eq!(listed["resources"], json!([schedule]));

    let ended = run(&admin, &schedule);
    assert_eq!(ended["overall_status"], "failed", "{ended}");
    let error = ended["error"].as_str().expect("a reason");
    assert!(error.contains("backupKey `d370535b") && error.contains("connection `f9a81705"), "{error}");

    let no_object = json!({"database_backup_params": {"filters": [null]}});
    admin.patch(&at(&schedule), no_object).refused(400, "NCERRInvalidParamValue");
    let change = json!({"run_at": "*/30 * * * *", "database_backup_params":
        {"description": "updated", "do_scp": true, "connection": "", "backup_key": "k", "retention_count": 3}});
    let changed = admin.patch(&at(&schedule), change).expect(200);
    for (member, value) in [
        ("description", json!("updated")),
        ("do_scp", json!(true)),
        ("connection", json!("")),
        ("backupKey", json!("k")),
        ("retentionCount", json!(3)),
        ("scope", json!("system")),
    ] {
        assert_eq!(changed["job_config_params"][member], value, "{member}");
    }
    admin
        .patch(&at(&schedule), json!({"database_backup_params": {"scope": "x"}}))
        .refused(400, "NCERRInvalidParamValue");
}

#[test]
fn a_preview_says_the_next_runs_and_records_nothing() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let ann = appliance.user("ann");
    let preview = |body: Value| ann.post(&format!("{SCHEDULES}/preview"), body);
    let window = json!({"run_at": " 0 9  * * SAT", "start_date": "2050-01-01T09:00:00Z",
        "end_date": "2050-01-20T00:00:00Z"});
    let expected = json!({"run_at": "0 9 * * SAT", "run_at_words": "every Saturday at 09:00",
        "next_runs": ["2050-01-01T09:00:00Z", "2050-01-08T09:00:00Z", "2050-01-15T09:00:00Z"]});
    assert_eq!(preview(window).expect(200), expected);
    let often = preview(json!({"run_at": "*/15 * * * *"})).expect(200);
    assert_eq!(
        (often["next_runs"].as_array().map(Vec::len), &often["run_at_words"]),
        (Some(5), &json!("every 15 minutes"))
    );
    assert_eq!(admin.get(SCHEDULES).expect(200)["total"], 0);
    let before =
        json!({"run_at": "0 9 * * *", "start_date": "2050-01-02T00:00:00Z", "end_date": "2050-01-01T00:00:00Z"});
    for (body, member) in [(json!({}), "run_at"), (json!({"run_at": "0 9 * *"}), "run_at"), (before, "end_date")] {
        let answer = preview(body);
        assert_eq!(answer.body["member"], member);
        answer.refused(400, "NCERRInvalidParamValue");
    }
    // A schedule has the same members.
    let made = admin.post(SCHEDULES, rotation("weekly", json!({"cloud_name": "aws"}))).expect(201);
    assert_eq!(made["run_at_words"], "every Saturday at 09:00");
    assert_eq!((made["next_runs"].as_array().map(Vec::len), &made["next_runs"][0]), (Some(5), &made["next_run_at"]));
    let paused = admin.patch(&at(&made), json!({"disabled": true})).expect(200);
    assert_eq!((&paused["next_runs"], paused.get("last_run")), (&json!([]), None));
}

#[test]
fn coverage_counts_what_rotates_the_keys_and_the_last_run_is_shown() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("kms", &["eu-west-3"]);
    let schedule = admin.post(SCHEDULES, rotation("weekly", json!({"cloud_name": "aws"}))).expect(201);
    let idle = admin.post(SCHEDULES, rotation("idle", json!({"cloud_name": "aws"}))).expect(201);
    let (scheduled, by_aws, under_idle) = (key(&admin, "scheduled"), key(&admin, "by-aws"), key(&admin, "idle"));
    key(&admin, "by-nothing");
    put_under(&admin, &scheduled, json!({"job_config_id": id(&schedule)}));
    put_under(&admin, &under_idle, json!({"job_config_id": id(&idle)}));
    admin.post(&format!("{KEYS}/{}/enable-auto-rotation", id(&by_aws)), json!({})).expect(200);
    let numbers = |client: &Client, query: &str| {
        let coverage = client.get(&format!("/v1/scheduler/coverage{query}")).expect(200);
        let of = |name: &str| coverage[name].as_u64().expect("a number");
        let by = ["keys", "rotated_by_schedules", "rotated_by_aws", "rotated_by_nothing", "not_applicable"].map(of);
        (by, coverage["schedules"].clone())
    };
    let (by, schedules) = numbers(&admin, "");
    assert_eq!(by, [4, 2, 1, 1, 0]);
    assert_eq!(
        (&schedules[0]["name"], &schedules[0]["active"], &schedules[0]["keys"]),
        (&json!("weekly"), &json!(true), &json!(1))
    );
    let runs = schedules[0]["runs"].as_array().expect("runs");
    assert!([52, 53].contains(&runs.len()), "a run a week for a year: {runs:?}");
    assert_eq!((&runs[0], &schedules[0]["runs_complete"]), (&schedules[0]["next_run_at"], &json!(true)));
    admin.patch(&at(&idle), json!({"run_at": "0 4 * * *"})).expect(200);
    let daily = numbers(&admin, "").1[1].clone();
    assert_eq!((daily["runs"].as_array().map(Vec::len), &daily["runs_complete"]), (Some(60), &json!(false)));

    // A schedule that is disabled rotates nothing.
    admin.patch(&at(&idle), json!({"disabled": true})).expect(200);
    let (by, schedules) = numbers(&admin, "?kms=kms");
    assert_eq!(by, [4, 1, 1, 2, 0]);
    assert_eq!((&schedules[1]["active"], &schedules[1]["keys"]), (&json!(false), &json!(1)));
    assert_eq!((&schedules[1]["runs"], &schedules[1]["runs_complete"]), (&json!([]), &json!(true)));
    let uncovered = admin.get("/v1/cckm/aws/posture/findings/no_schedule").expect(200);
    assert_eq!(uncovered["total"], 2, "the list behind the number");

    // A user counts only the keys that the user may view.
    let ann = appliance.user("ann");
    assert_eq!(numbers(&ann, "").0, [0; 5]);
    ann.get("/v1/scheduler/coverage?kms=kms").refused(404, "NCERRResourceNotFound");
    let grant = json!({"user_id": subject(&ann), "actions": ["viewnative"], "permit": true});
    admin.post(&format!("/v1/cckm/aws/kms/{kms}/update-acls"), grant).expect(200);
    assert_eq!(numbers(&ann, "").0, [4, 1, 1, 2, 0]);

    let ended = run(&admin, &schedule);
    let last = admin.get(&at(&schedule)).expect(200)["last_run"].clone();
    assert_eq!((&last["id"], &last["overall_status"]), (&ended["id"], &json!("completed")), "{last}");
    assert_eq!(
        (&last["cause"], &last["succeeded"], &last["failed"]),
        (&json!("asked"), &json!(1), &json!(0)),
        "{last}"
    );
    assert_eq!(last["completed_at"], ended["completed_at"]);
    assert_eq!(numbers(&admin, "").0, [5, 1, 1, 2, 1], "the replaced key needs no rotation");
}
