//! `system/metrics/prometheus`: the token with which Prometheus reads the metrics, as the vendor's clients manage it.
//! The bodies that they send (`{"id": "", "enabled": true}`) say nothing that the path does not.

use super::answer::Unstored;
use super::body::{BodyOrNone, optional};
use super::error::Problem;
use super::guard::Authorized;
use crate::service::Services;
use crate::service::access::Administer;
use crate::service::failure::{Failure, invalid};
use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// Whether Prometheus can read the metrics with a token, and the token.
#[derive(Serialize, ToSchema)]
#[schema(as = PrometheusStatus)]
pub struct PrometheusView {
    /// Whether there is a token.
    enabled: bool,
    /// The bearer token that Prometheus sends; empty if there is none, and in the answer of a dry run. It does not
    /// expire.
    token: String,
}

impl PrometheusView {
    fn of(enabled: bool, token: Option<&Zeroizing<String>>) -> Unstored<Self> {
        Unstored(Self { enabled, token: token.map(|token| token.to_string()).unwrap_or_default() })
    }
}

/// What clients repeat of the path.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = PrometheusRequest)]
pub struct PrometheusBody {
    /// `true` for `enable` and `renew-token`, `false` for `disable`; may be absent.
    #[serde(default, deserialize_with = "optional")]
    enabled: Option<bool>,
}

impl PrometheusBody {
    fn agree(&self, enabled: bool) -> Result<(), Failure> {
        match self.enabled.is_none_or(|given| given == enabled) {
            true => Ok(()),
            false => Err(invalid("enabled", format!("must be {enabled} or absent here: the path says so")).into()),
        }
    }
}

/// `POST /v1/system/metrics/prometheus/enable`
pub async fn enable(
    auth: Authorized<Administer>,
    body: BodyOrNone<PrometheusBody>,
    services: Data<Services>,
) -> Result<Unstored<PrometheusView>, Problem> {
    body.0.agree(true)?;
    let token = services.metrics_token.enable(&auth.permit, &auth.context, false).await?;
    Ok(PrometheusView::of(true, token.as_ref()))
}

/// `POST /v1/system/metrics/prometheus/renew-token`
pub async fn renew(
    auth: Authorized<Administer>,
    body: BodyOrNone<PrometheusBody>,
    services: Data<Services>,
) -> Result<Unstored<PrometheusView>, Problem> {
    body.0.agree(true)?;
    let token = services.metrics_token.enable(&auth.permit, &auth.context, true).await?;
    Ok(PrometheusView::of(true, token.as_ref()))
}

/// `POST /v1/system/metrics/prometheus/disable`
pub async fn disable(
    auth: Authorized<Administer>,
    body: BodyOrNone<PrometheusBody>,
    services: Data<Services>,
) -> Result<Unstored<PrometheusView>, Problem> {
    body.0.agree(false)?;
    services.metrics_token.disable(&auth.permit, &auth.context).await?;
    Ok(PrometheusView::of(false, None))
}

/// `GET /v1/system/metrics/prometheus/status`
pub async fn status(
    auth: Authorized<Administer>,
    services: Data<Services>,
) -> Result<Unstored<PrometheusView>, Problem> {
    let token = services.metrics_token.get(&auth.permit)?;
    Ok(PrometheusView::of(token.is_some(), token.as_ref()))
}

/// Whether a request has the token of the metrics.
pub(super) fn has_token(request: &HttpRequest) -> bool {
    let header = request.headers().get(AUTHORIZATION).and_then(|header| header.to_str().ok());
    let Some((scheme, token)) = header.and_then(|header| header.trim().split_once(' ')) else { return false };
    let services = request.app_data::<Data<Services>>();
    scheme.eq_ignore_ascii_case("bearer") && services.is_some_and(|services| services.metrics_token.is(token.trim()))
}
