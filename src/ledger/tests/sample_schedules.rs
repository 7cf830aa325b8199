//! Events of every kind for policy templates and schedules.

use super::sample::{Form, kms, regions, uuid};
use crate::domain::cron::Cron;
use crate::domain::event::{Actor, Event};
use crate::domain::id::{JobId, KeyId, KeyStoreId, ScheduleId, TemplateId};
use crate::domain::key::policy::PolicyPrincipals;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::name::{JsonText, ScheduleName, TemplateName};
use crate::domain::place::AccountId;
use crate::domain::schedule::{
    BackupPlan, Cause, KeyOutcome, RotationPlan, RunOutcome, ScheduleEvent, ScheduleSettings, StoreOutcome,
    SynchronizationPlan, WatchPlan, Work,
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

/// A schedule as the actor of an event.
pub(super) fn actor() -> Actor {
    Actor::Schedule { id: schedule(), name: name() }
}

fn settings(form: Form, work: Work) -> ScheduleSettings {
    ScheduleSettings {
        description: form.text("every week"),
        run_at: Cron::parse("0 9 * * sat").expect("a cron expression"),
        start: form.option(Time::from_nanos(1_700_000_000_000_000_000)),
        end: form.option(Time::from_nanos(1_800_000_000_000_000_000)),
        disabled: form.switch(),
        work,
    }
}

fn of_schedules(form: Form) -> impl Iterator<Item = Event> {
    let plan = RotationPlan {
        expiration: form.option(Span::Days(90)),
        expire_in: form.option(Span::Hours(12)),
        rotation_after: form.option(Span::Days(3_650)),
        retain_alias: form.switch(),
        rotate_material: form.switch(),
    };
    let (run, key, other) = (JobId::new(uuid(0xa00)), KeyId::new(uuid(0x600)), KeyId::new(uuid(0x601)));
    let treated = |outcome| ScheduleEvent::KeyTreated { run, key, outcome };
    let stored = |outcome| ScheduleEvent::StoreTreated { run, store: KeyStoreId::new(uuid(0xc00)), outcome };
    let watch = WatchPlan {
        kms: kms(0),
        log_group: "aws-cloudtrail-logs".to_owned(),
        log_group_region: form.option(regions(&["us-east-1"]).remove(0)),
        overlap_minutes: 60,
    };
    let backup = backup_plan(form);
    let synchronize = |plan| settings(form, Work::Synchronize(plan));
    let events = vec![
        ScheduleEvent::Created { name: name(), settings: settings(form, Work::RotateKeys(plan)) },
        ScheduleEvent::Updated { settings: synchronize(SynchronizationPlan::All) },
        ScheduleEvent::Updated { settings: synchronize(SynchronizationPlan::Kms(form.list(vec![kms(0)]))) },
        ScheduleEvent::RunOnChanged { to: "node-2".to_owned() },
        ScheduleEvent::RunStarted { run, cause: Cause::Due(Time::from_nanos(1)) },
        ScheduleEvent::RunStarted { run, cause: Cause::Missed(Time::from_nanos(2)) },
        ScheduleEvent::RunStarted { run, cause: Cause::Asked },
        treated(KeyOutcome::MaterialRotated),
        treated(KeyOutcome::ReplacedBy(other)),
        treated(KeyOutcome::Failed("AccessDeniedException: no".to_owned())),
        ScheduleEvent::RunFinished { run, outcome: RunOutcome::Done },
        ScheduleEvent::RunFinished { run, outcome: RunOutcome::Failed("1 of 3 keys were not rotated".to_owned()) },
        ScheduleEvent::Updated { settings: settings(form, Work::RotateCredentials) },
        ScheduleEvent::Updated { settings: settings(form, Work::WatchDrift(watch)) },
        ScheduleEvent::Updated { settings: settings(form, Work::BackUp(backup)) },
        stored(StoreOutcome::CredentialRotated),
        stored(StoreOutcome::Failed("key store `xks` is FAILED at AWS".to_owned())),
        ScheduleEvent::Deleted,
    ];
    events.into_iter().map(|event| Event::Schedule(schedule(), event))
}

pub(super) fn backup_plan(form: Form) -> BackupPlan {
    BackupPlan {
        description: form.text("every night"),
        backup_key: form.text("d370535b-a035-4251-9780-e608f713be77"),
        connection: form.text("archive"),
        scope: form.text("system"),
        retention_count: 7,
        do_scp: form.switch(),
        tied_to_hsm: form.switch(),
        filters: form.option(JsonText::stored("[]")),
    }
}

fn of_templates(form: Form) -> impl Iterator<Item = Event> {
    let text = PolicyText::parse(r#"{"Version":"2012-10-17","Statement":[]}"#).expect("a policy");
    let names = |name: &str| form.list(vec![name.to_owned()]);
    let people = PolicyPrincipals {
        admins: names("ann"),
        admin_roles: names("keepers"),
        users: names("bob"),
        user_roles: names("arn:aws:iam::123456789012:role/payroll"),
        accounts: names("210987654321"),
    };
    let (done, failed) = (KeyId::new(uuid(0x600)), KeyId::new(uuid(0x601)));
    let events = vec![
        TemplateEvent::Created {
            name: TemplateName::parse("payroll").expect("a name"),
            account: AccountId::parse("123456789012").expect("an account"),
            kms: form.option(kms(0)),
            policy: TemplatePolicy::Principals(people),
        },
        TemplateEvent::PolicyReplaced { to: TemplatePolicy::Text(text) },
        TemplateEvent::Pushed(Push {
            done: form.list(vec![done]),
            failed: form.list(vec![(failed, "AccessDeniedException: no".to_owned())]),
        }),
        TemplateEvent::Verified,
        TemplateEvent::Deleted,
    ];
    events.into_iter().map(|event| Event::Template(TemplateId::new(uuid(0xb00)), event))
}

pub(super) fn every_kind(form: Form) -> impl Iterator<Item = Event> {
    of_templates(form).chain(of_schedules(form))
}
