//! Who may change a schedule, by what it does.

use super::{ManageSchedules, MissingRight, Permit};
use crate::domain::group::SystemGroup;
use crate::domain::id::ScheduleId;
use crate::domain::schedule::Work;
use crate::domain::user::User;
use crate::service::caller::Caller;
use crate::service::failure::Failure;

/// Authorizes a change of a schedule with this work. A backup has everything, so only members of `admin` may decide on
/// the backups.
pub fn for_work(permit: &Permit<ManageSchedules>, work: Work) -> Result<Caller, Failure> {
    permit.caller.clone().with_right(move |user, _| may_schedule(user, &work))
}

/// Authorizes a change of a schedule, by its present work.
pub fn for_schedule(permit: &Permit<ManageSchedules>, id: ScheduleId) -> Result<Caller, Failure> {
    permit.caller.clone().with_right(move |user, state| may_schedule(user, &state.schedule(id)?.settings.work))
}

fn may_schedule(user: &User, work: &Work) -> Result<(), Failure> {
    let admin = SystemGroup::Admin;
    match matches!(work, Work::BackUp(_)) && !user.is_in(admin) {
        true => Err(Failure::Forbidden(MissingRight::Membership(vec![admin.name()]))),
        false => Ok(()),
    }
}
