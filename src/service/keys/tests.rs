//! Tests of operations on keys: the account that they reach, and the recovery of operations without an outcome.

use super::*;
use crate::aws::call::AwsCall;
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::{CreateAlias, CreateKey, DescribeKey, GetKeyPolicy, ListKeys, PutKeyPolicy, TagResource};
use crate::aws::kms::scripted::{Cue, refused};
use crate::aws::operation::AwsOperation;
use crate::aws::port::Caller as AwsCaller;
use crate::aws::scripted::Cue as StsCue;
use crate::domain::id::OperationId;
use crate::domain::key::aws_enums::{KeyState, Origin};
use crate::domain::key::operation::{EncryptFor, RetiredKey};
use crate::domain::name::KmsName;
use crate::domain::place::{AccountId, Arn};
use crate::domain::refusal::{ConnectionRefusal, KmsRefusal};
use crate::service::access;
use crate::service::kms::Addition;
use crate::service::world::{ACCOUNT, REGION, World};
use std::time::Duration;

fn request(alias: &str) -> KeyRequest {
    KeyRequest {
        kms: "kms".to_owned(),
        region: Region::parse(REGION).expect("a region"),
        aliases: vec![AliasName::parse_own(alias).expect("an alias")],
        spec: None,
        usage: None,
        origin: Origin::AwsKms,
        description: String::new(),
        multi_region: false,
        policy: PolicyChoice::Default,
        bypass_lockout_check: false,
        tags: Vec::new(),
    }
}

fn make(world: &World, alias: &str) -> Result<KeySeen, Failure> {
    world.run(world.services().keys.create(&world.admin(), &World::context(), request(alias)))
}

/// Makes the connection's credentials those of this account.
fn lead_to(world: &World, account: &str) {
    let arn = format!("arn:aws:iam::{account}:user/somebody");
    world.aws.caller.always(StsCue::Answer(AwsCaller {
        account: AccountId::parse(account).expect("an account"),
        arn: Arn::parse(&arn).expect("an ARN"),
    }));
}

#[test]
fn no_key_is_created_outside_the_account_of_the_kms() {
    let world = World::new();
    lead_to(&world, "999999999999");
    let refused = make(&world, "lost").err().expect("it is refused");
    assert!(
        matches!(refused, Failure::Refused(Refusal::Connection(ConnectionRefusal::LeadsElsewhere { .. }))),
        "{refused}"
    );
    assert_eq!((world.kms.calls().len(), world.state().operations.len()), (0, 0));
}

#[test]
fn the_account_of_the_credentials_is_asked_once() {
    let world = World::new();
    let probes = || world.aws.calls().iter().filter(|call| call.operation == AwsOperation::GET_CALLER_IDENTITY).count();
    let before = probes();
    for alias in ["one", "two"] {
        make(&world, alias).map(drop).unwrap_or_else(|failure| panic!("{failure}"));
    }
    assert_eq!(probes(), before + 1);
}

/// Makes one attempt to recover the only open operation.
fn recover(world: &World) -> Result<(), Failure> {
    let open: Vec<OperationId> = world.state().operations.keys().copied().collect();
    let [id] = open.as_slice() else { panic!("one operation is open: {open:?}") };
    let operations = &world.services().keys.operations;
    world.run(operations.recover_now(*id)).unwrap_or(Err(Failure::Interrupted)).map(drop)
}

#[test]
fn an_operation_that_cannot_be_recovered_now_stays_open() {
    let mut world = World::new();
    let lost = || AwsFailure::Timeout { operation: CreateKey::OPERATION, after: Duration::from_secs(1) };
    let slow_down = || {
        let text = || "Rate exceeded".to_owned();
        Cue::Fail(AwsFailure::Throttled { operation: ListKeys::OPERATION, code: text(), message: text() })
    };
    world.kms.next(CreateKey::OPERATION, Cue::FailAfter(lost()));
    world.kms.next(ListKeys::OPERATION, slow_down());
    make(&world, "found").map(drop).expect_err("its outcome is unknown");
    world.kms.next(ListKeys::OPERATION, slow_down());
    recover(&world).expect_err("AWS cannot be asked");
    assert_eq!(world.state().operations.len(), 1);

    // The program also tries at its start.
    lead_to(&world, "999999999999");
    world.kill();
    world.start();
    recover(&world).expect_err("it would be searched for in another account");
    assert_eq!(world.state().operations.len(), 1);

    lead_to(&world, ACCOUNT);
    recover(&world).unwrap_or_else(|failure| panic!("{failure}"));
    let state = world.state();
    assert!(state.operations.is_empty());
    let found: Vec<_> = state.keys.iter().flat_map(|key| key.aliases.clone()).collect();
    assert_eq!(found, [AliasName::parse_own("found").expect("an alias")]);
}

fn lost(operation: AwsOperation) -> AwsFailure {
    AwsFailure::Timeout { operation, after: Duration::from_secs(1) }
}

fn throttled(operation: AwsOperation) -> AwsFailure {
    AwsFailure::Throttled { operation, code: "ThrottlingException".to_owned(), message: "Rate exceeded".to_owned() }
}

fn change(world: &World, key: &Key, wanted: Operation) -> Result<KeySeen, Failure> {
    let permit = KeyPermit::<UpdateKey>::authorize(world.caller("admin"), key.id).unwrap_or_else(|f| panic!("{f}"));
    world.run(world.services().keys.change(&permit, &World::context(), wanted))
}

#[test]
fn a_change_that_could_not_be_read_back_does_not_fail() {
    let world = World::new();
    let key = world.key("one", PolicyChoice::Default);
    world.kms.next(DescribeKey::OPERATION, Cue::Fail(throttled(DescribeKey::OPERATION)));
    change(&world, &key, Operation::Disable).map(drop).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(world.known(key.id).metadata.state, KeyState::Disabled);
    // If AWS cannot be read at all, the operation is recovered later.
    for _ in 0..2 {
        world.kms.next(DescribeKey::OPERATION, Cue::Fail(throttled(DescribeKey::OPERATION)));
    }
    change(&world, &key, Operation::Enable).map(drop).expect_err("it is not known");
    assert_eq!(world.state().operations.len(), 1);
    recover(&world).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!((world.known(key.id).metadata.state.clone(), world.state().operations.len()), (KeyState::Enabled, 0));
}

#[test]
fn a_policy_is_recorded_although_its_tag_was_refused() {
    let world = World::new();
    let key = world.key("one", PolicyChoice::Default);
    let refusal = refused(TagResource::OPERATION, "AccessDeniedException", "no");
    world.kms.next(TagResource::OPERATION, Cue::Fail(refusal));
    let principals =
        PolicyChoice::Principals(PolicyPrincipals { admins: vec!["ann".to_owned()], ..PolicyPrincipals::default() });
    let wanted = world.services().keys.policy_for(&key, principals).unwrap_or_else(|failure| panic!("{failure}"));
    let Operation::PutPolicy { policy, .. } = wanted else { panic!("{wanted:?}") };
    let wanted = Operation::PutPolicy { policy, template: Some("0b90f8de-8617-498d-ad63-ca18eb717ae7".to_owned()) };
    change(&world, &key, wanted).map(drop).expect_err("a step was refused");
    let at_aws = world.kms.key(&key.region, key.aws_id()).expect("it is at AWS");
    assert_eq!(world.known(key.id).policy.as_ref(), Some(&at_aws.policy));
}

#[test]
fn a_creation_without_a_response_is_completed() {
    let world = World::new();
    world.kms.next(CreateKey::OPERATION, Cue::FailAfter(lost(CreateKey::OPERATION)));
    let made = make(&world, "found").unwrap_or_else(|failure| panic!("{failure}")).key;
    assert_eq!(made.aliases, [AliasName::parse_own("found").expect("an alias")]);
    assert_eq!(world.kms.calls().iter().filter(|call| call.operation() == CreateKey::OPERATION).count(), 1);
}

/// AWS shows a new key with a delay, so a search that is too early must not conclude that there is none.
#[test]
fn a_key_that_aws_does_not_show_counts_as_never_created_only_after_the_wait() {
    let world = World::new();
    world.kms.next(CreateKey::OPERATION, Cue::Fail(lost(CreateKey::OPERATION)));
    let failure = make(&world, "lost").err().expect("there was no answer");
    assert!(matches!(failure, Failure::Cloud(AwsFailure::Timeout { .. })), "{failure}");
    assert_eq!(world.state().operations.len(), 1);
    recover(&world).expect_err("it is too early");
    assert_eq!(world.state().operations.len(), 1);
    world.pass(301);
    recover(&world).expect_err("it was not created");
    assert!(world.state().operations.is_empty() && world.state().keys.is_empty());
}

#[test]
fn a_key_with_all_aliases_of_another_has_replaced_it_although_a_later_step_failed() {
    let world = World::new();
    let old = world.key("payroll", PolicyChoice::Default);
    world.kms.next(PutKeyPolicy::OPERATION, Cue::Fail(refused(PutKeyPolicy::OPERATION, "AccessDeniedException", "no")));
    let permit =
        KeyPermit::<access::RotateKey>::authorize(world.caller("admin"), old.id).unwrap_or_else(|f| panic!("{f}"));
    let old_key = RetiredKey { retain_alias: false, disable_encrypt: Some(EncryptFor::OwnAccount) };
    let request = RotationRequest { description: None, import: None, old: old_key };
    let rotated = world.run(world.services().keys.rotate(&permit, &World::context(), request));
    rotated.map(drop).expect_err("the last step was refused");
    let new = world.known(old.id).rotated_to.expect("it was replaced");
    assert_eq!((world.known(new).rotated_from, world.known(new).aliases.clone()), (Some(old.id), old.aliases.clone()));
    assert!(world.known(old.id).aliases.is_empty());
}

#[test]
fn a_key_whose_policy_cannot_be_read_is_not_replaced() {
    let world = World::new();
    let old = world.key("payroll", PolicyChoice::Default);
    // The entry is as a synchronisation leaves it that must not read policies.
    let denied = || Cue::Fail(refused(GetKeyPolicy::OPERATION, "AccessDeniedException", "no"));
    world.record(KeyCommand::RecordVanished { id: old.id });
    world.record(KeyCommand::Forget { id: old.id });
    world.kms.next(GetKeyPolicy::OPERATION, denied());
    let seen = world.run(async {
        let at = world.services().keys.cloud.region(old.kms, &old.region).await.unwrap_or_else(|f| panic!("{f}"));
        Box::new(reading::read(&at, old.aws_id()).await.expect("read"))
    });
    world.record(KeyCommand::Observe { id: old.id, kms: old.kms, region: old.region.clone(), seen });
    assert_eq!(world.known(old.id).policy, None);

    world.kms.next(GetKeyPolicy::OPERATION, denied());
    let permit =
        KeyPermit::<access::RotateKey>::authorize(world.caller("admin"), old.id).unwrap_or_else(|f| panic!("{f}"));
    let kept = RetiredKey { retain_alias: false, disable_encrypt: None };
    let request = || RotationRequest { description: None, import: None, old: kept.clone() };
    let refused = world.run(world.services().keys.rotate(&permit, &World::context(), request())).err();
    assert!(matches!(refused, Some(Failure::Refused(Refusal::Key(KeyRefusal::PolicyUnreadable(id)))) if id == old.id));
    let rotated = world.run(world.services().keys.rotate(&permit, &World::context(), request()));
    rotated.map(drop).unwrap_or_else(|failure| panic!("{failure}"));
}

/// The new policy may deny reading the key. It must still be possible to put another one.
#[test]
fn a_key_that_cannot_be_read_any_more_does_not_stay_busy() {
    let world = World::new();
    let key = world.key("one", PolicyChoice::Default);
    let principals =
        PolicyChoice::Principals(PolicyPrincipals { admins: vec!["ann".to_owned()], ..PolicyPrincipals::default() });
    let wanted = world.services().keys.policy_for(&key, principals).unwrap_or_else(|failure| panic!("{failure}"));
    for _ in 0..2 {
        let denied = refused(DescribeKey::OPERATION, "AccessDeniedException", "no");
        world.kms.next(DescribeKey::OPERATION, Cue::Fail(denied));
    }
    change(&world, &key, wanted).map(drop).unwrap_or_else(|failure| panic!("{failure}"));
    let at_aws = world.kms.key(&key.region, key.aws_id()).expect("it is at AWS");
    assert_eq!((world.known(key.id).policy.as_ref(), world.known(key.id).pending), (Some(&at_aws.policy), None));
}

#[test]
fn a_key_that_is_gone_is_recorded_and_its_operation_ends() {
    let world = World::new();
    let key = world.key("one", PolicyChoice::Default);
    for _ in 0..12 {
        let gone = refused(DescribeKey::OPERATION, "NotFoundException", "no such key");
        world.kms.next(DescribeKey::OPERATION, Cue::Fail(gone));
    }
    change(&world, &key, Operation::Disable).map(drop).expect_err("it is gone");
    assert!(world.known(key.id).gone && world.state().operations.is_empty());
}

/// A multi-region key, and another KMS of the same account with the region `eu-west-1`.
fn primary_key(world: &World) -> Arc<Key> {
    let request = KeyRequest { multi_region: true, ..request("family") };
    let primary = world.run(world.services().keys.create(&world.admin(), &World::context(), request));
    let other = Addition {
        name: KmsName::parse("other").expect("a name"),
        account: AccountId::parse(ACCOUNT).expect("an account"),
        connection: "aws".to_owned(),
        role: None,
        regions: vec![Region::parse("eu-west-1").expect("a region")],
    };
    let added = world.run(world.services().kms.add(world.admin(), &World::context(), other));
    added.map(drop).unwrap_or_else(|failure| panic!("{failure}"));
    primary.unwrap_or_else(|failure| panic!("{failure}")).key
}

/// Replicates a key to `eu-west-1`.
fn replicate(world: &World, user: &str, primary: &Key) -> Result<Arc<Key>, Failure> {
    let permit = KeyPermit::<access::CreateKey>::authorize(world.caller(user), primary.id)?;
    let request = ReplicaRequest {
        region: Region::parse("eu-west-1").expect("a region"),
        aliases: Vec::new(),
        description: None,
        policy: PolicyChoice::Default,
        bypass_lockout_check: false,
        tags: Vec::new(),
    };
    world.run(world.services().keys.replicate(&permit, &World::context(), request)).map(|seen| seen.key)
}

/// A replica has the id of its primary key, so the new replica has the id of the deleted one.
#[test]
fn a_replica_that_aws_had_deleted_is_created_again_and_has_one_entry() {
    let world = World::new();
    let primary = primary_key(&world);
    let first = replicate(&world, "admin", &primary).unwrap_or_else(|failure| panic!("{failure}"));
    let again = replicate(&world, "admin", &primary);
    assert!(matches!(again, Err(Failure::Refused(Refusal::Key(KeyRefusal::ReplicaThere(_))))));
    world.kms.vanish(&first.region, first.aws_id());
    world.record(KeyCommand::RecordVanished { id: first.id });
    let second = replicate(&world, "admin", &primary).unwrap_or_else(|failure| panic!("{failure}"));
    let state = world.state();
    assert!(state.keys.get(&first.id).is_none());
    assert_eq!(state.key_at_aws(second.kms, &second.region, second.aws_id()).map(|key| key.id), Some(second.id));
}

/// The replica's policy denies reading it, but AWS has returned its metadata.
#[test]
fn a_replica_that_cannot_be_read_is_recorded() {
    let world = World::new();
    let primary = primary_key(&world);
    for _ in 0..3 {
        let denied = refused(DescribeKey::OPERATION, "AccessDeniedException", "no");
        world.kms.next(DescribeKey::OPERATION, Cue::Fail(denied));
    }
    let replica = replicate(&world, "admin", &primary).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(world.state().operations.is_empty());
    assert_eq!(world.known(replica.id).aws_id(), primary.aws_id());
}

#[test]
fn a_replication_does_not_reveal_a_kms_that_the_caller_may_not_view() {
    let world = World::new();
    let primary = primary_key(&world);
    world.user("eve", &[Action::ViewNative, Action::KeyCreate]);
    let refused = replicate(&world, "eve", &primary).map(drop);
    assert!(matches!(refused, Err(Failure::Refused(Refusal::Kms(KmsRefusal::RegionNotManaged { .. })))), "{refused:?}");
}

/// The program may have ended before the call was sent, and a refused AssumeRole says nothing about that.
#[test]
fn a_policy_is_not_recorded_as_put_while_aws_cannot_be_asked() {
    let mut world = World::new();
    let key = world.key("one", PolicyChoice::Default);
    let principals =
        PolicyChoice::Principals(PolicyPrincipals { admins: vec!["ann".to_owned()], ..PolicyPrincipals::default() });
    let wanted = world.services().keys.policy_for(&key, principals).unwrap_or_else(|failure| panic!("{failure}"));
    world.kms.next(PutKeyPolicy::OPERATION, Cue::Fail(lost(PutKeyPolicy::OPERATION)));
    world.kms.next(DescribeKey::OPERATION, Cue::Fail(throttled(DescribeKey::OPERATION)));
    change(&world, &key, wanted).map(drop).expect_err("there was no answer");
    for _ in 0..4 {
        let denied = refused(AwsOperation::ASSUME_ROLE, "AccessDenied", "no");
        world.kms.next(DescribeKey::OPERATION, Cue::Fail(denied));
    }
    world.kill();
    world.start();
    recover(&world).expect_err("its outcome is unknown");
    assert_eq!(world.state().operations.len(), 1);
    assert_eq!(world.known(key.id).policy, key.policy);
}

/// The key's policy denies reading it, but AWS has returned its metadata.
#[test]
fn a_created_key_that_cannot_be_read_is_recorded() {
    let world = World::new();
    for _ in 0..2 {
        let denied = refused(DescribeKey::OPERATION, "AccessDeniedException", "no");
        world.kms.next(DescribeKey::OPERATION, Cue::Fail(denied));
    }
    let request = KeyRequest { aliases: Vec::new(), ..request("unused") };
    let made = world.run(world.services().keys.create(&world.admin(), &World::context(), request));
    let made = made.unwrap_or_else(|failure| panic!("{failure}")).key;
    assert!(world.kms.key(&made.region, made.aws_id()).is_some() && world.state().operations.is_empty());
}

#[test]
fn a_throttled_creation_is_completed_later() {
    let world = World::new();
    world.kms.next(CreateKey::OPERATION, Cue::FailAfter(lost(CreateKey::OPERATION)));
    world.kms.next(CreateAlias::OPERATION, Cue::Fail(throttled(CreateAlias::OPERATION)));
    let failure = make(&world, "late").err().expect("it has no name yet");
    assert!(matches!(failure, Failure::Cloud(AwsFailure::Timeout { .. })), "{failure}");
    assert_eq!(world.state().operations.len(), 1);
    recover(&world).unwrap_or_else(|failure| panic!("{failure}"));
    let named: Vec<_> = world.state().keys.iter().flat_map(|key| key.aliases.clone()).collect();
    assert_eq!(named, [AliasName::parse_own("late").expect("an alias")]);
}
