//! What gives access to roles without an access key, and the policies that sessions may name: managed policies, OpenID
//! Connect providers, and the trust anchors and profiles of IAM Roles Anywhere.

use jsonwebtoken::jwk::JwkSet;

use super::file::{OidcProviderFile, PolicyFile, ProfileFile, TrustAnchorFile};
use super::mistake::{Mistakes, Problem};
use super::validate::{Owner, validate_identity, validate_permissions};
use super::{Region, Role};
use crate::lab::permission::Permissions;
use crate::sigv4::Certificate;

/// IAM Roles Anywhere's limits, and default, of the duration of sessions, in seconds.
const SESSION_SECONDS: (i64, i64) = (900, 43_200);
const DEFAULT_SESSION_SECONDS: i64 = 3600;

/// A policy that session policies may name.
#[derive(Debug, Clone)]
pub(in crate::lab) struct ManagedPolicy {
    pub arn: String,
    pub permissions: Permissions,
}

/// An issuer of tokens, such as a Kubernetes cluster.
#[derive(Debug, Clone)]
pub(in crate::lab) struct OidcProvider {
    pub arn: String,
    /// The issuer, as tokens name it.
    pub issuer: String,
    /// The audiences that tokens must have one of.
    pub audiences: Vec<String>,
    pub keys: JwkSet,
}

/// A certificate authority that IAM Roles Anywhere trusts.
#[derive(Debug, Clone)]
pub(in crate::lab) struct TrustAnchor {
    pub arn: String,
    pub certificate: Certificate,
}

/// A profile of IAM Roles Anywhere: the roles that sessions may have.
#[derive(Debug, Clone)]
pub(in crate::lab) struct Profile {
    pub arn: String,
    /// The ARNs of the roles.
    pub roles: Vec<String>,
    pub session_seconds: i64,
    /// Whether clients may choose the name of the session.
    pub accept_role_session_name: bool,
}

pub(super) fn policies(
    place: &str,
    files: Vec<PolicyFile>,
    owner: &Owner<'_>,
    mistakes: &mut Mistakes,
) -> Vec<ManagedPolicy> {
    let mut policies: Vec<ManagedPolicy> = Vec::new();
    for (n, file) in files.into_iter().enumerate() {
        let place = format!("{place}.policies[{n}]");
        let permissions = validate_permissions(&place, file.allow, file.deny, mistakes);
        let identity = validate_identity(&place, owner, "policy", file.name, file.path, permissions, mistakes);
        if policies.iter().any(|other| other.arn == identity.arn) {
            mistakes.add(format!("{place}.name"), Problem::NameRepeated(identity.name));
        }
        policies.push(ManagedPolicy { arn: identity.arn, permissions: identity.permissions });
    }
    policies
}

pub(super) fn oidc_providers(
    place: &str,
    files: Vec<OidcProviderFile>,
    owner: &Owner<'_>,
    mistakes: &mut Mistakes,
) -> Vec<OidcProvider> {
    let mut providers: Vec<OidcProvider> = Vec::new();
    for (n, file) in files.into_iter().enumerate() {
        let place = format!("{place}.oidc_providers[{n}]");
        let host = file.url.strip_prefix("https://").filter(|host| !host.is_empty() && !host.ends_with('/'));
        let Some(host) = host else {
            mistakes.add(format!("{place}.url"), Problem::IssuerMalformed(file.url));
            continue;
        };
        let keys: JwkSet = match serde_json::from_str(&file.jwks) {
            Ok(keys) => keys,
            Err(error) => {
                mistakes.add(format!("{place}.jwks"), Problem::JwksMalformed(error.to_string()));
                continue;
            }
        };
        if file.audiences.is_empty() {
            mistakes.add(format!("{place}.audiences"), Problem::NoAudience);
        }
        let arn = format!("arn:{}:iam::{}:oidc-provider/{host}", owner.partition, owner.account);
        if providers.iter().any(|other| other.arn == arn) {
            mistakes.add(format!("{place}.url"), Problem::NameRepeated(file.url.clone()));
        }
        providers.push(OidcProvider { arn, issuer: file.url, audiences: file.audiences, keys });
    }
    providers
}

pub(super) fn trust_anchors(
    place: &str,
    files: Vec<TrustAnchorFile>,
    owner: &Owner<'_>,
    regions: &[Region],
    mistakes: &mut Mistakes,
) -> Vec<TrustAnchor> {
    let mut anchors: Vec<TrustAnchor> = Vec::new();
    for (n, file) in files.into_iter().enumerate() {
        let place = format!("{place}.trust_anchors[{n}]");
        let arn = arn(&place, owner, &file.region, "trust-anchor", &file.id, regions, mistakes);
        if anchors.iter().any(|other| other.arn == arn) {
            mistakes.add(format!("{place}.id"), Problem::NameRepeated(file.id));
        }
        match Certificate::from_pem(&file.certificate) {
            Ok(certificate) => anchors.push(TrustAnchor { arn, certificate }),
            Err(error) => {
                mistakes.add(format!("{place}.certificate"), Problem::CertificateMalformed(error.to_string()))
            }
        }
    }
    anchors
}

pub(super) fn profiles(
    place: &str,
    files: Vec<ProfileFile>,
    owner: &Owner<'_>,
    regions: &[Region],
    roles: &[Role],
    mistakes: &mut Mistakes,
) -> Vec<Profile> {
    let mut profiles: Vec<Profile> = Vec::new();
    for (n, file) in files.into_iter().enumerate() {
        let place = format!("{place}.profiles[{n}]");
        let arn = arn(&place, owner, &file.region, "profile", &file.id, regions, mistakes);
        if profiles.iter().any(|other| other.arn == arn) {
            mistakes.add(format!("{place}.id"), Problem::NameRepeated(file.id));
        }
        let session_seconds = file.session_seconds.unwrap_or(DEFAULT_SESSION_SECONDS);
        if !(SESSION_SECONDS.0..=SESSION_SECONDS.1).contains(&session_seconds) {
            mistakes.add(format!("{place}.session_seconds"), Problem::ProfileSessionLength(session_seconds));
        }
        let mut arns = Vec::new();
        for (r, name) in file.roles.into_iter().enumerate() {
            match roles.iter().find(|role| role.identity.name == name) {
                Some(role) => arns.push(role.identity.arn.clone()),
                None => mistakes.add(format!("{place}.roles[{r}]"), Problem::RoleUnknown(name)),
            }
        }
        let accept_role_session_name = file.accept_role_session_name;
        profiles.push(Profile { arn, roles: arns, session_seconds, accept_role_session_name });
    }
    profiles
}

/// The ARN of a trust anchor or profile.
fn arn(
    place: &str,
    owner: &Owner<'_>,
    region: &str,
    kind: &str,
    id: &str,
    regions: &[Region],
    mistakes: &mut Mistakes,
) -> String {
    if uuid::Uuid::try_parse(id).is_err() {
        mistakes.add(format!("{place}.id"), Problem::IdMalformed(id.to_owned()));
    }
    if regions.iter().all(|known| known.name != region) {
        mistakes.add_unknown_region(format!("{place}.region"), region, owner.partition, "enabled");
    }
    format!("arn:{}:rolesanywhere:{region}:{}:{kind}/{id}", owner.partition, owner.account)
}
