//! The caller of a request, found by its signature, and its permissions.

use chrono::{DateTime, SecondsFormat, Utc};

use super::partition::Partition;
use super::plan::{Account, Identity, LabPlan, Role, User};
use super::refusal::Refusal;
use super::service::Service;
use super::session::{Holder, Session, SessionContext, Sessions};
use crate::policy::Policy;
use crate::policy::evaluate::{self, Decision, Own};
use crate::policy::request::{self, Context};
use crate::sigv4::{Claim, Request};

#[derive(Debug, Clone)]
pub(super) struct Caller<'a> {
    pub account: &'a Account,
    pub principal: Principal<'a>,
    /// The policies and tags of the session, if the caller has temporary credentials.
    pub context: SessionContext,
    /// The access key that the request is signed with.
    pub access_key_id: String,
    /// The start of the session, if the caller has temporary credentials.
    pub session_started: Option<DateTime<Utc>>,
    plan: &'a LabPlan,
    /// The region that the request is signed for.
    region: String,
    now: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub(super) enum Principal<'a> {
    /// A user with a long-term access key.
    User(&'a User),
    /// A user with temporary credentials.
    UserSession(&'a User),
    /// An assumed role, and the name of the session.
    RoleSession(&'a Role, String),
    /// A user who acts under another name, with the policies of the session.
    Federated(&'a User, String),
}

impl<'a> Caller<'a> {
    /// Verifies the signature of a request to a service and finds the caller.
    ///
    /// # Errors
    /// The first fault, in AWS's order.
    pub(super) fn authenticate(
        plan: &'a LabPlan,
        sessions: &Sessions,
        request: &Request<'_>,
        claim: &Claim,
        service: Service,
        now: DateTime<Utc>,
    ) -> Result<Caller<'a>, Refusal> {
        claim.check_form(request, service.name(), now).map_err(Refusal::from)?;
        let partition = check_region(plan, claim)?;
        let (account, principal, context, secret, session_started) = match &claim.session_token {
            None => {
                let (account, user, keys) = plan.key_holder(&claim.access_key_id).ok_or(Refusal::KeyUnknown)?;
                let secret = keys.secret_access_key().to_owned();
                (account, Principal::User(user), SessionContext::default(), secret, None)
            }
            Some(token) => {
                let session = sessions.open(token, &claim.access_key_id, now)?;
                let (account, principal) = Principal::of_session(plan, &session).ok_or(Refusal::KeyUnknown)?;
                let started = DateTime::from_timestamp_micros(session.issued);
                (account, principal, session.context, session.secret_access_key.reveal().to_owned(), started)
            }
        };
        let (access_key_id, region) = (claim.access_key_id.clone(), claim.scope.region.clone());
        let caller = Caller { account, principal, context, access_key_id, session_started, plan, region, now };
        // Another partition, and a region that the account has not enabled, do not know the access key.
        let at_home = caller.account.partition == partition
            && (service == Service::Iam || caller.account.may_use(&claim.scope.region));
        if !at_home {
            return Err(Refusal::KeyUnknown);
        }
        claim.verify(request, &secret).map_err(Refusal::from)?;
        Ok(caller)
    }

    /// The user or the role.
    pub(super) fn identity(&self) -> &'a Identity {
        match &self.principal {
            Principal::User(user) | Principal::UserSession(user) | Principal::Federated(user, _) => &user.identity,
            Principal::RoleSession(role, _) => &role.identity,
        }
    }

    /// The ARN that GetCallerIdentity returns.
    pub(super) fn arn(&self) -> String {
        match &self.principal {
            Principal::User(user) | Principal::UserSession(user) => user.identity.arn.clone(),
            Principal::RoleSession(role, session) => session_arn(self.account, role, session),
            Principal::Federated(_, name) => federated_arn(self.account, name),
        }
    }

    /// The unique id that GetCallerIdentity returns.
    pub(super) fn id(&self) -> String {
        match &self.principal {
            Principal::User(user) | Principal::UserSession(user) => user.identity.id.clone(),
            Principal::RoleSession(role, session) => format!("{}:{session}", role.identity.id),
            Principal::Federated(_, name) => format!("{}:{name}", self.account.id),
        }
    }

    /// Decides about an action on a resource without a policy; `None` for an operation without a resource, which only
    /// `*` allows.
    pub(super) fn decide(&self, action: &str, resource: Option<&str>) -> Decision<'static> {
        let (identity, session) = self.policies();
        let (caller, context) = (self.as_policies_name_it(), self.condition_keys());
        let request = request::Request { caller: &caller, action, context: &context, encryption_context: None };
        let own = Own { identity: &identity, session: session.as_deref() };
        evaluate::on_other(resource.unwrap_or("*"), &own, &request)
    }

    /// The caller as policies name it.
    pub(super) fn as_policies_name_it(&self) -> request::Caller {
        request::Caller { account: self.account.id.clone(), arn: self.arn(), issuer: self.identity().arn.clone() }
    }

    /// The condition keys that a request to any service has.
    pub(super) fn condition_keys(&self) -> Context {
        let mut context = Context::default();
        let (kind, user) = match &self.principal {
            Principal::User(user) | Principal::UserSession(user) => ("User", Some(user)),
            Principal::Federated(..) => ("FederatedUser", None),
            Principal::RoleSession(..) => ("AssumedRole", None),
        };
        let federated = matches!(self.principal, Principal::Federated(..));
        context.set("aws:PrincipalArn", if federated { self.arn() } else { self.identity().arn.clone() });
        context.set("aws:PrincipalAccount", self.account.id.clone());
        context.set("aws:PrincipalType", kind);
        context.set("aws:PrincipalIsAWSService", "false");
        context.set("aws:ViaAWSService", "false");
        context.set("aws:userid", self.id());
        if let Some(user) = user {
            context.set("aws:username", user.identity.name.clone());
        }
        // AWS sets the key for temporary credentials only. No session of the lab has used MFA.
        if !matches!(self.principal, Principal::User(_)) {
            context.set("aws:MultiFactorAuthPresent", "false");
        }
        for (name, value) in self.tags() {
            context.set(&format!("aws:PrincipalTag/{name}"), value);
        }
        context.set("aws:RequestedRegion", self.region.clone());
        context.set("aws:CurrentTime", self.now.to_rfc3339_opts(SecondsFormat::Secs, true));
        context.set("aws:EpochTime", self.now.timestamp().to_string());
        context
    }

    /// The policies of the user or role, and those of the session if it has any.
    pub(super) fn policies(&self) -> (Vec<Policy>, Option<Vec<Policy>>) {
        let session = self.context.policies.as_ref().map(|policies| policies.policies(self.plan, &self.account.id));
        // A federated user without policies may do nothing.
        let session = session.or_else(|| matches!(self.principal, Principal::Federated(..)).then(Vec::new));
        (vec![self.identity().permissions.policy()], session)
    }

    /// The tags of the user or role, then those of the session, which replace them.
    pub(super) fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self.identity().tags.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        own.chain(self.context.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())))
    }

    /// Requires a permission.
    ///
    /// # Errors
    /// [`Refusal::Denied`] if the permission is missing or denied.
    pub(super) fn require(&self, action: &str, resource: Option<String>) -> Result<(), Refusal> {
        match self.decide(action, resource.as_deref()) {
            Decision::Allowed(_) => Ok(()),
            Decision::Denied(denial) => Err(self.denied(action, resource, denial.is_explicit())),
        }
    }

    pub(super) fn denied(&self, action: &str, resource: Option<String>, explicit: bool) -> Refusal {
        Refusal::Denied { caller: self.arn(), action: action.to_owned(), resource, explicit }
    }
}

impl<'a> Principal<'a> {
    fn of_session(plan: &'a LabPlan, session: &Session) -> Option<(&'a Account, Principal<'a>)> {
        let account = plan.account(&session.account)?;
        let principal = match &session.holder {
            Holder::User(name) => Principal::UserSession(account.user(name)?),
            Holder::Role { role, session } => Principal::RoleSession(account.role(role)?, session.clone()),
            Holder::Federated { user, name } => Principal::Federated(account.user(user)?, name.clone()),
        };
        Some((account, principal))
    }
}

/// The ARN of a role's session.
pub(super) fn session_arn(account: &Account, role: &Role, session: &str) -> String {
    format!("arn:{}:sts::{}:assumed-role/{}/{session}", account.partition, account.id, role.identity.name)
}

/// The ARN of a federated user.
pub(super) fn federated_arn(account: &Account, name: &str) -> String {
    format!("arn:{}:sts::{}:federated-user/{name}", account.partition, account.id)
}

/// Checks that the region of a signature exists. AWS expects one fixed region for IAM; the lab accepts any, because an
/// SDK with a custom endpoint signs for its configured region.
fn check_region(plan: &LabPlan, claim: &Claim) -> Result<Partition, Refusal> {
    let region = &claim.scope.region;
    plan.partition_of(region).ok_or_else(|| {
        Refusal::SignatureWrong(format!("Credential should be scoped to a valid region, not '{region}'. "))
    })
}
