//! The vendor's page, from top to bottom: its example requests unchanged (`tests/seed/*.sh`; only the host, the token
//! and the id of the KMS are replaced), and its example answers member for member (`tests/seed/*.json`).
//!
//! The answers to "add" on the page show another KMS than the requests create (name, connection, regions), so both are
//! tested: the KMS of the request, and the KMS of the answer. The answer for AssumeRole has a comma that is missing on
//! the page, and its `arn` is the one that STS gives for an assumed role.

use crate::support::appliance::{Appliance, id};
use crate::support::client::Client;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

/// The values of the page's ids, hosts and tokens in this test.
struct Page<'a> {
    appliance: &'a Appliance,
    admin: Client,
}

const PAGE_KMS: &str = "0b90f8de-8617-498d-ad63-ca18eb717ae7";
const MORE_THAN_THE_PAGE: [&str; 2] = ["auto_added", "status"];

#[test]
fn the_examples_of_the_page_work_unchanged() {
    let appliance = Appliance::start();
    let page = Page { appliance: &appliance, admin: appliance.admin() };
    connect_as_aws(&page.admin);

    assert_eq!(page.request("1-accounts", ""), (200, example("1-accounts")));
    assert_eq!(page.request("2-accounts-assume-role", ""), (200, example("2-accounts-assume-role")));

    let (status, added) = page.request("3-kms-add", "");
    let asked = json!({"name": "kms-name", "uri": "kylo:kylo:cckm:kms:kms-name", "connection": "test_aws-connection",
        "regions": example("1-accounts")["regions"]});
    assert_eq!((status, like_the_page(&added)), (201, with(example("3-kms-add"), &asked, &added)));
    assert_eq!(page.request("7-kms-delete", &id(&added)), (204, Value::Null));

    let (status, assumed) = page.request("4-kms-add-assume-role", "");
    let mut asked = asked;
    asked["arn"] = json!("arn:aws:sts::789012123456:assumed-role/test-assume-role-ac/claviger");
    assert_eq!((status, like_the_page(&assumed)), (201, with(example("4-kms-add-assume-role"), &asked, &assumed)));
    assert_eq!(page.request("7-kms-delete", &id(&assumed)), (204, Value::Null));

    let body = json!({"account_id": "123456789012", "connection": "aws", "name": "kms",
        "regions": ["ap-south-1", "us-east-1"]});
    let kms = page.admin.post("/v1/cckm/aws/kms", body).expect(201);
    assert_eq!(like_the_page(&kms), with(example("3-kms-add"), &json!({}), &kms));
    let kms_id = id(&kms);

    let (status, list) = page.request("5-kms-list", "");
    let mut expected = example("5-kms-list");
    expected["resources"][0] = with(expected["resources"][0].take(), &json!({}), &kms);
    assert_eq!(status, 200);
    let mut shown = list.clone();
    shown["resources"][0] = like_the_page(&list["resources"][0]);
    assert_eq!(shown, expected);

    assert_eq!(page.request("6-kms-get", &kms_id), (200, kms.clone()));

    let (status, updated) = page.request("8-kms-patch", &kms_id);
    assert_eq!((status, like_the_page(&updated)), (200, with(example("8-kms-patch"), &json!({}), &updated)));
    assert_eq!(updated["createdAt"], kms["createdAt"]);
    assert!(updated["updatedAt"].as_str() > kms["updatedAt"].as_str());

    let (status, permitted) = page.request("9-kms-update-acls", &kms_id);
    assert_eq!((status, like_the_page(&permitted)), (200, with(example("9-kms-update-acls"), &json!({}), &permitted)));

    // The last sentence of the page: the KMS with the actions that a user can perform there.
    let ann = Page { appliance: &appliance, admin: appliance.member("ann", &["CCKM Users"]) };
    let (_, seen) = ann.request("5-kms-list", "");
    assert_eq!(seen["resources"][0]["acls"], json!([{"group": "CCKM Users", "actions": ["view", "keycreate"]}]));
}

#[test]
fn each_path_works_with_the_slashes_that_real_clients_send() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    for path in ["/api/v1/cckm/aws/kms/", "/api//v1/cckm/aws/kms", "//api/v1//cckm/aws/kms//?limit=1"] {
        assert_eq!(admin.get(path).expect(200)["total"], 0, "{path}");
    }
}

impl Page<'_> {
    /// Sends the page's request with bash and curl; returns the status and the body.
    fn request(&self, name: &str, kms: &str) -> (u64, Value) {
        let text = std::fs::read_to_string(file(name, "sh")).expect("an example");
        assert!(text.starts_with("curl -k 'https://127.0.0.1/api/v1/"), "{text}");
        let text = text
            .trim_end()
            .replace("https://127.0.0.1", &self.appliance.api)
            .replace("AUTHTOKEN", self.admin.token())
            .replace(PAGE_KMS, kms);
        let script = format!("{text} --silent --noproxy '*' --write-out '\\n%{{http_code}}'");
        let output = Command::new("bash").args(["-c", &script]).output().expect("bash");
        let output = String::from_utf8(output.stdout).expect("UTF-8");
        let (body, status) = output.rsplit_once('\n').expect("a status");
        let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).expect("JSON") };
        (status.parse().expect("a status"), body)
    }
}

/// A second connection with the lab's credentials, under the name in the page's answers.
fn connect_as_aws(admin: &Client) {
    let lab = std::fs::read_to_string("config/lab-cloud.toml").expect("the lab cloud");
    let lab: toml::Table = lab.parse().expect("TOML");
    let user = &lab["accounts"][0]["users"][0];
    let body = json!({"name": "aws", "access_key_id": user["access_key_id"].as_str(),
        "secret_access_key": user["secret_access_key"].as_str()});
    admin.post("/v1/connectionmgmt/services/aws/connections", body).expect(201);
}

fn example(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file(name, "json")).expect("an example")).expect("JSON")
}

fn file(name: &str, kind: &str) -> PathBuf {
    PathBuf::from(format!("tests/seed/{name}.{kind}"))
}

/// The page's KMS with these differences, and with the id and the times of the actual answer.
fn with(mut example: Value, differs: &Value, answer: &Value) -> Value {
    for member in ["id", "createdAt", "updatedAt"] {
        assert_shape(member, &answer[member]);
        example[member] = answer[member].clone();
    }
    for (member, value) in differs.as_object().expect("members") {
        example[member] = value.clone();
    }
    example
}

/// A KMS without the members that the page does not have.
fn like_the_page(answer: &Value) -> Value {
    let mut answer = answer.clone();
    for member in MORE_THAN_THE_PAGE {
        assert!(answer.as_object_mut().expect("a KMS").remove(member).is_some(), "{member}");
    }
    answer
}

fn assert_shape(member: &str, value: &Value) {
    let text = value.as_str().unwrap_or_default();
    match member {
        "id" => assert_eq!(uuid::Uuid::parse_str(text).map(|id| id.get_version_num()), Ok(4), "{text}"),
        _ => assert!(text.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(text).is_ok(), "{text}"),
    }
}
