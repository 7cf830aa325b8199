//! The errors of the XKS proxy API.

use std::borrow::Cow;

/// The name of an error, as AWS's specification lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorName {
    Validation,
    InvalidState,
    InvalidCiphertext,
    InvalidKeyUsage,
    AuthenticationFailed,
    AccessDenied,
    KeyNotFound,
    InvalidUriPath,
    Throttling,
    UnsupportedOperation,
    DependencyTimeout,
    Internal,
}

impl ErrorName {
    pub const ALL: [ErrorName; 12] = [
        ErrorName::Validation,
        ErrorName::InvalidState,
        ErrorName::InvalidCiphertext,
        ErrorName::InvalidKeyUsage,
        ErrorName::AuthenticationFailed,
        ErrorName::AccessDenied,
        ErrorName::KeyNotFound,
        ErrorName::InvalidUriPath,
        ErrorName::Throttling,
        ErrorName::UnsupportedOperation,
        ErrorName::DependencyTimeout,
        ErrorName::Internal,
    ];

    /// The `errorName` of an answer.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The HTTP status of an answer.
    pub fn status(self) -> u16 {
        self.row().0
    }

    fn row(self) -> (u16, &'static str) {
        match self {
            ErrorName::Validation => (400, "ValidationException"),
            ErrorName::InvalidState => (400, "InvalidStateException"),
            ErrorName::InvalidCiphertext => (400, "InvalidCiphertextException"),
            ErrorName::InvalidKeyUsage => (400, "InvalidKeyUsageException"),
            ErrorName::AuthenticationFailed => (401, "AuthenticationFailedException"),
            ErrorName::AccessDenied => (403, "AccessDeniedException"),
            ErrorName::KeyNotFound => (404, "KeyNotFoundException"),
            ErrorName::InvalidUriPath => (404, "InvalidUriPathException"),
            ErrorName::Throttling => (429, "ThrottlingException"),
            ErrorName::UnsupportedOperation => (501, "UnsupportedOperationException"),
            ErrorName::DependencyTimeout => (503, "DependencyTimeoutException"),
            ErrorName::Internal => (500, "InternalException"),
        }
    }
}

/// A refused call. The message goes to AWS, which writes it into the logs of the key's account: it never has a part of
/// the request, and only printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub error: ErrorName,
    pub message: Cow<'static, str>,
    /// The caller rule that did not admit the call, such as `key store: principals`.
    pub rule: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(error: ErrorName, message: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal { error, message: message.into(), rule: None }
    }

    pub(super) fn validation(message: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal::new(ErrorName::Validation, message)
    }

    /// The body of the answer.
    pub(super) fn body(&self) -> String {
        format!(r#"{{"errorName":"{}","errorMessage":"{}"}}"#, self.error.name(), self.message)
    }
}
