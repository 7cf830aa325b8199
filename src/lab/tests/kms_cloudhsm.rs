//! Tests of CloudHSM clusters, and of key stores and keys on them.

use super::xks_proxy::with;
use super::*;

const REGION: &str = "us-east-1";
const CLUSTER: &str = "cluster-lab2only3abc";
const PASSWORD: &str = "lab-only-kmsuser";
const INVALID: &str = "CloudHsmClusterInvalidConfigurationException";

fn certificate() -> String {
    let plan = LabPlan::built_in();
    plan.cluster(CLUSTER).expect("a cluster of the built-in plan").certificate.clone()
}

/// More clusters for the first account: with the members that are given.
fn cluster(id: &str, members: &str, certificate: &str) -> String {
    format!(
        "[[accounts.cloudhsm_clusters]]\nid = \"{id}\"\nregion = \"us-east-1\"\nkmsuser_password = \"{PASSWORD}\"\n\
         {members}\ncertificate = '''\n{certificate}'''\n"
    )
}

const TWO: &str = "hsms = [{ zone = \"us-east-1a\" }, { zone = \"us-east-1b\" }]";

/// A certificate of another authority.
fn other_certificate() -> String {
    rcgen::generate_simple_self_signed(["other".to_owned()]).expect("a certificate").cert.pem()
}

fn store(name: &str) -> Value {
    json!({
        "CustomKeyStoreName": name,
        "CloudHsmClusterId": CLUSTER,
        "KeyStorePassword": PASSWORD,
        "TrustAnchorCertificate": certificate(),
    })
}

async fn describe_clusters(lab: &Lab, user: &str, region: &str, parameters: Value) -> (u16, Value) {
    let mut request = SignedRequest::new("POST", "cloudhsm", &lab.region(region), "/");
    request.set_payload(Some(parameters.to_string()));
    request.set_content_type("application/x-amz-json-1.1".to_owned());
    request.add_header("x-amz-target", "BaldrApiService.DescribeClusters");
    let keys = Keys::of(user);
    request.sign(&AwsCredentials::new(&keys.id, &keys.secret, None, None));
    let (status, body) = lab.send(request).await;
    (status, serde_json::from_str(&body).expect("JSON"))
}

#[tokio::test]
async fn clusters_are_described_in_pages_and_by_filters() {
    let lab = Lab::start().await;
    let (status, answer) = describe_clusters(&lab, "user1", REGION, json!({})).await;
    assert_eq!(status, 200, "{answer}");
    let described = &answer["Clusters"][0];
    assert_eq!((&described["ClusterId"], &described["State"]), (&json!(CLUSTER), &json!("ACTIVE")));
    assert_eq!(described["HsmType"], "hsm1.medium");
    let zones: Vec<&Value> =
        described["Hsms"].as_array().expect("HSMs").iter().map(|hsm| &hsm["AvailabilityZone"]).collect();
    assert_eq!(zones, [&json!("us-east-1a"), &json!("us-east-1b")]);
    assert!(described["SubnetMapping"]["us-east-1a"].as_str().is_some_and(|id| id.len() == 24));
    assert_eq!(described["Certificates"]["ClusterCertificate"], json!(certificate()));
    assert!(!answer.to_string().contains(PASSWORD));
    assert_eq!(describe_clusters(&lab, "user1", "us-east-2", json!({})).await, (200, json!({ "Clusters": [] })));
    let (status, answer) = describe_clusters(&lab, "powerless", REGION, json!({})).await;
    assert_eq!((status, &answer["__type"]), (400, &json!("AccessDeniedException")));
    for parameters in [
        json!({ "MaxResults": 0 }),
        json!({ "MaxResults": 26 }),
        json!({ "NextToken": "x" }),
        json!({ "Filters": { "x": [] } }),
    ] {
        let (status, answer) = describe_clusters(&lab, "user1", REGION, parameters.clone()).await;
        assert_eq!((status, &answer["__type"]), (400, &json!("CloudHsmInvalidRequestException")), "{parameters}");
    }
    let (_, answer) = describe_clusters(&lab, "user1", REGION, json!({ "MaxResults": "x" })).await;
    assert_eq!(answer["__type"], "SerializationException");

    let more = [
        cluster("cluster-aaaaaaaaaaa", "state = \"UNINITIALIZED\"", &other_certificate()),
        cluster("cluster-bbbbbbbbbbb", TWO, &other_certificate()),
    ];
    let lab = Lab::start_with_first_account(&more.concat()).await;
    let (_, first) = describe_clusters(&lab, "user1", REGION, json!({ "MaxResults": 2 })).await;
    let (_, rest) =
        describe_clusters(&lab, "user1", REGION, json!({ "MaxResults": 2, "NextToken": first["NextToken"] })).await;
    let ids = |answer: &Value| -> Vec<Value> {
        answer["Clusters"].as_array().expect("clusters").iter().map(|cluster| cluster["ClusterId"].clone()).collect()
    };
    assert_eq!(
        [ids(&first), ids(&rest)].concat(),
        [json!("cluster-aaaaaaaaaaa"), json!("cluster-bbbbbbbbbbb"), json!(CLUSTER)]
    );
    assert_eq!(rest["NextToken"], Value::Null);
    for (filters, expected) in [
        (json!({ "states": ["UNINITIALIZED"] }), vec![json!("cluster-aaaaaaaaaaa")]),
        (json!({ "clusterIds": [CLUSTER], "states": ["ACTIVE"] }), vec![json!(CLUSTER)]),
        (json!({ "clusterIds": ["cluster-ccccccccccc"] }), vec![]),
    ] {
        let (_, answer) = describe_clusters(&lab, "user1", REGION, json!({ "Filters": filters })).await;
        assert_eq!(ids(&answer), expected, "{filters}");
    }
}

#[tokio::test]
async fn a_store_needs_an_active_cluster_with_two_zones_of_its_own() {
    let shared = other_certificate();
    let more = [
        cluster("cluster-aaaaaaaaaaa", "state = \"UNINITIALIZED\"", &other_certificate()),
        cluster(
            "cluster-bbbbbbbbbbb",
            "hsms = [{ zone = \"us-east-1a\" }, { zone = \"us-east-1a\" }]",
            &other_certificate(),
        ),
        cluster(
            "cluster-ccccccccccc",
            "hsms = [{ zone = \"us-east-1a\" }, { zone = \"us-east-1b\", state = \"DEGRADED\" }]",
            &other_certificate(),
        ),
        cluster("cluster-ddddddddddd", TWO, &shared),
        cluster("cluster-eeeeeeeeeee", TWO, &shared),
    ];
    let lab = Lab::start_with_first_account(&more.concat()).await;
    let kms = lab.kms(REGION);
    let on = |id: &str| json!({ "CloudHsmClusterId": id });
    for (members, code) in [
        (json!({ "CloudHsmClusterId": null }), "ValidationException"),
        (json!({ "CloudHsmClusterId": "cluster-1" }), "ValidationException"),
        (json!({ "KeyStorePassword": null }), "ValidationException"),
        (json!({ "KeyStorePassword": "short" }), "ValidationException"),
        (json!({ "TrustAnchorCertificate": null }), "ValidationException"),
        (json!({ "XksProxyUriEndpoint": "https://xks.lab.internal" }), "ValidationException"),
        (json!({ "TrustAnchorCertificate": shared }), "IncorrectTrustAnchorException"),
        (on("cluster-zzzzzzzzzzz"), "CloudHsmClusterNotFoundException"),
        (on("cluster-aaaaaaaaaaa"), "CloudHsmClusterNotActiveException"),
        (on("cluster-bbbbbbbbbbb"), INVALID),
        (on("cluster-ccccccccccc"), INVALID),
    ] {
        assert_eq!(kms.code("CreateCustomKeyStore", with(store("a"), members.clone())).await, code, "{members}");
    }
    assert_eq!(lab.kms("us-east-2").code("CreateCustomKeyStore", store("a")).await, "CloudHsmClusterNotFoundException");
    let id = kms.new_store(with(store("a"), json!({ "CustomKeyStoreType": "AWS_CLOUDHSM" }))).await;
    let described = kms.store(&id).await;
    let expected = json!({
        "CustomKeyStoreId": id,
        "CustomKeyStoreName": "a",
        "CustomKeyStoreType": "AWS_CLOUDHSM",
        "CloudHsmClusterId": CLUSTER,
        "TrustAnchorCertificate": certificate(),
        "ConnectionState": "DISCONNECTED",
        "CreationDate": described["CreationDate"],
    });
    assert_eq!(described, expected);
    assert_eq!(kms.code("CreateCustomKeyStore", store("b")).await, "CloudHsmClusterInUseException");
    let second = with(with(store("b"), on("cluster-ddddddddddd")), json!({ "TrustAnchorCertificate": shared }));
    let second = kms.new_store(second).await;
    // The other cluster shares its backup history.
    let third = with(with(store("c"), on("cluster-eeeeeeeeeee")), json!({ "TrustAnchorCertificate": shared }));
    assert_eq!(kms.code("CreateCustomKeyStore", third).await, "CloudHsmClusterInUseException");
    let update = |id: &str, cluster: &str| with(json!({ "CustomKeyStoreId": id }), on(cluster));
    assert_eq!(
        kms.code("UpdateCustomKeyStore", update(&id, "cluster-eeeeeeeeeee")).await,
        "CloudHsmClusterNotRelatedException"
    );
    assert_eq!(
        kms.code("UpdateCustomKeyStore", update(&id, "cluster-aaaaaaaaaaa")).await,
        "CloudHsmClusterNotActiveException"
    );
    kms.call("UpdateCustomKeyStore", update(&second, "cluster-eeeeeeeeeee")).await;
    assert_eq!(kms.store(&second).await["CloudHsmClusterId"], "cluster-eeeeeeeeeee");
    let proxy = json!({ "CustomKeyStoreId": id, "XksProxyUriPath": "/kms/xks/v1" });
    assert_eq!(kms.code("UpdateCustomKeyStore", proxy).await, "ValidationException");
}

#[tokio::test]
async fn aws_changes_the_password_of_kmsuser_when_it_connects() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.new_store(with(store("a"), json!({ "KeyStorePassword": "wrong-password" }))).await;
    let failed = kms.connect(&id).await;
    assert_eq!(
        (&failed["ConnectionState"], &failed["ConnectionErrorCode"]),
        (&json!("FAILED"), &json!("INVALID_CREDENTIALS"))
    );
    let tell = |password: &str| json!({ "CustomKeyStoreId": id, "KeyStorePassword": password });
    assert_eq!(kms.code("UpdateCustomKeyStore", tell(PASSWORD)).await, "CustomKeyStoreInvalidStateException");
    kms.disconnect(&id).await;
    kms.call("UpdateCustomKeyStore", tell(PASSWORD)).await;
    assert_eq!(kms.connect(&id).await["ConnectionState"], "CONNECTED");
    assert_eq!(kms.code("UpdateCustomKeyStore", tell(PASSWORD)).await, "CustomKeyStoreInvalidStateException");
    kms.disconnect(&id).await;
    // AWS knows the new password, and whoever tells it the old one locks the store out.
    assert_eq!(kms.connect(&id).await["ConnectionState"], "CONNECTED");
    kms.disconnect(&id).await;
    kms.call("UpdateCustomKeyStore", tell(PASSWORD)).await;
    assert_eq!(kms.connect(&id).await["ConnectionErrorCode"], "INVALID_CREDENTIALS");
    kms.disconnect(&id).await;
    // An administrator of the cluster sets it.
    let setting = json!({ "cluster": CLUSTER, "password": PASSWORD });
    assert_eq!(lab.control(Method::PUT, "/_lab/kmsuser", &setting).await.0, 204);
    assert_eq!(kms.connect(&id).await["ConnectionState"], "CONNECTED");
    let setting = json!({ "cluster": "cluster-zzzzzzzzzzz", "password": PASSWORD });
    assert_eq!(lab.control(Method::PUT, "/_lab/kmsuser", &setting).await.0, 404);
    // The deletion of the store restores the password of the plan.
    kms.disconnect(&id).await;
    kms.call("DeleteCustomKeyStore", json!({ "CustomKeyStoreId": id })).await;
    let id = kms.new_store(store("b")).await;
    assert_eq!(kms.connect(&id).await["ConnectionState"], "CONNECTED");
}

#[tokio::test]
async fn kmsuser_must_not_be_logged_in_and_the_cluster_must_be_there() {
    let certificate = other_certificate();
    let busy = cluster("cluster-aaaaaaaaaaa", &format!("{TWO}\nkmsuser_logged_in = true"), &certificate);
    let lab = Lab::start_with_first_account(&busy).await;
    let kms = lab.kms(REGION);
    let members = json!({ "CloudHsmClusterId": "cluster-aaaaaaaaaaa", "TrustAnchorCertificate": certificate });
    let id = kms.new_store(with(store("a"), members)).await;
    assert_eq!(kms.connect(&id).await["ConnectionErrorCode"], "USER_LOGGED_IN");

    let directory = tempfile::tempdir().expect("a directory");
    let listen = "127.0.0.1:0".parse().expect("an address");
    let with_plan = async |plan: &str| {
        let plan = LabPlan::parse(plan).expect("a plan");
        Lab { cloud: LabCloud::start(plan, listen, Some(directory.path()), None).await.expect("a lab") }
    };
    let plan = include_str!("../../../config/lab-cloud.toml");
    let lab = with_plan(plan).await;
    let id = lab.kms(REGION).new_store(store("a")).await;
    lab.cloud.stop().await;
    // Another plan, with the same state.
    let hsms = "hsms = [{ zone = \"us-east-1a\" }, { zone = \"us-east-1b\" }]";
    for (from, to, code) in [
        (hsms, "state = \"UNINITIALIZED\"", "CloudHsmClusterNotActiveException"),
        (hsms, "hsms = [{ zone = \"us-east-1a\", state = \"DEGRADED\" }]", INVALID),
    ] {
        let lab = with_plan(&plan.replace(from, to)).await;
        assert_eq!(lab.kms(REGION).code("ConnectCustomKeyStore", json!({ "CustomKeyStoreId": id })).await, code);
        lab.cloud.stop().await;
    }
    let lab = with_plan(&plan.replace(CLUSTER, "cluster-aaaaaaaaaaa")).await;
    assert_eq!(lab.kms(REGION).connect(&id).await["ConnectionErrorCode"], "CLUSTER_NOT_FOUND");
}

#[tokio::test]
async fn keys_in_a_cluster_are_used_while_the_store_is_connected() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let store = kms.new_store(store("a")).await;
    let parameters = json!({ "CustomKeyStoreId": store, "Origin": "AWS_CLOUDHSM" });
    assert_eq!(kms.code("CreateKey", parameters.clone()).await, "CustomKeyStoreInvalidStateException");
    let random = json!({ "NumberOfBytes": 8, "CustomKeyStoreId": store });
    assert_eq!(kms.code("GenerateRandom", random.clone()).await, "CustomKeyStoreInvalidStateException");
    kms.connect(&store).await;
    assert_eq!(decoded(&kms.call("GenerateRandom", random).await["Plaintext"]).len(), 8);
    for members in
        [json!({ "XksKeyId": "key-1" }), json!({ "Origin": "EXTERNAL_KEY_STORE" }), json!({ "Origin": null })]
    {
        assert_eq!(kms.code("CreateKey", with(parameters.clone(), members)).await, "ValidationException");
    }
    let key = kms.create(parameters).await;
    for (member, value) in [
        ("CustomKeyStoreId", json!(store)),
        ("CloudHsmClusterId", json!(CLUSTER)),
        ("Origin", json!("AWS_CLOUDHSM")),
        ("KeyState", json!("Enabled")),
        ("XksKeyConfiguration", Value::Null),
    ] {
        assert_eq!(key[member], value, "{member}");
    }
    let id = key["KeyId"].as_str().expect("an id");
    let encrypt = json!({ "KeyId": id, "Plaintext": encoded("text") });
    let sealed = kms.call("Encrypt", encrypt.clone()).await;
    let decrypt = json!({ "CiphertextBlob": sealed["CiphertextBlob"] });
    assert_eq!(decoded(&kms.call("Decrypt", decrypt.clone()).await["Plaintext"]), b"text");
    for operation in ["EnableKeyRotation", "RotateKeyOnDemand"] {
        assert_eq!(kms.code(operation, json!({ "KeyId": id })).await, "UnsupportedOperationException", "{operation}");
    }
    kms.disconnect(&store).await;
    assert_eq!(kms.described(id, "KeyState").await, "Unavailable");
    let (code, message) = kms.refusal("Decrypt", decrypt.clone()).await;
    assert!(code == "KMSInvalidStateException" && message.contains("is unavailable"), "{code} {message}");
    assert_eq!(kms.code("Encrypt", encrypt).await, "KMSInvalidStateException");
    kms.connect(&store).await;
    kms.call("Decrypt", decrypt).await;
}
