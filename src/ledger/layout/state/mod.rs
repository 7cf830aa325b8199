//! The content of a snapshot: the layout of the entire state, in parts that are decoded in parallel. Indexes are not
//! stored: they are rebuilt from the entries.
//!
//! A snapshot is a cache, and a snapshot of another version of the program is discarded. So the layouts here may
//! change; raise [`VERSION`] when they do, for builds of the same version.

mod alarms;
mod drift;
mod entries;
mod indexed;
mod key_stores;
mod shown;

use super::{Impossible, IntoLive, LayoutOf};
use crate::domain::event::Stream;
use crate::domain::id::{ConnectionId, JobId, KeyId, KeyStoreId, KmsId, ScheduleId, SourceKeyId, TemplateId, UserId};
use crate::domain::job::retained::{Parted, Retained};
use crate::domain::key::aggregate;
use crate::domain::name::GroupName;
use crate::domain::restore::Entries;
use crate::domain::state::State;
use crate::ledger::history::History;
use crate::ledger::snapshot::{PartWriter, SnapshotError, SnapshotFile};
use entries::*;
use indexed::{Run, SyncJob};
use key_stores::KeyStore;
use serde::{Deserialize, Serialize};
pub use shown::members_of;
use std::io;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// The version of these layouts.
pub(in crate::ledger) const VERSION: u8 = 16;

/// The kind of the part with everything except keys and histories.
const REST: u16 = 1;
const KEYS: u16 = 2;
const HISTORIES: u16 = 3;

/// The number of keys in one part: enough parts for all threads, each far smaller than the state.
const KEYS_AT_ONCE: usize = 10_000;
const STREAMS_AT_ONCE: usize = 10_000;
/// More threads than this would only wait for the one that builds the tables.
const THREADS_MAX: usize = 4;

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Rest<'a> {
    installation: Option<Installation<'a>>,
    password_policies: Vec<NamedPasswordPolicy<'a>>,
    users: Vec<User<'a>>,
    groups: Vec<Group<'a>>,
    sessions: Vec<Session<'a>>,
    connections: Vec<Connection<'a>>,
    kms: Vec<Kms<'a>>,
    unmanaged_keys: Vec<UnmanagedKeys<'a>>,
    source_keys: Vec<SourceKey<'a>>,
    operations: Vec<(Uuid, PendingOperation<'a>)>,
    sync_jobs: Vec<SyncJob<'a>>,
    /// The ended jobs, and the number of their parts.
    ended_sync_jobs: (Vec<Uuid>, u64),
    bulk_jobs: Vec<BulkJob<'a>>,
    ended_bulk_jobs: (Vec<Uuid>, u64),
    templates: Vec<Template<'a>>,
    schedules: Vec<Schedule<'a>>,
    runs: Vec<Run<'a>>,
    ownerless_runs: Vec<Uuid>,
    key_stores: Vec<KeyStore<'a>>,
    virtual_keys: Vec<VirtualKey<'a>>,
    posture: Vec<DayCounts<'a>>,
    reports: Vec<Report<'a>>,
    alarms: alarms::Alarms<'a>,
    drift: drift::Drift<'a>,
    backups: Vec<Backup<'a>>,
    forwarders: Vec<Forwarder<'a>>,
}

/// A stream that has a history, and the numbers of its records.
#[derive(Serialize, Deserialize)]
enum StreamHistory {
    Kms(Uuid, Vec<u64>),
    Connection(Uuid, Vec<u64>),
    Key(Uuid, Vec<u64>),
    User(Uuid, Vec<u64>),
    Group(String, Vec<u64>),
    Template(Uuid, Vec<u64>),
    Schedule(Uuid, Vec<u64>),
    SourceKey(Uuid, Vec<u64>),
    KeyStore(Uuid, Vec<u64>),
}

impl StreamHistory {
    /// `None` for a stream without a history.
    fn of(stream: &Stream, numbers: Vec<u64>) -> Option<Self> {
        match stream {
            Stream::Kms(id) => Some(Self::Kms(id.uuid(), numbers)),
            Stream::Connection(id) => Some(Self::Connection(id.uuid(), numbers)),
            Stream::Key(id) => Some(Self::Key(id.uuid(), numbers)),
            Stream::User(id) => Some(Self::User(id.uuid(), numbers)),
            Stream::Group(name) => Some(Self::Group(name.to_string(), numbers)),
            Stream::Template(id) => Some(Self::Template(id.uuid(), numbers)),
            Stream::Schedule(id) => Some(Self::Schedule(id.uuid(), numbers)),
            Stream::SourceKey(id) => Some(Self::SourceKey(id.uuid(), numbers)),
            Stream::KeyStore(id) => Some(Self::KeyStore(id.uuid(), numbers)),
            Stream::Installation
            | Stream::Session(_)
            | Stream::Job(_)
            | Stream::Posture
            | Stream::Report(_)
            | Stream::Webhook(_)
            | Stream::Alarm(_)
            | Stream::Drift(_)
            | Stream::Backup(_)
            | Stream::Forwarder(_) => None,
        }
    }

    fn restore(self, history: &mut History) {
        let (stream, numbers) = match self {
            Self::Kms(id, numbers) => (Stream::Kms(KmsId::new(id)), numbers),
            Self::Connection(id, numbers) => (Stream::Connection(ConnectionId::new(id)), numbers),
            Self::Key(id, numbers) => (Stream::Key(KeyId::new(id)), numbers),
            Self::User(id, numbers) => (Stream::User(UserId::new(id)), numbers),
            Self::Group(name, numbers) => (Stream::Group(GroupName::stored(&name)), numbers),
            Self::Template(id, numbers) => (Stream::Template(TemplateId::new(id)), numbers),
            Self::Schedule(id, numbers) => (Stream::Schedule(ScheduleId::new(id)), numbers),
            Self::SourceKey(id, numbers) => (Stream::SourceKey(SourceKeyId::new(id)), numbers),
            Self::KeyStore(id, numbers) => (Stream::KeyStore(KeyStoreId::new(id)), numbers),
        };
        history.restore(stream, numbers);
    }
}

/// Writes the parts of a snapshot. Entries without an order are sorted, so that the same state gives the same bytes.
pub(in crate::ledger) fn write(state: &State, history: &History, parts: &mut PartWriter) -> io::Result<()> {
    write_rest(state, parts)?;
    let mut keys = state.keys.all_rows().map(|key| Key::of(key)).peekable();
    while keys.peek().is_some() {
        push(parts, KEYS, &keys.by_ref().take(KEYS_AT_ONCE).collect::<Vec<_>>())?;
    }
    let mut streams = history.streams();
    streams.sort_unstable();
    for streams in streams.chunks(STREAMS_AT_ONCE) {
        let histories = streams.iter().filter_map(|stream| StreamHistory::of(stream, history.of(stream)));
        push(parts, HISTORIES, &histories.collect::<Vec<_>>())?;
    }
    Ok(())
}

fn write_rest(state: &State, parts: &mut PartWriter) -> io::Result<()> {
    let unmanaged = state.keys.unmanaged_entries();
    let mut sessions: Vec<_> = state.sessions.iter().collect();
    sessions.sort_by_key(|session| session.id.uuid());
    let mut operations: Vec<_> = state.operations.iter().collect();
    operations.sort_by_key(|(id, _)| id.uuid());
    let watched = state.drift.stored();
    let rest = Rest {
        installation: LayoutOf::of(&state.installation),
        password_policies: state.password_policies.all().iter().map(|entry| NamedPasswordPolicy::of(entry)).collect(),
        users: state.users.iter().map(|entry| User::of(entry)).collect(),
        groups: state.groups.iter().map(|entry| Group::of(entry)).collect(),
        sessions: sessions.into_iter().map(Session::of).collect(),
        connections: state.connections.iter().map(|entry| Connection::of(entry)).collect(),
        kms: state.kms.iter().map(|entry| Kms::of(entry)).collect(),
        unmanaged_keys: unmanaged.iter().map(UnmanagedKeys::of).collect(),
        source_keys: state.source_keys.iter().map(|entry| SourceKey::of(entry)).collect(),
        operations: operations.into_iter().map(|(id, entry)| (id.uuid(), LayoutOf::of(entry))).collect(),
        sync_jobs: state.jobs.sync.all().iter().map(|entry| SyncJob::of(entry)).collect(),
        ended_sync_jobs: ended(&state.jobs.sync),
        bulk_jobs: state.jobs.bulk.all().iter().map(|entry| BulkJob::of(entry)).collect(),
        ended_bulk_jobs: ended(&state.jobs.bulk),
        templates: state.templates.iter().map(|entry| Template::of(entry)).collect(),
        schedules: state.schedules.all.iter().map(|entry| Schedule::of(entry)).collect(),
        runs: state.schedules.runs.iter().map(|entry| Run::of(entry)).collect(),
        ownerless_runs: state.schedules.ownerless().map(|id| id.uuid()).collect(),
        key_stores: state.key_stores.iter().map(|entry| KeyStore::of(entry)).collect(),
        reports: state.reports.iter().map(|entry| Report::of(entry)).collect(),
        virtual_keys: state.keys.virtual_keys().iter().map(|entry| VirtualKey::of(entry)).collect(),
        posture: state.posture.days().map(|entry| DayCounts::of(entry)).collect(),
        alarms: alarms::Alarms::of(&state.alarms),
        drift: drift::Drift::of(&watched),
        backups: state.backups.iter().map(|entry| Backup::of(entry)).collect(),
        forwarders: state.forwarders.iter().map(|entry| Forwarder::of(entry)).collect(),
    };
    push(parts, REST, &rest)
}

fn ended<J: Clone + Parted>(jobs: &Retained<J>) -> (Vec<Uuid>, u64) {
    (jobs.ended().map(|id| id.uuid()).collect(), jobs.ended_parts() as u64)
}

fn restored_ended((ids, parts): (Vec<Uuid>, u64)) -> Result<(Vec<JobId>, usize), Impossible> {
    Ok((ids.into_live()?, usize::try_from(parts).map_err(Impossible::because)?))
}

fn push(parts: &mut PartWriter, kind: u16, layout: &impl Serialize) -> io::Result<()> {
    let bytes = bincode::serde::encode_to_vec(layout, bincode::config::standard()).map_err(io::Error::other)?;
    parts.push(kind, &bytes)
}

/// A part that was read.
enum Part {
    Rest(Box<Entries>),
    Keys(Vec<aggregate::Key>),
    Histories(Vec<StreamHistory>),
}

/// Reads all parts, on several threads, and assembles the state.
pub(in crate::ledger) fn read(file: &SnapshotFile) -> Result<(State, History), SnapshotError> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).clamp(1, THREADS_MAX);
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= file.len() {
                        return;
                    }
                    let part = file.part(n).and_then(|(kind, bytes)| decode(kind, &bytes));
                    found.lock().unwrap_or_else(PoisonError::into_inner).push((n, part));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(n, _)| *n);
    let (mut rest, mut keys, mut history) = (None, Vec::new(), History::default());
    for (_, part) in found {
        match part? {
            Part::Rest(entries) => rest = Some(entries),
            Part::Keys(more) => keys.extend(more),
            Part::Histories(histories) => histories.into_iter().for_each(|one| one.restore(&mut history)),
        }
    }
    let rest = rest.ok_or(SnapshotError::Form)?;
    Ok((State::from(Entries { keys, ..*rest }), history))
}

fn decode(kind: u16, bytes: &[u8]) -> Result<Part, SnapshotError> {
    match kind {
        REST => Ok(Part::Rest(Box::new(entries_of(parse(bytes)?)?))),
        KEYS => Ok(Part::Keys(parse::<Vec<Key>>(bytes)?.into_live()?)),
        HISTORIES => parse(bytes).map(Part::Histories),
        _ => Err(SnapshotError::Form),
    }
}

fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, SnapshotError> {
    let (value, length) = bincode::serde::borrow_decode_from_slice(bytes, bincode::config::standard())
        .map_err(|error| SnapshotError::Content(error.to_string()))?;
    if length == bytes.len() { Ok(value) } else { Err(SnapshotError::Content("bytes follow its end".to_owned())) }
}

fn entries_of(rest: Rest<'_>) -> Result<Entries, Impossible> {
    Ok(Entries {
        installation: rest.installation.into_live()?,
        password_policies: rest.password_policies.into_live()?,
        users: rest.users.into_live()?,
        groups: rest.groups.into_live()?,
        sessions: rest.sessions.into_live()?,
        connections: rest.connections.into_live()?,
        kms: rest.kms.into_live()?,
        keys: Vec::new(),
        unmanaged_keys: rest.unmanaged_keys.into_live()?,
        source_keys: rest.source_keys.into_live()?,
        operations: rest.operations.into_live()?,
        sync_jobs: rest.sync_jobs.into_live()?,
        ended_sync_jobs: restored_ended(rest.ended_sync_jobs)?,
        bulk_jobs: rest.bulk_jobs.into_live()?,
        ended_bulk_jobs: restored_ended(rest.ended_bulk_jobs)?,
        templates: rest.templates.into_live()?,
        schedules: rest.schedules.into_live()?,
        runs: rest.runs.into_live()?,
        ownerless_runs: rest.ownerless_runs.into_live()?,
        key_stores: rest.key_stores.into_live()?,
        virtual_keys: rest.virtual_keys.into_live()?,
        posture: rest.posture.into_live()?,
        reports: rest.reports.into_live()?,
        alarms: rest.alarms.entries()?,
        drift: rest.drift.entries()?,
        backups: rest.backups.into_live()?,
        forwarders: rest.forwarders.into_live()?,
    })
}
