//! Changing the regions of a KMS: AWS is asked which are enabled, but not again and again.

use crate::appliance::Appliance;
use crate::lab::Lab;
use serde_json::json;

#[test]
fn aws_is_asked_again_only_for_what_it_did_not_say_a_moment_ago() {
    let appliance = Appliance::start();
    let (admin, lab) = (appliance.admin(), Lab::of(&appliance));
    let kms = format!("/v1/cckm/aws/kms/{}", appliance.kms("kms", &["eu-west-3"]));
    let asked = || (lab.calls("sts:GetCallerIdentity"), lab.calls("ec2:DescribeRegions"));

    let before = asked();
    for regions in [json!(["eu-west-1", "us-east-1"]), json!(["us-east-1"]), json!(["eu-west-3"])] {
        let seen = admin.patch(&kms, json!({ "regions": regions })).expect(200);
        assert_eq!(seen["regions"], regions);
    }
    assert_eq!(asked(), before, "these regions were enabled a moment ago");

    // A region that was not enabled may be by now.
    for _ in 0..2 {
        let before = asked();
        admin.patch(&kms, json!({"regions": ["af-south-1"]})).refused(400, "NCERRInvalidParamValue");
        assert_eq!(asked(), (before.0 + 1, before.1 + 1));
    }
}

#[test]
fn what_was_seen_holds_until_aws_says_no_or_the_connection_is_changed() {
    let appliance = Appliance::start();
    let (admin, lab) = (appliance.admin(), Lab::of(&appliance));
    let kms = format!("/v1/cckm/aws/kms/{}", appliance.kms("kms", &["eu-west-3"]));
    let account = json!({"connection": "test_aws-connection"});
    let denied = json!([{"service": "ec2", "operation": "DescribeRegions", "answer": "deny", "times": 2}]);

    lab.order(&denied);
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
