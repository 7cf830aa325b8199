//! How the keys stand: their numbers by what they are, and the keys that break a rule (`rule`). Everything follows from
//! the published state; only what a policy says is kept from one request to the next (`service/policies.rs`). Once a day the numbers
//! go into the log, for a trend (`trend`).

mod count;
mod coverage;
mod detail;
mod rule;
mod trend;

pub use count::{AGES, Counts};
pub use coverage::{Coverage, CoveredKeys};
pub use rule::{Rule, Severity};
pub use trend::DayOfTrend;

use super::access::{self, KmsPermit, Permit, SignedIn, View};
use super::caller::Caller;
use super::failure::Failure;
use super::list::{Page, Query, pool};
use super::policies::Policies;
use super::recorder::Recorder;
use crate::domain::action::{Action, ActionSet};
use crate::domain::id::{KeyId, KmsId};
use crate::domain::key::aggregate::Key;
use crate::domain::kms::Kms;
use crate::domain::state::State;
use crate::domain::time::Time;
use count::{Judge, is_gone};
use rule::Broken;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The use cases of the posture. Cheap to clone.
#[derive(Clone)]
pub struct Posture {
    recorder: Recorder,
    policies: Policies,
}

/// The posture of the keys that a caller may view.
pub struct PostureSeen {
    pub at: Time,
    pub total: Counts,
    pub kms: Vec<KmsPosture>,
    /// The sums of the KMSs all of whose keys the caller may view, oldest day first. For administrators who ask for no
    /// KMSs, also of those that were deleted since.
    pub trend: Vec<DayOfTrend>,
}

/// The posture of one KMS.
pub struct KmsPosture {
    pub kms: Arc<Kms>,
    pub counts: Counts,
    /// The trend, if the caller may view all keys of the KMS.
    pub trend: Option<Vec<DayOfTrend>>,
}

/// The actions that permit viewing keys; with all of them a user views every key of a KMS.
const VIEWS: [Action; 4] = [Action::ViewNative, Action::ViewByok, Action::ViewHyokKey, Action::ViewCloudHsmKey];

impl Posture {
    pub(super) fn new(recorder: Recorder, policies: Policies) -> Self {
        Self { recorder, policies }
    }

    /// Returns the posture of these KMSs, by names or ids; of all that the caller may view if there are none.
    ///
    /// # Errors
    /// When the caller may not view one of the KMSs.
    pub async fn get(&self, permit: &Permit<SignedIn>, kms: &[String]) -> Result<PostureSeen, Failure> {
        let (caller, policies, at) = (permit.caller().clone(), self.policies.clone(), self.recorder.now());
        let everything = kms.is_empty() && access::administers_kms(&caller.user);
        let wanted = wanted(&caller, kms)?;
        pool::run(move || {
            let judge = Judge::new(&caller.published.state, &policies, at);
            let seen = wanted.into_iter().map(|kms| {
                let views = Views::of(&caller, &kms);
                let counts = judge.count(&kms, |key| views.sees(key));
                let whole = views.sees_all();
                let trend = whole.then(|| trend::of(&caller.published.state, at, |id| id == kms.id));
                KmsPosture { kms, counts, trend }
            });
            let kms: Vec<KmsPosture> = seen.collect();
            let mut total = Counts::default();
            kms.iter().for_each(|one| total.merge(&one.counts));
            let whole: HashSet<KmsId> = kms.iter().filter(|one| one.trend.is_some()).map(|one| one.kms.id).collect();
            // KMSs that were deleted since belong to the past as well.
            let trend = trend::of(&caller.published.state, at, |id| everything || whole.contains(&id));
            PostureSeen { at, total, kms, trend }
        })
        .await
    }

    /// What a rule says about a key that breaks it, in a sentence.
    pub fn detail(&self, rule: Rule, key: &Key, state: &State) -> String {
        detail::detail(rule, key, state, &self.policies)
    }

    /// The rules that a key breaks, the most severe first.
    pub fn broken_by(&self, key: &Key, state: &State) -> Vec<Rule> {
        let Some(kms) = state.kms.get(&key.kms) else { return Vec::new() };
        Judge::new(state, &self.policies, self.recorder.now()).broken(kms, key).rules().collect()
    }

    /// Lists the keys that break a rule, or any, in order of creation. The query filters by `kms` and `region`.
    ///
    /// # Errors
    /// When the caller may not view one of the KMSs.
    pub async fn findings(
        &self,
        permit: &Permit<SignedIn>,
        rule: Option<Rule>,
        query: &Query,
    ) -> Result<(Page<Key>, Caller), Failure> {
        let (caller, policies, now) = (permit.caller().clone(), self.policies.clone(), self.recorder.now());
        let values = |member: &str| -> Vec<String> {
            query.filters.iter().filter(|(name, _)| name == member).map(|(_, value)| value.clone()).collect()
        };
        let (wanted, regions, query) = (wanted(&caller, &values("kms"))?, values("region"), query.clone());
        let found = pool::run(move || {
            let views: HashMap<KmsId, (Arc<Kms>, Views)> =
                wanted.into_iter().map(|kms| (kms.id, (kms.clone(), Views::of(&caller, &kms)))).collect();
            let state = &caller.published.state;
            let judge = Judge::new(state, &policies, now);
            let breaks_one = |broken: Broken| rule.map_or(!broken.is_empty(), |rule| broken.has(rule));
            let breaks = |key: &Key| {
                let Some((kms, views)) = views.get(&key.kms) else { return false };
                views.sees(key)
                    && !is_gone(kms, key)
                    && (regions.is_empty() || regions.iter().any(|region| region == key.region.as_str()))
                    && breaks_one(judge.broken(kms, key))
            };
            let ids: Vec<KeyId> = match views.len() {
                1 => {
                    let of_kms = views.keys().flat_map(|kms| state.keys_of_kms(*kms)).filter(|key| breaks(key));
                    crate::domain::table::Rows::pick(&state.keys, of_kms.map(|key| key.id).collect::<Vec<_>>())
                        .into_iter()
                        .map(|(id, _)| id)
                        .collect()
                }
                _ => state.keys.iter().filter(|key| breaks(key)).map(|key| key.id).collect(),
            };
            let page = Page::of_picked(&query, &state.keys, ids);
            (page, caller)
        });
        found.await
    }
}

/// The KMSs of these names or ids, each once; all that the caller may view if there are none.
fn wanted(caller: &Caller, texts: &[String]) -> Result<Vec<Arc<Kms>>, Failure> {
    if texts.is_empty() {
        let seen = caller.published.state.kms.iter().filter(|kms| access::sees(&caller.user, kms));
        return Ok(seen.cloned().collect());
    }
    let mut wanted: Vec<Arc<Kms>> = Vec::new();
    for text in texts {
        let permit = KmsPermit::<View>::authorize_named(caller.clone(), text)?;
        if wanted.iter().all(|known| known.id != permit.kms().id) {
            wanted.push(permit.kms().clone());
        }
    }
    Ok(wanted)
}

/// Which keys of a KMS a caller may view.
struct Views {
    /// `None` for administrators of KMSs, who may view all.
    granted: Option<ActionSet>,
}

impl Views {
    fn of(caller: &Caller, kms: &Kms) -> Self {
        let administers = access::administers_kms(&caller.user);
        Self { granted: (!administers).then(|| access::granted(&caller.user, kms)) }
    }

    fn sees(&self, key: &Key) -> bool {
        self.granted.as_ref().is_none_or(|granted| granted.permits(key.view_action()))
    }

    fn sees_all(&self) -> bool {
        self.granted.as_ref().is_none_or(|granted| VIEWS.into_iter().all(|action| granted.permits(action)))
    }
}
