//! The filters of audit records, as numbers that are compared with the rows of the columns.

use super::columns::{Columns, Row, hash};
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;
use crate::service::failure::invalid;

/// The members to filter by.
pub const FILTERS: &[&str] = &[
    "username",
    "user_id",
    "clientIP",
    "resource",
    "resource_id",
    "service",
    "message",
    "event",
    "success",
    "severity",
    "requestId",
    "createdAfter",
    "createdBefore",
    "after",
    "before",
];

const SERVICES: &[&str] = &["cckm", "admin", "vault", "scheduler"];
const SEVERITIES: &[&str] = &["info", "warning", "error", "critical"];

/// What a record must have. A list has a member for each value of a column: whether it matches.
#[derive(Default)]
pub(super) struct Wanted {
    /// The numbers after and before which records are left out.
    pub after: u64,
    pub before: Option<u64>,
    /// Whether the filters name numbers of records, which failed attempts do not have.
    pub by_number: bool,
    from: Option<u32>,
    until: Option<u32>,
    actors: Option<Vec<bool>>,
    sources: Option<Vec<bool>>,
    events: Option<Vec<bool>>,
    kinds: Option<Vec<bool>>,
    resources: Option<Vec<u64>>,
    requests: Option<Vec<u64>>,
}

/// Refuses values that no record can have.
///
/// # Errors
/// When a value cannot be read.
pub(super) fn check(filters: &[(String, String)]) -> Result<(), Refusal> {
    Wanted::of(filters, &Columns::default()).map(drop)
}

impl Wanted {
    /// Reads filters. Several values of one member match any of them.
    ///
    /// # Errors
    /// When a value cannot be read.
    pub(super) fn of(filters: &[(String, String)], columns: &Columns) -> Result<Self, Refusal> {
        let mut wanted = Self::default();
        let values = |member: &str| -> Option<Vec<&str>> {
            let values: Vec<_> =
                filters.iter().filter(|(name, _)| name == member).map(|(_, value)| value.as_str()).collect();
            (!values.is_empty()).then_some(values)
        };
        if let Some(names) = values("username") {
            and(&mut wanted.actors, columns.actors.which(|who| names.contains(&who.name.as_str())));
        }
        if let Some(ids) = values("user_id") {
            let is_one =
                |id: &str| ids.iter().any(|wanted| *wanted == id || id.strip_prefix("local|") == Some(*wanted));
            and(&mut wanted.actors, columns.actors.which(|who| who.id.as_deref().is_some_and(is_one)));
        }
        if let Some(addresses) = values("clientIP") {
            and(&mut wanted.sources, columns.sources.which(|source| addresses.contains(&source.as_str())));
        }
        if let Some(names) = values("event") {
            and(&mut wanted.events, columns.events.which(|kind| names.contains(&kind.event.as_str())));
        }
        if let Some(texts) = values("message") {
            and(&mut wanted.events, columns.events.which(|kind| texts.contains(&kind.message.as_str())));
        }
        if let Some(severities) = values("severity") {
            and(&mut wanted.events, columns.events.which(|kind| severities.contains(&kind.severity)));
        }
        if let Some(flags) = values("success") {
            let flag = |success: bool| if success { "true" } else { "false" };
            and(&mut wanted.events, columns.events.which(|kind| flags.contains(&flag(kind.success))));
        }
        if let Some(services) = values("service") {
            and(&mut wanted.kinds, columns.kinds.which(|resource| services.contains(&resource.service)));
        }
        // A resource is `kms/<id>`, or `kms` for all of that kind.
        if let Some(resources) = values("resource") {
            if resources.iter().all(|resource| !resource.contains('/')) {
                and(&mut wanted.kinds, columns.kinds.which(|known| resources.contains(&known.kind.as_str())));
            } else {
                wanted.resources = Some(resources.into_iter().map(hash).collect());
            }
        }
        if let Some(ids) = values("resource_id") {
            let of_all_kinds = |id: &str| -> Vec<u64> {
                let id = id.strip_prefix("local|").unwrap_or(id);
                columns.kinds.values.iter().map(|resource| hash(&format!("{}/{id}", resource.kind))).collect()
            };
            let found: Vec<u64> = ids.into_iter().flat_map(of_all_kinds).collect();
            wanted.resources = Some(match wanted.resources.take() {
                None => found,
                Some(others) => others.into_iter().filter(|resource| found.contains(resource)).collect(),
            });
        }
        wanted.requests = values("requestId").map(|ids| ids.into_iter().map(hash).collect());
        for (member, value) in filters {
            match member.as_str() {
                "success" => one_of("success", value, &["true", "false"])?,
                "service" => one_of("service", value, SERVICES)?,
                "severity" => one_of("severity", value, SEVERITIES)?,
                "createdAfter" => wanted.from = wanted.from.max(Some(seconds("createdAfter", value)?)),
                "createdBefore" => {
                    let until = seconds("createdBefore", value)?;
                    wanted.until = Some(wanted.until.map_or(until, |known| known.min(until)));
                }
                "after" => wanted.after = wanted.after.max(number("after", value)?),
                "before" => {
                    let before = number("before", value)?;
                    wanted.before = Some(wanted.before.map_or(before, |known| known.min(before)));
                }
                _ => {}
            }
        }
        wanted.by_number = filters.iter().any(|(name, _)| name == "after" || name == "before");
        Ok(wanted)
    }

    pub(super) fn matches(&self, row: &Row) -> bool {
        let has = |list: &Option<Vec<bool>>, place: usize| {
            list.as_ref().is_none_or(|list| list.get(place).copied().unwrap_or_default())
        };
        self.from.is_none_or(|from| row.seconds >= from)
            && self.until.is_none_or(|until| row.seconds <= until)
            && has(&self.actors, row.actor as usize)
            && has(&self.events, row.event.into())
            && has(&self.sources, row.source as usize)
            && has(&self.kinds, row.kind.into())
            && self.resources.as_ref().is_none_or(|resources| resources.contains(&row.resource))
            && self.requests.as_ref().is_none_or(|requests| requests.contains(&row.request))
    }
}

/// Adds a condition on a column to the present one.
fn and(list: &mut Option<Vec<bool>>, also: Vec<bool>) {
    *list = Some(match list.take() {
        None => also,
        Some(list) => list.into_iter().zip(also).map(|(one, other)| one && other).collect(),
    });
}

fn one_of(member: &'static str, value: &str, known: &[&str]) -> Result<(), Refusal> {
    match known.contains(&value) {
        true => Ok(()),
        false => Err(invalid(member, format!("must be one of {}", known.join(", ")))),
    }
}

fn number(member: &'static str, value: &str) -> Result<u64, Refusal> {
    value.parse().map_err(|_| invalid(member, "must be the number of a record, from 0 on"))
}

fn seconds(member: &'static str, value: &str) -> Result<u32, Refusal> {
    let problem = || invalid(member, "must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z");
    let time = chrono::DateTime::parse_from_rfc3339(value).map_err(|_| problem())?;
    let time = Time::exactly(time.to_utc()).ok_or_else(problem)?;
    Ok(u32::try_from((time.nanos() / 1_000_000_000).max(0)).unwrap_or(u32::MAX))
}
