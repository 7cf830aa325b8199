//! Groups.

use super::primitives::Text;
use crate::domain::event as live;
use uuid::Uuid;

layout! {
    enum GroupEvent<'a> of live::GroupEvent {
        Created { description: Text<'a>, metadata: GroupMetadata<'a> },
        Described { description: Text<'a>, metadata: GroupMetadata<'a> },
        MemberAdded { user: Uuid },
        MemberRemoved { user: Uuid },
        Removed,
        Renamed { to: Text<'a> },
    }
}

layout! {
    struct GroupMetadata<'a> of live::GroupMetadata {
        app: Option<Text<'a>>,
        client: Option<Text<'a>>,
        user: Option<Text<'a>>,
    }
}
