//! `/v1/cckm/aws/permissions`: the least IAM policy. The work of each capability is done with exactly its actions, and
//! for each action there is a piece of work that fails without it.

use super::custom_key_stores_cloudhsm;
use crate::support::appliance::{Appliance, id};
use crate::support::client::{Answer, Client};
use crate::support::lab::LabClient;
use claviger::service::permissions::{Capability, needed_by};
use serde_json::{Value, json};
use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

const PERMISSIONS: &str = "/v1/cckm/aws/permissions";
const CONNECTIONS: &str = "/v1/connectionmgmt/services/aws/connections";
const KEYS: &str = "/v1/cckm/aws/keys";
const STORES: &str = "/v1/cckm/aws/custom-key-stores";
const HOME: &str = "us-east-1";
const AWAY: &str = "us-west-2";

/// The actions of a capability, as the policy has them.
fn actions(wanted: Capability) -> Vec<&'static str> {
    needed_by(&[wanted]).filter(|needed| needed.for_service.is_none()).map(|needed| needed.action).collect()
}

/// The keys of a user of the lab.
fn keys_of(user: usize) -> [String; 2] {
    [format!("AKIALABLEAST00000{user:03}"), format!("lab-only/least/not+a+secret/of+any+us{user:03}")]
}

/// A KMS whose connection has the keys of a user with exactly the actions of a capability, or with all but one of them.
struct Work {
    appliance: Appliance,
    admin: Client,
    lab: LabClient,
    capability: Capability,
    actions: Vec<&'static str>,
    connection: String,
    source: String,
    store: String,
    /// A key that the trials change.
    key: Value,
    names: Cell<u32>,
}

impl Work {
    fn with(capability: Capability) -> Self {
        let actions = actions(capability);
        let plan = std::fs::read_to_string("config/lab-cloud.toml").expect("the built-in plan");
        let without = |left_out: Option<&str>| actions.iter().filter(|one| Some(**one) != left_out).collect::<Vec<_>>();
        let user = |number: usize, allow: Vec<&&str>| {
            let [access_key, secret] = keys_of(number);
            format!(
                "[[accounts.users]]\nname = \"least-{number}\"\naccess_key_id = \"{access_key}\"\n\
                 secret_access_key = \"{secret}\"\nallow = {allow:?}\n\n"
            )
        };
        // User 0 has all actions, and user N all but the Nth.
        let mut users = user(0, without(None));
        users.extend((1..).zip(&actions).map(|(number, action)| user(number, without(Some(action)))));
        let mark = "[[accounts.users]]\nname = \"no-regions\"";
        assert!(plan.contains(mark) && plan.contains("[custom_key_stores]\n"));
        let plan = plan.replacen(mark, &format!("{users}{mark}"), 1);
        let plan = plan.replacen("[custom_key_stores]\n", "[custom_key_stores]\nmax_per_region = 100\n", 1);
        let appliance = Appliance::start_with_plan(&plan);
        let (admin, lab) = (appliance.admin(), LabClient::of(&appliance));
        let [access_key, secret] = keys_of(0);
        let body = json!({"name": "least", "access_key_id": access_key, "secret_access_key": secret});
        let connection = id(&admin.post(CONNECTIONS, body).expect(201));
        let body = json!({"name": "kms", "account_id": "123456789012", "connection": "least", "regions": [HOME, AWAY]});
        admin.post("/v1/cckm/aws/kms", body).expect(201);
        let body = json!({"name": "source", "algorithm": "aes", "size": 256, "usageMask": 12, "unexportable": true,
            "undeletable": true});
        let source = id(&admin.post("/v1/vault/keys2", body).expect(201));
        let (names, store, key) = (Cell::new(0), String::new(), Value::Null);
        let mut work = Self { appliance, admin, lab, capability, actions, connection, source, store, key, names };
        if [Capability::KeyStores, Capability::CloudHsm].contains(&capability) {
            work.store = id(&work.create_store().expect(201));
            work.on_store(&work.store, "connect").expect(200);
            let deadline = Instant::now() + Duration::from_secs(20);
            while work.admin.get(&format!("{STORES}/{}", work.store)).expect(200)["aws_param"]["connection_state"]
                != "CONNECTED"
            {
                assert!(Instant::now() < deadline, "not connected");
                thread::sleep(Duration::from_millis(50));
            }
        }
        work.key = work.create_key(json!({})).expect(201);
        work
    }

    /// Signs the calls to AWS with the keys of a user from now on.
    fn become_user(&self, number: usize) {
        let [access_key, secret] = keys_of(number);
        let body = json!({"access_key_id": access_key, "secret_access_key": secret});
        self.admin.patch(&format!("{CONNECTIONS}/{}", self.connection), body).expect(200);
    }

    fn name(&self) -> String {
        self.names.set(self.names.get() + 1);
        format!("n{}", self.names.get())
    }

    /// Creates a key of the capability's kind.
    fn create_key(&self, mut aws_param: Value) -> Answer {
        aws_param["Tags"] = json!([{"TagKey": "made", "TagValue": "by the test"}]);
        let (path, body) = match self.capability {
            Capability::Byok => {
                ("/v1/cckm/aws/upload-key", json!({"source_key_identifier": self.source, "source_key_tier": "local"}))
            }
            Capability::KeyStores => (
                "/v1/cckm/aws/create-hyok-key",
                json!({"local_hosted_params": {"custom_key_store_id": self.store, "source_key_id": self.source,
                    "linked_state": true}}),
            ),
            Capability::CloudHsm => {
                return self
                    .admin
                    .post(&format!("{STORES}/{}/create-aws-key", self.store), json!({"aws_param": aws_param}));
            }
            Capability::Keys | Capability::Reports => (KEYS, json!({})),
        };
        let mut body = body;
        (body["kms"], body["region"], body["aws_param"]) = (json!("kms"), json!(HOME), aws_param);
        self.admin.post(path, body)
    }

    fn create_store(&self) -> Answer {
        let name = self.name();
        if self.capability == Capability::CloudHsm {
            return self
                .admin
                .post(STORES, custom_key_stores_cloudhsm::body(&name, custom_key_stores_cloudhsm::PASSWORD));
        }
        let body = json!({"name": name, "kms": "kms", "region": HOME, "linked_state": true,
            "aws_param": {"xks_proxy_uri_endpoint": format!("https://{name}.example.com")},
            "local_hosted_params": {"health_check_key_id": self.source, "max_credentials": 20}});
        self.admin.post(STORES, body)
    }

    fn on_store(&self, store: &str, what: &str) -> Answer {
        self.admin.post(&format!("{STORES}/{store}/{what}"), json!({}))
    }

    fn on(&self, key: &Value, what: &str, body: Value) -> bool {
        self.admin.post(&format!("{KEYS}/{}/{what}", id(key)), body).status == 200
    }

    /// Whether a read of the key from AWS succeeds, and shows a text.
    fn shows(&self, text: &str) -> bool {
        let read = self.admin.post(&format!("{KEYS}/{}/refresh", id(&self.key)), json!({}));
        read.status == 200 && read.text.contains(text)
    }

    /// Whether a synchronisation succeeds.
    fn synchronizes(&self) -> bool {
        let body = json!({"kms": ["kms"], "regions": [HOME]});
        let job = id(&self.admin.post("/v1/cckm/aws/synchronization-jobs", body).expect(202));
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let job = self.admin.get(&format!("/v1/cckm/aws/synchronization-jobs/{job}")).expect(200);
            if job["overall_status"] != "in_progress" {
                return job["overall_status"] == "completed";
            }
            assert!(Instant::now() < deadline, "it does not end: {job}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Does work that needs an action as a user. Returns whether it was done.
    fn does(&self, action: &str, user: usize) -> bool {
        let at_aws = self.key["aws_param"]["KeyID"].clone();
        let by_hand = |operation: &str, mut body: Value| {
            body["KeyId"] = at_aws.clone();
            self.lab.kms(HOME, operation, &body);
        };
        let prepared = |aws_param: Value| {
            self.become_user(0);
            let key = self.create_key(aws_param).expect(201);
            self.become_user(user);
            key
        };
        let store = |what: Option<&str>| {
            self.become_user(0);
            let store = id(&self.create_store().expect(201));
            what.iter().for_each(|what| drop(self.on_store(&store, what).expect(200)));
            self.become_user(user);
            store
        };
        let (name, key) = (self.name(), &self.key);
        let alias = json!({"alias": name});
        let tag = json!({"tags": [{"tag_key": name, "tag_value": ""}]});
        let policy = |sid: &str| {
            json!({"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Allow", "Action": "kms:*",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Resource": "*"}]})
        };
        self.become_user(user);
        match action {
            "ec2:DescribeRegions" => {
                self.admin.post("/v1/cckm/aws/get-all-regions", json!({"connection": "least"})).status == 200
            }
            "iam:ListUsers" => self.admin.post("/v1/cckm/aws/get-iam-users", json!({"kms": "kms"})).status == 200,
            "iam:ListRoles" => self.admin.post("/v1/cckm/aws/get-iam-roles", json!({"kms": "kms"})).status == 200,
            "kms:CreateKey" => self.create_key(json!({})).status == 201,
            "kms:DescribeKey" => self.shows(""),
            "kms:ListKeys" => self.synchronizes(),
            "kms:EnableKey" => {
                let key = prepared(json!({}));
                self.become_user(0);
                assert!(self.on(&key, "disable", json!({})));
                self.become_user(user);
                self.on(&key, "enable", json!({}))
            }
            "kms:DisableKey" => self.on(&prepared(json!({})), "disable", json!({})),
            "kms:TagResource" => self.on(key, "add-tags", tag),
            "kms:UntagResource" => self.on(key, "remove-tags", json!({"tags": ["made"]})),
            "kms:ListResourceTags" => {
                by_hand("TagResource", json!({"Tags": [{"TagKey": name, "TagValue": "tagged-by-hand"}]}));
                self.shows(&format!("\"{name}\""))
            }
            "kms:CreateAlias" => self.on(key, "add-alias", alias),
            "kms:DeleteAlias" => self.on(&prepared(json!({"Alias": name})), "delete-alias", alias),
            "kms:UpdateAlias" => {
                prepared(json!({"Alias": name}));
                self.on(key, "add-alias", alias)
            }
            "kms:ListAliases" => {
                let alias = json!({"AliasName": format!("alias/by-hand-{name}"), "TargetKeyId": at_aws});
                self.lab.kms(HOME, "CreateAlias", &alias);
                self.shows(&format!("alias/by-hand-{name}"))
            }
            "kms:UpdateKeyDescription" => self.on(key, "update-description", json!({"description": name})),
            "kms:PutKeyPolicy" => self.on(key, "policy", json!({"policy": policy(&name)})),
            "kms:GetKeyPolicy" => {
                let sid = format!("ByHand{name}");
                by_hand("PutKeyPolicy", json!({"PolicyName": "default", "Policy": policy(&sid).to_string()}));
                self.shows(&sid)
            }
            "kms:ScheduleKeyDeletion" => self.on(&prepared(json!({})), "schedule-deletion", json!({"days": 7})),
            "kms:CancelKeyDeletion" => {
                let key = prepared(json!({}));
                self.become_user(0);
                assert!(self.on(&key, "schedule-deletion", json!({"days": 7})));
                self.become_user(user);
                self.on(&key, "cancel-deletion", json!({}))
            }
            "kms:EnableKeyRotation" => self.on(&prepared(json!({})), "enable-auto-rotation", json!({})),
            "kms:DisableKeyRotation" => {
                let key = prepared(json!({}));
                self.become_user(0);
                assert!(self.on(&key, "enable-auto-rotation", json!({})));
                self.become_user(user);
                self.on(&key, "disable-auto-rotation", json!({}))
            }
            "kms:GetKeyLastUsage" => {
                let key = prepared(json!({}));
                let read = self.admin.post(&format!("{KEYS}/{}/refresh", id(&key)), json!({})).expect(200);
                read.get("usage_tracked_since").is_some()
            }
            "kms:GetKeyRotationStatus" => self.on(key, "get-key-rotation-status", json!({})),
            "kms:RotateKeyOnDemand" => self.on(&prepared(json!({})), "rotate-material", json!({})),
            "kms:ListGrants" => self.admin.get(&format!("{KEYS}/{}/grants", id(key))).status == 200,
            "kms:ListKeyRotations" => self.admin.get(&format!("{KEYS}/{}/rotations", id(key))).status == 200,
            "kms:GetPublicKey" => {
                let key = prepared(json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}));
                self.admin.get(&format!("{KEYS}/{}/download-public-key", id(&key))).status == 200
            }
            "kms:ReplicateKey" => {
                let key = prepared(json!({"MultiRegion": true}));
                let path = format!("{KEYS}/{}/replicate-key", id(&key));
                self.admin.post(&path, json!({"replica_region": AWAY})).status == 201
            }
            "kms:UpdatePrimaryRegion" => {
                let key = prepared(json!({"MultiRegion": true}));
                self.become_user(0);
                let path = format!("{KEYS}/{}/replicate-key", id(&key));
                self.admin.post(&path, json!({"replica_region": AWAY})).expect(201);
                self.become_user(user);
                let path = format!("{KEYS}/{}/update-primary-region", id(&key));
                self.admin.post(&path, json!({"PrimaryRegion": AWAY})).status < 300
            }
            "kms:GetParametersForImport" | "kms:ImportKeyMaterial" => self.create_key(json!({})).status == 201,
            "kms:DeleteImportedKeyMaterial" => self.on(&prepared(json!({})), "delete-material", json!({})),
            "cloudhsm:DescribeClusters" => {
                let path = format!("{STORES}/get-unused-cloudhsm-clusters");
                self.admin.post(&path, json!({"kms": "kms", "region": HOME})).status == 200
            }
            "kms:CreateCustomKeyStore" => self.create_store().status == 201,
            "kms:DescribeCustomKeyStores" => self.on_store(&store(None), "connect").status == 200,
            "kms:ConnectCustomKeyStore" => self.on_store(&store(None), "connect").status == 200,
            "kms:DisconnectCustomKeyStore" => self.on_store(&store(Some("connect")), "disconnect").status == 200,
            "kms:UpdateCustomKeyStore" => self.on_store(&store(None), "rotate-credential").status == 200,
            "kms:DeleteCustomKeyStore" => self.admin.delete(&format!("{STORES}/{}", store(None))).status == 204,
            _ => panic!("nothing is tried with {action}"),
        }
    }

    /// Tries these actions: without each, its work is not done, and with all it is.
    fn try_all(&self, wanted: impl Fn(&str) -> bool) {
        for (number, action) in (1..).zip(&self.actions).filter(|(_, action)| wanted(action)) {
            assert!(!self.does(action, number), "{:?}: it was done without {action}", self.capability);
            assert!(self.does(action, 0), "{:?}: it was not done although {action} is allowed", self.capability);
        }
        let _ = &self.appliance;
    }

    /// Does the work with all actions, and asserts that the program called nothing else.
    fn assert_calls(&self, wanted: impl Fn(&str) -> bool) {
        self.become_user(0);
        self.lab.forget_calls();
        self.actions.iter().filter(|action| wanted(action)).for_each(|action| {
            self.does(action, 0);
        });
        let by_hand = ["kms:TagResource", "kms:CreateAlias", "kms:PutKeyPolicy"];
        for called in self.lab.called() {
            let allowed = self.actions.contains(&called.as_str()) || by_hand.contains(&called.as_str());
            // Calls of AWS to the proxy are none of ours.
            let is_of_nobody = called.starts_with("sts:") || called.starts_with("kms-xks-proxy:");
            assert!(allowed || is_of_nobody, "{:?}: {called} was called", self.capability);
        }
    }
}

#[test]
fn the_policy_for_keys_is_enough_and_nothing_in_it_is_too_much() {
    let work = Work::with(Capability::Keys);
    work.try_all(|_| true);
    work.assert_calls(|_| true);
}

#[test]
fn the_policy_for_imported_material_is_enough_and_what_it_adds_is_needed() {
    let work = Work::with(Capability::Byok);
    let of_keys = actions(Capability::Keys);
    let added = |action: &str| !of_keys.contains(&action) || action == "kms:CreateKey";
    work.try_all(added);
    work.assert_calls(added);
}

#[test]
fn the_policy_for_key_stores_is_enough_and_nothing_in_it_is_too_much() {
    let work = Work::with(Capability::KeyStores);
    work.try_all(|_| true);
    work.assert_calls(|_| true);
}

/// The stores themselves are changed by the calls of the test above; the lab has one cluster, so that there is one
/// store.
#[test]
fn the_policy_for_cloudhsm_is_enough_and_nothing_in_it_for_keys_is_too_much() {
    let work = Work::with(Capability::CloudHsm);
    work.try_all(|action| !action.ends_with("KeyStore") && !action.ends_with("KeyStores"));
    work.assert_calls(|action| !action.ends_with("KeyStore") && !action.ends_with("KeyStores"));
}

#[test]
fn the_policy_is_shown_and_what_is_missing_of_it() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let answer = admin.get(&format!("{PERMISSIONS}?for=reports,keys")).expect(200);
    assert_eq!(answer["for"], json!(["keys", "reports"]));
    let statement = &answer["policy"]["Statement"][0];
    assert_eq!((&statement["Effect"], &statement["Resource"]), (&json!("Allow"), &json!("*")));
    let has = |action: &str| statement["Action"].as_array().expect("actions").contains(&json!(action));
    assert!(has("kms:CreateKey") && has("logs:FilterLogEvents") && !has("kms:ImportKeyMaterial"), "{answer}");
    let condition = &answer["policy"]["Statement"][1]["Condition"]["StringEquals"]["iam:AWSServiceName"];
    assert_eq!(condition, &json!(["mrk.kms.amazonaws.com"]));
    assert_eq!(answer["actions"][0]["action"], "ec2:DescribeRegions");
    assert_eq!(answer.get("missing"), None);
    let all = admin.get(PERMISSIONS).expect(200);
    assert_eq!(all["for"], json!(["keys", "byok", "keystores", "cloudhsm", "reports"]));

    appliance.kms("kms", &["us-east-1"]);
    assert_eq!(admin.get(&format!("{PERMISSIONS}?kms=kms")).expect(200)["missing"], json!([]));
    let [access_key, secret] = ["AKIALABNOREGIONSLAB1", "lab-only/noreg/not+a+secret/of+any+use02"];
    let body = json!({"name": "few", "access_key_id": access_key, "secret_access_key": secret});
    admin.post(CONNECTIONS, body).expect(201);
    let few = admin.get(&format!("{PERMISSIONS}?connection=few&for=cloudhsm,reports")).expect(200);
    assert_eq!(few["missing"], json!(["ec2:DescribeRegions", "cloudhsm:DescribeClusters"]));
    let role = "arn:aws:iam::789012123456:role/test-assume-role-no-regions";
    let path = format!("{PERMISSIONS}?connection=test_aws-connection&for=keys&assume_role_arn={role}");
    assert_eq!(admin.get(&path).expect(200)["missing"], json!(["ec2:DescribeRegions"]));

    for (query, member) in [
        ("for=everything", "for"),
        ("for=keys,", "for"),
        ("fro=keys", "fro"),
        ("for=keys&for=byok", "for"),
        ("kms=kms&connection=few", "kms"),
        ("assume_role_arn=x&connection=few", "assume_role_arn"),
        ("kms=kms&assume_role_arn=arn:aws:iam::789012123456:role/a", "assume_role_arn"),
        ("connection=few&assume_role_external_id=abc", "assume_role_external_id"),
    ] {
        let refused = admin.get(&format!("{PERMISSIONS}?{query}"));
        let message = refused.body["message"].as_str().expect("a text");
        assert!(refused.status == 400 && message.starts_with(member), "{query}: {}", refused.text);
    }
    admin.get(&format!("{PERMISSIONS}?kms=none")).refused(404, "NCERRResourceNotFound");
    admin.get(&format!("{PERMISSIONS}?connection=none")).refused(404, "NCERRResourceNotFound");
    // Without the permission to simulate policies, AWS's refusal names it.
    let body = json!({"name": "powerless", "access_key_id": "AKIALABPOWERLESSLAB1",
        "secret_access_key": "lab-only/power/not+a+secret/of+any+use03"});
    admin.post(CONNECTIONS, body).expect(201);
    let refused = admin.get(&format!("{PERMISSIONS}?connection=powerless")).refused(502, "NCERRCloudError");
    assert!(refused.contains("SimulatePrincipalPolicy"), "{refused}");
}
