//! Who may do what: the only place that makes a permit. Every rule of access is here, so that it can be read in one go;
//! `http` asks for permits by type, and a use case takes the permit that it needs, so neither can forget the other.

use super::caller::Caller;
use super::failure::{Failure, Lacking};
use crate::domain::action::{Action, ActionSet};
use crate::domain::group::SystemGroup;
use crate::domain::id::KmsId;
use crate::domain::kms::Kms;
use crate::domain::refusal::Refusal;
use crate::domain::user::User;
use std::marker::PhantomData;
use std::sync::Arc;

/// Proof that the caller has the right `R`. Only this module makes one.
pub struct Permit<R> {
    caller: Caller,
    right: PhantomData<R>,
}

/// A right that does not depend on a single KMS.
pub trait Right {
    /// The groups whose members have it (`admin` always has); none: everybody who is signed in.
    const GROUPS: &'static [SystemGroup];
}

/// The right of everybody who is signed in.
pub struct SignedIn;
/// To add KMSs and to look at accounts.
pub struct ManageKms;
/// To manage connections.
pub struct ManageConnections;
/// To see connections, which managing KMSs needs as well.
pub struct ViewConnections;
/// To manage users and groups.
pub struct ManageUsers;
/// To do what only administrators do.
pub struct Administer;

impl Right for SignedIn {
    const GROUPS: &'static [SystemGroup] = &[];
}
impl Right for ManageKms {
    const GROUPS: &'static [SystemGroup] = &[SystemGroup::CckmAdmins];
}
impl Right for ManageConnections {
    const GROUPS: &'static [SystemGroup] = &[SystemGroup::ConnectionAdmins];
}
impl Right for ViewConnections {
    const GROUPS: &'static [SystemGroup] = &[SystemGroup::ConnectionAdmins, SystemGroup::CckmAdmins];
}
impl Right for ManageUsers {
    const GROUPS: &'static [SystemGroup] = &[SystemGroup::UserAdmins];
}
impl Right for Administer {
    const GROUPS: &'static [SystemGroup] = &[SystemGroup::Admin];
}

impl<R: Right> Permit<R> {
    /// Settles whether the caller has the right.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] that names the groups whose members have it.
    pub fn settle(caller: Caller) -> Result<Self, Failure> {
        if R::GROUPS.is_empty() || caller.is_one_of(R::GROUPS) {
            return Ok(Self { caller, right: PhantomData });
        }
        Err(Failure::Forbidden(Lacking::Membership(names(R::GROUPS))))
    }

    /// Who has it.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

/// The names of the groups whose members have a right that names these.
pub fn names(groups: &[SystemGroup]) -> Vec<&'static str> {
    let mut names = vec![SystemGroup::Admin.name()];
    names.extend(groups.iter().filter(|group| **group != SystemGroup::Admin).map(|group| group.name()));
    names
}

/// Proof that the caller may do `A` on one KMS. Only this module makes one.
pub struct KmsPermit<A> {
    caller: Caller,
    kms: Arc<Kms>,
    right: PhantomData<A>,
}

/// What one may do on a single KMS.
pub trait KmsRight {
    /// The action that must be permitted; none: only administrators of KMSs may.
    const ACTION: Option<Action>;
}

/// To view the KMS: whoever has any action on it.
pub struct View;
/// To change the KMS itself.
pub struct Amend;

impl KmsRight for View {
    const ACTION: Option<Action> = Some(Action::View);
}
impl KmsRight for Amend {
    const ACTION: Option<Action> = None;
}

impl<A: KmsRight> KmsPermit<A> {
    /// Settles whether the caller may do this on the KMS of this id.
    ///
    /// # Errors
    /// [`Refusal::KmsUnknown`] if there is no such KMS, or none that the caller may know of; [`Failure::Forbidden`]
    /// that names the missing action, or the group, if the caller may view it but no more.
    pub fn settle(caller: Caller, id: KmsId) -> Result<Self, Failure> {
        let kms = caller.published.state.kms(id)?.clone();
        if !administers_kms(&caller.user) {
            let granted = kms.acl.granted(caller.user.id, &caller.user.groups);
            if granted.is_empty() {
                return Err(Failure::Refused(Refusal::KmsUnknown(id.to_string())));
            }
            match A::ACTION {
                None => return Err(Failure::Forbidden(Lacking::Membership(names(ManageKms::GROUPS)))),
                Some(Action::View) => {}
                Some(action) if !granted.permits(action) => return Err(Failure::Forbidden(Lacking::Action(action))),
                Some(_) => {}
            }
        }
        Ok(Self { caller, kms, right: PhantomData })
    }

    /// Who may.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// On which KMS, as it was when the request came in.
    pub fn kms(&self) -> &Arc<Kms> {
        &self.kms
    }
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

/// May the caller, who manages users, change who is in this group? Nobody hands out more than managing users gives.
///
/// # Errors
/// [`Failure::Forbidden`] unless so.
pub fn may_change_members(caller: &Caller, group: Option<SystemGroup>) -> Result<(), Failure> {
    match group.filter(|group| group.is_privileged() && !caller.user.is_in(SystemGroup::Admin)) {
        Some(group) => Err(Failure::Forbidden(Lacking::PrivilegedGroup(group.name()))),
        None => Ok(()),
    }
}

/// May the caller, who manages users, change this one? Whoever can set a password can sign in as its owner.
///
/// # Errors
/// [`Failure::Forbidden`] unless so.
pub fn may_change_user(caller: &Caller, user: &User) -> Result<(), Failure> {
    let above = SystemGroup::ALL.into_iter().find(|group| group.is_privileged() && user.is_in(*group));
    match above.filter(|_| !caller.user.is_in(SystemGroup::Admin)) {
        Some(group) => Err(Failure::Forbidden(Lacking::PrivilegedUser(group.name()))),
        None => Ok(()),
    }
}
