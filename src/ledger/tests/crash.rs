//! A crash during a commit leaves all acknowledged records, and either all records of the commit or none.
//!
//! A killed process leaves what it wrote to the operating system. A power cut leaves what was synced, and any part of
//! what was written since.

use super::damage::{Dice, copy_into};
use super::sample::{added, regions_replaced};
use super::*;
use crate::domain::event::GroupEvent;
use crate::domain::name::GroupName;
use embedded::CommitStep;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tempfile::TempDir;

/// A possible content of the disk after a crash, and the number of records that were acknowledged before it.
struct Image {
    data: TempDir,
    acknowledged: u64,
    case: String,
    whole: bool,
}

/// Copies a data directory while it is written.
struct Camera {
    data: PathBuf,
    acknowledged: AtomicU64,
    inside: Mutex<Film>,
}

struct Film {
    images: Vec<Image>,
    /// The content of the log's file at the last sync.
    synced: Vec<u8>,
    dice: Dice,
}

impl Camera {
    fn look(&self, step: CommitStep) {
        let mut film = self.inside.lock().expect("free");
        let file = self.data.join("log/db");
        film.take(self, &format!("killed when {step:?}"), None, step != CommitStep::Applied);
        match step {
            CommitStep::Applied => {}
            CommitStep::Flushed => {
                let written = std::fs::read(&file).expect("readable");
                let synced = film.synced.clone();
                film.take(self, "power cut, nothing of it on the disk", Some(&synced), false);
                for _ in 0..3 {
                    let torn = film.tear(&synced, &written);
                    film.take(self, "power cut, torn", Some(&torn), false);
                }
            }
            CommitStep::Synced => film.synced = std::fs::read(&file).expect("readable"),
        }
    }
}

impl Film {
    fn take(&mut self, camera: &Camera, case: &str, log: Option<&[u8]>, whole: bool) {
        let data = tempfile::tempdir().expect("a directory");
        copy_into(&camera.data, data.path());
        if let Some(log) = log {
            std::fs::write(data.path().join("log/db"), log).expect("written");
        }
        let acknowledged = camera.acknowledged.load(Ordering::SeqCst);
        self.images.push(Image { data, acknowledged, case: format!("{case} after {acknowledged}"), whole });
    }

    /// Mixes sectors of the old and the new content.
    fn tear(&mut self, before: &[u8], after: &[u8]) -> Vec<u8> {
        let mut torn = after.to_vec();
        for (n, sector) in torn.chunks_mut(512).enumerate() {
            if self.dice.below(2) == 0 {
                let old = before.get(n * 512..).unwrap_or_default();
                let there = old.len().min(sector.len());
                sector[..there].copy_from_slice(&old[..there]);
                sector[there..].fill(0);
            }
        }
        torn
    }
}

/// Commits of one record, of several, of more than fit into a page, and of one that is longer than a page.
fn commits() -> Vec<Vec<Event>> {
    let many = |from: u128, count| (from..from + count).map(|n| added(n, &format!("k{n}"))).collect();
    let long = |size| {
        let created = GroupEvent::Created { description: "x".repeat(size), metadata: Default::default() };
        vec![Event::Group(GroupName::parse(&format!("g{size}")).expect("a name"), created)]
    };
    let one = || vec![regions_replaced(0, &["eu-west-1"])];
    vec![
        many(0, 1),
        one(),
        one(),
        many(10, 3),
        one(),
        many(20, 60),
        one(),
        long(9_000),
        one(),
        one(),
        long(4_000),
        one(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_step_of_a_commit_loses_nothing_that_was_acknowledged() {
    let home = tempfile::tempdir().expect("a directory");
    drop(Ledger::open(home.path(), options()).expect("opens"));
    let camera = Arc::new(Camera {
        data: home.path().to_owned(),
        acknowledged: AtomicU64::new(0),
        inside: Mutex::new(Film {
            images: Vec::new(),
            synced: std::fs::read(home.path().join("log/db")).expect("readable"),
            dice: Dice(3),
        }),
    });
    // The seal changes with each commit: every image must open with it.
    let options = || LedgerOptions { seal: Some(super::seal::key(1, true)), ..super::options() };
    let (mut store, known) = Embedded::open(Directory::lock(home.path()).expect("free"), 1024 * 1024).expect("opens");
    assert_eq!(store.open_seal(options().seal.as_ref()).expect("it has none yet"), None);
    store.seal_now(known).expect("sealed");
    camera.inside.lock().expect("free").synced = std::fs::read(home.path().join("log/db")).expect("readable");
    let looking = camera.clone();
    store.after_each_step(move |step| looking.look(step));
    let ledger = Ledger::start(Arc::new(store), known, options()).expect("starts");
    let mut states = BTreeMap::from([(0, ledger.state())]);
    for events in commits() {
        let head = record(&ledger, events).await.expect("recorded").head;
        camera.acknowledged.store(head, Ordering::SeqCst);
        states.insert(head, ledger.state());
    }
    ledger.close().await;

    let images = std::mem::take(&mut camera.inside.lock().expect("free").images);
    let (mut with, mut without) = (0, 0);
    for Image { data, acknowledged, case, whole } in images {
        let opened = Ledger::open(data.path(), options()).unwrap_or_else(|error| panic!("{case}: {error}"));
        let found = opened.state();
        assert_eq!(states.get(&found.head), Some(&found), "{case}: a commit is there in part");
        let next = *states.range(acknowledged + 1..).next().expect("a commit under way").0;
        assert!(found.head == acknowledged || found.head == next, "{case}: {} records", found.head);
        assert!(!whole || found.head == next, "{case}: what the system had is gone");
        if found.head == next {
            with += 1
        } else {
            without += 1
        }
        record(&opened, vec![regions_replaced(0, &["us-east-1"])]).await.expect("it goes on");
        assert_eq!(opened.verify(Vec::new()).await.expect("whole").records, found.head + 1);
    }
    assert!(with > 0 && without > 0, "{with} with the commit, {without} without");
}
