//! Rows that a request makes, and that are in no table of the state. They are filtered and sorted as the rows of a table.

use super::filter::{Field, SortKey, matches_value};
use super::{Query, Words};

/// Removes the rows that do not match the filters of the query, and sorts the others by its members. Rows that are equal
/// in these keep their order. The values of members with a fixed set of them are compared without case;
/// [`check_words`](super::check_words) refuses others.
pub fn arrange<T>(rows: &mut Vec<T>, query: &Query, words: Words, field: impl Fn(&T, &str) -> Field) {
    rows.retain(|row| {
        query.filters.iter().all(|(member, _)| {
            let mut values = query.filters.iter().filter(|(other, _)| other == member);
            values.any(|(_, value)| matches_value(member, words, &field(row, member), value))
        })
    });
    if !query.sort.is_empty() {
        rows.sort_by_cached_key(|row| SortKey::new(&query.sort, |member| field(row, member)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arranged(filters: &[(&str, &str)], sort: &[(&str, bool)]) -> Vec<(u64, &'static str)> {
        let mut rows = vec![(9, "b"), (10, "a"), (1, "b")];
        let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(m, v)| (m.to_string(), v.to_string())).collect();
        let sort = sort.iter().map(|(member, descending)| (member.to_string(), *descending)).collect();
        let query = Query { sort, filters: pairs(filters), ..Query::default() };
        arrange(&mut rows, &query, &[("kind", &["a", "b"])], |row, member| match member {
            "version" => Field::Number(row.0),
            _ => Field::Text(row.1.to_owned()),
        });
        rows
    }

    #[test]
    fn a_row_matches_one_value_of_each_filter() {
        assert_eq!(arranged(&[("version", "9"), ("version", "10")], &[]), [(9, "b"), (10, "a")]);
        assert_eq!(arranged(&[("version", "9"), ("name", "a")], &[]), []);
        assert_eq!(arranged(&[("name", "*b")], &[]), [(9, "b"), (1, "b")]);
        assert_eq!(arranged(&[("kind", "A")], &[]), [(10, "a")]);
        assert_eq!(arranged(&[("other", "A")], &[]), []);
    }

    #[test]
    fn rows_are_sorted_by_value_and_keep_their_order_where_they_are_equal() {
        assert_eq!(arranged(&[], &[("version", false)]), [(1, "b"), (9, "b"), (10, "a")]);
        assert_eq!(arranged(&[], &[("name", true)]), [(9, "b"), (1, "b"), (10, "a")]);
        assert_eq!(arranged(&[], &[("name", false), ("version", false)]), [(10, "a"), (1, "b"), (9, "b")]);
    }
}
