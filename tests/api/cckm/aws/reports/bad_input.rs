//! Requests for reports that cannot be.

use super::{REPORTS, TRAIL, ago, made};
use crate::support::kms_fixture::{HOME, KmsFixture};
use serde_json::{Value, json};

#[test]
fn invalid_requests_name_the_member_and_make_nothing() {
    let fixture = KmsFixture::new();
    let with = |more: Value| {
        let mut body = json!({"name": "r", "cloud_watch_params": [{"kms": "fixture"}]});
        for (name, value) in more.as_object().expect("members") {
            body[name] = value.clone();
        }
        body
    };
    let source = |more: Value| {
        let mut source = json!({"kms": "fixture", "log_group_region": HOME, "log_group_name": TRAIL});
        for (name, value) in more.as_object().expect("members") {
            source[name] = value.clone();
        }
        with(json!({"cloud_watch_params": [source]}))
    };
    for (body, member) in [
        (with(json!({"name": ""})), "name"),
        (with(json!({"name": "x".repeat(256)})), "name"),
        (with(json!({"report_type": "tea-report"})), "report_type"),
        (with(json!({"start_time": "yesterday"})), "start_time"),
        (with(json!({"start_time": "1969-01-01T00:00:00Z"})), "start_time"),
        (with(json!({"end_time": "2026-13-01T00:00:00Z"})), "end_time"),
        (with(json!({"start_time": ago(60), "end_time": ago(120)})), "end_time"),
        (with(json!({"start_time": ago(60), "end_time": ago(60)})), "end_time"),
        (with(json!({"start_time": ago(-3_600)})), "start_time"),
        (with(json!({"cloud_watch_params": null})), "cloud_watch_params"),
        (with(json!({"cloud_watch_params": []})), "cloud_watch_params"),
        (with(json!({"cloud_watch_params": vec![json!({"kms": "fixture"}); 101]})), "cloud_watch_params"),
        (with(json!({"cloud_watch_params": [{"kms": "fixture"}, super::source()]})), "cloud_watch_params"),
        (with(json!({"cloud_watch_params": [super::source(), {"kms": fixture.kms}]})), "cloud_watch_params"),
        (source(json!({"kms": ""})), "kms"),
        (source(json!({"log_group_region": ""})), "log_group_region"),
        (source(json!({"log_group_name": ""})), "log_group_name"),
        (source(json!({"log_group_region": "mars"})), "log_group_region"),
        (source(json!({"log_group_region": "cn-north-1"})), "log_group_region"),
        (source(json!({"log_group_name": "a b"})), "log_group_name"),
        (with(json!({"report_type": "service-report"})), "log_group_region"),
        (with(json!({"report_type": "reconciliation-report"})), "log_group_region"),
    ] {
        let answer = fixture.admin.post(REPORTS, body.clone());
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
        let message = answer.refused(400, "NCERRInvalidParamValue");
        assert!(message.contains(member), "{body}: {message}");
    }
    fixture.admin.post(REPORTS, source(json!({"kms": "none"}))).refused(404, "NCERRResourceNotFound");
    fixture.admin.post(&format!("{REPORTS}?dry_run=true"), with(json!({}))).expect(202);
    assert_eq!(fixture.admin.get(REPORTS).expect(200)["total"], 0);
    fixture.admin.post(&format!("/v1/cckm/aws/kms/{}/archive", fixture.kms), json!({})).expect(200);
    fixture.admin.post(REPORTS, with(json!({}))).refused(409, "NCERRConflict");
}

#[test]
fn an_end_in_the_future_is_now_and_the_start_is_a_day_before_the_end() {
    let fixture = KmsFixture::new();
    let body = json!({"name": "r", "end_time": ago(-86_400), "cloud_watch_params": [{"kms": "fixture"}]});
    let report = made(&fixture.admin, body);
    let time = |member: &str| {
        let text = report[member].as_str().expect("a time");
        chrono::DateTime::parse_from_rfc3339(text).expect("RFC 3339").timestamp()
    };
    assert!((time("end_time") - time("createdAt")).abs() <= 1, "{report}");
    assert_eq!(time("end_time") - time("start_time"), 86_400);
}
