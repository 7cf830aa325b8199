//! Who may do what with a key, as far as its policy and its grants say it: the policies of the caller's own account are
//! not known here, nor is what a request says, so that an answer can depend on them.

use std::collections::BTreeMap;

use super::actions::works_across_accounts;
use super::document::{Effect, Reading, Selection, Statement};
use super::grant::Grant;
use super::principal::{Named, Principal};
use super::request::{Caller, Context, Request};

/// A user, a role, a session, an account or a service about which is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Caller {
        caller: Caller,
        known: Context,
    },
    /// A service of AWS, an identity provider, or the unique id of somebody who was deleted.
    Other(Principal),
}

/// What may be done, from the least on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// A statement denies it, whatever else allows it.
    Denied,
    /// Nothing allows it.
    NotAllowed,
    /// A part of the policy could not be read, and may decide it.
    NotKnown,
    /// The account is allowed it, and its own policies decide for each user and role.
    IamDecides,
    /// A condition decides it.
    Depends,
    Allowed,
}

impl Verdict {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::NotAllowed => "not_allowed",
            Self::NotKnown => "not_known",
            Self::IamDecides => "iam_decides",
            Self::Depends => "depends",
            Self::Allowed => "allowed",
        }
    }

    /// Whether it is possible that the subject may do it.
    pub fn is_possible(self) -> bool {
        self > Self::NotAllowed
    }
}

/// A key of which is asked.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    pub arn: &'a str,
    pub account: &'a str,
    pub reading: &'a Reading,
    pub grants: &'a [Grant],
}

impl Subject {
    /// Reads the ARN of a user, a role, a session or an account's root, the id of an account, the name of a service, the
    /// ARN or domain of an identity provider, or the unique id of a user or role; `None` for anything else.
    pub fn parse(text: &str) -> Option<Subject> {
        let is_service = text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn");
        if is_service && !text.contains(['*', '/', ':']) {
            return Some(Subject::Other(Principal::Service(text.to_owned())));
        }
        match Principal::parse("AWS", text) {
            None => is_identity_provider(text).then(|| Subject::Other(Principal::Federated(text.to_owned()))),
            Some(Principal::Anyone) => None,
            Some(Principal::Account { id, partition }) => {
                let arn = format!("arn:{}:iam::{id}:root", partition.as_deref().unwrap_or("aws"));
                // The ARN of the caller is that of some user or role of the account.
                Some(Self::caller(id, arn.clone(), arn, false))
            }
            Some(Principal::Arn(arn)) => {
                let account = arn.split(':').nth(4)?.to_owned();
                let issuer = role_of_session(&arn).unwrap_or_else(|| arn.clone());
                // A session does not say the path of its role, which is part of the role's ARN.
                let is_own = issuer == arn;
                Some(Self::caller(account, arn, issuer, is_own))
            }
            Some(other @ (Principal::Id(_) | Principal::Service(_) | Principal::Federated(_))) => {
                Some(Subject::Other(other))
            }
        }
    }

    fn caller(account: String, arn: String, issuer: String, arn_is_known: bool) -> Subject {
        let mut known = Context::default();
        known.set("kms:CallerAccount", account.as_str());
        known.set("aws:PrincipalAccount", account.as_str());
        if arn_is_known {
            known.set("aws:PrincipalArn", issuer.as_str());
        }
        Subject::Caller { caller: Caller { account, arn, issuer }, known }
    }

    /// The principal that the subject is.
    pub fn principal(&self) -> Principal {
        match self {
            Self::Caller { caller, .. } if caller.is_root() => {
                Principal::Account { id: caller.account.clone(), partition: None }
            }
            Self::Caller { caller, .. } => Principal::Arn(caller.arn.clone()),
            Self::Other(principal) => principal.clone(),
        }
    }

    /// The ARNs by which a grant can name the subject as its grantee; `None` if it can be for others too.
    pub fn grantees(&self) -> Option<Vec<String>> {
        let Self::Caller { caller, .. } = self else { return None };
        if caller.is_root() {
            return None;
        }
        let partition = caller.arn.split(':').nth(1).unwrap_or("aws");
        let root = format!("arn:{partition}:iam::{}:root", caller.account);
        let mut all = vec![caller.arn.clone(), caller.issuer.clone(), root];
        all.dedup();
        Some(all)
    }

    /// Whether the subject is an account of which a principal is a user, a role or a session.
    fn has(&self, principal: &Principal) -> bool {
        match (self, principal) {
            (Self::Caller { caller, .. }, Principal::Arn(arn)) => {
                caller.is_root() && is_of_account(arn, &caller.account)
            }
            (Self::Caller { .. } | Self::Other(_), _) => false,
        }
    }

    fn is_named_by(&self, principal: &Principal) -> Named {
        match self {
            Self::Caller { caller, .. } => principal.names(caller),
            Self::Other(own) if own == principal || *principal == Principal::Anyone => Named::ByIssuer,
            Self::Other(_) => Named::No,
        }
    }
}

/// Whether a text is the ARN of an identity provider, or the domain of one, such as `accounts.google.com`.
fn is_identity_provider(text: &str) -> bool {
    let is_domain = text.matches('.').count() > 1 && !text.contains([':', '/']);
    let is_arn = ["oidc-provider/", "saml-provider/"].iter().any(|kind| {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        matches!(parts[..], ["arn", _, "iam", "", account, name] if account.len() == 12 && name.starts_with(kind))
    });
    (is_domain || is_arn) && Principal::parse("Federated", text).is_some()
}

/// The ARN of the role of a session. A session does not say the path of its role.
fn role_of_session(arn: &str) -> Option<String> {
    let (head, rest) = arn.split_once(":assumed-role/")?;
    let (role, _) = rest.split_once('/')?;
    Some(format!("{}:role/{role}", head.replacen(":sts:", ":iam:", 1)))
}

/// Whether a statement is about a subject; [`Named::No`] also if its conditions exclude the subject for certain.
/// `true` if other conditions remain.
pub fn concerns(target: &Target<'_>, statement: &Statement, subject: &Subject) -> (Named, bool) {
    let variables = target.reading.policy.has_variables();
    let empty = Context::default();
    let known = match subject {
        Subject::Caller { known, .. } => known,
        Subject::Other(_) => &empty,
    };
    let judged = statement.conditions.iter().map(|condition| condition.judge(known, variables));
    let (mut open, mut excluded) = (false, false);
    judged.for_each(|holds| match holds {
        None => open = true,
        Some(holds) => excluded |= !holds,
    });
    let variable = variables && statement.resources.items.iter().any(|resource| resource.contains("${"));
    if excluded || !statement.applies_to(target.arn, variables) {
        return (Named::No, false);
    }
    let has_some = |principals: &Selection<Principal>| {
        !principals.all_but && principals.items.iter().any(|principal| subject.has(principal))
    };
    match statement.names(|principal| subject.is_named_by(principal)) {
        // It is about some of the account's users and roles.
        Named::No if statement.principals.as_ref().is_some_and(has_some) => (Named::ByIssuer, true),
        named => (named, open || variable),
    }
}

/// Decides what is known about an action such as `kms:Decrypt`.
pub fn decide(target: &Target<'_>, subject: &Subject, action: &str) -> Verdict {
    if let Subject::Caller { caller, .. } = subject
        && caller.account != target.account
        && !works_across_accounts(action)
    {
        return Verdict::NotAllowed;
    }
    if let Subject::Other(principal @ Principal::Id(_)) = subject {
        // AWS shows the id of a user or role only once that is deleted, and nobody can be it any more. Any other id is
        // that of somebody whose ARN is not known here.
        let named = target.reading.policy.principals().any(|named| named == principal);
        return if named { Verdict::NotAllowed } else { Verdict::NotKnown };
    }
    let mut may_be_denied = false;
    let mut best = Verdict::NotAllowed;
    for statement in target.reading.policy.statements().iter().filter(|statement| statement.is_about(action)) {
        let (named, open) = concerns(target, statement, subject);
        match (statement.effect, named) {
            // AWS checks the account, the role and the session one after the other: each must be named to be spared.
            (Effect::Deny, Named::No) => may_be_denied |= spares_in_part(target, statement, subject),
            (Effect::Allow, Named::No) => {}
            (Effect::Deny, _) if !open => return Verdict::Denied,
            (Effect::Deny, _) => may_be_denied = true,
            (Effect::Allow, named) => best = best.max(allowed(target, subject, named, open)),
        }
    }
    for grant in target.grants {
        let constrained = grant.constraints.concern(action);
        best = best.max(match granted(grant, subject, action) {
            Named::No if is_granted_to_some(grant, subject, action) => allowed(target, subject, Named::ByIssuer, true),
            Named::No => Verdict::NotAllowed,
            named => allowed(target, subject, named, constrained),
        });
    }
    match (best, target.reading.not_understood.is_empty()) {
        (_, false) => Verdict::NotKnown,
        (Verdict::Allowed, true) if may_be_denied => Verdict::Depends,
        (best, true) => best,
    }
}

/// Whether a denial that is about everybody but some spares the subject, and not its account by name.
fn spares_in_part(target: &Target<'_>, statement: &Statement, subject: &Subject) -> bool {
    let (Some(principals), Subject::Caller { caller, .. }) = (&statement.principals, subject) else { return false };
    let names_account =
        |principal: &Principal| matches!(principal, Principal::Account { id, .. } if *id == caller.account);
    principals.all_but
        && statement.applies_to(target.arn, target.reading.policy.has_variables())
        && !principals.items.iter().any(|principal| names_account(principal) || *principal == Principal::Anyone)
}

/// Whether a grant allows an action to a user or a role of the account that the subject is.
fn is_granted_to_some(grant: &Grant, subject: &Subject, action: &str) -> bool {
    let operation = action.strip_prefix("kms:").unwrap_or(action);
    subject.has(&Principal::Arn(grant.grantee.clone())) && grant.operations.iter().any(|one| one == operation)
}

fn is_of_account(arn: &str, account: &str) -> bool {
    arn.split(':').nth(4) == Some(account)
}

/// Callers of other accounts, and those of the own account that only their account names, need a policy of their own.
fn allowed(target: &Target<'_>, subject: &Subject, named: Named, open: bool) -> Verdict {
    let own_policies = match subject {
        Subject::Caller { caller, .. } => {
            let root = caller.is_root() && caller.account == target.account;
            !root && (named == Named::ByAccount || caller.account != target.account)
        }
        Subject::Other(_) => false,
    };
    match (own_policies, open) {
        (true, _) => Verdict::IamDecides,
        (false, true) => Verdict::Depends,
        (false, false) => Verdict::Allowed,
    }
}

/// How a grant allows a subject an action, if the constraints are met.
pub fn granted(grant: &Grant, subject: &Subject, action: &str) -> Named {
    match subject {
        Subject::Caller { caller, known } => {
            let request = Request { caller, action, context: known, encryption_context: None };
            grant.names(&request)
        }
        Subject::Other(Principal::Service(service)) => {
            let operation = action.strip_prefix("kms:").unwrap_or(action);
            let named = grant.grantee == *service && grant.operations.iter().any(|one| one == operation);
            if named { Named::ByIssuer } else { Named::No }
        }
        Subject::Other(_) => Named::No,
    }
}

/// The constraint of a grant in words, if it has one.
pub fn constraint_in_words(grant: &Grant) -> Option<String> {
    let pairs = |pairs: &BTreeMap<String, String>| {
        pairs.iter().map(|(name, value)| format!("`{name}` is {value}")).collect::<Vec<_>>().join(" and ")
    };
    match (&grant.constraints.equals, &grant.constraints.subset) {
        (Some(equals), _) => Some(format!("the encryption context is exactly this: {}", pairs(equals))),
        (None, Some(subset)) => Some(format!("in the encryption context {}", pairs(subset))),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests;
