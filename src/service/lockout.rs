//! The lockout after failed logins. Names of users and all other names are in one table and are treated alike, so that
//! neither a lockout nor its absence reveals whether a user exists. The table is in memory only: a restart ends every
//! lockout, whoever has the name.

use crate::domain::name::UserName;
use crate::domain::password::PasswordPolicy;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::domain::user::User;
use aws_lc_rs::digest;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The failed logins in a row, by name and network. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct LoginFailures(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    pairs: BTreeMap<Pair, Failures>,
    /// The same pairs, those that are dropped first at the start: with the fewest failures, the oldest of them.
    by_count: BTreeSet<(Failures, Pair)>,
}

/// The hashes of a name and a network. Users sometimes type their password as the name, so names are not kept.
type Pair = (Hash, Hash);

type Hash = [u8; 32];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Failures {
    count: u32,
    last: Time,
}

/// The maximum number of pairs.
const PAIRS_MAX: usize = 32_768;

/// A name that a client tries to sign in with.
pub(super) struct AttemptedName(String);

impl AttemptedName {
    pub(super) fn of(text: &str) -> Self {
        // One character more than the longest name, so that no longer text counts as a name.
        Self(text.chars().take(crate::domain::name::NAME_MAX + 1).collect::<String>().to_lowercase())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&UserName> for AttemptedName {
    fn from(name: &UserName) -> Self {
        Self::of(name.as_str())
    }
}

impl LoginFailures {
    /// Returns the end of the lockout of this name from this network, if there is one.
    pub(super) fn locked_until(&self, policy: &PasswordPolicy, name: &AttemptedName, network: &str) -> Option<Time> {
        let table = self.table();
        let failures = table.pairs.get(&pair(name, network))?;
        policy.locked_until(failures.count, failures.last)
    }

    /// Returns the beginning of the newest lockout of this name from any network; `None` if there is none at that time.
    pub(super) fn locked_since(&self, policy: &PasswordPolicy, name: &AttemptedName, at: Time) -> Option<Time> {
        let is_on = |failures: &&Failures| {
            let until = policy.locked_until(failures.count, failures.last);
            until.is_some_and(|until| until > at)
        };
        self.table().of_name(name).map(|(_, failures)| failures).filter(is_on).map(|failures| failures.last).max()
    }

    /// Records a failure, and returns the number of failures in a row.
    pub(super) fn record(&self, name: &AttemptedName, network: &str, at: Time) -> u32 {
        let (mut table, pair) = (self.table(), pair(name, network));
        let before = table.remove(&pair).map_or(0, |failures| failures.count);
        // A pair with many failures must not be removable by fewer failures under other names.
        if table.pairs.len() >= PAIRS_MAX
            && let Some((_, fewest)) = table.by_count.first().copied()
        {
            table.remove(&fewest);
        }
        let failures = Failures { count: before.saturating_add(1), last: at };
        table.pairs.insert(pair, failures);
        table.by_count.insert((failures, pair));
        failures.count
    }

    /// Forgets the failures under a name from a network, after a login.
    pub(super) fn forget(&self, name: &AttemptedName, network: &str) {
        self.table().remove(&pair(name, network));
    }

    /// Forgets all failures under a name.
    pub(super) fn forget_name(&self, name: &AttemptedName) {
        let mut table = self.table();
        let pairs: Vec<Pair> = table.of_name(name).map(|(pair, _)| *pair).collect();
        for pair in pairs {
            table.remove(&pair);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn of_name(&self, name: &AttemptedName) -> impl Iterator<Item = (&Pair, &Failures)> {
        let name = hash(&[name.0.as_bytes()]);
        self.pairs.range((name, [0; 32])..=(name, [u8::MAX; 32]))
    }

    fn remove(&mut self, pair: &Pair) -> Option<Failures> {
        let failures = self.pairs.remove(pair)?;
        self.by_count.remove(&(failures, *pair));
        Some(failures)
    }
}

/// Returns the policy whose lockout applies to a name. A name that no user has is under one of the policies too, always
/// the same one. Otherwise, a lockout of another policy than the global one would reveal that a user has the name.
pub(super) fn policy_of<'a>(state: &'a State, user: Option<&User>, name: &AttemptedName) -> &'a PasswordPolicy {
    if let Some(user) = user {
        return state.password_policies.of(user);
    }
    let secret = state.installation.as_ref().map_or(&[][..], |installation| installation.token_key.0.as_slice());
    let policies = state.password_policies.all().iter();
    let chosen = policies.max_by_key(|policy| hash(&[secret, policy.name.as_str().as_bytes(), name.0.as_bytes()]));
    &chosen.unwrap_or_else(|| state.password_policies.global()).policy
}

fn pair(name: &AttemptedName, network: &str) -> Pair {
    (hash(&[name.0.as_bytes()]), hash(&[network.as_bytes()]))
}

/// Hashes texts, each after its length.
fn hash(texts: &[&[u8]]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    for text in texts {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// The delay of the response to a failed login, measured from the start of the attempt: 125 ms, doubled with each
/// failure, up to two seconds.
pub(super) fn delay(failures: u32) -> Duration {
    Duration::from_millis(125) * 2u32.pow(failures.saturating_sub(1).min(4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Event, InstallationEvent, Sealed};
    use crate::domain::id::InstallationId;
    use crate::domain::name::PasswordPolicyName;

    const HERE: &str = "10.0.0.1";

    fn at(second: i64) -> Time {
        Time::from_nanos(0).plus_seconds(second)
    }

    fn named(text: &str) -> AttemptedName {
        AttemptedName::of(text)
    }

    #[test]
    fn failures_in_a_row_lock_a_name_from_one_network() {
        let (failures, policy) = (LoginFailures::default(), PasswordPolicy::default());
        let locked = |name: &str, network: &str| failures.locked_until(&policy, &named(name), network);
        // By the default policy the fifth failure in a row locks for a minute.
        for failure in 1..=5 {
            assert_eq!(locked("eve", HERE), None);
            assert_eq!(failures.record(&named("Eve"), HERE, at(failure.into())), failure);
        }
        assert_eq!(locked("EVE", HERE), Some(at(65)));
        assert_eq!((locked("eve", "10.0.0.2"), locked("ev", HERE)), (None, None));
        assert_eq!(failures.locked_since(&policy, &named("eve"), at(64)), Some(at(5)));
        assert_eq!(failures.locked_since(&policy, &named("eve"), at(65)), None);
        for _ in 0..5 {
            failures.record(&named("eve"), "10.0.0.2", at(9));
        }
        failures.forget(&named("eve"), HERE);
        assert_eq!((locked("eve", HERE), locked("eve", "10.0.0.2")), (None, Some(at(69))));
        failures.forget_name(&named("eve"));
        assert_eq!(locked("eve", "10.0.0.2"), None);
        assert!(failures.table().pairs.is_empty() && failures.table().by_count.is_empty());
    }

    #[test]
    fn a_locked_name_is_not_unlocked_by_failures_under_many_others() {
        let (failures, policy) = (LoginFailures::default(), PasswordPolicy::default());
        for _ in 0..5 {
            failures.record(&named("admin"), HERE, at(0));
        }
        for n in 0..PAIRS_MAX + 10_000 {
            failures.record(&named(&format!("n{n}")), HERE, at(1));
        }
        assert_eq!(failures.locked_until(&policy, &named("admin"), HERE), Some(at(60)));
        assert_eq!(failures.table().pairs.len(), PAIRS_MAX);
        assert_eq!(failures.table().by_count.len(), PAIRS_MAX);
    }

    #[test]
    fn a_name_that_no_user_has_is_always_under_the_same_one_of_the_policies() {
        let mut state = State::default();
        let (id, token_key) = (InstallationId::new(uuid::Uuid::nil()), Sealed(vec![7; 32]));
        state.apply(at(0), &Event::Installation(InstallationEvent::Created { id, token_key }));
        let set = |name: &str, thresholds: Vec<u32>| {
            let name = PasswordPolicyName::parse(name).expect("a name");
            let policy = PasswordPolicy { failed_logins_lockout_thresholds: thresholds, ..PasswordPolicy::default() };
            Event::Installation(InstallationEvent::PasswordPolicySet { name, policy, expiry_notification_days: 0 })
        };
        state.apply(at(1), &set("machines", vec![1]));
        let chosen = |state: &State| -> Vec<bool> {
            let names = (0..100).map(|n| named(&format!("n{n}")));
            let of_machines = |name| policy_of(state, None, &name).failed_logins_lockout_thresholds == [1];
            names.map(of_machines).collect()
        };
        let before = chosen(&state);
        let under_machines = before.iter().filter(|is_under| **is_under).count();
        assert!((25..75).contains(&under_machines), "{under_machines} of 100");
        // Another policy takes names, and moves none between the others.
        state.apply(at(2), &set("people", vec![2]));
        let after = chosen(&state);
        assert!(before.iter().zip(&after).all(|(before, after)| *before || !after));
    }

    #[test]
    fn the_delay_is_at_most_two_seconds() {
        assert_eq!(delay(1), Duration::from_millis(125));
        assert_eq!(delay(99), Duration::from_secs(2));
    }
}
