//! Grants: CreateGrant, ListGrants, RetireGrant, RevokeGrant and ListRetirableGrants.
//!
//! A grant takes effect immediately, so that no call needs its token. Tokens are checked all the same.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::call::{Call, Names};
use super::condition_keys::pairs;
use super::crypto;
use super::key::{Key, seconds};
use super::page::PageRequest;
use super::request::Request;
use super::spec::Usage;
use super::state::State;
use super::{Answer, exception, principal};
use crate::lab::refusal::Refusal;
use crate::policy::evaluate::Denial;
use crate::policy::grant::{Constraints, Grant, OPERATIONS};
use crate::policy::principal::Principal;

const PRINCIPAL: (usize, usize) = (1, 256);
const PRINCIPAL_PATTERN: &str = r"^[\w+=,.@:/-]+$";
const NAME: (usize, usize) = (1, 256);
const NAME_PATTERN: &str = r"^[a-zA-Z0-9:/_-]+$";
const GRANT_ID: (usize, usize) = (1, 128);
const TOKEN: (usize, usize) = (1, 8192);
/// AWS's limits: pairs of a constraint, and grants of a key.
const MAX_PAIRS: usize = 8;
const MAX_GRANTS: usize = 50_000;
/// The lab's secret for the codes in tokens.
const TOKEN_KEY: &str = "grant-token-key";
const RANDOM: usize = 16;

/// A grant of a key in a region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct IssuedGrant {
    pub name: Option<String>,
    pub created: DateTime<Utc>,
    pub grant: Grant,
}

/// `CreateGrant`
pub(super) fn create_grant(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let key_name = request.key_id();
    let grantee = read_principal(request, "GranteePrincipal");
    let retiring = read_principal(request, "RetiringPrincipal");
    if grantee.is_none() {
        request.missing("GranteePrincipal");
    }
    let name = request.text("Name", NAME);
    if let Some(text) = name.filter(|text| !text.bytes().all(|b| b.is_ascii_alphanumeric() || b":/_-".contains(&b))) {
        request.pattern_mismatch("Name", text, NAME_PATTERN);
    }
    let named = request.texts("Operations");
    if named.is_none() {
        request.missing("Operations");
    }
    let named = named.unwrap_or_default();
    if named.iter().any(|operation| !OPERATIONS.contains(operation)) {
        let set = OPERATIONS.join(", ");
        let rule = format!("Member must satisfy constraint: [Member must satisfy enum value set: [{set}]]");
        request.violated("Operations", &format!("[{}]", named.join(", ")), &rule);
    }
    let dry = request.flag("DryRun");
    request.finish()?;
    let (operations, constraints) = requested(call.body);
    check_constraints(call.body, &constraints)?;
    let grantee = grantee.unwrap_or_default();
    for arn in [Some(grantee), retiring].into_iter().flatten() {
        require_principal(call, arn)?;
    }
    let (mut id, mut key_id) = (new_id()?, String::new());
    call.change(key_name, |key| {
        key_id.clone_from(&key.id);
        key.require_enabled(call.region)?;
        require_fitting(key, &operations, &constraints)?;
        super::usage::refuse_dry_run(dry)?;
        let grant = Grant {
            id: id.clone(),
            grantee: grantee.to_owned(),
            retiring: retiring.map(str::to_owned),
            operations,
            constraints,
            issuing_account: call.account().to_owned(),
        };
        let issued = IssuedGrant { name: name.map(str::to_owned), created: call.now, grant };
        let grants = &mut key.placement_mut(call.region)?.grants;
        match grants.iter().find(|known| known.repeats(&issued)) {
            // A repeated call with the same name answers the same grant, with another token.
            Some(known) => id = known.grant.id.clone(),
            None if grants.len() >= MAX_GRANTS => {
                return Err(exception::limit_exceeded(format!("A key cannot have more than {MAX_GRANTS} grants")));
            }
            None => grants.push(issued),
        }
        Ok(Value::Null)
    })?;
    Ok(json!({ "GrantId": id, "GrantToken": token(call, &key_id, &id)? }))
}

impl IssuedGrant {
    /// Whether another request repeats the one of this grant. Only a name makes requests the same.
    fn repeats(&self, other: &IssuedGrant) -> bool {
        self.name.is_some()
            && self.name == other.name
            && self.grant == Grant { id: self.grant.id.clone(), ..other.grant.clone() }
    }

    fn describe(&self, key: &Key, region: &str) -> Value {
        let grant = &self.grant;
        let mut entry = json!({
            "KeyId": key.arn(region),
            "GrantId": grant.id,
            "Name": self.name.as_deref().unwrap_or_default(),
            "CreationDate": seconds(self.created),
            "GranteePrincipal": grant.grantee,
            "IssuingAccount": format!("arn:{}:iam::{}:root", key.partition, grant.issuing_account),
            "Operations": grant.operations,
        });
        if let Some(retiring) = &grant.retiring {
            entry["RetiringPrincipal"] = json!(retiring);
        }
        let constraints = [
            ("EncryptionContextSubset", &grant.constraints.subset),
            ("EncryptionContextEquals", &grant.constraints.equals),
        ];
        for (name, pairs) in constraints.into_iter().filter_map(|(name, pairs)| Some((name, pairs.as_ref()?))) {
            entry["Constraints"][name] = json!(pairs);
        }
        entry
    }
}

/// The operations, sorted as AWS sorts them, and the constraints that a request for a grant has.
pub(super) fn requested(body: &Map<String, Value>) -> (Vec<String>, Constraints) {
    let named: Vec<&str> =
        body.get("Operations").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let operations = OPERATIONS.into_iter().filter(|operation| named.contains(operation)).map(str::to_owned).collect();
    let constraints = body.get("Constraints").and_then(Value::as_object);
    let of = |name: &str| constraints.and_then(|all| pairs(all.get(name)));
    (operations, Constraints { subset: of("EncryptionContextSubset"), equals: of("EncryptionContextEquals") })
}

/// Refuses constraints that the lab does not know or that are malformed, because they would not protect.
fn check_constraints(body: &Map<String, Value>, read: &Constraints) -> Result<(), Refusal> {
    let given = match body.get("Constraints") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(given)) => given.iter().filter(|(_, value)| !value.is_null()),
        Some(_) => return Err(exception::serialization("Constraints can not be converted to a Structure")),
    };
    for (name, _) in given {
        let pairs = match name.as_str() {
            "EncryptionContextSubset" => &read.subset,
            "EncryptionContextEquals" => &read.equals,
            other => return Err(Refusal::Invalid(format!("the lab cloud does not know the grant constraint {other}"))),
        };
        match pairs {
            None => return Err(exception::serialization(format!("{name} can not be converted to a Map"))),
            Some(pairs) if pairs.len() > MAX_PAIRS => {
                return Err(Refusal::Invalid(format!("{name} has more than {MAX_PAIRS} pairs")));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Requires operations that the key supports.
fn require_fitting(key: &Key, operations: &[String], constraints: &Constraints) -> Result<(), Refusal> {
    let symmetric = key.spec.is_symmetric();
    let fits = |operation: &str| match operation {
        "Encrypt" | "Decrypt" | "ReEncryptFrom" | "ReEncryptTo" => key.usage == Usage::EncryptDecrypt,
        "GetPublicKey" => key.spec.is_asymmetric(),
        "Sign" | "Verify" => key.usage == Usage::SignVerify,
        "GenerateMac" | "VerifyMac" => key.usage == Usage::GenerateVerifyMac,
        "DeriveSharedSecret" => key.usage == Usage::KeyAgreement,
        _ => symmetric || !operation.starts_with("GenerateDataKey"),
    };
    if let Some(operation) = operations.iter().find(|operation| !fits(operation)) {
        let (spec, usage) = (key.spec.name(), key.usage.name());
        let why = format!("Grant operation {operation} is not valid for key spec {spec} and key usage {usage}.");
        return Err(Refusal::Invalid(why));
    }
    if !constraints.is_empty() && !symmetric {
        let why = "Encryption context constraints are only valid for symmetric encryption keys.";
        return Err(Refusal::Invalid(why.to_owned()));
    }
    Ok(())
}

fn read_principal<'a>(request: &mut Request<'a>, member: &str) -> Option<&'a str> {
    let text = request.text(member, PRINCIPAL)?;
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b)) {
        request.pattern_mismatch(member, text, PRINCIPAL_PATTERN);
    }
    Some(text)
}

/// Requires the ARN of a principal that exists, as far as the plan knows.
fn require_principal(call: &Call<'_>, arn: &str) -> Result<(), Refusal> {
    let named = Principal::parse("AWS", arn).filter(|_| arn.starts_with("arn:"));
    if named.is_some_and(|named| principal::is_known(call.plan, call.caller.account.partition, &named)) {
        return Ok(());
    }
    Err(exception::invalid_arn(format!("ARN does not refer to a valid principal: {arn}")))
}

/// `ListGrants`
pub(super) fn list_grants(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let page = PageRequest::read(request, 50, 100);
    let id = request.text("GrantId", GRANT_ID);
    let grantee = read_principal(request, "GranteePrincipal");
    request.finish()?;
    let after = page.after()?;
    call.read(name, Names::OfKeys, |key, _| {
        let mut grants: Vec<&IssuedGrant> = key.placement(call.region)?.grants.iter().collect();
        grants.retain(|issued| {
            id.is_none_or(|id| issued.grant.id == id) && grantee.is_none_or(|arn| issued.grant.grantee == arn)
        });
        grants.sort_by(|one, other| one.grant.id.cmp(&other.grant.id));
        let following = grants.into_iter().filter(|issued| issued.grant.id > after);
        Ok(page.cut("Grants", following.map(|issued| (issued.grant.id.clone(), issued.describe(key, call.region)))))
    })
}

/// `ListRetirableGrants`
pub(super) fn list_retirable_grants(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let page = PageRequest::read(request, 50, 100);
    let retiring = read_principal(request, "RetiringPrincipal");
    if retiring.is_none() {
        request.missing("RetiringPrincipal");
    }
    request.finish()?;
    let retiring = retiring.unwrap_or_default();
    call.require("*")?;
    require_principal(call, retiring)?;
    if retiring.split(':').nth(4) != Some(call.account()) {
        return Err(exception::invalid_arn(format!("{retiring} is not a principal of account {}", call.account())));
    }
    let after = page.after()?;
    let state = call.kms.state()?;
    let mut found: Vec<(String, Value)> = state
        .all_in(call.caller.account.partition.as_str(), call.region)
        .flat_map(|(key, placement)| placement.grants.iter().map(move |issued| (key, issued)))
        .filter(|(_, issued)| issued.grant.retiring.as_deref() == Some(retiring) && issued.grant.id > after)
        .map(|(key, issued)| (issued.grant.id.clone(), issued.describe(key, call.region)))
        .collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(page.cut("Grants", found.into_iter()))
}

/// `RevokeGrant`
pub(super) fn revoke_grant(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let id = request.required("GrantId", GRANT_ID);
    let dry = request.flag("DryRun");
    request.finish()?;
    call.change_silently(name, |key| {
        let grants = &mut key.placement_mut(call.region)?.grants;
        if !grants.iter().any(|issued| issued.grant.id == id) {
            return Err(no_such_grant(id));
        }
        super::usage::refuse_dry_run(dry)?;
        grants.retain(|issued| issued.grant.id != id);
        Ok(())
    })
}

/// `RetireGrant`: by token, or by key and id.
pub(super) fn retire_grant(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let given = request.text("GrantToken", TOKEN);
    let name = request.text("KeyId", (1, 2048));
    let id = request.text("GrantId", GRANT_ID);
    let dry = request.flag("DryRun");
    request.finish()?;
    let mut state = call.kms.state()?;
    let (key, id) = match (given, name, id) {
        (Some(text), None, None) => {
            let (key, id) = opened(call, text)?.ok_or_else(invalid_token)?;
            let key = state.any_key(&key).filter(|key| has_grant(call, key, &id));
            (key.ok_or_else(invalid_token)?, id)
        }
        (None, Some(name), Some(id)) => (call.locate(&state, name, Names::OfKeys)?, id.to_owned()),
        _ => {
            let why = "Either a GrantToken, or a KeyId and a GrantId are required.";
            return Err(Refusal::Invalid(why.to_owned()));
        }
    };
    let placement = key.placement(call.region)?;
    let grant = placement.grants.iter().map(|issued| &issued.grant).find(|grant| grant.id == id);
    let grant = grant.ok_or_else(|| no_such_grant(&id))?;
    require_retirement(call, &state, key, grant)?;
    super::usage::refuse_dry_run(dry)?;
    let mut key = key.clone();
    key.placement_mut(call.region)?.grants.retain(|issued| issued.grant.id != id);
    state.add(key, &call.kms.store)?;
    Ok(Value::Null)
}

/// A grant names who may retire it. In addition, its issuing account may, which can leave that to its users and roles.
fn require_retirement(call: &Call<'_>, state: &State, key: &Key, grant: &Grant) -> Result<(), Refusal> {
    let arn = key.arn(call.region);
    let Some(denial) = call.denial_on_key(state, key, call.region, "RetireGrant")? else { return Ok(()) };
    let explicit = matches!(
        denial,
        Denial::ExplicitInKeyPolicy | Denial::ExplicitInIdentityPolicy | Denial::ExplicitInSessionPolicy
    );
    let issued_here = grant.issuing_account == call.account();
    let may = grant.lets_retire(&call.caller.as_policies_name_it())
        || issued_here && call.own_denial("RetireGrant", &arn).is_none();
    if may && !explicit { Ok(()) } else { Err(call.denied("RetireGrant", &arn, denial)) }
}

/// Checks the tokens of a request. A token of a grant that does not exist any more is not valid either.
///
/// # Errors
/// `InvalidGrantTokenException`.
pub(super) fn check_tokens(call: &Call<'_>, state: &State) -> Result<(), Refusal> {
    let given = call.body.get("GrantTokens").and_then(Value::as_array).into_iter().flatten();
    for token in given.filter_map(Value::as_str) {
        let (key, id) = opened(call, token)?.ok_or_else(invalid_token)?;
        if !state.any_key(&key).is_some_and(|key| has_grant(call, key, &id)) {
            return Err(invalid_token());
        }
    }
    Ok(())
}

fn has_grant(call: &Call<'_>, key: &Key, id: &str) -> bool {
    let placement = key.placements.get(call.region);
    placement.is_some_and(|placement| placement.grants.iter().any(|issued| issued.grant.id == id))
}

fn invalid_token() -> Refusal {
    exception::invalid_grant_token("The grant token is not valid.")
}

fn no_such_grant(id: &str) -> Refusal {
    exception::not_found(format!("Grant ID {id} not found"))
}

/// A new id: 64 hexadecimal digits.
fn new_id() -> Result<String, Refusal> {
    Ok(crypto::random(32)?.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A new token of a grant: random bytes and the ids of the key and the grant, with a code that only the lab can make.
fn token(call: &Call<'_>, key_id: &str, id: &str) -> Result<String, Refusal> {
    let content = [&crypto::random(RANDOM)?[..], format!("{key_id}:{id}").as_bytes()].concat();
    let code = hmac::sign(&token_key(call)?, &content);
    Ok(STANDARD.encode([code.as_ref(), &content].concat()))
}

/// The ids of the key and the grant in a token; `None` if the token is not of this lab.
fn opened(call: &Call<'_>, token: &str) -> Result<Option<(String, String)>, Refusal> {
    let key = token_key(call)?;
    let read = || {
        let bytes = STANDARD.decode(token).ok()?;
        let (code, content) = bytes.split_at_checked(32)?;
        hmac::verify(&key, content, code).ok()?;
        let ids = std::str::from_utf8(content.get(RANDOM..)?).ok()?;
        ids.split_once(':').map(|(key, grant)| (key.to_owned(), grant.to_owned()))
    };
    Ok(read())
}

fn token_key(call: &Call<'_>) -> Result<hmac::Key, Refusal> {
    let secret = call.kms.lab_secret(TOKEN_KEY, || crypto::random(32))?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, secret.get().unwrap_or_default()))
}
