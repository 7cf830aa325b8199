//! Policy templates.

use super::primitives::Text;
use crate::domain::key::policy;
use crate::domain::template as live;
use uuid::Uuid;

layout! {
    enum TemplateEvent<'a> of live::TemplateEvent {
        Created { name: Text<'a>, account: Text<'a>, kms: Option<Uuid>, policy: TemplatePolicy<'a> },
        PolicyReplaced { to: TemplatePolicy<'a> },
        Pushed(push: Push<'a>),
        Deleted,
        Verified,
    }
}

layout! {
    enum TemplatePolicy<'a> of live::TemplatePolicy {
        Text(text: Text<'a>),
        Principals(principals: PolicyPrincipals<'a>),
    }
}

layout! {
    struct PolicyPrincipals<'a> of policy::PolicyPrincipals {
        admins: Vec<Text<'a>>,
        admin_roles: Vec<Text<'a>>,
        users: Vec<Text<'a>>,
        user_roles: Vec<Text<'a>>,
        accounts: Vec<Text<'a>>,
    }
}

layout! {
    struct Push<'a> of live::Push {
        done: Vec<Uuid>,
        failed: Vec<(Uuid, Text<'a>)>,
    }
}
