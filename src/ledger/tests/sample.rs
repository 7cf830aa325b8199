//! One event of every kind. A new kind does not compile here until it has a name, and then the golden files want it.

use crate::domain::acl::{AclChange, Principal};
use crate::domain::action::Action;
use crate::domain::connection::{ConnectionSettings, StsEndpoints};
use crate::domain::event::*;
use crate::domain::id::{ConnectionId, InstallationId, KmsId, RefreshTokenId, SessionId, UserId};
use crate::domain::job::event::{BulkEvent, JobEvent, SyncEvent};
use crate::domain::key::event::KeyEvent;
use crate::domain::kms::AssumedRole;
use crate::domain::name::{ConnectionName, GroupName, JsonText, KmsName, UserName};
use crate::domain::password::PasswordPolicy;
use crate::domain::place::{AccountId, Arn, ExternalId, Partition, Region, RoleArn};
use crate::domain::schedule::ScheduleEvent;
use crate::domain::source_key::SourceKeyEvent;
use crate::domain::template::TemplateEvent;
use crate::domain::user::UserProfile;
use uuid::Uuid;

macro_rules! kinds {
    ($($pattern:pat => $name:literal,)*) => {
        /// The name of every kind of event.
        pub(super) const KINDS: &[&str] = &[$($name,)*];

        /// The name of this event's kind.
        pub(super) fn kind(event: &Event) -> &'static str {
            match event { $($pattern => $name,)* }
        }
    };
}

kinds! {
    Event::Installation(InstallationEvent::Created { .. }) => "installation created",
    Event::Installation(InstallationEvent::PasswordPolicyChanged { .. }) => "password policy changed",
    Event::User(_, UserEvent::Created { .. }) => "user created",
    Event::User(_, UserEvent::ProfileChanged { .. }) => "user profile changed",
    Event::User(_, UserEvent::Renamed { .. }) => "user renamed",
    Event::User(_, UserEvent::PasswordChanged { .. }) => "user password changed",
    Event::User(_, UserEvent::PasswordRehashed { .. }) => "user password rehashed",
    Event::User(_, UserEvent::PasswordChangeRequired { .. }) => "user password change required",
    Event::User(_, UserEvent::LoginFailed { .. }) => "user login failed",
    Event::User(_, UserEvent::LoggedIn { .. }) => "user logged in",
    Event::User(_, UserEvent::LockoutCleared) => "user lockout cleared",
    Event::User(_, UserEvent::Removed) => "user removed",
    Event::Group(_, GroupEvent::Created { .. }) => "group created",
    Event::Group(_, GroupEvent::Described { .. }) => "group described",
    Event::Group(_, GroupEvent::MemberAdded { .. }) => "group member added",
    Event::Group(_, GroupEvent::MemberRemoved { .. }) => "group member removed",
    Event::Group(_, GroupEvent::Removed) => "group removed",
    Event::Session(_, SessionEvent::Opened { .. }) => "session opened",
    Event::Session(_, SessionEvent::Refreshed) => "session refreshed",
    Event::Session(_, SessionEvent::RefreshReplaced { .. }) => "session refresh replaced",
    Event::Session(_, SessionEvent::Closed) => "session closed",
    Event::Connection(_, ConnectionEvent::Created { .. }) => "connection created",
    Event::Connection(_, ConnectionEvent::SettingsChanged { .. }) => "connection settings changed",
    Event::Connection(_, ConnectionEvent::Renamed { .. }) => "connection renamed",
    Event::Connection(_, ConnectionEvent::SecretReplaced { .. }) => "connection secret replaced",
    Event::Connection(_, ConnectionEvent::Tested { .. }) => "connection tested",
    Event::Connection(_, ConnectionEvent::Deleted) => "connection deleted",
    Event::Kms(_, KmsEvent::Added { .. }) => "kms added",
    Event::Kms(_, KmsEvent::RegionsReplaced { .. }) => "kms regions replaced",
    Event::Kms(_, KmsEvent::ConnectionReplaced { .. }) => "kms connection replaced",
    Event::Kms(_, KmsEvent::RoleReplaced { .. }) => "kms role replaced",
    Event::Kms(_, KmsEvent::AclsChanged { .. }) => "kms acls changed",
    Event::Kms(_, KmsEvent::Archived) => "kms archived",
    Event::Kms(_, KmsEvent::Recovered) => "kms recovered",
    Event::Kms(_, KmsEvent::Deleted) => "kms deleted",
    Event::Key(_, KeyEvent::OperationRequested { .. }) => "key operation requested",
    Event::Key(_, KeyEvent::OperationDone { .. }) => "key operation done",
    Event::Key(_, KeyEvent::OperationFailed { .. }) => "key operation failed",
    Event::Key(_, KeyEvent::OperationReconciled { .. }) => "key operation reconciled",
    Event::Key(_, KeyEvent::Found { .. }) => "key found",
    Event::Key(_, KeyEvent::Observed { .. }) => "key observed",
    Event::Key(_, KeyEvent::Vanished) => "key vanished",
    Event::Key(_, KeyEvent::RotationJobSet { .. }) => "key rotation job set",
    Event::Key(_, KeyEvent::Forgotten) => "key forgotten",
    Event::Key(_, KeyEvent::Unmanaged { .. }) => "key unmanaged",
    Event::Key(_, KeyEvent::Replaced { .. }) => "key replaced",
    Event::Key(_, KeyEvent::AliasMoved { .. }) => "key alias moved",
    Event::SourceKey(_, SourceKeyEvent::Created { .. }) => "source key created",
    Event::SourceKey(_, SourceKeyEvent::Described { .. }) => "source key described",
    Event::SourceKey(_, SourceKeyEvent::MadeUnexportable) => "source key made unexportable",
    Event::SourceKey(_, SourceKeyEvent::Exported) => "source key exported",
    Event::SourceKey(_, SourceKeyEvent::Deleted) => "source key deleted",
    Event::Job(_, JobEvent::Synchronisation(SyncEvent::Started { .. })) => "synchronisation started",
    Event::Job(_, JobEvent::Synchronisation(SyncEvent::RegionFinished { .. })) => "synchronisation region finished",
    Event::Job(_, JobEvent::Synchronisation(SyncEvent::RegionFailed { .. })) => "synchronisation region failed",
    Event::Job(_, JobEvent::Synchronisation(SyncEvent::RegionLeft { .. })) => "synchronisation region left",
    Event::Job(_, JobEvent::Synchronisation(SyncEvent::CancelRequested)) => "synchronisation cancel requested",
    Event::Job(_, JobEvent::Synchronisation(SyncEvent::Finished)) => "synchronisation finished",
    Event::Job(_, JobEvent::Bulk(BulkEvent::Started { .. })) => "bulk job started",
    Event::Job(_, JobEvent::Bulk(BulkEvent::KeyDone { .. })) => "bulk job key done",
    Event::Job(_, JobEvent::Bulk(BulkEvent::KeyFailed { .. })) => "bulk job key failed",
    Event::Job(_, JobEvent::Bulk(BulkEvent::CancelRequested)) => "bulk job cancel requested",
    Event::Job(_, JobEvent::Bulk(BulkEvent::Finished)) => "bulk job finished",
    Event::Template(_, TemplateEvent::Created { .. }) => "template created",
    Event::Template(_, TemplateEvent::PolicyReplaced { .. }) => "template policy replaced",
    Event::Template(_, TemplateEvent::Pushed(_)) => "template pushed",
    Event::Template(_, TemplateEvent::Verified) => "template verified",
    Event::Template(_, TemplateEvent::Deleted) => "template deleted",
    Event::Schedule(_, ScheduleEvent::Created { .. }) => "schedule created",
    Event::Schedule(_, ScheduleEvent::Updated { .. }) => "schedule updated",
    Event::Schedule(_, ScheduleEvent::RunStarted { .. }) => "schedule run started",
    Event::Schedule(_, ScheduleEvent::KeyTreated { .. }) => "schedule key treated",
    Event::Schedule(_, ScheduleEvent::RunFinished { .. }) => "schedule run finished",
    Event::Schedule(_, ScheduleEvent::Deleted) => "schedule deleted",
}

pub(super) fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(0xc1a5_1639_0000_4000_8000_0000_0000_0000 + n)
}

pub(super) fn kms(n: u128) -> KmsId {
    KmsId::new(uuid(n))
}

pub(super) fn connection(n: u128) -> ConnectionId {
    ConnectionId::new(uuid(0x100 + n))
}

pub(super) fn user(n: u128) -> UserId {
    UserId::new(uuid(0x200 + n))
}

pub(super) fn user_name(text: &str) -> UserName {
    UserName::parse(text).expect("a name")
}

pub(super) fn regions(names: &[&str]) -> Vec<Region> {
    names.iter().map(|name| Region::parse(name).expect("a region")).collect()
}

/// A KMS added; number and name are one's own, the account follows the number.
pub(super) fn added(n: u128, name: &str) -> Event {
    let account = AccountId::parse(&format!("{:012}", 123_456_789_012 + n)).expect("an account");
    let added = KmsEvent::Added {
        name: KmsName::parse(name).expect("a name"),
        account,
        arn: arn(&format!("arn:aws:sts::{account}:assumed-role/keys/claviger")),
        connection: connection(0),
        role: Some(role()),
        regions: regions(&["eu-west-1", "us-east-1"]),
        cloud: Partition::Aws,
    };
    Event::Kms(kms(n), added)
}

pub(super) fn regions_replaced(n: u128, names: &[&str]) -> Event {
    Event::Kms(kms(n), KmsEvent::RegionsReplaced { to: regions(names) })
}

fn arn(text: &str) -> Arn {
    Arn::parse(text).expect("an ARN")
}

fn role() -> AssumedRole {
    AssumedRole {
        arn: RoleArn::parse("arn:aws:iam::789012123456:role/test-assume-role-ac").expect("a role"),
        external_id: Some(ExternalId::parse("test-ext-id").expect("an external id")),
    }
}

pub(super) fn json(text: &str) -> JsonText {
    JsonText::of(&serde_json::from_str(text).expect("JSON")).expect("short enough")
}

pub(super) fn sealed(text: &str) -> Sealed {
    Sealed(text.as_bytes().to_vec())
}

fn settings() -> ConnectionSettings {
    ConnectionSettings {
        description: "the lab's".to_owned(),
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        cloud: Partition::AwsUsGov,
        role: Some(role()),
        region: regions(&["us-gov-west-1"]).pop(),
        sts_endpoints: StsEndpoints::Regional,
        products: vec!["cckm".to_owned()],
        labels: Some(json(r#"{"team":"платформа"}"#)),
        meta: None,
    }
}

fn profile() -> UserProfile {
    UserProfile {
        full_name: "Ann Kläser".to_owned(),
        nickname: "ann".to_owned(),
        email: "ann@example.org".to_owned(),
        email_verified: true,
        user_metadata: Some(json(r#"[1,null]"#)),
        app_metadata: None,
        prevent_ui_login: false,
    }
}

fn grant(n: u8) -> RefreshGrant {
    RefreshGrant {
        id: RefreshTokenId::new(uuid(0x300 + u128::from(n))),
        hash: TokenHash([n; 32]),
        lifetime_seconds: Some(86_400),
        unused_seconds: None,
    }
}

/// At least one event of every kind, as a log could hold them.
pub(super) fn every_kind() -> Vec<Event> {
    let (ann, bob, session) = (user(1), user(2), SessionId::new(uuid(0x400)));
    let group = |event| Event::Group(GroupName::parse("Ключники").expect("a name"), event);
    let metadata = GroupMetadata { app: Some(json("{}")), client: None, user: Some(json("\"x\"")) };
    let by_user = AclChange { principal: Principal::User(ann), actions: Action::ALL.to_vec(), permit: true };
    let by_group = AclChange {
        principal: Principal::Group(GroupName::parse("CCKM Users").expect("a name")),
        actions: vec![Action::ViewNative, Action::KeyBulkOperation],
        permit: false,
    };
    let ann = |event| Event::User(ann, event);
    let session = |event| Event::Session(session, event);
    let lab = |event| Event::Connection(connection(0), event);
    let mine = |event| Event::Kms(kms(0), event);
    let mut events = vec![
        Event::Installation(InstallationEvent::Created {
            id: InstallationId::new(uuid(0x500)),
            token_key: sealed("a sealed token key"),
        }),
        Event::Installation(InstallationEvent::PasswordPolicyChanged {
            policy: PasswordPolicy { password_lifetime: 90, ..PasswordPolicy::default() },
        }),
        ann(UserEvent::Created {
            name: user_name("ann"),
            profile: profile(),
            password: sealed("a sealed hash"),
            must_change: true,
        }),
        ann(UserEvent::ProfileChanged { profile: UserProfile { email_verified: false, ..profile() } }),
        ann(UserEvent::Renamed { to: user_name("Ann.Kläser") }),
        ann(UserEvent::PasswordChanged { password: sealed("another"), must_change: false }),
        ann(UserEvent::PasswordRehashed { password: sealed("the same, raised") }),
        ann(UserEvent::PasswordChangeRequired { required: true }),
        ann(UserEvent::LoginFailed { source: "2001:db8::7".to_owned() }),
        ann(UserEvent::LoggedIn { source: "2001:db8::7".to_owned() }),
        ann(UserEvent::LockoutCleared),
        group(GroupEvent::Created { description: String::new(), metadata: metadata.clone() }),
        group(GroupEvent::Described { description: "keep the keys".to_owned(), metadata: GroupMetadata::default() }),
        group(GroupEvent::MemberAdded { user: bob }),
        group(GroupEvent::MemberRemoved { user: bob }),
        group(GroupEvent::Removed),
        session(SessionEvent::Opened {
            user: bob,
            source: "192.0.2.17".to_owned(),
            refresh: grant(1),
            labels: vec!["ci".to_owned()],
        }),
        session(SessionEvent::Refreshed),
        session(SessionEvent::RefreshReplaced { refresh: RefreshGrant { unused_seconds: Some(60), ..grant(2) } }),
        session(SessionEvent::Closed),
        lab(ConnectionEvent::Created {
            name: ConnectionName::parse("test_aws-connection").expect("a name"),
            settings: settings(),
            secret: sealed("a sealed secret"),
        }),
        lab(ConnectionEvent::SettingsChanged {
            settings: ConnectionSettings {
                cloud: Partition::AwsCn,
                role: None,
                sts_endpoints: StsEndpoints::Legacy,
                ..settings()
            },
        }),
        lab(ConnectionEvent::Renamed { to: ConnectionName::parse("lab").expect("a name") }),
        lab(ConnectionEvent::SecretReplaced { secret: sealed("") }),
        lab(ConnectionEvent::Tested { error: None }),
        lab(ConnectionEvent::Tested { error: Some("InvalidClientTokenId: no such key".to_owned()) }),
        added(0, "my kms"),
        regions_replaced(0, &["eu-central-1"]),
        mine(KmsEvent::ConnectionReplaced { to: connection(1), arn: arn("arn:aws:iam::123456789012:user/claviger") }),
        mine(KmsEvent::RoleReplaced { to: None, arn: arn("arn:aws:iam::123456789012:root") }),
        mine(KmsEvent::RoleReplaced { to: Some(role()), arn: arn("arn:aws:iam::123456789012:root") }),
        mine(KmsEvent::AclsChanged { changes: vec![by_user, by_group] }),
        mine(KmsEvent::Archived),
        mine(KmsEvent::Recovered),
        mine(KmsEvent::Deleted),
        lab(ConnectionEvent::Deleted),
        ann(UserEvent::Removed),
    ];
    events.extend(super::sample_keys::every_kind());
    events.extend(super::sample_source_keys::every_kind());
    events.extend(super::sample_jobs::every_kind());
    events.extend(super::sample_schedules::every_kind());
    events
}
