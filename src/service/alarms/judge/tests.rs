//! Which events raise an alarm. `tests/api/alarms/conditions.rs` has the same with the real program.

use super::change::opened;
use super::*;
use crate::domain::alarm::AlarmEvent;
use crate::domain::id::{JobId, OperationId};
use crate::domain::job::event::{JobEvent, SyncEvent};
use crate::domain::job::sync::{Counts, SyncPlace, SyncScope};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::aws_enums::KeyState;
use crate::domain::key::days::DeletionWindow;
use crate::domain::key::example::{added, after, key_id, kms_id, region, snapshot};
use crate::domain::key::operation::Operation;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::kms::KmsEvent;
use crate::domain::name::KeyStoreName;
use crate::domain::time::Time;
use uuid::Uuid;

/// The ARN of some key.
const ARN: &str = "arn:aws:kms:eu-west-3:123456789012:key/0000abcd-12ab-34cd-56ef-1234567890ab";

/// A time after all events.
const LATE: Time = Time::from_nanos(1_700_000_000_000_000_000);

fn conditions(before: &[Event], event: Event) -> Vec<&'static str> {
    let raised = alarms_of(&after(before), &Actor::System, LATE, &[event]);
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

/// A job that has read the region completely. Its times are those of the events.
fn synchronised(region_name: &str, scope: SyncScope) -> [Event; 2] {
    let job = JobId::new(Uuid::from_u128(0x500));
    let account = after(&[added(0, &[region_name])]).kms.iter().next().expect("a KMS").account;
    let place = SyncPlace { kms: kms_id(0), account, region: region(region_name) };
    let places = vec![place];
    let started = match scope {
        SyncScope::Keys => SyncEvent::Started { by: None, all: false, places },
        SyncScope::KeyStores => SyncEvent::KeyStoresStarted { by: None, all: false, places },
    };
    let (kms, region) = (kms_id(0), region(region_name));
    let finished = SyncEvent::RegionFinished { kms, region, counts: Counts::default(), trouble: None };
    [started, finished].map(|event| Event::Job(job, JobEvent::Synchronisation(event)))
}

fn made_at(created: Option<Time>) -> Snapshot {
    let mut seen = with_policy("\"*\"");
    seen.metadata.created_at = created;
    seen
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
fn a_key_that_is_found_is_news_if_it_was_made_after_its_region_was_last_read() {
    let [started, finished] = synchronised("eu-west-3", SyncScope::Keys);
    let kms = [added(0, &["eu-west-3", "eu-west-1"]), started, finished];
    let read = after(&kms).alarms.read_times(kms_id(0), &region("eu-west-3")).keys.expect("it was read");
    assert_eq!(conditions(&kms, found(&made_at(Some(read.plus_seconds(1))))), ["policy_opened"]);
    assert_eq!(conditions(&kms, found(&made_at(Some(read.plus_seconds(-1))))), [""; 0]);
    assert_eq!(conditions(&kms, found(&made_at(None))), [""; 0]);
    // In a region that was never read, or was taken away meanwhile, everything is old.
    let late = made_at(Some(read.plus_seconds(1)));
    let elsewhere = Event::Key(
        key_id(1),
        KeyEvent::Found { kms: kms_id(0), region: region("eu-west-1"), learned: late.clone().all() },
    );
    assert_eq!(conditions(&kms, elsewhere), [""; 0]);
    assert_eq!(conditions(&[added(0, &["eu-west-3"])], found(&late)), [""; 0]);
    for keeps_keys in [false, true] {
        let to = |names: &[&str]| {
            let to = names.iter().map(|name| region(name)).collect();
            let event =
                if keeps_keys { KmsEvent::RegionsReplacedKeepingKeys { to } } else { KmsEvent::RegionsReplaced { to } };
            Event::Kms(kms_id(0), event)
        };
        let mut again = kms.to_vec();
        again.extend([to(&["eu-west-1"]), to(&["eu-west-1", "eu-west-3"])]);
        assert_eq!(conditions(&again, found(&late)), [""; 0], "{keeps_keys}");
    }
}

#[test]
fn a_key_store_that_is_found_failed_is_news_if_it_was_made_after_the_stores_were_last_read() {
    let store = |created: Time| {
        let seen = Box::new(StoreAtAws {
            id: "cks-1".to_owned(),
            name: "a store".to_owned(),
            connection_state: ConnectionState::Failed,
            connection_error: Some("CLUSTER_NOT_FOUND".to_owned()),
            created_at: Some(created),
            proxy: None,
            cloud_hsm: None,
        });
        let name = KeyStoreName::parse("a store").expect("a name");
        let found = KeyStoreEvent::Found { kms: kms_id(0), region: region("eu-west-3"), name, seen };
        Event::KeyStore(KeyStoreId::new(Uuid::from_u128(0xc00)), found)
    };
    for (scope, expected) in [(SyncScope::KeyStores, vec!["store_failed"]), (SyncScope::Keys, vec![])] {
        let [started, finished] = synchronised("eu-west-3", scope);
        let kms = [added(0, &["eu-west-3"]), started, finished];
        assert_eq!(conditions(&kms, store(LATE)), expected, "{scope:?}");
        assert_eq!(conditions(&kms, store(Time::from_nanos(0))), [""; 0], "{scope:?}");
    }
}

#[test]
fn a_key_that_our_failed_creation_left_is_ours() {
    let operation = OperationId::new(Uuid::from_u128(7));
    let state = after(&[added(0, &["eu-west-3"])]);
    let failed = KeyEvent::OperationFailed { operation, reason: "it could not be tagged".to_owned() };
    let raised = alarms_of(&state, &Actor::System, LATE, &[Event::Key(key_id(1), failed), found(&made_at(None))]);
    assert_eq!(causes(&raised), [("policy_opened", Cause::Here { by: "system".to_owned() })]);
}

#[test]
fn what_others_changed_is_theirs_when_our_operation_reads_it() {
    let outside = || Cause::Outside { found_by: "system".to_owned(), by: None };
    let here = || Cause::Here { by: "system".to_owned() };
    let opened = with_policy("\"*\"");
    let both = |change: fn(&mut Snapshot)| {
        let mut seen = opened.clone();
        change(&mut seen);
        seen
    };
    let describe = Operation::Describe { to: "anew".to_owned() };
    let window = DeletionWindow::parse(7).expect("a window");
    let cases = [
        (describe, opened.clone(), vec![("policy_opened", outside())]),
        (Operation::Disable, both(disable), vec![("key_disabled", here()), ("policy_opened", outside())]),
        (
            Operation::ScheduleDeletion { window },
            both(|seen| seen.metadata.state = KeyState::PendingDeletion),
            vec![("deletion_scheduled", here()), ("policy_opened", outside())],
        ),
        (
            Operation::PutPolicy { policy: opened.policy.clone().expect("a policy"), template: None },
            both(disable),
            vec![("key_disabled", outside()), ("policy_opened", here())],
        ),
    ];
    for (wanted, seen, expected) in cases {
        let operation = OperationId::new(Uuid::from_u128(7));
        let (kms, place) = (kms_id(0), region("eu-west-3"));
        let requested =
            KeyEvent::OperationRequested { operation, kms, region: place, wanted: Box::new(wanted.clone()) };
        let own = with_policy("\"123456789012\"");
        let state = after(&[added(0, &["eu-west-3"]), found(&own), Event::Key(key_id(1), requested)]);
        let done = KeyEvent::OperationDone { operation, learned: seen.all() };
        let raised = alarms_of(&state, &Actor::System, LATE, &[Event::Key(key_id(1), done)]);
        assert_eq!(causes(&raised), expected, "{wanted:?}");
    }
}

fn causes(raised: &[Event]) -> Vec<(&'static str, Cause)> {
    let cause = |event: &Event| {
        let Event::Alarm(_, AlarmEvent::Raised { facts, .. }) = event else { panic!("{event:?}") };
        (facts.condition.name(), facts.cause.clone())
    };
    raised.iter().map(cause).collect()
}

#[test]
fn a_key_that_vanishes_without_a_warning_raises_the_alarm_of_its_deletion() {
    let vanished = || Event::Key(key_id(1), KeyEvent::Vanished);
    let known = [added(0, &["eu-west-3"]), found(&snapshot(1, "a key"))];
    assert_eq!(conditions(&known, vanished()), ["deletion_scheduled"]);
    let pending = changed(|seen| seen.metadata.state = KeyState::PendingDeletion);
    assert_eq!(conditions(&[added(0, &["eu-west-3"]), found(&pending)], vanished()), [""; 0]);
    let gone = [added(0, &["eu-west-3"]), found(&snapshot(1, "a key")), vanished()];
    assert_eq!(conditions(&gone, vanished()), [""; 0]);
}

#[test]
fn material_that_expired_while_nobody_looked_raises_an_alarm_once() {
    let valid_to = LATE.plus_seconds(-10);
    let with = |state: KeyState, valid_to: Option<Time>| {
        changed(|seen| (seen.metadata.state, seen.metadata.valid_to) = (state, valid_to))
    };
    let lost = || observed(&with(KeyState::PendingImport, None));
    let known = |valid_to| vec![added(0, &["eu-west-3"]), found(&with(KeyState::Enabled, Some(valid_to)))];
    assert_eq!(conditions(&known(valid_to), lost()), ["material_expiring"]);
    assert_eq!(conditions(&known(LATE.plus_seconds(10)), lost()), [""; 0], "it was deleted before");
    let mut told = known(valid_to);
    told.extend(alarms_of(&after(&told), &Actor::System, LATE, &[lost()]));
    assert_eq!(conditions(&told, lost()), [""; 0]);
}

#[test]
fn a_key_is_disabled_whatever_it_was_before() {
    let known = |state: KeyState| {
        [
            added(0, &["eu-west-3"]),
            found(&changed(|seen| {
                seen.metadata.state = state.clone();
                seen.metadata.enabled = false;
            })),
        ]
    };
    for state in [KeyState::Unavailable, KeyState::PendingImport] {
        assert_eq!(conditions(&known(state.clone()), observed(&changed(disable))), ["key_disabled"], "{state:?}");
    }
}

#[test]
fn the_date_of_a_deletion_that_waited_for_replicas_is_told() {
    let pending = |state: KeyState| changed(|seen| seen.metadata.state = state);
    let waiting = [added(0, &["eu-west-3"]), found(&pending(KeyState::PendingReplicaDeletion))];
    assert_eq!(conditions(&waiting, observed(&pending(KeyState::PendingDeletion))), ["deletion_scheduled"]);
    let dated = [added(0, &["eu-west-3"]), found(&pending(KeyState::PendingDeletion))];
    assert_eq!(conditions(&dated, observed(&pending(KeyState::PendingDeletion))), [""; 0]);
}

#[test]
fn a_policy_that_could_not_be_read_before_is_no_news() {
    let unread = changed(|seen| seen.policy = None);
    let known = [added(0, &["eu-west-3"]), found(&unread)];
    assert_eq!(conditions(&known, observed(&with_policy("\"*\""))), [""; 0]);
}

#[test]
fn the_outcome_of_an_operation_names_its_actor() {
    let operation = OperationId::new(Uuid::from_u128(7));
    let (kms, place, wanted) = (kms_id(0), region("eu-west-3"), Box::new(Operation::Disable));
    let requested = KeyEvent::OperationRequested { operation, kms, region: place, wanted };
    let state = after(&[added(0, &["eu-west-3"]), found(&snapshot(1, "a key")), Event::Key(key_id(1), requested)]);
    let done = KeyEvent::OperationDone { operation, learned: changed(disable).all() };
    let raised = alarms_of(&state, &Actor::System, LATE, &[Event::Key(key_id(1), done)]);
    let [Event::Alarm(_, AlarmEvent::Raised { facts, .. })] = &raised[..] else { panic!("{raised:?}") };
    assert_eq!(facts.cause, Cause::Here { by: "system".to_owned() });
}
