//! AWS connections: create, list, get, change, test, delete; and the secret, which no answer contains.

use crate::support::appliance::{Appliance, PASSWORD, id};
use crate::support::client::Client;
use serde_json::{Value, json};
use std::path::Path;

const CONNECTIONS: &str = "/v1/connectionmgmt/services/aws/connections";
const KEY: &str = "AKIALABUSER1ONLYLAB1";
const SECRET: &str = "lab-only/user1/not+a+secret/of+any+use01";
const OTHER_KEY: &str = "AKIALABUSER2ONLYLAB1";
const OTHER_SECRET: &str = "lab-only/other/not+a+secret/of+any+use04";
const WRONG: &str = "wrong-secret-that-is-long-enough-to-find";

#[test]
fn a_connection_is_made_with_all_its_members_and_shown_without_its_secret() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let body = json!({
        "name": "all of it", "description": "d", "access_key_id": KEY, "secret_access_key": SECRET,
        "cloud_name": "aws", "assume_role_arn": "arn:aws:iam::789012123456:role/test-assume-role-ac",
        "assume_role_external_id": "test-ext-id", "aws_region": "eu-west-1",
        "aws_sts_regional_endpoints": "regional", "is_role_anywhere": false, "products": ["cckm"],
        "labels": {"team": "red"}, "meta": {"ticket": 7, "nested": {"a": [1, null]}},
    });
    let made = admin.post(CONNECTIONS, body.clone()).expect(201);
    let uuid = id(&made);
    let mut expected = body;
    expected.as_object_mut().expect("members").remove("secret_access_key");
    for (member, value) in [
        ("id", json!(uuid)),
        ("uri", json!(format!("kylo:kylo:connectionmgmt:connections:all of it-{uuid}"))),
        ("account", json!("kylo:kylo:admin:accounts:kylo")),
        ("application", json!("ncryptify:gemalto:admin:apps:kylo")),
        ("devAccount", json!("ncryptify:gemalto:admin:accounts:gemalto")),
        ("createdAt", made["createdAt"].clone()),
        ("updatedAt", made["createdAt"].clone()),
        ("service", json!("aws")),
        ("category", json!("cloud")),
        ("resource_url", json!(format!("{CONNECTIONS}/{uuid}"))),
        ("last_connection_ok", Value::Null),
        ("last_connection_error", Value::Null),
        ("last_connection_at", Value::Null),
    ] {
        expected[member] = value;
    }
    assert_eq!(made, expected);
    assert_eq!(admin.get(&format!("{CONNECTIONS}/{uuid}")).expect(200), made);
    assert_eq!(admin.get(&format!("{CONNECTIONS}/all%20of%20it")).expect(200), made);
    assert_eq!(admin.get(made["resource_url"].as_str().expect("a path")).expect(200), made);
    assert_eq!(
        admin.post(&format!("{CONNECTIONS}/{uuid}/test"), json!({})).expect(200),
        json!({"connection_ok": true})
    );
}

#[test]
fn a_plain_connection_has_defaults_and_empty_members_count_as_absent() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let made = admin.post(
        CONNECTIONS,
        json!({"name": "plain", "access_key_id": KEY, "secret_access_key": SECRET,
        "cloud_name": "", "assume_role_arn": "", "assume_role_external_id": "", "aws_region": "", "meta": null}),
    );
    let made = made.expect(201);
    for (member, value) in [
        ("description", json!("")),
        ("cloud_name", json!("aws")),
        ("aws_region", json!("us-east-1")),
        ("aws_sts_regional_endpoints", json!("legacy")),
        ("is_role_anywhere", json!(false)),
        ("products", json!(["cckm"])),
        ("labels", json!({})),
        ("meta", json!({})),
    ] {
        assert_eq!(made[member], value, "{member}");
    }
    for absent in ["assume_role_arn", "assume_role_external_id", "secret_access_key"] {
        assert!(made.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn connections_are_listed_with_filters_order_and_pages() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    for (name, cloud, key, secret) in [
        ("c-one", "aws", KEY, SECRET),
        ("a-two", "aws", KEY, WRONG),
        ("b-gov", "aws-us-gov", "AKIALABGOVUSERSLAB01", "lab-only/gov00/not+a+secret/of+any+use05"),
    ] {
        let body = json!({"name": name, "access_key_id": key, "secret_access_key": secret, "cloud_name": cloud,
            "labels": {"team": name, "stage": "test"}, "products": ["cckm"]});
        admin.post(CONNECTIONS, body).expect(201);
    }
    for name in ["c-one", "a-two", "b-gov"] {
        admin.post(&format!("{CONNECTIONS}/{name}/test"), json!({})).expect(200);
    }
    let one = id(&admin.get(&format!("{CONNECTIONS}/c-one")).expect(200));
    for (query, total, names) in [
        ("", 4, &["test_aws-connection", "c-one", "a-two", "b-gov"][..]),
        ("sort=name", 4, &["a-two", "b-gov", "c-one", "test_aws-connection"]),
        ("sort=-createdAt", 4, &["b-gov", "a-two", "c-one", "test_aws-connection"]),
        ("sort=cloud_name,-name", 4, &["test_aws-connection", "c-one", "a-two", "b-gov"]),
        ("sort=name&skip=1&limit=2", 4, &["b-gov", "c-one"]),
        ("limit=1", 4, &["test_aws-connection"]),
        ("skip=9", 4, &[]),
        ("name=a-two", 1, &["a-two"]),
        ("name=*-*n*", 2, &["test_aws-connection", "c-one"]),
        ("name=a-two&name=b-gov", 2, &["a-two", "b-gov"]),
        ("name=A-TWO", 0, &[]),
        ("cloud_name=aws-us-gov", 1, &["b-gov"]),
        ("last_connection_ok=true", 2, &["c-one", "b-gov"]),
        ("last_connection_ok=false", 1, &["a-two"]),
        ("last_connection_ok=true&cloud_name=aws", 1, &["c-one"]),
        ("labels=team", 3, &["c-one", "a-two", "b-gov"]),
        ("labels=stage=test,team=a-two", 1, &["a-two"]),
        ("labels=stage=live", 0, &[]),
        ("products=cckm&name=b-*", 1, &["b-gov"]),
        (&format!("id={one}"), 1, &["c-one"]),
    ] {
        let page = admin.get(&format!("{CONNECTIONS}?{query}")).expect(200);
        let shown: Vec<_> = page["resources"].as_array().expect("rows").iter().map(|row| row["name"].clone()).collect();
        assert_eq!((&page["total"], shown), (&json!(total), names.iter().map(|name| json!(name)).collect()), "{query}");
    }
}

#[test]
fn a_change_affects_only_the_given_members() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let made = admin
        .post(
            CONNECTIONS,
            json!({"name": "one", "access_key_id": KEY, "secret_access_key": SECRET,
        "labels": {"a": "b"}, "description": "before"}),
        )
        .expect(201);
    let path = format!("{CONNECTIONS}/{}", id(&made));
    let dry = admin.patch(&format!("{path}?dry_run=true"), json!({"name": "two"})).expect(200);
    assert_eq!((&dry["name"], &admin.get(&path).expect(200)), (&json!("two"), &made));
    assert_eq!(admin.patch(&path, json!({})).expect(200), made);
    for nothing in [json!({"labels": {}}), json!({"labels": {"x": null}, "meta": {}})] {
        assert_eq!(admin.patch(&path, nothing).expect(200), made, "nothing differs");
    }
    let merged = admin.patch(&path, json!({"labels": {"c": 1}})).expect(200);
    assert_eq!(merged["labels"], json!({"a": "b", "c": 1}));
    let fewer = admin.patch(&path, json!({"labels": {"c": null}})).expect(200);
    assert_eq!(fewer["labels"], made["labels"]);
    let made = fewer;
    assert_eq!(admin.patch(&path, json!({"name": "one", "labels": {"a": "b"}})).expect(200), made, "nothing differs");

    let changed = admin.patch(&path, json!({"name": "two", "meta": {"x": 1}, "description": ""})).expect(200);
    let mut expected = made.clone();
    expected["name"] = json!("two");
    expected["uri"] = json!(format!("kylo:kylo:connectionmgmt:connections:two-{}", id(&made)));
    expected["meta"] = json!({"x": 1});
    expected["description"] = json!("");
    expected["updatedAt"] = changed["updatedAt"].clone();
    assert_eq!(changed, expected);
    assert!(changed["updatedAt"].as_str() > made["updatedAt"].as_str());
    admin.get(&format!("{CONNECTIONS}/one")).refused(404, "NCERRResourceNotFound");

    admin.post(&format!("{path}/test"), json!({})).expect(200);
    admin.patch(&path, json!({"secret_access_key": WRONG})).expect(200);
    let outcome = admin.post(&format!("{path}/test"), json!({})).expect(200);
    assert_eq!(outcome["connection_ok"], false, "the new secret is the one that counts: {outcome}");
    assert!(
        admin.patch(&path, json!({"name": "test_aws-connection"})).refused(409, "NCERRConflict").contains("already")
    );

    admin.delete(&format!("{path}?dry_run=true")).expect(204);
    admin.delete(&path).expect(204);
    admin.get(&path).refused(404, "NCERRResourceNotFound");
    admin.delete(&path).refused(404, "NCERRResourceNotFound");
}

#[test]
fn a_kms_goes_with_its_connection_where_that_may_go() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = format!("/v1/cckm/aws/kms/{}", appliance.kms("first", &["eu-west-1"]));
    let path = format!("{CONNECTIONS}/test_aws-connection");
    let elsewhere = admin.patch(&path, json!({"cloud_name": "aws-cn"})).refused(409, "NCERRConflict");
    assert!(elsewhere.contains("`first`"), "{elsewhere}");
    admin.patch(&path, json!({"name": "renamed"})).expect(200);
    assert_eq!(admin.get(&kms).expect(200)["connection"], "renamed");
}

#[test]
fn an_id_finds_its_own_connection_even_if_another_is_named_so() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let make = |name: &str| {
        let body = json!({"name": name, "access_key_id": KEY, "secret_access_key": SECRET});
        id(&admin.post(CONNECTIONS, body).expect(201))
    };
    let first = make("first");
    let impostor = make(&first);
    assert_eq!(id(&admin.get(&format!("{CONNECTIONS}/{first}")).expect(200)), first);
    admin.delete(&format!("{CONNECTIONS}/{first}")).expect(204);
    assert_eq!(id(&admin.get(&format!("{CONNECTIONS}/{first}")).expect(200)), impostor);
}

#[test]
fn a_test_returns_the_answer_of_aws_and_records_it_for_stored_connections() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let cases = [
        (json!({}), None),
        (json!({"secret_access_key": WRONG}), Some("SignatureDoesNotMatch")),
        (json!({"access_key_id": "AKIANOBODYKNOWSTHIS1"}), Some("InvalidClientTokenId")),
        (json!({"assume_role_arn": "arn:aws:iam::789012123456:role/test-assume-role-open"}), None),
        (json!({"assume_role_arn": "arn:aws:iam::789012123456:role/test-assume-role-ac"}), Some("AccessDenied")),
        (json!({"assume_role_arn": "arn:aws:iam::789012123456:role/test-assume-role-denied"}), Some("AccessDenied")),
    ];
    for (number, (differs, code)) in cases.into_iter().enumerate() {
        let mut body = json!({"access_key_id": KEY, "secret_access_key": SECRET});
        for (member, value) in differs.as_object().expect("members") {
            body[member] = value.clone();
        }
        let tried = admin.post("/v1/connectionmgmt/services/aws/connection-test", body.clone()).expect(200);
        body["name"] = json!(format!("number {number}"));
        let path = format!("{CONNECTIONS}/{}", id(&admin.post(CONNECTIONS, body).expect(201)));
        assert_eq!(admin.post(&format!("{path}/test"), json!({})).expect(200), tried);
        let kept = admin.get(&path).expect(200);
        assert_eq!(tried["connection_ok"], json!(code.is_none()), "{tried}");
        assert_eq!(kept["last_connection_ok"], tried["connection_ok"]);
        assert_eq!(kept.get("last_connection_error").unwrap_or(&Value::Null), &tried["connection_error"]);
        assert!(kept["last_connection_at"].is_string());
        assert_eq!(kept["updatedAt"], kept["createdAt"], "a test changes nothing");
        match code {
            Some(code) => assert!(tried["connection_error"].as_str().is_some_and(|e| e.contains(code)), "{tried}"),
            None => assert!(tried.get("connection_error").is_none(), "{tried}"),
        }
    }
}

#[test]
fn a_test_for_uses_names_the_account_the_caller_the_regions_and_what_is_missing() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let test = "/v1/connectionmgmt/services/aws/connection-test";
    let body = json!({"access_key_id": KEY, "secret_access_key": SECRET});
    let full = admin.post(&format!("{test}?for=keys,byok"), body.clone()).expect(200);
    assert_eq!((&full["connection_ok"], &full["account_id"]), (&json!(true), &json!("123456789012")));
    assert_eq!((&full["caller"], &full["missing"]), (&json!("arn:aws:iam::123456789012:user/user1"), &json!([])));
    let regions = full["regions"].as_array().expect("regions");
    assert!(regions.contains(&json!("eu-west-1")) && !regions.contains(&json!("af-south-1")), "{full}");

    // What cannot be asked has the reason in its place.
    let limited = json!({"name": "limited", "access_key_id": "AKIALABNOREGIONSLAB1",
        "secret_access_key": "lab-only/noreg/not+a+secret/of+any+use02"});
    let path = format!("{CONNECTIONS}/{}", id(&admin.post(CONNECTIONS, limited).expect(201)));
    let tested = admin.post(&format!("{path}/test?for=cloudhsm"), json!({})).expect(200);
    assert_eq!((&tested["connection_ok"], tested.get("regions")), (&json!(true), None));
    assert!(tested["regions_error"].as_str().is_some_and(|text| text.contains("UnauthorizedOperation")), "{tested}");
    assert_eq!(tested["missing"], json!(["ec2:DescribeRegions", "cloudhsm:DescribeClusters"]));
    let wrong = json!({"access_key_id": KEY, "secret_access_key": WRONG});
    let failed = admin.post(&format!("{test}?for=keys"), wrong).expect(200);
    assert_eq!((&failed["connection_ok"], failed.get("account_id")), (&json!(false), None));
    admin.post(&format!("{test}?for=everything"), body.clone()).refused(400, "NCERRInvalidParamValue");
    admin.post(&format!("{test}?for=keys&for=byok"), body).refused(400, "NCERRInvalidParamValue");
}

#[test]
fn who_makes_connections_gets_the_policy_for_the_chosen_uses() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let bob = appliance.member("bob", &["Connection Admins"]);
    let permissions = "/v1/connectionmgmt/services/aws/permissions?for=reports";
    appliance.user("ann").get(permissions).refused(403, "NCERRInsufficientPermissions");
    let answer = bob.get(permissions).expect(200);
    assert_eq!(
        answer["policy"]["Statement"][0]["Action"],
        json!(["ec2:DescribeRegions", "logs:DescribeLogGroups", "logs:FilterLogEvents"])
    );
    assert_eq!((&answer["for"], answer.get("missing")), (&json!(["reports"]), None));
    assert_eq!(answer["actions"].as_array().map(Vec::len), Some(3));
    let all = "/v1/connectionmgmt/services/aws/permissions";
    assert_eq!(bob.get(all).expect(200), admin.get("/v1/cckm/aws/permissions").expect(200));
    for wrong in ["for=tea", "for=keys&for=byok", "fro=keys", "fro=", "for=keys&kms=kms"] {
        bob.get(&format!("{all}?{wrong}")).refused(400, "NCERRInvalidParamValue");
    }
}

#[test]
fn a_secret_is_nowhere_in_the_clear() {
    let appliance = Appliance::start_with(&[("CLAVIGER_LOG_LEVEL", "trace")]);
    let admin = appliance.admin();
    let make = |name: &str, secret: &str| {
        admin.post(CONNECTIONS, json!({"name": name, "access_key_id": KEY, "secret_access_key": secret}))
    };
    make("good", SECRET).expect(201);
    make("bad", WRONG).expect(201);
    let replaced = "another-secret-that-is-long-enough-to-find";
    let answers = [
        admin.get(&format!("{CONNECTIONS}?limit=-1")).text,
        make("bad", WRONG).text,
        make("", WRONG).text,
        admin.post(&format!("{CONNECTIONS}/bad/test"), json!({})).text,
        admin.patch(&format!("{CONNECTIONS}/bad"), json!({"secret_access_key": replaced})).text,
        admin.patch(&format!("{CONNECTIONS}/bad"), json!({"secret_access_key": [WRONG]})).text,
        admin.patch(&format!("{CONNECTIONS}/bad"), json!({"name": {"a": 1}, "secret_access_key": WRONG})).text,
        admin.post(&format!("{CONNECTIONS}/bad/test"), json!({})).text,
        admin.post("/v1/cckm/aws/accounts", json!({"connection": "bad"})).text,
        admin
            .post(
                "/v1/connectionmgmt/services/aws/connection-test",
                json!({"access_key_id": KEY,
            "secret_access_key": WRONG}),
            )
            .text,
        admin.get("/metrics").text,
        String::from_utf8(events(&appliance)).expect("UTF-8"),
    ];
    admin.delete(&format!("{CONNECTIONS}/bad")).expect(204);
    assert!(make("bad again", WRONG).expect(201).to_string().find(WRONG).is_none());
    let secrets = [SECRET, WRONG, replaced, PASSWORD];
    for answer in answers {
        assert!(secrets.iter().all(|secret| !answer.contains(secret)), "{answer}");
    }
    let log = appliance.log();
    assert!(log.contains(CONNECTIONS) && secrets.iter().all(|secret| !log.contains(secret)), "the log");
    let files = files_with(&appliance.data(), &secrets.map(str::as_bytes));
    assert!(files.is_empty(), "{files:?}");
    assert!(!files_with(&appliance.data(), &[KEY.as_bytes()]).is_empty(), "what is not secret is found where it is");
}

#[test]
fn connection_admins_manage_connections_and_kms_admins_see_them() {
    let appliance = Appliance::start();
    let body = json!({"name": "one", "access_key_id": KEY, "secret_access_key": SECRET});
    let test = |who: &Client| who.post(&format!("{CONNECTIONS}/test_aws-connection/test"), json!({})).status;
    let manager = appliance.member("manager", &["Connection Admins"]);
    manager.post(CONNECTIONS, body.clone()).expect(201);
    assert_eq!((test(&manager), manager.delete(&format!("{CONNECTIONS}/one")).status), (200, 204));
    let viewer = appliance.member("viewer", &["CCKM Admins"]);
    viewer.get(CONNECTIONS).expect(200);
    let message = viewer.post(CONNECTIONS, body.clone()).refused(403, "NCERRInsufficientPermissions");
    assert!(message.contains("`Connection Admins`"), "{message}");
    assert_eq!(test(&viewer), 403);
    let nobody = appliance.member("nobody", &["CCKM Users", "User Admins"]);
    assert_eq!((nobody.get(CONNECTIONS).status, nobody.post(CONNECTIONS, body).status), (403, 403));
}

/// The output of `claviger events`.
fn events(appliance: &Appliance) -> Vec<u8> {
    let data = appliance.data();
    let output =
        crate::support::appliance::program().arg("events").arg("--data").arg(data).output().expect("the program");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "the events tell of connections");
    output.stdout
}

/// The files under a directory that contain one of these texts.
fn files_with(directory: &Path, texts: &[&[u8]]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_dir() {
            found.extend(files_with(&entry.path(), texts));
        } else if entry.file_type().expect("a type").is_file() {
            let bytes = std::fs::read(entry.path()).expect("a file");
            if texts.iter().any(|text| bytes.windows(text.len()).any(|window| window == *text)) {
                found.push(entry.path().display().to_string());
            }
        }
    }
    found
}

#[test]
fn changes_of_different_members_at_the_same_time_are_all_kept() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let path = format!("{CONNECTIONS}/test_aws-connection");
    for round in 0..10 {
        let description = format!("round {round}");
        let said =
            [json!({ "description": description }), json!({"labels": {"at": round}}), json!({"meta": {"at": round}})];
        std::thread::scope(|scope| {
            for change in &said {
                let (admin, path) = (&admin, &path);
                scope.spawn(move || admin.patch(path, change.clone()).expect(200));
            }
        });
        let found = admin.get(&path).expect(200);
        let kept = said.iter().flat_map(|change| change.as_object().expect("an object"));
        kept.for_each(|(member, value)| assert_eq!(found[member], *value, "round {round}: {found}"));
    }
}

#[test]
fn a_connection_that_a_kms_rests_on_stays_in_its_account() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = format!("/v1/cckm/aws/kms/{}", appliance.kms("first", &["eu-west-1"]));
    let path = format!("{CONNECTIONS}/test_aws-connection");
    let before = admin.get(&path).expect(200);
    let other = json!({"access_key_id": OTHER_KEY, "secret_access_key": OTHER_SECRET});
    for elsewhere in [other.clone(), json!({"assume_role_arn": "arn:aws:iam::789012123456:role/test-assume-role-open"})]
    {
        for query in ["", "?dry_run=true"] {
            let message = admin.patch(&format!("{path}{query}"), elsewhere.clone()).refused(409, "NCERRConflict");
            for named in ["`test_aws-connection`", "789012123456", "`first`", "123456789012"] {
                assert!(message.contains(named), "{message}");
            }
        }
    }
    for unknown in [json!({"secret_access_key": WRONG}), json!({"access_key_id": OTHER_KEY})] {
        admin.patch(&path, unknown).refused(502, "NCERRCloudError");
    }
    assert_eq!(admin.get(&path).expect(200), before);
    let body = json!({"kms": "first", "region": "eu-west-1", "aws_param": {}});
    admin.post("/v1/cckm/aws/keys", body).expect(201);

    // Other credentials of the same account and a role of the same account are accepted, and so are members that do not
    // affect the account.
    let same = json!({"access_key_id": "AKIALABNOREGIONSLAB1", "secret_access_key": "lab-only/noreg/not+a+secret/of+any+use02"});
    admin.patch(&path, same).expect(200);
    admin.patch(&path, json!({"access_key_id": KEY, "secret_access_key": SECRET, "description": "d"})).expect(200);
    // A KMS with its own role stays in the role's account with any connection.
    let role = json!({"assume_role_arn": "arn:aws:iam::123456789012:role/test-own-role"});
    admin.patch(&kms, role).expect(200);
    admin.patch(&path, other).expect(200);
}
