//! Events of every kind, each with all optional members and with none.

use crate::domain::acl::{AclChange, Principal};
use crate::domain::action::Action;
use crate::domain::connection::roles_anywhere::RolesAnywhere;
use crate::domain::connection::{ConnectionSettings, StsEndpoints};
use crate::domain::event::*;
use crate::domain::id::{ConnectionId, InstallationId, KmsId, RefreshTokenId, SessionId, UserId};
use crate::domain::kms::AssumedRole;
use crate::domain::name::{ConnectionName, GroupName, JsonText, KmsName, PasswordPolicyName, UserName};
use crate::domain::password::PasswordPolicy;
use crate::domain::place::{AccountId, Arn, ExternalId, Partition, Region, RoleArn};
use crate::domain::user::UserProfile;
use uuid::Uuid;

/// The members of a sample: all of them, or only the required ones.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Full,
    Bare,
}

impl Form {
    pub(super) fn option<T>(self, value: T) -> Option<T> {
        match self {
            Self::Full => Some(value),
            Self::Bare => None,
        }
    }

    pub(super) fn list<T>(self, values: Vec<T>) -> Vec<T> {
        self.option(values).unwrap_or_default()
    }

    pub(super) fn text(self, text: &str) -> String {
        self.option(text.to_owned()).unwrap_or_default()
    }

    pub(super) fn switch(self) -> bool {
        self.option(()).is_some()
    }
}

/// At least one event of every kind in both forms, in an order that a log could have. `tests/golden/` has their bytes,
/// and a test in `golden.rs` reports missing forms.
pub(super) fn every_kind() -> Vec<Event> {
    [Form::Full, Form::Bare].into_iter().flat_map(every_kind_in).collect()
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

/// The event that adds KMS number `n`. The account depends on the number.
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

fn role_in(form: Form) -> AssumedRole {
    AssumedRole { external_id: form.option(()).and(role().external_id), ..role() }
}

fn roles_anywhere() -> RolesAnywhere {
    let arn = |text: &str| Arn::parse(text).expect("an ARN");
    RolesAnywhere {
        role: role().arn,
        profile: arn("arn:aws:rolesanywhere:eu-west-3:123456789012:profile/a"),
        trust_anchor: arn("arn:aws:rolesanywhere:eu-west-3:123456789012:trust-anchor/b"),
        certificate: "-----BEGIN CERTIFICATE-----\n".to_owned(),
        private_key: sealed("a sealed private key"),
    }
}

fn settings(form: Form) -> ConnectionSettings {
    ConnectionSettings {
        description: form.text("the lab's"),
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        cloud: form.option(Partition::AwsUsGov).unwrap_or(Partition::AwsCn),
        role: form.option(role()),
        region: form.option(regions(&["us-gov-west-1"]).remove(0)),
        sts_endpoints: form.option(StsEndpoints::Regional).unwrap_or_default(),
        products: form.list(vec!["cckm".to_owned()]),
        labels: form.option(json(r#"{"team":"платформа"}"#)),
        meta: form.option(json("[]")),
    }
}

fn profile(form: Form) -> UserProfile {
    UserProfile {
        full_name: form.text("Ann Kläser"),
        nickname: form.text("ann"),
        email: form.text("ann@example.org"),
        email_verified: form.switch(),
        user_metadata: form.option(json("[1,null]")),
        app_metadata: form.option(json("7")),
        prevent_ui_login: form.switch(),
    }
}

fn policy(form: Form) -> PasswordPolicy {
    let failed_logins_lockout_thresholds = form.list(vec![0, 1, 300]);
    PasswordPolicy { password_lifetime: 90, failed_logins_lockout_thresholds, ..PasswordPolicy::default() }
}

fn group_name(text: &str) -> GroupName {
    GroupName::parse(text).expect("a name")
}

fn policy_name() -> PasswordPolicyName {
    PasswordPolicyName::parse("machines").expect("a name")
}

fn grant(form: Form, n: u8) -> RefreshGrant {
    RefreshGrant {
        id: RefreshTokenId::new(uuid(0x300 + u128::from(n))),
        hash: TokenHash([n; 32]),
        lifetime_seconds: form.option(86_400),
        unused_seconds: form.option(60),
    }
}

fn every_kind_in(form: Form) -> Vec<Event> {
    let mut events = vec![
        Event::Installation(InstallationEvent::Created {
            id: InstallationId::new(uuid(0x500)),
            token_key: sealed("a sealed token key"),
        }),
        Event::Installation(InstallationEvent::PasswordPolicyChanged { policy: policy(form) }),
        Event::Installation(InstallationEvent::PasswordPolicySet {
            name: policy_name(),
            policy: policy(form),
            expiry_notification_days: 7,
        }),
    ];
    events.extend(of_users(form));
    events.push(Event::Installation(InstallationEvent::PasswordPolicyDeleted { name: policy_name() }));
    let token = sealed("a sealed token of the metrics");
    events.push(Event::Installation(InstallationEvent::MetricsEnabled { token }));
    events.push(Event::Installation(InstallationEvent::MetricsDisabled));
    let token_key = sealed("another sealed token key");
    events.push(Event::Installation(InstallationEvent::TokenKeyReplaced { token_key }));
    events.push(Event::Installation(InstallationEvent::MasterKeyReplaced));
    events.push(Event::Installation(InstallationEvent::Unsealed { failures: 3 }));
    events.extend(of_groups(form));
    events.extend(of_sessions(form));
    events.extend(of_connections(form));
    events.extend(of_kms(form));
    events.extend(super::sample_keys::every_kind(form));
    events.extend(super::sample_source_keys::every_kind(form));
    events.extend(super::sample_jobs::every_kind(form));
    events.extend(super::sample_schedules::every_kind(form));
    events.extend(super::sample_key_stores::every_kind(form));
    events.extend(super::sample_posture::every_kind(form));
    events.extend(super::sample_reports::every_kind(form));
    events.extend(super::sample_backups::every_kind(form));
    events.extend(super::sample_alarms::every_kind(form));
    events.extend(super::sample_drift::every_kind(form));
    events.extend(super::sample_forwarders::every_kind(form));
    events
}

fn of_users(form: Form) -> impl Iterator<Item = Event> {
    let events = vec![
        UserEvent::Created {
            name: user_name("ann"),
            profile: profile(form),
            password: sealed("a sealed hash"),
            must_change: form.switch(),
        },
        UserEvent::ProfileChanged { profile: profile(form) },
        UserEvent::Renamed { to: user_name("Ann.Kläser") },
        UserEvent::PasswordChanged { password: sealed("another"), must_change: form.switch() },
        UserEvent::PasswordRehashed { password: sealed("the same, raised") },
        UserEvent::PasswordChangeRequired { required: form.switch() },
        UserEvent::PasswordPolicyAssigned { policy: form.option(policy_name()) },
        UserEvent::LoginFailed { source: "2001:db8::7".to_owned() },
        UserEvent::LoggedIn { source: "2001:db8::7".to_owned() },
        UserEvent::LockoutCleared,
        UserEvent::Removed,
        UserEvent::PreferencesSet { preferences: json(r#"{"theme":"dark","views":[]}"#) },
    ];
    events.into_iter().map(|event| Event::User(user(1), event))
}

fn of_groups(form: Form) -> impl Iterator<Item = Event> {
    let metadata = GroupMetadata {
        app: form.option(json("{}")),
        client: form.option(json("null")),
        user: form.option(json("\"x\"")),
    };
    let events = vec![
        GroupEvent::Created { description: form.text("keep the keys"), metadata: metadata.clone() },
        GroupEvent::Described { description: form.text("keep them"), metadata },
        GroupEvent::MemberAdded { user: user(2) },
        GroupEvent::MemberRemoved { user: user(2) },
        GroupEvent::Renamed { to: group_name("officers") },
    ];
    let renamed_back = Event::Group(group_name("officers"), GroupEvent::Renamed { to: group_name("Ключники") });
    let removed = Event::Group(group_name("Ключники"), GroupEvent::Removed);
    let events = events.into_iter().map(|event| Event::Group(group_name("Ключники"), event));
    events.chain([renamed_back, removed])
}

fn of_sessions(form: Form) -> impl Iterator<Item = Event> {
    let events = vec![
        SessionEvent::Opened {
            user: user(2),
            source: "192.0.2.17".to_owned(),
            refresh: grant(form, 1),
            labels: form.list(vec!["ci".to_owned()]),
        },
        SessionEvent::Refreshed,
        SessionEvent::RefreshReplaced { refresh: grant(form, 2) },
        SessionEvent::Closed,
        SessionEvent::RefreshReused { source: form.text("192.0.2.7") },
    ];
    events.into_iter().map(|event| Event::Session(SessionId::new(uuid(0x400)), event))
}

fn of_connections(form: Form) -> impl Iterator<Item = Event> {
    let events = vec![
        ConnectionEvent::Created {
            name: ConnectionName::parse("test_aws-connection").expect("a name"),
            settings: settings(form),
            secret: sealed("a sealed secret"),
        },
        ConnectionEvent::SettingsChanged { settings: settings(form) },
        ConnectionEvent::Renamed { to: ConnectionName::parse("lab").expect("a name") },
        ConnectionEvent::SecretReplaced { secret: sealed("") },
        ConnectionEvent::Tested { error: form.option("InvalidClientTokenId: no such key".to_owned()) },
        ConnectionEvent::RolesAnywhereRemoved,
        ConnectionEvent::RolesAnywhereSet { to: Box::new(roles_anywhere()) },
        ConnectionEvent::Deleted,
    ];
    events.into_iter().map(|event| Event::Connection(connection(0), event))
}

fn of_kms(form: Form) -> Vec<Event> {
    let by_user = AclChange {
        principal: Principal::User(user(1)),
        actions: form.list(Action::ALL.to_vec()),
        permit: form.switch(),
    };
    let by_group = AclChange {
        principal: Principal::Group(GroupName::parse("CCKM Users").expect("a name")),
        actions: vec![Action::ViewNative, Action::KeyBulkOperation],
        permit: form.switch(),
    };
    let added = KmsEvent::Added {
        name: KmsName::parse("my kms").expect("a name"),
        account: AccountId::parse("000000000042").expect("an account"),
        arn: arn("arn:aws:sts::000000000042:assumed-role/keys/claviger"),
        connection: connection(0),
        role: form.option(role()),
        regions: form.list(regions(&["eu-west-1", "us-east-1"])),
        cloud: Partition::Aws,
    };
    let root = || arn("arn:aws:iam::123456789012:root");
    let events = vec![
        added,
        KmsEvent::RegionsReplaced { to: form.list(regions(&["eu-central-1"])) },
        KmsEvent::ConnectionReplaced { to: connection(1), arn: arn("arn:aws:iam::123456789012:user/claviger") },
        KmsEvent::RoleReplaced { to: form.option(role()), arn: root() },
        KmsEvent::RoleReplaced { to: Some(role_in(form)), arn: root() },
        KmsEvent::AclsChanged { changes: form.list(vec![by_user.clone(), by_group.clone()]) },
        KmsEvent::AclsChanged { changes: vec![by_group, by_user] },
        KmsEvent::Archived,
        KmsEvent::Recovered,
        KmsEvent::ConnectionReferenced { by_id: form.option(()).is_some() },
        KmsEvent::RegionsReplacedKeepingKeys { to: form.list(regions(&["eu-central-1"])) },
        KmsEvent::Deleted,
    ];
    events.into_iter().map(|event| Event::Kms(kms(0), event)).collect()
}
