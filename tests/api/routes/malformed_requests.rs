//! Requests that are invalid before their body is read: path, method, query, content type.

use crate::support::appliance::Appliance;
use crate::support::client::Client;
use crate::support::visible_state::VisibleState;
use reqwest::Method;
use serde_json::json;

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";
const CONNECTIONS: &str = "/v1/connectionmgmt/services/aws/connections";

/// The start of a path, whether an id must follow, and the methods and ends of its calls.
type Named = (&'static str, bool, &'static [(Method, &'static str)]);

const NAMED: &[Named] = &[
    (
        "/v1/cckm/aws/kms/",
        true,
        &[
            (Method::GET, ""),
            (Method::GET, "?at=2020-11-05T05:29:17Z"),
            (Method::PATCH, ""),
            (Method::DELETE, ""),
            (Method::GET, "/history"),
            (Method::POST, "/update-acls"),
            (Method::POST, "/archive"),
            (Method::POST, "/recover"),
        ],
    ),
    (
        "/v1/connectionmgmt/services/aws/connections/",
        false,
        &[(Method::GET, ""), (Method::PATCH, ""), (Method::DELETE, ""), (Method::POST, "/test")],
    ),
    ("/v1/usermgmt/users/", true, &[(Method::GET, ""), (Method::PATCH, ""), (Method::DELETE, "")]),
    ("/v1/usermgmt/groups/", false, &[(Method::GET, ""), (Method::PATCH, ""), (Method::DELETE, "")]),
    ("/v1/usermgmt/groups/CCKM%20Users/users/", true, &[(Method::POST, ""), (Method::DELETE, "")]),
    ("/v1/auth/tokens/", true, &[(Method::GET, ""), (Method::DELETE, "")]),
];

#[test]
fn paths_that_name_nothing_are_refused() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let before = VisibleState::of(&admin);
    let long = "x".repeat(300);
    for (path, must_be_an_id, calls) in NAMED {
        let good_body = json!({"group": "CCKM Users", "actions": ["view"], "permit": true}).to_string();
        let send = |name: &str, (method, end): &(Method, &str)| {
            let answer =
                admin.send(method.clone(), &format!("{path}{name}{end}"), Some(good_body.clone().into_bytes()));
            assert!(answer.status < 500, "{method} {path}{name}{end}: {}", answer.text);
            answer
        };
        for call in *calls {
            let message = send(UNKNOWN, call).refused(404, "NCERRResourceNotFound");
            assert!(message.contains(UNKNOWN), "{message}");
            for name in ["not-an-id", "%FF%FE", "%00", "a%2Fb", "local%7C", "%20", &long] {
                let answer = send(name, call);
                match (*must_be_an_id, answer.status) {
                    (true, _) | (false, 400) => answer.refused(400, "NCERRInvalidParamValue"),
                    (false, _) => answer.refused(404, "NCERRResourceNotFound"),
                };
            }
        }
    }
    assert_eq!(VisibleState::of(&admin), before);
}

#[test]
fn unknown_paths_and_methods_are_named() {
    // With the console, its page answers the paths of nobody.
    let appliance = Appliance::start_with(&[("CLAVIGER_CONSOLE_ENABLED", "false")]);
    let (nobody, admin) = (appliance.nobody(), appliance.admin());
    for path in ["/", "/api", "/api/v1", "/api/v2/cckm/aws/kms", "/v1/cckm/aws/kms/a/b", "/v1/auth", "/v1/%FF", "/%2e"]
    {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let message = nobody.send(method, path, None).refused(404, "NCERRResourceNotFound");
            assert!(message.starts_with("there is no API at /"), "{message}");
        }
    }
    let groups = claviger::http::routes::endpoint_groups();
    for endpoint in groups.iter().flat_map(|group| &group.endpoints) {
        let (served, path) = (&endpoint.method, endpoint.path.trim_start_matches("/api"));
        let is_served = |method: &Method| {
            let mut same_path =
                groups.iter().flat_map(|group| &group.endpoints).filter(|one| one.path == endpoint.path);
            same_path.any(|one| one.method.as_str() == method.as_str())
        };
        for method in [Method::PUT, Method::OPTIONS, Method::TRACE].into_iter().filter(|method| !is_served(method)) {
            let answer = admin.send(method.clone(), path, None);
            let allowed = answer.headers["allow"].to_str().expect("methods").to_owned();
            assert!(allowed.split(", ").any(|allowed| allowed == served.as_str()), "{path}: {allowed}");
            let message = answer.refused(405, "NCERRMethodNotAllowed");
            assert_eq!(message, format!("the method {method} is not allowed here; allowed are {allowed}"));
        }
    }
}

#[test]
fn lists_refuse_unknown_sorts_and_filters() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let history = format!("/v1/cckm/aws/kms/{}/history", appliance.kms("first", &["eu-west-1"]));
    let lists =
        ["/v1/cckm/aws/kms", CONNECTIONS, "/v1/usermgmt/users", "/v1/usermgmt/groups", "/v1/auth/tokens", &history];
    let bad = [
        ("limit", &["0", "-2", "ten", "1.5", "9223372036854775808", "1%202", "%FF"][..]),
        ("skip", &["-1", "x", "1.5", "18446744073709551616", "%00"]),
        ("sort", &["shoe_size", "-shoe_size", "--name", "name%20desc", "acls"]),
        ("dry_run", &["maybe", "1"]),
        ("shoe_size", &["44"]),
        ("muid", &["a*"]),
    ];
    for list in lists {
        for (member, values) in bad {
            for value in values {
                let message = admin.get(&format!("{list}?{member}={value}")).refused(400, "NCERRInvalidParamValue");
                assert!(message.starts_with(&format!("{member}: ")), "{list} {member}={value}: {message}");
            }
        }
        let total = admin.get(list).expect(200)["total"].clone();
        let whole = ["", "limit=&skip=&sort=&name=", "dry_run=true", "&&=&%", "limit=9223372036854775807", "limit=-1"];
        for query in whole {
            let page = admin.get(&format!("{list}?{query}")).expect(200);
            assert_eq!(page["total"], total, "{list}?{query}");
            assert_eq!(page["resources"].as_array().map(Vec::len), total.as_u64().map(|total| total as usize));
        }
        let past = admin.get(&format!("{list}?skip=18446744073709551615&limit=9223372036854775807")).expect(200);
        assert_eq!((&past["total"], &past["resources"]), (&total, &json!([])));
    }
}

#[test]
fn filters_of_few_values_refuse_all_others() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    for (list, filter, known) in [
        (CONNECTIONS, "last_connection_ok=maybe", "true, false"),
        (CONNECTIONS, "cloud_name=azure", "aws, aws-us-gov, aws-cn"),
        ("/v1/cckm/aws/kms", "status=asleep", "ACTIVE, ARCHIVED"),
        ("/v1/cckm/aws/kms", "cloud_name=aws&cloud_name=azure", "aws, aws-us-gov, aws-cn"),
    ] {
        let message = admin.get(&format!("{list}?{filter}")).refused(400, "NCERRInvalidParamValue");
        assert!(message.contains(known), "{message}");
    }
}

/// A misspelt dry run must not change anything.
#[test]
fn changes_refuse_unknown_members_of_the_query() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("first", &["eu-west-1"]);
    let path = format!("/v1/cckm/aws/kms/{kms}");
    let before = VisibleState::of(&admin);
    for query in ["DRY_RUN=true", "x=1;dry_run=true", "dryrun=true", "dry_run=true&force=true", "dry_run%20=true"] {
        let deleted = admin.delete(&format!("{path}?{query}")).refused(400, "NCERRInvalidParamValue");
        assert!(deleted.ends_with("this call has no such member in its query; it has dry_run"), "{query}: {deleted}");
        let patch = json!({"regions": ["eu-west-2"]});
        admin.patch(&format!("{path}?{query}"), patch).refused(400, "NCERRInvalidParamValue");
    }
    assert_eq!(VisibleState::of(&admin), before);
    let schedule = json!({"name": "s", "operation": "cckm_key_rotation", "run_at": "0 9 * * sat",
        "cckm_key_rotation_params": {"cloud_name": "aws"}});
    let schedule = admin.post("/v1/scheduler/job-configs", schedule).expect(201);
    let path = format!("/v1/scheduler/job-configs/{}", schedule["id"].as_str().expect("an id"));
    admin.delete(&format!("{path}?force=true")).expect(204);
}

/// What the vendor's Terraform provider and Ansible collection send, and the vendor's page documents.
#[test]
fn lists_take_the_filters_of_the_vendors_clients() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    for query in [
        "cckm/aws/kms/?name=a&limit=-1",
        "cckm/aws/kms?id=a&name=a&account_id=1&cloud_name=aws&skip=0&limit=10",
        "cckm/aws/keys?id=a",
        "cckm/aws/keys?keyid=a&region=eu-west-1",
        "cckm/aws/keys?alias=a&keyid=a&region=eu-west-1",
        "connectionmgmt/services/aws/connections/?name=a&skip=0&limit=-1",
        "connectionmgmt/services/aws/connections/?labels=environment=devenv&skip=0&limit=-1",
        "scheduler/job-configs/?name=TestScheduler&skip=0&limit=-1",
        "usermgmt/users/?username=a&skip=0&limit=10",
        "usermgmt/users/?skip=0&limit=1&email=a",
        "usermgmt/users/?skip=0&limit=1&name=a",
        "usermgmt/groups",
        "vault/keys2/?skip=0&limit=1&name=a",
    ] {
        let page = admin.get(&format!("/v1/{query}")).expect(200);
        assert!(query.ends_with("groups") || page["total"] == 0, "{query}: {page}");
    }
}

#[test]
fn moments_are_taken_as_rfc_3339_has_them_and_no_other_way() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = format!("/v1/cckm/aws/kms/{}", appliance.kms("first", &["eu-west-1"]));
    for at in ["yesterday", "2020", "2020-11-05", "2020-13-05T05:29:17Z", "2020-11-05T05:29:17", "1600000000"] {
        let message = admin.get(&format!("{kms}?at={at}")).refused(400, "NCERRInvalidParamValue");
        assert!(message.starts_with("at: "), "{message}");
    }
    for at in ["0001-01-01T00:00:00Z", "1677-01-01T00:00:00Z", "2020-11-05T05:29:17.5%2B02:00"] {
        admin.get(&format!("{kms}?at={at}")).refused(404, "NCERRResourceNotFound");
    }
    for at in ["2300-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", ""] {
        assert_eq!(admin.get(&format!("{kms}?at={at}")).expect(200)["name"], "first");
    }
}

#[test]
fn the_content_type_does_not_matter() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let send = |client: &Client, kind: Option<&str>| {
        let body = json!({"connection": "test_aws-connection"}).to_string().into_bytes();
        client.send_as(Method::POST, "/v1/cckm/aws/accounts", kind, body)
    };
    let kinds = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin1",
        "multipart/form-data",
        "?",
    ];
    for kind in kinds.into_iter().map(Some).chain([None]) {
        assert_eq!(send(&admin, kind).expect(200)["account_id"], "123456789012", "{kind:?}");
    }
}
