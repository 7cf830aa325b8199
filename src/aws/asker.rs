//! Who asks for the calls of a task, for the witness of calls. A use case names the user or schedule once, around its
//! calls; a request of the API has a place for the name, which is known once its token is read. Calls of tasks without a
//! name are the system's own.

use std::sync::{Arc, OnceLock};

tokio::task_local! {
    static ASKER: Arc<OnceLock<Asker>>;
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
        ASKER.scope(Arc::new(OnceLock::from(self)), work).await
    }

    /// Makes a place for the name of who asks for the calls of a future.
    pub async fn to_be_named<T>(work: impl Future<Output = T>) -> T {
        ASKER.scope(Arc::default(), work).await
    }

    /// Names who asks for the calls of the current task, if it has a place for the name without one.
    pub fn name(self) {
        let _ = ASKER.try_with(|place| place.set(self));
    }

    /// Takes the name, or the place for it, of the current task along to another one.
    pub fn inherit<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
        ASKER.scope(ASKER.try_with(Clone::clone).unwrap_or_default(), work)
    }

    pub(super) fn current() -> Self {
        let named = ASKER.try_with(|place| place.get().cloned()).ok().flatten();
        named.unwrap_or_else(|| Self { by: "system".into(), request_id: "".into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asker(by: &str) -> Asker {
        Asker { by: by.into(), request_id: "r".into() }
    }

    #[tokio::test]
    async fn a_name_that_is_known_later_is_that_of_all_tasks_of_a_request() {
        Asker::to_be_named(async {
            let other = tokio::spawn(Asker::inherit(async {
                tokio::task::yield_now().await;
                Asker::current()
            }));
            assert_eq!(&*Asker::current().by, "system");
            asker("ann").name();
            asker("bob").name();
            assert_eq!(Asker::current(), asker("ann"));
            assert_eq!(other.await.expect("no panic"), asker("ann"));
            assert_eq!(asker("job").around(async { Asker::current() }).await, asker("job"));
        })
        .await;
        asker("ann").name();
        assert_eq!(&*Asker::current().by, "system");
    }
}
