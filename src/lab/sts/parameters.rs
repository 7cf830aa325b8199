//! The parameters of the operations that start sessions.

use crate::lab::constraint::{Constraints, Text};
use crate::lab::refusal::Refusal;
use crate::lab::wire::query::Parameters;

/// AWS's limits for the duration of sessions, in seconds.
pub(super) const MIN_DURATION: i64 = 900;
pub(super) const MAX_ROLE_DURATION: i64 = 43_200;
pub(super) const DEFAULT_ROLE_DURATION: i64 = 3600;

/// Reads and checks the ARN of a role.
///
/// # Errors
/// `ValidationError` if it does not have the form of an ARN: six parts, with a partition, a service and a resource.
pub(super) fn check_role_arn(arn: &str) -> Result<(), Refusal> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, service, _, _, resource]
            if !partition.is_empty() && !service.is_empty() && !resource.is_empty() =>
        {
            Ok(())
        }
        _ => Err(Refusal::Invalid(format!("{arn} is invalid"))),
    }
}

/// Reads the duration of a role's session.
pub(super) fn role_duration(parameters: &Parameters, constraints: &mut Constraints) -> i64 {
    constraints.number(parameters, "DurationSeconds", (MIN_DURATION, MAX_ROLE_DURATION), DEFAULT_ROLE_DURATION)
}

/// Refuses multi-factor authentication, which no user of the lab has.
pub(super) fn refuse_mfa(parameters: &Parameters) -> Result<(), Refusal> {
    match parameters.get("TokenCode").or(parameters.get("SerialNumber")) {
        None => Ok(()),
        Some(_) => Err(super::access_denied(
            "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is \
             valid and associated with this user.",
        )),
    }
}

const NAME_PATTERN: (&str, fn(char) -> bool) = (r"[\w+=,.@-]*", |c| word(c) || "+=,.@-".contains(c));

pub(super) const ROLE_ARN: Text = Text {
    name: "RoleArn",
    required: true,
    length: (20, 2048),
    pattern: (r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+", |c| {
        matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}') || c >= '\u{a0}'
    }),
};
pub(super) const ROLE_SESSION_NAME: Text =
    Text { name: "RoleSessionName", required: true, length: (2, 64), pattern: NAME_PATTERN };
pub(super) const EXTERNAL_ID: Text = Text {
    name: "ExternalId",
    required: false,
    length: (2, 1224),
    pattern: (r"[\w+=,.@:\/-]*", |c| word(c) || "+=,.@:/-".contains(c)),
};
pub(super) const SOURCE_IDENTITY: Text =
    Text { name: "SourceIdentity", required: false, length: (2, 64), pattern: NAME_PATTERN };
/// The name of a federated user.
pub(super) const NAME: Text = Text { name: "Name", required: true, length: (2, 32), pattern: NAME_PATTERN };
pub(super) const WEB_IDENTITY_TOKEN: Text =
    Text { name: "WebIdentityToken", required: true, length: (4, 20_000), pattern: (".*", |_| true) };

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_arn_has_six_parts() {
        for arn in ["arn:aws:iam::123456789012:role/r", "arn:aws:sts::000000000000:role/rd_role", "arn:a:b:::x/y"] {
            assert_eq!(check_role_arn(arn), Ok(()), "{arn}");
        }
        for arn in [
            "nothing-valid-in-here",
            "arn::b:::something/test-role",
            "arn:a::::something/test-role",
            "arn:a:::something/test-role",
            "arn:a:a::aaaaaaaaaa:",
        ] {
            assert_eq!(check_role_arn(arn), Err(Refusal::Invalid(format!("{arn} is invalid"))));
        }
    }
}
