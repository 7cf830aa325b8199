//! The description of the API: the server serves every operation in it, its examples are those of the vendor's page and
//! are accepted, and actual answers match its schemas.

use crate::support::appliance::{Appliance, PASSWORD, id, user_id};
use crate::support::client::{Answer, Client};
use crate::support::json_schema::{faults, referred};
use reqwest::Method;
use serde_json::{Value, json};

const PATH: &str = "/v1/openapi.json";
const NO_KMS: &str = "00000000-0000-4000-8000-000000000000";
const METHODS: [&str; 5] = ["get", "post", "patch", "delete", "put"];

#[test]
fn anybody_gets_the_description() {
    let appliance = Appliance::start();
    let answer = appliance.nobody().get(PATH);
    assert_eq!(answer.headers["content-type"], "application/json");
    let document = answer.expect(200);
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")));
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["type"], "http");
}

#[test]
fn each_path_serves_the_methods_that_are_described_and_no_other() {
    let appliance = Appliance::start();
    let nobody = appliance.nobody();
    let document = nobody.get(PATH).expect(200);
    for (path, item) in document["paths"].as_object().expect("paths") {
        let url = path.replace("{id}", NO_KMS).replace("{name}", "admin").replace("{user_id}", "local%7Cx");
        for method in METHODS {
            let operation = &item[method];
            let status = nobody.send(verb(method), &url, Some(b"{}".to_vec())).status;
            let expected = match () {
                () if operation.is_null() => status == 405,
                () if !operation["security"].is_null() => status == 401,
                () => operation["responses"][status.to_string()].is_object(),
            };
            assert!(expected, "{method} {path}: {status}");
        }
    }
}

#[test]
fn the_examples_are_those_of_the_vendors_page() {
    let appliance = Appliance::start();
    let document = appliance.nobody().get(PATH).expect(200);
    let page: [(&str, &str, &str, &str, &str); 8] = [
        ("1-accounts", "/api/v1/cckm/aws/accounts", "post", "200", "direct"),
        ("2-accounts-assume-role", "/api/v1/cckm/aws/accounts", "post", "200", "assumed"),
        ("3-kms-add", "/api/v1/cckm/aws/kms", "post", "201", "direct"),
        ("4-kms-add-assume-role", "/api/v1/cckm/aws/kms", "post", "201", "assumed"),
        ("5-kms-list", "/api/v1/cckm/aws/kms", "get", "200", "list"),
        ("6-kms-get", "/api/v1/cckm/aws/kms/{id}", "get", "200", "get"),
        ("8-kms-patch", "/api/v1/cckm/aws/kms/{id}", "patch", "200", "regions"),
        ("9-kms-update-acls", "/api/v1/cckm/aws/kms/{id}/update-acls", "post", "200", "group"),
    ];
    for (file, path, method, status, example) in page {
        let operation = &document["paths"][path][method];
        let answered = &operation["responses"][status]["content"]["application/json"]["examples"][example]["value"];
        let expected: Value = serde_json::from_str(&seed(file, "json")).expect("JSON");
        assert_eq!(*answered, expected, "{file}.json");
        let asked = &operation["requestBody"]["content"]["application/json"]["examples"][example]["value"];
        assert_eq!(*asked, body_of(&seed(file, "sh")), "{file}.sh");
    }
    assert!(document["paths"]["/api/v1/cckm/aws/kms/{id}"]["delete"]["responses"]["204"].is_object());
}

#[test]
fn the_examples_fit_their_schemas() {
    let appliance = Appliance::start();
    let document = appliance.nobody().get(PATH).expect(200);
    for (name, operation) in operations(&document) {
        let answers = operation["responses"].as_object().expect("responses").values();
        for of in answers.chain([&operation["requestBody"]]) {
            let content = &of["content"]["application/json"];
            for (example, shown) in content["examples"].as_object().into_iter().flatten() {
                let faults = faults(&document, &content["schema"], &shown["value"]);
                assert!(faults.is_empty(), "{name:?}, {example}: {faults:?}");
            }
        }
    }
}

#[test]
fn the_examples_are_accepted() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let document = admin.get(PATH).expect(200);
    let try_out = |(method, path): &(String, String), operation: &Value, kms: &str| {
        let examples = operation["requestBody"]["content"]["application/json"]["examples"].as_object();
        let url = format!("{}{}", path.replace("{id}", kms), dry_run(operation));
        for (name, example) in examples.into_iter().flatten() {
            let answer = admin.send(verb(method), &url, Some(example["value"].to_string().into_bytes()));
            assert!(
                operation["responses"][answer.status.to_string()]["content"].is_object(),
                "{path}, {name}: {}",
                answer.text
            );
        }
        examples.map_or(0, |examples| examples.len())
    };
    // The page adds all regions, so there must be no KMS before.
    let (of_a_kms, others): (Vec<_>, Vec<_>) = operations(&document).into_iter().partition(|(_, operation)| {
        operation["parameters"].as_array().is_some_and(|all| all.iter().any(|parameter| parameter["in"] == "path"))
    });
    let mut tried: usize = others.iter().map(|(name, operation)| try_out(name, operation, "")).sum();
    assert_eq!(admin.get("/v1/cckm/aws/kms").expect(200)["total"], 0, "a dry run recorded something");
    let kms = appliance.kms("kms", &["ap-south-1", "us-east-1"]);
    tried += of_a_kms.iter().map(|(name, operation)| try_out(name, operation, &kms)).sum::<usize>();
    assert_eq!(tried, 6);
}

#[test]
fn real_answers_fit_their_schemas() {
    let appliance = Appliance::start();
    let admin = Described { document: appliance.nobody().get(PATH).expect(200), client: appliance.admin() };
    let kms = appliance.kms("kms", &["ap-south-1", "us-east-1"]);
    let ann = user_id(&appliance.member("ann", &["CCKM Users"]));

    let role = json!({"connection": "test_aws-connection", "validate": true,
        "assume_role_arn": "arn:aws:iam::789012123456:role/test-assume-role-ac", "assume_role_external_id": "test-ext-id"});
    admin.calls("post", "/cckm/aws/accounts", &[], Some(role));
    admin.calls("post", "/cckm/aws/get-all-regions", &[], Some(json!({"connection": "test_aws-connection"})));
    let added = json!({"account_id": "123456789012", "connection": "test_aws-connection", "name": "other",
        "regions": ["eu-west-1"]});
    let other = id(&admin.calls("post", "/cckm/aws/kms", &[], Some(added)));
    let acls = json!({"group": "CCKM Users", "actions": ["view", "keycreate"], "permit": true});
    admin.calls("post", "/cckm/aws/kms/{id}/update-acls", &[&kms], Some(acls));
    admin.calls("patch", "/cckm/aws/kms/{id}", &[&kms], Some(json!({"regions": ["us-east-1"]})));
    admin.calls("get", "/cckm/aws/kms/{id}", &[&kms], None);
    admin.calls("get", "/cckm/aws/kms/{id}/history", &[&kms], None);
    admin.calls("post", "/cckm/aws/kms/{id}/archive", &[&kms], None);
    admin.calls("post", "/cckm/aws/kms/{id}/recover", &[&kms], None);
    admin.calls("get", "/cckm/aws/kms", &[], None);
    admin.calls("delete", "/cckm/aws/kms/{id}", &[&other], None);
    admin.calls("get", "/cckm/aws/actions", &[], None);

    let connections = "/connectionmgmt/services/aws/connections";
    let new = json!({"name": "new", "access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "wrong",
        "assume_role_arn": "arn:aws:iam::789012123456:role/none", "aws_region": "eu-west-1"});
    let connection = id(&admin.calls("post", connections, &[], Some(new.clone())));
    admin.calls("get", &format!("{connections}/{{id}}"), &[&connection], None);
    admin.calls("post", &format!("{connections}/{{id}}/test"), &[&connection], None);
    admin.calls("post", "/connectionmgmt/services/aws/connection-test", &[], Some(new));
    admin.calls("patch", &format!("{connections}/{{id}}"), &[&connection], Some(json!({"description": "changed"})));
    admin.calls("get", connections, &[], None);
    admin.calls("get", "/connectionmgmt/services/aws/permissions", &[], None);
    admin.calls("delete", &format!("{connections}/{{id}}"), &[&connection], None);

    let sign_in = json!({"username": "admin", "password": PASSWORD});
    let token = admin.calls("post", "/auth/tokens", &[], Some(sign_in));
    let token_id = token["refresh_token_id"].as_str().expect("an id");
    admin.calls("get", "/auth/tokens", &[], None);
    admin.calls("get", "/auth/tokens/{id}", &[token_id], None);
    admin.calls("delete", "/auth/tokens/{id}", &[token_id], None);
    admin.calls("post", "/auth/self/revoke-others", &[], None);
    admin.calls("get", "/console", &[], None);
    admin.calls("get", "/auth/self/user", &[], None);

    admin.calls("get", "/usermgmt/users", &[], None);
    admin.calls("get", "/usermgmt/users/{id}", &[&ann], None);
    admin.calls("patch", "/usermgmt/users/{id}", &[&ann], Some(json!({"nickname": "A"})));
    admin.calls("post", "/usermgmt/groups", &[], Some(json!({"name": "officers"})));
    admin.calls("post", "/usermgmt/groups/{name}/users/{user_id}", &["officers", &ann], None);
    admin.calls("get", "/usermgmt/groups", &[], None);
    admin.calls("get", "/usermgmt/groups/{name}", &["officers"], None);
    admin.calls("get", "/usermgmt/pwdpolicies/{name}", &["global"], None);
    admin.calls("patch", "/usermgmt/pwdpolicies/{name}", &["global"], Some(json!({"password_lifetime": 90})));
}

#[test]
fn real_answers_about_keys_fit_their_schemas() {
    let appliance = Appliance::start();
    let admin = Described { document: appliance.nobody().get(PATH).expect(200), client: appliance.admin() };
    appliance.kms("kms", &["eu-west-1", "eu-west-2"]);
    let source = id(&admin.calls("post", "/vault/keys2", &[], Some(json!({"name": "aes"}))));
    admin.calls("get", "/vault/keys2", &[], None);
    admin.calls("get", "/vault/keys2/{id}", &[&source], None);
    let preview = json!({"run_at": "0 9 * * sat", "end_date": "2099-01-01T00:00:00Z"});
    admin.calls("post", "/scheduler/job-configs/preview", &[], Some(preview));
    let weekly = json!({"name": "weekly", "operation": "cckm_key_rotation", "run_at": "0 9 * * sat",
        "cckm_key_rotation_params": {"cloud_name": "aws"}});
    admin.calls("post", "/scheduler/job-configs", &[], Some(weekly));
    admin.calls("get", "/scheduler/job-configs", &[], None);
    admin.calls("get", "/scheduler/coverage", &[], None);
    admin.calls("patch", "/vault/keys2/{id}", &[&source], Some(json!({"labels": {"a": "b"}})));
    admin.calls("post", "/vault/keys2/{id}/export", &[&source], Some(json!({})));
    let pair = json!({"name": "pair", "algorithm": "ec", "curveid": "secp256r1"});
    let pair = id(&admin.calls("post", "/vault/keys2", &[], Some(pair)));
    let op = |what: &str, body: Value| admin.calls("post", &format!("/vault/keys2/{{id}}{what}"), &[&pair], Some(body));
    op("/versions", json!({"description": "d", "aliases": [{"alias": "p", "type": "string"}]}));
    admin.calls("get", "/vault/keys2/{id}/versions", &[&pair], None);
    op("/clone", json!({"newKeyName": "twin"}));
    op("/archive", json!({}));
    op("/recover", json!({}));
    op("/revoke", json!({"reason": "Superseded", "message": "m"}));
    op("/reactivate", json!({}));
    op("/revoke", json!({"reason": "KeyCompromise"}));
    op("/destroy", json!({}));
    admin.calls("delete", "/vault/keys2/{id}", &[&pair], None);

    let keys = "/cckm/aws/keys";
    let key_body = |aws_param: Value| Some(json!({"kms": "kms", "region": "eu-west-1", "aws_param": aws_param}));
    let key = id(&admin.calls("post", keys, &[], key_body(json!({"Alias": "a", "MultiRegion": true}))));
    let one = |what: &str| format!("{keys}/{{id}}{what}");
    let change = |what: &str, body: Value| admin.calls("post", &one(what), &[&key], Some(body));
    change("/replicate-key", json!({"replica_region": "eu-west-2"}));
    change("/update-description", json!({"description": "d"}));
    let changed = json!({"policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*",
        "Action": "kms:*", "Resource": "*"}]}});
    change("/check-policy", changed);
    change("/check-policy", json!({"policy": "{"}));
    change("/policy", json!({"key_admins": ["user1"], "external_accounts": ["789012123456"]}));
    change("/add-tags", json!({"tags": [{"tag_key": "a", "tag_value": "b"}]}));
    change("/remove-tags", json!({"tags": ["a"]}));
    change("/add-alias", json!({"alias": "b"}));
    change("/delete-alias", json!({"alias": "b"}));
    change("/enable-auto-rotation", json!({"rotation_period_in_days": 90}));
    change("/get-key-rotation-status", json!({}));
    change("/disable-auto-rotation", json!({}));
    change("/rotate-material", json!({}));
    admin.calls("get", &one("/rotate-material/status"), &[&key], None);
    admin.calls("get", &one("/rotations"), &[&key], None);
    change("/update-primary-region", json!({"PrimaryRegion": "eu-west-2"}));
    change("/refresh", json!({}));
    change("/disable", json!({}));
    change("/enable", json!({}));
    change("/schedule-deletion", json!({"days": 7}));
    change("/cancel-deletion", json!({}));
    admin.calls("get", keys, &[], None);
    admin.calls("get", &one(""), &[&key], None);

    let upload = json!({"kms": "kms", "region": "eu-west-1", "source_key_identifier": source,
        "key_expiration": true, "valid_to": (chrono::Utc::now() + chrono::TimeDelta::days(9)).to_rfc3339()});
    let key = id(&admin.calls("post", "/cckm/aws/upload-key", &[], Some(upload)));
    admin.calls("get", &one("/rotations"), &[&key], None);
    admin.calls("get", "/vault/keys2/{id}/uses", &[&source], None);
    admin.calls("post", &one("/delete-material"), &[&key], Some(json!({})));
    let import = json!({"source_key_identifier": source, "import_type": "EXISTING_KEY_MATERIAL"});
    admin.calls("post", &one("/import-material"), &[&key], Some(import));
    admin.calls("post", &one("/rotate"), &[&key], Some(json!({"source_key_id": source, "retain_alias": true})));
    let verify = json!({"kms": "kms", "region": "eu-west-1", "alias": "a"});
    admin.calls("post", "/cckm/aws/alias/verify", &[], Some(verify));
    let rsa =
        id(&admin.calls("post", keys, &[], key_body(json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}))));
    assert_eq!(admin.client.get(&format!("/v1{keys}/{rsa}/download-public-key")).status, 200);

    admin.fails("post", keys, &[], key_body(json!({"KeySpec": "none"})), 400);
    admin.fails("get", &one(""), &[NO_KMS], None, 404);
    admin.fails("delete", &one(""), &[&key], None, 409);
    admin.fails("post", keys, &[], key_body(json!({"Alias": "a"})), 409);
    admin.fails("get", &one("/download-public-key"), &[&key], None, 400);
}

#[test]
fn errors_are_described_and_fit_their_schema() {
    let appliance = Appliance::start();
    let admin = Described { document: appliance.nobody().get(PATH).expect(200), client: appliance.admin() };
    let ann = Described { document: admin.document.clone(), client: appliance.user("ann") };
    let kms = appliance.kms("kms", &["us-east-1"]);
    let add = |account: &str, connection: &str| {
        Some(json!({"account_id": account, "connection": connection, "name": "kms", "regions": ["us-east-1"]}))
    };
    admin.fails("post", "/cckm/aws/kms", &[], Some(json!({"name": 7})), 400);
    admin.fails("post", "/cckm/aws/kms", &[], add("123456789012", "none"), 404);
    admin.fails("post", "/cckm/aws/kms", &[], add("123456789012", "test_aws-connection"), 409);
    admin.fails("post", "/cckm/aws/kms", &[], Some(json!({"name": "x".repeat(2 * 1024 * 1024)})), 413);
    let role = json!({"connection": "test_aws-connection", "assume_role_arn": "arn:aws:iam::789012123456:role/none"});
    admin.fails("post", "/cckm/aws/accounts", &[], Some(role), 502);
    admin.fails("get", "/cckm/aws/kms/{id}", &[NO_KMS], None, 404);
    ann.fails("get", "/cckm/aws/kms/{id}", &[&kms], None, 404);
    ann.fails("post", "/cckm/aws/kms", &[], Some(json!({})), 403);
    let weak = json!({"username": "bob", "password": "weak"});
    admin.fails("post", "/usermgmt/users", &[], Some(weak), 422);
    let wrong = json!({"username": "nobody", "password": "wrong"});
    admin.fails("post", "/auth/tokens", &[], Some(wrong), 401);
}

/// A client that checks every answer against the description.
struct Described {
    document: Value,
    client: Client,
}

impl Described {
    /// Calls the operation with this name; returns the body, after a check against its schema.
    #[track_caller]
    fn calls(&self, method: &str, path: &str, parameters: &[&str], body: Option<Value>) -> Value {
        let answer = self.call(method, path, parameters, body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {}", answer.text);
        answer.body
    }

    #[track_caller]
    fn fails(&self, method: &str, path: &str, parameters: &[&str], body: Option<Value>, status: u16) {
        let answer = self.call(method, path, parameters, body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
    }

    #[track_caller]
    fn call(&self, method: &str, path: &str, parameters: &[&str], body: Option<Value>) -> Answer {
        let answer =
            self.client.send(verb(method), &filled(path, parameters), body.map(|body| body.to_string().into_bytes()));
        let mut response =
            &self.document["paths"][format!("/api/v1{path}")][method]["responses"][answer.status.to_string()];
        assert!(response.is_object(), "{method} {path}: {} is not described: {}", answer.status, answer.text);
        if !response["$ref"].is_null() {
            response = referred(&self.document, &response["$ref"]);
        }
        match &response["content"]["application/json"]["schema"] {
            Value::Null => assert_eq!(answer.text, "", "{method} {path}"),
            schema => {
                let faults = faults(&self.document, schema, &answer.body);
                assert!(faults.is_empty(), "{method} {path}: {faults:?}\n{}", answer.text);
            }
        }
        answer
    }
}

/// Every operation, by method and path.
fn operations(document: &Value) -> Vec<((String, String), &Value)> {
    let paths = document["paths"].as_object().expect("paths").iter();
    let operations = paths.flat_map(|(path, item)| {
        let item = item.as_object().expect("operations").iter();
        item.map(move |(method, operation)| ((method.clone(), path.clone()), operation))
    });
    operations.collect()
}

fn verb(method: &str) -> Method {
    Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method")
}

/// The path with its parameters replaced.
fn filled(path: &str, parameters: &[&str]) -> String {
    let mut parameters = parameters.iter();
    let segments = path.split('/').map(|segment| match segment.starts_with('{') {
        true => parameters.next().expect("a parameter"),
        false => segment,
    });
    format!("/v1{}", segments.collect::<Vec<_>>().join("/"))
}

/// The query for a dry run, if the operation has one.
fn dry_run(operation: &Value) -> &'static str {
    let has = operation["parameters"].as_array().into_iter().flatten().any(|parameter| parameter["name"] == "dry_run");
    if has { "?dry_run=true" } else { "" }
}

fn seed(name: &str, kind: &str) -> String {
    std::fs::read_to_string(format!("tests/seed/{name}.{kind}")).expect("an example")
}

/// The body in a curl command of the page; null if it has none.
fn body_of(command: &str) -> Value {
    let Some((_, rest)) = command.split_once("--data-binary $'") else { return Value::Null };
    let (body, _) = rest.split_once('\'').expect("the end of the body");
    serde_json::from_str(&body.replace("\\n", "\n")).expect("JSON")
}
