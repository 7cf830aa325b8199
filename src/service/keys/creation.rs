//! The creation of keys: new keys, uploaded keys and replicas.

use super::import::ImportRequest;
use super::operations::OperationRequest;
use super::reading::{last_use, read};
use super::{KeySeen, Keys, policy_context, shown};
use crate::aws::kms::calls::DescribeKey;
use crate::domain::id::{KeyId, KmsId};
use crate::domain::key::aggregate::{Key, Snapshot};
use crate::domain::key::aws_enums::{MultiRegionKind, Origin};
use crate::domain::key::command::KeyCommand;
use crate::domain::key::decide::check_place;
use crate::domain::key::name::AliasName;
use crate::domain::key::operation::{NewKey, NewReplica, Operation};
use crate::domain::key::policy::{PolicyContext, PolicyPrincipals};
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::spec::{KeySpec, KeyUsage};
use crate::domain::key::tag::Tag;
use crate::domain::kms::Kms;
use crate::domain::place::Region;
use crate::domain::refusal::{KeyRefusal, KmsRefusal, Refusal};
use crate::ledger::Committed;
use crate::service::access::{self, CreateKey, KeyPermit, KmsPermit, KmsRight, Permit, SignedIn, UploadKey};
use crate::service::caller::{Caller, Change, RequestContext};
use crate::service::failure::{Failure, invalid};
use std::time::Duration;
use uuid::Uuid;

/// A key to create.
pub struct KeyRequest {
    /// The name or id of the KMS.
    pub kms: String,
    pub region: Region,
    pub aliases: Vec<AliasName>,
    /// The spec; `None` for the default, or for an upload the spec that fits the source key.
    pub spec: Option<KeySpec>,
    /// The usage; `None` if the spec allows only one.
    pub usage: Option<KeyUsage>,
    /// The origin of its material.
    pub origin: Origin,
    pub description: String,
    pub multi_region: bool,
    pub policy: PolicyChoice,
    /// Skip AWS's check that the policy lets the caller change it later.
    pub bypass_lockout_check: bool,
    pub tags: Vec<Tag>,
}

/// The source of a key's policy.
#[derive(Default)]
pub enum PolicyChoice {
    #[default]
    Default,
    Text(PolicyText),
    /// The policy of the template of this name or id.
    Template(String),
    /// A policy generated for these principals.
    Principals(PolicyPrincipals),
}

/// A replica to create.
pub struct ReplicaRequest {
    pub region: Region,
    pub aliases: Vec<AliasName>,
    /// The description; `None` for the primary's.
    pub description: Option<String>,
    pub policy: PolicyChoice,
    /// Skip AWS's check that the policy lets the caller change it later.
    pub bypass_lockout_check: bool,
    pub tags: Vec<Tag>,
}

/// The longest wait of a refresh for the last use of its key.
const LAST_USE_WAIT: Duration = Duration::from_secs(3);

impl Keys {
    /// Creates a key at AWS.
    ///
    /// # Errors
    /// The refusal by a rule, or the failure of AWS.
    pub async fn create(
        &self,
        permit: &Permit<SignedIn>,
        context: &RequestContext,
        request: KeyRequest,
    ) -> Result<KeySeen, Failure> {
        let kms = KmsPermit::<CreateKey>::authorize_named(permit.caller().clone(), &request.kms)?;
        if !matches!(request.origin, Origin::AwsKms | Origin::External) {
            return Err(invalid("aws_param.Origin", "must be AWS_KMS or EXTERNAL").into());
        }
        let region = request.region.clone();
        let new = self.new_key(&kms, request)?;
        self.make(&kms, context, region, Operation::Create(new)).await
    }

    /// Creates a key at AWS with the material of a source key.
    ///
    /// # Errors
    /// As [`Keys::create`].
    pub async fn upload(
        &self,
        permit: &Permit<SignedIn>,
        context: &RequestContext,
        mut request: KeyRequest,
        import: ImportRequest,
    ) -> Result<KeySeen, Failure> {
        let kms = KmsPermit::<UploadKey>::authorize_named(permit.caller().clone(), &request.kms)?;
        request.origin = Origin::External;
        let source = import.source.as_deref().unwrap_or_default();
        request.spec = Some(self.fitting_spec(source, request.spec, kms.kms().cloud)?);
        let region = request.region.clone();
        let new = self.new_key(&kms, request)?;
        let import = self.first_import(import)?;
        self.make(&kms, context, region, Operation::Upload { new, import }).await
    }

    /// Creates a replica of a multi-region key.
    ///
    /// # Errors
    /// As [`Keys::create`].
    pub async fn replicate(
        &self,
        permit: &KeyPermit<CreateKey>,
        context: &RequestContext,
        request: ReplicaRequest,
    ) -> Result<KeySeen, Failure> {
        let primary = permit.key();
        let kind = primary.metadata.multi_region.as_ref().map(|family| &family.kind);
        if kind != Some(&MultiRegionKind::Primary) {
            return Err(KeyRefusal::NotPrimary(primary.id).into());
        }
        let state = &permit.caller().published.state;
        let mut of_account = state.kms_of_account(primary.metadata.account());
        let unmanaged = || Failure::Refused(unmanaged(&request.region, permit.kms()));
        let target = of_account.find(|kms| kms.regions.contains(&request.region)).ok_or_else(unmanaged)?;
        let target = KmsPermit::<CreateKey>::authorize(permit.caller().clone(), target.id).map_err(|failure| {
            match failure {
                // A caller who may not view that KMS must not learn of it.
                Failure::Refused(Refusal::Kms(KmsRefusal::Unknown(_))) => unmanaged(),
                other => other,
            }
        })?;
        if state.key_at_aws(target.kms().id, &request.region, primary.aws_id()).is_some_and(|there| !there.gone) {
            return Err(KeyRefusal::ReplicaThere(request.region).into());
        }
        let policy_context = policy_context(primary);
        let mut tags = request.tags;
        let new = NewReplica {
            key: primary.aws_id().clone(),
            primary: primary.region.clone(),
            aliases: request.aliases,
            description: request.description.unwrap_or_else(|| primary.description().to_owned()),
            policy: self.policy(request.policy, &policy_context, &mut tags)?,
            bypass_lockout_check: request.bypass_lockout_check,
            tags,
        };
        self.make(&target, context, request.region, Operation::Replicate { of: primary.id, new }).await
    }

    /// Returns the operation that puts the chosen policy to an existing key.
    ///
    /// # Errors
    /// When there is no such template, or the policy is invalid.
    pub fn policy_for(&self, key: &Key, choice: PolicyChoice) -> Result<Operation, Failure> {
        let policy_context = policy_context(key);
        let mut tags = Vec::new();
        let policy = match self.policy(choice, &policy_context, &mut tags)? {
            Some(policy) => policy,
            None => policy_context.default_policy().map_err(|problem| invalid("policy", problem))?,
        };
        Ok(Operation::PutPolicy { policy, template: tags.pop().map(|tag| tag.value) })
    }

    fn new_key<A: KmsRight>(&self, kms: &KmsPermit<A>, request: KeyRequest) -> Result<NewKey, Failure> {
        let kms = kms.kms();
        let spec = request.spec.unwrap_or(KeySpec::SymmetricDefault);
        spec.check_partition(kms.cloud).map_err(|problem| invalid("aws_param.KeySpec", problem))?;
        let usage = spec.usage_or_default(request.usage).map_err(|problem| invalid("aws_param.KeyUsage", problem))?;
        let policy_context = PolicyContext { partition: kms.cloud, account: kms.account, usage: usage.clone() };
        let mut tags = request.tags;
        let policy = self.policy(request.policy, &policy_context, &mut tags)?;
        Ok(NewKey {
            aliases: request.aliases,
            spec,
            usage,
            origin: request.origin,
            description: request.description,
            multi_region: request.multi_region,
            policy,
            bypass_lockout_check: request.bypass_lockout_check,
            tags,
        })
    }

    async fn make<A: KmsRight>(
        &self,
        kms: &KmsPermit<A>,
        context: &RequestContext,
        region: Region,
        wanted: Operation,
    ) -> Result<KeySeen, Failure> {
        check_place(&kms.caller().published.state, kms.kms().id, &region)?;
        if !context.dry_run {
            self.check_aliases(kms.caller(), kms.kms().id, &region, wanted.new_aliases()).await?;
        }
        let request = OperationRequest { key: KeyId::new(Uuid::new_v4()), kms: kms.kms().id, region, wanted };
        self.request(request, kms.caller(), context).await
    }

    /// Asks AWS whether aliases are free, before a key is created that is to have them. If AWS does not say, the
    /// creation of the alias decides.
    ///
    /// # Errors
    /// When a key has one of them.
    pub(super) async fn check_aliases(
        &self,
        caller: &Caller,
        kms: KmsId,
        region: &Region,
        aliases: &[AliasName],
    ) -> Result<(), Failure> {
        for alias in aliases {
            let at = self.cloud.region(kms, region).await?;
            let holder = match at.call(DescribeKey::behind(alias.clone())).await {
                Ok(holder) => holder,
                Err(failure) => {
                    tracing::debug!(%alias, %failure, "no key has the alias, or AWS does not say");
                    continue;
                }
            };
            let (alias, state) = (alias.clone(), &caller.published.state);
            let known = state.key_at_aws(kms, region, holder.key_id());
            // A caller who may not view the key must not learn of it.
            let known = known.filter(|known| access::sees_key(&caller.user, state, known));
            return Err(match known.filter(|_| holder.is_pending_deletion()) {
                Some(known) => KeyRefusal::AliasHeld { alias, by: known.id }.into(),
                None => KeyRefusal::AliasTaken(alias).into(),
            });
        }
        Ok(())
    }

    async fn request(
        &self,
        request: OperationRequest,
        caller: &Caller,
        context: &RequestContext,
    ) -> Result<KeySeen, Failure> {
        refuse_dry_run(context)?;
        let id = request.key;
        let committed = self.operations.request(&caller.change(context), request).await?;
        shown(&committed, id)
    }
}

impl Keys {
    /// Reads a key from AWS, and records the result.
    ///
    /// # Errors
    /// The failure of AWS.
    pub(in crate::service) async fn read_again(&self, change: &Change, key: &Key) -> Result<Committed, Failure> {
        let (id, kms, region, seen) = self.seen(key).await?;
        self.append(change, KeyCommand::Observe { id, kms, region, seen }).await
    }

    /// Reads a key and its last use from AWS, and records that it was read.
    pub(super) async fn read_on_request(&self, change: &Change, key: &Key) -> Result<Committed, Failure> {
        let (id, kms, region, seen) = self.seen(key).await?;
        // The key itself is worth more: what AWS does not say of its use is left as it is known.
        let at = self.cloud.region(kms, &region).await?;
        let asked = tokio::time::timeout(LAST_USE_WAIT, last_use(&at, &seen.metadata, self.recorder.now())).await;
        let last_use = asked.ok().and_then(Result::ok).flatten();
        let seen = Box::new(Snapshot { last_use, ..*seen });
        self.append(change, KeyCommand::Refresh { id, kms, region, seen }).await
    }

    async fn seen(&self, key: &Key) -> Result<(KeyId, KmsId, Region, Box<Snapshot>), Failure> {
        key.refuse_unlinked()?;
        let at = self.cloud.region(key.kms, &key.region).await?;
        let seen = Box::new(read(&at, key.aws_id()).await?);
        Ok((key.id, key.kms, key.region.clone(), seen))
    }
}

/// Refuses a dry run of an operation that creates a key.
///
/// # Errors
/// When the request is a dry run.
pub(super) fn refuse_dry_run(context: &RequestContext) -> Result<(), Refusal> {
    match context.dry_run {
        true => Err(invalid("dry_run", "cannot be used where AWS makes a key: AWS does not say what it would make")),
        false => Ok(()),
    }
}

fn unmanaged(region: &Region, kms: &Kms) -> Refusal {
    Refusal::Kms(KmsRefusal::RegionNotManaged {
        region: region.clone(),
        kms: kms.name.clone(),
        managed: kms.regions.clone(),
    })
}
