//! Rotation: AWS's automatic rotation, the rotation of a key's material, and the replacement of a key by a new one.

use crate::support::kms_fixture::{ACCOUNT, HOME, KmsFixture, at, aws, aws_id, has_tag, open_policy};
use reqwest::Method;
use serde_json::{Value, json};

#[test]
fn aws_rotates_a_key_by_itself_and_on_demand() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    let status = || fixture.post(&key, "get-key-rotation-status", json!({})).expect(200);
    assert_eq!(status(), json!({"KeyId": aws_id(&key), "KeyRotationEnabled": false}));
    // 0 stands for AWS's default, a year.
    let default = fixture.change(&key, "enable-auto-rotation", json!({"rotation_period_in_days": 0}));
    assert_eq!(aws(&default, "RotationPeriodInDays"), 365);
    let on = fixture.change(&key, "enable-auto-rotation", json!({"rotation_period_in_days": 90}));
    assert_eq!((aws(&on, "KeyRotationEnabled"), aws(&on, "RotationPeriodInDays")), (&json!(true), &json!(90)));
    let status_on = status();
    assert_eq!((&status_on["KeyRotationEnabled"], &status_on["RotationPeriodInDays"]), (&json!(true), &json!(90)));
    assert_eq!(status_on["NextRotationDate"], *aws(&on, "NextRotationDate"));
    fixture.change(&key, "disable-auto-rotation", json!({}));
    let usual = fixture.admin.send(Method::POST, &at(&key, "enable-auto-rotation"), None).expect(200);
    assert_eq!(aws(&usual, "RotationPeriodInDays"), 365);
    let off = fixture.change(&key, "disable-auto-rotation", json!({}));
    assert_eq!((aws(&off, "KeyRotationEnabled"), aws(&off, "NextRotationDate")), (&json!(false), &Value::Null));

    let rotated = fixture.change(&key, "rotate-material", json!({}));
    assert_ne!(aws(&rotated, "CurrentKeyMaterialId"), aws(&key, "CurrentKeyMaterialId"));
    assert_eq!((&rotated["rotation_status"], rotated["rotated_at"].is_string()), (&json!("SUCCESSFUL"), true));
    assert_eq!(fixture.total("rotation_status=SUCCESSFUL"), 1);
    let rotations = fixture.admin.get(&at(&key, "rotations")).expect(200);
    assert_eq!(rotations["total"], 2, "{rotations}");
    let newest = &rotations["resources"][0];
    assert_eq!(newest["aws_param"]["KeyMaterialId"], *aws(&rotated, "CurrentKeyMaterialId"), "the newest first");
    for (member, value) in [
        ("kms_id", json!(fixture.kms)),
        ("account", key["account"].clone()),
        ("createdAt", newest["aws_param"]["RotationDate"].clone()),
        ("source_key_tier", json!("")),
        ("key_source_container_id", json!("")),
        ("key_source_container_name", json!("")),
        ("last_import_status", json!("")),
        ("last_import_error", json!("")),
    ] {
        assert_eq!(newest[member], value, "{member}: {newest}");
    }
    let oldest = fixture.admin.get(&at(&key, "rotations?sort=RotationDate&limit=1")).expect(200)["resources"].take();
    assert_eq!(oldest[0], rotations["resources"][1]);
    let id = newest["id"].as_str().expect("an id");
    let by_id = fixture.admin.get(&at(&key, &format!("rotations?id={id}"))).expect(200);
    assert_eq!((&by_id["total"], &by_id["resources"][0]), (&json!(1), newest), "the id stays");
    for spec in ["RSA_2048", "HMAC_256"] {
        let usage = if spec == "RSA_2048" { "SIGN_VERIFY" } else { "GENERATE_VERIFY_MAC" };
        let other = fixture.create(json!({"KeySpec": spec, "KeyUsage": usage}));
        assert_eq!(fixture.admin.get(&at(&other, "rotations")).expect(200)["total"], 0, "{spec}");
    }
    let current = rotations["resources"].as_array().expect("materials").iter();
    let current: Vec<_> = current.filter(|row| row["aws_param"]["KeyMaterialState"] == "CURRENT").collect();
    assert_eq!(current.len(), 1, "{rotations}");
    assert_eq!(current[0]["aws_param"]["KeyMaterialId"], *aws(&rotated, "CurrentKeyMaterialId"));
    assert_eq!(current[0]["aws_param"]["RotationType"], "ON_DEMAND");
    assert_eq!((&current[0]["key_material_origin"], &current[0]["key_source"]), (&json!("native"), &json!("")));
    let page = fixture.admin.get(&at(&key, "rotations?limit=1&skip=1")).expect(200);
    assert_eq!((&page["total"], page["resources"].as_array().map(Vec::len)), (&json!(2), Some(1)));
}

#[test]
fn a_key_is_replaced_by_a_new_one_that_gets_its_alias() {
    let fixture = KmsFixture::new();
    let old = fixture.create(json!({"Alias": "payroll", "Description": "first", "Policy": open_policy(),
        "Tags": [{"TagKey": "team", "TagValue": "a"}]}));
    let body = json!({"description": "second", "disable_encrypt": true, "retain_alias": true});
    let new = fixture.post(&old, "rotate", body).expect(200);
    assert_eq!(fixture.read(&new), new);
    assert_ne!(new["id"], old["id"]);
    assert_eq!((aws(&new, "Alias"), aws(&new, "Description")), (&json!(["alias/payroll"]), &json!("second")));
    assert_eq!(aws(&new, "Policy"), &open_policy());
    assert!(has_tag(&new, "team", "a"));
    assert_eq!((&new["rotated_from"], &new["rotated_to"]), (&old["id"], &Value::Null));
    let retired = fixture.read(&old);
    assert_eq!((&retired["rotated_to"], &retired["rotation_status"]), (&new["id"], &json!("SUCCESSFUL")));
    assert!(retired["rotated_at"].is_string());
    let stamped = aws(&retired, "Alias")[0].as_str().expect("an alias").to_owned();
    let stamp = stamped.strip_prefix("alias/payroll-rotated-").expect("the old name first");
    assert!(stamp.len() == 14 && stamp.bytes().all(|byte| byte.is_ascii_digit()), "{stamped}");
    assert_eq!(fixture.change(&old, "refresh", json!({}))["aws_param"], retired["aws_param"]);

    let denial = |key: &Value| {
        let statements = aws(&fixture.read(key), "Policy")["Statement"].clone();
        statements.as_array().expect("statements").iter().find(|one| one["Effect"] == "Deny").cloned()
    };
    let denied = denial(&old).expect("a denial");
    assert_eq!(denied["Condition"], json!({"StringEquals": {"kms:CallerAccount": ACCOUNT}}));
    assert_eq!(denied["Action"], json!(["kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncryptTo"]));
    assert_eq!(denial(&new), None);
    let policy = fixture.lab.kms(HOME, "GetKeyPolicy", &json!({"KeyId": aws_id(&old), "PolicyName": "default"}));
    assert!(policy["Policy"].as_str().is_some_and(|policy| policy.contains("Deny")), "{policy}");
    let message = fixture.post(&old, "rotate", json!({})).refused(409, "NCERRConflict");
    assert!(message.contains(new["id"].as_str().expect("an id")), "{message}");

    let third = fixture.post(&new, "rotate", json!({"disable_encrypt_on_all_accounts": true})).expect(200);
    assert_eq!(aws(&third, "Description"), "second");
    assert!(aws(&fixture.read(&new), "Alias").is_null(), "it does not keep its alias");
    assert_eq!(denial(&new).expect("a denial").get("Condition"), None);
    fixture.assert_agreement();
}

#[test]
fn a_replacement_that_aws_refuses_halfway_leaves_both_keys_as_they_are_there() {
    let fixture = KmsFixture::new();
    let old = fixture.create(json!({"Alias": "payroll"}));
    fixture.lab.set_faults(&json!([{"service": "kms", "operation": "UpdateAlias", "answer": "deny"}]));
    let refused = fixture.post(&old, "rotate", json!({})).refused(502, "NCERRCloudError");
    assert!(refused.contains("AccessDenied"), "{refused}");
    let seen = fixture.read(&old);
    assert_eq!((&seen["rotated_to"], aws(&seen, "Alias")), (&Value::Null, &json!(["alias/payroll"])));
    assert!(seen["rotation_status"].as_str().unwrap_or_default().starts_with("FAILED: "), "{seen}");
    // The new key goes, since it got no alias; AWS and Claviger agree, and the old key can be rotated again.
    assert_eq!((fixture.total("keymanager=CUSTOMER"), fixture.total("keystate=PendingDeletion")), (2, 1));
    assert!(refused.ends_with("is deleted in 7 days"), "{refused}");
    fixture.assert_agreement();
    let new = fixture.post(&old, "rotate", json!({})).expect(200);
    assert_eq!(aws(&new, "Alias"), &json!(["alias/payroll"]));
    fixture.assert_agreement();
}
