//! What can go wrong on the way to AWS and back, as callers and operators are told.
//!
//! AWS's own code and message are kept word for word. No variant can hold a credential, and none may ever be given one.

use std::time::Duration;

use super::operation::AwsOperation;

/// Why a call to AWS brought no answer that the caller can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AwsFailure {
    /// AWS answered, and the answer is no. Repeating the call changes nothing until something else changes.
    #[error("{operation} refused by AWS: {code}: {message}")]
    Refused {
        operation: AwsOperation,
        status: u16,
        /// AWS's own code, such as `AccessDenied`.
        code: String,
        message: String,
    },
    /// AWS kept asking to slow down, to the end of the attempts or of the deadline.
    #[error("{operation} throttled by AWS: {code}: {message}")]
    Throttled {
        operation: AwsOperation,
        /// AWS's own code, such as `RequestLimitExceeded`.
        code: String,
        message: String,
    },
    /// AWS answered that the fault is its own (5xx), to the end of the attempts or of the deadline.
    #[error("{operation} failed inside AWS with status {status}: {code}: {message}")]
    Faulty {
        operation: AwsOperation,
        status: u16,
        /// AWS's own code, or `Unknown` where it gave none.
        code: String,
        /// AWS's own message, which may be empty.
        message: String,
    },
    /// No answer in time. Whether AWS did anything is unknown.
    #[error("{operation} had no answer from AWS within {} ms", .after.as_millis())]
    Timeout {
        operation: AwsOperation,
        /// How long it was waited for, all attempts together.
        after: Duration,
    },
    /// No connection to the endpoint (name, route, proxy or TLS), or it broke.
    #[error("{operation} did not reach AWS: {reason}")]
    Unreachable {
        operation: AwsOperation,
        /// What the network or TLS said.
        reason: String,
        /// Whether the call may have arrived; if not, AWS has certainly not done it.
        sent: bool,
    },
    /// An answer came that is not what the operation answers with: something other than AWS may be answering.
    #[error("{operation} answered with something that is not AWS's answer: {reason}")]
    Unintelligible { operation: AwsOperation, reason: String },
    /// The call makes no sense for these credentials, and was not sent.
    #[error("{operation} was not sent: {reason}")]
    NotSent {
        operation: AwsOperation,
        /// Why not, and what would help.
        reason: String,
    },
}

impl AwsFailure {
    pub fn operation(&self) -> AwsOperation {
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

    /// Whether AWS answered with this error code.
    pub fn is(&self, code: &str) -> bool {
        self.code() == Some(code)
    }

    /// Whether there is no such key, alias or region in AWS.
    pub fn is_not_found(&self) -> bool {
        self.is("NotFoundException")
    }

    /// Whether the key's state, which AWS's message names, does not allow the call.
    pub fn is_invalid_state(&self) -> bool {
        self.is("KMSInvalidStateException") || self.is("DisabledException")
    }

    /// Whether what was to be made is there already: an alias, or a replica in that region.
    pub fn is_already_there(&self) -> bool {
        self.is("AlreadyExistsException")
    }

    /// Whether the credentials, or the key's policy, do not allow the call.
    pub fn is_denied(&self) -> bool {
        matches!(self.code(), Some("AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation"))
    }

    /// Whether AWS may have done it all the same. Only looking tells; if not, the call can be made again without harm.
    pub fn may_have_been_done(&self) -> bool {
        match self {
            // It was on the way to another call, which was never sent then.
            failure if failure.operation() == AwsOperation::ASSUME_ROLE => false,
            Self::Refused { .. } | Self::Throttled { .. } | Self::NotSent { .. } => false,
            Self::Unreachable { sent, .. } => *sent,
            Self::Faulty { .. } | Self::Timeout { .. } | Self::Unintelligible { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::call::AwsCall;
    use crate::aws::kms::calls::{CreateAlias, CreateKey};

    #[test]
    fn what_may_have_been_done_is_told_from_what_was_not() {
        let operation = CreateKey::OPERATION;
        let text = String::new;
        let unreachable = |sent| AwsFailure::Unreachable { operation, reason: text(), sent };
        let timeout = |operation| AwsFailure::Timeout { operation, after: Duration::ZERO };
        for (failure, may_have) in [
            (AwsFailure::Refused { operation, status: 400, code: text(), message: text() }, false),
            (AwsFailure::Throttled { operation, code: text(), message: text() }, false),
            (AwsFailure::NotSent { operation, reason: text() }, false),
            (unreachable(false), false),
            (unreachable(true), true),
            (AwsFailure::Faulty { operation, status: 500, code: text(), message: text() }, true),
            (AwsFailure::Unintelligible { operation, reason: text() }, true),
            (timeout(operation), true),
            (timeout(AwsOperation::ASSUME_ROLE), false),
        ] {
            assert_eq!(failure.may_have_been_done(), may_have, "{failure:?}");
        }
    }

    #[test]
    fn awss_codes_have_a_meaning() {
        let refused = |code: &str| AwsFailure::Refused {
            operation: CreateAlias::OPERATION,
            status: 400,
            code: code.to_owned(),
            message: String::new(),
        };
        assert!(refused("NotFoundException").is_not_found());
        assert!(refused("KMSInvalidStateException").is_invalid_state());
        assert!(refused("AlreadyExistsException").is_already_there());
        assert!(refused("AccessDeniedException").is_denied());
        assert!(!refused("ValidationException").is_not_found());
    }
}
