//! Since when a key has its material, who is going to renew it, and when.

use super::aggregate::Key;
use super::aws_enums::{KeyState, Origin};
use super::metadata::KeyMetadata;
use crate::domain::schedule::{RotationPlan, Work};
use crate::domain::state::State;
use crate::domain::time::Time;

/// Who is going to renew the material of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rotator {
    /// A schedule, which rotates the material or replaces the key.
    Schedule,
    /// AWS's automatic rotation.
    Aws,
    Nobody,
}

impl Rotator {
    /// The names of all, as clients know them.
    pub const NAMES: &'static [&'static str] = &["schedule", "aws", "none"];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Aws => "aws",
            Self::Nobody => "none",
        }
    }
}

/// The next renewal of a key's material.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Renewal {
    pub by: Rotator,
    /// When it is due; `None` if that is not known.
    pub at: Option<Time>,
}

impl Key {
    /// The time from which the key has had its present material, as far as it is known here. A rotation by AWS is seen
    /// when the key is read the next time; one before the key was known here is not seen.
    pub fn material_since(&self) -> Time {
        let held = self.hyok.as_ref().and_then(|hyok| hyok.versions.last()).map(|version| version.created);
        // `rotated_at` of a key that was replaced is the time at which another key took its place.
        let rotated = self.rotated_at.filter(|_| self.rotated_to.is_none());
        let imported = self.current_import().map(|import| import.imported);
        let born = self.metadata.created_at.unwrap_or(self.created);
        held.or(self.material_changed.max(rotated)).or(imported).unwrap_or(born)
    }

    /// Whether these metadata, which were read just now, show another material than the one known. The material that is
    /// imported again after it expired is the same.
    pub(super) fn shows_new_material(&self, read: &KeyMetadata) -> bool {
        let known = &self.metadata;
        let waited = known.state == KeyState::PendingImport && known.origin == Origin::External;
        let comparable = known.current_material.is_some() || waited;
        let returns = self.materials.iter().any(|ours| ours.material == read.current_material);
        let returns = returns && known.current_material.is_none();
        comparable && read.current_material.is_some() && read.current_material != known.current_material && !returns
    }
}

impl RotationPlan {
    /// The time from which a run rotates this key; `None` if none does, however late.
    pub fn rotates_from(&self, key: &Key) -> Option<Time> {
        if key.metadata.is_pending_deletion() {
            return None;
        }
        let since = key.rotated_at.or(key.metadata.created_at).unwrap_or(key.created);
        let by_age = self.rotation_after.map_or(Time::from_nanos(i64::MIN), |span| span.after(since));
        match self.expire_in {
            Some(span) => key.metadata.valid_to.map(|end| span.before(end).max(by_age)),
            None => Some(by_age),
        }
    }
}

impl State {
    /// Who renews the material of a key next. A schedule that is disabled, past its end, or not for this key does not.
    pub fn next_renewal(&self, key: &Key) -> Renewal {
        let nobody = Renewal { by: Rotator::Nobody, at: None };
        if self.is_gone(key) || key.metadata.is_pending_deletion() {
            return nobody;
        }
        let by_schedule = self.due_by_schedule(key);
        let by_aws = key.rotation.as_ref().filter(|rotation| rotation.enabled).map(|rotation| rotation.next);
        match (by_schedule, by_aws) {
            (Some(due), Some(Some(next))) if next < due => Renewal { by: Rotator::Aws, at: Some(next) },
            (Some(due), _) => Renewal { by: Rotator::Schedule, at: Some(due) },
            (None, Some(next)) => Renewal { by: Rotator::Aws, at: next },
            (None, None) => nobody,
        }
    }

    fn due_by_schedule(&self, key: &Key) -> Option<Time> {
        let schedule = self.schedules.all.get(&key.rotation_job.as_ref()?.schedule)?;
        let Work::RotateKeys(plan) = &schedule.settings.work else { return None };
        // No schedule rotates the keys of an archived KMS.
        self.kms.get(&key.kms).filter(|kms| !kms.archived)?;
        schedule.next_due_from(plan.rotates_from(key)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cron::Cron;
    use crate::domain::event::{Event, KmsEvent};
    use crate::domain::id::ScheduleId;
    use crate::domain::key::event::{Aspect, KeyEvent, RotationJob};
    use crate::domain::key::example::{added, after, at, found, key_id, kms_id, snapshot};
    use crate::domain::key::material::MaterialId;
    use crate::domain::key::metadata::RotationStatus;
    use crate::domain::name::ScheduleName;
    use crate::domain::schedule::{ScheduleEvent, ScheduleSettings};
    use crate::domain::span::Span;
    use uuid::Uuid;

    const DAY: i64 = 86_400;

    fn learn(n: u128, aspect: Aspect) -> Event {
        Event::Key(key_id(n), KeyEvent::Observed { learned: vec![aspect] })
    }

    fn metadata(change: impl FnOnce(&mut KeyMetadata)) -> Event {
        let mut read = snapshot(0, "a").metadata;
        change(&mut read);
        learn(0, Aspect::Metadata(Box::new(read)))
    }

    fn since(events: &[Event]) -> Time {
        after(events).keys.get(&key_id(0)).expect("the key").material_since()
    }

    fn material(letter: &str) -> Option<MaterialId> {
        Some(MaterialId::new(&letter.repeat(64)))
    }

    #[test]
    fn the_material_is_as_old_as_the_key_until_another_is_seen() {
        let mut log = vec![added(0, &["eu-west-3"]), found(0, "a")];
        let born = snapshot(0, "a").metadata.created_at.unwrap_or(at(2));
        assert_eq!(since(&log), born);
        log.push(metadata(|read| read.current_material = material("a")));
        assert_eq!(since(&log), born, "it was not known before which material it is");
        log.push(metadata(|read| {
            read.current_material = material("a");
            read.description = "other".to_owned();
        }));
        assert_eq!(since(&log), born);
        log.push(metadata(|read| read.current_material = material("b")));
        assert_eq!(since(&log), at(5));
    }

    #[test]
    fn the_first_material_of_a_key_that_waits_for_it_counts() {
        let waits = |read: &mut KeyMetadata| {
            read.origin = Origin::External;
            read.state = KeyState::PendingImport;
        };
        let mut log = vec![added(0, &["eu-west-3"]), found(0, "a"), metadata(waits)];
        log.push(metadata(|read| {
            read.origin = Origin::External;
            read.current_material = material("a");
        }));
        assert_eq!(since(&log), at(4));
    }

    fn schedule(plan: RotationPlan, change: impl FnOnce(&mut ScheduleSettings)) -> Vec<Event> {
        let id = ScheduleId::new(Uuid::from_u128(1));
        let cron = Cron::parse("0 0 * * *").expect("a cron expression");
        let mut settings = ScheduleSettings::new(cron, Work::RotateKeys(plan));
        change(&mut settings);
        let name = ScheduleName::parse("daily").expect("a name");
        let job = RotationJob {
            schedule: id,
            key_source: "native".to_owned(),
            disable_encrypt: false,
            disable_encrypt_on_all_accounts: false,
        };
        vec![
            added(0, &["eu-west-3"]),
            found(0, "a"),
            Event::Schedule(id, ScheduleEvent::Created { name, settings }),
            Event::Key(key_id(0), KeyEvent::RotationJobSet { job: Some(job) }),
        ]
    }

    fn next(events: &[Event]) -> (&'static str, Option<Time>) {
        let state = after(events);
        let renewal = state.next_renewal(state.keys.get(&key_id(0)).expect("the key"));
        (renewal.by.name(), renewal.at)
    }

    #[test]
    fn the_next_renewal_is_by_the_schedule_or_by_aws_whichever_comes_first() {
        let plain = || schedule(RotationPlan::default(), |_| {});
        assert_eq!(next(&plain()[..2]), ("none", None));
        assert_eq!(next(&plain()), ("schedule", Some(at(DAY))));
        let by_aws =
            |next| learn(0, Aspect::Rotation(RotationStatus { enabled: true, next, ..RotationStatus::default() }));
        let with = |event: Event| [plain(), vec![event]].concat();
        assert_eq!(next(&with(by_aws(Some(at(9))))), ("aws", Some(at(9))));
        assert_eq!(next(&with(by_aws(Some(at(2 * DAY))))), ("schedule", Some(at(DAY))));
        assert_eq!(next(&with(Event::Kms(kms_id(0), KmsEvent::Archived))), ("none", None));
        assert_eq!(next(&with(Event::Key(key_id(0), KeyEvent::Vanished))), ("none", None));
        assert_eq!(next(&[added(0, &["eu-west-3"]), found(0, "a"), by_aws(None)]), ("aws", None));
    }

    #[test]
    fn a_schedule_counts_only_if_it_is_going_to_rotate_the_key() {
        assert_eq!(next(&schedule(RotationPlan::default(), |settings| settings.disabled = true)), ("none", None));
        assert_eq!(next(&schedule(RotationPlan::default(), |settings| settings.end = Some(at(5)))), ("none", None));
        let after_days = RotationPlan { rotation_after: Some(Span::Days(30)), ..RotationPlan::default() };
        let born = snapshot(0, "a").metadata.created_at.unwrap_or(at(2));
        let (by, due) = next(&schedule(after_days, |_| {}));
        assert_eq!(by, "schedule");
        assert!(due.is_some_and(|due| due >= born.plus_seconds(30 * DAY) && due <= born.plus_seconds(31 * DAY)));
        let expiring = RotationPlan { expire_in: Some(Span::Days(10)), ..RotationPlan::default() };
        let mut log = schedule(expiring, |_| {});
        assert_eq!(next(&log), ("none", None), "the material does not expire");
        log.push(metadata(|read| read.valid_to = Some(at(100 * DAY))));
        assert_eq!(next(&log), ("schedule", Some(at(90 * DAY))));
    }
}
