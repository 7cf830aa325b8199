//! What clients keep for a user, such as the saved views of the console.

use super::answer::Json;
use super::body::Body;
use super::error::Problem;
use super::guard::Authorized;
use super::json_object::object_or_empty;
use crate::domain::name::JsonText;
use crate::domain::refusal::Bounds;
use crate::domain::user::PREFERENCES_MAX;
use crate::service::Services;
use crate::service::access::SignedIn;
use crate::service::failure::out_of_range;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A JSON object whose members are the clients' own.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = Preferences, value_type = Object)]
pub struct Preferences(Map<String, Value>);

/// `GET /v1/auth/self/preferences`
pub async fn get(auth: Authorized<SignedIn>) -> Json<Preferences> {
    Json(Preferences::of(object_or_empty(auth.permit.caller().user.preferences.as_ref())))
}

/// `PUT /v1/auth/self/preferences`
pub async fn set(
    auth: Authorized<SignedIn>,
    body: Body<Preferences>,
    services: Data<Services>,
) -> Result<Json<Preferences>, Problem> {
    let value = Value::Object(body.0.0);
    let text = JsonText::at_most(&value, PREFERENCES_MAX).map_err(|length| {
        let limit = Bounds::most(PREFERENCES_MAX as u64);
        out_of_range("preferences", limit, format!("must have at most {PREFERENCES_MAX} bytes as JSON, not {length}"))
    })?;
    services.users.set_preferences(&auth.permit, &auth.context, text).await?;
    Ok(Json(Preferences::of(value)))
}

impl Preferences {
    fn of(value: Value) -> Self {
        match value {
            Value::Object(members) => Self(members),
            // Only objects are stored.
            _ => Self(Map::new()),
        }
    }
}
