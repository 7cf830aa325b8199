//! `health` and `metadata` of the XKS proxy on the API's own listener: what the proxy would answer AWS, for people with
//! a token. Nothing is encrypted or decrypted here for anybody.

use crate::http::describe::{Described, Description};
use crate::http::error::Problem;
use crate::http::guard::OnKeyStore;
use crate::service::Services;
use crate::service::access::ViewKeyStore;
use crate::service::key_stores::Diagnosis;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use std::marker::PhantomData;
use utoipa::ToSchema;

/// What the XKS proxy would answer AWS. An error has AWS's form too.
pub struct Diagnosed<V> {
    diagnosis: Diagnosis,
    view: PhantomData<V>,
}

/// The answer of `health`, as AWS's specification of the proxy has it.
#[derive(Serialize, ToSchema)]
#[schema(as = XksHealth)]
#[serde(rename_all = "camelCase")]
pub struct XksHealthView {
    /// The number of proxies.
    xks_proxy_fleet_size: u32,
    /// The vendor of the proxy.
    xks_proxy_vendor: String,
    /// The model of the proxy.
    xks_proxy_model: String,
    /// The vendor of the key manager.
    ekm_vendor: String,
    /// The key managers behind the proxy, with their health.
    ekm_fleet_details: Vec<serde_json::Value>,
}

/// The answer of `metadata`, as AWS's specification of the proxy has it.
#[derive(Serialize, ToSchema)]
#[schema(as = XksKeyMetadata)]
#[serde(rename_all = "camelCase")]
pub struct XksMetadataView {
    /// Always `AES_256`.
    key_spec: String,
    /// `ENCRYPT`, `DECRYPT`.
    key_usage: Vec<String>,
    /// `ENABLED` or `DISABLED`.
    key_status: String,
}

/// `POST /v1/cckm/aws/xks-proxy-endpoints/{id}/kms/xks/v1/health`
pub async fn health(
    auth: OnKeyStore<ViewKeyStore>,
    services: Data<Services>,
) -> Result<Diagnosed<XksHealthView>, Problem> {
    Ok(services.key_stores.diagnose_health(&auth.permit)?.into())
}

/// `POST /v1/cckm/aws/xks-proxy-endpoints/{id}/kms/xks/v1/keys/{xks_key_id}/metadata`
pub async fn metadata(
    auth: OnKeyStore<ViewKeyStore>,
    path: Path<(String, String)>,
    services: Data<Services>,
) -> Result<Diagnosed<XksMetadataView>, Problem> {
    Ok(services.key_stores.diagnose_metadata(&auth.permit, &path.1)?.into())
}

impl<V> From<Diagnosis> for Diagnosed<V> {
    fn from(diagnosis: Diagnosis) -> Self {
        Self { diagnosis, view: PhantomData }
    }
}

impl<V> Responder for Diagnosed<V> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let status = StatusCode::from_u16(self.diagnosis.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        HttpResponse::build(status).content_type("application/json").body(self.diagnosis.body)
    }
}

impl<V: ToSchema> Described for Diagnosed<V> {
    fn describe(to: &mut Description) {
        to.answers_json::<V>(200);
    }
}
