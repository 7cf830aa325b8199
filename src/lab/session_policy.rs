//! The policies of a session: they restrict what the session may do of what its user or role may do.
//!
//! A session may do what one of its policies allows and none denies. A statement with a condition never allows, and
//! always denies, because the lab does not evaluate conditions of these policies.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::constraint::Constraints;
use super::permission::Decision;
use super::plan::LabPlan;
use super::refusal::Refusal;
use super::session_tag::SessionTag;
use super::wire::query::Parameters;
use crate::policy::Policy;
use crate::policy::pattern::matches;

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
            statements(text)?;
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
        inline.chain(managed.map(|one| Policy::of_actions(&one.permissions.allow, &one.permissions.deny))).collect()
    }

    /// The decision of the policies about an action on a resource.
    pub(super) fn decide(&self, plan: &LabPlan, account: &str, action: &str, resource: Option<&str>) -> Decision {
        let statements = self.inline.as_deref().map_or_else(Vec::new, |text| statements(text).unwrap_or_default());
        let applies = |effect: Decision| {
            statements.iter().any(|one| one.effect == effect && one.applies(action, resource, effect))
        };
        let managed = self.managed.iter().map(|arn| match plan.managed_policy(account, arn) {
            Some(policy) => policy.permissions.decide(action),
            None => Decision::ImplicitDeny,
        });
        let managed: Vec<Decision> = managed.collect();
        if applies(Decision::ExplicitDeny) || managed.contains(&Decision::ExplicitDeny) {
            Decision::ExplicitDeny
        } else if applies(Decision::Allowed) || managed.contains(&Decision::Allowed) {
            Decision::Allowed
        } else {
            Decision::ImplicitDeny
        }
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

struct Statement {
    /// `Allowed` or `ExplicitDeny`.
    effect: Decision,
    actions: Vec<String>,
    all_but_actions: bool,
    resources: Vec<String>,
    all_but_resources: bool,
    has_condition: bool,
}

impl Statement {
    fn applies(&self, action: &str, resource: Option<&str>, effect: Decision) -> bool {
        if self.has_condition && effect == Decision::Allowed {
            return false;
        }
        let action = action.to_ascii_lowercase();
        let named = self.actions.iter().any(|pattern| matches(&pattern.to_ascii_lowercase(), &action));
        // The service names no resource for some operations, which only `*` allows.
        let resource = resource.unwrap_or("*");
        let on_it = self.resources.iter().any(|pattern| matches(pattern, resource));
        named != self.all_but_actions && on_it != self.all_but_resources
    }
}

fn statements(text: &str) -> Result<Vec<Statement>, Refusal> {
    let document: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| malformed("The policy is not in the valid JSON format."))?;
    let syntax = || malformed("Syntax errors in policy.");
    let version = document.get("Version").map_or(Some("2008-10-17"), Value::as_str);
    let known = document.keys().all(|name| ["Version", "Id", "Statement"].contains(&name.as_str()));
    if !known || !matches!(version, Some("2012-10-17" | "2008-10-17")) {
        return Err(syntax());
    }
    let all = match document.get("Statement") {
        Some(Value::Array(all)) => all.iter().collect(),
        Some(one) => vec![one],
        None => return Err(syntax()),
    };
    all.into_iter().map(|one| statement(one).ok_or_else(syntax)).collect()
}

/// A statement, which names no principal; `None` if its form is invalid.
fn statement(value: &Value) -> Option<Statement> {
    const ELEMENTS: [&str; 7] = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    let statement = value.as_object()?;
    let known = statement.keys().all(|name| ELEMENTS.contains(&name.as_str()));
    let effect = match statement.get("Effect")?.as_str()? {
        "Allow" => Decision::Allowed,
        "Deny" => Decision::ExplicitDeny,
        _ => return None,
    };
    let either = |element: &str, opposite: &str| match (statement.get(element), statement.get(opposite)) {
        (Some(texts), None) => Some((read_texts(texts)?, false)),
        (None, Some(texts)) => Some((read_texts(texts)?, true)),
        _ => None,
    };
    let ((actions, all_but_actions), (resources, all_but_resources)) =
        (either("Action", "NotAction")?, either("Resource", "NotResource")?);
    let has_condition = match statement.get("Condition") {
        None => false,
        Some(condition) => !condition.as_object()?.is_empty(),
    };
    let named = actions.iter().all(|action| action == "*" || action.contains(':'));
    (known && named).then_some(Statement {
        effect,
        actions,
        all_but_actions,
        resources,
        all_but_resources,
        has_condition,
    })
}

fn read_texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(all) if !all.is_empty() => all.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
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

    fn decided(text: &str, action: &str, resource: Option<&str>) -> Decision {
        inline(text).decide(&LabPlan::built_in(), "123456789012", action, resource)
    }

    #[test]
    fn a_policy_allows_and_denies_by_action_and_resource() {
        let text = r#"{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "kms:*", "Resource": "arn:aws:kms:*:*:key/a*"},
            {"Effect": "Deny", "Action": ["KMS:Decrypt"], "Resource": "*"},
            {"Effect": "Allow", "NotAction": "kms:*", "Resource": "*"}]}"#;
        let key = Some("arn:aws:kms:eu-west-3:123456789012:key/abc");
        assert_eq!(decided(text, "kms:Encrypt", key), Decision::Allowed);
        assert_eq!(decided(text, "kms:Encrypt", Some("arn:aws:kms:eu-west-3:1:key/b")), Decision::ImplicitDeny);
        assert_eq!(decided(text, "kms:Decrypt", key), Decision::ExplicitDeny);
        assert_eq!(decided(text, "ec2:DescribeRegions", None), Decision::Allowed);
        assert_eq!(decided(text, "kms:ListKeys", None), Decision::ImplicitDeny);
    }

    #[test]
    fn a_statement_with_a_condition_only_denies() {
        let text = |effect: &str| {
            format!(
                r#"{{"Statement": {{"Effect": "{effect}", "Action": "*", "Resource": "*",
                    "Condition": {{"Bool": {{"aws:SecureTransport": "true"}}}}}}}}"#
            )
        };
        assert_eq!(decided(&text("Allow"), "kms:ListKeys", None), Decision::ImplicitDeny);
        assert_eq!(decided(&text("Deny"), "kms:ListKeys", None), Decision::ExplicitDeny);
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
