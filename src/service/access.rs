//! Access rules. Only this module makes permits, and all access rules are here. `http` requests permits by type, and a
//! use case takes the permit that it needs as an argument, so a missing check does not compile.

mod changes;
mod own;
mod past;
mod rights;
mod schedules;
mod views;

use super::caller::{Caller, is_one_of};
use super::failure::{Failure, MissingRight};
use crate::domain::action::{Action, ActionSet};
use crate::domain::group::SystemGroup;
use crate::domain::id::{KeyId, KeyStoreId, KmsId, ReportId, TemplateId, UserId};
use crate::domain::key::aggregate::Key;
use crate::domain::key_store::KeyStore;
use crate::domain::kms::Kms;
use crate::domain::name::GroupName;
use crate::domain::place::AccountId;
use crate::domain::refusal::{KeyRefusal, KeyStoreRefusal, KmsRefusal, Refusal, ReportRefusal, TemplateRefusal};
use crate::domain::report::Report;
use crate::domain::state::State;
use crate::domain::template::Template;
use crate::domain::template::decide::keys_of;
use crate::domain::user::User;
pub use changes::{sees_bulk_job, sees_change, sees_sync_job};
pub use own::{may_update, own_actions, own_actions_on_key, own_kms, own_rights};
pub use past::sees_past;
pub use schedules::{for_schedule, for_work};
pub use views::{
    sees, sees_alarm, sees_drift, sees_key, sees_key_of, sees_key_store, sees_kms_of, sees_report, sees_template,
};

pub use rights::{
    AddKeyStore, Administer, BlockHyokKey, BlockKeyStore, CancelKeyDeletion, ConnectKeyStore, CreateCloudHsmKey,
    CreateHyokKey, CreateKey, CreateReport, DeleteHyokKey, DeleteKey, DeleteKeyStore, DeleteMaterial, DeleteReport,
    DisconnectKeyStore, DownloadReport, ImportMaterial, KeyRight, KmsRight, LinkHyokKey, LinkKeyStore, ManageAlarms,
    ManageConnections, ManageKms, ManageSchedules, ManageSourceKeys, ManageUsers, OnSomeKms, RequiredRight, Right,
    RotateKey, RunBulkJobs, SignedIn, Synchronize, UnblockKeyStore, Update, UpdateKey, UpdateKeyStore, UploadKey, View,
    ViewConnections, ViewHyokKey, ViewKey, ViewKeyStore, ViewReport, ViewSourceKeys,
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
    /// [`Failure::Forbidden`] that names the groups whose members have the right.
    pub fn authorize(caller: Caller) -> Result<Self, Failure> {
        Self::with_right(caller, |user, state| check::<R>(user, state).map_err(Failure::Forbidden))
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

fn check<R: Right>(user: &User, state: &State) -> Result<(), MissingRight> {
    match R::REQUIRED.groups() {
        [] => Ok(()),
        groups if is_one_of(user, groups) => Ok(()),
        _ => R::otherwise(user, state),
    }
}

impl Permit<ManageUsers> {
    /// Narrows the permit to a change of one user. Only members of `admin` may change a member of a privileged group:
    /// a caller who sets a user's password can sign in as that user.
    ///
    /// # Errors
    /// When there is no such user; [`Failure::Forbidden`] if the user is in a privileged group.
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

    /// Narrows the permit to the members of one group. Only members of `admin` may change the members of a privileged
    /// group; otherwise a user manager could grant more rights than managing users.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] if the group is privileged.
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
    /// [`KmsRefusal::Unknown`] if there is no such KMS or the caller may not view it; [`Failure::Forbidden`] that names
    /// the missing action or group if the caller may only view it.
    pub fn authorize(caller: Caller, id: KmsId) -> Result<Self, Failure> {
        let kms = caller.published.state.kms(id)?.clone();
        let caller = caller.with_right(move |user, state| check_kms::<A>(user, state.kms(id)?))?;
        Ok(Self { caller, kms, right: PhantomData })
    }

    /// Authorizes the caller on the KMS whose name or id the member `kms` of the request has.
    ///
    /// # Errors
    /// As [`KmsPermit::authorize`].
    pub fn authorize_named(caller: Caller, text: &str) -> Result<Self, Failure> {
        let id = caller.published.state.kms_by_id_or_name(text).map_err(|refusal| refusal.of("kms"))?.id;
        Self::authorize(caller, id).map_err(|failure| match failure {
            // The message repeats the text of the request: a caller who may not view the KMS must not learn its id.
            Failure::Refused(Refusal::Kms(KmsRefusal::Unknown(_))) => {
                Refusal::Kms(KmsRefusal::Unknown(text.chars().take(80).collect())).of("kms").into()
            }
            other => other,
        })
    }

    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The KMS, as it was when the request arrived.
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
    /// [`KeyRefusal::Unknown`] if there is no such key or the caller may not view it; [`Failure::Forbidden`] that names
    /// the missing action if the caller may only view it.
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

    /// The key, as it was when the request arrived.
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

/// Proof that the caller may do `A` with one custom key store. Only this module makes one.
pub struct KeyStorePermit<A> {
    caller: Caller,
    store: Arc<KeyStore>,
    right: PhantomData<A>,
}

impl<A: KmsRight> KeyStorePermit<A> {
    /// Authorizes the caller on the key store of this id or name.
    ///
    /// # Errors
    /// [`KeyStoreRefusal::Unknown`] if there is no such store or the caller may not view it;
    /// [`KeyStoreRefusal::Ambiguous`] if the caller may view several stores of the name, unless to view one is all that
    /// `A` permits; [`Failure::Forbidden`] that names the missing action if the caller may only view it.
    pub fn authorize(caller: Caller, text: &str) -> Result<Self, Failure> {
        let to_view = A::ACTION == Some(Action::ViewKeyStore);
        let store = seen_key_store(&caller.user, &caller.published.state, text, to_view)?.clone();
        let id = store.id;
        let caller = caller.with_right(move |user, state| check_key_store::<A>(user, state, id))?;
        Ok(Self { caller, store, right: PhantomData })
    }

    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The store, as it was when the request arrived.
    pub fn store(&self) -> &Arc<KeyStore> {
        &self.store
    }
}

fn check_key_store<A: KmsRight>(user: &User, state: &State, id: KeyStoreId) -> Result<(), Failure> {
    let store = state.key_store(id)?;
    if !sees_key_store(user, state, store) {
        return Err(KeyStoreRefusal::Unknown(id.to_string()).into());
    }
    match A::ACTION {
        Some(action) if !administers_kms(user) && !granted(user, state.kms(store.kms)?).permits(action) => {
            Err(Failure::Forbidden(MissingRight::Action(action)))
        }
        Some(_) | None => Ok(()),
    }
}

/// Returns the store of this id, or else of this name, that the user may view. Of several stores of the name one is
/// selected only `to_view` it: one that this program serves rather than others, then the newest.
///
/// # Errors
/// [`KeyStoreRefusal::Unknown`] if there is none; [`KeyStoreRefusal::Ambiguous`] if there are several of the name and
/// the caller does not only view one.
pub fn seen_key_store<'s>(
    user: &User,
    state: &'s State,
    text: &str,
    to_view: bool,
) -> Result<&'s Arc<KeyStore>, KeyStoreRefusal> {
    let sees = |store: &&Arc<KeyStore>| sees_key_store(user, state, store);
    if let Some(store) = state.key_store_with_id(text).filter(sees) {
        return Ok(store);
    }
    let named: Vec<&Arc<KeyStore>> = state.key_stores_named(text).filter(sees).collect();
    match named[..] {
        // The message repeats the text of the request: a caller who may not view the store must not learn its id.
        [] => Err(KeyStoreRefusal::Unknown(text.chars().take(255).collect())),
        [store] => Ok(store),
        [newest, ..] if to_view => Ok(named.iter().find(|store| store.local.is_some()).unwrap_or(&newest)),
        [newest, ..] => Err(KeyStoreRefusal::Ambiguous { name: newest.name.clone(), stores: named.len() }),
    }
}

/// Proof that the caller may do `A` with one policy template. Only this module makes one.
pub struct TemplatePermit<A> {
    caller: Caller,
    template: Arc<Template>,
    right: PhantomData<A>,
}

impl<A: KmsRight> TemplatePermit<A> {
    /// Authorizes the caller on the template of this id. The right on any KMS of the template's account is sufficient.
    ///
    /// # Errors
    /// [`TemplateRefusal::Unknown`] if there is no such template or the caller may not view it; [`Failure::Forbidden`]
    /// that names the missing action if the caller may only view it.
    pub fn authorize(caller: Caller, id: TemplateId) -> Result<Self, Failure> {
        let template = caller.published.state.template(id)?.clone();
        let caller =
            in_account::<A>(caller, template.account, Refusal::Template(TemplateRefusal::Unknown(id.to_string())))?;
        Ok(Self { caller, template, right: PhantomData })
    }

    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The template, as it was when the request arrived.
    pub fn template(&self) -> &Arc<Template> {
        &self.template
    }
}

/// Proof that the caller may do `A` with one report. Only this module makes one.
pub struct ReportPermit<A> {
    caller: Caller,
    report: Arc<Report>,
    right: PhantomData<A>,
}

impl<A: KmsRight> ReportPermit<A> {
    /// Authorizes the caller on the report of this id. The right on every KMS of the report is needed.
    ///
    /// # Errors
    /// [`ReportRefusal::Unknown`] if there is no such report or the caller may not view it; [`Failure::Forbidden`] that
    /// names the missing action if the caller may only view it.
    pub fn authorize(caller: Caller, id: ReportId) -> Result<Self, Failure> {
        let report = caller.published.state.report(id)?.clone();
        let caller = caller.with_right(move |user, state| {
            let report = state.report(id)?;
            if !sees_report(user, state, report) {
                return Err(ReportRefusal::Unknown(id.to_string()).into());
            }
            match A::ACTION {
                Some(action) if !may_on_report(user, state, report, action) => {
                    Err(Failure::Forbidden(MissingRight::Action(action)))
                }
                Some(_) | None => Ok(()),
            }
        })?;
        Ok(Self { caller, report, right: PhantomData })
    }
}

impl<A> ReportPermit<A> {
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The report, as it was when the request arrived.
    pub fn report(&self) -> &Arc<Report> {
        &self.report
    }
}

/// Returns whether this user may do this on every KMS of a report. If one was deleted, only administrators may.
fn may_on_report(user: &User, state: &State, report: &Report, action: Action) -> bool {
    let may = |id: KmsId| state.kms.get(&id).is_some_and(|kms| granted(user, kms).permits(action));
    administers_kms(user) || report.kms().into_iter().all(may)
}

/// Authorizes the caller to do `A` on any KMS of an account.
///
/// # Errors
/// [`Failure::Forbidden`] that names the missing right; `unknown` if the caller may not view any KMS of the account.
pub fn in_account<A: KmsRight>(caller: Caller, account: AccountId, unknown: Refusal) -> Result<Caller, Failure> {
    caller.with_right(move |user, state| {
        check_account::<A>(user, state, account)
            .map_err(|lacking| lacking.map_or_else(|| Failure::Refused(unknown.clone()), Failure::Forbidden))
    })
}

/// Checks that a user may do `A` on any KMS of an account.
///
/// # Errors
/// The missing right; `None` if the user may not view any KMS of the account.
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

/// Authorizes the caller to change every key that has a template. Each check covers the keys that have it at that
/// time. The failure names no key, since the caller may not be able to view it.
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

/// Returns whether this user has all rights on all KMSs.
pub fn administers_kms(user: &User) -> bool {
    user.is_in(SystemGroup::Admin) || user.is_in(SystemGroup::CckmAdmins)
}

/// Returns whether this user may view and change all users.
pub fn manages_users(user: &User) -> bool {
    is_one_of(user, ManageUsers::REQUIRED.groups())
}

/// The actions that the access list of a KMS grants to this user. An administrator needs no entry.
pub fn granted(user: &User, kms: &Kms) -> ActionSet {
    kms.acl.granted(user.id, &user.groups)
}

/// Authorizes the caller to do this on all of these KMSs.
///
/// # Errors
/// [`Failure::Forbidden`] that names the action.
pub fn on_all(caller: Caller, action: Action, kms: Vec<KmsId>) -> Result<Caller, Failure> {
    caller.with_right(move |user, state| match may_on_all(user, state, action, kms.iter().copied()) {
        true => Ok(()),
        false => Err(Failure::Forbidden(MissingRight::Action(action))),
    })
}

/// Returns whether this user may do this on at least one KMS.
pub fn may_somewhere(user: &User, state: &State, action: Action) -> bool {
    administers_kms(user) || state.kms.iter().any(|kms| granted(user, kms).permits(action))
}

/// Returns whether this user may do this on all of these KMSs. Deleted KMSs are ignored; if all are deleted, only
/// administrators may.
pub fn may_on_all(user: &User, state: &State, action: Action, kms: impl IntoIterator<Item = KmsId>) -> bool {
    if administers_kms(user) {
        return true;
    }
    let mut existing = kms.into_iter().filter_map(|id| state.kms.get(&id)).peekable();
    existing.peek().is_some() && existing.all(|kms| granted(user, kms).permits(action))
}
