use super::*;
use crate::domain::command::Command;
use crate::domain::refusal::{BackupRefusal, Refusal};
use crate::domain::state::State;
use uuid::Uuid;

fn id(n: u128) -> BackupId {
    BackupId::new(Uuid::from_u128(n))
}

fn done(state: &mut State, command: BackupCommand) -> Result<usize, Refusal> {
    let events = state.decide(Command::Backup(command))?;
    events.iter().for_each(|event| state.apply(Time::from_nanos(7), event));
    Ok(events.len())
}

fn request(n: u128) -> BackupCommand {
    BackupCommand::Request { id: id(n), plan: BackupPlan::default(), schedule: None, most: 2 }
}

fn file() -> BackupFile {
    BackupFile { name: "a.age".to_owned(), bytes: 1, sha256: "00".to_owned(), records: 3, head_hash: "11".to_owned() }
}

#[test]
fn a_backup_ends_once_and_is_deleted_only_after_its_end() {
    let mut state = State::default();
    assert_eq!(done(&mut state, request(1)), Ok(1));
    assert_eq!(done(&mut state, request(1)), Ok(0), "a resumed run continues its backup");
    let delete = BackupCommand::Delete { id: id(1) };
    assert_eq!(done(&mut state, delete.clone()), Err(BackupRefusal::InProgress(id(1).to_string()).into()));
    assert_eq!(done(&mut state, BackupCommand::Complete { id: id(1), file: file() }), Ok(1));
    assert_eq!(done(&mut state, BackupCommand::Fail { id: id(1), reason: "late".to_owned() }), Ok(0));
    assert_eq!(state.backup(id(1)).expect("it is there").file(), Some(&file()));
    assert_eq!(done(&mut state, delete.clone()), Ok(1));
    assert_eq!(done(&mut state, delete), Err(BackupRefusal::Unknown(id(1).to_string()).into()));
}

#[test]
fn there_are_at_most_so_many_backups() {
    let mut state = State::default();
    assert_eq!(done(&mut state, request(1)), Ok(1));
    assert_eq!(done(&mut state, request(2)), Ok(1));
    assert_eq!(done(&mut state, request(3)), Err(BackupRefusal::TooMany(2).into()));
}
