//! The past of resources: their events with actors and times, and what they were at a time.
//!
//! - `kinds`: the kinds of resources with a past, and the right that each requires
//! - `replay`: the state of one resource at a time
//! - `shown`: what a caller sees of an event

mod kinds;
mod replay;
mod shown;

pub use kinds::HasPast;
pub(super) use replay::state_before;

use super::access::{self, ManageUsers, Permit, SignedIn, ViewConnections, ViewSourceKeys};
use super::caller::Caller;
use super::failure::Failure;
use super::keys::{self, KeySeen};
use super::kms::{self, KmsSeen};
use super::list::{Limit, Query};
use super::recorder::Recorder;
use super::schedules::{Coverage, ScheduleSeen};
use super::templates::{self, TemplateSeen};
use crate::domain::connection::Connection;
use crate::domain::event::Actor;
use crate::domain::group::Group;
use crate::domain::id::{ConnectionId, KeyId, KmsId, ScheduleId, SourceKeyId, TemplateId, UserId};
use crate::domain::name::GroupName;
use crate::domain::source_key::SourceKey;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::domain::user::User;
use serde_json::Value;
use std::sync::Arc;

/// The most events in one page.
const PAGE_MAX: usize = 1000;

/// One page of a history.
pub struct HistoryPage {
    pub skip: usize,
    pub limit: Limit,
    /// The number of all events.
    pub total: usize,
    /// The events of this page, oldest first; newest first if sorted by `-seq`.
    pub entries: Vec<Entry>,
}

pub struct Entry {
    /// Its number in the log.
    pub seq: u64,
    pub time: Time,
    pub actor: Actor,
    pub request_id: String,
    /// The stream of the event. The history of a user also has the memberships, which are events of groups.
    pub resource: String,
    pub event: String,
    pub details: Value,
}

/// The use cases of the past. Cheap to clone.
#[derive(Clone)]
pub struct Histories {
    recorder: Recorder,
}

impl Histories {
    pub(super) fn new(recorder: Recorder) -> Self {
        Self { recorder }
    }

    /// Lists the events of one resource with their actors, oldest first. A deleted one keeps its history.
    ///
    /// # Errors
    /// When the caller may not view it, or it never existed.
    pub async fn page<I: HasPast>(
        &self,
        permit: &Permit<I::Right>,
        id: &I,
        query: &Query,
    ) -> Result<HistoryPage, Failure> {
        let caller = permit.caller();
        let (ledger, stream) = (self.recorder.ledger(), id.stream());
        let mut numbers = ledger.history(&stream);
        if numbers.is_empty() || !access::sees_past(&caller.user, &caller.published.state, &stream) {
            return Err(id.unknown(None).into());
        }
        let newest_first = query.sort.first().is_some_and(|(_, descending)| *descending);
        if newest_first {
            numbers.reverse();
        }
        let (total, limit) = (numbers.len(), Limit::Rows(query.limit.rows().min(PAGE_MAX)));
        let mut wanted: Vec<u64> = numbers.into_iter().skip(query.skip).take(limit.rows()).collect();
        wanted.sort_unstable();
        let records = ledger.read_many(&wanted).await?;
        let mut entries: Vec<_> = records.into_iter().map(|record| shown::entry(caller, record)).collect();
        if newest_first {
            entries.reverse();
        }
        Ok(HistoryPage { skip: query.skip, limit, total, entries })
    }

    /// The part of the state at a past time that is needed to show one resource.
    ///
    /// # Errors
    /// When the caller may not view its past, or the log cannot be read.
    async fn state_at<I: HasPast>(&self, caller: &Caller, id: &I, at: Time) -> Result<State, Failure> {
        let (present, stream) = (&caller.published.state, id.stream());
        if !access::sees_past(&caller.user, present, &stream) {
            return Err(id.unknown(None).into());
        }
        replay::state_at(self.recorder.ledger(), stream, present, at).await
    }

    /// Returns a KMS as it was at a time, even if it was deleted since. The same holds for all that follow.
    ///
    /// # Errors
    /// When the caller may not view it, or it did not exist at that time.
    pub async fn kms(&self, permit: &Permit<SignedIn>, id: KmsId, at: Time) -> Result<KmsSeen, Failure> {
        let past = self.state_at(permit.caller(), &id, at).await?;
        let kms = past.kms.get(&id).ok_or_else(|| id.unknown(Some(at)))?;
        Ok(kms::seen(kms.clone(), &past, permit.caller()))
    }

    /// Returns a key as it was.
    ///
    /// # Errors
    /// As for a KMS.
    pub async fn key(&self, permit: &Permit<SignedIn>, id: KeyId, at: Time) -> Result<KeySeen, Failure> {
        let past = self.state_at(permit.caller(), &id, at).await?;
        let key = past.keys.get(&id).ok_or_else(|| id.unknown(Some(at)))?;
        Ok(keys::seen(key.clone(), &past))
    }

    /// Returns a connection as it was.
    ///
    /// # Errors
    /// As for a KMS.
    pub async fn connection(
        &self,
        permit: &Permit<ViewConnections>,
        id: ConnectionId,
        at: Time,
    ) -> Result<Arc<Connection>, Failure> {
        let past = self.state_at(permit.caller(), &id, at).await?;
        past.connections.get(&id).cloned().ok_or_else(|| id.unknown(Some(at)).into())
    }

    /// Returns a user as it was, with its groups.
    ///
    /// # Errors
    /// As for a KMS.
    pub async fn user(&self, permit: &Permit<ManageUsers>, id: UserId, at: Time) -> Result<Arc<User>, Failure> {
        let past = self.state_at(permit.caller(), &id, at).await?;
        past.users.get(&id).cloned().ok_or_else(|| id.unknown(Some(at)).into())
    }

    /// Returns the group that had this name.
    ///
    /// # Errors
    /// As for a KMS.
    pub async fn group(&self, permit: &Permit<SignedIn>, name: &GroupName, at: Time) -> Result<Arc<Group>, Failure> {
        let caller = permit.caller();
        let past = self.state_at(caller, name, at).await?;
        let group = past.groups.get(name).ok_or_else(|| name.unknown(Some(at)))?;
        // A deleted group may have had the name of a present one.
        let is_present = caller.published.state.groups.get(name).is_some_and(|now| now.created == group.created);
        match is_present || access::manages_users(&caller.user) {
            true => Ok(group.clone()),
            false => Err(name.unknown(Some(at)).into()),
        }
    }

    /// Returns a policy template as it was.
    ///
    /// # Errors
    /// As for a KMS.
    pub async fn template(&self, permit: &Permit<SignedIn>, id: TemplateId, at: Time) -> Result<TemplateSeen, Failure> {
        let caller = permit.caller();
        let past = self.state_at(caller, &id, at).await?;
        let template = past.templates.get(&id).ok_or_else(|| id.unknown(Some(at)))?;
        // The KMSs of the account are those of today, as the rights are.
        Ok(templates::seen(template.clone(), &caller.published.state, &caller.user))
    }

    /// Returns a schedule as it was, without the numbers of its keys and key stores.
    ///
    /// # Errors
    /// As for a KMS.
    pub async fn schedule(&self, permit: &Permit<SignedIn>, id: ScheduleId, at: Time) -> Result<ScheduleSeen, Failure> {
        let past = self.state_at(permit.caller(), &id, at).await?;
        let schedule = past.schedules.all.get(&id).ok_or_else(|| id.unknown(Some(at)))?;
        Ok(Coverage::unknown(permit.caller()).seen(schedule.clone()))
    }

    /// Returns a source key as it was, without its material.
    ///
    /// # Errors
    /// As for a KMS.
    pub async fn source_key(
        &self,
        permit: &Permit<ViewSourceKeys>,
        id: SourceKeyId,
        at: Time,
    ) -> Result<Arc<SourceKey>, Failure> {
        let past = self.state_at(permit.caller(), &id, at).await?;
        past.source_keys.get(&id).cloned().ok_or_else(|| id.unknown(Some(at)).into())
    }
}
