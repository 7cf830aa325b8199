//! How the list of keys is searched, and how lists are cut to some members of each row.

use super::renewal::ids;
use crate::support::kms_fixture::{KEYS, KmsFixture, aws_id};
use serde_json::json;

#[test]
fn keys_are_searched_by_alias_id_arn_tags_and_description() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({"Alias": "Payroll-2026", "Description": "Löhne und Gehälter",
        "Tags": [{"TagKey": "team", "TagValue": "Finance"}]}));
    let other = fixture.create(json!({"Alias": "other"}));
    let arn = key["aws_param"]["Arn"].as_str().expect("an ARN").to_owned();
    for text in [
        "payroll",
        "ROLL-20",
        "alias/pay",
        "l%C3%B6hne",
        "finance",
        "team:fin",
        &aws_id(&key),
        key["id"].as_str().expect("an id"),
        &arn,
    ] {
        assert_eq!(ids(&fixture, &format!("search={text}")), [key["id"].clone()], "{text}");
    }
    assert_eq!(ids(&fixture, &format!("search=%20{}%20&keyid={}", "pay", aws_id(&key))), [key["id"].clone()]);
    assert!(ids(&fixture, &format!("search=pay&keyid={}", aws_id(&other))).is_empty());
    assert_eq!(ids(&fixture, "search=arn:aws").len(), 2);
    // Claviger's own tag is not shown, so it is not found either.
    assert!(ids(&fixture, "search=claviger:operation").is_empty());
    let long = "x".repeat(256);
    fixture.admin.get(&format!("{KEYS}?search={long}")).refused(400, "NCERRInvalidParamValue");
}

#[test]
fn lists_show_the_members_that_are_asked_for() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({"Alias": "a"}));
    let list = fixture.admin.get(&format!("{KEYS}?fields=id,aws_param.KeyState,aws_param.Alias")).expect(200);
    let expected = json!({"id": key["id"], "aws_param": {"KeyState": "Enabled", "Alias": ["alias/a"]}});
    assert_eq!(list["resources"], json!([expected]));
    let message = fixture.admin.get(&format!("{KEYS}?fields=id,shoe_size")).refused(400, "NCERRInvalidParamValue");
    assert!(message.starts_with("fields: `shoe_size` is no member of these rows; they have "), "{message}");
    for (list, member) in [
        ("cckm/aws/kms", "name"),
        ("usermgmt/users", "username"),
        ("usermgmt/groups", "name"),
        ("connectionmgmt/services/aws/connections", "name"),
        ("auth/tokens", "id"),
        ("cckm/aws/actions", "api"),
    ] {
        let rows = fixture.admin.get(&format!("/v1/{list}?fields={member}")).expect(200);
        let rows = rows["resources"].as_array().expect("rows").clone();
        assert!(!rows.is_empty(), "{list}");
        for row in rows {
            let names: Vec<&String> = row.as_object().expect("a row").keys().collect();
            assert_eq!(names, [member], "{list}");
        }
        fixture.admin.get(&format!("/v1/{list}?fields=shoe_size")).refused(400, "NCERRInvalidParamValue");
    }
}
