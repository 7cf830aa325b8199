//! The global password policy.

use super::answer::Json;
use super::body::{Body, optional};
use super::error::Problem;
use super::guard::Authorized;
use crate::domain::password::PasswordPolicy;
use crate::domain::password::patch::PasswordPolicyPatch;
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
        pub struct PasswordPolicyBody {
            $($(#[$doc])* #[serde(default, deserialize_with = "optional")] $member: Option<$type>,)*
        }

        /// The password policy.
        #[derive(Serialize, ToSchema)]
        #[schema(as = PasswordPolicy)]
        pub struct PasswordPolicyView { $($(#[$doc])* $member: $type,)* }

        impl PasswordPolicyBody {
            fn patch(self) -> PasswordPolicyPatch {
                PasswordPolicyPatch { $($member: self.$member,)* }
            }
        }

        impl PasswordPolicyView {
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

/// `GET /v1/usermgmt/pwdpolicies/global`
pub async fn get(auth: Authorized<Administer>, services: Data<Services>) -> Json<PasswordPolicyView> {
    Json(PasswordPolicyView::of(services.users.policy(&auth.permit)))
}

/// `PATCH /v1/usermgmt/pwdpolicies/global`
pub async fn update(
    auth: Authorized<Administer>,
    body: Body<PasswordPolicyBody>,
    services: Data<Services>,
) -> Result<Json<PasswordPolicyView>, Problem> {
    let policy = services.users.change_policy(auth.permit, &auth.context, body.0.patch()).await?;
    Ok(Json(PasswordPolicyView::of(policy)))
}
