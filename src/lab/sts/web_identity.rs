//! AssumeRoleWithWebIdentity: a session of a role for the holder of a token, such as a pod of a Kubernetes cluster. The
//! request is not signed: the token proves who calls.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;

use super::parameters::{ROLE_ARN, ROLE_SESSION_NAME, WEB_IDENTITY_TOKEN, check_role_arn, role_duration};
use super::{access_denied, assume_role, credentials};
use crate::lab::constraint::Constraints;
use crate::lab::plan::{LabPlan, OidcProvider, Role, Trust};
use crate::lab::refusal::Refusal;
use crate::lab::session::{Holder, SessionContext, Sessions};
use crate::lab::session_policy::{SessionPolicies, packed_size};
use crate::lab::session_tag::{self, SessionTag};
use crate::lab::wire::query::Parameters;
use crate::lab::wire::xml::Element;
use crate::policy::pattern::matches;

/// The name of the operation.
pub(in crate::lab) const ASSUME_ROLE_WITH_WEB_IDENTITY: &str = "AssumeRoleWithWebIdentity";

/// Answers AssumeRoleWithWebIdentity.
///
/// # Errors
/// The refusal that AWS would answer.
pub(in crate::lab) fn assume_role_with_web_identity(
    plan: &LabPlan,
    sessions: &Sessions,
    parameters: &Parameters,
    now: DateTime<Utc>,
) -> Result<Vec<Element>, Refusal> {
    let mut constraints = Constraints::default();
    let role_arn = constraints.text(parameters, &ROLE_ARN);
    let session_name = constraints.text(parameters, &ROLE_SESSION_NAME);
    let token = constraints.text(parameters, &WEB_IDENTITY_TOKEN);
    let seconds = role_duration(parameters, &mut constraints);
    let policies = SessionPolicies::read(parameters, &mut constraints);
    constraints.finish()?;
    let (Some(role_arn), Some(session_name), Some(token)) = (role_arn, session_name, token) else {
        return Err(Refusal::Internal);
    };
    check_role_arn(role_arn)?;
    let providers = plan.account(role_arn.split(':').nth(4).unwrap_or_default());
    let providers = providers.map_or(&[][..], |account| account.oidc_providers.as_slice());
    let (provider, claims, audience) = verify(providers, token, now)?;
    let refused = || access_denied("Not authorized to perform sts:AssumeRoleWithWebIdentity");
    let (account, role) = assume_role::role_of(plan, role_arn).ok_or_else(refused)?;
    if !trusts(role, provider, &claims.sub) {
        return Err(refused());
    }
    assume_role::check_duration(role, seconds)?;
    let (tags, transitive) = claims.tags.read();
    let tags = session_tag::combine(&[], tags, &transitive.iter().map(String::as_str).collect::<Vec<_>>())?;
    if let Some(policies) = &policies {
        policies.check(plan, &account.id)?;
    }
    let packed = packed_size(policies.as_ref(), &tags)?;
    let holder = Holder::Role { role: role.identity.name.clone(), session: session_name.to_owned() };
    let given = sessions.issue(&account.id, holder, SessionContext { policies, tags }, seconds, now)?;
    let mut answer = vec![
        credentials(&given),
        Element::of("SubjectFromWebIdentityToken", &claims.sub),
        assume_role::assumed_role_user(account, role, session_name),
    ];
    answer.extend(packed.map(|percent| Element::number("PackedPolicySize", percent)));
    answer.extend([Element::of("Provider", &provider.arn), Element::of("Audience", &audience)]);
    answer.extend(claims.source_identity.map(|source| Element::of("SourceIdentity", &source)));
    Ok(answer)
}

fn trusts(role: &Role, provider: &OidcProvider, subject: &str) -> bool {
    role.trusts.contains(&Trust::OidcProvider(provider.arn.clone()))
        && (role.subjects.is_empty() || role.subjects.iter().any(|pattern| matches(pattern, subject)))
}

/// The claims of a token that STS uses.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default, rename = "https://aws.amazon.com/tags")]
    tags: TokenTags,
    #[serde(default, rename = "https://aws.amazon.com/source_identity")]
    source_identity: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// The session tags in a token.
#[derive(Default, Deserialize)]
struct TokenTags {
    #[serde(default)]
    principal_tags: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    transitive_tag_keys: Vec<String>,
}

impl TokenTags {
    /// The tags, and the keys of those that are transitive.
    fn read(self) -> (Vec<SessionTag>, Vec<String>) {
        let tags = self
            .principal_tags
            .into_iter()
            .filter_map(|(key, values)| Some(SessionTag { key, value: values.into_iter().next()?, transitive: false }));
        (tags.collect(), self.transitive_tag_keys)
    }
}

/// Verifies a token. Returns its issuer, its claims, and the audience that the issuer accepts.
fn verify<'a>(
    providers: &'a [OidcProvider],
    token: &str,
    now: DateTime<Utc>,
) -> Result<(&'a OidcProvider, Claims, String), Refusal> {
    const NO_JWT: &str =
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
    let header = jsonwebtoken::decode_header(token).map_err(|_| invalid(NO_JWT))?;
    let unverified = jsonwebtoken::dangerous::insecure_decode::<Claims>(token).map_err(|_| invalid(NO_JWT))?;
    let issuer = unverified.claims.iss;
    let provider = providers.iter().find(|provider| provider.issuer == issuer);
    let provider =
        provider.ok_or_else(|| invalid(&format!("No OpenIDConnect provider found in your account for {issuer}")))?;
    let mut validation = Validation::new(header.alg);
    // The claims are checked below, with AWS's messages.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let keys = provider.keys.keys.iter().filter(|key| header.kid.is_none() || key.common.key_id == header.kid);
    let keys = keys.filter_map(|key| DecodingKey::from_jwk(key).ok());
    let claims = keys.filter_map(|key| jsonwebtoken::decode::<Claims>(token, &key, &validation).ok()).next();
    let unknown_key = "Couldn't retrieve verification key from your identity provider,  please reference \
                       AssumeRoleWithWebIdentity documentation for requirements";
    let claims = claims.ok_or_else(|| invalid(unknown_key))?.claims;
    let clock = now.timestamp();
    if claims.exp <= clock {
        let message =
            format!("Token expired: current date/time {clock} must be before the expiration date/time {}", claims.exp);
        return Err(Refusal::Special { status: 400, code: "ExpiredTokenException", message });
    }
    if let Some(start) = claims.nbf.filter(|start| *start > clock) {
        return Err(invalid(&format!("Token not yet valid: current date/time {clock} must be after {start}")));
    }
    let audiences = match &claims.aud {
        Audience::One(one) => std::slice::from_ref(one),
        Audience::Many(many) => many.as_slice(),
    };
    let audience = audiences.iter().find(|audience| provider.audiences.contains(audience)).cloned();
    let audience = audience.ok_or_else(|| invalid("Incorrect token audience"))?;
    Ok((provider, claims, audience))
}

fn invalid(message: &str) -> Refusal {
    Refusal::Special { status: 400, code: "InvalidIdentityToken", message: message.to_owned() }
}
