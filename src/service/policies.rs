//! What key policies say, kept for each distinct text: many keys share a text, and one request asks for all of them. A
//! text is read once, and not again for each request.

use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::place::AccountId;
use crate::policy::Reading;
use crate::policy::summary::{Resources, Said, Summary};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a policy says, as far as the rules ask.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(in crate::service) struct Brief {
    /// What it says of any key.
    pub of_any_key: Names,
    /// What it says only of the keys that a `Resource` names.
    pub of_some_keys: Box<[(Resources, Names)]>,
    /// Whether a part of it could not be read.
    pub not_understood: bool,
}

/// Whom a part of a policy names.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(in crate::service) struct Names {
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
    fn of(summary: &Summary) -> Self {
        let Summary { of_any_key, of_some_keys, not_understood } = summary;
        let of_some_keys = of_some_keys.iter().map(|(resources, said)| (resources.clone(), Names::of(said)));
        Self {
            of_any_key: Names::of(of_any_key),
            of_some_keys: of_some_keys.collect(),
            not_understood: !not_understood.is_empty(),
        }
    }

    /// The parts that are about a key.
    pub(in crate::service) fn about(&self, key: &KeyMetadata) -> impl Iterator<Item = &Names> {
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

/// All that a policy says.
pub(in crate::service) struct Meaning {
    pub reading: Reading,
    pub summary: Summary,
}

impl Meaning {
    fn of(text: &str) -> Self {
        let reading = Reading::of(text);
        Self { summary: Summary::of_reading(&reading), reading }
    }
}

/// What the policies say that keys have. Cheap to clone.
#[derive(Clone, Default)]
pub(in crate::service) struct Policies(Arc<Mutex<Known>>);

/// The bytes of texts up to which all that they mean is kept; it takes a few times the memory of the texts. Briefs are
/// small, and kept for all texts.
const MEANINGS_MAX: usize = 16 * 1024 * 1024;

/// After so many texts that were new, those are removed that no key has any more.
const SWEEP_AFTER: usize = 1024;

#[derive(Default)]
struct Known {
    /// By the address of the text, which stays the text's while the entry holds it.
    by_address: HashMap<usize, KnownPolicy>,
    /// The bytes of the texts whose meanings are kept.
    meanings: usize,
    /// The number of texts read since those were removed that no key has.
    read: usize,
}

struct KnownPolicy {
    text: Arc<str>,
    brief: Arc<Brief>,
    meaning: Option<Arc<Meaning>>,
}

impl Policies {
    /// Returns the brief of a policy, and reads the policy if it is not known. The lock is not held meanwhile.
    pub(in crate::service) fn brief(&self, policy: &PolicyText) -> Arc<Brief> {
        if let Some(known) = self.known().by_address.get(&address(policy)) {
            return known.brief.clone();
        }
        let brief = Arc::new(Brief::of(&Summary::of(policy.as_str())));
        self.known().add(policy, brief.clone(), None);
        brief
    }

    /// Returns all that a policy says, and reads the policy if that is not known.
    pub(in crate::service) fn meaning(&self, policy: &PolicyText) -> Arc<Meaning> {
        let known = self.known().by_address.get(&address(policy)).and_then(|known| known.meaning.clone());
        if let Some(meaning) = known {
            return meaning;
        }
        let meaning = Arc::new(Meaning::of(policy.as_str()));
        self.known().add(policy, Arc::new(Brief::of(&meaning.summary)), Some(&meaning));
        meaning
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn add(&mut self, policy: &PolicyText, brief: Arc<Brief>, meaning: Option<&Arc<Meaning>>) {
        self.read += 1;
        if self.read > SWEEP_AFTER.max(self.by_address.len()) {
            // This and the pool of texts hold a text that no key has any more.
            self.by_address.retain(|_, known| Arc::strong_count(&known.text) > 2);
            let with_meaning = self.by_address.values().filter(|known| known.meaning.is_some());
            (self.read, self.meanings) = (0, with_meaning.map(|known| known.text.len()).sum());
        }
        let text = policy.text();
        let entry = self.by_address.entry(address(policy));
        let known = entry.or_insert_with(|| KnownPolicy { text: text.clone(), brief, meaning: None });
        // What is kept stays: a request that goes through more texts would push out each before it is used again.
        if known.meaning.is_none() && self.meanings.saturating_add(text.len()) <= MEANINGS_MAX {
            known.meaning = meaning.cloned();
            self.meanings += meaning.map_or(0, |_| text.len());
        }
    }
}

fn address(policy: &PolicyText) -> usize {
    policy.text().as_ptr() as usize
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
        let (policies, kept) = (Policies::default(), policy(0));
        let _pool = kept.clone();
        let (first, meaning) = (policies.brief(&kept), policies.meaning(&kept));
        assert!(first.of_any_key.everyone && Arc::ptr_eq(&first, &policies.brief(&kept.clone())));
        for n in 1..5_000 {
            let policy = policy(n);
            policies.brief(&policy);
            policies.meaning(&policy);
        }
        let known = policies.known().by_address.len();
        assert!(known <= 2 * SWEEP_AFTER, "{known} texts are kept");
        assert!(Arc::ptr_eq(&first, &policies.brief(&kept)) && Arc::ptr_eq(&meaning, &policies.meaning(&kept)));
        assert_eq!(meaning.summary.of_any_key.everyone, ["statement 1"]);
    }

    #[test]
    fn no_more_meanings_are_kept_than_a_number_of_bytes() {
        let (policies, first, second) = (Policies::default(), policy(0), policy(1));
        policies.meaning(&first);
        policies.known().meanings = MEANINGS_MAX;
        let kept = |policy: &PolicyText| Arc::ptr_eq(&policies.meaning(policy), &policies.meaning(policy));
        assert!(kept(&first) && !kept(&second));
        assert!(Arc::ptr_eq(&policies.brief(&second), &policies.brief(&second)), "briefs are kept all the same");
    }
}
