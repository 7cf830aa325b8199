//! AssumeRole. As in AWS, it has the same answer for an unknown role, a caller that is not trusted and a wrong external
//! id.

use chrono::{DateTime, Utc};

use super::credentials;
use super::parameters::{
    EXTERNAL_ID, ROLE_ARN, ROLE_SESSION_NAME, SOURCE_IDENTITY, check_role_arn, refuse_mfa, role_duration,
};
use crate::lab::caller::{Caller, Principal, session_arn};
use crate::lab::constraint::Constraints;
use crate::lab::plan::{Account, LabPlan, Role, Trust};
use crate::lab::refusal::Refusal;
use crate::lab::session::{Holder, SessionContext, Sessions};
use crate::lab::session_policy::{SessionPolicies, packed_size};
use crate::lab::session_tag::{self, SessionTag};
use crate::lab::wire::query::Parameters;
use crate::lab::wire::xml::Element;
use crate::policy::evaluate::Decision;

const MAX_CHAINED_DURATION: i64 = 3600;

pub(super) fn assume_role(
    plan: &LabPlan,
    sessions: &Sessions,
    caller: &Caller<'_>,
    parameters: &Parameters,
    now: DateTime<Utc>,
) -> Result<Vec<Element>, Refusal> {
    let request = Request::read(parameters)?;
    let tags = session_tag::combine(&caller.context.tags, request.tags, &request.transitive_keys)?;
    let refused = || Refusal::RoleDenied { caller: caller.arn(), role: request.role_arn.to_owned() };
    let (account, role) = role_of(plan, request.role_arn).ok_or_else(refused)?;
    if !may_assume(account, role, caller, request.external_id) {
        return Err(refused());
    }
    if request.has_tags {
        caller.require("sts:TagSession", Some(request.role_arn.to_owned()))?;
    }
    check_duration(role, request.seconds)?;
    if matches!(caller.principal, Principal::RoleSession(..)) && request.seconds > MAX_CHAINED_DURATION {
        let fault =
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
        return Err(Refusal::Invalid(fault.to_owned()));
    }
    if let Some(policies) = &request.policies {
        policies.check(plan, &account.id)?;
    }
    let packed = packed_size(request.policies.as_ref(), &tags)?;
    let holder = Holder::Role { role: role.identity.name.clone(), session: request.session_name.to_owned() };
    let context = SessionContext { policies: request.policies, tags };
    let given = sessions.issue(&account.id, holder, context, request.seconds, now)?;
    let mut answer = vec![assumed_role_user(account, role, request.session_name), credentials(&given)];
    answer.extend(packed.map(|percent| Element::number("PackedPolicySize", percent)));
    answer.extend(request.source_identity.map(|source| Element::of("SourceIdentity", source)));
    Ok(answer)
}

/// The parameters of AssumeRole.
struct Request<'a> {
    role_arn: &'a str,
    session_name: &'a str,
    external_id: Option<&'a str>,
    source_identity: Option<&'a str>,
    seconds: i64,
    policies: Option<SessionPolicies>,
    tags: Vec<SessionTag>,
    transitive_keys: Vec<&'a str>,
    has_tags: bool,
}

impl<'a> Request<'a> {
    fn read(parameters: &'a Parameters) -> Result<Request<'a>, Refusal> {
        let mut constraints = Constraints::default();
        let role_arn = constraints.text(parameters, &ROLE_ARN);
        let session_name = constraints.text(parameters, &ROLE_SESSION_NAME);
        let external_id = constraints.text(parameters, &EXTERNAL_ID);
        let source_identity = constraints.text(parameters, &SOURCE_IDENTITY);
        let seconds = role_duration(parameters, &mut constraints);
        let policies = SessionPolicies::read(parameters, &mut constraints);
        let tags = session_tag::read(parameters, &mut constraints);
        let transitive_keys = parameters.list("TransitiveTagKeys.member");
        constraints.finish()?;
        let (Some(role_arn), Some(session_name)) = (role_arn, session_name) else { return Err(Refusal::Internal) };
        check_role_arn(role_arn)?;
        refuse_mfa(parameters)?;
        let has_tags = !tags.is_empty();
        Ok(Request {
            role_arn,
            session_name,
            external_id,
            source_identity,
            seconds,
            policies,
            tags,
            transitive_keys,
            has_tags,
        })
    }
}

/// The role with an ARN.
pub(super) fn role_of<'a>(plan: &'a LabPlan, arn: &str) -> Option<(&'a Account, &'a Role)> {
    let account = plan.account(arn.split(':').nth(4)?)?;
    Some((account, account.roles.iter().find(|role| role.identity.arn == arn)?))
}

/// Checks a duration against the limit of the role.
pub(super) fn check_duration(role: &Role, seconds: i64) -> Result<(), Refusal> {
    match seconds > role.max_session {
        true => Err(Refusal::Invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".to_owned(),
        )),
        false => Ok(()),
    }
}

/// The `AssumedRoleUser` of an answer.
pub(super) fn assumed_role_user(account: &Account, role: &Role, session: &str) -> Element {
    Element::new("AssumedRoleUser")
        .text("AssumedRoleId", &format!("{}:{session}", role.identity.id))
        .text("Arn", &session_arn(account, role, session))
}

/// Whether the role's trust policy, the caller's permissions and the external id allow AssumeRole.
fn may_assume(account: &Account, role: &Role, caller: &Caller<'_>, external_id: Option<&str>) -> bool {
    let by_name = role.trusts.contains(&Trust::Principal(caller.identity().arn.clone()));
    let by_account =
        role.trusts.iter().any(|trust| *trust == Trust::Anyone || *trust == Trust::Account(caller.account.id.clone()));
    // AWS refuses STS to federated users, but for GetCallerIdentity.
    let federated = matches!(caller.principal, Principal::Federated(..));
    let trusted = !federated
        && match caller.decide("sts:AssumeRole", Some(&role.identity.arn)) {
            Decision::Allowed(_) => by_name || by_account,
            Decision::Denied(denial) if denial.is_explicit() => false,
            // Within one account a trust policy that names the principal is sufficient.
            Decision::Denied(_) => by_name && caller.account.id == account.id && caller.context.policies.is_none(),
        };
    // A role without an external id accepts any.
    let expected = role.external_id.as_deref();
    trusted && caller.account.partition == account.partition && (expected.is_none() || expected == external_id)
}
