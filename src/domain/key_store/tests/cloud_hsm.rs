//! The rules of stores in CloudHSM clusters.

use super::operations::{conclude, done, failed, operation, request, requested, seen};
use super::*;
use crate::domain::key::command::Outcome;
use crate::domain::key_store::at_aws::{CloudHsmAtAws, ConnectionState};
use crate::domain::key_store::operation::StoreRequest;
use crate::domain::refusal::Refusal;

const CLUSTER: &str = "cluster-2a34b5cdefg";

fn password(n: u8) -> Sealed {
    Sealed(vec![n])
}

fn create() -> KeyStoreCommand {
    KeyStoreCommand::CreateCloudHsm(Box::new(NewCloudHsmStore {
        id: store_id(1),
        kms: kms_id(0),
        region: region("eu-west-3"),
        name: name("hsm"),
        cluster: CLUSTER.to_owned(),
        trust_anchor: "PEM".to_owned(),
        password: password(1),
        operation: operation(1),
    }))
}

fn at_aws(state: ConnectionState, error: Option<&str>) -> Box<StoreAtAws> {
    let (cluster, trust_anchor) = (CLUSTER.to_owned(), "PEM".to_owned());
    let cloud_hsm = Some(Box::new(CloudHsmAtAws { cluster, trust_anchor, hsms: Some(2) }));
    let connection_error = error.map(str::to_owned);
    Box::new(StoreAtAws { connection_state: state, connection_error, proxy: None, cloud_hsm, ..*seen("hsm", "") })
}

fn told(password: Option<Sealed>) -> Event {
    of(1, KeyStoreEvent::PasswordTold { password })
}

fn told_in(state: &Given) -> Option<Sealed> {
    let store = state.key_store(store_id(1)).expect("a store");
    store.cloud_hsm.as_ref().expect("a cluster").told.clone()
}

fn made() -> Given {
    let seen = at_aws(ConnectionState::Disconnected, None);
    prepared().when(create()).then_done().when(conclude(1, Outcome::Done(Some(seen)))).then_done()
}

#[test]
fn a_store_is_made_at_aws_with_its_password_or_not_at_all() {
    let (cluster, trust_anchor) = (CLUSTER.to_owned(), "PEM".to_owned());
    let created = KeyStoreEvent::CloudHsmCreated {
        kms: kms_id(0),
        region: region("eu-west-3"),
        name: name("hsm"),
        cluster,
        trust_anchor,
    };
    let wanted = StoreOperation::CreateCloudHsm { password: password(1) };
    let state = prepared().when(create()).then([of(1, created), requested(1, wanted)]);
    assert_eq!(state.key_store(store_id(1)).map(|store| store.kind()), Ok(StoreKind::CloudHsm));
    let seen = at_aws(ConnectionState::Disconnected, None);
    let accepted = state.when(conclude(1, Outcome::Done(Some(seen.clone()))));
    let accepted = accepted.then([told(Some(password(1))), done(1, Some(seen.clone()))]);
    assert_eq!(told_in(&accepted), Some(password(1)));
    let refused = state.when(conclude(1, Outcome::Failed("no".to_owned())));
    let _ = refused.then([failed(1), of(1, KeyStoreEvent::Deleted)]);
    // Found after a crash: it is not known whether AWS got the password of this attempt.
    let _ = state.when(conclude(1, Outcome::Reconciled(Some(seen)))).then_done();
    let KeyStoreCommand::CreateCloudHsm(new) = create() else { panic!("another command") };
    let wrong = NewCloudHsmStore { cluster: "cluster-0".to_owned(), ..*new };
    let refused = prepared().when(KeyStoreCommand::CreateCloudHsm(Box::new(wrong))).refusal();
    assert_eq!(refused.member(), Some("aws_param.cloud_hsm_cluster_id"));
}

#[test]
fn a_password_counts_as_told_until_aws_says_that_it_is_wrong() {
    let ask = request(2, StoreRequest::ConnectWith { password: password(2) });
    let state = made().when(ask).then([requested(2, StoreOperation::ConnectWith { password: password(2) })]);
    let outcome = |state| Outcome::Reconciled(Some(at_aws(state, None)));
    // After a crash, an attempt to connect shows that AWS was told it before.
    let connecting = state.when(conclude(2, outcome(ConnectionState::Connecting))).then_done();
    assert_eq!(told_in(&connecting), Some(password(2)));
    let nothing = state.when(conclude(2, outcome(ConnectionState::Disconnected))).then_done();
    assert_eq!(told_in(&nothing), None);
    let refused = state.when(conclude(2, Outcome::Failed("no".to_owned()))).then([failed(2)]);
    assert_eq!(told_in(&refused), Some(password(1)), "AWS has the earlier one");
    for (error, known) in [("INVALID_CREDENTIALS", None), ("INTERNAL_ERROR", Some(password(2)))] {
        let failed = at_aws(ConnectionState::Failed, Some(error));
        let after = connecting.when(KeyStoreCommand::Observe { id: store_id(1), seen: failed }).then_done();
        assert_eq!(told_in(&after), known, "{error}");
    }
}

#[test]
fn name_cluster_and_password_change_once_aws_has_them() {
    let amend = |name, cluster: Option<&str>, password| {
        let cluster = cluster.map(str::to_owned);
        request(2, StoreRequest::Amend { name, cluster, password })
    };
    let state = made();
    let wrong = state.when(amend(None, Some("cluster-0"), None)).refusal();
    assert_eq!(wrong.member(), Some("aws_param.cloud_hsm_cluster_id"));
    let renaming = state.when(amend(Some(name("two")), None, Some(password(2)))).then_done();
    let mut renamed = at_aws(ConnectionState::Disconnected, None);
    renamed.name = "two".to_owned();
    let after = renaming.when(conclude(2, Outcome::Done(Some(renamed.clone())))).then_done();
    let named = after.key_store(store_id(1)).expect("a store").name.clone();
    assert_eq!((named, told_in(&after)), (name("two"), Some(password(2))));
    // Read later, the name shows, and the password does not.
    let after = renaming.when(conclude(2, Outcome::Reconciled(Some(renamed)))).then_done();
    assert_eq!(told_in(&after), None);
    let before =
        renaming.when(conclude(2, Outcome::Reconciled(Some(at_aws(ConnectionState::Disconnected, None))))).then_done();
    assert_eq!(before.key_store(store_id(1)).map(|store| store.name.clone()), Ok(name("hsm")));
    // A store of a proxy has neither.
    let xks = super::operations::linked();
    let refused = xks.when(request(2, StoreRequest::ConnectWith { password: password(2) })).refusal();
    assert!(matches!(refused, Refusal::KeyStore(KeyStoreRefusal::NotCloudHsm(_))));
}
