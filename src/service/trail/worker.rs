//! A thread of the lowest priority for the work of reports: it reads megabytes of JSON, and every request goes first.

use super::super::failure::Failure;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

type Job = Box<dyn FnOnce() + Send>;

/// The jobs that wait. Whoever submits one awaits it, so that there are few.
const QUEUE: usize = 64;

/// The thread. Clones share it; it ends with the last one.
#[derive(Clone)]
pub(in crate::service) struct Worker(Arc<mpsc::Sender<Job>>);

impl Worker {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(in crate::service) fn start() -> Result<Self, Failure> {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        let work = move || {
            // On Linux this is the priority of this thread only.
            if let Err(error) = rustix::process::setpriority_process(None, 19) {
                tracing::debug!(%error, "the thread for reports keeps the default priority");
            }
            while let Some(job) = queue.blocking_recv() {
                job();
            }
        };
        let thread = std::thread::Builder::new().name("reports".to_owned()).spawn(work);
        thread.map_err(|_| Failure::Internal("there is no thread for reports"))?;
        Ok(Self(Arc::new(jobs)))
    }

    /// Runs a job. It begins even if nobody polls the future.
    pub(in crate::service) fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> BoxFuture<'static, Result<T, Failure>> {
        const FAILED: Failure = Failure::Internal("the thread for reports has failed");
        let (done, result) = oneshot::channel();
        let job: Job = Box::new(move || {
            // A panic must not end the thread; the job's receiver sees that there is no result.
            let job = std::panic::AssertUnwindSafe(job);
            if let Ok(value) = std::panic::catch_unwind(job) {
                let _ = done.send(value);
            }
        });
        let jobs = self.0.clone();
        let submitted = match jobs.try_send(job) {
            Ok(()) => None,
            Err(mpsc::error::TrySendError::Full(job) | mpsc::error::TrySendError::Closed(job)) => Some(job),
        };
        Box::pin(async move {
            if let Some(job) = submitted {
                jobs.send(job).await.map_err(|_| FAILED)?;
            }
            result.await.map_err(|_| FAILED)
        })
    }
}
