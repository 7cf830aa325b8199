//! Runs the reads of the rows of reports. A read can go through a whole file, for seconds, so that these have permits of
//! their own: lists do not wait for them.

use crate::service::failure::Failure;
use crate::service::list::pool;
use std::sync::LazyLock;
use tokio::sync::Semaphore;

/// The most reads at a time.
const READS_MAX: usize = 2;

static PERMITS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(pool::half_of_the_processors().min(READS_MAX)));

/// Runs a read of rows on a separate thread, after waiting for a permit.
///
/// # Errors
/// [`Failure::Internal`] when it panics.
pub async fn run<R: Send + 'static>(read: impl FnOnce() -> R + Send + 'static) -> Result<R, Failure> {
    pool::run_with(&PERMITS, read).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn a_list_is_read_while_all_reads_of_reports_wait() {
        let (ends, waiting): (Vec<_>, Vec<_>) = (0..4)
            .map(|_| {
                let (end, ended) = mpsc::channel::<()>();
                (end, tokio::spawn(run(move || ended.recv().is_err())))
            })
            .unzip();
        assert_eq!(pool::run(|| 7).await.expect("it is read"), 7);
        drop(ends);
        for read in waiting {
            assert!(read.await.expect("no panic").expect("it is read"));
        }
    }
}
