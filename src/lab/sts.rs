//! STS: GetCallerIdentity, AssumeRole and GetSessionToken.
//!
//! As in AWS, AssumeRole has the same answer for an unknown role, a caller that is not trusted and a wrong external id.

use chrono::{DateTime, SecondsFormat, Utc};

use super::caller::{Caller, Principal, session_arn};
use super::constraint::{Constraints, Text};
use super::permission::Decision;
use super::plan::{Account, LabPlan, Role, Trust};
use super::refusal::Refusal;
use super::service::Service;
use super::session::{Credentials, Holder, Sessions};
use super::wire::query::Parameters;
use super::wire::xml::Element;

/// AWS's limits for the duration of sessions, in seconds.
const MIN_DURATION: i64 = 900;
const MAX_ROLE_DURATION: i64 = 43_200;
const DEFAULT_ROLE_DURATION: i64 = 3600;
const MAX_CHAINED_DURATION: i64 = 3600;
const MAX_USER_DURATION: i64 = 129_600;
const DEFAULT_USER_DURATION: i64 = 43_200;

/// Answers an operation of STS.
///
/// # Errors
/// The refusal that AWS would answer.
pub(super) fn answer(
    plan: &LabPlan,
    sessions: &Sessions,
    caller: &Caller<'_>,
    operation: &str,
    parameters: &Parameters,
    now: DateTime<Utc>,
) -> Result<Vec<Element>, Refusal> {
    match operation {
        "GetCallerIdentity" => Ok(get_caller_identity(caller)),
        "AssumeRole" => assume_role(plan, sessions, caller, parameters, now),
        "GetSessionToken" => get_session_token(sessions, caller, parameters, now),
        _ => Err(Refusal::OperationUnknown {
            operation: operation.to_owned(),
            version: Service::Sts.version().to_owned(),
        }),
    }
}

/// GetCallerIdentity needs no permission.
fn get_caller_identity(caller: &Caller<'_>) -> Vec<Element> {
    vec![
        Element::of("Arn", &caller.arn()),
        Element::of("UserId", &caller.id()),
        Element::of("Account", &caller.account.id),
    ]
}

fn assume_role(
    plan: &LabPlan,
    sessions: &Sessions,
    caller: &Caller<'_>,
    parameters: &Parameters,
    now: DateTime<Utc>,
) -> Result<Vec<Element>, Refusal> {
    let request = AssumeRoleParameters::read(parameters)?;
    let refused = || Refusal::RoleDenied { caller: caller.arn(), role: request.role_arn.to_owned() };
    let (account, role) = role_of(plan, request.role_arn).ok_or_else(refused)?;
    if !may_assume(account, role, caller, request.external_id) {
        return Err(refused());
    }
    if request.seconds > role.max_session {
        let fault = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(Refusal::Invalid(fault.to_owned()));
    }
    if matches!(caller.principal, Principal::RoleSession(..)) && request.seconds > MAX_CHAINED_DURATION {
        let fault =
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
        return Err(Refusal::Invalid(fault.to_owned()));
    }
    let holder = Holder::Role { role: role.identity.name.clone(), session: request.session_name.to_owned() };
    let given = sessions.issue(&account.id, holder, request.seconds, now)?;
    let user = Element::new("AssumedRoleUser")
        .text("AssumedRoleId", &format!("{}:{}", role.identity.id, request.session_name))
        .text("Arn", &session_arn(account, role, request.session_name));
    let mut answer = vec![user, credentials(&given)];
    answer.extend(request.source_identity.map(|source| Element::of("SourceIdentity", source)));
    Ok(answer)
}

/// The parameters of AssumeRole.
struct AssumeRoleParameters<'a> {
    role_arn: &'a str,
    session_name: &'a str,
    external_id: Option<&'a str>,
    source_identity: Option<&'a str>,
    seconds: i64,
}

impl<'a> AssumeRoleParameters<'a> {
    fn read(parameters: &'a Parameters) -> Result<AssumeRoleParameters<'a>, Refusal> {
        let mut constraints = Constraints::default();
        let role_arn = constraints.text(parameters, &ROLE_ARN);
        let session_name = constraints.text(parameters, &ROLE_SESSION_NAME);
        let external_id = constraints.text(parameters, &EXTERNAL_ID);
        let source_identity = constraints.text(parameters, &SOURCE_IDENTITY);
        let seconds =
            constraints.number(parameters, "DurationSeconds", (MIN_DURATION, MAX_ROLE_DURATION), DEFAULT_ROLE_DURATION);
        constraints.finish()?;
        let (Some(role_arn), Some(session_name)) = (role_arn, session_name) else { return Err(Refusal::Internal) };
        if !role_arn.starts_with("arn:") || role_arn.splitn(6, ':').count() < 6 {
            return Err(Refusal::Invalid(format!("{role_arn} is invalid")));
        }
        refuse_unsupported(parameters)?;
        Ok(AssumeRoleParameters { role_arn, session_name, external_id, source_identity, seconds })
    }
}

/// Refuses session policies and MFA. A session policy restricts the permissions of a session; if the lab ignored it,
/// the session would have more permissions than in AWS.
fn refuse_unsupported(parameters: &Parameters) -> Result<(), Refusal> {
    let narrowing = ["Policy", "PolicyArns.member.1.arn"].into_iter().find(|name| parameters.get(name).is_some());
    if let Some(name) = narrowing {
        return Err(Refusal::Invalid(format!("{name}: the lab cloud does not evaluate session policies")));
    }
    if parameters.get("TokenCode").is_some() || parameters.get("SerialNumber").is_some() {
        return Err(Refusal::Special {
            status: 403,
            code: "AccessDenied",
            message: "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial \
                      number is valid and associated with this user."
                .to_owned(),
        });
    }
    Ok(())
}

fn role_of<'a>(plan: &'a LabPlan, arn: &str) -> Option<(&'a Account, &'a Role)> {
    let account = plan.account(arn.split(':').nth(4)?)?;
    Some((account, account.roles.iter().find(|role| role.identity.arn == arn)?))
}

/// Whether the role's trust policy, the caller's permissions and the external id allow AssumeRole.
fn may_assume(account: &Account, role: &Role, caller: &Caller<'_>, external_id: Option<&str>) -> bool {
    let by_name = role.trusts.contains(&Trust::Principal(caller.identity().arn.clone()));
    let by_account =
        role.trusts.iter().any(|trust| *trust == Trust::Anyone || *trust == Trust::Account(caller.account.id.clone()));
    let trusted = match caller.permissions().decide("sts:AssumeRole") {
        Decision::ExplicitDeny => false,
        Decision::Allowed => by_name || by_account,
        // Within one account a trust policy that names the principal is sufficient.
        Decision::ImplicitDeny => by_name && caller.account.id == account.id,
    };
    // A role without an external id accepts any.
    let expected = role.external_id.as_deref();
    trusted && caller.account.partition == account.partition && (expected.is_none() || expected == external_id)
}

fn get_session_token(
    sessions: &Sessions,
    caller: &Caller<'_>,
    parameters: &Parameters,
    now: DateTime<Utc>,
) -> Result<Vec<Element>, Refusal> {
    let Principal::User(user) = caller.principal else {
        return Err(Refusal::Special {
            status: 403,
            code: "AccessDenied",
            message: "Cannot call GetSessionToken with session credentials".to_owned(),
        });
    };
    let mut constraints = Constraints::default();
    let seconds =
        constraints.number(parameters, "DurationSeconds", (MIN_DURATION, MAX_USER_DURATION), DEFAULT_USER_DURATION);
    constraints.finish()?;
    refuse_unsupported(parameters)?;
    let holder = Holder::User(user.identity.name.clone());
    Ok(vec![credentials(&sessions.issue(&caller.account.id, holder, seconds, now)?)])
}

fn credentials(given: &Credentials) -> Element {
    Element::new("Credentials")
        .text("AccessKeyId", &given.access_key_id)
        .text("SecretAccessKey", given.secret_access_key.reveal())
        .text("SessionToken", given.token.reveal())
        .text("Expiration", &given.expires.to_rfc3339_opts(SecondsFormat::Secs, true))
}

const NAME_PATTERN: (&str, fn(char) -> bool) = (r"[\w+=,.@-]*", |c| word(c) || "+=,.@-".contains(c));

const ROLE_ARN: Text = Text {
    name: "RoleArn",
    required: true,
    length: (20, 2048),
    pattern: (r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+", |c| {
        matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}') || c >= '\u{a0}'
    }),
};
const ROLE_SESSION_NAME: Text =
    Text { name: "RoleSessionName", required: true, length: (2, 64), pattern: NAME_PATTERN };
const EXTERNAL_ID: Text = Text {
    name: "ExternalId",
    required: false,
    length: (2, 1224),
    pattern: (r"[\w+=,.@:\/-]*", |c| word(c) || "+=,.@:/-".contains(c)),
};
const SOURCE_IDENTITY: Text = Text { name: "SourceIdentity", required: false, length: (2, 64), pattern: NAME_PATTERN };

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
