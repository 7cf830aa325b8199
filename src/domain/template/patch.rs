//! A change of a template's policy. A list that is `None` stays as it is.

use super::TemplatePolicy;
use crate::domain::key::policy::PolicyPrincipals;
use crate::domain::key::policy_text::PolicyText;

#[derive(Clone, Debug)]
pub enum TemplatePatch {
    Text(PolicyText),
    Principals(PrincipalsPatch),
}

#[derive(Clone, Debug, Default)]
pub struct PrincipalsPatch {
    pub admins: Option<Vec<String>>,
    pub admin_roles: Option<Vec<String>>,
    pub users: Option<Vec<String>>,
    pub user_roles: Option<Vec<String>>,
    /// Other accounts that use the keys.
    pub accounts: Option<Vec<String>>,
}

impl PrincipalsPatch {
    pub fn is_some(&self) -> bool {
        self.lists().any(|list| list.is_some())
    }

    /// Whether any list has an entry.
    pub fn names_somebody(&self) -> bool {
        self.lists().any(|list| list.as_ref().is_some_and(|list| !list.is_empty()))
    }

    /// Returns the principals after the patch.
    #[must_use]
    pub fn over(self, now: PolicyPrincipals) -> PolicyPrincipals {
        PolicyPrincipals {
            admins: self.admins.unwrap_or(now.admins),
            admin_roles: self.admin_roles.unwrap_or(now.admin_roles),
            users: self.users.unwrap_or(now.users),
            user_roles: self.user_roles.unwrap_or(now.user_roles),
            accounts: self.accounts.unwrap_or(now.accounts),
        }
    }

    fn lists(&self) -> impl Iterator<Item = &Option<Vec<String>>> {
        [&self.admins, &self.admin_roles, &self.users, &self.user_roles, &self.accounts].into_iter()
    }
}

impl TemplatePolicy {
    /// Returns the policy after the patch.
    #[must_use]
    pub fn patched(&self, patch: Option<TemplatePatch>) -> Self {
        match (patch, self) {
            (None, now) => now.clone(),
            (Some(TemplatePatch::Text(text)), _) => Self::Text(text),
            (Some(TemplatePatch::Principals(patch)), Self::Principals(now)) => {
                Self::Principals(patch.over(now.clone()))
            }
            // Clients that do not change the text send empty lists.
            (Some(TemplatePatch::Principals(patch)), text) if !patch.names_somebody() => text.clone(),
            (Some(TemplatePatch::Principals(patch)), Self::Text(_)) => Self::Principals(patch.over(Default::default())),
        }
    }
}
