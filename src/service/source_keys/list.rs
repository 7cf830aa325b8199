//! The list of source keys: its filters and sort order.

use crate::domain::id::SourceKeyId;
use crate::domain::name::SourceKeyName;
use crate::domain::source_key::SourceKey;
use crate::domain::source_key::kind::Curve;
use crate::domain::source_key::lifecycle::LifecycleState;
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::domain::time::Time;
use crate::service::caller::Caller;
use crate::service::failure::{Failure, invalid};
use crate::service::list::{Candidates, Field, Listed, Query};
use std::cmp::Ordering;

const STATES: [&str; 5] = [
    LifecycleState::PreActive.name(),
    LifecycleState::Active.name(),
    LifecycleState::Deactivated.name(),
    LifecycleState::Compromised.name(),
    LifecycleState::Destroyed.name(),
];

/// A filter by time: its name, the date that it compares, and the required order of that date and the filter's time.
struct Bound(&'static str, fn(&SourceKey) -> Option<Time>, Ordering);

const BOUNDS: [Bound; 8] = [
    Bound("createdBefore", |key| Some(key.created), Ordering::Less),
    Bound("createdAfter", |key| Some(key.created), Ordering::Greater),
    Bound("updatedBefore", |key| Some(key.updated), Ordering::Less),
    Bound("updatedAfter", |key| Some(key.updated), Ordering::Greater),
    Bound("activationBefore", |key| key.lifecycle.activation, Ordering::Less),
    Bound("activationAfter", |key| key.lifecycle.activation, Ordering::Greater),
    Bound("deactivationBefore", |key| key.lifecycle.deactivation, Ordering::Less),
    Bound("deactivationAfter", |key| key.lifecycle.deactivation, Ordering::Greater),
];

/// Checks the filters by time, and writes the values of others as they are compared.
///
/// # Errors
/// When the value of a filter by time is not a time.
pub(super) fn normalized(query: &Query) -> Result<Query, Failure> {
    let mut query = query.clone();
    for (member, wanted) in &mut query.filters {
        if let Some(Bound(name, ..)) = BOUNDS.iter().find(|bound| bound.0 == member.as_str()) {
            if time_of(wanted).is_none() {
                let problem = "must be a time in the format of RFC 3339, such as 2030-11-05T05:29:17Z";
                return Err(invalid(name, problem).into());
            }
        } else if matches!(member.as_str(), "algorithm" | "sha256Fingerprint") {
            *wanted = wanted.to_lowercase();
        }
    }
    Ok(query)
}

fn time_of(text: &str) -> Option<Time> {
    Time::exactly(chrono::DateTime::parse_from_rfc3339(text).ok()?.to_utc())
}

impl Listed for SourceKey {
    type Rows = Table<SourceKeyId, Self>;
    const SORTS: &'static [&'static str] =
        &["id", "name", "version", "algorithm", "size", "curveid", "state", "createdAt", "updatedAt"];
    const FILTERS: &'static [&'static str] = &[
        "id",
        "name",
        "alias",
        "uuid",
        "muid",
        "keyId",
        "version",
        "objectType",
        "algorithm",
        "size",
        "curveid",
        "state",
        "unexportable",
        "undeletable",
        "neverExported",
        "usageMask",
        "sha256Fingerprint",
        "createdBefore",
        "createdAfter",
        "updatedBefore",
        "updatedAfter",
        "activationBefore",
        "activationAfter",
        "deactivationBefore",
        "deactivationAfter",
    ];
    const WORDS: &'static [(&'static str, &'static [&'static str])] =
        &[("state", &STATES), ("objectType", &["Symmetric Key", "Private Key"])];
    const SEARCHES: &'static [&'static str] = &["id", "name", "alias"];
    const IDENTITIES: &'static [&'static str] = &["id", "name"];

    fn rows(state: &State) -> &Self::Rows {
        &state.source_keys
    }

    fn identified<'a>(state: &'a State, member: &str, value: &str) -> Candidates<'a, Self> {
        match member {
            "id" => Box::new(SourceKeyId::parse(value).ok().into_iter()),
            _ => {
                let Ok(name) = SourceKeyName::parse(value) else { return Box::new(std::iter::empty()) };
                let ids: Vec<_> = state.source_keys.all_named(&name).map(|key| key.id).collect();
                Box::new(ids.into_iter())
            }
        }
    }

    fn matches(&self, filter: &str, value: &str, caller: &Caller) -> Option<bool> {
        if (filter, value) == ("version", "-1") {
            let newest = caller.published.state.source_key_named(&self.made.name);
            return Some(newest.is_some_and(|newest| newest.id == self.id));
        }
        let Bound(_, date, order) = BOUNDS.iter().find(|bound| bound.0 == filter)?;
        let ordered = time_of(value).zip(date(self)).map(|(bound, date)| date.cmp(&bound) == *order);
        Some(ordered.unwrap_or(false))
    }

    fn field(&self, member: &str, caller: &Caller) -> Field {
        let (made, attributes) = (&self.made, &self.attributes);
        let or_id = |given: &Option<String>| Field::Text(given.clone().unwrap_or_else(|| self.id.to_string()));
        match member {
            "id" => Field::Text(self.id.to_string()),
            "name" => Field::Text(made.name.to_string()),
            "alias" => Field::Texts(attributes.aliases.iter().map(|alias| alias.alias.clone()).collect()),
            "uuid" => or_id(&attributes.uuid),
            "muid" => or_id(&attributes.muid),
            "keyId" => attributes.key_id.clone().map_or(Field::Absent, Field::Text),
            "version" => Field::Number(self.version.into()),
            "objectType" => {
                Field::Text(if made.kind.is_asymmetric() { "Private Key" } else { "Symmetric Key" }.to_owned())
            }
            "algorithm" => Field::Text(made.kind.algorithm().to_owned()),
            "size" => Field::Number(made.kind.bits().into()),
            "curveid" => made.kind.curve().map(Curve::name).map_or(Field::Absent, |name| Field::Text(name.to_owned())),
            "state" => Field::Text(self.lifecycle.state(caller.at).name().to_owned()),
            "unexportable" => Field::Flag(made.unexportable),
            "undeletable" => Field::Flag(made.undeletable),
            "neverExported" => Field::Flag(!self.exported),
            "usageMask" => Field::Number(made.usage.bits().into()),
            "sha256Fingerprint" => Field::Text(made.fingerprint.to_string()),
            "createdAt" => Field::Moment(self.created),
            "updatedAt" => Field::Moment(self.updated),
            _ => Field::Absent,
        }
    }
}
