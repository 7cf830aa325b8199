//! `/v1/cckm/aws/get-log-groups`: the log groups of a KMS's account, in AWS's own format.

use crate::support::appliance::{Appliance, subject};
use crate::support::lab::LabClient;
use serde_json::json;

const GROUPS: &str = "/v1/cckm/aws/get-log-groups";
const TRAIL: &str = "aws-cloudtrail-logs-123456789012";

#[test]
fn log_groups_come_in_awss_form_also_from_regions_that_the_kms_does_not_manage() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("kms", &["eu-west-3"]);
    for (kms, region) in [("kms", "eu-west-3"), (kms.as_str(), "us-east-1")] {
        let body = json!({"kms": kms, "region": region, "cloud_watch_params": {}});
        let groups = admin.post(GROUPS, body).expect(200)["logGroups"].as_array().expect("log groups").clone();
        assert_eq!(groups.len(), 1, "{groups:?}");
        assert_eq!(groups[0]["logGroupName"], TRAIL);
        let arn = format!("arn:aws:logs:{region}:123456789012:log-group:{TRAIL}");
        assert_eq!(groups[0]["logGroupArn"], arn);
        assert_eq!(groups[0]["arn"], format!("{arn}:*"));
    }
    let of = |params| admin.post(GROUPS, json!({"kms": "kms", "region": "eu-west-3", "cloud_watch_params": params}));
    assert_eq!(of(json!({"logGroupNamePrefix": "other"})).expect(200)["logGroups"], json!([]));
    assert_eq!(
        of(json!({"logGroupNamePrefix": "aws-", "limit": 1})).expect(200)["logGroups"][0]["logGroupName"],
        TRAIL
    );
}

#[test]
fn whoever_may_create_reports_may_list_log_groups() {
    let appliance = Appliance::start();
    let (admin, ann) = (appliance.admin(), appliance.user("ann"));
    let kms = appliance.kms("kms", &["eu-west-3"]);
    let body = json!({"kms": "kms", "region": "eu-west-3"});
    ann.post(GROUPS, body.clone()).refused(404, "NCERRResourceNotFound");
    let permit = |action: &str| {
        let acl = json!({"user_id": subject(&ann), "actions": [action], "permit": true});
        admin.post(&format!("/v1/cckm/aws/kms/{kms}/update-acls"), acl).expect(200);
    };
    permit("reportview");
    ann.post(GROUPS, body.clone()).refused(403, "NCERRInsufficientPermissions");
    permit("reportcreate");
    ann.post(GROUPS, body.clone()).expect(200);
    admin.post(&format!("/v1/cckm/aws/kms/{kms}/archive"), json!({})).expect(200);
    admin.post(GROUPS, body).refused(409, "NCERRConflict");
}

#[test]
fn the_refusal_of_aws_is_shown_with_its_code() {
    let appliance = Appliance::start();
    let (admin, lab) = (appliance.admin(), LabClient::of(&appliance));
    appliance.kms("kms", &["eu-west-3"]);
    let body = json!({"kms": "kms", "region": "eu-west-3"});
    lab.set_faults(&json!([{"service": "logs", "operation": "DescribeLogGroups", "answer": "deny"}]));
    let message = admin.post(GROUPS, body.clone()).refused(502, "NCERRCloudError");
    assert!(message.contains("AccessDenied"), "{message}");
}

#[test]
fn invalid_requests_name_the_member() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.kms("kms", &["eu-west-3"]);
    let with = |params| json!({"kms": "kms", "region": "eu-west-3", "cloud_watch_params": params});
    for (body, member) in [
        (json!({"region": "eu-west-3"}), "kms"),
        (json!({"kms": "kms"}), "region"),
        (json!({"kms": "kms", "region": "mars"}), "region"),
        (json!({"kms": "kms", "region": "cn-north-1"}), "region"),
        (with(json!({"limit": 0})), "limit"),
        (with(json!({"limit": 51})), "limit"),
        (with(json!({"logGroupNamePrefix": "a b"})), "logGroupNamePrefix"),
        (with(json!({"nextToken": "x".repeat(5_000)})), "nextToken"),
    ] {
        let message = admin.post(GROUPS, body.clone()).refused(400, "NCERRInvalidParamValue");
        assert!(message.contains(member), "{body}: {message}");
    }
}
