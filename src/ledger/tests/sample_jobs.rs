//! Events of every kind for jobs.

use super::sample::{Form, kms, regions, user, uuid};
use crate::domain::event::Event;
use crate::domain::id::{JobId, KeyId, ScheduleId, TemplateId};
use crate::domain::job::bulk::BulkTask;
use crate::domain::job::event::{BulkEvent, JobEvent, SyncEvent};
use crate::domain::job::sync::{Counts, SyncPlace};
use crate::domain::key::days::DeletionWindow;
use crate::domain::place::AccountId;

pub(super) fn every_kind(form: Form) -> Vec<Event> {
    let sync = |event| Event::Job(JobId::new(uuid(0xa00)), JobEvent::Synchronisation(event));
    let stores = |event| Event::Job(JobId::new(uuid(0xa02)), JobEvent::Synchronisation(event));
    let bulk = |event| Event::Job(JobId::new(uuid(0xa01)), JobEvent::Bulk(event));
    let region = regions(&["eu-west-1"]).remove(0);
    let account = AccountId::parse("123456789012").expect("an account");
    let places = vec![SyncPlace { kms: kms(0), account, region: region.clone() }];
    let counts = Counts { listed: 1_000, added: 2, updated: 3, gone: 4, errors: 5 };
    let key = |n: u128| KeyId::new(uuid(0x700 + n));
    let window = DeletionWindow::parse(7).expect("days");
    let tasks = [
        BulkTask::Enable,
        BulkTask::Disable,
        BulkTask::ScheduleDeletion { window },
        BulkTask::CancelDeletion,
        BulkTask::ApplyTemplate { template: TemplateId::new(uuid(0xb00)) },
        BulkTask::AssignSchedule { schedule: ScheduleId::new(uuid(0xc00)) },
        BulkTask::RemoveSchedule,
    ];
    let reason = || "DescribeKey refused by AWS: AccessDeniedException: no".to_owned();
    let mut events = vec![
        sync(SyncEvent::Started { by: form.option(user(0)), all: form.switch(), places: form.list(places.clone()) }),
        sync(SyncEvent::RegionFinished { kms: kms(0), region: region.clone(), counts, trouble: form.option(reason()) }),
        sync(SyncEvent::RegionFailed { kms: kms(0), region: region.clone(), counts, reason: reason() }),
        sync(SyncEvent::RegionLeft { kms: kms(0), region: region.clone(), counts }),
        sync(SyncEvent::CancelRequested),
        sync(SyncEvent::Finished),
        stores(SyncEvent::KeyStoresStarted { by: form.option(user(0)), all: form.switch(), places: form.list(places) }),
        stores(SyncEvent::RegionLinked { kms: kms(0), region: region.clone(), linked: 6 }),
        stores(SyncEvent::RegionFinished { kms: kms(0), region, counts, trouble: None }),
        stores(SyncEvent::Finished),
        bulk(BulkEvent::KeyDone { key: key(0) }),
        bulk(BulkEvent::KeyFailed { key: key(1), reason: reason() }),
        bulk(BulkEvent::CancelRequested),
        bulk(BulkEvent::Finished),
    ];
    let started = |task| bulk(BulkEvent::Started { by: user(0), task, keys: form.list(vec![key(0), key(1)]) });
    events.extend(tasks.map(started));
    events
}
