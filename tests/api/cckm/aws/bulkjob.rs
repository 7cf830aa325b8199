//! Bulk jobs: one operation on many keys, with a check of rights and a result for each key.

use crate::cckm::aws::synchronization_jobs::{end_of_job, lab, make_key, permit};
use crate::support::appliance::{Appliance, id, subject};
use crate::support::client::Client;
use serde_json::{Value, json};

const JOBS: &str = "/v1/cckm/aws/bulkjob";
const NO_KEY: &str = "00000000-0000-4000-8000-000000000000";

#[test]
fn each_operation_is_done_to_all_keys() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.kms("kms", &["eu-west-3", "us-east-1"]);
    let keys =
        [make_key(&admin, "kms", "eu-west-3", "one"), make_key(&admin, "kms", "us-east-1", "two")].map(|k| id(&k));
    for (operation, state) in [
        ("disablekey", "Disabled"),
        ("enablekey", "Enabled"),
        ("schedulekeydeletion", "PendingDeletion"),
        ("cancelkeydeletion", "Disabled"),
    ] {
        let begun = admin.post(JOBS, json!({"keys": keys, "operation": operation})).expect(202);
        assert_eq!(begun["uri"], format!("kylo:kylo:cckm:bulkjob:{}", id(&begun)));
        assert_eq!((&begun["keys"], &begun["operation"]), (&json!(keys), &json!(operation)));
        let job = end_of(&admin, &begun);
        assert_eq!((&job["overall_status"], &job["cloud"]), (&json!("completed"), &json!("aws")), "{job}");
        for key in &keys {
            assert_eq!(job["detailed_status"][key], "Success", "{job}");
            let key = admin.get(&format!("/v1/cckm/aws/keys/{key}")).expect(200);
            assert_eq!(key["aws_param"]["KeyState"], state, "{operation}");
        }
    }
    let list = admin.get(&format!("{JOBS}?operation=enablekey")).expect(200);
    assert_eq!((&list["total"], &list["resources"][0]["overall_status"]), (&json!(1), &json!("completed")));
}

#[test]
fn a_key_that_aws_refuses_or_that_does_not_exist_fails_alone() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.kms("kms", &["eu-west-3"]);
    let [good, pending] = ["good", "pending"].map(|alias| id(&make_key(&admin, "kms", "eu-west-3", alias)));
    admin.post(&format!("/v1/cckm/aws/keys/{pending}/schedule-deletion"), json!({"days": 7})).expect(200);
    let body = json!({"keys": [good, pending, NO_KEY], "operation": "disablekey"});
    let job = end_of(&admin, &admin.post(JOBS, body).expect(202));
    assert_eq!((&job["overall_status"], &job["detailed_status"][&good]), (&json!("failed"), &json!("Success")));
    let refused = job["detailed_status"][&pending].as_str().expect("a text");
    assert!(refused.contains("KMSInvalidStateException"), "{refused}");
    let unknown = job["detailed_status"][NO_KEY].as_str().expect("a text");
    assert!(unknown.contains("does not exist"), "{unknown}");
    let cancel = admin.post(&format!("{JOBS}/{}/cancel", id(&job)), json!({}));
    assert!(cancel.refused(409, "NCERRConflict").contains("ended"));
}

#[test]
fn a_job_continues_with_the_remaining_keys_after_a_crash() {
    let mut appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.kms("kms", &["eu-west-3"]);
    let keys = ["one", "two"].map(|alias| id(&make_key(&admin, "kms", "eu-west-3", alias)));
    lab(&appliance, "faults", &json!([{"service": "kms", "operation": "ScheduleKeyDeletion", "delay_ms": 20_000}]));
    let body = json!({"keys": keys, "operation": "schedulekeydeletion", "days": 7});
    let begun = admin.post(JOBS, body).expect(202);
    let path = format!("{JOBS}/{}", id(&begun));
    // The call for the other key is not delayed.
    while !keys.iter().any(|key| admin.get(&path).expect(200)["detailed_status"][key] == "Success") {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    appliance.kill();
    appliance.restart();
    let admin = appliance.admin();
    let job = end_of_job(&admin, &path);
    assert_eq!((&job["overall_status"], &job["abort"]), (&json!("completed"), &json!(false)), "{job}");
    for key in &keys {
        assert_eq!(job["detailed_status"][key], "Success", "{job}");
        let key = admin.get(&format!("/v1/cckm/aws/keys/{key}")).expect(200);
        assert_eq!(key["aws_param"]["KeyState"], "PendingDeletion");
    }
}

#[test]
fn each_key_needs_the_bulk_action_and_the_action_of_the_single_call() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let full = appliance.kms("full", &["eu-west-3"]);
    let half = appliance.kms("half", &["us-east-1"]);
    appliance.kms("none", &["eu-west-1"]);
    let [may, may_not, hidden] = [("full", "eu-west-3"), ("half", "us-east-1"), ("none", "eu-west-1")]
        .map(|(kms, region)| id(&make_key(&admin, kms, region, "payroll")));
    let ann = appliance.user("ann");
    permit(&admin, &full, &ann, &["view", "keybulkoperation", "keyupdate"]);
    permit(&admin, &half, &ann, &["view", "keybulkoperation"]);

    let asks = |keys: Value| json!({"keys": keys, "operation": "disablekey"});
    ann.post(JOBS, asks(json!([hidden]))).refused(404, "NCERRResourceNotFound");
    let job = end_of(&ann, &ann.post(JOBS, asks(json!([may, may_not, hidden]))).expect(202));
    assert_eq!(job["detailed_status"][&may], "Success");
    assert!(job["detailed_status"][&may_not].as_str().is_some_and(|text| text.contains("keyupdate")), "{job}");
    assert!(job["detailed_status"][&hidden].as_str().is_some_and(|text| text.contains("does not exist")), "{job}");
    let untouched = admin.get(&format!("/v1/cckm/aws/keys/{may_not}")).expect(200);
    assert_eq!(untouched["aws_param"]["KeyState"], "Enabled");

    let of_admin = admin.post(JOBS, asks(json!([hidden]))).expect(202);
    end_of(&admin, &of_admin);
    ann.get(&format!("{JOBS}/{}", id(&of_admin))).refused(404, "NCERRResourceNotFound");
    // A user sees a job only with the right to all of its keys; the right without the view of a key does not suffice.
    let brought = admin.post(
        "/v1/cckm/aws/keys",
        json!({"kms": "full", "region": "eu-west-3",
        "aws_param": {"Origin": "EXTERNAL"}}),
    );
    let unseen = appliance.user("eve");
    permit(&admin, &full, &unseen, &["viewnative", "keybulkoperation"]);
    // The permit brings both views.
    let entry = json!({"user_id": subject(&unseen), "actions": ["viewbyok"], "permit": false});
    admin.post(&format!("/v1/cckm/aws/kms/{full}/update-acls"), entry).expect(200);
    for keys in [json!([may]), json!([may, id(&brought.expect(201))])] {
        let job = end_of(&admin, &admin.post(JOBS, asks(keys.clone())).expect(202));
        let seen = unseen.get(&format!("{JOBS}/{}", id(&job))).status;
        assert_eq!(seen, if keys.as_array().map(Vec::len) == Some(1) { 200 } else { 404 });
    }
    assert_eq!(ann.get(JOBS).expect(200)["total"], 3);
    permit(&admin, &full, &appliance.user("bob"), &["view", "keyupdate"]);
    let lacking = appliance.user("bob").post(JOBS, asks(json!([may]))).refused(403, "NCERRInsufficientPermissions");
    assert!(lacking.contains("keybulkoperation"), "{lacking}");
}

#[test]
fn invalid_requests_start_no_job() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.kms("kms", &["eu-west-3"]);
    let key = id(&make_key(&admin, "kms", "eu-west-3", "payroll"));
    let many: Vec<String> = (0..101).map(|n| format!("00000000-0000-4000-8000-{n:012}")).collect();
    for (body, word) in [
        (json!({"operation": "enablekey"}), "keys"),
        (json!({"keys": [], "operation": "enablekey"}), "keys"),
        (json!({"keys": many, "operation": "enablekey"}), "100"),
        (json!({"keys": [key, key], "operation": "enablekey"}), "twice"),
        (json!({"keys": ["x"], "operation": "enablekey"}), "keys"),
        (json!({"keys": [key]}), "operation"),
        (json!({"keys": [key], "operation": "rotatekey"}), "schedulekeydeletion"),
        (json!({"keys": [key], "operation": "enablekey", "days": 7}), "days"),
        (json!({"keys": [key], "operation": "schedulekeydeletion", "days": 6}), "days"),
        (json!({"keys": [key], "operation": "schedulekeydeletion", "days": 31}), "days"),
        (json!({"keys": [key], "operation": "applypolicytemplate"}), "policy_template_id"),
        (json!({"keys": [key], "operation": "enablekey", "policy_template_id": NO_KEY}), "policy_template_id"),
    ] {
        let message = admin.post(JOBS, body.clone()).refused(400, "NCERRInvalidParamValue");
        assert!(message.contains(word), "{body}: {message}");
    }
    let body = json!({"keys": [key], "operation": "applypolicytemplate", "policy_template_id": NO_KEY});
    let message = admin.post(JOBS, body).refused(404, "NCERRResourceNotFound");
    assert!(message.contains("no policy template"), "{message}");
    admin.get(&format!("{JOBS}/{NO_KEY}")).refused(404, "NCERRResourceNotFound");
    admin.get(&format!("{JOBS}/x")).refused(400, "NCERRInvalidParamValue");
    admin.post(&format!("{JOBS}/{NO_KEY}/cancel"), json!({})).refused(404, "NCERRResourceNotFound");
    assert_eq!(admin.get(JOBS).expect(200)["total"], 0);
}

#[test]
fn a_job_takes_the_keys_of_a_filter() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let (kms, other) = (appliance.kms("kms", &["eu-west-3"]), appliance.kms("other", &["us-east-1"]));
    let [one, two] = ["pay-one", "pay-two"].map(|alias| id(&make_key(&admin, "kms", "eu-west-3", alias)));
    let rest = id(&make_key(&admin, "kms", "eu-west-3", "rest"));
    let hidden = id(&make_key(&admin, "other", "us-east-1", "pay-hidden"));
    let ann = appliance.user("ann");
    permit(&admin, &kms, &ann, &["viewnative", "keybulkoperation", "keyupdate"]);
    let body = json!({"filter": "search=PAY-&keystate=Enabled", "operation": "disablekey"});
    let begun = ann.post(JOBS, body).expect(202);
    assert_eq!((&begun["keys"], &begun["keys_count"]), (&json!([one, two]), &json!(2)));
    let job = end_of(&ann, &begun);
    assert_eq!((&job["keys_done"], &job["keys_failed"]), (&json!(2), &json!(0)), "{job}");
    let state = |key: &str| admin.get(&format!("/v1/cckm/aws/keys/{key}")).expect(200)["aws_param"]["KeyState"].clone();
    assert_eq!([&one, &two, &rest, &hidden].map(|key| state(key)), ["Disabled", "Disabled", "Enabled", "Enabled"]);
    for (filter, word) in [
        ("", "keys"),
        ("keystate=", "must have a filter"),
        ("search=%20", "must have a filter"),
        ("keystate=Enabled&limit=1", "`limit`"),
        ("shoe_size=44", "shoe_size"),
        ("rotated_by=me", "schedule, aws, none"),
        ("keyid=nobody", "1 to 10000 keys are expected, not 0"),
    ] {
        let refused = admin.post(JOBS, json!({"filter": filter, "operation": "enablekey"}));
        let message = refused.refused(400, "NCERRInvalidParamValue");
        assert!(message.contains(word), "{filter}: {message}");
    }
    let both = json!({"filter": format!("kms={other}"), "keys": [one], "operation": "enablekey"});
    admin.post(JOBS, both).refused(400, "NCERRInvalidParamValue");
}

#[test]
fn keys_are_put_under_a_schedule_and_taken_off_it() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.kms("kms", &["eu-west-3"]);
    let key = id(&make_key(&admin, "kms", "eu-west-3", "one"));
    let aws_managed = admin.post(
        "/v1/cckm/aws/keys",
        json!({"kms": "kms", "region": "eu-west-3",
        "aws_param": {"Origin": "EXTERNAL"}}),
    );
    let waiting = id(&aws_managed.expect(201));
    let schedule = json!({"name": "weekly", "operation": "cckm_key_rotation", "run_at": "0 9 * * sat",
        "cckm_key_rotation_params": {"cloud_name": "aws"}});
    let schedule = id(&admin.post("/v1/scheduler/job-configs", schedule).expect(201));
    let put = json!({"keys": [key, waiting], "operation": "enablerotationjob", "job_config_id": schedule});
    let job = end_of(&admin, &admin.post(JOBS, put).expect(202));
    assert_eq!((&job["job_config_id"], &job["overall_status"]), (&json!(schedule), &json!("completed")), "{job}");
    let labels = |key: &str| admin.get(&format!("/v1/cckm/aws/keys/{key}")).expect(200)["labels"].clone();
    assert_eq!(labels(&key)["job_config_id"], json!(schedule));
    assert_eq!(labels(&waiting)["auto_rotate_key_source"], "local");
    let off = json!({"filter": format!("job_config_id={schedule}"), "operation": "disablerotationjob"});
    let job = end_of(&admin, &admin.post(JOBS, off).expect(202));
    assert_eq!((&job["keys_count"], &job["keys_failed"]), (&json!(2), &json!(0)), "{job}");
    assert_eq!(labels(&key)["job_config_id"], Value::Null);
    let unknown = json!({"keys": [key], "operation": "enablerotationjob", "job_config_id": NO_KEY});
    admin.post(JOBS, unknown).refused(404, "NCERRResourceNotFound");
    let without = json!({"keys": [key], "operation": "enablerotationjob"});
    admin.post(JOBS, without).refused(400, "NCERRInvalidParamValue");
    let with = json!({"keys": [key], "operation": "disablerotationjob", "job_config_id": schedule});
    admin.post(JOBS, with).refused(400, "NCERRInvalidParamValue");
}

#[test]
fn a_dry_run_says_what_would_happen_to_each_key() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let (full, half) = (appliance.kms("full", &["eu-west-3"]), appliance.kms("half", &["us-east-1"]));
    let may = id(&make_key(&admin, "full", "eu-west-3", "may"));
    let may_not = id(&make_key(&admin, "half", "us-east-1", "may-not"));
    let ann = appliance.user("ann");
    permit(&admin, &full, &ann, &["viewnative", "keybulkoperation", "keyupdate"]);
    permit(&admin, &half, &ann, &["viewnative", "keybulkoperation"]);
    let body = json!({"keys": [may, may_not, NO_KEY], "operation": "disablekey"});
    let job = ann.post(&format!("{JOBS}?dry_run=true"), body).expect(202);
    assert_eq!((&job["keys_done"], &job["keys_failed"]), (&json!(3), &json!(2)), "{job}");
    assert_eq!((&job["overall_status"], &job["detailed_status"][&may]), (&json!("failed"), &json!("Success")));
    assert!(job["detailed_status"][&may_not].as_str().is_some_and(|text| text.contains("keyupdate")), "{job}");
    assert!(job["detailed_status"][NO_KEY].as_str().is_some_and(|text| text.contains("does not exist")), "{job}");
    assert_eq!(ann.get(JOBS).expect(200)["total"], 0);
    let key = admin.get(&format!("/v1/cckm/aws/keys/{may}")).expect(200);
    assert_eq!(key["aws_param"]["KeyState"], "Enabled");
}

fn end_of(client: &Client, job: &Value) -> Value {
    end_of_job(client, &format!("{JOBS}/{}", id(job)))
}
