//! The program's own calls to AWS for custom key stores and clusters, against the lab.

use std::sync::Arc;

use super::xks_proxy::{ENDPOINT, ID, PATH, SECRET, lab_and_proxy};
use super::*;
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::{
    ConnectCustomKeyStore, CreateCustomKeyStore, CreateKey, DeleteCustomKeyStore, DescribeCustomKeyStores,
    DisconnectCustomKeyStore, NewKeyStoreBacking, UpdateCustomKeyStore, WhichKeyStores,
};
use crate::aws::kms::custom_key_store::{
    ConnectionState, Connectivity, CustomKeyStore, KeyStoreBacking, KmsuserPassword, XksCredential,
};
use crate::aws::kms::port::AwsKms;
use crate::aws::page::Paging;
use crate::aws::port::{Access, AccessKeys, Aws as _};
use crate::aws::rusoto::RusotoAws;
use crate::aws::settings::{AwsSettings, EndpointOverride};
use crate::domain::key::aws_enums::Origin;
use crate::domain::place::{Partition, Region as AwsRegion};

fn region() -> AwsRegion {
    AwsRegion::parse("us-east-1").expect("a region")
}

fn access(user: &str) -> Access {
    let keys = Keys::of(user);
    Access::with_keys(Partition::Aws, AccessKeys { id: keys.id, secret: keys.secret.into(), session_token: None })
}

fn client(lab: &Lab) -> RusotoAws {
    let endpoint = EndpointOverride { partition: None, service: None, region: None, url: lab.url("") };
    RusotoAws::new(&AwsSettings { endpoints: vec![endpoint], ..AwsSettings::default() }).expect("a client")
}

fn credential(secret: &str) -> XksCredential {
    XksCredential { access_key_id: ID.to_owned(), secret_access_key: secret.to_owned().into() }
}

fn xks(name: &str) -> CreateCustomKeyStore {
    let (endpoint, path) = (ENDPOINT.to_owned(), PATH.to_owned());
    let backing =
        NewKeyStoreBacking::Xks { endpoint, path, connectivity: Connectivity::Public, credential: credential(SECRET) };
    CreateCustomKeyStore { name: name.to_owned(), backing }
}

async fn described(kms: &dyn AwsKms, id: &str) -> Result<CustomKeyStore, AwsFailure> {
    let call = DescribeCustomKeyStores { which: WhichKeyStores::WithId(id.to_owned()), paging: Paging::default() };
    let mut page = kms.call(&access("user1"), &region(), call).await?;
    Ok(page.items.remove(0))
}

/// The store as soon as it leaves a state.
async fn settled(kms: &dyn AwsKms, id: &str, state: &ConnectionState) -> CustomKeyStore {
    loop {
        let store = described(kms, id).await.expect("a store");
        if store.connection != *state {
            return store;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, AwsFailure>) -> String {
    match result {
        Err(AwsFailure::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_external_key_store_lives_and_dies_by_the_calls_of_the_program() {
    let (lab, _proxy) = lab_and_proxy().await;
    let kms: Arc<dyn AwsKms> = Arc::new(client(&lab));
    let (access, region) = (access("user1"), region());
    let id = kms.call(&access, &region, xks("a")).await.expect("a store");
    let store = described(&*kms, &id).await.expect("a store");
    let KeyStoreBacking::Xks(proxy) = &store.backing else { panic!("{store:?}") };
    assert_eq!((proxy.endpoint.as_str(), proxy.access_key_id.as_str()), (ENDPOINT, ID));
    assert_eq!((&store.connection, store.name.as_str()), (&ConnectionState::Disconnected, "a"));
    kms.call(&access, &region, ConnectCustomKeyStore { store: id.clone() }).await.expect("accepted");
    assert_eq!(settled(&*kms, &id, &ConnectionState::Connecting).await.connection, ConnectionState::Connected);
    let plain = CreateKey::plain();
    let new = crate::domain::key::operation::NewKey { origin: Origin::parse("EXTERNAL_KEY_STORE"), ..plain.new };
    let key = CreateKey { new, custom_key_store_id: Some(id.clone()), xks_key_id: Some("key-1".to_owned()) };
    let made = kms.call(&access, &region, key.clone()).await.expect("a key");
    assert_eq!((made.custom_key_store_id.as_deref(), made.xks_key_id.as_deref()), (Some(id.as_str()), Some("key-1")));
    assert_eq!(code(kms.call(&access, &region, key).await), "XksKeyAlreadyInUseException");
    let update = UpdateCustomKeyStore { store: id.clone(), ..UpdateCustomKeyStore::default() };
    let wrong = UpdateCustomKeyStore { credential: Some(credential(&"w".repeat(43))), ..update.clone() };
    let refused = kms.call(&access, &region, wrong).await;
    assert_eq!(code(refused), "XksProxyIncorrectAuthenticationCredentialException");
    let renamed = UpdateCustomKeyStore { name: Some("b".to_owned()), ..update };
    kms.call(&access, &region, renamed).await.expect("a new name");
    assert_eq!(described(&*kms, &id).await.expect("a store").name, "b");
    kms.call(&access, &region, DisconnectCustomKeyStore { store: id.clone() }).await.expect("accepted");
    settled(&*kms, &id, &ConnectionState::Disconnecting).await;
    let delete = DeleteCustomKeyStore { store: id.clone() };
    assert_eq!(code(kms.call(&access, &region, delete.clone()).await), "CustomKeyStoreHasCMKsException");
    lab.kms("us-east-1")
        .call("ScheduleKeyDeletion", json!({ "KeyId": made.key_id().to_string(), "PendingWindowInDays": 7 }))
        .await;
    lab.days_ahead(8).await;
    kms.call(&access, &region, delete).await.expect("gone");
    assert_eq!(code(described(&*kms, &id).await), "CustomKeyStoreNotFoundException");
}

#[tokio::test]
async fn a_cluster_is_listed_and_backs_a_store() {
    let (lab, _proxy) = lab_and_proxy().await;
    let (client, region) = (client(&lab), region());
    let clusters = client.hsm_clusters(&access("user1"), &region).await.expect("clusters");
    let [cluster] = clusters.as_slice() else { panic!("{clusters:?}") };
    assert!(cluster.is_active && cluster.active_hsms == 2, "{cluster:?}");
    assert_eq!(cluster.description["CreateTimestamp"], "2020-11-05T05:29:17Z");
    assert!(!cluster.description.contains_key("Certificates"));
    assert_eq!(code(client.hsm_clusters(&access("powerless"), &region).await), "AccessDeniedException");
    let trust_anchor = LabPlan::built_in().cluster(&cluster.id).expect("its plan").certificate.clone();
    let kms: Arc<dyn AwsKms> = Arc::new(client);
    let backing = |password: &str| NewKeyStoreBacking::CloudHsm {
        cluster: cluster.id.clone(),
        password: KmsuserPassword(password.to_owned().into()),
        trust_anchor: trust_anchor.clone(),
    };
    let access = access("user1");
    let new = CreateCustomKeyStore { name: "a".to_owned(), backing: backing("wrong-password") };
    let id = kms.call(&access, &region, new).await.expect("a store");
    kms.call(&access, &region, ConnectCustomKeyStore { store: id.clone() }).await.expect("accepted");
    let failed = settled(&*kms, &id, &ConnectionState::Connecting).await;
    assert_eq!(failed.connection, ConnectionState::Failed);
    assert_eq!(failed.connection_error.as_deref(), Some("INVALID_CREDENTIALS"));
    assert_eq!(failed.backing, KeyStoreBacking::CloudHsm { cluster: cluster.id.clone(), trust_anchor });
}
