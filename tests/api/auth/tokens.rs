//! Tokens: their claims, the texts that are rejected as tokens, and the end of their validity; also passwords and
//! lockout at the same endpoint.

use crate::support::appliance::{Appliance, PASSWORD, id, program, subject, user_id};
use crate::support::client::{Answer, Client};
use crate::support::visible_state::events;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const TOKENS: &str = "/v1/auth/tokens";
const SELF: &str = "/v1/auth/self/user";
const NEW_PASSWORD: &str = "Another-secret-4-tests";

#[test]
fn an_invalid_token_is_refused_with_its_reason() {
    let appliance = Appliance::start();
    let (nobody, admin) = (appliance.nobody(), appliance.admin());
    let good = admin.token().to_owned();
    let [header, payload, signature] = parts(&good);
    let claims = json_of(&payload);
    let signed = |algorithm, key: &str| {
        jsonwebtoken::encode(&Header::new(algorithm), &claims, &EncodingKey::from_secret(key.as_bytes()))
            .expect("signed")
    };
    let headed = |header: Value, signature: &str| format!("{}.{payload}.{signature}", text_of(&header));
    let mut later = claims.clone();
    later["exp"] = json!(claims["exp"].as_i64().expect("an end") + 86_400);
    let mut somebody = claims.clone();
    somebody["sub"] = json!("local|00000000-0000-4000-8000-000000000000");
    let elsewhere = Appliance::start().admin().token().to_owned();

    for (authorization, reason) in [
        ("Basic YWRtaW46YWRtaW4=".to_owned(), "no token"),
        ("Bearer".to_owned(), "no token"),
        (good.clone(), "no token"),
        ("Bearer x".to_owned(), "not a JWT"),
        ("Bearer a.b.c".to_owned(), "not a JWT"),
        (format!("Bearer {header}.{payload}"), "not a JWT"),
        (format!("Bearer {good}.{signature}"), "not a JWT"),
        (format!("Bearer {header}.{payload}."), "signature"),
        (format!("Bearer {header}.{payload}.{}", "A".repeat(43)), "signature"),
        (format!("Bearer {header}.{}.{signature}", text_of(&later)), "signature"),
        (format!("Bearer {header}.{}.{signature}", text_of(&somebody)), "signature"),
        (format!("Bearer {}", signed(Algorithm::HS256, "another key")), "signature"),
        (format!("Bearer {elsewhere}"), "signature"),
        (format!("Bearer {}", signed(Algorithm::HS512, "another key")), "not signed with HS256"),
        (format!("Bearer {}", headed(json!({"alg": "none", "typ": "JWT"}), "")), "not signed with HS256"),
        (format!("Bearer {}", headed(json!({"alg": "None", "typ": "JWT"}), &signature)), "not signed with HS256"),
        (format!("Bearer {}", headed(json!({"alg": "RS256", "typ": "JWT"}), &signature)), "not signed with HS256"),
        (format!("Bearer {}", headed(json!({"typ": "JWT"}), &signature)), "not a JWT"),
    ] {
        let answer = nobody.with_authorization(&authorization).get(SELF);
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        let message = answer.refused(401, "NCERRUnauthorized");
        assert!(message.contains(reason), "{reason} is expected of {authorization}: {message}");
        assert!(!message.contains(&signature));
    }
    assert!(nobody.get(SELF).refused(401, "NCERRUnauthorized").contains("no token"));
    nobody.with_authorization(&format!("bearer  {good}")).get(SELF).expect(200);
}

#[test]
fn the_claims_are_exactly_those_of_the_contract() {
    let appliance = Appliance::start();
    let ann = appliance.member("ann", &["CCKM Users"]);
    let answer = sign_in(&appliance, "ann", json!({}));
    let [header, payload, _] = parts(answer["jwt"].as_str().expect("a token"));
    let (claims, root) = (json_of(&payload), "00000000-0000-0000-0000-000000000000");
    assert_eq!(json_of(&header), json!({"alg": "HS256", "typ": "JWT"}));
    let ours = [&claims["aud"], &claims["jwtid"], &claims["cust"]["sid"]].map(uuid);
    assert_eq!(
        claims,
        json!({
            "aud": ours[0], "sub": subject(&ann), "iss": "kylo", "acc": "kylo", "preferred_username": "ann",
            "cust": {"domain_id": root, "groups": ["CCKM Users"], "sid": ours[2], "zone_id": root},
            "jwtid": ours[1], "iat": claims["iat"], "exp": claims["iat"].as_i64().expect("a time") + 300,
        })
    );
    assert!((chrono::Utc::now().timestamp() - claims["iat"].as_i64().unwrap_or_default()).abs() < 60);
    let another = parts(appliance.admin().token());
    assert_eq!(json_of(&another[1])["aud"], claims["aud"], "one audience for the whole installation");

    let mut members: Vec<_> = answer.as_object().expect("members").keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["client_id", "duration", "jwt", "refresh_token", "refresh_token_id", "token_type"]);
    assert_eq!((&answer["duration"], &answer["token_type"]), (&json!(300), &json!("Bearer")));
    assert_eq!(answer["client_id"].as_str(), Some(ours[2].as_str()));
}

#[test]
fn a_refresh_token_carries_the_session_on_until_it_is_replaced_or_revoked() {
    let appliance = Appliance::start();
    appliance.user("ann");
    let nobody = appliance.nobody();
    let first = sign_in(&appliance, "ann", json!({"labels": ["laptop"], "refresh_token_lifetime": 10}));
    let again = refresh(&nobody, &first, json!({})).expect(200);
    assert_eq!((&again["client_id"], &again["refresh_token"]), (&first["client_id"], &first["refresh_token"]));
    assert_ne!(again["jwt"], first["jwt"]);
    let ann = nobody.with_token(again["jwt"].as_str().expect("a token"));
    assert_eq!(ann.get(SELF).expect(200)["username"], "ann");

    let token = format!("{TOKENS}/{}", again["refresh_token_id"].as_str().expect("an id"));
    let shown = ann.get(&token).expect(200);
    assert_eq!((&shown["labels"], &shown["user_id"]), (&json!(["laptop"]), &json!(subject(&ann))));
    assert!(shown["expires_at"].is_string() && !shown.to_string().contains(&text(&first["refresh_token"])));

    let renewed = refresh(&nobody, &again, json!({"renew_refresh_token": true})).expect(200);
    assert_eq!(renewed["client_id"], first["client_id"]);
    assert_ne!(renewed["refresh_token"], first["refresh_token"]);
    assert_ne!(renewed["refresh_token_id"], first["refresh_token_id"]);
    ann.get(&token).refused(404, "NCERRResourceNotFound");

    let body = json!({"refresh_token": renewed["refresh_token"]});
    for _ in 0..2 {
        nobody.post("/v1/auth/revoke", body.clone()).expect(204);
    }
    refresh(&nobody, &renewed, json!({})).refused(401, "NCERRUnauthorized");
    assert!(ann.get(SELF).refused(401, "NCERRUnauthorized").contains("session is closed"));
}

#[test]
fn a_replaced_refresh_token_may_come_again_at_once_and_ends_the_session_later() {
    let appliance = Appliance::start();
    appliance.user("ann");
    let nobody = appliance.nobody();
    let renew = || json!({"renew_refresh_token": true});
    let first = sign_in(&appliance, "ann", json!({}));
    let renewed = refresh(&nobody, &first, renew()).expect(200);
    // Two tabs, or an answer that was lost: the same new token, whether it was asked to be renewed or not.
    for again in [renew(), json!({})] {
        let again = refresh(&nobody, &first, again).expect(200);
        assert_eq!(again["refresh_token"], renewed["refresh_token"]);
        assert_eq!(again["client_id"], first["client_id"]);
    }
    let present = refresh(&nobody, &renewed, renew()).expect(200);
    let ann = nobody.with_token(present["jwt"].as_str().expect("a token"));
    ann.get(SELF).expect(200);
    thread::sleep(Duration::from_secs(32));
    let admin = appliance.admin();
    let before = events(&admin);
    for _ in 0..2 {
        refresh(&nobody, &first, json!({})).refused(401, "NCERRUnauthorized");
        assert!(ann.get(SELF).refused(401, "NCERRUnauthorized").contains("session is closed"));
    }
    refresh(&nobody, &present, json!({})).refused(401, "NCERRUnauthorized");
    assert_eq!(events(&admin), before + 1, "the end of the session");
    assert_eq!(admin.get("/v1/audit/records?event=RefreshReused").expect(200)["total"], 1);
}

#[test]
fn refreshes_do_not_fill_the_log() {
    let appliance = Appliance::start();
    appliance.user("ann");
    let nobody = appliance.nobody();
    let session = sign_in(&appliance, "ann", json!({}));
    let admin = appliance.admin();
    let before = events(&admin);
    for _ in 0..50 {
        refresh(&nobody, &session, json!({})).expect(200);
    }
    assert_eq!(events(&admin), before);
    // Nor by replacing the token each time: after five, the present one is answered.
    let mut session = session;
    for _ in 0..50 {
        session = refresh(&nobody, &session, json!({"renew_refresh_token": true})).expect(200);
    }
    assert_eq!(events(&admin), before + 5);
}

#[test]
fn tokens_are_listed_and_revoked_by_their_owner_and_by_administrators() {
    let appliance = Appliance::start();
    let (ann, bob, admin) = (appliance.user("ann"), appliance.user("bob"), appliance.admin());
    let of = |who: &Client, query: &str| who.get(&format!("{TOKENS}{query}")).expect(200)["resources"].take();
    let anns = of(&ann, "");
    assert_eq!(anns.as_array().map(Vec::len), Some(1));
    let path = format!("{TOKENS}/{}", id(&anns[0]));
    bob.get(&path).refused(404, "NCERRResourceNotFound");
    bob.delete(&path).refused(404, "NCERRResourceNotFound");
    let all = of(&admin, "?limit=-1");
    let ids: Vec<_> = all.as_array().expect("rows").iter().map(id).collect();
    assert!(ids.contains(&id(&anns[0])) && ids.contains(&id(&of(&bob, "")[0])), "{all}");
    let newest = of(&admin, "?limit=1&sort=-createdAt");
    assert_eq!(newest[0], all[all.as_array().map_or(0, Vec::len) - 1]);
    let mut shown = admin.get(&path).expect(200);
    assert_eq!((&shown["current"], &anns[0]["current"]), (&json!(false), &json!(true)));
    shown["current"] = json!(true);
    assert_eq!(shown, anns[0]);
    admin.delete(&format!("{path}?dry_run=true")).expect(204);
    ann.get(SELF).expect(200);
    admin.delete(&path).expect(204);
    assert!(ann.get(SELF).refused(401, "NCERRUnauthorized").contains("session is closed"));
    admin.delete(&path).refused(404, "NCERRResourceNotFound");
    let own = format!("{TOKENS}/{}", id(&of(&bob, "")[0]));
    bob.delete(&own).expect(204);
    bob.get(SELF).refused(401, "NCERRUnauthorized");
}

#[test]
fn tokens_of_removed_users_are_refused_and_groups_are_current() {
    let appliance = Appliance::start();
    let (ann, admin) = (appliance.user("ann"), appliance.admin());
    let member = format!("/v1/usermgmt/groups/User%20Admins/users/{}", user_id(&ann));
    ann.get("/v1/usermgmt/users").refused(403, "NCERRInsufficientPermissions");
    admin.post(&member, json!({})).expect(200);
    ann.get("/v1/usermgmt/users").expect(200);
    admin.delete(&member).expect(204);
    ann.get("/v1/usermgmt/users").refused(403, "NCERRInsufficientPermissions");
    let session = sign_in(&appliance, "ann", json!({}));
    admin.delete(&format!("/v1/usermgmt/users/{}", user_id(&ann))).expect(204);
    assert!(ann.get(SELF).refused(401, "NCERRUnauthorized").contains("session is closed"));
    refresh(&appliance.nobody(), &session, json!({})).refused(401, "NCERRUnauthorized");
    // A new user of the same name is another user.
    appliance.user("ann");
    ann.get(SELF).refused(401, "NCERRUnauthorized");
}

#[test]
fn a_password_is_changed_without_a_token() {
    let appliance = Appliance::start();
    appliance.user("ann");
    let nobody = appliance.nobody();
    let change = |from: &str, to: &str| {
        nobody.patch("/v1/auth/changepw", json!({"username": "ann", "password": from, "new_password": to}))
    };
    change("wrong", NEW_PASSWORD).refused(401, "NCERRUnauthorized");
    assert!(change(PASSWORD, PASSWORD).refused(422, "NCERRUnprocessableEntity").contains("differ"));
    assert!(change(PASSWORD, "Short-1").refused(422, "NCERRUnprocessableEntity").contains("12"));
    change(PASSWORD, NEW_PASSWORD).expect(204);
    nobody.post(TOKENS, json!({"username": "ann", "password": PASSWORD})).refused(401, "NCERRUnauthorized");
    nobody.sign_in("ANN", NEW_PASSWORD).get(SELF).expect(200);
}

#[test]
fn a_password_whose_hash_is_outdated_can_be_changed_as_any_other() {
    let mut appliance = Appliance::start();
    appliance.user("ann");
    appliance.terminate();
    appliance.restart_with(&[("CLAVIGER_PASSWORDS_ITERATIONS", "2")]);
    let nobody = appliance.nobody();
    let change = json!({"username": "ann", "password": PASSWORD, "new_password": NEW_PASSWORD});
    nobody.patch("/v1/auth/changepw", change).expect(204);
    nobody.sign_in("ann", NEW_PASSWORD);
}

#[test]
fn a_user_who_must_change_the_password_can_do_nothing_else() {
    let appliance = Appliance::start();
    let (admin, nobody) = (appliance.admin(), appliance.nobody());
    let ann = appliance.user("ann");
    let path = format!("/v1/usermgmt/users/{}", user_id(&ann));
    let marked = admin.patch(&path, json!({"password_change_required": true})).expect(200);
    assert_eq!(marked["password_change_required"], true);
    assert!(
        ann.get(SELF).refused(401, "NCERRUnauthorized").contains("/v1/auth/changepw"),
        "an old token is no way around"
    );
    let body = json!({"username": "ann", "password": PASSWORD});
    assert!(nobody.post(TOKENS, body).refused(401, "NCERRUnauthorized").contains("/v1/auth/changepw"));
    let body = json!({"username": "ann", "password": PASSWORD, "new_password": NEW_PASSWORD});
    nobody.patch("/v1/auth/changepw", body).expect(204);
    assert_eq!(nobody.sign_in("ann", NEW_PASSWORD).get(SELF).expect(200)["password_change_required"], false);
}

/// A child process; killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_new_services_administrator_must_change_the_first_password() {
    let home = tempfile::TempDir::new().expect("a directory");
    let (data, log) = (home.path().join("data"), home.path().join("log"));
    let service = program()
        .arg("serve")
        .env("CLAVIGER_ADMIN_PASSWORD", PASSWORD)
        .env("CLAVIGER_SERVER_LISTEN", "127.0.0.1:0")
        .env("CLAVIGER_STORAGE_DATA_DIR", &data)
        .env("CLAVIGER_LOG_FORMAT", "json")
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).expect("a log"))
        .spawn();
    let _running = Running(service.expect("the program starts"));
    let address = wait_until_ready(&log);
    let pem = std::fs::read(data.join("tls.crt")).expect("the certificate");
    let nobody = Client::nobody(&format!("https://{address}"), &pem);

    let first = nobody.post(TOKENS, json!({"username": "admin", "password": PASSWORD}));
    assert!(first.refused(401, "NCERRUnauthorized").contains("/v1/auth/changepw"));
    let body = json!({"username": "admin", "password": PASSWORD, "new_password": NEW_PASSWORD});
    nobody.patch("/v1/auth/changepw", body).expect(204);
    nobody.sign_in("admin", NEW_PASSWORD).get("/v1/usermgmt/users").expect(200);
}

/// Waits until the log has the address of the server.
fn wait_until_ready(log: &Path) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let ready = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|line| {
            let fields = line.get("fields").unwrap_or(&line);
            (fields["message"] == "ready").then(|| fields["address"].as_str().map(str::to_owned))?
        });
        if let Some(address) = ready {
            return address;
        }
        assert!(Instant::now() < deadline, "the service did not get ready; its log:\n{text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn failures_lock_names_alike_whether_anybody_has_them() {
    let appliance = Appliance::start();
    let (admin, nobody) = (appliance.admin(), appliance.nobody());
    let ann = appliance.user("ann");
    let policy = json!({"failed_logins_lockout_thresholds": [0, 0, 2]});
    admin.patch("/v1/usermgmt/pwdpolicies/global", policy).expect(200);
    let fail = |name: &str| nobody.post(TOKENS, json!({"username": name, "password": "wrong"}));
    let normalised = |answer: Answer| {
        let seconds = answer.headers.get("retry-after").map(|after| after.to_str().expect("a text").to_owned());
        let waits = seconds.as_deref().map(|seconds| (1..=120).contains(&seconds.parse::<u64>().expect("seconds")));
        let text = answer.text.replace(&seconds.unwrap_or_else(|| "no seconds".to_owned()), "N");
        (answer.status, waits, text)
    };
    for expected in [401, 401, 401, 429, 429] {
        let (known, stranger) = (normalised(fail("ann")), normalised(fail("nobody at all")));
        assert_eq!(known, stranger);
        assert_eq!((known.0, known.1), (expected, (expected == 429).then_some(true)), "{}", known.2);
    }
    let right = json!({"username": "Ann", "password": PASSWORD, "new_password": NEW_PASSWORD});
    nobody.post(TOKENS, right.clone()).refused(429, "NCERRTooManyRequests");
    nobody.patch("/v1/auth/changepw", right.clone()).refused(429, "NCERRTooManyRequests");
    ann.get(SELF).expect(200);

    let path = format!("/v1/usermgmt/users/{}", user_id(&ann));
    let shown = admin.get(&path).expect(200);
    assert!(shown["account_lockout_at"].is_string() && shown["failed_logins_count"] == 3, "{shown}");
    let forgiven = admin.patch(&path, json!({"failed_logins_count": 0})).expect(200);
    assert_eq!((&forgiven["account_lockout_at"], &forgiven["failed_logins_count"]), (&Value::Null, &json!(0)));
    nobody.post(TOKENS, right).expect(200);
}

#[test]
fn names_are_unlocked_alike_by_a_restart_whether_anybody_has_them() {
    let mut appliance = Appliance::start();
    appliance.user("ann");
    let policy = json!({"failed_logins_lockout_thresholds": [0, 60]});
    appliance.admin().patch("/v1/usermgmt/pwdpolicies/global", policy).expect(200);
    let fail = |appliance: &Appliance, name: &str| {
        let answer = appliance.nobody().post(TOKENS, json!({"username": name, "password": "wrong"}));
        answer.status
    };
    for life in 0..2 {
        let known: Vec<_> = (0..3).map(|_| fail(&appliance, "ann")).collect();
        let stranger: Vec<_> = (0..3).map(|_| fail(&appliance, "eve")).collect();
        assert_eq!((known, stranger), (vec![401, 401, 429], vec![401, 401, 429]), "life {life}");
        appliance.terminate();
        appliance.restart();
    }
    let shown = appliance.admin().get("/v1/usermgmt/users?username=ann").expect(200)["resources"][0].clone();
    assert_eq!((&shown["failed_logins_count"], &shown["account_lockout_at"]), (&json!(4), &Value::Null));
}

#[test]
fn concurrent_guesses_count_like_sequential_ones() {
    let appliance = Appliance::start();
    for known in ["ann", "bob"] {
        appliance.user(known);
    }
    for (name, method, path) in
        [("ann", Method::POST, TOKENS), ("eve", Method::POST, TOKENS), ("bob", Method::PATCH, "/v1/auth/changepw")]
    {
        let guess = |n: usize| {
            let body = json!({"username": name, "password": format!("wrong {n}"), "new_password": NEW_PASSWORD});
            appliance.nobody().send(method.clone(), path, Some(body.to_string().into_bytes())).status
        };
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let guess = &guess;
            let all: Vec<_> = (0..40).map(|n| scope.spawn(move || guess(n))).collect();
            all.into_iter().map(|one| one.join().expect("an answer")).collect()
        });
        let count = |status| statuses.iter().filter(|other| **other == status).count();
        // The default policy locks after five failed logins.
        assert_eq!((count(401), count(429)), (5, 35), "{name} {path}: {statuses:?}");
    }
}

fn sign_in(appliance: &Appliance, name: &str, more: Value) -> Value {
    let mut body = json!({"username": name, "password": PASSWORD});
    for (member, value) in more.as_object().expect("members") {
        body[member] = value.clone();
    }
    appliance.nobody().post(TOKENS, body).expect(200)
}

fn refresh(nobody: &Client, session: &Value, more: Value) -> Answer {
    let mut body = json!({"grant_type": "refresh_token", "refresh_token": session["refresh_token"]});
    for (member, value) in more.as_object().expect("members") {
        body[member] = value.clone();
    }
    nobody.post(TOKENS, body)
}

fn parts(token: &str) -> [String; 3] {
    let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    parts.try_into().expect("three parts")
}

fn json_of(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

fn text_of(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn uuid(value: &Value) -> String {
    let text = text(value);
    assert_eq!(uuid::Uuid::parse_str(&text).map(|uuid| uuid.get_version_num()), Ok(4), "{text}");
    text
}
