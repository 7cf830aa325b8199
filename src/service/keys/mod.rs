//! AWS keys: create, view, change, rotate and delete them. Each change is one operation with an intent and an outcome
//! (`operations`); its result is read from AWS (`reading`).

mod cloud_hsm;
mod creation;
mod hyok;
mod import;
mod in_stores;
mod list;
pub mod operations;
mod policy_check;
pub(super) mod reading;
mod rotation;
mod sources;
mod tag_filter;
mod virtual_keys;

pub use crate::policy::check::Problem as PolicyProblem;
pub use cloud_hsm::CloudHsmKeyRequest;
pub use creation::{KeyRequest, PolicyChoice, ReplicaRequest};
pub use hyok::{HyokRequest, LinkRequest, VersionSeen};
pub use import::ImportRequest;
pub(in crate::service) use operations::{KeyOperations, KeyTarget, OperationRequest};
pub use policy_check::{Compared, PolicyCandidate, PolicyCheck};
pub(in crate::service) use rotation::is_for_schedules;
pub use rotation::{MaterialRotation, RotationRequest};
pub use virtual_keys::VirtualKeySeen;

use super::access::{self, KeyPermit, KeyRight, Permit, SignedIn, UpdateKey, ViewKey};
use super::caller::{Caller, Change, RequestContext};
use super::cloud::Cloud;
use super::failure::{Failure, MissingRight};
use super::key_stores::Serving;
use super::list::{Page, Query, page};
use super::recorder::Recorder;
use super::source_keys::SourceKeys;
use crate::aws::kms::calls::{DescribeKey, GetPublicKey};
use crate::domain::action::Action;
use crate::domain::command::Command;
use crate::domain::id::{KeyId, KeyStoreId, SourceKeyId};
use crate::domain::key::aggregate::Key;
use crate::domain::key::aws_enums::MultiRegionKind;
use crate::domain::key::command::KeyCommand;
use crate::domain::key::decide::check_place;
use crate::domain::key::index::Term;
use crate::domain::key::name::AliasName;
use crate::domain::key::operation::Operation;
use crate::domain::key::policy::{PolicyContext, PolicyPrincipals};
use crate::domain::key::renewal::Renewal;
use crate::domain::place::Region;
use crate::domain::refusal::{KeyRefusal, Refusal};
use crate::domain::state::State;
use crate::ledger::Committed;
use std::sync::Arc;

/// The use cases of keys. Cheap to clone.
#[derive(Clone)]
pub struct Keys {
    recorder: Recorder,
    cloud: Arc<Cloud>,
    source_keys: SourceKeys,
    pub(in crate::service) operations: KeyOperations,
    serving: Serving,
}

/// A key with the related values that the API shows.
pub struct KeySeen {
    pub key: Arc<Key>,
    /// Whether AWS does not have it any more, or its region was taken from its KMS.
    pub gone: bool,
    /// The name of its KMS.
    pub kms: String,
    /// The name of the source key of its current material.
    pub source_name: Option<String>,
    /// The source key of its present material, as the client named it.
    pub source: Option<SourceKeyId>,
    /// The custom key store that has the key, if it is known here.
    pub store: Option<KeyStoreId>,
    /// The newest replica of a primary key, in the same KMS: who sees the key may see it too.
    pub replica: Option<Arc<Key>>,
    /// The next renewal of its material.
    pub renewal: Renewal,
    /// The principals in its policy, if the policy has the form that Claviger generates.
    pub principals: Option<PolicyPrincipals>,
}

impl Keys {
    pub(super) fn new(
        recorder: Recorder,
        cloud: Arc<Cloud>,
        source_keys: SourceKeys,
        operations: KeyOperations,
        serving: Serving,
    ) -> Self {
        Self { recorder, cloud, source_keys, operations, serving }
    }

    async fn append(&self, change: &Change, command: KeyCommand) -> Result<Committed, Failure> {
        self.recorder.append(change, Command::Key(command)).await
    }

    /// Lists the keys that the caller may view.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn list(&self, permit: &Permit<SignedIn>, query: &Query) -> Result<(Page<Key>, Caller), Failure> {
        let caller = permit.caller();
        Ok((page(caller, query).await?, caller.clone()))
    }

    /// Returns the entry of one key.
    pub fn get(&self, permit: &KeyPermit<ViewKey>) -> KeySeen {
        seen(permit.key().clone(), &permit.caller().published.state)
    }

    /// Changes a key at AWS, and returns it as AWS shows it afterwards.
    ///
    /// # Errors
    /// The refusal by a rule, or the failure of AWS.
    pub async fn change<A: KeyRight>(
        &self,
        permit: &KeyPermit<A>,
        context: &RequestContext,
        wanted: Operation,
    ) -> Result<KeySeen, Failure> {
        self.change_as(permit.caller(), permit.key(), context, wanted).await
    }

    async fn change_as(
        &self,
        caller: &Caller,
        key: &Key,
        context: &RequestContext,
        wanted: Operation,
    ) -> Result<KeySeen, Failure> {
        let request = OperationRequest { key: key.id, kms: key.kms, region: key.region.clone(), wanted };
        let committed = self.operations.request(&caller.change(context), request).await?;
        shown(&committed, key.id)
    }

    /// Adds an alias to a key. If another managed key has the alias, the alias moves.
    ///
    /// # Errors
    /// As [`Keys::change`].
    pub async fn add_alias<A: KeyRight>(
        &self,
        permit: &KeyPermit<A>,
        context: &RequestContext,
        alias: AliasName,
    ) -> Result<KeySeen, Failure> {
        let key = permit.key();
        let state = &permit.caller().published.state;
        let holder = holder(state, key, &alias);
        if holder.is_some_and(|holder| holder.id == key.id) {
            return Ok(seen(key.clone(), state));
        }
        let Some(holder) = holder else {
            return self.change(permit, context, Operation::AddAlias { alias, from: None }).await;
        };
        // The other key loses the alias, so the caller needs the same right on it. A caller who may not view that key
        // must not learn of it.
        let caller = permit.caller().clone();
        let caller = match KeyPermit::<A>::authorize(caller, holder.id) {
            Err(Failure::Refused(Refusal::Key(KeyRefusal::Unknown(_)))) => {
                return Err(KeyRefusal::AliasTaken(alias).into());
            }
            authorized => authorized?.caller().clone(),
        };
        if holder.metadata.is_pending_deletion() {
            return Err(KeyRefusal::AliasHeld { alias, by: holder.id }.into());
        }
        let wanted = Operation::AddAlias { alias, from: Some(holder.id) };
        self.change_as(&caller, key, context, wanted).await
    }

    /// Deletes an alias of a key.
    ///
    /// # Errors
    /// When the key does not have it; otherwise as [`Keys::change`].
    pub async fn delete_alias<A: KeyRight>(
        &self,
        permit: &KeyPermit<A>,
        context: &RequestContext,
        alias: AliasName,
    ) -> Result<KeySeen, Failure> {
        let key = permit.key();
        if !key.aliases.contains(&alias) {
            return Err(KeyRefusal::AliasUnknown { alias, key: key.id }.into());
        }
        self.change(permit, context, Operation::DeleteAlias { alias }).await
    }

    /// Makes the replica in another region the primary key.
    ///
    /// # Errors
    /// When the replica has an entry here and the caller may not change it; otherwise as [`Keys::change`].
    pub async fn move_primary(
        &self,
        permit: &KeyPermit<UpdateKey>,
        context: &RequestContext,
        to: Region,
    ) -> Result<KeySeen, Failure> {
        let (mut caller, key) = (permit.caller().clone(), permit.key());
        let family = caller.published.state.family(key.metadata.account(), key.aws_id());
        if let Some(next) = family.iter().find(|relative| relative.region == to) {
            let authorized = KeyPermit::<UpdateKey>::authorize(caller, next.id);
            // The failure does not reveal whether the replica has an entry that the caller may not view.
            let authorized = authorized.map_err(|_| Failure::Forbidden(MissingRight::Action(Action::KeyUpdate)))?;
            caller = authorized.caller().clone();
        }
        self.change_as(&caller, key, context, Operation::MovePrimary { to }).await
    }

    /// Reads a key from AWS again. A key that AWS no longer has is recorded as gone; that is not an error.
    ///
    /// # Errors
    /// The failure of AWS.
    pub async fn refresh<A: KeyRight>(
        &self,
        permit: &KeyPermit<A>,
        context: &RequestContext,
    ) -> Result<KeySeen, Failure> {
        let (key, change) = (permit.key(), permit.caller().change(context));
        let committed = match self.read_on_request(&change, key).await {
            Err(Failure::Cloud(cloud)) if cloud.is_not_found() => {
                self.append(&change, KeyCommand::RecordVanished { id: key.id }).await?
            }
            read => read?,
        };
        shown(&committed, key.id)
    }

    /// Removes the entry of a key that AWS no longer has.
    ///
    /// # Errors
    /// When AWS still has it.
    pub async fn forget<A: KeyRight>(&self, permit: &KeyPermit<A>, context: &RequestContext) -> Result<(), Failure> {
        let command = KeyCommand::Forget { id: permit.key().id };
        self.append(&permit.caller().change(context), command).await.map(drop)
    }

    /// Reads the public key of an asymmetric key, as the DER of a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// When the key is not asymmetric, or AWS fails.
    pub async fn public_key(&self, permit: &KeyPermit<ViewKey>) -> Result<Vec<u8>, Failure> {
        let key = permit.key();
        if !key.metadata.spec.is_asymmetric() {
            return Err(KeyRefusal::NotAsymmetric(key.id).into());
        }
        let at = self.cloud.region(key.kms, &key.region).await?;
        let call = GetPublicKey { key: key.aws_id().clone() };
        Ok(at.call(call).await?)
    }

    /// Asks AWS whether an alias is free in a region of a KMS.
    ///
    /// # Errors
    /// When the caller may not view the KMS, it does not manage the region, or AWS fails.
    pub async fn is_alias_free(
        &self,
        permit: &Permit<SignedIn>,
        kms: &str,
        region: &Region,
        alias: &AliasName,
    ) -> Result<bool, Failure> {
        let kms = access::KmsPermit::<access::View>::authorize_named(permit.caller().clone(), kms)?;
        check_place(&permit.caller().published.state, kms.kms().id, region)?;
        let at = self.cloud.region(kms.kms().id, region).await?;
        match at.call(DescribeKey::behind(alias.clone())).await {
            Ok(_) => Ok(false),
            Err(failure) if failure.is_not_found() => Ok(true),
            Err(failure) => Err(failure.into()),
        }
    }
}

/// The managed key that has an alias in the same KMS and region.
fn holder<'a>(state: &'a State, related: &Key, alias: &AliasName) -> Option<&'a Arc<Key>> {
    let mut keys = state.keys.find(Term::Alias(alias)).into_iter();
    keys.find(|key| key.kms == related.kms && key.region == related.region && !key.gone && !key.is_unlinked())
}

fn shown(committed: &Committed, id: KeyId) -> Result<KeySeen, Failure> {
    let state = &committed.published.state;
    Ok(seen(state.key(id)?.clone(), state))
}

/// Returns a key with the related values that the API shows.
pub fn seen(key: Arc<Key>, state: &State) -> KeySeen {
    // A visible key always has a KMS; the id is a fallback.
    let kms = state.kms.get(&key.kms).map_or_else(|| key.kms.to_string(), |kms| kms.name.to_string());
    let principals = key.policy.as_ref().and_then(|policy| PolicyPrincipals::of(policy, &policy_context(&key)));
    let imported = key.current_import().map(|material| material.source);
    let held = key.hyok.as_ref().and_then(|hyok| hyok.source());
    let source = held.or(imported).and_then(|source| state.source_keys.get(&source));
    KeySeen {
        source_name: source.map(|source| source.made.name.to_string()),
        source: key.hyok.as_ref().map_or(imported, |hyok| hyok::shown_source(state, &hyok.versions, hyok.active())),
        store: key
            .metadata
            .custom_key_store_id
            .as_ref()
            .and_then(|id| state.key_store_at_aws(key.kms, &key.region, id)),
        principals,
        gone: state.is_gone(&key),
        renewal: state.next_renewal(&key),
        replica: newest_replica(&key, state),
        key,
        kms,
    }
}

fn newest_replica(primary: &Key, state: &State) -> Option<Arc<Key>> {
    let family = primary.metadata.multi_region.as_ref().filter(|family| family.kind == MultiRegionKind::Primary)?;
    let keys = family.replicas.iter().filter_map(|arn| state.key_at_aws(primary.kms, arn.region(), primary.aws_id()));
    keys.filter(|key| !state.is_gone(key)).max_by_key(|key| key.created).cloned()
}

/// The context in which the policy of this key is written and read.
pub(in crate::service) fn policy_context(key: &Key) -> PolicyContext {
    PolicyContext {
        partition: key.metadata.arn.partition(),
        account: key.metadata.account(),
        usage: key.metadata.usage.clone(),
    }
}

#[cfg(test)]
mod tests;
