//! Where long reads of the state run: not on the threads that answer requests, and only a few at once.

use crate::service::failure::Failure;
use std::sync::LazyLock;
use std::thread::available_parallelism;
use tokio::sync::Semaphore;

/// Half of the processors, so that the other half is there for everybody else.
static PERMITS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, |processors| processors.get().div_ceil(2))));

/// Runs a long read on a thread of its own, once it is its turn.
///
/// # Errors
/// [`Failure::Internal`] when it panics.
pub async fn run<R: Send + 'static>(read: impl FnOnce() -> R + Send + 'static) -> Result<R, Failure> {
    const FAILED: Failure = Failure::Internal("a list could not be read");
    let permit = PERMITS.acquire().await.map_err(|_| FAILED)?;
    let read = tokio::task::spawn_blocking(move || {
        // A read goes on when nobody waits for it any more, and counts until it ends.
        let _permit = permit;
        read()
    });
    read.await.map_err(|_| FAILED)
}
