//! The rules of operations on stores at AWS.

use super::*;
use crate::domain::event::KmsEvent;
use crate::domain::id::OperationId;
use crate::domain::key::command::Outcome;
use crate::domain::key_store::at_aws::{ConnectionState, ProxyAtAws};
use crate::domain::key_store::operation::StoreRequest;

pub(super) fn operation(n: u128) -> OperationId {
    OperationId::new(Uuid::from_u128(0x900 + n))
}

pub(super) fn request(n: u128, request: StoreRequest) -> KeyStoreCommand {
    KeyStoreCommand::Request { id: store_id(1), operation: operation(n), request, at: at(9) }
}

pub(super) fn conclude(n: u128, outcome: Outcome<Option<Box<StoreAtAws>>>) -> KeyStoreCommand {
    KeyStoreCommand::Conclude { operation: operation(n), outcome }
}

pub(super) fn requested(n: u128, wanted: StoreOperation) -> Event {
    of(1, KeyStoreEvent::OperationRequested { operation: operation(n), wanted: Box::new(wanted) })
}

pub(super) fn done(n: u128, seen: Option<Box<StoreAtAws>>) -> Event {
    of(1, KeyStoreEvent::OperationDone { operation: operation(n), seen })
}

pub(super) fn failed(n: u128) -> Event {
    of(1, KeyStoreEvent::OperationFailed { operation: operation(n), reason: "no".to_owned() })
}

/// The store `one` at AWS.
pub(super) fn seen(store_name: &str, access_key_id: &str) -> Box<StoreAtAws> {
    Box::new(StoreAtAws {
        id: "cks-1".to_owned(),
        name: store_name.to_owned(),
        connection_state: ConnectionState::Disconnected,
        connection_error: None,
        created_at: None,
        proxy: Some(Box::new(ProxyAtAws {
            connectivity: "PUBLIC_ENDPOINT".to_owned(),
            access_key_id: access_key_id.to_owned(),
            endpoint: settings().endpoint,
            path: KeyStore::proxy_path(store_id(1)),
            vpc_service: String::new(),
            vpc_service_owner: String::new(),
        })),
        cloud_hsm: None,
    })
}

pub(super) fn first_seen() -> Box<StoreAtAws> {
    seen("one", &credential(1).access_key_id)
}

pub(super) fn link(new: bool) -> StoreOperation {
    StoreOperation::Link { settings: Box::new(settings()), new }
}

pub(super) fn connected(store_name: &str) -> [Event; 3] {
    let mut seen = seen(store_name, &credential(1).access_key_id);
    seen.connection_state = ConnectionState::Connected;
    [created(1, store_name), requested(1, link(false)), done(1, Some(seen))]
}

pub(super) fn linked() -> Given {
    with([created(1, "one"), requested(1, link(false)), done(1, Some(first_seen()))])
}

#[test]
fn a_link_takes_another_address_along_once_aws_has_accepted_it() {
    let patch = KeyStorePatch { endpoint: Some("https://other.example.com".to_owned()), ..KeyStorePatch::default() };
    let to = StoreSettings { endpoint: "https://other.example.com".to_owned(), ..settings() };
    let wanted = StoreOperation::Link { settings: Box::new(to.clone()), new: false };
    let ask = request(1, StoreRequest::Link { patch: Box::new(patch) });
    let state = with([created(1, "one")]).when(ask).then([requested(1, wanted)]);
    let mut at_aws = first_seen();
    at_aws.proxy.as_mut().expect("a proxy").endpoint.clone_from(&to.endpoint);
    let changed = of(1, KeyStoreEvent::SettingsChanged { settings: Box::new(to) });
    let accepted = conclude(1, Outcome::Done(Some(at_aws.clone())));
    let linked = state.when(accepted).then([changed, done(1, Some(at_aws))]);
    let store = linked.key_store(store_id(1)).expect("a store");
    assert!(store.is_at_aws() && store.operation.is_none());
    let _ = state.when(conclude(1, Outcome::Failed("no".to_owned()))).then([failed(1)]);
    // A repeated outcome, as after a crash, changes nothing.
    let _ = linked.when(conclude(1, Outcome::Failed("no".to_owned()))).then([]);
}

#[test]
fn a_store_that_is_made_at_aws_by_hand_keeps_the_address_that_aws_has() {
    let state = with([created(1, "one"), requested(1, link(false))]);
    let mut at_aws = first_seen();
    at_aws.proxy.as_mut().expect("a proxy").endpoint = "https://by-hand.example.com".to_owned();
    let to = StoreSettings { endpoint: "https://by-hand.example.com".to_owned(), ..settings() };
    let changed = of(1, KeyStoreEvent::SettingsChanged { settings: Box::new(to) });
    let taken = state.when(conclude(1, Outcome::Done(Some(at_aws.clone()))));
    let _ = taken.then([changed, done(1, Some(at_aws))]);
}

#[test]
fn a_store_that_is_taken_over_with_a_credential_that_is_not_ours_is_a_warning() {
    let state = with([created(1, "one"), requested(1, link(false))]);
    let foreign = seen("one", "FOREIGN");
    let warning = StoreWarning::CredentialUnknown { access_key_id: "FOREIGN".to_owned() };
    let taken = state.when(conclude(1, Outcome::Done(Some(foreign.clone()))));
    let _ = taken.then([of(1, KeyStoreEvent::Warned { warning }), done(1, Some(foreign))]);
}

#[test]
fn a_store_that_aws_refuses_stays_only_if_it_was_there_before() {
    let create = |endpoint: &str| {
        let settings = StoreSettings { endpoint: endpoint.to_owned(), ..settings() };
        let KeyStoreCommand::Create(new) = create(1, "one", settings) else { panic!("another command") };
        KeyStoreCommand::Create(Box::new(NewKeyStore { link: Some(operation(1)), ..*new }))
    };
    let refused = prepared().when(create("https://192.0.2.7:8443")).refusal();
    assert_eq!(refused.member(), Some("aws_param.xks_proxy_uri_endpoint"));
    let state = prepared().when(create(&settings().endpoint)).then([created(1, "one"), requested(1, link(true))]);
    let failure = || conclude(1, Outcome::Failed("no".to_owned()));
    let after = state.when(failure()).then([failed(1), of(1, KeyStoreEvent::Deleted)]);
    assert!(after.key_store(store_id(1)).is_err());
    let before = with([created(1, "one"), requested(1, link(false))]);
    assert!(before.when(failure()).then([failed(1)]).key_store(store_id(1)).is_ok());
}

#[test]
fn only_linked_stores_are_connected_and_only_unlinked_ones_are_linked() {
    let unlinked = with([created(1, "one")]);
    for ask in [StoreRequest::Connect, StoreRequest::Disconnect, StoreRequest::Delete] {
        unlinked.when(request(1, ask)).then_refused(KeyStoreRefusal::Unlinked(name("one")));
    }
    let gone = linked().and([of(1, KeyStoreEvent::Vanished)]);
    gone.when(request(2, StoreRequest::Connect)).then_refused(KeyStoreRefusal::Gone(name("one")));
    let again = StoreRequest::Link { patch: Box::default() };
    linked().when(request(2, again)).then_refused(KeyStoreRefusal::Linked(name("one")));
    let _ = linked().when(request(2, StoreRequest::Connect)).then([requested(2, StoreOperation::Connect)]);
    // Ours alone is deleted only if AWS does not have it.
    let delete = || KeyStoreCommand::Delete { id: store_id(1) };
    linked().when(delete()).then_refused(KeyStoreRefusal::Linked(name("one")));
    let _ = gone.when(delete()).then([of(1, KeyStoreEvent::Deleted)]);
}

#[test]
fn a_store_has_one_operation_at_a_time_and_is_blocked_all_the_same() {
    let busy = linked().and([requested(2, StoreOperation::Connect)]);
    let refusal = || KeyStoreRefusal::Busy { store: name("one"), operation: "connect" };
    for ask in [StoreRequest::Connect, StoreRequest::Delete, StoreRequest::Update { patch: Box::default() }] {
        busy.when(request(3, ask)).then_refused(refusal());
    }
    let (id, credential) = (store_id(1), credential(2));
    busy.when(KeyStoreCommand::AddCredential { id, credential }).then_refused(refusal());
    busy.when(KeyStoreCommand::Delete { id }).then_refused(refusal());
    let _ = busy.when(KeyStoreCommand::Block { id }).then([of(1, KeyStoreEvent::Blocked)]);
}

#[test]
fn a_new_credential_is_valid_before_aws_is_told_and_goes_if_aws_refuses_it() {
    let ask = request(2, StoreRequest::RotateCredential { credential: credential(2) });
    let wanted = StoreOperation::RotateCredential { credential: credential(2).id };
    let added = of(1, KeyStoreEvent::CredentialAdded { credential: credential(2) });
    let state = linked().when(ask).then([added, requested(2, wanted)]);
    let valid = |given: &Given| {
        let local = given.key_store(store_id(1)).expect("a store").local.clone().expect("it is local");
        local.credentials.len()
    };
    assert_eq!(valid(&state), 2);
    let removed = of(1, KeyStoreEvent::CredentialRemoved { id: credential(2).id });
    let after = state.when(conclude(2, Outcome::Failed("no".to_owned()))).then([failed(2), removed.clone()]);
    assert_eq!(valid(&after), 1);
    // AWS has another one of ours: it did not take the new one, which could not be removed otherwise.
    let reconciled = |seen: &_| {
        of(1, KeyStoreEvent::OperationReconciled { operation: operation(2), seen: Some(Clone::clone(seen)) })
    };
    let after = state.when(conclude(2, Outcome::Reconciled(Some(first_seen()))));
    let after = after.then([reconciled(&first_seen()), removed.clone()]);
    assert_eq!(valid(&after), 1);
    let again = request(3, StoreRequest::RotateCredential { credential: credential(3) });
    let _ = after.when(again).then_done();
    // What AWS has is not one of ours, so it is not known what became of the new one: it stays, as AWS is to have it.
    let foreign = seen("one", "FOREIGN");
    let warning = StoreWarning::CredentialUnknown { access_key_id: "FOREIGN".to_owned() };
    let after = state.when(conclude(2, Outcome::Reconciled(Some(foreign.clone()))));
    let after = after.then([of(1, KeyStoreEvent::Warned { warning }), reconciled(&foreign)]);
    let remove = |n| KeyStoreCommand::RemoveCredential { id: store_id(1), credential: credential(n).id };
    after.when(remove(2)).then_refused(KeyStoreRefusal::CredentialInUse(credential(2).id));
    // AWS accepted it, and shows the earlier one: only the one that AWS has stays.
    let after = state.when(conclude(2, Outcome::Done(Some(first_seen())))).then([done(2, Some(first_seen()))]);
    after.when(remove(1)).then_refused(KeyStoreRefusal::CredentialInUse(credential(1).id));
    let _ = after.when(remove(2)).then([removed]);
}

#[test]
fn what_aws_knows_changes_here_once_it_has_changed_there() {
    let rename = KeyStorePatch { name: Some(name("two")), ..KeyStorePatch::default() };
    let audit = KeyStorePatch { reports_success: Some(true), ..KeyStorePatch::default() };
    let linked = linked();
    let store = linked.key_store(store_id(1)).expect("a store");
    assert!(store.is_changed_at_aws(&rename) && !store.is_changed_at_aws(&audit));
    let here = |patch| KeyStoreCommand::Update { id: store_id(1), patch: Box::new(patch), at: at(9) };
    linked.when(here(rename.clone())).then_refused(KeyStoreRefusal::Linked(name("one")));
    assert_eq!(linked.when(here(audit)).events().len(), 1);
    let wanted = StoreOperation::Update { name: name("two"), settings: Box::new(settings()) };
    let ask = request(2, StoreRequest::Update { patch: Box::new(rename) });
    let state = linked.when(ask).then([requested(2, wanted)]);
    let renamed = of(1, KeyStoreEvent::Renamed { to: name("two") });
    let shown = seen("two", &credential(1).access_key_id);
    let _ = state
        .when(conclude(2, Outcome::Done(Some(shown.clone()))))
        .then([renamed.clone(), done(2, Some(shown.clone()))]);
    let reconciled = |seen| of(1, KeyStoreEvent::OperationReconciled { operation: operation(2), seen: Some(seen) });
    let _ = state.when(conclude(2, Outcome::Reconciled(Some(shown.clone())))).then([renamed, reconciled(shown)]);
    // AWS is not told the present name, so another one there does not hide that it has the rest.
    let endpoint = Some("https://other.example.com".to_owned());
    let moving =
        request(2, StoreRequest::Update { patch: Box::new(KeyStorePatch { endpoint, ..KeyStorePatch::default() }) });
    let mut moved = seen("by-hand", &credential(1).access_key_id);
    moved.proxy.as_mut().expect("a proxy").endpoint = "https://other.example.com".to_owned();
    let to = StoreSettings { endpoint: "https://other.example.com".to_owned(), ..settings() };
    let changed = of(1, KeyStoreEvent::SettingsChanged { settings: Box::new(to) });
    let moving = linked.when(moving).then_done().when(conclude(2, Outcome::Reconciled(Some(moved.clone()))));
    let _ = moving.then([changed, reconciled(moved)]);
    // AWS has refused it meanwhile.
    let not_shown = first_seen();
    let _ = state.when(conclude(2, Outcome::Reconciled(Some(not_shown.clone())))).then([reconciled(not_shown)]);
}

#[test]
fn a_deleted_store_is_removed_and_one_that_aws_lost_is_gone() {
    let deleting = linked().and([requested(2, StoreOperation::Delete)]);
    let _ = deleting.when(conclude(2, Outcome::Done(None))).then([done(2, None), of(1, KeyStoreEvent::Deleted)]);
    let connecting = linked().and([requested(2, StoreOperation::Connect)]);
    let lost = connecting.when(conclude(2, Outcome::Done(None))).then([done(2, None), of(1, KeyStoreEvent::Vanished)]);
    assert!(lost.key_store(store_id(1)).is_ok_and(|store| store.gone && !store.is_at_aws()));
}

#[test]
fn what_is_read_is_recorded_if_it_is_new() {
    let observe = |seen| KeyStoreCommand::Observe { id: store_id(1), seen };
    let _ = linked().when(observe(first_seen())).then([]);
    let mut connected = first_seen();
    connected.connection_state = ConnectionState::Connected;
    let observed = of(1, KeyStoreEvent::Observed { seen: connected.clone() });
    let _ = linked().when(observe(connected)).then([observed]);
    let vanish = || KeyStoreCommand::RecordVanished { id: store_id(1) };
    let gone = linked().when(vanish()).then([of(1, KeyStoreEvent::Vanished)]);
    let _ = gone.when(vanish()).then([]);
    let _ = with([created(1, "one")]).when(vanish()).then([]);
    // AWS shows it again.
    let _ = gone.when(observe(first_seen())).then([of(1, KeyStoreEvent::Observed { seen: first_seen() })]);
}

#[test]
fn a_connected_or_disconnected_store_goes_under_a_schedule_of_credentials_which_then_stays() {
    use crate::domain::cron::Cron;
    use crate::domain::name::ScheduleName;
    use crate::domain::refusal::ScheduleRefusal;
    use crate::domain::schedule::{ScheduleCommand, ScheduleEvent, ScheduleSettings, Work};
    let id = ScheduleId::new(Uuid::from_u128(5));
    let schedule = ScheduleName::parse("credentials").expect("a name");
    let run_at = Cron::parse("0 9 * * sat").expect("a cron expression");
    let settings = ScheduleSettings::new(run_at, Work::RotateCredentials);
    let made = Event::Schedule(id, ScheduleEvent::Created { name: schedule.clone(), settings });
    let in_state = |state| {
        let seen = Box::new(StoreAtAws { connection_state: state, ..*first_seen() });
        with([created(1, "one"), made.clone(), requested(1, link(false)), done(1, Some(seen))])
    };
    let set = |schedule| KeyStoreCommand::SetRotationSchedule { id: store_id(1), schedule };
    let put = |schedule| of(1, KeyStoreEvent::RotationScheduleSet { schedule });
    for state in [ConnectionState::Connected, ConnectionState::Disconnected] {
        let _ = in_state(state).when(set(Some(id))).then([put(Some(id))]);
    }
    for state in [ConnectionState::Connecting, ConnectionState::Disconnecting, ConnectionState::Failed] {
        in_state(state.clone()).when(set(Some(id))).then_refused(KeyStoreRefusal::WrongState {
            store: name("one"),
            state: state.to_string(),
            wanted: "CONNECTED or DISCONNECTED",
        });
    }
    let unknown = ScheduleId::new(Uuid::from_u128(6));
    let refusal = Refusal::Schedule(ScheduleRefusal::Unknown(unknown.to_string())).of("job_config_id");
    linked().when(set(Some(unknown))).then_refused(refusal);

    let mut under = in_state(ConnectionState::Disconnected);
    under.push_at(at(9), put(Some(id)));
    let delete = |force| ScheduleCommand::Delete { id, force };
    under.when(delete(false)).then_refused(ScheduleRefusal::HasStores { schedule, stores: 1 });
    let _ = under.when(delete(true)).then([put(None), Event::Schedule(id, ScheduleEvent::Deleted)]);
    // A store that AWS does not have any more keeps it no longer.
    let gone = under.and([of(1, KeyStoreEvent::Vanished)]);
    let _ = gone.when(delete(false)).then([put(None), Event::Schedule(id, ScheduleEvent::Deleted)]);

    let archived = in_state(ConnectionState::Connected).and([Event::Kms(kms_id(0), KmsEvent::Archived)]);
    let refused = archived.when(set(Some(id))).refusal();
    assert!(matches!(refused, Refusal::Kms(KmsRefusal::Archived(_))), "{refused}");
}
