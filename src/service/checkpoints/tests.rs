//! When checkpoints are made, and what contradicts them.

use super::*;
use crate::domain::event::{Actor, Event, GroupEvent};
use crate::domain::name::GroupName;
use crate::domain::time::Time;
use crate::ledger::{Context, Ledger, LedgerOptions};
use crate::service::limits::Limits;

fn open(home: &Path, ledger: &Ledger, keyring: &Keyring, directory: Option<PathBuf>) -> Checkpoints {
    let recorder = Recorder::new(ledger.clone(), Arc::new(|| Time::from_nanos(1)), Limits::default());
    let settings = CheckpointSettings { data_dir: home.to_owned(), directory };
    Checkpoints::open(recorder, keyring, settings).expect("opens")
}

fn log(home: &Path) -> Ledger {
    Ledger::open(home, LedgerOptions::default()).expect("opens")
}

async fn grow(ledger: &Ledger, name: &str) {
    let group = GroupName::parse(name).expect("a name");
    let created = GroupEvent::Created { description: String::new(), metadata: Default::default() };
    let context = Context { actor: Actor::System, request_id: "a test".to_owned() };
    let event = Event::Group(group, created);
    ledger.execute(context, move |_, _| Ok(vec![event.clone()])).await.expect("recorded");
}

#[tokio::test]
async fn checkpoints_are_made_as_time_passes_if_the_log_has_grown() {
    let home = tempfile::tempdir().expect("a directory");
    let ledger = log(home.path());
    grow(&ledger, "one").await;
    let checkpoints = open(home.path(), &ledger, &Keyring::for_tests(), None);
    let mut made = checkpoints.watch();
    assert_eq!(checkpoints.latest(), None);
    checkpoints.make_every(Duration::from_millis(2), &Handle::current());
    for (number, name) in [(1, "two"), (2, "three"), (3, "four")] {
        tokio::time::timeout(Duration::from_secs(20), made.changed()).await.expect("in time").expect("it lives");
        assert_eq!(checkpoints.latest().expect("one").number, number);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!made.has_changed().expect("it lives"), "none is made of the same record");
        grow(&ledger, name).await;
    }
}

#[tokio::test]
async fn a_log_that_was_shortened_contradicts_what_was_kept_outside() {
    let (home, outside) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let keyring = Keyring::for_tests();
    let ledger = log(home.path());
    grow(&ledger, "one").await;
    grow(&ledger, "two").await;
    let checkpoints = open(home.path(), &ledger, &keyring, Some(outside.path().to_owned()));
    let mark = checkpoints.make().await.expect("made").check(&checkpoints.public_key()).expect("its own");
    assert!(checkpoints.contradictions().await.is_empty());

    let other = tempfile::tempdir().expect("a directory");
    let ledger = log(other.path());
    grow(&ledger, "one").await;
    let directory = Some(outside.path().to_owned());
    let checkpoints = open(other.path(), &ledger, &keyring, directory.clone());
    assert_eq!(checkpoints.contradictions().await, [(mark, None)]);
    grow(&ledger, "something else").await;
    let found = ledger.end().hash;
    assert_eq!(checkpoints.contradictions().await, [(mark, Some(found))]);
    // Another installation's checkpoints say nothing of this log.
    let stranger = open(other.path(), &ledger, &Keyring::for_tests(), directory);
    assert!(stranger.contradictions().await.is_empty());
}

#[tokio::test]
async fn a_directory_that_takes_no_copy_is_an_error_and_the_checkpoint_stays() {
    let home = tempfile::tempdir().expect("a directory");
    let ledger = log(home.path());
    grow(&ledger, "one").await;
    let checkpoints = open(home.path(), &ledger, &Keyring::for_tests(), Some(home.path().join("none")));
    assert!(checkpoints.make().await.is_err());
    assert_eq!(checkpoints.latest().expect("kept").number, 1);
    // It is copied once the directory is there.
    std::fs::create_dir(home.path().join("none")).expect("made");
    let made = checkpoints.make().await.expect("made");
    assert_eq!(newest_copy(&home.path().join("none"), &checkpoints.public_key()).as_ref(), Some(&*made));
}

#[tokio::test]
async fn a_bad_checkpoint_does_not_keep_the_log_from_being_checked() {
    let home = tempfile::tempdir().expect("a directory");
    let keyring = Keyring::for_tests();
    let ledger = log(home.path());
    for name in ["one", "two"] {
        grow(&ledger, name).await;
        open(home.path(), &ledger, &keyring, None).make().await.expect("made");
    }
    let path = home.path().join(NAME);
    let text = std::fs::read_to_string(&path).expect("readable");
    std::fs::write(&path, text.replacen("\"number\":1", "\"number\":11", 1)).expect("written");
    let checkpoints = open(home.path(), &ledger, &keyring, None);
    let problem = checkpoints.compare().await.expect_err("it is bad");
    let expected = "the 2 records are whole, but the checkpoint of record 11 cannot be believed";
    assert!(problem.starts_with(expected), "{problem}");

    // What is wrong with the log itself is said first.
    let other = tempfile::tempdir().expect("a directory");
    let ledger = log(other.path());
    grow(&ledger, "one").await;
    let problem = open(home.path(), &ledger, &keyring, None).compare().await.expect_err("a record is missing");
    assert!(!problem.contains("whole") && !problem.contains("believed"), "{problem}");
}
