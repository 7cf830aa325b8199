//! Decides the commands of keys that this program holds.

use super::{HyokCommand, HyokKey, NewHyokKey};
use crate::domain::event::Event;
use crate::domain::id::{KeyId, KeyStoreId, KmsId, SourceKeyId};
use crate::domain::key::aggregate::Key;
use crate::domain::key::decide::check_settings;
use crate::domain::key::event::KeyEvent;
use crate::domain::key::index::Term;
use crate::domain::key::operation::{NewKey, Operation};
use crate::domain::key_store::decide::problem_of;
use crate::domain::place::Region;
use crate::domain::refusal::{KeyRefusal, KeyStoreRefusal, Refusal};
use crate::domain::state::State;
use crate::domain::time::Time;
use std::sync::Arc;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: HyokCommand) -> Result<Vec<Event>, Refusal> {
    let (id, event) = match command {
        HyokCommand::Create { id, new, at, link, bypass_lockout_check } => {
            let (kms, region) = check_new(state, id, &new, at)?;
            let wanted = link.map(|_| link_new(state, id, kms, &region, &new, bypass_lockout_check)).transpose()?;
            let requested = link.zip(wanted).map(|(operation, wanted)| {
                let (region, wanted) = (region.clone(), Box::new(wanted));
                KeyEvent::OperationRequested { operation, kms, region, wanted }
            });
            let events = [KeyEvent::HyokCreated { kms, region, new }].into_iter().chain(requested);
            return Ok(events.map(|event| Event::Key(id, event)).collect());
        }
        HyokCommand::Block { id } => (id, (!state.hyok_key(id)?.1.blocked).then_some(KeyEvent::HyokBlocked)),
        HyokCommand::Unblock { id } => (id, state.hyok_key(id)?.1.blocked.then_some(KeyEvent::HyokUnblocked)),
        HyokCommand::SetCallerRules { id, rules } => {
            let (_, hyok) = state.hyok_key(id)?;
            rules.check()?;
            (id, (hyok.caller_rules != rules).then_some(KeyEvent::CallerRulesSet { rules }))
        }
        HyokCommand::Rotate { id, source, at } => {
            state.hyok_key(id)?;
            check_source(state, source, at)?;
            (id, Some(KeyEvent::HyokRotated { source }))
        }
        HyokCommand::Delete { id } => {
            let (key, hyok) = state.hyok_key(id)?;
            if key.pending.is_some() {
                return Err(KeyRefusal::Busy(id).into());
            }
            match hyok.linked && !state.is_gone(key) {
                true => return Err(KeyRefusal::NotGone(id).into()),
                false => (id, Some(KeyEvent::Forgotten)),
            }
        }
        HyokCommand::CountEncryptions { id, version, encryptions } => {
            let known = state.keys.get(&id).and_then(|key| key.hyok.as_ref()?.version(version));
            let is_news = known.is_some_and(|known| known.encryptions < encryptions);
            (id, is_news.then_some(KeyEvent::EncryptionsCounted { version, encryptions }))
        }
    };
    Ok(event.into_iter().map(|event| Event::Key(id, event)).collect())
}

fn check_new(state: &State, id: KeyId, new: &NewHyokKey, at: Time) -> Result<(KmsId, Region), Refusal> {
    let store = state.key_store(new.store).map_err(|unknown| unknown.of("local_hosted_params.custom_key_store_id"))?;
    let local = store.local.as_deref().ok_or_else(|| KeyStoreRefusal::NotLocal(store.name.clone()))?;
    state.kms(store.kms)?.refuse_archived()?;
    if new.source_key_tier != local.settings.source_key_tier {
        let problem = format!("must be `{}`, the tier of the key store", local.settings.source_key_tier);
        return Err(Refusal::Invalid { member: "local_hosted_params.source_key_tier", problem });
    }
    if state.keys.get(&id).is_some() {
        return Err(KeyRefusal::Exists(id).into());
    }
    new.caller_rules.check()?;
    check_source(state, new.source, at)?;
    Ok((store.kms, store.region.clone()))
}

/// Returns the operation that links a key which is created at the same time.
fn link_new(
    state: &State,
    id: KeyId,
    kms: KmsId,
    region: &Region,
    new: &NewHyokKey,
    bypass_lockout_check: bool,
) -> Result<Operation, Refusal> {
    let store = new.store;
    state.key_store(store)?.refuse_disconnected()?;
    let key = Key::unlinked(id, kms, region.clone(), Time::from_nanos(0), new);
    let plan = key.map(|key| NewKey { bypass_lockout_check, ..key.plan() });
    let new = plan.ok_or_else(|| KeyRefusal::Unknown(id.to_string()))?;
    let wanted = Operation::Link { new, store, is_new: true };
    check_settings(state, id, kms, region, &wanted)?;
    Ok(wanted)
}

/// Checks that a source key can be the material of a version.
fn check_source(state: &State, id: SourceKeyId, at: Time) -> Result<(), Refusal> {
    const MEMBER: &str = "local_hosted_params.source_key_id";
    let source = state.source_key(id).map_err(|unknown| unknown.of(MEMBER))?;
    match problem_of(source, at) {
        Some(problem) => Err(KeyRefusal::SourceUnfit { source_key: source.made.name.clone(), problem }.into()),
        None => Ok(()),
    }
}

impl State {
    /// Returns the key of this id, which this program must hold.
    ///
    /// # Errors
    /// When there is none, or another party holds it.
    pub fn hyok_key(&self, id: KeyId) -> Result<(&Arc<Key>, &HyokKey), Refusal> {
        let key = self.key(id)?;
        let hyok = key.hyok.as_deref().ok_or(KeyRefusal::NotHyok(id))?;
        Ok((key, hyok))
    }

    /// Returns the keys in a store that this program serves.
    pub fn keys_of_store(&self, store: KeyStoreId) -> Vec<&Arc<Key>> {
        self.keys.find(Term::KeyStore(store))
    }

    /// Returns the keys with a version of this source key.
    pub fn keys_of_source(&self, source: SourceKeyId) -> Vec<&Arc<Key>> {
        let has = |key: &&Arc<Key>| {
            key.hyok.as_ref().is_some_and(|hyok| hyok.versions.iter().any(|version| version.source == source))
        };
        self.keys.find(Term::SourceKey(source)).into_iter().filter(has).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key::aws_enums::Origin;
    use crate::domain::key::example::{added, at, key_id, kms_id, region, snapshot};
    use crate::domain::key_store::caller_rules::CallerRules;
    use crate::domain::key_store::tests::{created, store_id};
    use crate::domain::refusal::SourceKeyRefusal;
    use crate::domain::scenario::{Given, given};
    use crate::domain::source_key::SourceKeyCommand;
    use crate::domain::source_key::tests::hyok_source;
    use uuid::Uuid;

    fn source(n: u128) -> SourceKeyId {
        SourceKeyId::new(Uuid::from_u128(n))
    }

    fn new(n: u128) -> Box<NewHyokKey> {
        let mut planned = snapshot(n, "planned");
        planned.metadata.origin = Origin::ExternalKeyStore;
        Box::new(NewHyokKey {
            store: store_id(1),
            source: source(1),
            source_key_tier: "local".to_owned(),
            blocked: false,
            caller_rules: CallerRules::default(),
            planned: planned.all(),
        })
    }

    fn prepared() -> Given {
        given([added(0, &["eu-west-3"]), hyok_source(1), hyok_source(2), created(1, "one")])
    }

    fn of(n: u128, event: KeyEvent) -> Event {
        Event::Key(key_id(n), event)
    }

    fn with_key() -> Given {
        prepared().and([of(5, KeyEvent::HyokCreated { kms: kms_id(0), region: region("eu-west-3"), new: new(5) })])
    }

    #[test]
    fn an_unlinked_key_is_made_in_a_store_with_a_source_key_that_fits() {
        let create =
            |new| HyokCommand::Create { id: key_id(5), new, at: at(9), link: None, bypass_lockout_check: false };
        let made = KeyEvent::HyokCreated { kms: kms_id(0), region: region("eu-west-3"), new: new(5) };
        let state = prepared().when(create(new(5))).then([of(5, made)]);
        let (key, hyok) = state.hyok_key(key_id(5)).expect("a key");
        assert_eq!((key.is_unlinked(), hyok.active(), hyok.source()), (true, 1, Some(source(1))));
        state.when(create(new(5))).then_refused(KeyRefusal::Exists(key_id(5)));
        let elsewhere = Box::new(NewHyokKey { store: store_id(9), ..*new(6) });
        assert_eq!(
            prepared().when(create(elsewhere)).refusal().member(),
            Some("local_hosted_params.custom_key_store_id")
        );
        let tier = Box::new(NewHyokKey { source_key_tier: "luna-hsm".to_owned(), ..*new(6) });
        assert_eq!(prepared().when(create(tier)).refusal().member(), Some("local_hosted_params.source_key_tier"));
        let unknown = Box::new(NewHyokKey { source: source(9), ..*new(6) });
        assert_eq!(prepared().when(create(unknown)).refusal().member(), Some("local_hosted_params.source_key_id"));
    }

    #[test]
    fn a_rotation_adds_a_version_and_keeps_the_earlier_ones() {
        let state = with_key();
        let rotate = HyokCommand::Rotate { id: key_id(5), source: source(2), at: at(9) };
        let state = state.when(rotate).then([of(5, KeyEvent::HyokRotated { source: source(2) })]);
        let (key, hyok) = state.hyok_key(key_id(5)).expect("a key");
        assert_eq!((hyok.active(), hyok.source()), (2, Some(source(2))));
        assert_eq!(hyok.version(1).map(|version| version.source), Some(source(1)));
        assert!(key.rotated_at.is_some() && hyok.version(0).is_none() && hyok.version(3).is_none());
        assert_eq!(state.keys_of_source(source(1)).len(), 1);
        assert_eq!(state.keys_of_store(store_id(1)).len(), 1);
    }

    #[test]
    fn a_key_is_blocked_and_unblocked_and_deleted_while_it_is_unlinked() {
        let (block, unblock) = (HyokCommand::Block { id: key_id(5) }, HyokCommand::Unblock { id: key_id(5) });
        with_key().when(unblock.clone()).then([]);
        let blocked = with_key().when(block.clone()).then([of(5, KeyEvent::HyokBlocked)]);
        blocked.when(block).then([]);
        blocked.when(unblock).then([of(5, KeyEvent::HyokUnblocked)]);
        let deleted = with_key().when(HyokCommand::Delete { id: key_id(5) }).then([of(5, KeyEvent::Forgotten)]);
        assert!(deleted.keys_of_store(store_id(1)).is_empty());
    }

    #[test]
    fn a_count_of_encryptions_is_recorded_if_it_is_higher() {
        let count = |encryptions| HyokCommand::CountEncryptions { id: key_id(5), version: 1, encryptions };
        let counted = |encryptions| of(5, KeyEvent::EncryptionsCounted { version: 1, encryptions });
        let state = with_key().when(count(1 << 20)).then([counted(1 << 20)]);
        state.when(count(1 << 20)).then([]);
        let state = state.when(count(2 << 20)).then([counted(2 << 20)]);
        let (_, hyok) = state.hyok_key(key_id(5)).expect("a key");
        assert_eq!(hyok.version(1).map(|version| version.encryptions), Some(2 << 20));
        let unknown = HyokCommand::CountEncryptions { id: key_id(5), version: 7, encryptions: 1 };
        state.when(unknown).then([]);
    }

    #[test]
    fn what_a_key_needs_stays() {
        let deletion = with_key().when(SourceKeyCommand::Delete { id: source(1) }).refusal();
        assert!(matches!(deletion, Refusal::SourceKey(SourceKeyRefusal::Undeletable(_))), "{deletion:?}");
        let event = crate::domain::source_key::SourceKeyEvent::UndeletableSet { undeletable: false };
        let deletable = with_key().and([Event::SourceKey(source(1), event)]);
        let deletion = deletable.when(SourceKeyCommand::Delete { id: source(1) }).refusal();
        assert!(matches!(deletion, Refusal::SourceKey(SourceKeyRefusal::InUse { .. })), "{deletion:?}");
        let store =
            with_key().when(crate::domain::key_store::command::KeyStoreCommand::Delete { id: store_id(1) }).refusal();
        assert!(matches!(store, Refusal::KeyStore(KeyStoreRefusal::HasKeys { keys: 1, .. })), "{store:?}");
    }

    /// Only a synchronisation could take it for one that AWS has deleted.
    #[test]
    fn an_unlinked_key_is_not_missed_and_not_changed_at_aws() {
        use crate::domain::key::command::KeyCommand;
        use crate::domain::key::operation::Operation;
        with_key().when(KeyCommand::RecordMissing { id: key_id(5), began: at(99) }).then([]);
        let operation = crate::domain::id::OperationId::new(Uuid::from_u128(7));
        let (kms, region, wanted) = (kms_id(0), region("eu-west-3"), Box::new(Operation::Disable));
        let request = KeyCommand::Request { id: key_id(5), operation, kms, region, wanted };
        with_key().when(request).then_refused(KeyRefusal::Unlinked(key_id(5)));
    }
}
