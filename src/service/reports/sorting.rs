//! The rows of a sorted page: the values to sort by of the rows that can still be on it, bounded in number and bytes.

use super::row::{Cell, Row, columns};
use crate::domain::refusal::ReportRefusal;
use crate::domain::report::ReportKind;
use std::cmp::Ordering;

/// The columns with times.
const TIMES: &[&str] = &[
    "event_time",
    "first_used",
    "last_used",
    "creation_date",
    "rotated_at",
    "next_rotation",
    "valid_to",
    "deletion_date",
];
/// The most rows that are sorted for an answer.
const ROWS_MAX: usize = 100_000;
/// The most memory of the values of these rows. Some texts are chosen by callers of AWS.
const BYTES_MAX: usize = 32 << 20;
/// The rows that are kept at least before any are dropped.
const KEPT_MIN: usize = 1_000;

/// The first rows of an order, from the rows of a file one after the other.
pub(super) struct Sorted {
    columns: Vec<SortColumn>,
    /// The number of rows up to the end of the page.
    end: usize,
    /// All rows so far.
    total: usize,
    best: Vec<Entry>,
    /// The memory of `best`.
    bytes: usize,
    bytes_max: usize,
}

struct SortColumn {
    at: usize,
    name: &'static str,
    is_descending: bool,
}

struct Entry {
    values: Box<[Cell]>,
    place: u64,
}

impl Sorted {
    /// `sort` has the columns, and whether each is descending; `end` is the number of rows up to the end of the page.
    pub(super) fn new(kind: ReportKind, sort: &[(String, bool)], end: usize) -> Self {
        let column = |(member, descending): &(String, bool)| {
            let at = columns(kind).iter().position(|column| column == member)?;
            Some(SortColumn { at, name: columns(kind)[at], is_descending: *descending })
        };
        let columns = sort.iter().filter_map(column).collect();
        Self { columns, end, total: 0, best: Vec::new(), bytes: 0, bytes_max: BYTES_MAX }
    }

    /// Adds a row, which is at a place of the file.
    ///
    /// # Errors
    /// As soon as it is certain that the page needs more than can be kept.
    pub(super) fn add(&mut self, row: &Row, place: u64) -> Result<(), ReportRefusal> {
        self.total += 1;
        if self.total.min(self.end) > ROWS_MAX {
            return Err(too_many());
        }
        let values = self.columns.iter().map(|column| sort_value(column.name, row.cells.get(column.at)));
        let entry = Entry { values: values.collect(), place };
        self.bytes += entry.bytes();
        self.best.push(entry);
        // The rows that cannot be on the page any more are dropped from time to time.
        let is_long = self.best.len() >= self.end.saturating_mul(2).max(KEPT_MIN);
        if is_long || self.bytes > self.bytes_max.saturating_mul(2) {
            self.drop_others();
            if self.bytes > self.bytes_max {
                return Err(too_many());
            }
        }
        Ok(())
    }

    /// The number of all rows, and the places of those of the page.
    ///
    /// # Errors
    /// When the page needs more than can be kept.
    pub(super) fn finish(mut self, skip: usize) -> Result<(usize, Vec<u64>), ReportRefusal> {
        self.drop_others();
        match self.bytes > self.bytes_max {
            true => Err(too_many()),
            false => Ok((self.total, self.best.into_iter().skip(skip).map(|entry| entry.place).collect())),
        }
    }

    fn drop_others(&mut self) {
        let Self { columns, best, .. } = self;
        best.sort_unstable_by(|a, b| order(columns, a, b));
        best.truncate(self.end);
        self.bytes = best.iter().map(Entry::bytes).sum();
    }
}

/// Rows with equal values stay in the order of the file.
fn order(columns: &[SortColumn], a: &Entry, b: &Entry) -> Ordering {
    let mut cells = a.values.iter().zip(&b.values).zip(columns);
    let differs = cells.find_map(|((a, b), column)| match a.cmp(b) {
        Ordering::Equal => None,
        order => Some(if column.is_descending { order.reverse() } else { order }),
    });
    differs.unwrap_or_else(|| a.place.cmp(&b.place))
}

impl Entry {
    fn bytes(&self) -> usize {
        let text = |cell: &Cell| match cell {
            Cell::Text(text) => text.capacity(),
            Cell::Absent | Cell::Flag(_) | Cell::Number(_) => 0,
        };
        size_of::<Self>() + size_of_val(&*self.values) + self.values.iter().map(text).sum::<usize>()
    }
}

fn too_many() -> ReportRefusal {
    ReportRefusal::TooManyToSort { most: ROWS_MAX, mib: BYTES_MAX >> 20 }
}

/// A value to sort by. Times have no trailing zeroes: without the `Z`, `58` comes before `58.2`.
fn sort_value(column: &str, cell: Option<&Cell>) -> Cell {
    match cell {
        Some(Cell::Text(text)) if TIMES.contains(&column) => Cell::text(text.trim_end_matches('Z')),
        Some(cell) => cell.clone(),
        None => Cell::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::KmsId;
    use uuid::Uuid;

    /// A row of usage with a service and a number of calls.
    fn row(service: &str, calls: i64) -> Row {
        let value = |name: &&str| match *name {
            "service" => Cell::text(service),
            "calls" => Cell::Number(calls),
            _ => Cell::Absent,
        };
        let cells = columns(ReportKind::ServiceUsage).iter().map(value).collect();
        Row::new(KmsId::new(Uuid::from_u128(1)), None, cells)
    }

    fn sorted(sort: &[(&str, bool)], end: usize) -> Sorted {
        let sort: Vec<_> = sort.iter().map(|(name, descending)| ((*name).to_owned(), *descending)).collect();
        Sorted::new(ReportKind::ServiceUsage, &sort, end)
    }

    #[test]
    fn a_page_has_the_first_rows_of_the_order() {
        let mut all = sorted(&[("service", true), ("calls", false)], 4);
        for place in 0..5_000_u64 {
            let name = ["a", "b"][usize::from(place % 2 == 0)];
            all.add(&row(name, -i64::try_from(place / 4).expect("small")), place).expect("few");
        }
        assert!(all.best.len() < 2 * KEPT_MIN);
        assert_eq!(all.finish(1).expect("few"), (5_000, vec![4_998, 4_992, 4_994]));
    }

    #[test]
    fn more_rows_than_are_sorted_are_refused_at_the_first_of_them() {
        let mut all = sorted(&[("calls", false)], usize::MAX);
        for place in 0..ROWS_MAX as u64 {
            all.add(&row("s", 1), place).expect("as many as are sorted");
        }
        assert_eq!(all.add(&row("s", 1), 0), Err(too_many()));
        let mut page = sorted(&[("calls", false)], 10);
        for place in 0..2 * ROWS_MAX as u64 {
            page.add(&row("s", 1), place).expect("a page is short");
        }
        assert_eq!(page.finish(0).expect("short").1, (0..10).collect::<Vec<_>>());
    }

    /// Texts come from callers of AWS, who choose their length.
    #[test]
    fn long_values_are_refused_as_soon_as_they_do_not_fit() {
        let mut all = Sorted { bytes_max: 100_000, ..sorted(&[("service", false)], 10_000) };
        let long = "x".repeat(2_000);
        let refused = (0..1_000).position(|place| all.add(&row(&long, 0), place).is_err());
        assert!(refused.is_some_and(|place| (90..=110).contains(&place)), "{refused:?}");
        let mut page = Sorted { bytes_max: 100_000, ..sorted(&[("service", false)], 10) };
        for place in 0..1_000 {
            page.add(&row(&long, 0), place).expect("ten of them fit");
        }
        assert_eq!(page.finish(0).expect("they fit").1.len(), 10);
        let mut some = Sorted { bytes_max: 100_000, ..sorted(&[("service", false)], 10_000) };
        for place in 0..60 {
            some.add(&row(&long, 0), place).expect("not certain yet");
        }
        assert_eq!(some.finish(0), Err(too_many()));
    }

    #[test]
    fn times_sort_by_time_whatever_their_digits() {
        let value = |text| sort_value("event_time", Some(&Cell::text(text)));
        let times =
            ["2026-01-01T00:00:58Z", "2026-01-01T00:00:58.2Z", "2026-01-01T00:00:58.25Z", "2026-01-01T00:00:59Z"];
        assert!(times.map(value).is_sorted());
        assert_eq!(sort_value("alias", Some(&Cell::text("alias/Z"))), Cell::text("alias/Z"));
    }

    #[test]
    fn the_columns_with_times_are_columns() {
        for name in TIMES {
            assert!(ReportKind::ALL.iter().any(|kind| columns(*kind).contains(name)), "{name}");
        }
    }
}
