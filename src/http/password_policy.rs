//! The global password policy.

use super::answer::Json;
use super::body::{Body, optional};
use super::error::Problem;
use super::guard::Authorized;
use crate::domain::password::PasswordPolicy;
use crate::service::Services;
use crate::service::access::Administer;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! policy {
    ($($(#[$doc:meta])* $member:ident: $type:ty,)*) => {
        /// The policy as it is to be. Members that are not given are left as they are.
        #[derive(Deserialize, ToSchema)]
        #[schema(as = PasswordPolicyRequest)]
        pub struct PolicyBody {
            $($(#[$doc])* #[serde(default, deserialize_with = "optional")] $member: Option<$type>,)*
        }

        /// The policy.
        #[derive(Serialize, ToSchema)]
        #[schema(as = PasswordPolicy)]
        pub struct PolicyView { $($(#[$doc])* $member: $type,)* }

        impl PolicyBody {
            fn over(self, now: PasswordPolicy) -> PasswordPolicy {
                PasswordPolicy { $($member: self.$member.unwrap_or(now.$member),)* }
            }
        }

        impl PolicyView {
            fn of(policy: PasswordPolicy) -> Self {
                Self { $($member: policy.$member,)* }
            }
        }
    };
}

policy! {
    /// At least so many upper-case letters.
    inclusive_min_upper_case: u32,
    /// At least so many lower-case letters.
    inclusive_min_lower_case: u32,
    /// At least so many digits.
    inclusive_min_digits: u32,
    /// At least so many other characters.
    inclusive_min_other: u32,
    /// At least so many characters.
    inclusive_min_total_length: u32,
    /// At most so many characters.
    inclusive_max_total_length: u32,
    /// So many last passwords may not be used again.
    password_history_threshold: u32,
    /// Days until a password must be changed; 0: never.
    password_lifetime: u32,
    /// Days before a user may change it again.
    password_change_min_days: u32,
    /// Minutes of lockout after each failure in a row.
    failed_logins_lockout_thresholds: Vec<u32>,
}

/// `GET /v1/usermgmt/pwdpolicies/global`
pub async fn get(who: Authorized<Administer>, services: Data<Services>) -> Json<PolicyView> {
    Json(PolicyView::of(services.users.policy(&who.permit)))
}

/// `PATCH /v1/usermgmt/pwdpolicies/global`
pub async fn update(
    who: Authorized<Administer>,
    body: Body<PolicyBody>,
    services: Data<Services>,
) -> Result<Json<PolicyView>, Problem> {
    let policy = body.0.over(services.users.policy(&who.permit));
    let policy = services.users.change_policy(who.permit, &who.context, policy).await?;
    Ok(Json(PolicyView::of(policy)))
}
