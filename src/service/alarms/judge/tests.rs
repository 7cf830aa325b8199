//! Which events raise an alarm. `tests/api/alarms/conditions.rs` has the same with the real program.

use super::*;
use crate::domain::alarm::AlarmEvent;
use crate::domain::id::OperationId;
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::example::{added, after, key_id, kms_id, region, snapshot};
use crate::domain::key::operation::Operation;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::time::Time;
use uuid::Uuid;

/// The ARN of some key.
const ARN: &str = "arn:aws:kms:eu-west-3:123456789012:key/0000abcd-12ab-34cd-56ef-1234567890ab";

fn conditions(before: &[Event], event: Event) -> Vec<&'static str> {
    let raised = alarms_of(&after(before), &Actor::System, &[event]);
    let condition = |event: Event| {
        let Event::Alarm(_, AlarmEvent::Raised { facts, .. }) = event else { panic!("{event:?}") };
        facts.condition.name()
    };
    raised.into_iter().map(condition).collect()
}

fn found(seen: &Snapshot) -> Event {
    Event::Key(key_id(1), KeyEvent::Found { kms: kms_id(0), region: region("eu-west-3"), learned: seen.clone().all() })
}

fn observed(seen: &Snapshot) -> Event {
    Event::Key(key_id(1), KeyEvent::Observed { learned: seen.clone().all() })
}

fn changed(change: impl FnOnce(&mut Snapshot)) -> Snapshot {
    let mut seen = snapshot(1, "a key");
    change(&mut seen);
    seen
}

fn disable(seen: &mut Snapshot) {
    seen.metadata.state = KeyState::Disabled;
    seen.metadata.enabled = false;
}

fn with_policy(principal: &str) -> Snapshot {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":{principal}}},"Action":"kms:*","Resource":"*"}}]}}"#
    );
    changed(|seen| seen.policy = Some(PolicyText::parse(&text).expect("a policy")))
}

#[test]
fn only_the_change_to_a_bad_state_raises_an_alarm() {
    let known = [added(0, &["eu-west-3"]), found(&snapshot(1, "a key"))];
    assert_eq!(conditions(&known, observed(&changed(disable))), ["key_disabled"]);
    let disabled = [added(0, &["eu-west-3"]), found(&changed(disable))];
    assert_eq!(conditions(&disabled, observed(&changed(disable))), [""; 0]);
    let pending = changed(|seen| {
        seen.metadata.state = KeyState::PendingDeletion;
        seen.metadata.enabled = false;
    });
    assert_eq!(conditions(&known, observed(&pending)), ["deletion_scheduled"]);
    let ending = [added(0, &["eu-west-3"]), found(&pending)];
    assert_eq!(conditions(&ending, observed(&changed(disable))), [""; 0], "a cancelled deletion leaves it disabled");
}

#[test]
fn a_policy_that_admits_the_same_or_fewer_is_no_news() {
    let own = "\"arn:aws:iam::123456789012:root\"";
    let (both, more) = (format!("[{own},\"210987654321\"]"), format!("[{own},\"210987654321\",\"333333333333\"]"));
    let known = |principal: &str| [added(0, &["eu-west-3"]), found(&with_policy(principal))];
    assert_eq!(conditions(&known(own), observed(&with_policy(&both))), ["policy_opened"]);
    assert_eq!(conditions(&known(&both), observed(&with_policy(&more))), ["policy_opened"]);
    assert_eq!(conditions(&known(&more), observed(&with_policy(&both))), [""; 0]);
    assert_eq!(conditions(&known(&both), observed(&with_policy(own))), [""; 0]);
    assert_eq!(conditions(&known(own), observed(&with_policy("\"*\""))), ["policy_opened"]);
}

#[test]
fn a_part_that_cannot_be_read_is_told_once_and_hides_nobody() {
    let policy = |accounts: &str, operator: &str| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[
                {{"Effect":"Allow","Principal":{{"AWS":{accounts}}},"Action":"kms:*","Resource":"*"}},
                {{"Sid":"Odd","Effect":"Allow","Principal":{{"AWS":"123456789012"}},"Action":"kms:Decrypt","Resource":"*",
                "Condition":{{"{operator}":{{"aws:PrincipalOrgID":"o-1"}}}}}}]}}"#
        );
        text
    };
    let own = "\"123456789012\"";
    let both = "[\"123456789012\",\"210987654321\"]";
    let plain = policy(own, "StringEquals");
    let told = |before: &str, now: &str| opened(Some(before), now, ARN, "123456789012");
    assert!(told(&plain, &policy(own, "Wonders")).is_some_and(|text| text.contains("cannot be read")));
    assert_eq!(told(&policy(own, "Wonders"), &policy(own, "Wonders").replace("kms:Decrypt", "kms:Encrypt")), None);
    assert_eq!(told(&policy(both, "Wonders"), &policy(own, "Wonders")), None, "a policy that admits fewer");
    let more = told(&policy(own, "Wonders"), &policy(both, "Wonders"));
    assert_eq!(more.as_deref(), Some("The policy of the key now admits account 210987654321."));
}

#[test]
fn a_statement_about_another_key_opens_nothing() {
    let policy = |resource: &str| {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},
            "Action":"kms:*","Resource":"RESOURCE"}]}"#;
        changed(|seen| seen.policy = PolicyText::parse(&text.replace("RESOURCE", resource)).ok())
    };
    let known = [added(0, &["eu-west-3"]), found(&with_policy("\"123456789012\""))];
    let own = snapshot(1, "").metadata.arn.to_string();
    assert_eq!(conditions(&known, observed(&policy(&own))), ["policy_opened"]);
    assert_eq!(conditions(&known, observed(&policy(ARN))), [""; 0]);
}

#[test]
fn a_key_that_is_older_than_its_kms_raises_nothing_when_it_is_found() {
    let kms = [added(0, &["eu-west-3"])];
    let since = after(&kms).kms.iter().next().expect("a KMS").created;
    let open = |created: Option<Time>| {
        let mut seen = with_policy("\"*\"");
        seen.metadata.created_at = created;
        seen
    };
    assert_eq!(conditions(&kms, found(&open(Some(since.plus_seconds(1))))), ["policy_opened"]);
    assert_eq!(conditions(&kms, found(&open(Some(since.plus_seconds(-1))))), [""; 0]);
    assert_eq!(conditions(&kms, found(&open(None))), [""; 0]);
}

#[test]
fn the_outcome_of_an_operation_names_its_actor() {
    let operation = OperationId::new(Uuid::from_u128(7));
    let (kms, place, wanted) = (kms_id(0), region("eu-west-3"), Box::new(Operation::Disable));
    let requested = KeyEvent::OperationRequested { operation, kms, region: place, wanted };
    let state = after(&[added(0, &["eu-west-3"]), found(&snapshot(1, "a key")), Event::Key(key_id(1), requested)]);
    let done = KeyEvent::OperationDone { operation, learned: changed(disable).all() };
    let raised = alarms_of(&state, &Actor::System, &[Event::Key(key_id(1), done)]);
    let [Event::Alarm(_, AlarmEvent::Raised { facts, .. })] = &raised[..] else { panic!("{raised:?}") };
    assert_eq!(facts.cause, Cause::Here { by: "system".to_owned() });
}
