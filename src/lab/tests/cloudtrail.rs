//! Tests of the events of CloudTrail.

use super::kms_access::{self, HOME, PARIS};
use super::xks_proxy::{SECRET, lab_and_proxy, store};
use super::*;

const REGION: &str = "eu-west-3";
const ACCOUNT: &str = "123456789012";

impl Lab {
    async fn own_events(&self) -> Vec<Value> {
        self.events(&Keys::of("user1"), ACCOUNT, REGION).await
    }

    /// The only event of an operation.
    async fn event(&self, operation: &str) -> Value {
        let mut events = self.own_events().await;
        events.retain(|event| event["eventName"] == operation);
        assert_eq!(events.len(), 1, "{operation}: {events:?}");
        events.remove(0)
    }
}

#[tokio::test]
async fn a_call_has_an_event_with_its_request_id() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let made = kms.create(json!({ "Tags": [{ "TagKey": "a", "TagValue": "b" }] })).await;
    let (id, arn) = (&made["KeyId"], &made["Arn"]);
    let body = json!({ "KeyId": id, "Plaintext": "aGk=", "EncryptionContext": { "Case": "Kept" } });
    let mut request = SignedRequest::new("POST", "kms", &lab.region(REGION), "/");
    request.set_payload(Some(body.to_string()));
    request.set_content_type("application/x-amz-json-1.1".to_owned());
    request.add_header("x-amz-target", "TrentService.Encrypt");
    request.add_header("user-agent", "a test");
    request.sign(&AwsCredentials::new(&kms.keys.id, &kms.keys.secret, None, None));
    let answer = over_the_wire(request).await.expect("an answer");
    let request_id = answer.headers()["x-amzn-requestid"].to_str().expect("a text").to_owned();
    let event = lab.event("Encrypt").await;
    for (member, value) in [
        ("eventVersion", json!("1.11")),
        ("eventSource", json!("kms.amazonaws.com")),
        ("awsRegion", json!(REGION)),
        ("sourceIPAddress", json!("127.0.0.1")),
        ("userAgent", json!("a test")),
        ("requestID", json!(request_id)),
        ("readOnly", json!(true)),
        ("responseElements", Value::Null),
        ("resources", json!([{ "accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": arn }])),
        ("recipientAccountId", json!(ACCOUNT)),
        (
            "requestParameters",
            json!({ "keyId": id, "encryptionAlgorithm": "SYMMETRIC_DEFAULT", "encryptionContext": { "Case": "Kept" } }),
        ),
    ] {
        assert_eq!(event[member], value, "{member}");
    }
    let identity = &event["userIdentity"];
    assert_eq!((&identity["type"], &identity["userName"]), (&json!("IAMUser"), &json!("user1")));
    assert_eq!(identity["arn"], format!("arn:aws:iam::{ACCOUNT}:user/user1"));
    assert_eq!(identity["accessKeyId"], kms.keys.id);
    for absent in ["errorCode", "errorMessage", "additionalEventData", "sharedEventID"] {
        assert_eq!(event.get(absent), None, "{absent}");
    }
    let created = lab.event("CreateKey").await;
    assert_eq!((&created["readOnly"], &created["resources"][0]["ARN"]), (&json!(false), arn));
    assert_eq!(created["requestParameters"]["tags"], json!([{ "tagKey": "a", "tagValue": "b" }]));
    assert_eq!(created["responseElements"]["keyMetadata"]["keyId"], *id);
    // The last usage names the event.
    let usage = kms.call("GetKeyLastUsage", json!({ "KeyId": id })).await;
    assert_eq!(usage["KeyLastUsage"]["CloudTrailEventId"], event["eventID"]);
}

#[tokio::test]
async fn refused_calls_have_events_and_calls_of_strangers_have_none() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({})).await;
    let arn = format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{id}");
    let powerless = lab.kms_as(Keys::of("powerless"), REGION);
    assert_eq!(powerless.code("DisableKey", json!({ "KeyId": id })).await, "AccessDeniedException");
    let denied = lab.event("DisableKey").await;
    assert_eq!((&denied["errorCode"], &denied["requestParameters"]), (&json!("AccessDenied"), &Value::Null));
    assert!(denied["errorMessage"].as_str().expect("a text").contains("kms:DisableKey"), "{denied}");
    assert_eq!(denied["resources"][0]["ARN"], arn);
    assert_eq!(denied["userIdentity"]["userName"], "powerless");
    let none = "12345678-1234-1234-1234-123456789012";
    assert_eq!(kms.code("DescribeKey", json!({ "KeyId": none })).await, "NotFoundException");
    assert_eq!(lab.event("DescribeKey").await["errorCode"], "NotFoundException");
    let fault = json!([{ "service": "kms", "operation": "ListKeys", "answer": "throttle" }]);
    lab.control(Method::PUT, "/_lab/faults", &fault).await;
    assert_eq!(kms.code("ListKeys", json!({})).await, "ThrottlingException");
    assert_eq!(lab.event("ListKeys").await["errorCode"], "ThrottlingException");
    let before = lab.own_events().await.len();
    let stranger = Keys { secret: "x".repeat(40), ..Keys::of("user1") };
    assert_eq!(lab.kms_as(stranger, REGION).code("ListKeys", json!({})).await, "InvalidSignatureException");
    assert_eq!(kms.code("NoSuchOperation", json!({})).await, "UnknownOperationException");
    assert_eq!(lab.own_events().await.len(), before);
}

#[tokio::test]
async fn events_show_no_secret() {
    let lab = Lab::start().await;
    let (user, kms) = (Keys::of("user1"), lab.kms(REGION));
    let id = kms.id(json!({})).await;
    let plaintext = encoded("the plaintext of a test");
    let sealed = kms.call("Encrypt", json!({ "KeyId": id, "Plaintext": plaintext })).await["CiphertextBlob"].clone();
    kms.call("Decrypt", json!({ "CiphertextBlob": sealed })).await;
    let data_key = kms.call("GenerateDataKey", json!({ "KeyId": id, "KeySpec": "AES_256" })).await;
    let grant = json!({ "KeyId": id, "GranteePrincipal": format!("arn:aws:iam::{ACCOUNT}:user/powerless"),
                        "Operations": ["Encrypt"], "Constraints": { "EncryptionContextSubset": { "Dept": "IT" } } });
    let granted = kms.call("CreateGrant", grant).await;
    let mut parameters = store("a");
    parameters["CustomKeyStoreName"] = json!("a store");
    kms.post("CreateCustomKeyStore", parameters).await;
    kms.post("CreateCustomKeyStore", json!({ "KeyStorePassword": "the-password", "CloudHsmClusterId": "cluster-x" }))
        .await;
    kms.post("Encrypt", json!({ "KeyId": id, "plaintext": "lower-case-secret", "Secret": "unknown-member" })).await;
    let role = lab.assume(&user, &format!("arn:aws:iam::{ACCOUNT}:role/test-own-role"), None).await.expect("a session");
    lab.kms_as(role.clone(), REGION).call("ListKeys", json!({})).await;
    let events = lab.own_events().await;
    let text = json!(events).to_string() + &json!(lab.events(&user, ACCOUNT, "us-east-1").await).to_string();
    let texts = [&sealed, &plaintext, &data_key["Plaintext"], &data_key["CiphertextBlob"], &granted["GrantToken"]];
    let mut secrets: Vec<&str> = texts.iter().map(|value| value.as_str().expect("a text")).collect();
    let token = role.token.as_deref().expect("a token");
    secrets.extend([SECRET, "the-password", "lower-case-secret", "unknown-member", &user.secret, &role.secret, token]);
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(text.contains("a store") && text.contains("cluster-x") && text.contains(r#"{"Dept":"IT"}"#), "{text}");
    // The session of the role.
    let listed = lab.event("ListKeys").await;
    let identity = &listed["userIdentity"];
    assert_eq!((&identity["type"], &identity["accessKeyId"]), (&json!("AssumedRole"), &json!(role.id)));
    let context = &identity["sessionContext"];
    assert_eq!(context["sessionIssuer"]["userName"], "test-own-role");
    assert_eq!(context["attributes"]["mfaAuthenticated"], "false");
    assert!(context["attributes"]["creationDate"].as_str().is_some_and(|date| date.ends_with('Z')), "{context}");
    // And how it began.
    let begun = lab.events(&user, ACCOUNT, "us-east-1").await;
    let begun = begun.iter().find(|event| event["eventName"] == "AssumeRole").expect("an event");
    assert_eq!(begun["eventSource"], "sts.amazonaws.com");
    assert_eq!(begun["requestParameters"]["roleSessionName"], "session");
    let credentials = begun["responseElements"]["credentials"].as_object().expect("a structure");
    assert_eq!(credentials.keys().collect::<Vec<_>>(), ["accessKeyId", "expiration"]);
    assert_eq!(credentials["accessKeyId"], role.id);
}

#[tokio::test]
async fn an_external_key_is_named_with_its_store_and_the_id_that_the_proxy_got() {
    let (lab, proxy) = lab_and_proxy().await;
    let kms = lab.kms(REGION);
    let store = kms.new_store(store("a")).await;
    kms.connect(&store).await;
    let connected = lab.event("ConnectCustomKeyStore").await;
    assert_eq!(connected["additionalEventData"], json!({ "customKeyStoreName": "a" }));
    let ask = json!({ "CustomKeyStoreId": store, "Origin": "EXTERNAL_KEY_STORE", "XksKeyId": "key-1" });
    let id = kms.id(ask).await;
    let sealed = kms.call("Encrypt", json!({ "KeyId": id, "Plaintext": "aGk=" })).await["CiphertextBlob"].clone();
    proxy.take_seen();
    proxy.answer_with("decrypt", 500, json!({}));
    assert_eq!(kms.code("Decrypt", json!({ "CiphertextBlob": sealed })).await, "KMSInvalidStateException");
    let seen = proxy.take_seen();
    let event = lab.event("Decrypt").await;
    assert_eq!(event["requestID"], seen[0].1["requestMetadata"]["kmsRequestId"]);
    assert_eq!(event["errorCode"], "KMSInvalidStateException");
    let data = &event["additionalEventData"];
    assert_eq!((&data["customKeyStoreId"], &data["xksKeyId"]), (&json!(store), &json!("key-1")));
    assert_eq!(event["resources"][0]["ARN"], format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{id}"));
}

#[tokio::test]
async fn the_account_of_the_key_gets_an_event_of_a_call_from_another() {
    let lab = kms_access::lab().await;
    let admin = lab.kms_as(kms_access::keys("admin"), PARIS);
    let sue = json!({ "Effect": "Allow", "Principal": { "AWS": kms_access::user("sue") }, "Action": "kms:*", "Resource": "*" });
    let made = admin.create(json!({ "Policy": kms_access::policy(&[sue]) })).await;
    lab.kms_as(kms_access::keys("sue"), PARIS)
        .call("Encrypt", json!({ "KeyId": made["Arn"], "Plaintext": "aGk=" }))
        .await;
    let events = lab.events(&kms_access::keys("admin"), HOME, PARIS).await;
    let event = events.iter().find(|event| event["eventName"] == "Encrypt").expect("an event");
    let identity = event["userIdentity"].as_object().expect("a structure");
    assert_eq!(identity.keys().collect::<Vec<_>>(), ["accountId", "principalId", "type"]);
    assert_eq!((&identity["type"], &identity["accountId"]), (&json!("AWSAccount"), &json!("444455556666")));
    assert_eq!(event["recipientAccountId"], HOME);
    assert!(event["sharedEventID"].is_string() && event["sharedEventID"] != event["eventID"], "{event}");
}

#[tokio::test]
async fn an_alias_is_named_with_its_key() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({})).await;
    kms.call("CreateAlias", json!({ "AliasName": "alias/a", "TargetKeyId": id })).await;
    kms.call("DeleteAlias", json!({ "AliasName": "alias/a" })).await;
    let arn = |part: &str| format!("arn:aws:kms:{REGION}:{ACCOUNT}:{part}");
    for operation in ["CreateAlias", "DeleteAlias"] {
        let event = lab.event(operation).await;
        let arns: Vec<&Value> = event["resources"].as_array().expect("a list").iter().map(|one| &one["ARN"]).collect();
        assert_eq!(arns, [&json!(arn("alias/a")), &json!(arn(&format!("key/{id}")))], "{operation}");
        assert_eq!(event["requestParameters"]["aliasName"], "alias/a");
    }
}

#[tokio::test]
async fn events_arrive_late_and_the_oldest_are_dropped() {
    let lab = Lab::start_with_cloudtrail("max_events = 3\ndelay_seconds = 1200").await;
    let kms = lab.kms(REGION);
    kms.call("ListAliases", json!({})).await;
    assert_eq!(lab.own_events().await, Vec::<Value>::new());
    lab.control(Method::PUT, "/_lab/clock", &json!({ "ahead_seconds": 1201 })).await;
    assert_eq!(lab.own_events().await.len(), 1);
    lab.control(Method::PUT, "/_lab/cloudtrail", &json!({ "delay_seconds": 0 })).await;
    for _ in 0..4 {
        kms.call("ListKeys", json!({})).await;
    }
    let events = lab.own_events().await;
    assert_eq!(events.iter().map(|event| &event["eventName"]).collect::<Vec<_>>(), ["ListKeys"; 3]);
    let (_, counts) = lab.control(Method::GET, "/_lab/cloudtrail", &Value::Null).await;
    assert_eq!(counts, json!({ "delay_seconds": 0, "events": { ACCOUNT: { REGION: 3 } } }));
}
