//! Limits the number of concurrent calls in each region of an account, because AWS's request quotas apply there.
//!
//! Permits are granted in the order of the requests. A call keeps its permit during its pauses, so that throttling in a
//! region slows down all calls to it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::port::Access;
use super::retry::Deadline;
use crate::domain::place::{AccountId, Region};

/// The permission to make one call. Dropping it ends the call.
pub(super) struct Permit {
    _permit: OwnedSemaphorePermit,
}

/// A semaphore for each account and region.
pub(super) struct ConcurrencyLimiter {
    limit: usize,
    semaphores: Mutex<HashMap<(Owner, Region), Arc<Semaphore>>>,
}

/// The account and region whose quota a call uses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Owner {
    /// The account of the role that is assumed last.
    Account(AccountId),
    /// The id of an access key. Only AWS knows its account, so that the id stands for the account.
    Keys(String),
}

/// Above this number idle semaphores are dropped.
const SEMAPHORES_MAX: usize = 1_024;

impl ConcurrencyLimiter {
    /// Allows `limit` concurrent calls in each region of an account, and at least one.
    pub(super) fn new(limit: u32) -> Self {
        Self { limit: limit.max(1) as usize, semaphores: Mutex::default() }
    }

    /// Waits for a permit; `None` if none is free before the deadline.
    pub(super) async fn acquire(&self, access: &Access, region: &Region, deadline: Deadline) -> Option<Permit> {
        let permit = deadline.limit(self.semaphore(access, region).acquire_owned()).await?;
        permit.ok().map(|permit| Permit { _permit: permit })
    }

    fn semaphore(&self, access: &Access, region: &Region) -> Arc<Semaphore> {
        let owner = match access.last_role() {
            Some(role) => Owner::Account(role.account()),
            None => Owner::Keys(access.keys.id.clone()),
        };
        let mut semaphores = self.semaphores.lock().unwrap_or_else(PoisonError::into_inner);
        if semaphores.len() > SEMAPHORES_MAX {
            semaphores.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        }
        let semaphore = semaphores.entry((owner, region.clone()));
        Arc::clone(semaphore.or_insert_with(|| Arc::new(Semaphore::new(self.limit))))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::aws::port::{AccessKeys, RoleToAssume, SessionName};
    use crate::domain::place::{Partition, RoleArn};

    fn access(id: &str) -> Access {
        let keys = AccessKeys { id: id.to_owned(), secret: "s3cret".to_owned().into(), session_token: None };
        Access::with_keys(Partition::Aws, keys)
    }

    fn region(name: &str) -> Region {
        Region::parse(name).expect("a region")
    }

    fn at_once() -> Deadline {
        Deadline::after(Duration::ZERO)
    }

    #[tokio::test]
    async fn a_region_is_full_until_a_call_is_over() {
        let limiter = ConcurrencyLimiter::new(2);
        let (one, paris, ohio) = (access("AKIA1"), region("eu-west-3"), region("us-east-2"));
        let first = limiter.acquire(&one, &paris, at_once()).await.expect("room for one");
        let _second = limiter.acquire(&one, &paris, at_once()).await.expect("room for two");
        assert!(limiter.acquire(&one, &paris, at_once()).await.is_none(), "no room for three");
        assert!(limiter.acquire(&one, &ohio, at_once()).await.is_some(), "another region has room");
        assert!(limiter.acquire(&access("AKIA2"), &paris, at_once()).await.is_some(), "and so has another account");
        drop(first);
        assert!(limiter.acquire(&one, &paris, at_once()).await.is_some());
    }

    #[tokio::test]
    async fn roles_of_one_account_share_its_limit() {
        let role = |name: &str| RoleToAssume {
            arn: RoleArn::parse(&format!("arn:aws:iam::123456789012:role/{name}")).expect("a role"),
            external_id: None,
            session_name: SessionName::shaped_from("claviger"),
        };
        let limiter = ConcurrencyLimiter::new(1);
        let one = Access { roles: vec![role("a")], ..access("AKIA1") };
        let other = Access { roles: vec![role("b")], ..access("AKIA2") };
        let _permit = limiter.acquire(&one, &region("eu-west-3"), at_once()).await.expect("room");
        assert!(limiter.acquire(&other, &region("eu-west-3"), at_once()).await.is_none());
    }

    #[tokio::test]
    async fn idle_semaphores_are_dropped_and_busy_ones_stay() {
        let limiter = ConcurrencyLimiter::new(1);
        let paris = region("eu-west-3");
        let _permit = limiter.acquire(&access("busy"), &paris, at_once()).await.expect("room");
        for index in 0..=SEMAPHORES_MAX {
            let _ = limiter.acquire(&access(&index.to_string()), &paris, at_once()).await.expect("room");
        }
        assert!(limiter.semaphores.lock().expect("no panic").len() < 10);
        assert!(limiter.acquire(&access("busy"), &paris, at_once()).await.is_none(), "it is the same semaphore still");
    }
}
