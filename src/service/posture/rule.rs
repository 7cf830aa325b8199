//! The rules by which keys are judged: each with its severity, and with what to do about a finding.

use crate::domain::key::aggregate::Key;
use crate::domain::key::aws_enums::{KeyManager, KeyState, MultiRegionKind, Origin};
use crate::domain::time::Time;
use crate::service::keys::is_for_schedules;
use crate::service::policies::Brief;

const DAY_SECONDS: i64 = 86_400;

/// After so many days without a use a key counts as unused.
pub(super) const UNUSED_DAYS: i64 = 90;

/// So many days before its material expires, a key is reported.
const EXPIRING_DAYS: i64 = 30;

/// A rule that a key can break.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Rule {
    PolicyEveryone,
    PolicyOtherAccounts,
    PolicyByCondition,
    PolicyDeletedPrincipals,
    PolicyNotUnderstood,
    MaterialExpiring,
    MaterialMissing,
    PendingDeletion,
    NoRotation,
    NoSchedule,
    Unused,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    Critical,
    High,
    Medium,
    Low,
}

impl Severity {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

impl Rule {
    /// All rules, the most severe first.
    pub const ALL: [Self; 11] = [
        Self::PolicyEveryone,
        Self::PolicyOtherAccounts,
        Self::MaterialExpiring,
        Self::MaterialMissing,
        Self::PendingDeletion,
        Self::PolicyByCondition,
        Self::PolicyDeletedPrincipals,
        Self::PolicyNotUnderstood,
        Self::NoRotation,
        Self::NoSchedule,
        Self::Unused,
    ];

    /// The name that clients use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PolicyEveryone => "policy_everyone",
            Self::PolicyOtherAccounts => "policy_other_accounts",
            Self::PolicyByCondition => "policy_by_condition",
            Self::PolicyDeletedPrincipals => "policy_deleted_principals",
            Self::PolicyNotUnderstood => "policy_not_understood",
            Self::MaterialExpiring => "material_expiring",
            Self::MaterialMissing => "material_missing",
            Self::PendingDeletion => "pending_deletion",
            Self::NoRotation => "no_rotation",
            Self::NoSchedule => "no_schedule",
            Self::Unused => "unused_90_days",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    pub const fn severity(self) -> Severity {
        match self {
            Self::PolicyEveryone => Severity::Critical,
            Self::PolicyOtherAccounts | Self::MaterialExpiring | Self::MaterialMissing => Severity::High,
            Self::PendingDeletion
            | Self::PolicyByCondition
            | Self::PolicyDeletedPrincipals
            | Self::PolicyNotUnderstood
            | Self::NoRotation => Severity::Medium,
            Self::NoSchedule | Self::Unused => Severity::Low,
        }
    }

    pub const fn title(self) -> &'static str {
        match self {
            Self::PolicyEveryone => "The key policy allows everybody something",
            Self::PolicyOtherAccounts => "The key policy allows other accounts something",
            Self::PolicyByCondition => "The key policy allows an organization or a network something",
            Self::PolicyDeletedPrincipals => "The key policy names users or roles that were deleted",
            Self::PolicyNotUnderstood => "The key policy could not be read completely",
            Self::MaterialExpiring => "The material expires within 30 days",
            Self::MaterialMissing => "The key has no material",
            Self::PendingDeletion => "The key is going to be deleted",
            Self::NoRotation => "The key is not rotated",
            Self::NoSchedule => "No schedule covers the key",
            Self::Unused => "The key was not used for 90 days",
        }
    }

    /// What to do about a finding.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::PolicyEveryone => {
                "Name the principals, or add a condition on the caller's account or organization \
                 (kms:CallerAccount, aws:PrincipalOrgID)."
            }
            Self::PolicyOtherAccounts => {
                "Check that each of these accounts is meant to use the key; remove the others from the policy."
            }
            Self::PolicyByCondition => {
                "Check that the organization or network is yours, and that all who belong to it are meant to use the key."
            }
            Self::PolicyDeletedPrincipals => {
                "Remove the ids that begin with AIDA or AROA: they stand for users and roles that are gone, and a new \
                 one of the same name does not get their rights."
            }
            Self::PolicyNotUnderstood => {
                "Read the policy in AWS: what it says is not judged here. If it could not be read at all, allow \
                 kms:GetKeyPolicy and synchronize."
            }
            Self::MaterialExpiring => {
                "Import the material again with a later date; once it has expired, the key encrypts and decrypts \
                 nothing."
            }
            Self::MaterialMissing => {
                "Import the material again, or schedule the deletion of a key that was never completed."
            }
            Self::PendingDeletion => {
                "Cancel the deletion if anything is still encrypted with the key; afterwards nothing can be decrypted."
            }
            Self::NoRotation => "Enable automatic rotation, or put the key under a rotation schedule.",
            Self::NoSchedule => "Put the key under a rotation schedule, or have AWS rotate it.",
            Self::Unused => {
                "Find out whom the key belongs to; if it is enabled, disable it to see whether anybody needs it. That it was not \
                 used is no sufficient reason to delete it: what it encrypted long ago can be read only with it."
            }
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

/// The rules that a key breaks.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Broken(u16);

impl Broken {
    pub(super) const fn has(self, rule: Rule) -> bool {
        self.0 & rule.bit() != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn rules(self) -> impl Iterator<Item = Rule> {
        Rule::ALL.into_iter().filter(move |rule| self.has(*rule))
    }

    fn set(&mut self, rule: Rule, broken: bool) {
        if broken {
            self.0 |= rule.bit();
        }
    }
}

/// Judges a key that AWS still has, at a time. `brief` is what its policy says; `None` if that was not read. `scheduled`
/// tells whether a schedule is going to rotate the key.
///
/// Keys that AWS manages, and those that AWS does not know yet, have no findings: nothing can be done about them.
pub(super) fn judge(key: &Key, brief: Option<&Brief>, scheduled: bool, now: Time) -> Broken {
    let mut broken = Broken::default();
    let metadata = &key.metadata;
    if metadata.manager != KeyManager::Customer || key.is_unlinked() {
        return broken;
    }
    match brief {
        Some(brief) => {
            broken.set(Rule::PolicyNotUnderstood, brief.not_understood);
            let own = metadata.account();
            for names in brief.about(metadata) {
                broken.set(Rule::PolicyEveryone, names.everyone);
                broken.set(Rule::PolicyOtherAccounts, names.accounts.iter().any(|account| *account != own));
                broken.set(Rule::PolicyByCondition, names.by_condition);
                broken.set(Rule::PolicyDeletedPrincipals, names.deleted);
            }
        }
        None => broken.set(Rule::PolicyNotUnderstood, true),
    }
    let ending = metadata.is_pending_deletion();
    broken.set(Rule::PendingDeletion, ending);
    if ending {
        return broken;
    }
    let soon = now.plus_seconds(EXPIRING_DAYS * DAY_SECONDS);
    let waits = metadata.state == KeyState::PendingImport;
    broken.set(Rule::MaterialMissing, waits);
    broken.set(Rule::MaterialExpiring, !waits && metadata.valid_to.is_some_and(|end| end <= soon));
    let unused = key.last_use.as_ref().and_then(|known| known.is_unused_for(UNUSED_DAYS, now));
    broken.set(Rule::Unused, unused == Some(true));
    let by_aws = key.rotation.as_ref().map(|rotation| rotation.enabled);
    let needs_none = scheduled || key.rotated_to.is_some();
    broken.set(Rule::NoRotation, !needs_none && aws_can_rotate(key) && by_aws == Some(false));
    // AWS rotates a replica with its primary key.
    let needs_none = needs_none || by_aws == Some(true) || is_replica(key);
    broken.set(Rule::NoSchedule, !needs_none && is_for_schedules(key));
    broken
}

/// Whether AWS can be told to rotate the key by itself. It rotates a replica with its primary key, and refuses disabled
/// keys.
fn aws_can_rotate(key: &Key) -> bool {
    let metadata = &key.metadata;
    metadata.enabled && metadata.origin == Origin::AwsKms && metadata.spec.is_rotatable() && !is_replica(key)
}

fn is_replica(key: &Key) -> bool {
    key.metadata.multi_region.as_ref().is_some_and(|family| family.kind == MultiRegionKind::Replica)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key::event::{Aspect, KeyEvent};
    use crate::domain::key::example::{at, key_id, kms_id, region, snapshot};
    use crate::domain::key::last_use::{KeyUse, LastUse};
    use crate::domain::key::metadata::RotationStatus;
    use crate::domain::key::spec::KeySpec;
    use crate::domain::place::AccountId;
    use crate::service::policies::Names;

    const NOW: i64 = 1_000 * DAY_SECONDS;

    fn key() -> Key {
        let learned = snapshot(1, "").all();
        Key::known(key_id(1), kms_id(0), region("eu-west-3"), at(1), &learned).expect("metadata")
    }

    fn day(n: i64) -> Time {
        at(NOW + n * DAY_SECONDS)
    }

    fn broken(key: &Key, brief: &Brief) -> Vec<&'static str> {
        judge(key, Some(brief), false, at(NOW)).rules().map(Rule::name).collect()
    }

    #[test]
    fn rotation_is_missed_only_where_it_is_possible() {
        let brief = Brief::default();
        let mut key = key();
        assert_eq!(broken(&key, &brief), ["no_schedule"], "whether AWS rotates it is not known");
        key.rotation = Some(RotationStatus::default());
        assert_eq!(broken(&key, &brief), ["no_rotation", "no_schedule"]);
        key.rotation = Some(RotationStatus { enabled: true, ..RotationStatus::default() });
        assert_eq!(broken(&key, &brief), Vec::<&str>::new());
        key.rotation = Some(RotationStatus::default());
        key.metadata.spec = KeySpec::parse("RSA_4096");
        assert_eq!(broken(&key, &brief), ["no_schedule"]);
        assert!(judge(&key, Some(&brief), true, at(NOW)).is_empty(), "a schedule rotates it");
    }

    #[test]
    fn rotation_is_not_missed_where_nothing_can_be_done() {
        let brief = Brief::default();
        let mut key = key();
        key.rotation = Some(RotationStatus::default());
        key.metadata.enabled = false;
        key.metadata.state = KeyState::Disabled;
        assert_eq!(broken(&key, &brief), ["no_schedule"], "AWS does not switch rotation on for a disabled key");
        key.metadata.enabled = true;
        key.metadata.state = KeyState::Enabled;
        let replaced = KeyEvent::Replaced { by: key_id(2) };
        let mut old = key.clone();
        old.apply(at(2), &replaced);
        assert_eq!(broken(&old, &brief), Vec::<&str>::new(), "a new key is in its place");
        // No schedule takes the keys of somebody else's key manager.
        key.rotation = None;
        for origin in [Origin::ExternalKeyStore, Origin::Other("NEW".into())] {
            key.metadata.origin = origin;
            assert_eq!(broken(&key, &brief), Vec::<&str>::new(), "{:?}", key.metadata.origin);
        }
    }

    #[test]
    fn a_key_is_unused_only_if_aws_has_recorded_for_90_days() {
        let brief = Brief::default();
        let mut key = key();
        key.rotation = Some(RotationStatus { enabled: true, ..RotationStatus::default() });
        let mut unused = |since, last: Option<i64>| {
            let used = |n| KeyUse { at: day(n), operation: String::new(), event_id: String::new() };
            let last_use = LastUse { asked: day(0), tracked_since: day(since), last: last.map(used) };
            key.learn(at(3), &[Aspect::LastUse(last_use)]);
            broken(&key, &brief) == ["unused_90_days"]
        };
        assert!(unused(-91, None) && unused(-200, Some(-91)));
        assert!(!unused(-89, None) && !unused(-200, Some(-89)) && !unused(-1, Some(-1)));
    }

    #[test]
    fn material_and_deletion_are_watched() {
        let brief = Brief::default();
        let mut key = key();
        key.rotation = Some(RotationStatus { enabled: true, ..RotationStatus::default() });
        key.metadata.valid_to = Some(day(31));
        assert_eq!(broken(&key, &brief), Vec::<&str>::new());
        key.metadata.valid_to = Some(day(30));
        assert_eq!(broken(&key, &brief), ["material_expiring"]);
        key.metadata.state = KeyState::PendingImport;
        assert_eq!(broken(&key, &brief), ["material_missing"]);
        key.metadata.state = KeyState::PendingDeletion;
        assert_eq!(broken(&key, &brief), ["pending_deletion"], "nothing else matters then");
    }

    #[test]
    fn policies_are_judged_for_the_account_of_the_key() {
        let mut key = key();
        key.rotation = Some(RotationStatus { enabled: true, ..RotationStatus::default() });
        let own = key.metadata.account();
        let other = AccountId::parse("444455556666").expect("an account");
        let of_any_key = |names: Names| Brief { of_any_key: names, ..Brief::default() };
        let brief = |accounts: Vec<AccountId>| of_any_key(Names { accounts: accounts.into(), ..Names::default() });
        assert_eq!(broken(&key, &brief(vec![own])), Vec::<&str>::new());
        assert_eq!(broken(&key, &brief(vec![own, other])), ["policy_other_accounts"]);
        let names = Names { everyone: true, deleted: true, by_condition: true, ..Names::default() };
        let all = Brief { of_any_key: names, not_understood: true, ..Brief::default() };
        let rules = ["policy_everyone", "policy_by_condition", "policy_deleted_principals", "policy_not_understood"];
        assert_eq!(broken(&key, &all), rules);
        let unread: Vec<_> = judge(&key, None, false, at(NOW)).rules().map(Rule::name).collect();
        assert_eq!(unread, ["policy_not_understood"]);
        key.metadata.manager = KeyManager::Aws;
        assert_eq!(broken(&key, &all), Vec::<&str>::new(), "nothing can be done about AWS's own keys");
    }

    #[test]
    fn every_rule_is_listed_once_with_a_name_of_its_own() {
        for rule in Rule::ALL {
            assert_eq!(Rule::parse(rule.name()), Some(rule));
            assert!(!rule.remedy().is_empty() && !rule.title().is_empty());
        }
        let bits = Rule::ALL.into_iter().fold(0u16, |bits, rule| bits | rule.bit());
        assert_eq!(bits.count_ones() as usize, Rule::ALL.len());
    }
}
