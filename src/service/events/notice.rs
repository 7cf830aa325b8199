//! What readers of the event stream are told of records: which resources they may want to read again, and nothing of
//! what the records say. Records of one resource count as one notice, and so do those of many resources of one kind: a
//! job on thousands of keys must not make every reader read thousands of keys one by one.

use crate::domain::drift::DriftEvent;
use crate::domain::event::{Event, SessionEvent, Stream};
use crate::domain::id::{KeyId, KeyStoreId, KmsId};
use crate::domain::schedule::ScheduleEvent;
use crate::domain::state::State;
use crate::domain::user::User;
use crate::ledger::{Record, name_and_members};
use crate::service::access;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// The largest number of resources of one kind in one KMS that are named one by one.
pub(super) const NAMED_MAX: usize = 20;

/// What is kept of a record.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub number: u64,
    subject: Subject,
    kms: Option<KmsId>,
    event: Arc<str>,
}

/// The resource that a record changes. Whoever may not view what else the record is about does not see the change.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Subject {
    stream: Stream,
    about: Option<About>,
}

/// What a record of another resource is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum About {
    /// A key; `None` for one that is not known here.
    Key(Option<KeyId>),
    KeyStore(KeyStoreId),
}

/// A resource that has changed, or several of one kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Changed {
    /// The kind, as at the beginning of the `resource` of an audit record.
    pub kind: String,
    /// The id as in the API; `None` if there is one of the kind only, if many have changed, and for sessions.
    pub id: Option<String>,
    /// The KMS that it belongs to, or is.
    pub kms: Option<KmsId>,
    /// The number of the last record.
    pub number: u64,
    /// The name of the event of the last record.
    pub event: Arc<str>,
    /// The number of records.
    pub records: usize,
    /// Whether more resources have changed than are named.
    pub many: bool,
}

impl Notice {
    /// The notice of a record; `None` if there is nothing to read again.
    pub(super) fn of(record: &Record, state: &State) -> Option<Self> {
        let stream = record.stream();
        let about = match &record.event {
            // A token was renewed: this happens every few minutes in every session.
            Event::Session(_, SessionEvent::Refreshed | SessionEvent::RefreshReplaced { .. })
            | Event::Drift(_, DriftEvent::Read { .. }) => return None,
            Event::Drift(_, DriftEvent::Found(facts)) => Some(About::Key(facts.key)),
            Event::Schedule(_, ScheduleEvent::KeyTreated { key, .. }) => Some(About::Key(Some(*key))),
            Event::Schedule(_, ScheduleEvent::StoreTreated { store, .. }) => Some(About::KeyStore(*store)),
            _ => None,
        };
        let kms = kms_of(&stream, state);
        let event = name_and_members(&record.event).0.into();
        Some(Self { number: record.seq, subject: Subject { stream, about }, kms, event })
    }
}

fn kms_of(stream: &Stream, state: &State) -> Option<KmsId> {
    match stream {
        Stream::Kms(id) | Stream::Drift(id) => Some(*id),
        Stream::Key(id) => state.keys.get(id).map(|key| key.kms),
        Stream::KeyStore(id) => state.key_stores.get(id).map(|store| store.kms),
        Stream::Alarm(number) => state.alarms.all.get(number).and_then(|alarm| alarm.facts.subject.kms()),
        _ => None,
    }
}

impl Subject {
    fn is_seen_by(&self, user: &User, state: &State) -> bool {
        let sees_about = match self.about {
            None => true,
            Some(About::Key(None)) => access::administers_kms(user),
            Some(About::Key(Some(key))) => access::sees_key_of(user, state, key),
            Some(About::KeyStore(store)) => access::sees_change(user, state, &Stream::KeyStore(store)),
        };
        sees_about && access::sees_change(user, state, &self.stream)
    }
}

/// The records of one thing, taken together.
struct Taken {
    number: u64,
    event: Arc<str>,
    records: usize,
    kms: Option<KmsId>,
}

impl Taken {
    fn add(&mut self, other: &Self) {
        self.records += other.records;
        if other.number > self.number {
            self.number = other.number;
            self.event = other.event.clone();
            self.kms = other.kms.or(self.kms);
        }
    }
}

fn together<K: Eq + Hash>(all: impl Iterator<Item = (K, Taken)>) -> HashMap<K, Taken> {
    let mut by_key: HashMap<K, Taken> = HashMap::new();
    for (key, taken) in all {
        by_key.entry(key).and_modify(|known| known.add(&taken)).or_insert(taken);
    }
    by_key
}

/// What these notices tell a user, in the order of the numbers. The rights are looked at once for each resource.
pub(super) fn seen_by(user: &User, state: &State, notices: &[Notice]) -> Vec<Changed> {
    let one =
        |notice: &Notice| Taken { number: notice.number, event: notice.event.clone(), records: 1, kms: notice.kms };
    let subjects = together(notices.iter().map(|notice| (&notice.subject, one(notice))));
    let seen = subjects.into_iter().filter(|(subject, _)| subject.is_seen_by(user, state));
    let resources = together(seen.map(|(subject, taken)| (&subject.stream, taken)));
    let mut kinds: HashMap<_, Vec<_>> = HashMap::new();
    for (stream, taken) in resources {
        let (kind, id) = named(stream);
        kinds.entry((kind, taken.kms)).or_default().push((id, taken));
    }
    let mut changes = Vec::new();
    for ((kind, kms), resources) in kinds {
        let is_many = resources.len() > NAMED_MAX;
        // Resources without an id are one.
        let named = together(resources.into_iter().map(|(id, taken)| (id.filter(|_| !is_many), taken)));
        changes.extend(named.into_iter().map(|(id, taken)| Changed {
            kind: kind.clone(),
            id,
            kms,
            number: taken.number,
            event: taken.event,
            records: taken.records,
            many: is_many,
        }));
    }
    changes.sort_by_key(|changed| changed.number);
    changes
}

/// The kind and the id of a resource.
fn named(stream: &Stream) -> (String, Option<String>) {
    let text = stream.to_string();
    let (kind, id) = text.split_once('/').map_or((text.as_str(), None), |(kind, id)| (kind, Some(id)));
    let id = match stream {
        Stream::User(id) => Some(id.subject()),
        // The id is that of the KMS.
        Stream::Drift(_) => None,
        // The API names a session by its refresh token, which is another at each renewal.
        Stream::Session(_) => None,
        _ => id.map(str::to_owned),
    };
    (kind.to_owned(), id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::example::{group, joined, user, user_id};
    use crate::domain::id::SessionId;
    use crate::domain::time::Time;
    use uuid::Uuid;

    fn notice(number: u64, stream: Stream, kms: Option<KmsId>) -> Notice {
        Notice { number, subject: Subject { stream, about: None }, kms, event: "Changed".into() }
    }

    fn key(number: u128) -> Stream {
        Stream::Key(KeyId::new(Uuid::from_u128(number)))
    }

    /// A state with an administrator and a user without rights.
    fn state() -> (State, User, User) {
        let mut state = State::default();
        for event in [user(1), user(2), group("admin"), joined("admin", 1)] {
            state.apply(Time::from_nanos(1), &event);
        }
        let of = |n| User::clone(state.users.get(&user_id(n)).expect("a user"));
        let (admin, nobody) = (of(1), of(2));
        (state, admin, nobody)
    }

    #[test]
    fn records_of_one_resource_are_one_notice_with_the_number_of_the_last() {
        let (state, admin, _) = state();
        let notices = [notice(5, key(1), None), notice(6, key(2), None), notice(7, key(1), None)];
        let shown = seen_by(&admin, &state, &notices);
        let shown: Vec<_> = shown.iter().map(|changed| (changed.number, changed.records, changed.many)).collect();
        assert_eq!(shown, [(6, 1, false), (7, 2, false)]);
    }

    #[test]
    fn ten_thousand_keys_of_a_kms_are_one_notice() {
        let (state, admin, _) = state();
        let kms = Some(KmsId::new(Uuid::from_u128(1)));
        let notices: Vec<_> = (1..=10_000u64).map(|number| notice(number, key(number.into()), kms)).collect();
        let shown = seen_by(&admin, &state, &notices);
        assert_eq!(shown.len(), 1, "{shown:?}");
        assert_eq!((shown[0].number, shown[0].records, shown[0].many), (10_000, 10_000, true));
        assert_eq!((shown[0].kms, &shown[0].id), (kms, &None));
    }

    #[test]
    fn sessions_are_told_without_the_ids_that_only_the_log_has() {
        let (state, admin, _) = state();
        let session = |number| Stream::Session(SessionId::new(Uuid::from_u128(number)));
        let notices = [notice(1, session(1), None), notice(2, session(2), None), notice(3, key(1), None)];
        let shown = seen_by(&admin, &state, &notices);
        let shown: Vec<_> = shown.iter().map(|one| (one.kind.as_str(), one.id.is_some(), one.records)).collect();
        assert_eq!(shown, [("session", false, 2), ("key", true, 1)]);
    }

    #[test]
    fn a_user_without_rights_is_told_of_nothing_but_the_own_account() {
        let (state, admin, nobody) = state();
        let kms = KmsId::new(Uuid::from_u128(1));
        let streams = [
            key(1),
            Stream::Kms(kms),
            Stream::Drift(kms),
            Stream::Posture,
            Stream::Installation,
            Stream::User(admin.id),
            Stream::User(nobody.id),
        ];
        let notices: Vec<_> =
            streams.into_iter().zip(1..).map(|(stream, number)| notice(number, stream, None)).collect();
        let numbers = |user| seen_by(user, &state, &notices).iter().map(|one| one.number).collect::<Vec<_>>();
        assert_eq!(numbers(&nobody), [7]);
        assert_eq!(numbers(&admin), [1, 2, 3, 4, 5, 6, 7]);
    }
}
