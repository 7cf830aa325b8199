//! What can be asked of KMSs, and what not.

use super::*;
use crate::domain::action::Action;
use crate::domain::event::ConnectionEvent;
use crate::domain::event::Sealed;
use crate::domain::example::{connected, connection_name, group, group_name, joined, settings, user, user_id};
use crate::domain::id::{KeyId, OperationId};
use crate::domain::key::event::KeyEvent;
use crate::domain::key::example::{ACCOUNT, added, after, at, connection_id, found, kms_id, region};
use crate::domain::key::operation::Operation;
use crate::domain::refusal::{ConnectionRefusal, GroupRefusal, UserRefusal};
use crate::domain::state::Command;
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

/// AWS says that it is the account, and that Paris, Ireland and Ohio are enabled.
fn seen() -> AccountProbe {
    let arn = arn(&format!("arn:aws:iam::{ACCOUNT}:root"));
    AccountProbe { account: account(), arn, enabled: regions(&["eu-west-3", "eu-west-1", "us-east-2"]) }
}

fn new(n: u128, names: &[&str]) -> NewKms {
    let (id, name, connection, regions) = (kms_id(n), name(n), connection_id(), regions(names));
    NewKms { id, name, account: account(), connection, role: None, regions }
}

fn add(state: &State, new: NewKms) -> Result<Vec<Event>, Refusal> {
    when(state, KmsCommand::Add { new, seen: seen() })
}

fn to_regions(names: &[&str]) -> KmsChange {
    KmsChange::Regions { to: regions(names), forget_keys: false }
}

fn update(state: &State, update: KmsChange, seen: AccountProbe) -> Result<Vec<Event>, Refusal> {
    when(state, KmsCommand::Update { id: kms_id(0), update, role: None, seen })
}

fn permit(state: &State, principal: Principal, permit: bool, actions: &[Action]) -> Result<Vec<Event>, Refusal> {
    when(state, KmsCommand::UpdateAcls { id: kms_id(0), changes: vec![change(principal, permit, actions)] })
}

fn change(principal: Principal, permit: bool, actions: &[Action]) -> AclChange {
    AclChange { principal, actions: actions.to_vec(), permit }
}

fn when(state: &State, command: KmsCommand) -> Result<Vec<Event>, Refusal> {
    state.decide(Command::Kms(command))
}

fn events(events: impl IntoIterator<Item = KmsEvent>) -> Result<Vec<Event>, Refusal> {
    Ok(events.into_iter().map(|event| Event::Kms(kms_id(0), event)).collect())
}

#[test]
fn an_account_comes_under_management_as_aws_knows_it() {
    let state = after(&[connected()]);
    assert_eq!(add(&state, new(0, &["eu-west-3", "us-east-2"])), Ok(vec![added(0, &["eu-west-3", "us-east-2"])]));
    let elsewhere = AccountProbe { account: other_account(), ..seen() };
    let refused = Refusal::Kms(KmsRefusal::AccountMismatch { claimed: account(), actual: other_account() });
    assert_eq!(when(&state, KmsCommand::Add { new: new(0, &["eu-west-3"]), seen: elsewhere }), Err(refused));
    assert_eq!(
        add(&after(&[]), new(0, &["eu-west-3"])),
        Err(Refusal::Connection(ConnectionRefusal::Unknown(connection_id().to_string())))
    );
}

#[test]
fn a_role_must_be_of_the_account_and_of_the_connections_partition() {
    let state = after(&[connected()]);
    let with = |role: AssumedRole| add(&state, NewKms { role: Some(role), ..new(0, &["eu-west-3"]) });
    assert!(with(role(ACCOUNT)).is_ok());
    let refused = Refusal::Kms(KmsRefusal::AccountMismatch { claimed: account(), actual: other_account() });
    assert_eq!(with(role("789012123456")), Err(refused));
    let arn = RoleArn::parse(&format!("arn:aws-cn:iam::{ACCOUNT}:role/keys")).expect("a role");
    let refused = Refusal::Kms(KmsRefusal::RoleElsewhere { role: arn.clone(), partition: Partition::Aws });
    assert_eq!(with(AssumedRole { arn, external_id: None }), Err(refused));
}

#[test]
fn regions_are_of_the_partition_enabled_and_given_once() {
    let state = after(&[connected()]);
    assert_eq!(add(&state, new(0, &[])), Err(Refusal::Kms(KmsRefusal::RegionsEmpty)));
    let twice = ["eu-west-3", "eu-west-1", "eu-west-3"];
    assert_eq!(add(&state, new(0, &twice)), Err(Refusal::Kms(KmsRefusal::RegionDuplicated(region("eu-west-3")))));
    let refused = Refusal::Kms(KmsRefusal::RegionElsewhere { region: region("cn-north-1"), partition: Partition::Aws });
    assert_eq!(add(&state, new(0, &["eu-west-3", "cn-north-1"])), Err(refused));
    let refused = |name| {
        Refusal::Kms(KmsRefusal::RegionNotEnabled { region: region(name), account: account(), enabled: seen().enabled })
    };
    assert_eq!(add(&state, new(0, &["eu-west-3", "af-south-1"])), Err(refused("af-south-1")));
}

#[test]
fn an_account_is_added_again_only_under_another_name_and_with_other_regions() {
    let state = after(&[connected(), added(0, &["eu-west-3"])]);
    let same_name = NewKms { id: kms_id(1), ..new(0, &["eu-west-1"]) };
    assert_eq!(add(&state, same_name), Err(Refusal::Kms(KmsRefusal::NameTaken(name(0)))));
    let taken = Refusal::Kms(KmsRefusal::RegionTaken { region: region("eu-west-3"), account: account(), by: name(0) });
    assert_eq!(add(&state, new(1, &["eu-west-1", "eu-west-3"])), Err(taken));
    assert_eq!(add(&state, new(1, &["eu-west-1"])), Ok(vec![added(1, &["eu-west-1"])]));
    let gone = after(&[connected(), added(0, &["eu-west-3"]), Event::Kms(kms_id(0), KmsEvent::Deleted)]);
    assert!(add(&gone, NewKms { id: kms_id(1), ..new(0, &["eu-west-3"]) }).is_ok());
}

#[test]
fn wishes_come_down_to_one_change_or_none() {
    let state = after(&[connected(), added(0, &["eu-west-3"])]);
    let kms = state.kms(kms_id(0)).expect("the KMS");
    let present =
        KmsPatch { connection: Some(connection_id()), regions: Some(regions(&["eu-west-3"])), ..KmsPatch::default() };
    assert_eq!(kms.change(&state, present.clone()), Ok(KmsChange::None));
    let one = KmsPatch { regions: Some(regions(&["eu-west-1"])), ..present };
    assert_eq!(kms.change(&state, one.clone()), Ok(to_regions(&["eu-west-1"])));
    let wished = RoleRequest { arn: Some(role(ACCOUNT).arn), external_id: None };
    let two = KmsPatch { role: wished, ..one };
    assert_eq!(kms.change(&state, two), Err(Refusal::Kms(KmsRefusal::SeveralChanges)));
}

#[test]
fn the_half_of_a_role_that_is_not_wished_for_stays() {
    let secret = |text: &str| Some(ExternalId::parse(text).expect("an external id"));
    let with = |role: Option<AssumedRole>| {
        let replaced = KmsEvent::RoleReplaced { to: role, arn: seen().arn };
        after(&[connected(), added(0, &["eu-west-3"]), Event::Kms(kms_id(0), replaced)])
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
    let state = after(&[connected(), added(0, &["eu-west-3"]), added(1, &["us-east-2"])]);
    let to = regions(&["eu-west-1", "eu-west-3"]);
    assert_eq!(
        update(&state, to_regions(&["eu-west-1", "eu-west-3"]), seen()),
        events([KmsEvent::RegionsReplaced { to }])
    );
    assert_eq!(update(&state, to_regions(&[]), seen()), Err(Refusal::Kms(KmsRefusal::RegionsEmpty)));
    let taken = Refusal::Kms(KmsRefusal::RegionTaken { region: region("us-east-2"), account: account(), by: name(1) });
    assert_eq!(update(&state, to_regions(&["us-east-2"]), seen()), Err(taken));
    let elsewhere = AccountProbe { account: other_account(), ..seen() };
    let refused =
        Refusal::Kms(KmsRefusal::LedElsewhere { member: "connection", account: account(), actual: other_account() });
    assert_eq!(update(&state, to_regions(&["eu-west-1"]), elsewhere), Err(refused));
}

#[test]
fn a_region_with_managed_keys_goes_only_by_force_and_takes_them_along() {
    let mut log = vec![connected(), added(0, &["eu-west-3", "eu-west-1"]), found(0, "payroll")];
    let refused = Refusal::Kms(KmsRefusal::RegionHasKeys { region: region("eu-west-3"), count: 1 });
    assert_eq!(update(&after(&log), to_regions(&["eu-west-1"]), seen()), Err(refused));
    let (to, forget_keys) = (regions(&["eu-west-1"]), true);
    let forced = update(&after(&log), KmsChange::Regions { to: to.clone(), forget_keys }, seen());
    assert_eq!(forced, events([KmsEvent::RegionsReplaced { to }]));
    log.extend(forced.unwrap_or_default());
    assert!(after(&log).keys.is_empty());
}

#[test]
fn a_recent_sighting_does_for_regions_that_were_enabled_and_for_nothing_else() {
    let state = after(&[connected(), added(0, &["eu-west-3"])]);
    let kms = state.kms(kms_id(0)).expect("the KMS");
    assert!(kms.recent_probe_suffices(&to_regions(&["eu-west-1"]), &seen()));
    assert!(!kms.recent_probe_suffices(&to_regions(&["eu-west-1", "af-south-1"]), &seen()));
    let elsewhere = AccountProbe { account: other_account(), ..seen() };
    assert!(!kms.recent_probe_suffices(&to_regions(&["eu-west-1"]), &elsewhere));
    assert!(!kms.recent_probe_suffices(&KmsChange::Connection(connection_id()), &seen()));
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
    let state = after(&[connected(), made(1, Partition::Aws), made(2, Partition::AwsCn), added(0, &["eu-west-3"])]);
    let arn = arn(&format!("arn:aws:iam::{ACCOUNT}:user/other"));
    let known = AccountProbe { arn: arn.clone(), ..seen() };
    let replaced = KmsEvent::ConnectionReplaced { to: same, arn };
    assert_eq!(update(&state, KmsChange::Connection(same), known.clone()), events([replaced]));
    let refused =
        Refusal::Kms(KmsRefusal::ConnectionElsewhere { connection: connection_name("c2"), partition: Partition::Aws });
    assert_eq!(update(&state, KmsChange::Connection(china), known), Err(refused));
    let elsewhere = AccountProbe { account: other_account(), ..seen() };
    let refused =
        Refusal::Kms(KmsRefusal::LedElsewhere { member: "connection", account: account(), actual: other_account() });
    assert_eq!(update(&state, KmsChange::Connection(same), elsewhere), Err(refused));
}

#[test]
fn permissions_are_for_users_and_groups_that_exist() {
    let state = after(&[user(1), group("ops"), joined("ops", 1), added(0, &["eu-west-3"])]);
    let actions = [Action::KeyCreate, Action::KeyUpdate];
    let (ann, ops) = (Principal::User(user_id(1)), Principal::Group(group_name("ops")));
    for principal in [ann, ops] {
        let changes = vec![change(principal.clone(), true, &actions)];
        assert_eq!(permit(&state, principal, true, &actions), events([KmsEvent::AclsChanged { changes }]));
    }
    let nobody = permit(&state, Principal::User(user_id(9)), true, &actions);
    assert_eq!(nobody, Err(Refusal::User(UserRefusal::Unknown(user_id(9).subject()))));
    let no_group = permit(&state, Principal::Group(group_name("none")), true, &actions);
    assert!(matches!(no_group, Err(Refusal::Group(GroupRefusal::Unknown(_)))), "{no_group:?}");
}

#[test]
fn permitting_what_is_permitted_and_withdrawing_what_is_not_changes_nothing() {
    let (ann, actions) = (Principal::User(user_id(1)), [Action::KeyCreate]);
    let mut log = vec![user(1), added(0, &["eu-west-3"])];
    assert_eq!(permit(&after(&log), ann.clone(), false, &actions), events([]));
    log.extend(permit(&after(&log), ann.clone(), true, &actions).expect("permitted"));
    assert_eq!(permit(&after(&log), ann.clone(), true, &actions), events([]));
    log.extend(permit(&after(&log), ann, false, &actions).expect("withdrawn"));
    assert_eq!(after(&log).kms(kms_id(0)).expect("the KMS").acl, Acl::default());
}

#[test]
fn an_archived_kms_is_recovered_or_deleted_and_nothing_else() {
    let archived = Event::Kms(kms_id(0), KmsEvent::Archived);
    let state = after(&[connected(), user(1), added(0, &["eu-west-3"]), archived]);
    let refused = || Err(Refusal::Kms(KmsRefusal::Archived(name(0))));
    assert_eq!(when(&state, KmsCommand::Archive { id: kms_id(0) }), refused());
    assert_eq!(update(&state, to_regions(&["eu-west-1"]), seen()), refused());
    assert_eq!(permit(&state, Principal::User(user_id(1)), true, &[Action::View]), refused());
    assert_eq!(when(&state, KmsCommand::Recover { id: kms_id(0) }), events([KmsEvent::Recovered]));
    assert_eq!(when(&state, KmsCommand::Delete { id: kms_id(0), at: at(9) }), events([KmsEvent::Deleted]));
    let in_use = after(&[added(0, &["eu-west-3"])]);
    assert_eq!(
        when(&in_use, KmsCommand::Recover { id: kms_id(0) }),
        Err(Refusal::Kms(KmsRefusal::NotArchived(name(0))))
    );
}

#[test]
fn a_kms_is_not_deleted_while_aws_is_asked_unless_that_is_a_day_ago() {
    let operation = OperationId::new(Uuid::from_u128(5));
    let wanted = Box::new(Operation::Enable);
    let (id, region) = (KeyId::new(Uuid::from_u128(9)), region("eu-west-3"));
    let asked = KeyEvent::OperationRequested { operation, kms: kms_id(0), region, wanted };
    let state = after(&[connected(), added(0, &["eu-west-3"]), Event::Key(id, asked)]);
    let delete = |at| when(&state, KmsCommand::Delete { id: kms_id(0), at });
    assert_eq!(delete(at(3).plus_seconds(86_399)), Err(Refusal::Kms(KmsRefusal::Busy(name(0)))));
    let deleted = delete(at(4).plus_seconds(86_400)).expect("it is given up");
    let [Event::Key(_, KeyEvent::OperationFailed { .. }), Event::Kms(_, KmsEvent::Deleted)] = &deleted[..] else {
        panic!("{deleted:?}");
    };
}

#[test]
fn a_deleted_kms_takes_its_keys_along_and_leaves_its_name() {
    let log = [connected(), added(0, &["eu-west-3"]), found(0, "payroll"), Event::Kms(kms_id(0), KmsEvent::Deleted)];
    let state = after(&log);
    assert!(state.kms.is_empty() && state.keys.is_empty() && state.kms_named(&name(0)).is_none());
    let unknown = Err(Refusal::Kms(KmsRefusal::Unknown(kms_id(0).to_string())));
    assert_eq!(when(&state, KmsCommand::Delete { id: kms_id(0), at: at(9) }), unknown);
}

#[test]
fn each_change_is_dated() {
    let replaced = KmsEvent::RegionsReplaced { to: regions(&["eu-west-1"]) };
    let state = after(&[added(0, &["eu-west-3"]), Event::Kms(kms_id(0), replaced)]);
    let kms = state.kms(kms_id(0)).expect("the KMS");
    assert_eq!((kms.created, kms.updated, &kms.regions), (at(1), at(2), &regions(&["eu-west-1"])));
}
