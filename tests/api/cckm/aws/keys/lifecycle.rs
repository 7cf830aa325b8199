//! The lifecycle of native keys: create, find, change, replicate, delete.

use crate::support::kms_fixture::{
    ACCOUNT, AWAY, HOME, KEYS, KmsFixture, at, aws, aws_id, has_tag, key_body, open_policy,
};
use crate::support::lab::LabClient;
use reqwest::Method;
use serde_json::{Value, json};

/// A spec, a usage if the spec allows several, and the expected members of the answer.
const KINDS: [(&str, Option<&str>, &str); 14] = [
    ("SYMMETRIC_DEFAULT", None, "symmetric"),
    ("RSA_2048", Some("ENCRYPT_DECRYPT"), "asymmetric"),
    ("RSA_2048", Some("SIGN_VERIFY"), "asymmetric"),
    ("ECC_NIST_P256", Some("SIGN_VERIFY"), "asymmetric"),
    ("ECC_NIST_P384", Some("KEY_AGREEMENT"), "asymmetric"),
    ("ECC_NIST_P521", Some("SIGN_VERIFY"), "asymmetric"),
    ("ECC_SECG_P256K1", None, "asymmetric"),
    ("ECC_NIST_EDWARDS25519", None, "asymmetric"),
    ("HMAC_224", None, "symmetric"),
    ("HMAC_256", None, "symmetric"),
    ("HMAC_384", None, "symmetric"),
    ("HMAC_512", None, "symmetric"),
    ("ML_DSA_44", None, "asymmetric"),
    ("ML_DSA_87", None, "asymmetric"),
];

#[test]
fn every_kind_of_key_is_made_and_shown_as_aws_has_it() {
    let fixture = KmsFixture::new();
    for (spec, usage, kind) in KINDS {
        let mut body = json!({"KeySpec": spec, "Description": spec});
        if let Some(usage) = usage {
            body["KeyUsage"] = json!(usage);
        }
        let key = fixture.create(body);
        let metadata = fixture.lab.kms(HOME, "DescribeKey", &json!({"KeyId": aws_id(&key)}))["KeyMetadata"].take();
        for member in ["KeySpec", "KeyUsage", "KeyState", "Origin", "Arn", "Description", "MultiRegion", "KeyManager"] {
            assert_eq!(aws(&key, member), &metadata[member], "{spec} {member}");
        }
        for member in ["EncryptionAlgorithms", "SigningAlgorithms", "MacAlgorithms", "KeyAgreementAlgorithms"] {
            assert_eq!(aws(&key, member), &metadata[member], "{spec} {member}");
        }
        assert_eq!(aws(&key, "MacAlgorithmSpec"), &metadata["MacAlgorithms"][0], "{spec}");
        assert_eq!((&key["key_type"], &key["key_material_origin"]), (&json!(kind), &json!("native")), "{spec}");
        assert_eq!((&key["key_source"], &key["gone"], &key["blocked"]), (&json!(""), &json!(false), &json!(false)));
        let pem = fixture.admin.get(&at(&key, "download-public-key"));
        match kind {
            "asymmetric" => assert_pem(&fixture.lab, &key, &pem.text),
            _ => assert!(pem.refused(400, "NCERRInvalidParamValue").contains("not asymmetric")),
        }
    }
    assert_eq!(fixture.total(""), KINDS.len() as u64);
    // AWS's older name of the spec.
    let key = fixture.create(json!({"CustomerMasterKeySpec": "HMAC_256"}));
    assert_eq!((aws(&key, "KeySpec"), aws(&key, "CustomerMasterKeySpec")), (&json!("HMAC_256"), &json!("HMAC_256")));
}

fn assert_pem(lab: &LabClient, key: &Value, pem: &str) {
    let answer = lab.kms(HOME, "GetPublicKey", &json!({"KeyId": aws_id(key)}));
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    assert_eq!(body, answer["PublicKey"].as_str().expect("a public key"));
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n") && pem.ends_with("-----END PUBLIC KEY-----\n"), "{pem}");
}

#[test]
fn a_key_is_made_with_all_that_is_its_own() {
    let fixture = KmsFixture::new();
    let policy = open_policy();
    let key = fixture.create(json!({
        "Alias": "payroll", "Description": "Löhne", "Policy": policy, "MultiRegion": true, "KeyUsage": "ENCRYPT_DECRYPT",
        "Tags": [{"TagKey": "team", "TagValue": "payroll"}, {"TagKey": "empty", "TagValue": ""}],
    }));
    assert_eq!((&key["kms"], &key["kms_id"], &key["region"]), (&json!("fixture"), &json!(fixture.kms), &json!(HOME)));
    assert_eq!((&key["account_id"], &key["cloud_name"]), (&json!(ACCOUNT), &json!("aws")));
    assert_eq!(key["uri"], format!("kylo:kylo:cckm:aws-key:{}", key["id"].as_str().expect("an id")));
    assert_eq!(aws(&key, "Alias"), &json!(["alias/payroll"]));
    assert_eq!((aws(&key, "Description"), aws(&key, "Policy")), (&json!("Löhne"), &policy));
    assert!(has_tag(&key, "team", "payroll") && has_tag(&key, "empty", ""), "{key}");
    assert_eq!(aws(&key, "MultiRegionConfiguration")["MultiRegionKeyType"], "PRIMARY");
    assert!(aws_id(&key).starts_with("mrk-"));
    // It is the same alias with the prefix.
    let message = fixture.admin.post(KEYS, key_body(json!({"Alias": "alias/payroll"}))).refused(409, "NCERRConflict");
    assert_eq!(message, "alias: `alias/payroll` is taken in this region; choose another one");
    assert_eq!(fixture.total(""), 1);
    fixture.assert_agreement();
}

#[test]
fn keys_are_found_by_each_filter() {
    let fixture = KmsFixture::new();
    let other = fixture.appliance.kms("other", &["us-east-1"]);
    let plain = fixture.create(json!({"Alias": "plain", "Description": "one of a kind",
        "Tags": [{"TagKey": "team", "TagValue": "a"}]}));
    let family = fixture.create(json!({"MultiRegion": true, "KeySpec": "HMAC_256"}));
    let waiting = fixture.create(json!({"Origin": "EXTERNAL"}));
    let rsa = fixture.create_at(
        KEYS,
        json!({"kms": other, "region": "us-east-1",
            "aws_param": {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}}),
    );
    fixture.change(&rsa, "disable", json!({}));
    let text = |key: &Value, member: &str| aws(key, member).as_str().expect("a text").to_owned();
    let table: Vec<(String, Vec<&Value>)> = vec![
        (format!("id={}", plain["id"].as_str().expect("an id")), vec![&plain]),
        ("kms=other".to_owned(), vec![&rsa]),
        (format!("kms={other}"), vec![&rsa]),
        (format!("kms_id={}", fixture.kms), vec![&plain, &family, &waiting]),
        ("region=us-east-1".to_owned(), vec![&rsa]),
        ("keymanager=AWS".to_owned(), vec![]),
        ("keymanager=CUSTOMER&region=us-east-1".to_owned(), vec![&rsa]),
        ("CustomerMasterKeySpec=RSA_2048".to_owned(), vec![&rsa]),
        ("key_spec=HMAC_256".to_owned(), vec![&family]),
        ("key_material_origin=native".to_owned(), vec![&plain, &family, &rsa]),
        ("key_material_origin=cckm".to_owned(), vec![&waiting]),
        ("custom_key_store_name=none".to_owned(), vec![]),
        ("custom_key_store_id=none".to_owned(), vec![]),
        ("blocked=true".to_owned(), vec![]),
        ("rotation_job_enabled=true".to_owned(), vec![]),
        ("cckm_policy_template_id=none".to_owned(), vec![]),
        (format!("keyid={}&region={HOME}", aws_id(&plain)), vec![&plain]),
        ("alias=plain".to_owned(), vec![&plain]),
        ("alias=alias/pl*".to_owned(), vec![&plain]),
        (format!("arn={}", text(&family, "Arn")), vec![&family]),
        ("enabled=false".to_owned(), vec![&waiting, &rsa]),
        ("keystate=PendingImport".to_owned(), vec![&waiting]),
        ("keystate=Disabled".to_owned(), vec![&rsa]),
        ("keyusage=SIGN_VERIFY".to_owned(), vec![&rsa]),
        ("origin=EXTERNAL".to_owned(), vec![&waiting]),
        ("multi_region=true".to_owned(), vec![&family]),
        ("multi_region_key_type=PRIMARY".to_owned(), vec![&family]),
        ("multi_region_key_type=REPLICA".to_owned(), vec![]),
        ("key_source=local".to_owned(), vec![]),
        ("cloud_name=aws".to_owned(), vec![&plain, &family, &waiting, &rsa]),
        ("cloud_name=aws-cn".to_owned(), vec![]),
        ("gone=true".to_owned(), vec![]),
        ("description=one%20of%20a%20kind".to_owned(), vec![&plain]),
        ("tags=team".to_owned(), vec![&plain]),
        ("tags=team:a".to_owned(), vec![&plain]),
        ("tags=team:b".to_owned(), vec![]),
        ("tags=%7B%22team%22:%22a%22%7D".to_owned(), vec![&plain]),
        ("tags=%7B%22team%22:%22b%22%7D".to_owned(), vec![]),
        ("alias=pl?in".to_owned(), vec![&plain]),
        ("gone=false&key_spec=HMAC_256".to_owned(), vec![&family]),
        ("job_config_id=none".to_owned(), vec![]),
        ("rotation_status=SUCCESSFUL".to_owned(), vec![]),
    ];
    for (query, expected) in table {
        let list = fixture.admin.get(&format!("{KEYS}?{query}")).expect(200);
        let found: Vec<_> = list["resources"].as_array().expect("keys").iter().map(|key| key["id"].clone()).collect();
        let expected: Vec<_> = expected.iter().map(|key| key["id"].clone()).collect();
        assert_eq!(sorted(found), sorted(expected), "{query}");
    }
    for member in [
        "blocked",
        "cloud_name",
        "connection",
        "CreationDate",
        "CustomKeyStoreID",
        "key_id",
        "multi_region_key_type",
        "ValidTo",
    ] {
        assert_eq!(fixture.admin.get(&format!("{KEYS}?sort=-{member}")).expect(200)["total"], 4, "{member}");
    }
    let oldest = fixture.admin.get(&format!("{KEYS}?sort=CreationDate,createdAt&limit=1")).expect(200);
    assert_eq!(oldest["resources"][0]["id"], plain["id"]);
    let page = fixture.admin.get(&format!("{KEYS}?sort=-createdAt&limit=1&skip=1")).expect(200);
    assert_eq!((&page["total"], &page["resources"][0]["id"]), (&json!(4), &waiting["id"]));
}

fn sorted(mut ids: Vec<Value>) -> Vec<String> {
    ids.sort_by_key(Value::to_string);
    ids.iter().map(Value::to_string).collect()
}

#[test]
fn a_key_is_enabled_disabled_described_and_tagged() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    let off = fixture.change(&key, "disable", json!({}));
    assert_eq!((aws(&off, "KeyState"), aws(&off, "Enabled")), (&json!("Disabled"), &json!(false)));
    assert!(off["updatedAt"].as_str() > key["updatedAt"].as_str());
    // The body is optional.
    let on = fixture.admin.send(Method::POST, &at(&key, "enable"), None).expect(200);
    assert_eq!((aws(&on, "KeyState"), aws(&on, "Enabled")), (&json!("Enabled"), &json!(true)));
    assert_eq!(fixture.read(&key), on);

    let described = fixture.change(&key, "update-description", json!({"description": "payroll"}));
    assert_eq!(aws(&described, "Description"), "payroll");
    assert_eq!(aws(&fixture.change(&key, "update-description", json!({"description": ""})), "Description"), "");

    let tags = json!({"tags": [{"tag_key": "a", "tag_value": "1"}, {"tag_key": "b", "tag_value": ""}]});
    let tagged = fixture.change(&key, "add-tags", tags);
    assert!(has_tag(&tagged, "a", "1") && has_tag(&tagged, "b", ""));
    let again = fixture.change(&key, "add-tags", json!({"tags": [{"tag_key": "a", "tag_value": "2"}]}));
    assert!(has_tag(&again, "a", "2") && !has_tag(&again, "a", "1"));
    let fewer = fixture.change(&key, "remove-tags", json!({"tags": ["a", "never there"]}));
    assert!(!has_tag(&fewer, "a", "2") && has_tag(&fewer, "b", ""));
    // AWS's limit is 50.
    let many: Vec<_> = (0..50).map(|n| json!({"tag_key": format!("t{n}"), "tag_value": ""})).collect();
    let message = fixture.post(&key, "add-tags", json!({"tags": many})).refused(400, "NCERRInvalidParamValue");
    assert_eq!(message, "tags: a key has up to 50 tags, and it would have 51");
    // A refresh is seen, even if nothing is new.
    let refreshed = fixture.change(&key, "refresh", json!({}));
    assert!(refreshed["synced_at"].as_str() > fewer["synced_at"].as_str(), "{refreshed}");
    assert!(refreshed["updatedAt"].as_str() > fewer["updatedAt"].as_str(), "{refreshed}");
    let fewer = refreshed;
    // AWS has the mark of the operation too, which clients neither see nor change.
    assert_eq!(aws(&fewer, "Tags"), &json!([{"TagKey": "b", "TagValue": ""}]));
    let there = fixture.lab.kms(HOME, "ListResourceTags", &json!({"KeyId": aws_id(&key)}));
    assert!(there["Tags"].to_string().contains("claviger:operation"), "{there}");
    // A dry run answers as the change would, and changes nothing.
    fixture.post(&key, "disable?dry_run=true", json!({})).expect(200);
    assert_eq!(fixture.read(&key), fewer);
}

#[test]
fn a_policy_is_an_object_a_text_or_lists_of_principals() {
    let fixture = KmsFixture::new();
    let people = json!({"key_admins": ["user1"], "key_admins_roles": ["test-own-role"], "key_users": ["no-regions"],
        "key_users_roles": ["test-own-role"], "external_accounts": ["789012123456"]});
    let shows = |key: &Value| {
        let members = ["key_admins", "key_admins_roles", "key_users", "key_users_roles", "external_accounts"];
        let shown = members.into_iter().filter(|member| !key[*member].is_null());
        Value::Object(shown.map(|member| (member.to_owned(), key[member].clone())).collect())
    };
    let mut body = key_body(json!({}));
    for (member, names) in people.as_object().expect("members") {
        body[member] = names.clone();
    }
    let key = fixture.create_at(KEYS, body);
    let arn = |name: &str| format!("arn:aws:iam::{ACCOUNT}:{name}");
    let (own, user1) = (arn("role/test-own-role"), arn("user/user1"));
    let shown = json!({"key_admins": [user1], "key_admins_roles": [own], "key_users": [arn("user/no-regions")],
        "key_users_roles": [own], "external_accounts": ["789012123456"]});
    assert_eq!(shows(&key), shown);
    let policy = fixture.lab.kms(HOME, "GetKeyPolicy", &json!({"KeyId": aws_id(&key), "PolicyName": "default"}));
    let policy: Value = serde_json::from_str(policy["Policy"].as_str().expect("a text")).expect("JSON");
    assert_eq!(aws(&key, "Policy"), &policy);
    assert!(policy.to_string().contains("arn:aws:iam::789012123456:root"), "{policy}");

    let mine = fixture.change(&key, "policy", json!({"Policy": open_policy()}));
    assert_eq!((aws(&mine, "Policy"), shows(&mine)), (&open_policy(), json!({})));
    let fewer = fixture.change(&key, "policy", json!({"key_users": ["user1"]}));
    assert_eq!(shows(&fewer), json!({"key_users": [user1]}));
    for none in [json!({}), json!({"policy": null, "key_admins": null, "policytemplate": null})] {
        let default = fixture.change(&key, "policy", none);
        assert_eq!((&aws(&default, "Policy")["Id"], shows(&default)), (&json!("key-default-1"), json!({})));
    }
    let text = fixture.change(&key, "policy", json!({"policy": open_policy().to_string()}));
    assert_eq!(aws(&text, "Policy"), &open_policy());
    // AWS makes the lockout check.
    let lockout = json!({"Version": "2012-10-17", "Statement": []});
    let message = fixture.post(&key, "policy", json!({"Policy": lockout})).refused(502, "NCERRCloudError");
    assert!(message.contains("MalformedPolicyDocument"), "{message}");
    assert_eq!(aws(&fixture.read(&key), "Policy"), &open_policy());
}

#[test]
fn an_alias_is_added_moved_between_own_keys_and_taken_away() {
    let fixture = KmsFixture::new();
    let (one, other) = (fixture.create(json!({"Alias": "wanted"})), fixture.create(json!({})));
    let both = fixture.change(&one, "add-alias", json!({"alias": "second"}));
    assert_eq!(aws(&both, "Alias"), &json!(["alias/second", "alias/wanted"]));
    assert_eq!(fixture.change(&one, "add-alias", json!({"alias": "alias/second"})), both, "it has it already");
    let moved = fixture.change(&other, "add-alias", json!({"alias": "wanted"}));
    assert_eq!(aws(&moved, "Alias"), &json!(["alias/wanted"]));
    assert_eq!(aws(&fixture.read(&one), "Alias"), &json!(["alias/second"]));
    let target = fixture.lab.kms(HOME, "DescribeKey", &json!({"KeyId": "alias/wanted"}));
    assert_eq!(target["KeyMetadata"]["KeyId"], aws_id(&other));

    let verify = |alias: &str| {
        let body = json!({"alias": alias, "kms": "fixture", "region": HOME});
        fixture.admin.post("/v1/cckm/aws/alias/verify", body).expect(200)
    };
    assert_eq!(verify("wanted"), json!({"alias": "alias/wanted", "is_available": false}));
    assert_eq!(verify("alias/free"), json!({"alias": "alias/free", "is_available": true}));

    fixture.change(&other, "schedule-deletion", json!({"days": 7}));
    let message = fixture.post(&one, "add-alias", json!({"alias": "wanted"})).refused(409, "NCERRConflict");
    assert!(
        message.contains(other["id"].as_str().expect("an id")) && message.contains("pending deletion"),
        "{message}"
    );
    let none = fixture.change(&one, "delete-alias", json!({"alias": "second"}));
    assert!(aws(&none, "Alias").is_null());
    fixture.post(&one, "delete-alias", json!({"alias": "second"})).refused(404, "NCERRResourceNotFound");
}

#[test]
fn a_key_is_scheduled_for_deletion_kept_after_all_or_gone_and_forgotten() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({"Alias": "short-lived"}));
    let going = fixture.change(&key, "schedule-deletion", json!({"days": 7}));
    assert_eq!((aws(&going, "KeyState"), aws(&going, "Enabled")), (&json!("PendingDeletion"), &json!(false)));
    assert!(going["deletion_date"].is_string() && going["deletion_date"] == *aws(&going, "DeletionDate"));
    let message = fixture.admin.delete(&at(&key, "")).refused(409, "NCERRConflict");
    assert!(message.contains("AWS still has key"), "{message}");
    let kept = fixture.change(&key, "cancel-deletion", json!({}));
    assert_eq!((aws(&kept, "KeyState"), kept.get("deletion_date")), (&json!("Disabled"), None));

    fixture.change(&key, "schedule-deletion", json!({"days": 30}));
    fixture.lab.move_clock(31);
    let gone = fixture.change(&key, "refresh", json!({}));
    assert_eq!(gone["gone"], true);
    assert_eq!(fixture.change(&key, "refresh", json!({})), gone, "gone is gone");
    assert_eq!((fixture.total("gone=true"), fixture.total("gone=false")), (1, 0));
    let message = fixture.post(&key, "enable", json!({})).refused(409, "NCERRConflict");
    assert!(message.contains("AWS does not have key"), "{message}");
    // The alias is available again.
    fixture.create(json!({"Alias": "short-lived"}));
    fixture.admin.delete(&at(&key, "")).expect(204);
    fixture.admin.get(&at(&key, "")).refused(404, "NCERRResourceNotFound");
    fixture.admin.delete(&at(&key, "")).refused(404, "NCERRResourceNotFound");
}

#[test]
fn any_call_notices_a_key_that_aws_has_deleted() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    fixture.lab.kms(HOME, "ScheduleKeyDeletion", &json!({"KeyId": aws_id(&key), "PendingWindowInDays": 7}));
    fixture.lab.move_clock(8);
    fixture.post(&key, "update-description", json!({"description": "late"})).refused(502, "NCERRCloudError");
    assert_eq!(fixture.read(&key)["gone"], true);
}

#[test]
fn a_change_from_elsewhere_is_seen_by_a_refresh() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    fixture.lab.kms(HOME, "DisableKey", &json!({"KeyId": aws_id(&key)}));
    fixture.lab.kms(HOME, "CreateAlias", &json!({"TargetKeyId": aws_id(&key), "AliasName": "alias/theirs"}));
    assert_eq!(aws(&fixture.read(&key), "KeyState"), "Enabled");
    let seen = fixture.change(&key, "refresh", json!({}));
    assert_eq!((aws(&seen, "KeyState"), aws(&seen, "Alias")), (&json!("Disabled"), &json!(["alias/theirs"])));
}

#[test]
fn a_family_spreads_over_regions_and_its_primary_moves() {
    let fixture = KmsFixture::new();
    let primary = fixture.create(json!({"MultiRegion": true, "Alias": "family", "Description": "first"}));
    let body = json!({"replica_region": AWAY, "aws_param": {"Alias": "family", "Description": "second",
        "Tags": [{"TagKey": "team", "TagValue": "a"}]}, "key_users": ["user1"]});
    let replica = fixture.create_at(&at(&primary, "replicate-key"), body.clone());
    assert_eq!((&replica["region"], aws_id(&replica)), (&json!(AWAY), aws_id(&primary)));
    assert_eq!((aws(&replica, "Alias"), aws(&replica, "Description")), (&json!(["alias/family"]), &json!("second")));
    assert_eq!(replica["key_users"], json!([format!("arn:aws:iam::{ACCOUNT}:user/user1")]));
    assert!(has_tag(&replica, "team", "a"));
    assert_eq!(aws(&replica, "MultiRegionConfiguration")["MultiRegionKeyType"], "REPLICA");
    let shown = fixture.read(&primary);
    assert_eq!(aws(&shown, "ReplicaPolicy"), aws(&replica, "Policy"));
    assert_eq!(aws(&shown, "ReplicaTags"), aws(&replica, "Tags"));
    let text = shown["replica_policy"].as_str().expect("a text");
    assert_eq!(serde_json::from_str::<Value>(text).expect("JSON"), *aws(&replica, "Policy"));
    assert_eq!((&replica["replica_policy"], aws(&replica, "ReplicaPolicy")), (&json!(""), &Value::Null));
    let found = fixture.admin.get(&format!("{KEYS}?keyid={}&region={AWAY}", aws_id(&primary))).expect(200);
    assert_eq!((&found["total"], &found["resources"][0]), (&json!(1), &replica));
    // The primary key has the replica without a refresh.
    let seen = fixture.read(&primary);
    assert_eq!(aws(&seen, "MultiRegionConfiguration")["ReplicaKeys"][0]["Region"], AWAY, "{seen}");

    let message = fixture.post(&primary, "replicate-key", body).refused(409, "NCERRConflict");
    assert!(message.contains("AlreadyExistsException"), "{message}");
    assert_eq!(fixture.total(""), 2);
    let message =
        fixture.post(&replica, "replicate-key", json!({"replica_region": HOME})).refused(409, "NCERRConflict");
    assert!(message.contains("not the primary key"), "{message}");

    let moved = fixture.change(&primary, "update-primary-region", json!({"PrimaryRegion": AWAY}));
    assert_eq!(aws(&moved, "MultiRegionConfiguration")["MultiRegionKeyType"], "REPLICA");
    let other = fixture.read(&replica);
    assert_eq!(aws(&other, "MultiRegionConfiguration")["MultiRegionKeyType"], "PRIMARY", "{other}");
}

#[test]
fn a_kms_is_found_by_its_name_even_if_that_looks_like_an_id() {
    let fixture = KmsFixture::new();
    let name = "0b90f8de-8617-498d-ad63-ca18eb717ae7";
    let named = fixture.appliance.kms(name, &["eu-west-3"]);
    let body = json!({"kms": name, "region": "eu-west-3", "aws_param": {}});
    assert_eq!(fixture.admin.post(KEYS, body).expect(201)["kms_id"], named.as_str());
    // A KMS whose name is the id of another KMS does not hide that one.
    let impostor = fixture.appliance.kms(&named, &["us-east-1"]);
    let body = json!({"kms": named, "region": "eu-west-3", "aws_param": {}});
    assert_eq!(fixture.admin.post(KEYS, body).expect(201)["kms_id"], named.as_str());
    assert_ne!(named, impostor);
}

/// The mark of the operation, which AWS counts, does not take the place of a tag.
#[test]
fn fifty_tags_of_ones_own_fit_on_every_key() {
    let fixture = KmsFixture::new();
    let template = json!({"name": "mine", "kms": "fixture", "key_users": ["user1"]});
    let template = fixture.admin.post("/v1/cckm/aws/templates", template).expect(201);
    fixture.create_source_key(json!({"name": "aes"}));
    let tags = |count: usize| -> Vec<Value> {
        (0..count).map(|n| json!({"TagKey": format!("t{n}"), "TagValue": "v"})).collect()
    };
    let full = |key: &Value| {
        assert_eq!(aws(key, "Tags").as_array().map(Vec::len), Some(50), "{key}");
        assert_eq!(aws(key, "Description"), "payroll");
        let region = key["region"].as_str().expect("a region");
        let there = fixture.lab.kms(region, "DescribeKey", &json!({"KeyId": aws_id(key)}));
        assert_eq!(there["KeyMetadata"]["Description"], "payroll", "the mark is gone");
        let there = fixture.lab.kms(region, "ListResourceTags", &json!({"KeyId": aws_id(key)}))["Tags"].take();
        assert!(there.as_array().is_some_and(|tags| tags.len() == 50), "{there}");
    };
    let body = json!({"Tags": tags(50), "Description": "payroll", "MultiRegion": true});
    let key = fixture.create(body.clone());
    full(&key);
    assert_eq!(fixture.total("description=payroll"), 1);
    let replica = json!({"replica_region": AWAY, "aws_param": {"Tags": tags(50)}});
    full(&fixture.create_at(&at(&key, "replicate-key"), replica));
    full(&fixture.post(&key, "rotate", json!({})).expect(200));
    let mut upload = key_body(body);
    upload["source_key_identifier"] = json!("aes");
    full(&fixture.create_at("/v1/cckm/aws/upload-key", upload));
    // The tag of a template is one of the fifty.
    let mut templated = key_body(json!({"Tags": tags(49), "Description": "payroll"}));
    templated["policytemplate"] = json!("mine");
    let key = fixture.create_at(KEYS, templated.clone());
    full(&key);
    assert!(has_tag(&key, "cckm_policy_template_id", template["id"].as_str().expect("an id")));
    templated["aws_param"]["Tags"] = json!(tags(50));
    let message = fixture.admin.post(KEYS, templated).refused(400, "NCERRInvalidParamValue");
    assert_eq!(message, "tags: a key has up to 50 tags, and it would have 51");
    // The last tag takes the place of the mark.
    let last = json!({"tags": [{"tag_key": "last", "tag_value": "v"}]});
    let key = fixture.create(json!({"Tags": tags(49), "Description": "payroll"}));
    full(&fixture.change(&key, "add-tags", last));
    let key = fixture.create(json!({"Tags": tags(49), "Description": "payroll"}));
    full(&fixture.change(&key, "policy", json!({"policytemplate": "mine"})));
    // The mark needs a part of the description.
    let body = |length: usize| key_body(json!({"Tags": tags(50), "Description": "x".repeat(length)}));
    let message = fixture.admin.post(KEYS, body(8137)).refused(400, "NCERRInvalidParamValue");
    assert!(message.starts_with("description: of a key with 50 tags must not be longer than 8136"), "{message}");
    fixture.create_at(KEYS, body(8136));
    let marked = "claviger:operation=0b90f8de-8617-498d-ad63-ca18eb717ae7 x";
    let message = fixture.admin.post(KEYS, key_body(json!({"Description": marked})));
    assert!(message.refused(400, "NCERRInvalidParamValue").starts_with("aws_param.Description"));
}
