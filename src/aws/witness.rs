//! The port to whoever keeps the request ids of our calls: with them an event of CloudTrail is recognised as our own.

use futures_util::future::BoxFuture;

use super::asker::Asker;
use super::operation::AwsOperation;

/// A call that AWS has answered, with a success or an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredCall {
    pub operation: AwsOperation,
    /// The id that AWS gave the call, as CloudTrail shows it.
    pub request_id: String,
    /// Whether the call may have changed something at AWS KMS.
    pub is_change: bool,
    pub asker: Asker,
}

/// Learns of each answered call before the caller does.
pub trait CallWitness: Send + Sync + 'static {
    /// Takes note of a call. The answer waits for this, so only for a change may it take long.
    fn answered(&self, call: AnsweredCall) -> BoxFuture<'_, ()>;
}

/// Keeps nothing.
pub struct NoWitness;

impl CallWitness for NoWitness {
    fn answered(&self, _: AnsweredCall) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
