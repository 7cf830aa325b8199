//! What the caller may do: the same as what is permitted.

use crate::support::appliance::subject;
use crate::support::kms_fixture::KmsFixture;
use serde_json::{Value, json};

fn own(client: &crate::support::client::Client) -> Value {
    client.get("/v1/auth/self/rights").expect(200)
}

#[test]
fn a_member_of_no_group_has_the_actions_that_were_permitted() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    let path = format!("/v1/cckm/aws/keys/{}/rights", key["id"].as_str().expect("an id"));
    let ann = fixture.appliance.user("ann");
    assert_eq!(own(&ann), json!({"rights": [], "kms": []}));
    ann.get(&path).refused(404, "NCERRResourceNotFound");
    let kms = &fixture.kms;
    let entry = json!({"user_id": subject(&ann), "actions": ["keyrotate", "keyupload", "hyokkeylink"], "permit": true});
    fixture.admin.post(&format!("/v1/cckm/aws/kms/{kms}/update-acls"), json!({"acls": [entry]})).expect(200);
    let actions = json!(["viewnative", "viewbyok", "keyrotate", "keyupload", "viewhyokkey", "hyokkeylink"]);
    let on_kms = json!({"id": kms, "may_update": false, "actions": actions});
    assert_eq!(own(&ann), json!({"rights": ["source keys view"], "kms": [on_kms]}));
    assert_eq!(ann.get(&format!("/v1/cckm/aws/kms/{kms}/rights")).expect(200), on_kms);
    assert_eq!(ann.get(&path).expect(200), json!({"actions": ["viewnative", "keyrotate"]}));
}

#[test]
fn administrators_have_every_action_and_the_rights_of_their_groups() {
    let fixture = KmsFixture::new();
    let all = fixture.admin.get("/v1/cckm/aws/actions").expect(200);
    let all: std::collections::BTreeSet<&str> = all["resources"]
        .as_array()
        .expect("rows")
        .iter()
        .flat_map(|row| row["actions"].as_array().expect("actions"))
        .filter_map(Value::as_str)
        // The old name of two others.
        .filter(|action| *action != "view")
        .collect();
    let carl = fixture.appliance.member("carl", &["CCKM Admins"]);
    let names = ["connections view", "KMS", "source keys", "source keys view", "schedules", "alarms"];
    let shown = own(&carl);
    assert_eq!(shown["rights"], json!(names));
    assert_eq!(shown["kms"][0]["may_update"], true);
    let actions = shown["kms"][0]["actions"].as_array().expect("actions").iter().filter_map(Value::as_str);
    assert_eq!(actions.collect::<std::collections::BTreeSet<_>>(), all);
    let uma = fixture.appliance.member("uma", &["User Admins"]);
    assert_eq!(own(&uma), json!({"rights": ["users"], "kms": []}));
    let rights = own(&fixture.admin)["rights"].clone();
    assert_eq!(rights, json!(["admin", "users", "connections"].iter().chain(&names).collect::<Vec<_>>()));
}
