//! The kept corpus of the fuzzers, replayed through the same entry points. See `scripts/fuzz`.

use claviger::fuzzing::{self, TARGETS};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Each target is replayed as it is, cut off at every length, and with a changed byte at many places.
#[test]
fn the_kept_corpus_of_the_fuzzers_harms_nothing() {
    let mut counted = 0;
    for (name, target) in TARGETS {
        let directory = Path::new("fuzz/corpus").join(name);
        let entries = fs::read_dir(&directory).expect("each target has a corpus");
        let files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            let bytes = fs::read(&file).expect("a file of the corpus");
            for case in variants(&bytes) {
                let outcome = catch_unwind(AssertUnwindSafe(|| target(&case)));
                assert!(outcome.is_ok(), "{} of {}: {case:02x?}", name, file.display());
                counted += 1;
            }
        }
    }
    println!("{counted} cases");
}

/// The newest golden records are the corpus of the record codec.
#[test]
fn damaged_records_are_refused_and_not_fatal() {
    let golden = fs::read("tests/golden/records-v2-16.bin").expect("golden records");
    let mut rest = golden.as_slice();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (record, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        fuzzing::record(record);
        for case in variants(record) {
            fuzzing::record(&case);
        }
        rest = after;
    }
}

/// The bytes themselves, what is left when they are cut off, and what they are with one byte changed; at most some 200.
fn variants(bytes: &[u8]) -> Vec<Vec<u8>> {
    let step = (bytes.len() / 50).max(1);
    let mut cases = vec![bytes.to_vec()];
    for at in (0..bytes.len()).step_by(step) {
        cases.push(bytes[..at].to_vec());
        for change in [0x01, 0x80, 0xff] {
            let mut changed = bytes.to_vec();
            changed[at] ^= change;
            cases.push(changed);
        }
    }
    cases
}

/// The fuzzers, the corpus and `scripts/fuzz` name the same targets.
#[test]
fn each_target_has_a_fuzzer() {
    let manifest = fs::read_to_string("fuzz/Cargo.toml").expect("the manifest of the fuzzers");
    for (name, _) in TARGETS {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not in fuzz/Cargo.toml");
        let source = fs::read_to_string(format!("fuzz/targets/{name}.rs")).expect("a fuzzer");
        assert!(source.contains(&format!("claviger::fuzzing::{name}")), "{name} calls another target");
    }
}
