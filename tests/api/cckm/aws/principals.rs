//! The names of users and groups, for those who permit actions on KMSs.

use crate::support::appliance::{Appliance, subject};
use serde_json::{Value, json};

const PRINCIPALS: &str = "/v1/cckm/aws/principals";

#[test]
fn those_who_permit_actions_see_names_and_nothing_else() {
    let appliance = Appliance::start();
    appliance.admin().post("/v1/usermgmt/groups", json!({"name": "annex"})).expect(201);
    let (ann, carl) = (appliance.user("ann"), appliance.member("carl", &["CCKM Admins"]));
    let listed = |query: &str| carl.get(&format!("{PRINCIPALS}?{query}")).expect(200);
    assert_eq!(
        listed("name=ann*")["resources"],
        json!([
            {"type": "user", "user_id": subject(&ann), "name": "ann"},
            {"type": "group", "name": "annex"},
        ])
    );
    let page = listed("name=ann*&skip=1&limit=1");
    assert_eq!((&page["total"], &page["resources"][0]["name"]), (&json!(2), &json!("annex")));
    let users = listed("type=User&limit=-1&sort=-name");
    let names: Vec<_> = users["resources"].as_array().expect("rows").iter().map(|row| &row["name"]).collect();
    assert!(names.contains(&&json!("admin")) && names.is_sorted_by(|one, other| one.as_str() > other.as_str()));
    carl.get(&format!("{PRINCIPALS}?type=robot")).refused(400, "NCERRInvalidParamValue");
    // The users themselves stay hidden from them.
    carl.get("/v1/usermgmt/users").refused(403, "NCERRInsufficientPermissions");
    for other in [&ann, &appliance.member("uma", &["User Admins"])] {
        other.get(PRINCIPALS).refused(403, "NCERRInsufficientPermissions");
    }
    let _: Value = listed("");
}
