//! Operations that follow from others. They are derived from the state alone, so that they are also requested after a
//! crash, or after AWS could not be reached.
//!
//! - A description that has the mark of an operation is put right when the operation has ended.
//! - A replica of a key with imported material gets the materials of the primary key.

use super::aggregate::{ImportedMaterial, Key};
use super::aws_enums::{KeyState, MultiRegionKind, Origin};
use super::decide::check_place;
use super::index::Term;
use super::mark;
use super::operation::{Import, Operation};
use crate::domain::id::KeyId;
use crate::domain::state::State;
use crate::domain::time::Time;
use std::sync::Arc;

/// Returns all operations that follow. Those of one key are to be carried out one after the other.
pub fn all(state: &State, now: Time) -> Vec<(KeyId, Operation)> {
    let marked = state.keys.find(Term::MarkedDescription).into_iter().filter_map(|key| put_right(state, key));
    let replicas = state.keys.find(Term::ImportedReplica).into_iter();
    marked.chain(replicas.flat_map(|key| give_materials(state, key, now))).collect()
}

/// Returns the operations that follow from one on this key: on the key itself and on its replicas.
pub fn of(state: &State, id: KeyId, now: Time) -> Vec<(KeyId, Operation)> {
    let Some(key) = state.keys.get(&id) else { return vec![] };
    let is_family = key.metadata.multi_region.is_some() && key.metadata.origin == Origin::External;
    let family = if is_family { state.family(key.metadata.account(), key.aws_id()) } else { vec![] };
    let given = family.iter().flat_map(|relative| give_materials(state, relative, now));
    put_right(state, key).into_iter().chain(given).collect()
}

fn put_right(state: &State, key: &Key) -> Option<(KeyId, Operation)> {
    mark::of_description(&key.metadata.description)?;
    let to = key.description().to_owned();
    is_ready(state, key).then_some((key.id, Operation::Describe { to }))
}

/// Imports the materials that a replica lacks. AWS refuses one that was deleted before a rotation made it current, and
/// takes the others nevertheless.
fn give_materials(state: &State, replica: &Key, now: Time) -> Vec<(KeyId, Operation)> {
    if !replica.is_imported_replica() || !is_ready(state, replica) {
        return vec![];
    }
    let family = state.family(replica.metadata.account(), replica.aws_id());
    let Some(primary) = family.iter().find(|relative| is_giving(relative)) else { return vec![] };
    let can_be_given = |material: &&ImportedMaterial| {
        let is_kept = state.source_keys.get(&material.source).is_some_and(|source| source.refuse_use(now).is_ok());
        is_kept && material.valid_to.is_none_or(|end| end > now) && is_lacking(primary, replica, material)
    };
    let import = |material: &ImportedMaterial| Import {
        source: material.source,
        valid_to: material.valid_to,
        existing: true,
        material: material.material.clone(),
        description: None,
    };
    let given = primary.materials.iter().filter(can_be_given);
    given.map(|material| (replica.id, Operation::ImportMaterial(import(material)))).collect()
}

/// Whether the key is a primary key that has its own materials.
fn is_giving(key: &Key) -> bool {
    let kind = key.metadata.multi_region.as_ref().map(|family| &family.kind);
    let is_primary = kind == Some(&MultiRegionKind::Primary);
    is_primary && key.pending.is_none() && !key.is_ending() && key.metadata.state != KeyState::PendingImport
}

/// Whether a replica lacks a material of its primary key. A material that was imported into the replica before, and
/// deleted there, is not imported again. A replica that AWS lets encrypt has all materials but one that waits for its
/// rotation.
fn is_lacking(primary: &Arc<Key>, replica: &Key, material: &ImportedMaterial) -> bool {
    let had = replica.materials.iter().any(|had| had.source == material.source);
    let waits = material.material != primary.metadata.current_material
        && primary.materials.last() == Some(material)
        && primary.rotated_at.is_none_or(|rotated| material.imported > rotated);
    !had && (replica.metadata.state == KeyState::PendingImport || waits)
}

fn is_ready(state: &State, key: &Key) -> bool {
    key.pending.is_none() && !key.is_ending() && check_place(state, key.kms, &key.region).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Event;
    use crate::domain::id::{OperationId, SourceKeyId};
    use crate::domain::key::event::{Aspect, KeyEvent};
    use crate::domain::key::example::{added, after, at, key_id, kms_id, region, snapshot};
    use crate::domain::key::material::MaterialId;
    use crate::domain::key::metadata::MultiRegion;
    use crate::domain::key::name::{AwsKeyId, KeyArn};
    use crate::domain::source_key::tests;
    use uuid::Uuid;

    const HOME: &str = "eu-west-3";
    const AWAY: &str = "eu-west-1";

    fn source(n: u128) -> SourceKeyId {
        SourceKeyId::new(Uuid::from_u128(0x7000 + n))
    }

    fn material(n: u8) -> MaterialId {
        MaterialId::new(&format!("{n:064x}"))
    }

    fn created(id: SourceKeyId) -> Event {
        Event::SourceKey(id, tests::created())
    }

    /// A key of the family, found at AWS.
    fn found(n: u128, place: &str, state: KeyState, current: Option<u8>) -> Event {
        let mut seen = snapshot(1, "family");
        let id = AwsKeyId::parse("mrk-1234abcd12ab34cd56ef1234567890ab").expect("an id");
        let primary = KeyArn::of(seen.metadata.account(), region(HOME), id);
        let kind = if place == HOME { MultiRegionKind::Primary } else { MultiRegionKind::Replica };
        seen.metadata.arn = primary.in_region(region(place));
        let replicas = vec![primary.in_region(region(AWAY))];
        seen.metadata.multi_region = Some(Box::new(MultiRegion { kind, primary, replicas }));
        seen.metadata.origin = Origin::External;
        seen.metadata.state = state;
        seen.metadata.current_material = current.map(material);
        Event::Key(key_id(n), KeyEvent::Found { kms: kms_id(0), region: region(place), learned: seen.all() })
    }

    /// An import of a material from a source key.
    fn imported(key: u128, place: &str, from: u128, as_material: u8, valid_to: Option<Time>) -> [Event; 2] {
        let operation = OperationId::new(Uuid::new_v4());
        let import = Import { source: source(from), valid_to, existing: false, material: None, description: None };
        let wanted = Box::new(Operation::ImportMaterial(import));
        let (kms, region) = (kms_id(0), region(place));
        let learned = vec![Aspect::ImportedMaterial(material(as_material))];
        [
            KeyEvent::OperationRequested { operation, kms, region, wanted },
            KeyEvent::OperationDone { operation, learned },
        ]
        .map(|event| Event::Key(key_id(key), event))
    }

    fn wanted(state: &State) -> Vec<(KeyId, SourceKeyId, Option<MaterialId>)> {
        let all = all(state, at(1000));
        assert_eq!(all, of(state, key_id(1), at(1000)), "they follow from the primary key too");
        let import = |operation: Operation| operation.import().expect("an import").clone();
        let all = all.into_iter().map(|(key, operation)| (key, import(operation)));
        all.map(|(key, import)| (key, import.source, import.material)).collect()
    }

    fn family() -> Vec<Event> {
        let mut events = vec![added(0, &[HOME, AWAY]), created(source(1)), created(source(2))];
        events.push(found(1, HOME, KeyState::Enabled, Some(1)));
        events.extend(imported(1, HOME, 1, 1, None));
        events.push(found(2, AWAY, KeyState::PendingImport, Some(1)));
        events
    }

    #[test]
    fn a_replica_gets_the_materials_of_its_primary_key_one_after_the_other() {
        let mut events = family();
        assert_eq!(wanted(&after(&events)), [(key_id(2), source(1), Some(material(1)))]);
        events.extend(imported(2, AWAY, 1, 1, None));
        assert_eq!(wanted(&after(&events)), []);
        // A later material waits for its rotation.
        events.push(found(2, AWAY, KeyState::Enabled, Some(1)));
        events.extend(imported(2, AWAY, 1, 1, None));
        events.extend(imported(1, HOME, 2, 2, None));
        assert_eq!(wanted(&after(&events)), [(key_id(2), source(2), Some(material(2)))]);
        events.extend(imported(2, AWAY, 2, 2, None));
        assert_eq!(wanted(&after(&events)), []);
    }

    #[test]
    fn material_that_was_deleted_from_a_replica_is_not_imported_again() {
        let mut events = family();
        events.extend(imported(2, AWAY, 1, 1, None));
        let mut seen = after(&events).key(key_id(2)).expect("a key").metadata.clone();
        seen.state = KeyState::PendingImport;
        let learned = vec![Aspect::Metadata(Box::new(seen))];
        events.push(Event::Key(key_id(2), KeyEvent::Observed { learned }));
        assert_eq!(wanted(&after(&events)), []);
    }

    #[test]
    fn nothing_is_given_that_has_expired_or_has_no_source_or_no_ready_replica() {
        let mut expired = family();
        expired.extend(imported(1, HOME, 1, 1, Some(at(999))));
        assert_eq!(wanted(&after(&expired)), []);
        let without_source: Vec<_> = family().into_iter().filter(|event| *event != created(source(1))).collect();
        assert_eq!(wanted(&after(&without_source)), []);
        let mut waiting = family();
        waiting.extend(imported(1, HOME, 2, 2, None).into_iter().take(1));
        assert_eq!(wanted(&after(&waiting)), [], "the primary key has a pending operation");
    }

    #[test]
    fn a_description_with_a_mark_is_put_right() {
        let operation = OperationId::new(Uuid::from_u128(7));
        let seen = snapshot(1, &format!("claviger:operation={operation} payroll"));
        let event = KeyEvent::Found { kms: kms_id(0), region: region(HOME), learned: seen.all() };
        let state = after(&[added(0, &[HOME]), Event::Key(key_id(1), event)]);
        let right = [(key_id(1), Operation::Describe { to: "payroll".to_owned() })];
        assert_eq!((all(&state, at(9)), of(&state, key_id(1), at(9))), (right.to_vec(), right.to_vec()));
    }
}
