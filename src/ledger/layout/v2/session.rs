//! Sessions.

use super::primitives::{Text, TokenHash};
use crate::domain::event as live;
use uuid::Uuid;

layout! {
    enum SessionEvent<'a> of live::SessionEvent {
        Opened { user: Uuid, source: Text<'a>, refresh: RefreshGrant, labels: Vec<Text<'a>> },
        Refreshed,
        RefreshReplaced { refresh: RefreshGrant },
        Closed,
        RefreshReused { source: Text<'a> },
    }
}

layout! {
    struct RefreshGrant of live::RefreshGrant {
        id: Uuid,
        hash: TokenHash,
        lifetime_seconds: Option<u64>,
        unused_seconds: Option<u64>,
    }
}
