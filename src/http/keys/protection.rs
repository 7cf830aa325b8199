//! Members that ask for protection, in bodies of calls that do not give it. They are refused, never ignored.

use crate::domain::key_store::caller_rules::CallerRules;
use crate::domain::refusal::Refusal;
use crate::http::body::optional;
use crate::http::key_stores::CallerRulesBody;
use crate::service::failure::invalid;
use serde::Deserialize;
use utoipa::ToSchema;

/// Members that another call has. Only their empty values are accepted.
#[derive(Deserialize, Default, ToSchema)]
pub(super) struct ProtectionBody {
    /// Must be empty: another call sets the callers that a key serves.
    #[serde(default, deserialize_with = "optional")]
    caller_rules: Option<CallerRulesBody>,
    /// Must be empty but for values that ask for nothing: other calls change it.
    #[serde(default, deserialize_with = "optional")]
    local_hosted_params: Option<BlockedBody>,
}

#[derive(Deserialize, Default, ToSchema)]
#[schema(as = BlockedParams)]
struct BlockedBody {
    /// Must be false.
    #[serde(default, deserialize_with = "optional")]
    blocked: Option<bool>,
}

impl ProtectionBody {
    /// # Errors
    /// When the body asks for protection.
    pub(super) fn refuse(self) -> Result<(), Refusal> {
        if self.caller_rules.is_some_and(|rules| rules.rules() != CallerRules::default()) {
            return Err(invalid(
                "caller_rules",
                "is not for this call: POST keys/{id}/caller-rules sets it for a HYOK key",
            ));
        }
        if self.local_hosted_params.is_some_and(|local| local.blocked == Some(true)) {
            let problem = "is not for this call: POST keys/{id}/block blocks a HYOK key";
            return Err(invalid("local_hosted_params.blocked", problem));
        }
        Ok(())
    }
}
