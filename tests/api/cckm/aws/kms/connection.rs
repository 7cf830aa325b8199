//! The connection of a KMS: shown as the client gave it, and found by name and by id.

use crate::support::appliance::{Appliance, id};
use serde_json::json;

#[test]
fn a_connection_is_shown_as_it_was_given_and_filtered_by_name_and_id() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = "/v1/cckm/aws/kms";
    let name = "test_aws-connection";
    let connection = admin.get(&format!("/v1/connectionmgmt/services/aws/connections/{name}")).expect(200);
    let add = |kms_name: &str, region: &str, connection: &str| {
        let body =
            json!({"name": kms_name, "regions": [region], "account_id": "123456789012", "connection": connection});
        admin.post(kms, body).expect(201)
    };
    let (by_name, by_id) = (add("a", "eu-west-3", name), add("b", "us-east-1", &id(&connection)));
    assert_eq!((&by_name["connection"], &by_id["connection"]), (&json!(name), &json!(id(&connection))));
    for given in [name.to_owned(), id(&connection)] {
        assert_eq!(admin.get(&format!("{kms}?connection={given}")).expect(200)["total"], 2, "{given}");
        let patched = admin.patch(&format!("{kms}/{}", id(&by_name)), json!({"connection": given})).expect(200);
        assert_eq!(patched["connection"], json!(given));
        assert_eq!(admin.get(&format!("{kms}/{}", id(&by_name))).expect(200), patched);
    }
    // The other form of the same connection is no second change.
    let both = json!({"connection": name, "regions": ["eu-west-3", "eu-west-1"]});
    let patched = admin.patch(&format!("{kms}/{}", id(&by_name)), both).expect(200);
    assert_eq!(patched["regions"], json!(["eu-west-3", "eu-west-1"]));
}
