//! How many calls are under way at once in a region of an account: AWS grants calls per second for each of those.
//!
//! Permits are given in the order of asking. A permit is kept during a call's pauses too, so that a region that
//! throttles is asked less often by all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::port::Access;
use super::retry::Deadline;
use crate::domain::place::{AccountId, Region};

/// Leave to make one call. The call is over when it is dropped.
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
    /// The account of a key pair, which only AWS knows: the id stands for it.
    Keys(String),
}

/// Idle semaphores are dropped when there are more than this.
const SEMAPHORES_MAX: usize = 1_024;

impl ConcurrencyLimiter {
    /// `limit` calls at once in each region of an account, and one at least.
    pub(super) fn new(limit: u32) -> Self {
        Self { limit: limit.max(1) as usize, semaphores: Mutex::default() }
    }

    /// Waits for a permit; `None` if there is none before the deadline.
    pub(super) async fn acquire(&self, access: &Access, region: &Region, deadline: Deadline) -> Option<Permit> {
        let permit = deadline.limit(self.semaphore(access, region).acquire_owned()).await?;
        permit.ok().map(|permit| Permit { _permit: permit })
    }

    fn semaphore(&self, access: &Access, region: &Region) -> Arc<Semaphore> {
        let owner = match access.roles.last() {
            Some(role) => Owner::Account(role.arn.account()),
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
    async fn roles_of_one_account_share_its_limit_whoever_assumes_them() {
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
