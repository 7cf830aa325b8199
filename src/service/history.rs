//! The history of KMSs: their events with actors and times, and their state at a time in the past.

use super::access;
use super::caller::Caller;
use super::failure::Failure;
use super::list::{Limit, Query};
use crate::domain::event::{Actor, Event, KmsEvent, Stream};
use crate::domain::id::KmsId;
use crate::domain::refusal::KmsRefusal;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::ledger::{self, Ledger, Record};
use serde_json::Value;
use std::collections::HashSet;

/// One page of a history.
pub struct HistoryPage {
    pub skip: usize,
    pub limit: Limit,
    /// The number of all events.
    pub total: usize,
    /// The events of this page, oldest first; newest first if sorted by `-seq`.
    pub entries: Vec<Entry>,
}

pub struct Entry {
    /// Its number in the log.
    pub seq: u64,
    pub time: Time,
    pub actor: Actor,
    pub request_id: String,
    pub event: String,
    pub details: Value,
}

impl Entry {
    /// An event as this caller may view it. A caller who does not administer KMSs sees of a change of permissions only
    /// the caller's own permissions, and no external id, as in the KMS itself.
    fn seen_by(caller: &Caller, record: Record) -> Self {
        let Record { seq, time, actor, request_id, mut event, .. } = record;
        if let Event::Kms(_, event) = &mut event
            && !access::administers_kms(&caller.user)
        {
            match event {
                KmsEvent::AclsChanged { changes } => {
                    changes.retain(|change| change.principal.applies_to(caller.user.id, &caller.user.groups));
                }
                KmsEvent::Added { role: Some(role), .. } | KmsEvent::RoleReplaced { to: Some(role), .. } => {
                    role.external_id = None;
                }
                _ => {}
            }
        }
        let (event, details) = ledger::name_and_members(&event);
        Self { seq, time, actor, request_id, event, details }
    }
}

/// Checks that the caller may view the history: the caller must be able to view the KMS, or administer KMSs if it was
/// deleted.
///
/// # Errors
/// [`KmsRefusal::Unknown`] if the caller may not.
pub(super) fn refuse_unseen(caller: &Caller, id: KmsId) -> Result<(), Failure> {
    let seen = match caller.published.state.kms.get(&id) {
        Some(kms) => access::sees(&caller.user, kms),
        None => access::administers_kms(&caller.user),
    };
    if seen { Ok(()) } else { Err(KmsRefusal::Unknown(id.to_string()).into()) }
}

/// Reads a page of a history.
///
/// # Errors
/// When the KMS never existed, or the log cannot be read.
pub(super) async fn page(ledger: &Ledger, caller: &Caller, id: KmsId, query: &Query) -> Result<HistoryPage, Failure> {
    let mut numbers = ledger.history(&Stream::Kms(id));
    if numbers.is_empty() {
        return Err(KmsRefusal::Unknown(id.to_string()).into());
    }
    let newest_first = query.sort.first().is_some_and(|(_, descending)| *descending);
    if newest_first {
        numbers.reverse();
    }
    let total = numbers.len();
    let mut wanted: Vec<u64> = numbers.into_iter().skip(query.skip).take(query.limit.rows()).collect();
    wanted.sort_unstable();
    let records = ledger.read_many(&wanted).await?;
    let mut entries: Vec<_> = records.into_iter().map(|record| Entry::seen_by(caller, record)).collect();
    if newest_first {
        entries.reverse();
    }
    Ok(HistoryPage { skip: query.skip, limit: query.limit, total, entries })
}

/// The part of the state at a past time that is needed to show one KMS: the KMS and its connections.
///
/// # Errors
/// When the log cannot be read.
pub(super) async fn state_of_kms_at(ledger: &Ledger, id: KmsId, at: Time) -> Result<State, Failure> {
    let own = until(ledger, &Stream::Kms(id), at).await?;
    let mut records = Vec::new();
    for connection in own.iter().filter_map(connection_of).collect::<HashSet<_>>() {
        records.extend(until(ledger, &Stream::Connection(connection), at).await?);
    }
    records.extend(own);
    let mut state = State::default();
    records.iter().for_each(|record| state.apply(record.time, &record.event));
    Ok(state)
}

/// The records of a stream up to a time. Most histories are short and most times are recent, so the records are read in
/// chunks from the beginning.
async fn until(ledger: &Ledger, stream: &Stream, at: Time) -> Result<Vec<Record>, Failure> {
    let mut records = Vec::new();
    for numbers in ledger.history(stream).chunks(CHUNK) {
        records.extend(ledger.read_many(numbers).await?);
        let until = records.partition_point(|record| record.time <= at);
        if until < records.len() {
            records.truncate(until);
            break;
        }
    }
    Ok(records)
}

/// The number of records in one read.
const CHUNK: usize = 256;

fn connection_of(record: &Record) -> Option<crate::domain::id::ConnectionId> {
    match &record.event {
        Event::Kms(_, KmsEvent::Added { connection, .. } | KmsEvent::ConnectionReplaced { to: connection, .. }) => {
            Some(*connection)
        }
        _ => None,
    }
}
