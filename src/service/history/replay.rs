//! The state of one resource at a past time, from its own events and those of what its view shows.

use crate::domain::event::{Event, GroupEvent, KmsEvent, Stream};
use crate::domain::id::KeyId;
use crate::domain::key::aggregate::Key;
use crate::domain::key::event::KeyEvent;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::ledger::{Ledger, Record};
use crate::service::failure::Failure;
use std::collections::{BTreeSet, HashSet};

/// The end of a replay.
#[derive(Clone, Copy)]
enum End {
    /// The last records of this time.
    At(Time),
    /// The records before this number.
    Before(u64),
}

impl End {
    fn includes(self, record: &Record) -> bool {
        match self {
            Self::At(time) => record.time <= time,
            Self::Before(number) => record.seq < number,
        }
    }
}

/// The number of records in one read.
const CHUNK: usize = 256;

/// Replays a resource and what its view needs, up to a time.
///
/// # Errors
/// When the log cannot be read.
pub(super) async fn state_at(ledger: &Ledger, of: Stream, present: &State, at: Time) -> Result<State, Failure> {
    let mut past = State::default();
    let at = End::At(at);
    replay(ledger, &of, vec![of.clone()], at, &mut past).await?;
    if let Stream::Key(id) = of
        && let Some(key) = past.keys.get(&id).cloned()
    {
        replay(ledger, &of, shown_with(&key, present), at, &mut past).await?;
    }
    Ok(past)
}

/// Replays a resource up to the record before this one.
///
/// # Errors
/// When the log cannot be read.
pub(in crate::service) async fn state_before(ledger: &Ledger, of: Stream, number: u64) -> Result<State, Failure> {
    let mut past = State::default();
    replay(ledger, &of, vec![of.clone()], End::Before(number), &mut past).await?;
    Ok(past)
}

/// Applies the records of these streams, and of those to which they lead, in the order of the log.
async fn replay(
    ledger: &Ledger,
    of: &Stream,
    mut streams: Vec<Stream>,
    end: End,
    into: &mut State,
) -> Result<(), Failure> {
    // Only numbers are collected: a history can be long, and its records large.
    let (mut known, mut numbers) = (HashSet::new(), BTreeSet::new());
    while let Some(stream) = streams.pop() {
        if !known.insert(stream.clone()) {
            continue;
        }
        for chunk in ledger.history(&stream).chunks(CHUNK) {
            let records = ledger.read_many(chunk).await?;
            let until = records.partition_point(|record| end.includes(record));
            for record in &records[..until] {
                streams.extend(leads_to(of, &record.event));
                numbers.insert(record.seq);
            }
            if until < records.len() {
                break;
            }
        }
    }
    let numbers: Vec<u64> = numbers.into_iter().collect();
    for chunk in numbers.chunks(CHUNK) {
        for record in ledger.read_many(chunk).await? {
            into.apply(record.time, &record.event);
        }
    }
    Ok(())
}

/// The streams that are needed as well, to show the resource.
fn leads_to(of: &Stream, event: &Event) -> Vec<Stream> {
    match (of, event) {
        (
            Stream::Kms(_),
            Event::Kms(_, KmsEvent::Added { connection, .. } | KmsEvent::ConnectionReplaced { to: connection, .. }),
        ) => vec![Stream::Connection(*connection)],
        (
            Stream::Key(_),
            Event::Key(
                _,
                KeyEvent::OperationRequested { kms, .. }
                | KeyEvent::Found { kms, .. }
                | KeyEvent::HyokCreated { kms, .. },
            ),
        ) => vec![Stream::Kms(*kms)],
        // A group may have had other names, and whether a user is still in a group depends on the group.
        (Stream::Group(_) | Stream::User(_), Event::Group(name, GroupEvent::Renamed { to })) => {
            vec![Stream::Group(name.clone()), Stream::Group(to.clone())]
        }
        (Stream::User(_), Event::Group(name, _)) => vec![Stream::Group(name.clone())],
        _ => Vec::new(),
    }
}

/// The streams of what the view of a key names: its source key, its key store, and its replicas.
fn shown_with(key: &Key, present: &State) -> Vec<Stream> {
    let sources = key.hyok.iter().flat_map(|hyok| hyok.versions.iter().map(|version| version.source));
    let sources = sources.chain(key.current_import().map(|material| material.source));
    let store = key.metadata.custom_key_store_id.as_ref();
    let store = store.and_then(|id| present.key_store_at_aws(key.kms, &key.region, id));
    let replicas = key.metadata.multi_region.iter().flat_map(|family| &family.replicas);
    let replicas = replicas.filter_map(|arn| present.key_at_aws(key.kms, arn.region(), key.aws_id()));
    let others: Vec<KeyId> = replicas.map(|replica| replica.id).filter(|id| *id != key.id).collect();
    let own = key.hyok.iter().map(|hyok| Stream::KeyStore(hyok.store));
    sources
        .map(Stream::SourceKey)
        .chain(store.map(Stream::KeyStore))
        .chain(own)
        .chain(others.into_iter().map(Stream::Key))
        .collect()
}
