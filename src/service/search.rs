//! One search over all kinds of resources: what a caller may see and has a text in its name, id or another of the
//! members that the search of its list looks into.

use super::access::{ManageAlarms, ManageUsers, Permit, Right, SignedIn, ViewConnections, ViewSourceKeys};
use super::caller::Caller;
use super::failure::Failure;
use super::list::{Listed, Match, Needle, pool, sees};
use crate::domain::connection::Connection;
use crate::domain::group::Group;
use crate::domain::id::KmsId;
use crate::domain::key::aggregate::Key;
use crate::domain::key_store::KeyStore;
use crate::domain::kms::Kms;
use crate::domain::report::Report;
use crate::domain::schedule::Schedule;
use crate::domain::source_key::SourceKey;
use crate::domain::table::Rows;
use crate::domain::template::Template;
use crate::domain::user::User;
use crate::domain::webhook::Webhook;

/// A resource that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    pub kind: Kind,
    /// The id, or the name of a resource without an id.
    pub id: String,
    pub name: String,
    /// The KMS that it belongs to.
    pub kms: Option<KmsId>,
}

/// The kind of a resource that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Kms,
    Key,
    KeyStore,
    SourceKey,
    Template,
    Schedule,
    Report,
    Connection,
    Webhook,
    User,
    Group,
}

/// The best hits.
pub struct Hits {
    /// First those that match as a whole, then those that begin with the text, then the others.
    pub hits: Vec<Hit>,
    /// Whether there are more.
    pub more: bool,
}

/// Searches everything that the caller may see.
///
/// # Errors
/// When the search fails.
pub async fn search(permit: &Permit<SignedIn>, needle: Needle, limit: usize) -> Result<Hits, Failure> {
    let caller = permit.caller().clone();
    pool::run(move || Search { caller: &caller, needle: &needle, limit }.run()).await
}

/// The hits of one kind by how well they match, the best first; of each at most one more than is wanted.
type Found = [Vec<Hit>; 3];

struct Search<'a> {
    caller: &'a Caller,
    needle: &'a Needle,
    limit: usize,
}

impl Search<'_> {
    fn run(&self) -> Hits {
        let of_kms = |kind, id: String, name: String, kms| Hit { kind, id, name, kms };
        let hit = |kind, id, name| of_kms(kind, id, name, None);
        let kinds = [
            self.of::<Kms>(|kms| of_kms(Kind::Kms, kms.id.to_string(), kms.name.to_string(), Some(kms.id))),
            self.of::<Key>(|key| of_kms(Kind::Key, key.id.to_string(), name_of(key), Some(key.kms))),
            self.of::<KeyStore>(|store| {
                of_kms(Kind::KeyStore, store.id.to_string(), store.name.to_string(), Some(store.kms))
            }),
            self.with::<ViewSourceKeys, SourceKey>(|key| {
                hit(Kind::SourceKey, key.id.to_string(), key.made.name.to_string())
            }),
            self.of::<Template>(|template| hit(Kind::Template, template.id.to_string(), template.name.to_string())),
            self.of::<Schedule>(|schedule| hit(Kind::Schedule, schedule.id.to_string(), schedule.name.to_string())),
            self.of::<Report>(|report| hit(Kind::Report, report.id.to_string(), report.name.to_string())),
            self.with::<ViewConnections, Connection>(|connection| {
                hit(Kind::Connection, connection.id.to_string(), connection.name.to_string())
            }),
            self.with::<ManageAlarms, Webhook>(|webhook| {
                hit(Kind::Webhook, webhook.id.to_string(), webhook.name.to_string())
            }),
            self.with::<ManageUsers, User>(|user| hit(Kind::User, user.id.subject(), user.name.to_string())),
            self.of::<Group>(|group| hit(Kind::Group, group.name.to_string(), group.name.to_string())),
        ];
        best(&kinds, self.limit)
    }

    /// The hits of a kind that only those with a right may see.
    fn with<R: Right, T: Listed>(&self, hit: impl Fn(&T) -> Hit) -> Found {
        match Permit::<R>::authorize(self.caller.clone()) {
            Ok(_) => self.of::<T>(hit),
            Err(_) => Found::default(),
        }
    }

    fn of<T: Listed>(&self, hit: impl Fn(&T) -> Hit) -> Found {
        let (mut found, sees) = (Found::default(), sees::<T>(self.caller));
        for (_, row) in T::rows(&self.caller.published.state).rows_from(0) {
            let Some(how) = row.matched(self.needle, self.caller) else { continue };
            let found = &mut found[rank(how)];
            if found.len() <= self.limit && sees.is_none_or(|sees| sees(self.caller, row)) {
                found.push(hit(row.as_ref()));
            }
        }
        found
    }
}

const fn rank(how: Match) -> usize {
    match how {
        Match::Whole => 0,
        Match::Start => 1,
        Match::Inside => 2,
    }
}

/// The best hits of all kinds. If there is no room for all that match equally well, every kind gets the same share.
fn best(kinds: &[Found], limit: usize) -> Hits {
    let count = |found: &Found| found.iter().map(Vec::len).sum::<usize>();
    let more = kinds.iter().map(count).sum::<usize>() > limit;
    let mut hits = Vec::new();
    for rank in 0..3 {
        let longest = kinds.iter().map(|found| found[rank].len()).max().unwrap_or_default();
        let turns = (0..longest).flat_map(|turn| (0..kinds.len()).map(move |kind| (turn, kind)));
        let mut taken: Vec<(usize, usize)> =
            turns.filter(|(turn, kind)| *turn < kinds[*kind][rank].len()).take(limit - hits.len()).collect();
        taken.sort_by_key(|(turn, kind)| (*kind, *turn));
        hits.extend(taken.into_iter().map(|(turn, kind)| kinds[kind][rank][turn].clone()));
    }
    Hits { hits, more }
}

/// What people call a key: an alias, its description, or its id at AWS.
fn name_of(key: &Key) -> String {
    let alias = key.aliases.first().map(|alias| alias.short());
    let description = Some(key.description()).filter(|text| !text.is_empty());
    alias.or(description).unwrap_or_else(|| key.aws_id().as_str()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(kind: Kind, names: &[&str]) -> Vec<Hit> {
        let hit = |name: &&str| Hit { kind, id: String::new(), name: (*name).to_owned(), kms: None };
        names.iter().map(hit).collect()
    }

    #[test]
    fn better_matches_come_first_and_kinds_share_the_room() {
        let kinds = [
            [hits(Kind::Key, &["a"]), hits(Kind::Key, &["ab", "ac", "ad"]), hits(Kind::Key, &["ba"])],
            [vec![], hits(Kind::User, &["ae"]), hits(Kind::User, &["ca", "da"])],
        ];
        let names = |limit| {
            let Hits { hits, more } = best(&kinds, limit);
            (hits.into_iter().map(|hit| hit.name).collect::<Vec<_>>().join(" "), more)
        };
        assert_eq!(names(20), ("a ab ac ad ae ba ca da".to_owned(), false));
        assert_eq!(names(8), ("a ab ac ad ae ba ca da".to_owned(), false));
        assert_eq!(names(4), ("a ab ac ae".to_owned(), true));
        assert_eq!(names(1), ("a".to_owned(), true));
    }
}
