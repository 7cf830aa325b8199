//! Invalid bodies, at every endpoint that takes a body: each gets the contract's error, which names the member, and
//! changes nothing.

mod endpoints;
mod every_operation;
mod wrong_values;

use crate::support::appliance::{Appliance, id};
use crate::support::client::Answer;
use crate::support::visible_state::VisibleState;
use endpoints::{Endpoint, fixture, with, without};
use serde_json::{Value, json};

#[test]
fn the_good_bodies_are_good_and_unknown_members_do_not_matter() {
    let fixture = fixture();
    let before = VisibleState::of(&fixture.admin);
    for endpoint in fixture.endpoints().iter().filter(|endpoint| endpoint.dry_run) {
        for body in [endpoint.good.clone(), with(endpoint.good.clone(), &json!({"surely unknown": {"a": [1, {}]}}))] {
            let answer = endpoint.send(&fixture.admin, &body, "?dry_run=true");
            assert!([200, 201, 202].contains(&answer.status), "{} {body}: {}", endpoint.path, answer.text);
        }
    }
    assert_eq!(VisibleState::of(&fixture.admin), before);
}

#[test]
fn every_endpoint_refuses_a_body_that_is_not_a_json_object_in_utf_8() {
    let fixture = fixture();
    let before = VisibleState::of(&fixture.admin);
    for endpoint in fixture.endpoints() {
        let member = endpoint.good.as_object().and_then(|good| good.keys().next()).expect("a member").clone();
        let whole = endpoint.good.to_string();
        let deep = format!("{{\"{member}\": {}{}}}", "[".repeat(20_000), "]".repeat(20_000));
        let bodies: [Vec<u8>; 12] = [
            vec![],
            b" ".to_vec(),
            b"[]".to_vec(),
            b"null".to_vec(),
            b"\"text\"".to_vec(),
            format!("[{whole}]").into_bytes(),
            format!("{whole} x").into_bytes(),
            whole.as_bytes()[..whole.len() - 1].to_vec(),
            format!("{{\"{member}\": \"a\", \"{member}\": \"b\"}}").into_bytes(),
            format!("{{\"{member}\": 'a'}}").into_bytes(),
            [b"{\"", member.as_bytes(), b"\": \"\xff\xfe\"}"].concat(),
            deep.into_bytes(),
        ];
        for body in bodies {
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            refused(fixture.admin.send(endpoint.method.clone(), &endpoint.path, Some(body)), 400, &endpoint, &shown);
        }
        let large = format!("{{\"{member}\": \"{}\"}}", "a".repeat(2 * 1024 * 1024));
        let answer = fixture.admin.send(endpoint.method.clone(), &endpoint.path, Some(large.into_bytes()));
        // Without a token only a short body is accepted.
        let most = if endpoint.dry_run { "1048576 bytes" } else { "65536 bytes" };
        assert!(answer.refused(413, "NCERRRequestTooLarge").contains(most), "{}", endpoint.path);
    }
    assert_eq!(VisibleState::of(&fixture.admin), before);
}

#[test]
fn missing_null_empty_mistyped_and_endless_members_are_refused_by_name() {
    let fixture = fixture();
    let before = VisibleState::of(&fixture.admin);
    for endpoint in fixture.endpoints() {
        let spoilt = |member: &str, value: Value| with(endpoint.good.clone(), &json!({member: value}));
        let mut cases = Vec::new();
        for member in endpoint.required {
            cases.push((*member, without(endpoint.good.clone(), member)));
            cases.push((*member, spoilt(member, Value::Null)));
            cases.push((*member, spoilt(member, json!(""))));
        }
        for (member, value) in endpoint.good.as_object().expect("members") {
            let wrong = [json!(7), json!(-1.5), json!("text"), json!([{}]), json!({"a": []}), json!(true)];
            for wrong in wrong.into_iter().filter(|wrong| kind(wrong) != kind(value)) {
                cases.push((member, spoilt(member, wrong)));
            }
        }
        for member in endpoint.names {
            cases.push((*member, spoilt(member, json!("é".repeat(256)))));
            cases.push((*member, spoilt(member, json!("x".repeat(500_000)))));
        }
        for (member, body) in cases {
            let message = refused(endpoint.send(&fixture.admin, &body, ""), 400, &endpoint, &body.to_string());
            assert!(message.starts_with(member), "{} {body}: {message}", endpoint.path);
        }
    }
    assert_eq!(VisibleState::of(&fixture.admin), before);
}

#[test]
fn values_that_cannot_be_meant_are_refused_by_name() {
    let fixture = fixture();
    let admin = &fixture.admin;
    let before = VisibleState::of(admin);
    let endpoints = fixture.endpoints();
    let mut untried: Vec<&str> = endpoints.iter().map(|endpoint| endpoint.path.as_str()).collect();
    for (path, member, wrong, status, text) in fixture.wrong_values() {
        let mut endpoints = endpoints.iter().filter(|endpoint| endpoint.path.ends_with(path));
        let endpoint = endpoints.next().unwrap_or_else(|| panic!("no endpoint {path}"));
        let body = with(endpoint.good.clone(), &wrong);
        let message = refused(endpoint.send(admin, &body, ""), status, endpoint, &body.to_string());
        assert!(message.contains(member) && message.contains(text), "{path} {wrong}: {message}");
        untried.retain(|tried| *tried != endpoint.path);
    }
    assert_eq!(untried, ["/v1/auth/revoke"], "endpoints without a wrong value");
    assert_eq!(VisibleState::of(admin), before);
    let refresh = json!({"grant_type": "refresh_token", "refresh_token": "never made"});
    fixture.appliance.nobody().post("/v1/auth/tokens", refresh).refused(401, "NCERRUnauthorized");
    let missing = admin.post("/v1/auth/tokens", json!({"grant_type": "refresh_token"}));
    assert!(missing.refused(400, "NCERRInvalidParamValue").starts_with("refresh_token"));
}

#[test]
fn a_connection_that_is_used_stays() {
    let fixture = fixture();
    let before = VisibleState::of(&fixture.admin);
    let path = "/v1/connectionmgmt/services/aws/connections/test_aws-connection";
    let message = fixture.admin.delete(path).refused(409, "NCERRConflict");
    assert!(message.contains("`first`") && message.contains("`second`"), "{message}");
    assert_eq!(VisibleState::of(&fixture.admin), before);
    for kms in [&fixture.kms, &fixture.other_kms] {
        fixture.admin.delete(&format!("/v1/cckm/aws/kms/{kms}")).expect(204);
    }
    fixture.admin.delete(path).expect(204);
}

#[test]
fn names_may_have_255_characters_of_any_script() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let name = "é".repeat(255);
    let id = id(&admin
        .post(
            "/v1/connectionmgmt/services/aws/connections",
            json!({"name": name,
        "access_key_id": "AKIALABUSER1ONLYLAB1", "secret_access_key": "s"}),
        )
        .expect(201));
    let body = json!({"name": "ключ 🔑 / %2F?#"});
    admin.post("/v1/usermgmt/groups", body.clone()).expect(201);
    let group = "/v1/usermgmt/groups/%D0%BA%D0%BB%D1%8E%D1%87%20%F0%9F%94%91%20%2F%20%252F%3F%23";
    assert_eq!(admin.get(group).expect(200)["name"], body["name"]);
    let by_name = admin.get(&format!("/v1/connectionmgmt/services/aws/connections/{}", "%C3%A9".repeat(255)));
    assert_eq!(by_name.expect(200)["id"], id.as_str());
}

/// Asserts the contract's error with this status; returns its message.
#[track_caller]
fn refused(answer: Answer, status: u16, endpoint: &Endpoint, body: &str) -> String {
    let shown: String = body.chars().take(300).collect();
    assert_eq!(answer.status, status, "{} {} {shown}: {}", endpoint.method, endpoint.path, answer.text);
    let named = answer.body["codeDesc"].as_str().unwrap_or_default().split(':').next().unwrap_or_default().to_owned();
    let names: &[&str] = match status {
        400 => &["NCERRBadRequest", "NCERRInvalidParamValue"],
        404 => &["NCERRResourceNotFound"],
        409 => &["NCERRConflict"],
        422 => &["NCERRUnprocessableEntity"],
        _ => &["NCERRCloudError"],
    };
    assert!(names.contains(&named.as_str()), "{}", answer.text);
    answer.refused(status, &named)
}

/// The type of a value; values of one type are accepted in the same places.
fn kind(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(number) if number.is_u64() => 2,
        Value::Number(_) => 3,
        Value::String(_) => 4,
        Value::Array(_) => 5,
        Value::Object(_) => 6,
    }
}
