//! The password policies: the global one, and others that users can have instead.

use super::PasswordPolicy;
use crate::domain::name::PasswordPolicyName;
use crate::domain::table::Table;
use crate::domain::user::User;
use std::sync::Arc;

/// A password policy with its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedPasswordPolicy {
    pub name: PasswordPolicyName,
    pub policy: PasswordPolicy,
    /// The days before the end of a password at which clients may remind the user; 0 for never.
    pub expiry_notification_days: u32,
}

/// All password policies. There is always a global one.
#[derive(Clone, PartialEq, Debug)]
pub struct PasswordPolicies {
    all: Table<PasswordPolicyName, NamedPasswordPolicy>,
    global: Arc<NamedPasswordPolicy>,
}

impl Default for PasswordPolicies {
    fn default() -> Self {
        let global = NamedPasswordPolicy {
            name: PasswordPolicyName::global(),
            policy: PasswordPolicy::default(),
            expiry_notification_days: 0,
        };
        let mut all = Table::default();
        all.insert(global.name.clone(), global.clone());
        Self { all, global: Arc::new(global) }
    }
}

impl PasswordPolicies {
    /// Restores the policies from a snapshot.
    pub fn restored(policies: Vec<NamedPasswordPolicy>) -> Self {
        let mut restored = Self::default();
        policies.into_iter().for_each(|policy| restored.set(policy));
        restored
    }

    pub fn all(&self) -> &Table<PasswordPolicyName, NamedPasswordPolicy> {
        &self.all
    }

    pub fn get(&self, name: &PasswordPolicyName) -> Option<&Arc<NamedPasswordPolicy>> {
        self.all.get(name)
    }

    pub fn global(&self) -> &Arc<NamedPasswordPolicy> {
        &self.global
    }

    /// Returns the policy that applies to a user.
    pub fn of(&self, user: &User) -> &PasswordPolicy {
        let own = user.password_policy.as_ref().and_then(|name| self.get(name));
        &own.unwrap_or(&self.global).policy
    }

    /// Adds a policy, or replaces the one of its name.
    pub(in crate::domain) fn set(&mut self, policy: NamedPasswordPolicy) {
        if policy.name.is_global() {
            self.global = Arc::new(policy.clone());
        }
        let name = policy.name.clone();
        match self.all.get(&name) {
            Some(_) => self.all.change(&name, |present| *present = policy),
            None => self.all.insert(name, policy),
        }
    }

    pub(in crate::domain) fn remove(&mut self, name: &PasswordPolicyName) {
        self.all.remove(name);
    }
}
