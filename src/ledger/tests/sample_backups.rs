//! Events of every kind for backups.

use super::sample::{Form, uuid};
use crate::domain::backup::{BackupEvent, BackupFile};
use crate::domain::event::Event;
use crate::domain::id::{BackupId, ScheduleId};

pub(super) fn every_kind(form: Form) -> impl Iterator<Item = Event> {
    let requested = || BackupEvent::Requested {
        plan: super::sample_schedules::backup_plan(form),
        schedule: form.option(ScheduleId::new(uuid(0x5c))),
    };
    let file = BackupFile {
        name: "claviger-20261130T101500Z.age".to_owned(),
        bytes: 1_203_456,
        sha256: "5e".repeat(32),
        records: 4_711,
        head_hash: "a1".repeat(32),
    };
    let backup = |n: u128, event| Event::Backup(BackupId::new(uuid(0xbac0 + n)), event);
    let failed = BackupEvent::Failed { reason: "connection `x` is not known here".to_owned() };
    [
        backup(0, requested()),
        backup(1, requested()),
        backup(2, requested()),
        backup(3, requested()),
        backup(0, BackupEvent::Made(file)),
        backup(1, failed),
        backup(2, BackupEvent::Deleted),
    ]
    .into_iter()
}
