//! Access tokens (JWT): their claims, their signing and their verification.

use super::failure::{Failure, TokenProblem};
use crate::domain::id::{InstallationId, SessionId, UserId};
use crate::domain::name::GroupName;
use crate::domain::session::{ACCESS_SECONDS, Session};
use crate::domain::time::Time;
use crate::domain::user::User;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use uuid::Uuid;

/// The claims of a token, exactly.
#[derive(Serialize, Deserialize, Clone, Debug)]
struct Claims {
    aud: String,
    sub: String,
    iss: String,
    acc: String,
    preferred_username: String,
    cust: CustomClaims,
    jwtid: Uuid,
    iat: i64,
    exp: i64,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
struct CustomClaims {
    domain_id: Uuid,
    groups: Vec<String>,
    sid: Uuid,
    zone_id: Uuid,
}

const ISSUER: &str = "kylo";
const ROOT: Uuid = Uuid::nil();

/// Signs and verifies access tokens. It caches valid tokens, so that a token that comes with every request is verified
/// once; the expiry is checked every time.
pub(super) struct TokenSigner {
    audience: String,
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
    /// Valid tokens by signature. The signature differs between tokens, and hashing it costs a twentieth of hashing the
    /// token.
    cache: RwLock<HashMap<Box<str>, CachedToken>>,
}

struct CachedToken {
    token: Box<str>,
    verified: VerifiedToken,
}

#[derive(Clone, Copy)]
struct VerifiedToken {
    session: SessionId,
    user: UserId,
    expires: i64,
}

/// The maximum number of cached tokens.
const CACHE_MAX: usize = 4096;

impl TokenSigner {
    /// Makes a signer with this key, for this installation.
    pub(super) fn new(installation: InstallationId, key: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[installation]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        validation.leeway = 0;
        // `check` compares the expiry with the service's own clock.
        validation.validate_exp = false;
        Self {
            audience: installation.to_string(),
            signing: EncodingKey::from_secret(key),
            checking: DecodingKey::from_secret(key),
            validation,
            cache: RwLock::default(),
        }
    }

    /// Signs a token for a user's session, which is valid from a time.
    pub(super) fn sign(&self, user: &User, session: &Session, from: Time) -> Result<String, Failure> {
        let issued = from.seconds();
        let claims = Claims {
            aud: self.audience.clone(),
            sub: user.id.subject(),
            iss: ISSUER.to_owned(),
            acc: ISSUER.to_owned(),
            preferred_username: user.name.to_string(),
            cust: CustomClaims {
                domain_id: ROOT,
                groups: user.groups.iter().map(GroupName::to_string).collect(),
                sid: session.id.uuid(),
                zone_id: ROOT,
            },
            jwtid: Uuid::new_v4(),
            iat: issued,
            exp: issued + ACCESS_SECONDS,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .map_err(|_| Failure::Internal("a token could not be signed"))
    }

    /// Verifies a token, and returns its session and its user.
    pub(super) fn check(&self, bearer: &str, now: Time) -> Result<(SessionId, UserId), TokenProblem> {
        let cached = self.lookup(bearer);
        let verified = match cached {
            Some(verified) => verified,
            None => self.decode(bearer)?,
        };
        if verified.expires <= now.seconds() {
            return Err(TokenProblem::Expired);
        }
        if cached.is_none() {
            self.store(bearer, verified, now);
        }
        Ok((verified.session, verified.user))
    }

    fn decode(&self, bearer: &str) -> Result<VerifiedToken, TokenProblem> {
        let decoded = jsonwebtoken::decode::<Claims>(bearer, &self.checking, &self.validation);
        let claims = decoded.map_err(|error| problem(error.kind(), bearer))?.claims;
        let user = UserId::parse_subject(&claims.sub).map_err(|_| TokenProblem::Claims)?;
        Ok(VerifiedToken { session: SessionId::new(claims.cust.sid), user, expires: claims.exp })
    }

    fn lookup(&self, bearer: &str) -> Option<VerifiedToken> {
        let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
        cache.get(signature(bearer)).filter(|cached| *cached.token == *bearer).map(|cached| cached.verified)
    }

    fn store(&self, bearer: &str, verified: VerifiedToken, now: Time) {
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHE_MAX {
            cache.retain(|_, cached| cached.verified.expires > now.seconds());
        }
        if cache.len() < CACHE_MAX {
            cache.insert(signature(bearer).into(), CachedToken { token: bearer.into(), verified });
        }
    }
}

/// The signature part of a token.
fn signature(bearer: &str) -> &str {
    bearer.rsplit('.').next().unwrap_or_default()
}

fn problem(kind: &ErrorKind, bearer: &str) -> TokenProblem {
    match kind {
        _ if names_another_algorithm(bearer) => TokenProblem::Algorithm,
        ErrorKind::InvalidSignature => TokenProblem::Signature,
        ErrorKind::InvalidAudience => TokenProblem::Audience,
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => TokenProblem::Algorithm,
        ErrorKind::InvalidIssuer | ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidSubject => {
            TokenProblem::Claims
        }
        ErrorKind::ExpiredSignature => TokenProblem::Expired,
        _ => TokenProblem::Malformed,
    }
}

/// Returns whether the header names an algorithm other than HS256. The decoder reports `none` and unknown names only as
/// a malformed header.
fn names_another_algorithm(bearer: &str) -> bool {
    let header = bearer.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let header = header.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    header.is_some_and(|header| header["alg"].as_str().is_some_and(|named| named != "HS256"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const KEY: &[u8] = b"the key of this installation";
    const NOW: Time = Time::from_nanos(1_600_000_000 * 1_000_000_000);

    fn signer() -> TokenSigner {
        TokenSigner::new(InstallationId::new(Uuid::from_u128(1)), KEY)
    }

    /// The claims of a valid token with these changes; null removes a claim.
    fn claims(changes: Value) -> Value {
        let mut claims = json!({
            "aud": Uuid::from_u128(1), "sub": format!("local|{}", Uuid::from_u128(2)), "iss": "kylo", "acc": "kylo",
            "preferred_username": "ann",
            "cust": {"domain_id": ROOT, "groups": [], "sid": Uuid::from_u128(3), "zone_id": ROOT},
            "jwtid": Uuid::from_u128(4), "iat": NOW.seconds(), "exp": NOW.seconds() + 300,
        });
        for (claim, value) in changes.as_object().expect("claims") {
            match value {
                Value::Null => drop(claims.as_object_mut().expect("claims").remove(claim)),
                value => claims[claim] = value.clone(),
            }
        }
        claims
    }

    fn checked(
        algorithm: Algorithm,
        key: &[u8],
        claims: &Value,
        at: Time,
    ) -> Result<(SessionId, UserId), TokenProblem> {
        let token = jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(key));
        signer().check(&token.expect("signed"), at)
    }

    #[test]
    fn a_valid_token_names_its_session_and_its_user() {
        let expected = (SessionId::new(Uuid::from_u128(3)), UserId::new(Uuid::from_u128(2)));
        assert_eq!(checked(Algorithm::HS256, KEY, &claims(json!({})), NOW), Ok(expected));
    }

    #[test]
    fn each_wrong_claim_under_the_right_key_is_refused() {
        for (changes, problem) in [
            (json!({"aud": Uuid::from_u128(9)}), TokenProblem::Audience),
            (json!({"aud": null}), TokenProblem::Malformed),
            (json!({"iss": "another"}), TokenProblem::Claims),
            (json!({"iss": null}), TokenProblem::Malformed),
            (json!({"sub": null}), TokenProblem::Malformed),
            (json!({"sub": "ann"}), TokenProblem::Claims),
            (json!({"exp": null}), TokenProblem::Malformed),
            (json!({"cust": null}), TokenProblem::Malformed),
            (json!({"cust": {"sid": 7}}), TokenProblem::Malformed),
            (json!({"exp": NOW.seconds()}), TokenProblem::Expired),
            (json!({"exp": 0}), TokenProblem::Expired),
        ] {
            assert_eq!(checked(Algorithm::HS256, KEY, &claims(changes.clone()), NOW), Err(problem), "{changes}");
        }
    }

    #[test]
    fn a_token_expires_to_the_second_also_a_cached_one() {
        let (signer, claims) = (signer(), claims(json!({})));
        let key = EncodingKey::from_secret(KEY);
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).expect("signed");
        assert!(signer.check(&token, NOW.plus_seconds(299)).is_ok());
        assert_eq!(signer.check(&token, NOW.plus_seconds(300)), Err(TokenProblem::Expired));
    }

    #[test]
    fn the_signature_of_a_valid_token_does_not_validate_another_one() {
        let (signer, key) = (signer(), EncodingKey::from_secret(KEY));
        let sign =
            |changes| jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims(changes), &key).expect("signed");
        let (good, other) = (sign(json!({})), sign(json!({"exp": NOW.seconds() + 9_000})));
        assert!(signer.check(&good, NOW).is_ok());
        let forged = format!("{}.{}", other.rsplit_once('.').expect("three parts").0, signature(&good));
        assert_eq!(signer.check(&forged, NOW), Err(TokenProblem::Signature));
        assert!(signer.check(&good, NOW).is_ok());
    }

    #[test]
    fn other_algorithms_and_other_keys_are_refused() {
        let good = claims(json!({}));
        assert_eq!(checked(Algorithm::HS384, KEY, &good, NOW), Err(TokenProblem::Algorithm));
        assert_eq!(checked(Algorithm::HS512, KEY, &good, NOW), Err(TokenProblem::Algorithm));
        assert_eq!(checked(Algorithm::HS256, b"another key", &good, NOW), Err(TokenProblem::Signature));
        let payload = URL_SAFE_NO_PAD.encode(good.to_string());
        for named in ["none", "NONE", "RS256", "ES256", "hs256", ""] {
            let header = URL_SAFE_NO_PAD.encode(json!({"alg": named, "typ": "JWT"}).to_string());
            assert_eq!(signer().check(&format!("{header}.{payload}."), NOW), Err(TokenProblem::Algorithm), "{named}");
        }
    }
}
