//! STS: identities and temporary credentials.
//!
//! - `assume_role.rs` AssumeRole; `web_identity.rs` AssumeRoleWithWebIdentity, which needs no signature
//! - `user_session.rs` GetSessionToken and GetFederationToken
//! - `parameters.rs` the parameters that these operations have in common

use chrono::{DateTime, Utc};

use super::caller::Caller;
use super::constraint::{Constraints, Text};
use super::key_id;
use super::plan::LabPlan;
use super::refusal::Refusal;
use super::service::Service;
use super::session::{Credentials, Sessions};
use super::wire::query::Parameters;
use super::wire::xml::Element;

mod assume_role;
mod parameters;
mod user_session;
mod web_identity;

pub(super) use web_identity::{ASSUME_ROLE_WITH_WEB_IDENTITY, assume_role_with_web_identity};

/// Answers a signed operation of STS.
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
        "GetAccessKeyInfo" => get_access_key_info(plan, caller, parameters),
        "AssumeRole" => assume_role::assume_role(plan, sessions, caller, parameters, now),
        "GetSessionToken" => user_session::get_session_token(sessions, caller, parameters, now),
        "GetFederationToken" => user_session::get_federation_token(plan, sessions, caller, parameters, now),
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

/// GetAccessKeyInfo tells the account of a key, whether or not the key is there.
fn get_access_key_info(plan: &LabPlan, caller: &Caller<'_>, parameters: &Parameters) -> Result<Vec<Element>, Refusal> {
    const ACCESS_KEY_ID: Text = Text {
        name: "AccessKeyId",
        required: true,
        length: (16, 128),
        pattern: (r"[\w]*", |c| c.is_ascii_alphanumeric() || c == '_'),
    };
    let mut constraints = Constraints::default();
    let id = constraints.text(parameters, &ACCESS_KEY_ID);
    constraints.finish()?;
    let id = id.ok_or(Refusal::Internal)?;
    caller.require("sts:GetAccessKeyInfo", None)?;
    let of_the_plan = plan.key_holder(id).map(|(account, _, _)| account.id.clone());
    let account = of_the_plan.or_else(|| key_id::account(id));
    let account = account.ok_or_else(|| Refusal::Invalid(format!("Invalid access key id: {id}")))?;
    Ok(vec![Element::of("Account", &account)])
}

/// The `Credentials` of an answer.
fn credentials(given: &Credentials) -> Element {
    Element::new("Credentials")
        .text("AccessKeyId", &given.access_key_id)
        .text("SecretAccessKey", given.secret_access_key.reveal())
        .text("SessionToken", given.token.reveal())
        .child(Element::time("Expiration", given.expires))
}

fn access_denied(message: &str) -> Refusal {
    Refusal::Special { status: 403, code: "AccessDenied", message: message.to_owned() }
}
