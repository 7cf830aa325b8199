//! Which changes raise an alarm, whoever makes them, and who may view it.

use crate::support::appliance::id;
use crate::support::client::Client;
use crate::support::kms_fixture::{ACCOUNT, AWAY, HOME, KmsFixture, aws_id, key_body, open_policy};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const ALARMS: &str = "/v1/alarms";

/// The alarms of a query, oldest first.
fn alarms(client: &Client, query: &str) -> Vec<Value> {
    let list = client.get(&format!("{ALARMS}?limit=-1&{query}")).expect(200);
    list["resources"].as_array().expect("alarms").clone()
}

fn names(client: &Client) -> Vec<String> {
    alarms(client, "").iter().map(|alarm| alarm["name"].as_str().expect("a name").to_owned()).collect()
}

fn synchronise(fixture: &KmsFixture) {
    let jobs = "/v1/cckm/aws/synchronization-jobs";
    let job = fixture.admin.post(jobs, json!({"kms": ["fixture"]})).expect(202);
    let deadline = Instant::now() + Duration::from_secs(30);
    while fixture.admin.get(&format!("{jobs}/{}", id(&job))).expect(200)["overall_status"] == "in_progress" {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn policy_for(principal: Value) -> Value {
    let mut policy = open_policy();
    policy["Statement"].as_array_mut().expect("statements").push(json!({"Sid": "Other", "Effect": "Allow",
        "Principal": principal, "Action": "kms:Decrypt", "Resource": "*"}));
    policy
}

#[test]
fn changes_through_claviger_raise_alarms_that_name_who_did_it() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({"Alias": "payroll"}));
    assert_eq!(names(&fixture.admin), [""; 0], "nothing is wrong with a new key");
    fixture.change(&key, "enable-auto-rotation", json!({}));
    fixture.change(&key, "disable-auto-rotation", json!({}));
    fixture.change(&key, "policy", json!({"policy": policy_for(json!({"AWS": "210987654321"}))}));
    fixture.change(&key, "policy", json!({"policy": policy_for(json!({"AWS": ["210987654321", "*"]}))}));
    // Less than before.
    fixture.change(&key, "policy", json!({"policy": open_policy()}));
    fixture.change(&key, "disable", json!({}));
    fixture.change(&key, "schedule-deletion", json!({"days": 8}));
    let raised = alarms(&fixture.admin, "");
    let names: Vec<_> = raised.iter().map(|alarm| alarm["name"].clone()).collect();
    assert_eq!(names, ["rotation_off", "policy_opened", "policy_opened", "key_disabled", "deletion_scheduled"]);
    let texts: Vec<_> = raised.iter().map(|alarm| alarm["description"].as_str().expect("a text")).collect();
    assert!(texts[1].contains("210987654321") && !texts[1].contains(ACCOUNT), "{}", texts[1]);
    assert!(texts[2].contains("everyone") && !texts[2].contains("210987654321"), "{}", texts[2]);
    let due = raised[4]["due_at"].as_str().expect("a date");
    assert_eq!(&due[..19], &fixture.read(&key)["deletion_date"].as_str().expect("a date")[..19]);
    for alarm in &raised {
        assert_eq!(
            (&alarm["cause"], &alarm["caused_by"], &alarm["state"]),
            (&json!("here"), &json!("admin"), &json!("on"))
        );
        assert_eq!(
            (&alarm["key_id"], &alarm["kms_id"], &alarm["region"]),
            (&key["id"], &json!(fixture.kms), &json!(HOME))
        );
        assert_eq!(fixture.admin.get(&format!("{ALARMS}/{}", id(alarm))).expect(200), *alarm);
    }
    // A cancelled deletion leaves the key disabled, which is no news.
    fixture.change(&key, "cancel-deletion", json!({}));
    assert_eq!(self::names(&fixture.admin).len(), 5);
    // A new key with such a policy is news.
    fixture.create(json!({"Policy": policy_for(json!("*"))}));
    assert_eq!(self::names(&fixture.admin)[5..], ["policy_opened"]);
}

#[test]
fn changes_that_a_synchronisation_finds_raise_the_same_alarms_once() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    fixture.change(&key, "enable-auto-rotation", json!({}));
    // What is open when a region is read for the first time is no news.
    fixture.lab.kms(HOME, "CreateKey", &json!({"Policy": policy_for(json!("*")).to_string()}));
    synchronise(&fixture);
    assert_eq!(self::names(&fixture.admin), [""; 0]);
    let aws = aws_id(&key);
    let named = json!({"KeyId": aws});
    let kms = |operation: &str, body: Value| fixture.lab.kms(HOME, operation, &body);
    kms("DisableKeyRotation", named.clone());
    let policy = policy_for(json!({"AWS": "arn:aws:iam::210987654321:root"})).to_string();
    kms("PutKeyPolicy", json!({"KeyId": aws, "PolicyName": "default", "Policy": policy}));
    kms("DisableKey", named.clone());
    // A key that somebody makes outside, open to everyone.
    let policy = policy_for(json!("*")).to_string();
    std::thread::sleep(Duration::from_millis(1_100));
    kms("CreateKey", json!({"Policy": policy}));
    for _ in 0..2 {
        synchronise(&fixture);
    }
    let raised = alarms(&fixture.admin, "");
    let mut names: Vec<_> = raised.iter().map(|alarm| alarm["name"].as_str().expect("a name")).collect();
    names.sort_unstable();
    assert_eq!(names, ["key_disabled", "policy_opened", "policy_opened", "rotation_off"]);
    for alarm in &raised {
        assert_eq!((&alarm["cause"], &alarm["found_by"]), (&json!("outside"), &json!("admin")));
        assert_eq!(alarm["caused_by"], Value::Null);
    }
    kms("ScheduleKeyDeletion", json!({"KeyId": aws, "PendingWindowInDays": 7}));
    synchronise(&fixture);
    assert_eq!(self::names(&fixture.admin)[4..], ["deletion_scheduled"]);
}

#[test]
fn a_region_that_is_added_later_raises_no_old_news() {
    let fixture = KmsFixture::new();
    let at = format!("/v1/cckm/aws/kms/{}", fixture.kms);
    fixture.admin.patch(&at, json!({"regions": [AWAY]})).expect(200);
    synchronise(&fixture);
    std::thread::sleep(Duration::from_millis(1_100));
    let open = |region: &str| {
        fixture.lab.kms(region, "CreateKey", &json!({"Policy": policy_for(json!("*")).to_string()}));
    };
    open(HOME);
    fixture.admin.patch(&at, json!({"regions": [AWAY, HOME]})).expect(200);
    synchronise(&fixture);
    let known = fixture.total("gone=false");
    assert_eq!(names(&fixture.admin), [""; 0]);
    std::thread::sleep(Duration::from_millis(1_100));
    open(HOME);
    synchronise(&fixture);
    assert_eq!(fixture.total("gone=false"), known + 1);
    assert_eq!(names(&fixture.admin), ["policy_opened"]);
}

#[test]
fn alarms_of_bulk_jobs_and_schedules_name_who_started_them() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({"Alias": "open", "Policy": policy_for(json!("*"))}));
    let body = json!({"keys": [id(&key)], "operation": "disablekey"});
    let job = fixture.admin.post("/v1/cckm/aws/bulkjob", body).expect(202);
    let ended = |path: &str| {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let now = fixture.admin.get(path).expect(200);
            if now["overall_status"] != "in_progress" {
                return now;
            }
            assert!(Instant::now() < deadline, "{now}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    ended(&format!("/v1/cckm/aws/bulkjob/{}", id(&job)));
    let disabled = alarms(&fixture.admin, "name=key_disabled");
    assert_eq!((&disabled[0]["cause"], &disabled[0]["caused_by"]), (&json!("here"), &json!("admin")));

    fixture.change(&key, "enable", json!({}));
    let schedule = json!({"name": "nightly", "operation": "cckm_key_rotation", "run_at": "0 3 29 2 *"});
    let schedule = fixture.admin.post("/v1/scheduler/job-configs", schedule).expect(201);
    fixture.change(&key, "enable-rotation-job", json!({"job_config_id": id(&schedule)}));
    let run =
        fixture.admin.post(&format!("/v1/scheduler/job-configs/{}/run-now", id(&schedule)), json!({})).expect(201);
    assert_eq!(ended(&format!("/v1/scheduler/jobs/{}", id(&run)))["overall_status"], "completed");
    let opened = alarms(&fixture.admin, "name=policy_opened");
    assert_eq!(opened.len(), 2, "the new key has the open policy too: {opened:?}");
    assert_eq!((&opened[1]["cause"], &opened[1]["caused_by"]), (&json!("here"), &json!("schedule nightly")));
    let sorted = alarms(&fixture.admin, "sort=severity");
    let severities: Vec<_> = sorted.iter().map(|alarm| alarm["severity"].as_str().expect("a word")).collect();
    assert_eq!(severities, ["warning", "critical", "critical"], "by their rank");
}

#[test]
fn a_key_that_is_gone_without_a_warning_raises_an_alarm() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    fixture.lab.kms(HOME, "ScheduleKeyDeletion", &json!({"KeyId": aws_id(&key), "PendingWindowInDays": 7}));
    fixture.lab.move_clock(8);
    synchronise(&fixture);
    let raised = alarms(&fixture.admin, "");
    assert_eq!(names(&fixture.admin), ["deletion_scheduled"]);
    assert!(raised[0]["description"].as_str().is_some_and(|text| text.contains("not have the key any more")));
    assert_eq!((&raised[0]["cause"], &raised[0]["due_at"]), (&json!("outside"), &Value::Null));
}

#[test]
fn a_key_that_is_taken_off_its_schedule_raises_an_alarm() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    let schedule = json!({"name": "weekly", "operation": "cckm_key_rotation", "run_at": "0 9 * * sat"});
    let schedule = fixture.admin.post("/v1/scheduler/job-configs", schedule).expect(201);
    fixture.change(&key, "enable-rotation-job", json!({"job_config_id": id(&schedule)}));
    fixture.change(&key, "disable-rotation-job", json!({}));
    assert_eq!(names(&fixture.admin), ["rotation_off"]);
}

#[test]
fn material_that_expires_soon_is_announced_once_for_each_term() {
    let fixture = KmsFixture::new();
    let source = fixture.create_source_key(json!({}));
    let soon = chrono::Utc::now() + chrono::Duration::days(5);
    let mut body = key_body(json!({}));
    body["source_key_identifier"] = source["id"].clone();
    body["key_expiration"] = json!(true);
    body["valid_to"] = json!(soon.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    fixture.admin.post("/v1/cckm/aws/upload-key", body).expect(201);
    let mut fixture = fixture;
    for _ in 0..2 {
        fixture.appliance.kill();
        // The expiries are looked at at the start, and then each minute.
        fixture.restart();
        let deadline = Instant::now() + Duration::from_secs(10);
        while alarms(&fixture.admin, "name=material_expiring").is_empty() {
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    let raised = alarms(&fixture.admin, "");
    assert_eq!(raised.len(), 1, "{raised:?}");
    assert!(raised[0]["description"].as_str().is_some_and(|text| text.contains("7 days")), "{}", raised[0]);
    assert_eq!(raised[0]["severity"], "warning");
}

#[test]
fn a_connection_that_fails_and_recovers_raises_alarms_that_others_do_not_see() {
    let fixture = KmsFixture::with(&[("CLAVIGER_ALARMS_CONNECTION_CHECK_SECONDS", "1")]);
    let admin = &fixture.admin;
    let wait_for = |name: &str| {
        let deadline = Instant::now() + Duration::from_secs(20);
        while alarms(admin, &format!("name={name}")).is_empty() {
            assert!(Instant::now() < deadline, "{name}: {:?}", names(admin));
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    // Throttling is no failure.
    let throttled = json!([{"service": "sts", "operation": "GetCallerIdentity", "times": 3, "answer": "throttle"}]);
    fixture.lab.set_faults(&throttled);
    fixture.lab.wait_until_faults_met();
    assert_eq!(names(admin), [""; 0]);
    let denied = json!([{"service": "sts", "operation": "GetCallerIdentity", "times": 3, "answer": "deny"}]);
    fixture.lab.set_faults(&denied);
    wait_for("connection_failed");
    wait_for("connection_recovered");
    let raised = alarms(admin, "");
    assert_eq!(names(admin), ["connection_failed", "connection_recovered"]);
    assert!(raised[0]["description"].as_str().is_some_and(|text| text.contains("AccessDenied")), "{}", raised[0]);
    assert_eq!((&raised[0]["state"], &raised[0]["clearedBy"]), (&json!("off"), &json!("system")));
    assert_eq!((&raised[0]["resource"], &raised[0]["severity"]), (&json!("test_aws-connection"), &json!("critical")));
    let connections = fixture.appliance.member("connie", &["Connection Admins"]);
    assert_eq!(names(&connections).len(), 2);
    assert_eq!(names(&fixture.appliance.user("ann")), [""; 0]);
}

#[test]
fn alarms_are_shown_to_those_who_may_view_the_key_and_closed_by_administrators() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    fixture.change(&key, "disable", json!({}));
    let ann = fixture.appliance.user("ann");
    let number = id(&alarms(&fixture.admin, "")[0]);
    let at = |what: &str| format!("{ALARMS}/{number}{what}");
    assert_eq!(names(&ann), [""; 0]);
    ann.get(&at("")).refused(404, "NCERRResourceNotFound");
    let subject = crate::support::appliance::subject(&ann);
    let acls = json!({"acls": [{"user_id": subject, "actions": ["viewnative"], "permit": true}]});
    fixture.admin.post(&format!("/v1/cckm/aws/kms/{}/update-acls", fixture.kms), acls).expect(200);
    assert_eq!(names(&ann), ["key_disabled"]);
    ann.get(&at("")).expect(200);
    ann.post(&at("/acknowledge"), json!({})).refused(403, "NCERRInsufficientPermissions");
    ann.post(&at("/clear"), json!({})).refused(403, "NCERRInsufficientPermissions");
    ann.get("/v1/alarms/webhooks").refused(403, "NCERRInsufficientPermissions");

    let keeper = fixture.appliance.member("keeper", &["CCKM Admins"]);
    let noted = keeper.post(&at("/acknowledge"), json!({})).expect(200);
    assert_eq!((&noted["ackedBy"], &noted["state"]), (&json!("keeper"), &json!("on")));
    let cleared = fixture.admin.post(&at("/clear"), json!({})).expect(200);
    assert_eq!((&cleared["clearedBy"], &cleared["state"]), (&json!("admin"), &json!("off")));
    assert_eq!(cleared["ackedBy"], "keeper");
    keeper.post(&at("/acknowledge"), json!({})).refused(409, "NCERRConflict");
    assert_eq!(fixture.admin.post(&at("/clear"), json!({})).expect(200), cleared, "a second time changes nothing");
    for (query, count) in [
        ("state=on", 0),
        ("state=off", 1),
        ("acknowledged=true", 1),
        ("severity=warning", 1),
        ("name=policy_opened", 0),
        ("kms=fixture", 1),
        (&format!("key_id={}", id(&key)), 1),
    ] {
        assert_eq!(alarms(&fixture.admin, query).len(), count, "{query}");
    }
    fixture.admin.get(&format!("{ALARMS}?state=maybe")).refused(400, "NCERRInvalidParamValue");
    fixture.admin.get(&format!("{ALARMS}/0")).refused(404, "NCERRResourceNotFound");
    fixture.admin.post(&format!("{ALARMS}/x/clear"), json!({})).refused(404, "NCERRResourceNotFound");
}
