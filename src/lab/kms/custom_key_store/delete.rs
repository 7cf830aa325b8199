//! `DeleteCustomKeyStore`

use serde_json::json;

use super::super::call::Call;
use super::super::request::Request;
use super::super::{Answer, exception};
use super::{Connection, ID};

pub(in crate::lab::kms) fn delete_custom_key_store(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let id = request.required("CustomKeyStoreId", ID);
    request.finish()?;
    call.require("*")?;
    let mut state = call.kms.state()?;
    let store = call.custom_key_store(&state, id)?;
    if store.connection != Connection::Disconnected {
        return Err(store.wrong_state("Only a disconnected custom key store can be deleted."));
    }
    // Keys that are pending deletion count.
    if state.has_keys_of(id) {
        return Err(exception::custom_key_store_has_keys(format!("Custom key store {id} contains KMS keys.")));
    }
    state.remove_custom_key_store(id, &call.kms.store)?;
    Ok(json!({}))
}
