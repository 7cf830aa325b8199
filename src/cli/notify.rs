//! Messages to the service manager: ready, reloading, stopping, alive.
//!
//! Outside systemd all of this does nothing. A message that cannot be sent is logged and never stops the program.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// Reports that the program serves, at the start and after a reload.
pub fn ready(status: &str) {
    send(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Reports that the program reloads its certificate; [`ready`] must follow.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        // systemd 253 and later require the time at which the reload began.
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the service manager was not notified of the reload"),
    }
}

/// Reports that the program accepts no more requests and completes those it has accepted.
pub fn stopping() {
    send(&[NotifyState::Stopping]);
}

/// Extends the service manager's start timeout every [`START_INTERVAL`] until the returned value is dropped, because a
/// long log takes time to read. It must be called within a tokio runtime.
pub fn starting() -> Starting {
    Starting(tokio::spawn(async {
        loop {
            tokio::time::sleep(START_INTERVAL).await;
            extend_start_timeout(START_INTERVAL * 3);
        }
    }))
}

/// The interval between two extensions of the start timeout.
const START_INTERVAL: Duration = Duration::from_secs(10);

/// See [`starting`].
#[must_use]
pub struct Starting(JoinHandle<()>);

impl Drop for Starting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks the service manager to wait for this time from now on.
fn extend_start_timeout(longer: Duration) {
    send(&[NotifyState::ExtendTimeoutUsec(u32::try_from(longer.as_micros()).unwrap_or(u32::MAX))]);
}

/// Notifies the service manager's watchdog twice in each of its timeouts. Returns `None` without a watchdog. It must be
/// called within a tokio runtime, which is what the watchdog watches: a blocked runtime sends no notification. A
/// stopped log is no reason for a restart: reads still work, and on a full disk a new process would not start.
pub fn watch() -> Option<JoinHandle<()>> {
    let limit = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero())?;
    Some(tokio::spawn(async move {
        let mut beat = interval(limit / 2);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            send(&[NotifyState::Watchdog]);
        }
    }))
}

fn send(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, ?state, "the service manager was not notified");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;
    use std::process::{Command, Stdio};

    const PLAY: &str = "NOTIFY_TEST_PLAYS_THE_SERVICE";

    /// Environment variables belong to a process, so this test runs itself in a second process as the service.
    #[test]
    fn the_service_manager_gets_all_messages() {
        if std::env::var_os(PLAY).is_some() {
            return service();
        }
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("bound");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        let mut service = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "cli::notify::tests::the_service_manager_gets_all_messages"])
            .env(PLAY, "1")
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", "100000")
            .env_remove("WATCHDOG_PID")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        while !heard.last().is_some_and(|last: &String| last.starts_with("STOPPING=1")) {
            let length = socket.recv(&mut buffer).expect("a message");
            heard.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
        assert!(service.wait().expect("ended").success());

        assert_eq!(heard[0].trim_end(), "EXTEND_TIMEOUT_USEC=5000000");
        assert_eq!(heard[1].trim_end(), "READY=1\nSTATUS=serving on 127.0.0.1:1");
        let beats = heard.iter().filter(|text| text.trim_end() == "WATCHDOG=1").count();
        assert!((2..=10).contains(&beats), "{heard:?}");
        let reload = heard.iter().find(|text| text.starts_with("RELOADING=1")).expect("it reloads");
        assert!(reload.contains("MONOTONIC_USEC="), "{heard:?}");
    }

    fn service() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build();
        runtime.expect("a runtime").block_on(async {
            extend_start_timeout(Duration::from_secs(5));
            ready("serving on 127.0.0.1:1");
            let watch = watch().expect("there is a watchdog");
            tokio::time::sleep(Duration::from_millis(300)).await;
            reloading();
            stopping();
            watch.abort();
        });
    }
}
