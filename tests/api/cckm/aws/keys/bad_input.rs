//! Invalid requests for keys, and failures of AWS for valid ones: each gets the contract's error, and the log has at
//! most the failed outcome.

use crate::support::kms_fixture::{AWAY, HOME, KEYS, KmsFixture, at, aws_id, key_body};
use crate::support::visible_state::VisibleState;
use chrono::{TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

const INVALID: &str = "NCERRInvalidParamValue";
const UPLOAD: &str = "/v1/cckm/aws/upload-key";

fn in_days(days: i64) -> String {
    (Utc::now() + TimeDelta::days(days)).to_rfc3339()
}

/// Bodies for keys that are not possible, and a text of the error.
fn impossible_keys() -> Vec<(Value, u16, &'static str)> {
    let aws = |aws_param: Value| key_body(aws_param);
    let with = |more: Value| {
        let mut body = key_body(json!({}));
        for (member, value) in more.as_object().expect("members") {
            body[member] = value.clone();
        }
        body
    };
    let tag = |key: &str, value: &str| json!([{"TagKey": key, "TagValue": value}]);
    let many: Vec<_> = (0..51).map(|number| json!({"TagKey": number.to_string(), "TagValue": ""})).collect();
    let policy = json!({"Version": "2012-10-17", "Statement": []});
    vec![
        (json!({}), 400, "kms"),
        (json!({"kms": "fixture"}), 400, "region"),
        (with(json!({"kms": "nobody's"})), 404, "does not exist"),
        (with(json!({"kms": "00000000-0000-4000-8000-000000000000"})), 404, "does not exist"),
        (with(json!({"region": "us-east-1"})), 400, "`eu-west-1`, `eu-west-2`"),
        (with(json!({"region": "mars-1"})), 400, "region"),
        (aws(json!({"KeySpec": "RSA_1024"})), 400, "RSA_2048"),
        (aws(json!({"KeySpec": "RSA_2048"})), 400, "ENCRYPT_DECRYPT or SIGN_VERIFY"),
        (aws(json!({"KeySpec": "ECC_SECG_P256K1", "KeyUsage": "KEY_AGREEMENT"})), 400, "SIGN_VERIFY is expected"),
        (aws(json!({"KeyUsage": "SIGN_VERIFY"})), 400, "ENCRYPT_DECRYPT is expected"),
        (aws(json!({"KeyUsage": "WRAP"})), 400, "GENERATE_VERIFY_MAC"),
        (aws(json!({"KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY"})), 400, "aws-cn"),
        (aws(json!({"Origin": "MARS"})), 400, "EXTERNAL"),
        (aws(json!({"Origin": "AWS_CLOUDHSM"})), 400, "AWS_KMS or EXTERNAL"),
        (aws(json!({"Alias": "aws/mine"})), 400, "belong to AWS"),
        (aws(json!({"Alias": "alias/aws/mine"})), 400, "belong to AWS"),
        (aws(json!({"Alias": "with blank"})), 400, "letters, digits"),
        (aws(json!({"Alias": "x".repeat(251)})), 400, "250"),
        (aws(json!({"Description": "x".repeat(8193)})), 400, "8192"),
        (aws(json!({"Tags": many})), 400, "50"),
        (aws(json!({"Tags": tag("", "")})), 400, "must not be empty"),
        (aws(json!({"Tags": tag("aws:mine", "")})), 400, "belong to AWS"),
        (aws(json!({"Tags": tag(&"k".repeat(129), "")})), 400, "128"),
        (aws(json!({"Tags": tag("k", &"v".repeat(257))})), 400, "256"),
        (aws(json!({"Tags": tag("k", "<v>")})), 400, "letters"),
        (aws(json!({"Tags": [tag("k", "1")[0], tag("k", "2")[0]]})), 400, "more than once"),
        (aws(json!({"Tags": [{"TagKey": 7}]})), 400, "string"),
        (aws(json!({"Policy": "{not JSON"})), 400, "not JSON"),
        (aws(json!({"Policy": "[]"})), 400, "not a JSON object"),
        (aws(json!({"Policy": 7})), 400, "not a JSON object"),
        (aws(json!({"Policy": {"Statement": "x".repeat(33_000)}})), 400, "32768"),
        (with(json!({"aws_param": {"Policy": policy}, "key_users": ["ann"]})), 400, "only one"),
        (with(json!({"policytemplate": "t", "key_users": ["ann"]})), 400, "only one"),
        (with(json!({"policytemplate": "t", "aws_param": {"Policy": policy}})), 400, "only one"),
        (with(json!({"policytemplate": "nobody's"})), 404, "no policy template"),
        (with(json!({"key_users": ["a b"]})), 400, "key_users"),
        (with(json!({"key_admins": ["arn:aws:iam::123456789012:role/x"]})), 400, "key_admins"),
        (with(json!({"external_accounts": ["12"]})), 400, "external_accounts"),
        (with(json!({"aws_param": "text"})), 400, "aws_param"),
    ]
}

#[test]
fn keys_that_cannot_be_are_refused_before_aws_is_asked() {
    let fixture = KmsFixture::new();
    let source = fixture.create_source_key(json!({"name": "aes"}));
    fixture.create_source_key(json!({"name": "small", "size": 128}));
    let before = (VisibleState::of(&fixture.admin), fixture.lab.calls("kms:CreateKey"));
    for (body, status, text) in impossible_keys() {
        let mut upload = body.clone();
        upload["source_key_identifier"] = source["id"].clone();
        for (path, body) in [(KEYS, body), (UPLOAD, upload)] {
            // An upload is always of external material.
            if path == UPLOAD && !body["aws_param"]["Origin"].is_null() {
                continue;
            }
            // The spec must fit the material.
            let text =
                if path == UPLOAD && text.starts_with("ENCRYPT_DECRYPT or") { "an AES key of 256 bits" } else { text };
            let text = if path == UPLOAD && (text == "aws-cn" || body["aws_param"]["KeySpec"] == "ECC_SECG_P256K1") {
                "does not fit"
            } else {
                text
            };
            let answer = fixture.admin.post(path, body.clone());
            let message = answer.body["message"].as_str().unwrap_or_default().to_owned();
            assert_eq!(answer.status, status, "{path} {body}: {}", answer.text);
            assert!(message.contains(text), "{path} {body}: {message}");
        }
    }
    let upload = |more: Value| {
        let mut body = json!({"kms": "fixture", "region": HOME, "source_key_identifier": "aes"});
        for (member, value) in more.as_object().expect("members") {
            body[member] = value.clone();
        }
        body
    };
    for (body, status, text) in [
        (upload(json!({"source_key_identifier": null})), 400, "source_key_identifier"),
        (upload(json!({"source_key_identifier": "nobody's"})), 404, "does not exist"),
        (
            upload(json!({"source_key_identifier": "small"})),
            400,
            "does not fit any key of AWS's; AWS takes AES keys of 256 bits",
        ),
        (
            upload(json!({"aws_param": {"KeySpec": "HMAC_256"}})),
            400,
            "fit a key with spec HMAC_256; AWS takes HMAC-SHA256 keys of 256 to 1024 bits",
        ),
        (upload(json!({"source_key_tier": "hsm-luna"})), 400, "local"),
        (upload(json!({"key_expiration": true})), 400, "valid_to"),
        (upload(json!({"key_expiration": true, "valid_to": in_days(-1)})), 400, "must be ahead"),
        (upload(json!({"key_expiration": true, "valid_to": in_days(366)})), 400, "no later than"),
        (upload(json!({"key_expiration": true, "aws_param": {"ValidTo": in_days(-1)}})), 400, "must be ahead"),
        (upload(json!({"key_expiration": true, "valid_to": "tomorrow"})), 400, "RFC 3339"),
        (upload(json!({"key_expiration": false, "valid_to": in_days(1)})), 400, "key_expiration"),
    ] {
        let answer = fixture.admin.post(UPLOAD, body.clone());
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        assert!(answer.text.contains(text), "{body}: {}", answer.text);
    }
    for (path, body) in [(KEYS, key_body(json!({}))), (UPLOAD, upload(json!({})))] {
        let message = fixture.admin.post(&format!("{path}?dry_run=true"), body).refused(400, INVALID);
        assert!(message.starts_with("dry_run"), "{message}");
    }
    assert_eq!((VisibleState::of(&fixture.admin), fixture.lab.calls("kms:CreateKey")), before);
    assert_eq!(fixture.total(""), 0);
}

#[test]
fn changes_that_cannot_be_are_refused_before_aws_is_asked() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({"MultiRegion": true}));
    fixture.create_source_key(json!({"name": "hmac", "algorithm": "hmac-sha256"}));
    fixture.create_source_key(json!({"name": "aes"}));
    let many: Vec<_> = (0..51).map(|number| json!({"tag_key": number.to_string(), "tag_value": ""})).collect();
    let policy = json!({"Version": "2012-10-17", "Statement": []});
    let end = |valid_to: String| json!({"source_key_identifier": "aes", "key_expiration": true, "valid_to": valid_to});
    let table = [
        ("update-description", json!({}), "description"),
        ("update-description", json!({"description": "x".repeat(8193)}), "8192"),
        ("update-description", json!({"description": 7}), "string"),
        ("policy", json!({"Policy": "{"}), "not JSON"),
        ("policy", json!({"Policy": policy, "policytemplate": "t"}), "only one"),
        ("policy", json!({"Policy": policy, "key_users": ["ann"]}), "only one"),
        ("policy", json!({"key_users": "ann"}), "sequence"),
        ("add-tags", json!({}), "tags"),
        ("add-tags", json!({"tags": []}), "at least one"),
        ("add-tags", json!({"tags": many}), "50"),
        ("add-tags", json!({"tags": [{"tag_key": "aws:x", "tag_value": ""}]}), "belong to AWS"),
        ("add-tags", json!({"tags": [{"tag_value": ""}]}), "tag_key"),
        ("add-tags", json!({"tags": ["a"]}), "tags"),
        ("remove-tags", json!({"tags": []}), "at least one"),
        ("remove-tags", json!({"tags": ["aws:x"]}), "belong to AWS"),
        ("remove-tags", json!({"tags": ["claviger:operation"]}), "reserved"),
        ("add-tags", json!({"tags": [{"tag_key": "claviger:operation", "tag_value": "x"}]}), "reserved"),
        ("add-tags", json!({"tags": [{"tag_key": "cckm_policy_template_id", "tag_value": "x"}]}), "reserved"),
        ("remove-tags", json!({"tags": [{"tag_key": "a"}]}), "string"),
        ("add-alias", json!({}), "alias"),
        ("add-alias", json!({"alias": "aws/mine"}), "belong to AWS"),
        ("add-alias", json!({"alias": "x".repeat(251)}), "250"),
        ("delete-alias", json!({"alias": "a b"}), "letters"),
        ("enable-auto-rotation", json!({"rotation_period_in_days": 89}), "90 to 2560"),
        ("enable-auto-rotation", json!({"rotation_period_in_days": 2561}), "90 to 2560"),
        ("enable-auto-rotation", json!({"rotation_period_in_days": "often"}), "rotation_period_in_days"),
        ("schedule-deletion", json!({}), "days"),
        ("schedule-deletion", json!({"days": 6}), "7 to 30"),
        ("schedule-deletion", json!({"days": 31}), "7 to 30"),
        ("schedule-deletion", json!({"days": -7}), "7 to 30"),
        ("schedule-deletion", json!({"days": 7.5}), "days"),
        ("rotate", json!({"disable_encrypt": true, "disable_encrypt_on_all_accounts": true}), "excludes"),
        ("rotate", json!({"source_key_id": "hmac"}), "does not fit"),
        ("rotate", json!({"source_key_id": "aes", "source_key_tier": "dsm"}), "local"),
        ("rotate", json!({"source_key_id": "aes", "key_expiration": true}), "valid_to"),
        ("rotate", json!({"description": "x".repeat(8193)}), "8192"),
        ("rotate?dry_run=true", json!({}), "dry_run"),
        ("rotate", json!({"key_expiration": true, "valid_to": in_days(9)}), "source_key_id: must be given"),
        ("rotate", json!({"key_material_description": "mine"}), "source_key_id: must be given"),
        ("rotate-material", json!({"source_key_identifier": "aes"}), "takes no material of a source key"),
        ("rotate-material", json!({"key_expiration": true}), "valid_to"),
        ("import-material", json!({}), "takes no material of a source key"),
        ("import-material", json!({"source_key_identifier": "hmac"}), "does not fit"),
        ("import-material", json!({"source_key_identifier": "aes", "import_type": "OLD"}), "EXISTING_KEY_MATERIAL"),
        ("import-material", json!({"source_key_identifier": "aes", "key_material_id": "x"}), "key_material_id"),
        ("import-material", end(in_days(-1)), "must be ahead"),
        ("import-material", end(in_days(366)), "no later than"),
        ("delete-material", json!({"key_material_id": "x"}), "key_material_id"),
        ("replicate-key", json!({}), "replica_region"),
        ("replicate-key", json!({"replica_region": "us-east-1"}), "not managed"),
        ("replicate-key", json!({"replica_region": "mars-1"}), "replica_region"),
        ("replicate-key", json!({"replica_region": AWAY, "aws_param": {"Alias": "aws/x"}}), "belong to AWS"),
        ("replicate-key", json!({"replica_region": AWAY, "aws_param": {"Description": "x".repeat(8193)}}), "8192"),
        ("replicate-key?dry_run=true", json!({"replica_region": AWAY}), "dry_run"),
        ("update-primary-region", json!({}), "PrimaryRegion"),
        ("update-primary-region", json!({"PrimaryRegion": "mars-1"}), "PrimaryRegion"),
    ];
    let before = (fixture.read(&key), VisibleState::of(&fixture.admin));
    for (what, body, text) in table {
        let answer = fixture.post(&key, what, body.clone());
        assert_eq!(answer.status, 400, "{what} {body}: {}", answer.text);
        assert!(answer.text.contains(text), "{what} {body}: {}", answer.text);
    }
    fixture.post(&key, "rotate", json!({"source_key_id": "nobody's"})).refused(404, "NCERRResourceNotFound");
    fixture.post(&key, "policy", json!({"policytemplate": "nobody's"})).refused(404, "NCERRResourceNotFound");
    fixture.post(&key, "delete-alias", json!({"alias": "not its own"})).refused(400, INVALID);
    for what in ["add-tags", "import-material", "policy", "rotate", "replicate-key"] {
        let answer = fixture.admin.send(Method::POST, &at(&key, what), Some(b"[]".to_vec()));
        answer.refused(400, "NCERRBadRequest");
    }
    fixture.admin.get(&at(&key, "rotations?sort=shoe_size")).refused(400, INVALID);
    assert_eq!((fixture.read(&key), VisibleState::of(&fixture.admin)), before);
    for (id, status, name) in
        [("nothing", 400, INVALID), ("00000000-0000-4000-8000-000000000000", 404, "NCERRResourceNotFound")]
    {
        fixture.admin.get(&format!("{KEYS}/{id}")).refused(status, name);
        fixture.admin.post(&format!("{KEYS}/{id}/enable"), json!({})).refused(status, name);
    }
}

#[test]
fn members_of_another_type_are_refused_by_name() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({"MultiRegion": true}));
    let before = VisibleState::of(&fixture.admin);
    let source = json!({"source_key_identifier": "aes", "source_key_tier": "local", "key_expiration": true,
        "valid_to": in_days(1)});
    let mut new = key_body(json!({"Alias": "a"}));
    new["key_users"] = json!(["ann"]);
    let mut upload = new.clone();
    for (member, value) in source.as_object().expect("members") {
        upload[member] = value.clone();
    }
    let verify = json!({"alias": "a", "kms": "fixture", "region": HOME});
    let endpoints = [
        (KEYS.to_owned(), new),
        (UPLOAD.to_owned(), upload),
        ("/v1/cckm/aws/alias/verify".to_owned(), verify),
        (at(&key, "update-description"), json!({"description": "d"})),
        (at(&key, "policy"), json!({"key_admins": ["ann"], "policytemplate": "t"})),
        (at(&key, "add-tags"), json!({"tags": [{"tag_key": "a", "tag_value": "b"}]})),
        (at(&key, "remove-tags"), json!({"tags": ["a"]})),
        (at(&key, "add-alias"), json!({"alias": "a"})),
        (at(&key, "delete-alias"), json!({"alias": "a"})),
        (at(&key, "enable-auto-rotation"), json!({"rotation_period_in_days": 90})),
        (at(&key, "rotate"), json!({"description": "d", "disable_encrypt": true, "retain_alias": true})),
        (at(&key, "rotate-material"), source.clone()),
        (at(&key, "import-material"), source),
        (at(&key, "delete-material"), json!({"key_material_id": "x"})),
        (at(&key, "schedule-deletion"), json!({"days": 7})),
        (at(&key, "replicate-key"), json!({"replica_region": AWAY, "aws_param": {}, "key_users": ["ann"]})),
        (at(&key, "update-primary-region"), json!({"PrimaryRegion": AWAY})),
    ];
    for (path, good) in endpoints {
        for (member, value) in good.as_object().expect("members") {
            for wrong in [json!(-1.5), json!("a text"), json!([{}]), json!({"a": []}), json!(true)] {
                let same = |kind: fn(&Value) -> bool| kind(&wrong) && kind(value);
                if same(Value::is_number) || same(Value::is_string) || same(Value::is_boolean) || same(Value::is_object)
                {
                    continue;
                }
                let mut body = good.clone();
                body[member] = wrong;
                let answer = fixture.admin.post(&path, body.clone());
                let message = answer.body["message"].as_str().unwrap_or_default();
                assert!(answer.status == 400 && message.starts_with(member), "{path} {body}: {}", answer.text);
            }
        }
        fixture.admin.send(Method::POST, &path, Some(b"{\"a\": ".to_vec())).refused(400, "NCERRBadRequest");
    }
    assert_eq!(VisibleState::of(&fixture.admin), before);
}

#[test]
fn a_call_in_the_wrong_key_state_is_a_conflict_that_names_the_state() {
    let fixture = KmsFixture::new();
    fixture.create_source_key(json!({"name": "aes"}));
    let going = fixture.create(json!({}));
    fixture.change(&going, "schedule-deletion", json!({"days": 7}));
    let waiting = fixture.create(json!({"Origin": "EXTERNAL"}));
    let off = fixture.create(json!({}));
    fixture.change(&off, "disable", json!({}));
    let plain = fixture.create(json!({}));
    let table = [
        (&going, "enable", json!({}), "pending deletion"),
        (&going, "disable", json!({}), "pending deletion"),
        (&going, "update-description", json!({"description": "x"}), "pending deletion"),
        (&going, "add-tags", json!({"tags": [{"tag_key": "a", "tag_value": ""}]}), "pending deletion"),
        (&going, "schedule-deletion", json!({"days": 7}), "pending deletion"),
        (&going, "enable-auto-rotation", json!({}), "pending deletion"),
        (&waiting, "enable", json!({}), "pending import"),
        (&off, "enable-auto-rotation", json!({}), "disabled"),
        (&off, "rotate-material", json!({}), "disabled"),
        (&plain, "cancel-deletion", json!({}), "not pending deletion"),
        (&plain, "replicate-key", json!({"replica_region": AWAY}), "not the primary key"),
    ];
    for (key, what, body, text) in table {
        let before = fixture.read(key);
        let message = fixture.post(key, what, body).refused(409, "NCERRConflict");
        assert!(message.contains(text), "{what}: {message}");
        let after = fixture.read(key);
        assert_eq!((&after["aws_param"], &after["gone"]), (&before["aws_param"], &before["gone"]), "{what}");
    }
    // Errors other than a wrong state are passed on with AWS's code.
    let message = fixture.post(&plain, "import-material", json!({"source_key_identifier": "aes"}));
    let message = message.refused(502, "NCERRCloudError");
    assert!(message.contains("UnsupportedOperationException"), "{message}");
    // An alias that only AWS knows also makes the name unavailable.
    fixture.lab.kms(HOME, "CreateAlias", &json!({"TargetKeyId": aws_id(&off), "AliasName": "alias/theirs"}));
    let message = fixture.post(&plain, "add-alias", json!({"alias": "theirs"})).refused(409, "NCERRConflict");
    assert!(message.contains("AlreadyExistsException"), "{message}");
}

/// A fault of AWS, the expected error, and whether AWS may have carried out the call.
const FAULTS: [(&str, u16, &str); 4] = [
    ("throttle", 502, "ThrottlingException"),
    ("deny", 502, "AccessDeniedException"),
    ("internal", 502, "KMSInternalException"),
    ("drop", 502, "UpdateKeyDescription"),
];

#[test]
fn errors_of_aws_are_passed_on_and_only_the_failure_is_recorded() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({"Description": "before"}));
    let stream = format!("key/{}", key["id"].as_str().expect("an id"));
    for (fault, status, text) in FAULTS {
        let events = fixture.events(&stream).len();
        fixture.lab.set_faults(
            &json!([{"service": "kms", "operation": "UpdateKeyDescription", "times": 1000, "answer": fault}]),
        );
        let answer = fixture.post(&key, "update-description", json!({"description": fault}));
        fixture.lab.set_faults(&json!([]));
        let message = answer.refused(status, "NCERRCloudError");
        assert!(message.contains(text), "{fault}: {message}");
        let noted = &fixture.events(&stream)[events..];
        let names: Vec<_> = noted.iter().map(|(name, _)| name.as_str()).collect();
        let closed = ["OperationFailed", "OperationReconciled"].contains(names.last().expect("an event"));
        assert!(names.len() == 2 && names[0] == "OperationRequested" && closed, "{fault}: {names:?}");
        // AWS carried out the call, and its answer was lost: the shown key is the one that AWS has.
        let description = if fault == "drop" { fault } else { "before" };
        assert_eq!(fixture.read(&key)["aws_param"]["Description"], description, "{fault}");
        let described = fixture.lab.kms(HOME, "DescribeKey", &json!({"KeyId": aws_id(&key)}));
        assert_eq!(described["KeyMetadata"]["Description"], description, "{fault}");
    }
    fixture.change(&key, "update-description", json!({"description": "after"}));
}

#[test]
fn a_key_that_aws_did_not_make_leaves_nothing_behind() {
    let fixture = KmsFixture::new();
    for (fault, _, _) in FAULTS.into_iter().take(3) {
        fixture.lab.set_faults(&json!([{"service": "kms", "operation": "CreateKey", "times": 1000, "answer": fault}]));
        let message = fixture.admin.post(KEYS, key_body(json!({}))).refused(502, "NCERRCloudError");
        fixture.lab.set_faults(&json!([]));
        assert!(message.contains("CreateKey"), "{message}");
        fixture.assert_agreement();
        assert_eq!(fixture.total(""), 0);
    }
    let events = fixture.events("key/");
    let failed = events.iter().filter(|(name, _)| name == "OperationFailed").count();
    assert_eq!((events.len(), failed), (6, 3), "{events:?}");
}

#[test]
fn a_key_whose_material_was_refused_is_undone_and_frees_its_alias() {
    let fixture = KmsFixture::new();
    fixture.create_source_key(json!({"name": "aes"}));
    fixture.lab.set_faults(&json!([{"service": "kms", "operation": "ImportKeyMaterial", "answer": "deny"}]));
    let body = json!({"kms": "fixture", "region": HOME, "source_key_identifier": "aes", "aws_param": {"Alias": "up"}});
    let message = fixture.admin.post(UPLOAD, body.clone()).refused(502, "NCERRCloudError");
    assert!(message.contains("AccessDeniedException"), "{message}");
    fixture.assert_agreement();
    let list = fixture.admin.get(KEYS).expect(200);
    let key = &list["resources"][0];
    assert_eq!((&list["total"], &key["aws_param"]["KeyState"]), (&json!(1), &json!("PendingDeletion")));
    assert_eq!((key.get("local_key_id"), &key["key_source"]), (None, &json!("")), "it has no material of ours");
    let again = fixture.create_at(UPLOAD, body);
    assert_eq!(again["aws_param"]["Alias"], json!(["alias/up"]));
}

#[test]
fn a_slow_or_unreachable_aws_is_reported_within_the_timeout() {
    let environment = [
        ("CLAVIGER_AWS_CONNECT_TIMEOUT_MS", "300"),
        ("CLAVIGER_AWS_READ_TIMEOUT_MS", "300"),
        ("CLAVIGER_AWS_DEADLINE_MS", "1000"),
    ];
    let fixture = KmsFixture::with(&environment);
    let key = fixture.create(json!({}));
    fixture.lab.set_faults(&json!([{"service": "kms", "operation": "DisableKey", "times": 1000, "delay_ms": 2000}]));
    let message = fixture.post(&key, "disable", json!({})).refused(504, "NCERRCloudTimeout");
    assert!(message.contains("DisableKey"), "{message}");
    fixture.lab.set_faults(&json!([]));
}

#[test]
fn a_key_of_aws_is_not_created_for_a_client_that_brings_material() {
    let fixture = KmsFixture::new();
    fixture.create_source_key(json!({"name": "aes"}));
    let before = VisibleState::of(&fixture.admin);
    let members = [
        ("source_key_identifier", json!("aes")),
        ("source_key_tier", json!("local")),
        ("key_expiration", json!(true)),
        ("valid_to", json!(in_days(9))),
        ("import_type", json!("NEW_KEY_MATERIAL")),
        ("key_material_description", json!("mine")),
    ];
    for (member, value) in members {
        let mut body = key_body(json!({}));
        body[member] = value;
        let message = fixture.admin.post(KEYS, body).refused(400, INVALID);
        assert!(message.starts_with(member) && message.contains("upload-key"), "{message}");
    }
    let message = fixture.admin.post(KEYS, key_body(json!({"ValidTo": in_days(9)}))).refused(400, INVALID);
    assert!(message.starts_with("valid_to"), "{message}");
    assert_eq!(VisibleState::of(&fixture.admin), before);
    // What clients send for members that their user left out asks for nothing.
    let mut body = key_body(json!({"ValidTo": "0001-01-01T00:00:00Z"}));
    for (member, value) in [("source_key_identifier", json!("")), ("key_expiration", json!(false))] {
        body[member] = value;
    }
    fixture.create_at(KEYS, body);
}
