//! Reads the settings from the file and the environment, or returns every mistake in them with its location.

use crate::bounded_file;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};
use zeroize::Zeroizing;

use super::{AdminPassword, Config, Mistake, Origin};

/// The prefix of the program's environment variables.
pub(super) const PREFIX: &str = "CLAVIGER_";
const ADMIN_PASSWORD: &str = "CLAVIGER_ADMIN_PASSWORD";
/// Variables with the same prefix that clients and tests read.
const NOT_SETTINGS: [&str; 6] = [
    "CLAVIGER_URL",
    "CLAVIGER_MOTO_URL",
    "CLAVIGER_TERRAFORM_PROVIDER",
    "CLAVIGER_ANSIBLE",
    "CLAVIGER_LOCALSTACK",
    "CLAVIGER_XKS_CLIENT",
];

/// Renamed settings: section, former key, current key. The former key is still read, with a warning.
const RENAMED: [(&str, &str, &str); 1] = [("aws", "settle_seconds", "consistency_wait_seconds")];

/// The documented settings: their keys, and their types by their defaults.
static DOCUMENTED: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(&documented_defaults()).expect("a test reads this constant text"));

/// `config/claviger.toml` with its keys uncommented: a `#` right before a key is removed; in prose a space follows it.
pub(super) fn documented_defaults() -> String {
    let lines = include_str!("../../../config/claviger.toml").lines();
    let in_force = lines.map(|line| match line.strip_prefix('#') {
        Some(key) if key.starts_with(|first: char| first.is_ascii_lowercase()) => key,
        _ => line,
    });
    in_force.collect::<Vec<_>>().join("\n")
}

/// The value of a setting and its origin.
struct Given {
    value: Value,
    origin: Origin,
}

/// Settings by section and key. A key outside any section is stored as a section without a key.
type Settings = BTreeMap<(String, Option<String>), Given>;

pub(super) fn read(path: Option<&Path>, env: impl Iterator<Item = (String, String)>) -> Result<Config, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut settings = match path.map(read_file).transpose() {
        Ok(settings) => settings.unwrap_or_default(),
        Err(mistake) => return Err(vec![mistake]),
    };
    let (mut admin_password, mut warnings) = (None, Vec::new());
    for (name, value) in env.filter(|(name, _)| name.starts_with(PREFIX)) {
        if name == ADMIN_PASSWORD {
            let value = Zeroizing::new(value);
            admin_password = (!value.is_empty()).then_some(AdminPassword(value));
        } else if !NOT_SETTINGS.contains(&name.as_str()) {
            match variable(&name, &value) {
                Ok((place, value)) => {
                    let variable = name.clone();
                    let given = settings.insert(place, Given { value: value.clone(), origin: Origin::Variable(name) });
                    if let Some(Given { origin, .. }) = given.filter(|given| given.value != value) {
                        warnings.push(format!("{origin}: this setting is overridden by {variable}"));
                    }
                }
                Err(mistake) => mistakes.push(mistake),
            }
        }
    }
    // An empty text counts as no setting, so that a variable can reset a setting of the file to its default.
    settings.retain(|_, given| given.value.as_str() != Some(""));
    mistakes.extend(apply_former_names(&mut settings, &mut warnings));
    mistakes.splice(0..0, wrong_settings(&settings));
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let config = Config::deserialize(Value::Table(to_table(&settings)));
    let mut config = config.map_err(|error| vec![last_resort(&error)])?;
    config.admin_password = admin_password;
    config.warnings = warnings;
    Ok(config)
}

fn read_file(path: &Path) -> Result<Settings, Mistake> {
    let text = bounded_file::read_text(path, bounded_file::SETTINGS_MAX)
        .map_err(|source| Mistake::Unreadable { path: path.to_owned(), source })?;
    let line_at = |offset: usize| text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
    let syntax = |error: toml::de::Error| Mistake::Syntax {
        path: path.to_owned(),
        line: error.span().map_or(1, |span| line_at(span.start)),
        // `Display` would quote the line, which may contain a proxy's password.
        what: error.message().to_owned(),
    };
    let places = DeTable::parse(&text).map_err(syntax)?;
    let values: Table = toml::from_str(&text).map_err(syntax)?;

    let origin = |offset| Origin::File { path: path.to_owned(), line: line_at(offset) };
    let mut settings = Settings::new();
    for (section, below) in places.get_ref() {
        let name = section.get_ref().to_string();
        let value = values.get(&name).cloned();
        match (below.get_ref(), value) {
            (DeValue::Table(keys), Some(Value::Table(mut values))) => {
                if keys.is_empty() {
                    let given = Given { value: Value::Table(Table::new()), origin: origin(section.span().start) };
                    settings.insert((name.clone(), None), given);
                }
                for key in keys.keys() {
                    if let Some(value) = values.remove(key.get_ref().as_ref()) {
                        let given = Given { value, origin: origin(key.span().start) };
                        settings.insert((name.clone(), Some(key.get_ref().to_string())), given);
                    }
                }
            }
            (_, Some(value)) => {
                settings.insert((name, None), Given { value, origin: origin(section.span().start) });
            }
            (_, None) => {}
        }
    }
    Ok(settings)
}

/// Reads a variable as a setting: `CLAVIGER_<SECTION>_<KEY>`, with the type of the documented default.
fn variable(name: &str, text: &str) -> Result<((String, Option<String>), Value), Mistake> {
    let documented = || DOCUMENTED.iter().filter_map(|(section, keys)| Some((section, keys.as_table()?)));
    let mut settings =
        documented().flat_map(|(section, keys)| keys.iter().map(move |(key, value)| (section, key, value)));
    let former = RENAMED.iter().find(|(section, former, _)| variable_of(section, Some(former)) == name);
    let documented_name = former.map_or(name.to_owned(), |(section, _, key)| variable_of(section, Some(key)));
    let Some((section, key, default)) =
        settings.find(|(section, key, _)| variable_of(section, Some(key)) == documented_name)
    else {
        let section = documented().find(|(section, _)| name.starts_with(&format!("{}_", variable_of(section, None))));
        let names = |(section, keys): (&String, &Table)| {
            keys.keys().map(|key| variable_of(section, Some(key))).collect::<Vec<_>>().join(", ")
        };
        let expected = section.map(|section| format!(": one of {} is expected", names(section)));
        return Err(Mistake::UnknownVariable { name: name.to_owned(), expected });
    };
    let key = former.map_or(key.as_str(), |(_, former, _)| former);
    let place = (section.clone(), Some(key.to_owned()));
    if text.is_empty() {
        return Ok((place, Value::String(String::new())));
    }
    let wrong = |expected: &str| Mistake::Setting {
        origin: Origin::Variable(name.to_owned()),
        key: format!("{section}.{key}"),
        what: format!("`{text}` is not {expected}"),
    };
    let value = match default {
        Value::Integer(_) => Value::Integer(text.parse().map_err(|_| wrong("a whole number"))?),
        Value::Boolean(_) => Value::Boolean(text.parse().map_err(|_| wrong("`true` or `false`"))?),
        Value::Array(_) => list(text).ok_or_else(|| wrong("a TOML array or a list of texts separated by commas"))?,
        _ => Value::String(text.to_owned()),
    };
    Ok((place, value))
}

/// Moves settings from their former names to the current ones, with a warning. Using both names is a mistake.
fn apply_former_names(settings: &mut Settings, warnings: &mut Vec<String>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for (section, former, key) in RENAMED {
        let place = |key: &str| (section.to_owned(), Some(key.to_owned()));
        let Some(given) = settings.remove(&place(former)) else { continue };
        if let Some(other) = settings.get(&place(key)) {
            let what =
                format!("is the former name of {section}.{key}, which is given too ({}): leave it out", other.origin);
            mistakes.push(Mistake::Setting { origin: given.origin, key: format!("{section}.{former}"), what });
        } else {
            warnings.push(format!("{}: {section}.{former} is called {section}.{key} now", given.origin));
            settings.insert(place(key), given);
        }
    }
    mistakes
}

fn variable_of(section: &str, key: Option<&str>) -> String {
    match key {
        Some(key) => format!("{PREFIX}{section}_{key}").to_uppercase(),
        None => format!("{PREFIX}{section}").to_uppercase(),
    }
}

/// Reads a list: a TOML array, or texts separated by commas.
fn list(text: &str) -> Option<Value> {
    if text.trim_start().starts_with('[') {
        return toml::from_str::<Table>(&format!("list = {text}")).ok()?.remove("list");
    }
    Some(Value::Array(text.split(',').map(|part| Value::String(part.trim().to_owned())).collect()))
}

/// Checks each setting alone. Every key has a default, so each mistake belongs to one setting.
fn wrong_settings(settings: &Settings) -> Vec<Mistake> {
    let mut mistakes: Vec<(&Origin, Mistake)> = Vec::new();
    let mut unknown_sections = Vec::new();
    for ((section, key), given) in settings {
        let place = |key: &Option<String>| match key {
            Some(key) => format!("{section}.{key}"),
            None => section.clone(),
        };
        let mistake = |key: &Option<String>, what: String| {
            (&given.origin, Mistake::Setting { origin: given.origin.clone(), key: place(key), what })
        };
        let section_alone = Value::Table(Table::from_iter([(section.clone(), Value::Table(Table::new()))]));
        if let Err(error) = Config::deserialize(section_alone) {
            if !unknown_sections.contains(&section) {
                mistakes.push(mistake(&None, what(&error)));
                unknown_sections.push(section);
            }
            continue;
        }
        if let Err(error) = Config::deserialize(Value::Table(single(section, key.as_deref(), &given.value))) {
            mistakes.push(mistake(key, what(&error)));
        }
    }
    // Mistakes are sorted by the lines of the file; those of variables follow.
    mistakes.sort_by_key(|(origin, _)| match origin {
        Origin::File { line, .. } => *line,
        Origin::Variable(_) => usize::MAX,
    });
    mistakes.into_iter().map(|(_, mistake)| mistake).collect()
}

fn single(section: &str, key: Option<&str>, value: &Value) -> Table {
    let below = match key {
        Some(key) => Value::Table(Table::from_iter([(key.to_owned(), value.clone())])),
        None => value.clone(),
    };
    Table::from_iter([(section.to_owned(), below)])
}

fn to_table(settings: &Settings) -> Table {
    let mut table = Table::new();
    for ((section, key), given) in settings {
        let below = table.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
        if let (Some(key), Some(below)) = (key, below.as_table_mut()) {
            below.insert(key.clone(), given.value.clone());
        }
    }
    table
}

fn what(error: &toml::de::Error) -> String {
    error.message().trim_end().replace('\n', ": ")
}

/// The mistake for settings that are valid alone and invalid together. No current section has such settings.
fn last_resort(error: &toml::de::Error) -> Mistake {
    Mistake::Setting { origin: Origin::Variable(PREFIX.to_owned()), key: "all settings".to_owned(), what: what(error) }
}
