//! Access tokens: what is in one, and whether one that comes in is good.

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
/// Makes and checks access tokens. Remembers which ones it found good, so that a client that sends the same token with
/// every request is checked once; their end is checked every time.
pub(super) struct TokenSigner {
    audience: String,
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
    /// By their signatures: those are what differs between tokens, and a twentieth of what there would be to hash.
    good: RwLock<HashMap<Box<str>, Remembered>>,
}

struct Remembered {
    token: Box<str>,
    good: Good,
}

#[derive(Clone, Copy)]
struct Good {
    session: SessionId,
    user: UserId,
    ends: i64,
}

/// So many good tokens are remembered.
const GOOD_MAX: usize = 4096;

impl TokenSigner {
    /// One that signs with this key, for this installation.
    pub(super) fn new(installation: InstallationId, key: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[installation]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        validation.leeway = 0;
        // The end is compared with our own clock, in `check`.
        validation.validate_exp = false;
        Self {
            audience: installation.to_string(),
            signing: EncodingKey::from_secret(key),
            checking: DecodingKey::from_secret(key),
            validation,
            good: RwLock::default(),
        }
    }

    /// A token for a user in a session.
    pub(super) fn sign(&self, user: &User, session: &Session) -> Result<String, Failure> {
        let made = session.used.seconds();
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
            iat: made,
            exp: made + ACCESS_SECONDS,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .map_err(|_| Failure::Internal("a token could not be signed"))
    }

    /// The user and the session of a token.
    pub(super) fn check(&self, bearer: &str, now: Time) -> Result<(SessionId, UserId), TokenProblem> {
        let known = self.recall(bearer);
        let good = match known {
            Some(good) => good,
            None => self.decode(bearer)?,
        };
        if good.ends <= now.seconds() {
            return Err(TokenProblem::Expired);
        }
        if known.is_none() {
            self.remember(bearer, good, now);
        }
        Ok((good.session, good.user))
    }

    fn decode(&self, bearer: &str) -> Result<Good, TokenProblem> {
        let decoded = jsonwebtoken::decode::<Claims>(bearer, &self.checking, &self.validation);
        let claims = decoded.map_err(|error| problem(error.kind(), bearer))?.claims;
        let user = UserId::parse_subject(&claims.sub).map_err(|_| TokenProblem::Claims)?;
        Ok(Good { session: SessionId::new(claims.cust.sid), user, ends: claims.exp })
    }

    fn recall(&self, bearer: &str) -> Option<Good> {
        let all = self.good.read().unwrap_or_else(PoisonError::into_inner);
        all.get(signature(bearer)).filter(|known| *known.token == *bearer).map(|known| known.good)
    }

    fn remember(&self, bearer: &str, good: Good, now: Time) {
        let mut all = self.good.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= GOOD_MAX {
            all.retain(|_, known| known.good.ends > now.seconds());
        }
        if all.len() < GOOD_MAX {
            all.insert(signature(bearer).into(), Remembered { token: bearer.into(), good });
        }
    }
}

/// The last part of a token.
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

/// Does the header name an algorithm, but not ours? Of `none` and of names that nobody knows, the decoder says only
/// that they cannot be read.
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

    /// The claims of a good token, with these put in; null takes a claim out.
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
    fn a_good_token_tells_its_session_and_its_user() {
        let told = (SessionId::new(Uuid::from_u128(3)), UserId::new(Uuid::from_u128(2)));
        assert_eq!(checked(Algorithm::HS256, KEY, &claims(json!({})), NOW), Ok(told));
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
    fn a_token_ends_to_the_second_also_one_that_was_found_good_before() {
        let (signer, claims) = (signer(), claims(json!({})));
        let key = EncodingKey::from_secret(KEY);
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).expect("signed");
        assert!(signer.check(&token, NOW.plus_seconds(299)).is_ok());
        assert_eq!(signer.check(&token, NOW.plus_seconds(300)), Err(TokenProblem::Expired));
    }

    #[test]
    fn the_signature_of_a_good_token_does_not_make_another_one_good() {
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
    fn no_other_algorithm_and_no_other_key_will_do() {
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
