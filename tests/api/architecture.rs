//! The rules for imports: every `use` line and every path through `crate::` is compared with the table of
//! docs/architecture.md, and the size of import cycles in the domain is limited.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module, and the modules that it may use. `lib.rs` and `main.rs` are exempt.
const TABLE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("ledger", &["domain", "sled_files"]),
    ("attempt_log", &["segment_files"]),
    ("aws", &["bounded_file", "domain", "sigv4"]),
    ("backup", &[]),
    ("bounded_file", &[]),
    ("call_journal", &["segment_files"]),
    ("forward", &[]),
    ("keyring", &[]),
    ("policy", &[]),
    ("report_store", &[]),
    ("segment_files", &[]),
    (
        "service",
        &[
            "domain",
            "ledger",
            "attempt_log",
            "aws",
            "backup",
            "bounded_file",
            "call_journal",
            "forward",
            "keyring",
            "policy",
            "report_store",
            "webhook",
            "xks",
        ],
    ),
    ("http", &["service", "domain", "listener"]),
    ("lab", &["bounded_file", "policy", "sigv4", "sled_files"]),
    ("sigv4", &[]),
    ("sled_files", &[]),
    ("fuzzing", &["aws", "domain", "http", "ledger", "policy", "service", "sigv4"]),
    ("webhook", &["bounded_file"]),
    ("listener", &[]),
    ("xks", &["sigv4", "listener"]),
    (
        "cli",
        &[
            "domain",
            "ledger",
            "attempt_log",
            "aws",
            "backup",
            "bounded_file",
            "call_journal",
            "forward",
            "keyring",
            "policy",
            "report_store",
            "service",
            "http",
            "lab",
            "listener",
            "webhook",
            "xks",
        ],
    ),
];

#[test]
fn modules_import_only_allowed_modules() {
    let mut wrong = Vec::new();
    for file in sources(Path::new("src"), "rs") {
        let module = module_of(&file);
        let Some((_, allowed)) = TABLE.iter().find(|(name, _)| *name == module) else {
            assert!(["lib.rs", "main.rs"].contains(&module.as_str()), "{module} has no row in the table");
            continue;
        };
        let text = fs::read_to_string(&file).expect("a source");
        for used in modules_used(&text) {
            // Some tests of the lab have the program's own proxy, or its own calls to AWS, at the other end.
            let is_tested =
                ["xks", "listener", "aws", "domain"].contains(&used.as_str()) && file.starts_with("src/lab/tests");
            if used != module && !allowed.contains(&used.as_str()) && !is_tested {
                wrong.push(format!("{}: `{module}` may not use `{used}`", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Stored types have a layout in `ledger::layout`, and shown types a view in `http`, so a type of the domain can change
/// freely and is not serialised itself. `key/policy.rs` deserialises AWS's JSON of a policy.
/// docs/console.md says how long a file of the console may be.
#[test]
fn files_of_the_console_are_short() {
    let files = sources(Path::new("web/app"), "js");
    assert!(files.len() > 50, "{}", files.len());
    for file in files {
        let lines = fs::read_to_string(&file).expect("a file").lines().count();
        assert!(lines <= 300, "{} has {lines} lines", file.display());
    }
}

#[test]
fn no_type_of_the_domain_is_serialised() {
    for file in sources(Path::new("src/domain"), "rs") {
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

/// Files of the domain that import each other in a cycle, directly or indirectly, can be read and changed only
/// together. The largest cycle may become smaller, but not larger.
#[test]
fn the_largest_import_cycle_in_the_domain_does_not_grow() {
    const LARGEST: usize = 3;
    let files: Vec<_> = sources(Path::new("src/domain"), "rs").into_iter().filter(|file| !is_for_tests(file)).collect();
    let modules: BTreeSet<String> = files.iter().map(|file| path_of(file)).collect();
    let imports: BTreeMap<String, BTreeSet<String>> = files
        .iter()
        .map(|file| {
            let text = fs::read_to_string(file).expect("a source");
            let module = path_of(file);
            let used = imports_of(&module, &text).into_iter().filter_map(|path| owner(&path, &modules));
            let used = used.filter(|used| *used != module).collect();
            (module, used)
        })
        .collect();
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        modules.iter().map(|module| (module, reachable(module, &imports))).collect();
    let circle_of = |module: &String| -> Vec<&String> {
        reached[module].iter().copied().filter(|other| reached[*other].contains(module)).collect()
    };
    let largest = modules.iter().map(circle_of).max_by_key(Vec::len).unwrap_or_default();
    assert!(largest.len() <= LARGEST, "{} files import each other, and {LARGEST} may: {largest:#?}", largest.len());
}

#[test]
fn the_reader_of_imports_resolves_every_form() {
    let text = "use super::{id, name::{A, B}};\npub use crate::domain::key::{\n    self,\n    tag::Tag as T,\n};\nuse std::fmt;\n\
                use patch::Patch;\nfn f() -> super::time::Time {}\n// use super::comment;\n#[cfg(test)]\nmod tests {\nuse super::not;\n}";
    let found = imports_of("domain::kms", text);
    let expected = ["domain::id", "domain::name::A", "domain::name::B", "domain::key", "domain::key::tag::Tag"];
    let expected =
        expected.into_iter().chain(["domain::kms::std::fmt", "domain::kms::patch::Patch", "domain::time::Time"]);
    assert_eq!(found, expected.map(str::to_owned).collect());
    let modules = ["domain::kms", "domain::kms::patch", "domain::id"].map(str::to_owned).into();
    assert_eq!(owner("domain::kms::patch::Patch", &modules).as_deref(), Some("domain::kms::patch"));
    assert_eq!(owner("domain::time::Time", &modules), None);
}

/// The files of a kind, such as `rs`, in a directory and those in it.
fn sources(directory: &Path, kind: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path, kind));
        } else if path.extension().is_some_and(|found| found == kind) {
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

/// The modules of the crate that a source file names.
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

/// The first name of each member of a `{…}` group, at the top level of the group.
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

fn is_for_tests(file: &Path) -> bool {
    file.file_stem().is_some_and(|stem| ["tests", "example", "scenario"].iter().any(|name| stem == *name))
}

/// The path of a file's module: `domain::key::tag`.
fn path_of(file: &Path) -> String {
    let file = file.with_extension("");
    let parts: Vec<_> = file.iter().skip(1).filter_map(|part| part.to_str()).filter(|part| *part != "mod").collect();
    parts.join("::")
}

/// All paths in a module's `use` lines and its paths through `crate::` and `super::`, from the crate's root. A path
/// that begins with the name of another crate is treated as a path of the module itself.
fn imports_of(module: &str, text: &str) -> BTreeSet<String> {
    let lines: Vec<_> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = lines.join("\n");
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut paths = Vec::new();
    for statement in code.split("use ").skip(1).filter_map(|rest| rest.split(';').next()) {
        expand("", statement, &mut paths);
    }
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start).filter(|(at, _)| !code[..*at].ends_with("::")) {
            let path: String =
                code[at..].chars().take_while(|sign| sign.is_alphanumeric() || ['_', ':'].contains(sign)).collect();
            paths.push(path);
        }
    }
    paths.iter().filter(|path| !path.ends_with("::")).map(|path| from_root(module, path)).collect()
}

/// Expands a `use` tree to its paths.
fn expand(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let (mut depth, mut start) = (0, 0);
    for (at, sign) in tree.char_indices().chain([(tree.len(), ',')]) {
        match sign {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let member = tree[start..at].trim();
                start = (at + 1).min(tree.len());
                match member.split_once('{') {
                    Some((head, rest)) => {
                        let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
                        expand(&format!("{prefix}{head}"), inner, paths);
                    }
                    None if member.is_empty() => {}
                    None => {
                        let name = member.split(" as ").next().unwrap_or_default();
                        paths.push(format!("{prefix}{name}").trim_end_matches("::self").to_owned());
                    }
                }
            }
            _ => {}
        }
    }
}

fn from_root(module: &str, path: &str) -> String {
    let (mut base, mut parts): (Vec<&str>, _) = (module.split("::").collect(), path.split("::").peekable());
    if parts.next_if_eq(&"crate").is_some() {
        base.clear();
    }
    while parts.next_if_eq(&"super").is_some() {
        base.pop();
    }
    parts.next_if_eq(&"self");
    base.into_iter().chain(parts).collect::<Vec<_>>().join("::")
}

/// The module that a path leads to: the longest prefix that is a module.
fn owner(path: &str, modules: &BTreeSet<String>) -> Option<String> {
    let parts: Vec<_> = path.split("::").collect();
    (1..=parts.len()).rev().map(|length| parts[..length].join("::")).find(|module| modules.contains(module))
}

/// The modules that a module imports, directly or indirectly.
fn reachable<'a>(from: &str, imports: &'a BTreeMap<String, BTreeSet<String>>) -> BTreeSet<&'a String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(module) = open.pop() {
        for next in imports.get(module).into_iter().flatten() {
            if found.insert(next) {
                open.push(next);
            }
        }
    }
    found
}
