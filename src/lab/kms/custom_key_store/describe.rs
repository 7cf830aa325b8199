//! `DescribeCustomKeyStores`

use super::super::Answer;
use super::super::call::Call;
use super::super::page::PageRequest;
use super::super::request::Request;
use super::{ID, NAME, not_found};
use crate::lab::refusal::Refusal;

pub(in crate::lab::kms) fn describe_custom_key_stores(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let id = request.text("CustomKeyStoreId", ID);
    let name = request.text("CustomKeyStoreName", NAME);
    let page = PageRequest::read(request, 100, 1000);
    request.finish()?;
    call.require("*")?;
    if id.is_some() && name.is_some() {
        let why = "You can specify CustomKeyStoreId or CustomKeyStoreName, but not both.";
        return Err(Refusal::Invalid(why.to_owned()));
    }
    let after = page.after()?;
    let state = call.kms.state()?;
    let stores = state.custom_key_stores.following(call.account(), call.region, &after);
    let wanted =
        stores.filter(|store| id.is_none_or(|id| store.id == id) && name.is_none_or(|name| store.name == name));
    let mut entries = wanted.map(|store| (store.id.clone(), store.entry())).peekable();
    match id.or(name) {
        Some(named) if entries.peek().is_none() => Err(not_found(named)),
        _ => Ok(page.cut("CustomKeyStores", entries)),
    }
}
