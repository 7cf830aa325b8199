//! Changes that were made outside, as the drift watch has found them.

use super::access::{self, Permit, SignedIn};
use super::caller::Caller;
use super::failure::Failure;
use super::list::{Candidates, Field, Listed, Page, Query, page};
use crate::domain::drift::refusal::DriftRefusal;
use crate::domain::drift::{DriftAspect, DriftEntry, DriftNumber};
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::domain::time::Time;
use crate::service::failure::invalid;
use std::borrow::Cow;
use std::sync::Arc;

/// The use cases of entries. Cheap to clone.
#[derive(Clone)]
pub struct DriftEvents;

impl DriftEvents {
    /// Lists the entries that the caller may view.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn list(&self, permit: &Permit<SignedIn>, query: &Query) -> Result<(Page<DriftEntry>, Caller), Failure> {
        Ok((page(permit.caller(), query).await?, permit.caller().clone()))
    }

    /// Returns one entry.
    ///
    /// # Errors
    /// When there is none that the caller may view.
    pub fn get(&self, permit: &Permit<SignedIn>, number: &str) -> Result<(Arc<DriftEntry>, Caller), Failure> {
        let caller = permit.caller();
        let number_of = DriftNumber::parse(number).ok();
        let entry = number_of.and_then(|number| caller.published.state.drift.entries.get(&number));
        let seen = entry.filter(|entry| access::sees_drift(&caller.user, &caller.published.state, entry));
        let unknown = || DriftRefusal::Unknown(number.chars().take(20).collect());
        Ok((seen.ok_or_else(unknown)?.clone(), caller.clone()))
    }
}

impl Listed for DriftEntry {
    type Rows = Table<DriftNumber, Self>;
    const SORTS: &'static [&'static str] =
        &["id", "event_time", "event_name", "user_identity", "region", "key_arn", "createdAt"];
    const FILTERS: &'static [&'static str] = &[
        "id",
        "kms",
        "kms_id",
        "region",
        "key_id",
        "key_arn",
        "event_id",
        "event_name",
        "user_identity",
        "aspect",
        "superseded",
        "start_time",
        "end_time",
    ];
    const WORDS: &'static [(&'static str, &'static [&'static str])] =
        &[("aspect", DriftAspect::NAMES), ("superseded", &["true", "false"])];
    const SEARCHES: &'static [&'static str] = &["id", "key_arn", "event_name", "user_identity"];
    const IDENTITIES: &'static [&'static str] = &["id"];
    const SEES: Option<fn(&Caller, &Self) -> bool> =
        Some(|caller, entry| access::sees_drift(&caller.user, &caller.published.state, entry));

    fn rows(state: &State) -> &Self::Rows {
        &state.drift.entries
    }

    fn identified<'a>(_: &'a State, _: &str, value: &str) -> Candidates<'a, Self> {
        Box::new(DriftNumber::parse(value).into_iter())
    }

    fn expand<'a>(member: &str, value: &'a str, _: &Caller) -> Result<Vec<Vec<Cow<'a, str>>>, Refusal> {
        match member {
            "start_time" => time("start_time", value).map(drop)?,
            "end_time" => time("end_time", value).map(drop)?,
            _ => {}
        }
        Ok(vec![vec![Cow::Borrowed(value)]])
    }

    fn matches(&self, filter: &str, value: &str, _: &Caller) -> Option<bool> {
        match filter {
            "start_time" => Some(time("start_time", value).is_ok_and(|start| start <= self.facts.event.at)),
            "end_time" => Some(time("end_time", value).is_ok_and(|end| self.facts.event.at < end)),
            _ => None,
        }
    }

    fn field(&self, member: &str, viewer: &Caller) -> Field {
        let facts = &self.facts;
        match member {
            "id" => Field::Number(self.number.0),
            "kms" | "kms_id" => {
                let kms = viewer.published.state.kms.get(&self.kms);
                let name = kms.map(|kms| kms.name.to_string()).filter(|_| member == "kms");
                Field::Texts(name.into_iter().chain([self.kms.to_string()]).collect())
            }
            "region" => Field::Text(facts.region.to_string()),
            "key_id" => facts.key.map_or(Field::Absent, |key| Field::Text(key.to_string())),
            "key_arn" => Field::Text(facts.key_arn.clone()),
            "event_id" => Field::Text(facts.event.id.to_string()),
            "event_name" => Field::Text(facts.event.name.clone()),
            "event_time" => Field::Moment(facts.event.at),
            "user_identity" => Field::Text(facts.event.by.clone()),
            "aspect" => Field::Texts(facts.changes.iter().map(|change| change.aspect.name().to_owned()).collect()),
            "superseded" => Field::Flag(facts.superseded),
            "createdAt" => Field::Moment(self.found),
            _ => Field::Absent,
        }
    }
}

fn time(member: &'static str, text: &str) -> Result<Time, Refusal> {
    let parsed = chrono::DateTime::parse_from_rfc3339(text);
    let problem = "must be a time in the format of RFC 3339, such as 2026-11-28T10:00:00Z";
    parsed.map(|time| Time::of(time.to_utc())).map_err(|_| invalid(member, problem))
}
