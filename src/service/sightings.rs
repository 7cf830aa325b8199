//! Looks at accounts that are asked for at the same time, over the same connection, are one look. Nobody gets an answer
//! that was asked for before the own question came: who comes while AWS is being asked waits for the next turn, and
//! shares that one with all others who wait.

use crate::aws::failure::AwsFailure;
use crate::domain::id::ConnectionId;
use crate::domain::kms::{AssumedRole, Sighting};
use crate::domain::time::Time;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Over which connection, as it was last changed, and with which role.
pub(super) type Way = (ConnectionId, Time, Option<AssumedRole>);

type Answer = Result<Sighting, AwsFailure>;

/// Ways that nobody uses at the moment are forgotten when there are more than so many.
const MOST: usize = 1024;

/// The ways along which AWS is looked at.
#[derive(Default)]
pub(super) struct Sightings(Mutex<HashMap<Way, Arc<Turns>>>);

/// One way: the number of looks that have begun, and the last one's answer with its number.
#[derive(Default)]
struct Turns {
    begun: AtomicU64,
    last: tokio::sync::Mutex<Option<(u64, Answer)>>,
}

impl Sightings {
    /// The answer of a look that begins now or later: somebody else's, or that of `look`.
    pub async fn share(&self, way: Way, look: impl Future<Output = Answer>) -> Answer {
        let turns = self.turns(way);
        let begun_before = turns.begun.load(Ordering::SeqCst);
        let mut last = turns.last.lock().await;
        if let Some((_, answer)) = last.as_ref().filter(|(number, _)| *number > begun_before) {
            return answer.clone();
        }
        let number = turns.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let answer = look.await;
        *last = Some((number, answer.clone()));
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
        Ok(Sighting { account, arn, enabled: Vec::new() })
    }

    async fn shared(sightings: &Sightings, count: &AtomicU64) -> String {
        sightings.share(way(), look(count)).await.expect("a sighting").account.to_string()
    }

    #[tokio::test]
    async fn those_who_wait_share_the_next_look_and_never_one_that_began_before_they_came() {
        let (sightings, count) = (Sightings::default(), AtomicU64::new(0));
        let first = shared(&sightings, &count);
        let late = async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let all = (0..50).map(|_| shared(&sightings, &count));
            futures_util::future::join_all(all).await
        };
        let (first, late) = futures_util::future::join(first, late).await;
        assert_eq!(first, "000000000001");
        assert!(late.iter().all(|account| account == "000000000002"), "{late:?}");
        assert_eq!(shared(&sightings, &count).await, "000000000003");
    }

    #[tokio::test]
    async fn who_goes_away_in_the_middle_leaves_the_turn_to_the_next() {
        let (sightings, count) = (Sightings::default(), AtomicU64::new(0));
        let hurried = tokio::time::timeout(Duration::from_millis(5), shared(&sightings, &count)).await;
        assert!(hurried.is_err());
        assert_eq!(shared(&sightings, &count).await, "000000000002");
    }
}
