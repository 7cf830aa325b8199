//! The numbers of the records of each resource that has a history in the API, so that a history is read without reading
//! the entire log. Sessions, jobs, alarms and reports have none: they end by themselves, and would fill the memory.

use crate::domain::event::{Event, GroupEvent, Stream};
use std::collections::HashMap;

#[derive(Clone, Default, Debug, PartialEq)]
pub(super) struct History(HashMap<Stream, Numbers>);

/// Ascending numbers. Each is kept as its distance from the one before, in 7 bits a byte, so most take two bytes or
/// three.
#[derive(Clone, Default, Debug, PartialEq)]
struct Numbers {
    distances: Vec<u8>,
    last: u64,
}

impl History {
    pub(super) fn note(&mut self, seq: u64, event: &Event) {
        match event {
            Event::Kms(..)
            | Event::Connection(..)
            | Event::Key(..)
            | Event::User(..)
            | Event::Template(..)
            | Event::Schedule(..)
            | Event::SourceKey(..)
            | Event::KeyStore(..) => self.push(event.stream(), seq),
            Event::Group(_, change) => {
                self.push(event.stream(), seq);
                match change {
                    // The later events are under the new name; this record leads back to the earlier ones.
                    GroupEvent::Renamed { to } => self.push(Stream::Group(to.clone()), seq),
                    // Memberships are events of groups, and belong to the past of users too.
                    GroupEvent::MemberAdded { user } | GroupEvent::MemberRemoved { user } => {
                        self.push(Stream::User(*user), seq);
                    }
                    GroupEvent::Created { .. } | GroupEvent::Described { .. } | GroupEvent::Removed => {}
                }
            }
            Event::Installation(_)
            | Event::Session(..)
            | Event::Job(..)
            | Event::Posture(_)
            | Event::Report(..)
            | Event::Webhook(..)
            | Event::Alarm(..)
            | Event::Drift(..)
            | Event::Backup(..)
            | Event::Forwarder(..) => {}
        }
    }

    fn push(&mut self, stream: Stream, seq: u64) {
        self.0.entry(stream).or_default().push(seq);
    }

    /// All streams that have a history, in no order.
    pub(super) fn streams(&self) -> Vec<Stream> {
        self.0.keys().cloned().collect()
    }

    /// Copies the numbers of these streams up to record `seq`.
    pub(super) fn copy_upto(&self, seq: u64, streams: &[Stream], into: &mut Self) {
        for stream in streams {
            let Some(numbers) = self.0.get(stream) else { continue };
            if numbers.last <= seq {
                into.0.insert(stream.clone(), numbers.clone());
            } else {
                into.restore(stream.clone(), numbers.iter().take_while(|number| *number <= seq));
            }
        }
    }

    /// Sets the numbers of a stream.
    pub(super) fn restore(&mut self, stream: Stream, ascending: impl IntoIterator<Item = u64>) {
        let mut numbers = Numbers::default();
        ascending.into_iter().for_each(|number| numbers.push(number));
        numbers.distances.shrink_to_fit();
        if numbers.last > 0 {
            self.0.insert(stream, numbers);
        }
    }

    /// The numbers of a stream's records, oldest first.
    pub(super) fn of(&self, stream: &Stream) -> Vec<u64> {
        self.0.get(stream).map(|numbers| numbers.iter().collect()).unwrap_or_default()
    }

    /// The bytes that the numbers and the table of streams take, without the names of groups.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        // A table of the standard library has a byte for each place, and is full at 7/8.
        let places = (self.0.capacity() * 8 / 7).next_power_of_two();
        let table = places * (size_of::<(Stream, Numbers)>() + 1);
        table + self.0.values().map(|numbers| numbers.distances.capacity()).sum::<usize>()
    }
}

impl Numbers {
    /// Adds a number; one that is not greater than the last is ignored.
    fn push(&mut self, number: u64) {
        let Some(mut distance) = number.checked_sub(self.last).filter(|distance| *distance > 0) else { return };
        self.last = number;
        while distance >= 0x80 {
            self.distances.push((distance & 0x7f) as u8 | 0x80);
            distance >>= 7;
        }
        self.distances.push(distance as u8);
    }

    fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        let mut bytes = self.distances.iter();
        let mut number = 0;
        std::iter::from_fn(move || {
            let (mut distance, mut shift) = (0, 0);
            loop {
                let byte = *bytes.next()?;
                distance |= u64::from(byte & 0x7f) << shift;
                if byte < 0x80 {
                    break;
                }
                shift += 7;
            }
            number += distance;
            Some(number)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::KeyId;
    use crate::domain::key::event::KeyEvent;
    use uuid::Uuid;

    #[test]
    fn numbers_come_back_as_they_went_in() {
        let given = [1, 2, 130, 131, 20_000, 3_000_000, 3_000_001, u64::from(u32::MAX), u64::MAX];
        let mut numbers = Numbers::default();
        given.into_iter().for_each(|number| numbers.push(number));
        numbers.push(7);
        assert_eq!(numbers.iter().collect::<Vec<_>>(), given);
    }

    #[test]
    fn a_copy_ends_at_its_record() {
        let key = Stream::Key(KeyId::new(Uuid::from_u128(1)));
        let mut history = History::default();
        history.restore(key.clone(), [3, 500, 70_000]);
        for (upto, known) in [(2, &[][..]), (3, &[3]), (69_999, &[3, 500]), (70_000, &[3, 500, 70_000])] {
            let mut copy = History::default();
            history.copy_upto(upto, std::slice::from_ref(&key), &mut copy);
            assert_eq!(copy.of(&key), known, "up to {upto}");
        }
    }

    #[test]
    fn the_histories_of_a_million_records_take_less_than_32_mib() {
        let mut history = History::default();
        for seq in 1..=1_000_000_u64 {
            // Ten records for each of 100 000 keys.
            let key = KeyId::new(Uuid::from_u128(u128::from(seq.wrapping_mul(0x9e37_79b9) % 100_000)));
            history.note(seq, &Event::Key(key, KeyEvent::Vanished));
        }
        let mib = history.bytes() as f64 / f64::from(1 << 20);
        assert!(mib < 32.0, "{mib:.1} MiB");
    }
}
