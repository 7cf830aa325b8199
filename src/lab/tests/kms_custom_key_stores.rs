//! Tests of external key stores: parameters, uniqueness, connection, calls to the proxy.

use super::xks_proxy::{
    ENDPOINT, ID, PATH, Proxy, SECRET, health, lab_and_proxy, lab_with, operations, store, update, with, with_id,
};
use super::*;

const REGION: &str = "eu-west-3";
const VPC: &str = "com.amazonaws.vpce.eu-west-3.vpce-svc-0a1b2c3d4e5f60718";

#[tokio::test]
async fn a_store_is_created_connected_disconnected_and_deleted() {
    let (lab, proxy) = lab_and_proxy().await;
    let kms = lab.kms(REGION);
    assert_eq!(
        kms.call("DescribeCustomKeyStores", json!({})).await,
        json!({ "CustomKeyStores": [], "Truncated": false })
    );
    let id = kms.new_store(store("one")).await;
    assert!(id.len() == 21 && id.starts_with("cks-"), "{id}");
    let seen = proxy.take_seen();
    assert_eq!(operations(&seen), [("/health", "CreateCustomKeyStore")]);
    assert!(seen[0].1["requestMetadata"]["kmsRequestId"].is_string());
    let described = kms.store(&id).await;
    let expected = json!({
        "CustomKeyStoreId": id,
        "CustomKeyStoreName": "one",
        "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
        "ConnectionState": "DISCONNECTED",
        "CreationDate": described["CreationDate"],
        "XksProxyConfiguration": {
            "Connectivity": "PUBLIC_ENDPOINT", "AccessKeyId": ID, "UriEndpoint": ENDPOINT, "UriPath": PATH,
        },
    });
    assert_eq!(described, expected);
    assert!(described["CreationDate"].as_f64().is_some_and(|seconds| seconds > 1.7e9));
    let by_name = kms.call("DescribeCustomKeyStores", json!({ "CustomKeyStoreName": "one" })).await;
    assert_eq!(by_name["CustomKeyStores"], json!([described]));
    assert_eq!(
        lab.kms("eu-west-1").code("DescribeCustomKeyStores", with_id(&id)).await,
        "CustomKeyStoreNotFoundException"
    );

    assert_eq!(kms.connect(&id).await["ConnectionState"], "CONNECTED");
    assert_eq!(operations(&proxy.take_seen()), [("/health", "ConnectCustomKeyStore")]);
    assert_eq!(kms.disconnect(&id).await["ConnectionState"], "DISCONNECTED");
    assert_eq!(kms.call("DeleteCustomKeyStore", with_id(&id)).await, json!({}));
    assert_eq!(kms.code("DescribeCustomKeyStores", with_id(&id)).await, "CustomKeyStoreNotFoundException");
    assert!(proxy.take_seen().is_empty());
    let (_, counts) = lab.control(Method::GET, "/_lab/calls", &Value::Null).await;
    assert_eq!(counts["kms-xks-proxy:health"], json!({ REGION: 2 }));
}

#[tokio::test]
async fn a_store_needs_a_proxy_that_answers_rightly() {
    let lab = lab_with("").await;
    let kms = lab.kms(REGION);
    let unreachable = "XksProxyUriUnreachableException";
    assert_eq!(kms.code("CreateCustomKeyStore", store("a")).await, unreachable, "without a listener");
    let proxy = Proxy::start().await;
    lab.cloud.set_xks_listener(&proxy.listener).expect("a listener");
    let host = json!({ "XksProxyUriEndpoint": "https://Unreachable.lab.internal" });
    assert_eq!(kms.code("CreateCustomKeyStore", with(store("a"), host)).await, unreachable);
    let credential = json!({ "AccessKeyId": ID, "RawSecretAccessKey": "x".repeat(43) });
    let parameters = with(store("a"), json!({ "XksProxyAuthenticationCredential": credential }));
    let (code, message) = kms.refusal("CreateCustomKeyStore", parameters).await;
    assert_eq!(code, "XksProxyIncorrectAuthenticationCredentialException");
    assert!(message.contains("could not authenticate AWS KMS") && !message.contains("secret"), "{message}");
    let path = json!({ "XksProxyUriPath": "/other/kms/xks/v1" });
    assert_eq!(kms.code("CreateCustomKeyStore", with(store("a"), path)).await, "XksProxyInvalidConfigurationException");
    for (status, body, code) in [
        (200, health("UNAVAILABLE"), unreachable),
        (200, json!({}), "XksProxyInvalidResponseException"),
        (400, json!({ "errorName": "InvalidStateException" }), "XksProxyInvalidResponseException"),
        (400, json!({ "errorName": "AuthenticationFailedException" }), "XksProxyInvalidResponseException"),
        (501, json!({ "errorName": "UnsupportedOperationException" }), "UnsupportedOperationException"),
    ] {
        proxy.answer_with("health", status, body.clone());
        assert_eq!(kms.code("CreateCustomKeyStore", store("a")).await, code, "{status} {body}");
    }
    proxy.answer_rightly();
    for (fault, code) in [
        (json!({ "answer": "drop" }), unreachable),
        (json!({ "answer": "throttle" }), unreachable),
        (json!({ "answer": "unavailable" }), unreachable),
        (json!({ "delay_ms": 6000 }), unreachable),
        (json!({ "answer": "garbage" }), "XksProxyInvalidResponseException"),
        (json!({ "answer": "internal" }), "XksProxyInvalidResponseException"),
    ] {
        lab.faults(json!([with(json!({ "service": "kms-xks-proxy", "operation": "health" }), fault.clone())])).await;
        assert_eq!(kms.code("CreateCustomKeyStore", store("a")).await, code, "{fault}");
    }
    let (status, _) =
        lab.control(Method::PUT, "/_lab/faults", &json!([{ "service": "kms", "answer": "garbage" }])).await;
    assert_eq!(status, 400);
    assert_eq!(kms.call("DescribeCustomKeyStores", json!({})).await["CustomKeyStores"], json!([]), "nothing stays");
    kms.new_store(store("a")).await;
}

#[tokio::test]
async fn the_proxy_has_250_milliseconds() {
    let (lab, proxy) = (lab_with("proxy_timeout_ms = 250\n").await, Proxy::start().await);
    lab.cloud.set_xks_listener(&proxy.listener).expect("a listener");
    let kms = lab.kms(REGION);
    let closed = proxy.gate.acquire_many(1000).await.expect("the gate");
    let began = std::time::Instant::now();
    assert_eq!(kms.code("CreateCustomKeyStore", store("a")).await, "XksProxyUriUnreachableException");
    assert!((250..2000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    drop(closed);
}

#[tokio::test]
async fn every_host_leads_to_the_listener_and_its_certificate_must_be_trusted() {
    let (lab, proxy) = lab_and_proxy().await;
    let kms = lab.kms(REGION);
    for host in ["192.0.2.7", "xks.example.com", "A.b-c"] {
        let endpoint = json!({ "XksProxyUriEndpoint": format!("https://{host}") });
        let id = kms.new_store(with(store(host), endpoint.clone())).await;
        assert_eq!(kms.store(&id).await["XksProxyConfiguration"]["UriEndpoint"], endpoint["XksProxyUriEndpoint"]);
    }
    let other = Proxy::start().await;
    let mistrusted = XksListener { certificates: other.listener.certificates.clone(), ..proxy.listener.clone() };
    lab.cloud.set_xks_listener(&mistrusted).expect("a listener");
    let (code, message) = kms.refusal("CreateCustomKeyStore", store("a")).await;
    assert_eq!(code, "XksProxyUriUnreachableException");
    assert!(message.contains("TLS"), "{message}");
    let abroad = XksListener { address: "192.0.2.7:443".parse().expect("an address"), ..proxy.listener.clone() };
    assert!(matches!(lab.cloud.set_xks_listener(&abroad), Err(LabError::NotLoopback(_))));

    let strict = lab_with("check_host_names = true\n").await;
    strict.cloud.set_xks_listener(&proxy.listener).expect("a listener");
    let kms = strict.kms(REGION);
    kms.new_store(store("a")).await;
    let endpoint = json!({ "XksProxyUriEndpoint": "https://xks.example.com" });
    assert_eq!(kms.code("CreateCustomKeyStore", with(store("b"), endpoint)).await, "XksProxyUriUnreachableException");
}

#[tokio::test]
async fn parameters_must_have_the_forms_of_the_model_and_fit_the_type() {
    let (lab, proxy) = lab_and_proxy().await;
    let kms = lab.kms(REGION);
    let credential = |id: &str, secret: &str| json!({ "XksProxyAuthenticationCredential": { "AccessKeyId": id, "RawSecretAccessKey": secret } });
    for members in [
        json!({ "CustomKeyStoreName": null }),
        json!({ "CustomKeyStoreName": "x".repeat(257) }),
        json!({ "CustomKeyStoreType": "OTHER" }),
        json!({ "XksProxyUriEndpoint": null }),
        json!({ "XksProxyUriEndpoint": "https://a" }),
        json!({ "XksProxyUriEndpoint": "http://xks.lab.internal" }),
        json!({ "XksProxyUriEndpoint": "https://xks.lab.internal:8443" }),
        json!({ "XksProxyUriPath": null }),
        json!({ "XksProxyUriPath": "/kms/xks" }),
        json!({ "XksProxyUriPath": format!("/{}/kms/xks/v1", "a".repeat(120)) }),
        json!({ "XksProxyConnectivity": null }),
        json!({ "XksProxyConnectivity": "OTHER" }),
        json!({ "XksProxyAuthenticationCredential": null }),
        credential("short", SECRET),
        credential(&"1".repeat(20), SECRET),
        credential(ID, "short"),
        credential(ID, &"-".repeat(43)),
        json!({ "XksProxyAuthenticationCredential": { "AccessKeyId": ID } }),
        json!({ "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE" }),
        json!({ "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE", "XksProxyVpcEndpointServiceName": "testEndpointServiceName" }),
        json!({ "XksProxyVpcEndpointServiceName": VPC }),
        json!({ "XksProxyVpcEndpointServiceOwner": "12345678901x" }),
        json!({ "KeyStorePassword": "password" }),
        json!({ "CloudHsmClusterId": "cluster-lab2only3abc" }),
        json!({ "TrustAnchorCertificate": "x" }),
        json!({ "CustomKeyStoreType": null }),
    ] {
        let (code, message) = kms.refusal("CreateCustomKeyStore", with(store("a"), members.clone())).await;
        assert_eq!(code, "ValidationException", "{members}");
        assert!(!message.contains(SECRET) && !message.contains(&"-".repeat(43)), "{message}");
    }
    let mistyped = json!({ "XksProxyAuthenticationCredential": "x" });
    assert_eq!(kms.code("CreateCustomKeyStore", with(store("a"), mistyped)).await, "SerializationException");
    let both = json!({ "CustomKeyStoreId": "cks-1", "CustomKeyStoreName": "a" });
    assert_eq!(kms.code("DescribeCustomKeyStores", both).await, "ValidationException");
    assert!(proxy.take_seen().is_empty(), "what is refused is not asked");
    for operation in ["Connect", "Disconnect", "Update", "Delete"] {
        let operation = format!("{operation}CustomKeyStore");
        assert_eq!(kms.code(&operation, json!({})).await, "ValidationException", "{operation}");
        assert_eq!(kms.code(&operation, with_id("cks-1")).await, "CustomKeyStoreNotFoundException", "{operation}");
    }
}

#[tokio::test]
async fn stores_are_unique_and_limited_in_an_account_and_region() {
    let (lab, _proxy) = lab_and_proxy().await;
    let kms = lab.kms(REGION);
    let endpoint = |host: &str| json!({ "XksProxyUriEndpoint": format!("https://{host}") });
    let vpc = |host: &str, service: &str| {
        let members =
            json!({ "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE", "XksProxyVpcEndpointServiceName": service });
        with(members, endpoint(host))
    };
    kms.new_store(store("a")).await;
    let private = kms.new_store(with(store("vpc"), vpc("private.lab.internal", VPC))).await;
    let configuration = kms.store(&private).await["XksProxyConfiguration"].clone();
    assert_eq!(
        (&configuration["Connectivity"], &configuration["VpcEndpointServiceName"]),
        (&json!("VPC_ENDPOINT_SERVICE"), &json!(VPC))
    );
    let other = "com.amazonaws.vpce.eu-west-3.vpce-svc-1a1b2c3d4e5f60718";
    for (members, code) in [
        (endpoint("b.lab.internal"), "CustomKeyStoreNameInUseException"),
        (json!({ "CustomKeyStoreName": "b" }), "XksProxyUriInUseException"),
        (with(json!({ "CustomKeyStoreName": "b" }), endpoint("XKS.lab.internal")), "XksProxyUriInUseException"),
        (
            with(
                with(json!({ "CustomKeyStoreName": "b" }), endpoint("private.lab.internal")),
                json!({ "XksProxyUriPath": "/b/kms/xks/v1" }),
            ),
            "XksProxyUriEndpointInUseException",
        ),
        (
            with(
                with(json!({ "CustomKeyStoreName": "b" }), vpc("xks.lab.internal", other)),
                json!({ "XksProxyUriPath": "/b/kms/xks/v1" }),
            ),
            "XksProxyUriEndpointInUseException",
        ),
        (
            with(json!({ "CustomKeyStoreName": "b" }), vpc("b.lab.internal", VPC)),
            "XksProxyVpcEndpointServiceInUseException",
        ),
        (
            with(json!({ "CustomKeyStoreName": "b" }), vpc("b.lab.internal", &VPC.replace("eu-west-3", "eu-west-1"))),
            "XksProxyVpcEndpointServiceNotFoundException",
        ),
    ] {
        assert_eq!(kms.code("CreateCustomKeyStore", with(store("a"), members.clone())).await, code, "{members}");
    }
    lab.kms("eu-west-1").new_store(store("a")).await;
    for n in 2..10 {
        kms.new_store(with(store(&n.to_string()), endpoint(&format!("h{n}.lab.internal")))).await;
    }
    let eleventh = with(store("11"), endpoint("h11.lab.internal"));
    assert_eq!(kms.code("CreateCustomKeyStore", eleventh).await, "LimitExceededException");
    let mut listed = Vec::new();
    let mut marker = Value::Null;
    loop {
        let page = kms.call("DescribeCustomKeyStores", with(json!({ "Limit": 4 }), json!({ "Marker": marker }))).await;
        listed.extend(page["CustomKeyStores"].as_array().expect("stores").clone());
        marker = page["NextMarker"].clone();
        if page["Truncated"] == false {
            break;
        }
    }
    assert_eq!(listed.len(), 10);
    assert_eq!(kms.code("DescribeCustomKeyStores", json!({ "Marker": "x" })).await, "InvalidMarkerException");
}

#[tokio::test]
async fn a_vpc_store_is_not_called_at_its_creation() {
    let (lab, proxy) = lab_and_proxy().await;
    let kms = lab.kms(REGION);
    proxy.answer_with("health", 500, json!({ "errorName": "InternalException" }));
    let members = json!({
        "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE",
        "XksProxyVpcEndpointServiceName": VPC,
        "XksProxyVpcEndpointServiceOwner": "210987654321",
    });
    let id = kms.new_store(with(store("vpc"), members)).await;
    assert!(proxy.take_seen().is_empty());
    assert_eq!(kms.store(&id).await["XksProxyConfiguration"]["VpcEndpointServiceOwner"], "210987654321");
    let failed = kms.connect(&id).await;
    assert_eq!(failed["ConnectionErrorCode"], "XKS_PROXY_INVALID_RESPONSE");
    proxy.answer_rightly();
    kms.disconnect(&id).await;
    // A public endpoint needs an endpoint, and removes the service.
    let change = json!({ "XksProxyConnectivity": "PUBLIC_ENDPOINT", "XksProxyVpcEndpointServiceName": "" });
    assert_eq!(kms.code("UpdateCustomKeyStore", update(&id, change.clone())).await, "ValidationException");
    let change = with(change, json!({ "XksProxyUriEndpoint": ENDPOINT }));
    kms.call("UpdateCustomKeyStore", update(&id, change)).await;
    let expected =
        json!({ "Connectivity": "PUBLIC_ENDPOINT", "AccessKeyId": ID, "UriEndpoint": ENDPOINT, "UriPath": PATH });
    assert_eq!(kms.store(&id).await["XksProxyConfiguration"], expected);
}

#[tokio::test]
async fn an_update_applies_if_the_proxy_is_healthy_with_it() {
    let (lab, proxy) = lab_and_proxy().await;
    let kms = lab.kms(REGION);
    let id = kms.new_store(store("a")).await;
    kms.connect(&id).await;
    proxy.take_seen();
    let (new_id, new_secret) = ("BBBBBBBBBBBBBBBBBBBB", "n".repeat(43));
    let change = json!({
        "NewCustomKeyStoreName": "b",
        "XksProxyAuthenticationCredential": { "AccessKeyId": new_id, "RawSecretAccessKey": new_secret },
    });
    let before = kms.store(&id).await;
    assert_eq!(
        kms.code("UpdateCustomKeyStore", update(&id, change.clone())).await,
        "XksProxyIncorrectAuthenticationCredentialException"
    );
    assert_eq!(kms.store(&id).await, before, "all or nothing");
    proxy.behaviour().credentials.insert(new_id.to_owned(), new_secret.clone());
    assert_eq!(kms.call("UpdateCustomKeyStore", update(&id, change)).await, json!({}));
    assert_eq!(operations(&proxy.take_seen()), [("/health", "UpdateCustomKeyStore")]);
    let after = kms.store(&id).await;
    assert_eq!(
        (&after["CustomKeyStoreName"], &after["XksProxyConfiguration"]["AccessKeyId"], &after["ConnectionState"]),
        (&json!("b"), &json!(new_id), &json!("CONNECTED"))
    );
    // A name alone needs no proxy.
    proxy.answer_with("health", 500, json!({ "errorName": "InternalException" }));
    kms.call("UpdateCustomKeyStore", update(&id, json!({ "NewCustomKeyStoreName": "c" }))).await;
    assert!(proxy.take_seen().is_empty());
    let other = json!({ "XksProxyUriEndpoint": "https://other.lab.internal", "CustomKeyStoreName": "other" });
    proxy.answer_rightly();
    kms.new_store(with(store("other"), other)).await;
    let taken = update(&id, json!({ "NewCustomKeyStoreName": "other" }));
    assert_eq!(kms.code("UpdateCustomKeyStore", taken).await, "CustomKeyStoreNameInUseException");
    kms.disconnect(&id).await;
    let taken = update(&id, json!({ "XksProxyUriEndpoint": "https://other.lab.internal" }));
    assert_eq!(kms.code("UpdateCustomKeyStore", taken).await, "XksProxyUriInUseException");
    let cluster = update(&id, json!({ "KeyStorePassword": "password" }));
    assert_eq!(kms.code("UpdateCustomKeyStore", cluster).await, "ValidationException");
}

#[tokio::test]
async fn other_calls_are_answered_while_the_proxy_is_called() {
    let (lab, proxy) = lab_and_proxy().await;
    let kms = lab.kms(REGION);
    let closed = proxy.gate.acquire_many(1000).await.expect("the gate");
    let creations = [kms.post("CreateCustomKeyStore", store("a")), kms.post("CreateCustomKeyStore", store("a"))];
    let meanwhile = async {
        while proxy.behaviour().seen.len() < 2 {
            kms.call("ListKeys", json!({})).await;
        }
        drop(closed);
    };
    let (mut created, ()) = futures_util::join!(futures_util::future::join_all(creations), meanwhile);
    // Both were judged before the call, and again after it.
    created.sort_by_key(|(status, _)| *status);
    assert!(created[0].1["CustomKeyStoreId"].is_string(), "{created:?}");
    assert_eq!(created[1].1["__type"], "CustomKeyStoreNameInUseException");
}

#[tokio::test]
async fn stores_need_permissions() {
    let (lab, _proxy) = lab_and_proxy().await;
    let id = lab.kms(REGION).new_store(store("a")).await;
    let powerless = lab.kms_as(Keys::of("powerless"), REGION);
    for (operation, parameters) in [
        ("CreateCustomKeyStore", store("b")),
        ("DescribeCustomKeyStores", json!({})),
        ("ConnectCustomKeyStore", with_id(&id)),
        ("DisconnectCustomKeyStore", with_id(&id)),
        ("UpdateCustomKeyStore", with_id(&id)),
        ("DeleteCustomKeyStore", with_id(&id)),
    ] {
        let (code, message) = powerless.refusal(operation, parameters).await;
        assert_eq!(code, "AccessDeniedException", "{operation}");
        assert!(message.contains(&format!("kms:{operation}")), "{message}");
    }
}
