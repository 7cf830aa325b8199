//! The rules of KMSs.

use super::*;
use crate::domain::action::Action;
use crate::domain::event::ConnectionEvent;
use crate::domain::event::Event;
use crate::domain::event::Sealed;
use crate::domain::example::{connected, connection_name, group, group_name, joined, settings, user, user_id};
use crate::domain::id::{KeyId, KeyStoreId, OperationId};
use crate::domain::key::command::KeyCommand;
use crate::domain::key::event::KeyEvent;
use crate::domain::key::example::{ACCOUNT, added, at, connection_id, found, kms_id, region};
use crate::domain::key::operation::Operation;
use crate::domain::key_store::event::KeyStoreEvent;
use crate::domain::key_store::operation::StoreOperation;
use crate::domain::name::KeyStoreName;
use crate::domain::refusal::{ConnectionRefusal, GroupRefusal, KeyRefusal, UserRefusal};
use crate::domain::scenario::given;
use crate::domain::state::State;
use uuid::Uuid;

fn account() -> AccountId {
    AccountId::parse(ACCOUNT).expect("an account")
}

fn other_account() -> AccountId {
    AccountId::parse("789012123456").expect("an account")
}

fn arn(text: &str) -> Arn {
    Arn::parse(text).expect("an ARN")
}

fn name(n: u128) -> KmsName {
    KmsName::parse(&format!("kms-{n}")).expect("a name")
}

fn regions(names: &[&str]) -> Vec<Region> {
    names.iter().map(|name| region(name)).collect()
}

fn role(account: &str) -> AssumedRole {
    let arn = RoleArn::parse(&format!("arn:aws:iam::{account}:role/keys")).expect("a role");
    AssumedRole { arn, external_id: None }
}

/// A probe of the account, with Paris, Ireland and Ohio enabled.
fn seen() -> AccountProbe {
    let arn = arn(&format!("arn:aws:iam::{ACCOUNT}:root"));
    AccountProbe { account: account(), arn, enabled: regions(&["eu-west-3", "eu-west-1", "us-east-2"]) }
}

fn new(n: u128, names: &[&str]) -> NewKms {
    let connection = by_name(connection_id());
    let (id, name, regions) = (kms_id(n), name(n), regions(names));
    NewKms { id, name, account: account(), connection, role: None, regions }
}

fn by_name(id: ConnectionId) -> ConnectionReference {
    ConnectionReference { id, by_id: false }
}

fn add(new: NewKms) -> KmsCommand {
    KmsCommand::Add { new, seen: seen() }
}

fn to_regions(names: &[&str]) -> KmsChange {
    KmsChange::Regions { to: regions(names), forget_keys: false }
}

fn update(update: KmsChange, seen: AccountProbe) -> KmsCommand {
    KmsCommand::Update { id: kms_id(0), update, connection: connection_id(), role: None, seen }
}

fn permit(principal: Principal, permit: bool, actions: &[Action]) -> KmsCommand {
    KmsCommand::UpdateAcls { id: kms_id(0), changes: vec![change(principal, permit, actions)] }
}

fn change(principal: Principal, permit: bool, actions: &[Action]) -> AclChange {
    AclChange { principal, actions: actions.to_vec(), permit }
}

fn events(events: impl IntoIterator<Item = KmsEvent>) -> Vec<Event> {
    events.into_iter().map(|event| Event::Kms(kms_id(0), event)).collect()
}

#[test]
fn an_account_comes_under_management_as_aws_knows_it() {
    let state = given([connected()]);
    state.when(add(new(0, &["eu-west-3", "us-east-2"]))).then([added(0, &["eu-west-3", "us-east-2"])]);
    let elsewhere = AccountProbe { account: other_account(), ..seen() };
    let refused = KmsRefusal::AccountMismatch { claimed: account(), actual: other_account() };
    state.when(KmsCommand::Add { new: new(0, &["eu-west-3"]), seen: elsewhere }).then_refused(refused);
    given([]).when(add(new(0, &["eu-west-3"]))).then_refused(ConnectionRefusal::Unknown(connection_id().to_string()));
}

#[test]
fn a_role_must_be_of_the_account_and_of_the_connections_partition() {
    let state = given([connected()]);
    let with = |role: AssumedRole| state.when(add(NewKms { role: Some(role), ..new(0, &["eu-west-3"]) }));
    with(role(ACCOUNT)).then_done();
    let refused = KmsRefusal::AccountMismatch { claimed: account(), actual: other_account() };
    with(role("789012123456")).then_refused(refused);
    let arn = RoleArn::parse(&format!("arn:aws-cn:iam::{ACCOUNT}:role/keys")).expect("a role");
    let refused = KmsRefusal::RoleElsewhere { role: arn.clone(), partition: Partition::Aws };
    with(AssumedRole { arn, external_id: None }).then_refused(refused);
}

#[test]
fn regions_are_of_the_partition_enabled_and_given_once() {
    let state = given([connected()]);
    state.when(add(new(0, &[]))).then_refused(KmsRefusal::RegionsEmpty);
    let twice = ["eu-west-3", "eu-west-1", "eu-west-3"];
    state.when(add(new(0, &twice))).then_refused(KmsRefusal::RegionDuplicated(region("eu-west-3")));
    let refused = KmsRefusal::RegionElsewhere { region: region("cn-north-1"), partition: Partition::Aws };
    state.when(add(new(0, &["eu-west-3", "cn-north-1"]))).then_refused(refused);
    let refused = |name| {
        Refusal::Kms(KmsRefusal::RegionNotEnabled { region: region(name), account: account(), enabled: seen().enabled })
    };
    state.when(add(new(0, &["eu-west-3", "af-south-1"]))).then_refused(refused("af-south-1"));
}

#[test]
fn an_account_is_added_again_only_under_another_name_and_with_other_regions() {
    let state = given([connected(), added(0, &["eu-west-3"])]);
    let same_name = NewKms { id: kms_id(1), ..new(0, &["eu-west-1"]) };
    state.when(add(same_name)).then_refused(KmsRefusal::NameTaken(name(0)));
    let taken = KmsRefusal::RegionTaken { region: region("eu-west-3"), account: account(), by: name(0) };
    state.when(add(new(1, &["eu-west-1", "eu-west-3"]))).then_refused(taken);
    state.when(add(new(1, &["eu-west-1"]))).then([added(1, &["eu-west-1"])]);
    let gone = given([connected(), added(0, &["eu-west-3"]), Event::Kms(kms_id(0), KmsEvent::Deleted)]);
    gone.when(add(NewKms { id: kms_id(1), ..new(0, &["eu-west-3"]) })).then_done();
}

#[test]
fn a_patch_is_one_change_or_none() {
    let state = given([connected(), added(0, &["eu-west-3"])]);
    let kms = state.kms(kms_id(0)).expect("the KMS");
    let present = KmsPatch {
        connection: Some(by_name(connection_id())),
        regions: Some(regions(&["eu-west-3"])),
        ..KmsPatch::default()
    };
    assert_eq!(kms.change(&state, present.clone()), Ok(KmsChange::None));
    let one = KmsPatch { regions: Some(regions(&["eu-west-1"])), ..present };
    assert_eq!(kms.change(&state, one.clone()), Ok(to_regions(&["eu-west-1"])));
    let other = RoleRequest { arn: Some(role(ACCOUNT).arn), external_id: None };
    let two = KmsPatch { role: other, ..one };
    assert_eq!(kms.change(&state, two), Err(Refusal::Kms(KmsRefusal::SeveralChanges)));
}

#[test]
fn the_half_of_a_role_that_is_not_given_stays() {
    let secret = |text: &str| Some(ExternalId::parse(text).expect("an external id"));
    let with = |role: Option<AssumedRole>| {
        let replaced = KmsEvent::RoleReplaced { to: role, arn: seen().arn };
        given([connected(), added(0, &["eu-west-3"]), Event::Kms(kms_id(0), replaced)])
    };
    let known = AssumedRole { external_id: secret("one"), ..role(ACCOUNT) };
    let state = with(Some(known.clone()));
    let patched = |state: &State, arn: Option<RoleArn>, external_id: Option<ExternalId>| {
        let patch = KmsPatch { role: RoleRequest { arn, external_id }, ..KmsPatch::default() };
        state.kms(kms_id(0)).expect("the KMS").change(state, patch)
    };
    assert_eq!(patched(&state, Some(known.arn.clone()), None), Ok(KmsChange::None));
    assert_eq!(patched(&state, None, secret("one")), Ok(KmsChange::None));
    let other = AssumedRole { external_id: secret("other"), ..known.clone() };
    assert_eq!(patched(&state, None, secret("other")), Ok(KmsChange::Role(other)));
    let elsewhere = AssumedRole { external_id: None, arn: role("789012123456").arn };
    assert_eq!(patched(&state, Some(elsewhere.arn.clone()), None), Ok(KmsChange::Role(elsewhere)));
    assert_eq!(patched(&with(None), None, secret("one")), Err(Refusal::Kms(KmsRefusal::ExternalIdAlone)));
}

#[test]
fn regions_are_replaced_by_the_rules_of_a_new_kms() {
    let state = given([connected(), added(0, &["eu-west-3"]), added(1, &["us-east-2"])]);
    let to = regions(&["eu-west-1", "eu-west-3"]);
    state
        .when(update(to_regions(&["eu-west-1", "eu-west-3"]), seen()))
        .then(events([KmsEvent::RegionsReplaced { to }]));
    state.when(update(to_regions(&[]), seen())).then_refused(KmsRefusal::RegionsEmpty);
    let taken = KmsRefusal::RegionTaken { region: region("us-east-2"), account: account(), by: name(1) };
    state.when(update(to_regions(&["us-east-2"]), seen())).then_refused(taken);
    let elsewhere = AccountProbe { account: other_account(), ..seen() };
    let refused = KmsRefusal::LedElsewhere { member: "connection", account: account(), actual: other_account() };
    state.when(update(to_regions(&["eu-west-1"]), elsewhere)).then_refused(refused);
}

#[test]
fn keys_of_a_region_that_is_taken_away_are_gone_until_it_is_back() {
    let log = [connected(), added(0, &["eu-west-3", "eu-west-1"]), found(0, "payroll")];
    let payroll = |state: &State| state.keys.iter().map(|key| (key.gone, state.is_gone(key))).collect::<Vec<_>>();
    let to = regions(&["eu-west-1"]);
    let away = events([KmsEvent::RegionsReplacedKeepingKeys { to }]);
    let after = given(log.clone()).when(update(to_regions(&["eu-west-1"]), seen())).then(away.clone());
    assert_eq!(payroll(&after), [(false, true)]);
    assert_eq!(after.kms(kms_id(0)).expect("the KMS").regions, regions(&["eu-west-1"]));

    // A further change of the regions does not remove the keys either.
    let state = given(log.into_iter().chain(away));
    let to = regions(&["us-east-2"]);
    let after = state
        .when(update(to_regions(&["us-east-2"]), seen()))
        .then(events([KmsEvent::RegionsReplacedKeepingKeys { to }]));
    assert_eq!(payroll(&after), [(false, true)]);

    let to = regions(&["eu-west-3"]);
    let back = state.when(update(to_regions(&["eu-west-3"]), seen()));
    assert_eq!(payroll(&back.then(events([KmsEvent::RegionsReplaced { to }]))), [(false, false)]);

    let key = state.keys.iter().next().expect("the key").id;
    let forgotten = state.when(KeyCommand::Forget { id: key }).then([Event::Key(key, KeyEvent::Forgotten)]);
    assert!(forgotten.keys.is_empty());
    let request = KeyCommand::Request {
        id: key,
        operation: OperationId::new(Uuid::from_u128(5)),
        kms: kms_id(0),
        region: region("eu-west-3"),
        wanted: Box::new(Operation::Disable),
    };
    state.when(request).then_refused(KeyRefusal::RegionRemoved { id: key, region: region("eu-west-3") });
}

#[test]
fn a_region_with_managed_keys_takes_them_along_by_force() {
    let state = given([connected(), added(0, &["eu-west-3", "eu-west-1"]), found(0, "payroll")]);
    let (to, forget_keys) = (regions(&["eu-west-1"]), true);
    let forced = state.when(update(KmsChange::Regions { to: to.clone(), forget_keys }, seen()));
    let after = forced.then(events([KmsEvent::RegionsReplaced { to }]));
    assert!(after.keys.is_empty());
}

#[test]
fn a_recent_probe_does_for_regions_that_were_enabled_and_for_nothing_else() {
    let state = given([connected(), added(0, &["eu-west-3"])]);
    let kms = state.kms(kms_id(0)).expect("the KMS");
    assert!(kms.recent_probe_suffices(&to_regions(&["eu-west-1"]), &seen()));
    assert!(!kms.recent_probe_suffices(&to_regions(&["eu-west-1", "af-south-1"]), &seen()));
    let elsewhere = AccountProbe { account: other_account(), ..seen() };
    assert!(!kms.recent_probe_suffices(&to_regions(&["eu-west-1"]), &elsewhere));
    assert!(!kms.recent_probe_suffices(&KmsChange::Connection(by_name(connection_id())), &seen()));
    assert!(!kms.recent_probe_suffices(&KmsChange::Role(role(ACCOUNT)), &seen()));
}

#[test]
fn another_connection_must_be_of_the_partition_and_reach_the_account() {
    let made = |n: u128, cloud| {
        let (name, settings) = (connection_name(&format!("c{n}")), settings(cloud));
        let event = ConnectionEvent::Created { name, settings, secret: Sealed(vec![1]) };
        Event::Connection(ConnectionId::new(Uuid::from_u128(n)), event)
    };
    let (same, china) = (ConnectionId::new(Uuid::from_u128(1)), ConnectionId::new(Uuid::from_u128(2)));
    let state = given([connected(), made(1, Partition::Aws), made(2, Partition::AwsCn), added(0, &["eu-west-3"])]);
    let arn = arn(&format!("arn:aws:iam::{ACCOUNT}:user/other"));
    let known = AccountProbe { arn: arn.clone(), ..seen() };
    let replaced = KmsEvent::ConnectionReplaced { to: same, arn };
    state.when(update(KmsChange::Connection(by_name(same)), known.clone())).then(events([replaced]));
    let refused = KmsRefusal::ConnectionElsewhere { connection: connection_name("c2"), partition: Partition::Aws };
    state.when(update(KmsChange::Connection(by_name(china)), known)).then_refused(refused);
    let elsewhere = AccountProbe { account: other_account(), ..seen() };
    let refused = KmsRefusal::LedElsewhere { member: "connection", account: account(), actual: other_account() };
    state.when(update(KmsChange::Connection(by_name(same)), elsewhere)).then_refused(refused);
}

#[test]
fn a_connection_is_referenced_as_it_was_given() {
    let by_id = ConnectionReference { id: connection_id(), by_id: true };
    let state = given([connected()]);
    let added = state.when(add(NewKms { connection: by_id, ..new(0, &["eu-west-3"]) }));
    let referenced = KmsEvent::ConnectionReferenced { by_id: true };
    assert_eq!(added.events().last(), Some(&Event::Kms(kms_id(0), referenced.clone())));

    // The same connection by its id: only the reference changes.
    let state = given([connected(), self::added(0, &["eu-west-3"])]);
    let kms = state.kms(kms_id(0)).expect("a KMS").clone();
    let patch = KmsPatch { connection: Some(by_id), ..KmsPatch::default() };
    assert_eq!(kms.change(&state, patch.clone()), Ok(KmsChange::Connection(by_id)));
    state.when(update(KmsChange::Connection(by_id), seen())).then(events([referenced.clone()]));
    let state = given([connected(), self::added(0, &["eu-west-3"]), Event::Kms(kms_id(0), referenced)]);
    let kms = state.kms(kms_id(0)).expect("a KMS");
    assert_eq!(kms.change(&state, patch), Ok(KmsChange::None));
}

/// AWS was asked with the credentials of a moment ago: the other half of them may have been replaced since.
#[test]
fn a_role_and_a_connection_that_were_not_probed_together_are_not_combined() {
    let other = ConnectionId::new(Uuid::from_u128(1));
    let made = ConnectionEvent::Created {
        name: connection_name("other"),
        settings: settings(Partition::Aws),
        secret: Sealed(vec![1]),
    };
    let state = given([connected(), Event::Connection(other, made), added(0, &["eu-west-3"])]);
    let (connection, role) = (KmsChange::Connection(by_name(other)), KmsChange::Role(role(ACCOUNT)));
    let changed = KmsRefusal::Changed(name(0));
    let after = state.when(update(connection.clone(), seen())).then_done();
    after.when(update(role.clone(), seen())).then_refused(changed.clone());
    let after = state.when(update(role, seen())).then_done();
    after.when(update(connection, seen())).then_refused(changed);
}

#[test]
fn permissions_are_for_users_and_groups_that_exist() {
    let state = given([user(1), group("ops"), joined("ops", 1), added(0, &["eu-west-3"])]);
    let actions = [Action::KeyCreate, Action::KeyUpdate];
    let (ann, ops) = (Principal::User(user_id(1)), Principal::Group(group_name("ops")));
    for principal in [ann, ops] {
        let complete = [Action::KeyCreate, Action::KeyUpdate, Action::ViewNative, Action::ViewByok];
        let changes = vec![change(principal.clone(), true, &complete)];
        state.when(permit(principal, true, &actions)).then(events([KmsEvent::AclsChanged { changes }]));
    }
    let nobody = state.when(permit(Principal::User(user_id(9)), true, &actions));
    nobody.then_refused(Refusal::User(UserRefusal::Unknown(user_id(9).subject())).of("user_id"));
    let no_group = state.when(permit(Principal::Group(group_name("none")), true, &actions));
    no_group.then_refused(Refusal::Group(GroupRefusal::Unknown("none".to_owned())).of("group"));
}

#[test]
fn permitting_what_is_permitted_and_withdrawing_what_is_not_changes_nothing() {
    let (ann, actions) = (Principal::User(user_id(1)), [Action::View, Action::KeyCreate]);
    let mut state = given([user(1), added(0, &["eu-west-3"])]);
    state.when(permit(ann.clone(), false, &actions)).then(events([]));
    state = state.when(permit(ann.clone(), true, &actions)).then_done();
    state.when(permit(ann.clone(), true, &actions)).then(events([]));
    state = state.when(permit(ann, false, &actions)).then_done();
    assert_eq!(state.kms(kms_id(0)).expect("the KMS").acl, Acl::default());
}

#[test]
fn an_archived_kms_is_recovered_or_deleted_and_nothing_else() {
    let archived = Event::Kms(kms_id(0), KmsEvent::Archived);
    let state = given([connected(), user(1), added(0, &["eu-west-3"]), archived]);
    let refused = || KmsRefusal::Archived(name(0));
    state.when(KmsCommand::Archive { id: kms_id(0) }).then_refused(refused());
    state.when(update(to_regions(&["eu-west-1"]), seen())).then_refused(refused());
    state.when(permit(Principal::User(user_id(1)), true, &[Action::View])).then_refused(refused());
    state.when(KmsCommand::Recover { id: kms_id(0) }).then(events([KmsEvent::Recovered]));
    state.when(KmsCommand::Delete { id: kms_id(0), at: at(9) }).then(events([KmsEvent::Deleted]));
    let in_use = given([added(0, &["eu-west-3"])]);
    in_use.when(KmsCommand::Recover { id: kms_id(0) }).then_refused(KmsRefusal::NotArchived(name(0)));
}

#[test]
fn a_kms_is_not_deleted_while_aws_is_asked_unless_that_is_a_day_ago() {
    let operation = OperationId::new(Uuid::from_u128(5));
    let wanted = Box::new(Operation::Enable);
    let (id, region) = (KeyId::new(Uuid::from_u128(9)), region("eu-west-3"));
    let asked = KeyEvent::OperationRequested { operation, kms: kms_id(0), region, wanted };
    let state = given([connected(), added(0, &["eu-west-3"]), Event::Key(id, asked)]);
    let delete = |at| state.when(KmsCommand::Delete { id: kms_id(0), at });
    delete(at(3).plus_seconds(86_399)).then_refused(KmsRefusal::Busy(name(0)));
    let deleted = delete(at(4).plus_seconds(86_400)).events();
    let [Event::Key(_, KeyEvent::OperationFailed { .. }), Event::Kms(_, KmsEvent::Deleted)] = &deleted[..] else {
        panic!("{deleted:?}");
    };
}

#[test]
fn a_store_that_aws_is_about_to_make_keeps_its_kms_and_region() {
    let store = KeyStoreId::new(Uuid::from_u128(0x700));
    let of = |event| Event::KeyStore(store, event);
    let created = KeyStoreEvent::CloudHsmCreated {
        kms: kms_id(0),
        region: region("eu-west-3"),
        name: KeyStoreName::parse("hsm").expect("a name"),
        cluster: "cluster-2a34b5cdefg".to_owned(),
        trust_anchor: "PEM".to_owned(),
    };
    let wanted = Box::new(StoreOperation::CreateCloudHsm { password: Sealed(vec![1]) });
    let asked = KeyStoreEvent::OperationRequested { operation: OperationId::new(Uuid::from_u128(5)), wanted };
    let state = given([connected(), added(0, &["eu-west-3", "eu-west-1"]), of(created), of(asked)]);
    let away = |names| state.when(update(to_regions(names), seen()));
    away(&["eu-west-1"]).then_refused(KmsRefusal::Busy(name(0)));
    away(&["eu-west-3"]).then_done();
    let delete = |at| state.when(KmsCommand::Delete { id: kms_id(0), at });
    delete(at(4).plus_seconds(86_399)).then_refused(KmsRefusal::Busy(name(0)));
    let deleted = delete(at(4).plus_seconds(86_400)).events();
    let [Event::KeyStore(id, KeyStoreEvent::Deleted), Event::Kms(_, KmsEvent::Deleted)] = &deleted[..] else {
        panic!("{deleted:?}");
    };
    assert_eq!(*id, store);
}

#[test]
fn a_deleted_kms_takes_its_keys_along_and_leaves_its_name() {
    let kms = [connected(), added(0, &["eu-west-3"]), found(0, "payroll")];
    let state = given(kms).and(events([KmsEvent::Deleted]));
    assert!(state.kms.is_empty() && state.keys.is_empty() && state.kms_named(&name(0)).is_none());
    let unknown = KmsRefusal::Unknown(kms_id(0).to_string());
    state.when(KmsCommand::Delete { id: kms_id(0), at: at(9) }).then_refused(unknown);
}

#[test]
fn each_change_is_dated() {
    let replaced = KmsEvent::RegionsReplaced { to: regions(&["eu-west-1"]) };
    let state = given([added(0, &["eu-west-3"]), Event::Kms(kms_id(0), replaced)]);
    let kms = state.kms(kms_id(0)).expect("the KMS");
    assert_eq!((kms.created, kms.updated, &kms.regions), (at(1), at(2), &regions(&["eu-west-1"])));
}
