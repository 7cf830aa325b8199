//! The pages of records and failed attempts together, by time. Both ascend in time by their numbers.

use super::attempts::Rows;
use super::columns::Columns;
use super::filter::Wanted;
use crate::service::failure::Failure;
use std::iter::Peekable;

/// A record of the log, or a failed attempt, by its number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Place {
    Record(u64),
    Attempt(u64),
}

/// The number of all that match, up to record `head`, and those on the page.
pub(super) fn find(
    columns: &Columns,
    attempted: &Rows,
    filters: &[(String, String)],
    head: u64,
    oldest_first: bool,
    skip: usize,
    rows: usize,
) -> Result<(usize, Vec<Place>), Failure> {
    let wanted = Wanted::of(filters, columns)?;
    let last = wanted.before.map_or(head, |before| head.min(before.saturating_sub(1)));
    let records = (wanted.after.saturating_add(1)..=last).filter_map(|number| {
        let row = columns.row(number).filter(|row| wanted.matches(row))?;
        Some((row.seconds, Place::Record(number)))
    });
    let own = Wanted::of(filters, &attempted.columns)?;
    let first = match own.by_number {
        true => attempted.numbers.len(),
        false => attempted.numbers.partition_point(|number| *number < attempted.first),
    };
    let attempts = (first..attempted.numbers.len()).filter_map(|at| {
        let row = attempted.columns.row(at as u64 + 1).filter(|row| own.matches(row))?;
        Some((row.seconds, Place::Attempt(*attempted.numbers.get(at)?)))
    });
    let page = |places: &mut dyn Iterator<Item = Place>| {
        let (mut total, mut page) = (0, Vec::new());
        for place in places {
            if total >= skip && page.len() < rows {
                page.push(place);
            }
            total += 1;
        }
        (total, page)
    };
    Ok(if oldest_first {
        page(&mut merged(records, attempts, |record, attempt| record <= attempt))
    } else {
        page(&mut merged(records.rev(), attempts.rev(), |record, attempt| record > attempt))
    })
}

/// Both in one order: a record before an attempt where `is_first` says so of their times.
fn merged(
    records: impl Iterator<Item = (u32, Place)>,
    attempts: impl Iterator<Item = (u32, Place)>,
    is_first: impl Fn(u32, u32) -> bool,
) -> impl Iterator<Item = Place> {
    let (mut records, mut attempts) = (records.peekable(), attempts.peekable());
    std::iter::from_fn(move || {
        let takes_record = match (time_of(&mut records), time_of(&mut attempts)) {
            (Some(record), Some(attempt)) => is_first(record, attempt),
            (record, _) => record.is_some(),
        };
        let next = if takes_record { records.next() } else { attempts.next() };
        next.map(|(_, place)| place)
    })
}

fn time_of(places: &mut Peekable<impl Iterator<Item = (u32, Place)>>) -> Option<u32> {
    places.peek().map(|(seconds, _)| *seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_are_each_other_reversed() {
        let records = [(1, 1), (2, 2), (2, 3), (5, 4)].map(|(time, number)| (time, Place::Record(number)));
        let attempts = [(2, 1), (3, 2), (9, 3)].map(|(time, number)| (time, Place::Attempt(number)));
        let up: Vec<_> =
            merged(records.into_iter(), attempts.into_iter(), |record, attempt| record <= attempt).collect();
        let mut down: Vec<_> =
            merged(records.into_iter().rev(), attempts.into_iter().rev(), |record, attempt| record > attempt).collect();
        down.reverse();
        assert_eq!(up, down);
        assert_eq!(up[..4], [Place::Record(1), Place::Record(2), Place::Record(3), Place::Attempt(1)]);
        assert_eq!(up.len(), 7);
    }
}
