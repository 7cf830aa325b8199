//! The crash matrix: the program is killed between each pair of steps of an operation on a key, and started again.
//! Afterwards AWS and Claviger agree: no key is orphaned, duplicated or unknown.
//!
//! The lab cloud holds the program before one call to AWS: all calls before it were made; this one and those after it
//! were not. "Nothing" means that the new key is neither at AWS nor in Claviger; "all" means that all steps were taken
//! in the end.
//!
//! The calls of an operation and their order come from the program's own table (`keys::operations::STEPS`). Each
//! operation is tested here; a test fails for an operation that has no row.
//!
//! | operation | killed before | then |
//! |---|---|---|
//! | create, upload, replicate | the call that makes the key | nothing |
//! | rotate | the call that makes the key | nothing, and the old key is as it was |
//! | create, upload, rotate, replicate | any later call, reading back | all |
//! | the same with as many tags as AWS allows | the same, and the call that puts the description right | the same |
//! | import-material | any call, reading back | all |
//! | move-alias | its call; reading back | both keys are as they were; all |
//! | any other | its first call; a later one, reading back | the key is as it was, and the change can be asked for again; the key is as AWS has it |

use crate::support::appliance::id;
use crate::support::kms_fixture::{AWAY, HOME, KEYS, KmsFixture, at, aws, aws_id};
use claviger::service::keys::operations::STEPS;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

/// The first call of reading a key back that no step before it makes.
const READING_BACK: &str = "ListAliases";

/// The operations that have their own test.
const TESTED: &[&str] =
    &["create", "upload", "import-material", "rotate", "replicate", "schedule-deletion", "move-alias"];

/// The operations on keys in custom key stores, which are tested beside those.
const IN_STORES: &[&str] = &["create-in-store", "link"];

/// The calls of an operation, and the first call of reading back.
#[track_caller]
fn steps(operation: &str) -> Vec<&'static str> {
    let steps = STEPS.iter().find(|steps| steps.operation == operation).expect("an operation");
    steps.calls.iter().map(|call| call.name).chain([READING_BACK]).collect()
}

/// Sends the request, holds the program before a call to AWS, kills it there, starts it again, and waits until the
/// operation is reconciled.
#[track_caller]
fn interrupt(fixture: &mut KmsFixture, before: &str, path: &str, body: &Value) {
    interrupt_after(fixture, 0, before, path, body);
}

/// Like [`interrupt`], if `earlier` calls of that name precede the operation.
#[track_caller]
fn interrupt_after(fixture: &mut KmsFixture, earlier: u32, before: &str, path: &str, body: &Value) {
    interrupt_with(fixture, &[], earlier, before, path, body);
}

/// Like [`interrupt_after`], with other faults.
#[track_caller]
fn interrupt_with(fixture: &mut KmsFixture, others: &[Value], earlier: u32, before: &str, path: &str, body: &Value) {
    let held = json!({"service": "kms", "operation": before, "delay_ms": 120_000});
    let passed = json!({"service": "kms", "operation": before, "times": earlier});
    let passed = if earlier > 0 { vec![passed] } else { vec![] };
    fixture.lab.set_faults(&json!([others, &passed[..], &[held][..]].concat()));
    let (admin, path, body) = (fixture.admin.clone(), path.to_owned(), body.to_string().into_bytes());
    let asking = thread::spawn(move || admin.try_send(Method::POST, &path, Some(body)));
    fixture.lab.wait_until_faults_met();
    fixture.appliance.kill();
    assert!(asking.join().expect("a thread").is_err(), "{before}: answered before the end");
    assert_eq!(fixture.open_operations().len(), 1, "{before}: the intent is in the log");
    fixture.restart();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !fixture.open_operations().is_empty() {
        assert!(Instant::now() < deadline, "{before}: what became of it stays unknown\n{}", fixture.appliance.log());
        thread::sleep(Duration::from_millis(50));
    }
    fixture.assert_agreement();
}

/// The keys with this alias.
fn named(fixture: &KmsFixture, alias: &str) -> Vec<Value> {
    let list = fixture.admin.get(&format!("{KEYS}?alias={alias}")).expect(200);
    list["resources"].as_array().expect("keys").clone()
}

/// The number of keys, after a check that AWS and Claviger have the same number.
#[track_caller]
fn assert_keys(fixture: &KmsFixture, count: usize, shown: &str) {
    assert_eq!(fixture.lab.keys(HOME).len() + fixture.lab.keys(AWAY).len(), count, "{shown}");
    assert_eq!(fixture.total(""), count as u64, "{shown}");
}

fn asked(alias: &str) -> Value {
    json!({"kms": "fixture", "region": HOME, "aws_param": {"Alias": alias, "Description": alias}})
}

/// As many tags as AWS allows, so that the mark of an operation must be in the description.
const FULL: usize = 50;

fn tags(count: usize) -> Vec<Value> {
    (0..count).map(|number| json!({"TagKey": format!("t{number}"), "TagValue": ""})).collect()
}

fn asked_with(alias: &str, count: usize) -> Value {
    let mut asked = asked(alias);
    asked["aws_param"]["Tags"] = json!(tags(count));
    asked
}

/// The steps of an operation that creates a key with so many tags. A mark in the description is removed in the end.
#[track_caller]
fn steps_with(operation: &str, count: usize) -> Vec<&'static str> {
    let last = (count == FULL).then_some("UpdateKeyDescription");
    steps(operation).into_iter().chain(last).collect()
}

/// Waits until no key at AWS has a mark in its description.
#[track_caller]
fn wait_until_put_right(fixture: &KmsFixture) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let is_marked = |key: &Value| key["Description"].as_str().is_some_and(|text| text.starts_with("claviger:"));
    let is_any_marked = || [HOME, AWAY].iter().any(|region| fixture.lab.keys(region).values().any(is_marked));
    while is_any_marked() || !fixture.open_operations().is_empty() {
        assert!(Instant::now() < deadline, "a description has a mark\n{}", fixture.appliance.log());
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_interrupted_create_is_undone_or_completed() {
    interrupt_creations(0);
}

#[test]
fn an_interrupted_create_with_all_tags_is_undone_or_completed() {
    interrupt_creations(FULL);
}

fn interrupt_creations(count: usize) {
    let mut fixture = KmsFixture::new();
    interrupt(&mut fixture, "CreateKey", KEYS, &asked_with("first", count));
    assert_keys(&fixture, 0, "CreateKey");
    for (number, before) in steps_with("create", count).into_iter().skip(1).enumerate() {
        let alias = format!("key-{number}");
        interrupt(&mut fixture, before, KEYS, &asked_with(&alias, count));
        wait_until_put_right(&fixture);
        assert_keys(&fixture, number + 1, before);
        let keys = named(&fixture, &alias);
        assert_eq!((keys.len(), aws(&keys[0], "Description")), (1, &json!(alias)), "{before}");
    }
    fixture.create_at(KEYS, asked("first"));
}

#[test]
fn an_interrupted_upload_is_undone_or_completed() {
    interrupt_uploads(0);
}

#[test]
fn an_interrupted_upload_with_all_tags_is_undone_or_completed() {
    interrupt_uploads(FULL);
}

fn interrupt_uploads(count: usize) {
    let mut fixture = KmsFixture::new();
    let source = fixture.create_source_key(json!({"name": "aes"}));
    let path = "/v1/cckm/aws/upload-key";
    let body = |alias: &str| {
        let mut body = asked_with(alias, count);
        body["source_key_identifier"] = json!("aes");
        body
    };
    interrupt(&mut fixture, "CreateKey", path, &body("first"));
    assert_keys(&fixture, 0, "CreateKey");
    for (number, before) in steps_with("upload", count).into_iter().skip(1).enumerate() {
        let alias = format!("key-{number}");
        interrupt(&mut fixture, before, path, &body(&alias));
        wait_until_put_right(&fixture);
        assert_keys(&fixture, number + 1, before);
        assert_brought(&named(&fixture, &alias)[0], &source, before);
    }
}

#[track_caller]
fn assert_brought(key: &Value, source: &Value, shown: &str) {
    let seen = (aws(key, "KeyState"), &key["local_key_id"], &key["key_material_origin"]);
    assert_eq!(seen, (&json!("Enabled"), &source["id"], &json!("cckm")), "{shown}");
}

#[test]
fn an_interrupted_import_is_completed() {
    let mut fixture = KmsFixture::new();
    let (first, second) =
        (fixture.create_source_key(json!({"name": "first"})), fixture.create_source_key(json!({"name": "second"})));
    for before in steps("import-material") {
        let key = fixture.create(json!({"Origin": "EXTERNAL"}));
        interrupt(&mut fixture, before, &at(&key, "import-material"), &json!({"source_key_identifier": "first"}));
        assert_brought(&fixture.read(&key), &first, before);
        // A second material is pending until the rotation.
        let body = json!({"source_key_identifier": "second", "import_type": "NEW_KEY_MATERIAL"});
        interrupt(&mut fixture, before, &at(&key, "import-material"), &body);
        let rows = fixture.admin.get(&at(&key, "rotations")).expect(200)["resources"].take();
        let sources: Vec<_> = rows.as_array().expect("rows").iter().map(|row| &row["source_key_identifier"]).collect();
        assert!(sources.len() == 2 && sources.contains(&&first["id"]) && sources.contains(&&second["id"]), "{rows}");
    }
}

#[test]
fn an_interrupted_rotation_is_undone_or_completed() {
    interrupt_rotations(0);
}

#[test]
fn an_interrupted_rotation_with_all_tags_is_undone_or_completed() {
    interrupt_rotations(FULL);
}

fn interrupt_rotations(tags: usize) {
    let mut fixture = KmsFixture::new();
    let source = fixture.create_source_key(json!({"name": "aes"}));
    let body = json!({"source_key_id": "aes", "retain_alias": true, "disable_encrypt": true, "description": "new"});
    let mut count = 0;
    for (number, before) in steps_with("rotate", tags).into_iter().enumerate() {
        let alias = format!("key-{number}");
        let old = fixture.create_at(KEYS, asked_with(&alias, tags));
        // The key is read before it is replaced.
        let earlier = u32::from(before == "GetKeyPolicy" || before == READING_BACK);
        interrupt_after(&mut fixture, earlier, before, &at(&old, "rotate"), &body);
        wait_until_put_right(&fixture);
        let (new, retired) = (named(&fixture, &alias)[0].clone(), fixture.read(&old));
        count += if before == "CreateKey" { 1 } else { 2 };
        assert_keys(&fixture, count, before);
        if before == "CreateKey" {
            assert_eq!((id(&new), &new["aws_param"]), (id(&old), &old["aws_param"]));
            assert!(retired["rotation_status"].as_str().is_some_and(|status| status.starts_with("FAILED: ")));
            continue;
        }
        assert_brought(&new, &source, before);
        assert_eq!((&new["rotated_from"], &retired["rotated_to"]), (&old["id"], &new["id"]), "{before}");
        let kept = aws(&retired, "Alias").as_array().expect("an alias");
        assert!(kept.len() == 1 && kept[0].as_str().is_some_and(|kept| kept.starts_with(&format!("alias/{alias}-"))));
        let denials = aws(&retired, "Policy")["Statement"].as_array().expect("statements").clone();
        assert_eq!(denials.iter().filter(|one| one["Effect"] == "Deny").count(), 1, "{before}");
    }
}

#[test]
fn an_interrupted_replication_is_undone_or_completed() {
    interrupt_replications(0);
}

#[test]
fn an_interrupted_replication_with_all_tags_is_undone_or_completed() {
    interrupt_replications(FULL);
}

fn interrupt_replications(all: usize) {
    let mut fixture = KmsFixture::new();
    let mut count = 0;
    for (number, before) in steps_with("replicate", all).into_iter().enumerate() {
        let alias = format!("key-{number}");
        let primary = fixture.create(json!({"MultiRegion": true}));
        let body = json!({"replica_region": AWAY, "aws_param": {"Alias": alias, "Tags": tags(all)}});
        // Whether the alias is free is asked first.
        let earlier = u32::from(before == "DescribeKey");
        interrupt_after(&mut fixture, earlier, before, &at(&primary, "replicate-key"), &body);
        wait_until_put_right(&fixture);
        count += if before == "ReplicateKey" { 1 } else { 2 };
        assert_keys(&fixture, count, before);
        let replicas = named(&fixture, &alias);
        let family = aws(&fixture.read(&primary), "MultiRegionConfiguration")["ReplicaKeys"].clone();
        if before == "ReplicateKey" {
            assert_eq!((replicas, family), (vec![], json!([])));
            continue;
        }
        assert_eq!((replicas.len(), aws_id(&replicas[0])), (1, aws_id(&primary)), "{before}");
        assert_eq!(family[0]["Region"], AWAY, "{before}");
    }
}

#[test]
fn an_interrupted_undoing_is_repeated() {
    let mut fixture = KmsFixture::new();
    for (number, before) in ["ScheduleKeyDeletion", READING_BACK].into_iter().enumerate() {
        let denied = json!({"service": "kms", "operation": "CreateAlias", "answer": "deny"});
        // The aliases are read once before the deletion is scheduled.
        let earlier = if before == READING_BACK { 1 } else { 0 };
        interrupt_with(&mut fixture, &[denied], earlier, before, KEYS, &asked(&format!("key-{number}")));
        assert_keys(&fixture, number + 1, before);
        let keys = fixture.admin.get(&format!("{KEYS}?description=key-{number}")).expect(200)["resources"].take();
        let (state, alias) = match before {
            // AWS does not refuse the alias any more.
            "ScheduleKeyDeletion" => ("Enabled", json!([format!("alias/key-{number}")])),
            _ => ("PendingDeletion", Value::Null),
        };
        assert_eq!((aws(&keys[0], "KeyState"), aws(&keys[0], "Alias")), (&json!(state), &alias), "{before}");
    }
}

#[test]
fn a_deletion_that_is_cut_off_is_scheduled_or_not() {
    let mut fixture = KmsFixture::new();
    for (before, state) in steps("schedule-deletion").into_iter().zip(["Enabled", "PendingDeletion"]) {
        let key = fixture.create(json!({}));
        interrupt(&mut fixture, before, &at(&key, "schedule-deletion"), &json!({"days": 7}));
        let seen = fixture.read(&key);
        assert_eq!(aws(&seen, "KeyState"), state, "{before}");
        assert_eq!(seen["deletion_date"].is_string(), state == "PendingDeletion", "{before}");
        let described = fixture.lab.kms(HOME, "DescribeKey", &json!({"KeyId": aws_id(&key)}));
        assert_eq!(described["KeyMetadata"]["KeyState"], state, "{before}");
    }
}

#[test]
fn an_alias_whose_move_is_cut_off_is_with_one_key_and_known_to_be() {
    let mut fixture = KmsFixture::new();
    let (one, other) = (fixture.create(json!({"Alias": "wanted"})), fixture.create(json!({})));
    for (before, holder) in steps("move-alias").into_iter().zip([&one, &other]) {
        interrupt(&mut fixture, before, &at(&other, "add-alias"), &json!({"alias": "wanted"}));
        let keys = named(&fixture, "wanted");
        assert_eq!((keys.len(), &keys[0]["id"]), (1, &holder["id"]), "{before}");
    }
    // Neither key has a pending operation.
    fixture.change(&one, "disable", json!({}));
    fixture.change(&other, "disable", json!({}));
}

/// A change of an existing key, and the request for it.
struct Change {
    operation: &'static str,
    aws_param: Value,
    /// The requests that prepare the key.
    before: Vec<(&'static str, Value)>,
    path: &'static str,
    body: Value,
}

impl Change {
    fn new(operation: &'static str, path: &'static str, body: Value) -> Self {
        Self { operation, aws_param: json!({}), before: vec![], path, body }
    }

    fn of(self, aws_param: Value) -> Self {
        Self { aws_param, ..self }
    }

    fn after(mut self, path: &'static str, body: Value) -> Self {
        self.before.push((path, body));
        self
    }
}

fn changes() -> Vec<Change> {
    let replica = json!({"replica_region": AWAY, "aws_param": {}});
    vec![
        Change::new("enable", "enable", json!({})).after("disable", json!({})),
        Change::new("disable", "disable", json!({})),
        Change::new("describe", "update-description", json!({"description": "new"})),
        // There is room for the tag in the place of the mark only.
        Change::new("tag", "add-tags", json!({"tags": [{"tag_key": "team", "tag_value": "payroll"}]}))
            .of(json!({"Tags": tags(49)})),
        Change::new("untag", "remove-tags", json!({"tags": ["team"]}))
            .of(json!({"Tags": [{"TagKey": "team", "TagValue": "a"}]})),
        Change::new("put-policy", "policy", json!({"key_users": ["user1"]}))
            .after("policy", json!({"policytemplate": "template"})),
        Change::new("add-alias", "add-alias", json!({"alias": "another"})),
        Change::new("delete-alias", "delete-alias", json!({"alias": "one"})).of(json!({"Alias": "one"})),
        Change::new("enable-rotation", "enable-auto-rotation", json!({})),
        Change::new("disable-rotation", "disable-auto-rotation", json!({})).after("enable-auto-rotation", json!({})),
        Change::new("rotate-material", "rotate-material", json!({})),
        Change::new("delete-material", "delete-material", json!({}))
            .of(json!({"Origin": "EXTERNAL"}))
            .after("import-material", json!({"source_key_identifier": "aes"})),
        Change::new("cancel-deletion", "cancel-deletion", json!({})).after("schedule-deletion", json!({"days": 7})),
        Change::new("move-primary", "update-primary-region", json!({"PrimaryRegion": AWAY}))
            .of(json!({"MultiRegion": true}))
            .after("replicate-key", replica),
    ]
}

fn assert_cut_off_at_each_step(changes: &[Change]) {
    let mut fixture = KmsFixture::new();
    fixture.create_source_key(json!({"name": "aes"}));
    let template = json!({"name": "template", "kms": "fixture", "key_admins": ["user1"]});
    fixture.admin.post("/v1/cckm/aws/templates", template).expect(201);
    for change in changes {
        for (number, call) in steps(change.operation).into_iter().enumerate() {
            let shown = format!("{} before {call}", change.operation);
            let key = fixture.create(change.aws_param.clone());
            for (path, body) in &change.before {
                let answer = fixture.post(&key, path, body.clone());
                assert!(answer.status == 200 || answer.status == 201, "{shown}: {path}");
            }
            let before = fixture.read(&key);
            interrupt(&mut fixture, call, &at(&key, change.path), &change.body);
            if number == 0 {
                assert_eq!(fixture.read(&key)["aws_param"], before["aws_param"], "{shown}");
                fixture.post(&key, change.path, change.body.clone()).expect(200);
            }
            // The key has no pending operation.
            fixture.change(&key, "update-description", json!({"description": "still there"}));
            for alias in aws(&fixture.read(&key), "Alias").as_array().cloned().unwrap_or_default() {
                fixture.change(&key, "delete-alias", json!({"alias": alias}));
            }
        }
    }
}

#[test]
fn half_of_the_changes_that_are_cut_off_are_done_or_not() {
    let changes = changes();
    assert_cut_off_at_each_step(&changes[..changes.len() / 2]);
}

#[test]
fn the_other_half_of_the_changes_that_are_cut_off_are_done_or_not() {
    let changes = changes();
    assert_cut_off_at_each_step(&changes[changes.len() / 2..]);
}

#[test]
fn every_operation_is_in_the_matrix() {
    let operations: BTreeSet<_> = STEPS.iter().map(|steps| steps.operation).collect();
    let changes = changes();
    let tested: BTreeSet<_> =
        TESTED.iter().chain(IN_STORES).copied().chain(changes.iter().map(|change| change.operation)).collect();
    assert_eq!(operations, tested);
}
