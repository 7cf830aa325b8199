//! Links of the description: from a call that creates a resource to the calls that have its id in their path. A client
//! finds them there, and the tests of the API make sequences of calls from them.

use serde_json::{Map, Value, json};

/// The members of an answer that can be the id in a path, the first that there is.
const IDS: [&str; 4] = ["id", "user_id", "policy_name", "name"];

/// Adds the links.
pub(super) fn link(document: &mut Value) {
    let Some(paths) = document.get("paths").and_then(Value::as_object) else { return };
    let found: Vec<(String, &str, Value)> = paths
        .iter()
        .flat_map(|(path, item)| ["201", "202"].map(|status| (path, item, status)))
        .filter_map(|(path, item, status)| {
            let answer = item.get("post")?.get("responses")?.get(status)?;
            let schema = answer.pointer("/content/application~1json/schema")?;
            let id = IDS.into_iter().find(|member| has_member(document, schema, member))?;
            let links = links_from(paths, path, id);
            (!links.is_empty()).then(|| (path.clone(), status, links.into()))
        })
        .collect();
    for (path, status, links) in found {
        let item = document.get_mut("paths").and_then(|paths| paths.get_mut(&path));
        let responses = item.and_then(|item| item.get_mut("post")?.get_mut("responses"));
        if let Some(Value::Object(answer)) = responses.and_then(|responses| responses.get_mut(status)) {
            answer.insert("links".to_owned(), links);
        }
    }
}

/// The links to the operations whose path begins with this one and a parameter.
fn links_from(paths: &Map<String, Value>, path: &str, id: &str) -> Map<String, Value> {
    let mut links = Map::new();
    for (other, item) in paths {
        let Some(rest) = other.strip_prefix(path).and_then(|rest| rest.strip_prefix("/{")) else { continue };
        // A path with a second parameter needs another id.
        let Some((parameter, _)) = rest.split_once('}').filter(|(_, rest)| !rest.contains('{')) else { continue };
        for operation in item.as_object().into_iter().flat_map(Map::values) {
            if let Some(name) = operation.get("operationId").and_then(Value::as_str) {
                let parameters = json!({parameter: format!("$response.body#/{id}")});
                links.insert(name.to_owned(), json!({"operationId": name, "parameters": parameters}));
            }
        }
    }
    links
}

/// Whether the objects of a schema have this member.
fn has_member(document: &Value, schema: &Value, member: &str) -> bool {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let referred = document.pointer(reference.trim_start_matches('#'));
        return referred.is_some_and(|schema| has_member(document, schema, member));
    }
    let own = schema.get("properties").is_some_and(|members| members.get(member).is_some());
    let parts = schema.get("allOf").and_then(Value::as_array);
    own || parts.is_some_and(|parts| parts.iter().any(|part| has_member(document, part, member)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_created_resource_leads_to_its_calls() {
        let document = super::super::describe(&crate::http::routes::endpoint_groups());
        let mut document = serde_json::to_value(document).unwrap_or_else(|error| panic!("{error}"));
        link(&mut document);
        let links = |path: &str| document["paths"][path]["post"]["responses"]["201"]["links"].clone();
        let users = links("/api/v1/usermgmt/users");
        assert_eq!(users["deleteUser"]["parameters"], json!({"id": "$response.body#/user_id"}));
        let groups = links("/api/v1/usermgmt/groups");
        assert_eq!(groups["getGroup"]["parameters"], json!({"name": "$response.body#/name"}));
        assert!(groups.get("addGroupMember").is_none(), "it needs the id of a user too");
        let keys = links("/api/v1/cckm/aws/keys");
        assert_eq!(keys["enableKey"]["parameters"], json!({"id": "$response.body#/id"}));
    }
}
