//! Whose account a key's operations reach, and what is made of one whose outcome nobody knows.

use super::*;
use crate::aws::failure::AwsFailure;
use crate::aws::kms::scripted::Cue;
use crate::aws::operation::Operation as Call;
use crate::aws::port::Caller as AwsCaller;
use crate::aws::scripted::Cue as StsCue;
use crate::domain::event::Actor;
use crate::domain::id::OperationId;
use crate::domain::key::word::Origin;
use crate::domain::place::{AccountId, Arn};
use crate::domain::state::Underway;
use crate::service::keys::perform::Way;
use crate::service::world::{ACCOUNT, REGION, World};
use crate::service::{caller::Change, keys::creation::KeyWish};
use std::time::Duration;

fn wish(alias: &str) -> KeyWish {
    KeyWish {
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
    world.run(world.services().keys.create(&world.admin(), &World::asked(), wish(alias)))
}

/// From now on the connection's credentials are those of this account.
fn lead_to(world: &World, account: &str) {
    let arn = format!("arn:aws:iam::{account}:user/somebody");
    world.aws.caller.always(StsCue::Answer(AwsCaller {
        account: AccountId::parse(account).expect("an account"),
        arn: Arn::parse(&arn).expect("an ARN"),
    }));
}

#[test]
fn no_key_is_made_in_another_account_than_that_of_the_kms() {
    let world = World::new();
    lead_to(&world, "999999999999");
    let refused = make(&world, "lost").err().expect("it is refused");
    assert!(matches!(refused, Failure::Refused(Refusal::ConnectionLeadsElsewhere { .. })), "{refused}");
    assert_eq!((world.kms.asked().len(), world.state().operations.len()), (0, 0));
}

#[test]
fn whose_the_credentials_are_is_asked_once() {
    let world = World::new();
    let asked = || world.aws.asked().iter().filter(|asked| asked.operation == Call::GET_CALLER_IDENTITY).count();
    let before = asked();
    for alias in ["one", "two"] {
        make(&world, alias).map(drop).unwrap_or_else(|failure| panic!("{failure}"));
    }
    assert_eq!(asked(), before + 1);
}

/// Looks for what became of the only open operation.
fn look(world: &World) -> Result<(), Failure> {
    let open: Vec<(OperationId, Underway)> =
        world.state().operations.iter().map(|(id, underway)| (*id, underway.clone())).collect();
    let [(id, underway)] = open.as_slice() else { panic!("one operation is open: {open:?}") };
    let core = world.core();
    let change = Change::of(Actor::System, "test".into());
    world.run(core.end(&change, *id, underway, Way::Again)).map(drop)
}

#[test]
fn what_cannot_be_looked_for_now_stays_open() {
    let mut world = World::new();
    let lost = || AwsFailure::Timeout { operation: Call::CREATE_KEY, after: Duration::from_secs(1) };
    let slow_down = || {
        let text = || "Rate exceeded".to_owned();
        Cue::Fail(AwsFailure::Throttled { operation: Call::LIST_KEYS, code: text(), message: text() })
    };
    world.kms.next(Call::CREATE_KEY, Cue::FailAfter(lost()));
    world.kms.next(Call::LIST_KEYS, slow_down());
    make(&world, "found").map(drop).expect_err("nobody knows what became of it");
    // Both looks that are taken.
    for _ in 0..2 {
        world.kms.next(Call::LIST_KEYS, slow_down());
    }
    look(&world).expect_err("AWS cannot be asked");
    assert_eq!(world.state().operations.len(), 1);

    // The program itself looks when it starts.
    lead_to(&world, "999999999999");
    world.kill();
    world.start();
    look(&world).expect_err("it would be looked for in another account");
    assert_eq!(world.state().operations.len(), 1);

    lead_to(&world, ACCOUNT);
    look(&world).unwrap_or_else(|failure| panic!("{failure}"));
    let state = world.state();
    assert!(state.operations.is_empty());
    let found: Vec<_> = state.keys.iter().flat_map(|key| key.aliases.clone()).collect();
    assert_eq!(found, [AliasName::parse_own("found").expect("an alias")]);
}
