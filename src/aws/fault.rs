//! The error of one attempt at a call. `transport` creates it, `retry` decides by it, and it becomes an [`AwsFailure`].
//!
//! The texts of a fault come from the network. This module truncates them, and removes control characters and
//! credentials.

use std::time::Duration;

use zeroize::Zeroizing;

use super::failure::AwsFailure;
use super::operation::AwsOperation;
use super::xml::Element;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// AWS answered with an error.
    Answered { status: u16, code: String, message: String },
    /// The connection failed before anything was sent.
    NotConnected(String),
    /// The certificate of the server is not trusted. Nothing was sent.
    Untrusted(String),
    /// The connection was lost. The call may have arrived.
    ConnectionLost(String),
    /// The complete answer did not arrive in time.
    TimedOut,
    /// The answer does not have the form of an answer of AWS.
    Unintelligible(String),
    /// The call cannot be expressed as an HTTP request.
    Unsendable(String),
}

/// The condition under which a call may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryPolicy {
    /// The call only reads.
    ReadOnly,
    /// The call is idempotent.
    Idempotent,
    /// The call may be sent again only if AWS did certainly not execute it.
    IfNotExecuted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Forms in requests, XML in answers: STS, IAM, EC2.
    Query,
    Json,
}

impl Fault {
    /// Reads the error answer of a service. `header` is the header `x-amzn-errortype` of the answer.
    pub(super) fn of_error(protocol: Protocol, status: u16, header: Option<&str>, body: &[u8]) -> Self {
        match protocol {
            Protocol::Query => Self::of_query_answer(status, body),
            Protocol::Json => Self::of_json_answer(status, header, body),
        }
    }

    /// Reads the error answer of a service with the JSON protocol. The code may have a namespace in front and a URL
    /// behind it (`com.amazonaws.kms#NotFoundException:http://…`).
    fn of_json_answer(status: u16, header: Option<&str>, body: &[u8]) -> Self {
        let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let part = |names: [&str; 2]| names.into_iter().find_map(|name| body.get(name)?.as_str());
        let code = header.or_else(|| part(["__type", "code"])).unwrap_or_default();
        let code = code.split(':').next().unwrap_or_default().rsplit('#').next().unwrap_or_default();
        Self::of_answer(status, code, part(["message", "Message"]).unwrap_or_default())
    }

    /// Reads the error answer of a service with the query protocol: `ErrorResponse/Error` (STS, IAM) or
    /// `Response/Errors/Error` (EC2).
    pub(super) fn of_query_answer(status: u16, body: &[u8]) -> Self {
        let root = Element::parse(body).unwrap_or_default();
        let error = root.child("Error").or_else(|| root.child("Errors").and_then(|errors| errors.child("Error")));
        let part = |name| error.and_then(|error| error.child_text(name)).unwrap_or_default();
        Self::of_answer(status, part("Code"), part("Message"))
    }

    /// The fault of an answer that is no success, with AWS's code and message if the answer has any.
    pub(super) fn of_answer(status: u16, code: &str, message: &str) -> Self {
        match (code, status) {
            ("", 429 | 500..) => Self::Answered { status, code: "Unknown".to_owned(), message: sanitize(message) },
            ("", 407) => Self::NotConnected("the proxy asks for a user and a password, or refuses them".to_owned()),
            ("", 300..=399) => Self::Unintelligible(format!("a redirection (status {status}), which AWS never sends")),
            ("", _) => Self::Unintelligible(format!("status {status} without an AWS error code")),
            _ => Self::Answered { status, code: sanitize(code), message: sanitize(message) },
        }
    }

    /// Whether another attempt may succeed and is safe.
    pub(super) fn is_retryable(&self, policy: RetryPolicy) -> bool {
        match self {
            Self::NotConnected(_) => true,
            Self::Answered { .. } if self.is_throttling() => true,
            Self::Answered { status, code, .. } => {
                let transient = matches!(status, 500 | 502..) || TRANSIENT.contains(&code.as_str());
                transient && policy != RetryPolicy::IfNotExecuted
            }
            Self::ConnectionLost(_) | Self::TimedOut => policy != RetryPolicy::IfNotExecuted,
            Self::Untrusted(_) | Self::Unintelligible(_) | Self::Unsendable(_) => false,
        }
    }

    /// Combines the fault of the last attempt with that of an earlier attempt that may have arrived. AWS may have
    /// executed the earlier attempt even if it refuses the last one.
    pub(super) fn after(self, earlier: Self, policy: RetryPolicy) -> Self {
        match self {
            Self::NotConnected(reason) | Self::Untrusted(reason) => Self::ConnectionLost(reason),
            fault if policy == RetryPolicy::ReadOnly || fault.may_have_arrived() => fault,
            _ => earlier,
        }
    }

    /// Whether AWS may have executed the call.
    pub(super) fn may_have_arrived(&self) -> bool {
        match self {
            Self::Answered { status, .. } => *status >= 500 && !self.is_throttling(),
            Self::ConnectionLost(_) | Self::TimedOut | Self::Unintelligible(_) => true,
            Self::NotConnected(_) | Self::Untrusted(_) | Self::Unsendable(_) => false,
        }
    }

    /// Whether AWS throttled the call. A throttled call has not been executed.
    fn is_throttling(&self) -> bool {
        matches!(self, Self::Answered { status, code, .. } if *status == 429 || THROTTLING.contains(&code.as_str()))
    }

    /// Converts the fault to the error for the caller. `after` is the duration of all attempts.
    pub(super) fn into_failure(self, operation: AwsOperation, after: Duration) -> AwsFailure {
        let throttling = self.is_throttling();
        match self {
            Self::Answered { code, message, .. } if throttling => AwsFailure::Throttled { operation, code, message },
            Self::Answered { status: status @ 500.., code, message } => {
                AwsFailure::Faulty { operation, status, code, message }
            }
            Self::Answered { status, code, message } => AwsFailure::Refused { operation, status, code, message },
            Self::NotConnected(reason) | Self::Untrusted(reason) => {
                AwsFailure::Unreachable { operation, reason, sent: false }
            }
            Self::ConnectionLost(reason) => AwsFailure::Unreachable { operation, reason, sent: true },
            Self::TimedOut => AwsFailure::Timeout { operation, after },
            Self::Unintelligible(reason) => AwsFailure::Unintelligible { operation, reason },
            Self::Unsendable(reason) => AwsFailure::NotSent { operation, reason },
        }
    }

    /// Replaces every secret in the texts.
    pub(super) fn redacted(self, redactor: &Redactor) -> Self {
        match self {
            Self::Answered { status, code, message } => {
                Self::Answered { status, code: redactor.redact(code), message: redactor.redact(message) }
            }
            Self::NotConnected(reason) => Self::NotConnected(redactor.redact(reason)),
            Self::Untrusted(reason) => Self::Untrusted(redactor.redact(reason)),
            Self::ConnectionLost(reason) => Self::ConnectionLost(redactor.redact(reason)),
            Self::Unintelligible(reason) => Self::Unintelligible(redactor.redact(reason)),
            Self::Unsendable(reason) => Self::Unsendable(redactor.redact(reason)),
            Self::TimedOut => Self::TimedOut,
        }
    }
}

/// The throttling codes of AWS's services. `LimitExceededException` is not one of them: it reports a quota.
const THROTTLING: [&str; 10] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "SlowDown",
];

/// The codes of transient errors with a 4xx status.
const TRANSIENT: [&str; 2] = ["RequestTimeout", "RequestTimeoutException"];

/// Makes a text from the network fit for one line of a log: it replaces control characters and truncates the text.
pub(super) fn sanitize(text: &str) -> String {
    const LONGEST: usize = 1_000;
    let mut sanitized: String =
        text.trim().chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.trim().chars().nth(LONGEST).is_some() {
        sanitized.push('…');
    }
    sanitized
}

/// Removes the secrets of a call from texts. AWS quotes a session token when it explains why a signature does not
/// match.
#[derive(Clone, Default)]
pub(super) struct Redactor(Vec<Zeroizing<String>>);

impl Redactor {
    /// AWS has no shorter secrets, and the replacement of shorter texts would garble messages.
    const SHORTEST: usize = 6;

    pub(super) fn hide(&mut self, secret: &str) {
        if secret.len() >= Self::SHORTEST {
            self.0.push(Zeroizing::new(secret.to_owned()));
        }
    }

    /// Replaces the secrets in a text.
    pub(super) fn redact(&self, mut text: String) -> String {
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), "[hidden]");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, code: &str) -> Fault {
        Fault::Answered { status, code: code.to_owned(), message: "said so".to_owned() }
    }

    #[test]
    fn both_shapes_of_query_errors_are_read() {
        let sts = b"<ErrorResponse xmlns='x'><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>said so</Message></Error></ErrorResponse>";
        assert_eq!(Fault::of_query_answer(403, sts), answered(403, "AccessDenied"));
        let ec2 =
            b"<Response><Errors><Error><Code>AuthFailure</Code><Message>said so</Message></Error></Errors></Response>";
        assert_eq!(Fault::of_query_answer(401, ec2), answered(401, "AuthFailure"));
    }

    #[test]
    fn json_errors_are_read_from_body_and_header() {
        let body = br#"{"__type":"com.amazonaws.kms#NotFoundException","message":"said so"}"#;
        assert_eq!(Fault::of_error(Protocol::Json, 400, None, body), answered(400, "NotFoundException"));
        let body = br#"{"Message":"said so"}"#;
        let header = Some("AccessDeniedException:http://internal.amazon.com/coral/");
        assert_eq!(Fault::of_error(Protocol::Json, 400, header, body), answered(400, "AccessDeniedException"));
        assert!(matches!(Fault::of_error(Protocol::Json, 403, None, b"<html/>"), Fault::Unintelligible(_)));
        assert!(matches!(Fault::of_error(Protocol::Json, 503, None, b""), Fault::Answered { status: 503, .. }));
    }

    #[test]
    fn an_answer_without_a_code_is_not_from_aws_unless_its_status_is_5xx() {
        assert!(matches!(Fault::of_query_answer(403, b"<html>Blocked</html>"), Fault::Unintelligible(_)));
        assert!(matches!(Fault::of_query_answer(302, b""), Fault::Unintelligible(_)));
        assert!(matches!(Fault::of_query_answer(407, b""), Fault::NotConnected(_)));
        assert!(matches!(Fault::of_query_answer(503, b"busy"), Fault::Answered { status: 503, .. }));
    }

    #[test]
    fn only_transient_faults_are_repeated_and_a_change_only_if_it_was_not_executed() {
        use RetryPolicy::{Idempotent, IfNotExecuted};
        let reason = || "r".to_owned();
        for (fault, idempotent, if_not_executed) in [
            (answered(400, "Throttling"), true, true),
            (answered(503, "RequestLimitExceeded"), true, true),
            (answered(429, "Unknown"), true, true),
            (answered(500, "InternalFailure"), true, false),
            (answered(503, "ServiceUnavailable"), true, false),
            (answered(501, "NotImplemented"), false, false),
            (answered(400, "RequestTimeout"), true, false),
            (answered(400, "LimitExceededException"), false, false),
            (answered(403, "AccessDenied"), false, false),
            (Fault::NotConnected(reason()), true, true),
            (Fault::Untrusted(reason()), false, false),
            (Fault::ConnectionLost(reason()), true, false),
            (Fault::TimedOut, true, false),
            (Fault::Unintelligible(reason()), false, false),
            (Fault::Unsendable(reason()), false, false),
        ] {
            assert_eq!(fault.is_retryable(Idempotent), idempotent, "{fault:?}");
            assert_eq!(fault.is_retryable(IfNotExecuted), if_not_executed, "{fault:?}");
        }
    }

    #[test]
    fn a_refusal_does_not_hide_an_earlier_attempt_that_may_have_arrived() {
        let (earlier, refused) = (|| answered(500, "InternalFailure"), || answered(403, "AccessDenied"));
        assert_eq!(refused().after(earlier(), RetryPolicy::Idempotent), earlier());
        assert_eq!(answered(400, "Throttling").after(earlier(), RetryPolicy::Idempotent), earlier());
        assert_eq!(refused().after(earlier(), RetryPolicy::ReadOnly), refused(), "nothing was to be done");
        assert_eq!(Fault::TimedOut.after(earlier(), RetryPolicy::Idempotent), Fault::TimedOut);
    }

    #[test]
    fn secrets_are_replaced_in_every_text() {
        let mut redactor = Redactor::default();
        redactor.hide("wJalrXUtnFEMI");
        redactor.hide("ab");
        let fault = Fault::of_answer(403, "SignatureDoesNotMatch", "token:wJalrXUtnFEMI\nab");
        let shown = format!("{:?}", fault.redacted(&redactor));
        assert!(shown.contains("token:[hidden] ab"), "{shown}");
    }

    #[test]
    fn a_long_message_is_cut() {
        assert_eq!(sanitize(&"x".repeat(5_000)).chars().count(), 1_001);
    }
}
