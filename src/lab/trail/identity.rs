//! The `userIdentity` of an event, by the kind of caller.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use crate::lab::caller::{Caller, Principal};

/// The caller of an authenticated call.
#[derive(Debug, Clone)]
pub(in crate::lab) struct Known {
    pub account: String,
    pub(super) identity: Value,
    /// What the account of a resource is shown of a caller of another account.
    pub(super) from_outside: Value,
}

impl Known {
    pub(in crate::lab) fn of(caller: &Caller<'_>) -> Known {
        let identity = caller.identity();
        let account = caller.account.id.as_str();
        let kind = match &caller.principal {
            Principal::User(_) | Principal::UserSession(_) => "IAMUser",
            Principal::RoleSession(..) => "AssumedRole",
            Principal::Federated(..) => "FederatedUser",
        };
        let mut shown = json!({
            "type": kind,
            "principalId": caller.id(),
            "arn": caller.arn(),
            "accountId": account,
            "accessKeyId": caller.access_key_id,
        });
        if kind == "IAMUser" {
            shown["userName"] = json!(identity.name);
        }
        if let Some(started) = caller.session_started {
            let issuer = match &caller.principal {
                Principal::RoleSession(..) => Some("Role"),
                Principal::Federated(..) => Some("IAMUser"),
                Principal::User(_) | Principal::UserSession(_) => None,
            };
            let created = started.to_rfc3339_opts(SecondsFormat::Secs, true);
            let mut context = json!({ "attributes": { "creationDate": created, "mfaAuthenticated": "false" } });
            if let Some(issuer) = issuer {
                context["sessionIssuer"] = json!({
                    "type": issuer,
                    "principalId": identity.id,
                    "arn": identity.arn,
                    "accountId": account,
                    "userName": identity.name,
                });
            }
            shown["sessionContext"] = context;
        }
        let from_outside = json!({ "type": "AWSAccount", "principalId": caller.id(), "accountId": account });
        Known { account: account.to_owned(), identity: shown, from_outside }
    }

    /// A caller who is known by a token of an OpenID Connect provider only, which is verified within the call.
    pub(in crate::lab) fn of_web_identity(account: &str) -> Known {
        let identity = json!({ "type": "WebIdentityUser" });
        Known { account: account.to_owned(), from_outside: identity.clone(), identity }
    }

    /// Adds what the answer says about the verified token.
    pub(in crate::lab) fn verified(&mut self, provider: &str, audience: &str, subject: &str) {
        self.identity["principalId"] = json!(format!("{provider}:{audience}:{subject}"));
        self.identity["userName"] = json!(subject);
        self.identity["identityProvider"] = json!(provider);
    }
}
