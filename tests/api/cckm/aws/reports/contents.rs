//! The contents of a report: pages, filters, sorts; the files.

use super::{REPORTS, all, body, made, order, rows};
use crate::support::appliance::id;
use crate::support::client::Client;
use crate::support::kms_fixture::{HOME, KEYS, KmsFixture, aws_id, key_body};
use reqwest::Method;
use serde_json::{Value, json};

#[test]
fn contents_are_paged_filtered_and_sorted() {
    let fixture = KmsFixture::new();
    let keys: Vec<Value> = (0..2).map(|_| fixture.create(json!({}))).collect();
    let ids: Vec<String> = keys.iter().map(aws_id).collect();
    order(&fixture, 1_200, json!({"keys": ids, "operations": ["Decrypt", "Encrypt"]}));
    let report = made(&fixture.admin, body("key-report"));
    let whole = all(&fixture.admin, &report, "limit=-1");
    assert!(whole.len() > 1_200);
    let path = format!("{REPORTS}/{}/contents", id(&report));
    let get = |query: &str| fixture.admin.get(&format!("{path}?{query}")).expect(200);
    let page = get("");
    assert_eq!((&page["skip"], &page["limit"], &page["total"]), (&json!(0), &json!(10), &json!(whole.len())));
    assert_eq!(page["resources"].as_array().expect("rows")[..], whole[..10]);
    assert_eq!(
        get("skip=700&limit=600")["resources"].as_array().expect("rows")[..],
        whole[700..1_300.min(whole.len())]
    );
    assert_eq!(get("skip=1000&limit=-1")["resources"].as_array().expect("rows")[..], whole[1_000..]);
    assert_eq!(get("skip=100000")["resources"], json!([]));
    let arn = whole.iter().find(|row| row["key_id"] == ids[0]).expect("a row")["key_arn"].as_str().expect("an ARN");
    let of_key: Vec<Value> = whole.iter().filter(|row| row["key_arn"] == arn).cloned().collect();
    let filtered = get(&format!(
        "key_arn={arn}&region={HOME}&region=eu-west-2&cloud_name=aws&aws_account_id=123456789012&limit=-1"
    ));
    assert_eq!((filtered["total"].as_u64(), &filtered["resources"]), (Some(of_key.len() as u64), &json!(of_key)));
    assert_eq!(get("region=eu-west-2")["total"], 0);
    let mut expected = whole.clone();
    // Rows with equal values keep their order.
    expected.sort_by(|a, b| {
        (b["event_name"].as_str(), a["key_id"].as_str()).cmp(&(a["event_name"].as_str(), b["key_id"].as_str()))
    });
    assert_eq!(get("sort=-event_name,key_id&limit=-1")["resources"], json!(expected));
    assert_eq!(
        get("sort=-event_name,key_id&skip=5&limit=7")["resources"].as_array().expect("rows")[..],
        expected[5..12]
    );
    for (query, member) in [("sort=calls", "sort"), ("sort=none", "sort"), ("color=red", "color"), ("limit=0", "limit")]
    {
        let message = fixture.admin.get(&format!("{path}?{query}")).refused(400, "NCERRInvalidParamValue");
        assert!(message.starts_with(member), "{query}: {message}");
    }
}

#[test]
fn reports_are_listed_with_filters_and_deleted() {
    let fixture = KmsFixture::new();
    let aging =
        |name: &str| json!({"name": name, "report_type": "key-aging", "cloud_watch_params": [{"kms": "fixture"}]});
    let (first, _) = (made(&fixture.admin, aging("a b")), made(&fixture.admin, aging("c")));
    let own = made(&fixture.admin, json!({"name": "c", "cloud_watch_params": [{"kms": "fixture"}]}));
    let list = |query: &str| fixture.admin.get(&format!("{REPORTS}?{query}")).expect(200);
    assert_eq!((&list("")["total"], &list("")["resources"][0]), (&json!(3), &first));
    for (query, total) in [
        ("name=c", 2),
        ("name=a*", 1),
        ("report_type=key-aging", 2),
        ("report_type=key-aging&report_type=key-report", 3),
        ("overall_status=error", 0),
        ("overall_status=completed", 3),
    ] {
        assert_eq!(list(query)["total"], total, "{query}");
    }
    assert_eq!(list(&format!("id={}", id(&own)))["resources"], json!([own]));
    assert_eq!(own["uri"], format!("kylo:kylo:cckm:aws-report:{}", id(&own)));
    let files = || std::fs::read_dir(fixture.appliance.data().join("reports")).expect("a directory").count();
    assert_eq!(files(), 3);
    let path = format!("{REPORTS}/{}", id(&own));
    fixture.admin.delete(&format!("{path}?dry_run=true")).expect(204);
    fixture.admin.get(&format!("{path}/contents")).expect(200);
    fixture.admin.delete(&path).expect(204);
    assert_eq!(files(), 2);
    for what in ["", "/contents", "/download"] {
        fixture.admin.get(&format!("{path}{what}")).refused(404, "NCERRResourceNotFound");
    }
    fixture.admin.delete(&path).refused(404, "NCERRResourceNotFound");
}

/// The fields of a file by RFC 4180.
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut field, mut chars) =
        (Vec::new(), Vec::new(), String::new(), text.chars().peekable());
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\r' if !quoted && chars.next_if_eq(&'\n').is_some() => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            c => field.push(c),
        }
    }
    assert!(field.is_empty() && record.is_empty() && !quoted, "the last line ends");
    records
}

fn download(client: &Client, report: &Value, query: &str) -> crate::support::client::Answer {
    client.send(Method::GET, &format!("{REPORTS}/{}/download{query}", id(report)), None)
}

/// Whoever may name a user chooses what a spreadsheet gets to see.
#[test]
fn the_csv_has_the_rows_of_the_contents_and_no_cell_that_a_spreadsheet_runs() {
    let fixture = KmsFixture::new();
    let hostile = "=cmd(\"x\"),1";
    let user = fixture.appliance.member(hostile, &["CCKM Admins"]);
    user.post(KEYS, key_body(json!({"Description": "d"}))).expect(201);
    let body =
        json!({"name": "a/b \"c\"\u{fc}", "report_type": "key-aging", "cloud_watch_params": [{"kms": "fixture"}]});
    let report = made(&fixture.admin, body);
    let file = download(&fixture.admin, &report, "");
    assert_eq!(file.status, 200);
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"a_b__c__.csv\"");
    assert!(!file.text.starts_with('\u{feff}') && file.text.ends_with("\r\n"));
    let records = csv(&file.text);
    let rows = all(&fixture.admin, &report, "limit=-1");
    assert_eq!(records.len(), rows.len() + 1);
    let at = |name: &str| records[0].iter().position(|column| column == name).expect("a column");
    assert_eq!(rows[0]["owner"], hostile);
    assert_eq!(records[1][at("owner")], format!("'{hostile}"));
    assert_eq!((records[1][at("age_days")].as_str(), records[1][at("days_left")].as_str()), ("0", ""));
    let lines = download(&fixture.admin, &report, "?format=jsonl");
    assert_eq!(lines.headers["content-type"], "application/x-ndjson");
    let lines: Vec<Value> = lines.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines, rows);
    download(&fixture.admin, &report, "?format=xml").refused(400, "NCERRInvalidParamValue");
}

#[test]
fn a_long_file_is_streamed_whole() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    order(&fixture, 5_000, json!({"keys": [aws_id(&key)]}));
    let report = made(&fixture.admin, body("key-report"));
    let rows = rows(&fixture.admin, body("key-report"));
    let records = csv(&download(&fixture.admin, &report, "?format=csv").text);
    assert!(records.len() > 5_000 && records.len() <= rows.len() + 1);
    assert!(records.iter().all(|record| record.len() == 23));
}
