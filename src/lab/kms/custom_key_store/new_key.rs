//! A new key in a custom key store.

use super::super::call::Call;
use super::super::exception;
use super::super::key::Origin;
use super::super::state::State;
use super::super::xks::{ExternalKey, ProxyAccess};
use super::{Backing, Membership};
use crate::lab::refusal::Refusal;

/// The longest URI of a call to a proxy.
const MAX_URI: usize = 256;
/// The longest part of a URI after the id of the external key.
const LONGEST_CALL: &str = "/metadata";

/// The place of a new key in a custom key store.
#[derive(Debug)]
pub(in crate::lab::kms) struct NewKeyPlace {
    store: String,
    /// The external key and its proxy; `None` in a CloudHSM key store.
    external: Option<ExternalKey>,
}

/// The place that CreateKey asks for; `None` for a key outside custom key stores.
///
/// # Errors
/// `ValidationException` if the members do not fit each other, `CustomKeyStoreNotFoundException`, and the refusals of
/// [`NewKeyPlace::require_free`].
pub(in crate::lab::kms) fn place_of_new_key(
    call: &Call<'_>,
    origin: Option<&str>,
    store: Option<&str>,
    xks_key_id: Option<&str>,
) -> Result<Option<NewKeyPlace>, Refusal> {
    let invalid = |why: String| Err(Refusal::Invalid(why));
    let Some(id) = store else {
        return match xks_key_id {
            Some(_) => invalid("XksKeyId is valid only for keys with the origin EXTERNAL_KEY_STORE.".to_owned()),
            None => Ok(None),
        };
    };
    let state = call.kms.state()?;
    let store = call.custom_key_store(&state, id)?;
    let expected = match &store.backing {
        Backing::Xks(_) => Origin::ExternalKeyStore,
        Backing::CloudHsm(_) => Origin::AwsCloudHsm,
    };
    if origin != Some(expected.name()) {
        return invalid(format!("A key in custom key store {id} must have the origin {}.", expected.name()));
    }
    let external = match (store.proxy(), xks_key_id) {
        (Some(proxy), Some(key)) => Some(ExternalKey { access: proxy.access.clone(), id: key.to_owned() }),
        (None, None) => None,
        (Some(_), None) => return invalid("XksKeyId is required for a key in an external key store.".to_owned()),
        (None, Some(_)) => {
            return invalid("XksKeyId is valid only for keys with the origin EXTERNAL_KEY_STORE.".to_owned());
        }
    };
    if external.as_ref().is_some_and(|key| uri_length(&key.access, &key.id) > MAX_URI) {
        return invalid(format!("The URI of the external key must not be longer than {MAX_URI} characters."));
    }
    let place = NewKeyPlace { store: id.to_owned(), external };
    place.require_free(call, &state)?;
    Ok(Some(place))
}

fn uri_length(access: &ProxyAccess, key: &str) -> usize {
    access.endpoint.len() + access.path.len() + "/keys/".len() + key.len() + LONGEST_CALL.len()
}

impl NewKeyPlace {
    pub(in crate::lab::kms) fn origin(&self) -> Origin {
        if self.external.is_some() { Origin::ExternalKeyStore } else { Origin::AwsCloudHsm }
    }

    pub(in crate::lab::kms) fn external_key(&self) -> Option<&ExternalKey> {
        self.external.as_ref()
    }

    pub(in crate::lab::kms) fn membership(&self) -> Membership {
        let xks_key_id = self.external.as_ref().map(|key| key.id.clone());
        Membership { store: self.store.clone(), xks_key_id, ..Membership::default() }
    }

    /// Requires that the store is connected and can hold the key.
    ///
    /// # Errors
    /// `CustomKeyStoreNotFoundException`, `CustomKeyStoreInvalidStateException`, `XksKeyAlreadyInUseException`, or
    /// the refusals for the cluster.
    pub(in crate::lab::kms) fn require_free(&self, call: &Call<'_>, state: &State) -> Result<(), Refusal> {
        let store = call.custom_key_store(state, &self.store)?;
        if !store.is_connected() {
            return Err(store.wrong_state("Only a connected custom key store can hold new keys."));
        }
        match (&store.backing, &self.external) {
            (Backing::Xks(_), Some(key)) if state.has_external_key(&store.id, &key.id) => {
                let why = format!("The external key {} is associated with another KMS key in this store.", key.id);
                Err(exception::xks_key_already_in_use(why))
            }
            (Backing::CloudHsm(login), _) => call.ready_cluster(&login.cluster).map(drop),
            (Backing::Xks(_), _) => Ok(()),
        }
    }
}

/// Requires the store of GenerateRandom, which must be a connected CloudHSM key store.
///
/// # Errors
/// `CustomKeyStoreNotFoundException`, `UnsupportedOperationException` or `CustomKeyStoreInvalidStateException`.
pub(in crate::lab::kms) fn require_store_for_random(call: &Call<'_>, id: &str) -> Result<(), Refusal> {
    let state = call.kms.state()?;
    let store = call.custom_key_store(&state, id)?;
    if store.proxy().is_some() {
        return Err(exception::unsupported("An external key store cannot generate random bytes."));
    }
    if !store.is_connected() {
        return Err(store.wrong_state("Only a connected custom key store can generate random bytes."));
    }
    Ok(())
}
