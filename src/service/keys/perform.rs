//! The steps of each operation at AWS. Every step can be taken again after a crash without doing anything twice: what
//! AWS has made is found by its tag, and what cannot be repeated is only looked for.

use super::reading::{Place, until_there};
use crate::aws::call::AwsCall;
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::{
    CancelKeyDeletion, CreateAlias, CreateKey, DeleteAlias, DeleteImportedKeyMaterial, DescribeKey, DisableKey,
    DisableKeyRotation, EnableKey, EnableKeyRotation, GetKeyPolicy, GetParametersForImport, ImportKeyMaterial,
    ListKeys, ListResourceTags, PutKeyPolicy, ReplicateKey, RotateKeyOnDemand, ScheduleKeyDeletion, TagResource,
    UntagResource, UpdateAlias, UpdateKeyDescription, UpdatePrimaryRegion, WrappingAlgorithm,
};
use crate::aws::page::Paging;
use crate::domain::id::{KeyId, OperationId};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::aws_enums::KeyState;
use crate::domain::key::material::ImportType;
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key::name::{AliasName, AwsKeyId};
use crate::domain::key::operation::{Import, MARK, NewKey, NewReplica, Operation, RetiredKey};
use crate::domain::key::policy;
use crate::domain::key::spec::KeySpec;
use crate::domain::key::tag::Tag;
use crate::domain::refusal::Refusal;
use crate::domain::state::PendingOperation;
use crate::domain::time::Time;
use crate::service::Core;
use crate::service::failure::Failure;

/// Is an operation performed for the first time, or looked after once the program has started again?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    Fresh,
    /// After a crash, or when AWS's answer was lost.
    Again,
}

/// What AWS holds after an operation.
pub(super) struct Performed {
    pub seen: Snapshot,
    /// Of another key that changed with it.
    pub related: Option<(KeyId, Snapshot)>,
}

/// How far an operation came that did not come to its end.
pub(super) struct Broken {
    pub failure: Failure,
    /// What AWS has done of it.
    pub stage: Stage,
    /// The key at AWS, if it is known to be there.
    pub reached: Option<Box<AwsKeyId>>,
    /// What AWS told of it when it was made.
    pub metadata: Option<Box<KeyMetadata>>,
}

/// A key that is there, and what AWS told of it when it was made.
struct Made {
    id: AwsKeyId,
    metadata: Option<Box<KeyMetadata>>,
}

/// What AWS has done of an operation that was stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// Not the step that failed.
    Refused,
    /// Perhaps the step that failed; or a step before it that leaves no key to tell.
    Unknown,
    /// All of it: what AWS holds then could not be read.
    Reading,
}

impl From<AwsFailure> for Broken {
    fn from(failure: AwsFailure) -> Self {
        let stage = if failure.may_have_been_done() { Stage::Unknown } else { Stage::Refused };
        Self { stage, failure: failure.into(), reached: None, metadata: None }
    }
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Cloud(failure) => failure.into(),
            failure => Self { failure, stage: Stage::Refused, reached: None, metadata: None },
        }
    }
}

impl Broken {
    /// The same, where the key is known to be there.
    fn at(self, key: &AwsKeyId) -> Self {
        Self { reached: Some(Box::new(key.clone())), ..self }
    }

    /// Was it the import itself that was refused, by AWS or by the rules here, and not the way to it?
    fn is_of_the_import(&self) -> bool {
        let importing = [GetParametersForImport::OPERATION, ImportKeyMaterial::OPERATION];
        match &self.failure {
            Failure::Cloud(cloud @ AwsFailure::Refused { .. }) => importing.contains(&cloud.operation()),
            failure => matches!(failure, Failure::Refused(_)),
        }
    }

    /// The same, where that much is done.
    fn with(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }
}

/// What AWS shows of a key that an operation may have made.
enum Trace {
    Key(AwsKeyId),
    /// It is not there, and would be seen by now.
    Nothing,
    NotYetConsistent,
}

/// Adds which key is there to whatever stops the step.
trait At<T> {
    fn at(self, key: &AwsKeyId) -> Result<T, Broken>;
}

impl<T, E: Into<Broken>> At<T> for Result<T, E> {
    fn at(self, key: &AwsKeyId) -> Result<T, Broken> {
        self.map_err(|broken| broken.into().at(key))
    }
}

impl Core {
    /// Takes the steps of an operation, and reads back what AWS holds then.
    pub(super) async fn perform(
        &self,
        operation: OperationId,
        pending: &PendingOperation,
        way: Way,
        made: Option<&AwsKeyId>,
    ) -> Result<Performed, Broken> {
        // On the way there nothing is done of it, whatever is lost.
        let place = self.place(pending.kms, &pending.region).await;
        let place = place.map_err(|failure| Broken::from(failure).with(Stage::Refused))?;
        let make = |new| self.make(&place, operation, new, pending.since, way, made);
        let wanted = &pending.wanted;
        let Made { id: key, metadata } = match wanted {
            Operation::Create(new) => make(new).await?,
            Operation::Upload { new, import } => {
                let made = make(new).await?;
                self.import_unless_there(&place, &made.id, import).await.at(&made.id)?;
                made
            }
            Operation::Rotate { from, new, import, old } => {
                let made = make(new).await?;
                if let Some(import) = import {
                    self.import_unless_there(&place, &made.id, import).await.at(&made.id)?;
                }
                self.hand_over(&place, *from, &made.id, old, pending.since).await.at(&made.id)?;
                made
            }
            Operation::Replicate { new, .. } => {
                self.replicate(&place, operation, new, pending.since, way, made).await?
            }
            Operation::Enable
            | Operation::Disable
            | Operation::Describe { .. }
            | Operation::PutPolicy { .. }
            | Operation::Tag { .. }
            | Operation::Untag { .. }
            | Operation::AddAlias { .. }
            | Operation::DeleteAlias { .. }
            | Operation::EnableRotation { .. }
            | Operation::DisableRotation
            | Operation::RotateMaterial
            | Operation::ImportMaterial(_)
            | Operation::DeleteMaterial { .. }
            | Operation::ScheduleDeletion { .. }
            | Operation::CancelDeletion
            | Operation::MovePrimary { .. } => {
                let key = self.state().state.key(pending.key).map_err(Failure::from)?.aws_id().clone();
                match (way, wanted) {
                    (Way::Fresh, _) => self.change(&place, &key, wanted).await?,
                    (Way::Again, Operation::ImportMaterial(import)) => {
                        let again = self.import_again(pending.key, &place, &key, import).await;
                        again.map_err(|broken| if broken.is_of_the_import() { broken.at(&key) } else { broken })?;
                    }
                    (Way::Again, _) => {}
                }
                Made { id: key, metadata: None }
            }
        };
        let reading = |broken: Broken| Broken { metadata: metadata.clone(), ..broken.at(&key).with(Stage::Reading) };
        let seen = self.read_back(&place, &key, wanted, way).await.map_err(|failure| reading(failure.into()))?;
        let related = match wanted.also_affects() {
            Some(other) => self.look_beside(&place, other).await.map_err(|failure| reading(failure.into()))?,
            None => None,
        };
        Ok(Performed { seen, related })
    }

    /// What AWS holds of another key that an operation changes.
    pub(super) async fn look_at(
        &self,
        pending: &PendingOperation,
        other: KeyId,
    ) -> Result<Option<(KeyId, Snapshot)>, Failure> {
        self.look_beside(&self.place(pending.kms, &pending.region).await?, other).await
    }

    async fn look_beside(&self, place: &Place, other: KeyId) -> Result<Option<(KeyId, Snapshot)>, Failure> {
        let Some(aws_id) = self.state().state.keys.get(&other).map(|key| key.aws_id().clone()) else { return Ok(None) };
        Ok(Some((other, self.read(place, &aws_id).await?)))
    }

    /// Makes a key with its aliases.
    async fn make(
        &self,
        place: &Place,
        operation: OperationId,
        new: &NewKey,
        since: Time,
        way: Way,
        made: Option<&AwsKeyId>,
    ) -> Result<Made, Broken> {
        let made = match (way, made) {
            (_, Some(made)) => Made { id: made.clone(), metadata: None },
            (Way::Fresh, None) => {
                let new = NewKey { tags: marked(&new.tags, operation), ..new.clone() };
                let made = self.aws_kms.call(&place.access, &place.region, CreateKey::of(new)).await?;
                Made { id: made.key_id().clone(), metadata: Some(Box::new(made)) }
            }
            (Way::Again, None) => Made { id: self.find_marked(place, operation, since).await?.key()?, metadata: None },
        };
        self.name(place, &made.id, &new.aliases).await.at(&made.id)?;
        Ok(made)
    }

    async fn replicate(
        &self,
        place: &Place,
        operation: OperationId,
        new: &NewReplica,
        since: Time,
        way: Way,
        made: Option<&AwsKeyId>,
    ) -> Result<Made, Broken> {
        let mut metadata = None;
        if way == Way::Fresh {
            let marked = NewReplica { tags: marked(&new.tags, operation), ..new.clone() };
            let call = ReplicateKey { new: marked, replica_region: place.region.clone() };
            let told = self.aws_kms.call(&place.access, &new.primary, call).await?;
            metadata = Some(Box::new(told));
            self.wait_until_usable(place, &new.key).await.at(&new.key)?;
        } else if made.is_none() {
            self.find_replica(place, operation, new, since).await?.key()?;
        }
        self.name(place, &new.key, &new.aliases).await.at(&new.key)?;
        Ok(Made { id: new.key.clone(), metadata })
    }

    /// Gives a key the aliases that it does not have yet.
    async fn name(&self, place: &Place, key: &AwsKeyId, aliases: &[AliasName]) -> Result<(), Broken> {
        for alias in aliases {
            let call = CreateAlias { alias: alias.clone(), key: key.clone() };
            match until_there(|| self.aws_kms.call(&place.access, &place.region, call.clone())).await {
                Err(failure) if failure.is_already_there() => {
                    let call = DescribeKey::behind(alias.clone());
                    let holder = self.aws_kms.call(&place.access, &place.region, call).await?;
                    if holder.key_id() != key {
                        return Err(failure.into());
                    }
                }
                other => other?,
            }
        }
        Ok(())
    }

    /// Imports a key's first material, unless it has some.
    async fn import_unless_there(&self, place: &Place, key: &AwsKeyId, import: &Import) -> Result<(), Broken> {
        let call = DescribeKey::of(key.clone());
        let metadata = until_there(|| self.aws_kms.call(&place.access, &place.region, call.clone())).await?;
        if metadata.state != KeyState::PendingImport {
            return Ok(());
        }
        self.import(place, key, import).await
    }

    /// Imports material that AWS may have got already: AWS itself knows whether it is there.
    async fn import_again(&self, id: KeyId, place: &Place, key: &AwsKeyId, import: &Import) -> Result<(), Broken> {
        let known = self.state().state.key(id).map_err(Failure::from)?.clone();
        let metadata = self.aws_kms.call(&place.access, &place.region, DescribeKey::of(key.clone())).await?;
        if metadata.state != KeyState::PendingImport && known.metadata.state == KeyState::PendingImport {
            return Ok(());
        }
        match self.import(place, key, import).await {
            Err(Broken { failure: Failure::Cloud(cloud), .. }) if cloud.is("IncorrectKeyMaterialException") => Ok(()),
            other => other,
        }
    }

    async fn import(&self, place: &Place, key: &AwsKeyId, import: &Import) -> Result<(), Broken> {
        let metadata = self.aws_kms.call(&place.access, &place.region, DescribeKey::of(key.clone())).await?;
        let algorithm = WrappingAlgorithm::of(&metadata.spec);
        let call = GetParametersForImport { key: key.clone(), algorithm };
        let parameters = self.aws_kms.call(&place.access, &place.region, call).await?;
        let wrapped = self.wrap(import.source, &parameters.wrapping_key)?;
        let import_type = match (import.existing, metadata.state == KeyState::PendingImport) {
            // Only these can have several materials.
            _ if metadata.spec != KeySpec::SymmetricDefault => None,
            (true, _) => Some(ImportType::ExistingKeyMaterial),
            (false, true) => None,
            (false, false) => Some(ImportType::NewKeyMaterial),
        };
        let call = ImportKeyMaterial {
            key: key.clone(),
            token: parameters.token,
            wrapped,
            expires: import.valid_to,
            import_type,
            material: import.material.clone(),
            description: import.description.clone(),
        };
        self.aws_kms.call(&place.access, &place.region, call).await?;
        Ok(())
    }

    /// Moves the aliases of a key to the one that replaces it, and retires it.
    async fn hand_over(
        &self,
        place: &Place,
        from: KeyId,
        to: &AwsKeyId,
        old: &RetiredKey,
        since: Time,
    ) -> Result<(), Broken> {
        let from = self.state().state.key(from).map_err(Failure::from)?.clone();
        // As they were known at the request: after a crash some may have moved already.
        for alias in &from.aliases {
            let call = UpdateAlias { alias: alias.clone(), key: to.clone() };
            self.aws_kms.call(&place.access, &place.region, call).await?;
            if old.retain_alias {
                self.name(place, from.aws_id(), &[stamped(alias, since)?]).await?;
            }
        }
        let Some(who) = old.disable_encrypt else { return Ok(()) };
        let key = from.aws_id().clone();
        let policy = self.aws_kms.call(&place.access, &place.region, GetKeyPolicy { key: key.clone() }).await?;
        let policy = policy::without_encrypt(&policy, from.metadata.account(), who)
            .map_err(|problem| Failure::Refused(Refusal::Invalid { member: "policy", problem: problem.to_string() }))?;
        let call = PutKeyPolicy { key, policy, bypass_lockout_check: false };
        self.aws_kms.call(&place.access, &place.region, call).await?;
        Ok(())
    }

    /// Changes a key that is there, in one step.
    async fn change(&self, place: &Place, key: &AwsKeyId, wanted: &Operation) -> Result<(), Broken> {
        let (aws, access, region, key) = (&self.aws_kms, &place.access, &place.region, key.clone());
        match wanted {
            Operation::Enable => aws.call(access, region, EnableKey { key }).await?,
            Operation::Disable => aws.call(access, region, DisableKey { key }).await?,
            Operation::Describe { to } => {
                aws.call(access, region, UpdateKeyDescription { key, description: to.clone() }).await?;
            }
            Operation::PutPolicy { policy, template } => {
                let (policy, bypass_lockout_check) = (policy.clone(), false);
                aws.call(access, region, PutKeyPolicy { key: key.clone(), policy, bypass_lockout_check }).await?;
                let noted = match template {
                    Some(id) => {
                        let tags = vec![Tag::told(super::TEMPLATE_TAG, id)];
                        aws.call(access, region, TagResource { key, tags }).await
                    }
                    None => {
                        let tag_keys = vec![super::TEMPLATE_TAG.to_owned()];
                        aws.call(access, region, UntagResource { key, tag_keys }).await
                    }
                };
                noted.map_err(|failure| Broken::from(failure).with(Stage::Unknown))?;
            }
            Operation::Tag { tags } => aws.call(access, region, TagResource { key, tags: tags.clone() }).await?,
            Operation::Untag { keys } => {
                aws.call(access, region, UntagResource { key, tag_keys: keys.clone() }).await?;
            }
            Operation::AddAlias { alias, from: None } => {
                aws.call(access, region, CreateAlias { alias: alias.clone(), key }).await?;
            }
            Operation::AddAlias { alias, from: Some(_) } => {
                aws.call(access, region, UpdateAlias { alias: alias.clone(), key }).await?;
            }
            Operation::DeleteAlias { alias } => aws.call(access, region, DeleteAlias { alias: alias.clone() }).await?,
            Operation::EnableRotation { period } => {
                aws.call(access, region, EnableKeyRotation { key, period: *period }).await?;
            }
            Operation::DisableRotation => aws.call(access, region, DisableKeyRotation { key }).await?,
            Operation::RotateMaterial => aws.call(access, region, RotateKeyOnDemand { key }).await?,
            Operation::ImportMaterial(import) => self.import(place, &key, import).await?,
            Operation::DeleteMaterial { material } => {
                aws.call(access, region, DeleteImportedKeyMaterial { key, material: material.clone() }).await?;
            }
            Operation::ScheduleDeletion { window } => {
                aws.call(access, region, ScheduleKeyDeletion { key, window: *window }).await?;
            }
            Operation::CancelDeletion => aws.call(access, region, CancelKeyDeletion { key }).await?,
            Operation::MovePrimary { to } => {
                aws.call(access, region, UpdatePrimaryRegion { key, new_primary: to.clone() }).await?;
            }
            Operation::Create(_)
            | Operation::Upload { .. }
            | Operation::Rotate { .. }
            | Operation::Replicate { .. } => {
                return Err(Failure::Internal("this makes a key and changes none").into());
            }
        }
        Ok(())
    }

    /// The replica that an operation made, and not one that was there before: they have the same id.
    async fn find_replica(
        &self,
        place: &Place,
        operation: OperationId,
        new: &NewReplica,
        since: Time,
    ) -> Result<Trace, AwsFailure> {
        match self.tags(place, &new.key).await {
            Ok(tags) if is_marked(&tags, operation) => Ok(Trace::Key(new.key.clone())),
            Ok(_) => Ok(self.none_seen(since)),
            Err(failure) if failure.is_not_found() => Ok(self.none_seen(since)),
            // By the time of its making, then.
            Err(failure) if failure.is_denied() => match self.may_be_made_since(place, &new.key, since).await? {
                true => Ok(Trace::Key(new.key.clone())),
                false => Ok(self.none_seen(since)),
            },
            Err(failure) => Err(failure),
        }
    }

    /// The key that carries the mark of an operation, among those that are not known here.
    async fn find_marked(&self, place: &Place, operation: OperationId, since: Time) -> Result<Trace, AwsFailure> {
        let mut unseen = self.none_seen(since);
        let list = ListKeys { paging: Paging::first(1000) };
        let mut pages = self.aws_kms.pages(&place.access, &place.region, list);
        while let Some(keys) = pages.next().await? {
            for arn in &keys {
                if self.state().state.key_at_aws(place.kms, &place.region, arn.id()).is_some() {
                    continue;
                }
                match self.tags(place, arn.id()).await {
                    Ok(tags) if is_marked(&tags, operation) => {
                        return Ok(Trace::Key(arn.id().clone()));
                    }
                    Ok(_) => {}
                    Err(failure) if failure.is_denied() || failure.is_not_found() => {
                        if self.may_be_made_since(place, arn.id(), since).await? {
                            unseen = Trace::NotYetConsistent;
                        }
                    }
                    Err(failure) => return Err(failure),
                }
            }
        }
        Ok(unseen)
    }

    async fn tags(&self, place: &Place, key: &AwsKeyId) -> Result<Vec<Tag>, AwsFailure> {
        self.aws_kms.pages(&place.access, &place.region, ListResourceTags::of(key.clone())).collect().await
    }

    /// What it says that AWS shows no key: nothing so soon after it was asked for.
    fn none_seen(&self, since: Time) -> Trace {
        match since.plus_seconds(self.consistency_wait_seconds) <= self.now() {
            true => Trace::Nothing,
            false => Trace::NotYetConsistent,
        }
    }

    /// May a key whose tags are not to be had have been made since then? A day later nobody waits for an answer any more.
    async fn may_be_made_since(&self, place: &Place, key: &AwsKeyId, since: Time) -> Result<bool, AwsFailure> {
        if since.plus_seconds(DAY) <= self.now() {
            return Ok(false);
        }
        match self.aws_kms.call(&place.access, &place.region, DescribeKey::of(key.clone())).await {
            Ok(metadata) => Ok(metadata.created_at.is_none_or(|made| made.plus_seconds(CLOCKS_DIFFER) >= since)),
            Err(failure) if failure.is_denied() || failure.is_not_found() => Ok(true),
            Err(failure) => Err(failure),
        }
    }
}

const DAY: i64 = 86_400;
/// AWS's clock and ours differ by less, in seconds: else AWS would take no signature of ours.
const CLOCKS_DIFFER: i64 = 900;

impl Trace {
    fn key(self) -> Result<AwsKeyId, Broken> {
        match self {
            Self::Key(key) => Ok(key),
            Self::Nothing => Err(Failure::Interrupted.into()),
            Self::NotYetConsistent => Err(Broken::from(Failure::NotYetConsistent).with(Stage::Unknown)),
        }
    }
}

fn is_marked(tags: &[Tag], operation: OperationId) -> bool {
    let mark = operation.to_string();
    tags.iter().any(|tag| tag.key == MARK && tag.value == mark)
}

fn marked(tags: &[Tag], operation: OperationId) -> Vec<Tag> {
    let mut tags = tags.to_vec();
    tags.push(Tag::told(MARK, operation.to_string()));
    tags
}

/// The alias under which a key that was rotated is still found: with the time of its rotation.
fn stamped(alias: &AliasName, at: Time) -> Result<AliasName, Failure> {
    let stamp = at.calendar().format("%Y%m%d%H%M%S");
    let room = 250 - "-20201105052917".len();
    let short: String = alias.short().chars().take(room).collect();
    AliasName::parse_own(&format!("{short}-{stamp}")).map_err(|_| Failure::Internal("a stamped alias is none"))
}
