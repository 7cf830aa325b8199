//! What a synchronisation may change here. It reads for a while, and operations go on meanwhile: what they have written
//! down since the reading began is newer than what was read, and what they are about to write down is theirs to write.

use super::aggregate::{Key, Snapshot};
use super::command::check_place;
use super::event::{Aspect, KeyEvent};
use super::operation::MARK;
use super::tag::Tag;
use crate::domain::event::Event;
use crate::domain::id::{KeyId, KmsId};
use crate::domain::place::Region;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::time::Time;

/// When the reading began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Began {
    /// Of the region's aliases, which are read first.
    pub aliases: Time,
    /// Of the key itself.
    pub key: Time,
}

/// What taking in a key that was read comes to.
///
/// # Errors
/// When the KMS is gone or put away, or does not manage the region any more.
pub(super) fn synchronise(
    state: &State,
    id: KeyId,
    kms: KmsId,
    region: Region,
    seen: Snapshot,
    began: Began,
) -> Result<Vec<Event>, Refusal> {
    check_place(state, kms, &region)?;
    let Some(key) = state.key_at_aws(kms, &region, seen.facts.key_id()) else {
        if is_being_made(state, kms, &region, seen.tags.as_deref()) {
            return Ok(vec![]);
        }
        return Ok(vec![Event::Key(id, KeyEvent::Found { kms, region, learned: seen.all() })]);
    };
    Ok(match key.synchronise(seen, began) {
        Some(learned) => vec![Event::Key(key.id, KeyEvent::Observed { learned })],
        None => vec![],
    })
}

/// What not finding a key comes to.
pub(super) fn missing(state: &State, id: KeyId, began: Time) -> Vec<Event> {
    match state.keys.get(&id) {
        Some(key) if key.lags_behind(began) && !key.gone => vec![Event::Key(id, KeyEvent::Vanished)],
        _ => vec![],
    }
}

impl Key {
    /// What a synchronisation tells of it that is new; none if nothing, or if what is known here may be newer.
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

    /// Is what is known here surely from before that time?
    fn lags_behind(&self, time: Time) -> bool {
        self.underway.is_none() && self.updated < time
    }
}

/// Is this unknown key one that an operation is making? That operation makes it known itself.
fn is_being_made(state: &State, kms: KmsId, region: &Region, tags: Option<&[Tag]>) -> bool {
    state.operations.iter().any(|(operation, underway)| {
        let carries_its_mark = |tags: &[Tag]| {
            let operation = operation.to_string();
            tags.iter().any(|tag| tag.key == MARK && tag.value == operation)
        };
        underway.kms == kms
            && underway.region == *region
            && underway.wanted.makes_a_key()
            && tags.is_none_or(carries_its_mark)
    })
}
