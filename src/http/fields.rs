//! The choice of members in the rows of a list (`fields`): some members, such as policies, are long, and few need them.

use super::body::excerpt;
use super::describe::Description;
use super::error::Problem;
use super::query::quoted;
use crate::domain::refusal::Bounds;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, Schema, Type};

/// The largest number of members that a query chooses.
const FIELDS_MAX: usize = 100;

/// Reads the members, which are separated by commas. A member of a member is written `aws_param.KeyState`.
///
/// # Errors
/// [`Problem`] if there are too many.
pub fn read(value: &str) -> Result<Vec<String>, Problem> {
    let mut fields: Vec<String> = Vec::new();
    for field in value.split(',').map(str::trim).filter(|field| !field.is_empty()) {
        if fields.iter().any(|known| known == field) {
            continue;
        }
        if fields.len() >= FIELDS_MAX {
            let problem = format!("must have at most {FIELDS_MAX} members");
            let limit = Some(Bounds::most(FIELDS_MAX as u64));
            return Err(Problem::Query { member: "fields".into(), problem, limit });
        }
        fields.push(field.to_owned());
    }
    Ok(fields)
}

/// Refuses members that no row of this view has. What is inside of a member is not checked.
///
/// # Errors
/// [`Problem`] if there is no such member.
pub fn check<V: ToSchema>(fields: &[String]) -> Result<(), Problem> {
    if fields.is_empty() {
        return Ok(());
    }
    let (known, is_open) = members_of::<V>();
    let unknown = fields.iter().find(|field| !known.contains(top(field)));
    match unknown.filter(|_| !is_open) {
        None => Ok(()),
        Some(field) => {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let problem = format!("`{}` is no member of these rows; they have {}", excerpt(field), quoted(&known));
            Err(Problem::query("fields", problem))
        }
    }
}

/// Puts the members of these rows into the description of `fields`.
pub fn describe<V: ToSchema>(to: &mut Description) {
    let (known, is_open) = members_of::<V>();
    if let Some(member) = to.query.iter_mut().find(|member| member.name == "fields" && !is_open) {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let one = format!("(?:{})(?:\\.[^,]+)?", known.join("|"));
        let pattern = format!("^(?:{one}(?:,{one})*)?$");
        member.schema = Object::builder().schema_type(Type::String).pattern(Some(pattern)).build().into();
    }
}

/// The names of the members of these rows, and whether they can have others.
fn members_of<V: ToSchema>() -> (BTreeSet<String>, bool) {
    let mut referenced = Vec::new();
    V::schemas(&mut referenced);
    let mut known = BTreeSet::new();
    let is_open = members(&V::schema(), &referenced, &mut known);
    (known, is_open)
}

fn top(field: &str) -> &str {
    field.split_once('.').map_or(field, |(top, _)| top)
}

/// Adds the names of the members of a schema, and returns whether it can have others.
fn members(schema: &RefOr<Schema>, referenced: &[(String, RefOr<Schema>)], known: &mut BTreeSet<String>) -> bool {
    match schema {
        RefOr::Ref(to) => {
            let name = to.ref_location.rsplit('/').next().unwrap_or_default();
            let found = referenced.iter().find(|(known, _)| known == name);
            found.is_none_or(|(_, schema)| members(schema, referenced, known))
        }
        RefOr::T(Schema::Object(object)) => {
            known.extend(object.properties.keys().cloned());
            object.additional_properties.is_some()
        }
        RefOr::T(Schema::AllOf(all)) => {
            // Each item is looked at, for its names.
            let open = all.items.iter().filter(|item| members(item, referenced, known)).count();
            open > 0
        }
        // No row is anything else.
        RefOr::T(_) => true,
    }
}

/// Writes a row with the chosen members; with all of them if none is chosen.
///
/// # Errors
/// When the row cannot be written as JSON.
pub fn write(to: &mut Vec<u8>, row: &impl Serialize, fields: &[String]) -> serde_json::Result<()> {
    if fields.is_empty() {
        return serde_json::to_writer(to, row);
    }
    let whole = serde_json::to_value(row)?;
    let mut chosen = Map::new();
    fields.iter().for_each(|field| choose(&whole, field, &mut chosen));
    serde_json::to_writer(to, &chosen)
}

fn choose(from: &Value, field: &str, to: &mut Map<String, Value>) {
    if let Some(value) = from.get(field) {
        to.insert(field.to_owned(), value.clone());
        return;
    }
    let Some((outer, inner)) = field.split_once('.') else { return };
    let Some(value @ Value::Object(_)) = from.get(outer) else { return };
    if let Value::Object(to) = to.entry(outer).or_insert_with(|| Value::Object(Map::new())) {
        choose(value, inner, to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::envelope::Envelope;
    use serde_json::json;

    #[derive(Serialize, ToSchema)]
    #[allow(dead_code)]
    struct Row {
        #[serde(flatten)]
        envelope: Envelope,
        name: String,
    }

    #[test]
    fn members_are_chosen_also_inside_of_others() {
        let row = json!({"id": "a", "long": "…", "inner": {"x": 1, "y": 2}, "list": [1]});
        let chosen = |fields: &str| {
            let mut text = Vec::new();
            let fields = read(fields).expect("few");
            write(&mut text, &row, &fields).expect("JSON");
            serde_json::from_slice::<Value>(&text).expect("JSON")
        };
        assert_eq!(chosen(""), row);
        assert_eq!(chosen("id, list,id,"), json!({"id": "a", "list": [1]}));
        assert_eq!(chosen("inner.x"), json!({"inner": {"x": 1}}));
        assert_eq!(chosen("inner.x,inner.y,inner.z"), json!({"inner": {"x": 1, "y": 2}}));
        assert_eq!(chosen("id.x,list.x,none"), json!({}));
    }

    #[test]
    fn members_that_no_row_has_are_refused() {
        let check = |fields: &str| check::<Row>(&read(fields).expect("few"));
        assert!(check("").is_ok() && check("name,id,updatedAt,uri.x").is_ok());
        let problem = check("name,nome").expect_err("no such member").to_string();
        assert!(problem.starts_with("fields: `nome` is no member of these rows; they have"), "{problem}");
        assert!(read(&(0..=FIELDS_MAX).map(|n| format!("m{n},")).collect::<String>()).is_err());
    }
}
