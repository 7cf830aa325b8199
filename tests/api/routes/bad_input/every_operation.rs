//! Every operation in the description of the API, with invalid requests. The tests of each endpoint check the messages;
//! the tests here check that no request breaks the server, that every error has the contract's format, and that no
//! operation is left out.

use crate::support::appliance::{Appliance, id, user_id};
use crate::support::client::{Answer, Client};
use crate::support::visible_state::VisibleState;
use reqwest::Method;
use serde_json::{Value, json};

/// The id of nothing.
const NOTHING: &str = "00000000-0000-4000-8000-000000000000";

/// An operation in the description.
struct Operation {
    method: Method,
    path: String,
    /// The members of its body; `None` if it takes no body.
    members: Option<Vec<String>>,
    /// Whether the body is optional.
    takes_none: bool,
}

/// An appliance with a resource of each kind that a path can name.
struct Fixture {
    admin: Client,
    document: Value,
    paths: Vec<(&'static str, String)>,
    _appliance: Appliance,
}

impl Fixture {
    fn start() -> Self {
        let appliance = Appliance::start();
        let admin = appliance.admin();
        let made = |path: &str, body: Value| id(&admin.post(path, body).expect(201));
        let kms = appliance.kms("kms", &["eu-west-3"]);
        let key = made("/v1/cckm/aws/keys", json!({"kms": "kms", "region": "eu-west-3", "aws_param": {"Alias": "a"}}));
        let source = made("/v1/vault/keys2", json!({"name": "source"}));
        let template = made("/v1/cckm/aws/templates", json!({"name": "t", "kms": "kms", "key_users": ["user1"]}));
        let hyok = json!({"name": "hyok", "algorithm": "AES", "unexportable": true, "undeletable": true});
        let hyok = made("/v1/vault/keys2", hyok);
        let store = json!({"name": "xks", "kms": "kms", "region": "eu-west-3",
            "aws_param": {"xks_proxy_uri_endpoint": "https://xks.example.com"},
            "local_hosted_params": {"health_check_key_id": hyok, "max_credentials": 2}});
        let store = made("/v1/cckm/aws/custom-key-stores", store);
        let schedule = json!({"name": "s", "operation": "cckm_key_rotation", "run_at": "0 3 1 1 *"});
        let schedule = made("/v1/scheduler/job-configs", schedule);
        let ann = user_id(&appliance.user("ann"));
        admin.post("/v1/usermgmt/groups", json!({"name": "officers"})).expect(201);
        let webhook = made("/v1/alarms/webhooks", json!({"name": "w", "url": "https://alarms.example.org/"}));
        let syslog = made("/v1/configs/syslogs", json!({"host": "syslog.example.org", "transport": "udp"}));
        let document = admin.get("/v1/openapi.json").expect(200);
        let paths = vec![
            ("/cckm/aws/kms/{id}", format!("/cckm/aws/kms/{kms}")),
            ("/cckm/aws/keys/{id}", format!("/cckm/aws/keys/{key}")),
            ("/vault/keys2/{id}", format!("/vault/keys2/{source}")),
            ("/cckm/aws/templates/{id}", format!("/cckm/aws/templates/{template}")),
            ("/cckm/aws/custom-key-stores/{id}", format!("/cckm/aws/custom-key-stores/{store}")),
            ("/scheduler/job-configs/{id}", format!("/scheduler/job-configs/{schedule}")),
            ("/webhooks/{id}", format!("/webhooks/{webhook}")),
            ("/syslogs/{id}", format!("/syslogs/{syslog}")),
            ("{request}", "00000000-0000-4000-8000-000000000001".to_owned()),
            ("/connections/{id}", "/connections/test_aws-connection".to_owned()),
            ("{name}", "officers".to_owned()),
            ("/users/{id}", format!("/users/{ann}")),
            ("{user_id}", ann),
            ("{id}", NOTHING.to_owned()),
        ];
        Self { admin, document, paths, _appliance: appliance }
    }

    /// All operations, with paths that name existing resources.
    fn operations(&self) -> Vec<Operation> {
        let paths = self.document["paths"].as_object().expect("paths");
        let all = paths.iter().flat_map(|(path, item)| {
            item.as_object().expect("operations").iter().map(move |(method, operation)| (method, path, operation))
        });
        all.map(|(method, path, operation)| Operation {
            method: method.to_uppercase().parse().expect("a method"),
            path: self.paths.iter().fold(path.clone(), |path, (name, there)| path.replace(name, there)),
            members: operation
                .get("requestBody")
                .map(|body| self.members(&body["content"]["application/json"]["schema"])),
            takes_none: operation["requestBody"]["required"] != json!(true),
        })
        .collect()
    }

    /// The members of a schema, including those of its parts.
    fn members(&self, schema: &Value) -> Vec<String> {
        let schema = match schema["$ref"].as_str() {
            Some(reference) => self.document.pointer(reference.trim_start_matches('#')).expect("a schema"),
            None => schema,
        };
        let parts = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|part| schema[part].as_array()).flatten();
        let own = schema["properties"].as_object().into_iter().flat_map(|own| own.keys().cloned());
        own.chain(parts.flat_map(|part| self.members(part))).collect()
    }

    /// Sends a request, and checks the answer.
    #[track_caller]
    fn send(&self, operation: &Operation, query: &str, body: &[u8]) -> Answer {
        let path = format!("{}{query}", operation.path.trim_start_matches("/api"));
        let answer = self.admin.send(operation.method.clone(), &path, Some(body.to_vec()));
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]);
        let shown = format!("{} {path} {shown}: {} {}", operation.method, answer.status, answer.text);
        assert!(answer.status < 500 || answer.status == 502, "{shown}");
        if answer.status >= 400 {
            let has = |member: &str, is: fn(&Value) -> bool| answer.body.get(member).is_some_and(is);
            assert!(has("code", Value::is_u64) && has("codeDesc", Value::is_string), "{shown}");
            assert!(has("message", Value::is_string) && has("reason", Value::is_string), "{shown}");
        }
        answer
    }
}

#[test]
fn every_operation_refuses_a_body_that_is_not_a_json_object() {
    let fixture = Fixture::start();
    let before = VisibleState::of(&fixture.admin);
    let operations = fixture.operations();
    let with_body: Vec<_> = operations.iter().filter(|operation| operation.members.is_some()).collect();
    assert!(operations.len() > 100 && with_body.len() > 40, "{} {}", operations.len(), with_body.len());
    let deep = "[".repeat(20_000);
    for operation in with_body {
        for body in [b"[]", b"null".as_slice(), b"\"x\"", b"7", b"{", b"{\"a\": \"\xff\"}", b"{} x", deep.as_bytes()] {
            assert_eq!(fixture.send(operation, "", body).status, 400, "{} {}", operation.method, operation.path);
        }
        if !operation.takes_none {
            assert_eq!(fixture.send(operation, "", b"").status, 400, "{} {}", operation.method, operation.path);
        }
        let large = format!("{{\"a\": \"{}\"}}", "a".repeat(2 * 1024 * 1024));
        assert_eq!(fixture.send(operation, "", large.as_bytes()).status, 413, "{}", operation.path);
    }
    assert_eq!(VisibleState::of(&fixture.admin), before);
}

#[test]
fn no_member_of_any_body_breaks_anything() {
    let fixture = Fixture::start();
    let before = VisibleState::of(&fixture.admin);
    let wrong = [
        json!(null),
        json!(true),
        json!(-1.5),
        json!(u64::MAX),
        json!(""),
        json!("x".repeat(300)),
        json!("é".repeat(70_000)),
        json!([]),
        json!([{}]),
        json!([null]),
        json!({}),
        json!({"a": [1]}),
    ];
    for operation in fixture.operations() {
        for member in operation.members.iter().flatten() {
            for wrong in &wrong {
                let body = json!({ member: wrong }).to_string();
                // A body that happens to be valid is a dry run; operations without dry run refuse it.
                fixture.send(&operation, "?dry_run=true", body.as_bytes());
            }
        }
    }
    assert_eq!(VisibleState::of(&fixture.admin), before);
}

#[test]
fn no_path_and_no_query_breaks_anything() {
    let fixture = Fixture::start();
    let before = VisibleState::of(&fixture.admin);
    let names = ["%00", "%2e%2e", "a%2Fb", "%ff", "*", "%F0%9F%98%80", "none"].map(str::to_owned);
    for mut operation in fixture.operations() {
        for query in ["?dry_run=true&limit=x", "?dry_run=true&skip=-1&sort=%00", "?dry_run=true&at=x&id=%ff&name=%"] {
            fixture.send(&operation, query, b"{}");
        }
        let whole = operation.path.clone();
        let Some((place, _)) = whole.match_indices('/').find(|(at, _)| is_name(&whole[at + 1..])) else { continue };
        let (head, rest) = whole.split_at(place + 1);
        let rest = rest.find('/').map_or("", |end| &rest[end..]);
        for name in names.iter().cloned().chain(["A".repeat(3_000)]) {
            operation.path = format!("{head}{name}{rest}");
            fixture.send(&operation, "?dry_run=true", b"{}");
        }
    }
    assert_eq!(VisibleState::of(&fixture.admin), before);
}

#[test]
fn every_change_refuses_foreign_origins_and_unknown_members_of_the_query() {
    let fixture = Fixture::start();
    let before = VisibleState::of(&fixture.admin);
    let changes: Vec<_> =
        fixture.operations().into_iter().filter(|operation| operation.method != Method::GET).collect();
    assert!(changes.len() > 100, "{}", changes.len());
    for change in changes {
        for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
            let foreign = fixture.admin.with_header(name, value);
            let answer =
                foreign.send(change.method.clone(), change.path.trim_start_matches("/api"), Some(b"{}".to_vec()));
            let seen = (answer.status, answer.body["reason"].as_str());
            assert_eq!(seen, (403, Some("origin_foreign")), "{} {} {name}", change.method, change.path);
        }
        for query in ["?DRY_RUN=true", "?x=1", "?x=1;dry_run=true", "?dry_run=true&no_such_member="] {
            let answer = fixture.send(&change, query, b"{}");
            let message = answer.body["message"].as_str().unwrap_or_default();
            let refused = answer.status == 400 && message.contains("no such member in its query");
            // What does not exist may be named first.
            let nothing = answer.status == 404 && change.path.contains(NOTHING);
            assert!(refused || nothing, "{} {}{query}: {}", change.method, change.path, answer.text);
        }
    }
    assert_eq!(VisibleState::of(&fixture.admin), before);
}

/// Whether a path continues here with the id of a resource of the fixture.
fn is_name(rest: &str) -> bool {
    let part = rest.split('/').next().unwrap_or_default();
    part == "officers" || part == "test_aws-connection" || part.matches('-').count() == 4
}
