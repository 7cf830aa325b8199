//! Decides the commands of keys. AWS itself checks all other rules.

use super::aggregate::{Key, Snapshot, is_of_use_alone};
use super::command::KeyCommand;
use super::conclude;
use super::event::KeyEvent;
use super::hyok;
use super::mark::{self, MARKED_DESCRIPTION_MAX};
use super::operation::{KeyRotation, Operation};
use super::sync;
use super::tag::{TAGS_PER_KEY_MAX, TEMPLATE_TAG, TagError};
use super::virtual_key;
use crate::domain::event::Event;
use crate::domain::id::{KeyId, KmsId};
use crate::domain::kms::Kms;
use crate::domain::place::Region;
use crate::domain::refusal::{KeyRefusal, KmsRefusal, Refusal};
use crate::domain::state::State;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: KeyCommand) -> Result<Vec<Event>, Refusal> {
    match command {
        KeyCommand::Request { id, operation, kms, region, wanted } => {
            check_request(state, id, kms, &region, &wanted)?;
            Ok(vec![Event::Key(id, KeyEvent::OperationRequested { operation, kms, region, wanted })])
        }
        KeyCommand::Conclude { operation, outcome, related } => conclude::conclude(state, operation, outcome, related),
        KeyCommand::Observe { id, kms, region, seen } => observe(state, id, kms, region, *seen),
        KeyCommand::Refresh { id, kms, region, seen } => {
            let mut events = observe(state, id, kms, region, *seen)?;
            // A refresh is seen in the key, even if there is nothing new but that the key was used.
            let is_of_use = |event: &Event| matches!(event, Event::Key(_, KeyEvent::Observed { learned }) if is_of_use_alone(learned));
            if events.iter().all(is_of_use) && state.keys.get(&id).is_some() {
                events.insert(0, Event::Key(id, KeyEvent::Observed { learned: Vec::new() }));
            }
            Ok(events)
        }
        KeyCommand::RecordVanished { id } => {
            let key = state.key(id)?;
            Ok(if key.gone { vec![] } else { vec![Event::Key(id, KeyEvent::Vanished)] })
        }
        KeyCommand::Synchronise { id, kms, region, seen, began } => {
            sync::synchronise(state, id, kms, region, *seen, began)
        }
        KeyCommand::RecordMissing { id, began } => Ok(sync::missing(state, id, began)),
        KeyCommand::SetRotationJob { id, job } => {
            let key = state.key(id)?;
            state.kms(key.kms)?.refuse_archived()?;
            key.refuse_gone(state)?;
            if job.is_some() {
                key.refuse_unlinked()?;
            }
            if let Some(job) = &job {
                state.rotation_schedule(job.schedule).map_err(|refusal| refusal.of("job_config_id"))?;
            }
            let event = (key.rotation_job != job).then_some(Event::Key(id, KeyEvent::RotationJobSet { job }));
            Ok(event.into_iter().collect())
        }
        KeyCommand::RecordFailedRotation { id, reason } => {
            let known = state.keys.get(&id).map(|_| Event::Key(id, KeyEvent::MaterialNotRotated { reason }));
            Ok(known.into_iter().collect())
        }
        KeyCommand::Forget { id } => {
            let key = state.key(id)?;
            state.kms(key.kms)?.refuse_archived()?;
            match state.is_gone(key) {
                true => Ok(vec![Event::Key(id, KeyEvent::Forgotten)]),
                false => Err(KeyRefusal::NotGone(id).into()),
            }
        }
        KeyCommand::Hyok(command) => hyok::decide::decide(state, command),
        KeyCommand::Virtual(command) => virtual_key::decide::decide(state, command),
        KeyCommand::RemoveUnmanaged { most } => {
            let some = state.keys.unmanaged().take(most);
            Ok(some.map(|(id, cause)| Event::Key(id, KeyEvent::Unmanaged { cause })).collect())
        }
    }
}

fn check_request(state: &State, id: KeyId, kms: KmsId, region: &Region, wanted: &Operation) -> Result<(), Refusal> {
    if let Operation::Link { .. } = wanted {
        let (_, hyok) = state.hyok_key(id)?;
        if hyok.linked {
            return Err(KeyRefusal::Linked(id).into());
        }
    } else if wanted.adds_an_entry() {
        if state.keys.get(&id).is_some() {
            return Err(KeyRefusal::Exists(id).into());
        }
    } else {
        let key = state.key(id)?;
        key.refuse_unlinked()?;
        key.refuse_gone(state)?;
    }
    if let Operation::Link { store, .. } | Operation::CreateInStore { store, .. } = wanted {
        state.key_store(*store)?.refuse_disconnected()?;
    }
    if let Some(KeyRotation::Replaces(from)) = wanted.rotation() {
        let old = state.key(from)?;
        old.refuse_gone(state)?;
        if let Some(to) = old.rotated_to {
            return Err(KeyRefusal::Rotated { id: from, to }.into());
        }
        refuse_disconnected(state, old)?;
    }
    check_alias(state, id, wanted)?;
    check_template_tag(state, id, wanted)?;
    check_settings(state, id, kms, region, wanted)?;
    if let Operation::Replicate { new, .. } = wanted
        && state.key_at_aws(kms, region, &new.key).is_some_and(|there| !there.gone)
    {
        return Err(KeyRefusal::ReplicaThere(region.clone()).into());
    }
    for touched in [Some(id), wanted.also_affects()].into_iter().flatten() {
        if let Some(key) = state.keys.get(&touched) {
            key.refuse_pending()?;
        }
    }
    Ok(())
}

/// Refuses a key that AWS cannot replace now, because it is not connected to the CloudHSM key store of the key.
fn refuse_disconnected(state: &State, key: &Key) -> Result<(), Refusal> {
    let id = key.metadata.custom_key_store_id.as_ref();
    match id.and_then(|id| state.key_store_at_aws(key.kms, &key.region, id)) {
        Some(store) => state.key_store(store)?.refuse_disconnected(),
        None => Ok(()),
    }
}

/// Checks what an operation puts on a key: aliases, tags, description.
pub(super) fn check_settings(
    state: &State,
    id: KeyId,
    kms: KmsId,
    region: &Region,
    wanted: &Operation,
) -> Result<(), Refusal> {
    check_place(state, kms, region)?;
    check_new_aliases(state, kms, region, wanted)?;
    check_tag_count(state, id, wanted)?;
    check_description(wanted)
}

/// Checks that an alias is still on the key for which the caller's right was checked. AWS finds an alias by its name,
/// on whichever key it is.
fn check_alias(state: &State, id: KeyId, wanted: &Operation) -> Result<(), Refusal> {
    let Some((alias, holder)) = wanted.taken_alias(id) else { return Ok(()) };
    match state.key(holder)?.aliases.contains(alias) {
        true => Ok(()),
        false => Err(KeyRefusal::AliasUnknown { alias: alias.clone(), key: holder }.into()),
    }
}

/// Checks that no other operation creates an alias of the same name at the same time. AWS would let both create a key,
/// and then refuse one of them the alias.
fn check_new_aliases(state: &State, kms: KmsId, region: &Region, wanted: &Operation) -> Result<(), Refusal> {
    let new = wanted.new_aliases();
    if new.is_empty() {
        return Ok(());
    }
    let here = state.operations.values().filter(|pending| pending.kms == kms && pending.region == *region);
    let mut reserved = here.flat_map(|pending| pending.wanted.new_aliases());
    match reserved.find(|alias| new.contains(alias)) {
        Some(alias) => Err(KeyRefusal::AliasTaken(alias.clone()).into()),
        None => Ok(()),
    }
}

/// Checks that AWS lets the tag of the template follow the policy: it changes the policy of a key that is pending
/// deletion, but not its tags.
fn check_template_tag(state: &State, id: KeyId, wanted: &Operation) -> Result<(), Refusal> {
    let Operation::PutPolicy { template, .. } = wanted else { return Ok(()) };
    let key = state.key(id)?;
    match key.metadata.is_pending_deletion() && key.tag(TEMPLATE_TAG) != template.as_deref() {
        true => Err(KeyRefusal::TemplateFixed(id).into()),
        false => Ok(()),
    }
}

/// Checks that a key has room for the tags that it gets. Those that it has already are replaced. The mark of an
/// operation does not count: it gives its place to a tag of the client.
fn check_tag_count(state: &State, id: KeyId, wanted: &Operation) -> Result<(), Refusal> {
    let new = wanted.tag_keys();
    let kept = state
        .keys
        .get(&id)
        .filter(|key| !key.is_unlinked())
        .map_or(0, |key| key.tags.iter().filter(|tag| tag.is_shown() && !new.contains(&tag.key.as_str())).count());
    let all = kept + new.len();
    if !new.is_empty() && all > TAGS_PER_KEY_MAX {
        return Err(TagError::NoRoom(all).refusal("tags"));
    }
    Ok(())
}

/// Checks that the description of a new key has room for the mark of the operation, if the tags have none.
fn check_description(wanted: &Operation) -> Result<(), Refusal> {
    let (description, tags) = match wanted {
        Operation::Create(new)
        | Operation::Upload { new, .. }
        | Operation::Rotate { new, .. }
        | Operation::CreateInStore { new, .. }
        | Operation::Link { new, .. } => (&new.description, &new.tags),
        Operation::Replicate { new, .. } => (&new.description, &new.tags),
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
        | Operation::MovePrimary { .. } => return Ok(()),
    };
    let length = description.chars().count();
    if !mark::is_in_description(tags.len()) || length <= MARKED_DESCRIPTION_MAX {
        return Ok(());
    }
    let problem = format!(
        "of a key with {TAGS_PER_KEY_MAX} tags must not be longer than {MARKED_DESCRIPTION_MAX} characters, and has {length}"
    );
    Err(Refusal::Invalid { member: "description", problem })
}

/// Checks that operations on keys are possible in a region of a KMS.
///
/// # Errors
/// When the KMS does not exist, is archived, or does not manage the region.
pub fn check_place(state: &State, kms: KmsId, region: &Region) -> Result<(), Refusal> {
    let kms = state.kms(kms)?;
    kms.refuse_archived()?;
    check_region(kms, region)
}

/// Checks that a KMS manages a region.
///
/// # Errors
/// When it does not.
pub fn check_region(kms: &Kms, region: &Region) -> Result<(), Refusal> {
    if kms.regions.contains(region) {
        return Ok(());
    }
    Err(KmsRefusal::RegionNotManaged { region: region.clone(), kms: kms.name.clone(), managed: kms.regions.clone() }
        .into())
}

fn observe(state: &State, id: KeyId, kms: KmsId, region: Region, seen: Snapshot) -> Result<Vec<Event>, Refusal> {
    state.kms(kms)?;
    let Some(key) = state.key_at_aws(kms, &region, seen.metadata.key_id()) else {
        // The region may have been removed from the KMS while the key was read.
        if check_place(state, kms, &region).is_err() {
            return Ok(vec![]);
        }
        return Ok(vec![Event::Key(id, KeyEvent::Found { kms, region, learned: seen.all() })]);
    };
    let was_gone = key.gone;
    // A pending operation that moves aliases needs the old list; it reads the new one at its end.
    let aliases = if key.pending.is_some() { None } else { seen.aliases };
    let seen = Snapshot { aliases, ..seen };
    let learned = key.news(seen);
    Ok(if learned.is_empty() && !was_gone { vec![] } else { vec![Event::Key(key.id, KeyEvent::Observed { learned })] })
}

impl Key {
    fn refuse_gone(&self, state: &State) -> Result<(), Refusal> {
        match (self.gone, state.is_gone(self)) {
            (true, _) => Err(KeyRefusal::Gone(self.id).into()),
            (false, true) => Err(KeyRefusal::RegionRemoved { id: self.id, region: self.region.clone() }.into()),
            (false, false) => Ok(()),
        }
    }

    fn refuse_pending(&self) -> Result<(), Refusal> {
        if self.pending.is_some() { Err(KeyRefusal::Busy(self.id).into()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::OperationId;
    use crate::domain::key::aws_enums::KeyState;
    use crate::domain::key::example::{added, found, key_id, kms_id, new_key, region, snapshot};
    use crate::domain::key::name::AliasName;
    use crate::domain::key::operation::{NewKey, RetiredKey};
    use crate::domain::key::policy_text::PolicyText;
    use crate::domain::key::tag::Tag;
    use crate::domain::scenario::given;
    use uuid::Uuid;

    /// The service checks this too, but on a state that may be older than the one that the command is decided on.
    #[test]
    fn a_key_is_replaced_only_once_and_only_while_aws_has_it() {
        let rotate = |new| KeyCommand::Request {
            id: key_id(new),
            operation: OperationId::new(Uuid::from_u128(new)),
            kms: kms_id(0),
            region: region("eu-west-3"),
            wanted: Box::new(Operation::Rotate {
                from: key_id(1),
                new: new_key(),
                import: None,
                old: RetiredKey::default(),
            }),
        };
        let key = |event| Event::Key(key_id(1), event);
        let state = given([added(0, &["eu-west-3"]), found(1, "payroll")]);
        state.when(rotate(2)).then_done();
        let replaced = state.clone().and([key(KeyEvent::Replaced { by: key_id(2) })]);
        replaced.when(rotate(3)).then_refused(KeyRefusal::Rotated { id: key_id(1), to: key_id(2) });
        let gone = state.and([key(KeyEvent::Vanished)]);
        gone.when(rotate(3)).then_refused(KeyRefusal::Gone(key_id(1)));
        let forgotten = gone.and([key(KeyEvent::Forgotten)]);
        forgotten.when(rotate(3)).then_refused(KeyRefusal::Unknown(key_id(1).to_string()));
    }

    fn request(n: u128, wanted: Operation) -> KeyCommand {
        let (id, operation) = (key_id(n), OperationId::new(Uuid::from_u128(n)));
        KeyCommand::Request { id, operation, kms: kms_id(0), region: region("eu-west-3"), wanted: Box::new(wanted) }
    }

    fn requested(n: u128, wanted: Operation) -> Event {
        let (kms, region) = (kms_id(0), region("eu-west-3"));
        let operation = OperationId::new(Uuid::from_u128(n));
        Event::Key(key_id(n), KeyEvent::OperationRequested { operation, kms, region, wanted: Box::new(wanted) })
    }

    #[test]
    fn an_alias_is_reserved_by_the_operation_that_creates_it() {
        let alias = AliasName::parse("alias/wanted").expect("an alias");
        let create = || Operation::Create(NewKey { aliases: vec![alias.clone()], ..new_key() });
        let add = || Operation::AddAlias { alias: alias.clone(), from: None };
        let state = given([added(0, &["eu-west-3"]), found(1, "payroll")]);
        state.when(request(2, create())).then_done();
        let creating = state.and([requested(2, create())]);
        for other in [request(3, create()), request(1, add())] {
            creating.when(other).then_refused(KeyRefusal::AliasTaken(alias.clone()));
        }
        let failed = KeyEvent::OperationFailed { operation: OperationId::new(Uuid::from_u128(2)), reason: "no".into() };
        creating.and([Event::Key(key_id(2), failed)]).when(request(3, create())).then_done();
    }

    #[test]
    fn the_template_of_a_key_that_is_pending_deletion_stays() {
        let mut seen = snapshot(1, "payroll");
        seen.metadata.state = KeyState::PendingDeletion;
        seen.tags = Some(vec![Tag::new(TEMPLATE_TAG, "t")]);
        let learned = KeyEvent::Observed { learned: seen.all() };
        let state = given([added(0, &["eu-west-3"]), found(1, "payroll"), Event::Key(key_id(1), learned)]);
        let policy = PolicyText::parse(r#"{"Statement":[]}"#).expect("a policy");
        let put = |template: Option<&str>| {
            let template = template.map(str::to_owned);
            request(1, Operation::PutPolicy { policy: policy.clone(), template })
        };
        state.when(put(Some("t"))).then_done();
        for other in [None, Some("other")] {
            state.when(put(other)).then_refused(KeyRefusal::TemplateFixed(key_id(1)));
        }
    }
}
