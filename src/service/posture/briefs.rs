//! What key policies say, kept for each distinct text: many keys share a text, and one posture asks for all of them. A
//! text is read once, and never again for a request.

use crate::domain::key::policy_text::PolicyText;
use crate::domain::place::AccountId;
use crate::policy::summary::Summary;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a policy says, as far as the rules ask.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Brief {
    /// Whether it allows everybody something.
    pub everyone: bool,
    /// The accounts that it allows something.
    pub accounts: Box<[AccountId]>,
    /// Whether it names users or roles that were deleted.
    pub deleted: bool,
    /// Whether a part of it could not be read.
    pub not_understood: bool,
}

impl Brief {
    fn of(text: &str) -> Self {
        // Others are organizations and networks, which are mostly one's own.
        let Summary { everyone, accounts, deleted, not_understood, others: _ } = Summary::of(text);
        Self {
            everyone: !everyone.is_empty(),
            accounts: accounts.iter().filter_map(|account| AccountId::parse(account).ok()).collect(),
            deleted: !deleted.is_empty(),
            not_understood: !not_understood.is_empty(),
        }
    }

    pub(super) fn names_other_account(&self, own: AccountId) -> bool {
        self.accounts.iter().any(|account| *account != own)
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
        assert!(first.everyone && Arc::ptr_eq(&first, &briefs.of(&kept.clone())));
        for n in 1..5_000 {
            briefs.of(&policy(n));
        }
        let known = briefs.known().by_address.len();
        assert!(known <= 2_048, "{known} texts are kept");
        assert!(Arc::ptr_eq(&first, &briefs.of(&kept)));
    }
}
