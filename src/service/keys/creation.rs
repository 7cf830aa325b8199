//! Making keys: new ones, uploaded ones, ones that replace another, replicas.

use super::effect::Effect;
use super::{KeySeen, Keys, setting, shown};
use crate::domain::id::KeyId;
use crate::domain::key::aggregate::Key;
use crate::domain::key::command::{KeyCommand, check_place};
use crate::domain::key::event::{NATIVE, RotationJob};
use crate::domain::key::material::MaterialId;
use crate::domain::key::name::AliasName;
use crate::domain::key::operation::{Import, MARK, NewKey, NewReplica, Operation, RetiredKey};
use crate::domain::key::policy::{People, Setting};
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::spec::{KeySpec, KeyUsage};
use crate::domain::key::tag::Tag;
use crate::domain::key::word::{KeyManager, MultiRegionKind, Origin};
use crate::domain::kms::Kms;
use crate::domain::place::Region;
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;
use crate::ledger::Committed;
use crate::service::Core;
use crate::service::access::{CreateKey, KeyPermit, KmsPermit, KmsRight, Permit, RotateKey, SignedIn, UploadKey};
use crate::service::caller::{Asked, Change};
use crate::service::failure::{Failure, invalid};
use uuid::Uuid;

/// A key that a caller wants.
pub struct KeyWish {
    /// In which KMS: name or id.
    pub kms: String,
    /// In which region.
    pub region: Region,
    /// Its aliases.
    pub aliases: Vec<AliasName>,
    /// Its spec; for an upload it may follow from the source key.
    pub spec: Option<KeySpec>,
    /// What it is for; none: the only thing that its spec can be used for.
    pub usage: Option<KeyUsage>,
    /// Where its material comes from.
    pub origin: Origin,
    /// Its description.
    pub description: String,
    /// May it have replicas?
    pub multi_region: bool,
    /// Its policy.
    pub policy: PolicyChoice,
    /// Accept a policy that locks everybody out?
    pub bypass_lockout_check: bool,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Which policy a key gets.
#[derive(Default)]
pub enum PolicyChoice {
    /// AWS's default.
    #[default]
    Default,
    /// This one.
    Text(PolicyText),
    /// That of a template: name or id.
    Template(String),
    /// One that gives these people their rights.
    People(People),
}

/// Material that a caller wants in a key.
pub struct ImportWish {
    /// Whose: name or id of a source key.
    pub source: String,
    /// When AWS is to forget it.
    pub valid_to: Option<Time>,
    /// Has the key had it before?
    pub existing: bool,
    /// Which of the key's materials.
    pub material: Option<MaterialId>,
    /// What AWS shows beside it.
    pub description: Option<String>,
}

/// A key that is to be replaced.
#[derive(Default)]
pub struct RotationWish {
    /// The new key's description; none: the old one's.
    pub description: Option<String>,
    /// Where the new key's material comes from; none: AWS makes it.
    pub import: Option<ImportWish>,
    /// What becomes of the old key.
    pub old: RetiredKey,
}

/// A replica that a caller wants.
pub struct ReplicaWish {
    /// In which region.
    pub region: Region,
    /// Its aliases.
    pub aliases: Vec<AliasName>,
    /// Its description; none: the primary's.
    pub description: Option<String>,
    /// Its policy.
    pub policy: PolicyChoice,
    /// Accept a policy that locks everybody out?
    pub bypass_lockout_check: bool,
    /// Its tags.
    pub tags: Vec<Tag>,
}

impl Keys {
    /// Makes a key at AWS.
    ///
    /// # Errors
    /// What stands against it here, or what AWS says.
    pub async fn create(&self, permit: &Permit<SignedIn>, asked: &Asked, wish: KeyWish) -> Result<KeySeen, Failure> {
        let kms = KmsPermit::<CreateKey>::settle_named(permit.caller().clone(), &wish.kms)?;
        if !matches!(wish.origin, Origin::AwsKms | Origin::External) {
            return Err(invalid("aws_param.Origin", "must be AWS_KMS or EXTERNAL").into());
        }
        let region = wish.region.clone();
        let new = self.new_key(&kms, wish)?;
        self.make(&kms, asked, region, Operation::Create(new)).await
    }

    /// Makes a key at AWS with the material of a source key.
    ///
    /// # Errors
    /// As [`Keys::create`].
    pub async fn upload(
        &self,
        permit: &Permit<SignedIn>,
        asked: &Asked,
        mut wish: KeyWish,
        import: ImportWish,
    ) -> Result<KeySeen, Failure> {
        let kms = KmsPermit::<UploadKey>::settle_named(permit.caller().clone(), &wish.kms)?;
        wish.origin = Origin::External;
        wish.spec = Some(self.core.fitting_spec(&import.source, wish.spec, kms.kms().cloud)?);
        let region = wish.region.clone();
        let new = self.new_key(&kms, wish)?;
        let import = self.core.wished_import(import)?;
        self.make(&kms, asked, region, Operation::Upload { new, import }).await
    }

    /// Makes a key that replaces another: its aliases move there, and each names the other.
    ///
    /// # Errors
    /// As [`Keys::create`].
    pub async fn rotate(
        &self,
        permit: &KeyPermit<RotateKey>,
        asked: &Asked,
        wish: RotationWish,
    ) -> Result<KeySeen, Failure> {
        let mut key = permit.key().clone();
        // Not by what was known of it when it was read last; a dry run is refused below.
        if !asked.dry_run {
            let read = self.core.read_anew(&permit.caller().change(asked), &key).await?;
            key = read.published.state.key(key.id)?.clone();
        }
        let effect = self.core.rotation(&key, wish)?;
        self.carry_out(effect, permit.caller(), asked).await
    }

    /// Makes a replica of a multi-region key.
    ///
    /// # Errors
    /// As [`Keys::create`].
    pub async fn replicate(
        &self,
        permit: &KeyPermit<CreateKey>,
        asked: &Asked,
        wish: ReplicaWish,
    ) -> Result<KeySeen, Failure> {
        let primary = permit.key();
        let kind = primary.facts.multi_region.as_ref().map(|family| &family.kind);
        if kind != Some(&MultiRegionKind::Primary) {
            return Err(Failure::Refused(Refusal::NotPrimary(primary.id)));
        }
        let state = &permit.caller().published.state;
        let mut of_account = state.kms_of_account(primary.facts.account());
        let Some(target) = of_account.find(|kms| kms.regions.contains(&wish.region)) else {
            return Err(Failure::Refused(unmanaged(&wish.region, permit.kms())));
        };
        let target = KmsPermit::<CreateKey>::settle(permit.caller().clone(), target.id)?;
        let setting = setting(primary);
        let mut tags = wish.tags;
        let new = NewReplica {
            key: primary.aws_id().clone(),
            primary: primary.region.clone(),
            aliases: wish.aliases,
            description: wish.description.unwrap_or_else(|| primary.facts.description.clone()),
            policy: self.core.policy(wish.policy, &setting, &mut tags)?,
            bypass_lockout_check: wish.bypass_lockout_check,
            tags,
        };
        self.make(&target, asked, wish.region, Operation::Replicate { of: primary.id, new }).await
    }

    /// The policy that a choice comes to for a key that is there, and the template that it comes from.
    ///
    /// # Errors
    /// When it comes to none.
    pub fn policy_for(&self, key: &Key, choice: PolicyChoice) -> Result<Operation, Failure> {
        let setting = setting(key);
        let mut tags = Vec::new();
        let Some(policy) = self.core.policy(choice, &setting, &mut tags)? else {
            let problem = "must be given: as `policy`, as `policytemplate`, or as key_admins and its kin";
            return Err(invalid("policy", problem).into());
        };
        Ok(Operation::PutPolicy { policy, template: tags.pop().map(|tag| tag.value) })
    }

    fn new_key<A: KmsRight>(&self, kms: &KmsPermit<A>, wish: KeyWish) -> Result<NewKey, Failure> {
        let kms = kms.kms();
        let spec = wish.spec.unwrap_or(KeySpec::SymmetricDefault);
        spec.check_partition(kms.cloud).map_err(|problem| invalid("aws_param.KeySpec", problem))?;
        let usage = spec.usage_or_default(wish.usage).map_err(|problem| invalid("aws_param.KeyUsage", problem))?;
        let setting = Setting { partition: kms.cloud, account: kms.account, usage: usage.clone() };
        let mut tags = wish.tags;
        let policy = self.core.policy(wish.policy, &setting, &mut tags)?;
        Ok(NewKey {
            aliases: wish.aliases,
            spec,
            usage,
            origin: wish.origin,
            description: wish.description,
            multi_region: wish.multi_region,
            policy,
            bypass_lockout_check: wish.bypass_lockout_check,
            tags,
        })
    }

    async fn make<A: KmsRight>(
        &self,
        kms: &KmsPermit<A>,
        asked: &Asked,
        region: Region,
        wanted: Operation,
    ) -> Result<KeySeen, Failure> {
        check_place(&kms.caller().published.state, kms.kms().id, &region)?;
        let effect = Effect { key: KeyId::new(Uuid::new_v4()), kms: kms.kms().id, region, wanted };
        self.carry_out(effect, kms.caller(), asked).await
    }

    async fn carry_out(
        &self,
        effect: Effect,
        caller: &crate::service::caller::Caller,
        asked: &Asked,
    ) -> Result<KeySeen, Failure> {
        if asked.dry_run {
            let problem = "cannot be used where AWS makes a key: AWS does not say what it would make";
            return Err(invalid("dry_run", problem).into());
        }
        let id = effect.key;
        let committed = effect.carry_out(&self.core, &caller.change(asked)).await?;
        shown(&committed, id)
    }
}

impl Core {
    /// What the rotation of a key into a new one comes to. Whoever asks for it has settled that it may be.
    ///
    /// # Errors
    /// When the key was rotated already, or what is wished does not fit it.
    pub(in crate::service) fn rotation(&self, old: &Key, wish: RotationWish) -> Result<Effect, Failure> {
        if let Some(to) = old.rotated_to {
            return Err(Failure::Refused(Refusal::KeyRotated { id: old.id, to }));
        }
        if old.policy.is_none() {
            return Err(Failure::Refused(Refusal::PolicyUnreadable(old.id)));
        }
        let origin = if wish.import.is_some() { Origin::External } else { Origin::AwsKms };
        let import = match wish.import {
            Some(import) => {
                self.fitting_spec(&import.source, Some(old.facts.spec.clone()), old.facts.arn.partition())?;
                Some(self.wished_import(import)?)
            }
            None if old.facts.origin == Origin::External => {
                return Err(invalid("source_key_id", "must be given: the key's material does not come from AWS").into());
            }
            None => None,
        };
        let new = successor(old, origin, wish.description);
        let wanted = Operation::Rotate { from: old.id, new, import, old: wish.old };
        Ok(Effect { key: KeyId::new(Uuid::new_v4()), kms: old.kms, region: old.region.clone(), wanted })
    }

    /// Reads a key as AWS holds it now, and writes that down.
    ///
    /// # Errors
    /// What AWS says.
    pub(in crate::service) async fn read_anew(&self, change: &Change, key: &Key) -> Result<Committed, Failure> {
        let (id, kms, region) = (key.id, key.kms, key.region.clone());
        let place = self.place(kms, &region).await?;
        let seen = Box::new(self.read(&place, key.aws_id()).await?);
        self.conclude(change, KeyCommand::Observe { id, kms, region, seen }).await
    }

    /// What an import of a source key's material comes to.
    ///
    /// # Errors
    /// When there is no such source key, or the end of the material is not ahead.
    pub(in crate::service) fn wished_import(&self, wish: ImportWish) -> Result<Import, Failure> {
        let now = self.now();
        let latest = now.plus_seconds(365 * 86_400);
        if wish.valid_to.is_some_and(|end| end <= now || end > latest) {
            return Err(invalid("valid_to", format!("must be ahead, and no later than {latest}")).into());
        }
        Ok(Import {
            source: self.source_key(&wish.source)?.id,
            valid_to: wish.valid_to,
            existing: wish.existing,
            material: wish.material,
            description: wish.description,
        })
    }
}

/// Can a schedule rotate this key so? It would fail each time that it is due, with nobody there to see it.
///
/// # Errors
/// When not.
pub(super) fn check_rotation_job(key: &Key, job: &RotationJob) -> Result<(), Failure> {
    if key.facts.manager != KeyManager::Customer || !matches!(key.facts.origin, Origin::AwsKms | Origin::External) {
        return Err(Failure::Refused(Refusal::NotRotatable(key.id)));
    }
    if key.facts.origin == Origin::External && job.key_source == NATIVE {
        let problem = "must be `local`: the key's material does not come from AWS";
        return Err(invalid("auto_rotate_key_source", problem).into());
    }
    Ok(())
}

/// A key like another one.
fn successor(old: &Key, origin: Origin, description: Option<String>) -> NewKey {
    let own = |tag: &&Tag| !tag.is_of_aws() && tag.key != MARK;
    NewKey {
        aliases: Vec::new(),
        spec: old.facts.spec.clone(),
        usage: old.facts.usage.clone(),
        origin,
        description: description.unwrap_or_else(|| old.facts.description.clone()),
        multi_region: old.facts.multi_region.is_some(),
        policy: old.policy.clone(),
        bypass_lockout_check: false,
        tags: old.tags.iter().filter(own).cloned().collect(),
    }
}

fn unmanaged(region: &Region, kms: &Kms) -> Refusal {
    Refusal::RegionNotManaged { region: region.clone(), kms: kms.name.clone(), managed: kms.regions.clone() }
}
