//! Schedules that rotate the credentials of custom key stores, with the lab's AWS, which calls the proxy with them.

use super::custom_key_stores_linked::{Fixture, fixture};
use crate::support::appliance::id;
use crate::support::lab::LabClient;
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

const SCHEDULES: &str = "/v1/scheduler/job-configs";
const RUNS: &str = "/v1/scheduler/jobs";
const STORES: &str = "/v1/cckm/aws/custom-key-stores";
const NONE: &str = "00000000-0000-4000-8000-000000000000";

fn body(name: &str) -> Value {
    json!({"name": name, "operation": "cckm_xks_credential_rotation", "run_at": "0 9 * * sat",
        "cckm_xks_credential_rotation_params": {"cloud_name": "aws"}})
}

impl Fixture {
    fn schedule(&self) -> String {
        id(&self.prepared.admin.post(SCHEDULES, body("credentials")).expect(201))
    }

    fn enable(&self, store: &str, schedule: &str) -> crate::support::client::Answer {
        let path = format!("{STORES}/{store}/enable-credential-rotation-job");
        self.prepared.admin.post(&path, json!({"job_config_id": schedule}))
    }

    /// Starts a run of a schedule, and returns it once it has ended.
    fn run(&self, schedule: &str) -> Value {
        let begun = self.prepared.admin.post(&format!("{SCHEDULES}/{schedule}/run-now"), json!({})).expect(201);
        self.ended(&id(&begun))
    }

    fn ended(&self, run: &str) -> Value {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let run = self.prepared.admin.get(&format!("{RUNS}/{run}")).expect(200);
            if run["overall_status"] != "in_progress" {
                return run;
            }
            assert!(Instant::now() < deadline, "it does not end: {run}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills the program, and starts it again.
    fn restart(&mut self) {
        self.prepared.appliance.kill();
        self.prepared.appliance.restart();
        self.prepared.admin = self.prepared.appliance.admin();
        self.lab = LabClient::of(&self.prepared.appliance);
    }

    fn versions(&self, store: &str) -> Vec<u64> {
        let list = self.prepared.admin.get(&format!("{STORES}/{store}/credentials?sort=version")).expect(200);
        list["resources"].as_array().expect("rows").iter().map(|one| one["version"].as_u64().expect("one")).collect()
    }
}

#[test]
fn a_run_rotates_the_credential_of_each_store_under_the_schedule() {
    let mut fixture = fixture();
    let admin = &fixture.prepared.admin;
    let schedule = admin.post(SCHEDULES, body("credentials")).expect(201);
    let params = json!({"cloud_name": "aws"});
    assert_eq!(schedule["cckm_xks_credential_rotation_params"], params);
    assert_eq!((&schedule["job_config_params"], &schedule["custom_key_stores_count"]), (&params, &json!(0)));
    let schedule = id(&schedule);
    let created = fixture.create("rotating");
    let (store, other) = (id(&created), id(&fixture.create("other")));
    let not_enabled = id(&fixture.create("left-alone"));
    fixture.post(&store, "connect");
    fixture.until(&store, "CONNECTED");
    let key = fixture.key(&created);
    let enabled = fixture.enable(&store, &schedule).expect(200);
    assert_eq!(enabled["labels"], json!({"job_config_id": schedule}));
    // A disconnected store may be enabled too.
    fixture.enable(&other, &schedule).expect(200);
    assert_eq!(admin.get(&format!("{SCHEDULES}/{schedule}")).expect(200)["custom_key_stores_count"], 2);

    let run = fixture.run(&schedule);
    assert_eq!((&run["overall_status"], &run["cause"]), (&json!("completed"), &json!("asked")), "{run}");
    assert_eq!(run["operation"], "cckm_xks_credential_rotation");
    let results = json!([{"custom_key_store_id": store, "status": "Success"},
        {"custom_key_store_id": other, "status": "Success"}]);
    assert_eq!(run["results"], results);
    assert_eq!(admin.get(&format!("{RUNS}?operation=cckm_xks_credential_rotation")).expect(200)["total"], 1);
    let after = fixture.get(&store);
    assert_eq!((&after["credential_version"], after["access_key_id"] == created["access_key_id"]), (&json!(2), false));
    let at_aws = fixture.at_aws();
    let told = at_aws.iter().find(|at_aws| at_aws["CustomKeyStoreName"] == "rotating").expect("at AWS");
    assert_eq!(told["XksProxyConfiguration"]["AccessKeyId"], after["access_key_id"]);
    fixture.encrypt_and_decrypt(&key);
    assert_eq!((fixture.versions(&other), fixture.versions(&not_enabled)), (vec![1, 2], vec![1]));

    // The third fills the store. AWS has checked the health of each store with each credential just now, so none is
    // unused, and there is no fourth.
    fixture.run(&schedule);
    assert_eq!((fixture.versions(&store), fixture.versions(&other)), (vec![1, 2, 3], vec![1, 2, 3]));
    let full = fixture.run(&schedule);
    assert_eq!(full["overall_status"], "failed", "{full}");
    let reason = full["results"][0]["status"].as_str().expect("a text");
    assert!(reason.contains("3 credentials"), "{reason}");
    assert_eq!(full["error"], "the credentials of 2 of 2 key stores were not rotated");
    assert_eq!(fixture.versions(&store), [1, 2, 3]);

    // After a restart, the earlier ones have not been used. The oldest one goes, never the one that AWS has.
    fixture.restart();
    let run = fixture.run(&schedule);
    assert_eq!(run["overall_status"], "completed", "{run}");
    assert_eq!((fixture.versions(&store), fixture.versions(&other)), (vec![2, 3, 4], vec![2, 3, 4]));
    fixture.encrypt_and_decrypt(&key);
    let admin = &fixture.prepared.admin;
    admin.delete(&format!("{SCHEDULES}/{schedule}")).refused(409, "NCERRConflict");
    admin.post(&format!("{STORES}/{other}/disable-credential-rotation-job"), json!({})).expect(200);
    admin.delete(&format!("{SCHEDULES}/{schedule}?force=true")).expect(204);
    assert_eq!(fixture.get(&store)["labels"], json!({}));
}

#[test]
fn only_a_linked_store_that_is_connected_or_disconnected_goes_under_a_schedule_of_credentials() {
    let fixture = fixture();
    let admin = &fixture.prepared.admin;
    let schedule = fixture.schedule();
    let unlinked = fixture.prepared.store.clone();
    fixture.enable(&unlinked, &schedule).refused(409, "NCERRConflict");
    assert_eq!(fixture.get(&unlinked)["labels"], json!({}));

    let store = id(&fixture.create("linked"));
    let keys = json!({"name": "keys", "operation": "cckm_key_rotation", "run_at": "0 9 * * sat"});
    let keys = id(&admin.post(SCHEDULES, keys).expect(201));
    let refused = fixture.enable(&store, &keys).refused(400, "NCERRInvalidParamValue");
    assert!(refused.starts_with("job_config_id"), "{refused}");
    fixture.enable(&store, NONE).refused(404, "NCERRResourceNotFound");
    fixture.enable(&store, "").refused(400, "NCERRInvalidParamValue");
    fixture.post(&store, "connect");
    let refused = fixture.enable(&store, &schedule).refused(409, "NCERRConflict");
    assert!(refused.contains("CONNECTING"), "{refused}");
    assert_eq!(fixture.get(&store)["labels"], json!({}));
    fixture.until(&store, "CONNECTED");
    fixture.enable(&store, &schedule).expect(200);

    // Rotating keys is other work, and the other way round.
    let key = json!({"kms": "kms", "region": "us-east-1"});
    let key = id(&admin.post("/v1/cckm/aws/keys", key).expect(201));
    let path = format!("/v1/cckm/aws/keys/{key}/enable-rotation-job");
    admin.post(&path, json!({"job_config_id": schedule})).refused(400, "NCERRInvalidParamValue");
    for (name, member, value) in [
        ("a", "cckm_key_rotation_params", json!({"cloud_name": "aws"})),
        ("b", "cckm_synchronization_params", json!({"synchronize_all": true})),
    ] {
        let mut wrong = body(name);
        wrong[member] = value;
        let refused = admin.post(SCHEDULES, wrong).refused(400, "NCERRInvalidParamValue");
        assert!(refused.starts_with(member), "{refused}");
    }
    let mut wrong = body("c");
    wrong["operation"] = json!("cckm_key_rotation");
    let refused = admin.post(SCHEDULES, wrong).refused(400, "NCERRInvalidParamValue");
    assert!(refused.starts_with("cckm_xks_credential_rotation_params"), "{refused}");

    // AWS's check of a blocked store fails; the run tells so, and the new credential is gone again.
    fixture.post(&store, "disconnect");
    fixture.until(&store, "DISCONNECTED");
    fixture.post(&store, "block");
    let run = fixture.run(&schedule);
    let status = run["results"][0]["status"].as_str().expect("a text");
    assert!(run["overall_status"] == "failed" && status.contains("XksProxy"), "{run}");
    assert_eq!(fixture.versions(&store), [1]);
}

#[test]
fn a_program_that_is_killed_during_a_run_goes_on_with_it() {
    let mut fixture = fixture();
    let schedule = fixture.schedule();
    let (first, second) = (id(&fixture.create("first")), id(&fixture.create("second")));
    fixture.enable(&first, &schedule).expect(200);
    fixture.enable(&second, &schedule).expect(200);
    // The program ends while AWS takes the first credential.
    let held = json!({"service": "kms", "operation": "UpdateCustomKeyStore", "delay_ms": 120_000});
    fixture.lab.set_faults(&json!([held]));
    let run = fixture.prepared.admin.post(&format!("{SCHEDULES}/{schedule}/run-now"), json!({})).expect(201);
    fixture.lab.wait_until_faults_met();
    fixture.restart();
    let run = fixture.ended(&id(&run));
    assert_eq!(run["overall_status"], "completed", "{run}");
    let results = json!([{"custom_key_store_id": first, "status": "Success"},
        {"custom_key_store_id": second, "status": "Success"}]);
    assert_eq!(run["results"], results);
    let told: Vec<Value> =
        fixture.at_aws().iter().map(|at_aws| at_aws["XksProxyConfiguration"]["AccessKeyId"].clone()).collect();
    for store in [&first, &second] {
        let shown = fixture.get(store);
        assert!(told.contains(&shown["access_key_id"]), "{told:?} {shown}");
    }
    assert_eq!(fixture.versions(&second), [1, 2]);
    // The credential of before the end of the program is the one that AWS is told then.
    assert_eq!(fixture.versions(&first), [1, 2]);
}
