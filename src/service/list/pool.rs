//! Runs long reads of the state on separate threads, a few at a time, so that they do not block other requests.

use crate::service::failure::Failure;
use std::sync::LazyLock;
use std::thread::available_parallelism;
use tokio::sync::Semaphore;

/// One read per two processors; the others stay free for other requests.
static PERMITS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(half_of_the_processors()));

/// Runs a long read of the state on a separate thread, after waiting for a permit.
///
/// # Errors
/// [`Failure::Internal`] when it panics.
pub async fn run<R: Send + 'static>(read: impl FnOnce() -> R + Send + 'static) -> Result<R, Failure> {
    run_with(&PERMITS, read).await
}

/// Runs a long read on a separate thread, after waiting for one of these permits.
///
/// # Errors
/// [`Failure::Internal`] when it panics.
pub(in crate::service) async fn run_with<R: Send + 'static>(
    permits: &'static Semaphore,
    read: impl FnOnce() -> R + Send + 'static,
) -> Result<R, Failure> {
    const FAILED: Failure = Failure::Internal("a list could not be read");
    let permit = permits.acquire().await.map_err(|_| FAILED)?;
    let read = tokio::task::spawn_blocking(move || {
        // A read continues if its request is cancelled, so it holds the permit until it ends.
        let _permit = permit;
        read()
    });
    read.await.map_err(|_| FAILED)
}

/// The number of reads at a time that leaves half of the processors to other requests.
pub(in crate::service) fn half_of_the_processors() -> usize {
    available_parallelism().map_or(1, |processors| processors.get().div_ceil(2))
}
