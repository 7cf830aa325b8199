//! Looks at accounts that are asked for at the same time, over the same connection, are one look. Nobody gets an answer
//! that was asked for before the own question came, unless it is recent and says itself that a recent one will do: who
//! comes while AWS is being asked waits for the next turn, and shares that one with all others who wait.

use crate::aws::failure::AwsFailure;
use crate::domain::id::ConnectionId;
use crate::domain::kms::{AccountProbe, AssumedRole};
use crate::domain::time::Time;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Over which connection, as it was last changed, and with which role.
pub(super) type Way = (ConnectionId, Time, Option<AssumedRole>);

type Answer = Result<AccountProbe, AwsFailure>;

/// How long a look is recent.
const RECENT: Duration = Duration::from_secs(60);
/// Ways that nobody uses at the moment are forgotten when there are more than so many.
const MOST: usize = 1024;

/// The ways along which AWS is looked at.
#[derive(Default)]
pub(super) struct AccountProbes(Mutex<HashMap<Way, Arc<Turns>>>);

/// One way: the number of looks that have begun, and the last one.
#[derive(Default)]
struct Turns {
    begun: AtomicU64,
    last: tokio::sync::Mutex<Option<Look>>,
}

/// One look: its number, when it began, and the answer.
struct Look {
    number: u64,
    began: Instant,
    answer: Answer,
}

impl Look {
    fn is_recent_and(&self, suffices: impl Fn(&AccountProbe) -> bool) -> bool {
        self.answer.as_ref().is_ok_and(suffices) && self.began.elapsed() < RECENT
    }
}

impl AccountProbes {
    /// The answer of a look that begins now or later, somebody else's or that of `look`; or of a recent one, if what it
    /// saw `suffices`.
    pub(super) async fn share(
        &self,
        way: Way,
        suffices: impl Fn(&AccountProbe) -> bool,
        look: impl Future<Output = Answer>,
    ) -> Answer {
        let turns = self.turns(way);
        let begun_before = turns.begun.load(Ordering::SeqCst);
        let mut last = turns.last.lock().await;
        if let Some(seen) = last.as_ref().filter(|seen| seen.number > begun_before || seen.is_recent_and(suffices)) {
            return seen.answer.clone();
        }
        let number = turns.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let began = Instant::now();
        let answer = look.await;
        *last = Some(Look { number, began, answer: answer.clone() });
        answer
    }

    fn turns(&self, way: Way) -> Arc<Turns> {
        let mut ways = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ways.len() >= MOST {
            ways.retain(|_, turns| Arc::strong_count(turns) > 1);
        }
        ways.entry(way).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::operation::AwsOperation;
    use crate::domain::place::{AccountId, Arn};
    use std::time::Duration;
    use uuid::Uuid;

    fn way() -> Way {
        (ConnectionId::new(Uuid::nil()), Time::from_nanos(0), None)
    }

    /// A look that takes a while, and says which one it was.
    async fn look(count: &AtomicU64) -> Answer {
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
        account_probes.share(way(), suffices, look(count)).await.expect("a probe").account.to_string()
    }

    #[tokio::test]
    async fn those_who_wait_share_the_next_look_and_never_one_that_began_before_they_came() {
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
    async fn who_goes_away_in_the_middle_leaves_the_turn_to_the_next() {
        let (account_probes, count) = (AccountProbes::default(), AtomicU64::new(0));
        let hurried = tokio::time::timeout(Duration::from_millis(5), shared(&account_probes, &count)).await;
        assert!(hurried.is_err());
        assert_eq!(shared(&account_probes, &count).await, "000000000002");
    }

    #[tokio::test]
    async fn a_recent_look_is_taken_only_if_what_it_saw_suffices() {
        let (account_probes, count) = (AccountProbes::default(), AtomicU64::new(0));
        let saw = |account: &'static str| move |seen: &AccountProbe| seen.account.to_string() == account;
        assert_eq!(ask(&account_probes, &count, saw("000000000001")).await, "000000000001");
        assert_eq!(ask(&account_probes, &count, saw("000000000001")).await, "000000000001");
        assert_eq!(count.load(Ordering::SeqCst), 1);
        assert_eq!(ask(&account_probes, &count, saw("000000000009")).await, "000000000002");
    }

    #[tokio::test]
    async fn a_look_that_failed_or_is_old_suffices_nobody() {
        let (account_probes, count) = (AccountProbes::default(), AtomicU64::new(0));
        let reason = "no credentials".to_owned();
        let failed = async { Err(AwsFailure::NotSent { operation: AwsOperation::GET_CALLER_IDENTITY, reason }) };
        assert!(account_probes.share(way(), |_| true, failed).await.is_err());
        assert_eq!(ask(&account_probes, &count, |_| true).await, "000000000001");
        let turns = account_probes.turns(way());
        let old = Instant::now().checked_sub(RECENT);
        turns.last.lock().await.as_mut().expect("a look").began = old.expect("a clock that has run for a while");
        assert_eq!(ask(&account_probes, &count, |_| true).await, "000000000002");
    }
}
