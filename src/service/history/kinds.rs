//! The kinds of resources with a past: the right that the history of each requires, and the refusal for one that does
//! not exist.

use crate::domain::event::Stream;
use crate::domain::id::{ConnectionId, KeyId, KmsId, ScheduleId, SourceKeyId, TemplateId, UserId};
use crate::domain::name::GroupName;
use crate::domain::refusal::{
    ConnectionRefusal, GroupRefusal, KeyRefusal, KmsRefusal, Refusal, ScheduleRefusal, SourceKeyRefusal,
    TemplateRefusal, UserRefusal,
};
use crate::domain::time::Time;
use crate::service::access::{ManageUsers, Right, SignedIn, ViewConnections, ViewSourceKeys};

/// The id of a resource that has a past.
pub trait HasPast {
    /// The right that is checked before the resource is looked up.
    type Right: Right;

    /// The events of the resource.
    fn stream(&self) -> Stream;

    /// The refusal if there is no such resource, or there was none at a time.
    fn unknown(&self, at: Option<Time>) -> Refusal;
}

fn text(id: String, at: Option<Time>) -> String {
    match at {
        None => id,
        Some(at) => format!("{id} at {at}"),
    }
}

macro_rules! has_past {
    ($($id:ident: $right:ident, $stream:ident, $refusal:ident, $text:ident;)*) => {
        $(impl HasPast for $id {
            type Right = $right;

            fn stream(&self) -> Stream {
                Stream::$stream(<Self as Clone>::clone(self))
            }

            fn unknown(&self, at: Option<Time>) -> Refusal {
                $refusal::Unknown(text(self.$text(), at)).into()
            }
        })*
    };
}

has_past! {
    KmsId: SignedIn, Kms, KmsRefusal, to_string;
    KeyId: SignedIn, Key, KeyRefusal, to_string;
    ConnectionId: ViewConnections, Connection, ConnectionRefusal, to_string;
    UserId: ManageUsers, User, UserRefusal, subject;
    // The history of a group names its members.
    GroupName: ManageUsers, Group, GroupRefusal, to_string;
    TemplateId: SignedIn, Template, TemplateRefusal, to_string;
    ScheduleId: SignedIn, Schedule, ScheduleRefusal, to_string;
    SourceKeyId: ViewSourceKeys, SourceKey, SourceKeyRefusal, to_string;
}
