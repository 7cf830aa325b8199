//! What the caller may do: a client need not offer what will be refused.

use super::answer::Json;
use super::guard::{Authorized, OnKey, OnKms};
use super::kms::action_names;
use crate::domain::action::Action;
use crate::domain::kms::Kms;
use crate::domain::user::User;
use crate::service::access::{self, RequiredRight, SignedIn, View, ViewKey};
use serde::Serialize;
use utoipa::ToSchema;

/// The rights of the caller.
#[derive(Serialize, ToSchema)]
#[schema(as = OwnRights)]
pub struct OwnRightsView {
    /// The rights that do not depend on a KMS, by the names in the documentation.
    #[schema(example = json!(["connections view", "KMS", "source keys", "source keys view", "schedules", "alarms"]))]
    rights: Vec<&'static str>,
    /// The KMSs that the caller may view, by name.
    kms: Vec<RightsOnKmsView>,
}

/// The rights of the caller on a KMS.
#[derive(Serialize, ToSchema)]
#[schema(as = RightsOnKms)]
pub struct RightsOnKmsView {
    /// The id of the KMS.
    id: String,
    /// Whether the caller may change the KMS itself and its permissions.
    may_update: bool,
    /// The permitted actions.
    #[schema(schema_with = action_names)]
    actions: Vec<&'static str>,
}

/// The rights of the caller on a key.
#[derive(Serialize, ToSchema)]
#[schema(as = RightsOnKey)]
pub struct RightsOnKeyView {
    /// The permitted actions, of those that are about keys of its kind.
    #[schema(schema_with = action_names)]
    actions: Vec<&'static str>,
}

/// `GET /v1/auth/self/rights`
pub async fn own(auth: Authorized<SignedIn>) -> Json<OwnRightsView> {
    let caller = auth.permit.caller();
    let (user, state) = (&caller.user, &caller.published.state);
    let kms = access::own_kms(user, state).into_iter().map(|kms| RightsOnKmsView::of(user, kms));
    let rights = access::own_rights(user, state).into_iter().map(RequiredRight::name).collect();
    Json(OwnRightsView { rights, kms: kms.collect() })
}

/// `GET /v1/cckm/aws/kms/{id}/rights`
pub async fn on_kms(auth: OnKms<View>) -> Json<RightsOnKmsView> {
    Json(RightsOnKmsView::of(&auth.permit.caller().user, auth.permit.kms()))
}

/// `GET /v1/cckm/aws/keys/{id}/rights`
pub async fn on_key(auth: OnKey<ViewKey>) -> Json<RightsOnKeyView> {
    let permit = &auth.permit;
    Json(RightsOnKeyView {
        actions: names(access::own_actions_on_key(&permit.caller().user, permit.kms(), permit.key())),
    })
}

impl RightsOnKmsView {
    fn of(user: &User, kms: &Kms) -> Self {
        let actions = names(access::own_actions(user, kms));
        Self { id: kms.id.to_string(), may_update: access::may_update(user, kms), actions }
    }
}

fn names(actions: Vec<Action>) -> Vec<&'static str> {
    actions.into_iter().map(Action::name).collect()
}
