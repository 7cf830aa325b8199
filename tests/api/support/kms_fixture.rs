//! An appliance with one KMS of the lab's first account, and the keys that a test creates there. Every call that
//! changes a key answers with the key as the next read shows it; the fixture asserts this for each change.

use crate::support::appliance::{Appliance, id, program, run_to_end};
use crate::support::client::{Answer, Client};
use crate::support::lab::LabClient;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const KEYS: &str = "/v1/cckm/aws/keys";
/// The region of most keys.
pub(crate) const HOME: &str = "eu-west-1";
/// The region of replicas.
pub(crate) const AWAY: &str = "eu-west-2";
pub(crate) const ACCOUNT: &str = "123456789012";

/// An appliance, its administrator, its lab cloud, and a KMS.
pub(crate) struct KmsFixture {
    pub appliance: Appliance,
    pub admin: Client,
    pub lab: LabClient,
    /// The id of the KMS; its name is `fixture`.
    pub kms: String,
}

impl KmsFixture {
    /// A fixture without keys.
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// A fixture without keys, with these environment variables.
    pub(crate) fn with(environment: &[(&str, &str)]) -> Self {
        let appliance = Appliance::start_with(environment);
        let (admin, lab) = (appliance.admin(), LabClient::of(&appliance));
        let kms = appliance.kms("fixture", &[HOME, AWAY]);
        Self { appliance, admin, lab, kms }
    }

    /// Starts the program again after it has ended.
    pub(crate) fn restart(&mut self) {
        self.appliance.restart();
        (self.admin, self.lab) = (self.appliance.admin(), LabClient::of(&self.appliance));
    }

    /// Creates a key with these members of `aws_param`.
    #[track_caller]
    pub(crate) fn create(&self, aws_param: Value) -> Value {
        self.made(self.admin.post(KEYS, key_body(aws_param)))
    }

    /// Creates a key with this body.
    #[track_caller]
    pub(crate) fn create_at(&self, path: &str, body: Value) -> Value {
        self.made(self.admin.post(path, body))
    }

    /// Sends a request that creates a key, and asserts that the next read shows the same key.
    #[track_caller]
    fn made(&self, answer: Answer) -> Value {
        let key = answer.expect(201);
        assert_eq!(self.read(&key), key);
        key
    }

    /// The key as it is now.
    #[track_caller]
    pub(crate) fn read(&self, key: &Value) -> Value {
        self.admin.get(&at(key, "")).expect(200)
    }

    /// Sends a request for a key.
    pub(crate) fn post(&self, key: &Value, what: &str, body: Value) -> Answer {
        self.admin.post(&at(key, what), body)
    }

    #[track_caller]
    pub(crate) fn change(&self, key: &Value, what: &str, body: Value) -> Value {
        let changed = self.post(key, what, body).expect(200);
        assert_eq!(changed["id"], key["id"]);
        assert_eq!(self.read(key), changed, "{what}");
        changed
    }

    #[track_caller]
    pub(crate) fn create_source_key(&self, body: Value) -> Value {
        self.admin.post("/v1/vault/keys2", body).expect(201)
    }

    /// The number of keys that match this query.
    #[track_caller]
    pub(crate) fn total(&self, query: &str) -> u64 {
        self.admin.get(&format!("{KEYS}?{query}")).expect(200)["total"].as_u64().expect("a total")
    }

    /// Asserts that AWS and Claviger know the same keys.
    #[track_caller]
    pub(crate) fn assert_agreement(&self) {
        for region in [HOME, AWAY] {
            let list = self.admin.get(&format!("{KEYS}?limit=-1&region={region}&gone=false")).expect(200);
            let known = list["resources"].as_array().expect("keys").iter().map(|key| (aws_id(key), key));
            let known: BTreeMap<_, _> = known.collect();
            let there = self.lab.keys(region);
            assert!(known.keys().eq(there.keys()), "{region}: {:?}, {:?}", known.keys(), there.keys());
            for (id, key) in known {
                assert_eq!(aws(key, "KeyState"), &there[&id]["KeyState"], "{key}");
                let aliases = self.lab.kms(region, "ListAliases", &json!({"KeyId": id}))["Aliases"].take();
                let mut aliases: Vec<_> =
                    aliases.as_array().expect("aliases").iter().map(|alias| alias["AliasName"].to_string()).collect();
                aliases.sort();
                let shown = aws(key, "Alias").as_array().into_iter().flatten().map(Value::to_string);
                assert_eq!(shown.collect::<Vec<_>>(), aliases, "{key}");
            }
        }
    }

    /// The events of all keys (`key/`), or of one: their names and members, by `claviger events`.
    pub(crate) fn events(&self, stream: &str) -> Vec<(String, Value)> {
        let data = self.appliance.data();
        let (code, output, errors) = run_to_end(program().args(["events", "--stream", stream, "--data"]).arg(&data));
        assert_eq!(code, Some(0), "{errors}");
        let event = |line: &str| {
            let line: Value = serde_json::from_str(line).expect("JSON");
            match &line["event"]["Key"][1] {
                Value::String(name) => (name.clone(), Value::Null),
                event => {
                    let (name, said) = event.as_object().and_then(|event| event.iter().next()).expect("an event");
                    (name.clone(), said.clone())
                }
            }
        };
        output.lines().map(event).collect()
    }

    /// The pending operations: those that were requested and have no outcome.
    pub(crate) fn open_operations(&self) -> BTreeSet<String> {
        let mut open = BTreeSet::new();
        for (name, said) in self.events("key/") {
            let operation = || said["operation"].to_string();
            match name.as_str() {
                "OperationRequested" => assert!(open.insert(operation())),
                "OperationDone" | "OperationFailed" | "OperationReconciled" => assert!(open.remove(&operation())),
                _ => {}
            }
        }
        open
    }
}

/// The body that creates a key.
pub(crate) fn key_body(aws_param: Value) -> Value {
    json!({"kms": "fixture", "region": HOME, "aws_param": aws_param})
}

pub(crate) fn at(key: &Value, what: &str) -> String {
    match what {
        "" => format!("{KEYS}/{}", id(key)),
        what => format!("{KEYS}/{}/{what}", id(key)),
    }
}

/// The id of the key at AWS.
pub(crate) fn aws_id(key: &Value) -> String {
    key["aws_param"]["KeyID"].as_str().expect("an id").to_owned()
}

/// A member of `aws_param`.
pub(crate) fn aws<'a>(key: &'a Value, member: &str) -> &'a Value {
    &key["aws_param"][member]
}

/// A policy that leaves all permissions to IAM.
pub(crate) fn open_policy() -> Value {
    json!({"Version": "2012-10-17", "Id": "mine", "Statement": [{"Sid": "All", "Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}, "Action": "kms:*", "Resource": "*"}]})
}

pub(crate) fn has_tag(key: &Value, name: &str, value: &str) -> bool {
    let tags = aws(key, "Tags").as_array().expect("tags");
    tags.contains(&json!({"TagKey": name, "TagValue": value}))
}
