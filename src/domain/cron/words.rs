//! A cron expression in plain English: "every day at 09:00", "every 15 minutes on Monday to Friday".

use super::{Cron, has};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// So many times of a day are listed; more are described by their minutes and hours.
const TIMES_MAX: usize = 6;

impl Cron {
    /// Says when the expression is due, in words. Times are in UTC.
    pub fn words(&self) -> String {
        let days = self.days_in_words();
        match (self.times_in_words(), days) {
            (Times::At(times), Some(days)) => format!("{days} at {times}"),
            (Times::At(times), None) => format!("every day at {times}"),
            (Times::Often(often), Some(days)) => format!("{often}, {days}"),
            (Times::Often(often), None) => often,
        }
    }

    fn times_in_words(&self) -> Times {
        let (minutes, hours) = (members(self.minutes, 0, 59), members(self.hours, 0, 23));
        if minutes.len() * hours.len() <= TIMES_MAX {
            let times =
                hours.iter().flat_map(|hour| minutes.iter().map(move |minute| format!("{hour:02}:{minute:02}")));
            return Times::At(listed(&times.collect::<Vec<_>>()));
        }
        let often = match (step(&minutes, 60), minutes.as_slice()) {
            (Some(1), _) => "every minute".to_owned(),
            (Some(step), _) => format!("every {step} minutes"),
            (None, [0]) => String::new(),
            (None, [1]) => "1 minute past the hour".to_owned(),
            (None, minutes) => format!("{} minutes past the hour", listed(&texts(minutes))),
        };
        let in_hours = match (step(&hours, 24), hours.as_slice()) {
            (Some(1), _) if often.is_empty() => "every hour".to_owned(),
            (Some(1), _) => String::new(),
            (Some(step), _) => format!("every {step} hours"),
            (None, [first, .., last]) if is_run(&hours) && often.is_empty() => {
                format!("every hour from {first:02}:00 to {last:02}:00")
            }
            (None, [first, .., last]) if is_run(&hours) => format!("from {first:02}:00 to {last:02}:59"),
            (None, hours) => {
                let hours: Vec<String> = hours.iter().map(|hour| format!("{hour:02}")).collect();
                match often.is_empty() {
                    true => format!("on the hour, in hours {}", listed(&hours)),
                    false => format!("in hours {}", listed(&hours)),
                }
            }
        };
        let parts: Vec<String> = [often, in_hours].into_iter().filter(|part| !part.is_empty()).collect();
        Times::Often(parts.join(", "))
    }

    /// `None` for every day.
    fn days_in_words(&self) -> Option<String> {
        let (days, weekdays) = (members(self.days, 1, 31), members(self.weekdays, 0, 6));
        let of_month = (days.len() < 31).then(|| match step(&days, 31) {
            // From the first day on, so the step begins anew with each month.
            Some(step) => format!("every {step} days from day 1"),
            None if is_run(&days) && days.len() > 2 => {
                format!("on days {} to {}", days[0], days[days.len() - 1])
            }
            None if days.len() == 1 => format!("on day {}", days[0]),
            None => format!("on days {}", listed(&texts(&days))),
        });
        let of_week = (weekdays.len() < 7).then(|| {
            let name = |day: &u32| WEEKDAYS[*day as usize % 7].to_owned();
            match is_run(&weekdays) && weekdays.len() > 2 {
                true => format!("{} to {}", name(&weekdays[0]), name(&weekdays[weekdays.len() - 1])),
                false => listed(&weekdays.iter().map(name).collect::<Vec<_>>()),
            }
        });
        let months = members(self.months, 1, 12);
        let in_months = (months.len() < 12).then(|| {
            let name = |month: &u32| MONTHS[(*month as usize - 1) % 12].to_owned();
            match is_run(&months) && months.len() > 2 {
                true => format!("{} to {}", name(&months[0]), name(&months[months.len() - 1])),
                false => listed(&months.iter().map(name).collect::<Vec<_>>()),
            }
        });
        // Without months, a day of the month comes in each of them.
        let each = if in_months.is_none() { " of every month" } else { "" };
        let days = match (of_month, of_week) {
            (Some(month), Some(week)) if self.either_day => Some(format!("{month}{each} and every {week}")),
            (Some(month), Some(week)) => Some(format!("{month}{each} that is a {week}")),
            (Some(month), None) => Some(format!("{month}{each}")),
            (None, Some(week)) => Some(format!("every {week}")),
            (None, None) => None,
        };
        match (days, in_months) {
            (Some(days), Some(months)) => Some(format!("{days}, in {months}")),
            (Some(days), None) => Some(days),
            (None, Some(months)) => Some(format!("every day in {months}")),
            (None, None) => None,
        }
    }
}

enum Times {
    /// Some times of the day.
    At(String),
    /// A repetition during the day.
    Often(String),
}

fn members(set: u64, least: u32, greatest: u32) -> Vec<u32> {
    (least..=greatest).filter(|number| has(set, *number)).collect()
}

/// The step of numbers that begin with the first one of the field and divide it evenly, or nearly so.
fn step(numbers: &[u32], count: u32) -> Option<u32> {
    let [first, second, ..] = numbers else { return None };
    let (step, least) = (second - first, if count == 31 { 1 } else { 0 });
    let even = numbers.windows(2).all(|pair| pair[1] - pair[0] == step);
    let whole = numbers.last().is_some_and(|last| last + step >= count + least);
    (even && whole && *first == least && (count == 31 || count.is_multiple_of(step))).then_some(step)
}

/// Whether the numbers follow each other without a gap.
fn is_run(numbers: &[u32]) -> bool {
    numbers.len() > 1 && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1)
}

fn texts(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(ToString::to_string).collect()
}

/// `a`, `a and b`, `a, b and c`.
fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_said_in_words() {
        for (text, words) in [
            ("* * * * *", "every minute"),
            ("*/15 * * * *", "every 15 minutes"),
            ("0 * * * *", "every hour"),
            ("30 * * * *", "30 minutes past the hour"),
            ("0 */6 * * *", "every day at 00:00, 06:00, 12:00 and 18:00"),
            ("0 */2 * * *", "every 2 hours"),
            ("0 9 * * *", "every day at 09:00"),
            ("0 9 * * sat", "every Saturday at 09:00"),
            ("0 9,17 * * 1-5", "every Monday to Friday at 09:00 and 17:00"),
            ("*/5 8-18 * * mon-fri", "every 5 minutes, from 08:00 to 18:59, every Monday to Friday"),
            ("0 8-18 * * *", "every hour from 08:00 to 18:00"),
            ("30 4 1,15 * *", "on days 1 and 15 of every month at 04:30"),
            ("0 0 1 * *", "on day 1 of every month at 00:00"),
            ("0 0 13 * fri", "on day 13 of every month and every Friday at 00:00"),
            ("0 0 */2 * fri", "every 2 days from day 1 of every month that is a Friday at 00:00"),
            ("0 3 1 jan,jul *", "on day 1, in January and July at 03:00"),
            ("0 3 * 6-8 *", "every day in June to August at 03:00"),
            ("0 2 29 2 *", "on day 29, in February at 02:00"),
        ] {
            assert_eq!(Cron::parse(text).map(|cron| cron.words()), Ok(words.to_owned()), "{text}");
        }
    }
}
