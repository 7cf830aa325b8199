//! Who may make, see, read, download and delete reports, and which rows they see.

use super::{REPORTS, all, body, made, order};
use crate::support::appliance::{id, subject};
use crate::support::client::Client;
use crate::support::kms_fixture::{HOME, KmsFixture, aws_id};
use serde_json::json;

fn permit(fixture: &KmsFixture, kms: &str, user: &Client, actions: &[&str], permit: bool) {
    let acl = json!({"user_id": subject(user), "actions": actions, "permit": permit});
    fixture.admin.post(&format!("/v1/cckm/aws/kms/{kms}/update-acls"), acl).expect(200);
}

#[test]
fn each_right_permits_its_call_alone() {
    let fixture = KmsFixture::new();
    let ann = fixture.appliance.user("ann");
    let report = made(&fixture.admin, json!({"name": "r", "cloud_watch_params": [{"kms": "fixture"}]}));
    let path = format!("{REPORTS}/{}", id(&report));
    let new = json!({"name": "r", "cloud_watch_params": [{"kms": "fixture"}]});
    ann.post(REPORTS, new.clone()).refused(404, "NCERRResourceNotFound");
    ann.get(&path).refused(404, "NCERRResourceNotFound");
    permit(&fixture, &fixture.kms, &ann, &["reportview"], true);
    assert_eq!(ann.get(REPORTS).expect(200)["total"], 1);
    assert_eq!(ann.get(&path).expect(200), report);
    ann.get(&format!("{path}/contents")).expect(200);
    ann.post(REPORTS, new.clone()).refused(403, "NCERRInsufficientPermissions");
    ann.get(&format!("{path}/download")).refused(403, "NCERRInsufficientPermissions");
    ann.delete(&path).refused(403, "NCERRInsufficientPermissions");
    permit(&fixture, &fixture.kms, &ann, &["reportdownload", "reportdelete", "reportcreate"], true);
    permit(&fixture, &fixture.kms, &ann, &["reportview"], false);
    assert_eq!(ann.get(REPORTS).expect(200)["total"], 0);
    for what in ["", "/contents", "/download"] {
        ann.get(&format!("{path}{what}")).refused(404, "NCERRResourceNotFound");
    }
    ann.post(REPORTS, new).expect(202);
    permit(&fixture, &fixture.kms, &ann, &["reportview"], true);
    assert_eq!(ann.get(&format!("{path}/download")).status, 200);
    ann.delete(&path).expect(204);
}

#[test]
fn a_report_of_several_kms_needs_the_right_on_each() {
    let fixture = KmsFixture::new();
    let other = fixture.appliance.kms("other", &["us-east-1"]);
    let ann = fixture.appliance.user("ann");
    permit(&fixture, &fixture.kms, &ann, &["reportview", "reportcreate"], true);
    permit(&fixture, &other, &ann, &["viewnative"], true);
    let both = json!({"name": "r", "cloud_watch_params": [{"kms": "fixture"}, {"kms": other}]});
    ann.post(REPORTS, both.clone()).refused(403, "NCERRInsufficientPermissions");
    let report = made(&fixture.admin, both);
    let path = format!("{REPORTS}/{}", id(&report));
    ann.get(&path).refused(404, "NCERRResourceNotFound");
    permit(&fixture, &other, &ann, &["reportview"], true);
    ann.get(&path).expect(200);
    fixture.admin.delete(&format!("/v1/cckm/aws/kms/{other}")).expect(204);
    ann.get(&path).refused(404, "NCERRResourceNotFound");
    let report = fixture.admin.get(&path).expect(200);
    assert_eq!(report["cloud_watch_params"][1]["kms"], other, "the id of a deleted one");
}

#[test]
fn a_reader_sees_the_rows_of_the_keys_that_the_reader_may_view() {
    let fixture = KmsFixture::new();
    let native = fixture.create(json!({}));
    let source = id(&fixture.create_source_key(json!({"name": "material", "algorithm": "AES"})));
    let upload = json!({"kms": "fixture", "region": HOME, "source_key_identifier": source});
    let byok = fixture.create_at("/v1/cckm/aws/upload-key", upload);
    let unknown = "0987dcba-09fe-87dc-65ba-ab0987654321";
    order(&fixture, 90, json!({"keys": [aws_id(&native), aws_id(&byok), unknown], "operations": ["Decrypt"]}));
    let report = made(&fixture.admin, body("key-report"));
    let seen_by = |client: &Client| {
        let rows = all(client, &report, "limit=-1");
        let of = |id: &str| rows.iter().any(|row| row["key_id"] == id);
        [of(&aws_id(&native)), of(&aws_id(&byok)), of(unknown)]
    };
    assert_eq!(seen_by(&fixture.admin), [true, true, true]);
    let ann = fixture.appliance.user("ann");
    permit(&fixture, &fixture.kms, &ann, &["reportview", "reportdownload"], true);
    for (actions, expected) in [
        (vec![], [false, false, false]),
        (vec!["viewbyok"], [false, true, false]),
        (vec!["viewnative"], [true, false, true]),
    ] {
        if !actions.is_empty() {
            permit(&fixture, &fixture.kms, &ann, &actions, true);
        }
        assert_eq!(seen_by(&ann), expected, "{actions:?}");
        let file = ann.get(&format!("{REPORTS}/{}/download", id(&report))).text;
        assert_eq!(
            [&aws_id(&native), &aws_id(&byok)].map(|id| file.contains(id.as_str())),
            expected[..2],
            "{actions:?}"
        );
        let total = ann.get(&format!("{REPORTS}/{}/contents", id(&report))).expect(200)["total"].clone();
        let sorted = all(&ann, &report, "limit=-1&sort=event_time");
        assert_eq!(total, json!(sorted.len()));
        if !actions.is_empty() {
            permit(&fixture, &fixture.kms, &ann, &actions, false);
        }
    }
}
