//! Shared probes of accounts. Concurrent requests for the same connection and role share one probe. A request never
//! gets the result of a probe that began before the request, unless a recent result suffices. A request that arrives
//! during a probe waits for the next one, and shares it with all other requests that wait.

use crate::aws::failure::AwsFailure;
use crate::domain::id::ConnectionId;
use crate::domain::kms::{AccountProbe, AssumedRole};
use crate::domain::time::Time;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The connection, the time of its last change, and the role.
pub(super) type ProbeKey = (ConnectionId, Time, Option<AssumedRole>);

type ProbeResult = Result<AccountProbe, AwsFailure>;

/// The time for which a result is recent.
const RECENT: Duration = Duration::from_secs(60);
/// The number of entries at which unused ones are dropped.
const ENTRIES_MAX: usize = 1024;

/// The probes by key.
#[derive(Default)]
pub(super) struct AccountProbes(Mutex<HashMap<ProbeKey, Arc<Probes>>>);

/// The probes of one key: the number of those that have begun, and the last that ended.
#[derive(Default)]
struct Probes {
    begun: AtomicU64,
    last: tokio::sync::Mutex<Option<EndedProbe>>,
}

struct EndedProbe {
    number: u64,
    began: Instant,
    result: ProbeResult,
}

impl EndedProbe {
    fn is_recent_and(&self, suffices: impl Fn(&AccountProbe) -> bool) -> bool {
        self.result.as_ref().is_ok_and(suffices) && self.began.elapsed() < RECENT
    }
}

impl AccountProbes {
    /// Returns the result of a probe that begins after this call, by this request or another; or a recent result that
    /// `suffices`.
    pub(super) async fn share(
        &self,
        key: ProbeKey,
        suffices: impl Fn(&AccountProbe) -> bool,
        probe: impl Future<Output = ProbeResult>,
    ) -> ProbeResult {
        let probes = self.probes(key);
        let begun_before = probes.begun.load(Ordering::SeqCst);
        let mut last = probes.last.lock().await;
        let usable = |ended: &&EndedProbe| ended.number > begun_before || ended.is_recent_and(suffices);
        if let Some(ended) = last.as_ref().filter(usable) {
            return ended.result.clone();
        }
        let number = probes.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let began = Instant::now();
        let result = probe.await;
        *last = Some(EndedProbe { number, began, result: result.clone() });
        result
    }

    fn probes(&self, key: ProbeKey) -> Arc<Probes> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ENTRIES_MAX {
            all.retain(|_, probes| Arc::strong_count(probes) > 1);
        }
        all.entry(key).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::operation::AwsOperation;
    use crate::domain::place::{AccountId, Arn};
    use std::time::Duration;
    use uuid::Uuid;

    fn key() -> ProbeKey {
        (ConnectionId::new(Uuid::nil()), Time::from_nanos(0), None)
    }

    /// A probe that takes 20 ms, and returns its number as the account.
    async fn probe(count: &AtomicU64) -> ProbeResult {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let account = AccountId::parse(&format!("{number:012}")).expect("an account");
        let arn = Arn::parse("arn:aws:iam::123456789012:user/user1").expect("an ARN");
        Ok(AccountProbe { account, arn, enabled: Vec::new() })
    }

    async fn shared(account_probes: &AccountProbes, count: &AtomicU64) -> String {
        ask(account_probes, count, |_| false).await
    }

    async fn ask(
        account_probes: &AccountProbes,
        count: &AtomicU64,
        suffices: impl Fn(&AccountProbe) -> bool,
    ) -> String {
        account_probes.share(key(), suffices, probe(count)).await.expect("a probe").account.to_string()
    }

    #[tokio::test]
    async fn requests_that_wait_share_the_next_probe_and_never_one_that_began_before_them() {
        let (account_probes, count) = (AccountProbes::default(), AtomicU64::new(0));
        let first = shared(&account_probes, &count);
        let late = async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let all = (0..50).map(|_| shared(&account_probes, &count));
            futures_util::future::join_all(all).await
        };
        let (first, late) = futures_util::future::join(first, late).await;
        assert_eq!(first, "000000000001");
        assert!(late.iter().all(|account| account == "000000000002"), "{late:?}");
        assert_eq!(shared(&account_probes, &count).await, "000000000003");
    }

    #[tokio::test]
    async fn a_cancelled_request_lets_the_next_one_probe() {
        let (account_probes, count) = (AccountProbes::default(), AtomicU64::new(0));
        let hurried = tokio::time::timeout(Duration::from_millis(5), shared(&account_probes, &count)).await;
        assert!(hurried.is_err());
        assert_eq!(shared(&account_probes, &count).await, "000000000002");
    }

    #[tokio::test]
    async fn a_recent_result_is_used_only_if_it_suffices() {
        let (account_probes, count) = (AccountProbes::default(), AtomicU64::new(0));
        let saw = |account: &'static str| move |seen: &AccountProbe| seen.account.to_string() == account;
        assert_eq!(ask(&account_probes, &count, saw("000000000001")).await, "000000000001");
        assert_eq!(ask(&account_probes, &count, saw("000000000001")).await, "000000000001");
        assert_eq!(count.load(Ordering::SeqCst), 1);
        assert_eq!(ask(&account_probes, &count, saw("000000000009")).await, "000000000002");
    }

    #[tokio::test]
    async fn a_failed_or_old_result_never_suffices() {
        let (account_probes, count) = (AccountProbes::default(), AtomicU64::new(0));
        let reason = "no credentials".to_owned();
        let failed = async { Err(AwsFailure::NotSent { operation: AwsOperation::GET_CALLER_IDENTITY, reason }) };
        assert!(account_probes.share(key(), |_| true, failed).await.is_err());
        assert_eq!(ask(&account_probes, &count, |_| true).await, "000000000001");
        let probes = account_probes.probes(key());
        let old = Instant::now().checked_sub(RECENT);
        probes.last.lock().await.as_mut().expect("a probe").began = old.expect("a clock that has run for a while");
        assert_eq!(ask(&account_probes, &count, |_| true).await, "000000000002");
    }
}
