//! An archived KMS can be viewed, recovered and deleted. Nothing else is done with it or with its keys, and AWS is not
//! called.

use crate::support::appliance::id;
use crate::support::kms_fixture::{KEYS, KmsFixture, at};
use reqwest::Method;
use serde_json::json;

#[test]
fn an_archived_kms_can_only_be_viewed_recovered_and_deleted() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({"Description": "d"}));
    let signing = fixture.create(json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}));
    let template = json!({"name": "payroll", "kms": "fixture", "key_admins": ["user1"]});
    let template = fixture.admin.post("/v1/cckm/aws/templates", template).expect(201);
    fixture.change(&key, "policy", json!({"policytemplate": "payroll"}));
    let path = format!("/v1/cckm/aws/kms/{}", fixture.kms);
    fixture.admin.post(&format!("{path}/archive"), json!({})).expect(200);
    let before = fixture.read(&key);
    fixture.lab.forget_calls();
    let (key_id, template) = (id(&key), format!("/v1/cckm/aws/templates/{}", id(&template)));
    let on_key = |what: &str| at(&key, what);
    for (method, path, body) in [
        (Method::POST, on_key("refresh"), json!({})),
        (Method::GET, on_key("rotations"), json!(null)),
        (Method::POST, on_key("get-key-rotation-status"), json!({})),
        (Method::GET, on_key("grants"), json!(null)),
        (Method::GET, at(&signing, "download-public-key"), json!(null)),
        (Method::POST, on_key("rotate-material"), json!({})),
        (Method::POST, on_key("rotate"), json!({})),
        (Method::POST, on_key("enable-auto-rotation"), json!({})),
        (Method::POST, on_key("update-description"), json!({"description": "other"})),
        (
            Method::POST,
            "/v1/cckm/aws/alias/verify".to_owned(),
            json!({"alias": "a", "kms": "fixture", "region": "eu-west-1"}),
        ),
        (Method::POST, on_key("disable"), json!({})),
        (Method::POST, on_key("add-tags"), json!({"tags": [{"tag_key": "a", "tag_value": "b"}]})),
        (Method::POST, on_key("schedule-deletion"), json!({"days": 7})),
        (Method::POST, KEYS.to_owned(), json!({"kms": "fixture", "region": "eu-west-1", "aws_param": {}})),
        (Method::POST, "/v1/cckm/aws/bulkjob".to_owned(), json!({"keys": [key_id], "operation": "disablekey"})),
        (Method::PATCH, template.clone(), json!({"key_admins": ["user2"], "auto_push": true})),
        (Method::POST, "/v1/cckm/aws/synchronization-jobs".to_owned(), json!({"kms": ["fixture"]})),
        (Method::PATCH, path.clone(), json!({"regions": ["eu-west-1"]})),
    ] {
        let body = (!body.is_null()).then(|| body.to_string().into_bytes());
        let answer = fixture.admin.send(method.clone(), &path, body);
        assert_eq!(answer.status, 409, "{method} {path}: {}", answer.text);
        assert_eq!(answer.body["reason"], "kms_archived", "{method} {path}: {}", answer.text);
    }
    assert_eq!(fixture.lab.called(), [""; 0]);
    assert_eq!(fixture.read(&key), before);
    fixture.admin.get(&path).expect(200);
    fixture.admin.post(&format!("{path}/recover"), json!({})).expect(200);
    fixture.change(&key, "refresh", json!({}));
    fixture.admin.patch(&template, json!({"key_admins": ["user2"], "auto_push": true})).expect(200);
}
