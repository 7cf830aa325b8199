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
        /// A change of the password policy. A member that is absent keeps its value.
        #[derive(Deserialize, ToSchema)]
        #[schema(as = PasswordPolicyRequest)]
        pub struct PolicyBody {
            $($(#[$doc])* #[serde(default, deserialize_with = "optional")] $member: Option<$type>,)*
        }

        /// The password policy.
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
    /// The smallest number of upper-case letters.
    inclusive_min_upper_case: u32,
    /// The smallest number of lower-case letters.
    inclusive_min_lower_case: u32,
    /// The smallest number of digits.
    inclusive_min_digits: u32,
    /// The smallest number of other characters.
    inclusive_min_other: u32,
    /// The smallest number of characters.
    inclusive_min_total_length: u32,
    /// The largest number of characters.
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
