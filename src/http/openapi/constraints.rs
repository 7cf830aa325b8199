//! What the members of requests must fulfil beyond their types: bounds, patterns, the members that must be given. The
//! file `constraints.toml` has it, and describes its own form; here it is put into the description of the API.

use serde_json::{Map, Value, json};
use std::iter;

const FILE: &str = include_str!("constraints.toml");

/// Where the description has the schemas of bodies.
const SCHEMAS: &str = "#/components/schemas/";

type Object = Map<String, Value>;

/// Puts the constraints of the file into the document.
///
/// # Errors
/// When the file names what the document does not have.
pub(super) fn constrain(document: &mut Value) -> Result<(), String> {
    let file: Object = toml::from_str(FILE).map_err(|error| error.to_string())?;
    let table = |name: &str| file.get(name).and_then(Value::as_object).ok_or(format!("there is no table {name}"));
    let (kinds, of_schemas, of_operations, of_queries) =
        (table("kinds")?, table("schemas")?, table("operations")?, table("queries")?);
    let mut schemas = match document.pointer_mut("/components/schemas").map(Value::take) {
        Some(Value::Object(schemas)) => schemas,
        _ => return Err("the document has no schemas".to_owned()),
    };
    for (name, rules) in of_schemas {
        let constrained = Constrained { name, kinds, schemas: &schemas }.schema(name, rules)?;
        schemas.insert(name.clone(), constrained);
    }
    let mut met = 0;
    for operation in operations(document) {
        query(operation, kinds, of_queries)?;
        let Some((id, rules)) =
            operation.get("operationId").and_then(Value::as_str).and_then(|id| of_operations.get_key_value(id))
        else {
            continue;
        };
        met += 1;
        if let Some(rules) = rules.get("query").and_then(Value::as_object) {
            query(operation, kinds, rules)?;
        }
        if rules.as_object().is_some_and(|rules| rules.keys().all(|name| name == "query")) {
            continue;
        }
        let body =
            operation.get_mut("requestBody").and_then(|body| body.pointer_mut("/content/application~1json/schema"));
        let body = body.ok_or_else(|| format!("{id} has no body"))?;
        let general = named(body).ok_or_else(|| format!("the body of {id} has no name"))?;
        let own = format!("{}{}Request", id[..1].to_ascii_uppercase(), &id[1..]);
        if schemas.contains_key(&own) {
            return Err(format!("the schema {own} is there already"));
        }
        let constrained = Constrained { name: id, kinds, schemas: &schemas }.schema(&general, rules)?;
        *body = json!({"$ref": format!("{SCHEMAS}{own}")});
        schemas.insert(own, constrained);
    }
    if met != of_operations.len() {
        return Err("an operation of the file is not in the document".to_owned());
    }
    if let Some(place) = document.pointer_mut("/components/schemas") {
        *place = schemas.into();
    }
    Ok(())
}

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
    items.flat_map(Map::values_mut)
}

/// Constrains the members of an operation's query.
fn query(operation: &mut Value, kinds: &Object, rules: &Object) -> Result<(), String> {
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let is_query = parameter.get("in").is_some_and(|place| place == "query");
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        // A member without a value is no member.
        if let Some(schema) = parameter.get_mut("schema").and_then(Value::as_object_mut).filter(|_| is_query)
            && has_type(schema, "string")
            && let Some(format) = schema.remove("format")
        {
            schema.insert("anyOf".to_owned(), json!([empty(), {"format": format}]));
        }
        let Some(rule) = rules.get(&name).filter(|_| is_query) else { continue };
        let mut keywords = keywords(rule, kinds)?;
        if let (Some(required), Some(parameter)) = (keywords.remove("required"), parameter.as_object_mut()) {
            parameter.insert("required".to_owned(), required);
        }
        let Some(schema) = parameter.get_mut("schema") else { continue };
        let each = if schema.get("items").is_some() { schema.get_mut("items") } else { Some(schema) };
        if let Some(each) = each.and_then(Value::as_object_mut) {
            each.extend(keywords);
        }
    }
    Ok(())
}

/// The name of the schema that this one refers to.
fn named(schema: &Value) -> Option<String> {
    Some(schema.get("$ref")?.as_str()?.strip_prefix(SCHEMAS)?.to_owned())
}

/// The keywords of a rule: those of a kind, and its own.
fn keywords(rule: &Value, kinds: &Object) -> Result<Object, String> {
    let kind = |name: &str| {
        let kind = kinds.get(name).and_then(Value::as_object).cloned();
        kind.ok_or_else(|| format!("there is no kind {name}"))
    };
    let mut found = Object::new();
    match rule {
        Value::String(name) => return kind(name),
        Value::Object(own) => {
            for (keyword, value) in own {
                match (keyword.as_str(), value) {
                    ("kind", Value::String(name)) => found.extend(kind(name)?),
                    ("items", rule) => {
                        found.insert("items".to_owned(), keywords(rule, kinds)?.into());
                    }
                    _ => {
                        found.insert(keyword.clone(), value.clone());
                    }
                }
            }
        }
        _ => return Err(format!("{rule} is not a rule")),
    }
    Ok(found)
}

/// What the rules of one schema need.
struct Constrained<'a> {
    /// The entry of the file, for errors.
    name: &'a str,
    kinds: &'a Object,
    schemas: &'a Object,
}

impl Constrained<'_> {
    /// A copy of a schema that has these rules.
    fn schema(&self, schema: &str, rules: &Value) -> Result<Value, String> {
        let mut schema = self.schemas.get(schema).cloned().ok_or_else(|| format!("there is no schema {schema}"))?;
        let rules = rules.as_object().ok_or_else(|| format!("{} has no rules", self.name))?;
        for (member, rule) in rules.iter().filter(|(name, _)| {
            !["required", "present", "query"].contains(&name.as_str()) && combination(name).is_none()
        }) {
            let keywords = keywords(rule, self.kinds)?;
            restrict(self.member(&mut schema, member)?, keywords);
        }
        let listed =
            |list: &str| rules.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        for member in listed("required") {
            require(self.member(&mut schema, member)?);
        }
        for member in listed("present") {
            not_null(self.member(&mut schema, member)?);
        }
        let required: Vec<&str> = listed("required").chain(listed("present")).collect();
        let whole = schema.as_object_mut().ok_or("a schema is not an object")?;
        if !required.is_empty() {
            let known = whole.entry("required").or_insert_with(|| json!([]));
            if let Some(known) = known.as_array_mut() {
                known.extend(required.into_iter().map(Value::from));
                known.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
                known.dedup();
            }
        }
        let combined = rules.iter().filter_map(|(name, lists)| Some((combination(name)?, lists.as_array()?)));
        let combined: Vec<Value> = combined
            .flat_map(|(combination, lists)| {
                lists.iter().filter_map(Value::as_array).map(move |list| combination(list))
            })
            .collect();
        if !combined.is_empty()
            && let Some(parts) = whole.entry("allOf").or_insert_with(|| json!([])).as_array_mut()
        {
            parts.extend(combined);
        }
        Ok(schema)
    }

    /// A member of a schema or of its parts. A part with a name is copied: the rule is for this schema only.
    fn member<'s>(&self, schema: &'s mut Value, member: &str) -> Result<&'s mut Object, String> {
        let has = |schema: &Value| schema.get("properties").is_some_and(|members| members.get(member).is_some());
        let unknown = || format!("{} has no member {member}", self.name);
        let part = if has(schema) {
            schema
        } else {
            let mut parts = schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten();
            let found = parts.find_map(|part| {
                if let Some(copy) = named(part).and_then(|name| self.schemas.get(&name)).filter(|part| has(part)) {
                    *part = copy.clone();
                }
                has(part).then_some(part)
            });
            found.ok_or_else(unknown)?
        };
        let member = part.get_mut("properties").and_then(|members| members.get_mut(member));
        member.and_then(Value::as_object_mut).ok_or_else(unknown)
    }
}

/// The keyword of JSON Schema for a combination of members.
fn combination(name: &str) -> Option<fn(&[Value]) -> Value> {
    Some(match name {
        "needs" => |members| match members {
            [first, others @ ..] => {
                let none = json!({"not": is_asked(first)});
                let choices: Vec<Value> = iter::once(none).chain(others.iter().map(is_given)).collect();
                json!({"anyOf": choices})
            }
            [] => json!({}),
        },
        "excludes" => |members| match members {
            [first, others @ ..] => {
                let all: Vec<Value> = iter::once(is_asked(first)).chain(others.iter().map(is_given)).collect();
                json!({"not": {"allOf": all}})
            }
            [] => json!({}),
        },
        "any" => |members| json!({"anyOf": members.iter().map(is_asked).collect::<Vec<_>>()}),
        "only" => |members| match members {
            [first, Value::String(other), values @ ..] => {
                let has_value = json!({"required": [other], "properties": {other: {"enum": values}}});
                json!({"anyOf": [{"not": is_given(first)}, has_value]})
            }
            _ => json!({}),
        },
        _ => return None,
    })
}

/// The schema in which this member is given.
fn is_given(member: &Value) -> Value {
    given_but(member, json!([null, ""]))
}

/// The schema in which this member asks for something.
fn is_asked(member: &Value) -> Value {
    given_but(member, json!([null, "", false, [], {}]))
}

fn given_but(member: &Value, empty: Value) -> Value {
    let name = member.as_str().unwrap_or_default();
    json!({"required": [name], "properties": {name: {"not": {"enum": empty}}}})
}

/// The schema of the text that stands for no member.
fn empty() -> Value {
    json!({"maxLength": 0})
}

fn has_type(member: &Object, wanted: &str) -> bool {
    match member.get("type") {
        Some(Value::Array(types)) => types.iter().any(|known| known == wanted),
        known => known.is_some_and(|known| known == wanted),
    }
}

/// Adds keywords to a member that can be absent, null or empty.
fn restrict(member: &mut Object, mut keywords: Object) {
    if let Some(Value::Object(items)) = keywords.remove("items") {
        let known = member.entry("items").or_insert_with(|| json!({}));
        if let Some(known) = known.as_object_mut() {
            known.extend(items);
        }
    }
    if !has_type(member, "string") {
        if let Some(Value::Array(words)) = keywords.get_mut("enum")
            && has_type(member, "null")
        {
            words.push(Value::Null);
        }
        return member.extend(keywords);
    }
    if let Some(Value::Array(mut words)) = keywords.remove("enum") {
        words.push("".into());
        if has_type(member, "null") {
            words.push(Value::Null);
        }
        member.insert("enum".to_owned(), words.into());
    }
    if let Some(most) = keywords.remove("maxLength") {
        member.insert("maxLength".to_owned(), most);
    }
    if !keywords.is_empty() {
        member.insert("anyOf".to_owned(), json!([empty(), keywords]));
    }
}

/// Takes null from the types of a member.
fn not_null(member: &mut Object) {
    if let Some(Value::Array(types)) = member.get("type")
        && let Some(only) = types.iter().find(|known| **known != "null").cloned()
    {
        member.insert("type".to_owned(), only);
    }
}

/// Demands a member that could be absent, null or empty.
fn require(member: &mut Object) {
    let is_something = |value: &Value| !value.is_null() && value != "" && *value != json!({"type": "null"});
    not_null(member);
    for choice in ["oneOf", "enum"] {
        if let Some(Value::Array(values)) = member.get_mut(choice) {
            values.retain(is_something);
        }
    }
    if let Some(Value::Array(choices)) = member.remove("anyOf") {
        let given = choices.into_iter().filter(|choice| *choice != empty());
        given.filter_map(|choice| choice.as_object().cloned()).for_each(|choice| member.extend(choice));
    }
    let says_more = ["pattern", "enum", "format", "minLength"].iter().any(|keyword| member.contains_key(*keyword));
    if has_type(member, "string") && !says_more {
        member.insert("minLength".to_owned(), 1.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        let document = super::super::describe(&crate::http::routes::endpoint_groups());
        let mut document = serde_json::to_value(document).unwrap_or_else(|error| panic!("{error}"));
        constrain(&mut document).unwrap_or_else(|problem| panic!("{problem}"));
        document
    }

    #[test]
    fn a_new_user_needs_a_name_and_a_password_and_a_change_does_not() {
        let document = document();
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["CreateUserRequest"]["required"], json!(["password", "username"]));
        assert_eq!(schemas["CreateUserRequest"]["properties"]["password"]["type"], "string");
        assert_eq!(schemas["CreateUserRequest"]["properties"]["password"]["minLength"], 1);
        assert!(schemas["UserRequest"].get("required").is_none());
        let users = &document["paths"]["/api/v1/usermgmt/users"]["post"]["requestBody"];
        let body = &users["content"]["application/json"]["schema"]["$ref"];
        assert_eq!(*body, "#/components/schemas/CreateUserRequest");
    }

    #[test]
    fn a_member_that_is_not_required_can_be_empty() {
        let document = document();
        let schemas = &document["components"]["schemas"];
        let connection = &schemas["ConnectionRequest"]["properties"];
        let clouds = json!(["aws", "aws-us-gov", "aws-cn", "", null]);
        assert_eq!(connection["cloud_name"]["enum"], clouds);
        assert_eq!(connection["aws_region"]["anyOf"][0], json!({"maxLength": 0}));
        let created = &schemas["CreateConnectionRequest"]["properties"]["name"];
        assert!(created["pattern"].is_string() && created.get("anyOf").is_none(), "{created}");
    }

    #[test]
    fn a_part_with_a_name_stays_as_it_is_elsewhere() {
        let document = document();
        let schemas = &document["components"]["schemas"];
        assert!(
            schemas["UploadKeyRequest"]
                .to_string()
                .contains(r##""required":["kms","region","source_key_identifier"]"##)
        );
        let part = &schemas["ImportMaterialRequest"]["properties"]["source_key_identifier"]["type"];
        assert_eq!(*part, json!(["string", "null"]));
    }
}
