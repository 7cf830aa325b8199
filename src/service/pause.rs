//! The pauses before something that failed is tried again.

use std::time::Duration;

/// The first pause. Each further one is twice as long.
const FIRST: Duration = Duration::from_secs(1);

/// The pause after so many failures in a row: between half and all of the doubled pause, at most the longest.
pub(super) fn pause_after(failures: u32, longest: Duration) -> Duration {
    let mut jitter = [0u8; 1];
    // Without random numbers the pauses are regular, which is harmless.
    let _ = aws_lc_rs::rand::fill(&mut jitter);
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(longest);
    doubled / 2 + (doubled / 2).mul_f64(f64::from(jitter[0]) / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let longest = Duration::from_secs(15 * 60);
        for (failures, least, most) in [(1, 500, 1_000), (2, 1_000, 2_000), (5, 8_000, 16_000), (40, 450_000, 900_000)]
        {
            for _ in 0..20 {
                let pause = pause_after(failures, longest).as_millis();
                assert!((least..=most).contains(&pause), "{failures}: {pause} ms");
            }
        }
    }
}
