//! Our own calls to AWS: the client tells of each that AWS answers, with who asked for it, and the journal keeps them.

use super::caller::{Caller, Change, RequestId};
use crate::aws::asker::Asker;
use crate::aws::witness::{AnsweredCall, CallWitness};
use crate::call_journal::{Asked, Call, CallJournal};
use futures_util::future::BoxFuture;

/// Keeps the request ids of our calls in the journal.
pub struct JournalWitness(pub CallJournal);

impl CallWitness for JournalWitness {
    fn answered(&self, call: AnsweredCall) -> BoxFuture<'_, ()> {
        let AnsweredCall { request_id, is_change, asker, .. } = call;
        let asked = Asked { by: asker.by, request_id: asker.request_id };
        let call = Call { request_id, at_ms: chrono::Utc::now().timestamp_millis(), asked };
        match is_change {
            true => Box::pin(self.0.record_change(call)),
            false => {
                self.0.record_read(call);
                Box::pin(std::future::ready(()))
            }
        }
    }
}

/// Names the one who asks for the calls that follow from a change.
pub(in crate::service) fn asker(change: &Change) -> Asker {
    Asker { by: change.actor.to_string().into(), request_id: change.request_id.as_str().into() }
}

/// Runs the work for a request of the API. [`asked_by`] says who asks for its calls.
pub async fn of_request<T>(work: impl Future<Output = T>) -> T {
    Asker::to_be_named(work).await
}

/// Names the caller of the current request.
pub fn asked_by(caller: &Caller, request: &RequestId) {
    Asker { by: caller.user.name.as_str().into(), request_id: request.as_str().into() }.name();
}

/// Takes the caller of the current request along to another task.
pub fn inherit<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    Asker::inherit(work)
}
