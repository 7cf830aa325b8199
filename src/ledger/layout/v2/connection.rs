//! Connections to AWS.

use super::kms::AssumedRole;
use super::primitives::{Bytes, Partition, StsEndpoints, Text};
use crate::domain::connection;
use crate::domain::event as live;

layout! {
    enum ConnectionEvent<'a> of live::ConnectionEvent {
        Created { name: Text<'a>, settings: ConnectionSettings<'a>, secret: Bytes<'a> },
        SettingsChanged { settings: ConnectionSettings<'a> },
        Renamed { to: Text<'a> },
        SecretReplaced { secret: Bytes<'a> },
        Tested { error: Option<Text<'a>> },
        Deleted,
        RolesAnywhereSet { to: Box<RolesAnywhere<'a>> },
        RolesAnywhereRemoved,
    }
}

layout! {
    struct RolesAnywhere<'a> of connection::roles_anywhere::RolesAnywhere {
        role: Text<'a>,
        profile: Text<'a>,
        trust_anchor: Text<'a>,
        certificate: Text<'a>,
        private_key: Bytes<'a>,
    }
}

layout! {
    struct ConnectionSettings<'a> of connection::ConnectionSettings {
        description: Text<'a>,
        access_key_id: Text<'a>,
        cloud: Partition,
        role: Option<AssumedRole<'a>>,
        region: Option<Text<'a>>,
        sts_endpoints: StsEndpoints,
        products: Vec<Text<'a>>,
        labels: Option<Text<'a>>,
        meta: Option<Text<'a>>,
    }
}
