//! What clients keep for a user.

use crate::support::appliance::Appliance;
use crate::support::client::{Answer, Client};
use reqwest::Method;
use serde_json::{Value, json};

const PREFERENCES: &str = "/v1/auth/self/preferences";

fn put(client: &Client, body: &Value) -> Answer {
    client.send(Method::PUT, PREFERENCES, Some(body.to_string().into_bytes()))
}

#[test]
fn preferences_are_of_one_user_and_outlive_a_restart() {
    let mut appliance = Appliance::start();
    let (ann, bob) = (appliance.user("ann"), appliance.user("bob"));
    assert_eq!(ann.get(PREFERENCES).expect(200), json!({}));
    let views = json!({"theme": "dark", "views": [{"name": "due", "query": "sort=valid_to"}], "ключ": null});
    assert_eq!(put(&ann, &views).expect(200), views);
    assert_eq!(bob.get(PREFERENCES).expect(200), json!({}));
    appliance.terminate();
    appliance.restart();
    let ann = appliance.user("ann");
    assert_eq!(ann.get(PREFERENCES).expect(200), views);
    // The last one replaces all of the one before.
    put(&ann, &json!({"theme": "light"})).expect(200);
    assert_eq!(ann.get(PREFERENCES).expect(200), json!({"theme": "light"}));
    let query = "/v1/audit/records?event=PreferencesSet";
    let recorded = |admin: &Client| admin.get(query).expect(200)["total"].clone();
    assert_eq!(recorded(&appliance.admin()), 2);
    put(&ann, &json!({"theme": "light"})).expect(200);
    assert_eq!(recorded(&appliance.admin()), 2, "the same preferences are no event");
}

#[test]
fn preferences_are_an_object_of_bounded_length() {
    let appliance = Appliance::start();
    let ann = appliance.user("ann");
    let of_length = |length: usize| json!({"a": "x".repeat(length - r#"{"a":""}"#.len())});
    put(&ann, &of_length(64 * 1024)).expect(200);
    let refused = put(&ann, &of_length(64 * 1024 + 1));
    assert_eq!((&refused.body["member"], &refused.body["limit"]), (&json!("preferences"), &json!({"most": 65536})));
    refused.refused(400, "NCERRInvalidParamValue");
    for bad in [json!([]), json!("x"), json!(null)] {
        put(&ann, &bad).refused(400, "NCERRBadRequest");
    }
    assert_eq!(ann.get(PREFERENCES).expect(200), of_length(64 * 1024));
    appliance.nobody().get(PREFERENCES).refused(401, "NCERRUnauthorized");
}
