//! The times that calls take, over the last minute and the last hour. Recording takes no lock: a worker must not wait
//! for another one that the system has suspended.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// The times of the calls in a period. A time is exact to a fifth of its value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latencies {
    pub calls: u64,
    /// The median.
    pub p50: Option<Duration>,
    pub p99: Option<Duration>,
}

/// Four buckets for each doubling, from a microsecond to 33 seconds.
const BUCKETS: usize = 96;

pub(super) struct Recorder {
    minute: Ring,
    hour: Ring,
}

/// The slots of a period, and one more, which is being filled.
struct Ring {
    slot_seconds: u64,
    slots: Box<[Slot]>,
}

struct Slot {
    /// The number of the slot since 1970, plus 1.
    number: AtomicU64,
    counts: [AtomicU32; BUCKETS],
}

impl Recorder {
    pub(super) fn new() -> Recorder {
        Recorder { minute: Ring::new(5, 12), hour: Ring::new(60, 60) }
    }

    /// Records a call that ended at a time, in seconds since 1970.
    pub(super) fn record(&self, took: Duration, now: u64) {
        let bucket = bucket(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        self.minute.record(bucket, now);
        self.hour.record(bucket, now);
    }

    pub(super) fn last_minute(&self, now: u64) -> Latencies {
        Recorder::last_minute_of(std::iter::once(self), now)
    }

    pub(super) fn last_hour(&self, now: u64) -> Latencies {
        Recorder::last_hour_of(std::iter::once(self), now)
    }

    /// The times of the last minute that several recorders have together.
    pub(super) fn last_minute_of<'r>(all: impl Iterator<Item = &'r Recorder>, now: u64) -> Latencies {
        Latencies::of_rings(all.map(|recorder| &recorder.minute), now)
    }

    /// The times of the last hour that several recorders have together.
    pub(super) fn last_hour_of<'r>(all: impl Iterator<Item = &'r Recorder>, now: u64) -> Latencies {
        Latencies::of_rings(all.map(|recorder| &recorder.hour), now)
    }
}

impl Latencies {
    fn of_rings<'r>(rings: impl Iterator<Item = &'r Ring>, now: u64) -> Latencies {
        let mut counts = [0_u64; BUCKETS];
        rings.for_each(|ring| ring.add_to(&mut counts, now));
        let calls: u64 = counts.iter().sum();
        Latencies { calls, p50: percentile(&counts, calls, 50), p99: percentile(&counts, calls, 99) }
    }
}

impl Ring {
    fn new(slot_seconds: u64, slots: usize) -> Ring {
        let slot = || Slot { number: AtomicU64::new(0), counts: std::array::from_fn(|_| AtomicU32::new(0)) };
        Ring { slot_seconds, slots: std::iter::repeat_with(slot).take(slots + 1).collect() }
    }

    fn record(&self, bucket: usize, now: u64) {
        let number = now / self.slot_seconds + 1;
        let slot = &self.slots[usize::try_from(number).unwrap_or(0) % self.slots.len()];
        let known = slot.number.load(Ordering::Relaxed);
        // The first call of a slot's period empties it. Calls at the same instant may be lost, which a percentile
        // bears.
        if known != number && slot.number.compare_exchange(known, number, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            slot.counts.iter().for_each(|count| count.store(0, Ordering::Relaxed));
        }
        slot.counts[bucket].fetch_add(1, Ordering::Relaxed);
    }

    fn add_to(&self, counts: &mut [u64; BUCKETS], now: u64) {
        let (last, period) = (now / self.slot_seconds + 1, self.slots.len() as u64 - 1);
        for slot in &self.slots {
            let number = slot.number.load(Ordering::Relaxed);
            if number != 0 && number <= last && number + period > last {
                for (sum, count) in counts.iter_mut().zip(&slot.counts) {
                    *sum += u64::from(count.load(Ordering::Relaxed));
                }
            }
        }
    }
}

/// The upper end of the bucket in which the percentile lies.
fn percentile(counts: &[u64; BUCKETS], calls: u64, percent: u64) -> Option<Duration> {
    let rank = (calls * percent).div_ceil(100).max(1);
    let mut seen = 0;
    let bucket = counts.iter().position(|count| {
        seen += count;
        seen >= rank
    });
    bucket.map(|bucket| Duration::from_micros(upper_end(bucket)))
}

fn bucket(micros: u64) -> usize {
    if micros < 4 {
        return micros as usize;
    }
    let octave = u64::from(micros.ilog2());
    let quarter = (micros >> (octave - 2)) & 3;
    usize::try_from((octave - 1) * 4 + quarter).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

/// The largest time of a bucket, in microseconds.
fn upper_end(bucket: usize) -> u64 {
    if bucket < 4 {
        return bucket as u64;
    }
    let (octave, quarter) = (bucket / 4 + 1, bucket as u64 % 4);
    ((5 + quarter) << (octave - 2)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_the_bucket_whose_ends_enclose_it() {
        for micros in (0..5_000).chain([10_000, 999_999, 1 << 20, (1 << 24) + 12345]) {
            let bucket = bucket(micros);
            assert!(micros <= upper_end(bucket), "{micros} in {bucket}");
            assert!(bucket == 0 || micros > upper_end(bucket - 1), "{micros} in {bucket}");
            assert!(upper_end(bucket) <= micros + micros / 4, "{micros} in {bucket}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_those_of_the_last_minute_and_the_last_hour() {
        let (recorder, start) = (Recorder::new(), 1_800_000_000);
        assert_eq!(recorder.last_minute(start), Latencies::default());
        for _ in 0..97 {
            recorder.record(Duration::from_micros(100), start);
        }
        for _ in 0..3 {
            recorder.record(Duration::from_millis(10), start);
        }
        let Latencies { calls, p50, p99 } = recorder.last_minute(start + 30);
        let (p50, p99) = (p50.expect("a median"), p99.expect("a percentile"));
        assert_eq!(calls, 100);
        assert!((100..125).contains(&p50.as_micros()), "{p50:?}");
        assert!((10_000..12_500).contains(&p99.as_micros()), "{p99:?}");
        assert_eq!(recorder.last_minute(start + 61).calls, 0);
        assert_eq!(recorder.last_hour(start + 61).calls, 100);
        assert_eq!(recorder.last_hour(start + 3_661).calls, 0);
        // A slot that comes round again is emptied first.
        recorder.record(Duration::from_micros(7), start + 13 * 5);
        assert_eq!(
            recorder.last_minute(start + 13 * 5),
            Latencies { calls: 1, p50: Some(Duration::from_micros(7)), p99: Some(Duration::from_micros(7)) }
        );
    }
}
