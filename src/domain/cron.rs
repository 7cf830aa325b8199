//! Cron expressions, by which schedules are due. An expression has five fields (minute, hour, day of the month, month,
//! day of the week), in UTC.
//!
//! A field is `*` (or `?`, which means the same), a number, a name (`jan` to `dec`, `sun` to `sat`), a range `a-b`, any
//! of these with a step `/n`, or a comma-separated list of them. Sunday is 0 or 7. If both days are restricted, a day
//! that matches either is due, as in crontab(5).

mod words;

use super::time::Time;
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Timelike, Utc};
use std::fmt;
use std::sync::Arc;

/// A cron expression that matches some day.
#[derive(Clone)]
pub struct Cron {
    text: Arc<str>,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Both kinds of days are restricted, so a day that matches either is due.
    either_day: bool,
}

/// The reason why a text is not a cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    #[error(
        "a cron expression has five fields (minute, hour, day of the month, month, day of the week), such as `0 9 * * sat`; this one has {0}"
    )]
    Fields(usize),
    /// A part of a field that cannot be read.
    #[error("`{part}` is not a valid {field}: {}", expected(.least, .greatest))]
    Part {
        field: &'static str,
        part: String,
        /// The smallest number that the field accepts.
        least: u32,
        /// The largest number that the field accepts.
        greatest: u32,
    },
    /// A day that no year has.
    #[error("`{0}` never comes due: there is no such day")]
    Never(String),
}

fn expected(least: &u32, greatest: &u32) -> String {
    format!(
        "`*`, a number from {least} to {greatest}, a range, a step such as `*/2`, or a comma-separated list of these"
    )
}

/// The numbers and names that a field accepts.
struct Field {
    name: &'static str,
    least: u32,
    greatest: u32,
    names: &'static [&'static str],
}

const MINUTE: Field = Field { name: "minute", least: 0, greatest: 59, names: &[] };
const HOUR: Field = Field { name: "hour", least: 0, greatest: 23, names: &[] };
const DAY: Field = Field { name: "day of the month", least: 1, greatest: 31, names: &[] };
const MONTH: Field = Field { name: "month", least: 1, greatest: 12, names: &MONTHS };
/// Seven is Sunday too.
const WEEKDAY: Field = Field { name: "day of the week", least: 0, greatest: 7, names: &WEEKDAYS };

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The longest gap between two days that match: 29 February on one day of the week, across a century year without one.
const YEARS: u64 = 41;

impl Cron {
    /// Parses an expression of five fields.
    ///
    /// # Errors
    /// When there are not five fields, one of them is invalid, or no day matches.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else { return Err(CronError::Fields(fields.len())) };
        let weekdays = WEEKDAY.read(weekday)?;
        let cron = Self {
            text: fields.join(" ").into(),
            minutes: MINUTE.read(minute)?,
            hours: HOUR.read(hour)?,
            days: DAY.read(day)?,
            months: MONTH.read(month)?,
            weekdays: (weekdays | weekdays >> 7) & 0x7f,
            either_day: !is_any(day) && !is_any(weekday),
        };
        // From 29 February 2000 on, every combination of days occurs within `YEARS` years.
        let start = Time::from_nanos(951_782_400_000_000_000);
        match cron.next_after(start) {
            Some(_) => Ok(cron),
            None => Err(CronError::Never(cron.text.to_string())),
        }
    }

    /// Returns the first moment after this one that matches; `None` if there is none within 41 years.
    pub fn next_after(&self, moment: Time) -> Option<Time> {
        let from = moment.calendar();
        let mut day = from.date_naive();
        let end = day.checked_add_days(Days::new(YEARS * 366))?;
        let mut earliest = from.hour() * 60 + from.minute() + 1;
        while day < end {
            if !has(self.months, day.month()) {
                day = day.with_day(1)?.checked_add_months(Months::new(1))?;
                earliest = 0;
                continue;
            }
            if self.has_day(day)
                && let Some(minute) = self.minute_of_day(earliest)
            {
                let due: DateTime<Utc> = day.and_hms_opt(minute / 60, minute % 60, 0)?.and_utc();
                return Some(Time::of(due));
            }
            earliest = 0;
            day = day.succ_opt()?;
        }
        None
    }

    /// Returns up to so many moments after this one that match, up to an end.
    pub fn next_runs(&self, after: Time, end: Option<Time>, count: usize) -> Vec<Time> {
        let mut last = after;
        let next = || {
            last = self.next_after(last).filter(|due| end.is_none_or(|end| *due <= end))?;
            Some(last)
        };
        std::iter::from_fn(next).take(count).collect()
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a day of one of the months matches.
    fn has_day(&self, day: NaiveDate) -> bool {
        let of_month = has(self.days, day.day());
        let of_week = has(self.weekdays, day.weekday().num_days_from_sunday());
        if self.either_day { of_month || of_week } else { of_month && of_week }
    }

    /// Returns the first minute of a day that matches, from this one on.
    fn minute_of_day(&self, earliest: u32) -> Option<u32> {
        let first = |hour: u32, from: u32| {
            let minutes = self.minutes & u64::MAX << from;
            (minutes != 0).then(|| hour * 60 + minutes.trailing_zeros())
        };
        let mut hours = (earliest / 60..24).filter(|hour| has(self.hours, *hour));
        hours.find_map(|hour| first(hour, if hour == earliest / 60 { earliest % 60 } else { 0 }))
    }
}

/// Whether a field begins with a sign for all its numbers.
fn is_any(field: &str) -> bool {
    field.starts_with(['*', '?'])
}

fn has(set: u64, number: u32) -> bool {
    set >> number & 1 == 1
}

impl Field {
    /// Parses a field into a set of numbers, one bit each.
    fn read(&self, text: &str) -> Result<u64, CronError> {
        let mut set = 0;
        for part in text.split(',') {
            let numbers = self.part(part).ok_or_else(|| CronError::Part {
                field: self.name,
                part: part.chars().take(40).collect(),
                least: self.least,
                greatest: self.greatest,
            })?;
            set |= numbers;
        }
        Ok(set)
    }

    fn part(&self, part: &str) -> Option<u64> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(number(step).filter(|step| *step > 0)?)),
            None => (part, None),
        };
        let (first, last) = match (range, range.split_once('-')) {
            ("*" | "?", _) => (self.least, self.greatest),
            (_, Some((first, last))) => (self.one(first)?, self.one(last)?),
            // `5/15` starts at five and has no end, as in most crons.
            (one, None) => (self.one(one)?, if step.is_some() { self.greatest } else { self.one(one)? }),
        };
        if first > last {
            return None;
        }
        let step = usize::try_from(step.unwrap_or(1)).ok()?;
        Some((first..=last).step_by(step).fold(0, |set, number| set | 1 << number))
    }

    fn one(&self, text: &str) -> Option<u32> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let one = match named {
            Some(at) => self.least + u32::try_from(at).ok()?,
            None => number(text)?,
        };
        (self.least..=self.greatest).contains(&one).then_some(one)
    }
}

fn number(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Cron {}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cron({})", self.text)
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        Time::of(DateTime::parse_from_rfc3339(text).expect("a moment").to_utc())
    }

    fn next(cron: &str, after: &str) -> String {
        let cron = Cron::parse(cron).unwrap_or_else(|problem| panic!("{cron}: {problem}"));
        cron.next_after(time(after)).expect("it comes due").to_string()
    }

    /// 2026-01-01 is a Thursday.
    #[test]
    fn it_is_due_when_its_fields_say() {
        for (cron, after, due) in [
            ("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"),
            ("* * * * *", "2026-01-01T00:00:59.999Z", "2026-01-01T00:01:00Z"),
            ("0 9 ? * sat", "2026-01-01T00:00:00Z", "2026-01-03T09:00:00Z"),
            ("0 0 13 * ?", "2026-01-01T00:00:00Z", "2026-01-13T00:00:00Z"),
            ("?/15 ? ? ? ?", "2026-01-01T23:50:00Z", "2026-01-02T00:00:00Z"),
            ("*/15 * * * *", "2026-01-01T23:50:00Z", "2026-01-02T00:00:00Z"),
            ("5/20 * * * *", "2026-01-01T00:25:00Z", "2026-01-01T00:45:00Z"),
            ("0 9 * * sat", "2026-01-01T00:00:00Z", "2026-01-03T09:00:00Z"),
            ("45 23 * * 6", "2026-01-03T23:45:00Z", "2026-01-10T23:45:00Z"),
            ("0 0 * * 7", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"),
            ("0 0 * * Mon-Fri", "2026-01-02T00:00:00Z", "2026-01-05T00:00:00Z"),
            ("0 0 * * 5-7", "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z"),
            ("30 4 1,15 * *", "2026-01-01T04:30:00Z", "2026-01-15T04:30:00Z"),
            ("0 0 31 * *", "2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z"),
            ("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("0 0 29 feb *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),
            ("0 0 1 JAN *", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("10-20/5 8-9 * * *", "2026-01-01T08:20:00Z", "2026-01-01T09:10:00Z"),
            ("  0   12  *  * * ", "2026-01-01T11:59:00Z", "2026-01-01T12:00:00Z"),
        ] {
            assert_eq!(next(cron, after), due, "{cron} after {after}");
        }
    }

    #[test]
    fn where_both_days_are_restricted_either_will_do() {
        assert_eq!(next("0 0 13 * fri", "2026-01-01T00:00:00Z"), "2026-01-02T00:00:00Z");
        assert_eq!(next("0 0 13 * fri", "2026-01-09T00:00:00Z"), "2026-01-13T00:00:00Z");
        assert_eq!(next("0 0 */2 * fri", "2026-01-02T00:00:00Z"), "2026-01-09T00:00:00Z");
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        for (text, said) in [
            ("", "this one has 0"),
            ("* * * *", "this one has 4"),
            ("0 * * * * *", "this one has 6"),
            ("@daily", "this one has 1"),
            ("60 * * * *", "`60` is not a valid minute"),
            ("* 24 * * *", "`24` is not a valid hour"),
            ("* * 0 * *", "`0` is not a valid day of the month: `*`, a number from 1 to 31"),
            ("* * * 13 *", "`13` is not a valid month"),
            ("* * * * 8", "`8` is not a valid day of the week"),
            ("* * * * lundi", "`lundi` is not a valid day of the week"),
            ("*/0 * * * *", "`*/0` is not a valid minute"),
            ("5-1 * * * *", "`5-1` is not a valid minute"),
            ("1, * * * *", "`` is not a valid minute"),
            ("-1 * * * *", "`-1` is not a valid minute"),
            ("+1 * * * *", "`+1` is not a valid minute"),
            ("* * L * *", "`L` is not a valid day of the month"),
            ("0 0 30 2 *", "`0 0 30 2 *` never comes due"),
            ("0 0 31 4,6,9,11 *", "never comes due"),
        ] {
            let problem = Cron::parse(text).err().unwrap_or_else(|| panic!("{text} is taken")).to_string();
            assert!(problem.contains(said), "{text}: {problem}");
        }
    }
}
