//! The rules of policy templates.

use super::*;
use crate::domain::event::Event;
use crate::domain::id::OperationId;
use crate::domain::key::command::{KeyCommand, Outcome};
use crate::domain::key::event::{Aspect, KeyEvent};
use crate::domain::key::example::{ACCOUNT, added, found, key_id, kms_id, new_key, region, snapshot};
use crate::domain::key::operation::{NewKey, Operation};
use crate::domain::key::tag::Tag;
use crate::domain::refusal::TemplateRefusal;
use crate::domain::scenario::{Given, given};
use uuid::Uuid;

const ID: TemplateId = TemplateId::new(Uuid::from_u128(1));
const OTHER: TemplateId = TemplateId::new(Uuid::from_u128(2));
const OPERATION: OperationId = OperationId::new(Uuid::from_u128(3));

fn name(text: &str) -> TemplateName {
    TemplateName::parse(text).expect("a name")
}

fn account() -> AccountId {
    AccountId::parse(ACCOUNT).expect("an account")
}

/// A policy with this user as the administrator.
fn admin(user: &str) -> TemplatePolicy {
    TemplatePolicy::Principals(PolicyPrincipals { admins: vec![user.to_owned()], ..PolicyPrincipals::default() })
}

fn text(policy: &TemplatePolicy) -> PolicyText {
    let context = PolicyContext { partition: Partition::Aws, account: account(), usage: KeyUsage::EncryptDecrypt };
    policy.for_key(&context).expect("a policy")
}

fn event(event: TemplateEvent) -> Event {
    Event::Template(ID, event)
}

fn created() -> Event {
    event(TemplateEvent::Created { name: name("payroll"), account: account(), kms: None, policy: admin("ann") })
}

/// The intent to create a key with this policy and the tag of the template.
fn requested(policy: &TemplatePolicy) -> Event {
    let tags = vec![Tag::new(TEMPLATE_TAG, ID.to_string())];
    let wanted = Box::new(Operation::Create(NewKey { policy: Some(text(policy)), tags, ..new_key() }));
    let (kms, region) = (kms_id(0), region("eu-west-3"));
    Event::Key(key_id(1), KeyEvent::OperationRequested { operation: OPERATION, kms, region, wanted })
}

fn replace(policy: TemplatePolicy, pushes: bool) -> TemplateCommand {
    let patch = match policy {
        TemplatePolicy::Text(text) => patch::TemplatePatch::Text(text),
        TemplatePolicy::Principals(to) => patch::TemplatePatch::Principals(patch::PrincipalsPatch {
            admins: Some(to.admins),
            ..patch::PrincipalsPatch::default()
        }),
    };
    TemplateCommand::ReplacePolicy { id: ID, patch: Some(patch), pushes }
}

fn managed(events: impl IntoIterator<Item = Event>) -> Given {
    given([added(0, &["eu-west-3"]), created()]).and(events)
}

/// Whether the template is verified when AWS confirms the operation.
fn verifies(state: &Given) -> bool {
    let outcome = Outcome::Done(Box::new(snapshot(1, "new")));
    let state = state.when(KeyCommand::Conclude { operation: OPERATION, outcome, related: None }).then_done();
    state.template(ID).expect("the template").verified
}

#[test]
fn a_name_is_given_once_in_an_account() {
    let of = |account, name| TemplateCommand::Create { id: OTHER, name, account, kms: None, policy: admin("bob") };
    let create = |name| of(account(), name);
    let other = AccountId::parse("789012123456").expect("an account");
    managed([]).when(of(other, name("payroll"))).then_done();
    managed([]).when(create(name("payroll"))).then_refused(TemplateRefusal::NameTaken(name("payroll")));
    managed([]).when(create(name("web"))).then_done();
    managed([event(TemplateEvent::Deleted)]).when(create(name("payroll"))).then_done();
}

#[test]
fn the_same_policy_again_is_no_change() {
    managed([]).when(replace(admin("ann"), false)).then([]);
    managed([]).when(replace(admin("bob"), false)).then([event(TemplateEvent::PolicyReplaced { to: admin("bob") })]);
}

#[test]
fn a_verified_policy_is_replaced_only_with_a_push() {
    let state = managed([event(TemplateEvent::Verified)]);
    state.when(replace(admin("bob"), false)).then_refused(TemplateRefusal::NeedsPush(name("payroll")));
    let state = state.when(replace(admin("bob"), true)).then_done();
    assert!(!state.template(ID).expect("the template").verified, "AWS has not accepted the new policy yet");
}

#[test]
fn aws_verifies_a_policy_by_accepting_it_on_a_key() {
    assert!(verifies(&managed([requested(&admin("ann"))])));
}

/// The tag alone says nothing: a caller may give a key any policy and any tag.
#[test]
fn another_policy_than_the_templates_does_not_verify_it() {
    assert!(!verifies(&managed([requested(&admin("bob"))])));
    let replaced = event(TemplateEvent::PolicyReplaced { to: admin("bob") });
    assert!(!verifies(&managed([requested(&admin("ann")), replaced.clone()])));
    assert!(!verifies(&managed([replaced, requested(&admin("ann"))])), "the operation was prepared before");
}

#[test]
fn a_template_with_keys_is_not_deleted() {
    let delete = || TemplateCommand::Delete { id: ID };
    let in_use = || TemplateRefusal::InUse(name("payroll"));
    managed([]).when(delete()).then([event(TemplateEvent::Deleted)]);
    let tags = vec![Tag::new(TEMPLATE_TAG, ID.to_string())];
    let tagged = Event::Key(key_id(1), KeyEvent::Observed { learned: vec![Aspect::Tags(tags)] });
    let state = managed([found(1, "payroll"), tagged]);
    state.when(delete()).then_refused(in_use());
    state.and([Event::Key(key_id(1), KeyEvent::Vanished)]).when(delete()).then_done();
    let creating = managed([requested(&admin("ann"))]);
    creating.when(delete()).then_refused(in_use());
}
