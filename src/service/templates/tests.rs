//! Tests of templates: creating keys with a template, putting its policy to keys, and pushes.

use super::*;
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::PutKeyPolicy;
use crate::aws::kms::scripted::{Cue, refused};
use crate::domain::action::Action;
use crate::domain::key::aggregate::Key;
use crate::domain::key::aws_enums::Origin;
use crate::domain::key::name::AliasName;
use crate::domain::key::policy::PolicyPrincipals;
use crate::domain::name::KmsName;
use crate::domain::place::Region;
use crate::domain::refusal::SessionRefusal;
use crate::domain::template::TEMPLATE_TAG;
use crate::domain::template::patch::PrincipalsPatch;
use crate::service::failure::MissingRight;
use crate::service::keys::{KeyRequest, PolicyChoice};
use crate::service::kms::Addition;
use crate::service::world::{ACCOUNT, World};
use serde_json::json;

fn people(admin: &str) -> TemplatePolicy {
    TemplatePolicy::Principals(PolicyPrincipals { admins: vec![admin.to_owned()], ..PolicyPrincipals::default() })
}

fn make(world: &World, name: &str, policy: TemplatePolicy) -> Arc<Template> {
    let name = TemplateName::parse(name).expect("a name");
    let request = TemplateRequest { name, owner: Owner::Kms("kms".to_owned()), policy };
    let made = world.run(world.services().templates.create(&world.admin(), &World::context(), request));
    made.unwrap_or_else(|failure| panic!("{failure}")).template
}

fn update(world: &World, caller: &str, id: TemplateId, policy: &TemplatePolicy, push: bool) -> Result<Push, Failure> {
    let TemplatePolicy::Principals(people) = policy else { panic!("lists are expected") };
    let change = PrincipalsPatch { admins: Some(people.admins.clone()), ..PrincipalsPatch::default() };
    let change = TemplateChange { policy: Some(TemplatePatch::Principals(change)), push, kms: None };
    let permit = TemplatePermit::authorize(world.caller(caller), id)?;
    let seen = world.run(world.services().templates.update(&permit, &World::context(), change))?;
    Ok(seen.template.last_push.clone().unwrap_or(Push { done: Vec::new(), failed: Vec::new() }))
}

fn refusal<T>(outcome: Result<T, Failure>) -> Refusal {
    match outcome.err().expect("it is refused") {
        Failure::Refused(refusal) => refusal,
        other => panic!("{other}"),
    }
}

/// The first administrator that the key's policy at AWS names.
fn admin_at_aws(world: &World, key: &Key) -> serde_json::Value {
    let key = world.kms.key(&key.region, key.aws_id()).expect("it is at AWS");
    key.policy.value()["Statement"][1]["Principal"]["AWS"][0].clone()
}

fn arn(user: &str) -> serde_json::Value {
    json!(format!("arn:aws:iam::{ACCOUNT}:user/{user}"))
}

#[test]
fn a_key_created_with_a_template_has_its_policy_and_its_tag_and_verifies_it() {
    let world = World::new();
    let template = make(&world, "payroll", people("ann"));
    assert!(!template.verified);
    let by_name = world.key("one", PolicyChoice::Template("payroll".to_owned()));
    let by_id = world.key("two", PolicyChoice::Template(template.id.to_string()));
    for key in [by_name, by_id] {
        assert_eq!(key.tag(TEMPLATE_TAG), Some(template.id.to_string().as_str()));
        assert_eq!(admin_at_aws(&world, &key), arn("ann"));
    }
    assert!(world.state().template(template.id).expect("there").verified);
}

#[test]
fn a_template_without_principals_has_awss_default_policy() {
    let world = World::new();
    make(&world, "plain", TemplatePolicy::Principals(PolicyPrincipals::default()));
    let key = world.key("one", PolicyChoice::Template("plain".to_owned()));
    let policy = world.kms.key(&key.region, key.aws_id()).expect("at AWS").policy.value();
    assert_eq!(policy["Statement"].as_array().map(Vec::len), Some(1));
    assert_eq!(policy["Statement"][0]["Principal"]["AWS"], json!(format!("arn:aws:iam::{ACCOUNT}:root")));
}

#[test]
fn a_verified_template_is_changed_only_with_a_push_which_reaches_its_keys() {
    let world = World::new();
    let template = make(&world, "payroll", people("ann"));
    // Before AWS has accepted the policy, it can be changed without a push.
    update(&world, "admin", template.id, &people("bob"), false).expect("changed");
    let (one, two) = (
        world.key("one", PolicyChoice::Template("payroll".to_owned())),
        world.key("two", PolicyChoice::Template("payroll".to_owned())),
    );
    let other = world.key("other", PolicyChoice::Default);
    let without = update(&world, "admin", template.id, &people("carl"), false);
    assert_eq!(refusal(without), Refusal::Template(TemplateRefusal::NeedsPush(template.name.clone())));

    let push = update(&world, "admin", template.id, &people("carl"), true).expect("pushed");
    assert_eq!(push, Push { done: vec![one.id, two.id], failed: vec![] });
    assert_eq!((admin_at_aws(&world, &one), admin_at_aws(&world, &two)), (arn("carl"), arn("carl")));
    assert_eq!(world.known(other.id).policy, other.policy);
    assert!(world.state().template(template.id).expect("there").verified);
}

#[test]
fn a_push_lists_the_keys_where_it_failed_and_can_be_repeated() {
    let world = World::new();
    let template = make(&world, "payroll", people("ann"));
    let one = world.key("one", PolicyChoice::Template("payroll".to_owned()));
    let denied = refused(PutKeyPolicy::OPERATION, "AccessDeniedException", "no");
    world.kms.next(PutKeyPolicy::OPERATION, Cue::Fail(denied));
    let push = update(&world, "admin", template.id, &people("bob"), true).expect("the template is changed");
    assert_eq!((push.done.len(), push.failed[0].0), (0, one.id));
    assert!(push.failed[0].1.contains("AccessDeniedException"), "{}", push.failed[0].1);
    let kept = world.state().template(template.id).expect("there").clone();
    assert_eq!((kept.policy.clone(), kept.verified), (people("bob"), false));
    assert_eq!(admin_at_aws(&world, &one), arn("ann"));

    let again = update(&world, "admin", template.id, &people("bob"), true).expect("pushed");
    assert_eq!(again, Push { done: vec![one.id], failed: vec![] });
    assert_eq!(admin_at_aws(&world, &one), arn("bob"));
}

#[test]
fn a_template_that_keys_have_is_not_deleted() {
    let world = World::new();
    let template = make(&world, "payroll", people("ann"));
    let delete = |world: &World| {
        let permit = TemplatePermit::authorize(world.caller("admin"), template.id)?;
        world.run(world.services().templates.delete(&permit, &World::context()))
    };
    let key = world.key("one", PolicyChoice::Template("payroll".to_owned()));
    let in_use = Refusal::Template(TemplateRefusal::InUse(template.name.clone()));
    assert!(in_use.to_string().contains("has one or more key associated"));
    assert_eq!(refusal(delete(&world)), in_use);
    // With another policy the key loses the template's tag.
    let permit = KeyPermit::<UpdateKey>::authorize(world.caller("admin"), key.id).unwrap_or_else(|f| panic!("{f}"));
    let other =
        PolicyChoice::Principals(PolicyPrincipals { admins: vec!["dora".to_owned()], ..PolicyPrincipals::default() });
    let wanted = world.services().keys.policy_for(permit.key(), other).unwrap_or_else(|f| panic!("{f}"));
    let changed = world.run(world.services().keys.change(&permit, &World::context(), wanted));
    assert_eq!(changed.unwrap_or_else(|f| panic!("{f}")).key.tag(TEMPLATE_TAG), None);
    delete(&world).expect("deleted");
    assert!(world.state().templates.is_empty());
}

#[test]
fn a_template_is_for_keys_of_its_account_only() {
    let world = World::new();
    let template = make(&world, "payroll", people("ann"));
    let other = AccountId::parse("789012123456").expect("an account");
    let elsewhere =
        |text: &str| Err(Refusal::Template(TemplateRefusal::Elsewhere { template: text.to_owned(), account: other }));
    assert_eq!(find_for(&world.state(), "payroll", other).map(drop), elsewhere("payroll"));
    assert_eq!(find_for(&world.state(), "none", other).map(drop), elsewhere("none"));
    assert_eq!(find_for(&world.state(), "payroll", template.account).map(|found| found.id), Ok(template.id));
    assert_eq!(
        find_for(&world.state(), &template.id.to_string(), other).map(drop),
        elsewhere(&template.id.to_string())
    );
}

#[test]
fn templates_need_keyupdate_on_a_kms_of_their_account() {
    let world = World::new();
    let template = make(&world, "payroll", people("ann"));
    world.user("stranger", &[]);
    world.user("viewer", &[Action::ViewNative]);
    world.user("updater", &[Action::ViewNative, Action::KeyUpdate]);
    let authorize = |name| TemplatePermit::<UpdateKey>::authorize(world.caller(name), template.id).map(drop);
    let view = |name| TemplatePermit::<View>::authorize(world.caller(name), template.id).map(drop);
    assert!(matches!(view("stranger"), Err(Failure::Refused(Refusal::Template(TemplateRefusal::Unknown(_))))));
    assert!(matches!(authorize("stranger"), Err(Failure::Refused(Refusal::Template(TemplateRefusal::Unknown(_))))));
    assert!(view("viewer").is_ok() && view("updater").is_ok() && authorize("updater").is_ok());
    assert!(matches!(authorize("viewer"), Err(Failure::Forbidden(MissingRight::Action(Action::KeyUpdate)))));
    // The list shows no other templates either.
    let list = |name| {
        let query = Query::default();
        let permit = Permit::authorize(world.caller(name)).unwrap_or_else(|failure| panic!("{failure}"));
        world.run(world.services().templates.list(&permit, &query)).map(|(page, _)| page.total).unwrap_or(99)
    };
    assert_eq!((list("stranger"), list("viewer"), list("admin")), (0, 1, 1));
}

#[test]
fn the_result_of_a_push_does_not_reveal_hidden_keys() {
    let world = World::new();
    let template = make(&world, "payroll", people("ann"));
    let one = world.key("one", PolicyChoice::Template("payroll".to_owned()));
    update(&world, "admin", template.id, &people("bob"), true).expect("pushed");
    let shown = |caller: Caller| {
        let permit =
            TemplatePermit::<View>::authorize(caller, template.id).unwrap_or_else(|failure| panic!("{failure}"));
        world.services().templates.get(&permit).last_push.expect("there was one").done
    };
    assert_eq!(shown(world.caller("admin")), [one.id]);
    assert_eq!(shown(world.user("eve", &[Action::KeyUpdate])), []);
    assert_eq!(shown(world.user("fay", &[Action::ViewNative])), [one.id]);
    // A user who may not view a key cannot push to it, and the failure does not name it.
    let refused = update(&world, "eve", template.id, &people("carl"), true).expect_err("it is refused");
    assert!(matches!(&refused, Failure::Forbidden(MissingRight::Action(Action::KeyUpdate))), "{refused}");
    assert!(!refused.to_string().contains(&one.id.to_string()));
}

/// Otherwise a client that sends its body slowly could push to keys that got the template meanwhile.
#[test]
fn a_push_checks_the_right_on_the_keys_that_have_the_template_when_it_is_recorded() {
    let world = World::new();
    let template = make(&world, "payroll", people("ann"));
    let eve = world.user("eve", &[Action::ViewNative, Action::KeyUpdate]);
    let permit = TemplatePermit::<UpdateKey>::authorize(eve, template.id).unwrap_or_else(|failure| panic!("{failure}"));
    let elsewhere = || Region::parse("eu-west-1").expect("a region");
    let other = Addition {
        name: KmsName::parse("other").expect("a name"),
        account: AccountId::parse(ACCOUNT).expect("an account"),
        connection: "aws".to_owned(),
        role: None,
        regions: vec![elsewhere()],
    };
    let added = world.run(world.services().kms.add(world.admin(), &World::context(), other));
    added.map(drop).unwrap_or_else(|failure| panic!("{failure}"));
    let request = KeyRequest {
        kms: "other".to_owned(),
        region: elsewhere(),
        aliases: vec![AliasName::parse_own("hidden").expect("an alias")],
        spec: None,
        usage: None,
        origin: Origin::AwsKms,
        description: String::new(),
        multi_region: false,
        policy: PolicyChoice::Template("payroll".to_owned()),
        bypass_lockout_check: false,
        tags: Vec::new(),
    };
    let made = world.run(world.services().keys.create(&world.admin(), &World::context(), request));
    let hidden = made.unwrap_or_else(|failure| panic!("{failure}")).key;

    let change = PrincipalsPatch { admins: Some(vec!["eve".to_owned()]), ..PrincipalsPatch::default() };
    let change = TemplateChange { policy: Some(TemplatePatch::Principals(change)), push: true, kms: None };
    let pushed = world.run(world.services().templates.update(&permit, &World::context(), change));
    assert_eq!(refusal(pushed), Refusal::Session(SessionRefusal::RightWithdrawn));
    assert_eq!(admin_at_aws(&world, &hidden), arn("ann"));
}

#[test]
fn a_template_does_not_show_a_kms_that_the_caller_may_not_view() {
    let world = World::new();
    let template = make(&world, "payroll", people("ann"));
    let shown = |viewer: &str| {
        let caller = world.caller(viewer);
        let state = &caller.published.state;
        let seen = seen(template.clone(), state, &caller.user);
        let Field::Texts(found_by) = template.field("kms", &caller) else { panic!("texts are expected") };
        (seen.kms, seen.kms_name, found_by.len())
    };
    world.user("eve", &[]);
    assert_eq!(shown("admin"), (Some(world.kms_id()), Some("kms".to_owned()), 2));
    assert_eq!(shown("eve"), (None, None, 0));
}
