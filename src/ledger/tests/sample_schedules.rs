//! One event of every kind that policy templates and schedules have.

use super::sample::{kms, uuid};
use crate::domain::cron::Cron;
use crate::domain::event::{Actor, Event};
use crate::domain::id::{JobId, KeyId, ScheduleId, TemplateId};
use crate::domain::key::policy::PolicyPrincipals;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::name::{ScheduleName, TemplateName};
use crate::domain::place::AccountId;
use crate::domain::schedule::{
    Cause, KeyOutcome, RotationPlan, RunOutcome, ScheduleEvent, ScheduleSettings, SynchronizationPlan, Work,
};
use crate::domain::span::Span;
use crate::domain::template::{Push, TemplateEvent, TemplatePolicy};
use crate::domain::time::Time;

fn schedule() -> ScheduleId {
    ScheduleId::new(uuid(0x900))
}

fn name() -> ScheduleName {
    ScheduleName::parse("еженедельно").expect("a name")
}

/// A schedule that has caused an event.
pub(super) fn actor() -> Actor {
    Actor::Schedule { id: schedule(), name: name() }
}

fn settings(work: Work) -> ScheduleSettings {
    ScheduleSettings {
        description: "every week".to_owned(),
        run_at: Cron::parse("0 9 * * sat").expect("a cron expression"),
        start: Some(Time::from_nanos(1_700_000_000_000_000_000)),
        end: None,
        disabled: false,
        work,
    }
}

pub(super) fn every_kind() -> Vec<Event> {
    let plan = RotationPlan {
        expiration: Some(Span::Days(90)),
        expire_in: Some(Span::Hours(12)),
        rotation_after: None,
        retain_alias: true,
        rotate_material: false,
    };
    let (run, key, other) = (JobId::new(uuid(0xa00)), KeyId::new(uuid(0x600)), KeyId::new(uuid(0x601)));
    let treated = |outcome| ScheduleEvent::KeyTreated { run, key, outcome };
    let schedules = [
        ScheduleEvent::Created { name: name(), settings: settings(Work::RotateKeys(plan)) },
        ScheduleEvent::Updated { settings: settings(Work::Synchronize(SynchronizationPlan::All)) },
        ScheduleEvent::Updated { settings: settings(Work::Synchronize(SynchronizationPlan::Kms(vec![kms(0)]))) },
        ScheduleEvent::RunStarted { run, cause: Cause::Due(Time::from_nanos(1)) },
        ScheduleEvent::RunStarted { run, cause: Cause::Missed(Time::from_nanos(2)) },
        ScheduleEvent::RunStarted { run, cause: Cause::Asked },
        treated(KeyOutcome::MaterialRotated),
        treated(KeyOutcome::ReplacedBy(other)),
        treated(KeyOutcome::Failed("AccessDeniedException: no".to_owned())),
        ScheduleEvent::RunFinished { run, outcome: RunOutcome::Done },
        ScheduleEvent::RunFinished { run, outcome: RunOutcome::Failed("1 of 3 keys were not rotated".to_owned()) },
        ScheduleEvent::Deleted,
    ];
    let text = PolicyText::parse(r#"{"Version":"2012-10-17","Statement":[]}"#).expect("a policy");
    let people = PolicyPrincipals { admins: vec!["ann".to_owned()], ..PolicyPrincipals::default() };
    let templates = [
        TemplateEvent::Created {
            name: TemplateName::parse("payroll").expect("a name"),
            account: AccountId::parse("123456789012").expect("an account"),
            kms: Some(kms(0)),
            policy: TemplatePolicy::Principals(people),
        },
        TemplateEvent::PolicyReplaced { to: TemplatePolicy::Text(text) },
        TemplateEvent::Pushed(Push { done: vec![key], failed: vec![(other, "AccessDeniedException: no".to_owned())] }),
        TemplateEvent::Verified,
        TemplateEvent::Deleted,
    ];
    let template = TemplateId::new(uuid(0xb00));
    let templates = templates.into_iter().map(|event| Event::Template(template, event));
    templates.chain(schedules.into_iter().map(|event| Event::Schedule(schedule(), event))).collect()
}
