//! Custom key stores, of which the lab has none.

use serde_json::json;

use super::call::Call;
use super::page::PageRequest;
use super::request::Request;
use super::{Answer, exception};
use crate::lab::refusal::Refusal;

/// `DescribeCustomKeyStores`
pub(super) fn describe_custom_key_stores(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let id = request.text("CustomKeyStoreId", (1, 64));
    let name = request.text("CustomKeyStoreName", (1, 256));
    let page = PageRequest::read(request, 10, 100);
    request.finish()?;
    call.require("*")?;
    page.after()?;
    match id.or(name) {
        Some(wanted) => Err(not_found(wanted)),
        None => Ok(json!({ "CustomKeyStores": [], "Truncated": false })),
    }
}

/// The refusal for a store that does not exist.
pub(super) fn not_found(store: &str) -> Refusal {
    exception::custom_key_store_not_found(format!("Custom key store {store} does not exist."))
}
