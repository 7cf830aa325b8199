//! Generates a log like that of a busy installation, for benchmarks that need a large one.

#[allow(dead_code, reason = "not every benchmark needs keys")]
pub(crate) mod keys;

use claviger::domain::acl::{AclChange, Principal};
use claviger::domain::action::Action;
use claviger::domain::event::{Actor, Event, KmsEvent, RefreshGrant, SessionEvent, TokenHash};
use claviger::domain::id::{ConnectionId, KmsId, RefreshTokenId, SessionId, UserId};
use claviger::domain::name::{GroupName, KmsName};
use claviger::domain::place::{AccountId, Arn, Partition, Region};
use claviger::keyring::{Keyring, MasterKeySource};
use claviger::ledger::{Context, Ledger, LedgerOptions};
use claviger::service::log_seal;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error>>;

const REGIONS: [&str; 8] = [
    "us-east-1",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "ap-south-1",
    "ap-northeast-1",
    "ca-central-1",
    "sa-east-1",
];

/// Opens the log of a data directory that the program has made. It is sealed, so the key of the seal is needed to record
/// something in it.
#[allow(dead_code, reason = "not every benchmark has the program make its directory")]
pub(crate) fn open(data: &Path) -> Outcome<Ledger> {
    let master = MasterKeySource::File { path: data.join("master.key"), create: false };
    let keyring = Keyring::open(&data.join("keyring"), master)?;
    let seal = Arc::new(move || log_seal::key(&keyring));
    Ok(Ledger::open(data, LedgerOptions { seal: Some(seal), ..LedgerOptions::default() })?)
}

/// Records `events` events, `at_once` in each commit: first `kms_entries` KMSs, then changes to them and sessions.
pub(crate) async fn fill(ledger: &Ledger, kms_entries: u64, events: u64, at_once: usize) -> Outcome<()> {
    let mut batch = Vec::with_capacity(at_once);
    for n in 0..events {
        batch.push(match n {
            n if n < kms_entries => added(n)?,
            n => match n % 10 {
                0..5 => regions_replaced(n * 7919 % kms_entries, n)?,
                5..7 => acls_changed(n * 7919 % kms_entries, n)?,
                7 => session(n, opened(n)),
                8 => session(n - 1, SessionEvent::Refreshed),
                _ => session(n - 2, SessionEvent::Closed),
            },
        });
        if batch.len() == at_once || n + 1 == events {
            record(ledger, std::mem::take(&mut batch)).await?;
        }
    }
    Ok(())
}

/// Records events with the program as their actor.
pub(crate) async fn record(ledger: &Ledger, events: Vec<Event>) -> Outcome<()> {
    let actor = Actor::System;
    let context = Context { actor, request_id: "b3f1c8de-8a52-4f0c-9f43-1d2a64a0a7c1".to_owned() };
    ledger.execute(context, move |_, _| Ok(events.clone())).await?;
    Ok(())
}

/// The id of KMS number `n`.
pub(crate) fn kms(n: u64) -> KmsId {
    KmsId::new(Uuid::from_u128(u128::from(n) << 64 | 1))
}

/// The event that adds KMS number `n`.
pub(crate) fn added(n: u64) -> Outcome<Event> {
    let account = AccountId::parse(&format!("{:012}", n + 1))?;
    Ok(Event::Kms(
        kms(n),
        KmsEvent::Added {
            name: KmsName::parse(&format!("account-{n}"))?,
            account,
            arn: Arn::parse(&format!("arn:aws:iam::{account}:user/claviger"))?,
            connection: ConnectionId::new(Uuid::from_u128(7)),
            role: None,
            regions: regions(n)?,
            cloud: Partition::Aws,
        },
    ))
}

/// The event that gives KMS number `which` new regions, chosen by `n`.
pub(crate) fn regions_replaced(which: u64, n: u64) -> Outcome<Event> {
    Ok(Event::Kms(kms(which), KmsEvent::RegionsReplaced { to: regions(n)? }))
}

fn regions(n: u64) -> Outcome<Vec<Region>> {
    let count = 1 + n as usize % REGIONS.len();
    Ok(REGIONS[..count].iter().map(|name| Region::parse(name)).collect::<Result<_, _>>()?)
}

fn acls_changed(which: u64, n: u64) -> Outcome<Event> {
    let principal = match n % 2 {
        0 => Principal::User(UserId::new(Uuid::from_u128(u128::from(n % 40)))),
        _ => Principal::Group(GroupName::parse(&format!("group {}", n % 6))?),
    };
    let actions = Action::ALL[..2 + n as usize % 6].to_vec();
    Ok(Event::Kms(
        kms(which),
        KmsEvent::AclsChanged { changes: vec![AclChange { principal, actions, permit: !n.is_multiple_of(3) }] },
    ))
}

fn session(n: u64, event: SessionEvent) -> Event {
    Event::Session(SessionId::new(Uuid::from_u128(u128::from(n))), event)
}

fn opened(n: u64) -> SessionEvent {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&n.to_be_bytes());
    SessionEvent::Opened {
        user: UserId::new(Uuid::from_u128(u128::from(n % 40))),
        source: "192.0.2.17".to_owned(),
        refresh: RefreshGrant {
            id: RefreshTokenId::new(Uuid::from_u128(u128::from(n))),
            hash: TokenHash(hash),
            lifetime_seconds: None,
            unused_seconds: Some(1_209_600),
        },
        labels: vec![],
    }
}
