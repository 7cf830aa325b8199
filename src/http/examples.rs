//! The examples of the vendor's page, which the description of the API shows. A test compares them with the page.

use serde_json::{Value, json};

/// A request and its answer.
pub struct Example {
    pub name: &'static str,
    pub summary: &'static str,
    /// The body of the request, if it has one.
    pub request: Option<Value>,
    /// The body of the answer.
    pub answer: Value,
}

const REGIONS: [&str; 16] = [
    "eu-north-1",
    "ap-south-1",
    "eu-west-3",
    "eu-west-2",
    "eu-west-1",
    "ap-northeast-2",
    "ap-northeast-1",
    "sa-east-1",
    "ca-central-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "eu-central-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// `POST /v1/cckm/aws/accounts`
pub fn accounts() -> Vec<Example> {
    let request = json!({"connection": "test_aws-connection"});
    let account = |id| json!({"account_id": id, "regions": REGIONS});
    vec![
        direct(request.clone(), account("123456789012")),
        assumed(with(request, &[role()]), with(account("789012123456"), &[role()])),
    ]
}

/// `POST /v1/cckm/aws/kms`
pub fn add_kms() -> Vec<Example> {
    let request = |account| {
        json!({
            "account_id": account, "connection": "test_aws-connection", "name": "kms-name", "regions": REGIONS,
        })
    };
    let other = json!({
        "id": "ad63-ca18eb717ae7-0b90f8de-8617-498d",
        "createdAt": "2022-12-05T05:29:17.200168Z",
        "updatedAt": "2022-12-05T05:29:17.200168Z",
        "account_id": "789012123456",
        "arn": "arn:aws:iam::789012123456:user/user1",
    });
    vec![
        direct(request("123456789012"), kms()),
        assumed(with(request("789012123456"), &[role()]), with(kms(), &[other, role()])),
    ]
}

/// `GET /v1/cckm/aws/kms`
pub fn list_kms() -> Vec<Example> {
    let answer = json!({"skip": 0, "limit": 10, "total": 1, "resources": [kms()]});
    vec![Example { name: "list", summary: "One KMS", request: None, answer }]
}

/// `GET /v1/cckm/aws/kms/{id}`
pub fn get_kms() -> Vec<Example> {
    vec![Example { name: "get", summary: "A KMS", request: None, answer: kms() }]
}

/// `PATCH /v1/cckm/aws/kms/{id}`
pub fn update_kms() -> Vec<Example> {
    let answer = with(kms(), &[more_regions(), json!({"updatedAt": "2020-11-05T06:32:48.93875576Z"})]);
    vec![Example { name: "regions", summary: "Other regions", request: Some(more_regions()), answer }]
}

/// `POST /v1/cckm/aws/kms/{id}/update-acls`
pub fn update_acls() -> Vec<Example> {
    let request = json!({"acls": [{"actions": ["view", "keycreate"], "group": "CCKM Users", "permit": true}]});
    let acls = json!({
        "updatedAt": "2020-11-05T06:34:10.828983451Z",
        "acls": [{"group": "CCKM Users", "actions": ["view", "keycreate"]}],
    });
    let answer = with(kms(), &[more_regions(), acls]);
    vec![Example { name: "group", summary: "Permissions for a group", request: Some(request), answer }]
}

fn direct(request: Value, answer: Value) -> Example {
    Example { name: "direct", summary: "By the connection itself", request: Some(request), answer }
}

fn assumed(request: Value, answer: Value) -> Example {
    Example { name: "assumed", summary: "By a role that the connection assumes", request: Some(request), answer }
}

fn role() -> Value {
    json!({
        "assume_role_arn": "arn:aws:iam::789012123456:role/test-assume-role-ac",
        "assume_role_external_id": "test-ext-id",
    })
}

fn more_regions() -> Value {
    json!({"regions": ["us-east-1", "ap-south-1", "us-east-2"]})
}

fn kms() -> Value {
    json!({
        "id": "0b90f8de-8617-498d-ad63-ca18eb717ae7",
        "uri": "kylo:kylo:cckm:kms:kms",
        "account": "kylo:kylo:admin:accounts:kylo",
        "application": "ncryptify:gemalto:admin:apps:kylo",
        "devAccount": "ncryptify:gemalto:admin:accounts:gemalto",
        "createdAt": "2020-11-05T05:29:17.200168Z",
        "name": "kms",
        "updatedAt": "2020-11-05T05:29:17.200168Z",
        "account_id": "123456789012",
        "arn": "arn:aws:iam::123456789012:user/user1",
        "connection": "aws",
        "regions": ["ap-south-1", "us-east-1"],
        "cloud_name": "aws",
    })
}

/// An object with members added or replaced.
fn with(mut object: Value, members: &[Value]) -> Value {
    for (member, value) in members.iter().filter_map(Value::as_object).flatten() {
        object[member] = value.clone();
    }
    object
}
