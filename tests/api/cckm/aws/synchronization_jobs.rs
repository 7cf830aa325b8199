//! Synchronisation jobs, against keys that are found, change and disappear in the lab's KMS.

use crate::support::appliance::{Appliance, id, subject};
use crate::support::client::Client;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const JOBS: &str = "/v1/cckm/aws/synchronization-jobs";
const NO_JOB: &str = "00000000-0000-4000-8000-000000000000";
const DAY: u64 = 86_400;

#[test]
fn a_job_finds_the_keys_that_aws_has_and_the_next_one_finds_nothing_new() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let forgotten = appliance.kms("forgotten", &["eu-west-3", "us-east-1"]);
    let made = make_key(&admin, "forgotten", "eu-west-3", "payroll");
    make_key(&admin, "forgotten", "us-east-1", "archive");
    admin.delete(&format!("/v1/cckm/aws/kms/{forgotten}")).expect(204);
    let kms = appliance.kms("kms", &["eu-west-3", "us-east-1"]);
    assert_eq!(keys(&admin, "").len(), 0);

    let begun = admin.post(JOBS, json!({"kms": ["kms"]})).expect(202);
    assert_eq!(begun["uri"], format!("kylo:kylo:cckm:synchronize:{}", id(&begun)));
    assert_eq!((&begun["kms"], &begun["regions"]), (&json!(["kms"]), &json!(["eu-west-3", "us-east-1"])));
    assert_eq!((&begun["abort"], &begun["cloud"]), (&json!(false), &json!("aws")));
    let job = end_of(&admin, &begun);
    assert_eq!(job["overall_status"], "completed");
    assert!(job["completed_at"].is_string(), "{job}");
    for region in ["eu-west-3", "us-east-1"] {
        let name = format!("123456789012/{region}");
        assert_eq!(job["detailed_status"][&name], "region synchronized successfully");
        let progress = &job["progress"][&name];
        assert!(progress["listed"].as_u64() >= Some(1) && progress["listed"] == progress["added"], "{progress}");
    }
    let found = keys(&admin, &format!("keyid={}", text(&made["aws_param"]["KeyID"])));
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0]["kms_id"], &found[0]["gone"]), (&json!(kms), &json!(false)));
    for member in ["Alias", "Description", "Tags", "Policy", "KeyState", "Arn"] {
        assert_eq!(found[0]["aws_param"][member], made["aws_param"][member], "{member}");
    }

    let all = admin.post(JOBS, json!({"synchronize_all": true})).expect(202);
    let job = end_of(&admin, &all);
    assert_eq!((&job["overall_status"], &job["synchronize_all"]), (&json!("completed"), &json!(true)));
    let progress = &job["progress"]["123456789012/eu-west-3"];
    let news = ["added", "updated", "gone", "errors"].map(|member| progress[member].as_u64());
    assert_eq!(news, [Some(0); 4], "{progress}");
}

#[test]
fn a_key_that_aws_has_deleted_is_gone_and_nothing_is_deleted_here() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.kms("kms", &["eu-west-3"]);
    let key = make_key(&admin, "kms", "eu-west-3", "payroll");
    let path = format!("/v1/cckm/aws/keys/{}", id(&key));
    admin.post(&format!("{path}/schedule-deletion"), json!({"days": 7})).expect(200);
    lab(&appliance, "clock", &json!({"ahead_seconds": 8 * DAY}));
    let job = end_of(&admin, &admin.post(JOBS, json!({"kms": ["kms"], "regions": ["eu-west-3"]})).expect(202));
    assert_eq!(job["progress"]["123456789012/eu-west-3"]["gone"], 1, "{job}");
    assert_eq!(admin.get(&path).expect(200)["gone"], true);
}

#[test]
fn a_region_that_aws_denies_fails_alone_with_awss_own_code() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.kms("kms", &["eu-west-3", "us-east-1"]);
    lab(
        &appliance,
        "faults",
        &json!([{"service": "kms", "operation": "ListKeys", "region": "us-east-1", "answer": "deny"}]),
    );
    let job = end_of(&admin, &admin.post(JOBS, json!({"kms": ["kms"]})).expect(202));
    assert_eq!(job["overall_status"], "failed");
    assert_eq!(job["detailed_status"]["123456789012/eu-west-3"], "region synchronized successfully");
    let failed = text(&job["detailed_status"]["123456789012/us-east-1"]);
    assert!(failed.contains("AccessDeniedException"), "{failed}");
}

#[test]
fn a_cancelled_job_stops_and_a_job_continues_after_a_crash() {
    let mut appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.kms("kms", &["eu-west-3"]);
    let slow = json!([{"service": "kms", "operation": "ListKeys", "times": 2, "delay_ms": 20_000}]);
    lab(&appliance, "faults", &slow);
    let begun = admin.post(JOBS, json!({"kms": ["kms"]})).expect(202);
    let second = admin.post(JOBS, json!({"kms": ["kms"]})).refused(409, "NCERRConflict");
    assert!(second.contains(&id(&begun)), "{second}");

    let started = Instant::now();
    let cancelled = admin.post(&format!("{JOBS}/{}/cancel", id(&begun)), json!({})).expect(200);
    assert_eq!(cancelled["abort"], true);
    let job = end_of(&admin, &begun);
    assert!(started.elapsed() < Duration::from_secs(10), "it did not wait for AWS");
    assert_eq!((&job["overall_status"], &job["abort"]), (&json!("completed"), &json!(true)));
    assert_eq!(job["detailed_status"]["123456789012/eu-west-3"], "canceled");
    let again = admin.post(&format!("{JOBS}/{}/cancel", id(&begun)), json!({}));
    assert!(again.refused(409, "NCERRConflict").contains("ended"));

    let begun = admin.post(JOBS, json!({"kms": ["kms"]})).expect(202);
    appliance.kill();
    appliance.restart();
    let job = end_of(&appliance.admin(), &begun);
    assert_eq!((&job["overall_status"], &job["abort"]), (&json!("completed"), &json!(false)));
}

#[test]
fn a_stop_does_not_wait_for_a_job() {
    let mut appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.kms("kms", &["eu-west-3"]);
    let slow = json!([{"service": "kms", "operation": "ListKeys", "delay_ms": 20_000}]);
    lab(&appliance, "faults", &slow);
    admin.post(JOBS, json!({"kms": ["kms"]})).expect(202);
    let started = Instant::now();
    assert!(appliance.terminate().success());
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn jobs_are_listed_and_filtered() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let one = appliance.kms("one", &["eu-west-3"]);
    appliance.kms("two", &["us-east-1"]);
    let first = admin.post(JOBS, json!({"kms": [one, "one"]})).expect(202);
    let second = admin.post(JOBS, json!({"kms": ["one", "two"], "regions": ["us-east-1", "eu-west-3"]}));
    // The first job may not have ended yet.
    let second = if second.status == 409 {
        end_of(&admin, &first);
        admin.post(JOBS, json!({"kms": ["one", "two"]})).expect(202)
    } else {
        second.expect(202)
    };
    end_of(&admin, &first);
    end_of(&admin, &second);
    let listed = |query: &str| -> Vec<String> {
        let list = admin.get(&format!("{JOBS}?{query}")).expect(200);
        list["resources"].as_array().expect("rows").iter().map(id).collect()
    };
    assert_eq!(listed(""), [id(&first), id(&second)]);
    assert_eq!(listed("sort=-createdAt&limit=1"), [id(&second)]);
    assert_eq!(listed("kms=two"), [id(&second)]);
    assert_eq!(listed(&format!("id={}", id(&first))), [id(&first)]);
    assert_eq!(listed("overall_status=in_progress"), Vec::<String>::new());
    assert_eq!(listed("overall_status=completed").len(), 2);
}

#[test]
fn each_kms_must_be_permitted_and_jobs_of_others_are_hidden() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let mine = appliance.kms("mine", &["eu-west-3"]);
    let viewed = appliance.kms("viewed", &["us-east-1"]);
    appliance.kms("hidden", &["eu-west-1"]);
    let ann = appliance.user("ann");
    ann.post(JOBS, json!({"synchronize_all": true})).refused(403, "NCERRInsufficientPermissions");
    permit(&admin, &mine, &ann, &["keysynchronize"]);
    permit(&admin, &viewed, &ann, &["view"]);

    let forbidden = ann.post(JOBS, json!({"kms": ["mine", "viewed"]})).refused(403, "NCERRInsufficientPermissions");
    assert!(forbidden.contains("keysynchronize"), "{forbidden}");
    ann.post(JOBS, json!({"kms": ["hidden"]})).refused(404, "NCERRResourceNotFound");
    let own = ann.post(JOBS, json!({"synchronize_all": true})).expect(202);
    assert_eq!(own["kms"], json!(["mine"]));
    end_of(&ann, &own);
    let others = admin.post(JOBS, json!({"kms": ["mine", "hidden"]})).expect(202);
    end_of(&admin, &others);
    let path = format!("{JOBS}/{}", id(&others));
    ann.get(&path).refused(404, "NCERRResourceNotFound");
    ann.post(&format!("{path}/cancel"), json!({})).refused(404, "NCERRResourceNotFound");
    assert_eq!(ann.get(JOBS).expect(200)["total"], 1);
    assert_eq!(admin.get(JOBS).expect(200)["total"], 2);
}

#[test]
fn kmss_are_sorted_by_their_last_synchronisation() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let names = ["one", "two", "three"];
    for (name, region) in names.into_iter().zip(["eu-west-1", "eu-west-2", "eu-west-3"]) {
        appliance.kms(name, &[region]);
    }
    for name in ["two", "one"] {
        end_of(&admin, &admin.post(JOBS, json!({"kms": [name]})).expect(202));
    }
    let sorted = |sort: &str| {
        let list = admin.get(&format!("/v1/cckm/aws/kms?sort={sort}")).expect(200);
        let rows = list["resources"].as_array().expect("rows").iter();
        rows.map(|row| row["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sorted("-synced_at"), ["one", "two", "three"]);
    assert_eq!(sorted("synced_at"), ["three", "two", "one"], "one that was never synchronised is first");
}

#[test]
fn invalid_requests_start_no_job() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    admin.post(JOBS, json!({"synchronize_all": true})).refused(400, "NCERRInvalidParamValue");
    let kms = appliance.kms("kms", &["eu-west-3"]);
    for (body, word) in [
        (json!({}), "synchronize_all"),
        (json!({"synchronize_all": false}), "kms"),
        (json!({"synchronize_all": true, "kms": ["kms"]}), "together"),
        (json!({"synchronize_all": true, "regions": ["eu-west-3"]}), "together"),
        (json!({"kms": []}), "kms"),
        (json!({"kms": ["kms"], "regions": []}), "regions"),
        (json!({"kms": ["kms"], "regions": ["eu-west-9"]}), "eu-west-9"),
        (json!({"kms": ["kms"], "regions": ["eu-west-3", "us-east-1"]}), "us-east-1"),
        (json!({"kms": ["kms"], "regions": ["?"]}), "regions"),
    ] {
        let message = admin.post(JOBS, body.clone()).refused(400, "NCERRInvalidParamValue");
        assert!(message.contains(word), "{body}: {message}");
    }
    admin.post(JOBS, json!({"kms": "kms"})).refused(400, "NCERRBadRequest");
    let unknown = admin.post(JOBS, json!({"kms": ["kms", "nowhere"]})).refused(404, "NCERRResourceNotFound");
    assert!(unknown.contains("nowhere"), "{unknown}");
    admin.get(&format!("{JOBS}/{NO_JOB}")).refused(404, "NCERRResourceNotFound");
    admin.get(&format!("{JOBS}/x")).refused(400, "NCERRInvalidParamValue");
    admin.post(&format!("{JOBS}/{NO_JOB}/cancel"), json!({})).refused(404, "NCERRResourceNotFound");
    admin.post(&format!("/v1/cckm/aws/kms/{kms}/archive"), json!({})).expect(200);
    admin.post(JOBS, json!({"kms": ["kms"]})).refused(409, "NCERRConflict");
    admin.post(JOBS, json!({"synchronize_all": true})).refused(400, "NCERRInvalidParamValue");
    assert_eq!(admin.get(JOBS).expect(200)["total"], 0);
}

/// Waits for the end of a job of either kind.
pub(crate) fn end_of_job(client: &Client, path: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let job = client.get(path).expect(200);
        if job["overall_status"] != "in_progress" {
            return job;
        }
        assert!(Instant::now() < deadline, "it does not end: {job}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Grants actions on a KMS to a user.
pub(crate) fn permit(admin: &Client, kms: &str, user: &Client, actions: &[&str]) {
    let body = json!({"user_id": subject(user), "actions": actions, "permit": true});
    admin.post(&format!("/v1/cckm/aws/kms/{kms}/update-acls"), body).expect(200);
}

/// Creates a key with this alias.
pub(crate) fn make_key(client: &Client, kms: &str, region: &str, alias: &str) -> Value {
    let param = json!({"Alias": alias, "Description": alias, "Tags": [{"TagKey": "team", "TagValue": "payroll"}]});
    client.post("/v1/cckm/aws/keys", json!({"kms": kms, "region": region, "aws_param": param})).expect(201)
}

fn end_of(client: &Client, job: &Value) -> Value {
    end_of_job(client, &format!("{JOBS}/{}", id(job)))
}

fn keys(client: &Client, query: &str) -> Vec<Value> {
    let list = client.get(&format!("/v1/cckm/aws/keys?limit=-1&{query}")).expect(200);
    list["resources"].as_array().expect("rows").clone()
}

/// Sends an order to the lab's control endpoint.
pub(crate) fn lab(appliance: &Appliance, what: &str, order: &Value) {
    let http = reqwest::blocking::Client::builder().no_proxy().build().expect("an HTTP client");
    let url = format!("{}/_lab/{what}", appliance.cloud);
    let answer = http.request(Method::PUT, url).body(order.to_string()).send().expect("an answer");
    assert!(answer.status().is_success(), "{}", answer.text().unwrap_or_default());
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A measurement: `cargo test --release --test api -- --ignored --nocapture ten_thousand`.
#[test]
#[ignore = "takes minutes: it makes 10 000 keys first"]
fn ten_thousand_keys_over_sixteen_regions_take_less_than_a_minute() {
    const EACH: usize = 625;
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let regions = admin.post("/v1/cckm/aws/accounts", json!({"connection": "test_aws-connection"})).expect(200);
    let regions: Vec<String> = regions["regions"].as_array().expect("regions").iter().take(16).map(text).collect();
    let names: Vec<&str> = regions.iter().map(String::as_str).collect();
    assert_eq!(names.len(), 16);
    let forgotten = appliance.kms("forgotten", &names);
    std::thread::scope(|scope| {
        for region in &names {
            let appliance = &appliance;
            scope.spawn(move || {
                for n in 0..EACH {
                    // The token expires before the job ends.
                    let admin = if n % 100 == 0 { appliance.admin() } else { continue };
                    (n..EACH.min(n + 100))
                        .for_each(|n| drop(make_key(&admin, "forgotten", region, &format!("key-{n}"))));
                }
            });
        }
    });
    let admin = appliance.admin();
    admin.delete(&format!("/v1/cckm/aws/kms/{forgotten}")).expect(204);
    appliance.kms("kms", &names);
    for run in ["first", "second"] {
        let before = peak_mib(&appliance);
        let started = Instant::now();
        let job = admin.post(JOBS, json!({"kms": ["kms"]})).expect(202);
        let path = format!("{JOBS}/{}", id(&job));
        while admin.get(&path).expect(200)["overall_status"] == "in_progress" {
            std::thread::sleep(Duration::from_millis(200));
        }
        let took = started.elapsed();
        let job = admin.get(&path).expect(200);
        let sum = |member: &str| -> u64 {
            job["progress"].as_object().expect("regions").values().filter_map(|part| part[member].as_u64()).sum()
        };
        let (listed, added, updated, errors) = (sum("listed"), sum("added"), sum("updated"), sum("errors"));
        println!(
            "{run} run: {took:?}; {listed} listed, {added} added, {updated} updated, {errors} errors; \
             peak memory {before} MiB before, {} MiB after (the lab's own keys are in it)",
            peak_mib(&appliance)
        );
        assert_eq!((job["overall_status"].as_str(), errors), (Some("completed"), 0), "{job}");
        assert!(listed >= 10_000 && took < Duration::from_secs(60));
    }
}

fn peak_mib(appliance: &Appliance) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", appliance.pid())).expect("its status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("its peak");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") / 1024
}
