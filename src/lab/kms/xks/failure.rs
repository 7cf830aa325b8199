//! The failures of calls to a proxy, and what KMS makes of them.

use super::super::exception;
use crate::lab::refusal::Refusal;

/// The failure of a call to a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lab::kms) enum ProxyFailure {
    /// The host is unknown, or the connection is refused or lost.
    Unreachable,
    /// The handshake fails, or the certificate is not trusted.
    Tls,
    /// No answer has come in time.
    TimedOut,
    /// The answer is not that of the specification.
    Malformed,
    /// The proxy has answered with an error.
    Refused(ProxyError),
    /// The health of all external key managers is `UNAVAILABLE`.
    ManagersUnavailable,
    /// The external key is not an enabled AES-256 key that encrypts and decrypts.
    UnfitKey,
    /// The plaintext of the proxy is not what KMS has encrypted.
    WrongPlaintext,
}

macro_rules! proxy_errors {
    ($($error:ident $status:literal $name:literal),* $(,)?) => {
        /// The errors of the specification.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::lab::kms) enum ProxyError {
            $($error),*
        }

        impl ProxyError {
            /// The error with a status and an `errorName`; `None` if the specification has no such pair.
            pub(super) fn named(status: u16, name: &str) -> Option<ProxyError> {
                match (status, name) {
                    $(($status, $name) => Some(ProxyError::$error),)*
                    _ => None,
                }
            }
        }
    };
}

proxy_errors! {
    Validation 400 "ValidationException",
    InvalidState 400 "InvalidStateException",
    InvalidCiphertext 400 "InvalidCiphertextException",
    InvalidKeyUsage 400 "InvalidKeyUsageException",
    AuthenticationFailed 401 "AuthenticationFailedException",
    AccessDenied 403 "AccessDeniedException",
    KeyNotFound 404 "KeyNotFoundException",
    InvalidUriPath 404 "InvalidUriPathException",
    Throttling 429 "ThrottlingException",
    Internal 500 "InternalException",
    UnsupportedOperation 501 "UnsupportedOperationException",
    DependencyTimeout 503 "DependencyTimeoutException",
}

impl ProxyFailure {
    /// The refusal of CreateCustomKeyStore and UpdateCustomKeyStore.
    pub(in crate::lab::kms) fn for_store(self) -> Refusal {
        use ProxyError::*;
        let refuse = match self {
            ProxyFailure::Refused(AuthenticationFailed) => exception::xks_proxy_incorrect_credential,
            ProxyFailure::Refused(InvalidUriPath) => exception::xks_proxy_invalid_configuration,
            ProxyFailure::Refused(UnsupportedOperation) => exception::unsupported,
            ProxyFailure::Refused(Throttling | DependencyTimeout)
            | ProxyFailure::Unreachable
            | ProxyFailure::Tls
            | ProxyFailure::TimedOut
            | ProxyFailure::ManagersUnavailable => exception::xks_proxy_uri_unreachable,
            _ => exception::xks_proxy_invalid_response,
        };
        refuse(self.message())
    }

    /// The refusal of CreateKey.
    pub(in crate::lab::kms) fn for_new_key(self) -> Refusal {
        use ProxyError::*;
        let refuse = match self {
            ProxyFailure::Refused(InvalidState | InvalidKeyUsage) | ProxyFailure::UnfitKey => {
                exception::xks_key_invalid_configuration
            }
            ProxyFailure::Refused(AccessDenied) => exception::invalid_state,
            ProxyFailure::Refused(KeyNotFound) => exception::xks_key_not_found,
            _ => exception::custom_key_store_invalid_state,
        };
        refuse(self.message())
    }

    /// The refusal of a cryptographic operation.
    pub(in crate::lab::kms) fn for_cryptography(self) -> Refusal {
        exception::invalid_state(self.message())
    }

    /// AWS's `ConnectionErrorCode`.
    pub(in crate::lab::kms) fn connection_error(self) -> &'static str {
        use ProxyError::*;
        match self {
            ProxyFailure::Refused(AuthenticationFailed) => "INVALID_CREDENTIALS",
            ProxyFailure::Refused(AccessDenied | InvalidState) => "XKS_PROXY_ACCESS_DENIED",
            ProxyFailure::Refused(InvalidUriPath) => "XKS_PROXY_INVALID_CONFIGURATION",
            ProxyFailure::Tls => "XKS_PROXY_INVALID_TLS_CONFIGURATION",
            ProxyFailure::Refused(Throttling) | ProxyFailure::Unreachable | ProxyFailure::ManagersUnavailable => {
                "XKS_PROXY_NOT_REACHABLE"
            }
            ProxyFailure::Refused(DependencyTimeout) | ProxyFailure::TimedOut => "XKS_PROXY_TIMED_OUT",
            _ => "XKS_PROXY_INVALID_RESPONSE",
        }
    }

    /// AWS's message. The proxy's own message never reaches the caller.
    fn message(self) -> &'static str {
        use ProxyError::*;
        match self {
            ProxyFailure::Malformed | ProxyFailure::Refused(Validation) => {
                "AWS KMS cannot interpret the response from the external key store proxy. If you see this error \
                 repeatedly, report it to your external key store proxy administrator."
            }
            ProxyFailure::Refused(InvalidState) => {
                "The external key associated with this KMS key in an external key store is not enabled in the external \
                 key manager. Enable the external key in the external key manager and retry the request."
            }
            ProxyFailure::Refused(InvalidCiphertext) => {
                "The external key store proxy rejected the request because the specified ciphertext or encryption \
                 context is corrupted, missing, or otherwise invalid."
            }
            ProxyFailure::WrongPlaintext => {
                "The ciphertext that the external key store proxy submitted for decryption, or the encryption context, \
                 is corrupted, missing, or otherwise invalid."
            }
            ProxyFailure::Refused(InvalidKeyUsage) => {
                "The external key associated with this KMS key in an external key store does not support the requested \
                 operation. Enable the operation on the key in your external key manager, and try the request again."
            }
            ProxyFailure::UnfitKey => {
                "The external key did not meet the configuration requirements for an external key store. The external \
                 key must be an AES-256 symmetric key that is enabled and performs encryption and decryption."
            }
            ProxyFailure::Refused(AuthenticationFailed) => {
                "The external key store proxy rejected the request because it could not authenticate AWS KMS. Verify \
                 the XKS proxy authentication credentials for your external key store and update if necessary."
            }
            ProxyFailure::Refused(AccessDenied) => {
                "The external key store proxy denied access to the operation. Verify that the user and the external \
                 key are both authorized for this operation, and try the request again."
            }
            ProxyFailure::Refused(KeyNotFound) => {
                "The external key associated with this KMS key in an external key store was not found in its external \
                 key manager. If the external key ID associated with this KMS key is incorrect, create a new KMS key \
                 with the correct external key ID."
            }
            ProxyFailure::Refused(InvalidUriPath) => {
                "The external key store proxy rejected the request because of an invalid URI path. Verify the URI path \
                 for your external key store and update if necessary."
            }
            ProxyFailure::Refused(UnsupportedOperation) => {
                "The external key store proxy rejected the request because it does not support the requested \
                 operation. If you see this error repeatedly, report it to your external key store proxy administrator."
            }
            ProxyFailure::Refused(DependencyTimeout) => {
                "The external key store proxy did not respond to the request in the time allotted. Retry the request. \
                 If you see this error repeatedly, report it to your external key store proxy administrator."
            }
            ProxyFailure::Refused(Throttling) => {
                "The external key store proxy rejected the request due to a very high request rate. Reduce the \
                 frequency of your calls using KMS keys in this external key store."
            }
            ProxyFailure::Refused(Internal) => {
                "The external key store proxy rejected the request because it cannot communicate with the external key \
                 manager. Verify that the external key store proxy configuration is correct and that the external key \
                 manager is available."
            }
            ProxyFailure::ManagersUnavailable => {
                "The external key store proxy reports that all external key managers are unavailable."
            }
            ProxyFailure::Unreachable => {
                "AWS KMS cannot communicate with the external key store proxy. This might be a transient network \
                 issue. If you see this error repeatedly, verify that your external key store proxy is active and is \
                 connected to the network, and that its endpoint URI is correct in your external key store."
            }
            ProxyFailure::Tls => {
                "AWS KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS \
                 configuration, including its certificate."
            }
            ProxyFailure::TimedOut => {
                "AWS KMS rejected the request because the external key store proxy did not respond in time. Retry the \
                 request. If you see this error repeatedly, report it to your external key store proxy administrator."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes of CreateCustomKeyStore, CreateKey and Decrypt, and the `ConnectionErrorCode`.
    fn row(failure: ProxyFailure) -> [&'static str; 4] {
        let code = |refusal: Refusal| match refusal {
            Refusal::Special { code, .. } => code,
            other => panic!("{other:?}"),
        };
        let (store, key) = (code(failure.for_store()), code(failure.for_new_key()));
        [store, key, code(failure.for_cryptography()), failure.connection_error()]
    }

    #[test]
    fn each_failure_has_the_refusals_of_the_specification() {
        const STATE: &str = "KMSInvalidStateException";
        const STORE: &str = "CustomKeyStoreInvalidStateException";
        const UNFIT: &str = "XksKeyInvalidConfigurationException";
        const UNREACHABLE: &str = "XksProxyUriUnreachableException";
        const RESPONSE: &str = "XksProxyInvalidResponseException";
        let refused = |status, name| ProxyError::named(status, name).map(ProxyFailure::Refused).expect("a known error");
        let rows = [
            (refused(400, "ValidationException"), [RESPONSE, STORE, STATE, "XKS_PROXY_INVALID_RESPONSE"]),
            (ProxyFailure::Malformed, [RESPONSE, STORE, STATE, "XKS_PROXY_INVALID_RESPONSE"]),
            (refused(500, "InternalException"), [RESPONSE, STORE, STATE, "XKS_PROXY_INVALID_RESPONSE"]),
            (refused(400, "InvalidStateException"), [RESPONSE, UNFIT, STATE, "XKS_PROXY_ACCESS_DENIED"]),
            (refused(400, "InvalidKeyUsageException"), [RESPONSE, UNFIT, STATE, "XKS_PROXY_INVALID_RESPONSE"]),
            (ProxyFailure::UnfitKey, [RESPONSE, UNFIT, STATE, "XKS_PROXY_INVALID_RESPONSE"]),
            (
                refused(401, "AuthenticationFailedException"),
                ["XksProxyIncorrectAuthenticationCredentialException", STORE, STATE, "INVALID_CREDENTIALS"],
            ),
            (refused(403, "AccessDeniedException"), [RESPONSE, STATE, STATE, "XKS_PROXY_ACCESS_DENIED"]),
            (
                refused(404, "KeyNotFoundException"),
                [RESPONSE, "XksKeyNotFoundException", STATE, "XKS_PROXY_INVALID_RESPONSE"],
            ),
            (
                refused(404, "InvalidUriPathException"),
                ["XksProxyInvalidConfigurationException", STORE, STATE, "XKS_PROXY_INVALID_CONFIGURATION"],
            ),
            (refused(429, "ThrottlingException"), [UNREACHABLE, STORE, STATE, "XKS_PROXY_NOT_REACHABLE"]),
            (refused(503, "DependencyTimeoutException"), [UNREACHABLE, STORE, STATE, "XKS_PROXY_TIMED_OUT"]),
            (
                refused(501, "UnsupportedOperationException"),
                ["UnsupportedOperationException", STORE, STATE, "XKS_PROXY_INVALID_RESPONSE"],
            ),
            (ProxyFailure::Unreachable, [UNREACHABLE, STORE, STATE, "XKS_PROXY_NOT_REACHABLE"]),
            (ProxyFailure::Tls, [UNREACHABLE, STORE, STATE, "XKS_PROXY_INVALID_TLS_CONFIGURATION"]),
            (ProxyFailure::TimedOut, [UNREACHABLE, STORE, STATE, "XKS_PROXY_TIMED_OUT"]),
            (ProxyFailure::ManagersUnavailable, [UNREACHABLE, STORE, STATE, "XKS_PROXY_NOT_REACHABLE"]),
        ];
        for (failure, expected) in rows {
            assert_eq!(row(failure), expected, "{failure:?}");
        }
        assert_eq!(ProxyError::named(401, "ValidationException"), None);
        assert_eq!(ProxyError::named(400, "NoSuchException"), None);
    }
}
