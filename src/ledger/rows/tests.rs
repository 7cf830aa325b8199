//! Rows: records are read back from any number on, and damaged rows are reported.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

type Rows = BTreeMap<RowKey, Vec<u8>>;

fn content(seq: u64, length: usize) -> Vec<u8> {
    (0..length).map(|at| (at as u64 * 31 + seq) as u8).collect()
}

/// Writes commits of records of these lengths, as the store does.
fn written(commits: &[Vec<usize>]) -> Rows {
    let (mut rows, mut next, mut tail) = (Rows::new(), 1, None);
    for commit in commits {
        let mut writer = RowWriter::new(next, tail);
        for length in commit {
            writer.push(&content(next, *length));
            next += 1;
        }
        let (written, short) = writer.finish();
        let (last, row) = written.last().expect("a commit has records");
        let (head, again) = end_of(*last, row);
        assert_eq!((head, again.map(|row| row.bytes)), (next - 1, short.as_ref().map(|row| row.bytes.clone())));
        rows.extend(written);
        tail = short;
    }
    assert!(rows.values().all(|row| row.len() <= ROW_MAX));
    rows
}

fn read(rows: &Rows, from: u64) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    let first = rows.range(..=RowKey::last(from)).next_back().map_or(RowKey::first(0), |(key, _)| match key.part {
        0 => *key,
        _ if key.seq < from => RowKey::first(key.seq + 1),
        _ => RowKey::first(key.seq),
    });
    let mut records = Vec::new();
    for batch in RowReader::new(rows.range(first..).map(|(key, row)| Ok((*key, row))), from) {
        records.extend(batch?.iter().map(|(seq, record)| (seq, record.to_vec())));
    }
    Ok(records)
}

proptest! {
    #[test]
    fn records_of_any_length_are_read_from_any_number(
        commits in proptest::collection::vec(
            proptest::collection::vec(prop_oneof![8 => 0..400usize, 2 => 3_900..4_200usize, 1 => 0..30_000usize], 1..40),
            1..20,
        ),
        from: prop::sample::Index,
    ) {
        let lengths = commits.concat();
        let rows = written(&commits);
        let from = 1 + from.index(lengths.len()) as u64;
        let whole: Vec<_> = (1..).zip(&lengths).map(|(seq, length)| (seq, content(seq, *length))).collect();
        prop_assert_eq!(&read(&rows, from).expect("whole"), &whole[from as usize - 1..]);
    }

    /// Arbitrary rows give records or an error, never a panic.
    #[test]
    fn any_bytes_are_records_or_an_error(
        at: prop::sample::Index, byte: u8, cut: prop::sample::Index,
        more in proptest::collection::vec(any::<u8>(), 0..3),
    ) {
        let mut rows = written(&[vec![200; 30], vec![9_000], vec![10; 3]]);
        for row in rows.values_mut() {
            let length = row.len();
            row[at.index(length)] = byte;
            row.truncate(cut.index(length + 1));
            row.extend_from_slice(&more);
        }
        let _ = read(&rows, 1);
        rows.iter().for_each(|(key, row)| drop(end_of(*key, row)));
    }
}

#[test]
fn commits_of_one_record_share_rows() {
    let rows = written(&vec![vec![250]; 100]);
    assert!(rows.len() < 20, "{} rows", rows.len());
    let rows = written(&[vec![250; 100]]);
    assert!(rows.len() < 8, "{} rows", rows.len());
}

#[test]
fn a_damaged_row_is_reported_with_the_first_lost_record() {
    type Damage = fn(&mut Vec<u8>);
    // The second row contains records 17 to 32.
    let whole = written(&[vec![250; 40]]);
    let second = *whole.keys().nth(1).expect("rows");
    assert_eq!(second, RowKey::first(17));
    let damages: [(Damage, u64, &str); 7] = [
        (|row| row.truncate(1), 17, "is cut short"),
        (|row| row.truncate(row.len() - 1), 32, "is cut short"),
        (|row| row.truncate(PACKED_HEADER + 2 * 252 + 1), 19, "is cut short"),
        (|row| row.push(0), 32, "has bytes after its last record"),
        (|row| row[2] = 0, 17, "has no record"),
        (|row| row[0] = 7, 17, "is of no known kind; a later version of Claviger may have written it"),
        (|row| row[0] = LONG, 17, "is cut short"),
    ];
    for (damage, named, how) in damages {
        let mut rows = whole.clone();
        damage(rows.get_mut(&second).expect("there"));
        let broken = read(&rows, 1);
        assert!(
            matches!(&broken, Err(StoreError::BadRow { seq, what }) if (*seq, *what) == (named, how)),
            "{named} {how}: {broken:?}"
        );
    }
    let mut rows = whole.clone();
    rows.insert(RowKey::first(20), whole[&second].clone());
    assert!(matches!(read(&rows, 1), Err(StoreError::BadRow { seq: 20, what: "lies inside of the row before it" })));
    let mut rows = whole;
    rows.insert(RowKey { seq: 20, part: 1 }, vec![MORE]);
    assert!(matches!(read(&rows, 1), Err(StoreError::PartMissing { seq: 33, part: 0 })));
}
