//! `/v1/system/info` and `/v1/cluster`: what clients ask before anything else.

use crate::support::appliance::Appliance;
use serde_json::json;

#[test]
fn a_client_learns_the_version_and_that_there_is_one_node() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let info = admin.get("/v1/system/info").expect(200);
    let version = info["version"].as_str().expect("a version");
    assert!(version.starts_with("2.23.0+claviger."), "{version}");
    for member in ["name", "model", "vendor", "uptime"] {
        assert!(info[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {info}");
    }
    // With the slash at the end, as the vendor's clients send it.
    let cluster = admin.get("/v1/cluster/").expect(200);
    assert_eq!(cluster["status"], json!({"code": "none", "description": "not clustered"}));
    assert_eq!(cluster["nodeCount"], 1);
    assert!(cluster["nodeID"].as_str().is_some_and(|id| id.len() == 36), "{cluster}");
    appliance.nobody().get("/v1/system/info").refused(401, "NCERRUnauthorized");
}
