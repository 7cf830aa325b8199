//! Changes of the regions of a KMS: AWS is asked which regions are enabled, but not for each change.

use crate::cckm::aws::synchronization_jobs::end_of_job;
use crate::support::appliance::{Appliance, id};
use crate::support::kms_fixture::{AWAY, HOME, KmsFixture, at};
use crate::support::lab::LabClient;
use serde_json::{Value, json};

#[test]
fn aws_is_called_only_for_regions_without_a_recent_probe() {
    let appliance = Appliance::start();
    let (admin, lab) = (appliance.admin(), LabClient::of(&appliance));
    let kms = format!("/v1/cckm/aws/kms/{}", appliance.kms("kms", &["eu-west-3"]));
    let asked = || (lab.calls("sts:GetCallerIdentity"), lab.calls("ec2:DescribeRegions"));

    let before = asked();
    for regions in [json!(["eu-west-1", "us-east-1"]), json!(["us-east-1"]), json!(["eu-west-3"])] {
        let seen = admin.patch(&kms, json!({ "regions": regions })).expect(200);
        assert_eq!(seen["regions"], regions);
    }
    assert_eq!(asked(), before, "these regions were enabled a moment ago");

    // A region that was not enabled before may be enabled by now.
    for _ in 0..2 {
        let before = asked();
        admin.patch(&kms, json!({"regions": ["af-south-1"]})).refused(400, "NCERRInvalidParamValue");
        assert_eq!(asked(), (before.0 + 1, before.1 + 1));
    }
}

#[test]
fn a_probe_is_valid_until_aws_refuses_or_the_connection_changes() {
    let appliance = Appliance::start();
    let (admin, lab) = (appliance.admin(), LabClient::of(&appliance));
    let kms = format!("/v1/cckm/aws/kms/{}", appliance.kms("kms", &["eu-west-3"]));
    let account = json!({"connection": "test_aws-connection"});
    let denied = json!([{"service": "ec2", "operation": "DescribeRegions", "answer": "deny", "times": 2}]);

    lab.set_faults(&denied);
    admin.patch(&kms, json!({"regions": ["eu-west-1"]})).expect(200);
    admin.post("/v1/cckm/aws/accounts", account.clone()).refused(502, "NCERRCloudError");
    admin.patch(&kms, json!({"regions": ["eu-west-3"]})).refused(502, "NCERRCloudError");
    admin.post("/v1/cckm/aws/accounts", account).expect(200);
    admin.patch(&kms, json!({"regions": ["eu-west-3"]})).expect(200);

    let connection = "/v1/connectionmgmt/services/aws/connections/test_aws-connection";
    admin.patch(connection, json!({"description": "changed"})).expect(200);
    let before = lab.calls("ec2:DescribeRegions");
    admin.patch(&kms, json!({"regions": ["eu-west-1"]})).expect(200);
    assert_eq!(lab.calls("ec2:DescribeRegions"), before + 1);
}

#[test]
fn keys_of_a_region_that_is_taken_away_are_gone_until_it_is_back() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({"Alias": "payroll"}));
    let path = format!("/v1/cckm/aws/kms/{}", fixture.kms);
    let to = |regions: Value| fixture.admin.patch(&path, json!({ "regions": regions })).expect(200);
    to(json!([AWAY]));
    assert_eq!((fixture.read(&key)["gone"].clone(), fixture.total("gone=true")), (json!(true), 1));
    let answer = fixture.post(&key, "disable", json!({}));
    assert_eq!((answer.status, &answer.body["reason"]), (409, &json!("key_region_removed")), "{}", answer.text);
    fixture.post(&key, "refresh", json!({})).refused(400, "NCERRInvalidParamValue");
    // A synchronisation of the remaining region leaves them alone, and so does another change of the regions.
    let job = fixture.admin.post("/v1/cckm/aws/synchronization-jobs", json!({"kms": ["fixture"]})).expect(202);
    end_of_job(&fixture.admin, &format!("/v1/cckm/aws/synchronization-jobs/{}", id(&job)));
    to(json!([AWAY, "us-east-1"]));
    assert_eq!(fixture.total("gone=true"), 1);

    to(json!([AWAY, HOME]));
    assert_eq!(fixture.read(&key), key);
    fixture.change(&key, "disable", json!({}));

    // An entry can be deleted as that of a key that is gone; `force` deletes all.
    let other = fixture.create(json!({}));
    to(json!([AWAY]));
    fixture.admin.delete(&at(&key, "")).expect(204);
    assert_eq!(fixture.total("keymanager=CUSTOMER"), 1);
    fixture.admin.patch(&path, json!({"regions": ["us-east-1"], "force": true})).expect(200);
    assert_eq!(fixture.total(""), 0);
    fixture.admin.get(&at(&other, "")).refused(404, "NCERRResourceNotFound");
}

/// The vendor's page puts this action first.
#[test]
fn a_check_of_permissions_names_the_missing_ones_including_that_to_list_regions() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let account = |connection: &str, validate: bool| {
        let role = "arn:aws:iam::789012123456:role/test-assume-role-no-regions";
        let body = json!({"connection": connection, "assume_role_arn": role, "validate": validate});
        admin.post("/v1/cckm/aws/accounts", body)
    };
    let message = account("test_aws-connection", false).refused(502, "NCERRCloudError");
    assert!(message.contains("DescribeRegions"), "{message}");
    let seen = account("test_aws-connection", true).expect(200);
    assert_eq!((&seen["account_id"], &seen["regions"]), (&json!("789012123456"), &json!([])));
    assert_eq!(seen["missing_permissions"], json!(["ec2:DescribeRegions"]), "{seen}");
}

#[test]
fn a_role_that_is_repeated_keeps_its_external_id() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let role = "arn:aws:iam::789012123456:role/test-assume-role-ac";
    let body = json!({"name": "far", "account_id": "789012123456", "connection": "test_aws-connection",
        "regions": ["eu-west-1"], "assume_role_arn": role, "assume_role_external_id": "test-ext-id"});
    let added = admin.post("/v1/cckm/aws/kms", body).expect(201);
    let path = format!("/v1/cckm/aws/kms/{}", id(&added));
    for same in [json!({"assume_role_arn": role}), json!({"assume_role_external_id": "test-ext-id"})] {
        assert_eq!(admin.patch(&path, same).expect(200), added);
    }
    let fewer = admin.patch(&path, json!({"assume_role_arn": role, "regions": ["eu-west-2"]})).expect(200);
    assert_eq!((&fewer["regions"], &fewer["assume_role_external_id"]), (&json!(["eu-west-2"]), &json!("test-ext-id")));
    let wrong = json!({"assume_role_external_id": "not-the-right-one"});
    admin.patch(&path, wrong).refused(502, "NCERRCloudError");
    let elsewhere = json!({"assume_role_arn": "arn:aws:iam::123456789012:role/test-own-role"});
    let message = admin.patch(&path, elsewhere).refused(400, "NCERRInvalidParamValue");
    assert!(message.starts_with("assume_role_arn: "), "{message}");
}
