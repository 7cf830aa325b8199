//! Temporary credentials of users: GetSessionToken and GetFederationToken.

use chrono::{DateTime, Utc};

use super::parameters::{MIN_DURATION, NAME, refuse_mfa};
use super::{access_denied, credentials};
use crate::lab::caller::{Caller, Principal, federated_arn};
use crate::lab::constraint::Constraints;
use crate::lab::plan::LabPlan;
use crate::lab::refusal::Refusal;
use crate::lab::session::{Holder, SessionContext, Sessions};
use crate::lab::session_policy::{SessionPolicies, packed_size};
use crate::lab::session_tag;
use crate::lab::wire::query::Parameters;
use crate::lab::wire::xml::Element;

/// AWS's limits for the duration of users' sessions, in seconds.
const MAX_DURATION: i64 = 129_600;
const DEFAULT_DURATION: i64 = 43_200;

pub(super) fn get_session_token(
    sessions: &Sessions,
    caller: &Caller<'_>,
    parameters: &Parameters,
    now: DateTime<Utc>,
) -> Result<Vec<Element>, Refusal> {
    let Principal::User(user) = caller.principal else {
        return Err(access_denied("Cannot call GetSessionToken with session credentials"));
    };
    let mut constraints = Constraints::default();
    let seconds = duration(parameters, &mut constraints);
    constraints.finish()?;
    refuse_mfa(parameters)?;
    let holder = Holder::User(user.identity.name.clone());
    let given = sessions.issue(&caller.account.id, holder, SessionContext::default(), seconds, now)?;
    Ok(vec![credentials(&given)])
}

/// GetFederationToken: a session may do what the user and the policies of the request allow; without policies nothing.
pub(super) fn get_federation_token(
    plan: &LabPlan,
    sessions: &Sessions,
    caller: &Caller<'_>,
    parameters: &Parameters,
    now: DateTime<Utc>,
) -> Result<Vec<Element>, Refusal> {
    let Principal::User(user) = caller.principal else {
        return Err(access_denied("Cannot call GetFederationToken with session credentials"));
    };
    let mut constraints = Constraints::default();
    let name = constraints.text(parameters, &NAME);
    let seconds = duration(parameters, &mut constraints);
    let policies = SessionPolicies::read(parameters, &mut constraints);
    let tags = session_tag::read(parameters, &mut constraints);
    constraints.finish()?;
    let name = name.ok_or(Refusal::Internal)?;
    let tags = session_tag::combine(&[], tags, &[])?;
    let (account, arn) = (caller.account, federated_arn(caller.account, name));
    caller.require("sts:GetFederationToken", Some(arn.clone()))?;
    if !tags.is_empty() {
        caller.require("sts:TagSession", Some(arn.clone()))?;
    }
    if let Some(policies) = &policies {
        policies.check(plan, &account.id)?;
    }
    // Other than AssumeRole, the operation always answers a size.
    let packed = packed_size(policies.as_ref(), &tags)?.unwrap_or(0);
    let holder = Holder::Federated { user: user.identity.name.clone(), name: name.to_owned() };
    let context = SessionContext { policies: Some(policies.unwrap_or_default()), tags };
    let given = sessions.issue(&account.id, holder, context, seconds, now)?;
    let user =
        Element::new("FederatedUser").text("FederatedUserId", &format!("{}:{name}", account.id)).text("Arn", &arn);
    Ok(vec![credentials(&given), user, Element::number("PackedPolicySize", packed)])
}

fn duration(parameters: &Parameters, constraints: &mut Constraints) -> i64 {
    constraints.number(parameters, "DurationSeconds", (MIN_DURATION, MAX_DURATION), DEFAULT_DURATION)
}
