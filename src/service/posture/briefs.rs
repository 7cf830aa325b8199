//! What key policies say, kept for each distinct text: many keys share a text, and one posture asks for all of them. A
//! text is read once, and never again for a request.

use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::place::AccountId;
use crate::policy::summary::{Resources, Said, Summary};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a policy says, as far as the rules ask.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Brief {
    /// What it says of any key.
    pub of_any_key: Names,
    /// What it says only of the keys that a `Resource` names.
    pub of_some_keys: Box<[(Resources, Names)]>,
    /// Whether a part of it could not be read.
    pub not_understood: bool,
}

/// Whom a part of a policy names.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Names {
    /// Whether everybody is allowed something.
    pub everyone: bool,
    /// The accounts that are allowed something.
    pub accounts: Box<[AccountId]>,
    /// Whether callers are allowed something that only a condition names: those of an organization or a network.
    pub by_condition: bool,
    /// Whether users or roles are named that were deleted.
    pub deleted: bool,
}

impl Brief {
    fn of(text: &str) -> Self {
        let Summary { of_any_key, of_some_keys, not_understood } = Summary::of(text);
        let of_some_keys = of_some_keys.into_iter().map(|(resources, said)| (resources, Names::of(&said)));
        Self {
            of_any_key: Names::of(&of_any_key),
            of_some_keys: of_some_keys.collect(),
            not_understood: !not_understood.is_empty(),
        }
    }

    /// The parts that are about a key.
    pub(super) fn about(&self, key: &KeyMetadata) -> impl Iterator<Item = &Names> {
        // Hardly any policy names its key.
        let arn = (!self.of_some_keys.is_empty()).then(|| key.arn.to_string());
        let about = move |resources: &Resources| arn.as_ref().is_some_and(|arn| resources.can_mean(arn));
        let of_key = self.of_some_keys.iter().filter(move |(resources, _)| about(resources));
        std::iter::once(&self.of_any_key).chain(of_key.map(|(_, names)| names))
    }
}

impl Names {
    fn of(said: &Said) -> Self {
        Self {
            everyone: !said.everyone.is_empty(),
            accounts: said.accounts.iter().filter_map(|account| AccountId::parse(account).ok()).collect(),
            by_condition: !said.others.is_empty(),
            deleted: !said.deleted.is_empty(),
        }
    }
}

/// The briefs of the policies that keys have. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Briefs(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// By the address of the text, which stays the text's while the entry holds it.
    by_address: HashMap<usize, (Arc<str>, Arc<Brief>)>,
    /// The number of entries at which those are removed whose texts no key has any more.
    sweep_at: usize,
}

impl Briefs {
    /// Returns the brief of a policy, and reads the policy if it is not known. The lock is not held meanwhile.
    pub(super) fn of(&self, policy: &PolicyText) -> Arc<Brief> {
        let text = policy.text();
        let address = text.as_ptr() as usize;
        if let Some((_, brief)) = self.known().by_address.get(&address) {
            return brief.clone();
        }
        let brief = Arc::new(Brief::of(text));
        self.known().insert(address, text.clone(), brief.clone());
        brief
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn insert(&mut self, address: usize, text: Arc<str>, brief: Arc<Brief>) {
        if self.by_address.len() >= self.sweep_at {
            // This and the pool of texts hold a text that no key has any more.
            self.by_address.retain(|_, (text, _)| Arc::strong_count(text) > 2);
            self.sweep_at = (2 * self.by_address.len()).max(1024);
        }
        self.by_address.insert(address, (text, brief));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(n: usize) -> PolicyText {
        PolicyText::parse(&format!(r#"{{"Id":"{n}","Statement":{{"Effect":"Allow","Principal":{{"AWS":"*"}},"Action":"kms:*","Resource":"*"}}}}"#))
            .expect("a policy")
    }

    #[test]
    fn a_text_is_read_once_and_forgotten_with_its_keys() {
        let (briefs, kept) = (Briefs::default(), policy(0));
        let _pool = kept.clone();
        let first = briefs.of(&kept);
        assert!(first.of_any_key.everyone && Arc::ptr_eq(&first, &briefs.of(&kept.clone())));
        for n in 1..5_000 {
            briefs.of(&policy(n));
        }
        let known = briefs.known().by_address.len();
        assert!(known <= 2_048, "{known} texts are kept");
        assert!(Arc::ptr_eq(&first, &briefs.of(&kept)));
    }
}
