//! Access control lists. The list of a KMS grants actions on it to users and groups.

use super::action::{Action, ActionSet};
use super::id::UserId;
use super::name::GroupName;

/// The user or group that an entry grants actions to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Principal {
    User(UserId),
    Group(GroupName),
}

impl Principal {
    /// Whether the principal is this user, or one of the user's groups.
    pub fn applies_to(&self, user: UserId, groups: &[GroupName]) -> bool {
        match self {
            Principal::User(id) => *id == user,
            Principal::Group(name) => groups.contains(name),
        }
    }
}

/// One change of a list: it permits actions to a principal, or withdraws them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AclChange {
    pub principal: Principal,
    pub actions: Vec<Action>,
    /// Permit (true) or withdraw (false).
    pub permit: bool,
}

/// One entry of a list. It has at least one action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AclEntry {
    pub principal: Principal,
    pub actions: ActionSet,
}

/// The entries of one KMS, in the order in which their principals first appeared.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Acl(Vec<AclEntry>);

impl Acl {
    /// Restores a list from a snapshot.
    pub fn restored(entries: Vec<AclEntry>) -> Self {
        Self(entries)
    }

    pub fn entries(&self) -> &[AclEntry] {
        &self.0
    }

    /// Applies one change. An entry without actions is removed.
    pub fn apply(&mut self, change: &AclChange) {
        let actions = ActionSet::of(&change.actions);
        let place = self.0.iter().position(|entry| entry.principal == change.principal);
        match (place, change.permit) {
            (Some(at), true) => self.0[at].actions = self.0[at].actions.with(actions),
            (None, true) if !actions.is_empty() => {
                self.0.push(AclEntry { principal: change.principal.clone(), actions });
            }
            (Some(at), false) => {
                self.0[at].actions = self.0[at].actions.without(actions);
                if self.0[at].actions.is_empty() {
                    self.0.remove(at);
                }
            }
            (None, _) => {}
        }
    }

    /// Returns the change with the views that its actions need: a user who may change a key must see it. An entry with
    /// `view` stays as clients gave it.
    pub fn with_needed_views(&self, mut change: AclChange) -> AclChange {
        let entry = self.0.iter().find(|entry| entry.principal == change.principal);
        let held = entry.map(|entry| entry.actions).unwrap_or_default().with(ActionSet::of(&change.actions));
        if change.permit && !held.contains(Action::View) {
            let views = change.actions.iter().flat_map(|action| action.needed_views()).copied();
            let missing = views.filter(|view| !held.contains(*view)).collect::<Vec<_>>();
            let missing = ActionSet::of(&missing);
            change.actions.extend(missing.iter());
        }
        change
    }

    /// Returns the entries that apply to a user who is in these groups.
    pub fn applying_to<'a>(&'a self, user: UserId, groups: &'a [GroupName]) -> impl Iterator<Item = &'a AclEntry> {
        self.0.iter().filter(move |entry| entry.principal.applies_to(user, groups))
    }

    /// Returns the actions that the list grants to a user who is in these groups.
    pub fn granted(&self, user: UserId, groups: &[GroupName]) -> ActionSet {
        self.applying_to(user, groups).fold(ActionSet::default(), |all, entry| all.with(entry.actions))
    }

    /// Whether there is an entry for this principal.
    pub fn names(&self, principal: &Principal) -> bool {
        self.0.iter().any(|entry| entry.principal == *principal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn principal() -> impl Strategy<Value = Principal> {
        (0u128..6).prop_map(|n| match n {
            0..3 => Principal::User(UserId::new(Uuid::from_u128(n))),
            _ => Principal::Group(GroupName::parse(&format!("g{n}")).expect("a plain name")),
        })
    }

    fn change() -> impl Strategy<Value = AclChange> {
        let actions = proptest::collection::vec(proptest::sample::select(Action::ALL), 1..5);
        (principal(), actions, any::<bool>()).prop_map(|(principal, actions, permit)| AclChange {
            principal,
            actions,
            permit,
        })
    }

    fn after(changes: &[AclChange]) -> Acl {
        changes.iter().fold(Acl::default(), |mut acl, change| {
            acl.apply(change);
            acl
        })
    }

    /// Compares two lists without regard to the order of their entries.
    fn same(a: &Acl, b: &Acl) -> bool {
        a.0.len() == b.0.len() && a.0.iter().all(|entry| b.0.contains(entry))
    }

    #[test]
    fn a_permit_brings_the_views_that_its_actions_need() {
        use Action::*;
        let after = |changes: &[(bool, &[Action])]| {
            let principal = Principal::User(UserId::new(Uuid::from_u128(1)));
            let mut acl = Acl::default();
            for (permit, actions) in changes {
                let change = AclChange { principal: principal.clone(), actions: actions.to_vec(), permit: *permit };
                acl.apply(&acl.with_needed_views(change));
            }
            acl.0.first().map(|entry| entry.actions.iter().collect::<Vec<_>>()).unwrap_or_default()
        };
        for (changes, expected) in [
            (&[(true, &[View, KeyCreate][..])][..], &[View, KeyCreate][..]),
            (&[(true, &[View]), (true, &[HyokKeyCreate])], &[View, HyokKeyCreate]),
            (&[(true, &[KeyUpdate])], &[ViewNative, ViewByok, KeyUpdate]),
            (&[(true, &[KeyBulkOperation])], &[ViewNative, ViewByok, KeyBulkOperation]),
            (&[(true, &[ViewByok, KeyUpload])], &[ViewNative, ViewByok, KeyUpload]),
            (&[(true, &[HyokKeyLink])], &[ViewHyokKey, HyokKeyLink]),
            (&[(true, &[CloudHsmKeyDelete])], &[ViewCloudHsmKey, CloudHsmKeyDelete]),
            (&[(true, &[KeyStoreBlock])], &[ViewKeyStore, KeyStoreBlock]),
            (&[(true, &[ReportView])], &[ReportView]),
            (&[(true, &[ViewNative])], &[ViewNative]),
            // A revoke takes what it names.
            (&[(true, &[KeyUpdate]), (false, &[KeyUpdate])], &[ViewNative, ViewByok]),
            (&[(true, &[KeyUpdate]), (false, &[ViewByok])], &[ViewNative, KeyUpdate]),
            (&[(true, &[View, KeyUpdate]), (false, &[View])], &[KeyUpdate]),
            (&[(true, &[KeyUpdate]), (true, &[View])], &[View, ViewNative, ViewByok, KeyUpdate]),
        ] {
            assert_eq!(after(changes), expected, "{changes:?}");
        }
    }

    proptest! {
        #[test]
        fn permitting_what_was_not_held_and_withdrawing_it_is_neutral(
            before in proptest::collection::vec(change(), 0..12), more in change()
        ) {
            let acl = after(&before);
            let held = acl.0.iter().find(|e| e.principal == more.principal).map(|e| e.actions).unwrap_or_default();
            let fresh: Vec<_> = more.actions.iter().copied().filter(|a| !held.permits(*a)).collect();
            prop_assume!(!fresh.is_empty());
            prop_assume!(!fresh.contains(&Action::View) || !held.permits(Action::View));
            // A part of `view` given together with `view` is not new.
            prop_assume!(!fresh.contains(&Action::View) || !held.permits(Action::ViewNative));
            let permit = AclChange { actions: fresh, permit: true, ..more };
            let mut changed = acl.clone();
            changed.apply(&permit);
            changed.apply(&AclChange { permit: false, ..permit });
            prop_assert!(same(&acl, &changed));
        }

        #[test]
        fn the_order_of_changes_for_different_principals_does_not_matter(
            before in proptest::collection::vec(change(), 0..12), one in change(), other in change()
        ) {
            prop_assume!(one.principal != other.principal);
            let forth = after(&[before.clone(), vec![one.clone(), other.clone()]].concat());
            let back = after(&[before, vec![other, one]].concat());
            prop_assert!(same(&forth, &back));
        }

        #[test]
        fn what_was_withdrawn_is_not_permitted_and_no_entry_is_empty(
            before in proptest::collection::vec(change(), 0..12), last in change()
        ) {
            let acl = after(&[before, vec![AclChange { permit: false, ..last.clone() }]].concat());
            prop_assert!(acl.0.iter().all(|entry| !entry.actions.is_empty()));
            for entry in acl.0.iter().filter(|entry| entry.principal == last.principal) {
                prop_assert!(last.actions.iter().all(|action| !entry.actions.permits(*action)));
            }
        }
    }
}
