//! `/v1/search`: one search over everything that the caller may see.

use crate::cckm::aws::synchronization_jobs::permit;
use crate::support::client::Client;
use crate::support::kms_fixture::{KmsFixture, aws_id};
use serde_json::{Value, json};

fn found(client: &Client, query: &str) -> Vec<(String, String)> {
    let answer = client.get(&format!("/v1/search?{query}")).expect(200);
    let hits = answer["resources"].as_array().expect("hits").clone();
    let text = |hit: &Value, member: &str| hit[member].as_str().expect("a text").to_owned();
    hits.iter()
        .map(|hit| {
            let address = text(hit, "address");
            let path = address.strip_prefix("/api").expect("a path").to_owned();
            client.get(&path).expect(200);
            (text(hit, "kind"), text(hit, "name"))
        })
        .collect()
}

fn pairs(hits: &[(&str, &str)]) -> Vec<(String, String)> {
    hits.iter().map(|(kind, name)| ((*kind).to_owned(), (*name).to_owned())).collect()
}

#[test]
fn everything_is_found_the_best_match_first() {
    let fixture = KmsFixture::new();
    let admin = &fixture.admin;
    let key = fixture.create(json!({"Alias": "my-pay"}));
    fixture.create(json!({"Alias": "Pay"}));
    let schedule = json!({"name": "payday", "operation": "cckm_key_rotation", "run_at": "0 9 * * sat",
        "cckm_key_rotation_params": {"cloud_name": "aws"}});
    admin.post("/v1/scheduler/job-configs", schedule).expect(201);
    admin.post("/v1/usermgmt/groups", json!({"name": "Pay & roll/ö"})).expect(201);
    fixture.create_source_key(json!({"name": "paymaster"}));
    let expected = [
        ("key", "Pay"),
        ("source_key", "paymaster"),
        ("schedule", "payday"),
        ("group", "Pay & roll/ö"),
        ("key", "my-pay"),
    ];
    assert_eq!(found(admin, "q=pAY"), pairs(&expected));
    assert_eq!(found(admin, &format!("q={}", aws_id(&key))), pairs(&[("key", "my-pay")]));
    assert_eq!(found(admin, "q=fixture"), pairs(&[("kms", "fixture")]));
    assert_eq!(found(admin, "q=pay&limit=1"), pairs(&[("key", "Pay")]));
    let answer = admin.get("/v1/search?q=pay&limit=1").expect(200);
    assert_eq!((&answer["more"], &answer["resources"][0]["kms"]), (&json!(true), &json!("fixture")));
    for nothing in ["", "q=", "q=%20", "q=nowhere"] {
        assert!(found(admin, nothing).is_empty(), "{nothing}");
    }
    for bad in ["q=a&limit=0", "q=a&limit=101", "q=a&kind=key", &format!("q={}", "x".repeat(256))] {
        admin.get(&format!("/v1/search?{bad}")).refused(400, "NCERRInvalidParamValue");
    }
}

#[test]
fn nobody_finds_what_she_may_not_see() {
    let fixture = KmsFixture::new();
    fixture.create(json!({"Alias": "secret-pay"}));
    fixture.create_source_key(json!({"name": "pay-source"}));
    let ann = fixture.appliance.user("ann");
    assert!(found(&ann, "q=pay").is_empty());
    assert!(found(&ann, "q=fixture").is_empty() && found(&ann, "q=ann").is_empty());
    assert_eq!(found(&ann, "q=cckm%20admins"), pairs(&[("group", "CCKM Admins")]));
    permit(&fixture.admin, &fixture.kms, &ann, &["viewnative"]);
    assert_eq!(found(&ann, "q=pay"), pairs(&[("key", "secret-pay")]));
    assert_eq!(found(&ann, "q=fixture"), pairs(&[("kms", "fixture")]));
}
