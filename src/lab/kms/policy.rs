//! Key policies. They are stored as given, and checked for their form and for lockout of the caller.

use serde_json::{Map, Value, json};

use super::call::{Call, Names};
use super::page::PageRequest;
use super::request::Request;
use super::{Answer, exception, principal};
use crate::lab::permission::matches;
use crate::lab::refusal::Refusal;

/// The minimum and maximum length in the API. The service has the smaller limit [`MAX_BYTES`].
pub(super) const LENGTH: (usize, usize) = (1, 131_072);
const MAX_BYTES: usize = 32_768;
/// The name of a key's only policy.
const NAME: &str = "default";

/// Validates the given policy of a key, or returns AWS's default.
///
/// # Errors
/// `MalformedPolicyDocumentException`, `LimitExceededException`.
pub(super) fn validate(call: &Call<'_>, given: Option<&str>, bypass_lockout_check: bool) -> Result<String, Refusal> {
    let Some(text) = given else { return Ok(default_policy(call)) };
    if text.len() > MAX_BYTES {
        return Err(exception::limit_exceeded(format!("A key policy cannot be larger than {MAX_BYTES} bytes")));
    }
    let statements = statements(text)?;
    for statement in &statements {
        validate_statement(call, statement)?;
    }
    if !bypass_lockout_check && !allows_caller_to_change_it(call, &statements) {
        let why = "The new key policy will not allow you to update the key policy in the future.";
        return Err(exception::malformed_policy(why));
    }
    Ok(text.to_owned())
}

/// AWS's default policy, with AWS's layout.
fn default_policy(call: &Call<'_>) -> String {
    let root = format!("arn:{}:iam::{}:root", call.caller.account.partition, call.account());
    format!(
        r#"{{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "{root}"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}}"#
    )
}

fn statements(text: &str) -> Result<Vec<Map<String, Value>>, Refusal> {
    let malformed = |why: &str| exception::malformed_policy(why);
    let document: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| malformed("The policy is not a valid JSON object"))?;
    if let Some(member) = document.keys().find(|name| !["Version", "Id", "Statement"].contains(&name.as_str())) {
        return Err(malformed(&format!("Syntax error: unknown element {member}")));
    }
    let version = document.get("Version").map_or(Some("2008-10-17"), Value::as_str);
    if !matches!(version, Some("2012-10-17" | "2008-10-17")) {
        return Err(malformed("Syntax error: the Version has to be 2012-10-17 or 2008-10-17"));
    }
    let all = match document.get("Statement") {
        Some(Value::Array(all)) => all.clone(),
        Some(one @ Value::Object(_)) => vec![one.clone()],
        _ => return Err(malformed("Missing required field Statement")),
    };
    let objects = all.into_iter().map(|statement| match statement {
        Value::Object(statement) => Ok(statement),
        _ => Err(malformed("Syntax error: a statement has to be an object")),
    });
    objects.collect()
}

const ELEMENTS: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

fn validate_statement(call: &Call<'_>, statement: &Map<String, Value>) -> Result<(), Refusal> {
    let malformed = |why: String| Err(exception::malformed_policy(why));
    if let Some(element) = statement.keys().find(|name| !ELEMENTS.contains(&name.as_str())) {
        return malformed(format!("Syntax error: unknown element {element}"));
    }
    let effect = statement.get("Effect").and_then(Value::as_str);
    if !matches!(effect, Some("Allow" | "Deny")) {
        return malformed("Syntax error: the Effect has to be Allow or Deny".to_owned());
    }
    for (element, opposite) in [("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")] {
        if statement.contains_key(element) == statement.contains_key(opposite) {
            return malformed(format!("Policy statement must contain {}s", element.to_lowercase()));
        }
    }
    if statement.get("Condition").is_some_and(|condition| !condition.is_object()) {
        return malformed("Syntax error: a Condition has to be an object".to_owned());
    }
    let actions = texts(statement.get("Action").or(statement.get("NotAction")));
    let Some(actions) = actions.filter(|actions| !actions.is_empty()) else {
        return malformed("Syntax error: an Action has to be a text or texts".to_owned());
    };
    if let Some(action) = actions.iter().find(|action| **action != "*" && !action.to_lowercase().starts_with("kms:")) {
        return malformed(format!("Policy contains an action of another service: {action}"));
    }
    match principals(statement) {
        Some(principals) => {
            match principals.iter().find(|name| !principal::is_known(call.plan, call.caller.account.partition, name)) {
                Some(_) => malformed("Policy contains a statement with one or more invalid principals.".to_owned()),
                None => Ok(()),
            }
        }
        None => malformed("Policy contains a statement with one or more invalid principals.".to_owned()),
    }
}

/// The AWS principals of a statement; `None` if their form is invalid.
fn principals(statement: &Map<String, Value>) -> Option<Vec<&str>> {
    match statement.get("Principal").or(statement.get("NotPrincipal"))? {
        Value::String(all) if all == "*" => Some(vec!["*"]),
        Value::Object(kinds) if !kinds.is_empty() => {
            let known = ["AWS", "Service", "Federated", "CanonicalUser"];
            let mut found = Vec::new();
            for (kind, names) in kinds {
                let names = texts(Some(names)).filter(|_| known.contains(&kind.as_str()))?;
                if kind == "AWS" {
                    found.extend(names);
                }
            }
            Some(found)
        }
        _ => None,
    }
}

fn texts(value: Option<&Value>) -> Option<Vec<&str>> {
    match value? {
        Value::String(one) => Some(vec![one]),
        Value::Array(all) => all.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// AWS's lockout safety check: the policy must allow the caller to change it again. Statements with conditions are
/// ignored, because conditions are not evaluated.
fn allows_caller_to_change_it(call: &Call<'_>, statements: &[Map<String, Value>]) -> bool {
    let applies = |statement: &&Map<String, Value>| {
        let action = |patterns: &Value| {
            let patterns = texts(Some(patterns)).unwrap_or_default();
            patterns.iter().any(|pattern| matches(&pattern.to_lowercase(), "kms:putkeypolicy"))
        };
        let by_action = statement.get("Action").map(action);
        let by_other = statement.get("NotAction").map(|other| !action(other));
        let names = principals(statement).unwrap_or_default();
        let named = names.iter().any(|name| principal::is_caller(call.caller, name));
        let meant = if statement.contains_key("NotPrincipal") { !named } else { named };
        by_action.or(by_other).unwrap_or_default() && meant && !statement.contains_key("Condition")
    };
    let with = |effect: &str| {
        let of_it = statements.iter().filter(|statement| statement.get("Effect") == Some(&json!(effect)));
        of_it.filter(applies).count() > 0
    };
    with("Allow") && !with("Deny")
}

/// `GetKeyPolicy`
pub(super) fn get_key_policy(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let policy = request.text("PolicyName", (1, 128)).unwrap_or(NAME);
    request.finish()?;
    call.read(name, Names::OfKeys, |key, _| {
        if policy != NAME {
            return Err(exception::not_found(format!("No such policy {policy} exists")));
        }
        Ok(json!({ "Policy": key.placement(call.region)?.policy, "PolicyName": NAME }))
    })
}

/// `PutKeyPolicy`
pub(super) fn put_key_policy(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let policy = request.text("PolicyName", (1, 128)).unwrap_or(NAME);
    let document = request.required("Policy", LENGTH);
    let bypass = request.flag("BypassPolicyLockoutSafetyCheck");
    request.finish()?;
    call.change_silently(name, |key| {
        if policy != NAME {
            return Err(exception::not_found(format!("No such policy {policy} exists")));
        }
        key.placement_mut(call.region)?.policy = validate(call, Some(document), bypass)?;
        Ok(())
    })
}

/// `ListKeyPolicies`
pub(super) fn list_key_policies(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let page = PageRequest::read(request, 100, 1000);
    request.finish()?;
    // The operation has no exception for an invalid marker. There is one page.
    let after = page.after().unwrap_or_default();
    call.read(name, Names::OfKeys, |_, _| {
        let names = [NAME].into_iter().filter(|name| *name > after.as_str());
        Ok(page.cut("PolicyNames", names.map(|name| (name.to_owned(), json!(name)))))
    })
}
