//! Key policies. They are checked for their form and for lockout of the caller, and stored in AWS's own form.

use serde_json::json;

use super::call::{Call, Names};
use super::page::PageRequest;
use super::request::Request;
use super::{Answer, exception, principal};
use crate::lab::refusal::Refusal;
use crate::policy::{Policy, PolicyError, normal_form};

/// The minimum and maximum length in the API. The service has the smaller limit [`MAX_BYTES`].
pub(super) const LENGTH: (usize, usize) = (1, 131_072);
const MAX_BYTES: usize = 32_768;
/// The characters of a policy. Others can be written as JSON escapes.
const PATTERN: &str = r"[\u0009\u000A\u000D\u0020-\u00FF]+";
/// The name of a key's only policy.
const NAME: &str = "default";

/// Validates the given policy of a key, or returns AWS's default.
///
/// # Errors
/// `ValidationException`, `MalformedPolicyDocumentException`, `LimitExceededException`.
pub(super) fn validate(call: &Call<'_>, given: Option<&str>, bypass_lockout_check: bool) -> Result<String, Refusal> {
    let Some(text) = given else { return Ok(default_policy(call)) };
    if let Some(refused) = text.chars().find(|c| !matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}')) {
        return Err(Refusal::Invalid(format!(
            "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: {PATTERN}, which excludes {refused:?}"
        )));
    }
    if text.len() > MAX_BYTES {
        return Err(exception::limit_exceeded(format!("A key policy cannot be larger than {MAX_BYTES} bytes")));
    }
    let malformed = |error: PolicyError| exception::malformed_policy(error.to_string());
    let policy = Policy::of_key(text).map_err(malformed)?;
    let partition = call.caller.account.partition;
    if !policy.principals().all(|named| principal::is_known(call.plan, partition, named)) {
        return Err(malformed(PolicyError::InvalidPrincipal));
    }
    if !bypass_lockout_check && !call.is_admitted_by(&policy) {
        let why = "The new key policy will not allow you to update the key policy in the future.";
        return Err(exception::malformed_policy(why));
    }
    normal_form::of_key(text, partition.as_str()).ok_or(Refusal::Internal)
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
