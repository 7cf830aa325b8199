//! The events in the lab's database, so that they survive a restart.
//!
//! An answer to a change waits until the change and its event are on the disk; the database writes other events within
//! half a second.

use super::group::Place;
use crate::lab::kms::StoreError;

/// The records of events; `None` if the lab stores nothing.
#[derive(Debug)]
pub(super) struct Records(Option<sled::Tree>);

/// A stored event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub account: String,
    pub region: String,
    pub place: Place,
    pub arrived: i64,
    pub id: u128,
    pub identity: String,
    pub rest: String,
}

impl Records {
    pub(super) fn new(tree: Option<sled::Tree>) -> Records {
        Records(tree)
    }

    /// Reads all events; those of a log group in the order of their numbers.
    ///
    /// # Errors
    /// [`StoreError`] if the database or a record cannot be read.
    pub(super) fn all(&self) -> Result<Vec<Record>, StoreError> {
        let Some(tree) = &self.0 else { return Ok(Vec::new()) };
        let read = |entry: sled::Result<(sled::IVec, sled::IVec)>| {
            let (key, value) = entry?;
            decode(&key, &value).ok_or_else(|| StoreError::Damaged("an event of CloudTrail".to_owned()))
        };
        tree.iter().map(read).collect()
    }

    pub(super) fn save(&self, record: &Record) {
        if let Some(tree) = &self.0 {
            let Record { account, region, place, .. } = record;
            report(tree.insert(key(account, region, place.number), encode(record)).map(drop));
        }
    }

    pub(super) fn remove(&self, account: &str, region: &str, number: u64) {
        if let Some(tree) = &self.0 {
            report(tree.remove(key(account, region, number)).map(drop));
        }
    }

    pub(super) fn clear(&self) {
        if let Some(tree) = &self.0 {
            report(tree.clear());
        }
    }
}

fn report(result: sled::Result<()>) {
    if let Err(error) = result {
        tracing::error!(%error, "the lab cloud cannot write an event of CloudTrail");
    }
}

fn key(account: &str, region: &str, number: u64) -> Vec<u8> {
    [account.as_bytes(), b"/", region.as_bytes(), b"/", &number.to_be_bytes()].concat()
}

fn encode(record: &Record) -> Vec<u8> {
    let Record { place, arrived, id, identity, rest, .. } = record;
    let length = u32::try_from(identity.len()).unwrap_or_default().to_be_bytes();
    let numbers: [&[u8]; 4] = [&place.second.to_be_bytes(), &arrived.to_be_bytes(), &id.to_be_bytes(), &length];
    [&numbers.concat(), identity.as_bytes(), rest.as_bytes()].concat()
}

fn decode(key: &[u8], value: &[u8]) -> Option<Record> {
    let (names, number) = key.split_at_checked(key.len().checked_sub(8)?)?;
    let names = std::str::from_utf8(names).ok()?.strip_suffix('/')?;
    let (account, region) = names.split_once('/')?;
    let (second, value) = value.split_first_chunk()?;
    let (arrived, value) = value.split_first_chunk()?;
    let (id, value) = value.split_first_chunk()?;
    let (length, value) = value.split_first_chunk()?;
    let (identity, rest) = value.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    let number = u64::from_be_bytes(number.try_into().ok()?);
    Some(Record {
        account: account.to_owned(),
        region: region.to_owned(),
        place: Place { second: i64::from_be_bytes(*second), source: 0, number },
        arrived: i64::from_be_bytes(*arrived),
        id: u128::from_be_bytes(*id),
        identity: String::from_utf8(identity.to_vec()).ok()?,
        rest: String::from_utf8(rest.to_vec()).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_a_cut_one_is_not() {
        let record = Record {
            account: "123456789012".to_owned(),
            region: "eu-west-3".to_owned(),
            place: Place { second: 1_795_863_418, source: 0, number: 47 << 8 },
            arrived: 1_795_863_421_007,
            id: u128::MAX - 1,
            identity: r#"{"type":"IAMUser"}"#.to_owned(),
            rest: r#""readOnly":true}"#.to_owned(),
        };
        let (key, value) = (key(&record.account, &record.region, record.place.number), encode(&record));
        assert_eq!(decode(&key, &value).as_ref(), Some(&record));
        assert_eq!(decode(&key[..7], &value), None);
        assert_eq!(decode(&key, &value[..40]), None);
    }
}
