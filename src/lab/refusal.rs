//! The errors of the lab cloud, and their form in each protocol.
//!
//! STS and IAM, EC2, and the JSON services have different codes and statuses for the same refusal. No refusal contains
//! a secret.

use crate::sigv4::SignatureError;

/// The form of a service's errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Query,
    Ec2,
    /// JSON 1.1, as in KMS.
    Json,
    /// JSON with operations as methods and paths.
    RestJson,
}

/// The reason why a request fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    Unsigned,
    /// The signature cannot be parsed. The text is AWS's message.
    SignatureIncomplete(String),
    /// The signature or its scope is wrong. The text is AWS's message.
    SignatureWrong(String),
    /// The time of the signature is too old or in the future. The text is AWS's message.
    SignatureTimeInvalid(String),
    /// The access key or the session token is unknown.
    KeyUnknown,
    SessionExpired,
    /// The caller lacks a permission.
    Denied {
        caller: String,
        /// The action, such as `ec2:DescribeRegions`.
        action: String,
        /// The ARN of the resource, if the service names it.
        resource: Option<String>,
        /// Whether a denial forbids the action, rather than a missing permission.
        explicit: bool,
    },
    /// The role does not trust the caller or does not exist. AWS does not say which.
    RoleDenied {
        caller: String,
        /// The ARN of the role in the request.
        role: String,
    },
    OperationMissing,
    OperationUnknown {
        operation: String,
        /// The version of the API in the request.
        version: String,
    },
    /// A parameter is invalid. The text is AWS's message.
    Invalid(String),
    /// The body is too large.
    TooLarge,
    /// The request is throttled; only as an injected fault.
    Throttled,
    /// The service failed: an injected fault, an error of the disk, or missing randomness.
    Internal,
    /// The service is unavailable; only as an injected fault.
    Unavailable,
    /// A refusal of a specific operation.
    Special {
        status: u16,
        code: &'static str,
        message: String,
    },
}

/// A refusal in the form of a protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS \
    Secret Access Key and signing method. Consult the service documentation for details.";
const TOKEN_INVALID: &str = "The security token included in the request is invalid.";
const TOKEN_EXPIRED: &str = "The security token included in the request is expired";
const NOT_VALIDATED: &str = "AWS was not able to validate the provided access credentials";

impl From<SignatureError> for Refusal {
    fn from(error: SignatureError) -> Refusal {
        match error {
            SignatureError::Missing => Refusal::Unsigned,
            SignatureError::Incomplete(why) => Refusal::SignatureIncomplete(why),
            SignatureError::Wrong(why) => Refusal::SignatureWrong(why),
            SignatureError::Mismatch => Refusal::SignatureWrong(MISMATCH.to_owned()),
            SignatureError::Untimely(why) => Refusal::SignatureTimeInvalid(why),
        }
    }
}

impl Refusal {
    /// Status, code and message in a dialect.
    pub(super) fn row(&self, dialect: Dialect) -> Row {
        let (status, code, message) = match dialect {
            Dialect::Query => self.in_query(),
            Dialect::Ec2 => self.in_ec2(),
            Dialect::Json => self.in_json(),
            Dialect::RestJson => self.in_rest_json(),
        };
        Row { status, code, message }
    }

    fn in_query(&self) -> (u16, &'static str, String) {
        match self {
            Refusal::Unsigned => (403, "MissingAuthenticationToken", "Request is missing Authentication Token".into()),
            Refusal::SignatureIncomplete(why) => (400, "IncompleteSignature", why.clone()),
            Refusal::SignatureWrong(why) | Refusal::SignatureTimeInvalid(why) => {
                (403, "SignatureDoesNotMatch", why.clone())
            }
            Refusal::KeyUnknown => (403, "InvalidClientTokenId", TOKEN_INVALID.into()),
            Refusal::SessionExpired => (403, "ExpiredToken", TOKEN_EXPIRED.into()),
            Refusal::Denied { .. } | Refusal::RoleDenied { .. } => (403, "AccessDenied", self.denial()),
            Refusal::OperationMissing => (400, "MissingAction", "The request must contain the parameter Action".into()),
            Refusal::OperationUnknown { operation, version } => {
                (400, "InvalidAction", format!("Could not find operation {operation} for version {version}"))
            }
            Refusal::Invalid(why) => (400, "ValidationError", why.clone()),
            Refusal::TooLarge => (413, "RequestEntityTooLarge", "The request body is too large".into()),
            Refusal::Throttled => (400, "Throttling", "Rate exceeded".into()),
            Refusal::Internal => (500, "InternalFailure", FAILED.into()),
            Refusal::Unavailable => (503, "ServiceUnavailable", UNAVAILABLE.into()),
            Refusal::Special { status, code, message } => (*status, code, message.clone()),
        }
    }

    fn in_ec2(&self) -> (u16, &'static str, String) {
        match self {
            Refusal::SignatureWrong(why) if why == MISMATCH => (401, "AuthFailure", NOT_VALIDATED.into()),
            Refusal::SignatureWrong(why) => (401, "AuthFailure", why.clone()),
            Refusal::KeyUnknown => (401, "AuthFailure", NOT_VALIDATED.into()),
            Refusal::SignatureTimeInvalid(_) | Refusal::SessionExpired => {
                (400, "RequestExpired", "Request has expired.".into())
            }
            Refusal::Denied { .. } | Refusal::RoleDenied { .. } => {
                let message = format!("You are not authorized to perform this operation. {}", self.denial());
                (403, "UnauthorizedOperation", message)
            }
            Refusal::OperationUnknown { operation, .. } => {
                (400, "InvalidAction", format!("The action {operation} is not valid for this web service."))
            }
            Refusal::Invalid(why) => (400, "InvalidParameterValue", why.clone()),
            Refusal::Throttled => (503, "RequestLimitExceeded", "Request limit exceeded.".into()),
            Refusal::Internal => (500, "InternalError", "An internal error has occurred".into()),
            Refusal::Unavailable => {
                (503, "Unavailable", "The service is unavailable. Please try again shortly.".into())
            }
            Refusal::Unsigned
            | Refusal::SignatureIncomplete(_)
            | Refusal::OperationMissing
            | Refusal::TooLarge
            | Refusal::Special { .. } => self.in_query(),
        }
    }

    fn in_json(&self) -> (u16, &'static str, String) {
        match self {
            Refusal::Unsigned => (400, "MissingAuthenticationTokenException", "Missing Authentication Token".into()),
            Refusal::SignatureIncomplete(why) => (400, "IncompleteSignatureException", why.clone()),
            Refusal::SignatureWrong(why) | Refusal::SignatureTimeInvalid(why) => {
                (400, "InvalidSignatureException", why.clone())
            }
            Refusal::KeyUnknown => (400, "UnrecognizedClientException", TOKEN_INVALID.into()),
            Refusal::SessionExpired => (400, "ExpiredTokenException", TOKEN_EXPIRED.into()),
            Refusal::Denied { .. } | Refusal::RoleDenied { .. } => (400, "AccessDeniedException", self.denial()),
            Refusal::OperationMissing => (404, "UnknownOperationException", String::new()),
            Refusal::OperationUnknown { .. } => (400, "UnknownOperationException", String::new()),
            Refusal::Invalid(why) => (400, "ValidationException", why.clone()),
            Refusal::Throttled => (400, "ThrottlingException", "Rate exceeded".into()),
            Refusal::Internal => (500, "KMSInternalException", FAILED.into()),
            Refusal::Unavailable => (503, "ServiceUnavailableException", UNAVAILABLE.into()),
            Refusal::TooLarge | Refusal::Special { .. } => self.in_query(),
        }
    }

    fn in_rest_json(&self) -> (u16, &'static str, String) {
        match self {
            Refusal::Unsigned => (403, "AccessDeniedException", "Missing Authentication Token".into()),
            Refusal::SignatureIncomplete(why) => (403, "AccessDeniedException", why.clone()),
            Refusal::SignatureWrong(why) if why == MISMATCH => {
                (403, "AccessDeniedException", "Invalid signature".into())
            }
            Refusal::SignatureWrong(why) | Refusal::SignatureTimeInvalid(why) => {
                (403, "AccessDeniedException", why.clone())
            }
            Refusal::Denied { .. } | Refusal::RoleDenied { .. } => (403, "AccessDeniedException", self.denial()),
            Refusal::OperationMissing | Refusal::OperationUnknown { .. } => {
                (404, "UnknownOperationException", String::new())
            }
            Refusal::Throttled => (429, "ThrottlingException", "Rate exceeded".into()),
            Refusal::Internal => (500, "InternalServerException", FAILED.into()),
            Refusal::KeyUnknown
            | Refusal::SessionExpired
            | Refusal::Invalid(_)
            | Refusal::Unavailable
            | Refusal::TooLarge
            | Refusal::Special { .. } => self.in_json(),
        }
    }

    /// IAM's message for a denied action.
    fn denial(&self) -> String {
        match self {
            Refusal::Denied { caller, action, resource, explicit } => {
                let on = resource.as_ref().map(|resource| format!(" on resource: {resource}")).unwrap_or_default();
                let because = if *explicit {
                    "with an explicit deny in an identity-based policy".to_owned()
                } else {
                    format!("because no identity-based policy allows the {action} action")
                };
                format!("User: {caller} is not authorized to perform: {action}{on} {because}")
            }
            Refusal::RoleDenied { caller, role } => {
                format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}")
            }
            _ => String::new(),
        }
    }
}

const FAILED: &str = "The request processing has failed because of an unknown error, exception or failure.";
const UNAVAILABLE: &str = "The request has failed due to a temporary failure of the server.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_has_its_own_code_for_a_refusal() {
        let answers = |refusal: Refusal| {
            [Dialect::Query, Dialect::Ec2, Dialect::Json].map(|dialect| {
                let row = refusal.row(dialect);
                (row.status, row.code)
            })
        };
        assert_eq!(
            answers(Refusal::KeyUnknown),
            [(403, "InvalidClientTokenId"), (401, "AuthFailure"), (400, "UnrecognizedClientException")]
        );
        assert_eq!(
            answers(SignatureError::Mismatch.into()),
            [(403, "SignatureDoesNotMatch"), (401, "AuthFailure"), (400, "InvalidSignatureException")]
        );
        assert_eq!(
            answers(Refusal::SessionExpired),
            [(403, "ExpiredToken"), (400, "RequestExpired"), (400, "ExpiredTokenException")]
        );
        assert_eq!(
            answers(Refusal::Throttled),
            [(400, "Throttling"), (503, "RequestLimitExceeded"), (400, "ThrottlingException")]
        );
    }

    #[test]
    fn a_denial_names_caller_action_and_resource() {
        let refusal = Refusal::Denied {
            caller: "arn:aws:iam::123456789012:user/ann".into(),
            action: "iam:ListUsers".into(),
            resource: Some("arn:aws:iam::123456789012:user/".into()),
            explicit: false,
        };
        assert_eq!(
            refusal.row(Dialect::Query).message,
            "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: iam:ListUsers on resource: \
             arn:aws:iam::123456789012:user/ because no identity-based policy allows the iam:ListUsers action"
        );
    }
}
