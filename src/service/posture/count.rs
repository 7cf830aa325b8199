//! Counts the keys of KMSs by what they are and by the rules that they break.

use super::rule::{Broken, Rule, judge};
use crate::domain::id::{KmsId, ScheduleId};
use crate::domain::key::aggregate::Key;
use crate::domain::kms::Kms;
use crate::domain::posture::KmsCounts;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::service::policies::Policies;
use std::collections::{BTreeMap, HashSet};

const DAY_SECONDS: i64 = 86_400;

/// The ages by which keys are counted: each from so many days on, until the next begins.
pub const AGES: [i64; 5] = [0, 30, 90, 365, 1095];

/// Numbers of keys.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Counts {
    /// The keys that AWS has.
    pub keys: u64,
    pub keys_with_findings: u64,
    /// The entries of keys that AWS no longer has, which are not counted otherwise.
    pub gone: u64,
    pub by_state: BTreeMap<String, u64>,
    pub by_spec: BTreeMap<String, u64>,
    pub by_origin: BTreeMap<String, u64>,
    pub by_region: BTreeMap<String, u64>,
    pub by_age: [u64; AGES.len()],
    /// The keys of which AWS says when they were last used, or that they were not.
    pub last_use_known: u64,
    by_rule: [u64; Rule::ALL.len()],
}

impl Counts {
    pub fn of_rule(&self, rule: Rule) -> u64 {
        self.by_rule[rule as usize]
    }

    pub(super) fn add(&mut self, key: &Key, broken: Broken, now: Time) {
        let metadata = &key.metadata;
        self.keys += 1;
        self.keys_with_findings += u64::from(!broken.is_empty());
        for (counts, word) in [
            (&mut self.by_state, metadata.state.as_str()),
            (&mut self.by_spec, metadata.spec.as_str()),
            (&mut self.by_origin, metadata.origin.as_str()),
            (&mut self.by_region, key.region.as_str()),
        ] {
            match counts.get_mut(word) {
                Some(count) => *count += 1,
                None => drop(counts.insert(word.to_owned(), 1)),
            }
        }
        let born = metadata.created_at.unwrap_or(key.created);
        let days = (now.seconds() - born.seconds()) / DAY_SECONDS;
        self.by_age[AGES.iter().rposition(|from| days >= *from).unwrap_or_default()] += 1;
        self.last_use_known += u64::from(key.last_use.is_some());
        broken.rules().for_each(|rule| self.by_rule[rule as usize] += 1);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.keys += other.keys;
        self.keys_with_findings += other.keys_with_findings;
        self.gone += other.gone;
        self.last_use_known += other.last_use_known;
        for (mine, theirs) in [
            (&mut self.by_state, &other.by_state),
            (&mut self.by_spec, &other.by_spec),
            (&mut self.by_origin, &other.by_origin),
            (&mut self.by_region, &other.by_region),
        ] {
            theirs.iter().for_each(|(word, count)| *mine.entry(word.clone()).or_default() += count);
        }
        self.by_age.iter_mut().zip(other.by_age).for_each(|(mine, theirs)| *mine += theirs);
        self.by_rule.iter_mut().zip(other.by_rule).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// What a day keeps of them.
    pub(super) fn of_day(&self, kms: KmsId) -> KmsCounts {
        let findings = Rule::ALL.into_iter().map(|rule| (rule.name().to_owned(), self.of_rule(rule)));
        KmsCounts {
            kms,
            keys: self.keys,
            keys_with_findings: self.keys_with_findings,
            findings: findings.filter(|(_, keys)| *keys > 0).collect(),
        }
    }
}

/// Judges and counts keys of one published state at one time.
pub(super) struct Judge<'a> {
    state: &'a State,
    policies: &'a Policies,
    now: Time,
    /// The schedules that are going to rotate keys: neither disabled nor past their end.
    schedules: HashSet<ScheduleId>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(state: &'a State, policies: &'a Policies, now: Time) -> Self {
        let going_on = state.schedules.all.iter().filter(|schedule| schedule.next_due().is_some());
        Self { state, policies, now, schedules: going_on.map(|schedule| schedule.id).collect() }
    }

    /// The rules that a key of this KMS breaks.
    pub(super) fn broken(&self, kms: &Kms, key: &Key) -> Broken {
        let brief = key.policy.as_ref().map(|policy| self.policies.brief(policy));
        let job = key.rotation_job.as_ref();
        // No schedule rotates the keys of an archived KMS.
        let scheduled = !kms.archived && job.is_some_and(|job| self.schedules.contains(&job.schedule));
        judge(key, brief.as_deref(), scheduled, self.now)
    }

    /// Counts those keys of a KMS that `sees` admits.
    pub(super) fn count(&self, kms: &Kms, sees: impl Fn(&Key) -> bool) -> Counts {
        let mut counts = Counts::default();
        for key in self.state.keys_of_kms(kms.id).filter(|key| sees(key)) {
            match is_gone(kms, key) {
                true => counts.gone += 1,
                false => counts.add(key, self.broken(kms, key), self.now),
            }
        }
        counts
    }
}

/// Whether AWS does not have a key of this KMS any more, or its region was taken from the KMS.
pub(super) fn is_gone(kms: &Kms, key: &Key) -> bool {
    key.gone || !kms.regions.contains(&key.region)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cron::Cron;
    use crate::domain::event::{Event, KmsEvent};
    use crate::domain::key::event::{KeyEvent, RotationJob};
    use crate::domain::key::example::{added, after, at, found, key_id, kms_id};
    use crate::domain::name::ScheduleName;
    use crate::domain::schedule::{RotationPlan, ScheduleEvent, ScheduleSettings, Work};
    use uuid::Uuid;

    #[test]
    fn keys_are_counted_by_what_they_are_and_sums_add_up() {
        let state = after(&[added(0, &["eu-west-3"]), found(1, "a"), found(2, "b"), added(1, &["eu-west-1"])]);
        let (policies, now) = (Policies::default(), at(40 * DAY_SECONDS));
        let kms = state.kms.get(&kms_id(0)).expect("a KMS");
        let judge = Judge::new(&state, &policies, now);
        let counts = judge.count(kms, |_| true);
        assert_eq!((counts.keys, counts.keys_with_findings, counts.gone), (2, 2, 0));
        assert_eq!((counts.by_age, counts.by_region["eu-west-3"], counts.last_use_known), ([0, 2, 0, 0, 0], 2, 0));
        assert_eq!((counts.of_rule(Rule::NoSchedule), counts.of_rule(Rule::PolicyNotUnderstood)), (2, 2));
        let mut twice = counts.clone();
        twice.merge(&counts);
        assert_eq!((twice.keys, twice.by_state["Enabled"], twice.of_rule(Rule::NoSchedule)), (4, 4, 4));
        assert_eq!(judge.count(kms, |_| false), Counts::default());
        let day = counts.of_day(kms_id(0));
        assert_eq!(day.findings, [("policy_not_understood".to_owned(), 2), ("no_schedule".to_owned(), 2)]);
    }

    #[test]
    fn a_schedule_covers_keys_only_while_it_rotates_them() {
        let id = ScheduleId::new(Uuid::from_u128(1));
        let job = RotationJob {
            schedule: id,
            key_source: "native".to_owned(),
            disable_encrypt: false,
            disable_encrypt_on_all_accounts: false,
        };
        let covered = |change: fn(&mut ScheduleSettings), archived: bool| {
            let work = Work::RotateKeys(RotationPlan::default());
            let mut settings = ScheduleSettings::new(Cron::parse("0 * * * *").expect("a cron expression"), work);
            change(&mut settings);
            let name = ScheduleName::parse("hourly").expect("a name");
            let mut events = vec![
                added(0, &["eu-west-3"]),
                found(1, "a"),
                Event::Schedule(id, ScheduleEvent::Created { name, settings }),
                Event::Key(key_id(1), KeyEvent::RotationJobSet { job: Some(job.clone()) }),
            ];
            events.extend(archived.then(|| Event::Kms(kms_id(0), KmsEvent::Archived)));
            let state = after(&events);
            let kms = state.kms.get(&kms_id(0)).expect("a KMS");
            let counts = Judge::new(&state, &Policies::default(), at(9)).count(kms, |_| true);
            counts.of_rule(Rule::NoSchedule) == 0
        };
        assert!(covered(|_| {}, false));
        assert!(!covered(|settings| settings.disabled = true, false));
        assert!(!covered(|settings| settings.end = Some(at(5)), false));
        assert!(!covered(|_| {}, true), "no schedule rotates the keys of an archived KMS");
    }
}
