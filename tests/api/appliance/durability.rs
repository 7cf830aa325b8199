//! Durability: after a kill at any moment, all acknowledged changes are complete, no change is partial, and the disk
//! has a change before it is acknowledged.

use crate::support::appliance::{Appliance, PASSWORD, lab, program, run_to_end};
use crate::support::client::Client;
use crate::support::strace::{DISK_AND_ANSWERS, Strace};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::process::Stdio;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

const ROUNDS: usize = 6;
const CONNECTIONS: &str = "/v1/connectionmgmt/services/aws/connections";
const REGIONS: [&[&str]; 3] = [&["eu-west-1"], &["eu-west-1", "us-east-1"], &["us-east-1", "ap-south-1", "eu-west-2"]];

/// The number of the last acknowledged change of each kind. The next one was in progress when the process died, so it
/// may be present or not. Later ones were never sent.
#[derive(Clone, Copy, Default, Debug)]
struct Acknowledged {
    regions: usize,
    acls: usize,
    groups: usize,
    users: usize,
    connections: usize,
}

#[test]
fn acknowledged_changes_survive_a_kill_at_any_moment() {
    let mut appliance = Appliance::start();
    let kms = appliance.kms("kms", REGIONS[0]);
    let mut acknowledged = Acknowledged::default();
    for _ in 0..ROUNDS {
        let before = acknowledged;
        acknowledged = write_until_killed(&mut appliance, &kms, before);
        let (code, said, problem) = run_to_end(program().args(["verify", "--data"]).arg(appliance.data()));
        assert_eq!(code, Some(0), "{said}{problem}");
        assert!(said.contains("the chain is whole"), "{said}");
        appliance.restart();
        acknowledged = check(&appliance, &kms, acknowledged);
    }
    assert!(acknowledged.groups >= ROUNDS, "hardly anything was tried: {acknowledged:?}");
}

#[test]
fn a_first_start_that_was_cut_off_begins_again() {
    for n in 0..6 {
        let home = TempDir::new().expect("a directory");
        let mut starting = lab(&home.path().join("data")).stdout(Stdio::null()).spawn().expect("the program starts");
        // The delays are spread evenly over the duration of a first start.
        thread::sleep(Duration::from_millis(30 * n));
        starting.kill().expect("a process to kill");
        starting.wait().expect("its end");
        let appliance = Appliance::start_in(home, &[]);
        let admin = appliance.admin();
        assert_eq!(admin.get("/v1/usermgmt/users").expect(200)["total"], 1);
        let tested = admin.post(&format!("{CONNECTIONS}/test_aws-connection/test"), json!({})).expect(200);
        assert_eq!(tested["connection_ok"], true, "{tested}");
    }
}

fn write_until_killed(appliance: &mut Appliance, kms: &str, from: Acknowledged) -> Acknowledged {
    let admin = appliance.admin();
    let (path, acls) = (format!("/v1/cckm/aws/kms/{kms}"), format!("/v1/cckm/aws/kms/{kms}/update-acls"));
    let regions = |n: usize| (Method::PATCH, path.clone(), json!({"regions": REGIONS[n % 3]}));
    let permissions = |n: usize| {
        let entry = |group| json!({"group": group, "actions": ["reportview"], "permit": n % 2 == 1});
        (Method::POST, acls.clone(), json!({"acls": [entry("CCKM Users"), entry("User Admins")]}))
    };
    let group = |n| (Method::POST, "/v1/usermgmt/groups".to_owned(), json!({"name": format!("group-{n}")}));
    let user = |n| (Method::POST, "/v1/usermgmt/users".to_owned(), person(n));
    let connection = |n| {
        (
            Method::POST,
            CONNECTIONS.to_owned(),
            json!({"name": format!("connection-{n}"),
        "access_key_id": "AKIALABUSER1ONLYLAB1", "secret_access_key": "lab-only/user1/not+a+secret/of+any+use01"}),
        )
    };
    let client = &admin;
    thread::scope(|scope| {
        let regions = scope.spawn(move || send_until_killed(client, from.regions, regions));
        let acls = scope.spawn(move || send_until_killed(client, from.acls, permissions));
        let groups = scope.spawn(move || send_until_killed(client, from.groups, group));
        let users = scope.spawn(move || send_until_killed(client, from.users, user));
        let connections = scope.spawn(move || send_until_killed(client, from.connections, connection));
        thread::sleep(Duration::from_millis(30 + random() % 270));
        appliance.kill();
        Acknowledged {
            regions: regions.join().expect("a writer"),
            acls: acls.join().expect("a writer"),
            groups: groups.join().expect("a writer"),
            users: users.join().expect("a writer"),
            connections: connections.join().expect("a writer"),
        }
    })
}

/// Sends numbered changes one after the other until there is no answer; the number of the last acknowledged one.
fn send_until_killed(client: &Client, from: usize, change: impl Fn(usize) -> (Method, String, Value)) -> usize {
    let mut last = from;
    loop {
        let (method, path, body) = change(last + 1);
        match client.try_send(method, &path, Some(body.to_string().into_bytes())) {
            Ok(answer) => assert!([200, 201].contains(&answer.status), "{}", answer.text),
            Err(_) => return last,
        }
        last += 1;
    }
}

/// Asserts that all acknowledged changes are complete. If the change in progress was recorded, it counts as
/// acknowledged.
fn check(appliance: &Appliance, kms: &str, acknowledged: Acknowledged) -> Acknowledged {
    let admin = appliance.admin();
    let kms = admin.get(&format!("/v1/cckm/aws/kms/{kms}")).expect(200);
    let regions =
        [acknowledged.regions, acknowledged.regions + 1].into_iter().find(|n| kms["regions"] == json!(REGIONS[n % 3]));
    let entry = |group| json!({"group": group, "actions": ["reportview"]});
    let permitted = |n: &usize| match n % 2 {
        1 => kms["acls"] == json!([entry("CCKM Users"), entry("User Admins")]),
        _ => kms["acls"].is_null(),
    };
    let acls = [acknowledged.acls, acknowledged.acls + 1].into_iter().find(permitted);
    let found = Acknowledged {
        regions: regions.unwrap_or_else(|| panic!("{acknowledged:?}: {kms}")),
        acls: acls.unwrap_or_else(|| panic!("{acknowledged:?}: {kms}")),
        groups: counted(&admin, "/v1/usermgmt/groups", "name", "group-", acknowledged.groups),
        users: counted(&admin, "/v1/usermgmt/users", "username", "user-", acknowledged.users),
        connections: counted(&admin, CONNECTIONS, "name", "connection-", acknowledged.connections),
    };
    // Their secrets can be unsealed, and no data key is left without an owner.
    if found.users > 0 {
        appliance.nobody().sign_in(&format!("user-{}", found.users), PASSWORD);
    }
    if found.connections > 0 {
        let tested = admin.post(&format!("{CONNECTIONS}/connection-{}/test", found.connections), json!({})).expect(200);
        assert_eq!(tested["connection_ok"], true, "{tested}");
    }
    let keys = std::fs::read_dir(appliance.data().join("keyring")).expect("a keyring");
    let keys = keys.map(|key| key.expect("a key").file_name().into_string().expect("UTF-8"));
    let keys: Vec<_> = keys.filter(|key| key.starts_with("user-") || key.starts_with("connection-")).collect();
    assert_eq!(keys.len(), found.users + 1 + found.connections + 1, "{found:?}: {keys:?}");
    found
}

/// The number of entries with this prefix, which are numbered from 1: as many as were acknowledged, or one more.
fn counted(admin: &Client, path: &str, member: &str, prefix: &str, acknowledged: usize) -> usize {
    let list = admin.get(&format!("{path}?limit=-1")).expect(200);
    let names = list["resources"].as_array().expect("a list").iter().filter_map(|one| one[member].as_str());
    let numbers: BTreeSet<usize> = names.filter_map(|name| name.strip_prefix(prefix)?.parse().ok()).collect();
    let expected = (1..=numbers.len()).collect();
    assert_eq!(numbers, expected, "{path}: one is missing");
    assert!((acknowledged..=acknowledged + 1).contains(&numbers.len()), "{path}: {} of {acknowledged}", numbers.len());
    numbers.len()
}

fn person(n: usize) -> Value {
    json!({"username": format!("user-{n}"), "password": PASSWORD})
}

fn random() -> u64 {
    RandomState::new().hash_one(0)
}

#[test]
fn a_change_is_on_disk_before_it_is_acknowledged() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("kms", &["eu-west-1"]);
    let Some(tracer) = Strace::attach(appliance.pid(), &DISK_AND_ANSWERS) else { return };
    let changes: [(Method, String, Value); 4] = [
        (Method::POST, "/v1/usermgmt/groups".to_owned(), json!({"name": "one"})),
        (Method::POST, "/v1/usermgmt/users".to_owned(), person(1)),
        (Method::PATCH, format!("/v1/cckm/aws/kms/{kms}"), json!({"regions": ["us-east-1"]})),
        (Method::POST, format!("/v1/cckm/aws/kms/{kms}/archive"), json!({})),
    ];
    let mut spans = Vec::new();
    for (method, path, body) in changes {
        let begun = Strace::now();
        let answer = admin.send(method, &path, Some(body.to_string().into_bytes()));
        assert!([200, 201].contains(&answer.status), "{}", answer.text);
        spans.push((path, begun, Strace::now()));
    }
    let begun = Strace::now();
    admin.get("/v1/cckm/aws/kms").expect(200);
    let read = (begun, Strace::now());

    let traced = tracer.end();
    for (path, begun, ended) in spans {
        let synced = traced.between(begun, ended).position(|call| call.syncs_the_log());
        let answered = traced.between(begun, ended).collect::<Vec<_>>().iter().rposition(|call| call.sends());
        assert!(
            synced.is_some() && synced < answered,
            "{path}: {:#?}",
            traced.between(begun, ended).collect::<Vec<_>>()
        );
    }
    assert!(!traced.between(read.0, read.1).any(|call| call.syncs_the_log()), "a read waits for no disk");
}

#[test]
fn changes_that_come_together_share_a_sync() {
    const TOGETHER: usize = 64;
    let appliance = Appliance::start();
    let admin = appliance.admin();
    // Each sync is delayed, as on a slow disk.
    let slowly = ["-e", "trace=fdatasync", "-e", "inject=fdatasync:delay_exit=20000"];
    let Some(tracer) = Strace::attach(appliance.pid(), &slowly) else { return };
    let start = Barrier::new(TOGETHER);
    thread::scope(|scope| {
        for n in 0..TOGETHER {
            let (start, admin) = (&start, &admin);
            scope.spawn(move || {
                admin.get("/v1/auth/self/user").expect(200);
                start.wait();
                admin.post("/v1/usermgmt/groups", json!({"name": format!("group-{n}")})).expect(201);
            });
        }
    });
    let syncs = tracer.end().calls.iter().filter(|call| call.syncs_the_log()).count();
    assert!(syncs >= 1 && syncs * 2 <= TOGETHER, "{TOGETHER} changes in {syncs} syncs");
    assert_eq!(admin.get("/v1/usermgmt/groups?name=group-*").expect(200)["total"], TOGETHER);
}
