//! Printing of figures and targets, median and percentiles.

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

pub(crate) fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() * percent / 100).copied().unwrap_or(f64::NAN)
}

/// Prints a figure without a target.
pub(crate) fn figure(what: &str, value: f64, digits: usize) {
    println!("{what:<72}{value:>12.digits$}");
}

/// Prints a figure that must be at least `target`.
pub(crate) fn at_least(what: &str, value: f64, target: f64) {
    verdict(what, value, &format!("at least {target}"), value >= target);
}

/// Prints a figure that must be at most `target`.
pub(crate) fn at_most(what: &str, value: f64, target: f64) {
    verdict(what, value, &format!("at most {target}"), value <= target);
}

fn verdict(what: &str, value: f64, target: &str, met: bool) {
    let digits = if value < 100.0 { 2 } else { 0 };
    println!("{what:<72}{value:>12.digits$}   target: {target}: {}", if met { "met" } else { "MISSED" });
}
