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
    pub kind: &'static str,
    /// The id, or the name of a resource without an id.
    pub id: String,
    pub name: String,
    /// The KMS that it belongs to.
    pub kms: Option<KmsId>,
    /// The path of the resource below that of its API version.
    pub path: String,
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
        let hit = |kind, id: String, name: String, kms, path: &str| {
            let path = format!("{path}/{}", urlencoded(&id));
            Hit { kind, id, name, kms, path }
        };
        let kinds = [
            self.of::<Kms>(|kms| hit("kms", kms.id.to_string(), kms.name.to_string(), Some(kms.id), "cckm/aws/kms")),
            self.of::<Key>(|key| hit("key", key.id.to_string(), name_of(key), Some(key.kms), "cckm/aws/keys")),
            self.of::<KeyStore>(|store| {
                let path = "cckm/aws/custom-key-stores";
                hit("custom_key_store", store.id.to_string(), store.name.to_string(), Some(store.kms), path)
            }),
            self.with::<ViewSourceKeys, SourceKey>(|key| {
                hit("source_key", key.id.to_string(), key.made.name.to_string(), None, "vault/keys2")
            }),
            self.of::<Template>(|template| {
                let path = "cckm/aws/templates";
                hit("policy_template", template.id.to_string(), template.name.to_string(), None, path)
            }),
            self.of::<Schedule>(|schedule| {
                hit("schedule", schedule.id.to_string(), schedule.name.to_string(), None, "scheduler/job-configs")
            }),
            self.of::<Report>(|report| {
                hit("report", report.id.to_string(), report.name.to_string(), None, "cckm/aws/reports")
            }),
            self.with::<ViewConnections, Connection>(|connection| {
                let path = "connectionmgmt/services/aws/connections";
                hit("connection", connection.id.to_string(), connection.name.to_string(), None, path)
            }),
            self.with::<ManageAlarms, Webhook>(|webhook| {
                hit("webhook", webhook.id.to_string(), webhook.name.to_string(), None, WEBHOOKS)
            }),
            self.with::<ManageUsers, User>(|user| {
                hit("user", user.id.subject(), user.name.to_string(), None, "usermgmt/users")
            }),
            self.of::<Group>(|group| hit("group", group.name.to_string(), group.name.to_string(), None, GROUPS)),
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

const WEBHOOKS: &str = "alarms/webhooks";
const GROUPS: &str = "usermgmt/groups";

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

/// A name as part of a path.
fn urlencoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(kind: &'static str, names: &[&str]) -> Vec<Hit> {
        let hit =
            |name: &&str| Hit { kind, id: String::new(), name: (*name).to_owned(), kms: None, path: String::new() };
        names.iter().map(hit).collect()
    }

    #[test]
    fn better_matches_come_first_and_kinds_share_the_room() {
        let kinds = [
            [hits("key", &["a"]), hits("key", &["ab", "ac", "ad"]), hits("key", &["ba"])],
            [vec![], hits("user", &["ae"]), hits("user", &["ca", "da"])],
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

    #[test]
    fn names_are_encoded_in_paths() {
        assert_eq!(urlencoded("CCKM Admins/ö"), "CCKM%20Admins%2F%C3%B6");
    }
}
