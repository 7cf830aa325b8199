//! Which attempts are written one by one. Within a minute, the first from each source for each reason are, up to a
//! bound over all; the others are counted, and one record for each source and reason says at the end of the minute how
//! many there were. So a flood writes some hundred records a minute, from however many addresses it comes.

use super::attempt::NewAttempt;
use std::collections::HashMap;

/// The attempts of one source for one reason that are written one by one in a minute.
const EACH: u64 = 10;
/// The attempts that are written one by one in a minute.
const ALL: u64 = 300;
/// The sources and reasons that are counted apart in a minute.
const COUNTED: usize = 300;

const MINUTE_NANOS: i64 = 60_000_000_000;

/// The attempts of the present minute.
#[derive(Default)]
pub(super) struct Flood {
    minute: i64,
    written: u64,
    alike: HashMap<(String, String), Alike>,
    /// Those of sources that are not counted apart.
    others: Counted,
}

#[derive(Default)]
struct Alike {
    written: u64,
    counted: Counted,
}

/// Attempts that are counted together.
#[derive(Default)]
pub(super) struct Counted {
    pub(super) times: u64,
    /// The last of them.
    pub(super) last: NewAttempt,
}

impl Counted {
    fn add(&mut self, attempt: NewAttempt) {
        self.times += 1;
        self.last = attempt;
    }
}

impl Flood {
    /// Whether an attempt belongs to another minute than those before.
    pub(super) fn is_over(&self, nanos: i64) -> bool {
        nanos.div_euclid(MINUTE_NANOS) != self.minute
    }

    /// Returns the attempt if it is to be written; otherwise it is counted.
    pub(super) fn admit(&mut self, attempt: NewAttempt) -> Option<NewAttempt> {
        self.minute = attempt.nanos.div_euclid(MINUTE_NANOS);
        let key = (attempt.source.clone(), attempt.reason.clone());
        if !self.alike.contains_key(&key) && self.alike.len() >= COUNTED {
            self.others.add(attempt);
            return None;
        }
        let alike = self.alike.entry(key).or_default();
        if alike.written < EACH && self.written < ALL {
            alike.written += 1;
            self.written += 1;
            return Some(attempt);
        }
        alike.counted.add(attempt);
        None
    }

    /// Ends the minute: what was counted. The last is that of all sources that were not counted apart, without a
    /// source.
    pub(super) fn end(&mut self) -> Vec<Counted> {
        let Self { alike, others, .. } = std::mem::take(self);
        let mut counted: Vec<_> = alike.into_values().map(|alike| alike.counted).collect();
        counted.sort_by_key(|counted| counted.last.nanos);
        if others.times > 0 {
            let last = NewAttempt {
                nanos: others.last.nanos,
                status: others.last.status,
                reason: others.last.reason,
                ..NewAttempt::default()
            };
            counted.push(Counted { times: others.times, last });
        }
        counted.retain(|counted| counted.times > 0);
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(source: usize) -> NewAttempt {
        NewAttempt { source: source.to_string(), reason: "forbidden".to_owned(), nanos: 1, ..NewAttempt::default() }
    }

    #[test]
    fn a_flood_from_one_source_is_counted_and_others_are_still_written() {
        let mut flood = Flood::default();
        let written = (0..100_000).filter_map(|_| flood.admit(attempt(1))).count();
        assert_eq!((written, flood.admit(attempt(2)).is_some()), (EACH as usize, true));
        let counted = flood.end();
        assert_eq!(counted.len(), 1);
        assert_eq!((counted[0].times, counted[0].last.source.as_str()), (100_000 - EACH, "1"));
        assert!(flood.end().is_empty());
    }

    #[test]
    fn a_flood_from_many_sources_writes_some_hundred_records_a_minute() {
        let mut flood = Flood::default();
        let written = (0..100_000).filter_map(|source| flood.admit(attempt(source))).count();
        let counted = flood.end();
        assert!(written <= ALL as usize && counted.len() <= COUNTED + 1);
        let all: u64 = counted.iter().map(|counted| counted.times).sum();
        assert_eq!(all + written as u64, 100_000);
    }
}
