//! The changes by a synchronisation. Operations continue while it reads. Their events since the reading began are newer
//! than the data read, and keys with a pending operation are left to that operation.

use super::aggregate::{Key, Snapshot};
use super::aws_enums::KeyManager;
use super::command::Began;
use super::decide::check_place;
use super::event::{Aspect, KeyEvent};
use super::mark;
use super::tag::Tag;
use crate::domain::event::Event;
use crate::domain::id::{KeyId, KmsId};
use crate::domain::place::Region;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::time::Time;
use std::sync::Arc;

/// Returns the events for a key that was read at AWS.
///
/// # Errors
/// When the KMS was deleted, is archived, or no longer manages the region.
pub(in crate::domain) fn synchronise(
    state: &State,
    id: KeyId,
    kms: KmsId,
    region: Region,
    seen: Snapshot,
    began: Began,
) -> Result<Vec<Event>, Refusal> {
    check_place(state, kms, &region)?;
    Ok(match Entry::of(state, kms, &region, &seen) {
        Entry::InOperation => vec![],
        Entry::Unlinked(held) => {
            // It was found before its store was linked.
            let known = state.key_at_aws(kms, &region, seen.metadata.key_id());
            let forgotten = known.map(|known| Event::Key(known.id, KeyEvent::Forgotten));
            let linked = Event::Key(held.id, KeyEvent::HyokLinked { learned: seen.all() });
            forgotten.into_iter().chain([linked]).collect()
        }
        Entry::None => vec![Event::Key(id, KeyEvent::Found { kms, region, learned: seen.all() })],
        Entry::Known(key) => match key.synchronise(seen, began) {
            Some(learned) => vec![Event::Key(key.id, KeyEvent::Observed { learned })],
            None => vec![],
        },
    })
}

/// What is known here of a key that was read at AWS.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Entry<'a> {
    None,
    Known(&'a Arc<Key>),
    /// This program holds the key, and did not know that AWS has it.
    Unlinked(&'a Arc<Key>),
    /// An operation may be creating or linking it, and records it.
    InOperation,
}

impl<'a> Entry<'a> {
    pub fn of(state: &'a State, kms: KmsId, region: &Region, seen: &Snapshot) -> Self {
        let known = state.key_at_aws(kms, region, seen.metadata.key_id());
        if let Some(held) = held_here(state, kms, region, seen) {
            let is_busy = held.pending.is_some() || known.is_some_and(|known| known.pending.is_some());
            return if is_busy { Self::InOperation } else { Self::Unlinked(held) };
        }
        match known {
            Some(key) => Self::Known(key),
            None if seen.metadata.manager == KeyManager::Customer && is_being_made(state, kms, region, seen) => {
                Self::InOperation
            }
            None => Self::None,
        }
    }
}

/// Returns the unlinked key that AWS asks this program for under the id that it has at AWS.
fn held_here<'a>(state: &'a State, kms: KmsId, region: &Region, seen: &Snapshot) -> Option<&'a Arc<Key>> {
    let id = KeyId::parse(seen.metadata.xks_key_id.as_deref()?).ok()?;
    let key = state.keys.get(&id).filter(|key| key.is_unlinked() && key.kms == kms && key.region == *region)?;
    let store = state.key_stores.get(&key.hyok.as_ref()?.store)?.at_aws.as_ref()?;
    (seen.metadata.custom_key_store_id.as_ref() == Some(&store.id)).then_some(key)
}

/// Returns the events for a key that AWS did not list.
pub(in crate::domain) fn missing(state: &State, id: KeyId, began: Time) -> Vec<Event> {
    match state.keys.get(&id) {
        Some(key) if key.lags_behind(began) && !key.gone && !key.is_unlinked() => {
            vec![Event::Key(id, KeyEvent::Vanished)]
        }
        Some(_) | None => vec![],
    }
}

impl Key {
    /// Returns the aspects to record after a synchronisation; `None` if nothing changed, or the state may be newer.
    pub fn synchronise(&self, mut seen: Snapshot, began: Began) -> Option<Vec<Aspect>> {
        if !self.lags_behind(began.key) {
            return None;
        }
        if !self.lags_behind(began.aliases) {
            seen.aliases = None;
        }
        let news = self.news(seen);
        (self.gone || !news.is_empty()).then_some(news)
    }

    /// Whether the key last changed before that time and has no pending operation.
    fn lags_behind(&self, time: Time) -> bool {
        self.pending.is_none() && self.updated < time
    }
}

/// Whether a pending operation may be creating this unknown key. The operation then adds the key itself.
fn is_being_made(state: &State, kms: KmsId, region: &Region, seen: &Snapshot) -> bool {
    let described = mark::of_description(&seen.metadata.description);
    state.operations.iter().any(|(operation, pending)| {
        let has_mark = |tags: &Vec<Tag>| described == Some(*operation) || mark::is_among(tags, *operation);
        pending.kms == kms
            && pending.region == *region
            && pending.wanted.creates_a_key()
            && seen.tags.as_ref().is_none_or(has_mark)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::OperationId;
    use crate::domain::key::example::{added, after, at, found, key_id, kms_id, new_key, region, snapshot};
    use crate::domain::key::name::AliasName;
    use crate::domain::key::operation::Operation;
    use crate::domain::key::tag::OPERATION_TAG;
    use crate::domain::refusal::KmsRefusal;
    use uuid::Uuid;

    const LATE: Began = Began { aliases: Time::from_nanos(i64::MAX), key: Time::from_nanos(i64::MAX) };

    fn managed() -> Event {
        added(0, &["eu-west-3"])
    }

    fn synchronised(state: &State, seen: Snapshot, began: Began) -> Vec<Event> {
        synchronise(state, key_id(9), kms_id(0), region("eu-west-3"), seen, began).expect("nothing stands against it")
    }

    fn learned(events: &[Event]) -> Vec<Aspect> {
        match events {
            [] => vec![],
            [Event::Key(id, KeyEvent::Observed { learned })] if *id == key_id(1) => learned.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn requested(id: KeyId, wanted: Operation) -> Event {
        let (operation, wanted) = (OperationId::new(Uuid::from_u128(7)), Box::new(wanted));
        Event::Key(id, KeyEvent::OperationRequested { operation, kms: kms_id(0), region: region("eu-west-3"), wanted })
    }

    #[test]
    fn a_key_that_is_not_known_is_found_and_what_is_known_is_no_news() {
        let state = after(&[managed(), found(1, "as it was")]);
        let events = synchronised(&state, snapshot(2, "new"), LATE);
        assert!(matches!(&events[..], [Event::Key(id, KeyEvent::Found { .. })] if *id == key_id(9)));
        assert_eq!(learned(&synchronised(&state, snapshot(1, "as it was"), LATE)), []);
        let seen = snapshot(1, "otherwise");
        let metadata = Aspect::Metadata(Box::new(seen.metadata.clone()));
        assert_eq!(learned(&synchronised(&state, seen, LATE)), [metadata]);
    }

    #[test]
    fn what_was_written_down_since_the_reading_began_is_newer() {
        let state = after(&[managed(), found(1, "by an operation, at second 2")]);
        let began = |aliases, key| Began { aliases: at(aliases), key: at(key) };
        let seen = || Snapshot {
            aliases: Some(vec![AliasName::parse("alias/old").expect("an alias")]),
            ..snapshot(1, "as it was before")
        };
        assert_eq!(learned(&synchronised(&state, seen(), began(1, 1))), []);
        assert_eq!(learned(&synchronised(&state, seen(), began(1, 2))), [], "the same moment may be before");
        let metadata = Aspect::Metadata(Box::new(seen().metadata));
        assert_eq!(
            learned(&synchronised(&state, seen(), began(1, 3))),
            [metadata],
            "its aliases are older than the key"
        );
        assert_eq!(learned(&synchronised(&state, seen(), began(3, 3))).len(), 2);
    }

    #[test]
    fn a_key_with_an_operation_under_way_is_left_to_it() {
        let state = after(&[managed(), found(1, "as it was"), requested(key_id(1), Operation::Enable)]);
        assert_eq!(learned(&synchronised(&state, snapshot(1, "otherwise"), LATE)), []);
        assert_eq!(missing(&state, key_id(1), LATE.key), []);
    }

    #[test]
    fn a_key_that_an_operation_is_making_is_left_to_it() {
        let state = after(&[managed(), requested(key_id(1), Operation::Create(new_key()))]);
        let tagged = |tags| Snapshot { tags, ..snapshot(1, "new") };
        let mark = Tag::new(OPERATION_TAG, OperationId::new(Uuid::from_u128(7)).to_string());
        assert_eq!(synchronised(&state, tagged(Some(vec![mark])), LATE), []);
        assert_eq!(synchronised(&state, tagged(None), LATE), [], "it may carry the mark");
        let other = Tag::new(OPERATION_TAG, OperationId::new(Uuid::from_u128(8)).to_string());
        assert_eq!(synchronised(&state, tagged(Some(vec![other])), LATE).len(), 1);
        // A key with 50 tags has the mark in its description.
        let described = format!("claviger:operation={} new", OperationId::new(Uuid::from_u128(7)));
        assert_eq!(synchronised(&state, snapshot(2, &described), LATE), []);
    }

    #[test]
    fn a_missing_key_has_vanished_and_comes_back_if_aws_shows_it_again() {
        let mut events = vec![managed(), found(1, "as it was")];
        assert_eq!(missing(&after(&events), key_id(1), at(2)), [], "it was made known since");
        let vanished = missing(&after(&events), key_id(1), at(3));
        assert_eq!(vanished, [Event::Key(key_id(1), KeyEvent::Vanished)]);
        events.extend(vanished);
        assert_eq!(missing(&after(&events), key_id(1), LATE.key), []);
        let back = synchronised(&after(&events), snapshot(1, "as it was"), LATE);
        assert_eq!(back, [Event::Key(key_id(1), KeyEvent::Observed { learned: vec![] })]);
        events.extend(back);
        assert!(!after(&events).key(key_id(1)).expect("a key").gone);
    }

    #[test]
    fn nothing_is_taken_in_for_a_region_that_is_not_managed_any_more() {
        let state = after(&[added(0, &["eu-west-1"])]);
        let refused = synchronise(&state, key_id(9), kms_id(0), region("eu-west-3"), snapshot(1, ""), LATE);
        assert!(matches!(refused, Err(Refusal::Kms(KmsRefusal::RegionNotManaged { .. }))));
    }
}
