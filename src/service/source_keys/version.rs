//! Further versions and clones of source keys.

use super::list::normalized;
use super::{SourceKeys, VersionRequest, obtain};
use crate::domain::id::SourceKeyId;
use crate::domain::name::{JsonText, SourceKeyName};
use crate::domain::patch::merged;
use crate::domain::source_key::command::Relation;
use crate::domain::source_key::{MaterialOrigin, NewSourceKey, SourceKey, UsageMask};
use crate::domain::table::Table;
use crate::service::access::{ManageSourceKeys, Permit, ViewSourceKeys};
use crate::service::caller::{Change, RequestContext};
use crate::service::failure::Failure;
use crate::service::list::{Page, Query, page_of};
use crate::service::material::WantedKind;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A further version of a source key. What is `None` is as in the existing version.
pub struct FurtherVersion {
    pub usage: Option<UsageMask>,
    pub unexportable: bool,
    pub undeletable: bool,
    pub labels: Option<JsonText>,
    pub meta: Option<JsonText>,
    pub version: VersionRequest,
    /// The material that the client supplies; `None` to generate it.
    pub supplied: Option<Zeroizing<String>>,
}

impl SourceKeys {
    /// Lists the versions of a source key.
    ///
    /// # Errors
    /// As [`SourceKeys::list`].
    pub async fn versions(
        &self,
        permit: &Permit<ViewSourceKeys>,
        key: &SourceKey,
        query: &Query,
    ) -> Result<Page<SourceKey>, Failure> {
        let mut versions = Table::default();
        for version in permit.caller().published.state.source_keys.all_named(&key.made.name) {
            versions.insert(version.id, version.as_ref().clone());
        }
        let mut query = normalized(query)?;
        // These members of the query name the source key.
        query.filters.retain(|(member, _)| !matches!(member.as_str(), "type" | "version"));
        page_of(&versions, permit.caller(), &query).await
    }

    /// Creates a further version of a source key, with generated or supplied material.
    ///
    /// # Errors
    /// When the source key was deleted meanwhile, or the supplied material is not of its kind.
    pub async fn create_version(
        &self,
        permit: Permit<ManageSourceKeys>,
        context: &RequestContext,
        of: &SourceKey,
        new: FurtherVersion,
    ) -> Result<Arc<SourceKey>, Failure> {
        let change = permit.caller().change(context);
        let origin = if new.supplied.is_some() { MaterialOrigin::Brought } else { MaterialOrigin::Generated };
        let material = obtain(WantedKind::Exactly(of.made.kind), new.version.encoding, new.supplied).await?;
        let made = NewSourceKey {
            name: of.made.name.clone(),
            kind: of.made.kind,
            origin,
            usage: new.usage.unwrap_or(of.made.usage),
            unexportable: new.unexportable || of.made.unexportable,
            undeletable: new.undeletable || of.made.undeletable,
            labels: new.labels.or_else(|| of.made.labels.clone()),
            meta: new.meta.or_else(|| of.made.meta.clone()),
            fingerprint: material.fingerprint(),
            public_key: material.public_key(),
        };
        let id = SourceKeyId::new(Uuid::new_v4());
        self.store(&change, id, made, new.version, Relation::VersionOf(of.id), material.secret()).await
    }

    /// Creates a further version like the existing one, without a permit, for other use cases.
    ///
    /// # Errors
    /// When the source key was deleted meanwhile.
    pub(in crate::service) async fn create_version_as(
        &self,
        change: &Change,
        of: &SourceKey,
    ) -> Result<Arc<SourceKey>, Failure> {
        let material = obtain(WantedKind::Exactly(of.made.kind), None, None).await?;
        let made = NewSourceKey {
            origin: MaterialOrigin::Generated,
            fingerprint: material.fingerprint(),
            public_key: material.public_key(),
            ..of.made.clone()
        };
        let id = SourceKeyId::new(Uuid::new_v4());
        self.store(change, id, made, VersionRequest::default(), Relation::VersionOf(of.id), material.secret()).await
    }

    /// Creates a source key with the material and the attributes of another one.
    ///
    /// # Errors
    /// When the name is in use, or the original is not active.
    pub async fn clone_of(
        &self,
        permit: Permit<ManageSourceKeys>,
        context: &RequestContext,
        of: &SourceKey,
        name: Option<SourceKeyName>,
        meta: Option<JsonText>,
    ) -> Result<Arc<SourceKey>, Failure> {
        let change = permit.caller().change(context);
        of.refuse_use(self.now())?;
        let id = SourceKeyId::new(Uuid::new_v4());
        let meta = merged("meta", of.made.meta.clone(), meta)?;
        let made = NewSourceKey { name: self.free_name(id, name)?, meta, ..of.made.clone() };
        let mut version = VersionRequest::default();
        version.attributes.description = Some(of.attributes.description.clone());
        version.dates.protect_stop = of.lifecycle.protect_stop;
        version.dates.deactivation = of.lifecycle.deactivation;
        version.dates.archive = of.lifecycle.archive;
        let secret = self.material(of.id)?;
        self.store(&change, id, made, version, Relation::CloneOf(of.id), &secret).await
    }
}
