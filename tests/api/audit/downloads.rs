//! The records as a file.

use crate::support::appliance::{Appliance, user_id};
use crate::support::client::Client;
use reqwest::blocking::Response;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const DOWNLOAD: &str = "/v1/audit/records/download";

#[test]
fn records_are_downloaded_as_lines_and_as_csv() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.user("ann");
    admin.post("/v1/usermgmt/groups", json!({"name": "=1+1"})).expect(201);
    let read = |query: &str, accept: &str| {
        let answer = admin.open(DOWNLOAD, query, &[("accept", accept)]);
        assert_eq!(answer.status(), 200);
        let disposition = answer.headers()["content-disposition"].to_str().expect("text").to_owned();
        (disposition, answer.text().expect("a file"))
    };
    let (name, lines) = read("?event=LoggedIn&username=admin&sort=number", "application/x-ndjson");
    assert_eq!(name, "attachment; filename=\"audit-records.jsonl\"");
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let listed = admin.get("/v1/audit/records?event=LoggedIn&username=admin&sort=number&limit=100").expect(200);
    assert_eq!(json!(records), listed["resources"]);
    let total = admin.get("/v1/audit/records?limit=1").expect(200)["total"].as_u64().expect("a number");
    let (name, csv) = read("", "text/csv");
    assert_eq!(name, "attachment; filename=\"audit-records.csv\"");
    assert!(csv.starts_with("number,id,createdAt,service,message,event,"), "{csv}");
    assert!(csv.lines().count() as u64 > total, "a line for each, and one with the names");
    assert!(csv.contains(",group/=1+1,'=1+1,"), "no spreadsheet runs a name: {csv}");
    let (_, empty) = read("?event=Nothing", "text/csv");
    assert_eq!(empty.lines().count(), 1);
    let (_, two) = read("?limit=2&sort=number", "application/x-ndjson");
    assert_eq!(two.lines().count(), 2);
    admin.get(&format!("{DOWNLOAD}?nonsense=1")).refused(400, "NCERRInvalidParamValue");
}

/// A download that its client does not read stays open.
#[test]
fn few_downloads_are_open_at_a_time_and_each_ends_with_the_right_of_its_user() {
    let appliance = Appliance::start_with(&[("CLAVIGER_SERVER_CHANGES_PER_SECOND", "0")]);
    let admin = appliance.admin();
    // More than the buffers of a connection hold.
    for number in 0..800 {
        let body = json!({"name": format!("group {number}"), "client_metadata": {"a": "x".repeat(16_000)}});
        admin.post("/v1/usermgmt/groups", body).expect(201);
    }
    let ann = appliance.member("ann", &["admin"]);
    let open = |client: &Client| client.open(DOWNLOAD, "?sort=number", &[("accept", "application/x-ndjson")]);
    let hers = open(&ann);
    let mut downloads: Vec<Response> = (0..3).map(|_| open(&admin)).collect();
    assert!(downloads.iter().chain([&hers]).all(|download| download.status() == 200));
    let one_too_many = open(&admin);
    assert_eq!(one_too_many.status(), 429);
    let refusal = one_too_many.text().expect("a text");
    assert!(refusal.contains("\"reason\":\"too_many_downloads\""), "{refusal}");

    let leave = format!("/v1/usermgmt/groups/admin/users/{}", user_id(&ann));
    assert_eq!(admin.delete(&leave).status, 204);
    let cut = hers.text();
    assert!(cut.is_err(), "it ends before its end: {} bytes", cut.unwrap_or_default().len());
    drop(downloads.pop());
    let began = Instant::now();
    let again = loop {
        let again = open(&admin);
        if again.status() == 200 {
            break again;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "the place of a client that has gone is free again");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(again.text().expect("a file").lines().count() > 800);
}
