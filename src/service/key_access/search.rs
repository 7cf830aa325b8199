//! The keys that a principal may use, by their policies. Many keys share a policy, so a decision serves for all of them.

use super::{Judged, KeyAccess, entry, fits};
use crate::domain::id::KmsId;
use crate::domain::key::aggregate::Key;
use crate::domain::key::spec::KeyUsage;
use crate::policy::access::{Subject, Verdict, decide};
use crate::policy::actions::{ACTIONS, Group};
use crate::service::access::{self, KmsPermit, Permit, SignedIn, View};
use crate::service::caller::Caller;
use crate::service::failure::Failure;
use crate::service::list::{Page, Query, pool};
use crate::service::policies::Policies;
use std::collections::HashMap;

/// The number of decisions that one search keeps in memory.
const DECIDED_MAX: usize = 32_768;

/// A search for the keys that a principal may use.
#[derive(Clone)]
pub struct PrincipalSearch {
    pub subject: Subject,
    /// The names or ids of KMSs; all that the caller may view if there are none.
    pub kms: Vec<String>,
    /// The regions; all if there are none.
    pub regions: Vec<String>,
}

/// What the principal may do with one key.
pub struct Found {
    /// The verdict about each group of actions, in the order of [`Group::ALL`].
    pub groups: [(Group, Verdict); 4],
}

impl PrincipalSearch {
    pub fn kind(&self) -> &'static str {
        entry::kind_of_subject(&self.subject)
    }
}

impl KeyAccess {
    /// What the principal may do with a key.
    pub fn found(&self, search: &PrincipalSearch, key: &Key) -> Found {
        let policy = Judged::of(key, &self.policies);
        let all = policy.verdicts(&policy.target(&[]), &search.subject);
        Found { groups: Group::ALL.map(|group| (group, super::of_group(&all, group))) }
    }

    /// Lists the keys that a principal may use, or may perhaps use, in order of creation. Grants are not asked for.
    ///
    /// # Errors
    /// When the caller may not view one of the KMSs.
    pub async fn of_principal(
        &self,
        permit: &Permit<SignedIn>,
        search: &PrincipalSearch,
        query: &Query,
    ) -> Result<(Page<Key>, Caller), Failure> {
        let caller = permit.caller().clone();
        let mut wanted: Vec<KmsId> = Vec::new();
        for text in &search.kms {
            wanted.push(KmsPermit::<View>::authorize_named(caller.clone(), text)?.kms().id);
        }
        let (search, query, policies) = (search.clone(), query.clone(), self.policies.clone());
        pool::run(move || {
            let state = &caller.published.state;
            let mut known = Known::default();
            let keys = state.keys.iter().filter(|key| {
                (wanted.is_empty() || wanted.contains(&key.kms))
                    && (search.regions.is_empty() || search.regions.iter().any(|region| region == key.region.as_str()))
                    && !state.is_gone(key)
                    && !key.is_unlinked()
                    && access::sees_key(&caller.user, state, key)
            });
            let may_use = keys.filter(|key| known.may_use(&search.subject, key, &policies));
            let ids = may_use.map(|key| key.id).collect();
            (Page::of_picked(&query, &state.keys, ids), caller.clone())
        })
        .await
    }
}

/// The decisions of a search about policies that are the same for every key of an account and a usage; by the address of
/// the text, which the state holds meanwhile.
#[derive(Default)]
struct Known(HashMap<(usize, String, String), bool>);

impl Known {
    fn may_use(&mut self, subject: &Subject, key: &Key, policies: &Policies) -> bool {
        // A key whose policy is not known may be allowed to anybody.
        let Some(policy) = &key.policy else { return true };
        let account = key.metadata.account().to_string();
        let place = (policy.text().as_ptr() as usize, account, key.metadata.usage.as_str().to_owned());
        if let Some(decided) = self.0.get(&place) {
            return *decided;
        }
        let judged = Judged::of(key, policies);
        let target = judged.target(&[]);
        let may_use = uses(&key.metadata.usage).any(|action| decide(&target, subject, action).is_possible());
        let of_any_key = |resource: &String| resource == "*";
        let statements = judged.reading().policy.statements().iter();
        if statements.flat_map(|statement| &statement.resources.items).all(of_any_key) {
            if self.0.len() >= DECIDED_MAX {
                self.0.clear();
            }
            self.0.insert(place, may_use);
        }
        may_use
    }
}

/// The actions of cryptography that keys of a usage have.
fn uses(usage: &KeyUsage) -> impl Iterator<Item = &'static str> {
    let of_use = ACTIONS.iter().filter(|(action, group)| *group == Group::Use && fits(usage, action));
    of_use.map(|(action, _)| *action)
}
