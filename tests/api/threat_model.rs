//! docs/threat-model.md names tests: each must exist, and each threat must have one or say that it is not covered.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = "docs/threat-model.md";

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let known = tests_of(&["src", "tests/api"]);
    let mut named = BTreeSet::new();
    let mut problems = Vec::new();
    for (line, (what, answer)) in threats() {
        let tests = names_in(&answer);
        let missing = tests.iter().filter(|test| !known.contains(*test));
        problems.extend(missing.map(|test| format!("{PAGE}:{line}: there is no test {test}")));
        let is_answered = !tests.is_empty()
            || ["not covered", "not prevented", "`scripts/", "`Cargo.lock`"].iter().any(|word| answer.contains(word));
        if !is_answered {
            problems.push(format!("{PAGE}:{line}: {what}: neither a test nor \"not covered\""));
        }
        named.extend(tests);
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(named.len() > 50, "the tables have {} tests; were they read?", named.len());
}

/// The rows of the tables of threats, with their lines in the page: the threat, and its test or what else is said.
fn threats() -> Vec<(usize, (String, String))> {
    let page = fs::read_to_string(PAGE).expect("the threat model");
    let after = page.find("## Threats").expect("a section for the threats");
    let first = page[..after].lines().count();
    let rows = page[after..].lines().enumerate();
    let rows = rows.filter_map(|(number, line)| {
        let (threat, answer) = line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | ")?;
        (threat != "threat").then(|| (first + number + 1, (threat.to_owned(), answer.to_owned())))
    });
    rows.collect()
}

/// The names of tests in a text: words between backticks that have several parts.
fn names_in(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let is_name = |word: &&str| {
        word.matches('_').count() >= 2 && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    quoted.filter(is_name).map(str::to_owned).collect()
}

/// The names of all functions that are marked as tests, also within `proptest!`.
fn tests_of(directories: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in directories.iter().flat_map(|directory| sources(Path::new(directory))) {
        let text = fs::read_to_string(&file).expect("a source");
        let mut is_marked = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[") {
                is_marked |= line.ends_with("test]") || line.starts_with("#[tokio::test");
                continue;
            }
            let name = line.trim_start_matches("async ").strip_prefix("fn ").and_then(|rest| rest.split('(').next());
            if is_marked && let Some(name) = name {
                found.insert(name.to_owned());
            }
            is_marked &= line.is_empty() || line.starts_with("//");
        }
    }
    found
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            files.extend(sources(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.push(entry);
        }
    }
    files
}
