//! The session of a browser: its cookie, its renewal, and its end.

use crate::support::appliance::{Appliance, PASSWORD, user_id};
use crate::support::client::{Answer, Client};
use reqwest::Method;
use serde_json::{Value, json};
use std::thread;
use std::time::Duration;

const TOKENS: &str = "/v1/auth/tokens";
const REVOKE: &str = "/v1/auth/revoke";
const SELF: &str = "/v1/auth/self/user";
const COOKIE: &str = "__Host-claviger-refresh";

/// A client as the pages of the console are one.
fn browser(appliance: &Appliance) -> Client {
    appliance.nobody().with_header("x-claviger-console", "1").with_header("sec-fetch-site", "same-origin")
}

fn sign_in(appliance: &Appliance, name: &str) -> Answer {
    let body = json!({"username": name, "password": PASSWORD, "cookies": true, "labels": ["console"]});
    let answer = browser(appliance).post(TOKENS, body);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

/// The new value of the cookie, which has exactly these attributes.
#[track_caller]
fn cookie(answer: &Answer) -> String {
    let set: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(set.len(), 1, "{:?}", answer.headers);
    let text = set[0].to_str().expect("text");
    let value = text
        .strip_prefix(&format!("{COOKIE}="))
        .and_then(|text| text.strip_suffix("; Path=/; Secure; HttpOnly; SameSite=Strict"));
    value.unwrap_or_else(|| panic!("another cookie: {text}")).to_owned()
}

#[track_caller]
fn assert_removed(answer: &Answer) {
    let set = answer.headers["set-cookie"].to_str().expect("text");
    assert!(set.starts_with(&format!("{COOKIE}=; Max-Age=0;")), "{set}");
}

fn renewal() -> Value {
    json!({"grant_type": "refresh_token", "cookies": true})
}

fn with_cookie(client: &Client, value: &str) -> Client {
    client.with_header("cookie", &format!("theme=dark; {COOKIE}={value}"))
}

#[test]
fn the_refresh_token_is_in_a_cookie_and_the_access_token_is_not() {
    let appliance = Appliance::start();
    appliance.user("ann");
    let answer = sign_in(&appliance, "ann");
    let value = cookie(&answer);
    assert!(value.len() > 40 && !answer.text.contains(&value), "the body does not have it");
    assert!(answer.body.get("refresh_token").is_none());
    assert_eq!(answer.headers["cache-control"], "no-store");
    let jwt = answer.body["jwt"].as_str().expect("a token");
    assert!(!answer.headers["set-cookie"].to_str().expect("text").contains(jwt));
    appliance.nobody().with_token(jwt).get(SELF).expect(200);
    // The cookie alone permits nothing.
    with_cookie(&browser(&appliance), &value).get(SELF).refused(401, "NCERRUnauthorized");
    with_cookie(&browser(&appliance), &value).patch(SELF, json!({"nickname": "a"})).refused(401, "NCERRUnauthorized");
}

#[test]
fn each_renewal_replaces_the_cookie_and_a_late_copy_ends_the_session() {
    let appliance = Appliance::start();
    appliance.user("ann");
    let (browser, first) = (browser(&appliance), cookie(&sign_in(&appliance, "ann")));
    let renewed = with_cookie(&browser, &first).post(TOKENS, renewal());
    let second = cookie(&renewed);
    assert_ne!(second, first);
    assert!(renewed.body.get("refresh_token").is_none());
    // Another tab, or an answer that was lost.
    let again = with_cookie(&browser, &first).post(TOKENS, renewal());
    assert_eq!((again.status, cookie(&again)), (200, second.clone()));
    let jwt = again.body["jwt"].as_str().expect("a token").to_owned();
    thread::sleep(Duration::from_secs(32));
    with_cookie(&browser, &first).post(TOKENS, renewal()).refused(401, "NCERRUnauthorized");
    with_cookie(&browser, &second).post(TOKENS, renewal()).refused(401, "NCERRUnauthorized");
    appliance.nobody().with_token(&jwt).get(SELF).refused(401, "NCERRUnauthorized");
}

#[test]
fn only_pages_of_this_host_use_the_cookie() {
    let appliance = Appliance::start();
    appliance.user("ann");
    let value = cookie(&sign_in(&appliance, "ann"));
    let nobody = appliance.nobody();
    let password = json!({"username": "ann", "password": PASSWORD, "cookies": true});
    for (path, body) in [(TOKENS, renewal()), (TOKENS, password), (REVOKE, json!({"cookies": true}))] {
        for plain in [nobody.clone(), nobody.with_header("x-claviger-console", "0")] {
            let answer = with_cookie(&plain, &value).post(path, body.clone());
            assert_eq!(answer.body["reason"], "console_header_missing", "{}", answer.text);
            assert!(!answer.headers.contains_key("set-cookie"));
            answer.refused(403, "NCERRInsufficientPermissions");
        }
        let named = nobody.with_header("x-claviger-console", "1");
        for foreign in [
            named.with_header("origin", "https://evil.example"),
            named.with_header("origin", "null"),
            named.with_header("sec-fetch-site", "cross-site"),
            named.with_header("sec-fetch-site", "same-site"),
        ] {
            let answer = with_cookie(&foreign, &value).post(path, body.clone());
            assert_eq!(answer.body["reason"], "origin_foreign", "{}", answer.text);
            assert!(!answer.headers.contains_key("set-cookie"));
        }
    }
    // A page of another origin that asks whether it may send the header is not told so.
    let asked = nobody
        .with_header("origin", "https://evil.example")
        .with_header("access-control-request-method", "POST")
        .with_header("access-control-request-headers", "x-claviger-console")
        .send(Method::OPTIONS, TOKENS, None);
    assert!(!asked.headers.keys().any(|name| name.as_str().starts_with("access-control")), "{:?}", asked.headers);
    with_cookie(&browser(&appliance), &value).post(TOKENS, renewal()).expect(200);
}

#[test]
fn a_page_without_a_session_is_told_so_and_nothing_is_recorded() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let browser = browser(&appliance);
    for client in [&browser, &browser.with_header("cookie", "theme=dark")] {
        let answer = client.post(TOKENS, renewal());
        assert_eq!(answer.body["reason"], "session_cookie_missing");
        answer.refused(401, "NCERRUnauthorized");
    }
    // Two cookies of this name: no browser sends them.
    let twice = browser.with_header("cookie", &format!("{COOKIE}=a; {COOKIE}=b")).post(TOKENS, renewal());
    assert_eq!(twice.body["reason"], "session_cookie_missing");
    let unknown = with_cookie(&browser, "unknown").post(TOKENS, renewal());
    assert_eq!(unknown.body["reason"], "refresh_token_invalid");
    let records = admin.get("/v1/audit/records?limit=1000").expect(200);
    let has = |reason: &str| {
        let mut records = records["resources"].as_array().expect("records").iter();
        records.any(|record| record["details"]["reason"] == reason)
    };
    assert!(has("refresh_token_invalid") && !has("session_cookie_missing"), "{records}");
    let both = json!({"grant_type": "refresh_token", "cookies": true, "refresh_token": "x"});
    let message = with_cookie(&browser, "unknown").post(TOKENS, both).refused(400, "NCERRInvalidParamValue");
    assert!(message.starts_with("refresh_token"), "{message}");
}

#[test]
fn signing_out_removes_the_cookie_and_ends_the_session() {
    let appliance = Appliance::start();
    appliance.user("ann");
    let browser = browser(&appliance);
    let signed_in = sign_in(&appliance, "ann");
    let value = cookie(&signed_in);
    let ann = appliance.nobody().with_token(signed_in.body["jwt"].as_str().expect("a token"));
    let dry = with_cookie(&browser, &value).post(&format!("{REVOKE}?dry_run=true"), json!({"cookies": true}));
    assert!(dry.status == 204 && !dry.headers.contains_key("set-cookie"));
    ann.get(SELF).expect(200);
    for _ in 0..2 {
        let out = with_cookie(&browser, &value).post(REVOKE, json!({"cookies": true}));
        assert_removed(&out);
        out.expect(204);
        ann.get(SELF).refused(401, "NCERRUnauthorized");
    }
    with_cookie(&browser, &value).post(TOKENS, renewal()).refused(401, "NCERRUnauthorized");
    let without = browser.post(REVOKE, json!({"cookies": true}));
    assert_removed(&without);

    // By its id, from within it.
    let signed_in = sign_in(&appliance, "ann");
    let ann = appliance.nobody().with_token(signed_in.body["jwt"].as_str().expect("a token"));
    let id = signed_in.body["refresh_token_id"].as_str().expect("an id");
    assert_removed(&ann.delete(&format!("{TOKENS}/{id}")));
}

#[test]
fn a_user_sees_and_ends_the_own_sessions() {
    let appliance = Appliance::start();
    let (ann, other) = (appliance.user("ann"), appliance.user("bob"));
    let here = sign_in(&appliance, "ann");
    let here = appliance.nobody().with_token(here.body["jwt"].as_str().expect("a token"));
    let own = format!("{TOKENS}?limit=-1&user_id={}", user_id(&ann));
    for reader in [&here, &appliance.admin()] {
        let listed = reader.get(&own).expect(200);
        assert_eq!(listed["total"], 2, "{listed}");
    }
    let listed = here.get(TOKENS).expect(200);
    let current: Vec<_> =
        listed["resources"].as_array().expect("rows").iter().filter(|row| row["current"] == true).collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0]["labels"], json!(["console"]));

    let others = "/v1/auth/self/revoke-others";
    assert_eq!(here.post(&format!("{others}?dry_run=true"), json!({})).expect(200)["revoked"], 1);
    ann.get(SELF).expect(200);
    assert_eq!(here.post(others, json!({})).expect(200), json!({"revoked": 1}));
    ann.get(SELF).refused(401, "NCERRUnauthorized");
    here.get(SELF).expect(200);
    other.get(SELF).expect(200);
    assert_eq!(here.post(others, json!({})).expect(200), json!({"revoked": 0}));
}

#[test]
fn clients_without_cookies_get_and_send_tokens_as_before() {
    let appliance = Appliance::start();
    appliance.user("ann");
    for cookies in [json!({}), json!({"cookies": false})] {
        let mut body = json!({"username": "ann", "password": PASSWORD});
        body.as_object_mut().expect("members").extend(cookies.as_object().cloned().expect("members"));
        let answer = appliance.nobody().post(TOKENS, body);
        assert!(!answer.headers.contains_key("set-cookie"));
        let issued = answer.expect(200);
        let refresh = json!({"grant_type": "refresh_token", "refresh_token": issued["refresh_token"]});
        let again = appliance.nobody().post(TOKENS, refresh).expect(200);
        assert_eq!(again["refresh_token"], issued["refresh_token"]);
    }
}

#[test]
fn a_user_who_may_not_sign_in_to_the_console_keeps_the_api() {
    let appliance = Appliance::start();
    let ann = appliance.user("ann");
    let value = cookie(&sign_in(&appliance, "ann"));
    let path = format!("/v1/usermgmt/users/{}", user_id(&ann));
    appliance.admin().patch(&path, json!({"login_flags": {"prevent_ui_login": true}})).expect(200);
    let refused = |answer: &Answer| (answer.status, answer.body["reason"] == "console_not_allowed");
    // The session of before is not renewed, and no other one begins.
    assert_eq!(refused(&with_cookie(&browser(&appliance), &value).post(TOKENS, renewal())), (403, true));
    let body = |password: &str| json!({"username": "ann", "password": password, "cookies": true});
    assert_eq!(refused(&browser(&appliance).post(TOKENS, body(PASSWORD))), (403, true));
    // Who does not know the password is not told.
    assert_eq!(browser(&appliance).post(TOKENS, body("wrong")).status, 401);
    ann.get(SELF).expect(200);
    appliance.nobody().sign_in("ann", PASSWORD);
}
