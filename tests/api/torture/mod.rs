//! Campaigns against the running program: kills, power cuts. `scripts/torture` runs them; they print their seed and
//! their counts.

mod corruption;
mod crash;
mod disk;
mod faults;
mod interposer;
mod machine;
mod power;
mod restore;
mod writers;

use std::hash::{BuildHasher, RandomState};

/// The length of the campaigns: `long` for the long form.
const LENGTH: &str = "TORTURE_LENGTH";

/// The seed of a campaign that is to be repeated.
const SEED: &str = "TORTURE_SEED";

/// A sequence of numbers that follows from its seed (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    /// The sequence of a campaign, whose seed is printed. The moments at which a process dies still differ from run to
    /// run, because the machine's scheduling does.
    pub(crate) fn of(campaign: &str) -> Self {
        let given = std::env::var(SEED).ok().map(|seed| seed.parse().expect("the seed is a number"));
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one(campaign));
        println!("{campaign}: {SEED}={seed}");
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// The number of rounds: the first one, in the long form the second one.
pub(crate) fn rounds(short: usize, long: usize) -> usize {
    if std::env::var(LENGTH).is_ok_and(|length| length == "long") { long } else { short }
}
