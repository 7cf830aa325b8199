//! Alarms, and the webhooks that they are delivered to.

mod body;
mod view;

use super::answer::{Created, Json, NoContent, Unstored};
use super::body::{Body, BodyOrNone, read_as};
use super::error::Problem;
use super::guard::Authorized;
use super::paging::{self, List, Listing};
use crate::domain::alarm::Alarm;
use crate::domain::id::WebhookId;
use crate::domain::refusal::Refusal;
use crate::domain::webhook::Webhook;
use crate::service::Services;
use crate::service::access::{ManageAlarms, SignedIn};
use crate::service::alarms::seen_of;
use actix_web::web::{Data, Path};
use body::{SecretBody, WebhookBody};
use std::sync::Arc;
use view::{AlarmView, TestDeliveryView, WebhookView, WebhookWithSecretView};

/// `GET /v1/alarms`
pub async fn list(
    auth: Authorized<SignedIn>,
    listing: Listing<Alarm>,
    services: Data<Services>,
) -> Result<List<AlarmView>, Problem> {
    let (page, caller) = services.alarms.list(&auth.permit, &listing.0).await?;
    paging::answer(page, move |alarm: &Arc<Alarm>| AlarmView::of(alarm, &caller)).await
}

/// `GET /v1/alarms/{id}`
pub async fn get(
    auth: Authorized<SignedIn>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<AlarmView>, Problem> {
    let (alarm, caller) = services.alarms.get(&auth.permit, &id)?;
    Ok(Json(AlarmView::of(&alarm, &caller)))
}

/// `POST /v1/alarms/{id}/acknowledge`
pub async fn acknowledge(
    auth: Authorized<ManageAlarms>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<AlarmView>, Problem> {
    let (alarm, caller) = services.alarms.acknowledge(&auth.permit, &auth.context, &id).await?;
    Ok(Json(AlarmView::of(&alarm, &caller)))
}

/// `POST /v1/alarms/{id}/clear`
pub async fn clear(
    auth: Authorized<ManageAlarms>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<AlarmView>, Problem> {
    let (alarm, caller) = services.alarms.clear(&auth.permit, &auth.context, &id).await?;
    Ok(Json(AlarmView::of(&alarm, &caller)))
}

/// `POST /v1/alarms/webhooks`
pub async fn create_webhook(
    auth: Authorized<ManageAlarms>,
    body: Body<WebhookBody>,
    services: Data<Services>,
) -> Result<Created<WebhookWithSecretView>, Problem> {
    let made = services.alarms.create(&auth.permit, &auth.context, body.0.request()?).await?;
    Ok(Created(WebhookWithSecretView::of(&made)))
}

/// `GET /v1/alarms/webhooks`
pub async fn webhooks(
    auth: Authorized<ManageAlarms>,
    listing: Listing<Webhook>,
    services: Data<Services>,
) -> Result<List<WebhookView>, Problem> {
    let (page, caller) = services.alarms.webhooks(&auth.permit, &listing.0).await?;
    let view = move |webhook: &Arc<Webhook>| WebhookView::of(&seen_of(&caller.published.state, webhook.clone()));
    paging::answer(page, view).await
}

/// `GET /v1/alarms/webhooks/{id}`
pub async fn webhook(
    auth: Authorized<ManageAlarms>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<WebhookView>, Problem> {
    Ok(Json(WebhookView::of(&services.alarms.webhook(&auth.permit, webhook_id(&id)?)?)))
}

/// `PATCH /v1/alarms/webhooks/{id}`
pub async fn update_webhook(
    auth: Authorized<ManageAlarms>,
    id: Path<String>,
    body: Body<WebhookBody>,
    services: Data<Services>,
) -> Result<Json<WebhookView>, Problem> {
    let change = body.0.change()?;
    let seen = services.alarms.update(&auth.permit, &auth.context, webhook_id(&id)?, change).await?;
    Ok(Json(WebhookView::of(&seen)))
}

/// `DELETE /v1/alarms/webhooks/{id}`
pub async fn delete_webhook(
    auth: Authorized<ManageAlarms>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<NoContent, Problem> {
    services.alarms.delete(&auth.permit, &auth.context, webhook_id(&id)?).await?;
    Ok(NoContent)
}

/// `POST /v1/alarms/webhooks/{id}/rotate-secret`
pub async fn rotate_secret(
    auth: Authorized<ManageAlarms>,
    id: Path<String>,
    body: BodyOrNone<SecretBody>,
    services: Data<Services>,
) -> Result<Unstored<WebhookWithSecretView>, Problem> {
    let secret = body.0.secret()?;
    let made = services.alarms.rotate_secret(&auth.permit, &auth.context, webhook_id(&id)?, secret).await?;
    Ok(Unstored(WebhookWithSecretView::of(&made)))
}

/// `POST /v1/alarms/webhooks/{id}/test`
pub async fn test_webhook(
    auth: Authorized<ManageAlarms>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<TestDeliveryView>, Problem> {
    Ok(Json(TestDeliveryView::of(services.alarms.test(&auth.permit, webhook_id(&id)?).await?)))
}

fn webhook_id(text: &str) -> Result<WebhookId, Refusal> {
    read_as("id", text, WebhookId::parse)
}
