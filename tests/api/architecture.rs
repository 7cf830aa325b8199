//! Who may import whom: every `use` line and every path through `crate::` against the table of docs/architecture.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A module, and what it may use. `lib.rs` and `main.rs` are the doorstep, and may use all.
const TABLE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("ledger", &["domain"]),
    ("aws", &["domain"]),
    ("keyring", &[]),
    ("service", &["domain", "ledger", "aws", "keyring"]),
    ("http", &["service", "domain"]),
    ("lab", &[]),
    ("cli", &["domain", "ledger", "aws", "keyring", "service", "http", "lab"]),
];

#[test]
fn nobody_imports_whom_they_may_not() {
    let mut wrong = Vec::new();
    for file in sources(Path::new("src")) {
        let module = module_of(&file);
        let Some((_, allowed)) = TABLE.iter().find(|(name, _)| *name == module) else {
            assert!(["lib.rs", "main.rs"].contains(&module.as_str()), "{module} has no row in the table");
            continue;
        };
        let text = fs::read_to_string(&file).expect("a source");
        for used in modules_used(&text) {
            if used != module && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{}: `{module}` may not use `{used}`", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What is stored has a layout in `ledger::layout`, what is shown a view in `http`: a type of the domain is free to
/// change, and none is serialised itself. `key/policy.rs` reads AWS's JSON of a policy, and writes none.
#[test]
fn no_type_of_the_domain_is_serialised() {
    for file in sources(Path::new("src/domain")) {
        let text = fs::read_to_string(&file).expect("a source");
        let reads_aws = file.ends_with("key/policy.rs");
        let mut names = ["Serialize", "bincode", "serde::"].into_iter().filter(|name| !reads_aws || *name != "serde::");
        let named = names.find(|name| text.contains(name));
        assert!(named.is_none(), "{} names {}", file.display(), named.unwrap_or_default());
    }
}

#[test]
fn the_reader_of_use_lines_sees_every_form() {
    let text = "use crate::domain::id;\nuse crate::{aws::port, ledger};\nuse crate::{\n    http,\n    lab::{a, b},\n};\n\
                let x = crate::keyring::Keyring::open();\n// crate::cli in a comment";
    let expected: BTreeSet<String> = ["domain", "aws", "ledger", "http", "lab", "keyring"].map(str::to_owned).into();
    assert_eq!(modules_used(text), expected);
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
    found
}

fn module_of(file: &Path) -> String {
    let parts: Vec<_> = file.iter().filter_map(|part| part.to_str()).collect();
    let top = parts.get(1).copied().unwrap_or_default();
    if parts.len() == 2 && top != "lib.rs" && top != "main.rs" { top.trim_end_matches(".rs") } else { top }.to_owned()
}

/// The modules of the crate that a source names.
fn modules_used(text: &str) -> BTreeSet<String> {
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let after = &code[at + "crate::".len()..];
        match after.strip_prefix('{') {
            Some(group) => found.extend(first_names(group)),
            None => found.extend(name_at(after)),
        }
    }
    found
}

/// The first name of each member of a `{…}` group, at its own level only.
fn first_names(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut fresh) = (1, Vec::new(), true);
    for (at, sign) in group.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => fresh = true,
            _ if fresh && !sign.is_whitespace() => {
                names.extend(name_at(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn name_at(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|sign| sign.is_alphanumeric() || *sign == '_').collect();
    (!name.is_empty()).then_some(name)
}
