//! Monitoring: health, readiness, metrics, request ids, the log.

use crate::support::appliance::{Appliance, PASSWORD, subject};
use crate::support::client::{Answer, Client};
use reqwest::Method;
use reqwest::blocking::Client as Http;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

#[test]
fn health_and_readiness_need_no_token() {
    let appliance = Appliance::start();
    let nobody = appliance.nobody();
    assert_eq!(nobody.get("/healthz").expect(200), json!({"status": "ok"}));
    assert_eq!(nobody.get("/readyz").expect(200), json!({"status": "ready"}));
    nobody.post("/healthz", json!({})).refused(405, "NCERRMethodNotAllowed");
}

#[test]
fn the_log_has_the_beginning_of_a_long_path() {
    let appliance = Appliance::start();
    let path = format!("/v1/{}", "ä".repeat(5000));
    appliance.nobody().get(&path).refused(404, "NCERRResourceNotFound");
    let log = appliance.log();
    let line = log.lines().find(|line| line.contains("%C3%A4%C3%A4")).expect("its line");
    assert!(line.len() < 800, "{line}");
}

#[test]
fn metrics_have_prometheus_format_and_increase() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let route = r#"claviger_http_requests_total{method="GET",route="/api/v1/cckm/aws/kms/{id}",status="404"}"#;
    let before = figures(&admin);
    assert_eq!(before.get(route), None);
    assert_eq!(before["claviger_kms"], 0.0);
    for _ in 0..3 {
        admin.get("/v1/cckm/aws/kms/0b90f8de-8617-498d-ad63-ca18eb717ae7").expect(404);
    }
    appliance.kms("kms", &["eu-west-1"]);
    appliance.user("ann");
    let after = figures(&admin);
    assert_eq!(after[route], 3.0);
    assert_eq!(after["claviger_kms"], 1.0);
    assert_eq!(after["claviger_users"], before["claviger_users"] + 1.0);
    assert_eq!(after["claviger_ledger_accepting"], 1.0);
    assert!(after["claviger_ledger_head"] >= before["claviger_ledger_head"] + 3.0);
    let count = |figures: &Figures| figures["claviger_http_request_duration_seconds_count"];
    assert!(count(&after) >= count(&before) + 6.0);
    let requests = after.iter().filter(|(name, _)| name.starts_with("claviger_http_requests_total{"));
    assert_eq!(requests.map(|(_, value)| value).sum::<f64>(), count(&after), "each request is counted once");
}

#[test]
fn unknown_paths_and_methods_create_no_series() {
    let appliance = Appliance::start_with(&[("CLAVIGER_METRICS_REQUIRE_TOKEN", "false")]);
    let nobody = appliance.nobody();
    nobody.get("/v1/there/is/no/such/path").expect(404);
    nobody.get("/v1/nor/this").expect(404);
    for method in ["BREW", "WHEN", "PROPFIND"] {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        nobody.send(method, "/v1/cckm/aws/kms", None).expect(405);
    }
    let series: BTreeSet<_> = figures(&nobody).into_keys().filter(|name| name.contains("requests_total")).collect();
    let of = |part: &str| series.iter().filter(|name| name.contains(part)).count();
    assert_eq!(of(r#"route="unknown""#), 1, "{series:?}");
    assert_eq!(of(r#"method="other""#), 1, "{series:?}");
    assert_eq!(of("BREW") + of("WHEN") + of("nor"), 0, "{series:?}");
}

#[test]
fn metrics_can_require_a_token_or_be_disabled() {
    let appliance = Appliance::start_with(&[("CLAVIGER_METRICS_REQUIRE_TOKEN", "false")]);
    let open = figures(&appliance.nobody());
    assert!(open.contains_key("claviger_kms"));
    // The metric would tell whether a name that fails to sign in belongs to a user.
    assert!(!open.contains_key("claviger_ledger_head"));

    let appliance = Appliance::start_with(&[("CLAVIGER_METRICS_REQUIRE_TOKEN", "true")]);
    appliance.nobody().get("/metrics").refused(401, "NCERRUnauthorized");
    let ann = appliance.member("ann", &["CCKM Admins", "User Admins"]);
    ann.get("/metrics").refused(403, "NCERRInsufficientPermissions");
    assert!(figures(&appliance.admin()).contains_key("claviger_kms"));
    // The other paths stay open, since they show nothing.
    appliance.nobody().get("/healthz").expect(200);
    appliance.nobody().get("/readyz").expect(200);

    let appliance = Appliance::start_with(&[("CLAVIGER_METRICS_ENABLED", "false")]);
    appliance.admin().get("/metrics").refused(404, "NCERRResourceNotFound");
}

#[test]
fn a_request_keeps_its_id_if_that_is_sane() {
    let appliance = Appliance::start();
    let pem = fs::read(appliance.data().join("tls.crt")).expect("the certificate");
    let root = reqwest::Certificate::from_pem(&pem).expect("a certificate");
    let http = Http::builder().tls_certs_only([root]).no_proxy().build().expect("an HTTP client");
    let id_for = |path: &str, sent: Option<&str>| {
        let mut request = http.get(format!("{}{path}", appliance.api));
        if let Some(sent) = sent {
            request = request.header("X-Request-ID", sent);
        }
        let answer = request.send().expect("an answer");
        answer.headers()["x-request-id"].to_str().expect("text").to_owned()
    };
    let long = "x".repeat(64);
    for path in ["/healthz", "/api/v1/cckm/aws/kms", "/api/v1/no/such/path"] {
        for sane in ["r-1", "2026.01:a_B", &long] {
            assert_eq!(id_for(path, Some(sane)), sane, "{path}");
        }
        for odd in ["", "a b", "{\"x\":1}", "<script>", "a;b", &"x".repeat(65)] {
            let id = id_for(path, Some(odd));
            assert!(uuid::Uuid::parse_str(&id).is_ok(), "{path}: {odd} became {id}");
        }
        assert_ne!(id_for(path, None), id_for(path, None), "{path}");
    }
}

#[test]
fn the_log_is_json_that_names_request_and_actor_and_no_secret() {
    const SECRET: &str = "very/secret+access+key/of/nobody/0000000";
    let appliance = Appliance::start_with(&[("CLAVIGER_LOG_LEVEL", "trace")]);
    let admin = appliance.admin();
    let answer = admin.post("/v1/usermgmt/users", json!({"username": "ann", "password": "Ann-has-1-secret"}));
    let request = answer.headers["x-request-id"].to_str().expect("text").to_owned();
    let created = answer.expect(201);
    let nobody = appliance.nobody();
    nobody.post("/v1/auth/tokens", json!({"username": "ann", "password": "Not-her-1-secret"})).expect(401);
    let signed_in =
        nobody.post("/v1/auth/tokens", json!({"username": "ann", "password": "Ann-has-1-secret"})).expect(200);
    let refresh = signed_in["refresh_token"].as_str().expect("a token");
    let again = json!({"grant_type": "refresh_token", "refresh_token": refresh});
    let renewed = nobody.post("/v1/auth/tokens", again).expect(200);
    let connection = json!({"name": "other", "access_key_id": "AKIALABUSER1ONLYLAB1", "secret_access_key": SECRET});
    admin.post("/v1/connectionmgmt/services/aws/connections", connection).expect(201);
    let kms = json!({"name": "kms", "account_id": "123456789012", "connection": "other", "regions": ["eu-west-1"]});
    admin.post("/v1/cckm/aws/kms", kms).refused(502, "NCERRCloudError");
    admin.get("/v1/auth/self/user").expect(200);

    let log = appliance.log();
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect();
    let is_its = |line: &&Value| {
        line["spans"].as_array().is_some_and(|spans| spans.iter().any(|span| span["request_id"] == *request))
    };
    let its: Vec<_> = lines.iter().filter(is_its).collect();
    assert!(its.iter().any(|line| line["user"] == "admin" && line["status"] == 201), "{its:?}");
    let is_logged = |user: &str, status: u16| lines.iter().any(|line| line["user"] == user && line["status"] == status);
    assert!(
        is_logged("ann", 200) && is_logged("", 401) && !is_logged("ann", 401),
        "a sign-in has its user, a failed one has none"
    );
    for line in &lines {
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["target"].is_string(), "{line}");
    }

    assert_eq!(subject(&nobody.with_token(signed_in["jwt"].as_str().expect("a token"))), created["user_id"]);
    let signed = |jwt: &Value| jwt.as_str().and_then(|jwt| jwt.rsplit('.').next().map(str::to_owned)).expect("a JWT");
    let own = signed(&json!(admin.token()));
    let lab_secret = "lab-only/user1/not+a+secret";
    let log = appliance.log();
    for secret in [
        PASSWORD,
        "Ann-has-1-secret",
        "Not-her-1-secret",
        SECRET,
        refresh,
        &own,
        lab_secret,
        &signed(&signed_in["jwt"]),
        &signed(&renewed["jwt"]),
        "$argon2",
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

type Figures = BTreeMap<String, f64>;

/// Every series with its value, after a check of the text format.
fn figures(client: &Client) -> Figures {
    let answer: Answer = client.get("/metrics");
    assert_eq!(answer.status, 200, "{}", answer.text);
    let kind = answer.headers["content-type"].to_str().expect("text");
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let (text, end) = answer.text.trim_end().rsplit_once('\n').expect("lines");
    assert_eq!(end, "# EOF");
    let mut families = BTreeSet::new();
    let mut figures = Figures::new();
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (kind, family) = (words.next().expect("a keyword"), words.next().expect("a name"));
            assert!(["HELP", "TYPE", "UNIT"].contains(&kind) && words.next().is_some(), "{line}");
            families.insert(family.to_owned());
            continue;
        }
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        let bare = name.split('{').next().unwrap_or_default();
        assert!(
            bare.starts_with("claviger_") && families.iter().any(|family| bare.starts_with(family.as_str())),
            "{line}"
        );
        let value = value.parse().unwrap_or_else(|_| panic!("not a number: {line}"));
        assert!(figures.insert(name.to_owned(), value).is_none(), "twice: {line}");
    }
    figures
}

#[test]
fn prometheus_reads_the_metrics_with_the_token_that_an_administrator_enables() {
    let appliance = Appliance::start_with(&[("CLAVIGER_METRICS_REQUIRE_TOKEN", "true")]);
    let admin = appliance.admin();
    let path = "/v1/system/metrics/prometheus";
    let scrape = |token: &str| {
        let scraper = appliance.nobody().with_token(token);
        (scraper.get("/metrics").status, scraper.get(path).status)
    };
    let token_of = |body: &serde_json::Value| body["token"].as_str().expect("a token").to_owned();
    assert_eq!(admin.get(&format!("{path}/status")).expect(200), serde_json::json!({"enabled": false, "token": ""}));
    let body = serde_json::json!({"id": "", "enabled": true});
    let enabled = admin.post(&format!("{path}/enable"), body.clone()).expect(200);
    assert_eq!(enabled["enabled"], true);
    let first = token_of(&enabled);
    assert_eq!(token_of(&admin.post(&format!("{path}/enable"), body.clone()).expect(200)), first);
    assert_eq!(token_of(&admin.get(&format!("{path}/status")).expect(200)), first);
    assert_eq!((scrape(&first), scrape("wrong")), ((200, 200), (401, 401)));
    assert_eq!(appliance.nobody().with_token(&first).get("/v1/usermgmt/users").status, 401, "it reads nothing else");
    let second = token_of(&admin.post(&format!("{path}/renew-token"), body).expect(200));
    assert_eq!((scrape(&first), scrape(&second)), ((401, 401), (200, 200)));
    for (call, enabled) in [("enable", false), ("renew-token", false), ("disable", true)] {
        let contradiction = serde_json::json!({"enabled": enabled});
        let message = admin.post(&format!("{path}/{call}"), contradiction).refused(400, "NCERRInvalidParamValue");
        assert!(message.starts_with("enabled: "), "{message}");
    }
    assert_eq!(scrape(&second), (200, 200));
    for _ in 0..2 {
        let disabled = admin.post(&format!("{path}/disable"), serde_json::json!({"enabled": false})).expect(200);
        assert_eq!(disabled, serde_json::json!({"enabled": false, "token": ""}));
    }
    assert_eq!(scrape(&second), (401, 401));
}
