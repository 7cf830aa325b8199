//! Bodies that no client should send, at every door that takes one: each gets the contract's error, naming the member,
//! and changes nothing.

mod endpoints;
mod every_operation;
mod wrong_values;

use crate::support::appliance::{Appliance, id};
use crate::support::client::Answer;
use crate::support::visible_state::Picture;
use endpoints::{Door, furnished, with, without};
use serde_json::{Value, json};

#[test]
fn the_good_bodies_are_good_and_unknown_members_do_not_matter() {
    let furnished = furnished();
    let before = Picture::of(&furnished.admin);
    for door in furnished.doors().iter().filter(|door| door.tries) {
        for body in [door.good.clone(), with(door.good.clone(), &json!({"surely unknown": {"a": [1, {}]}}))] {
            let answer = door.send(&furnished.admin, &body, "?dry_run=true");
            assert!([200, 201].contains(&answer.status), "{} {body}: {}", door.path, answer.text);
        }
    }
    assert_eq!(Picture::of(&furnished.admin), before);
}

#[test]
fn what_is_not_a_json_object_in_utf_8_is_refused_at_every_door() {
    let furnished = furnished();
    let before = Picture::of(&furnished.admin);
    for door in furnished.doors() {
        let member = door.good.as_object().and_then(|good| good.keys().next()).expect("a member").clone();
        let whole = door.good.to_string();
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
            refused(furnished.admin.send(door.method.clone(), &door.path, Some(body)), 400, &door, &shown);
        }
        let large = format!("{{\"{member}\": \"{}\"}}", "a".repeat(2 * 1024 * 1024));
        let answer = furnished.admin.send(door.method.clone(), &door.path, Some(large.into_bytes()));
        // Of those who need no token a short one is taken only.
        let most = if door.tries { "1048576 bytes" } else { "65536 bytes" };
        assert!(answer.refused(413, "NCERRRequestTooLarge").contains(most), "{}", door.path);
    }
    assert_eq!(Picture::of(&furnished.admin), before);
}

#[test]
fn missing_null_empty_mistyped_and_endless_members_are_refused_by_name() {
    let furnished = furnished();
    let before = Picture::of(&furnished.admin);
    for door in furnished.doors() {
        let spoilt = |member: &str, value: Value| with(door.good.clone(), &json!({member: value}));
        let mut cases = Vec::new();
        for member in door.required {
            cases.push((*member, without(door.good.clone(), member)));
            cases.push((*member, spoilt(member, Value::Null)));
            cases.push((*member, spoilt(member, json!(""))));
        }
        for (member, value) in door.good.as_object().expect("members") {
            let wrong = [json!(7), json!(-1.5), json!("text"), json!([{}]), json!({"a": []}), json!(true)];
            for wrong in wrong.into_iter().filter(|wrong| kind(wrong) != kind(value)) {
                cases.push((member, spoilt(member, wrong)));
            }
        }
        for member in door.names {
            cases.push((*member, spoilt(member, json!("é".repeat(256)))));
            cases.push((*member, spoilt(member, json!("x".repeat(500_000)))));
        }
        for (member, body) in cases {
            let message = refused(door.send(&furnished.admin, &body, ""), 400, &door, &body.to_string());
            assert!(message.starts_with(member), "{} {body}: {message}", door.path);
        }
    }
    assert_eq!(Picture::of(&furnished.admin), before);
}

#[test]
fn values_that_cannot_be_meant_are_refused_by_name() {
    let furnished = furnished();
    let admin = &furnished.admin;
    let before = Picture::of(admin);
    let doors = furnished.doors();
    let mut untried: Vec<&str> = doors.iter().map(|door| door.path.as_str()).collect();
    for (path, member, wrong, status, text) in furnished.wrong_values() {
        let mut doors = doors.iter().filter(|door| door.path.ends_with(path));
        let door = doors.next().unwrap_or_else(|| panic!("no door {path}"));
        let body = with(door.good.clone(), &wrong);
        let message = refused(door.send(admin, &body, ""), status, door, &body.to_string());
        assert!(message.contains(member) && message.contains(text), "{path} {wrong}: {message}");
        untried.retain(|tried| *tried != door.path);
    }
    assert_eq!(untried, ["/v1/auth/revoke"], "doors without a wrong value");
    assert_eq!(Picture::of(admin), before);
    let refresh = json!({"grant_type": "refresh_token", "refresh_token": "never made"});
    furnished.appliance.nobody().post("/v1/auth/tokens", refresh).refused(401, "NCERRUnauthorized");
    let missing = admin.post("/v1/auth/tokens", json!({"grant_type": "refresh_token"}));
    assert!(missing.refused(400, "NCERRInvalidParamValue").starts_with("refresh_token"));
}

#[test]
fn a_connection_that_is_used_stays() {
    let furnished = furnished();
    let before = Picture::of(&furnished.admin);
    let path = "/v1/connectionmgmt/services/aws/connections/test_aws-connection";
    let message = furnished.admin.delete(path).refused(409, "NCERRConflict");
    assert!(message.contains("`first`") && message.contains("`second`"), "{message}");
    assert_eq!(Picture::of(&furnished.admin), before);
    for kms in [&furnished.kms, &furnished.other_kms] {
        furnished.admin.delete(&format!("/v1/cckm/aws/kms/{kms}")).expect(204);
    }
    furnished.admin.delete(path).expect(204);
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

/// Asserts the contract's error of this status; gives its message.
#[track_caller]
fn refused(answer: Answer, status: u16, door: &Door, body: &str) -> String {
    let shown: String = body.chars().take(300).collect();
    assert_eq!(answer.status, status, "{} {} {shown}: {}", door.method, door.path, answer.text);
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

/// Values of one kind are taken for each other.
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
