//! The choice of a key's policy: its text, a template, or lists of principals. A body has at most one of the three.

use crate::domain::key::policy::PolicyPrincipals;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::refusal::Refusal;
use crate::service::failure::invalid;
use crate::service::keys::PolicyChoice;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// The members of a body that choose a policy.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = PolicyChoice)]
pub struct PolicyBody {
    /// The name or id of a policy template.
    #[serde(default, deserialize_with = "flat::policytemplate")]
    policytemplate: Option<String>,
    /// IAM users who administer the key, by name or ARN.
    #[serde(default, deserialize_with = "flat::key_admins")]
    #[schema(example = json!(["ann"]))]
    key_admins: Option<Vec<String>>,
    /// IAM roles that administer the key.
    #[serde(default, deserialize_with = "flat::key_admins_roles")]
    key_admins_roles: Option<Vec<String>>,
    /// IAM users who use the key.
    #[serde(default, deserialize_with = "flat::key_users")]
    key_users: Option<Vec<String>>,
    /// IAM roles that use the key.
    #[serde(default, deserialize_with = "flat::key_users_roles")]
    key_users_roles: Option<Vec<String>>,
    /// Other AWS accounts that use the key.
    #[serde(default, deserialize_with = "flat::external_accounts")]
    external_accounts: Option<Vec<String>>,
}

/// The readers of the members of [`PolicyBody`].
mod flat {
    crate::http::body::flattened!(
        policytemplate,
        key_admins,
        key_admins_roles,
        key_users,
        key_users_roles,
        external_accounts
    );
}

impl PolicyBody {
    /// The chosen policy; `text` is the policy itself, which has another place in the body.
    ///
    /// # Errors
    /// [`Refusal`] if more than one is given, or the text is not a policy.
    pub fn choice(self, member: &'static str, text: Option<Value>) -> Result<PolicyChoice, Refusal> {
        let principals = PolicyPrincipals {
            admins: self.key_admins.unwrap_or_default(),
            admin_roles: self.key_admins_roles.unwrap_or_default(),
            users: self.key_users.unwrap_or_default(),
            user_roles: self.key_users_roles.unwrap_or_default(),
            accounts: self.external_accounts.unwrap_or_default(),
        };
        let text = text.map(|text| PolicyText::of(&text).map_err(|problem| problem.refusal(member))).transpose()?;
        match (text, self.policytemplate, principals.is_empty()) {
            (None, None, true) => Ok(PolicyChoice::Default),
            (Some(text), None, true) => Ok(PolicyChoice::Text(text)),
            (None, Some(template), true) => Ok(PolicyChoice::Template(template)),
            (None, None, false) => Ok(PolicyChoice::Principals(principals)),
            _ => {
                Err(invalid(member, "only one of a policy, policytemplate, and lists such as key_admins can be given"))
            }
        }
    }
}
