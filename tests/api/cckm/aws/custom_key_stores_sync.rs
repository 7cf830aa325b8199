//! `/v1/cckm/aws/custom-key-stores/synchronization-jobs`: stores that were made, changed or deleted at AWS by hand.

use super::hyok_keys::{Prepared, prepared};
use super::synchronization_jobs::{end_of_job, make_key, permit};
use crate::support::appliance::{id, program, run_to_end};
use crate::support::client::Client;
use crate::support::lab::LabClient;
use serde_json::{Value, json};

const REGION: &str = "us-east-1";
const STORES: &str = "/v1/cckm/aws/custom-key-stores";
const JOBS: &str = "/v1/cckm/aws/custom-key-stores/synchronization-jobs";
const SERVICE: &str = "com.amazonaws.vpce.us-east-1.vpce-svc-0e3d8b8c2f6f3c1a";

pub(super) struct Fixture {
    pub(super) prepared: Prepared,
    pub(super) lab: LabClient,
}

pub(super) fn fixture() -> Fixture {
    let prepared = prepared();
    let lab = LabClient::of(&prepared.appliance);
    Fixture { prepared, lab }
}

impl Fixture {
    /// Runs a job to its end, and returns it.
    #[track_caller]
    pub(super) fn synchronise(&self) -> Value {
        let job = self.prepared.admin.post(JOBS, json!({"kms": ["kms"]})).expect(202);
        let job = end_of_job(&self.prepared.admin, &format!("{JOBS}/{}", id(&job)));
        assert_eq!(job["overall_status"], "completed", "{job}");
        assert_eq!(job["detailed_status"]["123456789012/us-east-1"], "region synchronized successfully");
        job["progress"]["123456789012/us-east-1"].clone()
    }

    fn get(&self, store: &str) -> Value {
        self.prepared.admin.get(&format!("{STORES}/{store}")).expect(200)
    }

    /// Makes a store at AWS, behind a VPC endpoint service, so that AWS does not call the proxy before it answers.
    fn at_aws(&self, name: &str, path: &str, access_key_id: &str, service: &str) -> String {
        let store = json!({"CustomKeyStoreName": name, "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
            "XksProxyUriEndpoint": format!("https://{name}.example.com"), "XksProxyUriPath": path,
            "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE", "XksProxyVpcEndpointServiceName": format!("{SERVICE}{service}"),
            "XksProxyAuthenticationCredential": {"AccessKeyId": access_key_id, "RawSecretAccessKey": "s".repeat(43)}});
        let made = self.lab.kms(REGION, "CreateCustomKeyStore", &store);
        made["CustomKeyStoreId"].as_str().expect("an id").to_owned()
    }

    /// The events of key stores, as `claviger events` shows them.
    pub(super) fn events(&self) -> Vec<Value> {
        let data = self.prepared.appliance.data();
        let (code, output, errors) =
            run_to_end(program().args(["events", "--stream", "key-store/", "--data"]).arg(data));
        assert_eq!(code, Some(0), "{errors}");
        let event = |line: &str| {
            let line: Value = serde_json::from_str(line).expect("JSON");
            line["event"]["KeyStore"][1].clone()
        };
        output.lines().map(event).collect()
    }

    fn warnings(&self) -> Vec<Value> {
        self.events().iter().filter_map(|event| Some(event.get("Warned")?["warning"].clone())).collect()
    }
}

fn counts(listed: u64, added: u64, updated: u64, linked: u64, gone: u64) -> Value {
    json!({"listed": listed, "added": added, "updated": updated, "linked": linked, "gone": gone, "errors": 0})
}

#[test]
fn a_store_of_ours_that_was_made_by_hand_is_linked_and_takes_awss_address_and_name() {
    let fixture = fixture();
    let store = fixture.prepared.store.clone();
    let path = fixture.get(&store)["aws_param"]["xks_proxy_uri_path"].as_str().expect("a path").to_owned();
    assert_eq!(fixture.synchronise(), counts(0, 0, 0, 0, 0), "an unlinked store stays alone");
    assert_eq!(fixture.get(&store)["gone"], false);
    let access_key_id = fixture.get(&store)["access_key_id"].as_str().expect("an id").to_owned();
    let at_aws = fixture.at_aws("by-hand", &path, &access_key_id, "0");
    assert_eq!(fixture.synchronise(), counts(1, 0, 0, 1, 0));
    let linked = fixture.get(&store);
    assert_eq!((&linked["type"], &linked["name"]), (&json!("LOCAL"), &json!("by-hand")));
    assert_eq!(linked["local_hosted_params"]["linked_state"], true);
    let aws = &linked["aws_param"];
    assert_eq!((&aws["custom_key_store_id"], &aws["connection_state"]), (&json!(at_aws), &json!("DISCONNECTED")));
    assert_eq!(aws["xks_proxy_uri_endpoint"], "https://by-hand.example.com");
    assert_eq!(aws["xks_proxy_vpc_endpoint_service_name"], format!("{SERVICE}0"));
    assert_eq!(fixture.warnings(), Vec::<Value>::new());
    assert_eq!(fixture.synchronise(), counts(1, 0, 0, 0, 0), "nothing is new");
    assert_eq!(fixture.get(&store), linked);

    // Somebody renames and connects it at AWS, and deletes it there.
    let of = |more: Value| {
        let mut body = json!({"CustomKeyStoreId": at_aws});
        body.as_object_mut().expect("members").extend(more.as_object().expect("members").clone());
        body
    };
    fixture.lab.kms(REGION, "UpdateCustomKeyStore", &of(json!({"NewCustomKeyStoreName": "renamed"})));
    assert_eq!(fixture.synchronise(), counts(1, 0, 1, 0, 0));
    assert_eq!(fixture.get(&store)["name"], "renamed");
    fixture.lab.kms(REGION, "DeleteCustomKeyStore", &of(json!({})));
    assert_eq!(fixture.synchronise(), counts(0, 0, 0, 0, 1));
    let gone = fixture.get(&store);
    assert_eq!((&gone["gone"], &gone["aws_param"]["connection_state"]), (&json!(true), &json!("DISCONNECTED")));
    // It goes on being served.
    let health = fixture.prepared.admin.get(&format!("{STORES}/{store}/health")).expect(200);
    assert_eq!(health["status"], "ACTIVE");
    // Made once more, it is linked once more.
    let again = fixture.at_aws("again", &path, &access_key_id, "1");
    assert_eq!(fixture.synchronise(), counts(1, 0, 0, 1, 0));
    let linked = fixture.get(&store);
    assert_eq!((&linked["gone"], &linked["aws_param"]["custom_key_store_id"]), (&json!(false), &json!(again)));
}

#[test]
fn a_credential_that_is_not_ours_and_changes_here_only_are_warnings_in_the_log() {
    let fixture = fixture();
    let (store, admin) = (fixture.prepared.store.clone(), &fixture.prepared.admin);
    let path = format!("{STORES}/{store}");
    let change = json!({"aws_param": {"xks_proxy_uri_endpoint": "https://elsewhere.example.com"}});
    admin.patch(&path, change.clone()).expect(200);
    admin.patch(&path, change).expect(200);
    admin.patch(&path, json!({"enable_success_audit_event": true})).expect(200);
    assert_eq!(fixture.warnings(), [json!("ChangedHereOnly")], "once for each change that AWS should have");
    admin.patch(&path, json!({"local_hosted_params": {"mtls_enabled": true}})).expect(200);
    assert_eq!(fixture.warnings()[1..], [json!("MtlsDeprecated")]);
    let uri_path = fixture.get(&store)["aws_param"]["xks_proxy_uri_path"].as_str().expect("a path").to_owned();
    fixture.at_aws("foreign", &uri_path, "ABCDEFGHIJKLMNOPQRSTUVWX", "0");
    assert_eq!(fixture.synchronise(), counts(1, 0, 0, 1, 0));
    let unknown = json!({"CredentialUnknown": {"access_key_id": "ABCDEFGHIJKLMNOPQRSTUVWX"}});
    assert_eq!(fixture.warnings()[2..], [unknown]);
    assert_eq!(fixture.get(&store)["local_hosted_params"]["linked_state"], true);
    fixture.synchronise();
    assert_eq!(fixture.warnings().len(), 3, "a known one is no news");
}

#[test]
fn stores_of_others_become_records_that_are_renamed_connected_and_deleted_at_aws() {
    let fixture = fixture();
    let admin = &fixture.prepared.admin;
    let at_aws = fixture.at_aws("theirs", "/prod/kms/xks/v1", "OTHERPROXY234567ABCDEFGH", "0");
    assert_eq!(fixture.synchronise(), counts(1, 1, 0, 0, 0));
    let store = fixture.get("theirs");
    let (store_id, created) = (id(&store), &store["createdAt"]);
    let expected = json!({
        "id": store_id, "uri": format!("kylo:kylo:cckm:aws-custom-key-store:{store_id}"),
        "account": "kylo:kylo:admin:accounts:kylo", "application": "ncryptify:gemalto:admin:apps:kylo",
        "devAccount": "ncryptify:gemalto:admin:accounts:gemalto", "createdAt": created, "updatedAt": created,
        "name": "theirs", "kms": "kms", "kms_id": fixture.prepared.kms, "region": REGION, "cloud_name": "aws",
        "type": "REMOTE", "gone": false, "labels": {}, "enable_success_audit_event": false,
        "access_key_id": "OTHERPROXY234567ABCDEFGH", "credential_version": 0, "credential_count": 0,
        "version_count": 0, "oldest_credentials_id": "",
        "caller_rules": {"principals": [], "source_vpcs": [], "source_vpces": [], "via_services": [], "operations": []},
        "aws_param": {
            "custom_key_store_id": at_aws, "custom_key_store_name": "theirs",
            "custom_key_store_type": "EXTERNAL_KEY_STORE", "connection_state": "DISCONNECTED",
            "connection_error_details": "", "aws_account_id": "123456789012", "arn": "",
            "xks_proxy_connectivity": "VPC_ENDPOINT_SERVICE", "xks_proxy_uri_endpoint": "https://theirs.example.com",
            "xks_proxy_uri_path": "/prod/kms/xks/v1", "xks_proxy_vpc_endpoint_service_name": format!("{SERVICE}0"),
            "xks_proxy_vpc_endpoint_service_owner": store["aws_param"]["xks_proxy_vpc_endpoint_service_owner"],
            "cloud_hsm_cluster_id": "", "number_of_hsms_in_cloudhsm_cluster": 0, "trust_anchor_certificate": ""
        },
        "local_hosted_params": {
            "blocked": false, "linked_state": true, "max_credentials": 0, "mtls_enabled": false,
            "health_check_key_id": "", "health_check_ciphertext": "", "health_check_uri_path": "",
            "source_key_tier": "", "source_container_id": "", "source_container_type": "", "partition_id": "",
            "partition_label": ""
        }
    });
    assert_eq!(store, expected);
    let path = |what: &str| format!("{STORES}/{store_id}{what}");
    let of_local = ["/block", "/unblock", "/link", "/rotate-credential", "/disable-credential-rotation-job"];
    for what in of_local {
        let refused = admin.post(&path(what), json!({})).refused(422, "NCERRUnprocessableEntity");
        assert!(refused.contains("LOCAL"), "{what}: {refused}");
    }
    for what in ["/health", "/credentials", "/counters"] {
        admin.get(&path(what)).refused(422, "NCERRUnprocessableEntity");
    }
    for (patch, member) in [
        (json!({"enable_success_audit_event": true}), "enable_success_audit_event"),
        (json!({"local_hosted_params": {"blocked": true}}), "local_hosted_params.blocked"),
        (json!({"caller_rules": {"operations": ["Decrypt"]}}), "caller_rules"),
        (json!({"aws_param": {"xks_proxy_uri_endpoint": "https://a.example.com"}}), "aws_param.xks_proxy_uri_endpoint"),
        (json!({"aws_param": {"cloud_hsm_cluster_id": "cluster-lab2only3abc"}}), "aws_param.cloud_hsm_cluster_id"),
    ] {
        let answer = admin.patch(&path(""), patch.clone());
        assert_eq!((answer.status, &answer.body["member"]), (422, &json!(member)), "{patch}: {}", answer.text);
    }
    assert_eq!(fixture.get("theirs"), expected);
    let renamed = admin.patch(&path(""), json!({"name": "still-theirs", "enable_success_audit_event": false}));
    assert_eq!(renamed.expect(200)["name"], "still-theirs");
    let there = fixture.lab.kms(REGION, "DescribeCustomKeyStores", &json!({"CustomKeyStoreId": at_aws}));
    assert_eq!(there["CustomKeyStores"][0]["CustomKeyStoreName"], "still-theirs");
    assert_eq!(admin.post(&path("/connect"), json!({})).expect(200)["aws_param"]["connection_state"], "CONNECTING");
    admin.delete(&path("")).refused(409, "NCERRConflict");
    assert_eq!(
        admin.post(&path("/disconnect"), json!({})).expect(200)["aws_param"]["connection_state"],
        "DISCONNECTING"
    );
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while fixture.get(&store_id)["aws_param"]["connection_state"] != "DISCONNECTED" {
        assert!(std::time::Instant::now() < deadline, "{}", fixture.get(&store_id));
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    admin.delete(&path("")).expect(204);
    let all = fixture.lab.kms(REGION, "DescribeCustomKeyStores", &json!({}));
    assert_eq!(all["CustomKeyStores"], json!([]));
}

#[test]
fn a_name_that_several_stores_have_means_ours_and_only_to_view_it() {
    let fixture = fixture();
    let admin = &fixture.prepared.admin;
    let other = fixture.prepared.appliance.kms("other", &["us-west-1", "us-west-2"]);
    let ann = fixture.prepared.appliance.user("ann");
    permit(admin, &fixture.prepared.kms, &ann, &["viewkeystore"]);
    let store = json!({"CustomKeyStoreName": "xks", "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
        "XksProxyUriEndpoint": "https://theirs.example.com", "XksProxyUriPath": "/prod/kms/xks/v1",
        "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE",
        "XksProxyVpcEndpointServiceName": "com.amazonaws.vpce.us-west-2.vpce-svc-0e3d8b8c2f6f3c1a0",
        "XksProxyAuthenticationCredential": {"AccessKeyId": "OTHERPROXY234567ABCDEFGH",
            "RawSecretAccessKey": "s".repeat(43)}});
    fixture.lab.kms("us-west-2", "CreateCustomKeyStore", &store);
    let job = admin.post(JOBS, json!({"kms": ["other"]})).expect(202);
    end_of_job(admin, &format!("{JOBS}/{}", id(&job)));
    // The other one is newer, and not ours.
    assert_eq!(fixture.get("xks")["id"], fixture.prepared.store);
    let listed = admin.get(&format!("{STORES}?name=xks&type=REMOTE")).expect(200);
    assert_eq!((&listed["total"], &listed["resources"][0]["region"]), (&json!(1), &json!("us-west-2")));
    for what in ["block", "unblock", "connect", "disconnect", "rotate-credential"] {
        let refused = admin.post(&format!("{STORES}/xks/{what}"), json!({})).refused(409, "NCERRConflict");
        assert!(refused.contains("use the id"), "{refused}");
    }
    admin.delete(&format!("{STORES}/xks")).refused(409, "NCERRConflict");
    admin.patch(&format!("{STORES}/xks"), json!({"name": "other"})).refused(409, "NCERRConflict");
    assert_eq!(fixture.get("xks")["local_hosted_params"]["blocked"], false);
    // Ann may view one of the two, so the name means that one.
    let mine = ann.get(&format!("{STORES}/xks")).expect(200);
    assert_eq!(mine["id"], fixture.prepared.store);
    permit(admin, &fixture.prepared.kms, &ann, &["viewkeystore", "keystoreblock", "keystoreunblock"]);
    let blocked = ann.post(&format!("{STORES}/xks/block"), json!({})).expect(200);
    assert_eq!((&blocked["id"], &blocked["local_hosted_params"]["blocked"]), (&mine["id"], &json!(true)));
    // So does the version that a change by the name expects.
    permit(admin, &fixture.prepared.kms, &ann, &["keystoreupdate"]);
    let seen = ann.get(&format!("{STORES}/xks")).headers["etag"].to_str().expect("a version").to_owned();
    let change = |client: &Client, version: &str| {
        client
            .with_header("If-Match", version)
            .patch(&format!("{STORES}/xks"), json!({"enable_success_audit_event": true}))
    };
    change(admin, &seen).refused(409, "NCERRConflict");
    let changed = change(&ann, &seen).expect(200);
    assert_eq!((&changed["id"], &changed["enable_success_audit_event"]), (&mine["id"], &json!(true)));
    change(&ann, &seen).refused(412, "NCERRPreconditionFailed");
    assert_eq!(admin.get(&format!("{STORES}?name=xks")).expect(200)["total"], 2);
    // The record goes with its region.
    let regions = json!({"regions": ["us-west-1"], "force": true});
    admin.patch(&format!("/v1/cckm/aws/kms/{other}"), regions).expect(200);
    assert_eq!(fixture.get("xks")["id"], fixture.prepared.store);
}

#[test]
fn a_name_that_was_given_at_aws_is_not_taken_back_by_another_change() {
    let fixture = fixture();
    let admin = &fixture.prepared.admin;
    let created = json!({"name": "ours", "kms": "kms", "region": REGION, "linked_state": true,
        "aws_param": {"xks_proxy_uri_endpoint": "https://ours.example.com"},
        "local_hosted_params": {"health_check_key_id": fixture.prepared.source, "max_credentials": 3}});
    let created = admin.post(STORES, created).expect(201);
    let at_aws = &created["aws_param"]["custom_key_store_id"];
    let rename = json!({"CustomKeyStoreId": at_aws, "NewCustomKeyStoreName": "renamed-at-aws"});
    fixture.lab.kms(REGION, "UpdateCustomKeyStore", &rename);
    let there = || {
        let stores = fixture.lab.kms(REGION, "DescribeCustomKeyStores", &json!({"CustomKeyStoreId": at_aws}));
        let store = stores["CustomKeyStores"][0].clone();
        (store["CustomKeyStoreName"].clone(), store["XksProxyConfiguration"]["UriEndpoint"].clone())
    };
    let path = format!("{STORES}/{}", id(&created));
    // Clients repeat the name that they know.
    for (endpoint, patch) in [("https://a.example.com", json!({})), ("https://b.example.com", json!({"name": "ours"}))]
    {
        let mut patch = patch;
        patch["aws_param"] = json!({"xks_proxy_uri_endpoint": endpoint});
        let changed = admin.patch(&path, patch).expect(200);
        assert_eq!(changed["aws_param"]["xks_proxy_uri_endpoint"], endpoint);
        assert_eq!(there(), (json!("renamed-at-aws"), json!(endpoint)));
    }
    admin.patch(&path, json!({"name": "renamed-here"})).expect(200);
    assert_eq!(there().0, "renamed-here");
}

#[test]
fn records_of_stores_of_others_go_with_their_kms() {
    let fixture = fixture();
    let admin = &fixture.prepared.admin;
    fixture.at_aws("theirs", "/prod/kms/xks/v1", "OTHERPROXY234567ABCDEFGH", "0");
    fixture.synchronise();
    assert_eq!(admin.get(STORES).expect(200)["total"], 2);
    admin.delete(&format!("{STORES}/{}", fixture.prepared.store)).expect(204);
    admin.delete(&format!("/v1/cckm/aws/kms/{}", fixture.prepared.kms)).expect(204);
    assert_eq!(admin.get(STORES).expect(200)["total"], 0);
    let there = fixture.lab.kms(REGION, "DescribeCustomKeyStores", &json!({}));
    assert_eq!(there["CustomKeyStores"].as_array().map(Vec::len), Some(1), "nothing is deleted at AWS");
}

#[test]
fn jobs_of_stores_are_not_those_of_keys_and_need_keysynchronize() {
    let fixture = fixture();
    let (admin, kms) = (&fixture.prepared.admin, &fixture.prepared.kms);
    const OF_KEYS: &str = "/v1/cckm/aws/synchronization-jobs";
    make_key(admin, "kms", REGION, "a");
    let stores = admin.post(JOBS, json!({"synchronize_all": true})).expect(202);
    let keys = admin.post(OF_KEYS, json!({"kms": ["kms"]})).expect(202);
    let stores = end_of_job(admin, &format!("{JOBS}/{}", id(&stores)));
    let keys = end_of_job(admin, &format!("{OF_KEYS}/{}", id(&keys)));
    assert_eq!(stores["progress"]["123456789012/us-east-1"], counts(0, 0, 0, 0, 0));
    assert_eq!(keys["progress"]["123456789012/us-east-1"].get("linked"), None);
    for (list, job, other) in [(JOBS, &stores, OF_KEYS), (OF_KEYS, &keys, JOBS)] {
        assert_eq!(admin.get(list).expect(200)["resources"], json!([job]));
        assert_eq!(admin.get(&format!("{list}?overall_status=completed")).expect(200)["total"], 1);
        admin.get(&format!("{other}/{}", id(job))).refused(404, "NCERRResourceNotFound");
        admin.post(&format!("{other}/{}/cancel", id(job)), json!({})).refused(404, "NCERRResourceNotFound");
        admin.post(&format!("{list}/{}/cancel", id(job)), json!({})).refused(409, "NCERRConflict");
    }
    admin.get(&format!("{JOBS}?scope=keys")).refused(400, "NCERRInvalidParamValue");
    let ann = fixture.prepared.appliance.user("ann");
    permit(admin, kms, &ann, &["viewkeystore"]);
    let forbidden = ann.post(JOBS, json!({"kms": ["kms"]})).refused(403, "NCERRInsufficientPermissions");
    assert!(forbidden.contains("keysynchronize"), "{forbidden}");
    ann.get(&format!("{JOBS}/{}", id(&stores))).refused(404, "NCERRResourceNotFound");
    permit(admin, kms, &ann, &["keysynchronize"]);
    let own = ann.post(JOBS, json!({"kms": ["kms"]})).expect(202);
    end_of_job(&ann, &format!("{JOBS}/{}", id(&own)));
    admin.post(JOBS, json!({})).refused(400, "NCERRInvalidParamValue");
    let both = json!({"synchronize_all": true, "kms": ["kms"]});
    admin.post(JOBS, both).refused(400, "NCERRInvalidParamValue");
}

#[test]
fn a_region_that_aws_denies_fails_with_awss_code() {
    let fixture = fixture();
    fixture.lab.set_faults(&json!([{"service": "kms", "operation": "DescribeCustomKeyStores", "answer": "deny"}]));
    let job = fixture.prepared.admin.post(JOBS, json!({"kms": ["kms"]})).expect(202);
    let job = end_of_job(&fixture.prepared.admin, &format!("{JOBS}/{}", id(&job)));
    assert_eq!(job["overall_status"], "failed");
    let reason = job["detailed_status"]["123456789012/us-east-1"].as_str().expect("a text");
    assert!(reason.contains("AccessDeniedException"), "{reason}");
}

#[test]
fn a_job_is_cancelled_at_once_and_continues_after_a_crash() {
    let mut fixture = fixture();
    fixture.at_aws("theirs", "/prod/kms/xks/v1", "OTHERPROXY234567ABCDEFGH", "0");
    let held = json!([{"service": "kms", "operation": "DescribeCustomKeyStores", "times": 2, "delay_ms": 60_000}]);
    fixture.lab.set_faults(&held);
    let admin = fixture.prepared.admin.clone();
    let begun = admin.post(JOBS, json!({"kms": ["kms"]})).expect(202);
    let second = admin.post(JOBS, json!({"kms": ["kms"]})).refused(409, "NCERRConflict");
    assert!(second.contains(&id(&begun)), "{second}");
    admin.post(&format!("{JOBS}/{}/cancel", id(&begun)), json!({})).expect(200);
    let job = end_of_job(&admin, &format!("{JOBS}/{}", id(&begun)));
    assert_eq!((&job["overall_status"], &job["abort"]), (&json!("completed"), &json!(true)));
    assert_eq!(job["detailed_status"]["123456789012/us-east-1"], "canceled");
    let begun = admin.post(JOBS, json!({"kms": ["kms"]})).expect(202);
    fixture.lab.wait_until_faults_met();
    fixture.prepared.appliance.kill();
    fixture.prepared.appliance.restart();
    fixture.prepared.admin = fixture.prepared.appliance.admin();
    let job = end_of_job(&fixture.prepared.admin, &format!("{JOBS}/{}", id(&begun)));
    assert_eq!((&job["overall_status"], &job["abort"]), (&json!("completed"), &json!(false)));
    assert_eq!(job["progress"]["123456789012/us-east-1"], counts(1, 1, 0, 0, 0));
    assert_eq!(fixture.get("theirs")["type"], "REMOTE");
}
