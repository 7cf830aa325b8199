//! Custom key stores.

mod body;
mod clusters;
mod counters;
mod credentials;
mod diagnosis;
pub mod refused_calls;
mod view;

pub use clusters::unused_clusters;
pub use counters::{counters, health};
pub use credentials::{
    delete as delete_credential, disable_rotation_job, enable_rotation_job, get as get_credential,
    list as list_credentials,
};

pub use diagnosis::{health as diagnose_health, metadata as diagnose_metadata};

use super::answer::{Created, Json, NoContent};
use super::body::{Body, BodyOrNone};
use super::error::Problem;
use super::guard::{Authorized, OnKeyStore};
use super::paging::{self, List, Listing};
use crate::domain::key_store::KeyStore;
use crate::service::Services;
use crate::service::access::{
    BlockKeyStore, ConnectKeyStore, DeleteKeyStore, DisconnectKeyStore, LinkKeyStore, SignedIn, UnblockKeyStore,
    UpdateKeyStore, ViewKeyStore,
};
use actix_web::web::Data;
pub(super) use body::{CallerRulesBody, tier};
use body::{ConnectBody, KeyStoreBody, KeyStorePatchBody, LinkBody, Requested};
use std::sync::Arc;
pub(super) use view::CallerRulesView;
use view::{KeyStoreView, KeyStoreWithSecretView};

/// `POST /v1/cckm/aws/custom-key-stores`
pub async fn create(
    auth: Authorized<SignedIn>,
    body: Body<KeyStoreBody>,
    services: Data<Services>,
) -> Result<Created<KeyStoreWithSecretView>, Problem> {
    let (stores, permit, context) = (&services.key_stores, &auth.permit, &auth.context);
    let view = match body.0.request()? {
        Requested::External(request) => {
            let created = stores.create(permit, context, *request).await?;
            KeyStoreWithSecretView::of(&created, &services.state().state)
        }
        Requested::CloudHsm(request) => {
            let created = stores.create_cloud_hsm(permit, context, *request).await?;
            KeyStoreWithSecretView::without(&created, &services.state().state)
        }
    };
    Ok(Created(view))
}

/// `GET /v1/cckm/aws/custom-key-stores`
pub async fn list(
    auth: Authorized<SignedIn>,
    listing: Listing<KeyStore>,
    services: Data<Services>,
) -> Result<List<KeyStoreView>, Problem> {
    let page = services.key_stores.list(&auth.permit, &listing.0).await?;
    let published = auth.permit.caller().published.clone();
    paging::answer(page, move |store: &Arc<KeyStore>| KeyStoreView::of(store, &published.state)).await
}

/// `GET /v1/cckm/aws/custom-key-stores/{id}`
pub async fn get(auth: OnKeyStore<ViewKeyStore>) -> Json<KeyStoreView> {
    Json(KeyStoreView::of(auth.permit.store(), &auth.permit.caller().published.state))
}

/// `PATCH /v1/cckm/aws/custom-key-stores/{id}`
pub async fn update(
    auth: OnKeyStore<UpdateKeyStore>,
    body: Body<KeyStorePatchBody>,
    services: Data<Services>,
) -> Result<Json<KeyStoreView>, Problem> {
    let (patch, password) = body.0.patch(auth.permit.store(), &auth.permit.caller().published.state)?;
    let store = services.key_stores.update(&auth.permit, &auth.context, patch, password).await?;
    Ok(shown(&store, &services))
}

/// `DELETE /v1/cckm/aws/custom-key-stores/{id}`
pub async fn delete(auth: OnKeyStore<DeleteKeyStore>, services: Data<Services>) -> Result<NoContent, Problem> {
    services.key_stores.delete(&auth.permit, &auth.context).await?;
    Ok(NoContent)
}

/// `POST /v1/cckm/aws/custom-key-stores/{id}/link`
pub async fn link(
    auth: OnKeyStore<LinkKeyStore>,
    body: BodyOrNone<LinkBody>,
    services: Data<Services>,
) -> Result<Json<KeyStoreView>, Problem> {
    let store = services.key_stores.link(&auth.permit, &auth.context, body.0.patch()?).await?;
    Ok(shown(&store, &services))
}

/// `POST /v1/cckm/aws/custom-key-stores/{id}/connect`
pub async fn connect(
    auth: OnKeyStore<ConnectKeyStore>,
    body: BodyOrNone<ConnectBody>,
    services: Data<Services>,
) -> Result<Json<KeyStoreView>, Problem> {
    let password = body.0.password(auth.permit.store())?;
    let store = services.key_stores.connect(&auth.permit, &auth.context, password).await?;
    Ok(shown(&store, &services))
}

/// `POST /v1/cckm/aws/custom-key-stores/{id}/disconnect`
pub async fn disconnect(
    auth: OnKeyStore<DisconnectKeyStore>,
    services: Data<Services>,
) -> Result<Json<KeyStoreView>, Problem> {
    let store = services.key_stores.disconnect(&auth.permit, &auth.context).await?;
    Ok(shown(&store, &services))
}

/// `POST /v1/cckm/aws/custom-key-stores/{id}/block`
pub async fn block(auth: OnKeyStore<BlockKeyStore>, services: Data<Services>) -> Result<Json<KeyStoreView>, Problem> {
    let store = services.key_stores.block(&auth.permit, &auth.context).await?;
    Ok(shown(&store, &services))
}

/// `POST /v1/cckm/aws/custom-key-stores/{id}/unblock`
pub async fn unblock(
    auth: OnKeyStore<UnblockKeyStore>,
    services: Data<Services>,
) -> Result<Json<KeyStoreView>, Problem> {
    let store = services.key_stores.unblock(&auth.permit, &auth.context).await?;
    Ok(shown(&store, &services))
}

/// `POST /v1/cckm/aws/custom-key-stores/{id}/rotate-credential`
pub async fn rotate_credential(
    auth: OnKeyStore<UpdateKeyStore>,
    services: Data<Services>,
) -> Result<Json<KeyStoreWithSecretView>, Problem> {
    let rotated = services.key_stores.rotate_credential(&auth.permit, &auth.context).await?;
    Ok(Json(KeyStoreWithSecretView::of(&rotated, &services.state().state)))
}

fn shown(store: &KeyStore, services: &Services) -> Json<KeyStoreView> {
    Json(KeyStoreView::of(store, &services.state().state))
}
