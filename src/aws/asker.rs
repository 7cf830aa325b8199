//! Who asks for the calls of a task, for the witness of calls. A use case names the user or schedule once, around its
//! calls; calls of tasks without a name are the system's own.

use std::sync::Arc;

tokio::task_local! {
    static ASKER: Asker;
}

/// Who asks for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The name of the user or schedule, or `system`.
    pub by: Arc<str>,
    /// The id of the request to us; empty if there is none.
    pub request_id: Arc<str>,
}

impl Asker {
    /// Names who asks for the calls of a future.
    pub async fn around<T>(self, work: impl Future<Output = T>) -> T {
        ASKER.scope(self, work).await
    }

    pub(super) fn current() -> Self {
        ASKER.try_with(Clone::clone).unwrap_or_else(|_| Self { by: "system".into(), request_id: "".into() })
    }
}
