//! Whether a call is allowed: by the key's policy, its grants, and the caller's own policies.

use super::call::Call;
use super::condition_keys;
use super::exception;
use super::grant;
use super::key::Key;
use super::state::State;
use crate::lab::refusal::Refusal;
use crate::policy::Policy;
use crate::policy::actions::works_across_accounts;
use crate::policy::evaluate::{self, Decision, Denial, Own};
use crate::policy::grant::Grant;
use crate::policy::request::{Context, Request};

impl Call<'_> {
    /// Requires the permission for an action on a resource without a policy: `*`, or an alias.
    ///
    /// # Errors
    /// `AccessDeniedException`.
    pub(super) fn require_action(&self, action: &str, resource: &str) -> Result<(), Refusal> {
        self.own_denial(action, resource).map_or(Ok(()), |denial| Err(self.denied(action, resource, denial)))
    }

    /// Why the caller's own policies do not allow an action; `None` if they do.
    pub(super) fn own_denial(&self, action: &str, resource: &str) -> Option<Denial> {
        let context = condition_keys::of(self, action, None);
        self.decide(action, &context, |own, request| denial(evaluate::on_other(resource, own, request)))
    }

    /// Requires that a caller of another account can call this operation at all.
    ///
    /// # Errors
    /// `AccessDeniedException`.
    pub(super) fn require_across_accounts(&self, account: &str, action: &str, arn: &str) -> Result<(), Refusal> {
        if account == self.account() || works_across_accounts(self.operation) {
            return Ok(());
        }
        Err(self.denied(action, arn, Denial::OtherAccount))
    }

    /// Requires the permission for an action on a key in the region of the call.
    ///
    /// # Errors
    /// `AccessDeniedException` or `InvalidGrantTokenException`.
    pub(super) fn authorize(&self, state: &State, key: &Key, action: &str) -> Result<(), Refusal> {
        self.authorize_in(state, key, self.region, action)
    }

    /// Requires the permission for an action on a key in a region.
    ///
    /// # Errors
    /// `AccessDeniedException` or `InvalidGrantTokenException`.
    pub(super) fn authorize_in(&self, state: &State, key: &Key, region: &str, action: &str) -> Result<(), Refusal> {
        grant::check_tokens(self, state)?;
        let denial = self.denial_on_key(state, key, region, action)?;
        denial.map_or(Ok(()), |denial| Err(self.denied(action, &key.arn(region), denial)))
    }

    /// Why an action on a key in a region is not allowed; `None` if it is.
    ///
    /// # Errors
    /// `NotFoundException` if the key is not in the region.
    pub(super) fn denial_on_key(
        &self,
        state: &State,
        key: &Key,
        region: &str,
        action: &str,
    ) -> Result<Option<Denial>, Refusal> {
        let placement = key.placement(region)?;
        let arn = key.arn(region);
        // A stored policy that cannot be read any more allows nothing.
        let policy = Policy::of_key(&placement.policy).unwrap_or_else(|_| Policy::empty());
        let context = condition_keys::of(self, action, Some((key, region, state)));
        let mut grants: Vec<&Grant> = placement.grants.iter().map(|issued| &issued.grant).collect();
        if action == "CreateGrant" {
            // The grantee of a grant may create only grants that allow no more.
            let (operations, constraints) = grant::requested(self.body);
            grants.retain(|grant| grant.covers(&operations, &constraints));
        }
        let on = evaluate::Key { arn: &arn, account: &key.account, policy: &policy, grants: &grants };
        Ok(self.decide(action, &context, |own, request| denial(evaluate::on_key(&on, own, request))))
    }

    /// Whether a new key policy lets the caller change it again.
    pub(super) fn is_admitted_by(&self, policy: &Policy) -> bool {
        let context = condition_keys::of(self, "PutKeyPolicy", None);
        self.decide("PutKeyPolicy", &context, |_, request| evaluate::admits(policy, &self.arn("key/new"), request))
    }

    /// The refusal of an action.
    pub(super) fn denied(&self, action: &str, resource: &str, denial: Denial) -> Refusal {
        let (who, action) = (self.caller.arn(), format!("kms:{action}"));
        let reason = denial.reason(&action);
        exception::access_denied(format!(
            "User: {who} is not authorized to perform: {action} on resource: {resource} {reason}"
        ))
    }

    fn decide<T>(&self, action: &str, context: &Context, decide: impl FnOnce(&Own<'_>, &Request<'_>) -> T) -> T {
        let caller = self.caller.as_policies_name_it();
        let encryption_context = condition_keys::encryption_context(self.body, action);
        let action = format!("kms:{action}");
        let request =
            Request { caller: &caller, action: &action, context, encryption_context: encryption_context.as_ref() };
        let (identity, session) = self.caller.policies();
        decide(&Own { identity: &identity, session: session.as_deref() }, &request)
    }
}

fn denial(decision: Decision<'_>) -> Option<Denial> {
    match decision {
        Decision::Allowed(_) => None,
        Decision::Denied(denial) => Some(denial),
    }
}
