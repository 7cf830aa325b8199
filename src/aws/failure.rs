//! The error of a call to AWS, for callers and operators.
//!
//! AWS's error code and message are kept unchanged. No variant may hold a credential.

use std::time::Duration;

use super::operation::AwsOperation;

/// The reason why a call to AWS failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AwsFailure {
    /// AWS refused the call. A repetition fails too, until something else changes.
    #[error("{operation} refused by AWS: {code}: {message}")]
    Refused {
        operation: AwsOperation,
        status: u16,
        /// AWS's own code, such as `AccessDenied`.
        code: String,
        message: String,
    },
    /// AWS throttled the call until the attempts or the time ran out.
    #[error("{operation} throttled by AWS: {code}: {message}")]
    Throttled {
        operation: AwsOperation,
        /// AWS's own code, such as `RequestLimitExceeded`.
        code: String,
        message: String,
    },
    /// AWS answered with an internal error (5xx) until the attempts or the time ran out.
    #[error("{operation} failed inside AWS with status {status}: {code}: {message}")]
    Faulty {
        operation: AwsOperation,
        status: u16,
        /// AWS's error code, or `Unknown` if AWS gave none.
        code: String,
        /// AWS's message, which may be empty.
        message: String,
    },
    /// AWS did not answer in time. Whether AWS executed the call is unknown.
    #[error("{operation} had no answer from AWS within {} ms", .after.as_millis())]
    Timeout {
        operation: AwsOperation,
        /// The duration of all attempts together.
        after: Duration,
    },
    /// The connection to the endpoint failed (name, route, proxy or TLS) or was lost.
    #[error("{operation} did not reach AWS: {reason}")]
    Unreachable {
        operation: AwsOperation,
        /// The error of the network or of TLS.
        reason: String,
        /// Whether the call may have arrived. If `false`, AWS did not execute it.
        sent: bool,
    },
    /// The answer does not have the form of the operation's answer: it may not come from AWS.
    #[error("{operation} returned an invalid answer: {reason}")]
    Unintelligible { operation: AwsOperation, reason: String },
    /// The call was not sent, because the credentials or the parameters do not allow it.
    #[error("{operation} was not sent: {reason}")]
    NotSent {
        operation: AwsOperation,
        /// The cause, and the remedy if there is one.
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

    /// AWS's error code, if AWS answered with one.
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

    /// Whether the key, alias, custom key store or region does not exist in AWS.
    pub fn is_not_found(&self) -> bool {
        self.is("NotFoundException") || self.is("CustomKeyStoreNotFoundException")
    }

    /// Whether the state of the key does not allow the call. AWS's message names the state.
    pub fn is_invalid_state(&self) -> bool {
        self.is("KMSInvalidStateException") || self.is("DisabledException")
    }

    /// Whether the alias, or the replica in that region, exists already.
    pub fn is_already_there(&self) -> bool {
        self.is("AlreadyExistsException")
    }

    /// Whether IAM or the key's policy does not allow the call.
    pub fn is_denied(&self) -> bool {
        matches!(self.code(), Some("AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation"))
    }

    /// Whether AWS may have executed the call despite the failure. If `true`, only a read at AWS tells; if `false`, the
    /// call can be repeated safely.
    pub fn may_have_been_done(&self) -> bool {
        match self {
            // These precede the actual call, which was not sent.
            failure if [AwsOperation::ASSUME_ROLE, AwsOperation::CREATE_SESSION].contains(&failure.operation()) => {
                false
            }
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
    fn failures_say_whether_aws_may_have_executed_the_call() {
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
            (timeout(AwsOperation::CREATE_SESSION), false),
        ] {
            assert_eq!(failure.may_have_been_done(), may_have, "{failure:?}");
        }
    }

    #[test]
    fn error_codes_of_aws_are_classified() {
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
