//! Groups: create, describe and delete them, and change their members.

use super::access::{self, ManageUsers, Permit, SignedIn};
use super::caller::{Caller, RequestContext};
use super::failure::Failure;
use super::list::{self, Candidates, Field, Listed, Page, Query};
use super::recorder::Recorder;
use crate::domain::command::Command;
use crate::domain::group::{Group, GroupCommand, GroupPatch};
use crate::domain::id::UserId;
use crate::domain::name::{GroupName, UserName};
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::domain::user::User;
use crate::ledger::Committed;
use std::borrow::Cow;
use std::sync::Arc;

/// The use cases of groups. Cheap to clone.
#[derive(Clone)]
pub struct Groups {
    recorder: Recorder,
}

impl Groups {
    pub(super) fn new(recorder: Recorder) -> Self {
        Self { recorder }
    }

    /// Creates a group.
    ///
    /// # Errors
    /// When the name is in use.
    pub async fn create(
        &self,
        permit: Permit<ManageUsers>,
        context: &RequestContext,
        name: GroupName,
        patch: GroupPatch,
    ) -> Result<Arc<Group>, Failure> {
        let description = patch.description.unwrap_or_default();
        let command = GroupCommand::Create { name: name.clone(), description, metadata: patch.metadata };
        shown(&self.command(&permit, context, command).await?, &name)
    }

    /// Lists the groups.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn list(&self, permit: &Permit<SignedIn>, query: &Query) -> Result<Page<Group>, Failure> {
        list::page(permit.caller(), query).await
    }

    /// Returns one group.
    ///
    /// # Errors
    /// When there is no such group.
    pub fn get(&self, permit: &Permit<SignedIn>, name: &GroupName) -> Result<Arc<Group>, Failure> {
        Ok(permit.caller().published.state.group(name)?.clone())
    }

    /// Changes the name, the description or the metadata of a group. Its members and rights stay.
    ///
    /// # Errors
    /// When there is no such group, it is a system group and would be renamed, or the name is in use.
    pub async fn update(
        &self,
        permit: Permit<ManageUsers>,
        context: &RequestContext,
        name: GroupName,
        patch: GroupPatch,
    ) -> Result<Arc<Group>, Failure> {
        let after = patch.name.clone().unwrap_or_else(|| name.clone());
        shown(&self.command(&permit, context, GroupCommand::Update { name, patch }).await?, &after)
    }

    /// Adds a user to a group. It is not an error if the user is already a member.
    ///
    /// # Errors
    /// When there is no such group or user, or the group is privileged and the caller is not in `admin`.
    pub async fn add_member(
        &self,
        permit: Permit<ManageUsers>,
        context: &RequestContext,
        name: GroupName,
        user: UserId,
    ) -> Result<Arc<User>, Failure> {
        let permit = permit.over_members(&name)?;
        let committed = self.command(&permit, context, GroupCommand::AddMember { name, user }).await?;
        Ok(committed.published.state.user(user)?.clone())
    }

    /// Removes a user from a group.
    ///
    /// # Errors
    /// When the user is not a member or is the last administrator, or the group is privileged and the caller is not in
    /// `admin`.
    pub async fn remove_member(
        &self,
        permit: Permit<ManageUsers>,
        context: &RequestContext,
        name: GroupName,
        user: UserId,
    ) -> Result<(), Failure> {
        let permit = permit.over_members(&name)?;
        self.command(&permit, context, GroupCommand::RemoveMember { name, user }).await.map(drop)
    }

    /// Deletes a group, all memberships in it, and all rights granted to it.
    ///
    /// # Errors
    /// When there is no such group, or it is a system group.
    pub async fn remove(
        &self,
        permit: Permit<ManageUsers>,
        context: &RequestContext,
        name: GroupName,
    ) -> Result<(), Failure> {
        self.command(&permit, context, GroupCommand::Remove { name }).await.map(drop)
    }

    async fn command(
        &self,
        permit: &Permit<ManageUsers>,
        context: &RequestContext,
        command: GroupCommand,
    ) -> Result<Committed, Failure> {
        let change = permit.caller().change(context);
        self.recorder.append(&change, Command::Group(command)).await
    }
}

fn shown(committed: &Committed, name: &GroupName) -> Result<Arc<Group>, Failure> {
    Ok(committed.published.state.group(name)?.clone())
}

impl Listed for Group {
    type Rows = Table<GroupName, Self>;
    const SORTS: &'static [&'static str] = &["name", "description", "users_count", "created_at", "updated_at"];
    const FILTERS: &'static [&'static str] = &["name", "users"];
    const SEARCHES: &'static [&'static str] = &["name", "description"];
    const IDENTITIES: &'static [&'static str] = &["name"];

    fn rows(state: &State) -> &Self::Rows {
        &state.groups
    }

    fn identified<'a>(_: &'a State, _: &str, value: &str) -> Candidates<'a, Self> {
        Box::new(GroupName::parse(value).into_iter())
    }

    /// A user, by id or name, stands for the groups that the user is in. Only administrators of users may ask for
    /// others than themselves.
    fn expand<'a>(member: &str, value: &'a str, caller: &Caller) -> Result<Vec<Vec<Cow<'a, str>>>, Refusal> {
        if member != "users" {
            return Ok(vec![vec![Cow::Borrowed(value)]]);
        }
        let state = &caller.published.state;
        let with_id = UserId::parse_subject(value).ok().and_then(|id| state.users.get(&id));
        let user = with_id.or_else(|| state.user_named(&UserName::parse(value).ok()?));
        let shown = user.filter(|user| user.id == caller.user.id || access::manages_users(&caller.user));
        let groups = shown.map(|user| user.groups.iter().map(|group| vec![Cow::Owned(group.to_string())]).collect());
        Ok(groups.unwrap_or_default())
    }

    fn field(&self, member: &str, _: &Caller) -> Field {
        match member {
            "name" | "users" => Field::Text(self.name.to_string()),
            "description" => Field::Text(self.description.clone()),
            "users_count" => Field::Number(self.members),
            "created_at" => Field::Moment(self.created),
            "updated_at" => Field::Moment(self.updated),
            _ => Field::Absent,
        }
    }
}
