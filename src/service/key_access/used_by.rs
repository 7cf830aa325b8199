//! Who used a key, by the events of CloudTrail in a log group. A request waits for the answer, so the reading is bounded;
//! it begins with the newest day, and the answer says how far back it got.

use super::KeyAccess;
use crate::aws::cloudtrail::TrailEvent;
use crate::domain::key::aggregate::Key;
use crate::domain::place::Region;
use crate::domain::time::Time;
use crate::policy::actions::{Group, group_of};
use crate::service::access::{CreateReport, KeyPermit, KmsPermit, ViewKey};
use crate::service::failure::{Failure, invalid};
use crate::service::trail::{TrailSource, TrailWindow};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

const DAY_SECONDS: i64 = 86_400;

/// The most pages of events that one request reads.
const PAGES_MAX: u32 = 200;

/// The longest reading.
const READING_MAX: Duration = Duration::from_secs(20);

/// The most principals in an answer.
const PRINCIPALS_MAX: usize = 1_000;

/// The events to read.
#[derive(Clone, Debug)]
pub struct UseWindow {
    /// The log group; that of the drift watch of the KMS if it is not given.
    pub log_group: Option<String>,
    /// The region of the log group; that of the key if it is not given.
    pub region: Option<Region>,
    pub days: u16,
}

/// Who used a key.
pub struct UsedBy {
    pub log_group: String,
    pub region: Region,
    /// The beginning of the time whose events were read.
    pub from: Time,
    pub until: Time,
    /// Whether all days that were asked for were read.
    pub complete: bool,
    pub events_read: u64,
    /// The messages that are no events of CloudTrail.
    pub skipped: u64,
    /// The principals, the one with the newest use first.
    pub principals: Vec<PrincipalUse>,
}

/// The use of a key by one principal.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct PrincipalUse {
    /// The ARN of a user, or of the role of a session; the name of a service.
    pub principal: String,
    /// CloudTrail's type of the identity.
    pub kind: String,
    pub account: String,
    pub calls: u64,
    /// The calls among them that failed.
    pub failures: u64,
    pub operations: BTreeMap<String, u64>,
    /// The last call that succeeded; `None` if all failed.
    pub last: Option<LastCall>,
}

/// The last successful call of a principal.
#[derive(Clone, PartialEq, Debug)]
pub struct LastCall {
    pub at: Time,
    pub operation: String,
    pub event_id: String,
    pub source_ip: String,
    /// The ARN of the session.
    pub session: String,
}

type Uses = BTreeMap<String, PrincipalUse>;

impl KeyAccess {
    /// Returns who used a key; `None` if no log group is given and none is known. The caller must be able to create reports on the KMS, which read CloudTrail too.
    ///
    /// # Errors
    /// When the caller lacks the right, or AWS refuses.
    pub async fn used_by(&self, permit: &KeyPermit<ViewKey>, wanted: &UseWindow) -> Result<Option<UsedBy>, Failure> {
        let (caller, key, kms) = (permit.caller(), permit.key(), permit.kms());
        KmsPermit::<CreateReport>::authorize(caller.clone(), kms.id)?;
        kms.refuse_archived()?;
        let watch = caller.published.state.watch_of(kms.id);
        let (log_group, region) = match (&wanted.log_group, watch) {
            (Some(given), _) => (given.clone(), wanted.region.clone()),
            (None, Some(watch)) => (watch.log_group.clone(), watch.log_group_region.clone()),
            (None, None) => return Ok(None),
        };
        let region = region.unwrap_or_else(|| key.region.clone());
        if region.partition() != key.region.partition() {
            let problem = format!("is not a region of partition `{}`", key.region.partition());
            return Err(invalid("log_group_region", problem).into());
        }
        let until = caller.at;
        let mut used_by = UsedBy {
            log_group: log_group.clone(),
            region: region.clone(),
            from: until,
            until,
            complete: false,
            events_read: 0,
            skipped: 0,
            principals: Vec::new(),
        };
        let (mut uses, mut pages, deadline) = (Uses::new(), 0, Instant::now() + READING_MAX);
        for _ in 0..wanted.days {
            let window = TrailWindow { start: used_by.from.plus_seconds(-DAY_SECONDS), end: used_by.from };
            let source = TrailSource { kms: kms.id, region: region.clone(), log_group: log_group.clone() };
            let mut reader = self.trails.reader(source, window, None);
            let mut of_day = Uses::new();
            loop {
                if pages >= PAGES_MAX {
                    return Ok(Some(used_by.with(uses)));
                }
                let key = key.clone();
                let page = reader.next(move |events| uses_of(&key, &events));
                let Ok(page) = timeout_at(deadline, page).await else { return Ok(Some(used_by.with(uses))) };
                let Some(page) = page? else { break };
                pages += 1;
                used_by.events_read += page.counts.read;
                used_by.skipped += page.counts.skipped;
                page.result.into_iter().for_each(|(name, used)| merge(&mut of_day, name, used));
            }
            // Only whole days count: events come oldest first, so that a part of a day lacks the newest.
            of_day.into_iter().for_each(|(name, used)| merge(&mut uses, name, used));
            used_by.from = window.start;
        }
        used_by.complete = true;
        Ok(Some(used_by.with(uses)))
    }
}

impl UsedBy {
    fn with(self, uses: Uses) -> Self {
        let mut principals: Vec<PrincipalUse> = uses.into_values().collect();
        principals.sort_by_key(|used| std::cmp::Reverse(used.last.as_ref().map(|last| last.at)));
        Self { principals, ..self }
    }
}

/// The uses of a key in some events.
fn uses_of(key: &Key, events: &[TrailEvent]) -> Uses {
    let (arn, mut uses) = (key.metadata.arn.to_string(), Uses::new());
    for event in events.iter().filter(|event| is_use(&event.name) && event.keys.contains(&arn)) {
        let identity = &event.identity;
        // The sessions of a role are one principal.
        let issuer = Some(&identity.session_issuer).filter(|issuer| !issuer.is_empty());
        let principal = issuer.map_or(identity.name(), String::as_str).to_owned();
        let last = event.error_code.is_empty().then(|| LastCall {
            at: event.time,
            operation: event.name.clone(),
            event_id: event.event_id.clone(),
            source_ip: event.source_ip.clone(),
            session: issuer.map(|_| identity.arn.clone()).unwrap_or_default(),
        });
        let used = PrincipalUse {
            kind: identity.kind.clone(),
            account: identity.account.clone(),
            calls: 1,
            failures: u64::from(last.is_none()),
            operations: [(event.name.clone(), 1)].into(),
            last,
            principal: principal.clone(),
        };
        merge(&mut uses, principal, used);
    }
    uses
}

fn merge(uses: &mut Uses, principal: String, more: PrincipalUse) {
    if uses.len() >= PRINCIPALS_MAX && !uses.contains_key(&principal) {
        return;
    }
    let used = uses.entry(principal).or_insert_with(|| PrincipalUse {
        principal: more.principal.clone(),
        kind: more.kind.clone(),
        account: more.account.clone(),
        ..PrincipalUse::default()
    });
    used.calls += more.calls;
    used.failures += more.failures;
    more.operations.into_iter().for_each(|(name, calls)| *used.operations.entry(name).or_default() += calls);
    if more.last.as_ref().map(|last| last.at) > used.last.as_ref().map(|last| last.at) {
        used.last = more.last;
    }
}

/// Whether an operation is cryptography with a key. CloudTrail names one event for both sides of ReEncrypt.
fn is_use(operation: &str) -> bool {
    operation == "ReEncrypt" || group_of(&format!("kms:{operation}")) == Some(Group::Use)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::cloudtrail::TrailIdentity;
    use crate::domain::key::example::{at, key_id, kms_id, region, snapshot};

    fn event(key: &str, name: &str, second: i64, error: &str, session: &str) -> TrailEvent {
        let identity = TrailIdentity {
            kind: "AssumedRole".to_owned(),
            arn: format!("arn:aws:sts::123456789012:assumed-role/app/{session}"),
            principal_id: String::new(),
            account: "123456789012".to_owned(),
            user_name: String::new(),
            invoked_by: String::new(),
            session_issuer: "arn:aws:iam::123456789012:role/app".to_owned(),
        };
        TrailEvent {
            event_id: format!("e{second}"),
            request_id: String::new(),
            shared_event_id: String::new(),
            time: at(second),
            name: name.to_owned(),
            source: "kms.amazonaws.com".to_owned(),
            region: "eu-west-3".to_owned(),
            recipient_account: "123456789012".to_owned(),
            identity,
            source_ip: "10.0.0.1".to_owned(),
            user_agent: String::new(),
            error_code: error.to_owned(),
            error_message: String::new(),
            read_only: None,
            aliases: Vec::new(),
            keys: vec![key.to_owned()],
            key_parameter: String::new(),
            custom_key_store_id: String::new(),
            xks_key_id: String::new(),
            named_store_id: String::new(),
            via_service: String::new(),
        }
    }

    #[test]
    fn the_sessions_of_a_role_are_one_principal_and_only_successful_uses_are_last() {
        let learned = snapshot(1, "").all();
        let key = Key::known(key_id(1), kms_id(0), region("eu-west-3"), at(1), &learned).expect("metadata");
        let arn = key.metadata.arn.to_string();
        let events = [
            event(&arn, "Decrypt", 5, "", "one"),
            event(&arn, "ReEncrypt", 7, "", "two"),
            event(&arn, "Encrypt", 9, "AccessDenied", "three"),
            event(&arn, "DescribeKey", 11, "", "four"),
            event("arn:aws:kms:eu-west-3:123456789012:key/another", "Decrypt", 12, "", "five"),
        ];
        let uses = uses_of(&key, &events);
        let used = &uses["arn:aws:iam::123456789012:role/app"];
        assert_eq!((uses.len(), used.calls, used.failures), (1, 3, 1));
        let last = used.last.as_ref().expect("a use");
        assert_eq!((last.at, last.operation.as_str(), last.event_id.as_str()), (at(7), "ReEncrypt", "e7"));
        assert!(last.session.ends_with("app/two"));
        assert_eq!(used.operations.len(), 3);
    }
}
