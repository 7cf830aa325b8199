//! IAM Roles Anywhere: CreateSession, which gives a session of a role to the holder of a certificate. The request is
//! signed with the private key of the certificate, which a trust anchor of the plan must have issued.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::session_arn;
use super::plan::{Account, LabPlan, Profile, Role, Trust, TrustAnchor};
use super::refusal::Refusal;
use super::service::Service;
use super::session::{Holder, SessionContext, Sessions};
use super::session_tag::SessionTag;
use crate::sigv4::{Certificate, Claim, Request};

/// The method and the path of CreateSession.
const CREATE_SESSION: (&str, &str) = ("POST", "/sessions");
/// AWS's limits of `durationSeconds`.
const SECONDS: (i64, i64) = (900, 43_200);

/// The operation of a request; empty if there is none.
pub(super) fn operation(method: &str, path: &str) -> &'static str {
    if (method, path) == CREATE_SESSION { "CreateSession" } else { "" }
}

/// The parameters of CreateSession. The ARNs may be in the query string too.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Parameters {
    duration_seconds: Option<i64>,
    profile_arn: Option<String>,
    role_arn: Option<String>,
    role_session_name: Option<String>,
    trust_anchor_arn: Option<String>,
}

/// Answers CreateSession.
///
/// # Errors
/// The refusal that AWS would answer. AWS does not document the texts of most.
pub(super) fn create_session(
    plan: &LabPlan,
    sessions: &Sessions,
    request: &Request<'_>,
    claim: &Claim,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    claim.check_form(request, Service::RolesAnywhere.name(), now).map_err(Refusal::from)?;
    let certificate = claim.verify_with_certificate(request).map_err(Refusal::from)?;
    let parameters = Parameters::read(request)?;
    let required = |value: &Option<String>, name: &str| {
        value.clone().ok_or_else(|| Refusal::Invalid(format!("{name}: the member is required")))
    };
    let anchor_arn = required(&parameters.trust_anchor_arn, "trustAnchorArn")?;
    let (account, anchor) = find(plan, &anchor_arn, |account| &account.trust_anchors, |anchor| &anchor.arn)
        .ok_or_else(|| not_found(&format!("Trust anchor {anchor_arn} not found")))?;
    certificate.check_path(&anchor.certificate, now).map_err(|_| denied("Untrusted signing certificate"))?;
    let profile_arn = required(&parameters.profile_arn, "profileArn")?;
    let (_, profile) = find(plan, &profile_arn, |account| &account.profiles, |profile| &profile.arn)
        .filter(|(of, _)| of.id == account.id)
        .ok_or_else(|| not_found(&format!("Profile {profile_arn} not found")))?;
    check_regions(claim, anchor, profile)?;
    let role_arn = required(&parameters.role_arn, "roleArn")?;
    let role = role_of(account, profile, &role_arn)?;
    let session = session_name(&parameters, profile, &certificate)?;
    let seconds = parameters.seconds(profile, role)?;
    let name = certificate.common_name();
    let holder = Holder::Role { role: role.identity.name.clone(), session: session.clone() };
    let context = SessionContext { policies: None, tags: tags(name.as_deref()) };
    let given = sessions.issue(&account.id, holder, context, seconds, now)?;
    Ok(json!({
        "credentialSet": [{
            "assumedRoleUser": {
                "arn": session_arn(account, role, &session),
                "assumedRoleId": format!("{}:{session}", role.identity.id),
            },
            "credentials": {
                "accessKeyId": given.access_key_id,
                "secretAccessKey": given.secret_access_key.reveal(),
                "sessionToken": given.token.reveal(),
                "expiration": given.expires.to_rfc3339_opts(SecondsFormat::Secs, true),
            },
            "packedPolicySize": 0,
            "roleArn": role_arn,
            "sourceIdentity": name.map_or(Value::Null, |name| json!(format!("CN={name}"))),
        }],
        "subjectArn": subject_arn(account, &anchor.arn, &certificate),
    }))
}

impl Parameters {
    fn read(request: &Request<'_>) -> Result<Parameters, Refusal> {
        let mut parameters: Parameters = if request.body.is_empty() {
            Parameters::default()
        } else {
            serde_json::from_slice(request.body).map_err(|error| Refusal::Invalid(error.to_string()))?
        };
        for (name, value) in crate::sigv4::query_pairs(request.query) {
            match name.as_str() {
                "profileArn" => parameters.profile_arn = Some(value),
                "roleArn" => parameters.role_arn = Some(value),
                "trustAnchorArn" => parameters.trust_anchor_arn = Some(value),
                _ => {}
            }
        }
        Ok(parameters)
    }

    /// The duration of the session: the least of what the request, the profile and the role allow.
    fn seconds(&self, profile: &Profile, role: &Role) -> Result<i64, Refusal> {
        let allowed = profile.session_seconds.min(role.max_session);
        match self.duration_seconds {
            None => Ok(allowed),
            Some(seconds) if (SECONDS.0..=SECONDS.1).contains(&seconds) => Ok(seconds.min(allowed)),
            Some(seconds) => {
                let (least, most) = SECONDS;
                Err(Refusal::Invalid(format!("durationSeconds: {seconds} is not between {least} and {most}")))
            }
        }
    }
}

fn find<'a, T>(
    plan: &'a LabPlan,
    arn: &str,
    list: impl Fn(&'a Account) -> &'a Vec<T>,
    arn_of: impl Fn(&T) -> &String,
) -> Option<(&'a Account, &'a T)> {
    let account = plan.account(arn.split(':').nth(4)?)?;
    Some((account, list(account).iter().find(|one| arn_of(one) == arn)?))
}

/// Trust anchor and profile are in the region of the endpoint, which the signature names.
fn check_regions(claim: &Claim, anchor: &TrustAnchor, profile: &Profile) -> Result<(), Refusal> {
    let elsewhere = |arn: &str| arn.split(':').nth(3) != Some(claim.scope.region.as_str());
    match [&anchor.arn, &profile.arn].into_iter().find(|arn| elsewhere(arn)) {
        Some(arn) => Err(Refusal::Invalid(format!("{arn} is not in region {}", claim.scope.region))),
        None => Ok(()),
    }
}

/// The role, if the profile has it and it trusts IAM Roles Anywhere.
fn role_of<'a>(account: &'a Account, profile: &Profile, arn: &str) -> Result<&'a Role, Refusal> {
    let role = account.roles.iter().find(|role| role.identity.arn == arn);
    let role = role.filter(|_| profile.roles.iter().any(|known| known == arn));
    let role = role.ok_or_else(|| denied("The specified role is not in the profile"))?;
    match role.trusts.contains(&Trust::RolesAnywhere) {
        true => Ok(role),
        false => Err(denied("Unable to assume role, verify that the role trusts rolesanywhere.amazonaws.com")),
    }
}

fn session_name(parameters: &Parameters, profile: &Profile, certificate: &Certificate) -> Result<String, Refusal> {
    match &parameters.role_session_name {
        None => Ok(certificate.serial_number_in_hex()),
        Some(_) if !profile.accept_role_session_name => Err(denied("Not authorized to set roleSessionName.")),
        Some(name) => {
            let valid = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
            match (2..=64).contains(&name.len()) && name.chars().all(valid) {
                true => Ok(name.clone()),
                false => Err(Refusal::Invalid(r"roleSessionName: 2 to 64 characters of [\w+=,.@-]".to_owned())),
            }
        }
    }
}

/// The session tags that AWS takes from a certificate; of these, the lab has the common name.
fn tags(common_name: Option<&str>) -> Vec<SessionTag> {
    let tag = |value: &str| SessionTag { key: "x509Subject/CN".to_owned(), value: value.to_owned(), transitive: false };
    common_name.map(tag).into_iter().collect()
}

/// The subject of a certificate: the same for every session with it.
fn subject_arn(account: &Account, anchor: &str, certificate: &Certificate) -> String {
    let region = anchor.split(':').nth(3).unwrap_or_default();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate.serial_number().as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&digest.as_ref()[..16]);
    let id = uuid::Builder::from_random_bytes(id).into_uuid();
    format!("arn:{}:rolesanywhere:{region}:{}:subject/{id}", account.partition, account.id)
}

fn denied(message: &str) -> Refusal {
    Refusal::Special { status: 403, code: "AccessDeniedException", message: message.to_owned() }
}

fn not_found(message: &str) -> Refusal {
    Refusal::Special { status: 404, code: "ResourceNotFoundException", message: message.to_owned() }
}
