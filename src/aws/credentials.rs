//! The cache of the sessions of assumed roles. A session is cached until shortly before it expires. Concurrent requests
//! for one session share one AssumeRole call.
//!
//! The key of the cache is a fingerprint of everything that determines a session: changed keys or another external id
//! never find an old session. The fingerprint is an HMAC under a key that is generated at start and never stored, so
//! that it reveals no secret.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::{error::Unspecified, hmac, rand};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::time::Instant;
use tracing::Instrument;

use super::failure::AwsFailure;
use super::operation::AwsOperation;
use super::port::{Access, AccessKeys};
use super::retry::Deadline;

/// The credentials of an assumed role, and their expiry.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) keys: AccessKeys,
    ends: Instant,
    renewed_from: Instant,
}

impl Session {
    /// A session that was requested at `requested_at` and is valid for `duration`.
    pub(super) fn new(keys: AccessKeys, requested_at: Instant, duration: Duration) -> Self {
        // A session that is returned just before its renewal must outlive the call that uses it.
        let margin = (duration / 4).min(Duration::from_secs(300));
        let ends = requested_at + duration;
        Self { keys, ends, renewed_from: ends - margin }
    }

    fn is_fresh(&self) -> bool {
        Instant::now() < self.renewed_from
    }
}

/// Whether a cached session is acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// A cached session is acceptable.
    Cached,
    /// The role must be assumed again: a check of the credentials that uses a cached session would prove nothing.
    Renewed,
}

/// The key of a session in the cache.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 32]);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

type Outcome = Result<Session, AwsFailure>;
type Flight = Shared<BoxFuture<'static, Outcome>>;

enum Slot {
    Cached(Session),
    /// The session is being requested. The request runs in its own task, so that it does not depend on the caller that
    /// started it.
    InFlight {
        number: u64,
        flight: Flight,
    },
}

/// The cache of sessions. Clones share it.
#[derive(Clone)]
pub(super) struct Sessions {
    shared: Arc<Cache>,
}

struct Cache {
    key: hmac::Key,
    slots: Mutex<Slots>,
    capacity: usize,
}

#[derive(Default)]
struct Slots {
    by_fingerprint: HashMap<Fingerprint, Slot>,
    flights: u64,
}

impl Sessions {
    /// Creates a cache for `capacity` sessions. It fails only if the system provides no randomness.
    pub(super) fn with_capacity(capacity: usize) -> Result<Self, Unspecified> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new())?;
        Ok(Self { shared: Arc::new(Cache { key, slots: Mutex::default(), capacity: capacity.max(1) }) })
    }

    /// The fingerprint of the session after the first `depth` roles of an access. With a depth of 0 it is that of the
    /// session for a certificate.
    pub(super) fn fingerprint(&self, access: &Access, depth: usize) -> Fingerprint {
        let mut context = hmac::Context::with_key(&self.shared.key);
        // Each part follows its length, so that no two lists of parts give the same bytes.
        let mut add = |part: Option<&str>| {
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            context.update(&length.to_le_bytes());
            context.update(part.unwrap_or_default().as_bytes());
        };
        add(Some(access.partition.as_str()));
        add(Some(access.region.as_str()));
        add(Some(access.sts.name()));
        add(Some(&access.keys.id));
        add(Some(&access.keys.secret));
        add(access.keys.session_token.as_ref().map(|token| token.as_str()));
        if let Some(access) = &access.roles_anywhere {
            add(Some("roles anywhere"));
            add(Some(&access.role.as_arn().to_string()));
            add(Some(&access.profile.to_string()));
            add(Some(&access.trust_anchor.to_string()));
            add(Some(&access.certificate));
            add(Some(&access.private_key));
        }
        for role in access.roles.iter().take(depth) {
            add(Some(&role.arn.to_string()));
            add(role.external_id.as_ref().map(|id| id.as_str()));
            add(Some(role.session_name.as_str()));
        }
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(context.sign().as_ref());
        Fingerprint(fingerprint)
    }

    /// A cached session that need not be renewed yet.
    pub(super) fn cached(&self, fingerprint: Fingerprint) -> Option<Session> {
        match self.slots().by_fingerprint.get(&fingerprint) {
            Some(Slot::Cached(session)) if session.is_fresh() => Some(session.clone()),
            _ => None,
        }
    }

    /// Returns the cached session, or the one that `assume` requests. Concurrent callers share one request.
    pub(super) async fn get<A, F>(
        &self,
        fingerprint: Fingerprint,
        freshness: Freshness,
        deadline: Deadline,
        assume: A,
    ) -> Outcome
    where
        A: FnOnce() -> F,
        F: Future<Output = Outcome> + Send + 'static,
    {
        let flight = {
            let mut slots = self.slots();
            match slots.by_fingerprint.get(&fingerprint) {
                Some(Slot::InFlight { flight, .. }) => flight.clone(),
                Some(Slot::Cached(session)) if freshness == Freshness::Cached && session.is_fresh() => {
                    return Ok(session.clone());
                }
                _ => self.start(&mut slots, fingerprint, assume()),
            }
        };
        let late = || AwsFailure::Timeout { operation: AwsOperation::ASSUME_ROLE, after: deadline.elapsed() };
        deadline.limit(flight).await.unwrap_or_else(|| Err(late()))
    }

    fn start(
        &self,
        slots: &mut Slots,
        fingerprint: Fingerprint,
        work: impl Future<Output = Outcome> + Send + 'static,
    ) -> Flight {
        slots.flights += 1;
        let number = slots.flights;
        let sessions = self.clone();
        let task = async move {
            let panicked = |_| Err(unfinished());
            let outcome = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(panicked);
            sessions.complete(fingerprint, number, &outcome);
            outcome
        };
        let task = tokio::spawn(task.in_current_span());
        let flight = async move { task.await.unwrap_or_else(|_| Err(unfinished())) }.boxed().shared();
        slots.make_room(self.shared.capacity, fingerprint);
        slots.by_fingerprint.insert(fingerprint, Slot::InFlight { number, flight: flight.clone() });
        flight
    }

    fn complete(&self, fingerprint: Fingerprint, completed: u64, outcome: &Outcome) {
        let mut slots = self.slots();
        match slots.by_fingerprint.get(&fingerprint) {
            Some(Slot::InFlight { number, .. }) if *number == completed => {}
            _ => return,
        }
        match outcome {
            Ok(session) => slots.by_fingerprint.insert(fingerprint, Slot::Cached(session.clone())),
            Err(_) => slots.by_fingerprint.remove(&fingerprint),
        };
    }

    /// The map is consistent after every statement, so that a poisoned lock can be used.
    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.shared.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    /// Removes expired sessions, so that their secrets do not stay in memory. If the cache is still full, it removes
    /// the sessions that expire first. Requests in flight stay.
    fn make_room(&mut self, capacity: usize, newcomer: Fingerprint) {
        self.by_fingerprint.remove(&newcomer);
        self.by_fingerprint.retain(|_, slot| !matches!(slot, Slot::Cached(session) if !session.is_fresh()));
        while self.by_fingerprint.len() >= capacity {
            let cached = self.by_fingerprint.iter().filter_map(|(fingerprint, slot)| match slot {
                Slot::Cached(session) => Some((session.ends, *fingerprint)),
                Slot::InFlight { .. } => None,
            });
            let Some((_, first)) = cached.min_by_key(|(ends, _)| *ends) else { return };
            self.by_fingerprint.remove(&first);
        }
    }
}

fn unfinished() -> AwsFailure {
    AwsFailure::NotSent { operation: AwsOperation::ASSUME_ROLE, reason: "the attempt was aborted".to_owned() }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::aws::port::{RoleToAssume, SessionName};
    use crate::aws::roles_anywhere::RolesAnywhere;
    use crate::domain::place::{ExternalId, Partition, Region, RoleArn};

    const HOUR: Duration = Duration::from_secs(3_600);

    fn sessions(capacity: usize) -> Sessions {
        Sessions::with_capacity(capacity).expect("the system has randomness")
    }

    fn session(id: &str, lasts: Duration) -> Session {
        let keys = AccessKeys { id: id.to_owned(), secret: "s3cret".to_owned().into(), session_token: None };
        Session::new(keys, Instant::now(), lasts)
    }

    fn access() -> Access {
        let keys = AccessKeys { id: "AKIA1".to_owned(), secret: "s3cret".to_owned().into(), session_token: None };
        let role = |name: &str| RoleToAssume {
            arn: RoleArn::parse(&format!("arn:aws:iam::123456789012:role/{name}")).expect("a role"),
            external_id: None,
            session_name: SessionName::shaped_from("claviger"),
        };
        Access { roles: vec![role("one"), role("two")], ..Access::with_keys(Partition::Aws, keys) }
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    fn refused() -> AwsFailure {
        let (code, message) = ("AccessDenied".to_owned(), "no".to_owned());
        AwsFailure::Refused { operation: AwsOperation::ASSUME_ROLE, status: 403, code, message }
    }

    #[tokio::test]
    async fn concurrent_callers_share_one_request_even_if_the_first_is_cancelled() {
        let (sessions, made) = (sessions(8), Arc::new(AtomicUsize::new(0)));
        let fingerprint = sessions.fingerprint(&access(), 1);
        let ask = |wait: Duration| {
            let (sessions, made) = (sessions.clone(), Arc::clone(&made));
            async move {
                let assume = || async move {
                    made.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(wait).await;
                    Ok(session("ASIA1", HOUR))
                };
                sessions.get(fingerprint, Freshness::Cached, soon(), assume).await
            }
        };
        let first = tokio::spawn(ask(Duration::from_millis(50)));
        tokio::time::sleep(Duration::from_millis(10)).await;
        first.abort();
        let rest: Vec<_> = (0..32).map(|_| tokio::spawn(ask(Duration::ZERO))).collect();
        for one in rest {
            assert_eq!(one.await.expect("not aborted").expect("assumed").keys.id, "ASIA1");
        }
        assert_eq!(made.load(Ordering::SeqCst), 1);
        assert!(sessions.cached(fingerprint).is_some());
    }

    #[tokio::test]
    async fn a_failure_is_shared_but_not_cached() {
        let sessions = sessions(8);
        let fingerprint = sessions.fingerprint(&access(), 1);
        let failed = sessions.get(fingerprint, Freshness::Cached, soon(), || async { Err(refused()) }).await;
        assert_eq!(failed.err(), Some(refused()));
        let then = sessions.get(fingerprint, Freshness::Cached, soon(), || async { Ok(session("ASIA2", HOUR)) }).await;
        assert_eq!(then.expect("assumed").keys.id, "ASIA2");
    }

    #[tokio::test]
    async fn a_panic_blocks_no_other_caller() {
        let sessions = sessions(8);
        let fingerprint = sessions.fingerprint(&access(), 1);
        let boom = || async { panic!("planned") };
        assert!(sessions.get(fingerprint, Freshness::Cached, soon(), boom).await.is_err());
        let then = sessions.get(fingerprint, Freshness::Cached, soon(), || async { Ok(session("ASIA2", HOUR)) }).await;
        assert!(then.is_ok());
    }

    #[tokio::test]
    async fn a_caller_that_waits_too_long_gets_a_timeout() {
        let sessions = sessions(8);
        let short = Deadline::after(Duration::from_millis(20));
        let outcome =
            sessions.get(sessions.fingerprint(&access(), 1), Freshness::Cached, short, std::future::pending).await;
        assert!(matches!(outcome, Err(AwsFailure::Timeout { .. })));
    }

    #[tokio::test]
    async fn sessions_are_renewed_before_they_expire_and_on_request() {
        let sessions = sessions(8);
        let fingerprint = sessions.fingerprint(&access(), 1);
        let get = |freshness, id: &'static str, lasts| {
            let sessions = sessions.clone();
            async move {
                let assume = || async move { Ok(session(id, lasts)) };
                sessions.get(fingerprint, freshness, soon(), assume).await.expect("assumed").keys.id
            }
        };
        assert_eq!(get(Freshness::Cached, "A", HOUR).await, "A");
        assert_eq!(get(Freshness::Cached, "B", HOUR).await, "A");
        assert_eq!(get(Freshness::Renewed, "C", HOUR).await, "C");
        assert_eq!(get(Freshness::Renewed, "D", Duration::ZERO).await, "D");
        assert_eq!(get(Freshness::Cached, "E", HOUR).await, "E");
    }

    #[test]
    fn renewal_begins_a_quarter_or_five_minutes_before_the_end() {
        let long = session("A", HOUR);
        assert_eq!(long.ends - long.renewed_from, Duration::from_secs(300));
        let short = session("A", Duration::from_secs(40));
        assert_eq!(short.ends - short.renewed_from, Duration::from_secs(10));
    }

    #[tokio::test]
    async fn the_number_of_sessions_is_bounded_and_the_first_to_expire_is_removed() {
        let sessions = sessions(3);
        let mut fingerprints = Vec::new();
        for number in 0..5_u64 {
            let mut access = access();
            access.keys.id = number.to_string();
            let fingerprint = sessions.fingerprint(&access, 1);
            let assume = || async move { Ok(session("A", HOUR * (10 - number as u32))) };
            sessions.get(fingerprint, Freshness::Cached, soon(), assume).await.expect("assumed");
            fingerprints.push(fingerprint);
        }
        let cached: Vec<bool> = fingerprints.iter().map(|one| sessions.cached(*one).is_some()).collect();
        assert_eq!(cached, [true, true, false, false, true]);
    }

    #[test]
    fn everything_that_makes_a_session_is_in_its_fingerprint() {
        let sessions = sessions(1);
        let base = access();
        let changed: Vec<Access> = [
            |a: &mut Access| a.partition = Partition::AwsCn,
            |a: &mut Access| a.region = Region::parse("eu-west-1").expect("a region"),
            |a: &mut Access| a.sts = crate::domain::connection::StsEndpoints::Regional,
            |a: &mut Access| a.keys.id = "AKIA2".to_owned(),
            |a: &mut Access| a.keys.secret = "other".to_owned().into(),
            |a: &mut Access| a.keys.session_token = Some(String::new().into()),
            |a: &mut Access| a.roles[0].external_id = Some(ExternalId::parse("ext").expect("an external id")),
            |a: &mut Access| a.roles[0].session_name = SessionName::shaped_from("other"),
            |a: &mut Access| a.roles.swap(0, 1),
            |a: &mut Access| a.roles_anywhere = Some(RolesAnywhere::example()),
            |a: &mut Access| {
                let certificate = "another".to_owned();
                a.roles_anywhere = Some(RolesAnywhere { certificate, ..RolesAnywhere::example() });
            },
            |a: &mut Access| {
                let private_key = "another".to_owned().into();
                a.roles_anywhere = Some(RolesAnywhere { private_key, ..RolesAnywhere::example() });
            },
        ]
        .into_iter()
        .map(|change| {
            let mut access = base.clone();
            change(&mut access);
            access
        })
        .collect();
        let mut seen = vec![sessions.fingerprint(&base, 1), sessions.fingerprint(&base, 2)];
        for access in &changed {
            let fingerprint = sessions.fingerprint(access, 1);
            assert!(!seen.contains(&fingerprint), "{access:?}");
            seen.push(fingerprint);
        }
        assert_eq!(sessions.fingerprint(&base, 1), sessions.fingerprint(&access(), 1));
        assert_eq!(format!("{:?}", seen[0]), "Fingerprint(…)");
    }
}
