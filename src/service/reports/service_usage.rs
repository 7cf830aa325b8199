//! The report of service usage: the calls by service, key, operation, principal and region. The groups are in memory,
//! so that their number is bounded. The file has all groups after each of some pages, and a restart goes on from there.

use super::place::Place;
use super::proxy_calls::ProxyCalls;
use super::row::{Cell, Row};
use crate::aws::cloudtrail::TrailEvent;
use crate::domain::id::{KeyId, KmsId};
use crate::service::failure::{Failure, invalid};
use std::collections::HashMap;

/// The most groups of a report.
const GROUPS_MAX: usize = 100_000;
/// The `service` of calls that no service made.
const DIRECT: &str = "direct";
/// The cells that are the same in a group come before these: `calls`, `failures`, `first_used`, `last_used`.
const COUNTED: usize = 4;

/// The groups so far, by the KMS and the cells that make a group.
#[derive(Default)]
pub(super) struct Groups(HashMap<Vec<Cell>, Group>);

struct Group {
    kms: KmsId,
    key: Option<KeyId>,
    calls: u64,
    failures: u64,
    first: String,
    last: String,
}

impl Groups {
    /// Reads the groups that a file has.
    pub(super) fn restored(rows: Vec<Row>) -> Self {
        let mut groups = HashMap::new();
        for row in rows {
            let (kms, key) = (row.kms(), row.key());
            let mut same = row.cells;
            let counted = same.split_off(same.len().saturating_sub(COUNTED));
            if let [Cell::Number(calls), Cell::Number(failures), Cell::Text(first), Cell::Text(last)] = &counted[..] {
                let (calls, failures) = (calls.unsigned_abs(), failures.unsigned_abs());
                groups.insert(same, Group { kms, key, calls, failures, first: first.clone(), last: last.clone() });
            }
        }
        Self(groups)
    }

    /// Adds the events of a page.
    ///
    /// # Errors
    /// When there are too many groups.
    pub(super) fn add(&mut self, place: &Place, proxy: &ProxyCalls, events: &[TrailEvent]) -> Result<(), Failure> {
        for event in events {
            let keys = place.keys_of(event);
            let service = match event.identity.invoked_by.as_str() {
                "" => keys.iter().find_map(|named| proxy.service(event, &named.arn)).unwrap_or(DIRECT),
                service => service,
            };
            for named in keys {
                let [key_arn, key_id, alias] = named.cells();
                let [account, region, cloud] = named.place_cells();
                let (operation, identity) = (Cell::text(event.name.as_str()), Cell::text(event.identity.name()));
                let same =
                    vec![Cell::text(service), key_arn, key_id, alias, operation, identity, account, region, cloud];
                let time = event.time.to_string();
                if self.0.len() >= GROUPS_MAX && !self.0.contains_key(&same) {
                    let problem = format!(
                        "the events until {time} have more than {GROUPS_MAX} combinations of service, key, operation \
                         and principal; choose a shorter time"
                    );
                    return Err(invalid("end_time", problem).into());
                }
                let group = self.0.entry(same).or_insert_with(|| Group {
                    kms: place.id(),
                    key: named.key.map(|key| key.id),
                    calls: 0,
                    failures: 0,
                    first: time.clone(),
                    last: time.clone(),
                });
                group.calls += 1;
                group.failures += u64::from(!event.error_code.is_empty());
                // RFC 3339 in UTC with whole seconds sorts by time.
                if time < group.first {
                    group.first.clone_from(&time);
                }
                if time > group.last {
                    group.last = time;
                }
            }
        }
        Ok(())
    }

    /// Forgets the groups of a KMS.
    pub(super) fn forget(&mut self, kms: KmsId) {
        self.0.retain(|_, group| group.kms != kms);
    }

    /// The number of groups.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The rows, in the order of their cells.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut groups: Vec<_> = self.0.iter().collect();
        groups.sort_by_key(|(same, _)| *same);
        let row = |(same, group): (&Vec<Cell>, &Group)| {
            let counted = [
                Cell::count(group.calls),
                Cell::count(group.failures),
                Cell::text(group.first.as_str()),
                Cell::text(group.last.as_str()),
            ];
            Row::new(group.kms, group.key, same.iter().cloned().chain(counted).collect())
        };
        groups.into_iter().map(row).collect()
    }
}
