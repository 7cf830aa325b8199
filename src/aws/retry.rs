//! Deadlines and retries.
//!
//! Exponential backoff with full jitter: the pause after attempt n is a random part of `base * 2^(n - 1)`, and never
//! longer than `cap`. No attempt starts after the deadline.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::fault::{Fault, RetryPolicy};

/// The time limit of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    started: Instant,
    at: Instant,
}

impl Deadline {
    pub(super) fn after(time: Duration) -> Self {
        let started = Instant::now();
        Self { started, at: started + time }
    }

    /// The time since the start.
    pub(super) fn elapsed(self) -> Duration {
        self.started.elapsed()
    }

    /// Awaits a future until the deadline; `None` if it did not complete.
    pub(super) async fn limit<T>(self, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout_at(self.at, work).await.ok()
    }

    fn ends_within(self, pause: Duration) -> bool {
        Instant::now() + pause >= self.at
    }
}

/// The number of attempts and the pauses between them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retry {
    /// The largest number of attempts.
    pub(super) max_attempts: u32,
    /// The longest pause before the second attempt.
    pub(super) base: Duration,
    /// The longest pause before any attempt.
    pub(super) cap: Duration,
}

impl Retry {
    /// Up to `max_attempts` attempts, with pauses that suit AWS's throttling.
    pub(super) fn up_to(max_attempts: u32) -> Self {
        Self { max_attempts, base: Duration::from_millis(200), cap: Duration::from_secs(5) }
    }

    /// Makes attempts until one succeeds, or the fault is permanent, or attempts or time run out.
    pub(super) async fn run<T, F, A>(&self, deadline: Deadline, policy: RetryPolicy, mut attempt: A) -> Result<T, Fault>
    where
        A: FnMut() -> F,
        F: Future<Output = Result<T, Fault>>,
    {
        let mut made = 0;
        let mut arrived: Option<Fault> = None;
        loop {
            let fault = match deadline.limit(attempt()).await {
                Some(Ok(answer)) => return Ok(answer),
                Some(Err(fault)) => fault,
                None => return Err(Fault::TimedOut),
            };
            made += 1;
            let pause = self.pause(made);
            if made >= self.max_attempts || !fault.is_retryable(policy) || deadline.ends_within(pause) {
                return Err(match arrived {
                    Some(earlier) => fault.after(earlier, policy),
                    None => fault,
                });
            }
            if fault.may_have_arrived() {
                arrived = Some(fault.clone());
            }
            tracing::debug!(attempt = made, pause_ms = pause.as_millis(), ?fault, "the call is retried");
            tokio::time::sleep(pause).await;
        }
    }

    /// Full jitter: callers that were throttled together do not retry together.
    fn pause(&self, made: u32) -> Duration {
        let longest = self.base.saturating_mul(1 << (made - 1).min(16)).min(self.cap);
        let mut random = [0; 4];
        match aws_lc_rs::rand::fill(&mut random) {
            Ok(()) => longest.mul_f64(f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX)),
            Err(_) => longest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Retry = Retry { max_attempts: 4, base: Duration::from_millis(2), cap: Duration::from_millis(10) };

    fn throttled() -> Fault {
        Fault::of_answer(400, "Throttling", "Rate exceeded")
    }

    async fn run(retry: Retry, deadline: Duration, outcomes: Vec<Result<u8, Fault>>) -> (Result<u8, Fault>, usize) {
        let total = outcomes.len();
        let mut left = outcomes.into_iter();
        let outcome = retry
            .run(Deadline::after(deadline), RetryPolicy::Idempotent, || {
                std::future::ready(left.next().expect("an outcome is left"))
            })
            .await;
        (outcome, total - left.len())
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn attempts_end_with_the_first_success() {
        let outcomes = vec![Err(throttled()), Err(Fault::NotConnected("x".to_owned())), Ok(7), Ok(8)];
        assert_eq!(run(QUICK, LONG, outcomes).await, (Ok(7), 3));
    }

    #[tokio::test]
    async fn attempts_are_bounded_and_the_last_fault_is_returned() {
        let outcomes = (0..9).map(|_| Err(throttled())).collect();
        assert_eq!(run(QUICK, LONG, outcomes).await, (Err(throttled()), 4));
    }

    #[tokio::test]
    async fn a_call_that_may_have_arrived_is_never_reported_as_not_sent() {
        let (broken, unconnected) = (|| Fault::ConnectionLost("b".to_owned()), || Fault::NotConnected("n".to_owned()));
        let outcomes = vec![Err(unconnected()), Err(broken()), Err(unconnected()), Err(unconnected())];
        assert_eq!(run(QUICK, LONG, outcomes).await, (Err(Fault::ConnectionLost("n".to_owned())), 4));
        let outcomes = (0..4).map(|_| Err(unconnected())).collect();
        assert_eq!(run(QUICK, LONG, outcomes).await, (Err(unconnected()), 4));
    }

    #[tokio::test]
    async fn a_refusal_is_not_repeated() {
        let refused = Fault::of_answer(403, "AccessDenied", "no");
        assert_eq!(run(QUICK, LONG, vec![Err(refused.clone()), Ok(1)]).await, (Err(refused), 1));
    }

    #[tokio::test]
    async fn no_pause_goes_beyond_the_deadline() {
        let slow = Retry { max_attempts: 1_000, base: Duration::from_secs(60), cap: Duration::from_secs(60) };
        let started = Instant::now();
        // A random part of a minute is shorter than 20 ms once in 3000 times; the deadline ends the attempts then.
        let (outcome, made) =
            run(slow, Duration::from_millis(20), (0..1_000).map(|_| Err(throttled())).collect()).await;
        assert!(outcome.is_err() && made <= 3, "{made}");
        assert!(started.elapsed() < Duration::from_secs(1));
    }

    #[tokio::test]
    async fn a_hanging_attempt_ends_at_the_deadline() {
        let deadline = Deadline::after(Duration::from_millis(30));
        let outcome = QUICK.run(deadline, RetryPolicy::Idempotent, std::future::pending::<Result<(), Fault>>).await;
        assert_eq!(outcome, Err(Fault::TimedOut));
        assert!(deadline.elapsed() < Duration::from_secs(1));
    }

    #[test]
    fn pauses_grow_to_the_cap_and_no_further() {
        let retry = Retry { max_attempts: 9, base: Duration::from_millis(100), cap: Duration::from_millis(350) };
        for made in [1, 2, 3, 9, 40, u32::MAX] {
            let longest = Duration::from_millis(100 << (made - 1).min(2)).min(retry.cap);
            let longest_seen = (0..200).map(|_| retry.pause(made)).max().unwrap_or_default();
            assert!(longest_seen <= longest && longest_seen > longest / 2, "{made}: {longest_seen:?}");
        }
    }
}
