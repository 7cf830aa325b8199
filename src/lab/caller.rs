//! The caller of a request, found by its signature, and its permissions.

use chrono::{DateTime, Utc};

use super::partition::Partition;
use super::permission::{Decision, Permissions};
use super::plan::{Account, Identity, LabPlan, Role, User};
use super::refusal::Refusal;
use super::service::Service;
use super::session::{Holder, Session, Sessions};
use super::sigv4::{Claim, Received};

#[derive(Debug, Clone)]
pub(super) struct Caller<'a> {
    pub account: &'a Account,
    pub principal: Principal<'a>,
}

#[derive(Debug, Clone)]
pub(super) enum Principal<'a> {
    /// A user with a long-term access key.
    User(&'a User),
    /// A user with temporary credentials.
    UserSession(&'a User),
    /// An assumed role, and the name of the session.
    RoleSession(&'a Role, String),
}

impl<'a> Caller<'a> {
    /// Verifies the signature of a request to a service and finds the caller.
    ///
    /// # Errors
    /// The first fault, in AWS's order.
    pub(super) fn authenticate(
        plan: &'a LabPlan,
        sessions: &Sessions,
        request: &Received<'_>,
        claim: &Claim,
        service: Service,
        now: DateTime<Utc>,
    ) -> Result<Caller<'a>, Refusal> {
        claim.check_form(request, service.name(), now)?;
        let partition = check_region(plan, claim)?;
        let (caller, secret) = match &claim.session_token {
            None => {
                let (account, user, keys) = plan.key_holder(&claim.access_key_id).ok_or(Refusal::KeyUnknown)?;
                (Caller { account, principal: Principal::User(user) }, keys.secret_access_key().to_owned())
            }
            Some(token) => {
                let session = sessions.open(token, &claim.access_key_id, now)?;
                let caller = Caller::of_session(plan, &session).ok_or(Refusal::KeyUnknown)?;
                (caller, session.secret_access_key.reveal().to_owned())
            }
        };
        // Another partition, and a region that the account has not enabled, do not know the access key.
        let at_home = caller.account.partition == partition
            && (service == Service::Iam || caller.account.may_use(&claim.scope.region));
        if !at_home {
            return Err(Refusal::KeyUnknown);
        }
        claim.verify(request, &secret)?;
        Ok(caller)
    }

    fn of_session(plan: &'a LabPlan, session: &Session) -> Option<Caller<'a>> {
        let account = plan.account(&session.account)?;
        let principal = match &session.holder {
            Holder::User(name) => Principal::UserSession(account.user(name)?),
            Holder::Role { role, session } => Principal::RoleSession(account.role(role)?, session.clone()),
        };
        Some(Caller { account, principal })
    }

    /// The user or the role.
    pub(super) fn identity(&self) -> &'a Identity {
        match &self.principal {
            Principal::User(user) | Principal::UserSession(user) => &user.identity,
            Principal::RoleSession(role, _) => &role.identity,
        }
    }

    /// The ARN that GetCallerIdentity returns.
    pub(super) fn arn(&self) -> String {
        match &self.principal {
            Principal::User(user) | Principal::UserSession(user) => user.identity.arn.clone(),
            Principal::RoleSession(role, session) => session_arn(self.account, role, session),
        }
    }

    /// The unique id that GetCallerIdentity returns.
    pub(super) fn id(&self) -> String {
        match &self.principal {
            Principal::User(user) | Principal::UserSession(user) => user.identity.id.clone(),
            Principal::RoleSession(role, session) => format!("{}:{session}", role.identity.id),
        }
    }

    pub(super) fn permissions(&self) -> &'a Permissions {
        &self.identity().permissions
    }

    /// Requires a permission.
    ///
    /// # Errors
    /// [`Refusal::Denied`] if the permission is missing or denied.
    pub(super) fn require(&self, action: &str, resource: Option<String>) -> Result<(), Refusal> {
        match self.permissions().decide(action) {
            Decision::Allowed => Ok(()),
            decision => Err(self.denied(action, resource, decision == Decision::ExplicitDeny)),
        }
    }

    pub(super) fn denied(&self, action: &str, resource: Option<String>, explicit: bool) -> Refusal {
        Refusal::Denied { caller: self.arn(), action: action.to_owned(), resource, explicit }
    }
}

/// The ARN of a role's session.
pub(super) fn session_arn(account: &Account, role: &Role, session: &str) -> String {
    format!("arn:{}:sts::{}:assumed-role/{}/{session}", account.partition, account.id, role.identity.name)
}

/// Checks that the region of a signature exists. AWS expects one fixed region for IAM; the lab accepts any, because an
/// SDK with a custom endpoint signs for its configured region.
fn check_region(plan: &LabPlan, claim: &Claim) -> Result<Partition, Refusal> {
    let region = &claim.scope.region;
    plan.partition_of(region).ok_or_else(|| {
        Refusal::SignatureWrong(format!("Credential should be scoped to a valid region, not '{region}'. "))
    })
}
