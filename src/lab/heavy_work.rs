//! Threads for heavy work: signatures and creation of RSA keys, which take milliseconds to seconds.
//!
//! Other calls must not wait for it. The threads leave a processor free where there are several, and have a lower
//! priority than the threads that serve the other calls.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

/// The amount by which the priority of the threads is lower.
const NICENESS: i32 = 10;

type Job = Box<dyn FnOnce() + Send>;

/// The queue of the threads. They end with it.
#[derive(Debug)]
pub(super) struct HeavyWork(Sender<Job>);

impl HeavyWork {
    /// Starts the threads.
    ///
    /// # Errors
    /// An I/O error if the system allows no more threads.
    pub(super) fn start() -> io::Result<HeavyWork> {
        let (queue, jobs) = channel();
        let jobs = Arc::new(Mutex::new(jobs));
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..processors.saturating_sub(1).max(1) {
            let jobs = Arc::clone(&jobs);
            std::thread::Builder::new().name("lab-heavy-work".to_owned()).spawn(move || perform(&jobs))?;
        }
        Ok(HeavyWork(queue))
    }

    /// Performs a job on one of the threads; `None` if it panics.
    pub(super) async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        // The receiver is gone if the client has disconnected.
        self.0.send(Box::new(move || drop(answer.send(job())))).ok()?;
        answered.await.ok()
    }
}

fn perform(jobs: &Mutex<Receiver<Job>>) {
    // Without the lower priority the work is only less polite.
    let _ = rustix::process::nice(NICENESS);
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // A panic has been reported, and must not end the thread.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_does_not_end_the_threads() {
        let work = HeavyWork::start().expect("threads");
        let failing: fn() -> u8 = || panic!("a job that fails");
        for _ in 0..20 {
            assert_eq!(work.run(failing).await, None);
        }
        assert_eq!(work.run(|| 7).await, Some(7));
    }
}
