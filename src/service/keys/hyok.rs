//! Keys that this program holds: created, linked, blocked, rotated and deleted. The XKS proxy serves them.

use super::creation::{PolicyChoice, refuse_dry_run};
use super::operations::OperationRequest;
use super::{KeySeen, Keys, policy_context, shown, virtual_keys};
use crate::domain::command::Command;
use crate::domain::id::{KeyId, KeyStoreId, OperationId, SourceKeyId, TemplateId};
use crate::domain::key::aggregate::Key;
use crate::domain::key::aws_enums::{KeyManager, KeyState, Origin};
use crate::domain::key::command::KeyCommand;
use crate::domain::key::event::Aspect;
use crate::domain::key::hyok::{HyokCommand, HyokVersion, NewHyokKey};
use crate::domain::key::metadata::{Algorithms, KeyMetadata};
use crate::domain::key::name::{AliasName, AwsKeyId, KeyArn};
use crate::domain::key::operation::{NewKey, Operation};
use crate::domain::key::policy::PolicyContext;
use crate::domain::key::spec::{KeySpec, KeyUsage};
use crate::domain::key::tag::{TEMPLATE_TAG, Tag};
use crate::domain::key_store::caller_rules::CallerRules;
use crate::domain::kms::Kms;
use crate::domain::place::Region;
use crate::domain::refusal::{KeyRefusal, KeyStoreRefusal, KmsRefusal, Refusal};
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::service::access::{
    BlockHyokKey, CreateHyokKey, DeleteKey, KeyPermit, KmsPermit, LinkHyokKey, Permit, RotateKey, SignedIn, UpdateKey,
};
use crate::service::caller::{Change, RequestContext};
use crate::service::failure::{Failure, invalid};
use std::sync::Arc;
use uuid::Uuid;

/// A key to create in a store that this program serves.
pub struct HyokRequest {
    pub store: KeyStoreId,
    pub source: SourceKeyId,
    /// The tier of the source key; `None` for that of the store.
    pub source_key_tier: Option<String>,
    pub blocked: bool,
    /// Create the key at AWS at once.
    pub linked: bool,
    pub caller_rules: CallerRules,
    pub aliases: Vec<AliasName>,
    pub description: String,
    pub policy: PolicyChoice,
    /// Skip AWS's check that the policy lets the caller change it later.
    pub bypass_lockout_check: bool,
    pub tags: Vec<Tag>,
}

/// The settings with which AWS creates a key that exists here already; `None` for what was planned.
#[derive(Default)]
pub struct LinkRequest {
    pub alias: Option<AliasName>,
    pub description: Option<String>,
    pub policy: Option<PolicyChoice>,
    /// Skip AWS's check that the policy lets the caller change it later.
    pub bypass_lockout_check: bool,
    pub tags: Option<Vec<Tag>>,
}

/// A version of a key, with the source key of its material.
pub struct VersionSeen {
    pub number: u32,
    pub version: HyokVersion,
    /// The id of the source key, as the client named it when it was given.
    pub source_id: SourceKeyId,
    pub source_name: String,
    /// The number of the source key's version, from 1 on.
    pub source_version: u32,
    pub is_active: bool,
    pub last_encrypt: Option<Time>,
    pub last_decrypt: Option<Time>,
    /// At least the number of encryptions.
    pub encryptions: u64,
}

impl Keys {
    /// Creates a key in a store that this program serves, and at AWS if the request wants it linked.
    ///
    /// # Errors
    /// When the caller lacks the right on the KMS of the store, a rule forbids the key, or AWS refuses it.
    pub async fn create_hyok(
        &self,
        permit: &Permit<SignedIn>,
        context: &RequestContext,
        request: HyokRequest,
    ) -> Result<KeySeen, Failure> {
        let caller = permit.caller().clone();
        let unknown = || {
            let unknown = KeyStoreRefusal::Unknown(request.store.to_string());
            Failure::Refused(Refusal::from(unknown).of("local_hosted_params.custom_key_store_id"))
        };
        let store = caller.published.state.key_stores.get(&request.store).cloned().ok_or_else(unknown)?;
        let kms = KmsPermit::<CreateHyokKey>::authorize(caller, store.kms).map_err(|failure| match failure {
            Failure::Refused(Refusal::Kms(KmsRefusal::Unknown(_))) => unknown(),
            other => other,
        })?;
        let tier = store.local.as_ref().map(|local| local.settings.source_key_tier.clone());
        let source_key_tier = request.source_key_tier.clone().or(tier).unwrap_or_default();
        let (id, source) = virtual_keys::identity(kms.caller(), request.source)?;
        let store = request.store;
        let (blocked, caller_rules) = (request.blocked, request.caller_rules.clone());
        let (linked, bypass_lockout_check) = (request.linked, request.bypass_lockout_check);
        let (region, aliases) = (permit_region(&kms, store)?, request.aliases.clone());
        let planned = self.planned(id, kms.kms(), &region, request)?;
        let new = Box::new(NewHyokKey { store, source, source_key_tier, blocked, caller_rules, planned });
        let link = linked.then(|| OperationId::new(Uuid::new_v4()));
        let create = move |at| HyokCommand::Create { id, new: new.clone(), at, link, bypass_lockout_check };
        let change = kms.caller().change(context);
        let Some(operation) = link else { return self.hyok(&change, id, create).await };
        refuse_dry_run(context)?;
        self.check_aliases(kms.caller(), kms.kms().id, &region, &aliases).await?;
        let command = move |at| Command::Key(KeyCommand::Hyok(create(at)));
        let record = self.recorder.append_with(&change, move |_, at| Ok(command(at)));
        let committed = self.operations.request_recorded(&change, id, operation, record).await?;
        shown(&committed, id)
    }

    /// Creates at AWS a key that exists here already. AWS asks the XKS proxy for it from then on.
    ///
    /// # Errors
    /// When this program does not hold the key, AWS knows it already, its store is not connected, or AWS refuses it.
    pub async fn link_hyok(
        &self,
        permit: &KeyPermit<LinkHyokKey>,
        context: &RequestContext,
        request: LinkRequest,
    ) -> Result<KeySeen, Failure> {
        let (key, caller) = (permit.key(), permit.caller());
        let (_, hyok) = caller.published.state.hyok_key(key.id)?;
        if hyok.linked {
            return Err(KeyRefusal::Linked(key.id).into());
        }
        refuse_dry_run(context)?;
        let mut new = NewKey { bypass_lockout_check: request.bypass_lockout_check, ..key.plan() };
        new.aliases = request.alias.map_or(new.aliases, |alias| vec![alias]);
        new.description = request.description.unwrap_or(new.description);
        if let Some(tags) = request.tags {
            new.tags.retain(|tag| tag.key == TEMPLATE_TAG || !tag.is_shown());
            new.tags.extend(tags);
        }
        // The template may have another policy than when the key was planned.
        let template = key.tag(TEMPLATE_TAG).and_then(|id| TemplateId::parse(id).ok());
        let template = template.filter(|id| caller.published.state.template(*id).is_ok());
        let planned = template.map(|id| PolicyChoice::Template(id.to_string()));
        if let Some(choice) = request.policy.or(planned) {
            new.tags.retain(|tag| tag.key != TEMPLATE_TAG);
            new.policy = self.policy(choice, &policy_context(key), &mut new.tags)?;
        }
        self.check_aliases(caller, key.kms, &key.region, &new.aliases).await?;
        let wanted = Operation::Link { new, store: hyok.store, is_new: false };
        let request = OperationRequest { key: key.id, kms: key.kms, region: key.region.clone(), wanted };
        let committed = self.operations.request(&caller.change(context), request).await?;
        shown(&committed, key.id)
    }

    /// Refuses every request of AWS for the key from now on, or serves them again.
    ///
    /// # Errors
    /// When this program does not hold the key.
    pub async fn set_blocked(
        &self,
        permit: &KeyPermit<BlockHyokKey>,
        context: &RequestContext,
        blocked: bool,
    ) -> Result<KeySeen, Failure> {
        let id = permit.key().id;
        let command = move |_| if blocked { HyokCommand::Block { id } } else { HyokCommand::Unblock { id } };
        self.hyok(&permit.caller().change(context), id, command).await
    }

    /// Replaces the callers that the key serves.
    ///
    /// # Errors
    /// When this program does not hold the key, or a pattern is invalid.
    pub async fn set_caller_rules(
        &self,
        permit: &KeyPermit<UpdateKey>,
        context: &RequestContext,
        rules: CallerRules,
    ) -> Result<KeySeen, Failure> {
        let id = permit.key().id;
        let command = move |_| HyokCommand::SetCallerRules { id, rules: rules.clone() };
        self.hyok(&permit.caller().change(context), id, command).await
    }

    /// Encrypts with another source key from now on. Without one, or with the present one, a further version of the
    /// present source key is made.
    ///
    /// # Errors
    /// When this program does not hold the key, or the source key does not fit.
    pub async fn rotate_hyok(
        &self,
        permit: &KeyPermit<RotateKey>,
        context: &RequestContext,
        source: Option<SourceKeyId>,
    ) -> Result<KeySeen, Failure> {
        self.rotate_hyok_as(&permit.caller().change(context), &permit.caller().published.state, permit.key().id, source)
            .await
    }

    /// Does the same without a permit, for other use cases.
    pub(in crate::service) async fn rotate_hyok_as(
        &self,
        change: &Change,
        state: &State,
        id: KeyId,
        source: Option<SourceKeyId>,
    ) -> Result<KeySeen, Failure> {
        let (_, hyok) = state.hyok_key(id)?;
        let present = hyok.source().ok_or(Failure::Internal("a key without a version"))?;
        let present = state.source_key(present)?;
        let is_same = |source: &SourceKeyId| {
            state.source_keys.get(source).is_some_and(|source| source.made.name == present.made.name)
        };
        let source = match source.filter(|source| !is_same(source)) {
            Some(source) => source,
            None if change.dry_run => present.id,
            None => self.source_keys.create_version_as(&change.done(), present).await?.id,
        };
        self.hyok(change, id, move |at| HyokCommand::Rotate { id, source, at }).await
    }

    /// Deletes a key that AWS does not know or does not have any more, with all its versions.
    ///
    /// # Errors
    /// When AWS has the key.
    pub async fn delete_hyok(&self, permit: &KeyPermit<DeleteKey>, context: &RequestContext) -> Result<(), Failure> {
        let (id, change) = (permit.key().id, permit.caller().change(context));
        let command = Command::Key(KeyCommand::Hyok(HyokCommand::Delete { id }));
        self.recorder.append(&change, command).await?;
        if let Some(hyok) = permit.key().hyok.as_ref().filter(|_| !change.dry_run) {
            self.serving.remove_key(hyok.store, id);
        }
        Ok(())
    }

    /// Lists the versions of a key, newest first.
    ///
    /// # Errors
    /// When this program does not hold the key.
    pub fn versions(&self, key: &Key, state: &State) -> Result<Vec<VersionSeen>, Failure> {
        let (_, hyok) = state.hyok_key(key.id)?;
        let counters = self.serving.key_counters(hyok.store, key.id);
        let mut seen = Vec::new();
        for (number, version) in (1..).zip(&hyok.versions) {
            let counted = counters.iter().find(|counted| counted.number == number);
            let source = state.source_key(version.source)?;
            seen.push(VersionSeen {
                number,
                source_id: shown_source(state, &hyok.versions, number).unwrap_or(version.source),
                source_name: source.made.name.to_string(),
                source_version: source.version + 1,
                is_active: number == hyok.active(),
                last_encrypt: counted.and_then(|counted| counted.last_encrypt_at).map(Time::of),
                last_decrypt: counted.and_then(|counted| counted.last_decrypt_at).map(Time::of),
                encryptions: counted.map_or(version.encryptions, |counted| counted.encryptions),
                version: version.clone(),
            });
        }
        seen.reverse();
        Ok(seen)
    }

    async fn hyok(
        &self,
        change: &Change,
        id: KeyId,
        command: impl Fn(Time) -> HyokCommand + Send + 'static,
    ) -> Result<KeySeen, Failure> {
        let command = move |at| Command::Key(KeyCommand::Hyok(command(at)));
        let committed = self.recorder.append_with(change, move |_, at| Ok(command(at))).await?;
        if !change.dry_run {
            self.serving.publish_key(id);
        }
        shown(&committed, id)
    }

    /// What AWS is going to be told of a key.
    fn planned(&self, id: KeyId, kms: &Kms, region: &Region, request: HyokRequest) -> Result<Vec<Aspect>, Failure> {
        let usage = KeyUsage::EncryptDecrypt;
        let context = PolicyContext { partition: kms.cloud, account: kms.account, usage: usage.clone() };
        let mut tags = request.tags;
        let policy = match self.policy(request.policy, &context, &mut tags)? {
            Some(policy) => policy,
            None => context.default_policy().map_err(|problem| invalid("policy", problem))?,
        };
        let aws_id = AwsKeyId::parse(&id.to_string()).map_err(|_| Failure::Internal("an id is no id of a key"))?;
        let metadata = KeyMetadata {
            arn: KeyArn::of(kms.account, region.clone(), aws_id),
            created_at: None,
            description: request.description,
            enabled: true,
            spec: KeySpec::SymmetricDefault,
            usage,
            state: KeyState::Enabled,
            origin: Origin::ExternalKeyStore,
            manager: KeyManager::Customer,
            multi_region: None,
            deletion_date: None,
            pending_window: None,
            valid_to: None,
            expiration_model: None,
            algorithms: Arc::new(Algorithms {
                encryption: vec!["SYMMETRIC_DEFAULT".to_owned()],
                ..Algorithms::default()
            }),
            current_material: None,
            custom_key_store_id: None,
            cloud_hsm_cluster_id: None,
            xks_key_id: None,
        };
        Ok(vec![
            Aspect::Metadata(Box::new(metadata)),
            Aspect::Aliases(request.aliases),
            Aspect::Tags(tags),
            Aspect::Policy(policy),
        ])
    }
}

fn permit_region(kms: &KmsPermit<CreateHyokKey>, store: KeyStoreId) -> Result<Region, Failure> {
    Ok(kms.caller().published.state.key_store(store)?.region.clone())
}

/// The source key of a version as a client knows it: a version of the same source key as the one before shows that
/// one's id.
pub(super) fn shown_source(state: &State, versions: &[HyokVersion], number: u32) -> Option<SourceKeyId> {
    let name = |source: SourceKeyId| state.source_keys.get(&source).map(|source| &source.made.name);
    let last = usize::try_from(number).ok()?.checked_sub(1)?;
    let mut first = last;
    while first > 0 && name(versions.get(first - 1)?.source) == name(versions.get(first)?.source) {
        first -= 1;
    }
    Some(versions.get(first)?.source)
}
