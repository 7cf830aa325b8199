//! `/v1/cckm/aws/drift-events`: changes that another IAM user makes in the lab's KMS, found through the lab's CloudTrail.

use crate::support::appliance::{id, subject};
use crate::support::client::Client;
use crate::support::kms_fixture::{AWAY, HOME, KmsFixture, aws_id, open_policy};
use crate::support::lab::LabClient;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const EVENTS: &str = "/v1/cckm/aws/drift-events";
const SCHEDULES: &str = "/v1/scheduler/job-configs";
const LOG_GROUP: &str = "aws-cloudtrail-logs-123456789012";

/// A schedule that never runs by itself while a test lasts.
fn watch(fixture: &KmsFixture) -> Value {
    let params = json!({"kms": "fixture", "log_group": LOG_GROUP});
    let body = json!({"name": "watch", "operation": "cckm_drift_watch", "run_at": "0 3 29 2 *",
        "cckm_drift_watch_params": params});
    fixture.admin.post(SCHEDULES, body).expect(201)
}

fn start(admin: &Client, schedule: &Value) -> Value {
    admin.post(&format!("{SCHEDULES}/{}/run-now", id(schedule)), json!({})).expect(201)
}

#[track_caller]
fn end_of(admin: &Client, run: &Value) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let run = admin.get(&format!("/v1/scheduler/jobs/{}", id(run))).expect(200);
        if run["overall_status"] != "in_progress" {
            return run;
        }
        assert!(Instant::now() < deadline, "it does not end: {run}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs the schedule to its end, which must be good.
#[track_caller]
fn run(fixture: &KmsFixture, schedule: &Value) {
    let run = end_of(&fixture.admin, &start(&fixture.admin, schedule));
    assert_eq!(run["overall_status"], "completed", "{run}");
}

/// The entries of a query, oldest first.
fn entries(client: &Client, query: &str) -> Vec<Value> {
    let list = client.get(&format!("{EVENTS}?limit=-1&{query}")).expect(200);
    list["resources"].as_array().expect("entries").clone()
}

fn names(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["event_name"].as_str().expect("a name")).collect()
}

/// The difference of an entry in an aspect: before and after.
#[track_caller]
fn change(entry: &Value, aspect: &str) -> (Value, Value) {
    let changes = entry["changes"].as_array().expect("changes");
    let change = changes.iter().find(|change| change["aspect"] == aspect);
    let change = change.unwrap_or_else(|| panic!("no {aspect}: {entry}"));
    (change["before"].clone(), change["after"].clone())
}

fn outside(lab: &LabClient, operation: &str, key: &str, more: Value) {
    let mut body = json!({"KeyId": key});
    for (name, value) in more.as_object().expect("members") {
        body[name] = value.clone();
    }
    lab.kms(HOME, operation, &body);
}

#[test]
fn each_change_that_another_user_makes_is_an_entry_with_who_and_what_and_our_own_are_none() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({"Alias": "payroll", "Tags": [{"TagKey": "a", "TagValue": "1"}]}));
    let other = fixture.create(json!({"Alias": "other"}));
    let schedule = watch(&fixture);
    let (ours, lab) = (aws_id(&key), fixture.lab.as_another_user());
    let mut policy = open_policy();
    let added = json!({"Sid": "More", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
        "Action": "kms:Decrypt", "Resource": "*"});
    policy["Statement"].as_array_mut().expect("statements").push(added.clone());
    fixture.change(&key, "policy", json!({"policy": open_policy()}));
    outside(&lab, "PutKeyPolicy", &ours, json!({"PolicyName": "default", "Policy": policy.to_string()}));
    outside(
        &lab,
        "TagResource",
        &ours,
        json!({"Tags": [{"TagKey": "a", "TagValue": "2"}, {"TagKey": "b", "TagValue": ""}]}),
    );
    outside(&lab, "UpdateKeyDescription", &ours, json!({"Description": "by hand"}));
    outside(&lab, "EnableKeyRotation", &ours, json!({}));
    lab.kms(HOME, "UpdateAlias", &json!({"AliasName": "alias/payroll", "TargetKeyId": aws_id(&other)}));
    outside(&lab, "DisableKey", &ours, json!({}));
    // Our own changes, reads, and what AWS refuses leave no entry.
    fixture.change(&other, "update-description", json!({"description": "ours"}));
    outside(&lab, "DescribeKey", &ours, json!({}));
    let refused = lab.try_kms(HOME, "EnableKeyRotation", &json!({"KeyId": "00000000-0000-4000-8000-000000000000"}));
    assert_eq!(refused.0, 400);

    run(&fixture, &schedule);
    let of_key = entries(&fixture.admin, &format!("key_id={}", id(&key)));
    assert_eq!(names(&of_key).len(), 6, "{of_key:?}");
    let of = |name: &str| of_key.iter().find(|entry| entry["event_name"] == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(change(of("PutKeyPolicy"), "policy"), (json!([]), json!([added])));
    assert_eq!(change(of("TagResource"), "tags"), (json!({"a": "1"}), json!({"a": "2", "b": ""})));
    assert_eq!(change(of("UpdateKeyDescription"), "description").1, "by hand");
    let (before, after) = change(of("EnableKeyRotation"), "rotation");
    assert_eq!((&before["enabled"], &after["enabled"]), (&json!(false), &json!(true)));
    assert_eq!(change(of("UpdateAlias"), "aliases"), (json!(["alias/payroll"]), json!([])));
    assert_eq!(change(of("DisableKey"), "state"), (json!("Enabled"), json!("Disabled")));
    let policy = of("PutKeyPolicy");
    assert_eq!(policy["user_identity"], "arn:aws:iam::123456789012:user/no-regions");
    assert_eq!((&policy["user_type"], &policy["source_ip"]), (&json!("IAMUser"), &json!("127.0.0.1")));
    assert_eq!(
        (&policy["kms"], &policy["region"], &policy["superseded"]),
        (&json!("fixture"), &json!(HOME), &json!(false))
    );
    assert_eq!(policy["key_arn"], key["aws_param"]["Arn"]);
    for member in ["event_id", "event_time", "request_id", "createdAt"] {
        assert!(policy[member].as_str().is_some_and(|text| !text.is_empty()), "{member}");
    }
    let of_other = entries(&fixture.admin, &format!("key_id={}", id(&other)));
    assert_eq!(names(&of_other), ["UpdateAlias"], "not our own change");
    assert_eq!(change(&of_other[0], "aliases"), (json!([]), json!(["alias/payroll"])));
    // The keys are up to date without a synchronisation.
    assert_eq!(
        (fixture.read(&key)["aws_param"]["KeyState"].clone(), fixture.total("gone=false")),
        (json!("Disabled"), 2)
    );

    // The alarms say who did it.
    let alarms = fixture.admin.get("/v1/alarms?limit=-1").expect(200);
    let alarms = alarms["resources"].as_array().expect("alarms");
    let mut raised: Vec<_> = alarms.iter().map(|alarm| alarm["name"].as_str().expect("a name")).collect();
    raised.sort_unstable();
    assert_eq!(raised, ["key_disabled", "policy_opened"]);
    for alarm in alarms {
        assert_eq!((&alarm["cause"], &alarm["caused_by"]), (&json!("outside"), &policy["user_identity"]));
        assert_eq!(alarm["found_by"], "schedule watch");
    }
    // Another run finds nothing new.
    let before = entries(&fixture.admin, "");
    run(&fixture, &schedule);
    assert_eq!(entries(&fixture.admin, ""), before);
}

#[test]
fn several_changes_of_one_aspect_stand_at_the_last_and_new_and_ending_keys_are_found() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    let schedule = watch(&fixture);
    let (aws, lab) = (aws_id(&key), fixture.lab.as_another_user());
    for state in ["DisableKey", "EnableKey", "DisableKey"] {
        outside(&lab, state, &aws, json!({}));
        std::thread::sleep(Duration::from_millis(1_050));
    }
    let made = lab.kms(HOME, "CreateKey", &json!({"Description": "by hand"}));
    let made = made["KeyMetadata"]["KeyId"].as_str().expect("an id").to_owned();
    lab.kms(HOME, "CreateAlias", &json!({"AliasName": "alias/by-hand", "TargetKeyId": made}));
    run(&fixture, &schedule);
    let of_key = entries(&fixture.admin, &format!("key_id={}&sort=event_time", id(&key)));
    assert_eq!(names(&of_key), ["DisableKey", "EnableKey", "DisableKey"]);
    let superseded: Vec<_> = of_key.iter().map(|entry| entry["superseded"].clone()).collect();
    assert_eq!(superseded, [true, true, false]);
    let notes: Vec<_> = of_key.iter().map(|entry| entry["note"].as_str().expect("a note")).collect();
    assert!(notes[0].contains("the entry of the last one") && notes[2].contains("2 earlier events"), "{notes:?}");
    assert_eq!(change(&of_key[2], "state"), (json!("Enabled"), json!("Disabled")));
    assert_eq!((&of_key[0]["changes"], &of_key[1]["changes"]), (&json!([]), &json!([])));

    let created = entries(&fixture.admin, "event_name=CreateKey");
    assert_eq!(change(&created[0], "existence"), (json!(false), json!(true)));
    let known = fixture.admin.get(&format!("/v1/cckm/aws/keys/{}", created[0]["key_id"].as_str().expect("an id")));
    let known = known.expect(200);
    assert_eq!((&known["aws_param"]["KeyID"], &known["aws_param"]["Alias"]), (&json!(made), &json!(["alias/by-hand"])));

    outside(&lab, "ScheduleKeyDeletion", &made, json!({"PendingWindowInDays": 7}));
    run(&fixture, &schedule);
    let ending = &entries(&fixture.admin, "event_name=ScheduleKeyDeletion")[0];
    assert_eq!(change(ending, "state").1, "PendingDeletion");
    assert!(change(ending, "deletion_date").1.is_string());
}

/// AWS does what we ask for, and its answer is lost.
#[test]
fn a_change_of_ours_whose_answer_was_lost_is_no_entry() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    let schedule = watch(&fixture);
    let lost = json!([{"service": "kms", "operation": "DisableKey", "times": 1, "answer": "drop"}]);
    fixture.lab.set_faults(&lost);
    // It may fail here, and then AWS is asked later what it has done.
    let _ = fixture.post(&key, "disable", json!({}));
    fixture.lab.wait_until_faults_met();
    let deadline = Instant::now() + Duration::from_secs(30);
    while fixture.read(&key)["aws_param"]["KeyState"] != "Disabled" {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(100));
    }
    run(&fixture, &schedule);
    assert_eq!(names(&entries(&fixture.admin, "")), [""; 0]);
    // The same by another user is one.
    let lab = fixture.lab.as_another_user();
    outside(&lab, "EnableKey", &aws_id(&key), json!({}));
    outside(&lab, "DisableKey", &aws_id(&key), json!({}));
    run(&fixture, &schedule);
    assert_eq!(entries(&fixture.admin, "event_name=DisableKey").len(), 1);
}

#[test]
fn a_key_store_that_another_user_changes_is_read_again_and_its_entry_has_the_difference() {
    let fixture = super::custom_key_stores_linked::fixture();
    let admin = &fixture.prepared.admin;
    let store = fixture.create("watched");
    fixture.post(&id(&store), "connect");
    fixture.until(&id(&store), "CONNECTED");
    let params = json!({"kms": "kms", "log_group": LOG_GROUP});
    let body = json!({"name": "watch", "operation": "cckm_drift_watch", "run_at": "0 3 29 2 *",
        "cckm_drift_watch_params": params});
    let schedule = admin.post(SCHEDULES, body).expect(201);
    let aws = &store["aws_param"]["custom_key_store_id"];
    fixture.lab.as_another_user().kms("us-east-1", "DisconnectCustomKeyStore", &json!({"CustomKeyStoreId": aws}));
    let ended = end_of(admin, &start(admin, &schedule));
    assert_eq!(ended["overall_status"], "completed", "{ended}");
    let found = entries(admin, "aspect=key_store");
    assert_eq!(names(&found), ["DisconnectCustomKeyStore"]);
    let (before, after) = change(&found[0], "key_store");
    assert_eq!((&before["custom_key_store_id"], &after["custom_key_store_id"]), (aws, aws));
    assert_eq!(before["connection_state"], "CONNECTED");
    let now = after["connection_state"].as_str().expect("a state");
    assert!(now.starts_with("DISCONNECT"), "{after}");
    assert_eq!((&found[0]["key_id"], &found[0]["user_type"]), (&Value::Null, &json!("IAMUser")));
    // Without a synchronisation.
    let shown = fixture.get(&id(&store))["aws_param"]["connection_state"].clone();
    assert!(shown.as_str().is_some_and(|state| state.starts_with("DISCONNECT")), "{shown}");
}

/// The event arrives twenty minutes after the change. A synchronisation has read the change meanwhile.
#[test]
fn a_late_event_is_found_once_with_its_difference() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    let schedule = watch(&fixture);
    let lab = fixture.lab.as_another_user();
    fixture.lab.set_trail_delay(1_200);
    outside(&lab, "UpdateKeyDescription", &aws_id(&key), json!({"Description": "late"}));
    run(&fixture, &schedule);
    assert_eq!(entries(&fixture.admin, "").len(), 0, "it has not arrived");
    let job = fixture.admin.post("/v1/cckm/aws/synchronization-jobs", json!({"kms": ["fixture"]})).expect(202);
    let at = format!("/v1/cckm/aws/synchronization-jobs/{}", id(&job));
    while fixture.admin.get(&at).expect(200)["overall_status"] == "in_progress" {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(fixture.read(&key)["aws_param"]["Description"], "late");
    fixture.lab.set_clock(1_300);
    run(&fixture, &schedule);
    run(&fixture, &schedule);
    let found = entries(&fixture.admin, "");
    assert_eq!(names(&found), ["UpdateKeyDescription"]);
    assert_eq!(change(&found[0], "description"), (json!(""), json!("late")));
}

#[test]
fn a_run_that_is_killed_or_fails_leaves_nothing_out_and_doubles_nothing() {
    let mut fixture = KmsFixture::new();
    let keys: Vec<Value> = (0..12).map(|_| fixture.create(json!({}))).collect();
    let schedule = watch(&fixture);
    let lab = fixture.lab.as_another_user();
    for key in &keys {
        outside(&lab, "DisableKey", &aws_id(key), json!({}));
    }
    // A run in the middle of its work.
    let slow = json!([{"service": "kms", "operation": "DescribeKey", "times": 6, "delay_ms": 50},
        {"service": "kms", "operation": "GetKeyPolicy", "times": 12, "delay_ms": 400}]);
    fixture.lab.set_faults(&slow);
    let begun = start(&fixture.admin, &schedule);
    let deadline = Instant::now() + Duration::from_secs(20);
    while entries(&fixture.admin, "").is_empty() {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
    fixture.appliance.kill();
    fixture.restart();
    let ended = end_of(&fixture.admin, &begun);
    assert_eq!(ended["overall_status"], "completed", "{ended}");
    let check = |fixture: &KmsFixture, state: &str, count: usize| {
        let found = entries(&fixture.admin, &format!("event_name={state}"));
        let mut of: Vec<_> = found.iter().map(|entry| entry["key_id"].to_string()).collect();
        of.sort_unstable();
        of.dedup();
        assert_eq!((found.len(), of.len()), (count, count), "{state}");
    };
    check(&fixture, "DisableKey", 12);

    // A log group that is throttled, denied or missing: the run fails with AWS's code, and the next one makes up for it.
    let lab = fixture.lab.as_another_user();
    outside(&lab, "EnableKey", &aws_id(&keys[0]), json!({}));
    let denied = json!([{"service": "logs", "operation": "FilterLogEvents", "times": 2, "answer": "deny"}]);
    fixture.lab.set_faults(&denied);
    let failed = end_of(&fixture.admin, &start(&fixture.admin, &schedule));
    assert_eq!(failed["overall_status"], "failed");
    assert!(failed["error"].as_str().is_some_and(|error| error.contains("AccessDenied")), "{failed}");
    check(&fixture, "EnableKey", 0);
    let elsewhere = json!({"cckm_drift_watch_params": {"log_group": "nowhere"}});
    fixture.admin.patch(&format!("{SCHEDULES}/{}", id(&schedule)), elsewhere).expect(200);
    let failed = end_of(&fixture.admin, &start(&fixture.admin, &schedule));
    assert!(failed["error"].as_str().is_some_and(|error| error.contains("ResourceNotFoundException")), "{failed}");
    let back = json!({"cckm_drift_watch_params": {"log_group": LOG_GROUP}});
    fixture.admin.patch(&format!("{SCHEDULES}/{}", id(&schedule)), back).expect(200);
    run(&fixture, &schedule);
    check(&fixture, "EnableKey", 1);
}

#[test]
fn entries_are_filtered_and_shown_to_those_who_may_view_the_key() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    let schedule = watch(&fixture);
    let lab = fixture.lab.as_another_user();
    outside(&lab, "DisableKey", &aws_id(&key), json!({}));
    outside(&lab, "TagResource", &aws_id(&key), json!({"Tags": [{"TagKey": "a", "TagValue": "b"}]}));
    run(&fixture, &schedule);
    let all = entries(&fixture.admin, "");
    assert_eq!(all.len(), 2);
    let at = |entry: &Value| format!("{EVENTS}/{}", id(entry));
    assert_eq!(fixture.admin.get(&at(&all[0])).expect(200), all[0]);
    let who = "user_identity=arn:aws:iam::123456789012:user/no-regions";
    let time = all[0]["event_time"].as_str().expect("a time");
    let cases = [
        ("event_name=DisableKey".to_owned(), 1),
        ("aspect=tags".to_owned(), 1),
        ("kms=fixture".to_owned(), 2),
        (format!("kms_id={}", fixture.kms), 2),
        (format!("key_id={}", id(&key)), 2),
        (format!("region={AWAY}"), 0),
        (who.to_owned(), 2),
        (format!("start_time={time}"), 2),
        (format!("end_time={time}"), 0),
        ("start_time=2100-01-01T00:00:00Z".to_owned(), 0),
    ];
    for (query, count) in cases {
        assert_eq!(entries(&fixture.admin, &query).len(), count, "{query}");
    }
    for query in ["start_time=yesterday", "aspect=shape", "nonsense=1"] {
        fixture.admin.get(&format!("{EVENTS}?{query}")).refused(400, "NCERRInvalidParamValue");
    }
    let ann = fixture.appliance.user("ann");
    assert_eq!(entries(&ann, "").len(), 0);
    ann.get(&at(&all[0])).refused(404, "NCERRResourceNotFound");
    let acls = json!({"acls": [{"user_id": subject(&ann), "actions": ["viewnative"], "permit": true}]});
    fixture.admin.post(&format!("/v1/cckm/aws/kms/{}/update-acls", fixture.kms), acls).expect(200);
    assert_eq!(entries(&ann, "").len(), 2);
    // Whom a schedule's log group concerns.
    let bob = fixture.appliance.user("bob");
    let shown = |client: &Client| client.get(&format!("{SCHEDULES}/{}", id(&schedule))).expect(200);
    assert_eq!(shown(&ann)["cckm_drift_watch_params"]["log_group"], LOG_GROUP);
    assert_eq!(shown(&bob)["cckm_drift_watch_params"], json!({"cloud_name": "aws"}));
}

#[test]
fn a_schedule_names_its_kms_and_log_group() {
    let fixture = KmsFixture::new();
    let create = |params: Value| {
        let body = json!({"name": "watch", "operation": "cckm_drift_watch", "run_at": "*/5 * * * *",
            "cckm_drift_watch_params": params});
        fixture.admin.post(SCHEDULES, body)
    };
    for params in [
        json!({"log_group": LOG_GROUP}),
        json!({"kms": "fixture"}),
        json!({"kms": "fixture", "log_group": "a b"}),
        json!({"kms": "fixture", "log_group": LOG_GROUP, "overlap_minutes": 0}),
        json!({"kms": "fixture", "log_group": LOG_GROUP, "overlap_minutes": 1441}),
        json!({"kms": "fixture", "log_group": LOG_GROUP, "log_group_region": "nowhere"}),
    ] {
        create(params).refused(400, "NCERRInvalidParamValue");
    }
    create(json!({"kms": "none", "log_group": LOG_GROUP})).refused(404, "NCERRResourceNotFound");
    let made = create(json!({"kms": "fixture", "log_group": LOG_GROUP, "log_group_region": HOME})).expect(201);
    let expected = json!({"cloud_name": "aws", "kms": fixture.kms, "log_group": LOG_GROUP, "log_group_region": HOME,
        "overlap_minutes": 60});
    assert_eq!((&made["cckm_drift_watch_params"], &made["job_config_params"]), (&expected, &expected));
    let changed = fixture.admin.patch(
        &format!("{SCHEDULES}/{}", id(&made)),
        json!({"cckm_drift_watch_params": {"overlap_minutes": 90, "log_group_region": ""}}),
    );
    let changed = changed.expect(200);
    assert_eq!(changed["cckm_drift_watch_params"]["overlap_minutes"], 90);
    assert_eq!(changed["cckm_drift_watch_params"].get("log_group_region"), None);
    let other = json!({"cckm_key_rotation_params": {}});
    fixture.admin.patch(&format!("{SCHEDULES}/{}", id(&made)), other).refused(400, "NCERRInvalidParamValue");
}
