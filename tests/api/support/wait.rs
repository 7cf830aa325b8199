//! How long a test waits for what happens in the background.

use std::time::{Duration, Instant};

/// The longest wait.
///
/// On a quiet machine each of these waits takes a few seconds. The time is that long because a busy machine may be many
/// times slower, and because a wait that succeeds costs nothing: only what hangs meets its end.
pub(crate) const TIME: Duration = Duration::from_secs(120);

/// The end of a wait that begins now.
pub(crate) fn deadline() -> Instant {
    Instant::now() + TIME
}
