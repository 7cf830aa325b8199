//! What the console shows before a sign-in: the name of the installation, and a notice.

use super::answer::Json;
use super::error::Problem;
use super::guard::Anonymous;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

/// What the settings say about the installation.
#[derive(Clone, Debug, Default)]
pub struct ConsoleTexts {
    pub title: Option<String>,
    pub notice: Option<String>,
    /// Whether this is a lab, with an emulated AWS.
    pub is_lab: bool,
}

/// What everybody may read about the installation.
#[derive(Serialize, ToSchema)]
#[schema(as = ConsoleInfo)]
pub struct ConsoleInfoView {
    /// The name of the product.
    #[schema(example = "claviger")]
    name: &'static str,
    /// The name of the installation; absent if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Payments, production")]
    title: Option<String>,
    /// A notice to read before the sign-in; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "For authorised staff only. Every act is recorded.")]
    notice: Option<String>,
    /// Whether this is a lab, with an emulated AWS.
    lab: bool,
}

/// `GET /v1/console`
pub async fn get(_caller: Anonymous, texts: Data<ConsoleTexts>) -> Result<Json<ConsoleInfoView>, Problem> {
    let ConsoleTexts { title, notice, is_lab } = texts.get_ref().clone();
    Ok(Json(ConsoleInfoView { name: "claviger", title, notice, lab: is_lab }))
}
