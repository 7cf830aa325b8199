//! Password policies.

use super::answer::{Created, Json, NoContent};
use super::body::{Body, optional, read_as, read_name, required};
use super::error::Problem;
use super::guard::Authorized;
use super::paging::{self, List, Listing};
use crate::domain::name::PasswordPolicyName;
use crate::domain::password::patch::PasswordPolicyPatch;
use crate::domain::password::policies::NamedPasswordPolicy;
use crate::domain::refusal::Refusal;
use crate::service::Services;
use crate::service::access::Administer;
use crate::service::failure::invalid;
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

macro_rules! policy {
    ($($(#[$doc:meta])* $member:ident: $type:ty,)*) => {
        /// A password policy to create or change. A member that is absent keeps its value; in a new policy it has the
        /// value of the global one.
        #[derive(Deserialize, ToSchema)]
        #[schema(as = PasswordPolicyRequest)]
        pub struct PasswordPolicyBody {
            /// The name of the policy. Required for a new policy; cannot be changed.
            #[serde(default, deserialize_with = "optional")]
            #[schema(example = "machines")]
            policy_name: Option<String>,
            /// Days before the end of a password at which clients can remind the user; 0 stands for never.
            #[serde(default, deserialize_with = "optional")]
            password_expiry_notification_days: Option<u32>,
            $($(#[$doc])* #[serde(default, deserialize_with = "optional")] $member: Option<$type>,)*
        }

        /// A password policy.
        #[derive(Serialize, ToSchema)]
        #[schema(as = PasswordPolicy)]
        pub struct PasswordPolicyView {
            /// The name of the policy; `global` for the policy of all users who have no other one.
            policy_name: String,
            /// Days before the end of a password at which clients can remind the user; 0 stands for never.
            password_expiry_notification_days: u32,
            $($(#[$doc])* $member: $type,)*
        }

        impl PasswordPolicyBody {
            fn patch(self) -> PasswordPolicyPatch {
                PasswordPolicyPatch {
                    password_expiry_notification_days: self.password_expiry_notification_days,
                    $($member: self.$member,)*
                }
            }
        }

        impl PasswordPolicyView {
            fn of(named: &NamedPasswordPolicy) -> Self {
                let policy = named.policy.clone();
                Self {
                    policy_name: named.name.to_string(),
                    password_expiry_notification_days: named.expiry_notification_days,
                    $($member: policy.$member,)*
                }
            }
        }
    };
}

policy! {
    /// The smallest number of upper-case letters.
    inclusive_min_upper_case: u32,
    /// The smallest number of lower-case letters.
    inclusive_min_lower_case: u32,
    /// The smallest number of digits.
    inclusive_min_digits: u32,
    /// The smallest number of other characters.
    inclusive_min_other: u32,
    /// The smallest number of characters; 0 in a change keeps the present number.
    inclusive_min_total_length: u32,
    /// The largest number of characters; 0 stands for the program's own limit, 1024.
    inclusive_max_total_length: u32,
    /// The number of previous passwords that cannot be used again.
    password_history_threshold: u32,
    /// Days until a password must be changed; 0 stands for never.
    password_lifetime: u32,
    /// Days until a user can change the password again.
    password_change_min_days: u32,
    /// The minutes of lockout after each consecutive failed login.
    failed_logins_lockout_thresholds: Vec<u32>,
}

/// `POST /v1/usermgmt/pwdpolicies`
pub async fn create(
    auth: Authorized<Administer>,
    body: Body<PasswordPolicyBody>,
    services: Data<Services>,
) -> Result<Created<PasswordPolicyView>, Problem> {
    let mut body = body.0;
    let name = read_name("policy_name", &required("policy_name", body.policy_name.take())?, PasswordPolicyName::parse)?;
    let made = services.password_policies.create(&auth.permit, &auth.context, name, body.patch()).await?;
    Ok(Created(PasswordPolicyView::of(&made)))
}

/// `GET /v1/usermgmt/pwdpolicies`
pub async fn list(
    auth: Authorized<Administer>,
    listing: Listing<NamedPasswordPolicy>,
    services: Data<Services>,
) -> Result<List<PasswordPolicyView>, Problem> {
    let page = services.password_policies.list(&auth.permit, &listing.0).await?;
    paging::answer(page, |policy: &Arc<NamedPasswordPolicy>| PasswordPolicyView::of(policy)).await
}

/// `GET /v1/usermgmt/pwdpolicies/{name}`
pub async fn get(
    auth: Authorized<Administer>,
    name: Path<String>,
    services: Data<Services>,
) -> Result<Json<PasswordPolicyView>, Problem> {
    let policy = services.password_policies.get(&auth.permit, &policy_name("name", &name)?)?;
    Ok(Json(PasswordPolicyView::of(&policy)))
}

/// `PATCH /v1/usermgmt/pwdpolicies/{name}`
pub async fn update(
    auth: Authorized<Administer>,
    name: Path<String>,
    body: Body<PasswordPolicyBody>,
    services: Data<Services>,
) -> Result<Json<PasswordPolicyView>, Problem> {
    let name = policy_name("name", &name)?;
    if body.0.policy_name.as_ref().is_some_and(|given| given != name.as_str()) {
        return Err(invalid("policy_name", "the name of a password policy cannot be changed").into());
    }
    let policy = services.password_policies.update(&auth.permit, &auth.context, name, body.0.patch()).await?;
    Ok(Json(PasswordPolicyView::of(&policy)))
}

/// `DELETE /v1/usermgmt/pwdpolicies/{name}`
pub async fn delete(
    auth: Authorized<Administer>,
    name: Path<String>,
    services: Data<Services>,
) -> Result<NoContent, Problem> {
    services.password_policies.delete(&auth.permit, &auth.context, policy_name("name", &name)?).await?;
    Ok(NoContent)
}

/// The name of a password policy in a path or a body.
pub fn policy_name(member: &'static str, text: &str) -> Result<PasswordPolicyName, Refusal> {
    read_as(member, text, PasswordPolicyName::parse)
}
