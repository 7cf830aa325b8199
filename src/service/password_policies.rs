//! Password policies: create, change and delete them. Users without a policy of their own are under the global one.

use super::access::{Administer, Permit};
use super::caller::{Caller, RequestContext};
use super::failure::Failure;
use super::list::{self, Candidates, Field, Listed, Page, Query};
use super::recorder::Recorder;
use crate::domain::command::Command;
use crate::domain::name::PasswordPolicyName;
use crate::domain::password::decide::PasswordPolicyCommand;
use crate::domain::password::patch::PasswordPolicyPatch;
use crate::domain::password::policies::NamedPasswordPolicy;
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::ledger::Committed;
use std::sync::Arc;

/// The use cases of password policies. Cheap to clone.
#[derive(Clone)]
pub struct PasswordPolicies {
    recorder: Recorder,
}

impl PasswordPolicies {
    pub(super) fn new(recorder: Recorder) -> Self {
        Self { recorder }
    }

    /// Creates a policy. Members that the patch does not give are those of the global policy.
    ///
    /// # Errors
    /// When the name is in use, or the rules contradict themselves or are out of range.
    pub async fn create(
        &self,
        permit: &Permit<Administer>,
        context: &RequestContext,
        name: PasswordPolicyName,
        patch: PasswordPolicyPatch,
    ) -> Result<Arc<NamedPasswordPolicy>, Failure> {
        let command = PasswordPolicyCommand::Create { name: name.clone(), patch };
        shown(&self.command(permit, context, command).await?, &name)
    }

    /// Lists the policies.
    ///
    /// # Errors
    /// When the query sorts by an unsupported member.
    pub async fn list(&self, permit: &Permit<Administer>, query: &Query) -> Result<Page<NamedPasswordPolicy>, Failure> {
        list::page(permit.caller(), query).await
    }

    /// Returns one policy.
    ///
    /// # Errors
    /// When there is no such policy.
    pub fn get(
        &self,
        permit: &Permit<Administer>,
        name: &PasswordPolicyName,
    ) -> Result<Arc<NamedPasswordPolicy>, Failure> {
        Ok(permit.caller().published.state.password_policy(name)?.clone())
    }

    /// Changes a policy.
    ///
    /// # Errors
    /// When there is no such policy, or the rules contradict themselves or are out of range.
    pub async fn update(
        &self,
        permit: &Permit<Administer>,
        context: &RequestContext,
        name: PasswordPolicyName,
        patch: PasswordPolicyPatch,
    ) -> Result<Arc<NamedPasswordPolicy>, Failure> {
        let command = PasswordPolicyCommand::Update { name: name.clone(), patch };
        shown(&self.command(permit, context, command).await?, &name)
    }

    /// Deletes a policy.
    ///
    /// # Errors
    /// When there is no such policy, it is the global one, or users have it.
    pub async fn delete(
        &self,
        permit: &Permit<Administer>,
        context: &RequestContext,
        name: PasswordPolicyName,
    ) -> Result<(), Failure> {
        self.command(permit, context, PasswordPolicyCommand::Delete { name }).await.map(drop)
    }

    async fn command(
        &self,
        permit: &Permit<Administer>,
        context: &RequestContext,
        command: PasswordPolicyCommand,
    ) -> Result<Committed, Failure> {
        self.recorder.append(&permit.caller().change(context), Command::PasswordPolicy(command)).await
    }
}

fn shown(committed: &Committed, name: &PasswordPolicyName) -> Result<Arc<NamedPasswordPolicy>, Failure> {
    Ok(committed.published.state.password_policy(name)?.clone())
}

impl Listed for NamedPasswordPolicy {
    type Rows = Table<PasswordPolicyName, Self>;
    const SORTS: &'static [&'static str] = &["policy_name"];
    const FILTERS: &'static [&'static str] = &["policy_name"];
    const SEARCHES: &'static [&'static str] = &["policy_name"];
    const IDENTITIES: &'static [&'static str] = &["policy_name"];

    fn rows(state: &State) -> &Self::Rows {
        state.password_policies.all()
    }

    fn identified<'a>(_: &'a State, _: &str, value: &str) -> Candidates<'a, Self> {
        Box::new(PasswordPolicyName::parse(value).into_iter())
    }

    fn field(&self, member: &str, _: &Caller) -> Field {
        match member {
            "policy_name" => Field::Text(self.name.to_string()),
            _ => Field::Absent,
        }
    }
}
