//! The inline policy of a user or role: its permissions in the plan.

use serde_json::json;

use super::{Constraints, Kind, ListPage, Text, encoded_document, no_such_entity};
use crate::lab::caller::Caller;
use crate::lab::permission::Permissions;
use crate::lab::refusal::Refusal;
use crate::lab::wire::query::Parameters;
use crate::lab::wire::xml::Element;

/// The name of the policy.
const NAME: &str = "plan";

/// `ListUserPolicies` and `ListRolePolicies`
pub(super) fn list(caller: &Caller<'_>, parameters: &Parameters, kind: Kind) -> Result<Vec<Element>, Refusal> {
    let mut constraints = Constraints::default();
    let name = constraints.text(parameters, &kind.name_parameter());
    let page = ListPage::read(parameters, constraints)?;
    let action = match kind {
        Kind::User => "iam:ListUserPolicies",
        Kind::Role => "iam:ListRolePolicies",
    };
    let identity = kind.find(caller, name.ok_or(Refusal::Internal)?, action)?;
    let names = has_policy(&identity.permissions).then(|| Element::of("member", NAME));
    Ok(page.cut("PolicyNames", names.into_iter().collect()))
}

/// `GetUserPolicy` and `GetRolePolicy`
pub(super) fn get(caller: &Caller<'_>, parameters: &Parameters, kind: Kind) -> Result<Vec<Element>, Refusal> {
    let mut constraints = Constraints::default();
    let name = constraints.text(parameters, &kind.name_parameter());
    let policy = constraints.text(parameters, &Text { name: "PolicyName", ..Kind::User.name_parameter() });
    constraints.finish()?;
    let (name, policy) = (name.ok_or(Refusal::Internal)?, policy.ok_or(Refusal::Internal)?);
    let (action, member) = match kind {
        Kind::User => ("iam:GetUserPolicy", "UserName"),
        Kind::Role => ("iam:GetRolePolicy", "RoleName"),
    };
    let identity = kind.find(caller, name, action)?;
    if policy != NAME || !has_policy(&identity.permissions) {
        let kind = kind.as_str();
        return Err(no_such_entity(format!("The {kind} policy with name {policy} cannot be found.")));
    }
    let Permissions { allow, deny } = &identity.permissions;
    let statements = [("Allow", allow), ("Deny", deny)].into_iter().filter(|(_, actions)| !actions.is_empty());
    let statements: Vec<_> =
        statements.map(|(effect, actions)| json!({ "Effect": effect, "Action": actions, "Resource": "*" })).collect();
    Ok(vec![
        Element::of(member, name),
        Element::of("PolicyName", NAME),
        Element::of("PolicyDocument", &encoded_document(&statements)),
    ])
}

fn has_policy(permissions: &Permissions) -> bool {
    !permissions.allow.is_empty() || !permissions.deny.is_empty()
}
