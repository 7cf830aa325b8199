//! What can go wrong on the way to AWS and back, for whoever has to tell a caller or an operator.
//!
//! AWS's own code and message are kept word for word. No variant can hold a credential, and none may ever be given one.

use std::time::Duration;

pub use super::operation::Operation;

/// Why a call to AWS brought no answer that the caller can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AwsFailure {
    /// AWS answered, and the answer is no. Repeating the call changes nothing until something else changes.
    #[error("{operation} refused by AWS: {code}: {message}")]
    Refused {
        /// The call that was refused.
        operation: Operation,
        /// The HTTP status of the answer.
        status: u16,
        /// AWS's own code, such as `AccessDenied`.
        code: String,
        /// AWS's own message.
        message: String,
    },
    /// AWS kept asking to slow down, to the end of the attempts or of the deadline.
    #[error("{operation} throttled by AWS: {code}: {message}")]
    Throttled {
        /// The call that was throttled.
        operation: Operation,
        /// AWS's own code, such as `RequestLimitExceeded`.
        code: String,
        /// AWS's own message.
        message: String,
    },
    /// AWS answered that the fault is its own (5xx), to the end of the attempts or of the deadline.
    #[error("{operation} failed inside AWS with status {status}: {code}: {message}")]
    Faulty {
        /// The call that failed.
        operation: Operation,
        /// The HTTP status of the last answer.
        status: u16,
        /// AWS's own code, or `Unknown` where it gave none.
        code: String,
        /// AWS's own message, which may be empty.
        message: String,
    },
    /// No answer in time. Whether AWS did anything is unknown.
    #[error("{operation} had no answer from AWS within {} ms", .after.as_millis())]
    Timeout {
        /// The call that had no answer.
        operation: Operation,
        /// How long it was waited for, all attempts together.
        after: Duration,
    },
    /// No connection to the endpoint (name, route, proxy or TLS), or it broke.
    #[error("{operation} did not reach AWS: {reason}")]
    Unreachable {
        /// The call that was to be sent.
        operation: Operation,
        /// What the network or TLS said.
        reason: String,
    },
    /// An answer came that is not what the operation answers with: something other than AWS may be answering.
    #[error("{operation} answered with something that is not AWS's answer: {reason}")]
    Unintelligible {
        /// The call that was answered.
        operation: Operation,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The call makes no sense for these credentials, and was not sent.
    #[error("{operation} was not sent: {reason}")]
    NotSent {
        /// The call that was to be sent.
        operation: Operation,
        /// Why not, and what would help.
        reason: String,
    },
}

impl AwsFailure {
    /// The call that failed.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Refused { operation, .. }
            | Self::Throttled { operation, .. }
            | Self::Faulty { operation, .. }
            | Self::Timeout { operation, .. }
            | Self::Unreachable { operation, .. }
            | Self::Unintelligible { operation, .. }
            | Self::NotSent { operation, .. } => *operation,
        }
    }

    /// AWS's own error code, if AWS answered with one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } | Self::Throttled { code, .. } | Self::Faulty { code, .. } => Some(code),
            Self::Timeout { .. } | Self::Unreachable { .. } | Self::Unintelligible { .. } | Self::NotSent { .. } => {
                None
            }
        }
    }
}
