//! Access rules: the only module that makes a permit. Every rule of access is here, so that it can be read in one go;
//! `http` asks for permits by type, and a use case takes the permit that it needs, so neither can forget the other.

mod rights;

use super::caller::{Caller, is_one_of};
use super::failure::{Failure, MissingRight};
use crate::domain::action::{Action, ActionSet};
use crate::domain::group::SystemGroup;
use crate::domain::id::{KeyId, KmsId, TemplateId, UserId};
use crate::domain::key::aggregate::Key;
use crate::domain::kms::Kms;
use crate::domain::name::GroupName;
use crate::domain::place::AccountId;
use crate::domain::refusal::{KeyRefusal, KmsRefusal, Refusal, TemplateRefusal};
use crate::domain::state::State;
use crate::domain::template::Template;
use crate::domain::template::decide::keys_of;
use crate::domain::user::User;
pub use rights::{
    Administer, CancelKeyDeletion, CreateKey, DeleteKey, DeleteMaterial, ImportMaterial, KeyRight, KmsRight,
    ManageConnections, ManageKms, ManageSchedules, ManageSourceKeys, ManageUsers, RequiredRight, Right, RotateKey,
    RunBulkJobs, SignedIn, Synchronize, Update, UpdateKey, UploadKey, View, ViewConnections, ViewKey, ViewSourceKeys,
};
use std::marker::PhantomData;
use std::sync::Arc;

/// Proof that the caller has the right `R`. Only this module makes one.
pub struct Permit<R> {
    caller: Caller,
    right: PhantomData<R>,
}

impl<R: Right> Permit<R> {
    /// Authorizes the caller.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] that names the groups whose members have it.
    pub fn authorize(caller: Caller) -> Result<Self, Failure> {
        Self::with_right(caller, |user, state| match R::REQUIRED.groups() {
            [] => Ok(()),
            groups if is_one_of(user, groups) => Ok(()),
            _ => R::otherwise(user, state).map_err(Failure::Forbidden),
        })
    }

    fn with_right(
        caller: Caller,
        right: impl Fn(&User, &State) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> Result<Self, Failure> {
        Ok(Self { caller: caller.with_right(right)?, right: PhantomData })
    }

    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl Permit<ManageUsers> {
    /// The same, if the caller may change this user: a user who can set a password can sign in as its owner.
    ///
    /// # Errors
    /// When there is no such user; [`Failure::Forbidden`] if it has rights that only `admin` may touch.
    pub fn over_user(self, id: UserId) -> Result<Self, Failure> {
        Self::with_right(self.caller, move |user, state| {
            let other = state.user(id)?;
            let above = SystemGroup::ALL.into_iter().find(|group| group.is_privileged() && other.is_in(*group));
            match above.filter(|_| !user.is_in(SystemGroup::Admin)) {
                Some(group) => Err(Failure::Forbidden(MissingRight::PrivilegedUser(group.name()))),
                None => Ok(()),
            }
        })
    }

    /// The same, if the caller may change who is in this group: nobody hands out more than managing users gives.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] unless so.
    pub fn over_members(self, name: &GroupName) -> Result<Self, Failure> {
        let group = SystemGroup::of(name).filter(|group| group.is_privileged());
        Self::with_right(self.caller, move |user, _| match group.filter(|_| !user.is_in(SystemGroup::Admin)) {
            Some(group) => Err(Failure::Forbidden(MissingRight::PrivilegedGroup(group.name()))),
            None => Ok(()),
        })
    }
}

/// Proof that the caller may do `A` on one KMS. Only this module makes one.
pub struct KmsPermit<A> {
    caller: Caller,
    kms: Arc<Kms>,
    right: PhantomData<A>,
}

impl<A: KmsRight> KmsPermit<A> {
    /// Authorizes the caller on the KMS of this id.
    ///
    /// # Errors
    /// [`KmsRefusal::Unknown`] if there is no such KMS, or none that the caller may know of; [`Failure::Forbidden`]
    /// that names the missing action, or the group, if the caller may view it but no more.
    pub fn authorize(caller: Caller, id: KmsId) -> Result<Self, Failure> {
        let kms = caller.published.state.kms(id)?.clone();
        let caller = caller.with_right(move |user, state| check_kms::<A>(user, state.kms(id)?))?;
        Ok(Self { caller, kms, right: PhantomData })
    }

    /// The same, by the KMS's name or id, as bodies give it.
    ///
    /// # Errors
    /// As [`KmsPermit::authorize`].
    pub fn authorize_named(caller: Caller, text: &str) -> Result<Self, Failure> {
        let id = caller.published.state.kms_by_id_or_name(text)?.id;
        Self::authorize(caller, id).map_err(|failure| match failure {
            // By its name, its id is not told.
            Failure::Refused(Refusal::Kms(KmsRefusal::Unknown(_))) => {
                Refusal::Kms(KmsRefusal::Unknown(text.chars().take(80).collect())).into()
            }
            other => other,
        })
    }

    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// On which KMS, as it was when the request came in.
    pub fn kms(&self) -> &Arc<Kms> {
        &self.kms
    }
}

fn check_kms<A: KmsRight>(user: &User, kms: &Kms) -> Result<(), Failure> {
    if administers_kms(user) {
        return Ok(());
    }
    let granted = granted(user, kms);
    if granted.is_empty() {
        return Err(KmsRefusal::Unknown(kms.id.to_string()).into());
    }
    match A::ACTION {
        None => Err(Failure::Forbidden(MissingRight::Membership(RequiredRight::UpdateKms.group_names()))),
        Some(Action::View) => Ok(()),
        Some(action) if granted.permits(action) => Ok(()),
        Some(action) => Err(Failure::Forbidden(MissingRight::Action(action))),
    }
}

/// Proof that the caller may do `A` on one key. Only this module makes one.
pub struct KeyPermit<A> {
    caller: Caller,
    key: Arc<Key>,
    kms: Arc<Kms>,
    right: PhantomData<A>,
}

impl<A: KeyRight> KeyPermit<A> {
    /// Authorizes the caller on the key of this id.
    ///
    /// # Errors
    /// [`KeyRefusal::Unknown`] if there is no such key, or none that the caller may know of; [`Failure::Forbidden`]
    /// that names the missing action, if the caller may view it but no more.
    pub fn authorize(caller: Caller, id: KeyId) -> Result<Self, Failure> {
        let caller = caller.with_right(move |user, state| check_key::<A>(user, state, id))?;
        let state = &caller.published.state;
        let key = state.key(id)?.clone();
        let kms = state.kms(key.kms)?.clone();
        Ok(Self { caller, key, kms, right: PhantomData })
    }

    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// On which key, as it was when the request came in.
    pub fn key(&self) -> &Arc<Key> {
        &self.key
    }

    pub fn kms(&self) -> &Arc<Kms> {
        &self.kms
    }
}

fn check_key<A: KeyRight>(user: &User, state: &State, id: KeyId) -> Result<(), Failure> {
    let key = state.key(id)?;
    let granted = match administers_kms(user) {
        true => return Ok(()),
        false => granted(user, state.kms(key.kms)?),
    };
    if !granted.permits(key.view_action()) {
        return Err(KeyRefusal::Unknown(id.to_string()).into());
    }
    match A::action(key) {
        action if granted.permits(action) => Ok(()),
        action => Err(Failure::Forbidden(MissingRight::Action(action))),
    }
}

/// Proof that the caller may do `A` with one policy template. Only this module makes one.
pub struct TemplatePermit<A> {
    caller: Caller,
    template: Arc<Template>,
    right: PhantomData<A>,
}

impl<A: KmsRight> TemplatePermit<A> {
    /// Authorizes the caller for the template of this id: the right on any KMS of its account is enough.
    ///
    /// # Errors
    /// [`TemplateRefusal::Unknown`] if there is no such template, or none that the caller may know of;
    /// [`Failure::Forbidden`] that names the missing action, if the caller may view it but no more.
    pub fn authorize(caller: Caller, id: TemplateId) -> Result<Self, Failure> {
        let template = caller.published.state.template(id)?.clone();
        let caller =
            in_account::<A>(caller, template.account, Refusal::Template(TemplateRefusal::Unknown(id.to_string())))?;
        Ok(Self { caller, template, right: PhantomData })
    }

    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// With which template, as it was when the request came in.
    pub fn template(&self) -> &Arc<Template> {
        &self.template
    }
}

/// The caller, if `A` is permitted on any KMS of an account.
///
/// # Errors
/// [`Failure::Forbidden`] that names what is lacking; `unknown`, if the caller may not know that the account is
/// managed.
pub fn in_account<A: KmsRight>(caller: Caller, account: AccountId, unknown: Refusal) -> Result<Caller, Failure> {
    caller.with_right(move |user, state| {
        check_account::<A>(user, state, account)
            .map_err(|lacking| lacking.map_or_else(|| Failure::Refused(unknown.clone()), Failure::Forbidden))
    })
}

/// May this user do `A` on any KMS of an account?
///
/// # Errors
/// What the user lacks; nothing, if the user may not know that the account is managed.
fn check_account<A: KmsRight>(user: &User, state: &State, account: AccountId) -> Result<(), Option<MissingRight>> {
    if administers_kms(user) {
        return Ok(());
    }
    let of_account = state.kms_of_account(account).map(|kms| granted(user, kms));
    let granted: Vec<ActionSet> = of_account.filter(|granted| !granted.is_empty()).collect();
    match A::ACTION {
        _ if granted.is_empty() => Err(None),
        None => Err(Some(MissingRight::Membership(RequiredRight::UpdateKms.group_names()))),
        Some(Action::View) => Ok(()),
        Some(action) if granted.iter().any(|granted| granted.permits(action)) => Ok(()),
        Some(action) => Err(Some(MissingRight::Action(action))),
    }
}

/// May this user know that the template exists?
pub fn sees_template(user: &User, state: &State, template: &Template) -> bool {
    administers_kms(user) || state.kms_of_account(template.account).any(|kms| sees(user, kms))
}

/// May this user know that the key exists?
pub fn sees_key(user: &User, state: &State, key: &Key) -> bool {
    administers_kms(user) || state.kms.get(&key.kms).is_some_and(|kms| granted(user, kms).permits(key.view_action()))
}

/// The same of a key that something else names: of one that is forgotten only administrators may know.
pub fn sees_key_of(user: &User, state: &State, key: KeyId) -> bool {
    state.keys.get(&key).map_or_else(|| administers_kms(user), |key| sees_key(user, state, key))
}

/// The same of a KMS that something else names.
pub fn sees_kms_of(user: &User, state: &State, kms: KmsId) -> bool {
    state.kms.get(&kms).map_or_else(|| administers_kms(user), |kms| sees(user, kms))
}

/// The caller, if every key that has a template may be changed: those of the moment, each time it is checked. A key
/// that the caller may not know of is not named.
///
/// # Errors
/// [`Failure::Forbidden`] that names the action.
pub fn on_all_keys_of(caller: Caller, template: TemplateId) -> Result<Caller, Failure> {
    caller.with_right(move |user, state| {
        let mut keys = keys_of(state, state.template(template)?);
        match keys.all(|key| check_key::<UpdateKey>(user, state, key.id).is_ok()) {
            true => Ok(()),
            false => Err(Failure::Forbidden(MissingRight::Action(Action::KeyUpdate))),
        }
    })
}

/// May this user do everything on every KMS?
pub fn administers_kms(user: &User) -> bool {
    user.is_in(SystemGroup::Admin) || user.is_in(SystemGroup::CckmAdmins)
}

/// What this user may do on a KMS by its entries; an administrator needs none.
pub fn granted(user: &User, kms: &Kms) -> ActionSet {
    kms.acl.granted(user.id, &user.groups)
}

/// May this user know that the KMS exists?
pub fn sees(user: &User, kms: &Kms) -> bool {
    administers_kms(user) || !granted(user, kms).is_empty()
}

/// The caller, if this is permitted on all of these KMSs.
///
/// # Errors
/// [`Failure::Forbidden`] that names the action.
pub fn on_all(caller: Caller, action: Action, kms: Vec<KmsId>) -> Result<Caller, Failure> {
    caller.with_right(move |user, state| match may_on_all(user, state, action, kms.iter().copied()) {
        true => Ok(()),
        false => Err(Failure::Forbidden(MissingRight::Action(action))),
    })
}

/// May this user do this on all of these KMSs? Those that are gone do not count, unless all are: then only
/// administrators may.
pub fn may_on_all(user: &User, state: &State, action: Action, kms: impl IntoIterator<Item = KmsId>) -> bool {
    if administers_kms(user) {
        return true;
    }
    let mut there = kms.into_iter().filter_map(|id| state.kms.get(&id)).peekable();
    there.peek().is_some() && there.all(|kms| granted(user, kms).permits(action))
}
