//! The appliance in its production configuration, against moto, an independent emulation of AWS, over HTTP.
//!
//! The tests are skipped unless `CLAVIGER_MOTO_URL` has the address of a `moto_server`; `scripts/test moto` starts one.

use crate::support::appliance::{PASSWORD, id, program};
use crate::support::client::Client;
use serde_json::{Value, json};
use std::fs::File;
use std::process::Child;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// `claviger serve`, with moto as AWS; killed when dropped.
struct Service {
    process: Child,
    home: TempDir,
}

#[test]
fn moto_shows_its_accounts_and_lets_them_be_added() {
    let Some(service) = Service::before_moto() else { return };
    let admin = service.admin();
    let connection = json!({"name": "moto", "access_key_id": "AKIAMOTO", "secret_access_key": "moto-secret",
        "aws_region": "eu-west-1", "aws_sts_regional_endpoints": "regional"});
    let connection = admin.post("/v1/connectionmgmt/services/aws/connections", connection).expect(201);
    let test = format!("/v1/connectionmgmt/services/aws/connections/{}/test", id(&connection));
    assert_eq!(admin.post(&test, json!({})).expect(200), json!({"connection_ok": true}));

    let account = admin.post("/v1/cckm/aws/accounts", json!({"connection": "moto"})).expect(200);
    assert_eq!(account["account_id"], "123456789012");
    assert!(texts(&account["regions"]).contains(&"eu-west-3".to_owned()), "{account}");

    let regions = json!(["eu-west-3", "us-east-1"]);
    let body = json!({"account_id": "123456789012", "connection": "moto", "name": "kms", "regions": regions});
    let kms = admin.post("/v1/cckm/aws/kms", body).expect(201);
    assert_eq!(kms["arn"], "arn:aws:sts::123456789012:user/moto");
    assert_eq!(kms["regions"], regions);

    let path = format!("/v1/cckm/aws/kms/{}", id(&kms));
    let unknown = admin.patch(&path, json!({"regions": ["eu-west-9"]}));
    assert!(unknown.refused(400, "NCERRInvalidParamValue").contains("eu-west-9"));
    assert_eq!(admin.get(&path).expect(200), kms);
}

#[test]
fn moto_lets_a_role_of_another_account_be_assumed() {
    let Some(service) = Service::before_moto() else { return };
    let admin = service.admin();
    let connection = json!({"name": "moto", "access_key_id": "AKIAMOTO", "secret_access_key": "moto-secret"});
    admin.post("/v1/connectionmgmt/services/aws/connections", connection).expect(201);
    let role = json!({"connection": "moto", "assume_role_arn": "arn:aws:iam::789012123456:role/test-assume-role-ac",
        "assume_role_external_id": "test-ext-id"});
    let account = admin.post("/v1/cckm/aws/accounts", role.clone()).expect(200);
    assert_eq!(account["account_id"], "789012123456");
    assert_eq!(account["assume_role_external_id"], "test-ext-id");

    let mut body = role;
    body["account_id"] = json!("123456789012");
    body["name"] = json!("other");
    body["regions"] = json!(["us-east-1"]);
    let mismatch = admin.post("/v1/cckm/aws/kms", body.clone()).refused(400, "NCERRInvalidParamValue");
    assert!(mismatch.contains("789012123456"), "{mismatch}");
    body["account_id"] = json!("789012123456");
    let kms = admin.post("/v1/cckm/aws/kms", body).expect(201);
    let arn = kms["arn"].as_str().unwrap_or_default();
    assert!(arn.starts_with("arn:aws:sts::789012123456:assumed-role/test-assume-role-ac/"), "{arn}");
}

const HOME: &str = "eu-west-3";

#[test]
fn moto_holds_keys_that_are_made_changed_and_deleted() {
    let Some(service) = Service::before_moto() else { return };
    let admin = service.admin();
    connect(&admin);
    let body = json!({"kms": "moto", "region": HOME, "aws_param": {"Description": "first",
        "Tags": [{"TagKey": "team", "TagValue": "a"}]}});
    let key = admin.post("/v1/cckm/aws/keys", body).expect(201);
    assert_eq!((&key["aws_param"]["KeyState"], &key["aws_param"]["Origin"]), (&json!("Enabled"), &json!("AWS_KMS")));
    let at = |what: &str| format!("/v1/cckm/aws/keys/{}{what}", id(&key));
    let change = |what: &str, body: Value| {
        let changed = admin.post(&at(what), body).expect(200);
        assert_eq!(admin.get(&at("")).expect(200), changed, "{what}");
        changed["aws_param"].clone()
    };
    // moto keeps the keys of earlier runs, so the name is unique.
    let alias = format!("alias/{}", id(&key));
    assert_eq!(change("/add-alias", json!({"alias": alias}))["Alias"], json!([alias]));
    let free = json!({"alias": alias, "kms": "moto", "region": HOME});
    assert_eq!(admin.post("/v1/cckm/aws/alias/verify", free).expect(200)["is_available"], false);
    assert_eq!(change("/delete-alias", json!({"alias": alias})).get("Alias"), None);
    let tagged = change("/add-tags", json!({"tags": [{"tag_key": "b", "tag_value": "2"}]}));
    assert!(tagged["Tags"].as_array().is_some_and(|tags| tags.len() == 2), "{tagged}");
    change("/remove-tags", json!({"tags": ["team", "b"]}));
    assert_eq!(change("/disable", json!({}))["KeyState"], "Disabled");
    assert_eq!(change("/enable", json!({}))["KeyState"], "Enabled");
    assert_eq!(change("/update-description", json!({"description": "second"}))["Description"], "second");
    change("/policy", json!({"key_users": ["ann"]}));
    assert_eq!(admin.get(&at("")).expect(200)["key_users"], json!(["arn:aws:iam::123456789012:user/ann"]));
    assert_eq!(change("/enable-auto-rotation", json!({"rotation_period_in_days": 90}))["KeyRotationEnabled"], true);
    let status = admin.post(&at("/get-key-rotation-status"), json!({})).expect(200);
    assert_eq!(status["KeyRotationEnabled"], true);
    assert_eq!(change("/disable-auto-rotation", json!({}))["KeyRotationEnabled"], false);
    assert_eq!(change("/schedule-deletion", json!({"days": 7}))["KeyState"], "PendingDeletion");
    assert_eq!(change("/cancel-deletion", json!({}))["KeyState"], "Disabled");
    change("/refresh", json!({}));
}

#[test]
fn moto_takes_material_as_far_as_it_knows_imports() {
    let Some(service) = Service::before_moto() else { return };
    let admin = service.admin();
    connect(&admin);
    admin.post("/v1/vault/keys2", json!({"name": "aes"})).expect(201);
    let body = json!({"kms": "moto", "region": HOME, "source_key_identifier": "aes"});
    let answer = admin.post("/v1/cckm/aws/upload-key", body);
    if answer.status == 502 {
        for operation in ["GetParametersForImport", "ImportKeyMaterial"] {
            if answer.text.contains(operation) {
                eprintln!("moto lacks {operation}: {}", answer.text);
                return;
            }
        }
    }
    assert_eq!(answer.expect(201)["key_material_origin"], "cckm");
}

/// Creates a connection to moto, and a KMS that uses it.
fn connect(admin: &Client) {
    let connection = json!({"name": "moto", "access_key_id": "AKIAMOTO", "secret_access_key": "moto-secret"});
    admin.post("/v1/connectionmgmt/services/aws/connections", connection).expect(201);
    let body = json!({"account_id": "123456789012", "connection": "moto", "name": "moto", "regions": [HOME]});
    admin.post("/v1/cckm/aws/kms", body).expect(201);
}

impl Service {
    fn before_moto() -> Option<Self> {
        let Ok(url) = std::env::var("CLAVIGER_MOTO_URL") else {
            eprintln!("skipped: CLAVIGER_MOTO_URL does not say where a moto_server listens");
            return None;
        };
        let home = TempDir::new().expect("a directory");
        let process = program()
            .arg("serve")
            .env("CLAVIGER_SERVER_LISTEN", "127.0.0.1:0")
            .env("CLAVIGER_STORAGE_DATA_DIR", home.path().join("data"))
            .env("CLAVIGER_LOGIN_REQUIRE_FIRST_PASSWORD_CHANGE", "false")
            .env("CLAVIGER_ADMIN_PASSWORD", PASSWORD)
            .env("CLAVIGER_AWS_ENDPOINTS", format!("[{{ url = \"{url}\" }}]"))
            .env("CLAVIGER_LOG_FORMAT", "json")
            .stderr(File::create(home.path().join("log")).expect("a log"))
            .spawn()
            .expect("the program starts");
        Some(Self { process, home })
    }

    /// Waits until the service is ready, and signs in as the administrator.
    fn admin(&self) -> Client {
        let log = self.home.path().join("log");
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            if let Some(address) = lines.into_iter().find_map(|line| Some(line["address"].as_str()?.to_owned())) {
                let pem = std::fs::read(self.home.path().join("data/tls.crt")).expect("the certificate");
                return Client::nobody(&format!("https://{address}"), &pem).sign_in("admin", PASSWORD);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the service did not start:\n{}", std::fs::read_to_string(&log).unwrap_or_default());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
}
