//! Which alarms a change of what AWS reports of a key raises.

use super::facts;
use crate::domain::alarm::decide::{expiry_facts, is_news};
use crate::domain::alarm::{AlarmFacts, Cause, Condition, Subject};
use crate::domain::key::aggregate::Key;
use crate::domain::key::aws_enums::KeyState;
use crate::domain::key::event::Aspect;
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::time::Time;
use crate::policy::summary::Summary;

pub(super) fn metadata_in(learned: &[Aspect]) -> Option<&KeyMetadata> {
    learned.iter().find_map(|aspect| match aspect {
        Aspect::Metadata(metadata) => Some(metadata.as_ref()),
        Aspect::Aliases(_)
        | Aspect::Tags(_)
        | Aspect::Policy(_)
        | Aspect::Rotation(_)
        | Aspect::ImportedMaterial(_)
        | Aspect::LastUse(_) => None,
    })
}

/// A change of what AWS reports of a key.
pub(super) struct Change<'a> {
    pub before: Option<&'a Key>,
    pub learned: &'a [Aspect],
    pub subject: Subject,
    pub at: Time,
    /// The last announcement of the expiry of its material.
    pub announced: Option<(Time, u32)>,
}

impl Change<'_> {
    pub(super) fn judge(&self, cause: &dyn Fn(Condition) -> Cause, raised: &mut Vec<AlarmFacts>) {
        let mut expired = None;
        let mut add = |condition, message: String, due| {
            raised.push(AlarmFacts { due, ..facts(condition, self.subject.clone(), message, cause(condition)) });
        };
        for aspect in self.learned {
            match aspect {
                Aspect::Metadata(now) => {
                    if let Some(message) = self.deletion_scheduled(now) {
                        add(Condition::DeletionScheduled, message, now.deletion_date);
                    }
                    if let Some(message) = self.disabled(now) {
                        add(Condition::KeyDisabled, message.to_owned(), None);
                    }
                    if let Some(valid_to) = self.expired_unseen(now) {
                        expired = Some(expiry_facts(self.subject.clone(), valid_to, 0));
                    }
                }
                Aspect::Rotation(now) => {
                    let was_on = self.before.and_then(|before| before.rotation.as_ref()).is_some_and(|was| was.enabled);
                    if was_on && !now.enabled {
                        let message = "The automatic rotation of the key at AWS was switched off.";
                        add(Condition::RotationOff, message.to_owned(), None);
                    }
                }
                Aspect::Policy(now) => {
                    let before = self.before.and_then(|before| before.policy.as_ref());
                    // What a policy admitted that could not be read before is not known; the posture shows what it does.
                    let could_be_read = self.before.is_none() || before.is_some();
                    if let (Some(metadata), true, false) = (self.metadata(), could_be_read, before == Some(now)) {
                        let was = before.map(|text| text.as_str());
                        let (arn, account) = (metadata.arn.to_string(), metadata.account().to_string());
                        if let Some(message) = opened(was, now.as_str(), &arn, &account) {
                            add(Condition::PolicyOpened, message, None);
                        }
                    }
                }
                Aspect::Aliases(_) | Aspect::Tags(_) | Aspect::ImportedMaterial(_) | Aspect::LastUse(_) => {}
            }
        }
        raised.extend(expired);
    }

    fn deletion_scheduled(&self, now: &KeyMetadata) -> Option<String> {
        let was = self.before.map(|before| &before.metadata);
        // A primary key has a date only once its last replica is gone.
        let has_date_now = was.is_some_and(|was| was.state == KeyState::PendingReplicaDeletion)
            && now.state == KeyState::PendingDeletion;
        if !now.is_pending_deletion() || (was.is_some_and(KeyMetadata::is_pending_deletion) && !has_date_now) {
            return None;
        }
        let when = now.deletion_date.map_or_else(
            || "once its replicas are deleted".to_owned(),
            |at| format!("at {at}, unless the deletion is cancelled before"),
        );
        Some(format!("The deletion of the key is scheduled: AWS deletes it {when}."))
    }

    /// A cancelled deletion leaves a key disabled, which is no news.
    fn disabled(&self, now: &KeyMetadata) -> Option<&'static str> {
        let was = self.before.map(|before| &before.metadata);
        let was_off = was.is_some_and(|was| was.state == KeyState::Disabled || was.is_pending_deletion());
        (now.state == KeyState::Disabled && !was_off).then_some(match was {
            Some(_) => "The key was disabled.",
            None => "The key is disabled.",
        })
    }

    /// When the material expired that AWS has deleted since the last reading, if that was not announced.
    fn expired_unseen(&self, now: &KeyMetadata) -> Option<Time> {
        let was = &self.before?.metadata;
        let valid_to = was.valid_to.filter(|valid_to| *valid_to <= self.at)?;
        let is_lost = now.state == KeyState::PendingImport && was.state != KeyState::PendingImport;
        (is_lost && is_news(self.announced, valid_to, 0)).then_some(valid_to)
    }

    fn metadata(&self) -> Option<&KeyMetadata> {
        self.before.map(|key| &key.metadata).or_else(|| metadata_in(self.learned))
    }
}

/// Says whom a new policy admits that the old one did not, or what of it is new and cannot be read; `None` if there is
/// neither.
pub(super) fn opened(before: Option<&str>, now: &str, arn: &str, account: &str) -> Option<String> {
    let (earlier, now) = (before.map(Summary::of).unwrap_or_default(), Summary::of(now));
    let (known, admitted) = (earlier.outsiders(arn, account), now.outsiders(arn, account));
    let new: Vec<&str> = admitted.difference(&known).map(String::as_str).collect();
    let mut told = Vec::new();
    if !new.is_empty() {
        let (named, more) = new.split_at(new.len().min(NAMED_MAX));
        let more = if more.is_empty() { String::new() } else { format!(" and {} others", more.len()) };
        told.push(format!("The policy of the key now admits {}{more}.", named.join("; ")));
    }
    if now.not_understood.iter().any(|part| !earlier.not_understood.contains(part)) {
        told.push("A part of the new policy cannot be read here: it may admit other accounts.".to_owned());
    }
    (!told.is_empty()).then(|| told.join(" "))
}

/// The most accounts and callers that a message names.
const NAMED_MAX: usize = 20;
