//! The lockout after failed logins. Names of users and all other names are in one table and are treated alike, so that
//! neither a lockout nor its absence reveals whether a user exists. The failures are in memory only: a restart ends
//! every lockout, whoever has the name. The networks of a user's latest logins are taken from the log at the start.
//!
//! Failures are counted twice: by name and network, for the lockout of the password policy, and by name and hour, for
//! networks from which nobody has signed in under that name yet. The second count is for attackers who have many
//! addresses. When the first has no room for another pair, it evicts nobody: the new ones share one count, which
//! delays. When the second has no room, the name with the fewest failures leaves: to bring one with many failures
//! there, an attacker needs as many under every other name.

use crate::domain::name::UserName;
use crate::domain::password::PasswordPolicy;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::domain::user::{SOURCES_MAX, User};
use aws_lc_rs::digest;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The failed logins. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct LoginFailures(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    /// The failures in a row, by name and network.
    pairs: BTreeMap<Pair, Failures>,
    /// The same pairs, the one with the oldest last failure first.
    by_last: BTreeSet<(Time, Pair)>,
    /// The failures under all pairs that have no room in the table.
    other_pairs: Option<Failures>,
    /// The failures from unknown networks, by name.
    names: BTreeMap<Hash, Hour>,
    /// The same names, the one with the fewest failures first, the oldest of them.
    by_count: BTreeSet<(Hour, Hash)>,
    /// The latest networks from which a user signed in.
    known: BTreeMap<Hash, VecDeque<Hash>>,
}

/// The hashes of a name and a network. Users sometimes type their password as the name, so names are not kept.
type Pair = (Hash, Hash);

type Hash = [u8; 32];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Failures {
    count: u32,
    last: Time,
}

/// The failures in the hour that begins with the first of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Hour {
    count: u32,
    began: Time,
}

/// The maximum number of pairs, and of names.
const KEYS_MAX: usize = 32_768;

/// The seconds after which a pair may be dropped for another one.
const PAIR_SECONDS: i64 = 86_400;

/// The failures under a name in an hour, from networks without a successful login, that lock them out for the rest of
/// the hour.
pub(super) const HOURLY_MAX: u32 = 100;

/// The known networks of a user.
const KNOWN_MAX: usize = SOURCES_MAX;

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
    pub(super) fn locked_until(
        &self,
        policy: &PasswordPolicy,
        name: &AttemptedName,
        network: &str,
        at: Time,
    ) -> Option<Time> {
        let (table, pair) = (self.table(), pair(name, network));
        let by_pair = table.pairs.get(&pair).and_then(|failures| policy.locked_until(failures.count, failures.last));
        let hour = table.hour(&pair, at).filter(|hour| hour.count >= HOURLY_MAX);
        by_pair.max(hour.map(|hour| hour.ends()))
    }

    /// Returns the beginning of the newest lockout of this name from any network; `None` if there is none at that time.
    pub(super) fn locked_since(&self, policy: &PasswordPolicy, name: &AttemptedName, at: Time) -> Option<Time> {
        let is_on = |failures: &&Failures| {
            let until = policy.locked_until(failures.count, failures.last);
            until.is_some_and(|until| until > at)
        };
        let table = self.table();
        let by_pair =
            table.of_name(name).map(|(_, failures)| failures).filter(is_on).map(|failures| failures.last).max();
        let hour = table.names.get(&hash_of(name)).filter(|hour| hour.count >= HOURLY_MAX && hour.ends() > at);
        by_pair.max(hour.map(|hour| hour.began))
    }

    /// Records a failure, and returns the number of failures in a row.
    pub(super) fn record(&self, name: &AttemptedName, network: &str, at: Time) -> u32 {
        let (mut table, pair) = (self.table(), pair(name, network));
        if !table.is_known(&pair) {
            table.count_hour(pair.0, at);
        }
        table.count_pair(pair, at)
    }

    /// Forgets the failures under a name from a network, after a login. The network is known from now on.
    pub(super) fn succeeded(&self, name: &AttemptedName, network: &str) {
        self.know(name, network);
        self.table().remove(&pair(name, network));
    }

    /// Notes a network from which a user has signed in.
    pub(super) fn know(&self, name: &AttemptedName, network: &str) {
        let (mut table, pair) = (self.table(), pair(name, network));
        let known = table.known.entry(pair.0).or_default();
        known.retain(|network| *network != pair.1);
        known.push_back(pair.1);
        if known.len() > KNOWN_MAX {
            known.pop_front();
        }
    }

    /// Forgets all failures under a name.
    pub(super) fn forget_name(&self, name: &AttemptedName) {
        let mut table = self.table();
        let pairs: Vec<Pair> = table.of_name(name).map(|(pair, _)| *pair).collect();
        for pair in pairs {
            table.remove(&pair);
        }
        table.remove_name(&hash_of(name));
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn of_name(&self, name: &AttemptedName) -> impl Iterator<Item = (&Pair, &Failures)> {
        let name = hash_of(name);
        self.pairs.range((name, [0; 32])..=(name, [u8::MAX; 32]))
    }

    fn is_known(&self, (name, network): &Pair) -> bool {
        self.known.get(name).is_some_and(|known| known.contains(network))
    }

    /// Returns the hour of failures that counts for an unknown network.
    fn hour(&self, pair: &Pair, at: Time) -> Option<Hour> {
        self.names.get(&pair.0).filter(|hour| hour.ends() > at && !self.is_known(pair)).copied()
    }

    fn count_hour(&mut self, name: Hash, at: Time) {
        let before = self.remove_name(&name).filter(|hour| hour.ends() > at);
        if self.names.len() >= KEYS_MAX
            && let Some((_, fewest)) = self.by_count.first().copied()
        {
            self.remove_name(&fewest);
        }
        let hour = before.unwrap_or(Hour { count: 0, began: at });
        let hour = Hour { count: hour.count.saturating_add(1), ..hour };
        self.names.insert(name, hour);
        self.by_count.insert((hour, name));
    }

    fn remove_name(&mut self, name: &Hash) -> Option<Hour> {
        let hour = self.names.remove(name)?;
        self.by_count.remove(&(hour, *name));
        Some(hour)
    }

    fn count_pair(&mut self, pair: Pair, at: Time) -> u32 {
        let before = self.remove(&pair);
        while self.pairs.len() >= KEYS_MAX
            && let Some((_, oldest)) = self.by_last.first().filter(|(last, _)| last.plus_seconds(PAIR_SECONDS) <= at)
        {
            let oldest = *oldest;
            self.remove(&oldest);
        }
        // A known network always has a count of its own: the hour does not count for it.
        let shared = self.pairs.len() >= KEYS_MAX && !self.is_known(&pair);
        let others = self.other_pairs.filter(|others| others.last.plus_seconds(PAIR_SECONDS) > at);
        let count = if shared { others } else { before }.map_or(0, |failures| failures.count);
        let failures = Failures { count: count.saturating_add(1), last: at };
        if shared {
            self.other_pairs = Some(failures);
        } else {
            self.pairs.insert(pair, failures);
            self.by_last.insert((at, pair));
        }
        failures.count
    }

    fn remove(&mut self, pair: &Pair) -> Option<Failures> {
        let failures = self.pairs.remove(pair)?;
        self.by_last.remove(&(failures.last, *pair));
        Some(failures)
    }
}

impl Hour {
    fn ends(&self) -> Time {
        self.began.plus_seconds(3_600)
    }
}

/// Returns the policy whose lockout applies to a name. A name that no user has is under one of the policies too, always
/// the same one. Otherwise, a lockout of another policy than the global one would reveal that a user has the name.
pub(super) fn policy_of<'a>(state: &'a State, user: Option<&User>, name: &AttemptedName) -> &'a PasswordPolicy {
    if let Some(user) = user {
        return state.password_policies.of(user);
    }
    let secret = state.installation.as_ref().map_or(&[][..], |installation| installation.first_token_key.0.as_slice());
    let policies = state.password_policies.all().iter();
    let chosen = policies.max_by_key(|policy| hash(&[secret, policy.name.as_str().as_bytes(), name.0.as_bytes()]));
    &chosen.unwrap_or_else(|| state.password_policies.global()).policy
}

fn pair(name: &AttemptedName, network: &str) -> Pair {
    (hash_of(name), hash(&[network.as_bytes()]))
}

fn hash_of(name: &AttemptedName) -> Hash {
    hash(&[name.0.as_bytes()])
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
        let locked = |name: &str, network: &str| failures.locked_until(&policy, &named(name), network, at(0));
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
        failures.succeeded(&named("eve"), HERE);
        assert_eq!((locked("eve", HERE), locked("eve", "10.0.0.2")), (None, Some(at(69))));
        failures.forget_name(&named("eve"));
        assert_eq!(locked("eve", "10.0.0.2"), None);
        assert!(failures.table().pairs.is_empty() && failures.table().by_last.is_empty());
    }

    #[test]
    fn a_locked_name_is_not_unlocked_by_failures_under_many_others() {
        let (failures, policy) = (LoginFailures::default(), PasswordPolicy::default());
        for _ in 0..5 {
            failures.record(&named("admin"), HERE, at(0));
        }
        let mut counts = Vec::new();
        for n in 0..KEYS_MAX + 3 {
            counts.push(failures.record(&named(&format!("n{n}")), HERE, at(1)));
        }
        assert_eq!(failures.locked_until(&policy, &named("admin"), HERE, at(1)), Some(at(60)));
        assert_eq!(failures.table().pairs.len(), KEYS_MAX);
        assert_eq!(failures.table().by_last.len(), KEYS_MAX);
        // Those without room share one count. After a day they replace the oldest.
        assert_eq!(counts.split_off(KEYS_MAX - 2), [1, 1, 2, 3, 4]);
        assert_eq!(failures.record(&named("late"), HERE, at(PAIR_SECONDS + 1)), 1);
        assert_eq!(failures.table().pairs.len(), KEYS_MAX);
    }

    #[test]
    fn failures_from_many_networks_lock_out_the_networks_without_a_login() {
        let (failures, policy) = (LoginFailures::default(), PasswordPolicy::default());
        let admin = named("admin");
        let locked = |network: &str, second: i64| failures.locked_until(&policy, &admin, network, at(second));
        failures.succeeded(&admin, HERE);
        for n in 0..HOURLY_MAX {
            assert_eq!(locked("192.0.2.1", 60), None);
            failures.record(&admin, &format!("10.1.0.{n}"), at(n.into()));
        }
        assert_eq!((locked("192.0.2.1", 200), locked(HERE, 200)), (Some(at(3_600)), None));
        assert_eq!(failures.locked_since(&policy, &admin, at(200)), Some(at(0)));
        assert_eq!(failures.locked_until(&policy, &named("other"), "192.0.2.1", at(200)), None);
        // The failures of a known network are not among them.
        failures.record(&admin, HERE, at(201));
        assert_eq!(failures.table().names[&hash_of(&admin)].count, HOURLY_MAX);
        // Another hour begins with its first failure.
        assert_eq!((locked("192.0.2.1", 3_600), failures.record(&admin, "192.0.2.1", at(4_000))), (None, 1));
        assert_eq!(locked("192.0.2.2", 4_001), None);
        for n in 0..HOURLY_MAX {
            failures.record(&admin, &format!("10.1.0.{n}"), at(4_002));
        }
        assert_eq!(locked("192.0.2.1", 4_003), Some(at(7_600)));
        failures.forget_name(&admin);
        assert_eq!(locked("192.0.2.1", 4_003), None);
    }

    #[test]
    fn a_flood_of_names_locks_nobody_out_and_frees_no_name_with_many_failures() {
        let (failures, policy) = (LoginFailures::default(), PasswordPolicy::default());
        for n in 0..HOURLY_MAX {
            failures.record(&named("admin"), &format!("10.1.0.{n}"), at(0));
        }
        for n in 0..KEYS_MAX + 500 {
            failures.record(&named(&format!("n{n}")), HERE, at(1));
        }
        let locked = |name: &str| failures.locked_until(&policy, &named(name), "192.0.2.1", at(2));
        assert_eq!((locked("admin"), locked("ann"), locked("n7")), (Some(at(3_600)), None, None));
        let table = failures.table();
        assert_eq!((table.names.len(), table.by_count.len()), (KEYS_MAX, KEYS_MAX));
    }

    #[test]
    fn a_known_network_is_locked_by_the_policy_however_full_the_table_is() {
        let (failures, policy) = (LoginFailures::default(), PasswordPolicy::default());
        for n in 0..KEYS_MAX {
            failures.record(&named(&format!("n{n}")), HERE, at(0));
        }
        failures.succeeded(&named("ann"), HERE);
        for failure in 1..=5 {
            assert_eq!(failures.record(&named("ann"), HERE, at(1)), failure);
        }
        assert_eq!(failures.locked_until(&policy, &named("ann"), HERE, at(2)), Some(at(61)));
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
