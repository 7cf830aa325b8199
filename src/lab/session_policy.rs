//! The policies of a session: they restrict what the session may do of what its user or role may do.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::constraint::Constraints;
use super::plan::LabPlan;
use super::refusal::Refusal;
use super::session_tag::SessionTag;
use super::wire::query::Parameters;
use crate::policy::Policy;

/// AWS's limits: for the policy of a request, for the number of ARNs, and for all policies together, in characters.
const MAX_POLICY: usize = 2048;
const MAX_ARNS: usize = 10;

/// The policies of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SessionPolicies {
    /// The policy of the request.
    inline: Option<String>,
    /// The ARNs of policies of the plan.
    managed: Vec<String>,
}

impl SessionPolicies {
    /// Reads `Policy` and `PolicyArns`; `None` if the request has neither.
    pub(super) fn read(parameters: &Parameters, constraints: &mut Constraints) -> Option<SessionPolicies> {
        let inline = parameters.get("Policy").map(str::to_owned);
        if let Some(text) = &inline {
            let length = text.chars().count();
            if length > MAX_POLICY {
                let constraint = format!("Member must have length less than or equal to {MAX_POLICY}");
                constraints.violated("Policy", text, &constraint);
            }
            if length == 0 {
                constraints.violated("Policy", text, "Member must have length greater than or equal to 1");
            }
        }
        let entries = parameters.entries("PolicyArns.member");
        let managed: Vec<String> = entries.iter().map(|entry| entry.get("arn").copied().unwrap_or("").into()).collect();
        if managed.len() > MAX_ARNS {
            let constraint = format!("Member must have length less than or equal to {MAX_ARNS}");
            constraints.violated("PolicyArns", "[policies]", &constraint);
        }
        (inline.is_some() || !managed.is_empty()).then_some(SessionPolicies { inline, managed })
    }

    /// Checks the policies for a session of an account.
    ///
    /// # Errors
    /// `MalformedPolicyDocument` for a text that is not a policy; `ValidationError` for an ARN that is not a policy of
    /// the account.
    pub(super) fn check(&self, plan: &LabPlan, account: &str) -> Result<(), Refusal> {
        if let Some(text) = &self.inline {
            if serde_json::from_str::<Map<String, Value>>(text).is_err() {
                return Err(malformed("The policy is not in the valid JSON format."));
            }
            Policy::of_identity(text).map_err(|_| malformed("Syntax errors in policy."))?;
        }
        match self.managed.iter().find(|arn| plan.managed_policy(account, arn).is_none()) {
            Some(arn) => Err(Refusal::Invalid(format!("The policy {arn} does not exist or is not attachable."))),
            None => Ok(()),
        }
    }

    /// The policies in a form that KMS evaluates, with their conditions. What cannot be read allows nothing.
    pub(super) fn policies(&self, plan: &LabPlan, account: &str) -> Vec<Policy> {
        let inline = self.inline.iter().map(|text| Policy::of_identity(text).unwrap_or_else(|_| Policy::empty()));
        let managed = self.managed.iter().filter_map(|arn| plan.managed_policy(account, arn));
        inline.chain(managed.map(|one| one.permissions.policy())).collect()
    }
}

/// The packed size of policies and tags, in percent of AWS's limit; `None` if the request has neither. AWS does not
/// publish how it packs them: the lab takes the characters without whitespace of the policy, of the ARNs and of the
/// tags, against the 2048 characters that AWS allows for policies.
///
/// # Errors
/// `PackedPolicyTooLarge`.
pub(super) fn packed_size(policies: Option<&SessionPolicies>, tags: &[SessionTag]) -> Result<Option<i64>, Refusal> {
    if policies.is_none() && tags.is_empty() {
        return Ok(None);
    }
    let texts = policies.into_iter().flat_map(|policies| policies.inline.iter().chain(&policies.managed));
    let of_policies: usize = texts.map(|text| text.chars().filter(|c| !c.is_whitespace()).count()).sum();
    let of_tags: usize = tags.iter().map(|tag| tag.key.chars().count() + tag.value.chars().count()).sum();
    let percent = (100 * (of_policies + of_tags)).div_ceil(MAX_POLICY);
    if percent > 100 {
        let message = match policies {
            Some(_) => format!("Packed policy consumes {percent}% of allotted space, please use smaller policy."),
            None => format!("Packed size of session tags consumes {percent}% of allotted space."),
        };
        return Err(Refusal::Special { status: 400, code: "PackedPolicyTooLarge", message });
    }
    Ok(Some(i64::try_from(percent).unwrap_or(100)))
}

fn malformed(message: &str) -> Refusal {
    Refusal::Special { status: 400, code: "MalformedPolicyDocument", message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inline(text: &str) -> SessionPolicies {
        SessionPolicies { inline: Some(text.to_owned()), managed: Vec::new() }
    }

    #[test]
    fn texts_that_are_no_policies_are_refused() {
        for (text, part) in [
            ("x", "not in the valid JSON format"),
            ("[]", "not in the valid JSON format"),
            ("{}", "Syntax errors in policy."),
            (r#"{"Version": "2020-01-01", "Statement": []}"#, "Syntax errors in policy."),
            (r#"{"Statement": [{"Effect": "allow", "Action": "*", "Resource": "*"}]}"#, "Syntax errors in policy."),
            (r#"{"Statement": [{"Effect": "Allow", "Action": "*"}]}"#, "Syntax errors in policy."),
            (
                r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}"#,
                "Syntax errors in policy.",
            ),
        ] {
            let Err(Refusal::Special { status: 400, code: "MalformedPolicyDocument", message }) =
                inline(text).check(&LabPlan::built_in(), "123456789012")
            else {
                panic!("{text} is not refused")
            };
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn the_packed_size_is_a_percentage_with_a_limit() {
        let tag = |length: usize| SessionTag { key: "k".to_owned(), value: "v".repeat(length), transitive: false };
        assert_eq!(packed_size(None, &[]), Ok(None));
        assert_eq!(packed_size(None, &[tag(255)]), Ok(Some(13)));
        assert_eq!(packed_size(Some(&inline(r#"{"Statement": []}"#)), &[]), Ok(Some(1)));
        let many: Vec<SessionTag> = (0..9).map(|_| tag(255)).collect();
        let Err(Refusal::Special { code: "PackedPolicyTooLarge", message, .. }) = packed_size(None, &many) else {
            panic!("not refused")
        };
        assert_eq!(message, "Packed size of session tags consumes 113% of allotted space.");
    }
}
