//! How many calls are under way at once in a region of an account: AWS grants calls per second for each of those.
//!
//! Whoever waits gets a turn in the order of asking. The turn is kept during a call's pauses too, so that a region that
//! throttles is asked less often by all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::port::Access;
use super::retry::Deadline;
use crate::domain::place::{AccountId, Region};

/// A turn. The call is over when it is dropped.
pub(super) struct Turn {
    _permit: OwnedSemaphorePermit,
}

/// A lane for each account and region.
pub(super) struct Lanes {
    width: usize,
    lanes: Mutex<HashMap<(Owner, Region), Arc<Semaphore>>>,
}

/// Whose grant a call uses up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Owner {
    /// The account of the role that is assumed last.
    Account(AccountId),
    /// The account of a key pair, which only AWS knows: the id stands for it.
    Keys(String),
}

/// Idle lanes are put away when there are more than this.
const MOST_LANES: usize = 1_024;

impl Lanes {
    /// So many calls at once in each lane.
    pub(super) fn of_width(width: u32) -> Self {
        Self { width: width.max(1) as usize, lanes: Mutex::default() }
    }

    /// Waits for a turn; nothing if none comes before the deadline.
    pub(super) async fn turn(&self, access: &Access, region: &Region, deadline: Deadline) -> Option<Turn> {
        let permit = deadline.limit(self.lane(access, region).acquire_owned()).await?;
        permit.ok().map(|permit| Turn { _permit: permit })
    }

    fn lane(&self, access: &Access, region: &Region) -> Arc<Semaphore> {
        let owner = match access.roles.last() {
            Some(role) => Owner::Account(role.arn.account()),
            None => Owner::Keys(access.keys.id.clone()),
        };
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.len() > MOST_LANES {
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1);
        }
        let lane = lanes.entry((owner, region.clone()));
        Arc::clone(lane.or_insert_with(|| Arc::new(Semaphore::new(self.width))))
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
    async fn a_lane_is_full_until_a_call_is_over() {
        let lanes = Lanes::of_width(2);
        let (one, paris, ohio) = (access("AKIA1"), region("eu-west-3"), region("us-east-2"));
        let first = lanes.turn(&one, &paris, at_once()).await.expect("room for one");
        let _second = lanes.turn(&one, &paris, at_once()).await.expect("room for two");
        assert!(lanes.turn(&one, &paris, at_once()).await.is_none(), "no room for three");
        assert!(lanes.turn(&one, &ohio, at_once()).await.is_some(), "another region has room");
        assert!(lanes.turn(&access("AKIA2"), &paris, at_once()).await.is_some(), "and so has another account");
        drop(first);
        assert!(lanes.turn(&one, &paris, at_once()).await.is_some());
    }

    #[tokio::test]
    async fn roles_of_one_account_share_its_lane_whoever_assumes_them() {
        let role = |name: &str| RoleToAssume {
            arn: RoleArn::parse(&format!("arn:aws:iam::123456789012:role/{name}")).expect("a role"),
            external_id: None,
            session_name: SessionName::shaped_from("claviger"),
        };
        let lanes = Lanes::of_width(1);
        let one = Access { roles: vec![role("a")], ..access("AKIA1") };
        let other = Access { roles: vec![role("b")], ..access("AKIA2") };
        let _turn = lanes.turn(&one, &region("eu-west-3"), at_once()).await.expect("room");
        assert!(lanes.turn(&other, &region("eu-west-3"), at_once()).await.is_none());
    }

    #[tokio::test]
    async fn idle_lanes_are_put_away_and_busy_ones_stay() {
        let lanes = Lanes::of_width(1);
        let paris = region("eu-west-3");
        let _turn = lanes.turn(&access("busy"), &paris, at_once()).await.expect("room");
        for index in 0..=MOST_LANES {
            let _ = lanes.turn(&access(&index.to_string()), &paris, at_once()).await.expect("room");
        }
        assert!(lanes.lanes.lock().expect("no panic").len() < 10);
        assert!(lanes.turn(&access("busy"), &paris, at_once()).await.is_none(), "it is the same lane still");
    }
}
