//! The decision about a request, as AWS evaluates policies.
//!
//! A denial in any policy overrides everything. Otherwise, for a caller of the key's own account, one of these is
//! sufficient: the key policy or a grant names the user, role or session; or the key policy names the account, and a
//! policy of the caller allows the action. A caller of another account needs both: the key policy or a grant that names
//! it or its account, and a policy of its own. Session policies limit all of that, unless the session itself is named.

use super::Policy;
use super::document::Effect;
use super::grant::Grant;
use super::principal::Named;
use super::request::Request;

/// A key in a region, with what decides about it.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    pub arn: &'a str,
    pub account: &'a str,
    pub policy: &'a Policy,
    pub grants: &'a [&'a Grant],
}

/// The policies of a caller.
#[derive(Debug, Clone, Copy)]
pub struct Own<'a> {
    /// The policies of the user or role.
    pub identity: &'a [Policy],
    /// The policies of the session, if it has any.
    pub session: Option<&'a [Policy]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'a> {
    Allowed(Basis<'a>),
    Denied(Denial),
}

/// What allows a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis<'a> {
    KeyPolicy,
    /// The caller's own policies, alone or because the key policy leaves the decision to them.
    OwnPolicies,
    /// Only a grant.
    Grant(&'a Grant),
}

/// Why a request is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    ExplicitInKeyPolicy,
    ExplicitInIdentityPolicy,
    ExplicitInSessionPolicy,
    NoKeyPolicy,
    NoIdentityPolicy,
    NoSessionPolicy,
    /// The key of another account does not allow it, or does not exist.
    OtherAccount,
}

impl Denial {
    /// Whether a policy denies the request, in contrast to none that allows it.
    pub fn is_explicit(self) -> bool {
        match self {
            Denial::ExplicitInKeyPolicy | Denial::ExplicitInIdentityPolicy | Denial::ExplicitInSessionPolicy => true,
            Denial::NoKeyPolicy | Denial::NoIdentityPolicy | Denial::NoSessionPolicy | Denial::OtherAccount => false,
        }
    }

    /// AWS's words for the reason, which end the message of the refusal.
    pub fn reason(self, action: &str) -> String {
        match self {
            Denial::ExplicitInKeyPolicy => "with an explicit deny in a resource-based policy".to_owned(),
            Denial::ExplicitInIdentityPolicy => "with an explicit deny in an identity-based policy".to_owned(),
            Denial::ExplicitInSessionPolicy => "with an explicit deny in a session policy".to_owned(),
            Denial::NoKeyPolicy => format!("because no resource-based policy allows the {action} action"),
            Denial::NoIdentityPolicy => format!("because no identity-based policy allows the {action} action"),
            Denial::NoSessionPolicy => format!("because no session policy allows the {action} action"),
            Denial::OtherAccount => "because the resource does not exist in this Region, no resource-based policies \
                                     allow access, or a resource-based policy explicitly denies access"
                .to_owned(),
        }
    }
}

/// Decides about a request for a key.
pub fn on_key<'a>(key: &Key<'a>, own: &Own<'_>, request: &Request<'_>) -> Decision<'a> {
    let home = key.account == request.caller.account;
    if let Some(denial) = own.denial(key.arn, request) {
        return Decision::Denied(denial);
    }
    if key.policy.names(Effect::Deny, key.arn, request) > Named::No {
        return Decision::Denied(if home { Denial::ExplicitInKeyPolicy } else { Denial::OtherAccount });
    }
    let by_policy = (key.policy.names(Effect::Allow, key.arn, request), Basis::KeyPolicy);
    let by_grants = key.grants.iter().map(|grant| (grant.names(request), Basis::Grant(grant)));
    let mut denial = None;
    for (way, basis) in std::iter::once(by_policy).chain(by_grants).filter(|(way, _)| *way > Named::No) {
        let lacking = match way {
            Named::BySession if home => None,
            Named::ByIssuer if home => own.lacking_session(key.arn, request),
            _ => own.lacking(key.arn, request),
        };
        match (lacking, way, basis) {
            (None, Named::ByAccount, Basis::KeyPolicy) => return Decision::Allowed(Basis::OwnPolicies),
            (None, _, basis) => return Decision::Allowed(basis),
            (Some(lacking), ..) => denial = denial.or(Some(lacking)),
        }
    }
    Decision::Denied(denial.unwrap_or(if home { Denial::NoKeyPolicy } else { Denial::OtherAccount }))
}

/// Decides about a request for a resource without a policy of its own, such as `*` or an alias.
pub fn on_other(resource: &str, own: &Own<'_>, request: &Request<'_>) -> Decision<'static> {
    match own.denial(resource, request).or_else(|| own.lacking(resource, request)) {
        None => Decision::Allowed(Basis::OwnPolicies),
        Some(denial) => Decision::Denied(denial),
    }
}

/// Whether a key policy lets a caller act, directly or through the caller's account, and does not deny it. This is the
/// check of AWS that a new policy does not lock its author out.
pub fn admits(policy: &Policy, arn: &str, request: &Request<'_>) -> bool {
    policy.names(Effect::Allow, arn, request) > Named::No && policy.names(Effect::Deny, arn, request) == Named::No
}

impl Own<'_> {
    fn denial(&self, resource: &str, request: &Request<'_>) -> Option<Denial> {
        let denies = |policies: &[Policy]| policies.iter().any(|one| one.applies(Effect::Deny, resource, request));
        if denies(self.identity) {
            return Some(Denial::ExplicitInIdentityPolicy);
        }
        denies(self.session.unwrap_or_default()).then_some(Denial::ExplicitInSessionPolicy)
    }

    /// What is missing, if the caller's own policies do not allow the action.
    fn lacking(&self, resource: &str, request: &Request<'_>) -> Option<Denial> {
        // The root of an account has all permissions in it.
        let root = request.caller.arn.ends_with(":root");
        if !root && !allows(self.identity, resource, request) {
            return Some(Denial::NoIdentityPolicy);
        }
        self.lacking_session(resource, request)
    }

    fn lacking_session(&self, resource: &str, request: &Request<'_>) -> Option<Denial> {
        self.session.filter(|policies| !allows(policies, resource, request)).map(|_| Denial::NoSessionPolicy)
    }
}

fn allows(policies: &[Policy], resource: &str, request: &Request<'_>) -> bool {
    policies.iter().any(|one| one.applies(Effect::Allow, resource, request))
}
