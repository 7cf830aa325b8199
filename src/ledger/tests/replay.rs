//! Replay results in the published state for any sequence of events, and records of any content can be read back.

use super::memory::Memory;
use super::sample;
use super::*;
use crate::domain::acl::{AclChange, Principal};
use crate::domain::action::Action;
use crate::domain::command::Command;
use crate::domain::connection::patch::ConnectionPatch;
use crate::domain::connection::roles_anywhere::RolesAnywhereChange;
use crate::domain::connection::{ConnectionCommand, ConnectionSettings};
use crate::domain::event::{ConnectionEvent, RefreshGrant, Sealed, TokenHash};
use crate::domain::example;
use crate::domain::group::{GroupCommand, GroupPatch};
use crate::domain::id::{RefreshTokenId, SessionId};
use crate::domain::kms::{AccountProbe, AssumedRole, ConnectionReference, KmsChange, KmsCommand, NewKms};
use crate::domain::name::{GroupName, KmsName, PasswordPolicyName};
use crate::domain::password::decide::PasswordPolicyCommand;
use crate::domain::password::patch::PasswordPolicyPatch;
use crate::domain::place::{AccountId, Arn, Partition, RoleArn};
use crate::domain::session::SessionCommand;
use crate::domain::user::UserCommand;
use crate::domain::user::patch::ProfilePatch;
use proptest::prelude::*;
use record::NewRecord;

fn probe(account: u128) -> AccountProbe {
    AccountProbe {
        account: AccountId::parse(&format!("{:012}", account + 1)).expect("an account"),
        arn: Arn::parse("arn:aws:iam::123456789012:user/claviger").expect("an ARN"),
        enabled: sample::regions(&["eu-west-1", "us-east-1", "ap-south-1"]),
    }
}

/// Random commands on few objects, so that many of them refer to the same objects.
pub(super) fn command() -> impl Strategy<Value = Command> {
    let (few, flag) = (0u128..4, any::<bool>());
    let group = |n| GroupName::parse(&format!("g{n}")).expect("a name");
    let regions = proptest::sample::subsequence(vec!["eu-west-1", "us-east-1", "ap-south-1"], 0..3);
    (0u8..26, few.clone(), few, flag, regions).prop_map(move |(what, a, b, flag, regions)| {
        let (id, user, session) = (sample::kms(a), sample::user(b), SessionId::new(sample::uuid(0x400 + a)));
        let refresh = |n: u8| RefreshGrant {
            id: RefreshTokenId::new(sample::uuid(u128::from(n))),
            hash: TokenHash([n; 32]),
            lifetime_seconds: flag.then_some(0),
            unused_seconds: None,
        };
        let at = Time::from_nanos(1_604_554_157_000_000_000);
        match what {
            0 => Command::Kms(KmsCommand::Add {
                new: NewKms {
                    id,
                    name: KmsName::parse(&format!("k{b}")).expect("a name"),
                    account: probe(b).account,
                    connection: ConnectionReference { id: sample::connection(0), by_id: flag },
                    role: None,
                    regions: sample::regions(&regions),
                },
                seen: probe(b),
            }),
            1 => Command::Kms(KmsCommand::Update {
                connection: sample::connection(0),
                role: None,
                id,
                update: KmsChange::Regions { to: sample::regions(&regions), forget_keys: true },
                seen: probe(b),
            }),
            2 => Command::Kms(KmsCommand::UpdateAcls {
                id,
                changes: vec![AclChange {
                    principal: if flag { Principal::User(user) } else { Principal::Group(group(b)) },
                    actions: vec![Action::View, Action::KeyCreate],
                    permit: a % 2 == 0,
                }],
            }),
            3 => Command::Kms(KmsCommand::Archive { id }),
            4 => Command::Kms(KmsCommand::Recover { id }),
            5 => Command::Kms(KmsCommand::Delete { id, at: Time::from_nanos(i64::MAX) }),
            6 => Command::User(UserCommand::Create {
                id: user,
                name: sample::user_name(&format!("u{a}")),
                profile: Default::default(),
                password: Sealed(vec![1]),
                must_change: false,
                password_policy: None,
            }),
            7 => Command::User(UserCommand::Remove { id: user }),
            8 => Command::User(UserCommand::RecordFailure { id: user, source: format!("192.0.2.{a}") }),
            9 => Command::Group(GroupCommand::Create {
                name: group(a),
                description: String::new(),
                metadata: Default::default(),
            }),
            10 => Command::Group(GroupCommand::AddMember { name: group(a), user }),
            11 => Command::Group(GroupCommand::Remove { name: group(a) }),
            12 => Command::Session(SessionCommand::Open {
                id: session,
                user,
                password_set: at,
                source: "192.0.2.1".to_owned(),
                refresh: refresh(a as u8),
                labels: vec![],
                at,
                most: 2,
            }),
            13 => Command::Session(SessionCommand::Refresh {
                hash: TokenHash([a as u8; 32]),
                replace: flag.then(|| refresh(b as u8)),
                at,
            }),
            14 => Command::Session(SessionCommand::Close { id: session }),
            15..20 => Command::Connection(of_connections(what - 15, a, b, flag)),
            20..25 => of_people(what - 20, a, b, flag),
            _ => Command::Kms(KmsCommand::Update {
                connection: sample::connection(0),
                role: None,
                id,
                update: match flag {
                    true => KmsChange::Connection(ConnectionReference { id: sample::connection(a), by_id: b > 2 }),
                    false => KmsChange::Role(role(b)),
                },
                seen: probe(b),
            }),
        }
    })
}

fn of_connections(what: u8, a: u128, b: u128, flag: bool) -> ConnectionCommand {
    let (id, name) = (sample::connection(a), example::connection_name(&format!("c{b}")));
    let description = format!("connection {b}");
    let patch = ConnectionPatch { description: Some(description.clone()), ..ConnectionPatch::default() };
    let settings = ConnectionSettings { description, ..example::settings(Partition::Aws) };
    let secret = Sealed(vec![b as u8]);
    match what {
        0 => ConnectionCommand::Create { id: sample::connection(a + 1), name, settings, secret, roles_anywhere: None },
        1 => ConnectionCommand::Update {
            id,
            name: flag.then_some(name),
            patch,
            secret: flag.then_some(secret),
            roles_anywhere: RolesAnywhereChange::Keep,
        },
        2 => ConnectionCommand::RecordTest { id, error: flag.then(|| "AccessDenied".to_owned()) },
        3 => ConnectionCommand::Delete { id },
        _ => ConnectionCommand::Delete { id: sample::connection(a + 1) },
    }
}

fn of_people(what: u8, a: u128, b: u128, flag: bool) -> Command {
    let (id, user, name) = (sample::user(a), sample::user(b), example::group_name(&format!("g{a}")));
    let password = Sealed(vec![b as u8]);
    match what {
        0 => Command::User(UserCommand::Update {
            id,
            name: flag.then(|| sample::user_name(&format!("u{b}"))),
            profile: ProfilePatch { nickname: Some(format!("n{b}")), ..ProfilePatch::default() },
            password: flag.then_some(password),
            must_change: Some(b.is_multiple_of(2)),
            clear_lockout: flag,
            password_policy: flag.then(|| policy_name(b)),
        }),
        1 => Command::User(UserCommand::Rehash { id, from: Sealed(vec![1]), to: password }),
        2 => Command::PasswordPolicy(of_password_policies(a, b, flag)),
        3 => Command::Group(GroupCommand::Update {
            name,
            patch: GroupPatch {
                name: flag.then(|| example::group_name(&format!("g{b}"))),
                description: Some(format!("group {b}")),
                ..GroupPatch::default()
            },
        }),
        _ => Command::Group(GroupCommand::RemoveMember { name, user }),
    }
}

fn of_password_policies(a: u128, b: u128, flag: bool) -> PasswordPolicyCommand {
    let name = policy_name(a);
    let patch = PasswordPolicyPatch {
        password_lifetime: Some(b as u32),
        failed_logins_lockout_thresholds: Some(vec![a as u32]),
        ..PasswordPolicyPatch::default()
    };
    match (flag, b) {
        (true, _) => PasswordPolicyCommand::Create { name, patch },
        (false, 0..3) => PasswordPolicyCommand::Update { name, patch },
        (false, _) => PasswordPolicyCommand::Delete { name },
    }
}

fn policy_name(n: u128) -> PasswordPolicyName {
    match n {
        0 => PasswordPolicyName::global(),
        n => PasswordPolicyName::parse(&format!("p{n}")).expect("a name"),
    }
}

fn role(account: u128) -> AssumedRole {
    let arn = RoleArn::parse(&format!("arn:aws:iam::{:012}:role/keys", account + 1)).expect("a role");
    AssumedRole { arn, external_id: None }
}

/// The command, with a proof of the user's current password.
pub(super) fn proved(state: &State, command: &Command) -> Command {
    let mut command = command.clone();
    if let Command::Session(SessionCommand::Open { user, password_set, .. }) = &mut command
        && let Ok(user) = state.user(*user)
    {
        *password_set = user.password_set;
    }
    command
}

/// The event that creates the connection of the commands.
pub(super) fn lab() -> Event {
    let made = |event: &Event| matches!(event, Event::Connection(_, ConnectionEvent::Created { .. }));
    let mut event = sample::every_kind().into_iter().find(made).expect("a sample");
    if let Event::Connection(_, ConnectionEvent::Created { settings, .. }) = &mut event {
        settings.cloud = crate::domain::place::Partition::Aws;
    }
    event
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn replay_gives_the_published_state(commands in proptest::collection::vec(command(), 0..120)) {
        let store = Arc::new(Memory::default());
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (before, heads) = runtime.block_on(async {
            let ledger = Ledger::start(store.clone(), HeadMark::default(), options()).expect("starts");
            record(&ledger, vec![lab()]).await.expect("recorded");
            for command in commands {
                let decided = ledger.execute(by_nobody(), move |state, _| state.decide(proved(state, &command))).await;
                prop_assert!(matches!(decided, Ok(_) | Err(WriteError::Refused(_))));
            }
            let heads: Vec<_> = (0..4).map(|n| ledger.history(&Stream::Kms(sample::kms(n)))).collect();
            Ok((ledger.state(), heads))
        })?;
        let again = Ledger::start(store, HeadMark::default(), options()).expect("starts");
        prop_assert_eq!(again.state(), before);
        let found: Vec<_> = (0..4).map(|n| again.history(&Stream::Kms(sample::kms(n)))).collect();
        prop_assert_eq!(found, heads);
    }

    #[test]
    fn a_record_is_read_as_written(
        which in 0usize..sample::every_kind().len(), seq in 1u64.., id: u64, time: i64, hash: [u8; 32],
        request_id in ".{0,80}", name in "[a-zа-я]{1,60}", system: bool
    ) {
        let event = &sample::every_kind()[which];
        let user = Actor::User { id: sample::user(id.into()), name: sample::user_name(&name) };
        let actor = if system { Actor::System } else { user };
        let (event_id, time) = (EventId::new(Uuid::from_u128(id.into())), Time::from_nanos(time));
        let previous = RecordHash(hash);
        let new_record = NewRecord { seq, event_id, time, actor: &actor, request_id: &request_id, event, previous };
        let bytes = new_record.encode().expect("short enough");
        let record = Record::decode(&bytes).expect("a record");
        let Record { version, hash, .. } = record;
        let (event, actor) = (event.clone(), actor.clone());
        let request_id = request_id.clone();
        let same = Record { version, seq, event_id, time, actor, request_id, event, previous, hash };
        prop_assert_eq!(&record, &same);
        prop_assert_eq!((version, hash), (record::VERSION, RecordHash::of(&bytes)));
    }

    /// Arbitrary bytes decode to a record or a fault, without a panic and without excessive memory.
    #[test]
    fn any_bytes_are_a_record_or_a_fault(
        which in 0usize..sample::every_kind().len(),
        damage in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6),
        cut: usize
    ) {
        let (event, event_id) = (&sample::every_kind()[which], EventId::new(Uuid::from_u128(1)));
        let (time, previous) = (Time::from_nanos(1), RecordHash::default());
        let new_record = NewRecord { seq: 1, event_id, time, actor: &Actor::System, request_id: "", event, previous };
        let mut bytes = new_record.encode().expect("short enough");
        for (at, byte) in damage {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let _ = Record::decode(&bytes);
        let _ = Record::decode(&bytes[..cut % bytes.len()]);
    }
}
